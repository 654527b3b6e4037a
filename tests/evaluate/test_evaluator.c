/* Evaluation: counts and banks, calibration as the plain mean over its batches, and the errors of
 * layers against their formulas. */
#include "evaluate/evaluator.h"

#include "base/random.h"
#include "registry.h"
#include "train/loss.h"
#include "train/toy.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void start(struct toy *t, struct evaluator *ev, struct spec spec) {
    toy_build(t, &spec);
    toy_train(t, 6);
    evaluator_start(ev, &t->spec, &t->data, t->model, NULL, &engine_reference, t->program);
}

static void finish(struct toy *t, struct evaluator *ev) {
    evaluator_free(ev);
    toy_free(t);
}

static void evaluate(struct evaluator *ev, int k) {
    struct error e = {0};
    if (evaluator_width(ev, k, &e))
        fail_msg("%s", e.text);
}

/* Image by image, by hand. */
static void counts_agree_with_single_images(void **state) {
    (void)state;
    struct toy t;
    struct evaluator ev;
    start(&t, &ev, toy_spec("qat", 1, 2));
    t.spec.calibration = 0;
    evaluate(&ev, 4);
    assert_int_equal(ev.n, 1);
    int correct1 = 0, correct5 = 0;
    double loss = 0;
    for (uint32_t i = 0; i < TOY_TEST; i++) {
        float image[64];
        uint16_t label;
        dataset_fill(
            &t.data,
            &(struct batch_request){.split = SPLIT_TEST, .order = &i, .n = 1, .channels = 1}, image,
            &label);
        const float *z = engine_reference.forward(
            t.program,
            &(struct pass){.mode = PASS_EVALUATE, .point = {.bits = 4, .act_bits = 4, .bank = 4}},
            image, 1);
        correct1 += is_in_top(z, TOY_CLASSES, label, 1);
        correct5 += is_in_top(z, TOY_CLASSES, label, 5);
        loss += cross_entropy_labels(1, TOY_CLASSES, z, &label);
    }
    assert_int_equal(ev.rows[0].correct1, correct1);
    assert_int_equal(ev.rows[0].correct5, correct5);
    assert_int_equal(ev.rows[0].images, TOY_TEST);
    assert_true(fabs(ev.rows[0].loss_sum / loss - 1) < 1e-5);
    finish(&t, &ev);
}

/* On what was held out: the same count image by image, of those places in the training split. */
static void held_out_images_are_evaluated(void **state) {
    (void)state;
    struct toy t;
    struct evaluator ev;
    struct spec spec = toy_spec("qat", 1, 2);
    spec.val = 21;
    spec.split = EVALUATE_VAL;
    spec.calibration = 0;
    start(&t, &ev, spec);
    evaluate(&ev, 4);
    uint32_t *places = split_evaluated(&t.spec, &t.data);
    double loss = 0;
    for (int i = 0; i < 21; i++) {
        float image[64];
        uint16_t label;
        dataset_fill(&t.data,
                     &(struct batch_request){
                         .split = SPLIT_TRAIN, .order = &places[i], .n = 1, .channels = 1},
                     image, &label);
        const float *z = engine_reference.forward(
            t.program,
            &(struct pass){.mode = PASS_EVALUATE, .point = {.bits = 4, .act_bits = 4, .bank = 4}},
            image, 1);
        loss += cross_entropy_labels(1, TOY_CLASSES, z, &label);
    }
    assert_string_equal(ev.rows[0].split, "val");
    assert_int_equal(ev.rows[0].images, 21);
    assert_true(fabs(ev.rows[0].loss_sum / loss - 1) < 1e-5);
    free(places);
    finish(&t, &ev);
}

/* Whatever the held-out images look like, calibration does not see them. */
static void calibration_leaves_held_out_images_alone(void **state) {
    (void)state;
    struct toy t;
    struct evaluator ev;
    struct spec spec = toy_spec("qat", 1, 2);
    spec.val = 21;
    spec.calibration = 4;
    start(&t, &ev, spec);
    evaluate(&ev, 4);
    spec.split = EVALUATE_VAL;
    uint32_t *places = split_evaluated(&spec, &t.data);
    uint8_t *pixels = (uint8_t *)(uintptr_t)t.data.split[SPLIT_TRAIN].pixels;
    for (int i = 0; i < 21; i++)
        memset(pixels + (size_t)places[i] * 64, 255, 64);
    ev.n = 0;
    double before = ev.rows[1].loss_sum;
    evaluate(&ev, 4);
    assert_int_equal(ev.rows[1].point.calibration, 4);
    assert_true(ev.rows[1].loss_sum == before);
    free(places);
    finish(&t, &ev);
}

