/* Opening the database: says in plain words why a file cannot be used, sets it up, brings the
 * schema up to date. It does not repair, and never touches a file that is not ours. */
#include "store/store.h"

#include "base/file.h"
#include "base/progress.h"
#include "store/sql.h"

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* C11 promises string literals of 4095 bytes only; the compilers we build with know no such limit.
 */
#pragma GCC diagnostic ignored "-Woverlength-strings"

enum { APPLICATION_ID = 0x54516e74 }; // "TQnt", as in harness/store/schema/001-initial.sql

/* harness/store/schema/NNN-*.sql in order, and views. */
static const struct schema_text {
    const char *name, *text;
} schema[] = {
#include "schema.inc"
};
enum { SCHEMA_TEXTS = sizeof schema / sizeof *schema };

/* Builds from before this migration was among those below it had the next one: files that they
 * made say that they are of version 6, and lack its tables. */
enum { CURVES = 5 };

static int migration_number(const struct schema_text *t) {
    return atoi(t->name); // 0 for the views
}

static int newest_version(void) {
    int newest = 0;
    for (int i = 0; i < SCHEMA_TEXTS; i++)
        if (migration_number(&schema[i]) > newest)
            newest = migration_number(&schema[i]);
    return newest;
}

static const char *views_text(void) {
    for (int i = 0; i < SCHEMA_TEXTS; i++)
        if (!strcmp(schema[i].name, "views"))
            return schema[i].text;
    return "";
}

/* ---- before SQLite sees the file: what it would only call "unable to open database file" ---- */

static void folder_of(const struct store *s, char *folder, size_t size) {
    char copy[sizeof s->path];
    snprintf(copy, sizeof copy, "%s", s->path);
    snprintf(folder, size, "%s", dirname(copy));
}

static int check_folder(struct store *s, struct error *e) {
    char folder[sizeof s->path];
    folder_of(s, folder, sizeof folder);
    if (access(folder, F_OK)) {
        if (!strcmp(s->path, STORE_DEFAULT_PATH))
            return file_make_folder(folder, e);
        return fail_at(e, s->path, 0, "its folder does not exist; make it, or name another file");
    }
    if (access(folder, W_OK | X_OK))
        return fail_system(e, s->path, "its folder cannot be written to", errno);
    return 0;
}

int store_check_name(const char *path, struct error *e) {
    size_t n = strlen(path);
    if (!n)
        return fail(e, "the name of the database is empty; name one with --db");
    if (path[n - 1] == '/')
        return fail_at(e, path, 0, "is the name of a folder; name a file in it");
    if (path[0] == ':' || !strncmp(path, "file:", 5))
        return fail_at(e, path, 0, "means something else to SQLite; write ./%s", path);
    return 0;
}

int store_check_place(struct store *s, enum store_mode mode, struct error *e) {
    struct stat st;
    if (store_check_name(s->path, e))
        return -1;
    int exists = !stat(s->path, &st);
    if (!exists && errno != ENOENT && errno != ENOTDIR)
        return fail_system(e, s->path, "cannot be opened", errno);
    if (exists && !S_ISREG(st.st_mode))
        return fail_at(e, s->path, 0, "is not a file; name a database file");
    if (exists && access(s->path, R_OK))
        return fail_system(e, s->path, "cannot be read", errno);
    if (mode != STORE_WRITE && (!exists || !st.st_size))
        return fail_at(e, s->path, 0,
                       "%s; 'truncquant plan GRID' records runs, --db names another file",
                       exists ? "is empty" : "there is no such database");
    if (mode == STORE_READ)
        return 0;
    if (file_check_link(s->path, e))
        return -1;
    if (exists && access(s->path, W_OK))
        return fail_system(e, s->path, "is read-only", errno);
    return check_folder(s, e);
}

/* ---- what the file is ---- */

static int query_identity(struct store *s, int64_t *id, int64_t *version, int64_t *objects,
                          int64_t *curves, struct error *e) {
    return sql_run(s, "SAVEPOINT identity", e) || sql_int(s, "PRAGMA application_id", id, e) ||
           sql_int(s, "PRAGMA user_version", version, e) ||
           sql_int(s, "SELECT count(*) FROM sqlite_schema", objects, e) ||
           sql_int(s, "SELECT count(*) FROM sqlite_schema WHERE name = 'epoch_evaluations'", curves,
                   e) ||
           sql_run(s, "RELEASE identity", e);
}

/* What the header says, of one moment: another process may be making the file just now. Also the
 * first access, at which SQLite notices most that is wrong. */
