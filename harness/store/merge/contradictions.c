/* Contradictions of joined databases; contradictions.h is the manual. */
#include "store/merge/contradictions.h"

#include "store/merge/columns.h"

#include <stdlib.h>

int contradictions_begin(struct store *s, struct error *e) {
    return sql_run(s,
                   "DROP TABLE IF EXISTS temp.origins; DROP TABLE IF EXISTS temp.data_sets;"
                   "CREATE TEMP TABLE origins (attempt INTEGER NOT NULL, file INTEGER NOT NULL,"
                   " PRIMARY KEY (attempt, file)) WITHOUT ROWID;"
                   "INSERT INTO origins SELECT attempt, 0 FROM attempts;"
                   "CREATE TEMP TABLE data_sets (dataset TEXT NOT NULL, data_hash TEXT NOT NULL,"
                   " file INTEGER NOT NULL, UNIQUE (dataset, data_hash, file));"
                   "INSERT INTO data_sets SELECT DISTINCT dataset, data_hash, 0 FROM runs",
                   e);
}

const char contradictions_note_sql[] = "INSERT OR IGNORE INTO origins VALUES (?1, ?2)";

int contradictions_note_data(struct store *s, struct store *from, int number, struct error *e) {
    sqlite3_stmt *read = sql_prepare(from, "SELECT DISTINCT dataset, data_hash FROM runs", e);
    sqlite3_stmt *write = sql_prepare(s, "INSERT INTO data_sets VALUES (?1, ?2, ?3)", e);
    int got = read && write ? 1 : -1;
    while (got == 1 && (got = sql_step(from, read, e)) == 1) {
        sqlite3_bind_value(write, 1, sqlite3_column_value(read, 0));
        sqlite3_bind_value(write, 2, sqlite3_column_value(read, 1));
        sqlite3_bind_int(write, 3, number);
        got = sql_step(s, write, e) ? -1 : 1;
        sqlite3_reset(write);
    }
    sqlite3_finalize(read);
    sqlite3_finalize(write);
    return got;
}

/* ---- numbers ---- */

/* Pairs of attempts that have to come to the same numbers: all that decides their bits is the same,
 * and each either did the whole of the run by itself, or evaluated the same weights. Where the
 * program's sources were not recorded, its commit stands for them. */
static const char pairs_sql[] =
    "CREATE TEMP TABLE pairs AS SELECT a.attempt AS x, b.attempt AS y"
    " FROM attempts a JOIN attempts b"
    " USING (run_id, engine, precision, threads, isa, libraries) JOIN runs r USING (run_id)"
    " WHERE b.attempt <> a.attempt"
    " AND (a.started_at, a.host, a.pid) < (b.started_at, b.host, b.pid)"
    " AND a.fingerprint IS b.fingerprint AND a.sources IS b.sources"
    " AND (a.sources IS NOT NULL OR a.commit_id = b.commit_id AND NOT a.dirty AND NOT b.dirty)"
    " AND (a.resumed_at = 0 AND b.resumed_at = 0 AND r.parent IS NULL"
    "      OR a.weights_hash = b.weights_hash)"
    " AND NOT EXISTS (SELECT 1 FROM origins o JOIN origins p ON p.file = o.file"
    "                 WHERE o.attempt = a.attempt AND p.attempt = b.attempt)";

/* What is told apart by the unique key of a table; how long it took is no result. */
static const char values_sql[] =
    "SELECT name FROM pragma_table_info(?1) WHERE name NOT IN ('attempt', 'evaluation', 'seconds')"
    " AND name %s IN (SELECT i.name FROM pragma_index_list(?1) l, pragma_index_info(l.name) i"
    "                 WHERE l.\"unique\")";

static int read_names(struct store *s, const char *table, int of_key, struct columns *columns,
                      struct error *e) {
    char sql[sizeof values_sql + 8];
    snprintf(sql, sizeof sql, values_sql, of_key ? "" : "NOT");
    *columns = (struct columns){0};
    sqlite3_stmt *q = sql_prepare(s, sql, e);
    if (!q)
        return -1;
    sqlite3_bind_text(q, 1, table, -1, SQLITE_STATIC);
    int got;
    while ((got = sql_step(s, q, e)) == 1 && columns->n < COLUMNS_MOST)
        snprintf(columns->of[columns->n++].name, sizeof columns->of->name, "%s", sql_text(q, 0));
    sqlite3_finalize(q);
    return got;
}

