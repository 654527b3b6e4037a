/* Rows of cells; tidy.h is the manual. */
#include "report/tidy.h"

#include "store/sql.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { DIGITS = 4, NUMBER = 48 };
enum {
    GRID,
    SEED = 4,
    BITS = 6,
    CALIBRATED = 9,
    SPLIT,
    VALUE,
    SD,
    LOW,
    HIGH,
    COMMIT = 18,
    SETTINGS,
    AGAINST
};

/* Titles, and the columns of queries of cells that stand there as they are; NULL: made here. */
static const struct {
    const char *title, *source;
} columns[TIDY_COLUMNS] = {
    {"grid", NULL},         {"scheme", "scheme"}, {"network", "network"},
    {"dataset", "dataset"}, {"seed", NULL},       {"n", "n"},
    {"bits", NULL},         {"act_bits", "acts"}, {"inference", "inference"},
    {"calibrated", NULL},   {"split", NULL},      {"value", NULL},
    {"sd", "sd"},           {"low", NULL},        {"high", NULL},
    {"top5", "top5"},       {"loss", "loss"},     {"images", "images"},
    {"commit", NULL},       {"settings", NULL},   {"against", "against"},
};

int tidy_start(struct report *r, const char *value, int pairs, struct error *e) {
    const char *titles[TIDY_COLUMNS];
    char kinds[TIDY_COLUMNS + 1] = "";
    for (int c = 0; c < TIDY_COLUMNS; c++) {
        titles[c] = c == VALUE ? value : columns[c].title;
        kinds[c] = 'l';
    }
    r->tidy = table_new(TIDY_COLUMNS - !pairs, titles, kinds);
    return export_run(r, export_query("tidy"), e);
}

/* ---- what a query says ---- */

static int find_column(sqlite3_stmt *q, const char *name) {
    int c = sqlite3_column_count(q) - 1;
    while (c >= 0 && strcmp(sqlite3_column_name(q, c), name) != 0)
        c--;
    return c;
}

/* A number with as many digits as others have; NULL where there is none. */
static char *number_text(double value) {
    char text[NUMBER];
    if (isnan(value))
        return NULL;
    snprintf(text, sizeof text, "%.*f", DIGITS, value);
    return need_string(text);
}

static char *column_text(sqlite3_stmt *q, const char *name) {
    int c = find_column(q, name);
    if (c < 0 || sqlite3_column_type(q, c) == SQLITE_NULL)
        return NULL;
    return sqlite3_column_type(q, c) == SQLITE_FLOAT ? number_text(sqlite3_column_double(q, c))
                                                     : sql_take_text(q, c);
}

static int by_number(const void *a, const void *b) {
    long x = *(const long *)a, y = *(const long *)b;
    return (x > y) - (x < y);
}

/* "3 1 2" as "1 2 3"; SQL has no order for what it strings together. */
static char *sort_seeds(char *text) {
    long n = 0, room = (long)strlen(text) / 2 + 1, *seeds = need((size_t)room, sizeof *seeds);
    for (char *at = text, *end; *at; at = end + (*end == ' ')) {
        seeds[n++] = strtol(at, &end, 10);
        if (end == at)
            break;
    }
    qsort(seeds, (size_t)n, sizeof *seeds, by_number);
    char *at = text;
    for (long i = 0; i < n; i++)
        at += sprintf(at, i ? " %ld" : "%ld", seeds[i]);
    free(seeds);
    return text;
}

static char *bits_text(sqlite3_stmt *q) {
    char text[NUMBER];
    int bits = sqlite3_column_int(q, COLUMN_BITS);
    if (bits == BITS_BY_LAYER)
        return column_text(q, "layer_bits");
    if (bits == BITS_EXTRA)
        return need_string("cross");
    snprintf(text, sizeof text, "%d", bits);
    return need_string(text);
}

/* What tidy.sql found of the row's configuration. */
static int read_config(struct report *r, sqlite3_stmt *q, struct tidy_row *row, struct error *e) {
    static const int places[] = {GRID, COMMIT, SETTINGS};
    sqlite3_stmt *found =
        export_prepare(r, "SELECT grids, commits, settings FROM temp.tidy WHERE config_id = ?1", e);
    if (!found)
        return -1;
    sqlite3_bind_value(found, 1, sqlite3_column_value(q, find_column(q, "config_id")));
    int got = sql_step(r->store, found, e);
    for (int i = 0; i < 3 && got == 1; i++)
        row->cells[places[i]] = sql_take_text(found, i);
    sqlite3_finalize(found);
    return got < 0 ? -1 : 0;
}

int tidy_read(struct report *r, sqlite3_stmt *q, struct tidy_row *row, struct error *e) {
    *row = (struct tidy_row){0};
    for (int c = 0; c < TIDY_COLUMNS; c++)
        if (columns[c].source)
            row->cells[c] = column_text(q, columns[c].source);
    row->cells[SEED] = column_text(q, "seeds");
    if (row->cells[SEED])
        sort_seeds(row->cells[SEED]);
    row->cells[BITS] = bits_text(q);
    if (!row->cells[AGAINST] || !row->cells[AGAINST][0]) { // there is one on each network
        free(row->cells[AGAINST]);
        row->cells[AGAINST] = need_string(r->request->against ? r->request->against : "");
    }
    row->cells[CALIBRATED] = need_string(r->calibrated ? "1" : "0");
    row->cells[SPLIT] = need_string(r->request->split);
    int half = find_column(q, "half");
    if (half >= 0 && sqlite3_column_type(q, half) != SQLITE_NULL)
        for (int end = 0; end < 2; end++)
            row->cells[LOW + end] = number_text(sqlite3_column_double(q, COLUMN_MEAN) +
                                                (end ? 1 : -1) * sqlite3_column_double(q, half));
    return read_config(r, q, row, e);
}

/* ---- the table ---- */

void tidy_put(struct report *r, struct tidy_row *row, const struct wide_cell *cell) {
    row->cells[VALUE] = number_text(cell->mean);
    if (!isnan(cell->spread[1])) // by bootstrap: both ends
        for (int end = 0; end < 2; end++)
            row->cells[LOW + end] = number_text(cell->spread[end]);
    for (int c = 0; c < TIDY_COLUMNS; c++) {
        if (c < r->tidy->columns)
            table_add(r->tidy, row->cells[c]);
        free(row->cells[c]);
    }
}
