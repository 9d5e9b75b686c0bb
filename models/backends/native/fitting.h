/* The sums of `families/idf/enc_fitting.py` and the gradients_at of `gradients_at.py`: what an encoder fits corrections by. */

enum { PARTS_OF_SQUARE = 3, TILE = 128, GRADIENT_MAX = (1 << 11) - 1 };

typedef struct {
    double below, slope, at;
} Edge;

/* The distribution function, its slope, and where, of steps of a mean from it. */
static inline Edge edge_at(const Logistic *tables, int32_t distance, int32_t inverse, int is_end, double end)
{
    int32_t z = distance * inverse >> STEPS;
    z = z < -FAR ? -FAR : z > FAR ? FAR : z;
    const double below = is_end ? end : (double)tables->cdf[z + FAR] * 0x1p-22;
    return (Edge){below, below * (1 - below), (double)z * 0x1p-10};
}

/* `costs.rough_bits` of a frequency. */
static inline double rough_bits(int64_t frequency)
{
    const int exponent = 64 - __builtin_clzll((unsigned long long)frequency);
    return 26 - exponent - (double)frequency / (double)((int64_t)1 << (exponent - 1));
}

static inline int16_t gradient_of(double slope)
{
    const double whole = floor(slope + 0.5);
    return (int16_t)(whole < -GRADIENT_MAX ? -GRADIENT_MAX : whole > GRADIENT_MAX ? GRADIENT_MAX : whole);
}

/* A value under a mixture whose means and ln(scale) move by `change`: what it takes, and its gradients. */
static double gradients_of(const Logistic *tables, const int16_t *y, int32_t guess, int32_t value, const int32_t *change,
                       int16_t *by_means, int16_t *by_scales)
{
    const int64_t components = tables->components;
    double total = 0, p = 0, by_mean = 0, by_scale = 0;
    int32_t most = y[0];
    for (int64_t i = 1; i < components; i++) most = y[i] > most ? y[i] : most;
    for (int64_t i = 0; i < components; i++) {
        const int32_t under = most - y[i], last = (int32_t)tables->exp_last;
        const int32_t mean = clip(y[components + i] + change[0], MEAN_MAX) + 8 * guess;
        const int32_t inverse = inverse_of(tables, clip(y[2 * components + i] + change[1], MEAN_MAX));
        const double weight = (double)tables->exp[under < last ? under : last];
        const Edge low = edge_at(tables, (value << 4) - 8 - mean, inverse, value == 0, 0);
        const Edge high = edge_at(tables, (value << 4) + 8 - mean, inverse, value == 255, 1);
        total += weight;
        p += weight * (high.below - low.below);
        const double for_mean = (double)inverse * (low.slope - high.slope);
        const double for_low = low.at * low.slope, for_high = high.at * high.slope;
        by_mean += weight * for_mean;
        by_scale += weight * (for_low - for_high);
    }
    p += total * 0x1p-20;
    *by_means = gradient_of(by_mean * 0x1p-12 / p * 512);
    *by_scales = gradient_of(by_scale / p * 256);
    return rough_bits((int64_t)(p / total * 0x1p24) + 1);
}

/* What the values take, all mixtures corrected by two rows of weights, and their gradients [2, rows]; sums: room for those
 * of ROWS. */
static double gradients_at(const Logistic *tables, const Recorded *seen, const Linear *weights, int32_t *sums,
                     int16_t *gradients)
{
    double bits = 0; /* a sum of multiples of 2**-24, which is exact */
    for (int64_t at = 0; at < seen->rows; at += ROWS) {
        const int64_t count = seen->rows - at < ROWS ? seen->rows - at : ROWS;
        product(weights, seen->codes + at * seen->stride, seen->stride, count, sums);
        for (int64_t r = 0; r < count; r++) {
            const int32_t *sum = sums + r * weights->outputs;
            const int32_t change[2] = {(sum[0] + (1 << 5)) >> 6, (sum[1] + (1 << 3)) >> 4};
            const int64_t row = at + r;
            bits += gradients_of(tables, seen->y + row * 3 * tables->components, seen->guess[row], seen->values[row], change,
                             gradients + row, gradients + seen->rows + row);
        }
    }
    return bits;
}

/* Two rows of codes, pair by pair: as they are, and times a part of the squares of their gradients. No product leaves 15
 * bits. */
ROW_LOOP pair_row(const uint8_t *restrict one, const uint8_t *restrict two, int16_t a, int16_t b, int64_t columns,
                  int16_t *restrict codes, int16_t *restrict weighed)
{
    for (int64_t i = 0; i < columns; i++) {
        const int16_t first = (int16_t)(one[i] - 128), second = (int16_t)(two[i] - 128);
        codes[2 * i] = first, codes[2 * i + 1] = second;
        weighed[2 * i] = (int16_t)(a * first), weighed[2 * i + 1] = (int16_t)(b * second);
    }
}

/* out [HIGH, wide * BLOCK] = the sums over all pairs of codes, from `i` on, times weighed ones. They stay below
 * 2 * 64 * 127 * 255 * 127. */
#if defined(CORE_AVX512_VNNI)
enum { HIGH = 8, WIDE = 2 };
#else
enum { HIGH = 4, WIDE = 1 };
#endif

