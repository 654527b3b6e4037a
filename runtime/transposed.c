/* Large linear layers straight from the planes, where the processor has GFNI beside VNNI: what
 * planes.c does by a masked addition for each plane and 64 codes is here a transposition of bits.
 *
 * Of 512 codes of a filter, each plane has 64 bytes. Interleaved, the bytes that belong to eight
 * codes are a matrix of bits, a row for each plane; multiplied with the unit vectors it gives the
 * codes. A matrix has eight rows: of few bits those of several places are in one, so that a byte
 * holds `fields` codes, one for each of them, which are masked but not shifted; each has a sum of
 * its own that is shifted in the end.
 *
 *     bits   fields of a byte, the first at the top
 *     1      8 of 1 bit
 *     2      4 of 2
 *     3, 4   2 of 4, codes at their tops
 *     5 ...  1, the code at its top
 *
 * The first field is signed: its sign bit is inverted. The others are u = v + 2^(k-1), so that
 * 2^(k-1) Σ x of their inputs is taken off. Interleaving leaves the codes in another order, in
 * which the inputs are laid out once for all filters. */
#include "kernels.h"

#if defined(__GFNI__) && defined(__AVX512VNNI__) && defined(__AVX512BW__)

#include <immintrin.h>

#define INLINE static inline __attribute__((always_inline))

/* Codes of a block: a cache line of each plane. Sums that are kept in registers. Bytes of all
 * planes that are asked for before they are needed: rows are too short for the processor to see
 * where the next ones lie. */
enum { BLOCK = 512, VECTORS = BLOCK / 64, SUMS = 8, AHEAD = 1 << 14 };

INLINE int fields_of(int k) {
    return k == 1 ? 8 : k == 2 ? 4 : k <= 4 ? 2 : 1;
}

/* ---- inputs ---- */

/* Inputs of one image, in blocks; before them, what is taken off. */
enum { HEAD = 64 };

static size_t image_bytes(const struct product *p) {
    return HEAD + ((size_t)p->layer->inputs + BLOCK - 1) / BLOCK * BLOCK;
}

/* Images of a batch lie at least as far apart as they are long. */
size_t tq_transposed_bytes(const struct product *p) {
    return (p->span / p->layer->inputs + 1) * image_bytes(p);
}

/* Eight inputs of each place in a block, `place` 0 ... 63: where the codes of that place come to
 * be, a quarter, a matrix in it, and a field in that. */
static size_t place_of(size_t place, size_t fields) {
    size_t quarter = place / 16, field = place % fields, matrix = place % 16 / fields;
    return 64 * (matrix / 2 * fields + field) + 16 * quarter + 8 * (matrix % 2);
}

static void lay_out(const uint8_t *x, size_t n, int k, uint8_t *to) {
    size_t fields = (size_t)fields_of(k);
    int32_t taken_off = 0;
    memset(to + HEAD + n / BLOCK * BLOCK, 0, n % BLOCK ? BLOCK : 0);
    for (size_t i = 0; i < n; i += 8) {
        size_t place = i % BLOCK / 8, there = n - i < 8 ? n - i : 8;
        memcpy(to + HEAD + i / BLOCK * BLOCK + place_of(place, fields), x + i, there);
        for (size_t j = 0; place % fields && j < there; j++)
            taken_off += x[i + j];
    }
    taken_off *= 1 << (k - 1);
    memcpy(to, &taken_off, sizeof taken_off);
}

/* ---- codes ---- */

/* Planes of a block, from the most significant one on; those that are not there are 0. */
INLINE void load_planes(const uint8_t *const *planes, size_t at, __mmask64 there,
                        __m512i p[TQ_BITS], const int k) {
    for (int i = 0; i < TQ_BITS; i++)
        p[i] = i < k ? _mm512_maskz_loadu_epi8(there, planes[i] + at) : _mm512_setzero_si512();
    for (int i = 0; i < k; i++)
        _mm_prefetch((const char *)planes[i] + at + AHEAD / k, _MM_HINT_T0);
}

/* VECTORS / fields vectors of matrices: neighbouring planes by bytes, then by twos, then by fours.
 */
