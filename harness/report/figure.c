/* The numbers of figures and their captions; figure.h is the manual. A figure's rows are put into
 * a temporary table, from which its CSV is printed and its caption made: both say the same. */
#include "report/figure.h"

#include "base/text.h"
#include "report/caption.h"
#include "report/chosen.h"
#include "report/missing.h"
#include "store/sql.h"

#include <stdlib.h>
#include <string.h>

/* C11 promises string literals of 4095 bytes only; the compilers we build with know no such limit.
 */
#pragma GCC diagnostic ignored "-Woverlength-strings"

/* plots/NAME.sql and plots/NAME-caption.sql, by name. */
static const struct text {
    const char *name, *text;
} texts[] = {
#include "figures.inc"
};
enum { TEXTS = sizeof texts / sizeof *texts };

static const char of_caption[] = "-caption", of_twin[] = "-calibrated";

/* Columns of the query that are not printed: what the caption goes by. */
static const char hidden[] = "caption_", config_column[] = "caption_config";
static const char seeds_column[] = "caption_seeds", images_column[] = "caption_images";

struct figure {
    const char *query, *caption;
    int calibrated; // as in struct report
};

/* ---- names ---- */

static int ends_in(const char *name, const char *suffix) {
    size_t n = strlen(name), length = strlen(suffix);
    return n > length && !strcmp(name + n - length, suffix);
}

static int has_twin(const struct text *t) {
    return strstr(t->text, ":calibrated") != NULL;
}

int figure_name(int i, char name[FIGURE_NAME]) {
    for (int t = 0; t < TEXTS; t++) {
        if (ends_in(texts[t].name, of_caption))
            continue;
        int n = 1 + has_twin(&texts[t]);
        if (i < n)
            return snprintf(name, FIGURE_NAME, "%s%s", texts[t].name, i ? of_twin : "") > 0;
        i -= n;
    }
    return 0;
}

/* The text called like the first `n` bytes of `name`, and `suffix`. */
static const struct text *find_text(const char *name, size_t n, const char *suffix) {
    for (int t = 0; t < TEXTS; t++)
        if (!strncmp(texts[t].name, name, n) && !strcmp(texts[t].name + n, suffix))
            return &texts[t];
    return NULL;
}

/* 0 when there is no such figure. */
static int find_figure(const char *name, struct figure *f) {
    size_t n = strlen(name);
    int twin = ends_in(name, of_twin);
    const struct text *query;
    n -= twin ? strlen(of_twin) : 0;
    if (ends_in(name, of_caption) || !(query = find_text(name, n, "")))
        return 0;
    if (twin && !has_twin(query))
        return 0;
    const struct text *caption = find_text(name, n, of_caption);
    *f = (struct figure){query->text, caption ? caption->text : NULL, has_twin(query) ? twin : -1};
    return 1;
}

int figure_exists(const char *name) {
    struct figure f;
    return find_figure(name, &f);
}

int figure_is_calibratable(const char *name) {
    struct figure f;
    return find_figure(name, &f) && f.calibrated == 0;
}

/* ---- numbers ---- */

/* As the sqlite3 program writes CSV: what is not plainly one word is quoted. */
static void print_text(const char *text, FILE *out) {
    int plain = text[0] != '\0';
    for (const char *p = text; *p && plain; p++)
        plain = *p > ' ' && *p < 127 && !strchr("\"',", *p);
    if (plain) {
        fputs(text, out);
        return;
    }
    fputc('"', out);
    for (const char *p = text; *p; p++) {
        if (*p == '"')
            fputc('"', out);
        fputc(*p, out);
    }
    fputc('"', out);
}

/* A row's numbers or, where `q` has no row yet, the names of its columns. */
static void print_row(sqlite3_stmt *q, int titles, FILE *out) {
    const char *comma = "";
    for (int c = 0; c < sqlite3_column_count(q); c++) {
        const char *name = sqlite3_column_name(q, c);
        const char *text = titles ? name : (const char *)sqlite3_column_text(q, c);
        if (!strncmp(name, hidden, strlen(hidden)))
            continue;
        fputs(comma, out);
        if (text)
            print_text(text, out);
        comma = ",";
    }
    fputc('\n', out);
}

static int find_column(sqlite3_stmt *q, const char *name) {
    int c = sqlite3_column_count(q) - 1;
    while (c >= 0 && strcmp(sqlite3_column_name(q, c), name) != 0)
        c--;
    return c;
}

static void extend(int64_t range[2], int64_t value, int first) {
    range[0] = first || value < range[0] ? value : range[0];
    range[1] = first || value > range[1] ? value : range[1];
}

/* Prints all rows, and finds the ranges that the recipe states. Returns how many, or -1. */
static int print_rows(struct report *r, sqlite3_stmt *q, FILE *out, struct error *e) {
    int seeds = find_column(q, seeds_column), images = find_column(q, images_column);
    int got, n = 0;
    for (; (got = sql_step(r->store, q, e)) == 1; n++) {
        if (!n)
            print_row(q, 1, out);
        print_row(q, 0, out);
        if (seeds >= 0)
            extend(r->wide.seeds, sqlite3_column_int64(q, seeds), !n);
        if (images >= 0)
            extend(r->wide.images, sqlite3_column_int64(q, images), !n);
    }
    return got < 0 ? -1 : n;
}

/* ---- captions ---- */

static void say_line(sqlite3_stmt *row, void *to) {
    if (sqlite3_column_type(row, 0) != SQLITE_NULL)
        fprintf(to, "%s\n", (const char *)sqlite3_column_text(row, 0));
}

static int print_own_lines(const struct report *r, const struct figure *f, FILE *out,
                           struct error *e) {
    return f->caption ? export_each(r, f->caption, say_line, out, e) : 0;
}

