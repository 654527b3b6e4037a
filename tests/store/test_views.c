/* The views against numbers worked out by hand. */
#include "store/fixture.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void columns_in_order(void **state) {
    struct store *s = store_fixture_open(*state, STORE_WRITE);
    assert_string_equal(
        store_fixture_text(s, "SELECT group_concat(name) FROM pragma_table_info('accuracy')"),
        "run_id,config_id,scheme,network,dataset,seed,bits,layer_bits,mean_bits,act_bits,inference,"
        "calibrated,split,"
        "top1,"
        "top5,loss,images,commit_id,params");
    assert_string_equal(
        store_fixture_text(s,
                           "SELECT group_concat(name) FROM pragma_table_info('accuracy_summary')"),
        "config_id,scheme,network,dataset,bits,layer_bits,mean_bits,act_bits,inference,calibrated,"
        "split,n,top1,top1_sd,"
        "loss,images,commits,top5,seeds");
    assert_string_equal(
        store_fixture_text(s, "SELECT group_concat(name) FROM pragma_table_info('training')"),
        "run_id,config_id,scheme,network,dataset,seed,epoch,bits,loss,accuracy,learning_rate,"
        "seconds,"
        "images");
    store_close(s);
}

static void accuracy_of_a_run(void **state) {
    struct store *s = store_fixture_open(*state, STORE_WRITE);
    struct run_row run = store_fixture_run(1, 1, 4);
    run.params = "{\"epochs\":\"10\"}";
    struct evaluation_row rows[] = {store_fixture_evaluation(2, "direct", 0, 693),
                                    store_fixture_evaluation(2, "truncated", 20, 361)};
    rows[1].correct5 = 905;
    rows[1].loss_sum = 1250;
    store_fixture_finished(s, &run, rows, 2);
    assert_string_equal(
        store_fixture_text(
            s, "SELECT scheme || ' ' || network || ' ' || dataset || ' ' || seed || "
               "' ' || bits || ' ' || act_bits || ' ' || inference || ' ' || calibrated "
               "|| ' ' || split || ' ' || top1 || ' ' || top5 || ' ' || loss || ' ' || "
               "images || ' ' || commit_id || ' ' || params FROM accuracy WHERE "
               "inference = 'truncated'"),
        "truncquant resnet8 fashion-mnist 4 2 2 truncated 1 test 36.1 90.5 1.25 1000 abc1234 "
        "{\"epochs\":\"10\"}");
    assert_int_equal(store_fixture_number(s, "SELECT count(*) FROM accuracy"), 2);
    store_fixture_sql(s, "UPDATE attempts SET dirty = 1");
    assert_string_equal(store_fixture_text(s, "SELECT commit_id FROM accuracy"), "abc1234-dirty");
    store_fixture_sql(s, "UPDATE runs SET excluded = 'wrong data'");
    assert_int_equal(store_fixture_number(s, "SELECT count(*) FROM accuracy"), 0);
    store_close(s);
}

static void only_finished_runs_count(void **state) {
    struct store *s = store_fixture_open(*state, STORE_WRITE);
    struct run_row run = store_fixture_run(1, 1, 1);
    struct evaluation_row rows[] = {store_fixture_evaluation(2, "direct", 0, 500)};
    store_fixture_finished(s, &run, rows, 1);
    store_fixture_sql(s, "UPDATE attempts SET outcome = 'failed'");
    assert_int_equal(store_fixture_number(s, "SELECT count(*) FROM accuracy"), 0);
    store_close(s);
}

static void the_earliest_attempt_and_the_last_epoch_count(void **state) {
    struct store *s = store_fixture_open(*state, STORE_WRITE);
    struct run_row run = store_fixture_run(1, 1, 1);
    struct evaluation_row rows[] = {store_fixture_evaluation(2, "direct", 0, 100),
                                    store_fixture_evaluation(2, "direct", 0, 200),
                                    store_fixture_evaluation(4, "direct", 0, 300)};
    rows[0].epoch = 2; // of an epoch that is not the last
    rows[2].epoch = 2; // a width that the last did not evaluate
    store_fixture_finished(s, &run, rows, 3);
    usleep(2000);
    rows[1].correct1 = 999; // a replicate
    store_fixture_finished(s, &run, rows, 3);
    assert_string_equal(
        store_fixture_text(s, "SELECT group_concat(bits || ':' || top1) FROM accuracy"), "2:20.0");
    store_close(s);
}

/* `evaluate` is an attempt of its own: a cell it evaluates again with other calibration batches
 * stays the run's own, new cells join with their own version, and of all cells again, on more
 * images, the newer are taken. */
