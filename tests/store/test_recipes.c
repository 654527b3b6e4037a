/* What tables and captions say of how their rows were made: where recipes differ, what all have in
 * common, which activations and batch norms, and which versions of the program. */
#include "store/export_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Same names, other settings: rows of their own, told apart by what differs, and only by that. */
static void configurations_are_told_apart(void **state) {
    struct store *s = store_fixture_open(*state, STORE_WRITE);
    static const char *const params[] = {
        "{\"rounder\":\"floor\"}",
        "{\"rounder\":\"floor\",\"epochs\":\"10\"}",
        "{\"rounder\":\"floor\",\"epochs\":\"20\"}",
        "{\"rounder\":\"floor\",\"epochs\":\"20\"}",
    };
    struct error e = {0};
    for (int i = 0; i < 4; i++) {
        struct run_row run = store_fixture_run(i + 1, i + 1, 1);
        struct evaluation_row row = store_fixture_evaluation(32, "direct", 0, 800 + i);
        run.params = params[i];
        run.config_id[0] = (char)('a' + i); // of the last two only the id differs
        store_fixture_finished(s, &run, &row, 1);
        if (i == 1)
            assert_int_equal(store_add_runs(s, &run, 1, "one", &e), 0);
        if (i == 1 || i == 2)
            assert_int_equal(store_add_runs(s, &run, 1, "two", &e), 0);
    }
    assert_settings(s, NULL,
                    "settings;epochs=10;epochs=20 c0000000;epochs=20 d0000000;epochs=200;");
    assert_settings(s, "one", "inference;direct;"); // alone in its grid
    assert_settings(s, "two", "settings;epochs=10;epochs=20;");
    store_close(s);
}

/* What store_name_statuses calls the runs of a grid, in the order of their rows, each after ';'. */
static void assert_names(struct store *s, const char *grid, const char *expected) {
    struct error e = {0};
    struct run_status *rows;
    char names[512] = "";
    int n;
    assert_int_equal(store_statuses(s, grid, &rows, &n, &e), 0);
    assert_int_equal(store_name_statuses(s, grid, rows, n, &e), 0);
    for (int i = 0; i < n; i++) {
        assert_non_null(rows[i].settings);
        strcat(strcat(names, rows[i].settings), ";");
    }
    store_free_statuses(rows, n);
    assert_string_equal(names, expected);
}

/* Runs that nobody finished yet have the names that tables will give them; members of a group, and
 * data sets, which have columns of their own there, are told apart, too. */
static void runs_are_named_as_in_tables(void **state) {
    struct store *s = store_fixture_open(*state, STORE_WRITE);
    static const char *const params[] = {"{\"epochs\":\"10\"}", "{\"epochs\":\"20\"}", "{}"};
    struct error e = {0};
    for (int i = 0; i < 3; i++) {
        struct run_row run = store_fixture_run(i + 1, i + 1, 1);
        run.params = params[i];
        store_fixture_add(s, &run);
        if (i == 1)
            assert_int_equal(store_add_runs(s, &run, 1, "one", &e), 0);
    }
    assert_names(s, NULL, "epochs=10;epochs=20;epochs=200;");
    assert_names(s, "one", ";");
    assert_names(s, NULL, "epochs=10;epochs=20;epochs=200;"); // nothing was left behind
    store_fixture_sql(s, "UPDATE runs SET config_id = (SELECT min(config_id) FROM runs),"
                         " params = '{}', \"group\" = run_id, widths = rowid || ''");
    assert_names(s, NULL, "widths=1;widths=2;widths=3;");
    store_fixture_sql(s, "UPDATE runs SET \"group\" = NULL, dataset = rowid, config_id = run_id");
    assert_names(s, NULL, "dataset=1;dataset=2;dataset=3;");
    store_close(s);
}

/* A run's own activations are the cell; others are in the view. */
static void own_activations_are_shown(void **state) {
    struct store *s = store_fixture_open(*state, STORE_WRITE);
    struct run_row run = store_fixture_run(1, 1, 1);
    struct evaluation_row rows[] = {store_fixture_evaluation(4, "direct", 0, 100),
                                    store_fixture_evaluation(4, "direct", 0, 200)};
    rows[0].point.act_bits = 2;
    run.act_bits = 4;
    store_fixture_finished(s, &run, rows, 2);
    struct error e = {0};
    char *text = exported(s, "accuracy", EXPORT_WIDE, NULL, &e);
    assert_non_null(strstr(text, ",20.0000,"));
    assert_null(strstr(text, ",10.0000,"));
    free(text);
    store_close(s);
}

