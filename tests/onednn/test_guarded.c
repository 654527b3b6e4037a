/* No primitive of oneDNN touches what lies around the buffers that it is given (guard.h):
 * convolutions in all ways that the engine takes, of all networks that come with the harness, in
 * training and exact evaluation. That the guard notices is tested too: on functions made for it,
 * and on a primitive that the engine avoids. `make test-machines` has the same for other
 * instruction sets, and guards the geometries, sums and networks of the other tests. */
#include "engine/onednn/exact/sums.h"
#include "engine/onednn/primitive.h"
#include "onednn/guard.h"

#include "base/values.h"
#include "cfg/cfg.h"

#include <dirent.h>
#include <omp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { GAP = NEED_SLACK, CLASSES = 10, LARGE = 96 };

/* ---- the guard itself ---- */

static void keeps_to_itself(void *const *data, void *with) {
    (void)with;
    memset(data[1], *(char *)data[0], 100);
}

static void writes_at(void *const *data, void *with) {
    ((volatile char *)data[0])[*(long *)with] = 7;
}

static void reads_at(void *const *data, void *with) {
    *(volatile char *)data[1] = ((volatile char *)data[0])[*(long *)with];
}

/* What `work` at the place `at` of 100 bytes is found to do. */
static struct guarded found(void (*work)(void *const *, void *), long at, size_t may_write) {
    char *x = need_aligned(100, 1), *y = need_aligned(100, 1);
    struct guarded all[] = {
        {.name = "x", .data = x, .size = 100, .may_write = may_write},
        {.name = "y", .data = y, .size = 100, .may_write = may_write},
    };
    guard_run(all, 2, GAP, work, &at);
    struct guarded sum = all[0];
    sum.depends |= all[1].depends;
    assert_false(guard_found(&all[1]) && !all[1].depends);
    free(x);
    free(y);
    return sum;
}

static void the_guard_notices(void **state) {
    (void)state;
    struct guarded x = found(keeps_to_itself, 0, 0);
    assert_false(guard_found(&x));
    x = found(writes_at, 99, 0);
    assert_false(guard_found(&x));
    x = found(writes_at, 100, 0);
    assert_true(guard_found(&x) && x.written == 1 && !x.touched);
    x = found(writes_at, 100 + GAP - 1, GAP);
    assert_true(!guard_found(&x) && x.written == GAP);
    x = found(writes_at, 100 + GAP + 5000, GAP);
    assert_true(guard_found(&x) && x.written == GAP + 5001 && x.touched == GAP + 5001);
    x = found(writes_at, -1, GAP);
    assert_true(guard_found(&x) && x.before == 1);
    x = found(reads_at, 100, GAP);
    assert_true(guard_found(&x) && x.depends && !x.written);
    x = found(reads_at, 100 + GAP + 64, GAP);
    assert_true(guard_found(&x) && x.touched && !x.written);
    x = found(reads_at, -70, GAP);
    assert_true(guard_found(&x) && x.before >= 70 && !x.written);
}

static void results_are_copied_back(void **state) {
    (void)state;
    char *x = need_aligned(100, 1), *y = need_aligned(100, 1);
    struct guarded all[] = {{.data = x, .size = 100}, {.data = y, .size = 100}};
    x[0] = 5;
    guard_run(all, 2, GAP, keeps_to_itself, NULL);
    for (int i = 0; i < 100; i++)
        assert_int_equal(y[i], 5);
    free(x);
    free(y);
}

/* ---- the primitive that is avoided ---- */

static struct conv strided_point(int channels, int filters, int side) {
    return (struct conv){.groups = 1,
                         .c = channels,
                         .filters = filters,
                         .size = 1,
                         .stride = 2,
                         .h = side,
                         .w = side,
                         .out_h = side / 2,
                         .out_w = side / 2};
}

struct bare {
    dnnl_memory_desc_t x, y, w;
    dnnl_convolution_desc_t backward;
    dnnl_primitive_desc_t hint;
};

static void describe_bare(struct bare *b, struct onednn *o, const struct conv *g) {
    const dnnl_dims_t x = {1, g->c, g->h, g->w}, y = {1, g->filters, g->out_h, g->out_w};
    struct window_dims d = window_dims(g);
    dnnl_convolution_desc_t forward;
    dnnl_memory_desc_init_by_tag(&b->x, 4, x, dnnl_f32, dnnl_nhwc);
    dnnl_memory_desc_init_by_tag(&b->y, 4, y, dnnl_f32, dnnl_nhwc);
    describe_weights(&b->w, g, dnnl_f32, WEIGHTS_ANY);
    onednn_must(dnnl_convolution_forward_desc_init(&forward, dnnl_forward_training,
                                                   dnnl_convolution_direct, &b->x, &b->w, NULL,
                                                   &b->y, d.strides, d.before, d.after),
                "a description");
    onednn_must(dnnl_primitive_desc_create(&b->hint, &forward, o->attributes, o->engine, NULL),
                "a hint");
    onednn_must(dnnl_convolution_backward_weights_desc_init(&b->backward, dnnl_convolution_direct,
                                                            &b->x, &b->w, NULL, &b->y, d.strides,
                                                            d.before, d.after),
                "a description");
}

