/* What tables and figures say of runs that they lack: the same words below a table, below a figure
 * and where there is nothing at all. */
#include "registry.h"
#include "report/figure.h"
#include "store/export_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Seven runs of grid demo, the first `finished` of which are done. */
static struct store *seven_runs(const char *path, int finished) {
    struct store *s = store_fixture_open(path, STORE_WRITE);
    for (int seed = 1; seed <= 7; seed++) {
        struct run_row run = store_fixture_run(seed, 1, seed);
        struct evaluation_row rows[] = {store_fixture_evaluation(2, "direct", 0, 800),
                                        store_fixture_evaluation(8, "truncated", 0, 790)};
        if (seed <= finished)
            store_fixture_finished(s, &run, rows, 2);
        else
            store_fixture_add(s, &run);
    }
    return s;
}

/* The caption of the figure of accuracies, its lines joined. */
static char caption[4096];

static int keep_caption(const char *name, const char *numbers, const char *text, void *to,
                        struct error *e) {
    (void)name, (void)numbers, (void)to, (void)e;
    snprintf(caption, sizeof caption, "%s", text);
    for (char *end = caption; (end = strchr(end, '\n'));)
        *end = ' ';
    return 0;
}

static int caption_of_accuracy(struct store *s, struct error *e) {
    struct export_request request = {
        .quantizers = quantizer_registry, .figure = "accuracy", .grid = "demo", .against = "qat"};
    struct figure_taker taker = {.take = keep_caption};
    caption[0] = '\0';
    return export_figures(s, &request, &taker, e);
}

static void tables_and_figures_name_what_they_lack(void **state) {
    struct store *s = seven_runs(*state, 5);
    struct error e = {0};
    char id[2][16], two[512];
    for (int i = 0; i < 2; i++) {
        char sql[64];
        snprintf(sql, sizeof sql, "SELECT substr(run_id, 1, 12) FROM runs WHERE seed = %d", 6 + i);
        snprintf(id[i], sizeof id[i], "%s", store_fixture_text(s, sql));
    }
    snprintf(two, sizeof two,
             "issing: 2 of 7 runs have not finished: %s truncquant resnet8 fashion-mnist seed 6, "
             "%s truncquant resnet8 fashion-mnist seed 7; 'truncquant run ID' computes each, "
             "scripts/grid.sh all of a grid",
             id[0], id[1]);
    assert_says(s, "accuracy", "demo", two);
    assert_int_equal(caption_of_accuracy(s, &e), 0);
    if (!strstr(caption, two))
        fail_msg("'%s' is not in: %s", two, caption);
    store_fixture_sql(s, "UPDATE runs SET excluded = 'odd' WHERE seed > 5");
    char *text = exported(s, "accuracy", EXPORT_TEXT, "demo", &e);
    assert_null(strstr(text, "issing")); // nobody waits for these
    free(text);
    store_close(s);
}

/* Some by name, the others by number; nothing there: the message has it, as one line. */
static void many_are_counted(void **state) {
    struct store *s = seven_runs(*state, 0);
    struct error e = {0};
    assert_null(exported(s, "accuracy", EXPORT_TEXT, "demo", &e));
    assert_non_null(strstr(e.text,
                           "has no accuracies of finished runs of grid demo yet; 7 of 7 runs "
                           "have not finished: "));
    assert_non_null(strstr(e.text, " seed 4 and 3 more; 'truncquant run ID' computes each"));
    assert_null(strstr(e.text, "seed 5"));
    assert_null(strchr(e.text, '\n'));
    e.text[0] = '\0';
    assert_int_equal(caption_of_accuracy(s, &e), EXPORT_NOTHING);
    assert_non_null(strstr(e.text, " seed 4 and 3 more; "));
    store_close(s);
}

static void what_was_not_calibrated_is_evaluated(void **state) {
    struct store *s = seven_runs(*state, 7);
    struct error e = {0};
    assert_null(exported(s, "accuracy-calibrated", EXPORT_TEXT, NULL, &e));
    assert_non_null(strstr(e.text, "7 of 7 runs have no results with re-estimated batch norms: "));
    assert_non_null(strstr(e.text, "'truncquant evaluate ID --split test --calibration 20' adds"));
    store_close(s);
}

int main(void) {
#define TEST(name)                                                                                 \
    cmocka_unit_test_setup_teardown(name, store_fixture_setup, store_fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(tables_and_figures_name_what_they_lack),
        TEST(many_are_counted),
        TEST(what_was_not_calibrated_is_evaluated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
