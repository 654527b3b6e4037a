/* Every set of kernels against the portable twin, to the bit: sums of codes and of floats, sums of
 * windows and the passes behind, on random shapes, strides, groups, tails and widths, at the ends
 * of what codes and weights may be; with a guard page behind every buffer. */
#include "runtime/guarded.h"

#include "base/error.h"
#include "base/values.h"
#include "runtime/kernels.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ROUNDS = 400 };

/* The sets that this processor has, the portable one first. */
static int sets(const struct kernels *all[8]) {
    static const int without[] = {TQ_ALL_INSTRUCTIONS, TQ_AVX512, TQ_VPOPCNTDQ, 0};
    const struct kernels *last = NULL;
    int n = 0;
    for (size_t i = 0; i < sizeof without / sizeof *without; i++) {
        const struct kernels *k = tq_choose_kernels(without[i]);
        if (k != last)
            all[n++] = k;
        last = k;
    }
    return n;
}

/* ---- a layer of its own ---- */

struct scene {
    struct tq_model model; // of planes alone
    struct layer layer;
    struct product product;
    struct window window;
    struct guarded planes, x, floats, weights;
    float unit;
    size_t sums; // of a row of outputs
};

static void draw_shape(struct scene *s, struct random *r) {
    struct product *p = &s->product;
    int kind = values_between(r, 0, 7), depthwise = kind == 0, grouped = kind == 1;
    p->groups = (uint32_t)(depthwise ? values_between(r, 1, 70)
                           : grouped ? values_between(r, 2, 4)
                                     : 1);
    p->channels = (uint32_t)(depthwise ? 1 : values_between(r, 1, kind == 2 ? 200 : 20));
    if (grouped && values_between(r, 0, 1))
        p->channels = (p->channels + 3) / 4 * 4;
    if (kind >= 4) { // as bits are counted
        p->channels = (p->channels + 7) / 8 * 8;
        p->k = values_between(r, 1, 3);
    }
    if (kind == 7)
        p->channels = 16U << values_between(r, 0, 3);
    p->filters = p->groups * (uint32_t)(depthwise ? 1 : values_between(r, 1, kind == 3 ? 150 : 40));
    p->rows = (uint32_t)values_between(r, 1, 4);
    p->cols = (uint32_t)values_between(r, 1, 4);
    p->step = (p->channels * p->groups + 3) / 4 * 4;
    p->is_row = p->groups == 1;
    p->k = p->k ? p->k : values_between(r, 1, 8);
    p->act_bits = values_between(r, 0, 2) ? p->k : values_between(r, 1, 8);
}

static void draw_form(struct scene *s, struct random *r) {
    struct form *f = &s->layer.form[s->product.k];
    int k = s->product.k, kind = values_between(r, 0, 3);
    s->unit = 1;
    *f = (struct form){.factor = 1, .units = 1, .unit = &s->unit};
    if (kind == 1)
        *f = (struct form){.factor = 2, .odd = 1, .units = 1, .unit = &s->unit};
    if (kind == 2)
        *f = (struct form){.factor = 1 << (8 - k), .units = 1, .unit = &s->unit};
    if (kind == 3 && k > 1)
        *f = (struct form){.factor = 1 << (9 - k), .odd = 1, .units = 1, .unit = &s->unit};
}

/* Bits of all planes, at random or all the same: codes at their ends. */
static void draw_planes(struct scene *s, struct random *r, int extreme) {
    struct layer *l = &s->layer;
    const struct product *p = &s->product;
    l->rows = p->filters;
    l->inputs = p->rows * p->cols * p->channels;
    l->row_bytes = tq_row_bytes(l->inputs);
    size_t plane = (size_t)tq_aligned((uint64_t)l->rows * l->row_bytes);
    s->planes = guard(NULL, plane * TQ_BITS);
    uint8_t same = values_between(r, 0, 1) ? 255 : 0;
    for (size_t i = 0; i < plane * TQ_BITS; i++)
        s->planes.bytes[i] = extreme ? same : (uint8_t)values_between(r, 0, 255);
    s->model = (struct tq_model){.bytes = s->planes.bytes, .size = plane * TQ_BITS};
    for (uint32_t i = 0; i < TQ_BITS; i++)
        s->model.plane_at[i] = i * plane;
}