INLINE void interleave(const __m512i p[TQ_BITS], __m512i matrices[VECTORS], const int fields) {
    __m512i twos[8], fours[8];
    for (int i = 0; i < 4; i++) {
        twos[i] = _mm512_unpacklo_epi8(p[2 * i], p[2 * i + 1]);
        twos[4 + i] = _mm512_unpackhi_epi8(p[2 * i], p[2 * i + 1]);
    }
    for (int i = 0; i < 8; i += 2) {
        fours[i] = _mm512_unpacklo_epi16(twos[i], twos[i + 1]);
        fours[i + 1] = _mm512_unpackhi_epi16(twos[i], twos[i + 1]);
    }
    if (fields == 8)
        matrices[0] = p[0];
    for (int half = 0; half < 2 && fields < 8; half++) {
        const __m512i *of = fours + 4 * half; // planes 0 ... 3 of half of the places; then 4 ... 7
        if (fields == 4)
            matrices[half] = twos[4 * half];
        for (int i = 0; i < 2 && fields == 2; i++)
            matrices[2 * half + i] = of[i];
        for (int i = 0; i < 2 && fields == 1; i++) {
            matrices[4 * half + 2 * i] = _mm512_unpacklo_epi32(of[i], of[2 + i]);
            matrices[4 * half + 2 * i + 1] = _mm512_unpackhi_epi32(of[i], of[2 + i]);
        }
    }
}

/* In the order of lay_out. */
INLINE void make_codes(const __m512i p[TQ_BITS], __m512i codes[VECTORS], const int fields) {
    const __m512i units = _mm512_set1_epi64((long long)0x8040201008040201ULL);
    const int width = 8 / fields;
    __m512i matrices[VECTORS];
    interleave(p, matrices, fields);
    for (int m = 0; m < VECTORS / fields; m++) {
        __m512i all = _mm512_gf2p8affine_epi64_epi8(units, matrices[m], 0x80);
        for (int t = 0; t < fields; t++) {
            int mask = ((1 << width) - 1) << (8 - width * (t + 1));
            codes[m * fields + t] =
                fields > 1 ? _mm512_and_si512(all, _mm512_set1_epi8((char)mask)) : all;
        }
    }
}

/* ---- sums ---- */

/* Sums of one image: `kept` of them, one after the other for each field. */
INLINE int32_t finish(const __m512i *sum, const uint8_t *image, const int kept, const int fields,
                      const int k) {
    const int width = 8 / fields;
    __m512i all = _mm512_setzero_si512();
    int32_t taken_off;
    for (int i = 0; i < kept; i++) // each is a multiple of what it is divided by
        all = _mm512_add_epi32(
            all,
            _mm512_srai_epi32(sum[i], (unsigned)(width - k + width * (fields - 1 - i % fields))));
    memcpy(&taken_off, image, sizeof taken_off);
    return _mm512_reduce_add_epi32(all) - taken_off;
}

/* Of one filter and some images. */
INLINE void sum_filter(const struct product *p, uint32_t filter, uint32_t image, int32_t *T,
                       const int images, const int k) {
    const int fields = fields_of(k), kept = fields == 1 ? 2 : fields;
    const uint8_t *planes[TQ_BITS],
        *x = (const uint8_t *)p->packed + (size_t)image * image_bytes(p);
    const size_t bytes = p->layer->row_bytes, step = image_bytes(p);
    __m512i sum[SUMS];
    tq_row_planes(p->model, p->layer, k, filter, planes);
    for (int i = 0; i < images * kept; i++)
        sum[i] = _mm512_setzero_si512();
    for (size_t at = 0; at < bytes; at += BLOCK / 8) {
        size_t left = bytes - at;
        __m512i of_plane[TQ_BITS], codes[VECTORS];
        load_planes(planes, at, left < 64 ? ((uint64_t)1 << left) - 1 : ~(uint64_t)0, of_plane, k);
        make_codes(of_plane, codes, fields);
        for (int n = 0; n < images; n++)
            for (int i = 0; i < VECTORS; i++) {
                __m512i inputs = _mm512_loadu_si512(x + (size_t)n * step + HEAD + 8 * at + 64 * i);
                __m512i *to = &sum[n * kept + i % kept];
                *to = _mm512_dpbusd_epi32(*to, inputs, codes[i]);
            }
    }
    for (int n = 0; n < images; n++)
        T[((size_t)image + (size_t)n) * p->filters + filter] =
            finish(sum + n * kept, x + (size_t)n * step, kept, fields, k);
}

INLINE void sum_filters(const struct product *p, uint32_t images, int32_t *T, const int k) {
    const int fields = fields_of(k), together = SUMS / (fields == 1 ? 2 : fields);
    for (uint32_t f = 0; f < p->filters; f++) {
        uint32_t i = 0;
        for (; i + (uint32_t)together <= images; i += (uint32_t)together)
            sum_filter(p, f, i, T, together, k);
        for (; i < images; i++)
            sum_filter(p, f, i, T, 1, k);
    }
}

#define WIDTH(k)                                                                                   \
    case k:                                                                                        \
        sum_filters(p, w->pixels, T, k);                                                           \
        break

void tq_transposed_sums(const struct product *p, const struct window *w, int32_t *T) {
    for (uint32_t i = 0; i < w->pixels; i++)
        lay_out((const uint8_t *)w->x + i * w->pixel, p->layer->inputs, p->k,
                (uint8_t *)p->packed + i * image_bytes(p));
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

#endif
