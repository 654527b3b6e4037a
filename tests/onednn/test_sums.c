/* What exact evaluation is made of in the onednn engine: sums of integers are equal, bit for bit,
 * to a plain loop in int64 for random geometries; the passes behind them equal a value at a time;
 * extreme codes saturate nowhere. */
#include "engine/onednn/exact/passes.h"
#include "engine/onednn/exact/sums.h"

#include "base/values.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ROUNDS = 60 };

/* ---- one convolution ---- */

static struct conv draw_geometry(struct random *r) {
    struct conv g = {.groups = values_between(r, 0, 3) ? 1 : values_between(r, 2, 4)};
    g.c = g.groups * values_between(r, 1, 24);
    g.filters = g.groups * values_between(r, 1, 20);
    g.size = 2 * values_between(r, 0, 2) + 1;
    g.stride = values_between(r, 1, 2);
    g.padding = values_between(r, 0, g.size / 2);
    g.h = values_between(r, g.size, 11);
    g.w = values_between(r, g.size, 11);
    g.out_h = (g.h + 2 * g.padding - g.size) / g.stride + 1;
    g.out_w = (g.w + 2 * g.padding - g.size) / g.stride + 1;
    return g;
}

/* Σ w x of one output, and Σ x, in int64. */
static int64_t sum_at(const struct conv *g, const uint8_t *X, const float *W, int image, int f,
                      int oy, int ox, int64_t *box) {
    int per = g->c / g->groups, first = f / (g->filters / g->groups) * per;
    int64_t sum = 0;
    *box = 0;
    for (int c = 0; c < per; c++)
        for (int ky = 0; ky < g->size; ky++)
            for (int kx = 0; kx < g->size; kx++) {
                int y = oy * g->stride + ky - g->padding, x = ox * g->stride + kx - g->padding;
                if (y < 0 || y >= g->h || x < 0 || x >= g->w)
                    continue;
                int code = X[((image * g->h + y) * g->w + x) * g->c + first + c];
                sum += (int64_t)W[((f * per + c) * g->size + ky) * g->size + kx] * code;
                *box += code;
            }
    return sum;
}

static void expect_box(const struct conv *g, int n, const uint8_t *X, const float *W) {
    size_t out = (size_t)(n * g->out_h * g->out_w * g->groups);
    int32_t *columns = need((size_t)(n * g->h * g->w * g->groups), 4), *box = need(out, 4);
    codes_box(g, n, X, columns, box);
    for (int i = 0; i < (int)out; i++) {
        int group = i % g->groups, p = i / g->groups;
        int64_t want;
        sum_at(g, X, W, p / (g->out_h * g->out_w), group * (g->filters / g->groups),
               p / g->out_w % g->out_h, p % g->out_w, &want);
        assert_int_equal(box[i], want);
    }
    free(columns);
    free(box);
}

/* How large a weight may be, so that no sum passes what the arithmetic holds exactly. */
static int largest_weight(const struct conv *g, enum arithmetic a) {
    int most = a == ARITHMETIC_INT8 ? 127 : 255, inputs = g->c / g->groups * g->size * g->size;
    while (a != ARITHMETIC_INT8 && (int64_t)inputs * 255 * most >= 1 << 24)
        most /= 2;
    return most;
}

static void expect_sums(struct onednn *o, const struct conv *g, int n, const uint8_t *X,
                        const float *W, enum arithmetic a) {
    struct sum_conv *c = sum_conv_new(o, g, n, 1, a);
    if (!c) {
        assert_true(a != ARITHMETIC_FP32 || g->groups > 1); // the others have fp32 to fall back on
        return;
    }
    size_t out = (size_t)(n * g->out_h * g->out_w) * (size_t)g->filters;
    void *T = need_aligned(out, 4);
    sum_conv_weights(c, W);
    sum_conv_forward(c, X, T);
    for (int i = 0; i < (int)out; i++) {
        int f = i % g->filters, p = i / g->filters;
        int64_t box, want = sum_at(g, X, W, p / (g->out_h * g->out_w), f, p / g->out_w % g->out_h,
                                   p % g->out_w, &box);
        double got = a == ARITHMETIC_INT8 ? ((int32_t *)T)[i] : (double)((float *)T)[i];
        if (got != (double)want)
            fail_msg("%s: %g instead of %lld (c %d, filters %d, size %d)", arithmetic_names[a], got,
                     (long long)want, g->c, g->filters, g->size);
    }
    sum_conv_free(c);
    free(T);
}

/* `extreme`: codes and weights at their ends alone, which is where pairs of products saturate. */
static void compare_sums(struct onednn *o, struct random *r, int extreme) {
    struct conv g = draw_geometry(r);
    int n = values_between(r, 1, 3), weights = g.filters * (g.c / g.groups) * g.size * g.size;
    uint8_t *X = need_aligned((size_t)(n * g.h * g.w * g.c), 1);
    float *W = need_aligned((size_t)weights, sizeof *W);
    for (int a = ARITHMETIC_FP32; a <= ARITHMETIC_INT8; a++) {
        int most = largest_weight(&g, (enum arithmetic)a);
        for (int i = 0; i < n * g.h * g.w * g.c; i++)
            X[i] = (uint8_t)(extreme ? 255 : values_between(r, 0, 255));
        for (int i = 0; i < weights; i++)
            W[i] = (float)(extreme ? (i % 7 ? most : -most) : values_between(r, -most, most));
        expect_sums(o, &g, n, X, W, (enum arithmetic)a);
        expect_box(&g, n, X, W);
    }
    free(X);
    free(W);
}

