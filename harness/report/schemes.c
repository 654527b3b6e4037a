/* Styles of schemes; schemes.h is the manual. */
#include "report/schemes.h"

#include "store/sql.h"

#include <string.h>

static const char *const mark_names[MARKS] = {
    [MARK_DIAMOND] = "diamond",   [MARK_SQUARE] = "square",
    [MARK_TRIANGLE] = "triangle", [MARK_CIRCLE] = "circle",
    [MARK_STAR] = "star",         [MARK_INVERTED_TRIANGLE] = "inverted-triangle",
    [MARK_LEFT] = "left",         [MARK_PENTAGON] = "pentagon",
    [MARK_RIGHT] = "right",       [MARK_PLUS] = "plus",
    [MARK_CROSS] = "cross",       [MARK_ASTERISK] = "asterisk",
    [MARK_BAR] = "bar",           [MARK_DASH] = "dash",
    [MARK_LOZENGE] = "lozenge",
};

/* What is left for schemes that have none of their own. The colours are about as far from all of
 * the registry, and from each other, as those are, for the colour-blind too (a test measures it);
 * nothing else has the marks. For ever: neither may be changed, nor their number. */
static const char *const spare_colours[] = {"#660055", "#880033", "#000055", "#8800DD", "#AA0088"};
static const char *const spare_marks[] = {"parallelogram", "flower", "sun", "greek-cross"};
enum {
    SPARE_COLOURS = sizeof spare_colours / sizeof *spare_colours,
    SPARE_MARKS = sizeof spare_marks / sizeof *spare_marks,
    SPARE_STYLES = SPARE_COLOURS * SPARE_MARKS
};

const char *scheme_mark_name(enum mark mark) {
    return mark_names[mark];
}

/* FNV-1a. */
static int spare_style(const char *scheme) {
    uint32_t hash = 2166136261U;
    for (const char *p = scheme; *p; p++)
        hash = (hash ^ (unsigned char)*p) * 16777619U;
    return (int)(hash % SPARE_STYLES);
}

int scheme_style(const struct quantizer *const *table, const char *scheme) {
    const struct quantizer *q = quantizer_find(table, scheme);
    return q && q->look.place ? q->look.place : STYLE_BY_NAME + spare_style(scheme);
}

void scheme_print_styles(const struct quantizer *const *table, FILE *out) {
    fputs("style,scheme,title,colour,mark\n", out);
    for (; *table; table++) {
        const struct quantizer *q = *table;
        if (q->look.place)
            fprintf(out, "%d,%s,\"%s\",%s,%s\n", q->look.place, q->name,
                    q->title ? q->title : q->name, q->look.colour, mark_names[q->look.mark]);
    }
    for (int i = 0; i < SPARE_STYLES; i++)
        fprintf(out, "%d,,,%s,%s\n", STYLE_BY_NAME + i, spare_colours[i % SPARE_COLOURS],
                spare_marks[i / SPARE_COLOURS]);
}

/* ---- in the database ---- */

static int add_scheme(struct store *s, const struct quantizer *const *table, const char *scheme,
                      struct error *e) {
    const struct quantizer *known = quantizer_find(table, scheme);
    sqlite3_stmt *q = sql_prepare(
        s, "INSERT OR IGNORE INTO temp.scheme_places VALUES (?1, nullif(?2, 0), ?3)", e);
    if (!q)
        return -1;
    sqlite3_bind_text(q, 1, scheme, -1, SQLITE_STATIC);
    sqlite3_bind_int(q, 2, known ? known->look.place : 0);
    sqlite3_bind_int(q, 3, scheme_style(table, scheme));
    int status = sql_step(s, q, e);
    sqlite3_finalize(q);
    return status;
}

static int add_recorded(struct store *s, const struct quantizer *const *table, struct error *e) {
    sqlite3_stmt *q = sql_prepare(s, "SELECT DISTINCT scheme FROM runs", e);
    int got = q ? 1 : -1;
    while (got == 1 && (got = sql_step(s, q, e)) == 1)
        if (add_scheme(s, table, sql_text(q, 0), e))
            got = -1;
    sqlite3_finalize(q);
    return got;
}

int scheme_declare(struct store *s, const struct quantizer *const *table, struct error *e) {
    int status = sql_run(s,
                         "DROP VIEW IF EXISTS temp.scheme_places;"
                         "CREATE TEMP TABLE scheme_places (scheme TEXT PRIMARY KEY, place, style)",
                         e);
    for (int i = 0; !status && table[i]; i++)
        status = add_scheme(s, table, table[i]->name, e);
    return status ? -1 : add_recorded(s, table, e);
}
