/* What was measured: epochs, evaluations, layers and histograms of their weights, and with the last
 * of them the completion of a run; and how long its packed model takes. */
#include "store/attempts.h"
#include "store/evaluation.h"
#include "store/rates.h"

#include <stddef.h>
#include <stdlib.h>

#define COLUMN(row, type, member)                                                                  \
    { #member, type, offsetof(struct row, member) }

static const struct sql_column epoch_columns[] = {
    COLUMN(epoch_row, SQL_INT, epoch),          COLUMN(epoch_row, SQL_INT, bits),
    COLUMN(epoch_row, SQL_REAL, loss),          COLUMN(epoch_row, SQL_REAL, accuracy),
    COLUMN(epoch_row, SQL_REAL, learning_rate), COLUMN(epoch_row, SQL_REAL, seconds),
    COLUMN(epoch_row, SQL_INT64, images),       {0},
};

static const struct sql_column layer_columns[] = {
    COLUMN(layer_row, SQL_INT, layer),
    COLUMN(layer_row, SQL_TEXT, name),
    COLUMN(layer_row, SQL_INT, bits),
    COLUMN(layer_row, SQL_SHARE, quantization_error),
    COLUMN(layer_row, SQL_SHARE, truncation_error),
    COLUMN(layer_row, SQL_SHARE, codes_differ),
    COLUMN(layer_row, SQL_REAL, scale),
    {0},
};

static const struct sql_column histogram_columns[] = {
    COLUMN(histogram_row, SQL_INT, layer),
    COLUMN(histogram_row, SQL_TEXT, stage),
    COLUMN(histogram_row, SQL_INT64, weights),
    COLUMN(histogram_row, SQL_TEXT, counts),
    {0},
};

static const struct sql_column latency_columns[] = {
    COLUMN(latency_row, SQL_TEXT, run_id),
    COLUMN(latency_row, SQL_TEXT, host),
    COLUMN(latency_row, SQL_LONG, pid),
    COLUMN(latency_row, SQL_REAL, measured_at),
    COLUMN(latency_row, SQL_INT, bits),
    COLUMN(latency_row, SQL_INT, act_bits),
    COLUMN(latency_row, SQL_TEXT, processor),
    COLUMN(latency_row, SQL_TEXT, kernels),
    COLUMN(latency_row, SQL_TEXT, compiled),
    COLUMN(latency_row, SQL_TEXT, commit_id),
    COLUMN(latency_row, SQL_INT, dirty),
    COLUMN(latency_row, SQL_INT, threads),
    COLUMN(latency_row, SQL_INT, batch),
    COLUMN(latency_row, SQL_INT, calls),
    COLUMN(latency_row, SQL_REAL, min_seconds),
    COLUMN(latency_row, SQL_REAL, median_seconds),
    COLUMN(latency_row, SQL_REAL, p95_seconds),
    COLUMN(latency_row, SQL_REAL, switch_seconds),
    COLUMN(latency_row, SQL_INT64, bytes_read),
    COLUMN(latency_row, SQL_INT64, plane_bytes),
    COLUMN(latency_row, SQL_INT64, session_bytes),
    COLUMN(latency_row, SQL_REAL, residual),
    {0},
};

int store_add_epochs(struct store *s, int64_t attempt, const struct epoch_row *rows, int n,
                     struct error *e) {
    if (attempt_begin_rows(s, attempt, e))
        return -1;
    return sql_end(
        s, sql_insert_rows(s, "epochs", epoch_columns, attempt, rows, n, sizeof *rows, e), e);
}

int store_last_epochs(struct store *s, const char *run_id, int epochs, struct epoch_row **rows,
                      int *n, struct error *e) {
    int got, room = 0;
    *rows = NULL;
    *n = 0;
    sqlite3_stmt *q = sql_prepare(
        s,
        "SELECT epoch, bits, loss, accuracy, learning_rate, seconds, images FROM"
        " (SELECT p.*, row_number() OVER (PARTITION BY epoch, bits ORDER BY a.sequence DESC,"
        "   a.started_at DESC, a.host DESC, a.pid DESC) AS place, max(epoch) OVER () AS last"
        "  FROM attempts a JOIN epochs p USING (attempt) WHERE a.run_id = ?1)"
        " WHERE place = 1 AND epoch > last - ?2 ORDER BY epoch DESC, bits",
        e);
    if (!q)
        return -1;
    sqlite3_bind_text(q, 1, run_id, -1, SQLITE_STATIC);
    sqlite3_bind_int(q, 2, epochs);
    while ((got = sql_step(s, q, e)) == 1) {
        *rows = need_room(*rows, *n, &room, sizeof **rows);
        sql_read_row(q, epoch_columns, &(*rows)[(*n)++]);
    }
    sqlite3_finalize(q);
    return got;
}

int store_has_evaluation(struct store *s, int64_t attempt, const struct evaluation_row *row,
                         int *there, struct error *e) {
    sqlite3_stmt *q = sql_prepare(
        s,
        "SELECT EXISTS (SELECT 1 FROM attempts me"
        " JOIN attempts a USING (run_id, engine, precision, threads, isa, libraries, sources)"
        " JOIN evaluations v ON v.attempt = a.attempt"
        " WHERE me.attempt = ?1 AND a.outcome = 'complete'"
        " AND (v.epoch, v.split, v.bits, v.act_bits, v.stored_bits, v.bank, v.inference,"
        "      v.precision, v.images, v.calibration_batches, v.layer_bits)"
        "   = (?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12))",
        e);
    if (!q)
        return -1;
    sqlite3_bind_int64(q, 1, attempt);
    struct flat_evaluation flat = evaluation_flat(row);
    sql_bind_row(q, 2, evaluation_identity, &flat);
    int got = sql_step(s, q, e);
    *there = got == 1 && sqlite3_column_int(q, 0);
    sqlite3_finalize(q);
    return got == 1 ? 0 : -1;
}

static int insert_results(struct store *s, int64_t attempt, const struct run_results *r,
                          struct error *e) {
    if (evaluation_insert(s, "evaluations", evaluation_columns, attempt, r->evaluations, r->n, e) ||
        sql_insert_rows(s, "layers", layer_columns, attempt, r->layers, r->n_layers,
                        sizeof *r->layers, e))
        return -1;
    return sql_insert_rows(s, "histograms", histogram_columns, attempt, r->histograms,
                           r->n_histograms, sizeof *r->histograms, e);
}

int store_finish(struct store *s, int64_t attempt, const struct run_results *results,
                 double cpu_seconds, int64_t peak_bytes, struct error *e) {
    struct attempt_end end = {"complete", NULL, NULL, cpu_seconds, peak_bytes};
    enum outcome outcome;
    if (sql_begin(s, e))
        return -1;
    int status = attempt_outcome(s, attempt, &outcome, e);
    if (!status && outcome != OUTCOME_NONE && outcome != OUTCOME_COMPLETE)
        status = attempt_has_ended(s, attempt, e);
    if (!status)
        status = insert_results(s, attempt, results, e);
    if (!status && outcome == OUTCOME_NONE)
        status = attempt_write_end(s, attempt, &end, e);
    return sql_end(s, status, e);
}

/* ---- packed models ---- */

int store_has_run(struct store *s, const char *run_id, int *there, struct error *e) {
    sqlite3_stmt *q = sql_prepare(s, "SELECT 1 FROM runs WHERE run_id = ?1", e);
    if (!q)
        return -1;
    sqlite3_bind_text(q, 1, run_id, -1, SQLITE_STATIC);
    int got = sql_step(s, q, e);
    *there = got == 1;
    sqlite3_finalize(q);
    return got < 0 ? -1 : 0;
}

static int insert_latencies(struct store *s, const struct latency_row *rows, int n,
                            struct error *e) {
    sqlite3_stmt *q = sql_prepare_insert(s, "latencies", NULL, latency_columns, "", e);
    int status = q ? 0 : -1;
    for (int i = 0; i < n && !status; i++) {
        sql_bind_row(q, 1, latency_columns, &rows[i]);
        status = sql_step(s, q, e);
        sqlite3_reset(q);
    }
    sqlite3_finalize(q);
    return status;
}

int store_add_latencies(struct store *s, const struct latency_row *rows, int n, struct error *e) {
    if (sql_begin(s, e))
        return -1;
    return sql_end(s, insert_latencies(s, rows, n, e), e);
}

/* ---- what runs took ---- */

/* Work done between the start and the last sign of life of recent attempts, the last 20 of each
 * network and host: all together, by host, by network, and by both. */
static const char rates_sql[] =
    "WITH recent AS (SELECT r.network, a.host, r.work * (a.progress - a.resumed_at) AS done,"
    "   a.heartbeat_at - a.started_at AS seconds,"
    "   row_number() OVER (PARTITION BY r.network, a.host ORDER BY a.heartbeat_at DESC,"
    "    a.run_id, a.pid, a.started_at) AS place"
    "  FROM attempts a JOIN runs r USING (run_id)"
    "  WHERE a.progress > a.resumed_at AND a.heartbeat_at > a.started_at)"
    " SELECT iif(column1, network, ''), iif(column2, host, ''), sum(done) / sum(seconds)"
    "  FROM recent CROSS JOIN (VALUES (0, 0), (0, 1), (1, 0), (1, 1)) WHERE place <= 20"
    "  GROUP BY 1, 2 ORDER BY 2, 1";

int store_work_rates(struct store *s, struct work_rate **rates, int *n, struct error *e) {
    int room = 16, got;
    *rates = need((size_t)room, sizeof **rates);
    *n = 0;
    sqlite3_stmt *q = sql_prepare(s, rates_sql, e);
    if (!q)
        return -1;
    while ((got = sql_step(s, q, e)) == 1) {
        *rates = need_room(*rates, *n, &room, sizeof **rates);
        (*rates)[(*n)++] = (struct work_rate){
            need_string(sql_text(q, 0)), need_string(sql_text(q, 1)), sqlite3_column_double(q, 2)};
    }
    sqlite3_finalize(q);
    return got;
}

void store_free_work_rates(struct work_rate *rates, int n) {
    for (int i = 0; i < n; i++) {
        free(rates[i].network);
        free(rates[i].host);
    }
    free(rates);
}

static const char peaks_sql[] =
    "SELECT r.network, r.dataset, r.batch, max(a.peak_bytes) FROM attempts a JOIN runs r"
    " USING (run_id) WHERE a.outcome = 'complete' AND a.peak_bytes > 0 GROUP BY 1, 2, 3";

int store_memory_peaks(struct store *s, struct memory_peak **peaks, int *n, struct error *e) {
    int room = 16, got;
    *peaks = need((size_t)room, sizeof **peaks);
    *n = 0;
    sqlite3_stmt *q = sql_prepare(s, peaks_sql, e);
    if (!q)
        return -1;
    while ((got = sql_step(s, q, e)) == 1) {
        *peaks = need_room(*peaks, *n, &room, sizeof **peaks);
        (*peaks)[(*n)++] =
            (struct memory_peak){need_string(sql_text(q, 0)), need_string(sql_text(q, 1)),
                                 (long)sqlite3_column_int64(q, 2), sqlite3_column_int64(q, 3)};
    }
    sqlite3_finalize(q);
    return got;
}

void store_free_memory_peaks(struct memory_peak *peaks, int n) {
    for (int i = 0; i < n; i++) {
        free(peaks[i].network);
        free(peaks[i].dataset);
    }
    free(peaks);
}
