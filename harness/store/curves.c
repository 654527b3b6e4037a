/* Learning curves: who asks for them, and their points. They stay out of what is said of the
 * weights that a run ended with: harness/store/schema/005-curves.sql. */
#include "store/attempts.h"
#include "store/evaluation.h"

int store_add_curves(struct store *s, int64_t attempt, const struct evaluation_row *rows, int n,
                     struct error *e) {
    for (int i = 0; i < n; i++)
        if (!rows[i].point.bits)
            return fail(e, "a learning curve is of one width in all layers");
    if (attempt_begin_rows(s, attempt, e))
        return -1;
    return sql_end(s, evaluation_insert(s, "epoch_evaluations", curve_columns, attempt, rows, n, e),
                   e);
}

/* ---- requests ---- */

/* Who asks for nothing, and never did, leaves no trace. */
static const char request_sql[] =
    "INSERT INTO curve_requests (grid, run_id, every, split) SELECT ?1, ?2, ?3, ?4"
    " WHERE ?3 > 0 OR EXISTS (SELECT 1 FROM curve_requests WHERE grid = ?1 AND run_id = ?2)"
    " ON CONFLICT (grid, run_id) DO UPDATE SET every = excluded.every, split = excluded.split";

int curves_request(struct store *s, const struct run_row *rows, int n, const char *grid,
                   struct error *e) {
    sqlite3_stmt *q = sql_prepare(s, request_sql, e);
    int status = q ? 0 : -1;
    for (int i = 0; i < n && !status; i++) {
        const struct curve_request *asked = &rows[i].curve;
        sqlite3_bind_text(q, 1, grid ? grid : "", -1, SQLITE_STATIC);
        sqlite3_bind_text(q, 2, rows[i].run_id, -1, SQLITE_STATIC);
        sqlite3_bind_int64(q, 3, asked->every);
        sqlite3_bind_text(q, 4, asked->of_test ? "test" : "val", -1, SQLITE_STATIC);
        status = sql_step(s, q, e);
        sqlite3_reset(q);
    }
    sqlite3_finalize(q);
    return status;
}

static const char requests_sql[] =
    "SELECT DISTINCT c.every, c.split = 'test' FROM curve_requests c"
    " LEFT JOIN grid_runs g ON g.grid = c.grid AND g.run_id = c.run_id"
    " WHERE c.run_id = ?1 AND c.every > 0 AND (c.grid = '' OR g.current) ORDER BY 2, 1 LIMIT ?2";

int store_curve_requests(struct store *s, const char *run_id,
                         struct curve_request requests[CURVE_REQUESTS], int *n, struct error *e) {
    *n = 0;
    sqlite3_stmt *q = sql_prepare(s, requests_sql, e);
    if (!q)
        return -1;
    sqlite3_bind_text(q, 1, run_id, -1, SQLITE_STATIC);
    sqlite3_bind_int(q, 2, CURVE_REQUESTS);
    int got;
    while ((got = sql_step(s, q, e)) == 1)
        requests[(*n)++] = (struct curve_request){.every = (long)sqlite3_column_int64(q, 0),
                                                  .of_test = sqlite3_column_int(q, 1)};
    sqlite3_finalize(q);
    return got;
}

int store_count_curveless(struct store *s, const char *grid, int64_t *n, struct error *e) {
    sqlite3_stmt *q = sql_prepare(
        s,
        "SELECT count(*) FROM curve_requests c JOIN grid_runs g USING (grid, run_id)"
        " WHERE c.grid = ?1 AND g.current AND c.every > 0 AND EXISTS (SELECT 1 FROM attempts a"
        "  WHERE a.run_id = c.run_id AND a.outcome = 'complete') AND NOT EXISTS (SELECT 1 FROM"
        "  attempts a JOIN epoch_evaluations p USING (attempt) WHERE a.run_id = c.run_id)",
        e);
    if (!q)
        return -1;
    sqlite3_bind_text(q, 1, grid, -1, SQLITE_STATIC);
    int got = sql_step(s, q, e);
    *n = got == 1 ? sqlite3_column_int64(q, 0) : 0;
    sqlite3_finalize(q);
    return got == 1 ? 0 : -1;
}
