/* The masked convolutional network of `networks/masked_convnet.py`, image by image. */

enum {
    STEPS_OF_LEVEL = 16, /* steps of a mean in a level */
    CDF_STEP = 6,
    CDF_LAST = 2 * (14 << 10),
    SCALE_LAST = 96,
    EDGE_FAR = 1 << 15 /* an edge that stands for infinity, in steps of a mean */
};

/* The surroundings of a position of an image in a frame, of so many codes each: for the product. */
static void surroundings(const uint8_t *image, const Rectangle *field, int64_t each, int64_t y, int64_t x, uint8_t *to)
{
    const int64_t line = (columns_of(field) + 2) * each;
    const uint8_t *from = image + (y - field->top) * line + (x - field->left) * each;
    for (int64_t i = 0; i < 3; i++) memcpy(to + i * 3 * each, from + i * line, (size_t)(3 * each));
}

/* Settled sums of a layer with weights of 13 bits, added: coarse ones and fine ones. */
ROW_LOOP fine_row(int64_t size, const float *restrict scale, const float *restrict offset, int32_t limit,
                  int32_t *restrict sums)
{
    for (int64_t i = 0; i < size; i++) {
        const int32_t coarse = settle(sums[i], scale[i], offset[i], 1 << 30);
        sums[i] = clip(coarse + settle(sums[size + i], scale[size + i], offset[size + i], 1 << 30), limit);
    }
}

/* The product of the codes of a tile, settled: `size` true outputs of each row first. */
static void told_product(const ConvNet *net, const Linear *layer, int64_t fine, int64_t size, int32_t limit,
                         const Easel *easel, int64_t rows)
{
    const int64_t wide = layer->outputs;
    product(layer, easel->told, net->stride, rows, easel->sums);
    for (int64_t r = 0; r < rows; r++) {
        int32_t *sums = easel->sums + r * wide;
        if (fine)
            fine_row(size, layer->scale, layer->offset, limit, sums);
        else
            settle_row(sums, layer->scale, layer->offset, limit, wide);
    }
}

static inline int64_t fewer_of(int64_t left) { return left < ROWS ? left : ROWS; }

/* The position of the n-th of a field, or of the n-th of `places` in it. */
static inline void position_of(const Rectangle *field, const int64_t *places, int64_t n, int64_t *y, int64_t *x)
{
    const int64_t at = places ? places[n] : n;
    *y = field->top + at / columns_of(field);
    *x = field->left + at % columns_of(field);
}

/* The first convolution: easel->x of the second field. */
static void enter_image(const ConvNet *net, const ImageAsk *ask, const Easel *easel)
{
    const Rectangle *field = &ask->fields[1];
    const int64_t count = rows_of(field) * columns_of(field), wide = padded(net->width);
    for (int64_t at = 0; at < count; at += ROWS) {
        const int64_t rows = fewer_of(count - at);
        for (int64_t r = 0, y, x; r < rows; r++) {
            position_of(field, 0, at + r, &y, &x);
            surroundings(easel->seen, &ask->fields[0], net->told, y, x, easel->told + r * net->stride);
        }
        told_product(net, &net->inputs, net->fine_inputs, net->width, RES_MAX, easel, rows);
        for (int64_t r = 0; r < rows; r++) {
            int32_t *to = easel->x + (at + r) * wide;
            memset(to, 0, (size_t)wide * sizeof *to);
            memcpy(to, easel->sums + r * net->inputs.outputs, (size_t)net->width * sizeof *to);
        }
    }
}

/* Codes of the residual of a field, in a frame of zeros. What is padded of a position is zero, too, and its neighbour's
 * or the frame's. */
static void norm_field(const ConvNet *net, const Rectangle *field, const Easel *easel)
{
    const int64_t columns = columns_of(field), line = (columns + 2) * net->width, wide = padded(net->width);
    memset(easel->codes, to_byte(0), (size_t)((rows_of(field) + 2) * line));
    for (int64_t y = 0; y < rows_of(field); y++)
        norm(easel->x + y * columns * wide, columns, net->width, easel->codes + (y + 1) * line + net->width, net->width);
}

