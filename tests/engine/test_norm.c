/* Batch norm of the reference engine against its definition in double: planes of one value, which
 * have a way of their own, and of several; channels that fill no group of 16. */
#include "base/random.h"
#include "engine/reference/ops.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { BATCH = 9, MOST_CHANNELS = 40, MOST_PLANE = 17, MOST = BATCH * MOST_CHANNELS * MOST_PLANE };
static const double epsilon = 1e-5, tolerance = 1e-5, momentum = 0.25;

struct problem {
    int channels, plane;
    float X[MOST], dY[MOST], Y[MOST], dX[MOST];
    float scale[MOST_CHANNELS], shift[MOST_CHANNELS], mean[MOST_CHANNELS], inverse[MOST_CHANNELS];
    float running_mean[MOST_CHANNELS], running_variance[MOST_CHANNELS];
    float d_scale[MOST_CHANNELS], d_shift[MOST_CHANNELS];
};

static void draw(float *x, int n, struct random *r, float lo, float hi) {
    for (int i = 0; i < n; i++)
        x[i] = lo + (hi - lo) * random_unit(r);
}

static void draw_problem(struct problem *p, struct random *r) {
    draw(p->X, MOST, r, -1, 3);
    draw(p->dY, MOST, r, -1, 1);
    draw(p->dX, MOST, r, -1, 1);
    draw(p->scale, MOST_CHANNELS, r, .5f, 1.5f);
    draw(p->shift, MOST_CHANNELS, r, -1, 1);
    draw(p->running_mean, MOST_CHANNELS, r, -1, 1);
    draw(p->running_variance, MOST_CHANNELS, r, .5f, 2);
    draw(p->d_scale, MOST_CHANNELS, r, -1, 1);
    draw(p->d_shift, MOST_CHANNELS, r, -1, 1);
}

/* Value number i (of BATCH * plane) of a channel. */
static size_t at(const struct problem *p, int c, int i) {
    return (size_t)((i / p->plane * p->channels + c) * p->plane + i % p->plane);
}

/* Sums of one channel. */
struct sums {
    double mean, variance, dy, product; // product: Σ dy (x - mean)
};

static struct sums sums_of(const struct problem *p, int c) {
    struct sums s = {0};
    int n = BATCH * p->plane;
    for (int i = 0; i < n; i++)
        s.mean += (double)p->X[at(p, c, i)] / n;
    for (int i = 0; i < n; i++) {
        double d = p->X[at(p, c, i)] - s.mean;
        s.variance += d * d / n;
        s.dy += p->dY[at(p, c, i)];
        s.product += p->dY[at(p, c, i)] * d;
    }
    return s;
}

static void near(double computed, double expected) {
    if (!(fabs(computed - expected) <= tolerance * (1 + fabs(expected))))
        fail_msg("%g, not %g", computed, expected);
}

static void expect_outputs(const struct problem *p, int c, double mean, double variance) {
    for (int i = 0; i < BATCH * p->plane; i++) {
        double x = (p->X[at(p, c, i)] - mean) / sqrt(variance + epsilon);
        near(p->Y[at(p, c, i)], p->scale[c] * x + p->shift[c]);
    }
}

static void check_forward(struct problem *p) {
    struct problem old = *p;
    struct norm_state state = {p->mean, p->inverse};
    norm_evaluate(BATCH, p->channels, p->plane, p->X, p->scale, p->shift, p->running_mean,
                  p->running_variance, p->Y);
    for (int c = 0; c < p->channels; c++)
        expect_outputs(p, c, p->running_mean[c], p->running_variance[c]);
    norm_train(BATCH, p->channels, p->plane, p->X, p->scale, p->shift, (float)momentum,
               p->running_mean, p->running_variance, &state, p->Y);
    for (int c = 0; c < p->channels; c++) {
        struct sums s = sums_of(p, c);
        double n = BATCH * p->plane, unbiased = s.variance * n / (n - 1);
        expect_outputs(p, c, s.mean, s.variance);
        near(p->running_mean[c], old.running_mean[c] + momentum * (s.mean - old.running_mean[c]));
        near(p->running_variance[c],
             old.running_variance[c] + momentum * (unbiased - old.running_variance[c]));
    }
}

static void check_backward(struct problem *p, int add) {
    struct problem old = *p;
    struct norm_state state = {p->mean, p->inverse};
    norm_backward(BATCH, p->channels, p->plane, p->X, p->dY, p->scale, &state, p->d_scale,
                  p->d_shift, p->dX, add);
    for (int c = 0; c < p->channels; c++) {
        struct sums s = sums_of(p, c);
        double inverse = 1 / sqrt(s.variance + epsilon), n = BATCH * p->plane;
        near(p->d_scale[c], old.d_scale[c] + s.product * inverse);
        near(p->d_shift[c], old.d_shift[c] + s.dy);
        for (int i = 0; i < BATCH * p->plane; i++) {
            double x = (p->X[at(p, c, i)] - s.mean) * inverse;
            double dx = p->scale[c] * inverse *
                        (p->dY[at(p, c, i)] - s.dy / n - x * s.product * inverse / n);
            near(p->dX[at(p, c, i)], dx + (add ? old.dX[at(p, c, i)] : 0));
        }
    }
}

static void follows_its_definition(void **state) {
    (void)state;
    static const int channels[] = {1, 15, 16, 17, MOST_CHANNELS}, planes[] = {1, 2, MOST_PLANE};
    static struct problem p;
    struct random r = random_stream(31, RANDOM_TEST, 0, 0);
    for (size_t i = 0; i < sizeof channels / sizeof *channels; i++)
        for (size_t j = 0; j < sizeof planes / sizeof *planes; j++) {
            draw_problem(&p, &r);
            p.channels = channels[i];
            p.plane = planes[j];
            check_forward(&p);
            check_backward(&p, 0);
            check_backward(&p, 1);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(follows_its_definition)};
    return cmocka_run_group_tests_name("norm", tests, NULL, NULL);
}
