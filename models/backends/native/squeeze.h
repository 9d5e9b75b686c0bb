/* What surrounds the pixels of a phase, as `families/idf/squeeze.py` has it. */

enum { MARGIN = 2, GREY = 128, NEAREST = 4 };

/* Where a plane begins: of a phase of a channel of an image, with its margin. */
static uint8_t *plane_of(const Level *level, int64_t phase, int64_t channel, int64_t image)
{
    const int64_t size = (level->height + 2 * MARGIN) * (level->width + 2 * MARGIN);
    return level->wide + ((phase * level->channels + channel) * level->batch + image) * size;
}

/* A plane [batch, height, width] of a phase is known: its edges are repeated, and what is empty is grey. */
static void widen(const Level *level, int64_t phase, int64_t channel, const uint8_t *plane, int64_t height,
                  int64_t width)
{
    const int64_t wide = level->width + 2 * MARGIN, high = level->height + 2 * MARGIN;
    for (int64_t b = 0; b < level->batch; b++) {
        uint8_t *to = plane_of(level, phase, channel, b);
        if (!height || !width) {
            memset(to, GREY, (size_t)(high * wide));
            continue;
        }
        for (int64_t y = 0; y < high; y++, to += wide) {
            const int64_t at = y < MARGIN ? 0 : y - MARGIN < height ? y - MARGIN : height - 1;
            const uint8_t *from = plane + (b * height + at) * width;
            memset(to, from[0], MARGIN);
            memcpy(to + MARGIN, from, (size_t)width);
            memset(to + MARGIN + width, from[width - 1], (size_t)(wide - MARGIN - width));
        }
    }
}

ROW_LOOP guess_row(const uint8_t *restrict a, const uint8_t *restrict b, const uint8_t *restrict c,
                   const uint8_t *restrict d, int64_t count, int16_t *restrict guess)
{
    for (int64_t x = 0; x < count; x++) guess[x] = (int16_t)((a[x] + b[x] + c[x] + d[x] + 1) >> 1);
}

/* Twice a neighbour less the guess. */
ROW_LOOP differ_row(const uint8_t *restrict from, const int16_t *restrict guess, int64_t count, uint8_t *restrict codes)
{
    for (int64_t x = 0; x < count; x++) codes[x] = to_byte(clip(2 * from[x] - guess[x], CODE_MAX));
}

ROW_LOOP level_row(const int16_t *restrict guess, int64_t count, uint8_t *restrict codes)
{
    for (int64_t x = 0; x < count; x++) codes[x] = to_byte(clip(((guess[x] + 1) >> 1) - GREY, CODE_MAX));
}

static void put_apart(const uint8_t *codes, int64_t count, uint8_t *to, int64_t apart)
{
    for (int64_t x = 0; x < count; x++) to[x * apart] = codes[x];
}

/* What is seen of a channel around so many pixels side by side: codes, into `to`, and guesses. */
static void look_row(const Prior *prior, const Level *level, int64_t channel, int64_t image, int64_t y, int64_t left,
                     int64_t count, uint8_t *to, int16_t *guess)
{
    const int64_t wide = level->width + 2 * MARGIN;
    const uint8_t *near[NEIGHBOURS] = {0};
    uint8_t codes[ROWS];
    for (int64_t i = 0; i < prior->neighbours; i++) {
        const int32_t *place = prior->places + 3 * i;
        near[i] = plane_of(level, place[0], channel, image) + (y + MARGIN + place[1]) * wide + left + MARGIN + place[2];
    }
    guess_row(near[0], near[1], near[2], near[3], count, guess);
    for (int64_t i = 0; i < prior->neighbours; i++) {
        differ_row(near[i], guess, count, codes);
        put_apart(codes, count, to + i, prior->stride);
    }
    level_row(guess, count, codes);
    put_apart(codes, count, to + prior->neighbours, prior->stride);
}

/* What the heads of the next channels see of a plane that is known now: the difference from its guess, and the size of
 * that. */
static void beside(const Prior *prior, const Level *level, int64_t phase, int64_t channel)
{
    enum { NEUTRAL = 32, BESIDE = 2 };
    const int64_t wide = level->width + 2 * MARGIN, size = level->height * level->width;
    for (int64_t b = 0; b < level->batch; b++)
        for (int64_t y = 0; y < level->height; y++) {
            const uint8_t *plane = plane_of(level, phase, channel, b) + (y + MARGIN) * wide + MARGIN;
            const int64_t at = b * size + y * level->width;
            const int16_t *guess = level->guess + channel * level->batch * size + at;
            uint8_t *to = level->head_inputs + at * prior->stride + prior->width + prior->features + BESIDE * channel;
            for (int64_t x = 0; x < level->width; x++, to += prior->stride) {
                const int32_t difference = clip(2 * plane[x] - guess[x], CODE_MAX);
                to[0] = to_byte(difference);
                to[1] = to_byte((difference < 0 ? -difference : difference) - NEUTRAL);
            }
        }
}
