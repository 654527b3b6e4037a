/* Rows of evaluations as columns; evaluation.h is the manual. */
#include "store/evaluation.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>

#define COLUMN(type, member)                                                                       \
    { #member, type, offsetof(struct flat_evaluation, member) }

#define POINT                                                                                      \
    COLUMN(SQL_INT, epoch), COLUMN(SQL_TEXT, split), COLUMN(SQL_INT, bits),                        \
        COLUMN(SQL_INT, act_bits), COLUMN(SQL_INT, stored_bits), COLUMN(SQL_INT, bank),            \
        COLUMN(SQL_TEXT, inference), COLUMN(SQL_TEXT, precision), COLUMN(SQL_INT64, images)
#define COUNTS COLUMN(SQL_INT64, correct1), COLUMN(SQL_INT64, correct5), COLUMN(SQL_REAL, loss_sum)
/* What a learning curve has not. */
#define FINISHED COLUMN(SQL_INT, calibration_batches), COLUMN(SQL_CHARS, layer_bits)

const struct sql_column evaluation_identity[] = {POINT, FINISHED, {0}};
const struct sql_column evaluation_columns[] = {
    POINT, FINISHED, COLUMN(SQL_REAL, mean_bits), COUNTS, {0}};
const struct sql_column curve_columns[] = {POINT, COUNTS, {0}};

struct flat_evaluation evaluation_flat(const struct evaluation_row *row) {
    const struct point *p = &row->point;
    struct flat_evaluation flat = {.epoch = row->epoch,
                                   .split = row->split,
                                   .bits = p->bits,
                                   .act_bits = p->act_bits,
                                   .stored_bits = p->stored_bits,
                                   .bank = p->bank,
                                   .inference = cut_names[p->cut],
                                   .calibration_batches = p->calibration,
                                   .precision = p->arithmetic,
                                   .images = row->images,
                                   .correct1 = row->correct1,
                                   .correct5 = row->correct5,
                                   .loss_sum = row->loss_sum,
                                   .mean_bits = p->bits ? NAN : row->mean_bits};
    if (!p->bits)
        point_print_bits(p, flat.layer_bits, sizeof flat.layer_bits);
    return flat;
}

int evaluation_insert(struct store *s, const char *table, const struct sql_column *columns,
                      int64_t attempt, const struct evaluation_row *rows, int n, struct error *e) {
    struct flat_evaluation *flat = need((size_t)n + 1, sizeof *flat);
    for (int i = 0; i < n; i++)
        flat[i] = evaluation_flat(&rows[i]);
    int status = sql_insert_rows(s, table, columns, attempt, flat, n, sizeof *flat, e);
    free(flat);
    return status;
}
