/* The rich mixture of `mixing/rich/`, decision by decision.
 *
 * All lanes read before any of them learns: `rich_say` for each lane, then the bits, then `rich_learn` for each. */

enum {
    NEWLINE = 10,
    ORDERS = 6,
    LINE = 16,
    HISTORIES = 256,
    SETS = 256,
    LEVEL = 32,
    STATES = 16,
    OLDEST = 255,
    MOST_TRUSTED = 1023
};

static const int64_t match_least[MATCHES] = {5, 8};

/* The symbol so many steps back in a lane, or 0. */
static inline uint64_t back(const Frame *frame, int64_t lane, int64_t distance)
{
    const int64_t step = frame->mixed;
    return step < distance ? 0 : frame->text[lane * frame->length + step - distance];
}

/* What stands above the next symbol and right of it, in the line before. */
static inline uint64_t above(const Frame *frame, int64_t lane, int64_t right)
{
    const Rich *rich = frame->rich;
    const int64_t place = rich->before[lane] + frame->mixed - rich->line[lane] + right;
    return place < rich->line[lane] ? frame->text[lane * frame->length + place] : 0;
}

static void text_contexts(const Model *model, const Frame *frame, int64_t lane, uint64_t *keys, uint64_t *up)
{
    static const int64_t order[ORDERS] = {1, 2, 3, 4, 6, 8};
    const Rich *rich = frame->rich;
    const uint64_t past = rich->recent[lane], last = past & 255, word = frame->word[lane];
    const int64_t column = frame->mixed - rich->line[lane];
    for (int64_t c = 0; c < ORDERS; c++) keys[c] = newest(past, order[c]);
    keys[6] = word;
    keys[7] = word + frame->before[lane] * SALT;
    keys[8] = past >> 8 & 0xFFFF;
    keys[9] = past >> 16 & 0xFFFF;
    *up = above(frame, lane, 0);
    keys[10] = *up | last << 8;
    keys[11] = *up | above(frame, lane, 1) << 8 | last << 16 | (uint64_t)(column < 255 ? column : 255) << 24;
    if (model->alphabet < 256) {
        keys[10] = newest(past, 5);
        keys[11] = newest(past, 7);
    }
}

static void record_contexts(const Frame *frame, int64_t lane, uint64_t *keys, uint64_t *up)
{
    const Rich *rich = frame->rich;
    const int64_t size = rich->record, longer = frame->count - frame->lanes * (frame->length - 1);
    const int64_t first = lane * (frame->length - 1) + (lane < longer ? lane : longer);
    const uint64_t past = rich->recent[lane], last = past & 255, phase = (uint64_t)((first + frame->mixed) % size);
    const uint64_t one = back(frame, lane, size), two = back(frame, lane, 2 * size), three = back(frame, lane, 3 * size);
    const uint64_t right = back(frame, lane, size - 1), left = back(frame, lane, size + 1);
    for (int64_t c = 0; c < 4; c++) keys[c] = newest(past, c + 1);
    keys[4] = one | two << 8;
    keys[5] = past;
    keys[6] = one | last << 8 | phase << 16;
    keys[7] = one | right << 8 | left << 16 | last << 24;
    keys[8] = past >> 8 & 0xFFFF;
    keys[9] = past >> 16 & 0xFFFF;
    keys[10] = phase | last << 32;
    keys[11] = one | two << 8 | three << 16 | last << 24 | (past >> 8 & 255) << 32 | right << 40;
    *up = one;
}

