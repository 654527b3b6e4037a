/* A table as LaTeX: a booktabs tabular for a `table*` of two columns, such as IEEE's, in letters of
 * 8 points. It is never wider than such a page: what does not fit is broken into lines, by the
 * widths of the letters of Times. It needs the package booktabs. */
#ifndef REPORT_PRINT_TEX_H
#define REPORT_PRINT_TEX_H

#include "report/print/table.h"

/* Points that fit; the width of IEEE's page is 516. */
enum { TEX_WIDTH = 508 };

/* How wide the table is, in points, where no text is broken. */
double table_tex_width(const struct table *t);

void table_print_tex(const struct table *t, FILE *out);

#endif
