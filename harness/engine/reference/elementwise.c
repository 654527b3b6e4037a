/* Operators on single values: quantized clip, addition, dropout; ops.h has the formulas. */
#include "engine/reference/ops.h"

#include "base/random.h"
#include "engine/engine.h"

#include <math.h>

/* Written so that a NaN fails both comparisons and stays. */
static inline float clip01(float x) {
    return x < 0 ? 0 : x > 1 ? 1 : x;
}

void clip_forward(size_t n, int act_bits, const float *X, float *Y) {
    if (act_bits == FLOAT_BITS) {
        for (size_t i = 0; i < n; i++)
            Y[i] = X[i] < 0 ? 0 : X[i];
    } else if (act_bits == ACT_CLIP_ONLY) {
        for (size_t i = 0; i < n; i++)
            Y[i] = clip01(X[i]);
    } else {
        float top = (float)((1 << act_bits) - 1);
        for (size_t i = 0; i < n; i++)
            Y[i] = rintf(top * clip01(X[i])) / top;
    }
}

void clip_bounded_forward(size_t n, int act_bits, float c, const float *X, float *Y) {
    float top = (float)((1 << act_bits) - 1), steps = c > 0 ? top / c : 0, step = c / top;
    for (size_t i = 0; i < n; i++) {
        float q = steps * X[i]; // a NaN stays, as in clip01
        q = q < 0 ? 0 : q > top ? top : q;
        Y[i] = step * rintf(q);
    }
}

void clip_backward(size_t n, int act_bits, const float *X, const float *dY, float *dX, int add) {
    // ReLU: 0 < x; clip: 0 <= x <= 1. As one pair of bounds, so that the loop has no other branch.
    float lo = act_bits == FLOAT_BITS ? nextafterf(0, 1) : 0;
    float hi = act_bits == FLOAT_BITS ? INFINITY : 1;
    if (add)
        for (size_t i = 0; i < n; i++)
            dX[i] += X[i] >= lo && X[i] <= hi ? dY[i] : 0;
    else
        for (size_t i = 0; i < n; i++)
            dX[i] = X[i] >= lo && X[i] <= hi ? dY[i] : 0;
}

void add_forward(size_t n, float alpha, const float *A, float beta, const float *B, float *Y) {
    for (size_t i = 0; i < n; i++)
        Y[i] = alpha * A[i] + beta * B[i];
}

void scale_backward(size_t n, float factor, const float *dY, float *dX, int add) {
    if (add)
        for (size_t i = 0; i < n; i++)
            dX[i] += factor * dY[i];
    else
        for (size_t i = 0; i < n; i++)
            dX[i] = factor * dY[i];
}

void dropout_mask(size_t n, float p, uint64_t seed, uint64_t epoch, uint64_t index, float *mask) {
    struct random r = random_stream(seed, RANDOM_DROPOUT, epoch, index);
    float kept = 1 / (1 - p);
    for (size_t i = 0; i < n; i++)
        mask[i] = random_unit(&r) < p ? 0 : kept;
}

void multiply_forward(size_t n, const float *X, const float *mask, float *Y) {
    for (size_t i = 0; i < n; i++)
        Y[i] = X[i] * mask[i];
}

void multiply_backward(size_t n, const float *mask, const float *dY, float *dX, int add) {
    if (add)
        for (size_t i = 0; i < n; i++)
            dX[i] += dY[i] * mask[i];
    else
        for (size_t i = 0; i < n; i++)
            dX[i] = dY[i] * mask[i];
}
