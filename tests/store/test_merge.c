/* Joining databases: the same bytes of every export whatever the order, however often; what
 * contradicts is refused, and then nothing has changed. */
#include "base/file.h"
#include "base/random.h"
#include "store/fixture.h"
#include "store/merge/merge.h"
#include "store/opening.h"
#include "store/parts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { PARTS = 5 };

static char *beside(void **state, const char *name) {
    char *path = NULL;
    const char *db = *state;
    if (asprintf(&path, "%.*s/%s", (int)(strrchr(db, '/') - db), db, name) < 0)
        fail_msg("out of memory");
    return path;
}

static int merge(const char *into, const char *const *files, int n, struct error *e) {
    struct merged merged[2 * PARTS];
    struct store *s = store_fixture_open(into, STORE_WRITE);
    int rc = store_merge(s, files, n, 0, merged, e);
    store_close(s);
    return rc;
}

static void merged(const char *into, const char *const *files, int n) {
    struct error e = {0};
    if (merge(into, files, n, &e))
        fail_msg("%s", e.text);
}

static void refused(const char *into, const char *file, const char *says) {
    struct error e = {0};
    size_t size, size_after;
    store_close(store_fixture_open(into, STORE_WRITE)); // which may set it up
    char *before = file_read(into, 1 << 28, &size, &e);
    assert_int_equal(merge(into, &file, 1, &e), -1);
    if (!strstr(e.text, says))
        assert_string_equal(e.text, says);
    assert_null(strchr(e.text, '\n'));
    char *after = file_read(into, 1 << 28, &size_after, &e);
    assert_int_equal(size, size_after);
    assert_memory_equal(before, after, size);
    free(before);
    free(after);
}

static void split(const char *whole, char *const *parts, int n, int draw) {
    for (int k = 0; k < n; k++)
        parts_make(whole, parts[k], k, n, draw);
}

/* All of the parts, some of them twice, in one call or in several. */
static void merge_at_random(const char *into, char *const *parts, int n, struct random *r) {
    const char *files[2 * PARTS];
    uint32_t order[2 * PARTS];
    int many = n + (int)random_below(r, (uint32_t)n + 1);
    random_permutation(r, order, (uint32_t)many);
    for (int i = 0; i < many; i++)
        files[i] = parts[order[i] % (uint32_t)n];
    for (int i = 0, of; i < many; i += of) {
        of = 1 + (int)random_below(r, (uint32_t)(many - i));
        merged(into, files + i, of);
    }
}

static void assert_same_text(const char *expected, const char *got) {
    size_t at = 0;
    while (expected[at] && expected[at] == got[at])
        at++;
    if (expected[at] == got[at])
        return;
    size_t from = at > 200 ? at - 200 : 0;
    fail_msg("they differ:\n%.400s\n---\n%.400s", expected + from, got + from);
}

static void any_order_gives_the_same(void **state) {
    char *parts[PARTS], *into = beside(state, "into.db");
    struct random r = random_stream(1, RANDOM_SHUFFLE, 0, 0);
    parts_make_whole(*state);
    for (int k = 0; k < PARTS; k++) {
        const char name[] = {'p', (char)('0' + k), '.', 'd', 'b', '\0'};
        parts[k] = beside(state, name);
    }
    for (int draw = 0; draw < 2; draw++) {
        int n = 2 + draw % (PARTS - 1);
        split(*state, parts, n, draw);
        char *expected = NULL;
        for (int trial = 0; trial < 3; trial++) {
            char command[9000];
            unlink(into);
            if (trial) { // into one of them
                snprintf(command, sizeof command, "VACUUM INTO '%s'", into);
                opening_sql(parts[random_below(&r, (uint32_t)n)], command);
            }
            merge_at_random(into, parts, n, &r);
            char *got = parts_print(into);
            if (expected)
                assert_same_text(expected, got);
            free(expected);
            expected = got;
        }
        free(expected);
    }
    for (int k = 0; k < PARTS; k++)
        free(parts[k]);
    free(into);
}

