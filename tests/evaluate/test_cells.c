/* Evaluations that are kept until they are recorded: an evaluator that is stopped between any two
 * batches, and goes on from what is kept, ends with the rows of one that was not. */
#include "base/folder.h"
#include "evaluate/cells.h"
#include "train/toy.h"

#include "evaluate/evaluator.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct visit {
    struct cells cells;
    int batches, measured, recalled; // batches: until it is stopped; negative: never
};

static const char *path(void) {
    return folder_file(test_folder, "evaluated");
}

static int is_to_stop(void *context) {
    struct visit *v = context;
    return v->batches >= 0 && --v->batches <= 0;
}

static int recall(void *context, struct evaluation_row *row) {
    struct visit *v = context;
    int kept = cells_recall(&v->cells, row);
    v->recalled += kept;
    return kept;
}

static void keep(void *context, const struct evaluation_row *row) {
    struct visit *v = context;
    cells_keep(&v->cells, row);
    v->measured++;
}

/* All widths of the toy from what is kept, stopped after so many batches; the rows are appended to
 * `rows`. */
static struct visit evaluate(struct toy *t, int batches, const char *origin,
                             struct evaluation_row *rows, int *n) {
    struct visit v = {.batches = batches};
    struct evaluator ev;
    struct error e = {0};
    cells_open(&v.cells, path(), origin, 1000);
    evaluator_start(&ev, &t->spec, &t->data, t->model, NULL, t->trainer.engine, t->program);
    ev.is_to_stop = is_to_stop;
    ev.recall = recall;
    ev.keep = keep;
    ev.context = &v;
    for (int i = 0; i < t->spec.bits.n && v.batches; i++)
        if (evaluator_width(&ev, t->spec.bits.bits[i], &e))
            fail_msg("%s", e.text);
    *n = ev.n;
    memcpy(rows, ev.rows, (size_t)ev.n * sizeof *rows);
    evaluator_free(&ev);
    cells_close(&v.cells);
    return v;
}

static void start(struct toy *t) {
    struct spec spec = toy_spec("qat", 1, 2);
    spec.bits = (struct widths){.n = 3, .bits = {2, 4, 32}};
    spec.calibration = 2;
    toy_build(t, &spec);
    toy_train(t, 6);
    unlink(path());
}

static void assert_same(const struct evaluation_row *a, const struct evaluation_row *b) {
    assert_true(point_same(&a->point, &b->point));
    assert_int_equal(a->images, b->images);
    assert_int_equal(a->correct1, b->correct1);
    assert_int_equal(a->correct5, b->correct5);
    assert_true(a->loss_sum == b->loss_sum);
}

/* In the middle of calibrations and of evaluations, too; every cell is measured once. */
static void stopped_at_any_batch_it_ends_with_the_same_rows(void **state) {
    (void)state;
    enum { CELLS = 6 };
    struct toy t;
    struct evaluation_row whole[CELLS], rows[CELLS];
    int n;
    start(&t);
    assert_int_equal(evaluate(&t, -1, "whole", whole, &n).measured, CELLS);
    for (int batches = 1; batches < 3 * CELLS + 2 * 3; batches++) {
        unlink(path());
        struct visit first = evaluate(&t, batches, "a", rows, &n);
        assert_int_equal(n, first.measured);
        struct visit second = evaluate(&t, -1, "a", rows, &n);
        assert_int_equal(n, CELLS);
        assert_int_equal(second.recalled, first.measured);
        assert_int_equal(second.measured, CELLS - first.measured);
        for (int i = 0; i < CELLS; i++)
            assert_same(&whole[i], &rows[i]);
    }
    toy_free(&t);
}

/* Three batches an evaluation, so that three of a time limit are enough, and two would never be. */
static void short_limits_end(void **state) {
    (void)state;
    struct toy t;
    struct evaluation_row rows[6];
    int n = 0, tries = 0;
    start(&t);
    while (n < 6 && tries++ < 20)
        evaluate(&t, 5, "a", rows, &n);
    assert_int_equal(n, 6);
    toy_free(&t);
}

