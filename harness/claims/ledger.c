/* Writing what claims rest on; ledger.h is the manual. */
#include "claims/ledger.h"

#include <stdlib.h>
#include <string.h>

static const char opening[] =
    "# Claims\n\n"
    "Every number, figure and table of the report in `paper/`, with what it is made from. "
    "`truncquant claims`\n"
    "writes this page from the databases in `results/published/`; `truncquant claims --check` "
    "names what no longer\n"
    "is as it stands here. A run's ID is the hash of all that decides its result, of which the "
    "first 12 digits are\n"
    "given; a fingerprint is the hash of what its quantizer returns for fixed inputs; a commit is "
    "of this tree.\n"
    "Queries are made for the views of this program: of an older database, `truncquant merge FILE "
    "--db COPY.db` makes one\n"
    "that has them, for other tools.\n"
    "Core-hours are of all attempts at the runs, on the machines that the database names.\n";

/* ---- macros ---- */

/* A number as LaTeX sets it: signs that are signs. */
static void print_tex(const char *text, FILE *out) {
    static const struct {
        const char *from, *to;
    } marks[] = {{"±", "\\(\\pm\\)"},
                 {"−", "\\(-\\)"},
                 {"×", "\\(\\times\\)"},
                 {"%", "\\%"},
                 {"_", "\\_"},
                 {"&", "\\&"},
                 {"#", "\\#"},
                 {"$", "\\$"},
                 {"{", "\\{"},
                 {"}", "\\}"},
                 {"~", "\\textasciitilde{}"},
                 {"^", "\\textasciicircum{}"},
                 {"\\", "\\textbackslash{}"}};
    for (const char *at = text; *at;) {
        size_t m = 0, n = sizeof marks / sizeof *marks;
        while (m < n && strncmp(at, marks[m].from, strlen(marks[m].from)) != 0)
            m++;
        if (m < n) {
            fputs(marks[m].to, out);
            at += strlen(marks[m].from);
        } else if (*at == '-' && at[1] >= '0' && at[1] <= '9' && (at == text || at[-1] == ' ')) {
            fputs("\\(-\\)", out);
            at++;
        } else
            fputc(*at++, out);
    }
}

static int note_name(struct ledger *l, const char *name, struct error *e) {
    size_t length = strlen(name), n = strlen(l->names);
    for (const char *at = l->names; *at; at += strcspn(at, "\n") + 1)
        if (strcspn(at, "\n") == length && !strncmp(at, name, length))
            return fail(e, "the number %s is another claim's, too; name it otherwise", name);
    char *more = need(n + length + 2, 1);
    snprintf(more, n + length + 2, "%s%s\n", l->names, name);
    free(l->names);
    l->names = more;
    return 0;
}

static int add_macros(struct ledger *l, const struct claim *c, const struct table *t,
                      struct error *e) {
    fprintf(l->macros_out, "%% %s: %s\n", c->name, c->says);
    for (int row = 1; row < t->rows; row++) {
        if (note_name(l, t->cells[2 * row], e))
            return fail_prefix(e, c->path, 0);
        fprintf(l->macros_out, "\\newcommand{\\%s}{", t->cells[2 * row]);
        print_tex(t->cells[2 * row + 1], l->macros_out);
        fputs("}\n", l->macros_out);
    }
    return 0;
}

/* ---- the page ---- */

static void print_folded(FILE *out, const char *what, const struct table *t) {
    fprintf(out, "\n<details><summary>%s</summary>\n\n", what);
    table_print(t, EXPORT_MD, out);
    fputs("\n</details>\n", out);
}

/* Behind the comments and blank lines; a fence that no text of ours has. */
static void print_query(FILE *out, const char *queries) {
    queries += strspn(queries, "\n");
    fprintf(out, "\n<details><summary>the two queries</summary>\n\n```sql\n%s%s```\n\n</details>\n",
            queries, queries[strlen(queries) - 1] == '\n' ? "" : "\n");
}

