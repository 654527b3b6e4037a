/* Options of a run where they have to be seen: in training, in the frozen model, in direct and in
 * truncated inference. (Their formulas are tested beside the quantizers, in train/test_steps.c and
 * by the crosscheck.) */
#include "base/folder.h"
#include "evaluate/pair.h"
#include "registry.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* What the clips of the last pass put out are multiples of 1 / (2^j - 1), and of no fewer bits'; at
 * 32 some are above 1. */
static void check_levels(const struct model *m, struct program *program, int j, int images) {
    int clips = 0, off = 0, off_fewer = 0, above = 0;
    for (int i = 0; i < m->n_nodes; i++) {
        const struct node *n = &m->nodes[i];
        const float *out = n->clips ? engine_reference.peek(program, i) : NULL;
        size_t values = (size_t)n->shape.c * (size_t)n->shape.h * (size_t)n->shape.w;
        clips += n->clips;
        for (size_t v = 0; out && v < values * (size_t)images; v++) {
            int bits = j > 8 ? 8 : j;
            float top = (float)((1 << bits) - 1), fewer = (float)((1 << (bits - 1)) - 1);
            off += fabsf(out[v] * top - rintf(out[v] * top)) > 1e-3f;
            off_fewer += j <= 8 && fabsf(out[v] * fewer - rintf(out[v] * fewer)) > 1e-3f;
            above += out[v] > 1;
        }
    }
    assert_true(clips > 0);
    if (j <= 8)
        assert_true(off == 0 && above == 0 && (j == 1 || off_fewer > 0));
    else
        assert_true(off > 0 && above > 0);
}

static void activations_have_their_bits(void **state) {
    (void)state;
    static const int asked[] = {0, 3, FLOAT_BITS};
    for (int i = 0; i < 3; i++) {
        struct spec spec = toy_spec("truncquant", 1, 1);
        struct pair p;
        spec.act_bits = asked[i];
        spec.calibration = 0;
        spec.widths = (struct widths){3, {2, 4, 32}};
        pair_open(&p, &spec, 1);
        // The last pass of a step is the lowest width's.
        check_levels(p.toy.model, p.toy.program, asked[i] ? asked[i] : 2, 16);
        for (int k = 1; k <= 4; k++) {
            int j = asked[i] ? asked[i] : k;
            assert_int_equal(pair_evaluate(&p.direct, k)->point.act_bits, j);
            check_levels(p.toy.model, p.toy.program, j, TOY_TEST % 16);
            assert_int_equal(pair_evaluate(&p.truncated, k)->point.act_bits, j);
            check_levels(p.frozen.m, p.truncated.program, j, TOY_TEST % 16);
        }
        pair_close(&p);
    }
}

/* Calibration's passes, too: the spare bank differs with the bits of the activations before it. */
static void calibration_has_their_bits(void **state) {
    (void)state;
    float variance[2];
    for (int i = 0; i < 2; i++) {
        struct spec spec = toy_spec("truncquant", 1, 1);
        struct pair p;
        spec.act_bits = i ? FLOAT_BITS : 0;
        spec.calibration = 2;
        toy_build(&p.toy, &spec); // as it starts, alike for both
        evaluator_start(&p.direct, &p.toy.spec, &p.toy.data, p.toy.model, NULL, &engine_reference,
                        p.toy.program);
        pair_evaluate(&p.direct, 1);
        const struct norm *n = &p.toy.model->norms[1]; // behind a quantized layer
        variance[i] = n->variance[p.toy.model->spare][0];
        evaluator_free(&p.direct);
        toy_free(&p.toy);
    }
    assert_true(variance[0] != variance[1]);
}

static void stored_bits_are_the_bits_of_codes(void **state) {
    (void)state;
    for (int N = 2; N <= 8; N++) {
        struct spec spec = toy_spec("qat", 1, 1);
        struct pair p;
        int most = 0;
        spec.stored_bits = N;
        pair_open(&p, &spec, 1);
        for (int i = 0; i < p.frozen.m->n_quantized; i++)
            for (size_t j = 0; j < p.frozen.m->quantized[i].layer.n; j++)
                most = p.frozen.codes[i][j] > most ? p.frozen.codes[i][j] : most;
        assert_int_equal(most, (1 << N) - 1);
        assert_int_equal(pair_evaluate(&p.truncated, N)->point.stored_bits, N);
        // Nothing is cut at N: the codes are those of direct inference.
        assert_true(pair_evaluate(&p.truncated, N)->loss_sum ==
                    pair_evaluate(&p.direct, N)->loss_sum);
        pair_close(&p);
    }
}

