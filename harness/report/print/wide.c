/* Tables with a column per bit-width; wide.h is the manual. */
#include "report/print/wide.h"

#include "base/error.h"
#include "report/print/tex.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CELL_SIZE = 48 };

const char wide_by_layer[] = "by layer";

static const int column_bits[WIDE_COLUMNS] = {
    1, 2, 3, 4, 5, 6, 7, 8, FLOAT_BITS, BITS_BY_LAYER, BITS_EXTRA};

void wide_start(struct wide *w, const struct wide_style *style) {
    *w = (struct wide){.style = *style};
}

void wide_free(struct wide *w) {
    for (int i = 0; i < w->n; i++)
        for (int l = 0; l < WIDE_LABELS; l++)
            free(w->rows[i].labels[l]);
    free(w->rows);
    *w = (struct wide){0};
}

/* ---- cells to rows ---- */

static int continues(const struct wide *w, const struct wide_cell *cell) {
    if (!w->n)
        return 0;
    for (int l = 0; l < WIDE_LABELS; l++)
        if (strcmp(w->rows[w->n - 1].labels[l], cell->labels[l]) != 0)
            return 0;
    return 1;
}

static void start_row(struct wide *w, const struct wide_cell *cell) {
    if (w->n == w->room) {
        w->room = w->room ? 2 * w->room : 16;
        struct wide_row *more = need((size_t)w->room, sizeof *more);
        if (w->n)
            memcpy(more, w->rows, (size_t)w->n * sizeof *more);
        free(w->rows);
        w->rows = more;
    }
    struct wide_row *r = &w->rows[w->n++];
    for (int l = 0; l < WIDE_LABELS; l++)
        r->labels[l] = need_string(cell->labels[l]);
    w->settings |= r->labels[LABEL_SETTINGS][0] != '\0';
    w->against |= r->labels[LABEL_AGAINST][0] != '\0';
    w->datasets |= strcmp(w->rows[0].labels[LABEL_DATASET], r->labels[LABEL_DATASET]) != 0;
}

static void widen(int64_t range[2], int64_t value) {
    if (!range[0] || value < range[0])
        range[0] = value;
    if (value > range[1])
        range[1] = value;
}

void wide_add(struct wide *w, const struct wide_cell *cell) {
    if (!continues(w, cell))
        start_row(w, cell);
    struct wide_row *r = &w->rows[w->n - 1];
    widen(w->seeds, cell->n);
    widen(w->images, cell->images);
    widen(r->n, cell->n);
    for (int c = 0; c < WIDE_COLUMNS; c++) {
        if (column_bits[c] != cell->bits)
            continue;
        w->used[c] = r->there[c] = 1;
        r->mean[c] = cell->mean;
        r->half[c] = cell->half;
        memcpy(r->spread[c], cell->spread, sizeof cell->spread);
        w->spreads |= !isnan(cell->spread[0]);
    }
}

/* ---- the table ---- */

static int has_spread(const struct wide_row *r, int c) {
    return r->there[c] && !isnan(r->mean[c]) && !isnan(r->spread[c][0]);
}

static int spread_columns(const struct wide *w, int csv) {
    return !csv ? 0 : w->style.spread == SPREAD_DEVIATION ? 1 : 2;
}

/* How a table is laid out in a format. */
struct layout {
    int csv, blocks, beside;   // rows below their network; spreads beside their means
    int labels[WIDE_LABELS];   // which are shown
    int columns[WIDE_COLUMNS]; // likewise
};

static struct layout layout_of(const struct wide *w, enum export_format format, int beside) {
    struct layout l = {
        .csv = format == EXPORT_WIDE, .blocks = format == EXPORT_TEX, .beside = beside};
    const int labels[WIDE_LABELS] = {
        w->datasets && !l.blocks, !l.blocks, 1, w->settings, w->against, w->style.inference};
    memcpy(l.labels, labels, sizeof labels);
    for (int c = 0; c < WIDE_COLUMNS; c++)
        l.columns[c] = w->used[c] || (l.csv && w->style.every_width && c < WIDE_WIDTHS);
    return l;
}

