/* Batch normalisation; ops.h has the formulas. Darknet's own is wrong on the CPU in several ways.
 */
#include "engine/reference/ops.h"

#include "model/model.h"

#include <math.h>

static const float epsilon = (float)NORM_EPSILON;
enum { LANES = 16 };

static double fold_lanes(const float lanes[LANES]) {
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
    return fold_lanes(lanes);
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
    return fold_lanes(lanes);
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
    return fold_lanes(lanes);
}

/* Channels that are computed together: up to 16 in a row. */
struct group {
    int batch, channels, plane;
    int first, n;
};

static struct group group_at(int batch, int channels, int plane, int first) {
    int left = channels - first;
    return (struct group){batch, channels, plane, first, left < LANES ? left : LANES};
}

static size_t plane_at(const struct group *g, int image, int l) {
    return ((size_t)image * (size_t)g->channels + (size_t)(g->first + l)) * (size_t)g->plane;
}

/* Of each channel, a double sum over the images of a float sum over the plane. Planes of one value,
 * behind a linear layer, lie side by side: a vector is taken of them, in the same order. */
static void group_sums(const struct group *g, const float *X, double sum[LANES]) {
    for (int l = 0; l < g->n; l++)
        sum[l] = 0;
    for (int image = 0; image < g->batch; image++) {
        const float *x = X + plane_at(g, image, 0);
        for (int l = 0; g->plane == 1 && l < g->n; l++)
            sum[l] += x[l];
        for (int l = 0; g->plane > 1 && l < g->n; l++)
            sum[l] += plane_sum(X + plane_at(g, image, l), g->plane);
    }
}

static void group_squares(const struct group *g, const float *X, const float *mean,
                          double squares[LANES]) {
    for (int l = 0; l < g->n; l++)
        squares[l] = 0;
    for (int image = 0; image < g->batch; image++) {
        const float *x = X + plane_at(g, image, 0);
        for (int l = 0; g->plane == 1 && l < g->n; l++)
            squares[l] += (x[l] - mean[l]) * (x[l] - mean[l]);
        for (int l = 0; g->plane > 1 && l < g->n; l++)
            squares[l] += plane_squares(X + plane_at(g, image, l), g->plane, mean[l]);
    }
}

static void group_products(const struct group *g, const float *dY, const float *X,
                           const float *mean, double product[LANES]) {
    for (int l = 0; l < g->n; l++)
        product[l] = 0;
    for (int image = 0; image < g->batch; image++) {
        const float *x = X + plane_at(g, image, 0), *dy = dY + plane_at(g, image, 0);
        for (int l = 0; g->plane == 1 && l < g->n; l++)
            product[l] += dy[l] * (x[l] - mean[l]);
        for (int l = 0; g->plane > 1 && l < g->n; l++)
            product[l] += plane_product(dY + plane_at(g, image, l), X + plane_at(g, image, l),
                                        g->plane, mean[l]);
    }
}

/* y = a x + b by channel. */
static void affine(const struct group *g, const float *X, const float *a, const float *b,
                   float *Y) {
    for (int image = 0; image < g->batch; image++) {
        const float *x = X + plane_at(g, image, 0);
        float *y = Y + plane_at(g, image, 0);
        for (int l = 0; g->plane == 1 && l < g->n; l++)
            y[l] = a[l] * x[l] + b[l];
        for (int l = 0; g->plane > 1 && l < g->n; l++)
            for (int i = l * g->plane; i < (l + 1) * g->plane; i++)
                y[i] = a[l] * x[i] + b[l];
    }
}

static void train_group(const struct group *g, const float *X, const float *scale,
                        const float *shift, float momentum, float *running_mean,
                        float *running_variance, const struct norm_state *state, float *Y) {
    double count = (double)g->batch * g->plane, sum[LANES], squares[LANES];
    float *mean = state->mean + g->first, *inverse = state->inverse + g->first;
    float a[LANES], b[LANES];
    group_sums(g, X, sum);
    for (int l = 0; l < g->n; l++)
        mean[l] = (float)(sum[l] / count);
    group_squares(g, X, mean, squares);
    for (int l = 0; l < g->n; l++) {
        int c = g->first + l;
        float variance = (float)(squares[l] / count);
        // One value has no unbiased variance; its biased one, 0, stands in.
        float unbiased = count > 1 ? (float)(squares[l] / (count - 1)) : variance;
        running_mean[c] += momentum * (mean[l] - running_mean[c]);
        running_variance[c] += momentum * (unbiased - running_variance[c]);
        inverse[l] = 1 / sqrtf(variance + epsilon);
        a[l] = scale[c] * inverse[l];
        b[l] = shift[c] - a[l] * mean[l];
    }
    affine(g, X, a, b, Y);
}

