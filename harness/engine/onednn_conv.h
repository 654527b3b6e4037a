/* A convolution through oneDNN: forward, backward and the conversions of its weights, for one number of
 * images. Activations are in nChw16c (engine/blocked.h), or NCHW where they are a network's input of
 * fewer than 16 channels; weights come and go in canonical OIHW order. */
#ifndef ENGINE_ONEDNN_CONV_H
#define ENGINE_ONEDNN_CONV_H

#include "engine/ops.h"

#include "base/error.h"

/* The library's engine and stream, and the scratch memory that all primitives share. */
struct onednn;
struct onednn *onednn_open(struct error *e);
void onednn_close(struct onednn *o);

/* End the process with a message unless `status` is dnnl_success: a call that cannot fail has. */
void onednn_must(int status, const char *what);

struct onednn_conv;

/* Whether Winograd in float32, which has a quarter of the products, is faster than products in bf16: where there
 * are many channels, 64 or more on both sides. */
int onednn_conv_beats_bf16(const struct conv *g);

/* NULL, without a message, when oneDNN has no fast kernel for this geometry on this machine. Winograd is
 * taken by a fixed rule (3x3, stride 1, 32 channels or more on both sides; on one thread 16), never by
 * timing, so that a run has the same bits each time. */
struct onednn_conv *onednn_conv_new(struct onednn *o, const struct conv *g, int n, int plain_input,
                                    int has_bias);
void onednn_conv_free(struct onednn_conv *c);

/* Ŵ for what follows. */
void onednn_conv_weights(struct onednn_conv *c, const float *W);

/* Y = W * X (+ bias, which is NULL when there is none). */
void onednn_conv_forward(struct onednn_conv *c, const float *X, const float *bias, float *Y);

/* dW (canonical) from X and dY; dX = ..., when not NULL. */
void onednn_conv_backward(struct onednn_conv *c, const float *X, const float *dY, float *dW,
                          float *dX);

#endif
