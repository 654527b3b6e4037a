/* The fused passes over nChw16c against the plain operators of the reference engine, on shapes
 * drawn at random: channels that fill no block, planes of one pixel, one image. */
#include "base/random.h"
#include "engine/engine.h"
#include "engine/onednn/blocked.h"
#include "engine/reference/ops.h"

#include <math.h>
#include <omp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SHAPES = 150 };
static const double value_tolerance = 2e-5, gradient_tolerance = 2e-4;
static const int act_bits[] = {1, 2, 8, FLOAT_BITS, ACT_CLIP_ONLY};

/* A tensor in both layouts. */
struct both {
    struct shape shape;
    struct blocked s;
    size_t n; // plain values
    float *plain, *blocked;
};

static float *draw(struct random *r, size_t n, float lo, float hi) {
    float *x = need_aligned(n, sizeof *x);
    for (size_t i = 0; i < n; i++)
        x[i] = lo + (hi - lo) * random_unit(r);
    return x;
}

static struct both draw_both(struct random *r, int images, struct shape shape) {
    struct both t = {.shape = shape, .s = blocked_shape(images, shape)};
    t.n = (size_t)images * (size_t)shape.c * (size_t)shape.h * (size_t)shape.w;
    t.plain = draw(r, t.n, -1, 2);
    t.blocked = need_aligned(blocked_size(&t.s), sizeof(float));
    blocked_from_plain(&t.s, t.plain, t.blocked);
    return t;
}

static void release(struct both *t) {
    free(t->plain);
    free(t->blocked);
}

static struct shape draw_shape(struct random *r) {
    struct shape s;
    s.c = 1 + (int)random_below(r, 40);
    s.h = 1 + (int)random_below(r, 9);
    s.w = 1 + (int)random_below(r, 9);
    return s;
}

/* The blocked tensor holds these plain values, and zeros behind the channels. */
static void expect(const struct both *t, const float *blocked, const float *plain,
                   double tolerance) {
    float *back = need(t->n, sizeof *back);
    blocked_to_plain(&t->s, blocked, back, 0);
    for (size_t i = 0; i < t->n; i++)
        if (!(fabs(back[i] - plain[i]) <= tolerance * (1 + fabs(plain[i]))))
            fail_msg("%dx%dx%d: %g, not %g", t->shape.c, t->shape.h, t->shape.w, back[i], plain[i]);
    for (int i = 0; i < t->s.n * t->s.blocks; i++)
        for (int p = 0; p < t->s.plane; p++)
            for (int l = 0; l < LANES; l++)
                if (i % t->s.blocks * LANES + l >= t->s.c)
                    assert_true(
                        blocked[((size_t)i * (size_t)t->s.plane + (size_t)p) * LANES + (size_t)l] ==
                        0);
    free(back);
}

static void layouts_are_converted(void **state) {
    (void)state;
    struct random r = random_stream(1, RANDOM_TEST, 0, 0);
    for (int i = 0; i < SHAPES; i++) {
        struct both t = draw_both(&r, 1 + (int)random_below(&r, 4), draw_shape(&r));
        float *twice = need(t.n, sizeof *twice);
        expect(&t, t.blocked, t.plain, 0);
        blocked_to_plain(&t.s, t.blocked, twice, 0);
        blocked_to_plain(&t.s, t.blocked, twice, 1);
        for (size_t k = 0; k < t.n; k++)
            assert_true(twice[k] == 2 * t.plain[k]);
        free(twice);
        release(&t);
    }
}

/* Everything a norm step needs, by the plain operators and by the passes. */
struct norm_case {
    struct both x, dy;
    int bits;
    enum blocked_act act;
    float *scale, *shift, *mean, *inverse, *running_mean, *running_variance; // plain, (c)
    float *a, *b, *m;                                                        // (blocks * 16)
    float *partial;
    double *sums;
};

