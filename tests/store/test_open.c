/* Opening: a new file is set up whole, an old one brought up to date, and each file that cannot be
 * used gets a line that names it and says what to do. Permissions are tested as an ordinary user.
 */
#include "base/progress.h"
#include "store/fixture.h"
#include "store/opening.h"
#include "store/sql.h"

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

enum { NEWEST = 13 }; // migration in harness/store/schema

static void new_file_is_set_up(void **state) {
    struct store *s = store_fixture_open(*state, STORE_WRITE);
    assert_string_equal(store_fixture_text(s, "PRAGMA journal_mode"), "wal");
    assert_int_equal(store_fixture_number(s, "PRAGMA synchronous"), 2);
    assert_int_equal(store_fixture_number(s, "PRAGMA foreign_keys"), 1);
    assert_int_equal(store_fixture_number(s, "PRAGMA application_id"), 0x54516e74);
    assert_int_equal(store_fixture_number(s, "PRAGMA user_version"), NEWEST);
    // Every table is STRICT: a word is no number.
    assert_int_equal(store_fixture_number(s,
                                          "SELECT count(*) FROM pragma_table_list WHERE schema = "
                                          "'main' AND type = 'table' AND NOT strict AND name NOT "
                                          "LIKE 'sqlite_%'"),
                     0);
    assert_int_equal(store_fixture_number(s, "SELECT count(*) FROM sqlite_schema WHERE type = "
                                             "'table' AND name IN ('runs', 'attempts', 'epochs', "
                                             "'evaluations', 'layers', 'grid_runs')"),
                     6);
    store_close(s);
}

static void opening_again_changes_nothing(void **state) {
    opening_create(*state);
    struct store *s = store_fixture_open(*state, STORE_WRITE);
    double before = store_fixture_number(s, "PRAGMA schema_version");
    store_close(s);
    s = store_fixture_open(*state, STORE_WRITE);
    assert_true(before == store_fixture_number(s, "PRAGMA schema_version"));
    assert_int_equal(store_fixture_number(s, "SELECT count(*) FROM runs"), 1);
    store_close(s);
}

static void other_views_are_made_anew(void **state) {
    opening_create(*state);
    opening_sql(*state, "DROP VIEW accuracy; CREATE VIEW accuracy AS SELECT 1;"
                        "UPDATE schema_texts SET text = 'older'");
    struct store *s = store_fixture_open(*state, STORE_WRITE);
    assert_int_equal(store_fixture_number(s, "SELECT count(top1) FROM accuracy"), 0);
    assert_int_equal(store_fixture_number(s, "SELECT count(*) FROM schema_texts"), 1);
    store_close(s);
}

static int reads_its_own_views(const char *path) {
    struct error e = {0};
    struct store *s = store_open(path, STORE_READ, &e);
    if (!s)
        fprintf(stderr, "%s\n", e.text);
    return !s || store_fixture_number(s, "SELECT count(top1) FROM grid_accuracy") != 1 ||
           store_fixture_number(s, "SELECT 1 FROM schema_texts WHERE text = 'older'") != 1;
}

/* A published file of an older program: read as this program would, and left as it is. */
static void other_views_are_not_read(void **state) {
    struct store *s = store_fixture_open(*state, STORE_WRITE);
    struct run_row run = store_fixture_run(1, 1, 1);
    struct evaluation_row row = store_fixture_evaluation(2, "direct", 0, 500);
    store_fixture_finished(s, &run, &row, 1);
    store_fixture_sql(s, "UPDATE grid_runs SET current = 0");
    store_close(s);
    opening_sql(*state,
                "DROP VIEW accuracy; CREATE VIEW accuracy AS SELECT 1; DROP VIEW run_status;"
                "UPDATE schema_texts SET text = 'older'; PRAGMA journal_mode = DELETE");
    opening_give_to_nobody(*state);
    opening_set_folder_mode(*state, 0555);
    opening_as_nobody(*state, reads_its_own_views);
}

