/* The adaptive mixture of `mixing/mixing.py`, with its SSE stage (`mixing/sse.py`), decision by decision.
 *
 * All lanes read before any of them learns: `say` for each lane, then the bits, then `learn` for each. */

enum {
    STRETCH_MAX = (12 << 8) - 1,
    COUNTS = (1 << 10) - 1,
    HALF = 1 << 21, /* of a counter's 22 bits */
    REACH = 8 << 8,
    KNOTS = 17
};

static void rich_mixture(const Model *model, Frame *frame, const uint8_t *grid, int64_t steps, const Seen *seen,
                         uint8_t *bits, uint16_t *chances);

/* Hashes of a lane's contexts, and of the SSE stage's, multiplied out but for the node. */
static void hash_contexts(const Model *model, const Frame *frame, uint64_t past, int64_t lane)
{
    uint64_t *keys = frame->keys + lane * (CONTEXTS + 2);
    for (int64_t c = 0; c < model->orders; c++) {
        const uint64_t order = (uint64_t)model->order[c];
        keys[c] = (newest(past, model->order[c]) + order * SALT) * HASH * HASH;
    }
    keys[model->orders] = frame->word[lane] * HASH * HASH;
    if (model->phrases) keys[model->orders + 1] = (frame->word[lane] + frame->before[lane] * SALT) * HASH * HASH;
    for (int order = 1; order <= 2; order++)
        keys[CONTEXTS + order - 1] = (newest(past, order) + (uint64_t)order * SALT) * HASH * HASH;
}

/* Where the counters of all contexts are at this node, and the cache told so. */
static inline void find(const Model *model, const Frame *frame, int64_t lane, uint64_t node)
{
    const uint64_t *keys = frame->keys + lane * (CONTEXTS + 2), here = node * (NODE_HASH * HASH);
    uint32_t *slots = frame->lane[lane].slot;
    for (int64_t c = 0; c < model->contexts; c++) {
        slots[c] = (uint32_t)((keys[c] + here) >> (64 - frame->bits)) + (uint32_t)(c << frame->bits);
        __builtin_prefetch(frame->counters + slots[c], 1);
    }
    if (!model->refined) return;
    for (int64_t i = 0; i < 2; i++) {
        const uint64_t row = (keys[CONTEXTS + i] + here) >> (64 - frame->map_bits);
        frame->lane[lane].map[i] = (uint32_t)(row + ((uint64_t)i << frame->map_bits)) * KNOTS;
        __builtin_prefetch(frame->maps + frame->lane[lane].map[i] + KNOTS / 2, 1);
    }
}

/* p' of the SSE stage for p and t; which counters are to learn stays with the lane. */
static inline int32_t sse(const Frame *frame, Lane *lane, int64_t t, int32_t p)
{
    const int32_t place = (int32_t)(t < -REACH ? -REACH : t > REACH - 1 ? REACH - 1 : t) + REACH;
    const int32_t part = place & 255, nearer = part >> 7;
    int64_t found = 2 << 15;
    for (int i = 0; i < 2; i++) {
        const uint32_t slot = lane->map[i] + (uint32_t)(place >> 8);
        const int32_t below = frame->maps[slot], above = frame->maps[slot + 1];
        lane->map[i] = slot + (uint32_t)nearer;
        lane->mapped[i] = nearer ? above : below;
        found += (((above >> 10) - (below >> 10)) * part + (below >> 10) * 256) >> 14;
    }
    found = (found * 3 + 2 * p) >> 3;
    return (int32_t)(found > 1 ? found : 1);
}

/* The sets of weights of a lane: by the length of the match, or by the counts of the counters. */
static inline void choose_sets(const Model *model, Lane *lane, uint32_t length)
{
    uint32_t longest = 0;
    for (uint32_t c = 0; c < model->contexts; c++) {
        const uint32_t count = (uint32_t)lane->counter[c] & COUNTS;
        lane->set[c + 1] = (c + 1) * MATCH_LENGTHS + (model->by_age ? model->level[count] : length);
        if (count && c < model->orders) longest = c + 1;
    }
    lane->set[0] = model->by_age ? longest : length;
}

