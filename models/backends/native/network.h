/* The network of `networks/recurrent.py`: rows of tables and a state -> frequencies, tile by tile. */

ROW_LOOP copy_codes(const int8_t *restrict from, int64_t size, uint8_t *restrict codes)
{
    for (int64_t i = 0; i < size; i++) codes[i] = to_byte(from[i]);
}

/* Bytes of the codes that the tables have for what a symbol sees. */
static void embed(const Model *model, uint64_t past, int64_t row, uint8_t *codes)
{
    const int64_t size = model->embed;
    for (int64_t i = 0; i < model->ngrams; i++, codes += size)
        copy_codes(model->ngram[i].table + ngram_row(&model->ngram[i], past) * size, size, codes);
    copy_codes(model->match + row * size, size, codes);
}

/* work->one becomes the logits of a tile: steps from..to of lanes first..last. */
static void logits(const Model *model, const Frame *frame, Work *work, const Seen *seen, int64_t from, int64_t to,
                   int64_t first, int64_t last)
{
    const int64_t lanes = last - first, rows = (to - from) * lanes, wide = padded(model->state);
    for (int64_t r = 0; r < rows; r++) {
        const int64_t at = (from + r / lanes) * frame->lanes + first + r % lanes;
        embed(model, seen->past[at], seen->row[at], work->codes + r * model->stride);
    }
    product(&model->inputs, work->codes, model->stride, rows, work->one);
    memset(work->x, 0, (size_t)(rows * model->inputs.outputs) * sizeof *work->x);
    add_residual(&model->inputs, work->one, rows, work->x);
    for (int64_t i = 0; i < model->depth; i++) {
        recurrent(model, &model->recurrent[i], work, to - from, lanes,
                  frame->states + (i * frame->lanes + first) * wide);
        if (model->hidden) gated(model, &model->mlp[i], work, rows);
    }
    norm(work->x, rows, model->width, work->codes, model->stride);
    linear(model, &model->head, work, rows, LOGIT_MAX, work->one);
}

/* Frequencies [alphabet] -> those of all smaller symbols [2**decisions + 1]. */
static void summed(const Model *model, const int32_t *frequency, int32_t *below)
{
    int32_t sum = 0;
    for (int64_t i = 0; i < model->alphabet; i++) {
        below[i] = sum;
        sum += frequency[i];
    }
    for (int64_t i = model->alphabet; i <= (int64_t)1 << model->decisions; i++) below[i] = sum;
}

/* What the network says of a decision between `size` symbols from `low` on: the probability of 1, 16 bits.
 * There is nothing beyond the alphabet; elsewhere a part is less than the whole, for every symbol has a frequency. */
static inline int32_t said_of(const int32_t *below, int64_t low, int64_t size)
{
    const int64_t ones = below[low + size] - below[low + size / 2], whole = below[low + size] - below[low];
    return (int32_t)((uint64_t)(ones << 16) / (uint64_t)(whole ? whole : 1));
}

/* What it says of all decisions of a known symbol, `apart` from each other. */
static void said_of_symbol(const Model *model, const int32_t *below, int64_t symbol, uint16_t *said, int64_t apart)
{
    for (int64_t i = 0; i < model->decisions; i++, said += apart) {
        const int64_t size = (int64_t)1 << (model->decisions - i);
        *said = (uint16_t)said_of(below, symbol / size * size, size);
    }
}

/* The network on lanes first..last of so many steps. Of known symbols, grid [steps, lanes], what it says of their
 * decisions goes to seen->said; of a single step that is to be decoded, what is below each symbol to frame->below. */
static void network(const Model *model, const Frame *frame, Work *work, int64_t steps, int64_t first, int64_t last,
                    const Seen *seen, const uint8_t *grid)
{
    const int64_t size = ((int64_t)1 << model->decisions) + 1, lanes = frame->lanes;
    const int64_t across = steps < ROWS ? ROWS / steps : 1;
    for (int64_t left = first; left < last; left += across) {
        const int64_t right = left + across < last ? left + across : last, high = ROWS / (right - left);
        for (int64_t from = 0; from < steps; from += high) {
            const int64_t to = from + high < steps ? from + high : steps, rows = (to - from) * (right - left);
            logits(model, frame, work, seen, from, to, left, right);
            for (int64_t r = 0; r < rows; r++) {
                const int64_t t = from + r / (right - left), lane = left + r % (right - left);
                frequencies(model, work->one + r * model->head.outputs, work->row);
                if (!grid) {
                    summed(model, work->row, frame->below + lane * size);
                    continue;
                }
                summed(model, work->row, work->two);
                said_of_symbol(model, work->two, grid[t * lanes + lane],
                               seen->said + t * model->decisions * lanes + lane, lanes);
            }
        }
    }
}