/* What the migrations after the third made. */
#define WITHOUT_4                                                                                  \
    "ALTER TABLE attempts DROP COLUMN sources; ALTER TABLE attempts DROP COLUMN fingerprint;"      \
    "DROP TABLE fingerprints;"
#define WITHOUT_10 "DROP TABLE latencies;"
#define WITHOUT_12 "DROP INDEX runs_by_scheme; DROP INDEX runs_by_parent; DROP INDEX runs_excluded;"
#define WITHOUT_11                                                                                 \
    "ALTER TABLE attempts DROP COLUMN cause; ALTER TABLE attempts DROP COLUMN log;"                \
    "ALTER TABLE attempts DROP COLUMN job; DROP TABLE retries;"
#define WITHOUT_13 "DROP TABLE histograms;"
#define WITHOUT_8 "ALTER TABLE runs DROP COLUMN sequence; ALTER TABLE attempts DROP COLUMN origin;"
#define WITHOUT_9                                                                                  \
    "ALTER TABLE attempts DROP COLUMN sequence; ALTER TABLE attempts DROP COLUMN end_sequence;"
#define WITHOUT_6 "ALTER TABLE attempts DROP COLUMN weights_hash; DROP TABLE identity;"
#define WITHOUT_5 "DROP TABLE curve_requests; DROP TABLE epoch_evaluations;"

/* Views would not let go of the columns they name. */
static void drop_views(const char *path) {
    struct store *s = store_fixture_open(path, STORE_UPDATE);
    const char *drop = store_fixture_text(
        s, "SELECT group_concat('DROP VIEW ' || name, ';') FROM sqlite_schema WHERE type = 'view'");
    store_close(s);
    opening_sql(path, drop);
}

/* A file with one finished run, which is returned. */
static struct run_row create_finished(const char *path) {
    struct store *s = store_fixture_open(path, STORE_WRITE);
    struct run_row run = store_fixture_run(1, 1, 1);
    struct evaluation_row row = store_fixture_evaluation(2, "direct", 0, 500);
    store_fixture_finished(s, &run, &row, 1);
    store_close(s);
    return run;
}

/* The same of the second schema. */
static struct run_row create_older(const char *path) {
    struct run_row run = create_finished(path);
    drop_views(path);
    opening_sql(
        path,
        "DELETE FROM schema_texts; ALTER TABLE attempts DROP COLUMN classes;" WITHOUT_13 WITHOUT_12
            WITHOUT_11 WITHOUT_10 WITHOUT_9 WITHOUT_8 WITHOUT_6 WITHOUT_5 WITHOUT_4
        "PRAGMA user_version = 2");
    return run;
}

/* Its rows stay, and what it did not know is unknown. */
static void older_files_are_brought_up_to_date(void **state) {
    struct run_row run = create_older(*state);
    struct store *s = store_fixture_open(*state, STORE_UPDATE);
    assert_int_equal(store_fixture_number(s, "PRAGMA user_version"), NEWEST);
    assert_int_equal(store_fixture_number(s, "SELECT top1 FROM accuracy"), 50);
    assert_string_equal(store_fixture_text(s, "SELECT classes FROM attempts"), "NULL");
    store_fixture_begin(s, run.run_id, 0);
    assert_int_equal(store_fixture_number(s, "SELECT max(classes) FROM attempts"), 10);
    store_close(s);
}

/* What a build made that had the sixth migration before it had the fifth: nothing is missing once
 * it is opened, for reading too, and what it holds stays. */
static void a_migration_that_a_file_missed_is_made_up_for(void **state) {
    static const char curves[] = "SELECT count(*) FROM learning_curves";
    create_finished(*state);
    opening_sql(*state, WITHOUT_5);
    const enum store_mode modes[] = {STORE_READ, STORE_WRITE, STORE_READ};
    for (int i = 0; i < 3; i++) {
        struct store *s = store_fixture_open(*state, modes[i]);
        assert_int_equal(store_fixture_number(s, curves), 0);
        assert_int_equal(store_fixture_number(s, "SELECT count(*) FROM curve_requests"), 0);
        assert_int_equal(store_fixture_number(s, "SELECT top1 FROM accuracy"), 50);
        assert_int_equal(store_fixture_number(s, "PRAGMA user_version"), NEWEST);
        store_close(s);
    }
}