/* Layers: no truncation above N, none at all of a model that is never cut. */
static void layers_are_cut_up_to_the_stored_bits(void **state) {
    (void)state;
    struct spec specs[] = {toy_spec("qat", 1, 1), toy_spec("dedicated", 1, 1)};
    specs[0].stored_bits = 4;
    specs[1].widths = specs[1].bits = (struct widths){1, {4}};
    for (int s = 0; s < 2; s++) {
        struct toy t;
        struct layer_row *rows;
        toy_build(&t, &specs[s]);
        int n = layer_rows(t.model, &t.spec, &rows);
        assert_int_equal(n, (s ? 1 : 8) * t.model->n_quantized);
        for (int i = 0; i < n; i++) {
            assert_true((rows[i].truncation_error >= 0) == (s == 0 && rows[i].bits <= 4));
            assert_true((rows[i].codes_differ >= 0) == (s == 0 && rows[i].bits <= 4));
        }
        layer_rows_free(rows, n);
        toy_free(&t);
    }
}

static void dedicated_models_are_never_cut(void **state) {
    (void)state;
    struct spec spec = toy_spec("dedicated", 1, 1);
    const struct quantizer *dedicated = quantizer_find(quantizer_registry, "dedicated");
    spec.widths = (struct widths){1, {4}};
    for (int k = 1; k <= 8; k++) {
        assert_true(evaluation_exists(&spec, dedicated, k, 0) == (k == 4));
        assert_false(evaluation_exists(&spec, dedicated, k, 1));
    }
}

static int quantized_projections(const struct model *m) {
    int n = 0;
    for (int i = 0; i < m->n_quantized; i++)
        n += m->nodes[m->quantized[i].node].cfg->projection;
    return n;
}

static const struct parameter *projection_weights(const struct model *m) {
    for (int i = 0; i < m->n_nodes; i++)
        if (m->nodes[i].op == OP_CONV && m->nodes[i].cfg->projection)
            return &m->parameters[m->nodes[i].weights];
    return NULL;
}

/* Of a frozen model nothing but codes is left of a quantized projection; a float one is kept. */
static void projections_are_quantized_where_asked(void **state) {
    (void)state;
    for (int quantized = 0; quantized < 2; quantized++) {
        struct spec spec = toy_spec("truncquant", 1, 1);
        struct pair p;
        spec.projections = quantized ? PROJECTIONS_QUANTIZED : PROJECTIONS_FLOAT;
        pair_open(&p, &spec, 1);
        assert_int_equal(quantized_projections(p.toy.model), quantized);
        assert_int_equal(quantized_projections(p.frozen.m), quantized);
        assert_true(isnan(projection_weights(p.frozen.m)->value[0]) == quantized);
        assert_true(pair_evaluate(&p.truncated, 2)->loss_sum ==
                    pair_evaluate(&p.direct, 2)->loss_sum);
        pair_close(&p);
    }
}

/* The shared bank moves with every width, survives freezing, and calibration leaves it alone. */
static void shared_shortcut_norms_serve_every_width(void **state) {
    (void)state;
    struct spec spec = toy_spec("truncquant", 1, 1);
    struct toy untouched;
    struct pair p;
    spec.shortcut_norm = NORM_SHARED;
    pair_open(&p, &spec, 1);
    toy_build(&untouched, &spec);
    toy_train(&untouched, 1);
    int shared = 0;
    for (int i = 0; i < p.toy.model->n_norms; i++) {
        const struct norm *n = &p.toy.model->norms[i], *f = &p.frozen.m->norms[i];
        shared += n->shared;
        assert_int_equal(f->shared, n->shared);
        for (int k = 0; k < p.toy.model->widths.n; k++) {
            size_t size = (size_t)n->channels * sizeof(float);
            assert_true((n->mean[k] == n->mean[0]) == (k == 0 || n->shared));
            assert_memory_equal(n->mean[k], f->mean[k], size);
            assert_memory_equal(n->scale_of[k], f->scale_of[k], size);
        }
    }
    assert_int_equal(shared, 1);
    for (int k = 1; k <= 8; k++)
        assert_true(pair_evaluate(&p.truncated, k)->loss_sum ==
                    pair_evaluate(&p.direct, k)->loss_sum);
    assert_true(toy_same(&p.toy, &untouched));
    toy_free(&untouched);
    pair_close(&p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(activations_have_their_bits),
        cmocka_unit_test(calibration_has_their_bits),
        cmocka_unit_test(stored_bits_are_the_bits_of_codes),
        cmocka_unit_test(layers_are_cut_up_to_the_stored_bits),
        cmocka_unit_test(dedicated_models_are_never_cut),
        cmocka_unit_test(projections_are_quantized_where_asked),
        cmocka_unit_test(shared_shortcut_norms_serve_every_width),
    };
    return cmocka_run_group_tests_name("options", tests, test_folder_start, test_folder_end);
}
