/* The structures of the masked networks; `masked_structures.py` has the same fields in the same order. */
#ifndef CATZIP_MASKED_H
#define CATZIP_MASKED_H

enum {
    WINDOWS = 64, /* at most */
    OFFSETS = 8,  /* of a window, at most */
    HEAD = 64     /* channels of an attention head */
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

#endif