static void draw_inputs(struct scene *s, struct random *r, int extreme) {
    const struct product *p = &s->product;
    uint32_t pixels = (uint32_t)values_between(r, 1, 40),
             stride = (uint32_t)values_between(r, 1, 3);
    size_t row = (size_t)p->step * ((pixels - 1) * stride + p->cols), n = row * p->rows;
    int top = (1 << p->act_bits) - 1;
    s->x = guard(NULL, n);
    s->floats = guard(NULL, n * sizeof(float));
    for (size_t i = 0; i < n; i++) {
        int is_there = i % p->step < p->channels * p->groups;
        s->x.bytes[i] = (uint8_t)(!is_there ? 0 : extreme ? top : values_between(r, 0, top));
        ((float *)(void *)s->floats.bytes)[i] = random_unit(r) * 4 - 2;
    }
    s->window = (struct window){.pixel = (size_t)stride * p->step, .row = row, .pixels = pixels};
    s->product.span = (uint32_t)row;
    s->sums = (size_t)pixels * p->filters;
}

static void draw_weights(struct scene *s, struct random *r) {
    size_t n = (size_t)s->layer.rows * s->layer.inputs;
    s->weights = guard(NULL, n * sizeof(float));
    values_draw(r, (float *)(void *)s->weights.bytes, n, -1, 1);
    s->product.weights = (const float *)(const void *)s->weights.bytes;
}

static void draw_scene(struct scene *s, struct random *r, int extreme) {
    *s = (struct scene){0};
    draw_shape(s, r);
    draw_form(s, r);
    draw_planes(s, r, extreme);
    draw_inputs(s, r, extreme);
    draw_weights(s, r);
    s->product.model = &s->model;
    s->product.layer = &s->layer;
}

static void free_scene(struct scene *s) {
    unguard(&s->planes);
    unguard(&s->x);
    unguard(&s->floats);
    unguard(&s->weights);
}

/* ---- sums ---- */

/* Σ (factor v + odd) x and Σ x, whatever the kernels put where. */
static void sums_of(struct scene *s, const struct kernels *kernels, int32_t *into, int32_t *boxes) {
    struct product p = s->product;
    struct guarded packed = guard(NULL, tq_aligned(kernels->packed_bytes(&p)));
    struct guarded T = guard(NULL, s->sums * sizeof(int32_t));
    struct guarded box = guard(NULL, (size_t)s->window.pixels * p.groups * sizeof(int32_t));
    p.packed = packed.bytes;
    kernels->pack(&p);
    s->window.x = s->x.bytes;
    kernels->sums(&p, &s->window, (int32_t *)(void *)T.bytes);
    kernels->box(&p, &s->window, (int32_t *)(void *)box.bytes);
    memcpy(boxes, box.bytes, (size_t)s->window.pixels * p.groups * sizeof *boxes);
    for (size_t i = 0; i < s->sums; i++) {
        size_t group = i % p.filters / (p.filters / p.groups);
        into[i] = p.factor * ((int32_t *)(void *)T.bytes)[i] +
                  p.odd * boxes[i / p.filters * p.groups + group];
    }
    unguard(&packed);
    unguard(&T);
    unguard(&box);
}

/* One sum in 64 bits, from the planes. */
static int64_t plain_sum(const struct scene *s, size_t at) {
    const struct product *p = &s->product;
    const struct form *f = &s->layer.form[p->k];
    uint32_t filter = (uint32_t)(at % p->filters), group = filter / (p->filters / p->groups);
    const uint8_t *x = s->x.bytes + at / p->filters * s->window.pixel, *planes[TQ_BITS];
    int64_t sum = 0;
    tq_row_planes(&s->model, &s->layer, p->k, filter, planes);
    for (uint32_t i = 0; i < s->layer.inputs; i++) {
        uint32_t tap = i / p->channels, c = i % p->channels + group * p->channels;
        int u = 0;
        for (int plane = 0; plane < p->k; plane++)
            u = 2 * u + (planes[plane][i / 8] >> i % 8 & 1);
        int v = u - (1 << (p->k - 1));
        sum += (int64_t)(f->factor * v + f->odd) *
               x[tap / p->cols * s->window.row + (size_t)(tap % p->cols) * p->step + c];
    }
    return sum;
}

