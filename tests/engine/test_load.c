/* Engines are given the weights of an operating point: each quantized layer its own width's, where
 * the point says one for each, and the others theirs as they are. */
#include "engine/load.h"
#include "model/net.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { NODES = 16, WEIGHTS = 4096, QUANTIZED = 3 };

static const char cfg[] = "[net]\n[convolutional]\nfilters=4\nsize=3\nactivation=relu\n"
                          "[convolutional]\nfilters=4\nsize=3\nactivation=relu\n"
                          "[convolutional]\nfilters=6\nsize=3\nactivation=relu\n"
                          "[connected]\noutput=5\nactivation=relu\n"
                          "[connected]\noutput=3\nactivation=linear\n[softmax]\n";

/* What an engine was given, by node. */
static float given[NODES][WEIGHTS];
static int codes_of[NODES];
static const struct model *model;

static void take_weights(struct program *p, int node, const float *W_hat) {
    (void)p;
    memcpy(given[node], W_hat, model->parameters[model->nodes[node].weights].n * sizeof *W_hat);
}

static void take_floats(struct exact_program *p, int node, const float *W_hat) {
    (void)p;
    take_weights(NULL, node, W_hat);
}

static void take_codes(struct exact_program *p, int node, int k, const int8_t *v,
                       const struct integer_form *form) {
    (void)p, (void)v, (void)form;
    codes_of[node] = k;
}

static void check_given(const struct point *point) {
    float *expected = need(WEIGHTS, sizeof *expected);
    for (int i = 0; i < model->n_nodes; i++) {
        const struct node *n = &model->nodes[i];
        if (n->weights < 0)
            continue;
        const struct parameter *W = &model->parameters[n->weights];
        memcpy(expected, W->value, W->n * sizeof *expected);
        if (n->quantized >= 0)
            load_node(model, NULL, i, point_layer_bits(point, n->quantized), expected);
        assert_memory_equal(given[i], expected, W->n * sizeof *expected);
    }
    free(expected);
}

static void every_layer_has_its_own_width(void **state) {
    (void)state;
    static const struct engine takes = {.name = "takes", .set_weights = take_weights};
    static const struct exact_engine takes_codes = {.set_weights = take_floats,
                                                    .set_codes = take_codes};
    static const struct point points[] = {
        {.bits = 4}, {.bits = FLOAT_BITS}, {.n_layers = QUANTIZED, .layer_bits = {8, 1, 3}}};
    struct spec spec = net_spec("truncquant");
    struct net n;
    struct exact_program *none = NULL;
    float scratch[WEIGHTS];
    net_build(&n, &spec, cfg, "load", (struct shape){1, 12, 12}, 3);
    model = n.m;
    assert_int_equal(model->n_quantized, QUANTIZED);
    for (size_t i = 0; i < sizeof points / sizeof *points; i++) {
        load_program(model, NULL, &takes, NULL, &points[i], scratch);
        check_given(&points[i]);
        if (points[i].bits == FLOAT_BITS)
            continue; // no codes
        load_exact(model, NULL, &takes_codes, &none, 1, &points[i]);
        for (int q = 0; q < QUANTIZED; q++)
            assert_int_equal(codes_of[model->quantized[q].node], point_layer_bits(&points[i], q));
    }
    net_free(&n);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_layer_has_its_own_width),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
