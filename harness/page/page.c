/* The page of a database; page.h is the manual. */
#include "page/page.h"

#include "base/file.h"
#include "page/packed.h"
#include "report/figure.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* C11 promises string literals of 4095 bytes only; the compilers we build with know no such limit.
 */
#pragma GCC diagnostic ignored "-Woverlength-strings"

static const struct page_query texts[] = {
#include "page.inc"
};

enum { FIGURE_LIMIT = 8 * 1024 * 1024 };

static const char *text_of(const char *name) {
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (!strcmp(texts[i].name, name))
            return texts[i].sql;
    return "";
}

static void print_escaped(const char *text, FILE *out) {
    for (; *text; text++)
        if (*text == '<')
            fputs("&lt;", out);
        else if (*text == '>')
            fputs("&gt;", out);
        else if (*text == '&')
            fputs("&amp;", out);
        else if (*text == '"')
            fputs("&quot;", out);
        else
            fputc((unsigned char)*text < ' ' && *text != '\n' ? '?' : *text, out);
}

/* ---- figures ---- */

/* An SVG inside the page: without what stands before its element, and with names of its own, which
 * another picture may have, too: id="X", href='#X', url(#X). */
static void print_svg(const char *svg, int number, FILE *out) {
    static const char *const names[] = {" id=\"", "'#", "\"#", "url(#", " id='"};
    const char *at = strstr(svg, "<svg");
    while (at && *at) {
        size_t i = 0, n = sizeof names / sizeof *names;
        while (i < n && strncmp(at, names[i], strlen(names[i])) != 0)
            i++;
        // A colour is written "#RRGGBB", too.
        const char *after = i < n ? at + strlen(names[i]) : at;
        int colour = i < n && (names[i][1] == '#') && strspn(after, "0123456789abcdefABCDEF") == 6;
        if (i < n && !colour) {
            fprintf(out, "%sf%d-", names[i], number);
            at = after;
        } else
            fputc(*at++, out);
    }
}

static char *read_beside(const char *folder, const char *name, const char *suffix,
                         struct error *e) {
    char path[4096];
    size_t size;
    if (snprintf(path, sizeof path, "%s/%s.%s", folder, name, suffix) >= (int)sizeof path) {
        fail_at(e, folder, 0, "is too long a name; take a shorter one");
        return NULL;
    }
    return file_read(path, FIGURE_LIMIT, &size, e);
}

/* The caption's first line says what is compared; it is what who cannot see the picture is told
 * first. */
static void print_figure(const char *name, const char *svg, const char *caption, int number,
                         FILE *out) {
    fprintf(out, "<figure id=\"figure-%s\">\n<div role=\"img\" aria-label=\"%s: ", name, name);
    print_escaped(caption, out);
    fputs("\">", out);
    print_svg(svg, number, out);
    fprintf(out, "</div>\n<figcaption><strong>%s</strong>\n", name);
    print_escaped(caption, out);
    fputs("</figcaption>\n</figure>\n", out);
}

static int print_figures(const char *folder, FILE *out, struct error *e) {
    char name[FIGURE_NAME];
    int shown = 0;
    for (int i = 0; folder && figure_name(i, name); i++) {
        struct error absent = {0};
        char *svg = read_beside(folder, name, "svg", &absent);
        char *caption = svg ? read_beside(folder, name, "txt", e) : NULL;
        if (caption)
            print_figure(name, svg, caption, shown++, out);
        free(svg);
        free(caption);
        if (e->text[0])
            return -1;
    }
    if (!shown)
        fputs("<p>None: the page was made without pictures.</p>\n", out);
    return 0;
}

/* ---- the parts ---- */

struct page {
    struct store *store;
    const struct page_request *request;
    struct export_request table; // of accuracies
};

static int print_title(struct page *p, FILE *out, struct error *e) {
    (void)e;
    const char *name = strrchr(p->store->path, '/');
    print_escaped(p->table.grid ? p->table.grid : name ? name + 1 : p->store->path, out);
    return 0;
}

static int print_accuracies(struct page *p, FILE *out, struct error *e) {
    static const char *const kinds[] = {"accuracy", "accuracy-calibrated"};
    for (int i = 0; i < 2; i++) {
        char *text;
        size_t size;
        struct error nothing = {0};
        FILE *table = need_stream(&text, &size);
        p->table.what = kinds[i];
        int rc = export_table(p->store, &p->table, table, &nothing);
        fclose(table);
        if (rc < 0)
            fail(e, "%s", nothing.text);
        fprintf(out, "<h3>%s</h3>\n", i ? "Batch norms calibrated" : "Batch norms as trained");
        fputs(rc ? "<p>" : "<pre tabindex=\"0\">", out);
        print_escaped(rc ? nothing.text : text, out);
        fputs(rc ? "</p>\n" : "</pre>\n", out);
        free(text);
        if (rc < 0)
            return -1;
    }
    return 0;
}