static void expect_equal(const struct scene *s, const char *name, const int32_t *got) {
    const struct product *p = &s->product;
    for (size_t i = 0; i < s->sums; i++)
        if (got[i] != plain_sum(s, i))
            fail_msg("%s: sum %zu is %d instead of %lld (%u filters of %u x %u x %u, %u groups, %u "
                     "pixels, k %d, j %d)",
                     name, i, got[i], (long long)plain_sum(s, i), p->filters, p->rows, p->cols,
                     p->channels, p->groups, s->window.pixels, p->k, p->act_bits);
}

static void compare_sums(struct scene *s) {
    const struct kernels *all[8];
    int n = sets(all);
    size_t boxes = (size_t)s->window.pixels * s->product.groups;
    int32_t *got = need(s->sums, sizeof *got), *box = need(boxes, sizeof *box),
            *want = need(boxes, sizeof *want);
    for (int i = 0; i < n; i++) {
        sums_of(s, all[i], got, i ? box : want);
        expect_equal(s, all[i]->name, got);
        assert_true(!i || !memcmp(box, want, boxes * sizeof *box));
    }
    free(got);
    free(box);
    free(want);
}

static void sums_are_those_of_a_plain_loop(void **state) {
    (void)state;
    struct random r = random_stream(93, RANDOM_TEST, 0, 0);
    for (int i = 0; i < ROUNDS; i++) {
        struct scene s;
        draw_scene(&s, &r, i % 4 == 0);
        compare_sums(&s);
        free_scene(&s);
    }
}

/* A linear layer that is large enough to be computed from the planes. */
static void draw_large(struct scene *s, struct random *r, int k, uint32_t inputs, uint32_t images) {
    *s = (struct scene){0};
    s->product = (struct product){.filters = (1 << 20) / inputs + 3,
                                  .groups = 1,
                                  .rows = 1,
                                  .cols = 1,
                                  .channels = inputs,
                                  .step = (inputs + 3) / 4 * 4,
                                  .is_row = 1,
                                  .is_linear = 1,
                                  .k = k,
                                  .act_bits = 8,
                                  .model = &s->model,
                                  .layer = &s->layer};
    draw_form(s, r);
    draw_planes(s, r, 0);
    size_t n = (size_t)images * s->product.step;
    s->x = guard(NULL, n);
    for (size_t i = 0; i < n; i++)
        s->x.bytes[i] = (uint8_t)values_between(r, 0, 255);
    s->window = (struct window){.pixel = s->product.step, .row = n, .pixels = images};
    s->product.span = (uint32_t)n;
    s->sums = (size_t)s->window.pixels * s->product.filters;
}

static void large_layers_are_those_of_a_plain_loop(void **state) {
    (void)state;
    static const uint32_t inputs[] = {4099, 8192}, images[] = {1, 5};
    struct random r = random_stream(96, RANDOM_TEST, 0, 0);
    for (int i = 0; i < 16; i++) {
        struct scene s;
        draw_large(&s, &r, i % 8 + 1, inputs[i / 8], images[(i + i / 8) % 2]);
        compare_sums(&s);
        unguard(&s.planes);
        unguard(&s.x);
    }
}

static void float_sums_have_the_same_bits(void **state) {
    (void)state;
    const struct kernels *all[8];
    struct random r = random_stream(94, RANDOM_TEST, 0, 0);
    int n = sets(all);
    for (int round = 0; round < ROUNDS; round++) {
        struct scene s;
        draw_scene(&s, &r, 0);
        s.window.x = s.floats.bytes;
        struct guarded want = guard(NULL, s.sums * sizeof(float));
        for (int i = 0; i < n; i++) {
            struct guarded T = guard(NULL, s.sums * sizeof(float));
            all[i]->float_sums(&s.product, &s.window, (float *)(void *)T.bytes);
            if (!i)
                memcpy(want.bytes, T.bytes, s.sums * sizeof(float));
            assert_memory_equal(T.bytes, want.bytes, s.sums * sizeof(float));
            unguard(&T);
        }
        unguard(&want);
        free_scene(&s);
    }
}

/* ---- passes ---- */

struct passed {
    struct affine map;
    uint32_t pixels;
    size_t values, step;
    struct guarded a, b, o, box, T, X, Y, codes;
};

static float *floats_of(const struct guarded *g) {
    return (float *)(void *)g->bytes;
}

