/* The networks of `families/idf/factor_out.py`: from what is seen around the pixels of a phase to mixtures. */

/* x += clip(coarse + fine), clipped: of `FineLinear`, out of the sums of a row. */
ROW_LOOP add_fine_row(const int32_t *restrict sums, const float *restrict scale, const float *restrict offset,
                      int64_t size, int32_t *restrict x)
{
    for (int64_t i = 0; i < size; i++) {
        const int32_t coarse = floor_of((float)sums[i] * scale[i] + offset[i]);
        const int32_t fine = floor_of((float)sums[size + i] * scale[size + i] + offset[size + i]);
        x[i] = clip(x[i] + clip(coarse + fine, RES_MAX), RES_MAX);
    }
}

/* The stream of so many pixels takes in what is seen, the inputs of heads from `codes` on. */
static void take_in(const Prior *prior, const uint8_t *codes, int64_t count, int32_t *sums, int32_t *x)
{
    const Linear *layer = &prior->inputs;
    product(layer, codes, prior->stride, count, sums);
    if (!prior->fine_inputs) {
        add_residual(layer, sums, count, x);
        return;
    }
    for (int64_t r = 0; r < count; r++)
        add_fine_row(sums + r * layer->outputs, layer->scale, layer->offset, prior->width, x + r * padded(prior->width));
}

/* The stream of an image sees the phase's surroundings and goes through its blocks; what heads see of both. */
static void describe_image(const Prior *prior, const Level *level, int64_t b)
{
    const int64_t deep = padded(prior->width), size = level->height * level->width;
    int32_t *x = level->x + b * size * deep;
    uint8_t *head_inputs = level->head_inputs + b * size * prior->stride;
    for (int64_t at = 0; at < size;) {
        const int64_t y = at / level->width, left = at % level->width;
        const int64_t count = level->width - left < ROWS ? level->width - left : ROWS;
        uint8_t *seen = head_inputs + at * prior->stride + prior->width;
        for (int64_t c = 0; c < level->channels; c++)
            look_row(prior, level, c, b, y, left, count, seen + c * (prior->neighbours + 1),
                     level->guess + (c * level->batch + b) * size + at);
        take_in(prior, seen, count, level->image.sums, x + at * deep);
        at += count;
    }
    for (int64_t i = 0; i < prior->depth; i++)
        gated_block(&prior->block[i], &level->image, prior->width, prior->hidden, x);
    for (int64_t at = 0; at < size; at++) {
        norm(x + at * deep, 1, prior->width, level->image.gated, deep);
        memcpy(head_inputs + at * prior->stride, level->image.gated, (size_t)prior->width);
    }
}

/* The same for all images of a level. */
static void describe(const Prior *prior, const Level *level)
{
    for (int64_t b = 0; b < level->batch; b++) describe_image(prior, level, b);
}

/* Mixtures out of the sums of a row. */
ROW_LOOP head_row(const int32_t *restrict sums, const float *restrict scale, const float *restrict offset, int64_t size,
                  int16_t *restrict y)
{
    for (int64_t i = 0; i < size; i++) y[i] = (int16_t)settle(sums[i], scale[i], offset[i], MEAN_MAX);
}

ROW_LOOP fine_head_row(const int32_t *restrict sums, const float *restrict scale, const float *restrict offset,
                       int64_t size, int16_t *restrict y)
{
    for (int64_t i = 0; i < size; i++) {
        const int32_t coarse = floor_of((float)sums[i] * scale[i] + offset[i]);
        const int32_t fine = floor_of((float)sums[size + i] * scale[size + i] + offset[size + i]);
        y[i] = (int16_t)clip(coarse + fine, MEAN_MAX);
    }
}

/* All means move by one number, and all ln(scale) by another. */
static void correct_row(const Linear *layer, const int32_t *sums, int64_t components, int16_t *y)
{
    for (int64_t part = 0; part < 2; part++) {
        const int32_t change = settle(sums[part], layer->scale[part], layer->offset[part], RES_MAX);
        for (int64_t i = (part + 1) * components; i < (part + 2) * components; i++)
            y[i] = (int16_t)clip(y[i] + change, MEAN_MAX);
    }
}

/* The mixtures of a channel, y [batch * height * width, 3 * components], and its guesses, of so many of the level's rows
 * and columns; with a correction or without. */
static void mixtures(const Prior *prior, const Level *level, int64_t channel, int64_t height, int64_t width,
                     const Linear *correction, int16_t *y, int16_t *guess)
{
    const Linear *head = &prior->head[channel];
    const int64_t size = 3 * prior->components, all = level->height * level->width;
    int32_t *sums = level->image.sums;
    for (int64_t b = 0; b < level->batch; b++)
        for (int64_t at = 0; at < height * width;) {
            const int64_t left = at % width, count = width - left < ROWS ? width - left : ROWS;
            const int64_t from = b * all + at / width * level->width + left;
            const uint8_t *head_inputs = level->head_inputs + from * prior->stride;
            memcpy(guess, level->guess + channel * level->batch * all + from, (size_t)count * sizeof *guess);
            product(head, head_inputs, prior->stride, count, sums);
            for (int64_t r = 0; r < count; r++)
                (prior->fine_heads ? fine_head_row : head_row)(sums + r * head->outputs, head->scale, head->offset, size,
                                                               y + r * size);
            if (correction) {
                product(correction, head_inputs, prior->stride, count, sums);
                for (int64_t r = 0; r < count; r++)
                    correct_row(correction, sums + r * correction->outputs, prior->components, y + r * size);
            }
            at += count, y += count * size, guess += count;
        }
}
