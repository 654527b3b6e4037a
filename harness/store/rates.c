/* How fast runs were: work done between the start and the last sign of life of recent attempts. */
#include "store/sql.h"

#include <stdlib.h>

static const char rates_sql[] =
    "WITH recent AS (SELECT r.network, r.work * (a.progress - a.resumed_at) AS done,"
    "   a.heartbeat_at - a.started_at AS seconds,"
    "   row_number() OVER (PARTITION BY r.network ORDER BY a.heartbeat_at DESC,"
    "    a.run_id, a.host, a.pid, a.started_at) AS place"
    "  FROM attempts a JOIN runs r USING (run_id)"
    "  WHERE a.progress > a.resumed_at AND a.heartbeat_at > a.started_at"
    "   AND (?1 IS NULL OR a.host = ?1))"
    " SELECT '' AS name, sum(done) / sum(seconds) FROM recent WHERE place <= 20"
    "  HAVING count(*) > 0"
    " UNION ALL SELECT network, sum(done) / sum(seconds) FROM recent WHERE place <= 20"
    "  GROUP BY network ORDER BY name";

int store_work_rates(struct store *s, const char *host, struct work_rate **rates, int *n,
                     struct error *e) {
    int64_t networks;
    *rates = NULL;
    *n = 0;
    sqlite3_stmt *q = sql_int(s, "SELECT count(DISTINCT network) FROM runs", &networks, e)
                          ? NULL
                          : sql_prepare(s, rates_sql, e);
    if (!q)
        return -1;
    sqlite3_bind_text(q, 1, host, -1, SQLITE_STATIC);
    *rates = need((size_t)networks + 1, sizeof **rates);
    int got = 0;
    while (*n <= networks && (got = sql_step(s, q, e)) == 1)
        (*rates)[(*n)++] =
            (struct work_rate){need_string(sql_text(q, 0)), sqlite3_column_double(q, 1)};
    sqlite3_finalize(q);
    return got < 0 ? -1 : 0;
}

void store_free_work_rates(struct work_rate *rates, int n) {
    for (int i = 0; i < n; i++)
        free(rates[i].network);
    free(rates);
}