/* Of attempts and numbers, the parts together have all that the whole has. */
static void nothing_is_lost(void **state) {
    char *parts[3] = {beside(state, "p0.db"), beside(state, "p1.db"), beside(state, "p2.db")};
    char *into = beside(state, "into.db"), sql[9000];
    parts_make_whole(*state);
    split(*state, parts, 3, 1);
    merged(into, (const char *const *)parts, 3);
    struct store *s = store_fixture_open(into, STORE_READ);
    snprintf(sql, sizeof sql, "ATTACH 'file:%s?mode=ro' AS whole", (const char *)*state);
    store_fixture_sql(s, sql);
    static const char *const tables[] = {"runs",    "attempts",    "epochs",
                                         "retries", "evaluations", "epoch_evaluations",
                                         "layers",  "histograms"};
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        snprintf(sql, sizeof sql,
                 "SELECT (SELECT count(*) FROM main.%s) - (SELECT count(*) FROM whole.%s)",
                 tables[i], tables[i]);
        assert_int_equal(store_fixture_number(s, sql), 0);
    }
    assert_int_equal(store_fixture_number(s, "SELECT count(*) FROM pragma_foreign_key_check"), 0);
    store_close(s);
    for (int k = 0; k < 3; k++)
        free(parts[k]);
    free(into);
}

/* A table that is forgotten would be lost without a word. */
static void every_table_is_copied(void **state) {
    struct store *s = store_fixture_open(*state, STORE_WRITE);
    assert_string_equal(
        store_fixture_text(s, "SELECT group_concat(name) FROM (SELECT name FROM sqlite_schema WHERE"
                              " type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY 1)"),
        "attempts,curve_requests,epoch_evaluations,epochs,evaluations,fingerprints,grid_runs,"
        "histograms,identity,"
        "latencies,layers,retries,runs,schema_texts");
    store_close(s);
}

/* Copies of the whole that say something else, each alone. */
static void what_contradicts_is_refused(void **state) {
    static const struct {
        const char *change, *says;
    } changes[] = {
        {"UPDATE evaluations SET correct1 = correct1 + 1 WHERE evaluation = 7",
         "other evaluations"},
        {"UPDATE evaluations SET loss_sum = NULL WHERE evaluation = 7", "other evaluations"},
        {"UPDATE epochs SET loss = 9 WHERE attempt = 5 AND epoch = 1", "other epochs"},
        {"UPDATE epoch_evaluations SET correct1 = 999 WHERE attempt = 5",
         "other epoch_evaluations"},
        {"UPDATE layers SET scale = 99 WHERE attempt = 5", "other layers"},
        {"UPDATE histograms SET counts = replace(counts, '3', '5') WHERE attempt = 5",
         "other histograms"},
        {"UPDATE latencies SET median_seconds = 1 WHERE bits = 2",
         "a row of latencies has other values"},
        {"UPDATE attempts SET outcome = 'failed' WHERE attempt = 5", "other ends"},
        {"UPDATE attempts SET threads = 2 WHERE attempt = 5", "other words"},
        {"UPDATE runs SET config_id = replace(config_id, 'c', 'd')", "another configuration"},
        // computed by somebody else, in the same way
        {"UPDATE attempts SET host = 'x'; UPDATE epochs SET loss = 9 WHERE attempt = 4",
         "in the same way"},
        {"UPDATE attempts SET pid = 99; UPDATE evaluations SET correct1 = 999 WHERE attempt = 4",
         "other evaluations here (computed on"},
        {"UPDATE attempts SET host = 'x'; UPDATE layers SET scale = 9 WHERE attempt = 4",
         "other layers here"},
        {"UPDATE attempts SET host = 'x'; UPDATE histograms SET weights = 9 WHERE attempt = 4",
         "other histograms here"},
        {"UPDATE identity SET anonymous = 1", "is anonymous"},
    };
    char *other = beside(state, "other.db"), copy[9000];
    parts_make_whole(*state);
    snprintf(copy, sizeof copy, "VACUUM INTO '%s'", other);
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        unlink(other);
        opening_sql(*state, copy);
        opening_sql(other, changes[i].change);
        refused(*state, other, changes[i].says);
        if (i < 14) // nor the other way round
            refused(other, *state, "other");
    }
    free(other);
}

