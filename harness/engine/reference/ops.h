/* The operators of the reference engine, each forward and backward, over a batch in NCHW float32.
 * One line of mathematics each; dY and dX are gradients of the loss. "Adds" means dX += ..., else
 * dX = ....
 *
 * Reductions run in 16 float lanes per plane and in double across planes, so that results do not
 * depend on the machine's vector width. */
#ifndef ENGINE_REFERENCE_OPS_H
#define ENGINE_REFERENCE_OPS_H

#include "cfg/cfg.h"

#include <stddef.h>
#include <stdint.h>

/* Convolution geometry; planes are h x w in, out_h x out_w out. */
struct conv {
    int c, h, w; // input, all groups
    int filters, size, stride, padding, groups;
    int out_h, out_w;
};
struct conv conv_geometry(const struct cfg_layer *layer);

/* Floats of workspace that conv_forward and conv_backward need: columns of one image. */
size_t conv_workspace(const struct conv *g);

/* The part of a window that lies inside a line of `in` places: [first, end). */
static inline void window_inside(int start, int size, int in, int *first, int *end) {
    *first = start < 0 ? 0 : start;
    *end = start + size < in ? start + size : in;
}

/* Y = W * X (+ bias by channel, which may be NULL). W (filters, c/groups, size, size). */
void conv_forward(const struct conv *g, int batch, const float *X, const float *W,
                  const float *bias, float *Y, float *workspace);

/* dW = Σ_images dY · columns(X)^T; dX (NULL: not wanted) = W^T dY folded back, added if `add`. */
void conv_backward(const struct conv *g, int batch, const float *X, const float *W, const float *dY,
                   float *dW, float *dX, int add, float *workspace);

/* d_bias += Σ over images and plane of dY. */
void bias_backward(int batch, int channels, int plane, const float *dY, float *d_bias);

/* Y = X W^T + bias; W (out, in). */
void linear_forward(int batch, int in, int out, const float *X, const float *W, const float *bias,
                    float *Y);
/* dW = dY^T X; dX = dY W, added if `add`; dX may be NULL. */
void linear_backward(int batch, int in, int out, const float *X, const float *W, const float *dY,
                     float *dW, float *dX, int add);

/* Batch normalisation (Ioffe and Szegedy, 1502.03167), ε = 1e-5:
 * Y = scale (X - mean) / sqrt(var + ε) + shift, var biased. mean and inverse (1/sqrt(var + ε)) of
 * the batch are left in `mean` and `inverse` (channels) for backward. Running statistics move by
 * `momentum`, the variance entering unbiased: running = (1 - momentum) running + momentum new. */
struct norm_state {
    float *mean, *inverse; // (channels), of the batch
};
void norm_train(int batch, int channels, int plane, const float *X, const float *scale,
                const float *shift, float momentum, float *running_mean, float *running_variance,
                const struct norm_state *state, float *Y);
/* The same with the running statistics instead of the batch's. */
void norm_evaluate(int batch, int channels, int plane, const float *X, const float *scale,
                   const float *shift, const float *running_mean, const float *running_variance,
                   float *Y);
/* d_scale += Σ dY x̂, d_shift += Σ dY,
 * dX = scale · inverse · (dY - mean(dY) - x̂ mean(dY x̂)). */
void norm_backward(int batch, int channels, int plane, const float *X, const float *dY,
                   const float *scale, const struct norm_state *state, float *d_scale,
                   float *d_shift, float *dX, int add);

/* Quantized clip (DoReFa, PACT-like with a fixed bound): a = clip(x, 0, 1), then
 * round((2^j - 1) a) / (2^j - 1), ties to even. j = 32: max(x, 0). j = ACT_CLIP_ONLY: the clip
 * alone. A NaN passes through, so that it reaches the loss and is reported. */
void clip_forward(size_t n, int act_bits, const float *X, float *Y);
/* The quantized clip to [0, c] of evaluation: c Q(X / c), j = 1 ... 8; 0 where c is 0. */
void clip_bounded_forward(size_t n, int act_bits, float c, const float *X, float *Y);
/* Straight-through: dX = dY where 0 <= x <= 1 (j = 32: where x > 0), else 0. */
void clip_backward(size_t n, int act_bits, const float *X, const float *dY, float *dX, int add);

/* Y = alpha A + beta B, and dX = factor · dY. */
void add_forward(size_t n, float alpha, const float *A, float beta, const float *B, float *Y);
void scale_backward(size_t n, float factor, const float *dY, float *dX, int add);

/* mask[i] = 0 with probability p, else 1 / (1 - p), from a stream; Y = X · mask. */
void dropout_mask(size_t n, float p, uint64_t seed, uint64_t epoch, uint64_t index, float *mask);
void multiply_forward(size_t n, const float *X, const float *mask, float *Y);
void multiply_backward(size_t n, const float *mask, const float *dY, float *dX, int add);

#endif