static int print_picture_part(struct page *p, FILE *out, struct error *e) {
    return print_figures(p->request->figures, out, e);
}

static void say_counts(sqlite3_stmt *q, void *to) {
    FILE *out = to;
    fprintf(out, "%lld run%s, %lld finished; ", (long long)sqlite3_column_int64(q, 0),
            sqlite3_column_int64(q, 0) == 1 ? "" : "s", (long long)sqlite3_column_int64(q, 1));
    print_escaped((const char *)sqlite3_column_text(q, 2), out);
}

static const char counts_sql[] =
    "SELECT count(*), count(*) FILTER (WHERE state = 'done'),"
    " printf('%.1f core-hours; results on the %s split', coalesce((SELECT"
    "  sum(coalesce(cpu_seconds, threads * max(0, heartbeat_at - started_at))) FROM attempts a "
    "WHERE"
    "  :grid IS NULL OR a.run_id IN (SELECT run_id FROM grid_runs WHERE grid = :grid AND current)) "
    "/"
    "  3600, 0), :split)"
    " FROM run_status s WHERE :grid IS NULL OR"
    " s.run_id IN (SELECT run_id FROM grid_runs WHERE grid = :grid AND current)";

/* In a transaction of its own: as export_table, which has one. */
static int in_report(struct page *p, FILE *out, struct error *e,
                     int (*print)(const struct report *r, FILE *out, struct error *e)) {
    struct report r = {.store = p->store, .request = &p->table, .calibrated = -1};
    if (export_begin(p->store, &p->table, e))
        return -1;
    int rc = export_take_snapshot(p->store, &p->table, e) || print(&r, out, e) ? -1 : 0;
    return export_end(p->store, rc);
}

static int print_counts(const struct report *r, FILE *out, struct error *e) {
    return export_each(r, counts_sql, say_counts, out, e);
}

static int print_summary(struct page *p, FILE *out, struct error *e) {
    return in_report(p, out, e, print_counts);
}

static int print_packed(const struct report *r, FILE *out, struct error *e) {
    static const char *const names[] = {"runs", "specs", "cells", "epochs", "layers", "attempts"};
    enum { TABLES = sizeof names / sizeof *names };
    struct page_query queries[TABLES];
    for (int i = 0; i < TABLES; i++)
        queries[i] = (struct page_query){names[i], text_of(names[i])};
    return packed_print(r, queries, TABLES, out, e);
}

static int print_data(struct page *p, FILE *out, struct error *e) {
    return in_report(p, out, e, print_packed);
}

static int print_style(struct page *p, FILE *out, struct error *e) {
    (void)p, (void)e;
    fputs(text_of("page.css"), out);
    return 0;
}

static int print_script(struct page *p, FILE *out, struct error *e) {
    (void)p, (void)e;
    fputs(text_of("page.js"), out);
    return 0;
}

/* ---- the frame ---- */

static int choose_split(struct page *p, struct error *e) {
    if (export_begin(p->store, &p->table, e))
        return -1;
    int rc =
        export_take_snapshot(p->store, &p->table, e) || export_choose_split(p->store, &p->table, e);
    return export_end(p->store, rc ? -1 : 0);
}

static const struct part {
    const char *mark;
    int (*print)(struct page *p, FILE *out, struct error *e);
} parts[] = {
    {"@title@", print_title},           {"@style@", print_style},
    {"@summary@", print_summary},       {"@figures@", print_picture_part},
    {"@accuracies@", print_accuracies}, {"@data@", print_data},
    {"@script@", print_script},
};

static const struct part *part_at(const char *text) {
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (!strncmp(text, parts[i].mark, strlen(parts[i].mark)))
            return &parts[i];
    return NULL;
}

int page_write(struct store *s, const struct page_request *request, FILE *out, struct error *e) {
    struct page p = {.store = s,
                     .request = request,
                     .table = {.quantizers = request->quantizers,
                               .what = "accuracy",
                               .format = EXPORT_TEXT,
                               .grid = request->grid,
                               .split = request->split,
                               .against = "qat"}};
    int rc = choose_split(&p, e);
    for (const char *at = text_of("page.html"); *at && !rc;) {
        const struct part *part = *at == '@' ? part_at(at) : NULL;
        if (part) {
            rc = part->print(&p, out, e);
            at += strlen(part->mark);
        } else
            fputc(*at++, out);
    }
    return rc;
}