static void others_are_not_taken_over(void **state) {
    (void)state;
    struct toy t;
    struct evaluation_row rows[6];
    int n;
    start(&t);
    evaluate(&t, -1, "computed so", rows, &n);
    assert_int_equal(evaluate(&t, -1, "computed so", rows, &n).recalled, 6);
    assert_int_equal(evaluate(&t, -1, "computed otherwise", rows, &n).recalled, 0);
    assert_int_equal(evaluate(&t, -1, "computed otherwise", rows, &n).recalled, 6);
    assert_int_equal(evaluate(&t, -1, "computed so", rows, &n).recalled, 0);
    t.spec.test_images = 20; // nor those of other images, or other batches
    assert_int_equal(evaluate(&t, -1, "computed so", rows, &n).recalled, 0);
    t.spec.calibration = 3;
    assert_int_equal(evaluate(&t, -1, "computed so", rows, &n).recalled, 3);
    toy_free(&t);
}

/* Of a training that went back to an earlier epoch: what came later will come again. */
static void later_epochs_are_dropped(void **state) {
    (void)state;
    struct cells c;
    struct evaluation_row row = {
        .split = "val",
        .point = {.bits = 4, .act_bits = 4, .stored_bits = 8, .arithmetic = "fp32"},
        .images = 1};
    unlink(path());
    cells_open(&c, path(), "a", 9);
    for (row.epoch = 1; row.epoch <= 9; row.epoch++)
        cells_keep(&c, &row);
    cells_close(&c);
    cells_open(&c, path(), "a", 4);
    assert_int_equal(c.n, 4);
    row.epoch = 4;
    assert_int_equal(cells_recall(&c, &row), 1);
    cells_close(&c);
    cells_open(&c, path(), "a", 9);
    assert_int_equal(c.n, 4);
    cells_close(&c);
}

static void layers_are_kept_whole(void **state) {
    (void)state;
    struct toy t;
    struct cells c;
    struct layer_row *rows, *again;
    start(&t);
    int n = layer_rows(t.model, &t.spec, &rows);
    assert_true(n > 2);
    cells_open(&c, path(), "a", 1000);
    assert_int_equal(cells_recall_layers(&c, &again), -1);
    cells_keep_layers(&c, rows, n);
    cells_close(&c);
    cells_open(&c, path(), "a", 1000);
    assert_int_equal(cells_recall_layers(&c, &again), n);
    for (int i = 0; i < n; i++) {
        assert_string_equal(again[i].name, rows[i].name);
        assert_int_equal(again[i].layer, rows[i].layer);
        assert_int_equal(again[i].bits, rows[i].bits);
        assert_true(again[i].quantization_error == rows[i].quantization_error);
        assert_true(again[i].truncation_error == rows[i].truncation_error);
        assert_true(again[i].codes_differ == rows[i].codes_differ);
        assert_true(again[i].scale == rows[i].scale);
    }
    layer_rows_free(again, n);
    layer_rows_free(rows, n);
    cells_remove(&c);
    assert_int_equal(access(path(), F_OK), -1);
    cells_close(&c);
    toy_free(&t);
}

/* Where nothing can be kept, all is evaluated all the same. */
static void what_cannot_be_kept_is_no_failure(void **state) {
    (void)state;
    struct cells c;
    struct evaluation_row row = {
        .split = "test",
        .point = {.bits = 4, .act_bits = 4, .stored_bits = 8, .arithmetic = "fp32"},
        .images = 1};
    cells_open(&c, test_folder, "a", 1000);
    cells_keep(&c, &row);
    assert_int_equal(cells_recall(&c, &row), 1); // for as long as it is open
    cells_close(&c);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stopped_at_any_batch_it_ends_with_the_same_rows),
        cmocka_unit_test(short_limits_end),
        cmocka_unit_test(others_are_not_taken_over),
        cmocka_unit_test(later_epochs_are_dropped),
        cmocka_unit_test(layers_are_kept_whole),
        cmocka_unit_test(what_cannot_be_kept_is_no_failure),
    };
    return cmocka_run_group_tests(tests, test_folder_start, test_folder_end);
}
