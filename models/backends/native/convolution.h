/* The block of `layers/convolution.py` on an image, whose codes lie as bytes with a frame of zeros, 128, around them. */

enum { TAPS = 3, FRAME = 1 }; /* rows and columns of a kernel; pixels of a frame on each side */

#if defined(DOT)

/* `wide` blocks of outputs of so many pixels side by side. */
ALWAYS void beside_each_other(const Linear *layer, const uint8_t *codes, int64_t pixel, int64_t row, int64_t count,
                              int32_t *out, int64_t block, const int wide)
{
    int64_t x = 0;
    for (; x + TALL <= count; x += TALL)
        dots(layer, codes + x * pixel, pixel, TAPS, row, out + x * layer->outputs, block, TALL, wide);
    for (; x + 4 <= count; x += 4)
        dots(layer, codes + x * pixel, pixel, TAPS, row, out + x * layer->outputs, block, 4, wide);
    for (; x < count; x++)
        dots(layer, codes + x * pixel, pixel, TAPS, row, out + x * layer->outputs, block, 1, wide);
}

/* The sums of so many pixels side by side, from the codes that are above and to the left of the first on; a pixel and a
 * row are so many bytes. */
static void convolve(const Linear *layer, const uint8_t *codes, int64_t pixel, int64_t row, int64_t count, int32_t *out)
{
    const int64_t blocks = layer->outputs / BLOCK;
    int64_t block = 0;
    for (; block + WIDE_OF_TALL <= blocks; block += WIDE_OF_TALL)
        beside_each_other(layer, codes, pixel, row, count, out, block, WIDE_OF_TALL);
    for (; block < blocks; block++) beside_each_other(layer, codes, pixel, row, count, out, block, 1);
}

#else

static void convolve(const Linear *layer, const uint8_t *codes, int64_t pixel, int64_t row, int64_t count, int32_t *out)
{
    const int64_t outputs = layer->outputs, each = layer->inputs / TAPS;
    for (int64_t x = 0; x < count; x++, codes += pixel, out += outputs) {
        memcpy(out, layer->start, (size_t)outputs * sizeof *out);
        for (int64_t i = 0; i < layer->inputs; i += QUAD)
            accumulate(layer->weight + i * outputs, codes + i / each * row + i % each, outputs, out);
    }
}

#endif

/* Codes of a residual [height * width, padded channels] into an image of bytes, whose frame is there already. */
static void norm_image(const int32_t *x, const Image *image, int64_t channels)
{
    const int64_t deep = padded(channels), row = image->width * deep, across = (image->width + 2 * FRAME) * deep;
    for (int64_t y = 0; y < image->height; y++)
        norm(x + y * row, image->width, channels, image->codes + (y + FRAME) * across + FRAME * deep, deep);
}

/* The gated block on a residual [height * width, padded channels]. */
static void gated_block(const ConvBlock *layer, const Image *image, int64_t channels, int64_t hidden, int32_t *x)
{
    const int64_t deep = padded(channels), across = (image->width + 2 * FRAME) * deep, wide = layer->conv.outputs;
    norm_image(x, image, channels);
    for (int64_t y = 0; y < image->height; y++)
        for (int64_t left = 0; left < image->width; left += ROWS) {
            const int64_t count = image->width - left < ROWS ? image->width - left : ROWS;
            convolve(&layer->conv, image->codes + y * across + left * deep, deep, across, count, image->sums);
            for (int64_t i = 0; i < count; i++) {
                int32_t *sums = image->sums + i * wide;
                settle_row(sums, layer->conv.scale, layer->conv.offset, CODE_MAX, wide);
                gate_row(sums, sums + hidden, hidden, image->gated + i * padded(hidden));
            }
            product(&layer->out, image->gated, padded(hidden), count, image->sums);
            add_residual(&layer->out, image->sums, count, x + (y * image->width + left) * deep);
        }
}
