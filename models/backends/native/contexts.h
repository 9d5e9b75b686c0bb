/* What the network and the mixture see of the past: `mixing/contexts.py` and `mixing/words.py`. */

#define HASH 0x9E3779B97F4A7C15u
#define SALT 0xD6E8FEB86659FD93u
#define WORD 0x2545F4914F6CDD1Du
#define NODE_HASH 0xC2B2AE3D27D4EB4Fu

enum { MIN_MATCH = 5, MATCH_LENGTHS = 16 };

/* The newest symbols of a packed past, as many as `order`. */
static inline uint64_t newest(uint64_t past, int64_t order)
{
    return order < 8 ? past & ((UINT64_C(1) << 8 * order) - 1) : past;
}

static inline int64_t ngram_row(const Ngram *ngram, uint64_t past)
{
    const uint64_t key = newest(past, ngram->order);
    return (int64_t)(ngram->order == 1 ? key : key * HASH >> (64 - ngram->bits));
}

/* What the next step sees: the packed past, the row of the match table and the length of the match of each lane.
 *
 * The row is the expected symbol times 16 and the length; of the product, weights of catzip 0.6.0 know eight bits. */
static void predict(const Frame *frame, Seen *seen)
{
    for (int64_t lane = 0; lane < frame->lanes; lane++) {
        const int64_t pointer = frame->pointer[lane];
        int64_t expected = 0, length = 0;
        if (pointer >= 0) {
            expected = frame->text[pointer];
            length = frame->matched[lane] - MIN_MATCH + 1;
            length = length < MATCH_LENGTHS ? length : MATCH_LENGTHS - 1;
        }
        seen->past[lane] = frame->recent[lane];
        seen->row[lane] = (uint16_t)((expected * MATCH_LENGTHS & frame->match_mask) + length);
        seen->length[lane] = (uint8_t)length;
    }
}

/* Matches that hold go on, and the text grows; all lanes look before any of them writes. */
static void follow(Frame *frame, const uint8_t *column)
{
    const int64_t size = frame->lanes * frame->length;
    for (int64_t lane = 0; lane < frame->lanes; lane++) {
        const int64_t pointer = frame->pointer[lane];
        const int hit = pointer >= 0 && frame->text[pointer] == column[lane];
        frame->matched[lane] = hit ? frame->matched[lane] + 1 : 0;
        frame->pointer[lane] = hit && pointer + 1 < size ? pointer + 1 : -1;
    }
    for (int64_t lane = 0; lane < frame->lanes; lane++) frame->text[lane * frame->length + frame->step] = column[lane];
}

/* New matches for lanes that have none, and the places of what has just been; of lanes that collide the last stays. */
static void look_up(Frame *frame)
{
    const int64_t size = frame->lanes * frame->length;
    for (int64_t lane = 0; lane < frame->lanes; lane++) {
        const uint64_t key = newest(frame->recent[lane], MIN_MATCH), slot = key * HASH >> frame->match_shift;
        if (frame->pointer[lane] < 0 && frame->match_keys[slot] == key && frame->match_places[slot] > 0) {
            frame->pointer[lane] = frame->match_places[slot];
            frame->matched[lane] = MIN_MATCH;
        }
    }
    for (int64_t lane = 0; lane < frame->lanes; lane++) {
        const uint64_t key = newest(frame->recent[lane], MIN_MATCH), slot = key * HASH >> frame->match_shift;
        const int64_t next = lane * frame->length + frame->step + 1;
        frame->match_keys[slot] = key;
        frame->match_places[slot] = next < size ? next : size - 1;
    }
}

/* After a step: the packed past and the matches move on by the symbols [lanes]. */
static void remember(Frame *frame, const uint8_t *column)
{
    for (int64_t lane = 0; lane < frame->lanes; lane++) frame->recent[lane] = frame->recent[lane] << 8 | column[lane];
    follow(frame, column);
    if (frame->step + 1 >= MIN_MATCH) look_up(frame);
    frame->step++;
}

/* What known steps see, uint8 [steps, lanes]; the frame moves on. */
static void contexts(Frame *frame, const uint8_t *grid, int64_t steps, Seen *seen)
{
    for (int64_t t = 0; t < steps; t++) {
        const int64_t at = t * frame->lanes;
        Seen here = {seen->past + at, seen->row + at, seen->length + at, 0};
        predict(frame, &here);
        remember(frame, grid + at);
    }
}

/* The word so far and the one before it, after a step. */
static void advance_words(const Model *model, Frame *frame, const uint8_t *column)
{
    for (int64_t lane = 0; lane < frame->lanes; lane++) {
        const uint64_t letter = model->letter[column[lane]], word = frame->word[lane];
        if (!letter && word) frame->before[lane] = word;
        frame->word[lane] = letter ? (word + letter) * WORD : 0;
    }
}
