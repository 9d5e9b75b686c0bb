/* The structures of masked networks and the functions that work on them; `masked_structures.py` has the same. Included by
 * core.h. */

enum {
    WINDOWS = 64, /* at most */
    OFFSETS = 8,  /* of a window, at most */
    HEAD = 64,    /* channels of an attention head */
    REACHES = 8   /* at most */
};

typedef struct {
    int64_t bits, offsets;
    int64_t offset[OFFSETS];
    const int8_t *table; /* [rows, alphabet] */
} Window;

/* position  [heads, 2 * length - 1], in steps of a product of codes, and half a step of a score, by which is rounded */
typedef struct {
    Linear query, keys_values, out;
    const int32_t *position;
} Attention;

/* A masked transformer: sizes, weights and tables. reach: the largest offset of any window; stride: of
 * codes; told: of the codes that a place is told */
typedef struct {
    int64_t alphabet, length, width, depth, heads, hidden, embed, windows, reach, stride, told;
    Window window[WINDOWS];
    const int8_t *place, *time; /* [length, embed], [times, embed] */
    Linear inputs, head;
    Attention attention[DEPTH];
    Mlp mlp[DEPTH];
    const int32_t *weight; /* of a distance to the largest score */
    int64_t weight_last;
    const int32_t *exp;
    int64_t exp_last;
} Transformer;

/* What calls for the same items share: of each, the codes that its places are told, and keys and values of the first
 * layer, pairs of integers of 16 bits. Of one item alone with several layers, their residual instead of codes. */
typedef struct {
    int64_t first;         /* the item that lies first */
    uint8_t *codes;        /* [items, length, told] */
    int16_t *residual;     /* [length, padded width] */
    uint32_t *key, *value; /* [items, heads, padded length / BLOCK, HEAD / 2, BLOCK], [.., HEAD / BLOCK, .. / 2, BLOCK] */
} Cache;

/* What a thread needs for a tile of ROWS rows; deep is for one item. */
typedef struct {
    uint8_t *symbols;                 /* [length + 2 * reach]: of an item, or whether they are new */
    uint64_t *seeing;                 /* [length]: of each place that is renewed, a bit for each window with new symbols */
    uint8_t *codes;                   /* [ROWS, stride] */
    int32_t *residual, *sums, *score; /* [ROWS, the largest number of outputs]; score: [ROWS, padded length] */
    int16_t *query, *weight;          /* [ROWS, heads * HEAD]; [ROWS, padded length] */
    Cache deep;
} Desk;

/* A call for items first..last of a batch: which places of each are to be renewed in the cache, and which are wanted.
 * values  [items, length], known  [length], out  [items, wanted, alphabet]
 * news    [length], where symbols have become known since the last call; or 0: all is new, the known share, too */
typedef struct {
    int64_t first, last, time;
    const uint8_t *values, *known, *news;
    const int64_t *stale, *wanted;
    int64_t stales, wants;
    int32_t *out;
} Ask;

/* Layers of a masked convolutional network: a convolution over 3x3 positions and the layer behind its gate. */
typedef struct {
    Linear conv, out;
} Around;

/* A masked convolutional network. Images are of so many pixels and channels; positions are those of the half-size grid,
 * of which each has so many dimensions. stride: of codes; told: codes of a position; size: of what describes a digit */
typedef struct {
    int64_t height, across, channels, dimensions, base, stages, bits, embed, told, features, width, hidden, depth, size;
    int64_t fine_inputs, fine_head, direct, components, limit, stride, windows;
    int64_t reach[REACHES];
    const int8_t *tokens, *time;
    Linear inputs, head;
    Around block[DEPTH];
    const int32_t *exp;
    int64_t exp_last;
    const int32_t *inverse, *cdf; /* of logistics */
} ConvNet;

/* From top to before bottom, from left to before right. */
typedef struct {
    int64_t top, bottom, left, right;
} Rectangle;

/* What a thread needs for an image. Of pixels: those of `ImageAsk.wide` or of the first field, [rows, columns, channels].
 * below   [rows + 1]: sums of all rows above; across  of one row: of all columns to the left, from far beyond the ends
 * seen    codes [positions] in a frame of zeros; codes: the same of a residual
 * told    [ROWS, stride], for a product */
typedef struct {
    int32_t *middle, *below, *across, *counts, *averages, *guess;
    uint8_t *seen, *codes, *told;
    int32_t *x, *residual, *sums, *y;
    double *masses;
} Easel;

/* A call for items first..last of a batch: see `masked_convnet.Asked`.
 * values  [items, dimensions of an image]; known  of an image; first_row  of the tokens of this stage; time  its row */
typedef struct {
    int64_t first, last, stage, first_row, time;
    const uint8_t *values, *known;
    const Rectangle *fields; /* [depth + 2] */
    Rectangle wide;          /* in pixels */
    const int64_t *places, *rows, *wanted, *told;
    int64_t count, wants; /* of places, and of the others */
    int32_t *out;         /* [items, wants, base] */
} ImageAsk;

typedef struct {
    void (*pair_product)(const uint32_t *weight, int64_t inputs, int64_t outputs, const int16_t *rows, int64_t stride,
                         int64_t count, int32_t *out);
    void (*transformer)(const Transformer *, const Cache *, const Desk *, const Ask *);
    void (*convnet)(const ConvNet *, const Easel *, const ImageAsk *);
} Masked;
