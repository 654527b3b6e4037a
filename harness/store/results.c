/* What was measured: epochs, evaluations, layers, and with the last of them the completion of a
 * run. */
#include "store/attempts.h"
#include "store/sql.h"

#include <stddef.h>

#define COLUMN(row, type, member)                                                                  \
    { #member, type, offsetof(struct row, member) }

static const struct sql_column epoch_columns[] = {
    COLUMN(epoch_row, SQL_INT, epoch),          COLUMN(epoch_row, SQL_INT, bits),
    COLUMN(epoch_row, SQL_REAL, loss),          COLUMN(epoch_row, SQL_REAL, accuracy),
    COLUMN(epoch_row, SQL_REAL, learning_rate), COLUMN(epoch_row, SQL_REAL, seconds),
    COLUMN(epoch_row, SQL_INT64, images),       {0},
};

static const struct sql_column evaluation_columns[] = {
    COLUMN(evaluation_row, SQL_INT, epoch),
    COLUMN(evaluation_row, SQL_TEXT, split),
    COLUMN(evaluation_row, SQL_INT, bits),
    COLUMN(evaluation_row, SQL_INT, act_bits),
    COLUMN(evaluation_row, SQL_INT, stored_bits),
    COLUMN(evaluation_row, SQL_INT, bank),
    COLUMN(evaluation_row, SQL_TEXT, inference),
    COLUMN(evaluation_row, SQL_INT, calibration_batches),
    COLUMN(evaluation_row, SQL_TEXT, precision),
    COLUMN(evaluation_row, SQL_INT64, images),
    COLUMN(evaluation_row, SQL_INT64, correct1),
    COLUMN(evaluation_row, SQL_INT64, correct5),
    COLUMN(evaluation_row, SQL_REAL, loss_sum),
    {0},
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
    enum outcome outcome;
    if (sql_begin(s, e))
        return -1;
    int status = attempt_outcome(s, attempt, &outcome, e);
    if (!status)
        status = sql_insert_rows(s, "epochs", epoch_columns, attempt, rows, n, sizeof *rows, e);
    return sql_end(s, status, e);
}

static int insert_evaluations(struct store *s, int64_t attempt, const struct evaluation_row *rows,
                              int n, struct error *e) {
    return sql_insert_rows(s, "evaluations", evaluation_columns, attempt, rows, n, sizeof *rows, e);
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
        status = insert_evaluations(s, attempt, evaluations, n, e);
    if (!status)
        status = sql_insert_rows(s, "layers", layer_columns, attempt, layers, n_layers,
                                 sizeof *layers, e);
    if (!status && outcome == OUTCOME_NONE)
        status = attempt_write_end(s, attempt, &end, e);
    return sql_end(s, status, e);
}