ALWAYS void dot_pairs(const int16_t *codes, const int16_t *weighed, int64_t pairs, int64_t columns, int32_t *out,
                      const int wide)
{
#if defined(DOT_PAIRS)
    Sums sums[HIGH][WIDE * PARTS];
    memset(sums, 0, sizeof sums);
    for (int64_t k = 0; k < pairs; k++, codes += 2 * columns, weighed += 2 * columns) {
        Sums across[WIDE * PARTS];
#pragma GCC unroll 16
        for (int c = 0; c < wide * PARTS; c++) across[c] = LOAD(weighed + 2 * c * EACH);
#pragma GCC unroll 16
        for (int r = 0; r < HIGH; r++) {
            int32_t pair;
            memcpy(&pair, codes + 2 * r, sizeof pair);
            const Sums spread = SPREAD(pair);
#pragma GCC unroll 16
            for (int c = 0; c < wide * PARTS; c++) sums[r][c] = DOT_PAIRS(sums[r][c], spread, across[c]);
        }
    }
#pragma GCC unroll 16
    for (int r = 0; r < HIGH; r++)
#pragma GCC unroll 16
        for (int c = 0; c < wide * PARTS; c++) STORE(out + r * wide * BLOCK + c * EACH, sums[r][c]);
#else
    memset(out, 0, (size_t)(HIGH * wide * BLOCK) * sizeof *out);
    for (int64_t k = 0; k < pairs; k++, codes += 2 * columns, weighed += 2 * columns)
        for (int r = 0; r < HIGH; r++)
            for (int j = 0; j < wide * BLOCK; j++)
                out[r * wide * BLOCK + j] += codes[2 * r] * weighed[2 * j] + codes[2 * r + 1] * weighed[2 * j + 1];
#endif
}

static void add_up(const int32_t *sums, int64_t wide, int64_t times, int64_t columns, int64_t *fisher)
{
    for (int64_t r = 0; r < HIGH; r++)
        for (int64_t j = 0; j < wide; j++) fisher[r * columns + j] += sums[r * wide + j] * times;
}

/* The upper blocks of the matrix gain what these pairs amount to. */
static void add_pairs(const int16_t *codes, const int16_t *weighed, int64_t pairs, int64_t times, int64_t columns,
                      int64_t *fisher)
{
    int32_t sums[HIGH * WIDE * BLOCK];
    for (int64_t i = 0; i < columns; i += HIGH) {
        int64_t j = i / BLOCK * BLOCK;
        for (; j + WIDE * BLOCK <= columns; j += WIDE * BLOCK) {
            dot_pairs(codes + 2 * i, weighed + 2 * j, pairs, columns, sums, WIDE);
            add_up(sums, WIDE * BLOCK, times, columns, fisher + i * columns + j);
        }
        for (; j < columns; j += BLOCK) {
            dot_pairs(codes + 2 * i, weighed + 2 * j, pairs, columns, sums, 1);
            add_up(sums, BLOCK, times, columns, fisher + i * columns + j);
        }
    }
}

ROW_LOOP sum_row(const uint8_t *restrict codes, int32_t gradient, int64_t columns, int64_t *restrict sums)
{
    for (int64_t i = 0; i < columns; i++) sums[i] += gradient * (codes[i] - 128);
}

/* Of gradients times codes, [rows, columns]: the sums of all squares and products of two columns, of which the blocks
 * from the diagonal on are right, and the sums of the columns. A square of a gradient is taken in parts of 8 bits, each of
 * them without the rows where it is 0. room: int16 [2, TILE, columns] */
static void normal(const Recorded *seen, const int16_t *gradients, int16_t *room, int64_t *fisher, int64_t *sums)
{
    const int64_t columns = seen->columns;
    int16_t *weighed = room + TILE * columns;
    memset(fisher, 0, (size_t)(columns * columns) * sizeof *fisher);
    memset(sums, 0, (size_t)columns * sizeof *sums);
    for (int64_t at = 0; at < seen->rows; at += TILE) {
        const int64_t end = seen->rows - at < TILE ? seen->rows : at + TILE;
        for (int64_t r = at; r < end; r++) sum_row(seen->codes + r * seen->stride, gradients[r], columns, sums);
        for (int part = 0; part < PARTS_OF_SQUARE; part++) {
            const uint8_t *rows[TILE + 1];
            int16_t parts[TILE + 1];
            int64_t count = 0;
            for (int64_t r = at; r < end; r++) {
                rows[count] = seen->codes + r * seen->stride;
                parts[count] = (int16_t)((gradients[r] * gradients[r] >> 8 * part) & 255);
                count += parts[count] != 0;
            }
            rows[count] = rows[0], parts[count] = 0; /* what pairs the last one, where they are odd */
            for (int64_t k = 0; k < count; k += 2)
                pair_row(rows[k], rows[k + 1], parts[k], parts[k + 1], columns, room + k * columns, weighed + k * columns);
            if (count) add_pairs(room, weighed, (count + 1) / 2, (int64_t)1 << 8 * part, columns, fisher);
        }
    }
}

ROW_LOOP take_off(const double *restrict row, double factor, int64_t count, double *restrict from)
{
    for (int64_t i = 0; i < count; i++) from[i] -= factor * row[i];
}

/* A system of equations, [count, count + 1]: its last column becomes the solution. What is left of a pivot is not used
 * again, and is left as it is. */
static void solve(double *rows, int64_t count)
{
    const int64_t wide = count + 1;
    for (int64_t i = 0; i < count; i++) {
        double *pivot = rows + i * wide;
        const double by = pivot[i];
        for (int64_t j = i + 1; j < wide; j++) pivot[j] /= by;
        for (int64_t r = 0; r < count; r++)
            if (r != i) take_off(pivot + i + 1, rows[r * wide + i], wide - i - 1, rows + r * wide + i + 1);
    }
}
