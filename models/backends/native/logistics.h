/* The mixtures of `layers/logistics.py`: frequencies of the two digits of values 0..255. */

enum {
    DIGITS = 16, /* values of a digit */
    MEAN_MAX = 1 << 12,
    SCALE_MOST = 96, /* the last index of the table of 1/scale */
    FAR = 14 << 10,
    STEPS = 6,          /* bits that a product of a distance and 1/scale has beyond the steps of the table */
    CERTAIN = 1 << 22,  /* the distribution function at infinity */
    LEAST = 1 << 2,     /* that much of it, for each weight, is for every symbol */
    INFINITE = 1 << 15, /* an edge that is FAR from every mean, in steps of one */
    TOGETHER = 16       /* pixels */
};

/* An edge, half a level below its value, in steps of a mean. */
static inline int32_t edge_of(int32_t value)
{
    return value <= 0 ? -INFINITE : value >= 256 ? INFINITE : (value << 4) - 8;
}

static inline int32_t inverse_of(const Logistic *tables, int32_t scale)
{
    const int32_t at = (scale + 8 + 24 * 16) >> 4;
    return tables->inverse[at < 0 ? 0 : at > SCALE_MOST ? SCALE_MOST : at];
}

/* Where a component's distribution function is at each edge. */
ROW_LOOP place_row(const int32_t *restrict edges, int32_t inverse, int32_t start, int32_t *restrict places)
{
    for (int i = 0; i < DIGITS; i++) {
        const int32_t z = (edges[i] * inverse + start) >> STEPS;
        places[i] = z < 0 ? 0 : z > 2 * FAR ? 2 * FAR : z;
    }
}

ROW_LOOP weigh_row(const int32_t *restrict masses, double weight, double *restrict below)
{
    for (int i = 0; i < DIGITS; i++) below[i] += weight * (double)masses[i];
}

/* Frequencies out of what is below each of the edges, the last of them apart. */
ROW_LOOP share_row(const double *restrict below, double whole, double least, int32_t *restrict frequencies)
{
    const double ratio = (double)(TOTAL - DIGITS) / whole;
    int32_t left = TOTAL, first = 0;
    for (int i = 0; i < DIGITS; i++) {
        const double mass = below[i + 1] - below[i] + least;
        frequencies[i] = (int32_t)(mass * ratio) + 1;
    }
    for (int i = 0; i < DIGITS; i++) left -= frequencies[i];
    for (int i = 0; i < DIGITS; i++) { /* the first of the largest has the greatest of these keys */
        const int32_t key = frequencies[i] << 4 | (DIGITS - 1 - i);
        first = key > first ? key : first;
    }
    frequencies[DIGITS - 1 - (first & (DIGITS - 1))] += left;
}

/* A mixture is y[3 * components] and a guess, in half levels. Of up to TOGETHER pixels: the frequencies of their first
 * digits, or, where `high` has these, of the second ones. */
static void digits_of(const Logistic *tables, const int16_t *y, const int16_t *guess, const uint8_t *high, int count,
                      int32_t *frequencies)
{
    const int64_t components = tables->components, size = 3 * components;
    int32_t edges[TOGETHER][DIGITS + 1], places[TOGETHER][DIGITS + 1], most[TOGETHER];
    double below[TOGETHER][DIGITS + 1], weights[TOGETHER], total[TOGETHER];
    memset(below, 0, sizeof below);
    for (int r = 0; r < count; r++) {
        total[r] = 0;
        most[r] = y[r * size];
        for (int64_t i = 1; i < components; i++) most[r] = y[r * size + i] > most[r] ? y[r * size + i] : most[r];
        for (int e = 0; e <= DIGITS; e++) edges[r][e] = edge_of(high ? high[r] * DIGITS + e : e * DIGITS);
    }
    for (int64_t i = 0; i < components; i++) {
        for (int r = 0; r < count; r++) {
            const int16_t *mixture = y + r * size + i;
            const int32_t under = most[r] - mixture[0], last = (int32_t)tables->exp_last;
            const int32_t inverse = inverse_of(tables, mixture[2 * components]);
            const int32_t start = (FAR << STEPS) - (mixture[components] + 8 * guess[r]) * inverse;
            const int32_t z = (edges[r][DIGITS] * inverse + start) >> STEPS;
            place_row(edges[r], inverse, start, places[r]);
            places[r][DIGITS] = z < 0 ? 0 : z > 2 * FAR ? 2 * FAR : z;
            weights[r] = (double)tables->exp[under < last ? under : last];
            total[r] += weights[r];
        }
        look_up_row(tables->cdf, (DIGITS + 1) * count, places[0]);
        for (int r = 0; r < count; r++) {
            weigh_row(places[r], weights[r], below[r]);
            below[r][DIGITS] += weights[r] * (double)places[r][DIGITS];
        }
    }
    for (int r = 0; r < count; r++) {
        const double least = total[r] * LEAST;
        share_row(below[r], below[r][DIGITS] - below[r][0] + DIGITS * least, least, frequencies + r * DIGITS);
    }
}

/* The same of any number of pixels: uint32 [count, 16]. */
static void digits(const Logistic *tables, const int16_t *y, const int16_t *guess, const uint8_t *high, int64_t count,
                   int32_t *frequencies)
{
    for (int64_t at = 0; at < count; at += TOGETHER) {
        const int some = count - at < TOGETHER ? (int)(count - at) : TOGETHER;
        digits_of(tables, y + at * 3 * tables->components, guess + at, high ? high + at : 0, some,
                  frequencies + at * DIGITS);
    }
}

/* What codes the digits of known values: [2, count] intervals, first digits first. */
static void intervals(const Logistic *tables, const int16_t *y, const int16_t *guess, const uint8_t *values,
                      int64_t count, Interval *out)
{
    int32_t frequencies[TOGETHER * DIGITS];
    uint8_t high[TOGETHER];
    for (int64_t at = 0; at < count; at += TOGETHER) {
        const int some = count - at < TOGETHER ? (int)(count - at) : TOGETHER;
        for (int r = 0; r < some; r++) high[r] = values[at + r] / DIGITS;
        for (int which = 0; which < 2; which++) {
            digits_of(tables, y + at * 3 * tables->components, guess + at, which ? high : 0, some, frequencies);
            for (int r = 0; r < some; r++) {
                const int32_t *row = frequencies + r * DIGITS;
                const int digit = which ? values[at + r] % DIGITS : high[r];
                int32_t low = 0;
                for (int i = 0; i < digit; i++) low += row[i];
                out[which * count + at + r] = (Interval){(uint32_t)low, (uint32_t)row[digit]};
            }
        }
    }
}
