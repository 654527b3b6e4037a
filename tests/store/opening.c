/* Opening databases in tests; opening.h is the manual. */
#include "store/opening.h"

#include "store/fixture.h"

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

enum { NOBODY = 65534 };

/* `path` cannot be opened, with a message that names it and holds `says`. */
void opening_refused(const char *path, enum store_mode mode, const char *says) {
    struct error e = {0};
    struct store *s = store_open(path, mode, &e);
    assert_null(s);
    if (!strstr(e.text, says) || strncmp(e.text, path, strlen(path)) || strchr(e.text, '\n'))
        fail_msg("expected '%s' of %s, got '%s'", says, path, e.text);
}

void opening_create(const char *path) {
    struct store *s = store_fixture_open(path, STORE_WRITE);
    struct run_row run = store_fixture_run(1, 1, 1);
    store_fixture_add(s, &run);
    store_close(s);
}

void opening_write_text(const char *path, const char *text) {
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

/* SQL from outside, as any other program would. */
void opening_sql(const char *path, const char *sql) {
    sqlite3 *db;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, NULL))
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
    sqlite3_close(db);
}

/* Run `body` in a child that is no superuser; it passes when the child exits with 0. */
void opening_as_nobody(const char *path, int (*body)(const char *)) {
    pid_t child = fork();
    if (!child) {
        if (!geteuid() && (setgroups(0, NULL) || setgid(NOBODY) || setuid(NOBODY)))
            _exit(99);
        _exit(body(path));
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

/* For as_nobody: the message, on stderr too when it is another. */
int opening_is_refused(const char *path, enum store_mode mode, const char *says) {
    struct error e = {0};
    struct store *s = store_open(path, mode, &e);
    if (!s && strstr(e.text, says))
        return 0;
    fprintf(stderr, "expected '%s', got '%s'\n", says, s ? "no error" : e.text);
    return 1;
}

void opening_give_to_nobody(const char *path) {
    char folder[4096];
    snprintf(folder, sizeof folder, "%s", path);
    if (!geteuid())
        assert_int_equal(chown(path, NOBODY, NOBODY) | chown(dirname(folder), NOBODY, NOBODY), 0);
}

void opening_set_folder_mode(const char *path, mode_t mode) {
    char folder[4096];
    snprintf(folder, sizeof folder, "%s", path);
    assert_int_equal(chmod(dirname(folder), mode), 0);
}
