/* One convolution over integers in bf16 through oneDNN, for training: codes of activations and integers of
 * weights (at most 256) are exact in bf16, products are summed in float32, and the scale comes last. So
 * forward rounds no operand. Backward rounds dY to bf16, which is an approximation. In nChw16c. */
#ifndef ENGINE_ONEDNN_BF16_H
#define ENGINE_ONEDNN_BF16_H

#include "engine/onednn_conv.h"

#include <stdint.h>

struct bf16_conv;

/* NULL, without a message, when oneDNN has no kernel of the machine's own bf16 for this geometry. */
struct bf16_conv *bf16_conv_new(struct onednn *o, const struct conv *g, int n, int backward);
void bf16_conv_free(struct bf16_conv *c);

/* Integers in canonical order (filters, c, size, size). */
void bf16_conv_weights(struct bf16_conv *c, const float *W);

/* Y = scale[filter] (W * X); X codes in bf16, scale (filters). */
void bf16_conv_forward(struct bf16_conv *c, const uint16_t *X, const float *scale, float *Y);

/* dW (canonical) = Σ dY · X of the codes; dX = W^T dY, when not NULL. dY in bf16, scaled by its unit. */
void bf16_conv_backward(struct bf16_conv *c, const uint16_t *X, const uint16_t *dY, float *dW,
                        float *dX);

#endif
