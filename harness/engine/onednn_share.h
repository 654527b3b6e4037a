/* The share of a convolution's images that one thread computes, with primitives of one thread. For
 * onednn_conv.c, whose functions these are for all shares. */
#ifndef ENGINE_ONEDNN_SHARE_H
#define ENGINE_ONEDNN_SHARE_H

#include "engine/onednn_trio.h"

struct share;

/* Of n images, in a lane of its own. NULL: there are no primitives. */
struct share *share_new(struct onednn *lane, const struct conv *g, int n,
                        const struct conv_form *form);
void share_free(struct share *c);

void share_weights(struct share *c, const float *W);
void share_forward(struct share *c, const void *X, const float *by_filter, float *Y);
void share_backward(struct share *c, const void *X, const void *dY, float *dW, float *dX);

/* Numbers of X and of Y, for all its images. */
size_t share_x(const struct share *c);
size_t share_y(const struct share *c);

#endif