static void rows_say_how_they_were_made(void **state) {
    (void)state;
    struct toy t;
    struct evaluator ev;
    struct spec spec = toy_spec("qat", 1, 2);
    spec.test_images = 20;
    spec.calibration = 3;
    spec.calibrate_at = CALIBRATE_WIDTHS;
    start(&t, &ev, spec);
    evaluate(&ev, 3); // not in B: bank 4, not calibrated
    assert_int_equal(ev.n, 1);
    assert_int_equal(ev.rows[0].point.bits, 3);
    assert_int_equal(ev.rows[0].point.bank, 4);
    assert_int_equal(ev.rows[0].point.act_bits, 3);
    assert_int_equal(ev.rows[0].images, 20);
    assert_int_equal(ev.rows[0].point.calibration, 0);
    evaluate(&ev, 32);
    assert_int_equal(ev.n, 3);
    assert_int_equal(ev.rows[2].point.bank, 32);
    assert_int_equal(ev.rows[2].point.act_bits, 32);
    assert_int_equal(ev.rows[2].point.calibration, 3);
    assert_int_equal(ev.rows[2].point.cut, CUT_NONE);
    assert_string_equal(ev.rows[2].split, "test");
    finish(&t, &ev);
}

/* Of ptq, which trains none, every width is calibrated. */
static void what_trains_no_width_calibrates_all(void **state) {
    (void)state;
    struct toy t;
    struct evaluator ev;
    struct spec spec = toy_spec("ptq", 1, 2);
    spec.widths = (struct widths){1, {FLOAT_BITS}};
    spec.calibration = 3;
    spec.calibrate_at = CALIBRATE_WIDTHS;
    start(&t, &ev, spec);
    evaluate(&ev, 2);
    assert_int_equal(ev.n, 2);
    assert_int_equal(ev.rows[1].point.bits, 2);
    assert_int_equal(ev.rows[1].point.calibration, 3);
    assert_false(evaluation_calibrates(&t.spec, quantizer_find(quantizer_registry, "qat"), 2));
    t.spec.calibration = 0;
    assert_false(evaluation_calibrates(&t.spec, t.model->quantizer, 2));
    finish(&t, &ev);
}

static void one_bank_is_said_to_be_all_widths(void **state) {
    (void)state;
    struct toy t;
    struct evaluator ev;
    struct spec spec = toy_spec("qat", 1, 2);
    spec.norm_bank = BANK_SHARED;
    spec.calibration = 2;
    start(&t, &ev, spec);
    for (int i = 0; i < t.model->n_norms; i++)
        for (int b = 0; b < t.model->widths.n; b++) {
            const struct norm *n = &t.model->norms[i];
            assert_ptr_equal(n->scale_of[b], n->scale_of[0]);
            assert_ptr_equal(n->mean[b], n->mean[0]);
        }
    for (int k = 2; k <= 3; k++)
        evaluate(&ev, k);
    for (int i = 0; i < ev.n; i++)
        assert_int_equal(ev.rows[i].point.bank, 0);
    // Calibrated statistics are of their own.
    assert_true(ev.rows[0].loss_sum != ev.rows[1].loss_sum);
    finish(&t, &ev);
}

/* The spare bank after calibration: mean over batches of each batch's own statistics. */
static void calibration_is_the_mean_over_batches(void **state) {
    (void)state;
    struct toy t;
    struct evaluator ev;
    struct spec spec = toy_spec("truncquant", 1, 2);
    spec.calibration = 3;
    start(&t, &ev, spec);
    evaluate(&ev, 2);
    // The first norm reads the float convolution; its statistics need no other norm's.
    const struct norm *n = &t.model->norms[0];
    uint32_t order[TOY_TRAIN];
    struct random r = random_stream(1, RANDOM_CALIBRATION, 0, 0);
    random_permutation(&r, order, TOY_TRAIN);
    double mean[64] = {0}, variance[64] = {0};
    for (uint32_t b = 0; b < 3; b++) {
        float images[16 * 64];
        uint16_t labels[16];
        dataset_fill(&t.data,
                     &(struct batch_request){
                         .split = SPLIT_TRAIN, .order = order + 16 * b, .n = 16, .channels = 1},
                     images, labels);
        engine_reference.forward(
            t.program,
            &(struct pass){.mode = PASS_CALIBRATE,
                           .point = {.bits = 2, .act_bits = 2, .calibration = 3},
                           .momentum = 1},
            images, 16);
        for (int c = 0; c < n->channels; c++) {
            mean[c] += n->mean[t.model->spare][c] / 3.0;
            variance[c] += n->variance[t.model->spare][c] / 3.0;
        }
    }
    ev.n = 0;
    evaluate(&ev, 2);
    for (int c = 0; c < n->channels; c++) {
        assert_true(fabs(n->mean[t.model->spare][c] - mean[c]) < 1e-5);
        assert_true(fabs(n->variance[t.model->spare][c] / variance[c] - 1) < 1e-5);
    }
    finish(&t, &ev);
}

