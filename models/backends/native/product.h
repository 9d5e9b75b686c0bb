/* The integer product: codes [rows, inputs], each code + 128 in a byte, times a weight. No sum leaves int32.
 *
 * The instructions multiply unsigned bytes by signed ones, which is why codes are kept as bytes. Weights are at most 63
 * in size, so that two products, 2 * 255 * 63, stay within the 16 bits in which AVX2 adds them.
 */
#include <string.h>

#define ALWAYS static inline __attribute__((always_inline))

#if defined(CORE_AVX512_VNNI)
#include <immintrin.h>
typedef __m512i Sums;
enum { PARTS = 1, TALL = 12, WIDE_OF_TALL = 2, WIDE_OF_FEW = 4, WIDE_OF_ONE = 8 };
#define LOAD(from) _mm512_loadu_si512(from)
#define STORE(to, sums) _mm512_storeu_si512(to, sums)
#define SPREAD(four) _mm512_set1_epi32(four)
#define DOT(sums, codes, weight) _mm512_dpbusd_epi32(sums, codes, weight)
#define DOT_PAIRS(sums, a, b) _mm512_dpwssd_epi32(sums, a, b) /* of integers of 16 bits */
#elif defined(CORE_AVX2)
#include <immintrin.h>
typedef __m256i Sums;
enum { PARTS = 2, TALL = 4, WIDE_OF_TALL = 1, WIDE_OF_FEW = 1, WIDE_OF_ONE = 2 };
#define LOAD(from) _mm256_loadu_si256((const __m256i *)(const void *)(from))
#define STORE(to, sums) _mm256_storeu_si256((__m256i *)(void *)(to), sums)
#define SPREAD(four) _mm256_set1_epi32(four)
#define DOT(sums, codes, weight) \
    _mm256_add_epi32(sums, _mm256_madd_epi16(_mm256_maddubs_epi16(codes, weight), _mm256_set1_epi16(1)))
#define DOT_PAIRS(sums, a, b) _mm256_add_epi32(sums, _mm256_madd_epi16(a, b))
#endif

#if defined(DOT)

enum { EACH = BLOCK / PARTS }; /* sums of a register */

/* The sums of `high` rows and `wide` blocks of outputs, which are constants where this is inlined. The codes of a row
 * are in so many pieces of one length, `apart` bytes apart: one, but three rows of pixels for a convolution. */
ALWAYS void dots(const Linear *layer, const uint8_t *codes, int64_t stride, const int pieces, int64_t apart, int32_t *out,
                 int64_t block, const int high, const int wide)
{
    Sums sums[TALL][WIDE_OF_ONE * PARTS];
    const int across = wide * PARTS;
    const int64_t quads = layer->inputs / QUAD, each = quads / pieces;
    const int8_t *weight = layer->weight + block * BLOCK * layer->inputs;
    const int32_t *start = layer->start + block * BLOCK;
#pragma GCC unroll 16
    for (int r = 0; r < high; r++)
#pragma GCC unroll 16
        for (int c = 0; c < across; c++) sums[r][c] = LOAD(start + c * EACH);
    for (int piece = 0; piece < pieces; piece++, codes += apart, weight += each * BLOCK * QUAD)
        for (int64_t k = 0; k < each; k++) {
            Sums columns[WIDE_OF_ONE * PARTS];
#pragma GCC unroll 16
            for (int c = 0; c < across; c++)
                columns[c] = LOAD(weight + ((c / PARTS * quads + k) * PARTS + c % PARTS) * EACH * QUAD);
#pragma GCC unroll 16
            for (int r = 0; r < high; r++) {
                int32_t four;
                memcpy(&four, codes + r * stride + k * QUAD, sizeof four);
                const Sums spread = SPREAD(four);
#pragma GCC unroll 16
                for (int c = 0; c < across; c++) sums[r][c] = DOT(sums[r][c], spread, columns[c]);
            }
        }
#pragma GCC unroll 16
    for (int r = 0; r < high; r++)
#pragma GCC unroll 16
        for (int c = 0; c < across; c++) STORE(out + r * layer->outputs + block * BLOCK + c * EACH, sums[r][c]);
}

/* `high` rows and all outputs. */
ALWAYS void strip(const Linear *layer, const uint8_t *codes, int64_t stride, int32_t *out, const int high, const int wide)
{
    const int64_t blocks = layer->outputs / BLOCK;
    int64_t block = 0;
    for (; block + wide <= blocks; block += wide) dots(layer, codes, stride, 1, 0, out, block, high, wide);
    for (; block < blocks; block++) dots(layer, codes, stride, 1, 0, out, block, high, 1);
}

static void product(const Linear *layer, const uint8_t *codes, int64_t stride, int64_t rows, int32_t *out)
{
    int64_t r = 0;
    for (; r + TALL <= rows; r += TALL)
        strip(layer, codes + r * stride, stride, out + r * layer->outputs, TALL, WIDE_OF_TALL);
    for (; r + 4 <= rows; r += 4) strip(layer, codes + r * stride, stride, out + r * layer->outputs, 4, WIDE_OF_FEW);
    for (; r < rows; r++) strip(layer, codes + r * stride, stride, out + r * layer->outputs, 1, WIDE_OF_ONE);
}

#else

/* Elsewhere loops that a compiler makes vectors of: weights lie by inputs, and a quad of them goes to all outputs. Two
 * products fit 16 bits. */
static __attribute__((noinline)) void accumulate(const int8_t *restrict weight, const uint8_t *restrict code,
                                                 int64_t outputs, int32_t *restrict sums)
{
    const int16_t a = code[0], b = code[1], c = code[2], d = code[3];
    for (int64_t o = 0; o < outputs; o++) {
        const int16_t one = (int16_t)(a * weight[o] + b * weight[outputs + o]);
        const int16_t two = (int16_t)(c * weight[2 * outputs + o] + d * weight[3 * outputs + o]);
        sums[o] += one + two;
    }
}

static void product(const Linear *layer, const uint8_t *codes, int64_t stride, int64_t rows, int32_t *out)
{
    const int64_t outputs = layer->outputs;
    for (int64_t r = 0; r < rows; r++, codes += stride, out += outputs) {
        memcpy(out, layer->start, (size_t)outputs * sizeof *out);
        for (int64_t k = 0; k < layer->inputs; k += QUAD) accumulate(layer->weight + k * outputs, codes + k, outputs, out);
    }
}

#endif

/* Whether weights lie in blocks. */
#if defined(DOT)
enum { IN_BLOCKS = 1 };
#else
enum { IN_BLOCKS = 0 };
#endif
