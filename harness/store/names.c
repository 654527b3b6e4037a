/* What runs are called by. Configurations are named in one place, the views of tables and figures
 * (grid_configurations), for those that were evaluated; here, all that are recorded take the place
 * of these, in temporary tables. */
#include "store/sql.h"

#include <string.h>

/* One grid's runs, or all when ?1 is NULL. */
#define OF_GRID                                                                                    \
    "(?1 IS NULL OR run_id IN (SELECT run_id FROM grid_runs WHERE grid = ?1 AND current))"

static const char all_recorded_sql[] =
    "CREATE TEMP TABLE grid_evaluated AS SELECT ?1 AS grid, 'any' AS split, config_id, dataset,"
    " network, scheme, min(params) AS params, max(act_bits) AS act_bits, '' AS activations"
    " FROM runs WHERE " OF_GRID " GROUP BY config_id";
static const char none_diverged_sql[] =
    "CREATE TEMP TABLE grid_diverged (grid, split, config_id, diverged)";
/* A key that has one value wherever there is one tells nothing apart; most are of that kind. */
static const char differing_settings_sql[] =
    "CREATE TEMP TABLE differing AS SELECT * FROM config_settings;"
    "DELETE FROM temp.differing WHERE key IN"
    " (SELECT key FROM temp.differing GROUP BY key HAVING min(value) IS max(value));"
    "DROP VIEW temp.config_settings;"
    "CREATE TEMP VIEW config_settings AS SELECT * FROM temp.differing";

/* What a table has in columns of its own, and which member of a group a run is. */
static const char names_sql[] =
    "SELECT run_id, trim(c.settings"
    " || CASE WHEN \"group\" IS NOT NULL THEN ' widths=' || widths ELSE '' END"
    " || CASE WHEN datasets > 1 THEN ' dataset=' || r.dataset ELSE '' END)"
    " FROM runs r JOIN grid_configurations c ON c.config_id = r.config_id,"
    " (SELECT count(DISTINCT dataset) AS datasets FROM grid_evaluated)"
    " WHERE " OF_GRID " ORDER BY " SQL_RECORDED;

static int run_for_grid(struct store *s, const char *sql, const char *grid, struct error *e) {
    sqlite3_stmt *q = sql_prepare(s, sql, e);
    if (!q)
        return -1;
    sqlite3_bind_text(q, 1, grid, -1, SQLITE_STATIC);
    int got = sql_step(s, q, e);
    sqlite3_finalize(q);
    return got < 0 ? -1 : 0;
}

static int read_names(struct store *s, const char *grid, struct run_status *rows, int n,
                      struct error *e) {
    sqlite3_stmt *q = sql_prepare(s, names_sql, e);
    if (!q)
        return -1;
    sqlite3_bind_text(q, 1, grid, -1, SQLITE_STATIC);
    int got = 0;
    for (int i = 0; i < n && (got = sql_step(s, q, e)) == 1;) {
        const char *id = sql_text(q, 0);
        while (i < n && strcmp(rows[i].run_id, id) != 0) // planned meanwhile: has no row
            i++;
        if (i < n)
            rows[i++].settings = sql_take_text(q, 1);
    }
    sqlite3_finalize(q);
    return got < 0 ? -1 : 0;
}

int store_name_statuses(struct store *s, const char *grid, struct run_status *rows, int n,
                        struct error *e) {
    if (sql_run(s, "SAVEPOINT names", e))
        return -1;
    int status = store_look_at_grid(s, grid, e);
    if (!status)
        status = sql_run(s, "DROP VIEW temp.grid_evaluated; DROP VIEW temp.grid_diverged", e);
    if (!status)
        status = run_for_grid(s, all_recorded_sql, grid, e);
    if (!status)
        status = sql_run(s, none_diverged_sql, e) || sql_run(s, differing_settings_sql, e) ||
                 read_names(s, grid, rows, n, e);
    sqlite3_exec(s->db, "ROLLBACK TO names; RELEASE names", NULL, NULL, NULL);
    return status ? -1 : 0;
}