static struct norm_case draw_norm(struct random *r) {
    int images = 1 + (int)random_below(r, 4);
    struct norm_case k = {.x = draw_both(r, images, draw_shape(r)),
                          .bits = act_bits[random_below(r, 5)],
                          .act = random_below(r, 4) ? BLOCKED_CLIP : BLOCKED_NONE};
    size_t c = (size_t)k.x.shape.c, width = (size_t)k.x.s.blocks * LANES;
    k.dy = draw_both(r, images, k.x.shape);
    k.scale = draw(r, c, 0.5f, 1.5f);
    k.shift = draw(r, c, -0.5f, 0.5f);
    k.mean = draw(r, c, 0, 0);
    k.inverse = draw(r, c, 0, 0);
    k.running_mean = draw(r, c, 0, 0);
    k.running_variance = draw(r, c, 1, 1);
    k.a = draw(r, width, 0, 0);
    k.b = draw(r, width, 0, 0);
    k.m = draw(r, width, 0, 0);
    k.partial = draw(r, 2 * (size_t)images * width, 9, 9);
    k.sums = need(2 * width, sizeof *k.sums);
    return k;
}

static void release_norm(struct norm_case *k) {
    float *all[] = {k->scale, k->shift, k->mean, k->inverse, k->running_mean, k->running_variance,
                    k->a,     k->b,     k->m,    k->partial};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]);
    free(k->sums);
    release(&k->x);
    release(&k->dy);
}

/* Statistics and affine; leaves a, b and m. A plane of few values may have a variance near 0, whose
 * inverse magnifies the last bits: such channels are judged by it. */
static void forward(struct norm_case *k) {
    int c = k->x.shape.c;
    double *mean = k->sums, *variance = k->sums + c;
    blocked_statistics(&k->x.s, k->x.blocked, k->partial, mean, variance);
    for (int i = 0; i < c; i++) {
        double inverse = 1 / sqrt(variance[i] + 1e-5);
        assert_true(fabs(mean[i] - k->mean[i]) < value_tolerance);
        assert_true(fabs(inverse / k->inverse[i] - 1) < 1e-3);
        k->a[i] = k->scale[i] * k->inverse[i];
        k->b[i] = k->shift[i] - k->a[i] * k->mean[i];
        k->m[i] = k->mean[i];
    }
}

static void norm_passes_agree_with_the_operators(void **state) {
    (void)state;
    struct random r = random_stream(2, RANDOM_TEST, 0, 0);
    for (int i = 0; i < SHAPES; i++) {
        struct norm_case k = draw_norm(&r);
        int n = k.x.s.n, c = k.x.shape.c, plane = k.x.s.plane, width = k.x.s.blocks * LANES;
        float *z = need(k.x.n, 4), *y = need(k.x.n, 4), *dz = need(k.x.n, 4), *dx = need(k.x.n, 4);
        float *d_scale = need((size_t)c, 4), *d_shift = need((size_t)c, 4);
        float *out = need_aligned(blocked_size(&k.x.s), 4), *pqr = need(3 * (size_t)width, 4);
        struct norm_state stats = {k.mean, k.inverse};
        norm_train(n, c, plane, k.x.plain, k.scale, k.shift, 1, k.running_mean, k.running_variance,
                   &stats, z);
        forward(&k);
        memcpy(y, z, k.x.n * 4);
        memcpy(dz, k.dy.plain, k.x.n * 4);
        if (k.act == BLOCKED_CLIP) {
            clip_forward(k.x.n, k.bits, z, y);
            clip_backward(k.x.n, k.bits, z, k.dy.plain, dz, 0);
        }
        blocked_affine(&k.x.s, k.x.blocked, k.a, k.b, k.act, k.bits, out);
        expect(&k.x, out, y, value_tolerance);
        norm_backward(n, c, plane, k.x.plain, dz, k.scale, &stats, d_scale, d_shift, dx, 0);
        double *sum = k.sums, *product = k.sums + c, count = (double)n * plane;
        blocked_norm_sums(&k.x.s, k.x.blocked, k.dy.blocked, k.a, k.b, k.m, k.act, k.bits,
                          k.partial, sum, product);
        for (int j = 0; j < c; j++) {
            double q = -(double)k.a[j] * k.inverse[j] * k.inverse[j] * product[j] / count;
            double size = 1 + fabs(d_scale[j]) + k.inverse[j];
            assert_true(fabs(product[j] * k.inverse[j] - d_scale[j]) < gradient_tolerance * size);
            assert_true(fabs(sum[j] - d_shift[j]) < gradient_tolerance * (1 + fabs(d_shift[j])));
            pqr[j] = k.a[j];
            pqr[width + j] = (float)q;
            pqr[2 * width + j] = (float)(-k.a[j] * sum[j] / count - q * k.mean[j]);
        }
        for (int add = 0; add < 2; add++) { // twice: the second adds the same again
            blocked_norm_backward(&k.x.s, k.x.blocked, k.dy.blocked, k.a, k.b, k.act, k.bits, pqr,
                                  pqr + width, pqr + 2 * width, out, add);
            for (size_t j = 0; add && j < k.x.n; j++)
                dx[j] *= 2;
            if (count > 3) // of fewer values the gradient is a difference of equal things
                expect(&k.x, out, dx, 50 * gradient_tolerance);
        }
        float *all[] = {z, y, dz, dx, d_scale, d_shift, out, pqr};
        for (size_t j = 0; j < sizeof all / sizeof *all; j++)
            free(all[j]);
        release_norm(&k);
    }
}