static void draw_passed(struct passed *p, struct random *r) {
    uint32_t groups = (uint32_t)(values_between(r, 0, 2) ? 1 : values_between(r, 2, 5));
    uint32_t c = groups * (uint32_t)values_between(r, 1, 45);
    *p = (struct passed){.pixels = (uint32_t)values_between(r, 1, 30),
                         .step = c + (size_t)values_between(r, 0, 3)};
    p->values = (size_t)p->pixels * c;
    p->a = guard(NULL, c * 4);
    p->b = guard(NULL, c * 4);
    p->o = guard(NULL, c * 4);
    p->box = guard(NULL, (size_t)p->pixels * groups * 4);
    p->T = guard(NULL, p->values * 4);
    p->X = guard(NULL, ((p->pixels - 1) * p->step + c) * 4);
    p->Y = guard(NULL, p->values * 4);
    p->codes = guard(NULL, (p->pixels - 1) * p->step + c);
    values_draw(r, floats_of(&p->a), c, -1e-4F, 4e-4F);
    values_draw(r, floats_of(&p->b), c, -1, 1);
    values_draw(r, floats_of(&p->o), c, -1e-3F, 1e-3F);
    values_draw(r, floats_of(&p->X), (p->pixels - 1) * p->step + c, -9000, 9000);
    for (size_t i = 0; i < p->values; i++)
        ((int32_t *)(void *)p->T.bytes)[i] = values_between(r, -9000, 9000);
    for (size_t i = 0; i < (size_t)p->pixels * groups; i++)
        ((int32_t *)(void *)p->box.bytes)[i] = values_between(r, 0, 5000);
    int boxes = values_between(r, 0, 2);
    p->map = (struct affine){.a = floats_of(&p->a),
                             .b = floats_of(&p->b),
                             .o = boxes == 2 ? floats_of(&p->o) : NULL,
                             .c = c,
                             .groups = groups,
                             .factor = values_between(r, 1, 2),
                             .odd = boxes == 1,
                             .box = boxes ? (int32_t *)(void *)p->box.bytes : NULL};
}

static void free_passed(struct passed *p) {
    struct guarded *all[] = {&p->a, &p->b, &p->o, &p->box, &p->T, &p->X, &p->Y, &p->codes};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        unguard(all[i]);
}

/* One value after the other, as the formulas say. */
static float plain_value(const struct passed *p, int floats, size_t i) {
    const struct affine *m = &p->map;
    size_t pixel = i / m->c, c = i % m->c;
    int32_t box = m->box ? m->box[pixel * m->groups + c / (m->c / m->groups)] : 0;
    if (floats)
        return m->a[c] * floats_of(&p->X)[pixel * p->step + c] + m->b[c];
    int32_t sum = m->factor * ((const int32_t *)(const void *)p->T.bytes)[i] + m->odd * box;
    float y = m->a[c] * (float)sum + m->b[c];
    return m->o ? y + m->o[c] * (float)box : y;
}

static void expect_values(const struct passed *p, const char *name, int floats) {
    for (size_t i = 0; i < p->values; i++)
        if (floats_of(&p->Y)[i] != plain_value(p, floats, i))
            fail_msg("%s: value %zu is %.9g instead of %.9g", name, i, (double)floats_of(&p->Y)[i],
                     (double)plain_value(p, floats, i));
}

static void expect_codes(const struct passed *p, const struct kernels *k, int bits) {
    float top = (float)((1 << bits) - 1);
    assert_int_equal(
        k->quantize(p->pixels, p->map.c, top, floats_of(&p->Y), p->codes.bytes, p->step), 0);
    for (size_t i = 0; i < p->values; i++) {
        float y = fminf(fmaxf(floats_of(&p->Y)[i], 0), 1);
        assert_int_equal(p->codes.bytes[i / p->map.c * p->step + i % p->map.c],
                         (int)rintf(top * y));
    }
    float kept = floats_of(&p->Y)[p->values - 1];
    floats_of(&p->Y)[p->values - 1] = NAN;
    assert_int_not_equal(
        k->quantize(p->pixels, p->map.c, top, floats_of(&p->Y), p->codes.bytes, p->step), 0);
    floats_of(&p->Y)[p->values - 1] = kept;
}

static void expect_sum(const struct passed *p, const struct kernels *k) {
    float *before = need(p->values, sizeof *before);
    memcpy(before, p->Y.bytes, p->values * sizeof *before);
    k->add(p->pixels, p->map.c, 2, .3F, floats_of(&p->X), p->step, floats_of(&p->Y));
    for (size_t i = 0; i < p->values; i++) {
        float x = floats_of(&p->X)[i / p->map.c * p->step + i % p->map.c];
        assert_true(floats_of(&p->Y)[i] == 2 * before[i] + .3F * x);
    }
    free(before);
}

