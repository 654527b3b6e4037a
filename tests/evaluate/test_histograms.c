/* Histograms of weights: every weight counted once, in the bin of its code; none where there is no
 * range map. */
#include "base/folder.h"
#include "evaluate/histograms.h"
#include "evaluate/pair.h"
#include "quant/layer.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { BINS = 256 };

/* The counts of a row, which sum up to its weights. */
static void read_counts(const struct histogram_row *row, long counts[BINS]) {
    const char *at = row->counts;
    long sum = 0;
    for (int b = 0; b < BINS; b++) {
        char *end;
        assert_int_equal(*at, b ? ',' : '[');
        counts[b] = strtol(at + 1, &end, 10);
        assert_true(end > at + 1 && counts[b] >= 0);
        sum += counts[b];
        at = end;
    }
    assert_string_equal(at, "]");
    assert_int_equal(sum, row->weights);
}

static float *weights_of(const struct toy *t, int i) {
    const struct node *n = &t->model->nodes[t->model->quantized[i].node];
    return t->model->parameters[n->weights].value;
}

/* Codes of `floor` at 8 bits, from the file that a device would keep. */
static void bins_are_the_frozen_codes_of_floor(void **state) {
    (void)state;
    struct spec spec = toy_spec("truncquant", 1, 1);
    struct pair p;
    struct histograms h = {0};
    pair_open(&p, &spec, 3);
    histograms_add(&h, p.toy.model, "end");
    assert_int_equal(h.n, p.frozen.m->n_quantized);
    for (int i = 0; i < h.n; i++) {
        size_t n = p.frozen.m->quantized[i].layer.n;
        long counts[BINS], expected[BINS] = {0};
        for (size_t w = 0; w < n; w++)
            expected[p.frozen.codes[i][w]]++;
        read_counts(&h.rows[i], counts);
        assert_int_equal(h.rows[i].weights, n);
        assert_string_equal(h.rows[i].stage, "end");
        assert_int_equal(h.rows[i].layer, p.toy.model->nodes[p.toy.model->quantized[i].node].layer);
        assert_memory_equal(counts, expected, sizeof counts);
    }
    histograms_free(&h);
    pair_close(&p);
}

/* In double and by the definition, over `n` weights that share a range; returns how many stand so
 * near to an edge that float may find the other bin. */
static long count_plainly(const float *W, size_t n, int tanh_map, long counts[BINS]) {
    double most = 0, lo = INFINITY, hi = -INFINITY;
    long near = 0;
    for (size_t i = 0; i < n; i++) {
        most = fmax(most, fabs(tanh((double)W[i])));
        lo = fmin(lo, W[i]);
        hi = fmax(hi, W[i]);
    }
    for (size_t i = 0; i < n; i++) {
        double u = tanh_map ? tanh((double)W[i]) / (2 * most) + 0.5 : (W[i] - lo) / (hi - lo);
        double at = BINS * u;
        near += fabs(at - rint(at)) < 1e-3;
        counts[at < BINS ? (int)at : BINS - 1]++;
    }
    return near;
}

static void check_plainly(const char *scheme, enum granularity granularity) {
    struct spec spec = toy_spec(scheme, 2, 1);
    struct toy t;
    struct histograms h = {0};
    spec.axes.granularity = granularity;
    toy_build(&t, &spec);
    toy_train(&t, 2);
    histograms_add(&h, t.model, "end");
    assert_int_equal(h.n, t.model->n_quantized);
    for (int i = 0; i < h.n; i++) {
        const struct quant_layer *l = &t.model->quantized[i].layer;
        size_t groups = granularity == PER_CHANNEL ? l->channels : 1, n = l->n / groups;
        long counts[BINS], expected[BINS] = {0}, near = 0, differing = 0;
        for (size_t g = 0; g < groups; g++)
            near +=
                count_plainly(weights_of(&t, i) + g * n, n, l->axes.range == RANGE_TANH, expected);
        read_counts(&h.rows[i], counts);
        for (int b = 0; b < BINS; b++)
            differing += labs(counts[b] - expected[b]);
        assert_true(differing <= 2 * near && near < (long)l->n / 20 + 2 * (long)groups);
    }
    histograms_free(&h);
    toy_free(&t);
}

static void bins_are_those_of_the_definition(void **state) {
    (void)state;
    check_plainly("qat", PER_LAYER);
    check_plainly("matquant", PER_LAYER);
    check_plainly("minmax", PER_LAYER);
    check_plainly("minmax", PER_CHANNEL);
}

/* What was found of the weights before they changed is not taken for the range of those now; rows
 * of two stages stand in one list. A layer of one value alone has no range: u is 1/2. */
static void weights_are_counted_as_they_are(void **state) {
    (void)state;
    struct spec spec = toy_spec("qat", 1, 1);
    struct toy t;
    struct histograms h = {0};
    long counts[BINS];
    toy_build(&t, &spec);
    int n = t.model->n_quantized;
    float *W = weights_of(&t, 0);
    layer_weights_stay(&t.model->quantized[0].layer, W);
    histograms_add(&h, t.model, "start");
    memset(W, 0, t.model->quantized[0].layer.n * sizeof *W);
    W[0] = 1e-3f;
    histograms_add(&h, t.model, "end");
    assert_int_equal(h.n, 2 * n);
    assert_string_equal(h.rows[n - 1].stage, "start");
    assert_string_equal(h.rows[n].stage, "end");
    read_counts(&h.rows[n], counts);
    assert_int_equal(counts[BINS / 2], h.rows[n].weights - 1);
    assert_int_equal(counts[BINS - 1], 1);
    for (int i = 1; i < n; i++)
        assert_string_equal(h.rows[i].counts, h.rows[n + i].counts);
    W[0] = 0;
    histograms_add(&h, t.model, "end");
    read_counts(&h.rows[2 * n], counts);
    assert_int_equal(counts[BINS / 2], h.rows[n].weights);
    histograms_free(&h);
    assert_int_equal(h.n, 0);
    toy_free(&t);
}

static void what_has_no_range_map_has_none(void **state) {
    (void)state;
    static const char *const schemes[] = {"lsq", "double-rounding", "fp32"};
    for (int i = 0; i < 3; i++) {
        struct spec spec = toy_spec(schemes[i], 1, 1);
        struct toy t;
        struct histograms h = {0};
        toy_build(&t, &spec);
        histograms_add(&h, t.model, "start");
        assert_int_equal(h.n, 0);
        histograms_free(&h);
        toy_free(&t);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bins_are_the_frozen_codes_of_floor),
        cmocka_unit_test(bins_are_those_of_the_definition),
        cmocka_unit_test(weights_are_counted_as_they_are),
        cmocka_unit_test(what_has_no_range_map_has_none),
    };
    return cmocka_run_group_tests_name("histograms", tests, test_folder_start, test_folder_end);
}