static void evaluations_of_later_attempts_join(void **state) {
    struct store *s = store_fixture_open(*state, STORE_WRITE);
    struct run_row run = store_fixture_run(1, 1, 1);
    struct evaluation_row own[] = {store_fixture_evaluation(2, "direct", 20, 500),
                                   store_fixture_evaluation(4, "direct", 0, 700)};
    struct evaluation_row more[] = {store_fixture_evaluation(2, "direct", 5, 600),
                                    store_fixture_evaluation(4, "direct", 0, 1200),
                                    store_fixture_evaluation(5, "direct", 0, 1600)};
    for (int i = 1; i < 3; i++)
        more[i].images = more[i].correct5 = 2000;
    store_fixture_finished(s, &run, own, 2);
    int64_t attempt = store_fixture_finished(s, &run, more, 3);
    char sql[128];
    snprintf(sql, sizeof sql, "UPDATE attempts SET commit_id = 'later' WHERE attempt = %lld",
             (long long)attempt);
    store_fixture_sql(s, sql);
    assert_string_equal(store_fixture_text(s, "SELECT group_concat(bits || ':' || top1 || "
                                              "iif(commit_id LIKE 'later%', ' later', ''), ', ') "
                                              "FROM (SELECT * FROM accuracy ORDER BY bits)"),
                        "2:50.0, 4:60.0 later, 5:80.0 later");
    store_close(s);
}

/* A width alone evaluated again on more images would leave the others: the cells of one number of
 * images count, until all widths are there on the larger. A replicate is no cell more. */
static void cells_stay_together(void **state) {
    struct store *s = store_fixture_open(*state, STORE_WRITE);
    struct run_row run = store_fixture_run(1, 1, 1);
    struct evaluation_row rows[] = {store_fixture_evaluation(2, "truncated", 0, 500),
                                    store_fixture_evaluation(8, "truncated", 0, 700)};
    static const char taken[] =
        "SELECT group_concat(bits || ':' || top1 || ' of ' || images, ', ') FROM "
        "(SELECT * FROM accuracy WHERE NOT calibrated ORDER BY bits)";
    store_fixture_finished(s, &run, rows, 2);
    for (int i = 0; i < 2; i++)
        rows[i].images = rows[i].correct5 = 2000;
    store_fixture_finished(s, &run, rows, 1);
    rows[0].point.calibration = 20; // calibrated cells are counted on their own
    store_fixture_finished(s, &run, rows, 1);
    rows[0].point.calibration = 0;
    point_set_arithmetic(&rows[0].point, "bf16");
    store_fixture_finished(s, &run, rows, 1);
    assert_string_equal(store_fixture_text(s, taken), "2:50.0 of 1000, 8:70.0 of 1000");
    store_fixture_finished(s, &run, rows + 1, 1);
    assert_string_equal(store_fixture_text(s, taken), "2:25.0 of 2000, 8:35.0 of 2000");
    store_close(s);
}

/* 70, 72, 77: mean 73, squares 9 + 1 + 16 = 26, sample variance 13. */
static void mean_and_deviation(void **state) {
    struct store *s = store_fixture_open(*state, STORE_WRITE);
    const int64_t correct[] = {700, 720, 770};
    for (int i = 0; i < 3; i++) {
        struct run_row run = store_fixture_run(i + 1, 1, i + 1);
        struct evaluation_row rows[] = {store_fixture_evaluation(2, "direct", 0, correct[i]),
                                        store_fixture_evaluation(4, "direct", 0, 900)};
        rows[0].loss_sum = 100 * (i + 1);
        store_fixture_finished(s, &run, rows, i ? 1 : 2);
    }
    assert_int_equal(store_fixture_number(s, "SELECT count(*) FROM accuracy_summary"), 2);
    assert_int_equal(store_fixture_number(s, "SELECT n FROM accuracy_summary WHERE bits = 2"), 3);
    double mean = store_fixture_number(s, "SELECT top1 FROM accuracy_summary WHERE bits = 2");
    double sd = store_fixture_number(s, "SELECT top1_sd FROM accuracy_summary WHERE bits = 2");
    double loss = store_fixture_number(s, "SELECT loss FROM accuracy_summary WHERE bits = 2");
    assert_true(fabs(mean - 73) < 1e-12);
    assert_true(fabs(sd - sqrt(13)) < 1e-12);
    assert_true(fabs(loss - 0.2) < 1e-12);
    assert_string_equal(
        store_fixture_text(s,
                           "SELECT n || ' ' || top1 || ' ' || coalesce(top1_sd, 'NULL') || ' ' || "
                           "images || ' ' || commits FROM accuracy_summary WHERE bits = 4"),
        "1 90.0 NULL 1000 abc1234");
    store_close(s);
}

