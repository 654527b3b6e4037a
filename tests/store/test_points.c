/* Evaluations at widths by layer: they are kept, shown as rows of their own, and change no number
 * of those whose layers all have the same width. */
#include "store/export_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sqlite3.h>

static void assert_csv_has(struct store *s, const char *what, const char *part) {
    struct error e = {0};
    char *text = exported(s, what, EXPORT_WIDE, NULL, &e);
    if (!text || !strstr(text, part))
        fail_msg("'%s' is not in: %s", part, text ? text : e.text);
    free(text);
}

/* The cells of nine widths. */
#define PAIR "n/a,n/a,"
#define NOTHING PAIR PAIR PAIR PAIR PAIR PAIR PAIR PAIR "n/a,n/a"

/* Three quantized layers; of the batch norms calibrated with 20 batches. */
static struct evaluation_row layered(const char *layers, double mean, const char *inference,
                                     int correct) {
    struct evaluation_row row = store_fixture_evaluation(2, inference, 20, correct);
    char text[POINT_TEXT];
    struct error e = {0};
    snprintf(text, sizeof text, "%s %s of 8 calibrated 20 in fp32", layers, inference);
    if (point_parse(&row.point, text, &e))
        fail_msg("%s", e.text);
    row.mean_bits = mean;
    return row;
}

/* Two seeds of qat and of truncquant, evaluated at 2 bits and 8, and where `layers`, too. */
static struct store *two_schemes(const char *path, int layers) {
    struct store *s = store_fixture_open(path, STORE_WRITE);
    for (int seed = 1; seed <= 2; seed++) {
        struct run_row qat = store_fixture_run(seed, 1, seed),
                       floor = store_fixture_run(10 + seed, 2, seed);
        struct evaluation_row of_qat[] = {store_fixture_evaluation(2, "direct", 20, 800),
                                          store_fixture_evaluation(2, "truncated", 20, 400),
                                          store_fixture_evaluation(8, "truncated", 20, 900),
                                          layered("8 4 2", 3.5, "direct", 880),
                                          layered("8 4 2", 3.5, "truncated", 600 + 20 * seed),
                                          layered("8 4 4", 4.25, "truncated", 700)};
        struct evaluation_row of_floor[] = {store_fixture_evaluation(2, "direct", 20, 790),
                                            store_fixture_evaluation(2, "truncated", 20, 780),
                                            store_fixture_evaluation(8, "truncated", 20, 910),
                                            layered("8 4 2", 3.5, "direct", 870),
                                            layered("8 4 2", 3.5, "truncated", 860)};
        qat.scheme = "qat";
        store_fixture_finished(s, &qat, of_qat, layers ? 6 : 3);
        store_fixture_finished(s, &floor, of_floor, layers ? 5 : 3);
    }
    return s;
}

static void lists_are_kept(void **state) {
    struct store *s = store_fixture_open(*state, STORE_WRITE);
    struct run_row run = store_fixture_run(1, 1, 1);
    struct evaluation_row rows[] = {layered("8 4 2", 3.5, "truncated", 700),
                                    layered("8 2 4", 4.5, "truncated", 600),
                                    store_fixture_evaluation(2, "truncated", 20, 500)};
    struct error e = {0};
    int64_t attempt = store_fixture_finished(s, &run, rows, 3);
    assert_int_equal(
        store_finish(s, attempt, &(struct run_results){.evaluations = rows, .n = 3}, 1, 1, &e),
        0); // again
    assert_string_equal(
        store_fixture_text(s, "SELECT group_concat(bits || ':' || quote(layer_bits) || ':' || "
                              "quote(mean_bits) || ':' || act_bits || ':' || bank || ':' || "
                              "correct1, ' ') FROM evaluations"),
        "0:'8 4 2':3.5:0:0:700 0:'8 2 4':4.5:0:0:600 2:'':NULL:2:2:500");
    int64_t again = store_fixture_begin(s, run.run_id, 1);
    for (int i = 0; i < 3; i++) {
        int there;
        assert_int_equal(store_has_evaluation(s, again, &rows[i], &there, &e), 0);
        assert_int_equal(there, 1);
    }
    struct evaluation_row other = layered("2 4 8", 3.5, "truncated", 700);
    int there;
    assert_int_equal(store_has_evaluation(s, again, &other, &there, &e), 0);
    assert_int_equal(there, 0);
    store_close(s);
}

/* A width and a list, neither, or a list of which nobody knows the mean. */
static void contradictions_are_refused(void **state) {
    static const char *const changes[] = {"bits = 2", "layer_bits = ''", "mean_bits = NULL",
                                          "bits = 2, layer_bits = ''", "inference = 'cut'"};
    struct store *s = store_fixture_open(*state, STORE_WRITE);
    struct run_row run = store_fixture_run(1, 1, 1);
    struct evaluation_row row = layered("8 4 2", 3.5, "truncated", 700);
    store_fixture_finished(s, &run, &row, 1);
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        char sql[96];
        snprintf(sql, sizeof sql, "UPDATE evaluations SET %s", changes[i]);
        assert_int_equal(sqlite3_exec(s->db, sql, NULL, NULL, NULL), SQLITE_CONSTRAINT);
    }
    store_close(s);
}

