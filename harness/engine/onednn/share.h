/* The share of a convolution's images that one thread computes, with primitives of one thread:
 * conv.h for some of its images. For conv.c alone. */
#ifndef ENGINE_ONEDNN_SHARE_H
#define ENGINE_ONEDNN_SHARE_H

#include "engine/onednn/trio.h"

struct share;

/* For n images. `lane`: of the thread that computes them. NULL, as onednn_conv_new. */
struct share *share_new(struct onednn *lane, const struct conv *g, int n,
                        const struct conv_form *form);
void share_free(struct share *c);

void share_weights(struct share *c, const float *W);
void share_forward(struct share *c, const void *X, const float *by_filter, float *Y);
void share_backward(struct share *c, const void *X, const void *dY, float *dW, float *dX);

/* How many numbers X and Y have. */
size_t share_x(const struct share *c);
size_t share_y(const struct share *c);

/* X or dY from its n-th number on. */
static inline const void *operands_after(enum conv_operands operands, const void *X, size_t n) {
    return (const char *)X + n * (operands == CONV_FLOATS ? sizeof(float) : sizeof(uint16_t));
}

#endif