/* Deviations of 1e-9 of the mean survive: the sum of squares alone would leave noise. */
static void small_deviations_do_not_cancel(void **state) {
    struct store *s = store_fixture_open(*state, STORE_WRITE);
    const int64_t images = 1000000000000;
    for (int i = 0; i < 2; i++) {
        struct run_row run = store_fixture_run(i + 1, 1, i + 1);
        struct evaluation_row row = store_fixture_evaluation(2, "direct", 0, 0);
        row.images = row.correct5 = images;
        row.correct1 = images / 2 + 1000 * i; // in per cent: 50 and 50 + 1e-7
        store_fixture_finished(s, &run, &row, 1);
    }
    double sd = store_fixture_number(s, "SELECT top1_sd FROM accuracy_summary");
    assert_true(fabs(sd - 1e-7 / sqrt(2)) < 1e-12);
    store_close(s);
}

static void a_grid_has_its_own_means(void **state) {
    struct store *s = store_fixture_open(*state, STORE_WRITE);
    struct error e = {0};
    for (int i = 0; i < 2; i++) {
        struct run_row run = store_fixture_run(i + 1, 1, i + 1);
        struct evaluation_row row = store_fixture_evaluation(2, "direct", 0, 600 + 100 * i);
        store_fixture_finished(s, &run, &row, 1);
    }
    struct run_row second = store_fixture_run(2, 1, 2);
    assert_int_equal(store_add_runs(s, &second, 1, "small", &e), 0);
    assert_string_equal(store_fixture_text(s, "SELECT group_concat(grid || n || ':' || top1) FROM "
                                              "(SELECT coalesce(grid, 'all') AS grid, n, top1 FROM "
                                              "grid_accuracy_summary ORDER BY 1)"),
                        "all2:65.0,demo2:65.0,small1:70.0");
    store_close(s);
}

static void add_epochs(struct store *s, int64_t attempt, int from, int to, double loss) {
    struct error e = {0};
    for (int epoch = from; epoch <= to; epoch++) {
        struct epoch_row row = {epoch, 2, loss + epoch, 50, 1e-3, 1, 10};
        if (store_add_epochs(s, attempt, &row, 1, &e))
            fail_msg("%s", e.text);
    }
}

/* Killed in epoch 4 after a checkpoint at 2; resumed, interrupted at 4, resumed, done at 5. A
 * replicate afterwards does not count. */
static void training_of_a_resumed_run(void **state) {
    struct store *s = store_fixture_open(*state, STORE_WRITE);
    struct run_row run = store_fixture_run(1, 1, 1);
    struct error e = {0};
    store_fixture_add(s, &run);
    add_epochs(s, store_fixture_begin(s, run.run_id, 0), 1, 3, 100);
    int64_t second = store_fixture_begin(s, run.run_id, 0.4);
    add_epochs(s, second, 3, 4, 200);
    assert_int_equal(
        store_end_attempt(s, second, "interrupted", CAUSE_OUTSIDE, "SIGTERM", 1, 1, &e), 0);
    int64_t third = store_fixture_begin(s, run.run_id, 0.8);
    add_epochs(s, third, 5, 5, 300);
    assert_int_equal(store_fixture_number(s, "SELECT count(*) FROM training"), 0);
    assert_int_equal(store_finish(s, third, &(struct run_results){0}, 1, 1, &e), 0);
    add_epochs(s, store_fixture_begin(s, run.run_id, 0), 1, 6, 400);
    assert_string_equal(store_fixture_text(s, "SELECT group_concat(epoch || ':' || loss, ' ') FROM "
                                              "(SELECT * FROM training ORDER BY epoch)"),
                        "1:101.0 2:102.0 3:203.0 4:204.0 5:305.0");
    store_close(s);
}

/* A row of them is as the attempt recorded it. */
static void histograms_of_finished_runs(void **state) {
    struct store *s = store_fixture_open(*state, STORE_WRITE);
    struct run_row run = store_fixture_run(1, 1, 9);
    store_fixture_add(s, &run);
    int64_t attempt = store_fixture_begin(s, run.run_id, 0);
    static const char insert[] =
        "INSERT INTO histograms SELECT 1, 3, 'end', 256, json_group_array(1) FROM"
        " (WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 256)"
        "  SELECT i FROM n)";
    store_fixture_sql(s, insert);
    static const char seen[] = "SELECT count(*) FROM weight_histograms, json_each(counts)"
                               " WHERE seed = 9 AND layer = 3 AND stage = 'end' AND weights = 256";
    assert_int_equal(store_fixture_number(s, seen), 0);
    struct error e = {0};
    assert_int_equal(store_finish(s, attempt, &(struct run_results){0}, 1, 1, &e), 0);
    assert_int_equal(store_fixture_number(s, seen), 256);
    store_fixture_sql(s, "UPDATE runs SET excluded = 'wrong data'");
    assert_int_equal(store_fixture_number(s, seen), 0);
    store_close(s);
}