/* Before the first decision of a step: hashes of the contexts of a lane, and what its matches expect. */
static void rich_begin(const Model *model, const Frame *frame, int64_t at)
{
    const Rich *rich = frame->rich;
    RichLane *lane = rich->lane + at;
    uint64_t up;
    if (rich->record)
        record_contexts(frame, at, lane->key, &up);
    else
        text_contexts(model, frame, at, lane->key, &up);
    for (uint64_t c = 0; c < RICH; c++) lane->key[c] = (lane->key[c] + (c + 1) * SALT) * HASH;
    lane->up = up;
    for (int64_t i = 0; i < MATCHES; i++) {
        static const int64_t lengths[STATES - 1] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 16, 32, 64, 1024};
        const int64_t place = i * frame->lanes + at, pointer = rich->pointer[place];
        const int64_t misses = rich->misses[place], recent = (misses & 1) + (misses >> 1 & 1) + (misses >> 2 & 1) + (misses >> 3 & 1);
        int32_t state = 0;
        while (state < STATES - 1 && rich->held[place] >= lengths[state]) state++;
        lane->expected[i] = pointer < 0 ? 0 : frame->text[pointer] + (1 << model->decisions);
        lane->state[i] = state + 1;
        lane->row[i] = (int32_t)(i * 4 * STATES + state + STATES * (recent < 3 ? recent : 3));
    }
}

/* The lines of the contexts of the lanes, for four decisions; those that were others' are emptied. */
static void find_lines(const Frame *frame, int64_t lanes)
{
    const Rich *rich = frame->rich;
    const int64_t bits = rich->line_bits;
    for (int64_t a = 0; a < lanes; a++) {
        RichLane *lane = rich->lane + a;
        for (int64_t c = 0; c < RICH; c++) {
            const uint64_t hash = (lane->key[c] + frame->node[a] * NODE_HASH) * HASH;
            lane->line[c] = (uint32_t)((hash >> (64 - bits)) + ((uint64_t)c << bits));
            lane->tag[c] = (uint32_t)hash | 1;
            __builtin_prefetch(rich->lines + (uint64_t)lane->line[c] * LINE, 1);
            __builtin_prefetch(rich->lines + (uint64_t)(lane->line[c] ^ 1) * LINE, 1);
        }
    }
    for (int64_t a = 0; a < lanes; a++) {
        RichLane *lane = rich->lane + a;
        for (int64_t c = 0; c < RICH; c++) {
            const uint32_t *one = rich->lines + (uint64_t)lane->line[c] * LINE;
            const uint32_t *other = rich->lines + (uint64_t)(lane->line[c] ^ 1) * LINE;
            const int first = *one == lane->tag[c], second = *other == lane->tag[c];
            if (!first && (second || (other[1] >> 8 & 63) < (one[1] >> 8 & 63))) lane->line[c] ^= 1;
            if (first || second) lane->tag[c] = 0;
        }
    }
    for (int64_t a = 0; a < lanes; a++) {
        const RichLane *lane = rich->lane + a;
        for (int64_t c = 0; c < RICH; c++) {
            uint32_t *line = rich->lines + (uint64_t)lane->line[c] * LINE;
            if (!lane->tag[c]) continue;
            line[0] = lane->tag[c];
            for (int i = 1; i < LINE; i++) line[i] = UINT32_C(1) << 31 | 1;
        }
    }
}

static inline int32_t stretched(const Model *model, int32_t counter) { return model->stretch[(counter >> 16) + 32768]; }

static inline int32_t within(int64_t sum)
{
    sum >>= 16;
    return (int32_t)(sum < -STRETCH_MAX ? -STRETCH_MAX : sum > STRETCH_MAX ? STRETCH_MAX : sum);
}

/* The inputs of the contexts; returns the longest of the first ones that was seen. */
static inline uint32_t context_inputs(const Model *model, const Rich *rich, RichLane *lane, uint32_t place)
{
    uint32_t longest = 0;
    for (uint32_t c = 0; c < RICH; c++) {
        const uint32_t slot = rich->lines[(uint64_t)lane->line[c] * LINE + place], history = slot & 255;
        const int32_t map = rich->maps[c * HISTORIES + history];
        lane->slot[c] = slot;
        lane->map[c] = map;
        lane->t[1 + c] = model->stretch[slot >> 16];
        lane->t[1 + RICH + c] = history > 1 ? stretched(model, map) : 0;
        if (c < ORDERS && history > 1) longest = c + 1;
    }
    return longest;
}

