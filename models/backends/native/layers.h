/* The layers of `layers/grid.py`, on tiles. A residual stream is int32 [rows, padded width], and what is padded is 0. */
#include <math.h>

enum {
    CODE_MAX = 127,
    RES_MAX = (1 << 15) - 1,
    FORGET_MAX = 511,
    GATE = 12,
    STATE_MAX = 1 << 14,
    LOGIT_MAX = 1 << 13,
    TOTAL = 1 << 24
};

static inline int64_t padded(int64_t size) { return (size + BLOCK - 1) / BLOCK * BLOCK; }

static inline int32_t clip(int32_t x, int32_t limit) { return x < -limit ? -limit : x > limit ? limit : x; }

static inline uint8_t to_byte(int32_t code) { return (uint8_t)(code + 128); }

/* floor of what fits an int32 */
static inline int32_t floor_of(float y)
{
    const int32_t near = (int32_t)y;
    return near - ((float)near > y);
}

/* clip(floor(sum * scale + offset)): one rounding, that of the addition. Layers whose results leave int32 are not for
 * the core (`PackedLinear.is_bounded`). */
static inline int32_t settle(int32_t sum, float scale, float offset, int32_t limit)
{
    const float y = (float)sum * scale;
    return clip(floor_of(y + offset), limit);
}

/* Loops over a row are functions of their own, with pointers that do not overlap: what a compiler can vectorise. */
#define ROW_LOOP static __attribute__((noinline)) void

ROW_LOOP norm_row(const int32_t *restrict x, int64_t wide, int64_t width, uint8_t *restrict codes)
{
    int64_t squares = 0;
    for (int64_t i = 0; i < wide; i++) squares += (uint32_t)(x[i] * x[i]); /* below 2**30 */
    const double under = 1099511627776.0 * (double)width / ((double)squares + 16.0 * (double)width);
    const double root = (double)(int64_t)sqrt(under); /* floor, of what is positive */
    const float scale = (float)(root * 0x1p-15);
    for (int64_t i = 0; i < wide; i++) {
        const float y = (float)x[i] * scale; /* below 2**18 */
        codes[i] = to_byte(clip(floor_of(y + 0.5f), CODE_MAX));
    }
}

/* Codes of x / rms(x), as bytes: `rms_norm`. */
static void norm(const int32_t *x, int64_t rows, int64_t width, uint8_t *codes, int64_t stride)
{
    const int64_t wide = padded(width);
    for (int64_t r = 0; r < rows; r++) norm_row(x + r * wide, wide, width, codes + r * stride);
}

/* x clip((x + 2) / 4, 0, 1) of codes, at scale 2**-(ACT + 7). */
static inline int32_t swish(int32_t code)
{
    int32_t u = code + 64;
    u = u < 0 ? 0 : u > 128 ? 128 : u;
    return u * code;
}

/* clip(floor(sums * scale + offset)), in place. */
ROW_LOOP settle_row(int32_t *restrict sums, const float *restrict scale, const float *restrict offset, int32_t limit,
                    int64_t wide)
{
    for (int64_t i = 0; i < wide; i++) sums[i] = settle(sums[i], scale[i], offset[i], limit);
}

ROW_LOOP add_row(const int32_t *restrict sums, const float *restrict scale, const float *restrict offset, int64_t wide,
                 int32_t *restrict x)
{
    for (int64_t i = 0; i < wide; i++) x[i] = clip(x[i] + settle(sums[i], scale[i], offset[i], RES_MAX), RES_MAX);
}

/* x += clip(out), clipped: out of sums. */
static void add_residual(const Linear *layer, const int32_t *sums, int64_t rows, int32_t *x)
{
    const int64_t wide = layer->outputs;
    for (int64_t r = 0; r < rows; r++) add_row(sums + r * wide, layer->scale, layer->offset, wide, x + r * wide);
}

/* table[x], in place. Gathers are slower than loads on many processors, so this asks for none. */
ROW_LOOP look_up_row(const int32_t *restrict table, int64_t count, int32_t *restrict x)
{
    for (int64_t i = 0; i < count; i++) {
        x[i] = table[x[i]];
        __asm__ volatile("");
    }
}

/* The state moves on, h int32 [wide], towards goals; what is let out, as bytes of codes. */
ROW_LOOP recur_row(const int32_t *restrict renew, const int32_t *restrict goal, const int32_t *restrict gate, int64_t wide,
                   int32_t *restrict h, uint8_t *restrict codes)
{
    for (int64_t i = 0; i < wide; i++) {
        const int32_t now = h[i] + (((goal[i] - h[i]) * renew[i] + (1 << (GATE - 1))) >> GATE);
        const int32_t seen = (now + 8) >> 4; /* 8 of the 12 fractional bits */
        h[i] = now;
        codes[i] = to_byte(clip((seen * swish(gate[i]) + (1 << 14)) >> 15, CODE_MAX));
    }
}

