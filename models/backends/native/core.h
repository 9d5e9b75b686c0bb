/* The structures that Python fills (`structures.py` has the same fields in the same order) and the functions that work
 * on them. All memory is Python's: the core allocates nothing, and keeps nothing between calls but in these structures.
 *
 * Only C11 and integers, besides the single correctly rounded operations that the NumPy layers use. It must be compiled
 * without -ffast-math, so that each of them is one.
 */
#ifndef CATZIP_CORE_H
#define CATZIP_CORE_H

#include <float.h>
#include <stdint.h>

#if !defined(FLT_EVAL_METHOD) || FLT_EVAL_METHOD != 0
#error "this compiler keeps more digits than float and double have"
#endif
#if defined(__FAST_MATH__)
#error "-ffast-math would change results"
#endif

enum {
    QUAD = 4,    /* inputs that a dot product takes together: what layers have is padded to it */
    BLOCK = 16,  /* outputs that lie together in a weight: the same */
    ROWS = 96,   /* of a tile: symbols that go through the network together, so that they stay in the cache */
    NGRAMS = 16, /* at most */
    DEPTH = 16,
    CONTEXTS = 12,
    RICH = 12, /* contexts of the rich mixture */
    MATCHES = 2,
    INPUTS = 32,
    SELECTORS = 4,
    STAGES = 4
};

/* A layer: integers [rows, outputs] = floor(sum * scale + offset), where sum = start + (codes + 128) @ weight.
 * weight  int8 in blocks, [outputs / BLOCK][inputs / QUAD][BLOCK][QUAD], or [inputs][outputs], as the variant likes
 * start   -128 times the sum of the weights of each output, since codes are kept as bytes code + 128 */
typedef struct {
    int64_t inputs, outputs;
    const int8_t *weight;
    const int32_t *start;
    const float *scale, *offset;
} Linear;

typedef struct {
    Linear forget, candidate, gate, out;
} Recurrent;

typedef struct {
    Linear inputs, out; /* inputs: the gate's outputs, then the others, as many */
} Mlp;

typedef struct {
    int64_t order, bits;
    const int8_t *table; /* [2**bits, embed] */
} Ngram;

/* What is the same for all frames: sizes, weights and tables. width, state and hidden are true ones; arrays of them
 * are padded to BLOCK. decisions: bits of a symbol */
typedef struct {
    int64_t alphabet, decisions, width, state, depth, hidden, embed, ngrams, stride;
    Ngram ngram[NGRAMS];
    const int8_t *match;
    Linear inputs, head;
    Recurrent recurrent[DEPTH];
    Mlp mlp[DEPTH];
    const int32_t *renew; /* 2**12 - sigmoid, [2 * 511 + 1] */
    const int32_t *exp;
    int64_t exp_last; /* its last index */
    /* the mixture */
    int64_t orders, contexts, phrases, by_age, refined; /* the last: whether there is an SSE stage */
    int64_t order[CONTEXTS];
    const int16_t *stretch;
    const uint16_t *squash;
    const int32_t *adapt;
    int64_t oldest;        /* the last index of adapt */
    const uint8_t *level;  /* of a count, [1024] */
    const uint64_t *letter; /* [256] */
    int64_t rich;           /* whether the mixture is the rich one */
} Model;

/* What a thread needs to run the network on a tile of ROWS symbols. */
typedef struct {
    uint8_t *codes;                 /* [ROWS, stride] */
    int32_t *x, *one, *two, *three; /* [ROWS, the largest number of outputs] */
    int32_t *row;                   /* the same, of one row */
} Work;

/* A lane at a decision: what was read and is to learn. */
typedef struct {
    uint32_t slot[CONTEXTS], map[2];
    int32_t counter[CONTEXTS], mapped[2];
    int32_t t[CONTEXTS + 1];
    uint32_t set[CONTEXTS + 1];
    int32_t p;
} Lane;

/* The same in the rich mixture, and what the lane knows at a step. */
typedef struct {
    uint64_t key[RICH], up;
    uint32_t line[RICH], tag[RICH], slot[RICH], place, set[SELECTORS], cell[STAGES];
    int32_t map[RICH], t[INPUTS], z[SELECTORS], p[SELECTORS], last, staged[STAGES], node;
    int32_t expected[MATCHES], state[MATCHES], row[MATCHES], bit[MATCHES], trust[MATCHES];
} RichLane;

