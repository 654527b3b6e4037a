/* The kurtosis regulariser KURE (2002.07686, eq. 11): pulls the distribution of a layer's weights
 * towards the uniform one, whose kurtosis is 1.8, since that suffers least from another quantizer
 * than it was trained with. */
#ifndef QUANT_KURTOSIS_H
#define QUANT_KURTOSIS_H

#include <stddef.h>

/* Returns (K - 1.8)², K = mean((W - μ)⁴) / mean((W - μ)²)² (Pearson's: 3 for the normal
 * distribution), and adds `weight` times its gradient to dW, with c = W - μ, m2, m3 and m4 the
 * central moments:
 *
 *     dK/dW_i = 4 / (n m2²) · (c_i³ - m3 - m4 / m2 · c_i)
 *
 * 0 without a gradient when all weights are equal. */
double kurtosis_loss(size_t n, const float *W, double weight, float *dW);

#endif
