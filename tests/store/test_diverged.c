/* Which runs diverged: by the views, by status, and below and in the tables. */
#include "registry.h"
#include "report/export.h"
#include "store/fixture.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { EPOCHS = 3 }; // of the fixture's runs

static double guessing(void) {
    return log(10);
}

static void add_epoch(struct store *s, int64_t attempt, int epoch, int bits, double loss) {
    struct error e = {0};
    struct epoch_row row = {.epoch = epoch,
                            .bits = bits,
                            .loss = loss,
                            .accuracy = 10,
                            .learning_rate = 30,
                            .seconds = 1,
                            .images = 640};
    if (store_add_epochs(s, attempt, &row, 1, &e))
        fail_msg("%s", e.text);
}

/* What came of a width of 4 bits, evaluated with this mean loss. */
static void finish(struct store *s, int64_t attempt, double loss) {
    struct error e = {0};
    struct evaluation_row row = store_fixture_evaluation(4, "direct", 0, 100);
    row.loss_sum = loss * (double)row.images;
    if (store_finish(s, attempt, &(struct run_results){.evaluations = &row, .n = 1}, 1, 1, &e))
        fail_msg("%s", e.text);
}

/* Run number i, whose last epoch had this loss at 4 bits, and 0.5 at 32; earlier ones had another.
 */
static struct run_row trained(struct store *s, int i, double before, double last,
                              double evaluated) {
    struct run_row run = store_fixture_run(i, i, 1);
    run.widths = "4 32";
    store_fixture_add(s, &run);
    int64_t attempt = store_fixture_begin(s, run.run_id, 0);
    for (int epoch = 1; epoch <= EPOCHS; epoch++) {
        add_epoch(s, attempt, epoch, 4, epoch == EPOCHS ? last : before);
        add_epoch(s, attempt, epoch, 32, 0.5);
    }
    finish(s, attempt, evaluated);
    return run;
}

static const char *why(struct store *s, const struct run_row *run) {
    static char text[256];
    struct error e = {0};
    char *found;
    if (store_run_diverged(s, run->run_id, &found, &e))
        fail_msg("%s", e.text);
    snprintf(text, sizeof text, "%s", found ? found : "");
    free(found);
    return text;
}

static void above_twice_that_of_guessing_it_diverged(void **state) {
    struct store *s = store_fixture_open(*state, STORE_WRITE);
    struct run_row low = trained(s, 1, 0.5, 1.99 * guessing(), 9),
                   high = trained(s, 2, 0.5, 2.01 * guessing(), 9),
                   huge = trained(s, 3, 0.5, 237422.4, 1e6), vast = trained(s, 4, 0.5, 3e20, 1e6);
    assert_string_equal(why(s, &low), "");
    assert_string_equal(why(s, &high), "training loss 4.63 at 4 bits, where guessing has 2.30");
    assert_string_equal(why(s, &huge), "training loss 237,422 at 4 bits, where guessing has 2.30");
    assert_string_equal(why(s, &vast), "training loss 3.0e+20 at 4 bits, where guessing has 2.30");
    store_close(s);
}

/* A loss that grew and fell again; a mean over few steps, of a model that then is good; codes that
 * were cut after a training that did not foresee it. */
static void these_did_not(void **state) {
    struct store *s = store_fixture_open(*state, STORE_WRITE);
    struct run_row fell = trained(s, 1, 1e6, 0.5, 0.5), good = trained(s, 2, 9, 9, 2.2),
                   cut = trained(s, 3, 0.5, 0.5, 300), chance = trained(s, 4, 2.31, 2.31, 2.31);
    assert_string_equal(why(s, &fell), "");
    assert_string_equal(why(s, &good), "");
    assert_string_equal(why(s, &cut), "");
    assert_string_equal(why(s, &chance), "");
    assert_int_equal(store_fixture_number(s, "SELECT count(*) FROM diverged_widths"), 0);
    store_close(s);
}

/* The last epoch as the weights went through it: of the latest attempt that recorded it. */
static void attempts_that_went_on_are_followed(void **state) {
    struct store *s = store_fixture_open(*state, STORE_WRITE);
    struct error e = {0};
    struct run_row run = store_fixture_run(1, 1, 1);
    store_fixture_add(s, &run);
    int64_t first = store_fixture_begin(s, run.run_id, 0);
    add_epoch(s, first, EPOCHS, 4, 1e6);
    assert_string_equal(why(s, &run), ""); // it is not finished
    assert_int_equal(
        store_end_attempt(s, first, "interrupted", CAUSE_OUTSIDE, "signal 15", 1, 1, &e), 0);
    int64_t second = store_fixture_begin(s, run.run_id, 0.5);
    finish(s, second, 9); // of an earlier version: it wrote none of its own
    assert_string_equal(why(s, &run), "training loss 1,000,000 at 4 bits, where guessing has 2.30");
    add_epoch(s, second, EPOCHS, 4, 0.5);
    assert_string_equal(why(s, &run), "");
    store_close(s);
}

