/* A database of one grid; extract.h is the manual. */
#include "store/merge/extract.h"

#include "store/merge/anonymous.h"
#include "store/merge/copy.h"
#include "store/merge/draft.h"

/* The runs (of ?2: that one, and those that take its weights), and what their weights come from. */
static const char chosen_sql[] =
    "INSERT INTO chosen WITH RECURSIVE those(run_id) AS ("
    " SELECT run_id FROM grid_runs g JOIN runs r USING (run_id) WHERE g.grid = ?1 AND g.current"
    "  AND (?2 IS NULL OR ?2 IN (run_id, r.parent))"
    " UNION SELECT r.parent FROM those JOIN runs r USING (run_id) WHERE r.parent IS NOT NULL)"
    " SELECT run_id FROM those";

static int choose(struct store *s, const char *grid, const char *run, struct error *e) {
    if (store_check_grid(s, grid, e) ||
        sql_run(s, "CREATE TEMP TABLE chosen (run_id TEXT NOT NULL PRIMARY KEY) WITHOUT ROWID", e))
        return -1;
    sqlite3_stmt *q = sql_prepare(s, chosen_sql, e);
    if (!q)
        return -1;
    sqlite3_bind_text(q, 1, grid, -1, SQLITE_STATIC);
    if (run)
        sqlite3_bind_text(q, 2, run, -1, SQLITE_STATIC);
    int status = sql_step(s, q, e);
    sqlite3_finalize(q);
    return status;
}

/* The seed of pseudonyms is what no copy without them has. */
static int fill(struct store *to, struct store *from, const char *grid, int anonymous,
                struct error *e) {
    struct copied copied;
    char identity[STORE_IDENTITY] = "";
    if (copy_rows(to, from, grid, NULL, NULL, &copied, e))
        return -1;
    if (!anonymous)
        return 0;
    return store_identity(from, identity, e) || anonymous_make(to, identity, e) ? -1 : 0;
}

static int extract(struct store *to, struct store *from, const char *grid, const char *run,
                   int anonymous, struct error *e) {
    if (choose(from, grid, run, e) || sql_begin(to, e))
        return -1;
    return sql_end(to, fill(to, from, grid, anonymous, e), e) || store_draft_write(to, e) ? -1 : 0;
}

int store_extract(struct store *s, const char *grid, const char *run, const char *path,
                  int anonymous, struct error *e) {
    struct store *to = sql_run(s, "BEGIN", e) ? NULL : store_draft(path, e);
    int status = to ? extract(to, s, grid, run, anonymous, e) : -1;
    store_close(to);
    sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
    return status;
}
