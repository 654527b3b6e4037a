/* Runs that are missing; missing.h is the manual. */
#include "report/missing.h"

#include "store/sql.h"

#include <stdlib.h>

enum { NAMED = 4 }; // so many runs by name; of the others how many there are

/* Those that have not finished, and those that were evaluated otherwise. */
enum { UNFINISHED, UNEVALUATED, KINDS };

struct missing {
    long long n[KINDS], runs;
    FILE *names[KINDS];
    char *text[KINDS];
    size_t size[KINDS];
};

static void add_run(sqlite3_stmt *row, void *to) {
    struct missing *m = to;
    int kind = sqlite3_column_int(row, 5) ? UNEVALUATED : UNFINISHED;
    m->runs = sqlite3_column_int64(row, 6);
    if (m->n[kind]++ >= NAMED)
        return;
    fprintf(m->names[kind], "%s%s %s %s %s seed %lld", m->n[kind] > 1 ? ", " : "", sql_text(row, 0),
            sql_text(row, 1), sql_text(row, 2), sql_text(row, 3),
            (long long)sqlite3_column_int64(row, 4));
}

/* The clause of one kind: how many, which, and what makes them. */
static void say_kind(const struct missing *m, int kind, const struct report *r, FILE *out) {
    static const char *const what[KINDS] = {"not finished",
                                            "no results with re-estimated batch norms"};
    long long n = m->n[kind], more = n - NAMED;
    if (!n)
        return;
    fprintf(out, "%s%lld of %lld run%s ha%s %s: %s", ftell(out) ? "; " : "", n, m->runs,
            m->runs == 1 ? "" : "s", n == 1 ? "s" : "ve", what[kind], m->text[kind]);
    if (more > 0)
        fprintf(out, " and %lld more", more);
    if (kind == UNFINISHED)
        fputs("; 'truncquant run ID' computes each, scripts/grid.sh all of a grid", out);
    else
        fprintf(out, "; 'truncquant evaluate ID --split %s --calibration 20' adds them",
                r->request->split);
}

char *missing_runs(const struct report *r, struct error *e) {
    struct missing m = {.runs = 0};
    char *text;
    size_t size;
    for (int kind = 0; kind < KINDS; kind++)
        m.names[kind] = need_stream(&m.text[kind], &m.size[kind]);
    int status = export_each(r, export_query("missing"), add_run, &m, e);
    FILE *out = need_stream(&text, &size);
    for (int kind = 0; kind < KINDS; kind++) {
        fclose(m.names[kind]);
        say_kind(&m, kind, r, out);
        free(m.text[kind]);
    }
    fclose(out);
    if (!status)
        return text;
    free(text);
    return NULL;
}
