/* Batch normalisation; ops.h has the formulas. Darknet's own is wrong on the CPU in several ways.
 */
#include "engine/ops.h"

#include <math.h>

static const float epsilon = 1e-5f;
enum { LANES = 16 };

static double fold(const float lanes[LANES]) {
    double sum = 0;
    for (int l = 0; l < LANES; l++)
        sum += lanes[l];
    return sum;
}

static double plane_sum(const float *x, int n) {
    float lanes[LANES] = {0};
    int i = 0;
    for (; i + LANES <= n; i += LANES)
        for (int l = 0; l < LANES; l++)
            lanes[l] += x[i + l];
    for (; i < n; i++)
        lanes[i % LANES] += x[i];
    return fold(lanes);
}

/* Σ (x - center)² */
static double plane_squares(const float *x, int n, float center) {
    float lanes[LANES] = {0};
    int i = 0;
    for (; i + LANES <= n; i += LANES)
        for (int l = 0; l < LANES; l++)
            lanes[l] += (x[i + l] - center) * (x[i + l] - center);
    for (; i < n; i++)
        lanes[i % LANES] += (x[i] - center) * (x[i] - center);
    return fold(lanes);
}

/* Σ dy (x - center) */
static double plane_product(const float *dy, const float *x, int n, float center) {
    float lanes[LANES] = {0};
    int i = 0;
    for (; i + LANES <= n; i += LANES)
        for (int l = 0; l < LANES; l++)
            lanes[l] += dy[i + l] * (x[i + l] - center);
    for (; i < n; i++)
        lanes[i % LANES] += dy[i] * (x[i] - center);
    return fold(lanes);
}

static size_t plane_at(int image, int channel, int channels, int plane) {
    return ((size_t)image * (size_t)channels + (size_t)channel) * (size_t)plane;
}

/* y = a x + b over one channel of the batch. */
static void affine(int batch, int channels, int plane, int channel, const float *X, float a,
                   float b, float *Y) {
    for (int image = 0; image < batch; image++) {
        size_t at = plane_at(image, channel, channels, plane);
        const float *x = X + at;
        float *y = Y + at;
        for (int i = 0; i < plane; i++)
            y[i] = a * x[i] + b;
    }
}

void norm_train(int batch, int channels, int plane, const float *X, const float *scale,
                const float *shift, float momentum, float *running_mean, float *running_variance,
                const struct norm_state *state, float *Y) {
    double count = (double)batch * plane;
    for (int c = 0; c < channels; c++) {
        double sum = 0, squares = 0;
        for (int image = 0; image < batch; image++)
            sum += plane_sum(X + plane_at(image, c, channels, plane), plane);
        float mean = (float)(sum / count);
        for (int image = 0; image < batch; image++)
            squares += plane_squares(X + plane_at(image, c, channels, plane), plane, mean);
        float variance = (float)(squares / count);
        // One value has no unbiased variance; its biased one, 0, stands in.
        float unbiased = count > 1 ? (float)(squares / (count - 1)) : variance;
        running_mean[c] += momentum * (mean - running_mean[c]);
        running_variance[c] += momentum * (unbiased - running_variance[c]);
        float inverse = 1 / sqrtf(variance + epsilon);
        state->mean[c] = mean;
        state->inverse[c] = inverse;
        float a = scale[c] * inverse;
        affine(batch, channels, plane, c, X, a, shift[c] - a * mean, Y);
    }
}

void norm_evaluate(int batch, int channels, int plane, const float *X, const float *scale,
                   const float *shift, const float *running_mean, const float *running_variance,
                   float *Y) {
    for (int c = 0; c < channels; c++) {
        float a = scale[c] / sqrtf(running_variance[c] + epsilon);
        affine(batch, channels, plane, c, X, a, shift[c] - a * running_mean[c], Y);
    }
}

/* dX = a dY + b X + d over one channel. */
static void combine(int batch, int channels, int plane, int channel, const float *X,
                    const float *dY, const float abd[3], float *dX, int add) {
    float a = abd[0], b = abd[1], d = abd[2];
    for (int image = 0; image < batch; image++) {
        size_t at = plane_at(image, channel, channels, plane);
        const float *x = X + at, *dy = dY + at;
        float *dx = dX + at;
        if (add)
            for (int i = 0; i < plane; i++)
                dx[i] += a * dy[i] + b * x[i] + d;
        else
            for (int i = 0; i < plane; i++)
                dx[i] = a * dy[i] + b * x[i] + d;
    }
}

void norm_backward(int batch, int channels, int plane, const float *X, const float *dY,
                   const float *scale, const struct norm_state *state, float *d_scale,
                   float *d_shift, float *dX, int add) {
    double count = (double)batch * plane;
    for (int c = 0; c < channels; c++) {
        float mean = state->mean[c], inverse = state->inverse[c];
        double sum = 0, product = 0;
        for (int image = 0; image < batch; image++) {
            size_t at = plane_at(image, c, channels, plane);
            sum += plane_sum(dY + at, plane);
            product += plane_product(dY + at, X + at, plane, mean);
        }
        d_scale[c] += (float)(product * inverse);
        d_shift[c] += (float)sum;
        // scale·inverse·(dy - mean(dy) - (x - mean) inverse² mean(dy (x - mean))), as a dy + b x +
        // d
        double a = (double)scale[c] * inverse;
        double b = -a * inverse * inverse * product / count;
        double d = -a * sum / count - b * mean;
        combine(batch, channels, plane, c, X, dY, (float[3]){(float)a, (float)b, (float)d}, dX,
                add);
    }
}
