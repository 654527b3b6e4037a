/* Evaluations as the tables have them, column by column. For harness/store only. */
#ifndef STORE_EVALUATION_H
#define STORE_EVALUATION_H

#include "store/sql.h"

/* What evaluation_flat makes of a row, and the columns of it: those that say what was evaluated, by
 * which two are of the same; all of a finished model's; and those of a learning curve. */
struct flat_evaluation {
    int epoch;
    const char *split;
    int bits;
    char layer_bits[POINT_BITS];
    int act_bits, stored_bits, bank;
    const char *inference;
    int calibration_batches;
    const char *precision;
    int64_t images, correct1, correct5;
    double loss_sum, mean_bits;
};
extern const struct sql_column evaluation_identity[], evaluation_columns[], curve_columns[];

/* It borrows the row. */
struct flat_evaluation evaluation_flat(const struct evaluation_row *row);

/* Insert them into a table; those that are there stay. Inside a transaction. */
int evaluation_insert(struct store *s, const char *table, const struct sql_column *columns,
                      int64_t attempt, const struct evaluation_row *rows, int n, struct error *e);

#endif