/* The inputs of the matches; returns twice the state of the longest that fits and its bit, or 0. */
static inline uint32_t match_inputs(const Model *model, const Rich *rich, RichLane *lane, uint32_t node, int64_t left)
{
    uint32_t state = 0;
    for (int i = 0; i < MATCHES; i++) {
        int32_t *t = lane->t + 1 + 2 * RICH + 2 * i;
        const int32_t bit = lane->expected[i] >> (left - 1) & 1, sign = bit ? 1 : -1;
        lane->bit[i] = -1;
        t[0] = t[1] = 0;
        if ((uint32_t)lane->expected[i] >> left != node) continue;
        lane->bit[i] = bit;
        lane->trust[i] = rich->trust[lane->row[i]];
        t[0] = sign * stretched(model, lane->trust[i]);
        t[1] = sign * (lane->trust[i] >> 16 >> 5);
        state = 2 * (uint32_t)lane->state[i] + (uint32_t)bit;
    }
    return state;
}

static inline int64_t weighed(const int32_t *weights, const int32_t *t)
{
    int64_t sum = 0;
    for (int i = 0; i < INPUTS; i++) sum += (int64_t)weights[i] * t[i];
    return sum;
}

/* p' of the last stage. */
static inline int32_t staged(const Frame *frame, RichLane *lane, int64_t at, uint32_t state, int32_t mixed)
{
    const Rich *rich = frame->rich;
    const uint64_t past = rich->recent[at], last = past & 255;
    const uint64_t known[STAGES] = {last, past & 0xFFFF, state, lane->up | last << 8};
    const int32_t place = (mixed < -REACH ? -REACH : mixed > REACH - 1 ? REACH - 1 : mixed) + REACH;
    const int32_t part = place & 255, nearer = part >> 7;
    int64_t found = (int64_t)STAGES << 15;
    for (uint64_t i = 0; i < STAGES; i++) {
        const uint64_t hash = ((known[i] + (i + 1) * SALT) * HASH + frame->node[at] * SALT) * HASH;
        const uint64_t row = (hash >> (64 - rich->stage_bits)) + (i << rich->stage_bits);
        const uint32_t cell = (uint32_t)row * KNOTS + (uint32_t)(place >> 8);
        const int64_t below = rich->stages[cell] >> 10, next = rich->stages[cell + 1] >> 10;
        lane->cell[i] = cell + (uint32_t)nearer;
        lane->staged[i] = rich->stages[cell + (uint32_t)nearer];
        found += ((next - below) * part + below * 256) >> 14;
    }
    found = (4 * (int64_t)lane->last + 3 * found) >> 4;
    return (int32_t)(found > 1 ? found : 1);
}

/* The probability of a 1 of a lane whose lines are found. */
static inline int32_t rich_say(const Model *model, const Frame *frame, int64_t at, int32_t said, int64_t level)
{
    const Rich *rich = frame->rich;
    RichLane *lane = rich->lane + at;
    const uint32_t node = frame->node[at], inner = UINT32_C(1) << (level & 3);
    lane->place = inner + (node & (inner - 1));
    const uint32_t longest = context_inputs(model, rich, lane, lane->place);
    const uint32_t state = match_inputs(model, rich, lane, node, model->decisions - level);
    lane->node = rich->nodes[node];
    lane->t[0] = model->stretch[said];
    lane->t[INPUTS - 3] = stretched(model, lane->node);
    lane->t[INPUTS - 2] = 256;
    lane->t[INPUTS - 1] = 0;
    const uint32_t sets[SELECTORS] = {(uint32_t)level * LEVEL + (state >> 1), node, (uint32_t)(rich->recent[at] & 255),
                                      (uint32_t)level * LEVEL + longest};
    const int32_t *last = rich->last + level * SELECTORS;
    int64_t mixed = 0;
    for (uint32_t k = 0; k < SELECTORS; k++) {
        lane->set[k] = (k * SETS + sets[k]) * INPUTS;
        lane->z[k] = within(weighed(rich->weights + lane->set[k], lane->t));
        lane->p[k] = model->squash[lane->z[k] + STRETCH_MAX];
        mixed += (int64_t)last[k] * lane->z[k];
    }
    const int32_t bounded = within(mixed);
    lane->last = model->squash[bounded + STRETCH_MAX];
    return staged(frame, lane, at, state, bounded);
}