static int read_identity(struct store *s, int64_t *id, int64_t *version, struct error *e) {
    int64_t objects, curves;
    if (query_identity(s, id, version, &objects, &curves, e))
        return -1;
    s->missed = *version > CURVES && !curves ? CURVES : 0;
    int fresh = !*id && !*version && !objects;
    if (*id != APPLICATION_ID && !fresh)
        return fail_at(e, s->path, 0, "is a database of another program; name another file");
    if (*version > newest_version())
        return fail_at(e, s->path, 0,
                       "is of a newer version of truncquant (schema %lld, this program knows %d); "
                       "update the program",
                       (long long)*version, newest_version());
    int current; // unused: what is foreign is refused
    return sql_compare_views(s, views_text(), &current, e);
}

/* ---- bringing up to date ---- */

/* True when the stored views are this program's, by their own texts. */
static int views_are_current(struct store *s, int *current, struct error *e) {
    return sql_compare_views(s, views_text(), current, e);
}

static int make_views(struct store *s, struct error *e) {
    if (sql_run(s, views_text(), e))
        return -1;
    sqlite3_stmt *q =
        sql_prepare(s, "INSERT OR REPLACE INTO schema_texts (name, text) VALUES ('views', ?1)", e);
    if (!q)
        return -1;
    sqlite3_bind_text(q, 1, views_text(), -1, SQLITE_STATIC);
    int status = sql_step(s, q, e);
    sqlite3_finalize(q);
    return status;
}

static int migrate(struct store *s, int64_t version, struct error *e) {
    for (int i = 0; i < SCHEMA_TEXTS; i++) {
        int number = migration_number(&schema[i]);
        if (number <= version && !(number && number == s->missed))
            continue;
        version = number > version ? number : version;
        char pragma[64];
        snprintf(pragma, sizeof pragma, "PRAGMA user_version = %d", (int)version);
        if (sql_run(s, schema[i].text, e) || sql_run(s, pragma, e))
            return -1;
    }
    return 0;
}

/* Whoever waited for another to do it finds it done. */
int store_bring_up_to_date(struct store *s, struct error *e) {
    int64_t id, version;
    int current = 0;
    if (read_identity(s, &id, &version, e) || migrate(s, version, e) ||
        views_are_current(s, &current, e))
        return -1;
    return current ? 0 : make_views(s, e);
}

/* ---- for reading ---- */

/* Beside the file itself, wherever links to it lie. */
static int has_beside(const struct store *s, const char *suffix) {
    char name[PATH_MAX + 16];
    struct stat st;
    snprintf(name, sizeof name, "%s%s", sqlite3_db_filename(s->db, "main"), suffix);
    return !stat(name, &st) && st.st_size > 0;
}

/* Reconnect, telling SQLite that the file does not change: it then needs no shared memory beside
 * it. The characters that mean something in a URI are escaped. */
static int connect_immutable(struct store *s, struct error *e) {
    char uri[3 * sizeof s->path + 32];
    size_t n = (size_t)snprintf(uri, sizeof uri, "file:");
    for (const char *p = s->path; *p && n < sizeof uri - 16; p++)
        n += (size_t)snprintf(uri + n, sizeof uri - n, strchr("%?#", *p) ? "%%%02x" : "%c",
                              (unsigned char)*p);
    snprintf(uri + n, sizeof uri - n, "?immutable=1");
    sqlite3_close(s->db);
    s->db = NULL;
    return store_connect(s, uri, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, e);
}

/* A write-ahead log needs files beside the database. In a folder where we cannot make them, a
 * database without a log is all there, and nobody had it open just now: read it as it is. With a
 * log, it would be read without its last rows, with a journal, with half of a transaction: refuse.
 */
static int get_readable(struct store *s, struct error *e) {
    if (sqlite3_exec(s->db, "SELECT count(*) FROM sqlite_schema", NULL, NULL, NULL) == SQLITE_OK)
        return 0;
    int code = sqlite3_errcode(s->db);
    if (code != SQLITE_CANTOPEN && code != SQLITE_READONLY)
        return sql_fail(s, e);
    if (has_beside(s, "-wal"))
        return fail_at(
            e, s->path, 0,
            "has rows in its -wal file, which cannot be read in a read-only folder; copy both "
            "to another folder");
    if (has_beside(s, "-journal"))
        return fail_at(e, s->path, 0,
                       "was left amid a change, which its -journal file undoes; 'sqlite3 FILE "
                       ".schema' does that "
                       "where both can be written");
    return connect_immutable(s, e);
}

/* The views' text with each of them temporary. Owned by the caller. */
static char *temporary_views(void) {
    static const char drop[] = "DROP VIEW ", create[] = "CREATE VIEW ";
    static const char temporary[] = "CREATE TEMP VIEW IF NOT EXISTS ";
    char *text = NULL;
    size_t size = 0, n;
    FILE *out = open_memstream(&text, &size);
    for (const char *line = views_text(); out && *line; line += n) {
        n = strcspn(line, "\n");
        n += line[n] == '\n';
        if (!strncmp(line, create, strlen(create)))
            fprintf(out, "%s%.*s", temporary, (int)(n - strlen(create)), line + strlen(create));
        else if (strncmp(line, drop, strlen(drop)) != 0) // the file's stay
            fwrite(line, 1, n, out);
    }
    if (!out || fclose(out))
        return NULL;
    return text;
}

