/* Connections to SQLite: how long they wait, how long a query may take, what a file may hold; and
 * what SQLite's errors mean, in plain words. */
#include "base/text.h"
#include "store/sql.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

enum { VALUE_MOST = 1 << 26 }; // bytes: no text of a database is longer

/* ---- errors ---- */

/* What the system said of the file or of its log; 0 where nobody kept it. SQLite's own word
 * (sqlite3_system_errno) is whatever errno was some calls later. */
static int system_error(struct store *s) {
    sqlite3_file *log = NULL;
    int why = 0;
    sqlite3_file_control(s->db, "main", SQLITE_FCNTL_LAST_ERRNO, &why);
    if (!why && !sqlite3_file_control(s->db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log) && log &&
        log->pMethods)
        log->pMethods->xFileControl(log, SQLITE_FCNTL_LAST_ERRNO, &why);
    return why;
}

/* Of what no error of the system is known. */
static const char *words_of(int code) {
    switch (code) {
    case SQLITE_IOERR_CORRUPTFS: // a read that failed with EIO, ENXIO or ERANGE
        return "an input/output error";
    case SQLITE_IOERR_READ:
        return "a read failed";
    case SQLITE_IOERR_SHORT_READ:
        return "it ends too early";
    case SQLITE_IOERR_WRITE:
        return "a write failed";
    case SQLITE_IOERR_FSYNC:
    case SQLITE_IOERR_DIR_FSYNC:
        return "it was not synced";
    case SQLITE_IOERR_SHMOPEN:
    case SQLITE_IOERR_SHMSIZE:
    case SQLITE_IOERR_SHMLOCK:
    case SQLITE_IOERR_SHMMAP:
        return "its -shm file could not be made, locked or mapped";
    default:
        return "SQLite does not say why";
    }
}

static int is_of_locks(int code) {
    return code == SQLITE_IOERR_LOCK || code == SQLITE_IOERR_RDLOCK ||
           code == SQLITE_IOERR_UNLOCK || code == SQLITE_IOERR_CHECKRESERVEDLOCK;
}

static int fail_of_system(struct store *s, int code, struct error *e) {
    int why = system_error(s);
    if (code == SQLITE_IOERR_SHMSIZE && !why)
        why = sqlite3_system_errno(s->db);
    if (code == SQLITE_FULL || why == ENOSPC || why == EDQUOT)
        return fail_outside(e, s->path,
                            "the disk or a quota is full; free space and run again, this was not "
                            "recorded");
    if (why == EFBIG)
        return fail_outside(e, s->path,
                            "a limit on the size of files is reached (ulimit -f); raise it and run "
                            "again, this was not recorded");
    if (is_of_locks(code))
        return fail_outside(e, s->path, "cannot be locked (%s); does its file system have locks?",
                            why ? strerror(why) : words_of(code));
    if (why)
        return fail_system(e, s->path, "cannot be read or written", why);
    return fail_outside(e, s->path, "cannot be read or written (%s); is the disk sound?",
                        words_of(code));
}

static int fail_to_open(struct store *s, struct error *e) {
    int why = sqlite3_system_errno(s->db);
    return fail_system(e, s->path, "cannot be opened", why);
}

/* Errors of what is in the file. */
static int fail_of_content(struct store *s, int code, struct error *e) {
    const char *said = sqlite3_errmsg(s->db);
    switch (code & 0xff) {
    case SQLITE_CONSTRAINT:
        return fail_at(e, s->path, 0, "a row was refused (%s); is one of its numbers not finite?",
                       said);
    case SQLITE_INTERRUPT:
        return fail_at(e, s->path, 0,
                       "a query was stopped after %.2g steps, far more than a file of its size "
                       "takes; is it what it says? (TRUNCQUANT_QUERY_STEPS allows more)",
                       (double)s->steps);
    case SQLITE_TOOBIG:
        return fail_at(e, s->path, 0,
                       "holds a text or bytes of more than %d MiB, which no truncquant wrote; "
                       "restore a copy",
                       VALUE_MOST >> 20);
    default:
        return fail_at(e, s->path, 0,
                       "%s; if another version of truncquant made the file, open it for writing "
                       "once ('truncquant plan GRID')",
                       said);
    }
}