/* A counter that has met a bit, with another oldest age than `moved` has. */
static inline int32_t moved_to(const Model *model, int32_t counter, int32_t bit, int32_t oldest)
{
    const int32_t age = counter & COUNTS;
    const int64_t error = (bit ? HALF : -HALF) - (counter >> 10);
    const int64_t move = (error * model->adapt[age]) >> 16;
    return (int32_t)(counter + move * 1024 + (age < oldest));
}

static inline uint32_t moved_slot(const Model *model, uint32_t slot, uint32_t bit)
{
    const int64_t chance = slot >> 14, age = slot >> 8 & 63, goal = bit ? (1 << 18) - 1 : 0;
    const uint32_t next = (uint32_t)(chance + ((goal - chance) * model->adapt[age] >> 16)), history = (slot & 255) * 2 + bit;
    const int64_t older = age + 1 < model->oldest ? age + 1 : model->oldest;
    return next << 14 | (uint32_t)older << 8 | (history > 255 ? (history & 127) | 128 : history);
}

/* Weights wrap around where they overflow, which they do not do in practice. */
static inline void descend(int32_t *weights, const int32_t *t, int64_t size, int64_t error)
{
    for (int64_t i = 0; i < size; i++)
        weights[i] = (int32_t)((uint32_t)weights[i] + (uint32_t)((t[i] * error + (1 << 23)) >> 24));
}

/* What a lane learns from the bit. Weights add up; of lanes that share a counter the last one stays. */
static inline void rich_learn(const Model *model, const Frame *frame, int64_t at, int32_t bit, int64_t level)
{
    const Rich *rich = frame->rich;
    const RichLane *lane = rich->lane + at;
    const int64_t goal = (int64_t)bit << 16;
    for (int k = 0; k < SELECTORS; k++)
        descend(rich->weights + lane->set[k], lane->t, INPUTS, (goal - lane->p[k]) * rich->rate_now);
    descend(rich->last + level * SELECTORS, lane->z, SELECTORS, (goal - lane->last) * rich->rate_last);
    for (uint32_t c = 0; c < RICH; c++) {
        rich->lines[(uint64_t)lane->line[c] * LINE + lane->place] = moved_slot(model, lane->slot[c], (uint32_t)bit);
        rich->maps[c * HISTORIES + (lane->slot[c] & 255)] = moved_to(model, lane->map[c], bit, OLDEST);
    }
    for (int i = 0; i < STAGES; i++) rich->stages[lane->cell[i]] = moved_to(model, lane->staged[i], bit, OLDEST);
    for (int i = 0; i < MATCHES; i++)
        if (lane->bit[i] >= 0)
            rich->trust[lane->row[i]] = moved_to(model, lane->trust[i], lane->bit[i] == bit, MOST_TRUSTED);
    rich->nodes[frame->node[at]] = moved_to(model, lane->node, bit, OLDEST);
}

/* The rates of both layers at this step. */
static void rich_rates(Frame *frame)
{
    Rich *rich = frame->rich;
    const int64_t few = frame->lanes > 14 ? frame->lanes : 14, done = frame->mixed * frame->lanes;
    rich->rate_now = (rich->rate + rich->rate * 256 / (256 + done)) / few;
    rich->rate_last = rich->rate / 7 / few;
}

