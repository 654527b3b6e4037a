/* What exports with a column per bit-width ask of the database: the files of
 * harness/report/queries, with the parameters of a request; which split, and which reference, a
 * table is of. */
#ifndef REPORT_QUERY_H
#define REPORT_QUERY_H

#include "report/export.h"
#include "report/print/wide.h"

#include <sqlite3.h>

/* Bit k: at width k (wide.h: BITS_BY_LAYER, or BITS_EXTRA, cross) there are cells of which none,
 * one, or both of what is compared borrow batch norms; of `activations`: whose activations have
 * other bits. */
struct borrowing {
    uint64_t bits[3], activations[2];
};

/* How many configurations have several references equally near, and how many only namesakes
 * (references.sql). */
struct left_out {
    int64_t ways, namesakes;
};

/* A table while it is made: what was asked for, and what was found when its cells were read. Notes
 * speak of this. */
struct report {
    struct store *store;
    const struct export_request *request; // its split is chosen
    int calibrated;                       // -1: whichever, of a figure of training
    int top5;                             // 1: of data sets of many classes, top-5
    struct wide wide;                     // the cells; of a figure, their ranges alone
    struct table *tidy;                   // the cells as rows (tidy.h), for programs; else NULL
    struct borrowing borrowing;
    struct left_out left_out; // of tables of pairs
};

/* One state of the database for all queries of a request, whoever writes meanwhile: a transaction,
 * which fails when the grid is unknown; at its end temporary tables and views go. export_end
 * returns `status`. */
int export_begin(struct store *s, const struct export_request *request, struct error *e);
int export_end(struct store *s, int status);

/* Once in it, before any of the following: the accuracies that they read. */
int export_take_snapshot(struct store *s, const struct export_request *request, struct error *e);

/* The first half of that, after which figures choose what they show (chosen.h). */
int export_take_accuracies(const struct report *r, struct error *e);

/* The text of harness/report/queries/NAME.sql. */
const char *export_query(const char *name);

/* A statement of the report's database, its parameters :grid, :split, :schemes, :panels, :widths,
 * :against, :settings and :calibrated bound where it has them; NULL with a message. */
sqlite3_stmt *export_prepare(const struct report *r, const char *sql, struct error *e);

/* Runs statements that return no rows, with the same parameters. */
int export_run(const struct report *r, const char *sql, struct error *e);

/* Lets `say` have each row of a query, and `to` with it. */
int export_each(const struct report *r, const char *sql, void (*say)(sqlite3_stmt *row, void *to),
                void *to, struct error *e);

/* Fills the table `shown`, once in a transaction: the configurations that a table or figure shows,
 * which the queries of captions go by. `sql` has their config_id. */
int export_show(const struct report *r, const char *sql, struct error *e);

/* The cell of a row of a query of cells. */
struct wide_cell export_read_cell(struct report *r, sqlite3_stmt *q);

/* The columns of these rows, behind the labels; whoever resamples finds a pair of values from
 * COLUMN_SPREAD on. By their names: config_id, layer_bits, acts (bits of activations), seeds, sd,
 * half (of the 95 % interval), top5, loss, where a table has them. */
enum {
    COLUMN_BITS = WIDE_LABELS,
    COLUMN_N,
    COLUMN_IMAGES,
    COLUMN_BORROWED,
    COLUMN_ACTIVATIONS,
    COLUMN_MEAN,
    COLUMN_SPREAD
};

/* All cells of the query `name` into r->wide. */
int export_read_cells(struct report *r, const char *name, struct error *e);

/* Finds the reference of each configuration, for the queries of pairs, by the query `references` or
 * `ablations`. EXPORT_NOTHING when there is none at all. */
int export_find_references(struct report *r, const char *query, struct error *e);

/* ---- splits ---- */

/* Runs that have results: all, and those with some on the report's split and on the other. */
struct split_counts {
    int64_t runs, here, other;
};

/* The split that tables and figures are of, where `request` leaves it open. */
int export_choose_split(struct store *s, struct export_request *request, struct error *e);

int export_count_splits(const struct report *r, struct split_counts *out, struct error *e);
int export_of_val(const struct export_request *request);
const char *export_other_split(const struct export_request *request);

/* Nothing was found for a table of `what`: says why, and what would help. Returns EXPORT_NOTHING,
 * or -1 when the database cannot be read. */
int export_fail_empty(const struct report *r, const char *what, struct error *e);
int export_fail_pairs(const struct report *r, const char *what, struct error *e);

#endif