/* 0 when an older file is read as if it had been brought up to date; for as_nobody, too. */
static int reads_older(const char *path) {
    struct error e = {0};
    struct store *s = store_open(path, STORE_READ, &e);
    if (!s)
        fprintf(stderr, "%s\n", e.text);
    int wrong = !s || store_fixture_number(s, "SELECT top1 FROM accuracy") != 50 ||
                store_fixture_number(s, "SELECT count(*) FROM attempts WHERE classes IS NULL") != 1;
    store_close(s);
    return wrong;
}

/* The log holds rows that the file has not yet. A published file lies where nobody can write, and
 * may have the mark of the log. */
static void older_files_are_read(void **state) {
    create_older(*state);
    sqlite3 *other;
    assert_int_equal(sqlite3_open(*state, &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "UPDATE runs SET grid = 'logged'", NULL, NULL, NULL),
                     SQLITE_OK);
    struct store *s = store_fixture_open(*state, STORE_READ);
    assert_string_equal(store_fixture_text(s, "SELECT grid FROM runs"), "logged");
    store_close(s);
    assert_int_equal(reads_older(*state), 0);
    sqlite3_close(other);
    opening_give_to_nobody(*state);
    opening_set_folder_mode(*state, 0555);
    opening_as_nobody(*state, reads_older);
    opening_set_folder_mode(*state, 0755);
    opening_sql(*state, "PRAGMA journal_mode = DELETE");
    opening_set_folder_mode(*state, 0555);
    opening_as_nobody(*state, reads_older);
}

/* What is written to the copy would be lost; what an export keeps for itself is not. */
static void older_files_are_only_read(void **state) {
    create_older(*state);
    struct store *s = store_fixture_open(*state, STORE_READ);
    struct error e = {0};
    struct run_row run = store_fixture_run(2, 1, 2);
    assert_int_equal(store_add_runs(s, &run, 1, "demo", &e), -1);
    assert_non_null(strstr(e.text, "is read-only; "));
    store_fixture_sql(s, "CREATE TEMP TABLE kept AS SELECT * FROM accuracy; DROP TABLE kept");
    store_close(s);
}

static void reading_does_not_create(void **state) {
    opening_refused(*state, STORE_READ, "there is no such database; 'truncquant plan GRID'");
    assert_int_not_equal(access(*state, F_OK), 0);
    opening_write_text(*state, "");
    opening_refused(*state, STORE_READ, "is empty; ");
}

static void updating_does_not_create(void **state) {
    opening_refused(*state, STORE_UPDATE, "there is no such database; 'truncquant plan GRID'");
    assert_int_not_equal(access(*state, F_OK), 0);
    opening_create(*state);
    struct store *s = store_fixture_open(*state, STORE_UPDATE);
    assert_int_equal(sqlite3_db_readonly(s->db, "main"), 0);
    store_close(s);
}

/* SQLite would keep the first in memory, and look for the second under another name. */
/* Nothing in a file runs by itself: what no truncquant made is refused by its name, and a view of
 * ours with another text, which calls what the sqlite3 shell has or never ends, is not read. */
