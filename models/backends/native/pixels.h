/* What a masked image model sees of a partly known image: `networks/pixels.py`. */

enum { MIDDLE = 255 }; /* the middle of 0..255, in half levels */

static inline int64_t rows_of(const Rectangle *part) { return part->bottom - part->top; }

static inline int64_t columns_of(const Rectangle *part) { return part->right - part->left; }

/* The pixels of a field. */
static inline Rectangle pixels_of(const Rectangle *field)
{
    return (Rectangle){2 * field->top, 2 * field->bottom, 2 * field->left, 2 * field->right};
}

/* How many bits of a dimension are not known. */
static inline int64_t hidden_bits(const ConvNet *net, const ImageAsk *ask, int known)
{
    return net->bits * (net->stages - 1 - ask->stage + !known);
}

static inline int32_t coarse_of(const ConvNet *net, const ImageAsk *ask, uint8_t value, int known)
{ /* what is no value is none here: nothing is read beyond a table */
    return (value & ((1 << net->bits * net->stages) - 1)) >> hidden_bits(net, ask, known);
}

/* The middle of what each dimension may be, in half levels, 2 v where all bits are known; and, to be summed over windows,
 * those of known ones, or of all behind the first stage. item: its values, or 0 to count instead. */
static void middles(const ConvNet *net, const ImageAsk *ask, const Easel *easel, const uint8_t *item)
{
    const int64_t size = columns_of(&ask->wide) * net->channels, line = net->across * net->channels;
    for (int64_t y = 0; y < rows_of(&ask->wide); y++) {
        const int64_t at = (ask->wide.top + y) * line + ask->wide.left * net->channels;
        int32_t *middle = easel->middle + y * size, *above = easel->below + y * size;
        for (int64_t i = 0; i < size; i++) {
            const int known = ask->known[at + i];
            const int64_t bits = hidden_bits(net, ask, known);
            const int32_t half = item ? (coarse_of(net, ask, item[at + i], known) << (bits + 1)) + (1 << bits) - 1 : 1;
            middle[i] = half;
            above[size + i] = above[i] + (known || ask->stage ? half : 0);
        }
    }
}

/* Sums over the windows around a row of pixels of a part, [columns, channels], of what lies in easel->below. */
static void window_sums(const ConvNet *net, const ImageAsk *ask, const Easel *easel, const Rectangle *part, int64_t y,
                        int64_t reach, int32_t *sums)
{
    const Rectangle *wide = &ask->wide;
    const int64_t channels = net->channels, size = columns_of(wide) * channels, beyond = reach * channels;
    const int64_t top = y - reach > wide->top ? y - reach : wide->top, low = y + reach + 1;
    const int32_t *from = easel->below + (top - wide->top) * size;
    const int32_t *to = easel->below + ((low < wide->bottom ? low : wide->bottom) - wide->top) * size;
    int32_t *left = easel->across + beyond; /* of each column, the sum of all before it */
    memset(easel->across, 0, (size_t)(beyond + channels) * sizeof *left);
    for (int64_t i = 0; i < size; i++) left[channels + i] = left[i] + to[i] - from[i];
    for (int64_t i = 0; i < beyond; i++) left[channels + size + i] = left[size + i];
    const int32_t *first = easel->across + (part->left - wide->left) * channels;
    const int32_t *last = first + 2 * beyond + channels;
    for (int64_t i = 0; i < columns_of(part) * channels; i++) sums[i] = last[i] - first[i];
}

/* How much is known in all windows around all pixels of a part: [windows, rows, columns, channels]. */
static void count_known(const ConvNet *net, const ImageAsk *ask, const Easel *easel, const Rectangle *part)
{
    const int64_t line = columns_of(part) * net->channels;
    memset(easel->below, 0, (size_t)(columns_of(&ask->wide) * net->channels) * sizeof *easel->below);
    middles(net, ask, easel, 0);
    for (int64_t i = 0; i < net->windows; i++)
        for (int64_t y = 0; y < rows_of(part); y++)
            window_sums(net, ask, easel, part, part->top + y, net->reach[i], easel->counts + (i * rows_of(part) + y) * line);
}

/* Rounded averages: integers of up to 24 bits, whose quotient is not rounded up to the next one (`pixels._window`). */
ROW_LOOP average_row(const int32_t *restrict sums, const int32_t *restrict counts, int64_t size, int32_t *restrict out)
{
    for (int64_t i = 0; i < size; i++) {
        const int32_t under = 2 * counts[i] > 1 ? 2 * counts[i] : 1;
        out[i] = (int32_t)((float)(2 * sums[i] + counts[i]) / (float)under);
    }
}