/* What was computed otherwise may differ: both are kept. */
static void other_numerics_are_no_contradiction(void **state) {
    static const char *const changes[] = {"engine = 'reference'",
                                          "threads = 2",
                                          "isa = 'y'",
                                          "libraries = 'others'",
                                          "sources = printf('%064d', 7)",
                                          "fingerprint = printf('%064d', 7)",
                                          "resumed_at = 0.5",
                                          "sources = NULL, dirty = 1"};
    char *other = beside(state, "other.db"), sql[9000];
    parts_make_whole(*state);
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        unlink(*state);
        unlink(other);
        parts_make_whole(*state);
        snprintf(sql, sizeof sql, "VACUUM INTO '%s'", other);
        opening_sql(*state, sql);
        snprintf(sql, sizeof sql,
                 "UPDATE attempts SET host = 'x', %s; UPDATE epochs SET loss = loss + 1;"
                 "UPDATE evaluations SET correct1 = 998 - correct1",
                 changes[i]);
        opening_sql(other, sql);
        merged(*state, (const char *const[]){other}, 1);
        struct store *s = store_fixture_open(*state, STORE_READ);
        assert_int_equal(store_fixture_number(s, "SELECT count(*) FROM attempts"), 2 * 54);
        store_close(s);
    }
    free(other);
}

/* One database may hold two such attempts (its own contradiction); that is no reason to refuse its
 * copies. */
static void what_one_file_holds_is_not_refused(void **state) {
    char *other = beside(state, "other.db"), sql[9000];
    parts_make_whole(*state);
    opening_sql(*state, "UPDATE attempts SET sources = printf('%064d', 1)");
    snprintf(sql, sizeof sql, "VACUUM INTO '%s'", other);
    opening_sql(*state, sql);
    merged(*state, (const char *const[]){other, other}, 2);
    free(other);
}

static void other_data_of_the_same_name_is_refused(void **state) {
    char *other = beside(state, "other.db"), sql[9000];
    struct merged merged;
    struct error e = {0};
    parts_make_whole(*state);
    snprintf(sql, sizeof sql, "VACUUM INTO '%s'", other);
    opening_sql(*state, sql);
    opening_sql(other,
                "PRAGMA foreign_keys = OFF; DELETE FROM attempts; DELETE FROM epochs;"
                "DELETE FROM evaluations; DELETE FROM epoch_evaluations; DELETE FROM layers;"
                "DELETE FROM curve_requests; DELETE FROM grid_runs;"
                "UPDATE runs SET data_hash = 'e', parent = NULL,"
                " run_id = substr(run_id, 2) || 'f', config_id = substr(config_id, 2) || 'f'");
    refused(*state, other, "its runs on fashion-mnist were planned with other data (e) than");
    struct store *s = store_fixture_open(*state, STORE_WRITE);
    const char *file = other;
    assert_int_equal(store_merge(s, &file, 1, 1, &merged, &e), 0);
    assert_int_equal(merged.runs, 18);
    // From now on it knows both.
    assert_int_equal(store_merge(s, &file, 1, 0, &merged, &e), 0);
    assert_int_equal(merged.runs, 0);
    store_close(s);
    free(other);
}

int main(void) {
#define TEST(name)                                                                                 \
    cmocka_unit_test_setup_teardown(name, store_fixture_setup, store_fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(any_order_gives_the_same),
        TEST(nothing_is_lost),
        TEST(every_table_is_copied),
        TEST(what_contradicts_is_refused),
        TEST(other_numerics_are_no_contradiction),
        TEST(what_one_file_holds_is_not_refused),
        TEST(other_data_of_the_same_name_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
