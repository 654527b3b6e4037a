/* Large linear layers straight from the planes, with AVX-512 and VNNI: what limits them is what is
 * read from memory, and of k bits that is k planes. 64 codes of a filter are made in a register,
 * one masked addition for each plane, multiplied with 64 inputs, and forgotten. Nothing is kept of
 * the weights, so that setting a width costs nothing. */
#include "kernels.h"

#if defined(__AVX512VNNI__) && defined(__AVX512BW__) && defined(__AVX512DQ__)

#include <immintrin.h>

/* Below this many weights, bytes that were unpacked before stay in the caches and are faster. */
enum { LEAST_WEIGHTS = 1 << 20, FILTERS = 4, IMAGES = 4, CODES = 64 };

/* Codes of a cache line of a plane; bytes of all planes that are asked for before they are needed.
 */
enum { BLOCK = 512, AHEAD = 1 << 14 };

int tq_is_direct(const struct product *p) {
    int is_dense = p->rows == 1 && p->is_row && (p->step == p->channels || p->cols == 1);
    return p->is_linear && is_dense && p->layer->inputs >= CODES &&
           (uint64_t)p->layer->inputs * p->filters >= LEAST_WEIGHTS;
}

/* Codes i ... i + 63 of a filter whose bits begin `row` bytes behind. */
static inline __attribute__((always_inline)) __m512i codes_at(const uint8_t *const *planes,
                                                              size_t row, int k, size_t i) {
    __m512i v = _mm512_set1_epi8((char)-(1 << (k - 1)));
    for (int plane = 0; plane < k; plane++)
        v = _mm512_mask_add_epi8(v, tq_u64(planes[plane] + row + i / 8), v,
                                 _mm512_set1_epi8((char)(1 << (k - 1 - plane))));
    return v;
}

/* Rows of a plane lie one after the other, but are too short for the processor to see that: each
 * line is asked for some time before it is needed. */
static inline __attribute__((always_inline)) void fetch_ahead(const uint8_t *const *planes,
                                                              size_t at, int k) {
    for (int plane = 0; plane < k; plane++)
        _mm_prefetch((const char *)planes[plane] + at + AHEAD / (size_t)k, _MM_HINT_T0);
}

/* Σ v x of some filters and images. */
static inline __attribute__((always_inline)) void
sum_filters(const struct product *p, uint32_t filter, const struct window *w, uint32_t image,
            int32_t *T, const int filters, const int images, const int k) {
    const uint8_t *planes[TQ_BITS], *x = (const uint8_t *)w->x + image * w->pixel;
    const size_t inputs = p->layer->inputs, row = p->layer->row_bytes;
    __m512i sum[FILTERS][IMAGES];
    tq_row_planes(p->model, p->layer, k, filter, planes);
    for (int f = 0; f < filters; f++)
        for (int n = 0; n < images; n++)
            sum[f][n] = _mm512_setzero_si512();
    for (size_t block = 0; block < inputs; block += BLOCK) {
        size_t end = inputs - block < BLOCK ? inputs : block + BLOCK;
        for (int f = 0; f < filters; f++)
            fetch_ahead(planes, (size_t)f * row + block / 8, k);
        for (size_t i = block; i < end; i += CODES) {
            size_t left = inputs - i;
            __mmask64 there = left < CODES ? ((uint64_t)1 << left) - 1 : ~(uint64_t)0;
            for (int f = 0; f < filters; f++) {
                __m512i v = codes_at(planes, (size_t)f * row, k, i);
                for (int n = 0; n < images; n++)
                    sum[f][n] = _mm512_dpbusd_epi32(
                        sum[f][n], _mm512_maskz_loadu_epi8(there, x + (size_t)n * w->pixel + i), v);
            }
        }
    }
    for (int f = 0; f < filters; f++)
        for (int n = 0; n < images; n++)
            T[((size_t)image + (size_t)n) * p->filters + filter + (uint32_t)f] =
                _mm512_reduce_add_epi32(sum[f][n]);
}

/* All images for some filters. */
static inline __attribute__((always_inline)) void sum_images(const struct product *p, uint32_t f,
                                                             const struct window *w, int32_t *T,
                                                             const int filters, const int k) {
    uint32_t i = 0;
    for (; i + IMAGES <= w->pixels; i += IMAGES)
        sum_filters(p, f, w, i, T, filters, IMAGES, k);
    for (; i < w->pixels; i++)
        sum_filters(p, f, w, i, T, filters, 1, k);
}

/* Filters side by side, so that no sum waits for the one before; of more bits there are more planes
 * to be read at once, which the processor has to see coming. */
#define FILTERS_OF(bits) ((bits) <= 4 ? FILTERS : 1)

#define WIDTH(bits)                                                                                \
    case bits:                                                                                     \
        for (; f + FILTERS_OF(bits) <= p->filters; f += FILTERS_OF(bits))                          \
            sum_images(p, f, w, T, FILTERS_OF(bits), bits);                                        \
        for (; f < p->filters; f++)                                                                \
            sum_images(p, f, w, T, 1, bits);                                                       \
        break

void tq_direct_sums(const struct product *p, const struct window *w, int32_t *T) {
    uint32_t f = 0;
    switch (p->k) {
        WIDTH(1);
        WIDTH(2);
        WIDTH(3);
        WIDTH(4);
        WIDTH(5);
        WIDTH(6);
        WIDTH(7);
        WIDTH(8);
    }
}

void tq_direct_pack(struct product *p) {
    p->factor = p->layer->form[p->k].factor;
    p->odd = p->layer->form[p->k].odd;
}

#endif
