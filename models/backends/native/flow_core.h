/* The structures of flows and the functions that work on them; `flow_structures.py` has the same. Included by core.h. */

enum { BLOCKS = 16, CHANNELS = 3, NEIGHBOURS = 16 }; /* at most */

/* The layers of a gated block: a convolution, whose inputs are [row, column, padded channel], and what follows it. */
typedef struct {
    Linear conv, out;
} ConvBlock;

/* The network that describes one phase at one level. Sizes are true ones. stride: of what heads see, in bytes.
 * places: [neighbours, 3], the phase, row and column of each */
typedef struct {
    int64_t features, width, hidden, depth, components, stride, fine_inputs, fine_heads, neighbours;
    const int32_t *places;
    Linear inputs, head[CHANNELS];
    ConvBlock block[BLOCKS];
} Prior;

/* Room for blocks on an image: its codes with a frame, and sums and gated codes of ROWS pixels. */
typedef struct {
    int64_t height, width;
    uint8_t *codes; /* [height + 2, width + 2, padded channels], all 128 at first */
    int32_t *sums;
    uint8_t *gated;
} Image;

/* A level of a batch of images while its phases become known. */
typedef struct {
    int64_t batch, channels, height, width;
    uint8_t *wide;        /* [4, channels, batch, height + 4, width + 4]: planes of phases with their margins */
    int32_t *x;           /* [batch, height, width, padded width of the network] */
    uint8_t *head_inputs; /* [batch, height, width, stride]: codes of the stream, of `look`, of channels before */
    int16_t *guess;       /* [channels, batch, height, width], in half levels */
    Image image;
} Level;

/* The tables of logistics. */
typedef struct {
    int64_t components, exp_last;
    const int32_t *exp, *inverse, *cdf;
} Logistic;

/* What codes a digit: the frequency of all smaller ones, and its own. */
typedef struct {
    uint32_t low, size;
} Interval;

/* What a fit has seen of a head. codes: bytes [rows, stride], a bias the last of their columns, which are padded */
typedef struct {
    int64_t rows, columns, stride;
    const uint8_t *codes;
    const int16_t *y, *guess;
    const uint8_t *values;
} Recorded;

typedef struct {
    void (*convolve)(const Linear *, const uint8_t *codes, int64_t pixel, int64_t row, int64_t count, int32_t *out);
    void (*widen)(const Level *, int64_t phase, int64_t channel, const uint8_t *plane, int64_t height, int64_t width);
    void (*describe)(const Prior *, const Level *);
    void (*mixtures)(const Prior *, const Level *, int64_t channel, int64_t height, int64_t width,
                     const Linear *correction, int16_t *y, int16_t *guess);
    void (*beside)(const Prior *, const Level *, int64_t phase, int64_t channel);
    void (*digits)(const Logistic *, const int16_t *y, const int16_t *guess, const uint8_t *high, int64_t count,
                   int32_t *frequencies);
    void (*intervals)(const Logistic *, const int16_t *y, const int16_t *guess, const uint8_t *values, int64_t count,
                      Interval *out);
    void (*push_intervals)(Stack *, const Interval *, int64_t count);
    void (*pop_digits)(Stack *, const int32_t *frequencies, int64_t count, uint8_t *digits);
    double (*gradients_at)(const Logistic *, const Recorded *, const Linear *weights, int32_t *sums, int16_t *gradients);
    void (*normal)(const Recorded *, const int16_t *gradients, int16_t *room, int64_t *fisher, int64_t *sums);
    void (*solve)(double *rows, int64_t count);
} Flows;
