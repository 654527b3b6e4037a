/* What is shown of all that there is; chosen.h is the manual, queries/choose.sql takes the rest
 * out. A name that is of nothing is an error: whoever mistyped it would miss a curve. */
#include "report/chosen.h"

#include "base/text.h"
#include "store/sql.h"

#include <stdlib.h>
#include <string.h>

/* ---- lists ---- */

char *chosen_names(const char *option, const char *text, struct error *e) {
    char *list, *copy, *rest, *name;
    size_t size;
    int empty = 0;
    if (!text)
        return NULL;
    FILE *out = need_stream(&list, &size);
    rest = copy = need_string(text);
    fputc(',', out);
    while ((name = strsep(&rest, ","))) {
        name = text_trim(name);
        empty = empty || !*name;
        fprintf(out, "%s,", name);
    }
    fclose(out);
    free(copy);
    if (!empty)
        return list;
    free(list);
    fail(e, "export: %s '%.64s' has an empty name in its list; separate names by one comma", option,
         text);
    return NULL;
}

char *chosen_widths(const char *option, const char *text, struct error *e) {
    struct widths w;
    char *list = NULL, *copy = text ? need_string(text) : NULL;
    size_t size;
    for (char *c = copy; c && *c; c++)
        *c = *c == ',' ? ' ' : *c;
    if (text && (text_widths(copy, &w) || !w.n))
        fail(e, "export: %s '%.64s' is no list of bit-widths, 1 to 8 and 32, each once", option,
             text);
    else if (text) {
        FILE *out = need_stream(&list, &size);
        fputc(',', out);
        for (int i = 0; i < w.n; i++)
            fprintf(out, "%d,", w.bits[i]);
        fclose(out);
    }
    free(copy);
    return list;
}

int chosen_some(const struct export_request *request) {
    return request->schemes || request->panels || request->widths;
}

/* ---- names of nothing ---- */

/* ?1 is the list. A row: the first of its names that is not among those of the second query, which
 * are the other column. */
#define UNKNOWN(OF)                                                                                \
    "WITH RECURSIVE there(name) AS (" OF "),"                                                      \
    " named(name, rest) AS (SELECT NULL, substr(?1, 2) UNION ALL"                                  \
    " SELECT substr(rest, 1, instr(rest, ',') - 1), substr(rest, instr(rest, ',') + 1)"            \
    " FROM named WHERE rest <> '')"                                                                \
    " SELECT name, (SELECT group_concat(name, ', ') FROM (SELECT name FROM there ORDER BY name))"  \
    " FROM named WHERE name IS NOT NULL AND name NOT IN (SELECT name FROM there)"

static const struct {
    const char *option, *sql;
} of_names[] = {
    {"--scheme", UNKNOWN("SELECT DISTINCT scheme FROM snapshot")},
    {"--panel", UNKNOWN("SELECT network FROM snapshot UNION SELECT dataset FROM snapshot")},
};

static int check_names(const struct report *r, int i, const char *list, struct error *e) {
    sqlite3_stmt *q = list ? sql_prepare(r->store, of_names[i].sql, e) : NULL;
    if (!q)
        return list ? -1 : 0;
    sqlite3_bind_text(q, 1, list, -1, SQLITE_STATIC);
    int got = sql_step(r->store, q, e);
    if (got == 1) {
        const char *there = (const char *)sqlite3_column_text(q, 1);
        fail_at(e, r->store->path, 0, "%s %.64s: no results are of that; there are: %s",
                of_names[i].option, sql_text(q, 0), there ? there : "none");
    }
    sqlite3_finalize(q);
    return got == 1 ? EXPORT_NOTHING : got;
}

int chosen_fail_empty(const struct report *r, const char *what, struct error *e) {
    fail_at(e, r->store->path, 0,
            "has no %s of what --scheme, --panel and --widths choose; choose more", what);
    return EXPORT_NOTHING;
}

/* Whether there is something; -1 on error. */
static int some_left(const struct report *r, struct error *e) {
    sqlite3_stmt *q = sql_prepare(r->store, "SELECT EXISTS (SELECT 1 FROM snapshot)", e);
    int got = q ? sql_step(r->store, q, e) : -1, left = got == 1 ? sqlite3_column_int(q, 0) : -1;
    sqlite3_finalize(q);
    return left;
}

static int apply(const struct report *r, struct error *e) {
    int there = some_left(r, e);
    int status = there < 0 ? -1 : 0;
    if (there > 0) // else nothing is left to choose from, which others say
        status = check_names(r, 0, r->request->schemes, e);
    if (there > 0 && !status)
        status = check_names(r, 1, r->request->panels, e);
    if (!status)
        status = export_run(r, export_query("choose"), e);
    int left = status || !there ? 1 : some_left(r, e);
    return left > 0 ? status : left < 0 ? -1 : chosen_fail_empty(r, "results", e);
}

int chosen_take_snapshot(const struct report *r, struct error *e) {
    int status = export_take_accuracies(r, e) ? -1 : apply(r, e);
    return status ? status : export_run(r, export_query("configurations"), e);
}