/* Titles of the cells: a width, and in CSV what its spread is made of. */
static int add_titles(const struct wide *w, const struct layout *l, char names[][16],
                      const char **titles) {
    static const char *const suffixes[][2] = {[SPREAD_DEVIATION] = {"sd", ""},
                                              [SPREAD_HALF] = {"lo", "hi"},
                                              [SPREAD_INTERVAL] = {"lo", "hi"}};
    int n = 0;
    for (int c = 0; c < WIDE_COLUMNS; c++) {
        char name[12];
        if (!l->columns[c])
            continue;
        snprintf(name, sizeof name, "%d", column_bits[c]);
        if (c >= WIDE_WIDTHS)
            snprintf(name, sizeof name, "%s",
                     column_bits[c] == BITS_EXTRA ? w->style.extra : wide_by_layer);
        for (int part = 0; part <= spread_columns(w, l->csv); part++) {
            snprintf(names[n], sizeof names[n], part ? "%s %s" : "%s", name,
                     part ? suffixes[w->style.spread][part - 1] : "");
            titles[n] = names[n];
            n++;
        }
    }
    return n;
}

/* In TeX, what the numbers above widths are. */
static void span_widths(const struct layout *l, int first, struct table *t) {
    int n = 0;
    for (int c = 0; c < WIDE_WIDTHS; c++)
        n += l->columns[c];
    t->span[0] = first;
    t->span[1] = first + n;
    t->span_title = "bits of a weight";
}

static struct table *start_table(const struct wide *w, const struct layout *l) {
    static const char *const label_titles[WIDE_LABELS] = {"dataset",  "network", "scheme",
                                                          "settings", "against", "inference"};
    const char *titles[1 + WIDE_LABELS + 1 + 3 * WIDE_COLUMNS];
    char numeric[sizeof titles / sizeof *titles + 1] = "", names[3 * WIDE_COLUMNS][16];
    int n = 0;
    if (w->style.split)
        titles[n++] = "split";
    for (int i = 0; i < WIDE_LABELS; i++)
        if (l->labels[i])
            titles[n++] = i == LABEL_AGAINST && w->style.of ? w->style.of : label_titles[i];
    int labels = n;
    if (w->style.counts)
        titles[n++] = "n";
    int first = n;
    n += add_titles(w, l, names, titles + n);
    memset(numeric, 'l', (size_t)labels);
    memset(numeric + labels, 'r', (size_t)(n - labels));
    struct table *t = table_new(n, titles, numeric);
    span_widths(l, first, t);
    return t;
}

static void add_labels(struct table *t, const struct wide *w, const struct layout *l,
                       const struct wide_row *r) {
    if (w->style.split)
        table_add(t, r ? w->style.split : "");
    for (int i = 0; i < WIDE_LABELS; i++)
        if (l->labels[i])
            table_add(t, r ? r->labels[i] : "");
    if (!w->style.counts)
        return;
    if (!r)
        table_add(t, "");
    else if (r->n[0] == r->n[1])
        table_addf(t, "%lld", (long long)r->n[0]);
    else
        table_addf(t, "%lld-%lld", (long long)r->n[0], (long long)r->n[1]);
}

/* A number that rounds to nothing has no sign; another below it has a minus, not a hyphen. */
static void print_number(double value, int digits, char *text) {
    char plain[CELL_SIZE - 4];
    snprintf(plain, sizeof plain, "%.*f", digits, value);
    int negative = plain[0] == '-', nothing = !plain[strspn(plain, "-0.")];
    snprintf(text, CELL_SIZE, "%s%s", negative && !nothing ? "−" : "", plain + negative);
}

static void print_spread(const struct wide *w, const struct wide_row *r, int c, char *text) {
    char lo[CELL_SIZE], hi[CELL_SIZE];
    print_number(r->spread[c][0], w->style.digits, lo);
    if (w->style.spread != SPREAD_INTERVAL) {
        snprintf(text, 2 * CELL_SIZE + 8, "±%s", lo);
        return;
    }
    print_number(r->spread[c][1], w->style.digits, hi);
    snprintf(text, 2 * CELL_SIZE + 8, "[%s, %s]", lo, hi);
}

static void add_csv_cell(struct table *t, const struct wide *w, const struct wide_row *r, int c) {
    int digits = w->style.digits + 3; // a program reads on; people want to compare
    int some = has_spread(r, c);
    if (r->there[c] && !isnan(r->mean[c]))
        table_addf(t, "%.*f", digits, r->mean[c]);
    else
        table_add(t, "n/a");
    double lo = r->spread[c][0], hi = r->spread[c][1];
    if (w->style.spread == SPREAD_HALF)
        hi = r->mean[c] + lo, lo = r->mean[c] - lo;
    for (int part = 1; part <= spread_columns(w, 1); part++) {
        if (some)
            table_addf(t, "%.*f", digits, part == 1 ? lo : hi);
        else
            table_add(t, "n/a");
    }
}

