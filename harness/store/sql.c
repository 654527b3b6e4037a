/* SQLite, wrapped: every call that can fail leaves one line that names the file and what to do.
 * Knows nothing of runs. */
#include "store/sql.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

int store_check_library(struct error *e) {
    if (sqlite3_libversion_number() < STORE_SQLITE_LEAST)
        return fail(e, "SQLite %s is too old: %d.%d or newer is needed; update libsqlite3",
                    sqlite3_libversion(), STORE_SQLITE_LEAST / 1000000,
                    STORE_SQLITE_LEAST / 1000 % 1000);
    if (!sqlite3_compileoption_used("ENABLE_MATH_FUNCTIONS"))
        return fail(e,
                    "SQLite %s is built without ENABLE_MATH_FUNCTIONS; install one that has sqrt",
                    sqlite3_libversion());
    return 0;
}

int sql_run(struct store *s, const char *sql, struct error *e) {
    s->steps = 0;
    return sqlite3_exec(s->db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : sql_fail(s, e);
}

sqlite3_stmt *sql_prepare(struct store *s, const char *sql, struct error *e) {
    sqlite3_stmt *statement = NULL;
    s->steps = 0;
    if (sqlite3_prepare_v2(s->db, sql, -1, &statement, NULL) != SQLITE_OK)
        sql_fail(s, e);
    return statement;
}

int sql_step(struct store *s, sqlite3_stmt *statement, struct error *e) {
    switch (sqlite3_step(statement)) {
    case SQLITE_ROW:
        return 1;
    case SQLITE_DONE:
        s->steps = 0;
        return 0;
    default:
        return sql_fail(s, e);
    }
}

int sql_int(struct store *s, const char *sql, int64_t *value, struct error *e) {
    sqlite3_stmt *statement = sql_prepare(s, sql, e);
    if (!statement)
        return -1;
    int got = sql_step(s, statement, e);
    if (got == 1)
        *value = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return got == 1 ? 0 : fail_at(e, s->path, 0, "nothing came back from '%s'", sql);
}

static int count_views(sqlite3 *db) {
    sqlite3_stmt *q = NULL;
    int n = -1;
    if (!sqlite3_prepare_v2(db, "SELECT count(*) FROM sqlite_schema", -1, &q, NULL) &&
        sqlite3_step(q) == SQLITE_ROW)
        n = sqlite3_column_int(q, 0);
    sqlite3_finalize(q);
    return n;
}

/* 1 when the view in the row of `file` has the same text among `own`, 0 when it has another there,
 * -1 when nothing there is called so. */
static int compare_view(sqlite3_stmt *file, sqlite3_stmt *own) {
    for (int i = 0; i < 3; i++)
        sqlite3_bind_value(own, i + 1, sqlite3_column_value(file, i));
    int same = sqlite3_step(own) == SQLITE_ROW ? sqlite3_column_int(own, 0) : -1;
    sqlite3_reset(own);
    return same;
}

static int compare_each(struct store *s, sqlite3_stmt *file, sqlite3_stmt *own, int *same,
                        struct error *e) {
    int got;
    while ((got = sql_step(s, file, e)) == 1) {
        int is = compare_view(file, own);
        if (is < 0)
            return fail_at(e, s->path, 0,
                           "has a %s '%.64s', which no truncquant made; where the rest can be "
                           "trusted, drop it in a copy",
                           sql_text(file, 0), sql_text(file, 1));
        *same += is;
    }
    return got;
}

static int count_texts(const char *text, const char *what) {
    int n = 0;
    for (const char *at = text; (at = strstr(at, what)); at += strlen(what))
        n++;
    return n;
}

/* Whether the file has these views and nothing else, by their texts, which SQLite keeps as they
 * are: what nearly every opening finds. */
static int has_own_views(struct store *s, sqlite3_stmt *file, const char *own, int *has,
                         struct error *e) {
    int got, n = 0;
    *has = 1;
    while ((got = sql_step(s, file, e)) == 1) {
        const char *sql = sql_text(file, 2), *at = strstr(own, sql);
        *has &= !strcmp(sql_text(file, 0), "view") && at && at[strlen(sql)] == ';';
        n++;
    }
    sqlite3_reset(file);
    *has &= n == count_texts(own, "\nCREATE VIEW ");
    return got;
}

int sql_compare_views(struct store *s, const char *own, int *current, struct error *e) {
    sqlite3 *memory = NULL;
    sqlite3_stmt *mine = NULL, *all = NULL;
    int same = 0, status = -1;
    if (!(all = sql_prepare(s,
                            "SELECT type, name, sql FROM main.sqlite_schema"
                            " WHERE type IN ('view', 'trigger') OR rootpage = 0",
                            e)) ||
        has_own_views(s, all, own, current, e) || *current) {
        sqlite3_finalize(all);
        return e->text[0] ? -1 : 0;
    }
    if (sqlite3_open(":memory:", &memory) || sqlite3_exec(memory, own, NULL, NULL, NULL) ||
        sqlite3_prepare_v2(memory,
                           "SELECT sql IS ?3 FROM sqlite_schema"
                           " WHERE type = ?1 AND name = ?2 COLLATE NOCASE",
                           -1, &mine, NULL))
        fail(e, "SQLite cannot make the program's views in memory; close other programs");
    else
        status = compare_each(s, all, mine, &same, e);
    sqlite3_finalize(all);
    sqlite3_finalize(mine);
    *current = !status && same == count_views(memory);
    sqlite3_close(memory);
    return status;
}

const char *sql_text(sqlite3_stmt *statement, int column) {
    const unsigned char *text = sqlite3_column_text(statement, column);
    return text ? (const char *)text : "";
}

char *sql_take_text(sqlite3_stmt *statement, int column) {
    const unsigned char *text = sqlite3_column_text(statement, column);
    return text ? need_string((const char *)text) : NULL;
}

int sql_begin(struct store *s, struct error *e) {
    return sql_run(s, "BEGIN IMMEDIATE", e);
}

int sql_end(struct store *s, int status, struct error *e) {
    if (!status)
        status = sql_run(s, "COMMIT", e);
    // SQLite may have rolled back by itself, and a failed COMMIT leaves the transaction open.
    if (!sqlite3_get_autocommit(s->db))
        sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
    return status ? -1 : 0;
}

double sql_now(void) {
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

sqlite3_stmt *sql_prepare_insert(struct store *s, const char *table, const char *first,
                                 const struct sql_column *columns, const char *conflict,
                                 struct error *e) {
    char *sql = NULL;
    size_t size = 0;
    FILE *text = open_memstream(&sql, &size);
    if (!text) {
        fail(e, "out of memory; use a smaller batch");
        return NULL;
    }
    fprintf(text, "INSERT INTO %s (%s", table, first ? first : "");
    for (int i = 0; columns[i].name; i++)
        fprintf(text, i || first ? ", %s" : "%s", columns[i].name);
    fputs(") VALUES (?", text);
    for (int i = first ? 0 : 1; columns[i].name; i++)
        fputs(", ?", text);
    fprintf(text, ") %s", conflict);
    fclose(text);
    sqlite3_stmt *statement = sql_prepare(s, sql, e);
    free(sql);
    return statement;
}

static void bind_share(sqlite3_stmt *statement, int at, double share) {
    if (share < 0)
        sqlite3_bind_null(statement, at);
    else
        sqlite3_bind_double(statement, at, share);
}

void sql_bind_row(sqlite3_stmt *statement, int at, const struct sql_column *columns,
                  const void *row) {
    for (const struct sql_column *c = columns; c->name; c++, at++) {
        const void *from = (const char *)row + c->offset;
        switch (c->type) {
        case SQL_TEXT:
            sqlite3_bind_text(statement, at, *(const char *const *)from, -1, SQLITE_STATIC);
            break;
        case SQL_CHARS:
        case SQL_ID:
            sqlite3_bind_text(statement, at, from, -1, SQLITE_STATIC);
            break;
        case SQL_GIVEN:
            if (*(const char *)from)
                sqlite3_bind_text(statement, at, from, -1, SQLITE_STATIC);
            else
                sqlite3_bind_null(statement, at);
            break;
        case SQL_INT:
            sqlite3_bind_int(statement, at, *(const int *)from);
            break;
        case SQL_LONG:
            sqlite3_bind_int64(statement, at, *(const long *)from);
            break;
        case SQL_INT64:
            sqlite3_bind_int64(statement, at, *(const int64_t *)from);
            break;
        case SQL_REAL:
            sqlite3_bind_double(statement, at, *(const double *)from);
            break;
        case SQL_SHARE:
            bind_share(statement, at, *(const double *)from);
            break;
        }
    }
}

int sql_insert_rows(struct store *s, const char *table, const struct sql_column *columns,
                    int64_t attempt, const void *rows, int n, size_t size, struct error *e) {
    // Not OR IGNORE: that would also drop rows whose values are refused.
    sqlite3_stmt *insert =
        sql_prepare_insert(s, table, "attempt", columns, "ON CONFLICT DO NOTHING", e);
    if (!insert)
        return -1;
    int status = 0;
    for (int i = 0; i < n && !status; i++) {
        sqlite3_bind_int64(insert, 1, attempt);
        sql_bind_row(insert, 2, columns, (const char *)rows + (size_t)i * size);
        status = sql_step(s, insert, e);
        sqlite3_reset(insert);
    }
    sqlite3_finalize(insert);
    return status;
}

/* Only the types that rows are read back in. */
void sql_read_row(sqlite3_stmt *statement, const struct sql_column *columns, void *row) {
    for (int i = 0; columns[i].name; i++) {
        void *to = (char *)row + columns[i].offset;
        switch (columns[i].type) {
        case SQL_TEXT:
            *(char **)to = sql_take_text(statement, i);
            break;
        case SQL_ID:
            snprintf(to, HASH_HEX, "%s", sql_text(statement, i));
            break;
        case SQL_LONG:
            *(long *)to = (long)sqlite3_column_int64(statement, i);
            break;
        case SQL_INT:
            *(int *)to = sqlite3_column_int(statement, i);
            break;
        case SQL_INT64:
            *(int64_t *)to = sqlite3_column_int64(statement, i);
            break;
        case SQL_REAL:
        case SQL_SHARE:
            *(double *)to = sqlite3_column_double(statement, i);
            break;
        case SQL_CHARS: // its size is not known here
        case SQL_GIVEN:
            break;
        }
    }
}

int sql_text_of_run(struct store *s, const char *sql, const char *run_id, char **text,
                    struct error *e) {
    *text = NULL;
    sqlite3_stmt *q = sql_prepare(s, sql, e);
    if (!q)
        return -1;
    sqlite3_bind_text(q, 1, run_id, -1, SQLITE_STATIC);
    int got = sql_step(s, q, e);
    if (got == 1)
        *text = sql_take_text(q, 0);
    sqlite3_finalize(q);
    return got < 0 ? -1 : 0;
}
