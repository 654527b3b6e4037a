/* Tables of accuracies for programs (`--format csv`): a row per cell, the same columns always,
 * whatever the cells have in common, and nothing but cells; notes go elsewhere. */
#ifndef REPORT_TIDY_H
#define REPORT_TIDY_H

#include "report/query.h"

/* Columns: grid, scheme, network, dataset, seed (of every run in the mean, "1 2 3"), n, bits (of
 * widths by layer "8 4 2"; "cross"), act_bits, inference, calibrated (0, 1), split, the value
 * itself, sd, low, high (ends of its 95 % interval), top5, loss, images, commit (that evaluated),
 * settings ("key=value; ..." of all that is not at its default) and, in tables of pairs, against.
 * Empty where there is nothing. `value`: what the value is called. */
int tidy_start(struct report *r, const char *value, int pairs, struct error *e);

/* A row while its cell is read: all but the value and its interval. Owned; NULL: empty. */
enum { TIDY_COLUMNS = 21 };
struct tidy_row {
    char *cells[TIDY_COLUMNS];
};

/* Of the row of a query of cells (query.h) where `q` stands. */
int tidy_read(struct report *r, sqlite3_stmt *q, struct tidy_row *row, struct error *e);

/* The next row of r->tidy; frees what `row` owns. */
void tidy_put(struct report *r, struct tidy_row *row, const struct wide_cell *cell);

#endif