/* A match goes on, or fails once more, or is given up. */
static void follow_match(const Frame *frame, int64_t which, int64_t lane, uint8_t symbol)
{
    const Rich *rich = frame->rich;
    const int64_t at = which * frame->lanes + lane;
    if (rich->pointer[at] < 0) return;
    const int hit = frame->text[rich->pointer[at]] == symbol;
    rich->held[at] = hit ? rich->held[at] + 1 : 0;
    rich->misses[at] = (rich->misses[at] * 2 + !hit) & 255;
    rich->pointer[at]++;
    if (rich->pointer[at] >= frame->lanes * frame->length || rich->misses[at] == 255) {
        rich->pointer[at] = -1;
        rich->held[at] = rich->misses[at] = 0;
    }
}

/* A new match for a lane that wants one; the place of what has just been seen is noted afterwards, by all lanes. */
static void look_for_match(const Frame *frame, int64_t which, int64_t lane, int32_t *known)
{
    const Rich *rich = frame->rich;
    const int64_t at = which * frame->lanes + lane, least = match_least[which];
    const uint64_t past = rich->recent[lane];
    const int64_t place = known[newest(past, least) * HASH >> frame->match_shift];
    if (rich->pointer[at] >= 0 && (rich->held[at] >= least || !rich->misses[at])) return;
    if (place <= 0) return;
    for (int64_t age = 0; age < least; age++)
        if (frame->text[place - 1 - age] != (past >> 8 * age & 255)) return;
    rich->pointer[at] = place;
    rich->held[at] = least;
    rich->misses[at] = 0;
}

/* After a step: what was seen of it, uint8 [lanes], and the matches move on. */
static void rich_advance(const Model *model, Frame *frame, const uint8_t *column)
{
    const Rich *rich = frame->rich;
    const int64_t next = frame->mixed + 1, size = frame->lanes * frame->length, places = INT64_C(1) << (64 - frame->match_shift);
    for (int64_t a = 0; a < frame->lanes; a++) {
        rich->recent[a] = rich->recent[a] << 8 | column[a];
        if (model->alphabet < 256 || column[a] != NEWLINE) continue;
        rich->before[a] = rich->line[a];
        rich->line[a] = next;
    }
    for (int64_t i = 0; i < MATCHES; i++) {
        int32_t *known = rich->known + i * places;
        for (int64_t a = 0; a < frame->lanes; a++) follow_match(frame, i, a, column[a]);
        if (next < match_least[i]) continue;
        for (int64_t a = 0; a < frame->lanes; a++) look_for_match(frame, i, a, known);
        for (int64_t a = 0; a < frame->lanes; a++) {
            const int64_t place = a * frame->length + next;
            known[newest(rich->recent[a], match_least[i]) * HASH >> frame->match_shift] = (int32_t)(place < size ? place : 0);
        }
    }
}

/* As `mixture`. */
static void rich_mixture(const Model *model, Frame *frame, const uint8_t *grid, int64_t steps, const Seen *seen,
                         uint8_t *bits, uint16_t *chances)
{
    for (int64_t t = 0; t < steps; t++, grid += frame->lanes) {
        const int64_t lanes = active(frame, frame->mixed);
        const uint16_t *said = seen->said + t * model->decisions * frame->lanes;
        rich_rates(frame);
        for (int64_t a = 0; a < lanes; a++) rich_begin(model, frame, a);
        for (int64_t i = 0; i < model->decisions; i++, said += frame->lanes, bits += lanes, chances += lanes) {
            const int64_t rest = model->decisions - i;
            for (int64_t a = 0; a < lanes; a++) frame->node[a] = (UINT32_C(1) << i) + ((uint32_t)grid[a] >> rest);
            if (i % 4 == 0) find_lines(frame, lanes);
            for (int64_t a = 0; a < lanes; a++) chances[a] = (uint16_t)rich_say(model, frame, a, said[a], i);
            for (int64_t a = 0; a < lanes; a++) bits[a] = grid[a] >> (rest - 1) & 1;
            for (int64_t a = 0; a < lanes; a++) rich_learn(model, frame, a, bits[a], i);
        }
        rich_advance(model, frame, grid);
        advance_words(model, frame, grid);
        frame->mixed++;
    }
}
