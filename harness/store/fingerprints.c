/* Which attempts this program's quantizers would still make: what the views compare fingerprints
 * with. */
#include "store/attempts.h"
#include "store/sql.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One scheme after the other, by the index; of each, the first run that has an attempt with a
 * fingerprint: it is asked whenever a run begins. */
static const char schemes_sql[] =
    "WITH RECURSIVE schemes(scheme) AS (SELECT min(scheme) FROM runs UNION ALL"
    "  SELECT (SELECT min(r.scheme) FROM runs r WHERE r.scheme > s.scheme) FROM schemes s"
    "  WHERE s.scheme IS NOT NULL)"
    " SELECT s.scheme, r.spec FROM schemes s JOIN runs r ON r.run_id ="
    "  (SELECT o.run_id FROM runs o WHERE o.scheme = s.scheme AND EXISTS (SELECT 1 FROM attempts a"
    "    WHERE a.run_id = o.run_id AND a.fingerprint IS NOT NULL) ORDER BY o.run_id LIMIT 1)"
    " ORDER BY 1";

int store_schemes(struct store *s, struct scheme_row **rows, int *n, struct error *e) {
    int room = 0, got = 0, kind;
    *rows = NULL;
    *n = 0;
    if (store_null_kind(s, &kind, e) || kind == 1) // those have none
        return kind == 1 && !e->text[0] ? 0 : -1;
    sqlite3_stmt *q = sql_prepare(s, schemes_sql, e);
    if (!q)
        return -1;
    while ((got = sql_step(s, q, e)) == 1) {
        *rows = need_room(*rows, *n, &room, sizeof **rows);
        (*rows)[(*n)++] = (struct scheme_row){.scheme = need_string(sql_text(q, 0)),
                                              .spec = need_string(sql_text(q, 1))};
    }
    sqlite3_finalize(q);
    return got < 0 ? -1 : 0;
}

void store_free_schemes(struct scheme_row *rows, int n) {
    for (int i = 0; i < n; i++) {
        free(rows[i].scheme);
        free(rows[i].spec);
    }
    free(rows);
}

int fingerprint_write(struct store *s, const char *schema, const struct scheme_row *row,
                      struct error *e) {
    char sql[192];
    snprintf(sql, sizeof sql,
             "INSERT INTO %s.fingerprints (scheme, fingerprint, recorded_at) VALUES (?1, ?2, ?3) "
             "ON CONFLICT DO UPDATE SET fingerprint = ?2, recorded_at = ?3 WHERE fingerprint <> ?2",
             schema);
    sqlite3_stmt *q = sql_prepare(s, sql, e);
    if (!q)
        return -1;
    sqlite3_bind_text(q, 1, row->scheme, -1, SQLITE_STATIC);
    sqlite3_bind_text(q, 2, row->fingerprint, -1, SQLITE_STATIC);
    sqlite3_bind_double(q, 3, sql_now());
    int status = sql_step(s, q, e);
    sqlite3_finalize(q);
    return status;
}

static int is_recorded(struct store *s, const struct scheme_row *row, int *there, struct error *e) {
    sqlite3_stmt *q =
        sql_prepare(s, "SELECT 1 FROM main.fingerprints WHERE (scheme, fingerprint) = (?1, ?2)", e);
    if (!q)
        return -1;
    sqlite3_bind_text(q, 1, row->scheme, -1, SQLITE_STATIC);
    sqlite3_bind_text(q, 2, row->fingerprint, -1, SQLITE_STATIC);
    int got = sql_step(s, q, e);
    *there = got == 1;
    sqlite3_finalize(q);
    return got < 0 ? -1 : 0;
}

static int write_all(struct store *s, const char *schema, const struct scheme_row *rows, int n,
                     struct error *e) {
    for (int i = 0; i < n; i++)
        if (rows[i].fingerprint[0] && fingerprint_write(s, schema, &rows[i], e))
            return -1;
    return 0;
}

/* A table of the connection's own hides that of the file from the views, if those are the
 * connection's own, too. */
static int stand_before(struct store *s, const struct scheme_row *rows, int n, struct error *e) {
    return sql_run(s,
                   "DROP TABLE IF EXISTS temp.fingerprints;"
                   "CREATE TEMP TABLE fingerprints (scheme TEXT NOT NULL PRIMARY KEY, fingerprint "
                   "TEXT NOT NULL, recorded_at REAL NOT NULL)",
                   e) ||
           write_all(s, "temp", rows, n, e) || store_use_own_views(s, e);
}

int store_set_fingerprints(struct store *s, const struct scheme_row *rows, int n, struct error *e) {
    int all = 1;
    for (int i = 0; i < n && all; i++)
        if (rows[i].fingerprint[0] && is_recorded(s, &rows[i], &all, e))
            return -1;
    if (all)
        return 0;
    if (s->reads)
        return stand_before(s, rows, n, e) ? -1 : 0;
    if (sql_begin(s, e))
        return -1;
    return sql_end(s, write_all(s, "main", rows, n, e), e);
}

int store_run_stale(struct store *s, const char *run_id, char **why, struct error *e) {
    return sql_text_of_run(s, "SELECT why FROM stale_runs WHERE run_id = ?1", run_id, why, e);
}