int store_use_own_views(struct store *s, struct error *e) {
    char *text = temporary_views();
    int status = text ? sql_run(s, text, e) : fail(e, "out of memory; close other programs");
    free(text);
    return status;
}

/* A file that is only read keeps the views of the program that wrote it, which may say something
 * else than this program's. */
static int stand_before_other_views(struct store *s, struct error *e) {
    int current = 0;
    if (views_are_current(s, &current, e))
        return -1;
    return current ? 0 : store_use_own_views(s, e);
}

static int copy_to_memory(struct store *s, struct error *e) {
    sqlite3 *file = s->db;
    s->db = NULL;
    int status = store_connect(s, ":memory:", SQLITE_OPEN_READWRITE, e);
    sqlite3_backup *copy = status ? NULL : sqlite3_backup_init(s->db, "main", file, "main");
    int code = copy ? sqlite3_backup_step(copy, -1) : SQLITE_NOMEM;
    sqlite3_backup_finish(copy);
    sqlite3_close(file);
    if (!status && code != SQLITE_DONE)
        status =
            fail_at(e, s->path, 0,
                    "is of an older version of truncquant, and cannot be read into memory (%s); "
                    "'truncquant plan GRID' brings it, or a copy of it, up to date",
                    sqlite3_errstr(code));
    return status;
}

/* Refuses to write rows: in the copy they would be lost. Temporary tables may be written, and
 * virtual ones say what they are like as if they wrote it into SQLite's own. */
static int allow_reading(void *unused, int action, const char *table, const char *column,
                         const char *database, const char *inside) {
    (void)unused, (void)column, (void)inside;
    int writes = action == SQLITE_INSERT || action == SQLITE_UPDATE || action == SQLITE_DELETE;
    int rows = writes && !strcmp(database, "main") && strncmp(table, "sqlite_", 7) != 0;
    return rows ? SQLITE_DENY : SQLITE_OK;
}

/* What this program asks for is not in an older file, which may lie where nobody can write, or be
 * somebody's who still uses the older program: a copy is brought up to date instead. */
static int read_older(struct store *s, struct error *e) {
    if (copy_to_memory(s, e) || sql_begin(s, e) || sql_end(s, store_bring_up_to_date(s, e), e))
        return -1;
    sqlite3_set_authorizer(s->db, allow_reading, NULL);
    s->is_copy = 1;
    return 0;
}

static int open_for_reading(struct store *s, struct error *e) {
    int64_t id, version;
    if (store_connect(s, s->path, SQLITE_OPEN_READONLY, e) || get_readable(s, e) ||
        read_identity(s, &id, &version, e))
        return -1;
    if (!version)
        return fail_at(
            e, s->path, 0,
            "was not set up; 'truncquant plan GRID' records runs, --db names another file");
    int older = version < newest_version() || s->missed;
    return older ? read_older(s, e) : stand_before_other_views(s, e);
}

/* ---- for writing ---- */

/* Switching to the write-ahead log does not always wait for others by itself. */
static int use_log(struct store *s, struct error *e) {
    int milliseconds = 0;
    if (store_busy_milliseconds(&milliseconds, e))
        return -1;
    double end = progress_clock() + 1e-3 * milliseconds;
    int code;
    while ((code = sqlite3_exec(s->db, "PRAGMA journal_mode = WAL", NULL, NULL, NULL)) ==
               SQLITE_BUSY &&
           progress_clock() < end)
        usleep(10000);
    return code == SQLITE_OK ? 0 : sql_fail(s, e);
}

static int open_for_writing(struct store *s, struct error *e) {
    int64_t id, version;
    int current = 0;
    if (store_connect(s, s->path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, e) ||
        read_identity(s, &id, &version, e) || use_log(s, e) ||
        sql_run(s, "PRAGMA foreign_keys = ON; PRAGMA synchronous = FULL", e))
        return -1;
    if (version == newest_version() && !s->missed && views_are_current(s, &current, e))
        return -1;
    if (current)
        return 0;
    if (sql_begin(s, e))
        return -1;
    return sql_end(s, store_bring_up_to_date(s, e), e);
}

struct store *store_open(const char *path, enum store_mode mode, struct error *e) {
    struct store *s = need(1, sizeof *s);
    s->reads = mode == STORE_READ;
    int status;
    if (snprintf(s->path, sizeof s->path, "%s", path) >= (int)sizeof s->path)
        status = fail(e, "%.64s...: the name is too long", path);
    else
        status = store_check_place(s, mode, e);
    if (!status)
        status = mode == STORE_READ ? open_for_reading(s, e) : open_for_writing(s, e);
    if (!status)
        return s;
    store_close(s);
    return NULL;
}

void store_close(struct store *s) {
    if (!s)
        return;
    sqlite3_close(s->db);
    free(s);
}
