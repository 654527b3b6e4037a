/* What quantizers with a learned step h have in common (LSQ arXiv 1902.08153, Double Rounding
 * 2502.01199). Codes are signed; with v = W / h:
 *
 *   q_N = clip(round(v), -2^(N-1), 2^(N-1) - 1)
 *   q_k = clip(round(q_N / 2^(N-k)), -2^(k-1), 2^(k-1) - 1)    ties to even, both times
 *   Ŵ   = c q_k h,  c = 2^(N-k)
 *
 * LSQ at k bits is this with N = k. Backward, with Qn and Qp the bounds of N bits:
 *   dŴ/dW = 1 where -Qn <= v <= Qp, else 0
 *   dŴ/dh = (c q_k - v where so, else c q_k) / √(n Qp)
 *
 * h is learned like any parameter; it is used as no less than STEP_MIN, and its gradient passes
 * there, so that it can come back. A NaN of W or h stays one. */
#ifndef QUANT_LEARNED_STEP_H
#define QUANT_LEARNED_STEP_H

#include "quant/quantizer.h"

#define STEP_MIN 1e-8f

/* The step as it is used. */
float learned_step_of(float h);

/* 2^(k-1) - 1, k >= 2. */
int learned_step_top(int k);

void learned_step_quantize(size_t n, const float *W, float h, int N, int k, float *W_hat);

/* Adds dL/dW to dW and dL/dh to *dh. */
void learned_step_backward(size_t n, const float *W, float h, int N, int k, const float *dW_hat,
                           float *dW, float *dh);

/* q_k in two's complement; that of a NaN is 0. */
void learned_step_encode(size_t n, const float *W, float h, int N, int k, uint8_t *codes);

/* Slots. The header says what a code of N bits is worth, h, so that one of k bits is worth 2^(N-k)
 * h; codes of a frozen layer are cut by an arithmetic shift. */
size_t learned_step_header_floats(const struct quant_layer *);
void learned_step_integer_form(const struct quant_layer *, const float *header, int k,
                               struct integer_form *form);
void learned_step_decode(const struct quant_layer *, const uint8_t *codes, const float *header,
                         int k, float *W_hat);
uint8_t learned_step_truncate(uint8_t code, int stored_bits, int k);

#endif