static const char *name_of(const_dnnl_primitive_desc_t pd) {
    const char *name = "";
    dnnl_primitive_desc_query(pd, dnnl_query_impl_info_str, 0, &name);
    return name;
}

/* Execute a gradient of weights under the guard; returns the faults that it had. */
static int execute_bare(struct onednn *o, const struct bare *b, const_dnnl_primitive_desc_t pd) {
    struct primitive p = {0};
    const dnnl_memory_desc_t *w = dnnl_primitive_desc_query_md(pd, dnnl_query_diff_weights_md, 0);
    primitive_start(&p, pd);
    primitive_argument(o, &p, DNNL_ARG_SRC, &b->x);
    primitive_argument(o, &p, DNNL_ARG_DIFF_DST, &b->y);
    primitive_argument(o, &p, DNNL_ARG_DIFF_WEIGHTS, w);
    primitive_scratchpad(o, &p, pd);
    void *x = primitive_memory(&b->x), *y = primitive_memory(&b->y), *dw = primitive_memory(w);
    int before = guard_faults();
    primitive_execute(o, &p, (const void *[]){x, y, dw, NULL});
    primitive_free(&p);
    free(x);
    free(y);
    free(dw);
    return guard_faults() - before;
}

/* What oneDNN would take by itself passes its scratch memory; what the engine takes does not. Other
 * versions may have mended it. */
static void the_primitive_that_is_avoided_is_noticed(void **state) {
    (void)state;
    struct error e = {0};
    struct onednn *o = onednn_open(1, &e);
    struct conv g = strided_point(3, 48, 128);
    struct bare b;
    dnnl_primitive_desc_t first, ours;
    describe_bare(&b, o, &g);
    onednn_must(dnnl_primitive_desc_create(&first, &b.backward, o->attributes, o->engine, b.hint),
                "a primitive");
    ours = primitive_find(o, &b.backward, b.hint);
    int is_it = strstr(name_of(first), "1x1") != NULL;
    if (is_it && dnnl_version()->major == 2 && dnnl_version()->minor <= 6)
        assert_true(execute_bare(o, &b, first) > 0);
    guard_forget();
    assert_non_null(ours);
    assert_null(strstr(name_of(ours), "1x1"));
    assert_int_equal(execute_bare(o, &b, ours), 0);
    if (!is_it)
        print_message("no such primitive with these instructions: %s\n", name_of(first));
    dnnl_primitive_desc_destroy(first);
    dnnl_primitive_desc_destroy(ours);
    dnnl_primitive_desc_destroy(b.hint);
    onednn_close(o);
}

/* ---- what the engine does ---- */

static void *drawn(struct random *r, size_t n) {
    float *x = need_aligned(n, sizeof *x);
    values_draw(r, x, n, -1, 1);
    return x;
}

struct buffers {
    float *X, *Y, *W, *by_filter, *dW, *dX;
};

static struct buffers draw_buffers(struct random *r, const struct conv *g, int n) {
    size_t in = (size_t)((g->c + 15) / 16 * 16), out = (size_t)((g->filters + 15) / 16 * 16);
    size_t weights = (size_t)(g->filters * (g->c / g->groups) * g->size * g->size);
    size_t x = (size_t)n * in * (size_t)(g->h * g->w);
    size_t y = (size_t)n * out * (size_t)(g->out_h * g->out_w);
    return (struct buffers){.X = need_aligned(x, 4),
                            .Y = need_aligned(y, 4),
                            .W = drawn(r, weights),
                            .by_filter = drawn(r, out),
                            .dW = need_aligned(weights, 4),
                            .dX = need_aligned(x, 4)};
}

static void free_buffers(struct buffers *b) {
    float *all[] = {b->X, b->Y, b->W, b->by_filter, b->dW, b->dX};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]);
}

/* Forward and backward, where the engine has it. bf16 lies in memory for floats. */
static void run_convolution(struct onednn *o, struct buffers *b, const struct conv *g, int n,
                            const struct conv_form *form) {
    int has_factor = form->has_bias || form->operands == CONV_INTEGERS;
    struct onednn_conv *c = onednn_conv_new(o, g, n, form);
    if (!c)
        return;
    onednn_conv_weights(c, b->W);
    onednn_conv_forward(c, b->X, has_factor ? b->by_filter : NULL, b->Y);
    if (!form->forward_only)
        onednn_conv_backward(c, b->X, b->Y, b->dW, form->plain_input ? NULL : b->dX);
    onednn_conv_free(c);
}