int sql_fail(struct store *s, struct error *e) {
    int code = sqlite3_extended_errcode(s->db);
    if (code == SQLITE_IOERR_NOMEM)
        code = SQLITE_NOMEM;
    if (code == SQLITE_READONLY_DBMOVED)
        return fail_outside(e, s->path, "was moved or replaced while it was open; run again");
    switch (code & 0xff) {
    case SQLITE_FULL:
    case SQLITE_IOERR:
        return fail_of_system(s, code, e);
    case SQLITE_CANTOPEN:
        return fail_to_open(s, e);
    case SQLITE_NOMEM:
        return fail_outside(
            e, s->path, "memory is out; end other programs, or raise the limit on it (ulimit -v)");
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return fail_outside(e, s->path,
                            "is locked by another process for too long; end that or wait longer "
                            "(TRUNCQUANT_BUSY_SECONDS)");
    case SQLITE_READONLY:
    case SQLITE_AUTH:
        return fail_outside(e, s->path,
                            "is read-only; make it and its folder writable, or copy it");
    case SQLITE_NOTADB:
        return fail_at(e, s->path, 0, "is not a database; name another file with --db");
    case SQLITE_CORRUPT:
        return fail_outside(e, s->path,
                            "is damaged; restore a copy, or save what is left with 'sqlite3 FILE "
                            ".recover'");
    default:
        return fail_of_content(s, code, e);
    }
}

/* ---- how long a query may take ---- */

/* Steps of SQLite's machine that any query may take, and more of them for each byte of the file:
 * what takes most, all accuracies of a million evaluations, takes 11 for each. A processor does
 * about 5e7 steps a second, far fewer where a query heaps up more than memory holds: likewise
 * seconds of the processor, where that query takes one for 7 MB. */
enum { STEPS_LOOK = 100000, STEPS_OF_BYTE = 40, BYTES_OF_SECOND = 500000, SECONDS_LEAST = 30 };
static const int64_t steps_least = 500000000;

static int64_t size_of(const char *path, const char *suffix) {
    char name[sizeof((struct store *)0)->path + 16];
    struct stat st;
    snprintf(name, sizeof name, "%s%s", path, suffix);
    return stat(name, &st) ? 0 : st.st_size;
}

static double processor_seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int steps_to_look(const struct store *s) {
    return s->most_steps && s->most_steps < STEPS_LOOK ? (int)s->most_steps : STEPS_LOOK;
}

/* Called every so many steps; not 0: that is enough. The size is asked for when it matters: a
 * file grows. */
static int count_steps(void *context) {
    struct store *s = context;
    double now = processor_seconds();
    s->query_began = s->steps ? s->query_began : now;
    s->steps += steps_to_look(s);
    if (s->most_steps)
        return s->steps > s->most_steps;
    double seconds = now - s->query_began - SECONDS_LEAST;
    if (s->steps <= steps_least && seconds <= 0)
        return 0;
    int64_t size = size_of(s->path, "") + size_of(s->path, "-wal");
    return s->steps - steps_least > STEPS_OF_BYTE * size ||
           seconds > (double)size / BYTES_OF_SECOND;
}

static int read_most_steps(struct store *s, struct error *e) {
    const char *text = getenv("TRUNCQUANT_QUERY_STEPS");
    double steps = 0;
    if (text && (text_real(text, &steps) || steps < 1 || steps > 1e18))
        return fail(e, "TRUNCQUANT_QUERY_STEPS=%.64s: give a number, 1 to 1e18", text);
    s->most_steps = (int64_t)steps;
    return 0;
}

/* ---- connecting ---- */

int store_busy_milliseconds(int *milliseconds, struct error *e) {
    const char *text = getenv("TRUNCQUANT_BUSY_SECONDS");
    long seconds = 60;
    if (text && text_int(text, 0, 86400, &seconds))
        return fail(e, "TRUNCQUANT_BUSY_SECONDS=%.64s: give whole seconds, 0 to 86400", text);
    *milliseconds = (int)seconds * 1000;
    return 0;
}

int store_connect(struct store *s, const char *name, int flags, struct error *e) {
    int milliseconds = 0;
    if (store_check_library(e) || store_busy_milliseconds(&milliseconds, e) ||
        read_most_steps(s, e))
        return -1;
    if (sqlite3_open_v2(name, &s->db, flags, NULL) != SQLITE_OK)
        return s->db ? sql_fail(s, e) : fail(e, "out of memory; end other programs");
    sqlite3_busy_timeout(s->db, milliseconds);
    sqlite3_progress_handler(s->db, steps_to_look(s), count_steps, s);
    sqlite3_limit(s->db, SQLITE_LIMIT_LENGTH, VALUE_MOST);
    // Not TRUSTED_SCHEMA off: some versions of SQLite then refuse json_valid in our own checks.
    sqlite3_db_config(s->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    return 0;
}