static void print_source(FILE *out, const struct claim *c, const struct proof *p,
                         const char *path) {
    fprintf(out, "\n- from `%s`, ", path);
    fprintf(out, c->grid ? "grid `%s`" : "all runs%s", c->grid ? c->grid : "");
    fprintf(out, ", %s split", c->split);
    if (c->what)
        fprintf(out, ": `truncquant export %s%s --db %s%s%s`",
                c->kind == CLAIM_FIGURE ? "figure " : "", c->what, path, c->grid ? " --grid " : "",
                c->grid ? c->grid : "");
    else
        fprintf(out, ", by `%s`", c->path);
    fprintf(out, "\n- runs: %d, %.2f core-hours", p->runs->rows - 1, p->core_hours);
    if (p->stale)
        fprintf(out, "; **%d stale**: this program would compute them otherwise", p->stale);
    if (c->grid)
        fprintf(out, "\n- again: `make grid GRID=experiments/%s.grid DB=results/%s.db`", c->grid,
                c->grid);
    fputs("\n", out);
}

int ledger_add(struct ledger *l, const struct claim *c, const struct proof *p, const char *path,
               struct error *e) {
    FILE *out = l->page_out;
    fprintf(out, "\n## %s\n\n%s\n", c->name, c->says);
    if (p->numbers) {
        fputs("\n", out);
        table_print(p->numbers, EXPORT_MD, out);
    }
    print_source(out, c, p, path);
    print_folded(out, "the runs", p->runs);
    if (c->kind == CLAIM_FIGURE)
        fprintf(out, "\n<details><summary>the numbers</summary>\n\n```csv\n%s```\n\n</details>\n",
                p->text);
    if (p->rows) {
        print_query(out, c->queries);
        print_folded(out, "the rows", p->rows);
    }
    return p->numbers ? add_macros(l, c, p->numbers, e) : 0;
}

void ledger_begin(struct ledger *l) {
    *l = (struct ledger){.names = need_string("")};
    l->page_out = need_stream(&l->page, &l->page_size);
    l->macros_out = need_stream(&l->macros, &l->macros_size);
    fputs(opening, l->page_out);
    fputs("% Numbers of the report, made by truncquant claims.\n", l->macros_out);
}

void ledger_end(struct ledger *l) {
    fclose(l->page_out);
    fclose(l->macros_out);
}

void ledger_free(struct ledger *l) {
    free(l->page);
    free(l->macros);
    free(l->names);
}

/* ---- what changed ---- */

/* The next section from `at` on, "\n## NAME\n...", and its length; NULL behind the last. */
static const char *next_section(const char *at, size_t *length) {
    const char *start = strstr(at, "\n## "), *end = start ? strstr(start + 1, "\n## ") : NULL;
    if (start)
        *length = end ? (size_t)(end - start) : strlen(start);
    return start;
}

static const char *find_section(const char *page, const char *like, size_t *length) {
    size_t title = strcspn(like + 1, "\n") + 2; // with the newlines about it
    const char *at = next_section(page, length);
    while (at && strncmp(at, like, title) != 0)
        at = next_section(at + 1, length);
    return at;
}

/* Sections of `page` that `other` lacks or, if asked for, has otherwise. */
static int say_sections(const char *page, const char *other, int changed, const char *says,
                        FILE *out) {
    size_t length, there;
    int n = 0;
    for (const char *at = page; (at = next_section(at, &length)); at++) {
        const char *twin = find_section(other, at, &there);
        if (changed ? twin && (there != length || strncmp(at, twin, length) != 0) : !twin) {
            fprintf(out, "%s: %.*s\n", says, (int)strcspn(at + 4, "\n"), at + 4);
            n++;
        }
    }
    return n;
}

int ledger_differences(const char *old, const char *page, FILE *out) {
    return say_sections(page, old, 1, "stale", out) + say_sections(page, old, 0, "new", out) +
           say_sections(old, page, 0, "gone", out);
}