static void run_sums(struct onednn *o, struct buffers *b, const struct conv *g, int n, int codes,
                     enum arithmetic arithmetic) {
    struct sum_conv *c = sum_conv_new(o, g, n, codes, arithmetic);
    if (!c)
        return;
    sum_conv_weights(c, b->W);
    sum_conv_forward(c, b->X, b->Y);
    sum_conv_free(c);
}

/* In every form that the engine knows, on as many threads as `o` has, and its sums on one. */
static void run_all_forms(struct onednn *o, struct random *r, const struct conv *g, int n) {
    const struct conv_form forms[] = {{.operands = CONV_FLOATS, .has_bias = 1},
                                      {.operands = CONV_FLOATS},
                                      {.operands = CONV_FLOATS, .plain_input = 1},
                                      {.operands = CONV_INTEGERS},
                                      {.operands = CONV_INTEGERS, .forward_only = 1}};
    struct buffers b = draw_buffers(r, g, n);
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        run_convolution(o, &b, g, n, &forms[i]);
    run_sums(o, &b, g, n, 0, ARITHMETIC_FP32);
    for (int a = ARITHMETIC_FP32; a <= ARITHMETIC_INT8; a++)
        run_sums(o, &b, g, n, 1, (enum arithmetic)a);
    free_buffers(&b);
}

/* Windows of one pixel with a stride, of few channels, in images small and large: with AVX-512 what
 * is avoided shows in the large ones alone. */
static void strided_points_keep_to_their_buffers(void **state) {
    (void)state;
    struct error e = {0};
    struct random r = random_stream(61, RANDOM_TEST, 0, 0);
    struct onednn *o = onednn_open(2, &e);
    const int filters[] = {4, 20, 48}, sides[] = {8, 28, 128};
    for (int c = 1; c <= 20; c++)
        for (int i = 0; i < 9; i++) {
            struct conv g = strided_point(c, filters[i / 3], sides[i % 3]);
            run_all_forms(o, &r, &g, 2);
        }
    onednn_close(o);
    assert_true(guard_executions() > 1000);
    assert_int_equal(guard_faults(), 0);
}

/* ---- networks ---- */

/* Geometries that were run: networks share most of theirs. */
struct seen {
    struct conv all[512];
    size_t n;
};

static int is_new(struct seen *seen, const struct conv *g) {
    for (size_t i = 0; i < seen->n; i++)
        if (!memcmp(&seen->all[i], g, sizeof *g))
            return 0;
    assert_true(seen->n < sizeof seen->all / sizeof *seen->all);
    seen->all[seen->n++] = *g;
    return 1;
}

static void run_network(struct onednn *o, struct random *r, const char *path, int side, int n,
                        struct seen *seen) {
    struct error e = {0};
    struct cfg cfg;
    if (cfg_read(&cfg, path, (struct shape){3, side, side}, CLASSES, &e))
        fail_msg("%s", e.text);
    for (int i = 0; i < cfg.n; i++) {
        if (cfg.layers[i].type != LAYER_CONVOLUTIONAL)
            continue;
        struct conv g = conv_geometry(&cfg.layers[i]);
        if (is_new(seen, &g))
            run_all_forms(o, r, &g, n);
    }
    cfg_free(&cfg);
}

/* Of images of 32 x 32, several so that Winograd takes them in parts, and of one large image. */
static void networks_keep_to_their_buffers(void **state) {
    (void)state;
    struct error e = {0};
    struct random r = random_stream(62, RANDOM_TEST, 0, 0);
    struct onednn *o = onednn_open(2, &e);
    static struct seen small, large;
    int before = guard_executions(), faults = guard_faults();
    DIR *folder = opendir("experiments/networks");
    assert_non_null(folder);
    for (struct dirent *d; (d = readdir(folder));) {
        char path[512];
        snprintf(path, sizeof path, "experiments/networks/%s", d->d_name);
        if (!strstr(d->d_name, ".cfg"))
            continue;
        run_network(o, &r, path, 32, 16, &small);
        run_network(o, &r, path, LARGE, 1, &large);
    }
    closedir(folder);
    onednn_close(o);
    assert_true(small.n > 50 && large.n > 50 && guard_executions() > before);
    assert_int_equal(guard_faults(), faults);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_guard_notices),
        cmocka_unit_test(results_are_copied_back),
        cmocka_unit_test(the_primitive_that_is_avoided_is_noticed),
        cmocka_unit_test(strided_points_keep_to_their_buffers),
        cmocka_unit_test(networks_keep_to_their_buffers),
    };
    setenv("TRUNCQUANT_GUARD", "slack", 0);
    omp_set_num_threads(1); // as the engine has it where primitives are made, and executed
    return cmocka_run_group_tests_name("guarded", tests, NULL, NULL);
}
