/* A table of texts and its four printed forms. UTF-8; knows nothing of what it shows. */
#ifndef REPORT_PRINT_TABLE_H
#define REPORT_PRINT_TABLE_H

#include "report/export.h"

enum { TABLE_BEST = 1, TABLE_HEAD = 2 }; // of a cell: printed bold; the head of rows below it

struct table {
    int columns, rows; // rows include the titles
    char **cells;      // (rows, columns); owned
    char *marks;       // (rows, columns): as above; owned
    int span[2];       // in TeX: columns from, to which a title stands above; equal: none
    const char *span_title;
    char *numeric;  // (columns): aligned right
    char *notes;    // lines below, each ended by a newline; owned
    int cell, room; // place of the next cell; how many there is memory for
};

/* `titles`: one per column; `numeric`: a string of 'l' and 'r', one per column. */
struct table *table_new(int columns, const char *const *titles, const char *numeric);
void table_free(struct table *t);

/* The next cell, row by row; NULL is an empty one. A row is complete with its last cell. */
void table_add(struct table *t, const char *text);
void table_addf(struct table *t, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A row that says of what network, say, the rows below it are: in TeX across the whole table. */
void table_add_head(struct table *t, const char *text);

/* The last cell is the best of some: bold in TeX and Markdown. */
void table_mark_best(struct table *t);

/* A line below the table: a comment in TeX, and in the wide form of CSV; none in CSV itself. */
void table_note(struct table *t, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Text: aligned, blanks between columns. CSV: RFC 4180; its wide form with notes after '#'. TeX
 * (tex.c): a booktabs tabular, texts escaped, no wider than two columns of an IEEE paper in letters
 * of 8 points. Markdown: a pipe table. */
void table_print(const struct table *t, enum export_format format, FILE *out);

/* The lines below it, alone. */
void table_print_notes(const struct table *t, FILE *out);

#endif