/* The points of a curve are of one width. */
static void curves_have_none(void **state) {
    struct store *s = store_fixture_open(*state, STORE_WRITE);
    struct run_row run = store_fixture_run(1, 1, 1);
    struct evaluation_row row = layered("8 4 2", 3.5, "truncated", 700);
    struct error e = {0};
    store_fixture_add(s, &run);
    int64_t attempt = store_fixture_begin(s, run.run_id, 0);
    assert_int_equal(store_add_curves(s, attempt, &row, 1, &e), -1);
    assert_non_null(strstr(e.text, "of one width in all layers"));
    assert_int_equal(store_fixture_number(s, "SELECT count(*) FROM epoch_evaluations"), 0);
    store_close(s);
}

#define BY_LAYER                                                                                   \
    "Column by layer: quantized layers have bits of their own, which the row names in the order "  \
    "of the network (layers)."

static void a_list_is_a_row_of_accuracies(void **state) {
    struct store *s = two_schemes(*state, 1);
    struct error e = {0};
    char *tex = exported(s, "accuracy-calibrated", EXPORT_TEX, NULL, &e);
    assert_non_null(strstr(
        tex, "\nscheme & settings & inference & 2 & 8 & by layer \\tabularnewline\n\\midrule\n"));
    free(tex);
    assert_says(s, "accuracy-calibrated", NULL, BY_LAYER);
    store_close(s);
}

/* 88 - 62, 88 - 64: a drop of 25 ± 1.41; truncquant's is 1. Its 86 less 62 and 64: 23, and half of
 * the interval is 12.706 * 1.41421 / sqrt(2). */
static void a_list_is_compared_with_itself(void **state) {
    struct store *s = two_schemes(*state, 1);
    assert_csv_has(s, "drops-calibrated", "qat,,2,40.00000,0.00000,n/a,n/a,50.00000,0.00000\n");
    assert_csv_has(s, "drops-calibrated", "qat,layers 8 4 2,2,n/a,n/a,25.00000,1.41421,n/a,n/a\n");
    assert_csv_has(s, "drops-calibrated", "truncquant,layers 8 4 2,2,n/a,n/a,1.00000,0.00000,");
    assert_csv_has(s, "reductions-calibrated",
                   "truncquant,layers 8 4 2,2,n/a,n/a,n/a,96.0000,95.8333,96.1538,n/a,n/a,n/a\n");
    assert_csv_has(s, "differences-calibrated",
                   "truncquant,layers 8 4 2,truncated,2,n/a,n/a,n/a,n/a,n/a,n/a,23.00000,10.29380,"
                   "35.70620\n");
    char *text = exported(s, "drops-calibrated", EXPORT_WIDE, NULL, &(struct error){0});
    assert_null(strstr(text, "8 4 4")); // nothing was quantized to these bits directly
    free(text);
    static const char *const tables[] = {"drops-calibrated", "reductions-calibrated",
                                         "differences-calibrated"};
    for (int i = 0; i < 3; i++)
        assert_says(s, tables[i], NULL, BY_LAYER);
    store_close(s);
}

/* All numbers of one width, whatever else was evaluated. */
static char *numbers_of_widths(struct store *s) {
    static const char sql[] =
        "SELECT group_concat(line, char(10)) FROM (SELECT 'accuracy ' || scheme || ' ' || bits || "
        "inference || n || ' ' || top1 || ' ' || top1_sd || ' ' || loss || ' ' || images AS line "
        "FROM accuracy_summary WHERE bits > 0 UNION ALL SELECT 'drop ' || config_id || ' ' || bits "
        "|| ' ' || n || ' ' || points || ' ' || points_sd || ' ' || images FROM grid_drop_summary "
        "WHERE layer_bits = '' UNION ALL SELECT 'run ' || run_id || ' ' || bits || ' ' || drop_k "
        "|| ' ' || cross_k FROM grid_drops WHERE layer_bits = '' UNION ALL SELECT label FROM "
        "grid_configurations ORDER BY 1)";
    return need_string(store_fixture_text(s, sql));
}

/* Nor does a seed of which there are lists alone. */
static void no_list_changes_another_number(void **state) {
    struct store *s = two_schemes(*state, 1);
    struct run_row run = store_fixture_run(3, 1, 3);
    struct evaluation_row lists[] = {layered("8 4 2", 3.5, "direct", 880),
                                     layered("8 4 2", 3.5, "truncated", 600)};
    run.scheme = "qat";
    store_fixture_finished(s, &run, lists, 2);
    char *with = numbers_of_widths(s), *without;
    assert_non_null(strstr(with, "drop "));
    store_fixture_sql(s, "DELETE FROM evaluations WHERE layer_bits <> ''");
    without = numbers_of_widths(s);
    assert_string_equal(with, without);
    store_close(s);
    free(with);
    free(without);
}