static void sums_and_means_agree(void **state) {
    (void)state;
    struct random r = random_stream(3, RANDOM_TEST, 0, 0);
    for (int i = 0; i < SHAPES; i++) {
        int images = 1 + (int)random_below(&r, 4);
        struct shape shape = draw_shape(&r);
        struct both a = draw_both(&r, images, shape), b = draw_both(&r, images, shape);
        size_t size = blocked_size(&a.s), c = (size_t)shape.c;
        float *out = need_aligned(size, 4), *y = need(a.n, 4), *mean = need(c * 4, 4);
        float *bias = need(c, 4), *partial = need(2 * size, 4), *expected = need(c, 4);
        blocked_add(size, 2, a.blocked, -3, b.blocked, out);
        add_forward(a.n, 2, a.plain, -3, b.plain, y);
        expect(&a, out, y, 1e-6);
        blocked_scale(size, 2, a.blocked, out, 1);
        scale_backward(a.n, 2, a.plain, y, 1);
        expect(&a, out, y, 1e-6);
        blocked_mean(&a.s, a.blocked, mean);
        for (size_t k = 0; k < (size_t)images * c; k++) {
            double sum = 0;
            for (int p = 0; p < a.s.plane; p++)
                sum += a.plain[k * (size_t)a.s.plane + (size_t)p];
            assert_true(fabs(mean[k] - sum / a.s.plane) < value_tolerance);
        }
        blocked_mean_backward(&a.s, mean, out, 0);
        for (size_t k = 0; k < a.n; k++)
            y[k] = mean[k / (size_t)a.s.plane] / (float)a.s.plane;
        expect(&a, out, y, 1e-6);
        blocked_bias_backward(&a.s, a.blocked, partial, bias);
        bias_backward(images, shape.c, a.s.plane, a.plain, expected);
        for (size_t k = 0; k < c; k++)
            assert_true(fabs(bias[k] - expected[k]) < gradient_tolerance * (1 + fabs(expected[k])));
        float *all[] = {out, y, mean, bias, partial, expected};
        for (size_t k = 0; k < sizeof all / sizeof *all; k++)
            free(all[k]);
        release(&a);
        release(&b);
    }
}

/* The maximum by its definition, the first of equal values winning; values on a coarse grid, so
 * that there are many ties. */