/* Codes of swish(gate) times up, as bytes. */
ROW_LOOP gate_row(const int32_t *restrict gate, const int32_t *restrict up, int64_t size, uint8_t *restrict codes)
{
    for (int64_t i = 0; i < size; i++) codes[i] = to_byte(clip((swish(gate[i]) * up[i] + (1 << 11)) >> 12, CODE_MAX));
}

/* The product of the codes of a tile, settled row by row in place. */
static void linear(const Model *model, const Linear *layer, const Work *work, int64_t rows, int32_t limit, int32_t *out)
{
    const int64_t wide = layer->outputs;
    product(layer, work->codes, model->stride, rows, out);
    for (int64_t r = 0; r < rows; r++) settle_row(out + r * wide, layer->scale, layer->offset, limit, wide);
}

/* Residual of `steps` by `lanes` rows and states [lanes] -> the same, after these steps. */
static void recurrent(const Model *model, const Recurrent *layer, const Work *work, int64_t steps, int64_t lanes,
                      int32_t *states)
{
    const int64_t rows = steps * lanes, wide = layer->forget.outputs;
    norm(work->x, rows, model->width, work->codes, model->stride);
    linear(model, &layer->forget, work, rows, FORGET_MAX, work->one); /* an index from the middle of the table */
    linear(model, &layer->candidate, work, rows, STATE_MAX, work->two);
    linear(model, &layer->gate, work, rows, CODE_MAX, work->three);
    look_up_row(model->renew + FORGET_MAX, rows * wide, work->one);
    for (int64_t r = 0; r < rows; r++)
        recur_row(work->one + r * wide, work->two + r * wide, work->three + r * wide, wide, states + r % lanes * wide,
                  work->codes + r * model->stride);
    product(&layer->out, work->codes, model->stride, rows, work->one);
    add_residual(&layer->out, work->one, rows, work->x);
}

/* The gated MLP on a residual. */
static void gated(const Model *model, const Mlp *layer, const Work *work, int64_t rows)
{
    const int64_t wide = layer->inputs.outputs;
    norm(work->x, rows, model->width, work->codes, model->stride);
    linear(model, &layer->inputs, work, rows, CODE_MAX, work->one);
    for (int64_t r = 0; r < rows; r++) {
        const int32_t *gate = work->one + r * wide;
        gate_row(gate, gate + model->hidden, model->hidden, work->codes + r * model->stride);
    }
    product(&layer->out, work->codes, model->stride, rows, work->one);
    add_residual(&layer->out, work->one, rows, work->x);
}

/* How far logits are below the largest, but no further than the table of the exponential function goes. */
ROW_LOOP below_largest(const int32_t *restrict logits, int32_t last, int64_t count, int32_t *restrict out)
{
    int32_t largest = logits[0];
    for (int64_t i = 0; i < count; i++) largest = logits[i] > largest ? logits[i] : largest;
    for (int64_t i = 0; i < count; i++) {
        const int32_t below = largest - logits[i];
        out[i] = below < last ? below : last;
    }
}

/* floor(mass * ((2**24 - count) / sum)) + 1; what is left goes to the first largest. */
ROW_LOOP mass_row(int64_t count, int32_t *restrict out)
{
    int32_t most = 0, left = TOTAL;
    int64_t first = 0, sum = 0;
    for (int64_t i = 0; i < count; i++) sum += out[i];
    const double ratio = (double)(TOTAL - count) / (double)sum;
    for (int64_t i = 0; i < count; i++) {
        const double mass = (double)out[i] * ratio;
        out[i] = (int32_t)mass + 1;
    }
    for (int64_t i = 0; i < count; i++) left -= out[i];
    for (int64_t i = 0; i < count; i++) most = out[i] > most ? out[i] : most;
    while (out[first] != most) first++;
    out[first] += left;
}

/* `Softmax` of one row: frequencies that are at least 1 and sum to 2**24, for integer logits. */
static void frequencies(const Model *model, const int32_t *logits, int32_t *out)
{
    below_largest(logits, (int32_t)model->exp_last, model->alphabet, out);
    look_up_row(model->exp, model->alphabet, out);
    mass_row(model->alphabet, out);
}
