/* What a masked text model sees around a place: `networks/windows.py`. */

/* The symbols of an item, with the mask where they are not known, and one more beyond its ends. */
ROW_LOOP show(const uint8_t *restrict values, const uint8_t *restrict known, int64_t alphabet, int64_t length,
              int64_t reach, uint8_t *restrict symbols)
{
    const uint8_t mask = (uint8_t)alphabet, beyond = (uint8_t)(alphabet + 1);
    for (int64_t i = 0; i < reach; i++) symbols[i] = symbols[reach + length + i] = beyond;
    for (int64_t i = 0; i < length; i++) /* what is no symbol is none here: nothing is read beyond a table */
        symbols[reach + i] = known[i] && values[i] < mask ? values[i] : mask;
}

static inline int64_t window_row(const Window *window, const uint8_t *here)
{
    uint64_t key = 0;
    for (int64_t i = 0; i < window->offsets; i++) key = key << 8 | here[window->offset[i]];
    return (int64_t)(window->offsets == 1 ? key : key * HASH >> (64 - window->bits));
}

/* Bytes of codes, eight at a time: code + 128 is the byte with its highest bit turned. */
static inline void copy_eight(const int8_t *from, uint8_t *codes)
{
    uint64_t eight;
    memcpy(&eight, from, sizeof eight);
    eight ^= UINT64_C(0x8080808080808080);
    memcpy(codes, &eight, sizeof eight);
}

/* Bytes of codes; the last eight begin where they end with the row. */
static inline void copy_row(const int8_t *from, int64_t size, uint8_t *codes)
{
    int64_t at = 0;
    for (; at + 8 <= size; at += 8) copy_eight(from + at, codes + at);
    if (size >= 8) copy_eight(from + size - 8, codes + size - 8);
    for (; size < 8 && at < size; at++) codes[at] = to_byte(from[at]);
}

/* The codes of some windows of a place, of [windows, alphabet]; here: where it is in what `show` gives. */
static void see(const Transformer *net, const uint8_t *here, uint64_t windows, uint8_t *codes)
{
    const int64_t size = net->alphabet;
    const int8_t *from[WINDOWS];
    for (int64_t i = 0; i < net->windows; i++) {
        const Window *window = &net->window[i];
        if (!(windows >> i & 1)) continue;
        from[i] = window->table + window_row(window, here) * size;
        __builtin_prefetch(from[i]); /* tables are larger than caches */
        __builtin_prefetch(from[i] + size - 1);
    }
    for (int64_t i = 0; i < net->windows; i++)
        if (windows >> i & 1) copy_row(from[i], size, codes + i * size);
}

/* Which windows of each stale place see something new, as bits: all, where all is new. */
static void look_around(const Transformer *net, const Ask *ask, const Desk *desk)
{
    uint8_t *news = desk->symbols;
    memset(news, 0, (size_t)(net->length + 2 * net->reach));
    if (ask->news) memcpy(news + net->reach, ask->news, (size_t)net->length);
    for (int64_t n = 0; n < ask->stales; n++) {
        const uint8_t *here = news + net->reach + ask->stale[n];
        uint64_t found = 0;
        for (int64_t i = 0; i < net->windows; i++)
            for (int64_t at = 0; at < net->window[i].offsets; at++)
                found |= (uint64_t)(here[net->window[i].offset[at]] | !ask->news) << i;
        desk->seeing[n] = found;
    }
}