static void what_acts_in_a_file_is_refused(void **state) {
    static const char *const foreign[][3] = {
        {"CREATE VIEW odd AS SELECT load_extension('x')", "a view 'odd'", "DROP VIEW odd"},
        {"CREATE TRIGGER odd AFTER INSERT ON runs BEGIN SELECT edit('x'); END", "a trigger 'odd'",
         "DROP TRIGGER odd"},
        {"CREATE VIRTUAL TABLE odd USING rtree(i, a, b)", "a table 'odd'", "DROP TABLE odd"},
    };
    opening_create(*state);
    for (int i = 0; i < 3; i++) {
        opening_sql(*state, foreign[i][0]);
        opening_refused(*state, STORE_READ, foreign[i][1]);
        opening_refused(*state, STORE_WRITE, foreign[i][1]);
        opening_sql(*state, foreign[i][2]);
    }
    opening_sql(
        *state,
        "DROP VIEW run_status; CREATE VIEW run_status AS WITH RECURSIVE n(i) AS (SELECT 1 "
        "UNION ALL SELECT i + 1 FROM n) SELECT max(i) AS run_id, writefile('x', 'y') FROM n");
    enum { MODES = 2 };
    for (int i = 0; i < MODES; i++) {
        struct store *s = store_fixture_open(*state, i ? STORE_WRITE : STORE_READ);
        alarm(60);
        assert_int_equal(store_fixture_number(s, "SELECT count(*) FROM run_status"), 1);
        alarm(0);
        struct error e = {0};
        sql_run(s, "PRAGMA writable_schema = ON; DELETE FROM sqlite_schema", &e);
        assert_string_not_equal(e.text, "");
        store_close(s);
    }
}

static void names_are_names_of_files(void **state) {
    (void)state;
    opening_refused(":memory:", STORE_WRITE, "means something else to SQLite; write ./:memory:");
    opening_refused("file:x.db", STORE_WRITE, "means something else to SQLite; write ./file:x.db");
    assert_int_not_equal(access("x.db", F_OK), 0);
}

static void reading_does_not_write(void **state) {
    opening_create(*state);
    struct store *s = store_fixture_open(*state, STORE_READ);
    struct error e = {0};
    struct run_row run = store_fixture_run(2, 1, 2);
    assert_int_equal(store_add_runs(s, &run, 1, "demo", &e), -1);
    assert_non_null(strstr(e.text, "is read-only; "));
    store_close(s);
}

static void files_of_others_are_refused(void **state) {
    const char *path = *state;
    opening_write_text(path, "key,value\nscheme,truncquant\n");
    opening_refused(path, STORE_READ, "is not a database; ");
    opening_refused(path, STORE_WRITE, "is not a database; ");
    unlink(path);
    opening_sql(path, "CREATE TABLE songs (title TEXT)");
    opening_refused(path, STORE_READ, "is a database of another program; ");
    opening_refused(path, STORE_WRITE, "is a database of another program; ");
    unlink(path);
    opening_sql(path, "PRAGMA application_id = 7");
    opening_refused(path, STORE_WRITE, "is a database of another program; ");
    unlink(path);
    assert_int_equal(mkdir(path, 0755), 0);
    opening_refused(path, STORE_READ, "is not a file; ");
    opening_refused(path, STORE_WRITE, "is not a file; ");
}

