/* Clocks that are set back, or differ between machines: which attempt was the last, which counts,
 * and who is alive are decided by the order in which they were made. */
#include "store/fixture.h"
#include "store/merge/merge.h"
#include "store/opening.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum { HOUR = 3600 };

/* The clock of this process, in place of the C library's: so many seconds off. */
static long shift;

int clock_gettime(clockid_t clock, struct timespec *t) {
    int status = (int)syscall(SYS_clock_gettime, clock, t);
    t->tv_sec += clock == CLOCK_REALTIME ? shift : 0;
    return status;
}

int gettimeofday(struct timeval *restrict t, void *restrict zone) {
    struct timespec now;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &now);
    *t = (struct timeval){now.tv_sec, now.tv_nsec / 1000};
    return 0;
}

static int setup(void **state) {
    shift = 0;
    return store_fixture_setup(state);
}

static void end_attempt(struct store *s, int64_t attempt, const char *outcome) {
    struct error e = {0};
    enum cause cause = strcmp(outcome, "failed") ? CAUSE_OUTSIDE : CAUSE_OWN;
    int status = strcmp(outcome, "complete")
                     ? store_end_attempt(s, attempt, outcome, cause, "why", 1, 1, &e)
                     : store_finish(s, attempt, &(struct run_results){0}, 1, 1, &e);
    if (status)
        fail_msg("%s", e.text);
}

static int64_t attempt_that(struct store *s, const char *run_id, const char *outcome) {
    int64_t attempt = store_fixture_begin(s, run_id, 0);
    end_attempt(s, attempt, outcome);
    return attempt;
}

static void assert_state(struct store *s, const char *run_id, enum run_state expected) {
    enum run_state state;
    struct error e = {0};
    if (store_run_state(s, run_id, &state, &e))
        fail_msg("%s", e.text);
    assert_string_equal(run_state_names[state], run_state_names[expected]);
}

static void the_last_attempt_is_the_one_made_last(void **state) {
    struct store *s = store_fixture_open(*state, STORE_WRITE);
    struct run_row run = store_fixture_run(1, 1, 1);
    store_fixture_add(s, &run);
    attempt_that(s, run.run_id, "failed");
    shift = -HOUR;
    attempt_that(s, run.run_id, "interrupted");
    assert_state(s, run.run_id, RUN_PENDING);
    shift = -2 * HOUR;
    attempt_that(s, run.run_id, "failed");
    assert_state(s, run.run_id, RUN_FAILED);
    store_close(s);
}

/* The one that ended first counts, and what it went through is what was before it. */
static void the_first_that_ends_counts(void **state) {
    struct store *s = store_fixture_open(*state, STORE_WRITE);
    struct run_row run = store_fixture_run(1, 1, 1);
    struct epoch_row epoch = {.epoch = 1, .bits = 8, .loss = 1, .images = 1};
    struct error e = {0};
    store_fixture_add(s, &run);
    for (int i = 0; i < 4; i++) {
        int64_t attempt = store_fixture_begin(s, run.run_id, 0);
        epoch.loss = i;
        assert_int_equal(store_add_epochs(s, attempt, &epoch, 1, &e), 0);
        end_attempt(s, attempt, i < 2 ? "interrupted" : "complete");
        shift -= HOUR;
    }
    assert_int_equal(store_fixture_number(s, "SELECT attempt FROM counted_attempts"), 3);
    assert_int_equal(store_fixture_number(s, "SELECT loss FROM training"), 2);
    assert_int_equal(store_fixture_number(s, "SELECT count(*) FROM past_attempts"), 3);
    store_close(s);
}

static void complete_with(struct store *s, const char *run_id, const char *fingerprint) {
    char sql[256];
    int64_t attempt = attempt_that(s, run_id, "complete");
    snprintf(sql, sizeof sql, "UPDATE attempts SET fingerprint = '%s' WHERE attempt = %d",
             fingerprint, (int)attempt);
    store_fixture_sql(s, sql);
}

static int is_stale(struct store *s, const char *run_id) {
    struct error e = {0};
    char *why;
    assert_int_equal(store_run_stale(s, run_id, &why, &e), 0);
    int stale = why != NULL;
    free(why);
    return stale;
}

/* A run that takes another's weights, evaluated once before that other ran again and once after. */
static void what_ran_after_its_parent_is_not_stale(void **state) {
    struct store *s = store_fixture_open(*state, STORE_WRITE);
    struct run_row run = store_fixture_run(1, 1, 1), child = store_fixture_run(2, 2, 1);
    child.scheme = "ptq";
    child.parent = run.run_id;
    store_fixture_add(s, &run);
    store_fixture_add(s, &child);
    complete_with(s, run.run_id, STORE_FIXTURE_HASH("1"));
    shift = -HOUR;
    attempt_that(s, child.run_id, "complete");
    assert_false(is_stale(s, child.run_id));
    shift = HOUR;
    complete_with(s, run.run_id, STORE_FIXTURE_HASH("2"));
    store_fixture_sql(s, "INSERT INTO fingerprints (scheme, fingerprint)"
                         " SELECT 'truncquant', fingerprint FROM attempts WHERE attempt = 3");
    assert_true(is_stale(s, child.run_id));
    shift = 0;
    attempt_that(s, child.run_id, "complete");
    assert_false(is_stale(s, child.run_id));
    assert_int_equal(store_fixture_number(s, "SELECT count(*) FROM outlived_attempts"), 1);
    store_close(s);
}

