/* Exports of databases for tests. */
#ifndef TESTS_STORE_EXPORT_FIXTURE_H
#define TESTS_STORE_EXPORT_FIXTURE_H

#include "report/export.h"
#include "store/fixture.h"

/* The printed table of a split, or of the one that the program chooses; against qat. Owned by the
 * caller; NULL with the message in `e`. */
char *exported_of(struct store *s, const char *what, enum export_format format, const char *grid,
                  const char *split, struct error *e);
char *exported(struct store *s, const char *what, enum export_format format, const char *grid,
               struct error *e);

/* The whole table, or its start, or a part of it. */
void assert_exported(struct store *s, const char *what, enum export_format format, const char *grid,
                     const char *expected);
void assert_starts(struct store *s, const char *what, enum export_format format, const char *grid,
                   const char *expected);
void assert_says(struct store *s, const char *what, const char *grid, const char *expected);

/* One cell: that of a column in the row that begins with these cells ("resnet8,qat,direct"), as CSV
 * has it. */
void assert_cell(struct store *s, const char *what, const char *grid, const char *row,
                 const char *column, const char *expected);

/* Two seeds of truncquant on resnet8 and one of fp32 on lenet_5. */
struct store *three_runs(const char *path);

/* Three seeds of qat, and two of truncquant in pairs with them: at 2 bits qat loses 41, 42, 43
 * points to truncation and truncquant 2, 4; against the stored 8 bits 42, 43, 44 and 4, 6. */
struct store *pairs(const char *path);

/* One run on one seed and cell, `correct` of 1000. */
void finished(struct store *s, struct run_row run, const char *split, int correct);

/* The settings of the rows of accuracy, in their order, each behind a semicolon; where there is no
 * such column, what stands in its place. */
void assert_settings(struct store *s, const char *grid, const char *expected);

#endif