static void sums_are_exact(void **state) {
    (void)state;
    struct error e = {0};
    struct random r = random_stream(31, RANDOM_TEST, 0, 0);
    struct onednn *o = onednn_open(1, &e);
    assert_non_null(o);
    for (int i = 0; i < ROUNDS; i++)
        compare_sums(o, &r, i % 4 == 0);
    onednn_close(o);
}

/* More inputs than int32 holds the sums of: int8 is refused, not wrong. */
static void sums_that_could_overflow_are_refused(void **state) {
    (void)state;
    struct error e = {0};
    struct onednn *o = onednn_open(1, &e);
    struct conv g = {.c = 32770,
                     .h = 1,
                     .w = 1,
                     .filters = 16,
                     .size = 1,
                     .stride = 1,
                     .groups = 1,
                     .out_h = 1,
                     .out_w = 1};
    assert_null(sum_conv_new(o, &g, 1, 1, ARITHMETIC_INT8));
    struct sum_conv *c = sum_conv_new(o, &g, 1, 1, ARITHMETIC_FP32);
    assert_non_null(c);
    sum_conv_free(c);
    onednn_close(o);
}

/* ---- the passes ---- */

static float value_at(const struct sums *s, size_t pixel, int c) {
    size_t i = pixel * (size_t)s->c + (size_t)c;
    int32_t box = s->box ? s->box[pixel * (size_t)s->groups + (size_t)(c / (s->c / s->groups))] : 0;
    float T = s->real ? s->real[i] : (float)(s->factor * s->whole[i] + s->odd * box);
    float value = s->a[c] * T + s->b[c];
    return s->o ? value + s->o[c] * (float)box : value;
}

/* Some sums of any kind; `real` or not, box or not, offset or not. */
static void draw_sums(struct random *r, struct sums *s, int kind) {
    s->groups = values_between(r, 1, 3);
    s->c = s->groups * values_between(r, 1, values_between(r, 0, 4) ? 40 : 400);
    s->pixels = (size_t)values_between(r, 1, 60);
    size_t n = s->pixels * (size_t)s->c, boxes = s->pixels * (size_t)s->groups;
    int32_t *whole = need(n, 4), *box = need(boxes, 4);
    float *real = need(n, 4), *all[3];
    for (int k = 0; k < 3; k++) {
        all[k] = need((size_t)s->c, 4);
        for (int c = 0; c < s->c; c++)
            all[k][c] = (random_unit(r) - 0.3f) / (k == 1 ? 1 : 4000);
    }
    for (size_t i = 0; i < n; i++)
        real[i] = (float)(whole[i] = values_between(r, -9000, 9000));
    for (size_t i = 0; i < boxes; i++)
        box[i] = values_between(r, 0, 5000);
    s->a = all[0];
    s->b = all[1];
    s->o = kind & 4 ? all[2] : NULL;
    s->real = kind & 1 ? real : NULL;
    s->whole = kind & 1 ? NULL : whole;
    s->box = kind & 2 || kind & 4 ? box : NULL;
    s->factor = values_between(r, 1, 2);
    s->odd = s->box ? values_between(r, 0, 1) : 0;
    if (s->real)
        free(whole);
    else
        free(real);
    if (!s->box)
        free(box);
    if (!s->o)
        free(all[2]);
}

static void free_sums(struct sums *s) {
    free((void *)s->real);
    free((void *)s->whole);
    free((void *)s->box);
    free((void *)s->a);
    free((void *)s->b);
    free((void *)s->o);
}

static void compare_passes(struct random *r, int kind) {
    struct sums s = {0};
    draw_sums(r, &s, kind);
    size_t n = s.pixels * (size_t)s.c;
    float *Y = need(n, 4), *B = need(n, 4), *sum = need(n, 4);
    uint8_t *codes = need(n, 1);
    int bits = values_between(r, 1, 8);
    for (size_t i = 0; i < n; i++)
        B[i] = random_unit(r);
    sums_to_floats(&s, Y);
    sums_add(&s, 2, 0.5f, B, sum);
    assert_int_equal(sums_to_codes(&s, bits, codes), 1);
    for (size_t i = 0; i < n; i++) {
        float want = value_at(&s, i / (size_t)s.c, (int)(i % (size_t)s.c)), code;
        clip_forward(1, bits, &want, &code);
        assert_true(Y[i] == want);
        assert_true(sum[i] == 2 * want + 0.5f * B[i]);
        assert_true((float)codes[i] == code * (float)((1 << bits) - 1));
    }
    codes_to_floats(n, bits, codes, sum);
    for (size_t i = 0; i < n; i++) {
        clip_forward(1, bits, &Y[i], &B[i]);
        assert_true(sum[i] == B[i]);
    }
    free(Y);
    free(B);
    free(sum);
    free(codes);
    free_sums(&s);
}

static void passes_equal_single_values(void **state) {
    (void)state;
    struct random r = random_stream(32, RANDOM_TEST, 0, 0);
    for (int i = 0; i < ROUNDS * 8; i++)
        compare_passes(&r, i % 8);
}

static void a_value_that_is_no_number_is_told(void **state) {
    (void)state;
    float real[40] = {0}, a[1] = {1}, b[1] = {0};
    uint8_t codes[40];
    struct sums s = {.pixels = 40, .c = 1, .real = real, .a = a, .b = b, .groups = 1};
    assert_int_equal(sums_to_codes(&s, 4, codes), 1);
    real[33] = NAN;
    assert_int_equal(sums_to_codes(&s, 4, codes), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_are_exact),
        cmocka_unit_test(sums_that_could_overflow_are_refused),
        cmocka_unit_test(passes_equal_single_values),
        cmocka_unit_test(a_value_that_is_no_number_is_told),
    };
    return cmocka_run_group_tests_name("sums", tests, NULL, NULL);
}