/* What a frame carries besides for the rich mixture. */
typedef struct {
    int64_t record, line_bits, stage_bits, rate, rate_now, rate_last;
    uint32_t *lines;         /* [RICH, 2**line_bits, 16] */
    int32_t *maps, *nodes;   /* [RICH, 256], [2**decisions] */
    int32_t *weights, *last; /* [SELECTORS, 256, INPUTS], [decisions, SELECTORS] */
    int32_t *stages;         /* [STAGES, 2**stage_bits, 17] */
    int32_t *trust, *known;  /* [MATCHES, 64], [MATCHES, 2**(64 - match_shift)] */
    int64_t *pointer, *held, *misses; /* [MATCHES, lanes] */
    uint64_t *recent;                 /* [lanes] */
    int64_t *line, *before;           /* [lanes]: the steps where this line and that before it start */
    RichLane *lane;
} Rich;

/* What a frame carries from step to step. */
typedef struct {
    int64_t lanes, length, count; /* length: steps of all */
    int64_t step, mixed;          /* how many are done, by the contexts and by the mixture */
    uint64_t *recent;                   /* [lanes] */
    int64_t match_shift, match_mask;
    uint64_t *match_keys;
    int64_t *match_places;
    uint8_t *text;              /* [lanes, length] */
    int64_t *pointer, *matched; /* [lanes] */
    int32_t *states;            /* [depth, lanes, state] */
    int64_t bits, map_bits, rate;
    int32_t *counters, *maps;
    int64_t *weights;       /* [decisions, contexts + 1, 16] */
    uint64_t *word, *before; /* [lanes] */
    Lane *lane;
    uint64_t *keys; /* [lanes, CONTEXTS + 2] of contexts and maps */
    uint32_t *node; /* [lanes] */
    int32_t *below; /* [lanes, 2**decisions + 1] */
    int32_t *said;  /* [lanes]: what the network says of a decision */
    uint8_t *bit;   /* [lanes] */
    Rich *rich;     /* 0 where the mixture is not the rich one */
} Frame;

/* What a step, or many, have for the network and the mixture: [steps, lanes]. */
typedef struct {
    uint64_t *past;
    uint16_t *row;   /* of the match table */
    uint8_t *length; /* of the match */
    uint16_t *said;  /* [steps, decisions, lanes] of known symbols */
} Seen;

/* rANS: the words below the head, the first pushed first. */
typedef struct {
    uint64_t head;
    uint32_t *words;
    int64_t count;
} Stack;

enum { DONE = 0, OUTSIDE = 1 };

#include "flow_core.h"

#include "masked_core.h"

typedef struct {
    const char *name;
    int64_t in_blocks; /* whether weights are */
    int (*supported)(void);
    void (*product)(const Linear *, const uint8_t *codes, int64_t stride, int64_t rows, int32_t *out);
    void (*norm)(const int32_t *x, int64_t rows, int64_t width, uint8_t *codes, int64_t stride);
    void (*frequencies)(const Model *, const int32_t *logits, int32_t *out);
    void (*contexts)(Frame *, const uint8_t *grid, int64_t steps, Seen *);
    void (*network)(const Model *, const Frame *, Work *, int64_t steps, int64_t first, int64_t last, const Seen *,
                    const uint8_t *grid);
    void (*mixture)(const Model *, Frame *, const uint8_t *grid, int64_t steps, const Seen *, uint8_t *bits,
                    uint16_t *chances);
    void (*predict)(const Frame *, Seen *);
    void (*begin)(const Model *, Frame *, const Seen *);
    void (*ask)(const Model *, Frame *, const Seen *, int64_t decision);
    void (*tell)(const Model *, Frame *, int64_t decision);
    int (*end)(const Model *, Frame *, uint8_t *column);
    int (*pop_step)(const Model *, Frame *, const Seen *, Stack *, uint8_t *column);
    int (*pop_steps)(const Model *, Frame *, Work *, int64_t steps, Seen *, Stack *, uint8_t *grid);
    const Flows *flows;
    const Masked *masked;
} Core;

#endif