static void add_cell(struct table *t, const struct wide *w, const struct wide_row *r, int c,
                     int beside) {
    char mean[CELL_SIZE] = "n/a", spread[2 * CELL_SIZE + 8];
    if (r->there[c] && !isnan(r->mean[c]))
        print_number(r->mean[c], w->style.digits, mean);
    if (!beside || !has_spread(r, c)) {
        table_add(t, mean);
        return;
    }
    print_spread(w, r, c, spread);
    if (w->style.spread == SPREAD_INTERVAL)
        table_addf(t, "%s %s", mean, spread);
    else
        table_addf(t, "%s ± %s", mean, spread + strlen("±"));
}

/* In text, spreads stand below their means: a line of nine cells with both is too long. */
static void add_spreads(struct table *t, const struct wide *w, const struct layout *l,
                        const struct wide_row *r) {
    char text[2 * CELL_SIZE + 8];
    int some = 0;
    for (int c = 0; c < WIDE_COLUMNS; c++)
        some |= has_spread(r, c);
    if (!some)
        return;
    add_labels(t, w, l, NULL);
    for (int c = 0; c < WIDE_COLUMNS; c++) {
        if (!l->columns[c])
            continue;
        text[0] = '\0';
        if (has_spread(r, c))
            print_spread(w, r, c, text);
        table_add(t, text);
    }
}

/* ---- the best ---- */

/* Rows that compare: of one network, data set and inference. */
static int compare(const struct wide_row *a, const struct wide_row *b) {
    static const int labels[] = {LABEL_DATASET, LABEL_NETWORK, LABEL_INFERENCE};
    for (int i = 0; i < 3; i++)
        if (strcmp(a->labels[labels[i]], b->labels[labels[i]]) != 0)
            return 0;
    return 1;
}

static int has_mean(const struct wide_row *r, int c) {
    return r->there[c] && !isnan(r->mean[c]);
}

/* Whether the cell is the best of those that compare with it, or within the interval of that. Alone
 * it is no best. */
static int is_best(const struct wide *w, const struct wide_row *r, int c) {
    const struct wide_row *best = r;
    int others = 0;
    if (!w->style.best || !has_mean(r, c))
        return 0;
    for (const struct wide_row *o = w->rows; o < w->rows + w->n; o++) {
        if (!has_mean(o, c) || !compare(o, r))
            continue;
        others += o != r;
        best = o->mean[c] > best->mean[c] ? o : best;
    }
    double half = isnan(best->half[c]) ? 0 : best->half[c];
    return others && r->mean[c] >= best->mean[c] - half;
}

/* ---- rows ---- */

static void add_block(struct table *t, const struct wide *w, const struct wide_row *r) {
    const char *const *above = r > w->rows ? (const char *const *)r[-1].labels : NULL;
    if (above && !strcmp(above[LABEL_NETWORK], r->labels[LABEL_NETWORK]) &&
        !strcmp(above[LABEL_DATASET], r->labels[LABEL_DATASET]))
        return;
    char *text = NULL;
    size_t size;
    FILE *out = need_stream(&text, &size);
    fprintf(out, "%s on %s", r->labels[LABEL_NETWORK], r->labels[LABEL_DATASET]);
    fclose(out);
    table_add_head(t, text);
    free(text);
}

static void add_row(struct table *t, const struct wide *w, const struct layout *l,
                    const struct wide_row *r) {
    if (l->blocks)
        add_block(t, w, r);
    add_labels(t, w, l, r);
    for (int c = 0; c < WIDE_COLUMNS; c++) {
        if (!l->columns[c])
            continue;
        if (l->csv)
            add_csv_cell(t, w, r, c);
        else
            add_cell(t, w, r, c, l->beside);
        if (!l->csv && is_best(w, r, c))
            table_mark_best(t);
    }
    if (!l->csv && !l->beside)
        add_spreads(t, w, l, r);
}

static struct table *lay_out(const struct wide *w, enum export_format format, int beside) {
    struct layout l = layout_of(w, format, beside);
    struct table *t = start_table(w, &l);
    for (int i = 0; i < w->n; i++)
        add_row(t, w, &l, &w->rows[i]);
    return t;
}

struct table *wide_table(const struct wide *w, enum export_format format) {
    struct table *t = lay_out(w, format, format == EXPORT_TEX || format == EXPORT_MD);
    if (format != EXPORT_TEX || table_tex_width(t) <= TEX_WIDTH)
        return t;
    table_free(t);
    return lay_out(w, format, 0);
}