/* A block: from the residual of a field to that of a smaller one, or of `places` in that, `count` in all. What is written
 * lies before what is still to be read. */
static void block_of(const ConvNet *net, const Around *layer, const Rectangle *field, const Rectangle *smaller,
                     const int64_t *places, int64_t count, const Easel *easel)
{
    const int64_t wide = padded(net->width), bytes = wide * (int64_t)sizeof *easel->x;
    norm_field(net, field, easel);
    for (int64_t at = 0; at < count; at += ROWS) {
        const int64_t rows = fewer_of(count - at);
        for (int64_t r = 0, y, x; r < rows; r++) {
            position_of(smaller, places, at + r, &y, &x);
            surroundings(easel->codes, field, net->width, y, x, easel->told + r * net->stride);
            const int64_t from = (y - field->top) * columns_of(field) + x - field->left;
            memcpy(easel->residual + r * wide, easel->x + from * wide, (size_t)bytes);
        }
        told_product(net, &layer->conv, 0, 0, CODE_MAX, easel, rows);
        for (int64_t r = 0; r < rows; r++) {
            const int32_t *gate = easel->sums + r * layer->conv.outputs;
            gate_row(gate, gate + net->hidden, net->hidden, easel->told + r * net->stride);
        }
        product(&layer->out, easel->told, net->stride, rows, easel->sums);
        add_residual(&layer->out, easel->sums, rows, easel->residual);
        memcpy(easel->x + at * wide, easel->residual, (size_t)(rows * bytes));
    }
}

/* What describes the digits of all dimensions of the places: easel->y [count, dimensions * size]. */
static void describe_places(const ConvNet *net, const ImageAsk *ask, const Easel *easel)
{
    const Rectangle *field = &ask->fields[0], *last = &ask->fields[net->depth + 1];
    const int64_t wide = padded(net->width), size = net->dimensions * net->size, line = columns_of(field) + 2;
    for (int64_t at = 0; at < ask->count; at += ROWS) {
        const int64_t rows = fewer_of(ask->count - at);
        norm(easel->x + at * wide, rows, net->width, easel->told, net->stride);
        for (int64_t r = 0, y, x; r < rows; r++) {
            position_of(last, ask->places, at + r, &y, &x);
            const int64_t from = (y - field->top + 1) * line + x - field->left + 1;
            memcpy(easel->told + r * net->stride + net->width,
                   easel->seen + from * net->told + net->dimensions * net->embed, (size_t)net->features);
        }
        told_product(net, &net->head, net->fine_head, size, (int32_t)net->limit, easel, rows);
        for (int64_t r = 0; r < rows; r++)
            memcpy(easel->y + (at + r) * size, easel->sums + r * net->head.outputs, (size_t)size * sizeof *easel->y);
    }
}

/* Where the distribution function of a component is at the edges of digits, `each` levels apart from a first one on. */
ROW_LOOP edge_row(int32_t first, int32_t each, int64_t last, int32_t alphabet, int32_t inverse, int32_t start,
                  int32_t *restrict places)
{
    for (int64_t i = 0; i <= last; i++) {
        const int32_t edge = first + (int32_t)i * each;
        const int32_t step = edge == alphabet ? EDGE_FAR : edge == 0 ? -EDGE_FAR : edge * STEPS_OF_LEVEL - STEPS_OF_LEVEL / 2;
        const int32_t z = (step * inverse + start) >> CDF_STEP;
        places[i] = z < 0 ? 0 : z > CDF_LAST ? CDF_LAST : z;
    }
}

ROW_LOOP weigh_edges(const int32_t *restrict cdf, double weight, int64_t last, double *restrict below)
{
    for (int64_t i = 0; i <= last; i++) below[i] += weight * (double)cdf[i];
}

