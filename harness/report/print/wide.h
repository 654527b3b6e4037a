/* A table of results with a column per bit-width, laid out from rows of one cell each: the form of
 * every table of accuracies and of what is derived from them. Knows nothing of what the cells mean;
 * nothing is averaged here. */
#ifndef REPORT_PRINT_WIDE_H
#define REPORT_PRINT_WIDE_H

#include "base/text.h"
#include "report/print/table.h"

/* How a mean's spread is shown. CSV has it in columns of its own. Numbers have minus signs but in
 * CSV, where they have hyphens. */
enum spread {
    SPREAD_DEVIATION, // 63.0 ± 1.4; CSV: sd
    SPREAD_HALF,      // -2.3 ± 0.4, half of a 95 % interval; CSV: lo, hi
    SPREAD_INTERVAL,  // 97 [95, 99]; CSV: lo, hi
};

/* Besides columns of widths, one for layers that have widths of their own, where some row has such
 * (its `bits` is BITS_BY_LAYER; the settings of the row say which), and an extra one. */
enum { WIDE_WIDTHS = 9, WIDE_COLUMNS = WIDE_WIDTHS + 2, WIDE_LABELS = 6 };
enum { BITS_BY_LAYER = FLOAT_BITS + 1, BITS_EXTRA = 0 };
extern const char wide_by_layer[]; // its title

/* Labels in the order of the titles: dataset, network, scheme, settings, against (what a row is
 * compared with), inference. */
enum { LABEL_DATASET, LABEL_NETWORK, LABEL_SCHEME, LABEL_SETTINGS, LABEL_AGAINST, LABEL_INFERENCE };

struct wide_style {
    enum spread spread;
    int digits;        // behind the point; CSV has three more
    int every_width;   // CSV: columns of widths that no row has, too
    int best;          // the largest of rows that compare, and what its interval holds, are marked
    const char *of;    // title of the column with what a row is compared with; NULL: "against"
    int inference;     // a column that says which
    int counts;        // a column `n`: seeds
    const char *extra; // title of the extra column, the last; NULL: there is none
    const char *split; // the same in every row, in a column before the labels; NULL: there is none
};

struct wide_cell {
    const char *labels[WIDE_LABELS]; // "" where a label is not used
    int bits;                        // 1 ... 8, 32, BITS_BY_LAYER, BITS_EXTRA
    int64_t n, images;
    double mean;      // NaN: n/a, though the cell has a place
    double spread[2]; // deviation, or half; or the two ends; NaN: none
    double half;      // of the mean's 95 % interval; NaN: none
};

struct wide_row {
    char *labels[WIDE_LABELS]; // owned
    int64_t n[2];              // seeds of its cells: least, most
    int there[WIDE_COLUMNS];
    double mean[WIDE_COLUMNS], spread[WIDE_COLUMNS][2], half[WIDE_COLUMNS];
};

struct wide {
    struct wide_style style;
    int n, room;
    struct wide_row *rows;                    // owned
    int datasets, settings, against, spreads; // more than one data set; some of each of the others
    int used[WIDE_COLUMNS];                   // columns that some row has
    int64_t seeds[2], images[2];              // least, most
};

void wide_start(struct wide *w, const struct wide_style *style);
void wide_free(struct wide *w);

/* The next cell; it belongs to the row of the cell before it when all labels are equal. */
void wide_add(struct wide *w, const struct wide_cell *cell);

/* The table without notes, owned by the caller. In TeX, rows stand below their network and data
 * set, and spreads below their means where there is no room beside them. */
struct table *wide_table(const struct wide *w, enum export_format format);

#endif
