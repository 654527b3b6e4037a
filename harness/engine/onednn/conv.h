/* A convolution through oneDNN: forward, backward and the conversions of its weights, for one
 * number of images. Activations are in nChw16c (engine/onednn/blocked.h), or NCHW where they are a
 * network's input of fewer than 16 channels; weights come and go in canonical order (filters, c /
 * groups, size, size). */
#ifndef ENGINE_ONEDNN_CONV_H
#define ENGINE_ONEDNN_CONV_H

#include "engine/reference/ops.h"

#include "base/error.h"

/* oneDNN as it runs here: its engine, a stream, and the scratch memory that all primitives share;
 * stream and memory once more for each of the threads, among which the images of a convolution are
 * divided. */
struct onednn;
struct onednn *onednn_open(int threads, struct error *e);
void onednn_close(struct onednn *o);

/* End the process with a message unless `status` is dnnl_success: a call that cannot fail has. */
void onednn_must(int status, const char *what);

/* What is multiplied, and what comes with it. Sums, Y, dX and dW are float32 always.
 *
 * Floats are float32; forward may add a bias by filter. Integers are in bf16, in which codes of
 * activations and integers of weights (at most 256) are exact, so that forward rounds no operand;
 * it multiplies by a scale by filter. dY is in bf16 then too, which is an approximation. */
enum conv_operands { CONV_FLOATS, CONV_INTEGERS };
struct conv_form {
    enum conv_operands operands;
    int forward_only;
    int plain_input; // X is NCHW and gets no gradient; floats alone
    int has_bias;    // floats alone
};

struct onednn_conv;

/* Whether Winograd in float32, which has a quarter of the products, is faster than products in
 * bf16: where there are many channels, 64 or more on both sides. */
int onednn_conv_beats_bf16(const struct conv *g);

/* NULL, without a message, when oneDNN has no fast kernel for this geometry on this machine, or the
 * machine no bf16 of its own. Winograd is taken by a fixed rule (float32, one group, 3x3, stride 1,
 * 32 channels or more on both sides; 16 where a thread's images are a multiple of 8), never by
 * timing, so that a run has the same bits each time.
 *
 * By a fixed rule too, primitives work in nhwc between conversions at the edges: one group, not by
 * Winograd, X not NCHW, and either fewer than 16 channels, or windows of several pixels where
 * blocks of 16 channels have at least 1.5 times the products (20 -> 50 channels, blocked as 32 ->
 * 64: 2.05 times). */
struct onednn_conv *onednn_conv_new(struct onednn *o, const struct conv *g, int n,
                                    const struct conv_form *form);
void onednn_conv_free(struct onednn_conv *c);

/* Ŵ for what follows, or its integers, as float32; kept by the caller. */
void onednn_conv_weights(struct onednn_conv *c, const float *W);

/* Y = W * X, plus or times what the form has by filter (NULL: a form without). X float32 or bf16.
 */
void onednn_conv_forward(struct onednn_conv *c, const void *X, const float *by_filter, float *Y);

/* dW = Σ dY X, in canonical order; dX = W^T dY, when not NULL. X and dY float32 or bf16. */
void onednn_conv_backward(struct onednn_conv *c, const void *X, const void *dY, float *dW,
                          float *dX);

#endif
