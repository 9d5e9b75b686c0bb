/* The attention of `layers/attention.py`: integers of 16 bits, keys and values in pairs of what is summed together. */

enum {
    FINER = 7,  /* a product of codes is 2**-FINER of a step of a score */
    SHARE = 36, /* bits of the reciprocal of a sum of weights */
    ROUND = 35  /* those that what is attended has too many of */
};

#if defined(DOT_PAIRS)

/* As `dots`, of what lies in pairs. */
ALWAYS void pair_dots(const uint32_t *weight, int64_t pairs, const int16_t *rows, int64_t stride, int32_t *out,
                      int64_t outputs, const int high, const int wide)
{
    Sums sums[TALL][WIDE_OF_ONE * PARTS];
    const int across = wide * PARTS;
#pragma GCC unroll 16
    for (int r = 0; r < high; r++)
#pragma GCC unroll 16
        for (int c = 0; c < across; c++) sums[r][c] = SPREAD(0);
    for (int64_t k = 0; k < pairs; k++) {
        Sums columns[WIDE_OF_ONE * PARTS];
#pragma GCC unroll 16
        for (int c = 0; c < across; c++)
            columns[c] = LOAD(weight + ((c / PARTS * pairs + k) * PARTS + c % PARTS) * EACH);
#pragma GCC unroll 16
        for (int r = 0; r < high; r++) {
            int32_t two;
            memcpy(&two, rows + r * stride + k * 2, sizeof two);
            const Sums spread = SPREAD(two);
#pragma GCC unroll 16
            for (int c = 0; c < across; c++) sums[r][c] = DOT_PAIRS(sums[r][c], spread, columns[c]);
        }
    }
#pragma GCC unroll 16
    for (int r = 0; r < high; r++)
#pragma GCC unroll 16
        for (int c = 0; c < across; c++) STORE(out + r * outputs + c * EACH, sums[r][c]);
}

ALWAYS void pair_strip(const uint32_t *weight, int64_t inputs, int64_t outputs, const int16_t *rows, int64_t stride,
                       int32_t *out, const int high, const int wide)
{
    int64_t o = 0;
    for (; o + wide * BLOCK <= outputs; o += wide * BLOCK)
        pair_dots(weight + o * inputs / 2, inputs / 2, rows, stride, out + o, outputs, high, wide);
    for (; o < outputs; o += BLOCK)
        pair_dots(weight + o * inputs / 2, inputs / 2, rows, stride, out + o, outputs, high, 1);
}

/* Sums of rows [rows, inputs] times a weight [outputs / BLOCK, inputs / 2, BLOCK], in pairs: none leaves int32. */
static void pair_product(const uint32_t *weight, int64_t inputs, int64_t outputs, const int16_t *rows, int64_t stride,
                         int64_t count, int32_t *out)
{
    int64_t r = 0;
    for (; r + TALL <= count; r += TALL)
        pair_strip(weight, inputs, outputs, rows + r * stride, stride, out + r * outputs, TALL, WIDE_OF_TALL);
    for (; r + 4 <= count; r += 4)
        pair_strip(weight, inputs, outputs, rows + r * stride, stride, out + r * outputs, 4, WIDE_OF_FEW);
    for (; r < count; r++)
        pair_strip(weight, inputs, outputs, rows + r * stride, stride, out + r * outputs, 1, WIDE_OF_ONE);
}

#else

static void pair_product(const uint32_t *weight, int64_t inputs, int64_t outputs, const int16_t *rows, int64_t stride,
                         int64_t count, int32_t *out)
{
    for (int64_t r = 0; r < count; r++, rows += stride, out += outputs) {
        memset(out, 0, (size_t)outputs * sizeof *out);
        for (int64_t o = 0; o < outputs; o += BLOCK)
            for (int64_t k = 0; k < inputs; k += 2) {
                const uint32_t *pairs = weight + (o * inputs + k * BLOCK) / 2;
                for (int64_t i = 0; i < BLOCK; i++)
                    out[o + i] += rows[k] * (int16_t)(pairs[i] & 0xffff) + rows[k + 1] * (int16_t)(pairs[i] >> 16);
            }
    }
}

#endif

ROW_LOOP narrow_row(const int32_t *restrict from, int64_t count, int16_t *restrict to)
{
    for (int64_t i = 0; i < count; i++) to[i] = (int16_t)from[i];
}

ROW_LOOP widen_row(const int16_t *restrict from, int64_t count, int32_t *restrict to)
{
    for (int64_t i = 0; i < count; i++) to[i] = from[i];
}

/* Two integers of 16 bits in one of 32, the first below. */
static inline uint32_t pair_of(int32_t first, int32_t second)
{
    return ((uint32_t)first & 0xffff) | (uint32_t)second << 16;
}

ROW_LOOP keep_key(const int32_t *restrict codes, uint32_t *restrict to)
{
    for (int64_t d = 0; d < HEAD / 2; d++) to[d * BLOCK] = pair_of(codes[2 * d], codes[2 * d + 1]);
}

/* One half of each pair, the other of which is of the place beside it. */
ROW_LOOP keep_value(const int32_t *restrict codes, int64_t apart, uint32_t half, uint32_t *restrict to)
{
    for (int64_t block = 0; block < HEAD / BLOCK; block++, codes += BLOCK, to += apart)
        for (int64_t d = 0; d < BLOCK; d++)
            to[d] = (to[d] & 0xffff0000u >> 16 * half) | ((uint32_t)codes[d] & 0xffff) << 16 * half;
}

/* Products of a query with the keys of all places -> rows of the table of weights. */
ROW_LOOP score_row(const int32_t *restrict position, int32_t last, int64_t count, int32_t *restrict score)
{
    int32_t most = INT32_MIN;
    for (int64_t i = 0; i < count; i++) {
        score[i] = (score[i] + position[i]) >> FINER;
        most = score[i] > most ? score[i] : most;
    }
    for (int64_t i = 0; i < count; i++) {
        const int32_t below = most - score[i];
        score[i] = below < last ? below : last;
    }
}

static int64_t sum_of(const int32_t *x, int64_t count)
{
    int32_t sum = 0; /* below 2**24 */
    for (int64_t i = 0; i < count; i++) sum += x[i];
    return sum;
}

/* Sums of weighed values, at most 127 times the sum of the weights, by their reciprocal: bytes of codes. */
ROW_LOOP attended_row(const int32_t *restrict sums, int64_t weights, uint8_t *restrict codes)
{
    const double share = (double)((INT64_C(1) << SHARE) / weights) * 0x1p-35;
    for (int64_t d = 0; d < HEAD; d++) { /* the product is an integer below 2**43 in steps of 2**-35: all exact */
        const double finer = (double)sums[d] * share + 0.5;
        const int32_t near = (int32_t)finer;
        codes[d] = to_byte(clip(near - ((double)near > finer), CODE_MAX));
    }
}