/* A search leaves many lists, on fewer images: the widths that were evaluated on those, too, count
 * where most widths were. */
static void a_search_outvotes_no_width(void **state) {
    enum { LISTS = 7 };
    struct store *s = store_fixture_open(*state, STORE_WRITE);
    struct run_row run = store_fixture_run(1, 1, 1);
    struct evaluation_row rows[LISTS + 3] = {store_fixture_evaluation(2, "truncated", 20, 400),
                                             store_fixture_evaluation(8, "truncated", 20, 900),
                                             store_fixture_evaluation(2, "truncated", 20, 50)};
    for (int i = 0; i < LISTS; i++) {
        char list[16];
        snprintf(list, sizeof list, "8 %d 1", i + 1);
        rows[i + 3] = layered(list, 4, "truncated", 60);
    }
    for (int i = 2; i < LISTS + 3; i++)
        rows[i].images = rows[i].correct5 = 100;
    store_fixture_finished(s, &run, rows, LISTS + 3);
    assert_string_equal(
        store_fixture_text(s, "SELECT group_concat(bits || layer_bits || ':' || top1, ', ') FROM "
                              "(SELECT * FROM accuracy ORDER BY bits, layer_bits)"),
        "08 1 1:60.0, 08 2 1:60.0, 08 3 1:60.0, 08 4 1:60.0, 08 5 1:60.0, 08 6 1:60.0, "
        "08 7 1:60.0, 2:40.0, 8:90.0");
    store_close(s);
}

/* Trained at 1 2 4 8 32: a list borrows batch norms where one of its layers does. */
static void a_list_borrows_where_a_layer_does(void **state) {
    struct store *s = two_schemes(*state, 1);
    assert_int_equal(store_fixture_number(s, "SELECT count(*) FROM grid_borrowed"), 0);
    char *text = exported(s, "accuracy-calibrated", EXPORT_MD, NULL, &(struct error){0});
    assert_null(strstr(text, "borrows"));
    free(text);
    store_fixture_sql(s, "UPDATE evaluations SET layer_bits = '8 3 2' WHERE layer_bits = '8 4 4'");
    assert_string_equal(
        store_fixture_text(s, "SELECT group_concat(DISTINCT layer_bits) FROM grid_borrowed"),
        "8 3 2");
    assert_says(s, "accuracy-calibrated", NULL, "A width k that was not trained borrows");
    store_close(s);
}

/* Columns that older databases have no use for are there when they are of use. */
static void evaluations_name_the_layers_where_there_are_some(void **state) {
    struct store *s = two_schemes(*state, 1);
    assert_csv_has(s, "evaluations", ",correct1,correct5,loss_sum,layer_bits,mean_bits\n");
    assert_csv_has(s, "evaluations", ",1000,700,1000,500,8 4 4,4.25\n");
    store_fixture_sql(s, "DELETE FROM evaluations WHERE layer_bits <> ''");
    assert_csv_has(s, "evaluations", ",correct1,correct5,loss_sum\n");
    store_close(s);
}

/* Cut activations are one more inference: a row of their own, and no side of a drop. */
static void cut_activations_are_apart(void **state) {
    struct store *s = two_schemes(*state, 0);
    char *before = exported(s, "drops-calibrated", EXPORT_WIDE, NULL, &(struct error){0}), *after;
    store_fixture_sql(s,
                      "INSERT INTO evaluations SELECT NULL, attempt, epoch, split, bits, act_bits, "
                      "stored_bits, bank, 'truncated-activations', 20, precision, 10, 1, 1, "
                      "loss_sum, layer_bits, mean_bits FROM evaluations WHERE bits = 2 AND "
                      "inference = 'direct'");
    after = exported(s, "drops-calibrated", EXPORT_WIDE, NULL, &(struct error){0});
    assert_string_equal(before, after);
    assert_csv_has(s, "accuracy-calibrated", "qat,truncated-activations,n/a,n/a,10.0000,0.0000,");
    store_close(s);
    free(before);
    free(after);
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define WITH_DATABASE(test)                                                                        \
    cmocka_unit_test_setup_teardown(test, store_fixture_setup, store_fixture_teardown)
        WITH_DATABASE(lists_are_kept),
        WITH_DATABASE(contradictions_are_refused),
        WITH_DATABASE(curves_have_none),
        WITH_DATABASE(a_list_is_a_row_of_accuracies),
        WITH_DATABASE(a_list_is_compared_with_itself),
        WITH_DATABASE(no_list_changes_another_number),
        WITH_DATABASE(a_search_outvotes_no_width),
        WITH_DATABASE(a_list_borrows_where_a_layer_does),
        WITH_DATABASE(evaluations_name_the_layers_where_there_are_some),
        WITH_DATABASE(cut_activations_are_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
