/* Runs as planned, and the grids that name them. A run that is there stays as it is: its id stands
 * for all that is computed. */
#include "store/attempts.h"
#include "store/sql.h"

#include <ctype.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define RUN_COLUMN(type, member)                                                                   \
    { #member, type, offsetof(struct run_row, member) }

static const struct sql_column run_columns[] = {
    RUN_COLUMN(SQL_ID, run_id),
    RUN_COLUMN(SQL_ID, config_id),
    RUN_COLUMN(SQL_TEXT, spec),
    RUN_COLUMN(SQL_TEXT, cfg),
    RUN_COLUMN(SQL_TEXT, grid),
    RUN_COLUMN(SQL_TEXT, scheme),
    RUN_COLUMN(SQL_TEXT, network),
    RUN_COLUMN(SQL_TEXT, dataset),
    RUN_COLUMN(SQL_TEXT, data_hash),
    RUN_COLUMN(SQL_TEXT, params),
    RUN_COLUMN(SQL_LONG, seed),
    RUN_COLUMN(SQL_TEXT, widths),
    RUN_COLUMN(SQL_LONG, epochs),
    RUN_COLUMN(SQL_LONG, batch),
    RUN_COLUMN(SQL_LONG, images),
    RUN_COLUMN(SQL_LONG, act_bits),
    RUN_COLUMN(SQL_LONG, stored_bits),
    RUN_COLUMN(SQL_REAL, work),
    RUN_COLUMN(SQL_TEXT, parent),
    {"\"group\"", SQL_TEXT, offsetof(struct run_row, group)},
    {0},
};

static int insert_runs(struct store *s, const struct run_row *rows, int n, struct error *e) {
    sqlite3_stmt *insert =
        sql_prepare_insert(s, "runs", NULL, run_columns, "ON CONFLICT (run_id) DO NOTHING", e);
    if (!insert)
        return -1;
    int status = 0;
    for (int i = 0; i < n && !status; i++) {
        sql_bind_row(insert, 1, run_columns, &rows[i]);
        status = sql_step(s, insert, e);
        sqlite3_reset(insert);
    }
    sqlite3_finalize(insert);
    return status ? status : sql_run(s, "UPDATE runs SET sequence = rowid WHERE sequence = 0", e);
}

static int name_runs(struct store *s, const struct run_row *rows, int n, const char *grid,
                     struct error *e) {
    sqlite3_stmt *name = sql_prepare(s,
                                     "INSERT INTO grid_runs (grid, run_id) VALUES (?1, ?2) "
                                     "ON CONFLICT (grid, run_id) DO UPDATE SET current = 1",
                                     e);
    if (!name)
        return -1;
    int status = 0;
    for (int i = 0; i < n && !status; i++) {
        sqlite3_bind_text(name, 1, grid, -1, SQLITE_STATIC);
        sqlite3_bind_text(name, 2, rows[i].run_id, -1, SQLITE_STATIC);
        status = sql_step(s, name, e);
        sqlite3_reset(name);
    }
    sqlite3_finalize(name);
    return status;
}

static int unname_runs(struct store *s, const char *grid, struct error *e) {
    sqlite3_stmt *q = sql_prepare(s, "UPDATE grid_runs SET current = 0 WHERE grid = ?1", e);
    if (!q)
        return -1;
    sqlite3_bind_text(q, 1, grid, -1, SQLITE_STATIC);
    int status = sql_step(s, q, e);
    sqlite3_finalize(q);
    return status;
}

int store_add_runs(struct store *s, const struct run_row *rows, int n, const char *grid,
                   struct error *e) {
    if (sql_begin(s, e))
        return -1;
    int status = insert_runs(s, rows, n, e);
    if (!status && grid)
        status = name_runs(s, rows, n, grid, e);
    if (!status)
        status = curves_request(s, rows, n, grid, e);
    return sql_end(s, status, e);
}

int store_set_grid(struct store *s, const struct run_row *rows, int n, const char *grid,
                   struct error *e) {
    if (sql_begin(s, e))
        return -1;
    int status = insert_runs(s, rows, n, e);
    if (!status)
        status = unname_runs(s, grid, e);
    if (!status)
        status = name_runs(s, rows, n, grid, e);
    if (!status)
        status = curves_request(s, rows, n, grid, e);
    return sql_end(s, status, e);
}

static int no_such_grid(struct store *s, const char *grid, struct error *e) {
    sqlite3_stmt *q = sql_prepare(
        s, "SELECT group_concat(grid, ', ') FROM (SELECT DISTINCT grid FROM grid_runs)", e);
    if (!q)
        return -1;
    if (sql_step(s, q, e) == 1) {
        const char *known = (const char *)sqlite3_column_text(q, 0);
        fail_at(e, s->path, 0, "no runs of a grid '%.72s' are recorded; %s%s", grid,
                known ? "there are: " : "'truncquant plan GRID' records them", known ? known : "");
    }
    sqlite3_finalize(q);
    return -1;
}

int store_check_grid(struct store *s, const char *grid, struct error *e) {
    if (!grid)
        return 0;
    sqlite3_stmt *q = sql_prepare(s, "SELECT 1 FROM grid_runs WHERE grid = ?1 LIMIT 1", e);
    if (!q)
        return -1;
    sqlite3_bind_text(q, 1, grid, -1, SQLITE_STATIC);
    int got = sql_step(s, q, e);
    sqlite3_finalize(q);
    if (got < 0)
        return -1;
    return got ? 0 : no_such_grid(s, grid, e);
}

/* ---- finding one ---- */

enum { ID_PREFIX = 6 };

/* `id` in lower case; -1 when it cannot be (the start of) an id. */
static int check_id(const char *id, char lower[HASH_HEX], struct error *e) {
    size_t n = strlen(id);
    int hex = n == strspn(id, "0123456789abcdefABCDEF");
    if (!hex || n < ID_PREFIX || n >= HASH_HEX)
        return fail(e, "'%.72s' is no run id; give at least its first %d hexadecimal digits", id,
                    ID_PREFIX);
    for (size_t i = 0; i <= n; i++)
        lower[i] = (char)tolower((unsigned char)id[i]);
    return 0;
}

/* All columns of those that `which` says. */
static sqlite3_stmt *prepare_select(struct store *s, const char *which, struct error *e) {
    char sql[1024];
    size_t n = (size_t)snprintf(sql, sizeof sql, "SELECT ");
    for (int i = 0; run_columns[i].name; i++)
        n += (size_t)snprintf(sql + n, sizeof sql - n, i ? ", %s" : "%s", run_columns[i].name);
    snprintf(sql + n, sizeof sql - n, " FROM runs WHERE %s", which);
    return sql_prepare(s, sql, e);
}

static sqlite3_stmt *prepare_find(struct store *s, struct error *e) {
    // 'g' follows the hexadecimal digits: a range, so that the index is used.
    return prepare_select(s, "run_id >= ?1 AND run_id < ?1 || 'g' LIMIT 2", e);
}

/* Those that every run has: only a file without its constraints lacks one. */
static int check_texts(struct store *s, const char *id, const struct run_row *row,
                       struct error *e) {
    for (const struct sql_column *c = run_columns; c->name; c++) {
        int may_lack = c->offset == offsetof(struct run_row, parent) ||
                       c->offset == offsetof(struct run_row, group);
        if (c->type == SQL_TEXT && !may_lack && !*(char *const *)((const char *)row + c->offset))
            return fail_at(e, s->path, 0, "its run %.12s has no %s; restore a copy of the file", id,
                           c->name);
    }
    return 0;
}

static int read_only_match(struct store *s, sqlite3_stmt *q, const char *id, struct run_row *row,
                           struct error *e) {
    int got = sql_step(s, q, e);
    if (got < 0)
        return -1;
    if (!got)
        return fail_at(e, s->path, 0, "has no run %s; 'truncquant plan GRID' lists those of a grid",
                       id);
    sql_read_row(q, run_columns, row);
    got = sql_step(s, q, e);
    int lacks = !got && check_texts(s, id, row, e);
    if (!got && !lacks)
        return 0;
    store_free_run(row);
    return got < 0 || lacks
               ? -1
               : fail_at(e, s->path, 0, "has several runs %s...; give more digits", id);
}

int store_find_run(struct store *s, const char *id, struct run_row *row, struct error *e) {
    char lower[HASH_HEX];
    *row = (struct run_row){0};
    if (check_id(id, lower, e))
        return -1;
    sqlite3_stmt *q = prepare_find(s, e);
    if (!q)
        return -1;
    sqlite3_bind_text(q, 1, lower, -1, SQLITE_STATIC);
    int status = read_only_match(s, q, lower, row, e);
    sqlite3_finalize(q);
    return status;
}

int store_former_runs(struct store *s, const char *grid, struct run_row **rows, int *n,
                      struct error *e) {
    int got, room = 0;
    *rows = NULL;
    *n = 0;
    sqlite3_stmt *q = prepare_select(s,
                                     "run_id IN (SELECT run_id FROM grid_runs WHERE grid = ?1"
                                     " AND NOT current) ORDER BY " SQL_RECORDED,
                                     e);
    if (!q)
        return -1;
    sqlite3_bind_text(q, 1, grid, -1, SQLITE_STATIC);
    while ((got = sql_step(s, q, e)) == 1) {
        *rows = need_room(*rows, *n, &room, sizeof **rows);
        sql_read_row(q, run_columns, &(*rows)[(*n)++]);
    }
    sqlite3_finalize(q);
    return got;
}

void store_free_runs(struct run_row *rows, int n) {
    for (int i = 0; i < n; i++)
        store_free_run(&rows[i]);
    free(rows);
}

void store_free_run(struct run_row *row) {
    for (const struct sql_column *c = run_columns; c->name; c++)
        if (c->type == SQL_TEXT)
            free(*(char **)((char *)row + c->offset));
    *row = (struct run_row){0};
}