/* Said where a width is shown that the model of several was not trained at, and only there. */
static void borrowed_batch_norms_are_told(void **state) {
    struct store *s = three_runs(*state);
    static const struct {
        const char *change, *calibrated, *as_trained; // what is said; NULL: nothing
    } cases[] = {
        {"UPDATE runs SET widths = '1 2'", NULL,
         "borrows the batch norms of the smallest trained width above k"},
        {"UPDATE runs SET widths = '2 32'",
         "A width k that was not trained borrows the batch norms' scale and shift of the smallest "
         "trained width above k or, where none is above, of the largest.",
         "A width k that was not trained borrows the batch norms of the smallest trained width "
         "above k or, where none is above, of the largest."},
        {"UPDATE runs SET params = '{\"norm_bank\": \"shared\"}'", NULL, NULL},
        {"UPDATE runs SET params = '{}', \"group\" = run_id", NULL, NULL},
        {"UPDATE runs SET \"group\" = NULL, widths = '32'", NULL, NULL},
        {"UPDATE runs SET widths = '1 32'", NULL, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        store_fixture_sql(s, cases[i].change);
        for (int calibrated = 0; calibrated < 2; calibrated++) {
            const char *said = calibrated ? cases[i].calibrated : cases[i].as_trained;
            struct error e = {0};
            char *text =
                exported(s, calibrated ? "accuracy-calibrated" : "accuracy", EXPORT_MD, NULL, &e);
            assert_non_null(strstr(text, said ? said : ""));
            assert_int_equal(strstr(text, "borrows") != NULL, said != NULL);
            free(text);
        }
    }
    store_close(s);
}

/* `columns`: where one borrows without the other; "": nowhere, though some borrow; NULL: none
 * borrow. */
static void assert_borrowed(struct store *s, const char *what, const char *columns) {
    struct error e = {0};
    char expected[64] = "";
    char *text = exported(s, what, EXPORT_MD, NULL, &e);
    if (!text)
        fail_msg("%s: %s", what, e.text);
    const char *rule = strstr(what, "-calibrated")
                           ? "\nA width k that was not trained borrows the batch norms' scale and"
                           : "\nA width k that was not trained borrows the batch norms of";
    if (columns && *columns)
        snprintf(expected, sizeof expected, "\nColumn %s: there are rows of which only one",
                 columns);
    if (!strstr(text, columns ? rule : "") || !strstr(text, expected) ||
        (strstr(text, "borrows") != NULL) != (columns != NULL) ||
        (strstr(text, "only one") != NULL) != (*expected != '\0'))
        fail_msg("%s, not as told by '%s': %s", what, columns ? columns : "nobody borrows", text);
    free(text);
}

/* Said of differences, drops and reductions, where a cell of the table borrows or what it is
 * compared with does. */
static void borrowing_is_told_of_what_is_derived(void **state) {
    struct store *s = pairs(*state);
    store_fixture_sql(s,
                      "INSERT INTO evaluations SELECT NULL, attempt, epoch, split, bits, act_bits, "
                      "stored_bits, bank, inference, 20, precision, images, correct1, correct5, "
                      "loss_sum, layer_bits, mean_bits FROM evaluations");
    static const char *const tables[] = {
        "differences",      "differences-calibrated", "drops",
        "drops-calibrated", "reductions-calibrated",  "reductions"};
    static const struct {
        const char *change, *columns[6];
        int tables; // that there are
    } cases[] = {
        {"SELECT 1", {NULL}, 6},
        {"UPDATE runs SET widths = '1 2 8 32'", {NULL}, 6}, // at 4 bits there is no pair
        {"UPDATE runs SET widths = '2 4 32'", {"", "", "", "", "", ""}, 6},
        {"UPDATE runs SET widths = '2 8 32' WHERE scheme = 'qat'",
         {"8", "8", "", "", "cross", "cross"},
         6},
        {"UPDATE runs SET widths = CASE scheme WHEN 'qat' THEN '4 32' ELSE '2 4 8 32' END",
         {"2, 8", "2, 8", NULL, "", "2, cross"},
         5},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        store_fixture_sql(s, cases[i].change);
        for (int t = 0; t < cases[i].tables; t++)
            assert_borrowed(s, tables[t], cases[i].columns[t]);
    }
    store_close(s);
}

/* What a run of a scheme is, besides what store_fixture_run says. */
struct recipe {
    const char *scheme, *params, *network, *widths;
    int parent, group; // takes weights; is one width of several models
};

static void add_recipes(struct store *s, const struct recipe *recipes, int n) {
    for (int i = 0; i < n; i++) {
        struct run_row run = store_fixture_run(i + 1, i + 1, 1);
        run.scheme = recipes[i].scheme, run.params = recipes[i].params;
        run.network = recipes[i].network ? recipes[i].network : "resnet8";
        run.widths = recipes[i].widths ? recipes[i].widths : run.widths;
        run.images = strstr(run.params, "64") ? 64 : 60000;
        run.parent = recipes[i].parent ? run.run_id : NULL;
        run.group = recipes[i].group ? run.run_id : NULL;
        finished(s, run, "test", 500 + i);
    }
}

/* Of two, each names what it has, one at its default too; of more, those that are not as most. */
static void recipes_differ_across_schemes(void **state) {
    struct store *s = store_fixture_open(*state, STORE_WRITE);
    static const struct recipe recipes[] = {
        {.scheme = "qat", .params = "{\"learning_rate\": 1e-05}"},
        {.scheme = "truncquant", .params = "{}"},
        {.scheme = "adabits", .params = "{}"}};
    add_recipes(s, recipes, 2);
    assert_settings(s, NULL, "settings;learning_rate=1e-05;learning_rate=0.001;");
    assert_says(s, "accuracy", NULL, "200 epochs, Adam, step schedule, batch 128; test split, ");
    assert_says(s, "differences", NULL, " differ from their qat in: learning_rate (qat: 1e-05).\n");
    assert_says(s, "differences", NULL, "| truncquant | learning\\_rate=0.001 |");
    store_fixture_sql(s, "DELETE FROM grid_runs");
    add_recipes(s, recipes, 3);
    assert_settings(s, NULL, "settings;learning_rate=1e-05;;;");
    assert_says(s, "accuracy", NULL,
                "; unless named otherwise: learning rate 0.001; test split, 1,000 images; ");
    store_close(s);
}

/* fp32 has no widths, ptq those of its parent, dedicated has a model for each; what only decides
 * which cells there are, or is the scheme's own, is no difference. */
static void what_the_scheme_says_is_no_difference(void **state) {
    struct store *s = store_fixture_open(*state, STORE_WRITE);
    static const struct recipe recipes[] = {
        {.scheme = "fp32", .params = "{\"range\": \"none\", \"widths\": \"32\"}", .widths = "32"},
        {.scheme = "qat", .params = "{\"range\": \"tanh\", \"bits\": \"1 2\"}"},
        {.scheme = "truncquant", .params = "{\"range\": \"tanh\", \"rounder\": \"floor\"}"},
        {.scheme = "lsq", .params = "{\"range\": \"own\", \"calibrate_at\": \"widths\"}"},
        {.scheme = "ptq", .params = "{\"act_bits\": 32}", .parent = 1},
        {.scheme = "dedicated", .params = "{}", .widths = "2", .group = 1},
    };
    add_recipes(s, recipes, 6);
    assert_settings(s, NULL, "inference;direct;direct;direct;direct;direct;direct;");
    assert_says(
        s, "accuracy", NULL,
        "\nresnet8 on fashion-mnist; 60,000 training images, 200 epochs, Adam, learning rate "
        "0.001, step schedule, batch 128; test split, 1,000 images; n = 1 seed.\n");
    store_close(s);
}

/* What each network has of its own stands in the caption, and in no row; what all have besides the
 * usual, too. */
static void a_caption_says_what_rows_have_in_common(void **state) {
    struct store *s = store_fixture_open(*state, STORE_WRITE);
    static const struct recipe recipes[] = {
        {.scheme = "qat",
         .params = "{\"train.images\": 64, \"warmup\": 0.1, \"optimizer\": \"sgd\"}",
         .network = "lenet"},
        {.scheme = "fp32",
         .params = "{\"train.images\": 64, \"warmup\": 0.1, \"optimizer\": \"sgd\"}",
         .network = "lenet"},
        {.scheme = "qat", .params = "{\"warmup\": 0.1, \"optimizer\": \"sgd\"}"},
        {.scheme = "fp32", .params = "{\"warmup\": 0.1, \"optimizer\": \"sgd\"}"},
    };
    add_recipes(s, recipes, 4);
    assert_settings(s, NULL, "inference;direct;direct;direct;direct;");
    assert_says(
        s, "accuracy", NULL,
        "\nlenet, resnet8 on fashion-mnist; 64 (lenet) or 60,000 (resnet8) training images, "
        "200 epochs, SGD, learning rate 0.001, step schedule, batch 128, warmup=0.1; ");
    store_close(s);
}

static void set_commit(struct store *s, int attempt, const char *commit) {
    char sql[128];
    snprintf(sql, sizeof sql, "UPDATE attempts SET commit_id = '%s' WHERE attempt = %d", commit,
             attempt);
    store_fixture_sql(s, sql);
}

/* An attempt that began where `from` of the run was behind, and was interrupted. */
static void attempt_at(struct store *s, const struct run_row *run, double from,
                       const char *commit) {
    struct error e = {0};
    int64_t attempt = store_fixture_begin(s, run->run_id, from);
    set_commit(s, (int)attempt, commit);
    assert_int_equal(
        store_end_attempt(s, attempt, "interrupted", CAUSE_OUTSIDE, "SIGTERM", 1, 1, &e), 0);
}

/* Training, its continuation by another version, a try that came to nothing, and an evaluation by a
 * third; a run that takes the weights was trained by those, too. */
static void versions_of_training_and_of_evaluation_are_told(void **state) {
    struct store *s = store_fixture_open(*state, STORE_WRITE);
    struct run_row run = store_fixture_run(1, 1, 1), heir = store_fixture_run(2, 2, 1);
    struct evaluation_row row = store_fixture_evaluation(32, "direct", 0, 500),
                          more = store_fixture_evaluation(4, "direct", 0, 400);
    store_fixture_add(s, &run);
    attempt_at(s, &run, 0, "lost"); // nothing was kept of it
    attempt_at(s, &run, 0, "begun");
    attempt_at(s, &run, 0.5, "vain");
    attempt_at(s, &run, 0.5, "idle");
    set_commit(s, (int)store_fixture_finished(s, &run, &row, 1), "done");
    store_fixture_sql(s, "UPDATE attempts SET resumed_at = 0.5 WHERE commit_id = 'done'");
    assert_says(s, "accuracy", NULL,
                "\nTrained by commits begun, done, evaluated by commit done.\n");
    set_commit(s, (int)store_fixture_finished(s, &run, &more, 1), "later");
    assert_says(s, "accuracy", NULL,
                "\nTrained by commits begun, done, evaluated by commits done, later.\n");
    heir.scheme = "ptq", heir.parent = run.run_id;
    store_fixture_sql(s, "DELETE FROM evaluations");
    set_commit(s, (int)store_fixture_finished(s, &heir, &row, 1), "heir");
    assert_says(s, "accuracy", NULL,
                "\nTrained by commits begun, done, heir, evaluated by commit heir.\n");
    store_close(s);
}

int main(void) {
#define TEST(name)                                                                                 \
    cmocka_unit_test_setup_teardown(name, store_fixture_setup, store_fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(configurations_are_told_apart),
        TEST(runs_are_named_as_in_tables),
        TEST(recipes_differ_across_schemes),
        TEST(what_the_scheme_says_is_no_difference),
        TEST(a_caption_says_what_rows_have_in_common),
        TEST(versions_of_training_and_of_evaluation_are_told),
        TEST(own_activations_are_shown),
        TEST(borrowed_batch_norms_are_told),
        TEST(borrowing_is_told_of_what_is_derived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