/* The first pair of a table with other values; the same whatever the order of rows. */
static sqlite3_stmt *prepare_differing(struct store *s, const char *table, struct error *e) {
    struct columns key, values;
    char *sql = NULL;
    if (read_names(s, table, 1, &key, e) || read_names(s, table, 0, &values, e))
        return NULL;
    char *on = columns_text(&key, "{u.$c = v.$c| AND }", e);
    char *differ = on ? columns_text(&values, "{u.$c IS NOT v.$c| OR }", e) : NULL;
    sqlite3_stmt *q = NULL;
    if (differ && asprintf(&sql,
                           "SELECT a.run_id, a.host, b.host, x, y FROM pairs"
                           " JOIN %s u ON u.attempt = x JOIN %s v ON v.attempt = y AND %s"
                           " JOIN attempts a ON a.attempt = x JOIN attempts b ON b.attempt = y"
                           " WHERE %s ORDER BY 1, a.started_at, b.started_at, 2, 3 LIMIT 1",
                           table, table, on, differ) > 0)
        q = sql_prepare(s, sql, e);
    free(sql);
    free(on);
    free(differ);
    return q;
}

/* The first of the files that has an attempt. */
static const char *file_of(struct store *s, int64_t attempt, const char *const *files) {
    struct error ignored = {0};
    char sql[96];
    int64_t file = 0;
    snprintf(sql, sizeof sql, "SELECT min(file) FROM origins WHERE attempt = %lld",
             (long long)attempt);
    return sql_int(s, sql, &file, &ignored) || !file ? s->path : files[file - 1];
}

static int check_table(struct store *s, const char *table, const char *const *files,
                       struct error *e) {
    sqlite3_stmt *q = prepare_differing(s, table, e);
    int got = q ? sql_step(s, q, e) : -1;
    if (got == 1)
        got = fail_at(e, file_of(s, sqlite3_column_int64(q, 4), files), 0,
                      "run %.12s has other %s here (computed on %.64s) than in %s (on %.64s), "
                      "though both say that they computed it in the same way; find out which is "
                      "wrong, and leave that file out",
                      sql_text(q, 0), table, sql_text(q, 2),
                      file_of(s, sqlite3_column_int64(q, 3), files), sql_text(q, 1));
    sqlite3_finalize(q);
    return got;
}

int contradictions_check(struct store *s, const char *const *files, struct error *e) {
    static const char *const tables[] = {"evaluations", "epoch_evaluations", "epochs", "layers",
                                         "histograms"};
    if (sql_run(s, "DROP TABLE IF EXISTS temp.pairs", e) || sql_run(s, pairs_sql, e))
        return -1;
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        if (check_table(s, tables[i], files, e))
            return -1;
    return 0;
}

/* ---- data sets ---- */

/* A name whose contents no file knows all of: with the first file that has it, and the first that
 * has one which that lacks. */
static const char other_data_sql[] =
    "WITH those AS (SELECT dataset FROM data_sets d GROUP BY 1 HAVING count(DISTINCT data_hash) >"
    "  (SELECT max(n) FROM (SELECT count(*) AS n FROM data_sets"
    "                       WHERE dataset = d.dataset GROUP BY file)) ORDER BY 1 LIMIT 1),"
    " first AS (SELECT * FROM data_sets JOIN those USING (dataset) ORDER BY file, data_hash LIMIT "
    "1)"
    " SELECT d.dataset, f.file, f.data_hash, d.file, d.data_hash FROM data_sets d"
    " JOIN first f USING (dataset) WHERE d.data_hash NOT IN"
    "  (SELECT data_hash FROM data_sets WHERE dataset = f.dataset AND file = f.file)"
    " ORDER BY d.file, d.data_hash LIMIT 1";

int contradictions_check_data(struct store *s, const char *const *files, struct error *e) {
    sqlite3_stmt *q = sql_prepare(s, other_data_sql, e);
    int got = q ? sql_step(s, q, e) : -1;
    if (got == 1) {
        int first = sqlite3_column_int(q, 1), other = sqlite3_column_int(q, 3);
        got = fail_at(e, files[other - 1], 0,
                      "its runs on %.64s were planned with other data (%.8s) than those of %s "
                      "(%.8s), and none of them is the same; give one of the data sets another "
                      "name, or keep both apart by their ids (--other-data)",
                      sql_text(q, 0), sql_text(q, 4), first ? files[first - 1] : s->path,
                      sql_text(q, 2));
    }
    sqlite3_finalize(q);
    return got;
}
