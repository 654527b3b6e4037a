/* A few runs in place of all: what a table or figure of one grid asks of the views costs as much as
 * that grid has, not as the file. Temporary tables of these runs and their attempts stand before
 * those of the file, and the views, temporary ones too, find these. */
#include "store/sql.h"

/* Those whose weights the chosen ones take belong to them: views follow a run to its parents. Which
 * fingerprint counts, and how many classes data have, is what the whole file says. */
static const char look_sql[] =
    "CREATE TEMP TABLE looked_at AS"
    " WITH RECURSIVE those(run_id) AS (SELECT run_id FROM temp.chosen UNION"
    "  SELECT r.parent FROM those JOIN main.runs r USING (run_id) WHERE r.parent IS NOT NULL)"
    " SELECT r.* FROM those CROSS JOIN main.runs r USING (run_id);"
    "CREATE TEMP TABLE looked_fingerprints AS SELECT * FROM taken_fingerprints;"
    "CREATE TEMP TABLE looked_classes AS"
    " SELECT * FROM run_classes WHERE run_id IN (SELECT run_id FROM temp.looked_at);"
    "CREATE TEMP TABLE attempts AS"
    " SELECT a.* FROM temp.looked_at r CROSS JOIN main.attempts a ON a.run_id = r.run_id;"
    "CREATE UNIQUE INDEX temp.attempts_looked_at ON attempts (attempt);"
    "CREATE INDEX temp.attempts_of_looked_at ON attempts (run_id, started_at);"
    "CREATE TEMP TABLE runs AS SELECT * FROM temp.looked_at;"
    "CREATE UNIQUE INDEX temp.runs_looked_at ON runs (run_id);"
    "CREATE INDEX temp.runs_of_config ON runs (config_id);"
    "DROP VIEW temp.taken_fingerprints;"
    "CREATE TEMP VIEW taken_fingerprints AS SELECT * FROM looked_fingerprints;"
    "DROP VIEW temp.run_classes;"
    "CREATE TEMP VIEW run_classes AS SELECT * FROM looked_classes";

static int look_at(struct store *s, const char *chosen_sql, const char *what, struct error *e) {
    sqlite3_stmt *q = store_use_own_views(s, e) ? NULL : sql_prepare(s, chosen_sql, e);
    if (!q)
        return -1;
    sqlite3_bind_text(q, 1, what, -1, SQLITE_STATIC);
    int status = sql_step(s, q, e);
    sqlite3_finalize(q);
    return status ? -1 : sql_run(s, look_sql, e);
}

/* A grid that most of the file is of costs more to be copied than the rest costs to be passed over.
 */
static int is_most(struct store *s, const char *grid, int *is, struct error *e) {
    sqlite3_stmt *q = sql_prepare(s,
                                  "SELECT 2 * (SELECT count(*) FROM main.grid_runs WHERE grid = ?1"
                                  " AND current) > (SELECT count(*) FROM main.runs)",
                                  e);
    if (!q)
        return -1;
    sqlite3_bind_text(q, 1, grid, -1, SQLITE_STATIC);
    int got = sql_step(s, q, e);
    *is = got == 1 && sqlite3_column_int(q, 0);
    sqlite3_finalize(q);
    return got == 1 ? 0 : -1;
}

int store_look_at_grid(struct store *s, const char *grid, struct error *e) {
    int most = 0;
    static const char chosen[] = "CREATE TEMP TABLE chosen AS SELECT run_id FROM main.grid_runs"
                                 " WHERE grid = ?1 AND current";
    if (grid && is_most(s, grid, &most, e))
        return -1;
    return grid && !most ? look_at(s, chosen, grid, e) : store_use_own_views(s, e);
}

int store_look_at_run(struct store *s, const char *run_id, struct error *e) {
    return look_at(s, "CREATE TEMP TABLE chosen AS SELECT ?1 AS run_id", run_id, e);
}