/* What is mapped and rounded in one pass, where there is such a one, after the portable two. */
static void expect_one_pass(struct passed *p, const struct kernels *k, float top) {
    const int32_t *T = (const int32_t *)(const void *)p->T.bytes;
    const float *X = floats_of(&p->X);
    size_t n = (p->pixels - 1) * p->step + p->map.c;
    uint8_t *want = need(n, 1);
    struct affine own = p->map;
    own.box = NULL;
    for (int sums = 0; k->code_sums && sums < (p->map.groups == 1 ? 2 : 1); sums++) {
        memset(p->codes.bytes, 99, n);
        memset(want, 99, n);
        if (sums)
            tq_portable.affine_sums(&p->map, p->pixels, T, floats_of(&p->Y));
        else
            tq_portable.affine_floats(&own, p->pixels, X, p->step, floats_of(&p->Y));
        int bad = tq_portable.quantize(p->pixels, p->map.c, top, floats_of(&p->Y), want, p->step);
        int got = sums ? k->code_sums(&p->map, p->pixels, T, top, p->codes.bytes, p->step)
                       : k->code_floats(&own, p->pixels, X, p->step, top, p->codes.bytes, p->step);
        assert_int_equal(!got, !bad);
        assert_memory_equal(p->codes.bytes, want, n);
    }
    free(want);
}

static void passes_equal_single_values(void **state) {
    (void)state;
    const struct kernels *all[8];
    struct random r = random_stream(95, RANDOM_TEST, 0, 0);
    int n = sets(all);
    for (int round = 0; round < ROUNDS; round++) {
        struct passed p;
        draw_passed(&p, &r);
        for (int i = 0; i < n; i++) {
            all[i]->affine_sums(&p.map, p.pixels, (const int32_t *)(const void *)p.T.bytes,
                                floats_of(&p.Y));
            expect_values(&p, all[i]->name, 0);
            expect_codes(&p, all[i], 1 + round % 8);
            expect_sum(&p, all[i]);
            struct affine own = p.map;
            own.box = NULL;
            all[i]->affine_floats(&own, p.pixels, floats_of(&p.X), p.step, floats_of(&p.Y));
            expect_values(&p, all[i]->name, 1);
            expect_one_pass(&p, all[i], (float)((1 << (1 + round % 8)) - 1));
        }
        free_passed(&p);
    }
}

/* Halves go to the even code. */
static void halves_are_rounded_to_even(void **state) {
    (void)state;
    const struct kernels *all[8];
    int n = sets(all);
    float Y[3] = {.5F, 1.5F, 2.5F}, top = 4;
    uint8_t codes[3];
    for (int i = 0; i < 3; i++)
        Y[i] /= top;
    for (int i = 0; i < n; i++) {
        all[i]->quantize(1, 3, top, Y, codes, 3);
        assert_int_equal(codes[0], 0);
        assert_int_equal(codes[1], 2);
        assert_int_equal(codes[2], 2);
    }
}

static void what_is_forced_off_is_not_taken(void **state) {
    (void)state;
    assert_string_equal(tq_choose_kernels(TQ_ALL_INSTRUCTIONS)->name, "portable");
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2"))
        assert_string_equal(tq_choose_kernels(TQ_AVX512)->name, "avx2");
    if (__builtin_cpu_supports("avx512vnni"))
        assert_string_equal(tq_choose_kernels(TQ_AVX2 | TQ_VPOPCNTDQ)->name, "avx512-vnni");
    if (__builtin_cpu_supports("avx512vpopcntdq"))
        assert_string_equal(tq_choose_kernels(0)->name, "avx512-vpopcntdq");
#endif
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_are_those_of_a_plain_loop),
        cmocka_unit_test(large_layers_are_those_of_a_plain_loop),
        cmocka_unit_test(float_sums_have_the_same_bits),
        cmocka_unit_test(passes_equal_single_values),
        cmocka_unit_test(halves_are_rounded_to_even),
        cmocka_unit_test(what_is_forced_off_is_not_taken),
    };
    return cmocka_run_group_tests_name("kernels", tests, NULL, NULL);
}