static void who_takes_its_weights_goes_with_it(void **state) {
    struct store *s = store_fixture_open(*state, STORE_WRITE);
    struct run_row parent = trained(s, 1, 1, 50, 50), child = store_fixture_run(2, 2, 1);
    child.parent = parent.run_id;
    store_fixture_finished(s, &child, NULL, 0);
    assert_non_null(strstr(why(s, &child), "takes the weights of run "));
    assert_non_null(strstr(why(s, &child), ": training loss 50.00 at 4 bits"));
    store_close(s);
}

/* By data that an attempt knew, by name, or by none. */
static void the_classes_decide(void **state) {
    struct store *s = store_fixture_open(*state, STORE_WRITE);
    struct run_row run = trained(s, 1, 1, 12, 50);
    assert_string_not_equal(why(s, &run), "");
    store_fixture_sql(s, "UPDATE attempts SET classes = 1000");
    assert_string_equal(why(s, &run), "");
    store_fixture_sql(s, "UPDATE attempts SET classes = NULL");
    assert_string_not_equal(why(s, &run), "");
    store_fixture_sql(s, "UPDATE runs SET dataset = 'mine'");
    assert_string_equal(why(s, &run), "");
    store_fixture_sql(s, "UPDATE epochs SET loss = 30 WHERE bits = 4");
    assert_string_not_equal(why(s, &run), "");
    store_close(s);
}

static const char *table(struct store *s, const char *what) {
    static char text[8192];
    struct error e = {0};
    memset(text, 0, sizeof text);
    FILE *out = fmemopen(text, sizeof text - 1, "w");
    struct export_request request = {
        .quantizers = quantizer_registry, .what = what, .format = EXPORT_TEXT};
    if (export_table(s, &request, out, &e))
        fail_msg("%s", e.text);
    fclose(out);
    return text;
}

static void tables_mark_it(void **state) {
    struct store *s = store_fixture_open(*state, STORE_WRITE);
    trained(s, 1, 1, 0.5, 0.5);
    const char *text = table(s, "accuracy");
    assert_null(strstr(text, "iverged"));
    struct run_row second = trained(s, 2, 1, 1e6, 50);
    store_fixture_sql(s, "UPDATE runs SET config_id = (SELECT min(config_id) FROM runs)");
    text = table(s, "accuracy");
    assert_non_null(strstr(text, " diverged at 4 (1 of 2) "));
    assert_non_null(strstr(text, "Diverged: 1 run of truncquant, "));
    store_fixture_sql(s, "UPDATE epochs SET loss = 1e6");
    assert_non_null(strstr(table(s, "accuracy"), " diverged "));
    assert_non_null(strstr(table(s, "accuracy"), "Diverged: 2 runs of truncquant, "));
    store_fixture_sql(s, "UPDATE runs SET excluded = 'it diverged' WHERE seed = 1");
    store_fixture_sql(s, "UPDATE runs SET excluded = NULL WHERE rowid = 1");
    assert_non_null(strstr(table(s, "accuracy"), "Diverged: 1 run of truncquant, "));
    assert_string_not_equal(why(s, &second), ""); // what is excluded diverged all the same
    store_close(s);
}

static void status_knows_it(void **state) {
    struct store *s = store_fixture_open(*state, STORE_WRITE);
    struct error e = {0};
    struct run_status *rows;
    int n;
    trained(s, 1, 1, 0.5, 0.5);
    trained(s, 2, 1, 1e6, 50);
    assert_int_equal(store_statuses(s, NULL, &rows, &n, &e), 0);
    assert_int_equal(n, 2);
    assert_null(rows[0].diverged);
    assert_int_equal(rows[1].state, RUN_DONE);
    assert_string_equal(rows[1].diverged,
                        "training loss 1,000,000 at 4 bits, where guessing has 2.30");
    store_free_statuses(rows, n);
    store_close(s);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, store_fixture_setup, store_fixture_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(above_twice_that_of_guessing_it_diverged),
        TEST(these_did_not),
        TEST(attempts_that_went_on_are_followed),
        TEST(who_takes_its_weights_goes_with_it),
        TEST(the_classes_decide),
        TEST(tables_mark_it),
        TEST(status_knows_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