static void files_of_others_stay_as_they_are(void **state) {
    opening_sql(*state, "CREATE TABLE songs (title TEXT)");
    opening_refused(*state, STORE_WRITE, "is a database of another program; ");
    sqlite3 *db;
    sqlite3_stmt *q;
    assert_int_equal(sqlite3_open(*state, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, "PRAGMA journal_mode", -1, &q, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(q), SQLITE_ROW);
    assert_string_equal((const char *)sqlite3_column_text(q, 0), "delete");
    sqlite3_finalize(q);
    sqlite3_close(db);
}

static void other_versions_are_refused(void **state) {
    opening_create(*state);
    opening_sql(*state, "PRAGMA user_version = 999");
    opening_refused(*state, STORE_READ, "is of a newer version of truncquant (schema 999, ");
    opening_refused(*state, STORE_WRITE, "update the program");
    opening_sql(*state, "PRAGMA user_version = 0");
    opening_refused(*state, STORE_READ, "was not set up; ");
}

static void damage_is_named(void **state) {
    opening_create(*state);
    int fd = open(*state, O_WRONLY);
    assert_int_equal(ftruncate(fd, 4096), 0); // the schema says there are more pages
    close(fd);
    opening_refused(*state, STORE_WRITE, "is damaged; ");
}

static void folders(void **state) {
    char path[4096], *folder = path;
    snprintf(path, sizeof path, "%s.missing/results.db", (const char *)*state);
    opening_refused(path, STORE_WRITE, "its folder does not exist; ");
    opening_refused(path, STORE_READ, "there is no such database; ");
    snprintf(path, sizeof path, "%s", (const char *)*state);
    assert_int_equal(chdir(dirname(folder)), 0);
    struct store *s = store_fixture_open(STORE_DEFAULT_PATH, STORE_WRITE);
    store_close(s);
    assert_int_equal(access("results/results.db", F_OK), 0);
    assert_int_equal(chdir("/"), 0);
}

static void long_names_are_refused(void **state) {
    (void)state;
    char path[5000];
    memset(path, 'a', sizeof path);
    path[sizeof path - 1] = '\0';
    struct error e = {0};
    assert_null(store_open(path, STORE_WRITE, &e));
    assert_non_null(strstr(e.text, "the name is too long"));
}

static void locks(void **state) {
    opening_create(*state);
    sqlite3 *db;
    assert_int_equal(sqlite3_open(*state, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    setenv("TRUNCQUANT_BUSY_SECONDS", "0", 1);
    struct store *s = store_fixture_open(*state, STORE_WRITE); // needs no lock
    struct run_row run = store_fixture_run(2, 1, 2);
    struct error e = {0};
    assert_int_equal(store_add_runs(s, &run, 1, "demo", &e), -1);
    assert_non_null(strstr(e.text, "is locked by another process for too long; "));
    assert_int_equal(store_fixture_number(s, "SELECT count(*) FROM runs"), 1);
    sqlite3_close(db);
    store_fixture_add(s, &run); // and goes on when the other is gone
    store_close(s);
    setenv("TRUNCQUANT_BUSY_SECONDS", "soon", 1);
    e.text[0] = '\0';
    assert_null(store_open(*state, STORE_READ, &e));
    assert_string_equal(e.text, "TRUNCQUANT_BUSY_SECONDS=soon: give whole seconds, 0 to 86400");
    unsetenv("TRUNCQUANT_BUSY_SECONDS");
}

/* A published file is switched back to the log, which takes it whole. */
static void a_locked_published_file(void **state) {
    opening_create(*state);
    opening_sql(*state, "PRAGMA journal_mode = DELETE");
    sqlite3 *db;
    assert_int_equal(sqlite3_open(*state, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    setenv("TRUNCQUANT_BUSY_SECONDS", "1", 1);
    double start = progress_clock();
    opening_refused(*state, STORE_WRITE, "is locked by another process for too long; ");
    double waited = progress_clock() - start;
    assert_true(waited > 0.9 && waited < 55); // not the minute of the default
    unsetenv("TRUNCQUANT_BUSY_SECONDS");
    sqlite3_close(db);
    store_close(store_fixture_open(*state, STORE_WRITE));
}

/* In a child: SQLite must not see the other connection in its own process. Says when it has the
 * lock, and a while after the other is about to write it says that it lets it go, and ends. */
static void hold_the_lock(const char *path, int says, int asked) {
    sqlite3 *db;
    char byte;
    if (sqlite3_open(path, &db) || sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL) ||
        write(says, "h", 1) != 1 || read(asked, &byte, 1) != 1)
        _exit(1);
    usleep(300000); // time for the other to find the lock
    _exit(write(says, "g", 1) != 1);
}

static void a_writer_is_waited_for(void **state) {
    opening_create(*state);
    int says[2], asked[2], status;
    char byte;
    assert_int_equal(pipe(says) | pipe(asked), 0);
    pid_t child = fork();
    if (!child)
        hold_the_lock(*state, says[1], asked[0]);
    assert_int_equal(read(says[0], &byte, 1), 1);
    struct store *s = store_fixture_open(*state, STORE_WRITE);
    struct run_row run = store_fixture_run(2, 1, 2);
    assert_int_equal(write(asked[1], "a", 1), 1);
    store_fixture_add(s, &run);
    assert_int_equal(fcntl(says[0], F_SETFL, O_NONBLOCK), 0);
    assert_int_equal(read(says[0], &byte, 1), 1); // it had let the lock go before
    store_close(s);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

/* Each opens for writing and for reading a few times, all from the same instant on. */
static void open_and_close(const char *path, int go) {
    char byte;
    if (read(go, &byte, 1) < 0)
        _exit(1);
    for (int i = 0; i < 4; i++) {
        struct error e = {0};
        struct store *writer = store_open(path, STORE_WRITE, &e);
        store_close(writer);
        struct store *reader = writer ? store_open(path, STORE_READ, &e) : NULL;
        store_close(reader);
        if (!reader)
            fprintf(stderr, "%s\n", e.text);
        if (!reader)
            _exit(1);
    }
    _exit(0);
}

static void race_for_a_new_file(const char *path) {
    enum { PROCESSES = 6 };
    int go[2], status, bad = 0;
    assert_int_equal(pipe(go), 0);
    for (int i = 0; i < PROCESSES; i++)
        if (!fork()) {
            close(go[1]);
            open_and_close(path, go[0]);
        }
    close(go[0]);
    close(go[1]); // all their reads end at once
    for (int i = 0; i < PROCESSES; i++)
        bad += wait(&status) < 0 || status;
    assert_int_equal(bad, 0);
}

static void many_may_open_a_new_file_at_once(void **state) {
    for (int round = 0; round < 20; round++) {
        char path[512];
        snprintf(path, sizeof path, "%s.%d", (const char *)*state, round);
        race_for_a_new_file(path);
    }
}

static void names_that_no_file_has_are_refused(void **state) {
    char folder[4096];
    snprintf(folder, sizeof folder, "%s/", (const char *)*state);
    opening_refused(folder, STORE_WRITE, "is the name of a folder; name a file in it");
    opening_refused(folder, STORE_READ, "is the name of a folder; name a file in it");
    struct error e = {0};
    assert_null(store_open("", STORE_WRITE, &e));
    assert_non_null(strstr(e.text, "the name of the database is empty"));
}

/* Empty files would be made databases. Only a superuser can make what is another user's. */
static void links_of_others_are_not_written_through(void **state) {
    char victim[4096];
    snprintf(victim, sizeof victim, "%s.victim", (const char *)*state);
    opening_write_text(victim, "");
    assert_int_equal(symlink(victim, *state), 0);
    if (lchown(*state, 65534, 65534))
        return;
    opening_refused(*state, STORE_WRITE, "is a link that another user made; remove it");
    struct stat st;
    assert_int_equal(stat(victim, &st), 0);
    assert_int_equal(st.st_size, 0);
}

int main(void) {
#define TEST(name)                                                                                 \
    cmocka_unit_test_setup_teardown(name, store_fixture_setup, store_fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(new_file_is_set_up),
        TEST(opening_again_changes_nothing),
        TEST(other_views_are_made_anew),
        TEST(other_views_are_not_read),
        TEST(older_files_are_brought_up_to_date),
        TEST(a_migration_that_a_file_missed_is_made_up_for),
        TEST(older_files_are_read),
        TEST(older_files_are_only_read),
        TEST(reading_does_not_create),
        TEST(updating_does_not_create),
        TEST(what_acts_in_a_file_is_refused),
        TEST(names_are_names_of_files),
        TEST(reading_does_not_write),
        TEST(files_of_others_are_refused),
        TEST(files_of_others_stay_as_they_are),
        TEST(other_versions_are_refused),
        TEST(damage_is_named),
        TEST(folders),
        TEST(long_names_are_refused),
        TEST(locks),
        TEST(a_writer_is_waited_for),
        TEST(a_locked_published_file),
        TEST(many_may_open_a_new_file_at_once),
        TEST(names_that_no_file_has_are_refused),
        TEST(links_of_others_are_not_written_through),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
