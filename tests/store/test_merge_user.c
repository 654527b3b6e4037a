/* Joining what an ordinary user can only read: a folder that nothing can be written to, whatever
 * the journal of the database in it. What was there stays as it was, to the byte, and nothing comes
 * to lie beside it. */
#include "base/file.h"
#include "store/fixture.h"
#include "store/merge/merge.h"
#include "store/opening.h"
#include "store/parts.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { PATH = 4096, RUNS = 18 };

/* NAME of a folder beside the fixture's database, which anyone may enter. */
static void place(char path[PATH], const char *db, const char *folder, const char *name) {
    snprintf(path, PATH, "%.*s/%s", (int)(strrchr(db, '/') - db), db, folder);
    mkdir(path, 0777);
    chmod(path, 0777);
    snprintf(path + strlen(path), PATH - strlen(path), "/%s", name);
}

static char *bytes_of(const char *path, size_t *size) {
    struct error e = {0};
    char *bytes = file_read(path, 1 << 28, size, &e);
    if (!bytes)
        fail_msg("%s", e.text);
    return bytes;
}

static int count_files(const char *file) {
    char folder[PATH];
    snprintf(folder, sizeof folder, "%.*s", (int)(strrchr(file, '/') - file), file);
    DIR *open = opendir(folder);
    int n = 0;
    while (readdir(open))
        n++;
    closedir(open);
    return n;
}

/* In the child: the database there into one here. 0: it has what it should, or says why not. */
static const char *says; // NULL: it is merged

static int merges(const char *source) {
    char target[PATH];
    struct merged merged;
    struct error e = {0};
    snprintf(target, sizeof target, "%.*s/../here/new.db", (int)(strrchr(source, '/') - source),
             source);
    int refused = merge_check(target, &source, 1, &e);
    struct store *s = refused ? NULL : store_open(target, STORE_WRITE, &e);
    if (!refused && (!s || store_merge(s, &source, 1, 0, &merged, &e)))
        refused = 1;
    int n = s ? (int)store_fixture_number(s, "SELECT count(*) FROM runs") : 0;
    store_close(s);
    if (says ? refused && strstr(e.text, says) : !refused && n == RUNS)
        return 0;
    fprintf(stderr, "%d runs; %s\n", n, e.text);
    return 1;
}

static void merged_by_nobody(const char *source, const char *expected) {
    size_t size, size_after;
    char *before = bytes_of(source, &size);
    says = expected;
    opening_give_to_nobody(source);
    opening_set_folder_mode(source, 0555);
    int files = count_files(source);
    opening_as_nobody(source, merges);
    assert_int_equal(count_files(source), files);
    char *after = bytes_of(source, &size_after);
    assert_int_equal(size, size_after);
    assert_memory_equal(before, after, size);
    free(before);
    free(after);
    opening_set_folder_mode(source, 0777);
}

static void make_source(char source[PATH], char target[PATH], const char *db) {
    place(source, db, "there", "a.db");
    place(target, db, "here", "new.db");
    parts_make_whole(source);
}

static void without_a_log(void **state) {
    char source[PATH], target[PATH];
    make_source(source, target, *state);
    merged_by_nobody(source, NULL);
    unlink(target);
    assert_int_equal(chmod(source, 0444), 0);
    merged_by_nobody(source, NULL);
}

/* Closed, so that all its rows are in the file. */
static void with_an_empty_log(void **state) {
    char source[PATH], target[PATH];
    make_source(source, target, *state);
    opening_sql(source, "PRAGMA journal_mode = WAL; UPDATE runs SET recorded_at = recorded_at");
    merged_by_nobody(source, NULL);
}

/* Copied while a program had it open: rows are in the log alone, and are not left behind unsaid. */
static void with_rows_in_its_log(void **state) {
    char source[PATH], target[PATH], copy[PATH], command[4 * PATH];
    make_source(copy, target, *state);
    place(source, *state, "taken", "a.db");
    struct store *s = store_fixture_open(copy, STORE_WRITE);
    store_fixture_sql(s, "UPDATE runs SET recorded_at = recorded_at + 1");
    snprintf(command, sizeof command, "cp '%s' '%s-wal' '%.*s'", copy, copy,
             (int)(strrchr(source, '/') - source), source);
    assert_int_equal(system(command), 0);
    store_close(s);
    snprintf(command, sizeof command, "%s-wal", source);
    opening_give_to_nobody(command);
    merged_by_nobody(source, "has rows in its -wal file, ");
    merged_by_nobody(source, "copy both to another folder");
}

int main(void) {
#define TEST(name)                                                                                 \
    cmocka_unit_test_setup_teardown(name, store_fixture_setup, store_fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(without_a_log),
        TEST(with_an_empty_log),
        TEST(with_rows_in_its_log),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