static void maxima_agree(void **state) {
    (void)state;
    struct random r = random_stream(4, RANDOM_TEST, 0, 0);
    for (int i = 0; i < SHAPES; i++) {
        int size = 1 + (int)random_below(&r, 3), stride = 1 + (int)random_below(&r, 3);
        int padding = (int)random_below(&r, (uint32_t)size);
        struct shape in = draw_shape(&r);
        in.h += 2, in.w += 2;
        struct shape out = {in.c, (in.h + padding - size) / stride + 1,
                            (in.w + padding - size) / stride + 1};
        struct window g = {in.h, in.w, out.h, out.w, size, stride, -padding / 2};
        struct both x = draw_both(&r, 2, in), dy = draw_both(&r, 2, out);
        for (size_t k = 0; k < x.n; k++)
            x.plain[k] = rintf(2 * x.plain[k]);
        blocked_from_plain(&x.s, x.plain, x.blocked);
        float *y = need_aligned(blocked_size(&dy.s), 4), *dx = need_aligned(blocked_size(&x.s), 4);
        float *y_plain = need(dy.n, 4), *dx_plain = need(x.n, 4);
        uint16_t *choice = need(blocked_size(&dy.s), sizeof *choice);
        for (size_t k = 0; k < dy.n; k++) {
            int ox = (int)k % out.w, oy = (int)k / out.w % out.h, best = -1;
            size_t plane = k / (size_t)(out.w * out.h) * (size_t)(in.w * in.h);
            for (int t = 0; t < size * size; t++) {
                int iy = oy * stride + t / size + g.offset, ix = ox * stride + t % size + g.offset;
                if (iy < 0 || ix < 0 || iy >= in.h || ix >= in.w)
                    continue;
                if (best < 0 ||
                    x.plain[plane + (size_t)(iy * in.w + ix)] > x.plain[plane + (size_t)best])
                    best = iy * in.w + ix;
            }
            y_plain[k] = x.plain[plane + (size_t)best];
            dx_plain[plane + (size_t)best] += dy.plain[k];
        }
        blocked_maxpool(&x.s, &g, x.blocked, y, choice);
        expect(&dy, y, y_plain, 0);
        blocked_maxpool_backward(&x.s, &g, choice, dy.blocked, dx, 0);
        expect(&x, dx, dx_plain, 1e-6);
        blocked_maxpool_backward(&x.s, &g, choice, dy.blocked, dx, 1);
        for (size_t k = 0; k < x.n; k++)
            dx_plain[k] *= 2;
        expect(&x, dx, dx_plain, 1e-6);
        free(y);
        free(dx);
        free(y_plain);
        free(dx_plain);
        free(choice);
        release(&x);
        release(&dy);
    }
}

/* Sums are merged in a fixed order. */
static void threads_do_not_change_a_bit(void **state) {
    (void)state;
    struct random r = random_stream(5, RANDOM_TEST, 0, 0);
    struct both x = draw_both(&r, 7, (struct shape){35, 5, 6});
    float *partial = need(2 * blocked_size(&x.s), 4);
    double sums[2][2 * 35];
    for (int threads = 1; threads <= 2; threads++) {
        omp_set_num_threads(threads);
        blocked_statistics(&x.s, x.blocked, partial, sums[threads - 1], sums[threads - 1] + 35);
    }
    assert_memory_equal(sums[0], sums[1], sizeof sums[0]);
    omp_set_num_threads(1);
    free(partial);
    release(&x);
}

static void a_nan_is_not_clipped_away(void **state) {
    (void)state;
    struct blocked s = blocked_shape(1, (struct shape){16, 1, 2});
    float x[32] = {0}, one[16], zero[16] = {0}, y[32];
    uint16_t choice[16];
    x[3] = x[19] = NAN;
    for (int l = 0; l < LANES; l++)
        one[l] = 1;
    for (size_t i = 0; i < sizeof act_bits / sizeof *act_bits; i++) {
        blocked_affine(&s, x, one, zero, BLOCKED_CLIP, act_bits[i], y);
        assert_true(isnan(y[3]) && isnan(y[19]) && y[4] == 0);
    }
    blocked_maxpool(&s, &(struct window){1, 2, 1, 1, 2, 2, 0}, x, y, choice);
    assert_true(isnan(y[3]) && choice[3] == NO_CHOICE && y[4] == 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layouts_are_converted),
        cmocka_unit_test(norm_passes_agree_with_the_operators),
        cmocka_unit_test(sums_and_means_agree),
        cmocka_unit_test(maxima_agree),
        cmocka_unit_test(threads_do_not_change_a_bit),
        cmocka_unit_test(a_nan_is_not_clipped_away),
    };
    return cmocka_run_group_tests_name("blocked", tests, NULL, NULL);
}