/* ---- other hosts ---- */

static void what_is_yet_to_come_is_no_sign_of_life(void **state) {
    struct store *s = store_fixture_open(*state, STORE_WRITE);
    struct run_row run = store_fixture_run(1, 1, 1);
    struct run_status *rows;
    struct error e = {0};
    int n;
    store_fixture_add(s, &run);
    store_fixture_begin(s, run.run_id, 0);
    store_fixture_sql(s, "UPDATE attempts SET host = 'elsewhere'");
    shift = -100; // as far as clocks may differ
    assert_state(s, run.run_id, RUN_RUNNING);
    shift = -HOUR;
    assert_state(s, run.run_id, RUN_DEAD);
    assert_int_equal(store_statuses(s, NULL, &rows, &n, &e), 0);
    assert_string_equal(rows[0].reason,
                        "its last sign of life is yet to come: a clock was set back");
    store_free_statuses(rows, n);
    shift = HOUR;
    assert_int_equal(store_statuses(s, NULL, &rows, &n, &e), 0);
    assert_string_equal(rows[0].reason, "no sign of life for 120 s");
    store_free_statuses(rows, n);
    store_close(s);
}

/* Here it is the process that tells. */
static void a_process_here_lives_whatever_the_clock(void **state) {
    struct store *s = store_fixture_open(*state, STORE_WRITE);
    struct run_row run = store_fixture_run(1, 1, 1);
    store_fixture_add(s, &run);
    store_fixture_begin(s, run.run_id, 0);
    shift = -HOUR;
    assert_state(s, run.run_id, RUN_RUNNING);
    store_close(s);
}

/* ---- databases that are joined ---- */

static void copy_database(const char *from, const char *to) {
    char sql[512];
    snprintf(sql, sizeof sql, "VACUUM INTO '%s'", to);
    unlink(to);
    opening_sql(from, sql);
}

/* The orders of three files. */
static const int orders[][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};

/* Three copies of one database at three moments, each with the clock set further back. */
static void joined_in_any_order(void **state) {
    struct store *s = store_fixture_open(*state, STORE_WRITE);
    struct run_row run = store_fixture_run(1, 1, 1);
    char files[3][256], into[256], first[4096] = "";
    static const char *const outcomes[] = {"failed", "failed", "interrupted"};
    store_fixture_add(s, &run);
    for (int i = 0; i < 3; i++) {
        snprintf(files[i], sizeof files[i], "%s.%d", (const char *)*state, i);
        attempt_that(s, run.run_id, outcomes[i]);
        copy_database(*state, files[i]);
        shift -= HOUR;
    }
    store_close(s);
    snprintf(into, sizeof into, "%s.into", (const char *)*state);
    for (int i = 0; i < 6; i++) {
        struct merged merged[3];
        struct error e = {0};
        const char *of[3] = {files[orders[i][0]], files[orders[i][1]], files[orders[i][2]]};
        unlink(into);
        s = store_fixture_open(into, STORE_WRITE);
        if (store_merge(s, of, 3, 0, merged, &e))
            fail_msg("%s", e.text);
        assert_state(s, run.run_id, RUN_PENDING);
        const char *order = store_fixture_text(
            s, "SELECT group_concat(sequence || ' ' || end_sequence || ' ' || outcome || ' ' ||"
               " started_at) FROM (SELECT * FROM attempts ORDER BY sequence)");
        if (i)
            assert_string_equal(order, first);
        snprintf(first, sizeof first, "%s", order);
        assert_int_equal(attempt_that(s, run.run_id, "failed"), 4); // goes on after all of them
        assert_state(s, run.run_id, RUN_FAILED);
        store_close(s);
    }
}

/* Attempts of before this was counted stand first, by their times. */
static void older_attempts_stand_first(void **state) {
    struct store *s = store_fixture_open(*state, STORE_WRITE);
    struct run_row run = store_fixture_run(1, 1, 1);
    store_fixture_add(s, &run);
    attempt_that(s, run.run_id, "interrupted");
    shift = -HOUR;
    attempt_that(s, run.run_id, "failed");
    store_fixture_sql(s, "UPDATE attempts SET sequence = 0, end_sequence = 0");
    assert_state(s, run.run_id, RUN_PENDING);
    shift = -2 * HOUR;
    attempt_that(s, run.run_id, "failed");
    assert_state(s, run.run_id, RUN_FAILED);
    store_close(s);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, store_fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(the_last_attempt_is_the_one_made_last),
        TEST(the_first_that_ends_counts),
        TEST(what_ran_after_its_parent_is_not_stale),
        TEST(what_is_yet_to_come_is_no_sign_of_life),
        TEST(a_process_here_lives_whatever_the_clock),
        TEST(joined_in_any_order),
        TEST(older_attempts_stand_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