static void print_missing(const char *missing, FILE *out) {
    char *line;
    size_t size;
    FILE *text = need_stream(&line, &size);
    fprintf(text, "missing: %s", missing);
    fclose(text);
    caption_print_lines(line, out);
    free(line);
}

/* What all curves have in common first, what they come from last. */
static int print_caption(const struct report *r, const struct figure *f, FILE *out,
                         struct error *e) {
    static const char shown[] = "SELECT DISTINCT caption_config AS config_id FROM figure";
    if (export_show(r, shown, e) || (r->wide.seeds[1] && export_run(r, export_query("seeds"), e)))
        return -1;
    char *recipe = caption_recipe(r, e), *commits = recipe ? caption_commits(r, 1, e) : NULL;
    char *missing = commits ? missing_runs(r, e) : NULL;
    int status = missing ? 0 : -1;
    if (!status) {
        caption_print_lines(recipe, out);
        status = print_own_lines(r, f, out, e);
        if (*missing)
            print_missing(missing, out);
        fprintf(out, "%s\n", commits);
    }
    free(missing);
    free(recipe);
    free(commits);
    return status;
}

/* ---- figures ---- */

static int fill_table(const struct report *r, const struct figure *f, struct error *e) {
    char *create = NULL;
    size_t size;
    FILE *text = need_stream(&create, &size);
    fprintf(text, "CREATE TEMP TABLE figure AS\n%s", f->query);
    fclose(text);
    int status = export_run(r, create, e);
    free(create);
    return status;
}

/* Returns as print_rows. */
static int print_figure(struct report *r, const struct figure *f, FILE *numbers, FILE *caption,
                        struct error *e) {
    sqlite3_stmt *q = NULL;
    if (fill_table(r, f, e) || !(q = export_prepare(r, "SELECT * FROM figure ORDER BY rowid", e)))
        return -1;
    int n = print_rows(r, q, numbers, e), of_runs = find_column(q, config_column) >= 0;
    sqlite3_finalize(q);
    if (n > 0 && (of_runs ? print_caption : print_own_lines)(r, f, caption, e))
        return -1;
    return n > 0 && !of_runs && chosen_some(r->request) ? 0 : n;
}

/* Returns as print_rows; 0 of a figure of no run, too, where a part of them is chosen. What it put
 * into temporary tables goes. */
static int take_figure(const struct report *of, const char *name, struct figure_taker *taker,
                       struct error *e) {
    struct figure f;
    struct report r = *of;
    char *text[2];
    size_t size[2];
    if (!find_figure(name, &f) || sql_run(r.store, "SAVEPOINT figure", e))
        return -1;
    FILE *numbers = need_stream(&text[0], &size[0]), *caption = need_stream(&text[1], &size[1]);
    r.calibrated = f.calibrated;
    int n = print_figure(&r, &f, numbers, caption, e);
    fclose(numbers);
    fclose(caption);
    text_mask_controls(text[0], "\n");
    text_mask_controls(text[1], "\n");
    if (n > 0 && taker->take(name, text[0], text[1], taker->to, e))
        n = -1;
    free(text[0]);
    free(text[1]);
    sqlite3_exec(r.store->db, "ROLLBACK TO figure; RELEASE figure", NULL, NULL, NULL);
    return n;
}

static int take_all(const struct report *r, struct figure_taker *taker, struct error *e) {
    char name[FIGURE_NAME];
    int n = 0, some = 0;
    for (int i = 0; n >= 0 && figure_name(i, name); i++) {
        n = take_figure(r, name, taker, e);
        some = some || n > 0;
    }
    if (n < 0)
        return -1;
    return some ? 0 : chosen_fail_empty(r, "numbers for any figure", e);
}

static int take_one(const struct report *r, struct figure_taker *taker, struct error *e) {
    char what[FIGURE_NAME + 32];
    int n = take_figure(r, r->request->figure, taker, e);
    snprintf(what, sizeof what, "numbers for the figure %s", r->request->figure);
    if (n)
        return n < 0 ? -1 : 0;
    return (chosen_some(r->request) ? chosen_fail_empty : export_fail_empty)(r, what, e);
}

/* ---- the split ---- */

/* A figure is of one split; `asked`: the user named it. */
static void say_split(const struct report *r, const struct split_counts *c, int asked,
                      char note[160]) {
    const char *other = export_other_split(r->request);
    if (!asked && export_of_val(r->request))
        snprintf(note, 160,
                 "no run was evaluated on the test split: figures of the held-out "
                 "images (val)");
    else if (c->here < c->runs)
        snprintf(note, 160, "not drawn: %lld of %lld runs, evaluated on %s alone (--split %s)",
                 (long long)(c->runs - c->here), (long long)c->runs, other, other);
}

static int export_now(struct store *s, const struct export_request *asked,
                      struct figure_taker *taker, struct error *e) {
    struct export_request request = *asked;
    struct report r = {.store = s, .request = &request};
    struct split_counts counts;
    int status = chosen_take_snapshot(&r, e);
    if (status)
        return status;
    if (export_choose_split(s, &request, e) || export_count_splits(&r, &counts, e) ||
        export_run(&r, export_query("curves"), e))
        return -1;
    say_split(&r, &counts, asked->split != NULL, taker->note);
    if (request.figure)
        return take_one(&r, taker, e);
    return counts.here ? take_all(&r, taker, e) : export_fail_empty(&r, "results", e);
}

int export_figures(struct store *s, const struct export_request *request,
                   struct figure_taker *taker, struct error *e) {
    if (export_begin(s, request, e))
        return -1;
    return export_end(s, export_now(s, request, taker, e));
}