/* The probability of a 1 of a lane whose slots are found: the mixture's, adjusted where there is an SSE stage. */
static inline int32_t say(const Model *model, const Frame *frame, int64_t at, int32_t said, uint32_t length,
                          const int64_t *weights)
{
    Lane *lane = frame->lane + at;
    for (int64_t c = 0; c < model->contexts; c++) lane->counter[c] = frame->counters[lane->slot[c]];
    choose_sets(model, lane, length);
    lane->t[0] = model->stretch[said];
    for (int64_t c = 0; c < model->contexts; c++) lane->t[c + 1] = model->stretch[(lane->counter[c] >> 16) + 32768];
    int64_t mixed = (int64_t)STRETCH_MAX << 16;
    for (int64_t i = 0; i <= model->contexts; i++) mixed += weights[lane->set[i]] * lane->t[i];
    mixed >>= 16;
    lane->p = model->squash[mixed < 0 ? 0 : mixed > 2 * STRETCH_MAX ? 2 * STRETCH_MAX : mixed];
    return model->refined ? sse(frame, lane, mixed - STRETCH_MAX, lane->p) : lane->p;
}

/* A counter that has met a bit. */
static inline int32_t moved(const Model *model, int32_t counter, int32_t bit)
{
    const int32_t count = counter & COUNTS;
    const int64_t error = (bit ? HALF : -HALF) - (counter >> 10);
    const int64_t move = (error * model->adapt[count]) >> 16; /* up to 2**22 - 1 either way */
    return (int32_t)(counter + move * 1024 + (count < model->oldest));
}

/* What a lane learns from the bit. Weights add up; of lanes that share a counter the last one stays. */
static inline void learn(const Model *model, const Frame *frame, int64_t at, int32_t bit, int64_t *weights)
{
    Lane *lane = frame->lane + at;
    const int64_t error = (((int64_t)bit << 16) - lane->p) * frame->rate;
    for (int64_t i = 0; i <= model->contexts; i++) weights[lane->set[i]] += (lane->t[i] * error + (1 << 23)) >> 24;
    for (int64_t c = 0; c < model->contexts; c++) frame->counters[lane->slot[c]] = moved(model, lane->counter[c], bit);
    if (!model->refined) return;
    for (int i = 0; i < 2; i++) frame->maps[lane->map[i]] = moved(model, lane->mapped[i], bit);
}

/* Lanes that have a symbol at a step: the first ones, in the last step. */
static inline int64_t active(const Frame *frame, int64_t step)
{
    return step < frame->length - 1 ? frame->lanes : frame->count - frame->lanes * (frame->length - 1);
}

/* Known steps, uint8 [steps, lanes]: their bits and chances, in the order of coding, and all that is learnt. */
static void mixture(const Model *model, Frame *frame, const uint8_t *grid, int64_t steps, const Seen *seen,
                    uint8_t *bits, uint16_t *chances)
{
    const int64_t each = (model->contexts + 1) * MATCH_LENGTHS;
    if (model->rich) {
        rich_mixture(model, frame, grid, steps, seen, bits, chances);
        return;
    }
    for (int64_t t = 0; t < steps; t++, grid += frame->lanes) {
        const int64_t lanes = active(frame, frame->mixed);
        const uint16_t *said = seen->said + t * model->decisions * frame->lanes;
        for (int64_t a = 0; a < lanes; a++) hash_contexts(model, frame, seen->past[t * frame->lanes + a], a);
        for (int64_t i = 0; i < model->decisions; i++, said += frame->lanes) {
            const int64_t rest = model->decisions - i;
            int64_t *weights = frame->weights + i * each;
            for (int64_t a = 0; a < lanes; a++) find(model, frame, a, (UINT64_C(1) << i) + ((uint64_t)grid[a] >> rest));
            for (int64_t a = 0; a < lanes; a++)
                chances[a] = (uint16_t)say(model, frame, a, said[a], seen->length[t * frame->lanes + a], weights);
            for (int64_t a = 0; a < lanes; a++) bits[a] = grid[a] >> (rest - 1) & 1;
            for (int64_t a = 0; a < lanes; a++) learn(model, frame, a, bits[a], weights);
            bits += lanes;
            chances += lanes;
        }
        advance_words(model, frame, grid);
        frame->mixed++;
    }
}
