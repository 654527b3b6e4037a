/* Opening a database as an ordinary user: permissions, read-only folders, logs. */
#include "store/fixture.h"
#include "store/opening.h"

#include <fcntl.h>
#include <grp.h>
#include <libgen.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static int cannot_write(const char *path) {
    return opening_is_refused(path, STORE_WRITE, "is read-only (");
}

static int cannot_write_folder(const char *path) {
    return opening_is_refused(path, STORE_WRITE, "its folder cannot be written to (");
}

static int cannot_read(const char *path) {
    return opening_is_refused(path, STORE_READ, "cannot be read (");
}

static int has_one_run(const char *path) {
    struct error e = {0};
    struct store *s = store_open(path, STORE_READ, &e);
    if (!s)
        fprintf(stderr, "%s\n", e.text);
    return !s || store_fixture_number(s, "SELECT count(*) FROM run_status") != 1;
}

static int has_unreadable_log(const char *path) {
    return opening_is_refused(path, STORE_READ, "has rows in its -wal file, ");
}

static void permissions(void **state) {
    opening_create(*state);
    opening_give_to_nobody(*state);
    assert_int_equal(chmod(*state, 0444), 0);
    opening_as_nobody(*state, cannot_write);
    opening_as_nobody(*state, has_one_run);
    assert_int_equal(chmod(*state, 0), 0);
    opening_as_nobody(*state, cannot_read);
    assert_int_equal(chmod(*state, 0644), 0);
    opening_set_folder_mode(*state, 0555);
    opening_as_nobody(*state, cannot_write_folder);
}

static void published_files_can_be_read(void **state) {
    opening_create(*state);
    opening_sql(*state, "PRAGMA journal_mode = DELETE");
    opening_give_to_nobody(*state);
    opening_set_folder_mode(*state, 0555);
    opening_as_nobody(*state, has_one_run);
}

/* Closed properly, all its rows are in the file itself. Its name would mean something in a URI. */
static void files_with_an_empty_log_can_be_read(void **state) {
    char path[512];
    snprintf(path, sizeof path, "%s?mode=%%41#.db", (const char *)*state);
    opening_create(path);
    opening_give_to_nobody(path);
    opening_set_folder_mode(path, 0555);
    opening_as_nobody(path, has_one_run);
}

static void copy_file(const char *from, const char *to) {
    char bytes[1 << 16];
    FILE *in = fopen(from, "r"), *out = fopen(to, "w");
    assert_true(in && out);
    for (size_t n; (n = fread(bytes, 1, sizeof bytes, in)) > 0;)
        fwrite(bytes, 1, n, out);
    fclose(in);
    fclose(out);
}

static void copy_beside(const char *path, const char *suffix) {
    char from[512], to[512];
    snprintf(from, sizeof from, "%s%s", path, suffix);
    snprintf(to, sizeof to, "%s.copy%s", path, suffix);
    copy_file(from, to);
}

/* A copy of a database in use: reading the file alone would miss what is in its log. */
static void logs_are_not_passed_over(void **state) {
    char copy[512], index[512 + 8];
    snprintf(copy, sizeof copy, "%s.copy", (const char *)*state);
    snprintf(index, sizeof index, "%s-shm", copy);
    struct store *s = store_fixture_open(*state, STORE_WRITE);
    struct run_row run = store_fixture_run(1, 1, 1);
    store_fixture_add(s, &run);
    copy_beside(*state, "");
    copy_beside(*state, "-wal");
    store_close(s);
    opening_give_to_nobody(copy);
    opening_as_nobody(copy, has_one_run);
    unlink(index);
    opening_set_folder_mode(copy, 0555);
    opening_as_nobody(copy, has_unreadable_log);
}

/* A copy from amid a transaction, as after a loss of power: half of it is in the file. */
static void half_a_transaction_is_not_read(void **state) {
    char copy[512], link[512];
    snprintf(copy, sizeof copy, "%s.copy", (const char *)*state);
    snprintf(link, sizeof link, "%s.link", (const char *)*state);
    opening_create(*state);
    opening_sql(*state, "PRAGMA journal_mode = DELETE");
    sqlite3 *db;
    assert_int_equal(sqlite3_open(*state, &db), SQLITE_OK);
    // With a cache this small, rows go to the file before the end.
    assert_int_equal(
        sqlite3_exec(
            db,
            "PRAGMA cache_size = 1; BEGIN IMMEDIATE; UPDATE runs SET excluded = 'odd';"
            "CREATE TABLE large AS SELECT zeroblob(100000); UPDATE grid_runs SET current = 0",
            NULL, NULL, NULL),
        SQLITE_OK);
    copy_beside(*state, "");
    copy_beside(*state, "-journal");
    sqlite3_close(db);
    assert_int_equal(symlink(copy, link), 0); // the journal lies beside what it names
    opening_refused(copy, STORE_READ, "was left amid a change, which its -journal file undoes; ");
    opening_refused(link, STORE_READ, "was left amid a change, which its -journal file undoes; ");
    opening_sql(copy, "SELECT * FROM runs");
    struct store *s = store_fixture_open(copy, STORE_READ);
    assert_int_equal(store_fixture_number(s, "SELECT count(excluded) FROM runs"), 0);
    store_close(s);
}

int main(void) {
#define TEST(name)                                                                                 \
    cmocka_unit_test_setup_teardown(name, store_fixture_setup, store_fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(permissions),
        TEST(published_files_can_be_read),
        TEST(files_with_an_empty_log_can_be_read),
        TEST(logs_are_not_passed_over),
        TEST(half_a_transaction_is_not_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
