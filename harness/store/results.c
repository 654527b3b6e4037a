/* What was measured: epochs, evaluations, layers, and with the last of them the completion of a
 * run. */
#include "store/attempts.h"
#include "store/evaluation.h"

#include <stddef.h>

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

int store_add_epochs(struct store *s, int64_t attempt, const struct epoch_row *rows, int n,
                     struct error *e) {
    if (attempt_begin_rows(s, attempt, e))
        return -1;
    return sql_end(
        s, sql_insert_rows(s, "epochs", epoch_columns, attempt, rows, n, sizeof *rows, e), e);
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

int store_finish(struct store *s, int64_t attempt, const struct evaluation_row *evaluations, int n,
                 const struct layer_row *layers, int n_layers, double cpu_seconds,
                 int64_t peak_bytes, struct error *e) {
    struct attempt_end end = {"complete", NULL, cpu_seconds, peak_bytes};
    enum outcome outcome;
    if (sql_begin(s, e))
        return -1;
    int status = attempt_outcome(s, attempt, &outcome, e);
    if (!status && outcome != OUTCOME_NONE && outcome != OUTCOME_COMPLETE)
        status = attempt_has_ended(s, attempt, e);
    if (!status)
        status =
            evaluation_insert(s, "evaluations", evaluation_columns, attempt, evaluations, n, e);
    if (!status)
        status = sql_insert_rows(s, "layers", layer_columns, attempt, layers, n_layers,
                                 sizeof *layers, e);
    if (!status && outcome == OUTCOME_NONE)
        status = attempt_write_end(s, attempt, &end, e);
    return sql_end(s, status, e);
}