/* What stands for each dimension of a row: what is known of it, or else the average of the smallest window that knows. */
static void guess_line(const ConvNet *net, const ImageAsk *ask, const Easel *easel, const int32_t *middle,
                      const uint8_t *known, const int32_t *counts, int64_t apart, int64_t size, int32_t *guess)
{
    for (int64_t i = 0; i < size; i++) guess[i] = ask->stage || known[i] ? middle[i] : MIDDLE;
    for (int64_t w = net->windows - 1; w >= 0 && !ask->stage; w--)
        for (int64_t i = 0; i < size; i++)
            guess[i] = !known[i] && counts[w * apart + i] > 0 ? easel->averages[w * size + i] : guess[i];
}

/* Codes of a row, clipped, into one of the planes of features; to: that of the first position of the row. */
static void put_plane(const ConvNet *net, const int32_t *x, int64_t size, int64_t plane, uint8_t *to)
{
    for (int64_t i = 0; i < size; i += net->channels, to += i / net->channels % 2 ? 0 : net->told)
        for (int64_t c = 0; c < net->channels; c++)
            to[plane * net->dimensions + i / net->channels % 2 * net->channels + c] = to_byte(clip(x[i + c], CODE_MAX));
}

/* The features of a row of pixels. to: those of the first position, of the upper or the lower two pixels. */
static void feature_row(const ConvNet *net, const Easel *easel, const int32_t *guess, const int32_t *counts,
                        int64_t apart, int64_t size, uint8_t *to)
{
    int32_t *plane = easel->across; /* which has done its work */
    for (int64_t i = 0; i < size; i++) plane[i] = (guess[i] - MIDDLE) >> 1;
    put_plane(net, plane, size, 0, to);
    for (int64_t w = 0; w < net->windows; w++, counts += apart) {
        const int32_t *average = easel->averages + w * size;
        const int32_t whole = (int32_t)((2 * net->reach[w] + 1) * (2 * net->reach[w] + 1));
        for (int64_t i = 0; i < size; i++) plane[i] = counts[i] > 0 ? average[i] - guess[i] : 0;
        put_plane(net, plane, size, 2 * w + 1, to);
        for (int64_t i = 0; i < size; i++) plane[i] = CODE_MAX * counts[i] / whole;
        put_plane(net, plane, size, 2 * w + 2, to);
    }
}

/* The embeddings of what is seen of the dimensions of a row, as in `feature_row`. */
static void token_row(const ConvNet *net, const ImageAsk *ask, const uint8_t *values, const uint8_t *known, int64_t size,
                      uint8_t *to)
{
    int64_t told = 1; /* rows of those that are not known */
    for (int64_t i = 0; i < ask->stage; i++) told *= net->base;
    for (int64_t i = 0; i < size; i++) {
        const int64_t x = i / net->channels, at = x % 2 * net->channels + i % net->channels;
        const int64_t row = ask->first_row + (known[i] ? told : 0) + coarse_of(net, ask, values[i], known[i]);
        copy_row(net->tokens + row * net->embed, net->embed, to + x / 2 * net->told + at * net->embed);
    }
}

/* What the positions of the first field see of an item, in a frame of zeros, and the guess for all of its pixels. */
static void look_at(const ConvNet *net, const ImageAsk *ask, const Easel *easel, const uint8_t *values)
{
    const Rectangle part = pixels_of(&ask->fields[0]), *wide = &ask->wide;
    const int64_t size = columns_of(&part) * net->channels, line = net->across * net->channels;
    const int64_t apart = rows_of(&part) * size, frame = (columns_of(&ask->fields[0]) + 2) * net->told;
    const int64_t embedded = net->dimensions * net->embed;
    middles(net, ask, easel, values);
    for (int64_t y = 0; y < rows_of(&part); y++) {
        const int64_t at = (part.top + y) * line + part.left * net->channels;
        const int64_t inside = ((part.top + y - wide->top) * columns_of(wide) + part.left - wide->left) * net->channels;
        const int32_t *counts = easel->counts + y * size;
        const uint8_t *known = ask->known + at;
        int32_t *guess = easel->guess + y * size;
        uint8_t *to = easel->seen + (y / 2 + 1) * frame + net->told;
        for (int64_t w = 0; w < net->windows; w++) {
            int32_t *average = easel->averages + w * size;
            window_sums(net, ask, easel, &part, part.top + y, net->reach[w], guess);
            average_row(guess, counts + w * apart, size, average);
        }
        guess_line(net, ask, easel, easel->middle + inside, known, counts, apart, size, guess);
        feature_row(net, easel, guess, counts, apart, size, to + embedded + y % 2 * 2 * net->channels);
        token_row(net, ask, values + at, known, size, to + y % 2 * 2 * net->channels * net->embed);
        for (int64_t x = 0; y % 2 == 0 && x < columns_of(&ask->fields[0]); x++)
            copy_row(net->time + ask->time * net->embed, net->embed, to + x * net->told + embedded + net->features);
    }
}