/* To the last bit: a number must not depend on what else was asked for. */
static void evaluations_do_not_see_each_other(void **state) {
    (void)state;
    struct toy t;
    struct evaluator ev;
    start(&t, &ev, toy_spec("qat", 1, 2));
    evaluate(&ev, 8);
    double alone[2] = {ev.rows[0].loss_sum, ev.rows[1].loss_sum};
    for (int k = 1; k <= 7; k++) {
        ev.n = 0;
        evaluate(&ev, k);
        ev.n = 0;
        evaluate(&ev, 8);
        assert_true(ev.rows[0].loss_sum == alone[0] && ev.rows[1].loss_sum == alone[1]);
    }
    finish(&t, &ev);
}

static void evaluation_changes_no_weight(void **state) {
    (void)state;
    struct toy t, untouched;
    struct evaluator ev;
    start(&t, &ev, toy_spec("qat", 1, 2));
    struct spec spec = toy_spec("qat", 1, 2);
    toy_build(&untouched, &spec);
    toy_train(&untouched, 6);
    for (int k = 1; k <= 8; k++)
        evaluate(&ev, k);
    assert_true(toy_same(&t, &untouched));
    toy_free(&untouched);
    finish(&t, &ev);
}

static void cells_exist_where_they_should(void **state) {
    (void)state;
    const struct quantizer *const *table;
    struct toy t;
    struct spec spec = toy_spec("qat", 1, 1);
    spec.stored_bits = 6;
    toy_build(&t, &spec);
    table = t.table;
    const struct quantizer *fp32 = quantizer_find(table, "fp32"), *qat = t.quantizer;
    assert_true(evaluation_exists(&spec, qat, 1, 0) && evaluation_exists(&spec, qat, 32, 0));
    assert_true(evaluation_exists(&spec, qat, 6, 1) && !evaluation_exists(&spec, qat, 7, 1));
    assert_false(evaluation_exists(&spec, qat, 32, 1));
    assert_true(evaluation_exists(&spec, fp32, 32, 0) && !evaluation_exists(&spec, fp32, 8, 0));
    assert_false(evaluation_exists(&spec, fp32, 8, 1));
    const struct quantizer *lsq = quantizer_find(table, "lsq");
    const struct quantizer *slices = quantizer_find(table, "double-rounding");
    spec.widths = (struct widths){3, {2, 6, 8}};
    assert_true(evaluation_exists(&spec, lsq, 2, 0) && evaluation_exists(&spec, lsq, 8, 0));
    assert_false(evaluation_exists(&spec, lsq, 3, 0) || evaluation_exists(&spec, lsq, 32, 0));
    assert_true(evaluation_exists(&spec, lsq, 1, 1) && evaluation_exists(&spec, lsq, 3, 1));
    assert_false(evaluation_exists(&spec, slices, 1, 0) || evaluation_exists(&spec, slices, 7, 0));
    assert_true(evaluation_exists(&spec, slices, 3, 0) && evaluation_exists(&spec, slices, 32, 0));
    assert_true(evaluation_exists(&spec, slices, 2, 1) && !evaluation_exists(&spec, slices, 1, 1));
    toy_free(&t);
}