static void layers_of_finished_runs(void **state) {
    struct store *s = store_fixture_open(*state, STORE_WRITE);
    struct run_row run = store_fixture_run(1, 1, 9);
    struct layer_row layer = {3, "conv3", 2, 0.25, 0.5, 0.75, 1.5};
    struct error e = {0};
    store_fixture_add(s, &run);
    int64_t attempt = store_fixture_begin(s, run.run_id, 0);
    assert_int_equal(
        store_finish(s, attempt, &(struct run_results){.layers = &layer, .n_layers = 1}, 1, 1, &e),
        0);
    assert_string_equal(store_fixture_text(s,
                                           "SELECT seed || ' ' || layer || name || ' ' || bits || "
                                           "' ' || quantization_error || truncation_error || "
                                           "codes_differ || scale FROM layer_errors"),
                        "9 3conv3 2 0.250.50.751.5");
    store_fixture_sql(s, "UPDATE runs SET excluded = 'wrong data'");
    assert_int_equal(store_fixture_number(s, "SELECT count(*) FROM layer_errors"), 0);
    store_close(s);
}

/* ptq of a run that should not count, recorded after it was marked: nothing is measured there,
 * whichever view is asked; a chain of parents goes on. */
static void what_takes_excluded_weights_does_not_count(void **state) {
    struct store *s = store_fixture_open(*state, STORE_WRITE);
    char parent[2][HASH_HEX];
    struct layer_row layer = {3, "conv3", 2, 0.25, 0.5, 0.75, 1.5};
    struct error e = {0};
    for (int i = 0; i < 4; i++) {
        struct run_row run = store_fixture_run(i + 1, i + 1, 1);
        struct evaluation_row row = store_fixture_evaluation(2, "direct", 0, 100 * (i + 1));
        if (i == 1 || i == 2)
            run.parent = parent[i - 1];
        if (i < 2)
            memcpy(parent[i], run.run_id, HASH_HEX);
        store_fixture_add(s, &run);
        int64_t attempt = store_fixture_begin(s, run.run_id, 0);
        add_epochs(s, attempt, 1, 1, 1);
        assert_int_equal(
            store_finish(
                s, attempt,
                &(struct run_results){.evaluations = &row, .n = 1, .layers = &layer, .n_layers = 1},
                1, 1, &e),
            0);
        if (!i)
            store_fixture_sql(s, "UPDATE runs SET excluded = 'wrong data'");
    }
    assert_string_equal(store_fixture_text(s, "SELECT group_concat(top1) FROM accuracy"), "40.0");
    assert_int_equal(store_fixture_number(s, "SELECT count(*) FROM training"), 1);
    assert_int_equal(store_fixture_number(s, "SELECT count(*) FROM layer_errors"), 1);
    assert_int_equal(store_fixture_number(s, "SELECT count(excluded) FROM run_status"), 3);
    assert_int_equal(store_fixture_number(s, "SELECT count(*) FROM run_status"), 4);
    char expected[128];
    snprintf(expected, sizeof expected, "takes the weights of run %.12s: wrong data", parent[0]);
    assert_string_equal(
        store_fixture_text(s, "SELECT max(excluded) FROM run_status WHERE seed = 1 AND "
                              "excluded <> 'wrong data'"),
        expected);
    store_fixture_sql(s, "UPDATE runs SET excluded = NULL");
    assert_int_equal(store_fixture_number(s, "SELECT count(*) FROM accuracy"), 4);
    store_close(s);
}

/* Without the program: who is first recorded is first. */
static void schemes_stand_as_they_came(void **state) {
    struct store *s = store_fixture_open(*state, STORE_WRITE);
    static const char *const schemes[] = {"mine", "qat", "mine", "fp32"};
    for (int i = 0; i < 4; i++) {
        struct run_row run = store_fixture_run(i + 1, i + 1, 1);
        run.scheme = schemes[i];
        store_fixture_add(s, &run);
    }
    assert_string_equal(store_fixture_text(s,
                                           "SELECT group_concat(scheme || ' ' || place, ', ') FROM"
                                           " (SELECT * FROM scheme_places ORDER BY place)"),
                        "mine 1, qat 2, fp32 3");
    store_close(s);
}

int main(void) {
#define TEST(name)                                                                                 \
    cmocka_unit_test_setup_teardown(name, store_fixture_setup, store_fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(columns_in_order),
        TEST(accuracy_of_a_run),
        TEST(only_finished_runs_count),
        TEST(the_earliest_attempt_and_the_last_epoch_count),
        TEST(evaluations_of_later_attempts_join),
        TEST(cells_stay_together),
        TEST(mean_and_deviation),
        TEST(small_deviations_do_not_cancel),
        TEST(a_grid_has_its_own_means),
        TEST(training_of_a_resumed_run),
        TEST(layers_of_finished_runs),
        TEST(histograms_of_finished_runs),
        TEST(what_takes_excluded_weights_does_not_count),
        TEST(schemes_stand_as_they_came),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
