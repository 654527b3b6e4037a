/* Functions that the tables of all kernels of AVX-512 have (avx512.c); kernels.h says what each
 * does. */
#ifndef TQ_AVX512_H
#define TQ_AVX512_H

#include "kernels.h"

void tq_avx512_unpack(const struct product *p, uint32_t row, uint32_t from, uint32_t n, int8_t *v);
void tq_avx512_unpack_row(const struct product *p, uint32_t row, int8_t *v);
void tq_avx512_float_sums(const struct product *p, const struct window *w, float *T);
void tq_avx512_affine_sums(const struct affine *f, uint32_t pixels, const int32_t *T, float *Y);
void tq_avx512_affine_floats(const struct affine *f, uint32_t pixels, const float *X, size_t step,
                             float *Y);
int tq_avx512_quantize(uint32_t pixels, uint32_t c, float top, const float *Y, uint8_t *codes,
                       size_t step);
int tq_avx512_code_sums(const struct affine *f, uint32_t pixels, const int32_t *T, float top,
                        uint8_t *codes, size_t step);
int tq_avx512_code_floats(const struct affine *f, uint32_t pixels, const float *X, size_t from,
                          float top, uint8_t *codes, size_t step);
void tq_avx512_add(uint32_t pixels, uint32_t c, float alpha, float beta, const float *X,
                   size_t step, float *Y);

/* Sums of `cols` neighbouring places each, windows `stride` places apart. */
static inline void tq_sum_neighbours(const int32_t *place, uint32_t cols, uint32_t stride,
                                     uint32_t pixels, int32_t *box) {
    for (uint32_t i = 0; i < pixels; i++)
        box[i] = place[i * stride];
    for (uint32_t t = 1; t < cols; t++)
        if (stride == 1) // so that it vectorises
            for (uint32_t i = 0; i < pixels; i++)
                box[i] += place[i + t];
        else
            for (uint32_t i = 0; i < pixels; i++)
                box[i] += place[i * stride + t];
}

#endif