static void layer_errors_follow_their_formulas(void **state) {
    (void)state;
    const char *const schemes[] = {"qat", "truncquant"};
    for (int s = 0; s < 2; s++) {
        struct toy t;
        struct spec spec = toy_spec(schemes[s], 1, 1);
        struct layer_row *rows;
        toy_build(&t, &spec);
        int n = layer_rows(t.model, &t.spec, &rows);
        assert_int_equal(n, 8 * t.model->n_quantized); // k = 1 ... 8
        int differing = 0;
        for (int i = 0; i < n; i++) {
            assert_true(rows[i].quantization_error > 0 && rows[i].quantization_error < 10);
            if (i % 8)
                assert_true(rows[i].quantization_error < rows[i - 1].quantization_error);
            if (s == 1 || rows[i].bits == 8) {
                assert_true(rows[i].truncation_error == 0);
                assert_true(rows[i].codes_differ == 0);
            }
            differing += rows[i].codes_differ > 0.05 && rows[i].truncation_error > 0.01;
        }
        assert_true((s == 0) == (differing > 0));
        layer_rows_free(rows, n);
        toy_free(&t);
    }
}

/* Double Rounding at 2 bits: a quarter of the step's range each, so that small weights are all 0.
 */
static void no_error_is_relative_to_nothing(void **state) {
    (void)state;
    struct toy t;
    struct spec spec = toy_spec("double-rounding", 1, 1);
    struct layer_row *rows;
    toy_build(&t, &spec);
    const struct quantized_layer *q = &t.model->quantized[0];
    float *W = t.model->parameters[t.model->nodes[q->node].weights].value;
    float *h = t.model->parameters[q->params].value;
    for (size_t i = 0; i < q->layer.n; i++)
        W[i] = -10 * h[0]; // 2 bits: -10 / 64 is nearest to 0, and cut by a shift to -1
    int n = layer_rows(t.model, &t.spec, &rows), at = 0;
    while (rows[at].bits != 2)
        at++;
    assert_true(rows[at].scale == 0 && rows[at].codes_differ == 1);
    assert_true(rows[at].truncation_error == -1);
    assert_true(rows[at].quantization_error == 1);
    layer_rows_free(rows, n);
    for (size_t i = 0; i < q->layer.n; i++)
        W[i] = 0;
    n = layer_rows(t.model, &t.spec, &rows);
    assert_true(rows[at].truncation_error == 0 && rows[at].quantization_error == 0);
    layer_rows_free(rows, n);
    toy_free(&t);
}

/* Asked so often before it says yes. */
struct patience {
    int asked, limit;
};

static int is_out(void *context) {
    struct patience *p = context;
    return ++p->asked >= p->limit && p->limit > 0;
}

/* After any batch of an evaluation: rows that are complete stay, none is half counted, and no batch
 * of it follows. What the last batch completed is a row, and the next thing stops after one batch
 * of its own. */
static void an_evaluation_can_be_stopped_between_two_batches(void **state) {
    (void)state;
    struct toy t;
    struct evaluator ev;
    struct spec spec = toy_spec("qat", 1, 2);
    struct patience p = {0, -1};
    spec.calibration = 5;
    start(&t, &ev, spec);
    ev.is_to_stop = is_out;
    ev.context = &p;
    evaluate(&ev, 4);
    int batches = p.asked, plain = (batches - 5) / 2; // of the split, twice, and of calibration
    struct evaluation_row whole = ev.rows[0];
    assert_int_equal(ev.n, 2);
    assert_int_equal(plain * t.spec.batch >= TOY_TEST, 1);
    for (int limit = 1; limit < batches; limit++) {
        p = (struct patience){0, limit};
        ev.n = 0;
        evaluate(&ev, 4);
        assert_int_equal(p.asked, limit + (limit == plain));
        assert_int_equal(ev.n, limit >= plain);
        if (ev.n)
            assert_int_equal(ev.rows[0].correct1, whole.correct1);
    }
    finish(&t, &ev);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_agree_with_single_images),
        cmocka_unit_test(calibration_leaves_held_out_images_alone),
        cmocka_unit_test(held_out_images_are_evaluated),
        cmocka_unit_test(rows_say_how_they_were_made),
        cmocka_unit_test(what_trains_no_width_calibrates_all),
        cmocka_unit_test(one_bank_is_said_to_be_all_widths),
        cmocka_unit_test(calibration_is_the_mean_over_batches),
        cmocka_unit_test(evaluations_do_not_see_each_other),
        cmocka_unit_test(evaluation_changes_no_weight),
        cmocka_unit_test(cells_exist_where_they_should),
        cmocka_unit_test(layer_errors_follow_their_formulas),
        cmocka_unit_test(an_evaluation_can_be_stopped_between_two_batches),
        cmocka_unit_test(no_error_is_relative_to_nothing),
    };
    return cmocka_run_group_tests_name("evaluator", tests, NULL, NULL);
}
