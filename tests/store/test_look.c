/* A few runs in place of all (store/look.c): what the views say of them is what they say without,
 * on databases whose attempts tie and contradict each other. */
#include "store/fixture.h"
#include "store/opening.h"
#include "store/parts.h"
#include "store/sql.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { PARTS = 4 };

/* Each view that is of runs, and its columns but what a moment decides. */
static const char *const of_runs[] = {
    "SELECT * FROM accuracy",
    "SELECT * FROM counted_attempts",
    "SELECT * FROM taken_attempts",
    "SELECT * FROM outlived_attempts",
    "SELECT * FROM excluded_runs",
    "SELECT * FROM stale_runs",
    "SELECT * FROM run_classes",
    "SELECT * FROM diverged_widths",
    "SELECT * FROM diverged_runs",
    "SELECT * FROM training",
    "SELECT * FROM learning_curves",
    "SELECT * FROM layer_errors",
    "SELECT * FROM weight_histograms",
    "SELECT * FROM training_versions",
    "SELECT run_id, state, progress, reason, excluded, stale, attempts, attempt FROM run_status",
};
enum { OF_RUNS = sizeof of_runs / sizeof *of_runs };

static int by_text(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* A row as a line; owned by the caller. */
static char *line_of(sqlite3_stmt *q) {
    char *line = NULL;
    size_t size;
    FILE *out = open_memstream(&line, &size);
    for (int c = 0; c < sqlite3_column_count(q); c++)
        fprintf(out, "%s|", sql_text(q, c));
    fputc('\n', out);
    fclose(out);
    return line;
}

/* What a view says of the runs of grid b, in an order that is not SQLite's. */
static char *rows_of(struct store *s, const char *view) {
    static char *lines[20000];
    char *text = NULL, sql[512];
    size_t size;
    int n = 0;
    struct error e = {0};
    snprintf(sql, sizeof sql,
             "SELECT * FROM (%s) WHERE run_id IN (SELECT run_id FROM grid_runs WHERE grid = 'b' "
             "AND current)",
             view);
    sqlite3_stmt *q = sql_prepare(s, sql, &e);
    if (!q)
        fail_msg("%s: %s", view, e.text);
    while (sql_step(s, q, &e) == 1)
        lines[n++] = line_of(q);
    sqlite3_finalize(q);
    qsort(lines, (size_t)n, sizeof *lines, by_text);
    FILE *out = open_memstream(&text, &size);
    for (int i = 0; i < n; i++) {
        fputs(lines[i], out);
        free(lines[i]);
    }
    fclose(out);
    return text;
}

/* `some`: which views had something to say. */
static void compare(const char *path, int some[OF_RUNS]) {
    struct store *s = store_fixture_open(path, STORE_READ);
    char *whole[OF_RUNS];
    struct error e = {0};
    for (int i = 0; i < OF_RUNS; i++)
        whole[i] = rows_of(s, of_runs[i]);
    store_fixture_sql(s, "BEGIN");
    assert_int_equal(store_look_at_grid(s, "b", &e), 0);
    assert_true(store_fixture_number(s, "SELECT count(*) FROM runs") <
                store_fixture_number(s, "SELECT count(*) FROM main.runs"));
    for (int i = 0; i < OF_RUNS; i++) {
        char *few = rows_of(s, of_runs[i]);
        assert_string_equal(few, whole[i]);
        some[i] |= few[0] != '\0';
        free(few);
        free(whole[i]);
    }
    store_fixture_sql(s, "ROLLBACK");
    assert_int_equal(store_fixture_number(s, "SELECT count(*) FROM temp.sqlite_schema"), 0);
    store_close(s);
}

/* Of some runs all diverged, and some took weights that were computed anew since. */
static const char more_sql[] =
    "UPDATE attempts SET classes = 2; UPDATE epochs SET loss = 3 WHERE attempt % 2;"
    "UPDATE evaluations SET loss_sum = 1e6 WHERE attempt % 4 > 0;"
    "UPDATE attempts SET started_at = 1000, ended_at = 1500 WHERE host = 'host0';"
    "UPDATE attempts SET started_at = 1800 WHERE run_id IN"
    " (SELECT run_id FROM runs WHERE parent IS NOT NULL)";

static void views_say_the_same_of_few_runs(void **state) {
    char part[4096];
    int some[OF_RUNS] = {0};
    parts_make_whole(*state);
    opening_sql(*state, more_sql);
    for (int draw = 0; draw < 6; draw++) {
        snprintf(part, sizeof part, "%s.%d.db", (const char *)*state, draw);
        parts_make(*state, part, draw % PARTS, PARTS, draw);
        compare(part, some);
    }
    compare(*state, some);
    for (int i = 0; i < OF_RUNS; i++)
        if (!some[i])
            fail_msg("nothing to compare: %s", of_runs[i]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(views_say_the_same_of_few_runs, store_fixture_setup,
                                        store_fixture_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
