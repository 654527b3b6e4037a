/* What SQLite's errors say: calls of the system that fail are named as they are, whatever errno was
 * before and after; queries that do not end are stopped; values that nobody wrote are refused. */
#include "store/fixture.h"
#include "store/opening.h"
#include "store/sql.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include <cmocka.h>

/* ---- calls that fail ---- */

static int why;

static ssize_t fail_to_write(int fd, const void *bytes, size_t n, off_t at) {
    (void)fd, (void)bytes, (void)n, (void)at;
    errno = why;
    return -1;
}

static ssize_t fail_to_read(int fd, void *bytes, size_t n, off_t at) {
    (void)fd, (void)bytes, (void)n, (void)at;
    errno = why;
    return -1;
}

/* Calls of SQLite's own table; NULL: the real ones. */
static void replace_calls(sqlite3_syscall_ptr write, sqlite3_syscall_ptr read) {
    sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);
    static const char *const writes[] = {"pwrite", "pwrite64"}, *const reads[] = {"pread",
                                                                                  "pread64"};
    for (int i = 0; i < 2; i++) {
        vfs->xSetSystemCall(vfs, writes[i], write);
        vfs->xSetSystemCall(vfs, reads[i], read);
    }
}

static void assert_says(const struct error *e, const char *path, const char *says) {
    char expected[1024];
    snprintf(expected, sizeof expected, "%s: %s", path, says);
    assert_string_equal(e->text, expected);
}

static void writes_that_fail_say_why(void **state) {
    static const struct {
        int why;
        const char *says;
    } known[] = {
        {EIO, "cannot be read or written (Input/output error); is the disk sound?"},
        {ENOSPC, "the disk or a quota is full; free space and run again, this was not recorded"},
        {EDQUOT, "the disk or a quota is full; free space and run again, this was not recorded"},
        {EFBIG, "a limit on the size of files is reached (ulimit -f); raise it and run again, this "
                "was not recorded"},
        {EROFS, "cannot be read or written (Read-only file system); name another place, which can "
                "be written to"},
        {0, "cannot be read or written (a write failed); is the disk sound?"},
    };
    struct run_row run = store_fixture_run(1, 1, 1);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        struct store *s = store_fixture_open(*state, STORE_WRITE);
        struct error e = {0};
        why = known[i].why;
        replace_calls((sqlite3_syscall_ptr)fail_to_write, NULL);
        int status = store_add_runs(s, &run, 1, "demo", &e);
        errno = EEXIST;
        replace_calls(NULL, NULL);
        assert_int_equal(status, -1);
        assert_says(&e, *state, known[i].says);
        store_close(s);
    }
    struct store *s = store_fixture_open(*state, STORE_WRITE);
    store_fixture_add(s, &run); // and nothing is broken
    store_close(s);
}

static void reads_that_fail_say_why(void **state) {
    opening_create(*state);
    struct error e = {0};
    why = EIO;
    replace_calls(NULL, (sqlite3_syscall_ptr)fail_to_read);
    struct store *s = store_open(*state, STORE_READ, &e);
    replace_calls(NULL, NULL);
    assert_null(s);
    assert_says(&e, *state,
                "cannot be read or written (an input/output error); is the disk sound?");
}

/* ---- what a database of somebody else does ---- */

static const char endless[] =
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";

static void a_query_that_does_not_end_is_stopped(void **state) {
    struct error e = {0}, none = {0};
    int64_t n;
    opening_create(*state);
    setenv("TRUNCQUANT_QUERY_STEPS", "1e6", 1);
    struct store *s = store_fixture_open(*state, STORE_READ);
    assert_int_equal(sql_int(s, endless, &n, &e), -1);
    assert_says(&e, *state,
                "a query was stopped after 1.1e+06 steps, far more than a file of its size takes; "
                "is it what it says? (TRUNCQUANT_QUERY_STEPS allows more)");
    // The next is counted from its own beginning.
    for (int i = 0; i < 5; i++)
        assert_int_equal(sql_int(s,
                                 "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
                                 " WHERE i < 20000) SELECT count(*) FROM n",
                                 &n, &none),
                         0);
    assert_int_equal(n, 20000);
    store_close(s);
    setenv("TRUNCQUANT_QUERY_STEPS", "many", 1);
    struct error wrong = {0};
    assert_null(store_open(*state, STORE_READ, &wrong));
    assert_string_equal(wrong.text, "TRUNCQUANT_QUERY_STEPS=many: give a number, 1 to 1e18");
    unsetenv("TRUNCQUANT_QUERY_STEPS");
}

/* Nothing is changed by one that was stopped amid a change. */
static void what_is_stopped_is_taken_back(void **state) {
    struct error e = {0};
    opening_create(*state);
    setenv("TRUNCQUANT_QUERY_STEPS", "1e6", 1);
    struct store *s = store_fixture_open(*state, STORE_WRITE);
    assert_int_equal(sql_begin(s, &e), 0);
    assert_int_equal(sql_run(s, "UPDATE runs SET excluded = 'x'", &e), 0);
    int64_t n;
    int status = sql_int(s, endless, &n, &e);
    assert_int_equal(sql_end(s, status, &e), -1);
    assert_int_equal(store_fixture_number(s, "SELECT count(excluded) FROM runs"), 0);
    store_close(s);
    unsetenv("TRUNCQUANT_QUERY_STEPS");
}

static void a_value_that_nobody_wrote_is_refused(void **state) {
    struct error e = {0};
    struct run_row row;
    opening_create(*state);
    opening_sql(*state, "UPDATE runs SET cfg = hex(zeroblob(40000000))");
    struct store *s = store_fixture_open(*state, STORE_READ);
    assert_int_equal(store_find_run(s, store_fixture_run(1, 1, 1).run_id, &row, &e), -1);
    assert_says(&e, *state,
                "holds a text or bytes of more than 64 MiB, which no truncquant wrote; restore a "
                "copy");
    store_close(s);
}

int main(void) {
#define TEST(name)                                                                                 \
    cmocka_unit_test_setup_teardown(name, store_fixture_setup, store_fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(writes_that_fail_say_why),
        TEST(reads_that_fail_say_why),
        TEST(a_query_that_does_not_end_is_stopped),
        TEST(what_is_stopped_is_taken_back),
        TEST(a_value_that_nobody_wrote_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