/* Frequencies of so many digits from what is below their edges, and what each has besides. */
ROW_LOOP share_masses(const double *restrict below, double least, int64_t count, int32_t *restrict out)
{
    const double whole = below[count] - below[0] + (double)count * least;
    const double ratio = (double)(TOTAL - count) / whole;
    int32_t left = TOTAL, most = 0;
    for (int64_t i = 0; i < count; i++) {
        const double mass = below[i + 1] - below[i] + least;
        out[i] = (int32_t)(mass * ratio) + 1;
    }
    for (int64_t i = 0; i < count; i++) left -= out[i];
    for (int64_t i = 0; i < count; i++) most = out[i] > most ? out[i] : most;
    int64_t first = 0;
    while (out[first] != most) first++;
    out[first] += left;
}

/* `Logistics` of one row: the frequencies of the digits of a value that is known to `coarse`. */
static void mixture_of(const ConvNet *net, const int32_t *y, int32_t guess, int32_t coarse, int32_t each,
                       const Easel *easel, int32_t *out)
{
    const int64_t components = net->components;
    const int32_t alphabet = 1 << net->bits * net->stages;
    int32_t most = y[0];
    double total = 0;
    for (int64_t i = 1; i < components; i++) most = y[i] > most ? y[i] : most;
    memset(easel->masses, 0, (size_t)(net->base + 1) * sizeof *easel->masses);
    for (int64_t i = 0; i < components; i++) {
        const int32_t under = most - y[i], scale = (y[2 * components + i] + 8 + 24 * 16) >> 4;
        const int32_t inverse = net->inverse[scale < 0 ? 0 : scale > SCALE_LAST ? SCALE_LAST : scale];
        const int32_t start = (CDF_LAST / 2 << CDF_STEP) - (y[components + i] + guess * (STEPS_OF_LEVEL / 2)) * inverse;
        const double weight = (double)net->exp[under < net->exp_last ? under : net->exp_last];
        edge_row(coarse, each, net->base, alphabet, inverse, start, easel->sums);
        look_up_row(net->cdf, net->base + 1, easel->sums);
        weigh_edges(easel->sums, weight, net->base, easel->masses);
        total += weight;
    }
    share_masses(easel->masses, total * 4, net->base, out);
}

/* The frequencies of what is wanted of an item. */
static void answer_image(const ConvNet *net, const ImageAsk *ask, const Easel *easel, const uint8_t *values, int32_t *out)
{
    const int64_t bits = hidden_bits(net, ask, 0);
    for (int64_t q = 0; q < ask->wants; q++, out += net->base) {
        const int32_t *y = easel->y + ask->rows[q] * net->size;
        if (net->direct) {
            below_largest(y, (int32_t)net->exp_last, net->base, out);
            look_up_row(net->exp, net->base, out);
            mass_row(net->base, out);
            continue;
        }
        const int32_t coarse = coarse_of(net, ask, values[ask->wanted[q]], 0) << bits;
        mixture_of(net, y, easel->guess[ask->told[q]], coarse, 1 << (bits - net->bits), easel, out);
    }
}

/* `ConvNet.frequencies` of some items. */
static void convnet(const ConvNet *net, const Easel *easel, const ImageAsk *ask)
{
    const Rectangle *field = ask->fields, part = pixels_of(field);
    const int64_t size = net->height * net->across * net->channels;
    memset(easel->seen, to_byte(0), (size_t)((rows_of(field) + 2) * (columns_of(field) + 2) * net->told));
    count_known(net, ask, easel, &part);
    for (int64_t item = ask->first; item < ask->last; item++) {
        look_at(net, ask, easel, ask->values + item * size);
        enter_image(net, ask, easel);
        for (int64_t i = 0; i < net->depth; i++) {
            const int last = i == net->depth - 1;
            const Rectangle *smaller = &field[i + 2];
            block_of(net, &net->block[i], &field[i + 1], smaller, last ? ask->places : 0,
                     last ? ask->count : rows_of(smaller) * columns_of(smaller), easel);
        }
        describe_places(net, ask, easel);
        answer_image(net, ask, easel, ask->values + item * size, ask->out + item * ask->wants * net->base);
    }
}