void norm_train(int batch, int channels, int plane, const float *X, const float *scale,
                const float *shift, float momentum, float *running_mean, float *running_variance,
                const struct norm_state *state, float *Y) {
    for (int c = 0; c < channels; c += LANES) {
        struct group g = group_at(batch, channels, plane, c);
        train_group(&g, X, scale, shift, momentum, running_mean, running_variance, state, Y);
    }
}

void norm_evaluate(int batch, int channels, int plane, const float *X, const float *scale,
                   const float *shift, const float *running_mean, const float *running_variance,
                   float *Y) {
    for (int first = 0; first < channels; first += LANES) {
        struct group g = group_at(batch, channels, plane, first);
        float a[LANES], b[LANES];
        for (int l = 0; l < g.n; l++) {
            int c = first + l;
            a[l] = scale[c] / sqrtf(running_variance[c] + epsilon);
            b[l] = shift[c] - a[l] * running_mean[c];
        }
        affine(&g, X, a, b, Y);
    }
}

/* dX = a dY + b X + d by channel. */
struct combination {
    float a[LANES], b[LANES], d[LANES];
};

static void combine_plane(int n, const float *x, const float *dy, float a, float b, float d,
                          float *dx, int add) {
    if (add)
        for (int i = 0; i < n; i++)
            dx[i] += a * dy[i] + b * x[i] + d;
    else
        for (int i = 0; i < n; i++)
            dx[i] = a * dy[i] + b * x[i] + d;
}

static void combine(const struct group *g, const float *X, const float *dY,
                    const struct combination *k, float *dX, int add) {
    for (int image = 0; image < g->batch; image++) {
        size_t at = plane_at(g, image, 0);
        const float *x = X + at, *dy = dY + at;
        float *dx = dX + at;
        for (int l = 0; g->plane == 1 && l < g->n; l++) {
            float v = k->a[l] * dy[l] + k->b[l] * x[l] + k->d[l];
            dx[l] = add ? dx[l] + v : v;
        }
        for (int l = 0; g->plane > 1 && l < g->n; l++) {
            size_t to = (size_t)l * (size_t)g->plane;
            combine_plane(g->plane, x + to, dy + to, k->a[l], k->b[l], k->d[l], dx + to, add);
        }
    }
}

static void group_backward(const struct group *g, const float *X, const float *dY,
                           const float *scale, const struct norm_state *state, float *d_scale,
                           float *d_shift, float *dX, int add) {
    double count = (double)g->batch * g->plane, sum[LANES], product[LANES];
    struct combination k;
    group_sums(g, dY, sum);
    group_products(g, dY, X, state->mean + g->first, product);
    for (int l = 0; l < g->n; l++) {
        int c = g->first + l;
        float mean = state->mean[c], inverse = state->inverse[c];
        d_scale[c] += (float)(product[l] * inverse);
        d_shift[c] += (float)sum[l];
        // scale·inverse·(dy - mean(dy) - (x - mean) inverse² mean(dy (x - mean))), as a dy + b x +
        // d
        double a = (double)scale[c] * inverse;
        double b = -a * inverse * inverse * product[l] / count;
        double d = -a * sum[l] / count - b * mean;
        k.a[l] = (float)a, k.b[l] = (float)b, k.d[l] = (float)d;
    }
    combine(g, X, dY, &k, dX, add);
}

void norm_backward(int batch, int channels, int plane, const float *X, const float *dY,
                   const float *scale, const struct norm_state *state, float *d_scale,
                   float *d_shift, float *dX, int add) {
    for (int c = 0; c < channels; c += LANES) {
        struct group g = group_at(batch, channels, plane, c);
        group_backward(&g, X, dY, scale, state, d_scale, d_shift, dX, add);
    }
}
