/* truncquant claims: what a report's numbers, figures and tables rest on, as a page, and the
 * numbers as macros of LaTeX. */
#include "base/file.h"
#include "claims/ledger.h"
#include "verbs/database.h"
#include "verbs/output.h"
#include "verbs/verb.h"

#include <stdlib.h>
#include <string.h>

enum { PAGE_LIMIT = 64 * 1024 * 1024 };

struct wishes {
    const char *folder, *databases, *output, *macros, *tables, *figures;
    int check, list;
};

static void free_proofs(struct proof *proofs, int n) {
    for (int i = 0; i < n; i++)
        proof_free(&proofs[i]);
    free(proofs);
}

/* FOLDER/NAME SUFFIX; the caller frees. */
static char *file_in(const char *folder, const char *name, const char *suffix) {
    char *path;
    size_t size;
    FILE *out = need_stream(&path, &size);
    fprintf(out, "%s/%s%s", folder, name, suffix);
    fclose(out);
    return path;
}

static int prove_one(const struct options *o, const struct wishes *w, const struct claim *c,
                     struct ledger *l, struct proof *p, struct error *e) {
    char *path = file_in(w->databases, c->database, ".db");
    struct options of = *o;
    of.db = path;
    struct store *s = verb_open_store(&of, STORE_READ, e);
    int rc = s ? proof_make(s, o->quantizers, c, p, e) : fail_prefix(e, c->path, 0);
    if (!rc)
        rc = ledger_add(l, c, p, path, e);
    store_close(s);
    free(path);
    return rc;
}

static int write_text(const char *path, const char *text, struct error *e) {
    return output_check(path, STORE_DEFAULT_PATH, NULL, e) ||
                   file_replace(path, text, strlen(text), e)
               ? -1
               : 0;
}

/* NAME.tex of each table. */
static int write_tables(const struct wishes *w, const struct claims *c, const struct proof *proofs,
                        struct error *e) {
    int rc = w->tables ? file_make_folder(w->tables, e) : 0;
    for (int i = 0; i < c->n && !rc && w->tables; i++) {
        char *path = file_in(w->tables, c->all[i].name, ".tex");
        if (c->all[i].kind == CLAIM_TABLE)
            rc = write_text(path, proofs[i].text, e);
        free(path);
    }
    return rc;
}

/* The figures that figures.sh drew into FOLDER/GRID from other numbers than these: how many. */
static int say_stale_figures(const struct wishes *w, const struct claims *c,
                             const struct proof *proofs) {
    int n = 0;
    for (int i = 0; i < c->n && w->figures; i++) {
        const struct claim *x = &c->all[i];
        if (x->kind != CLAIM_FIGURE || !x->grid)
            continue;
        size_t size;
        struct error absent = {0};
        char *folder = file_in(w->figures, x->grid, ""), *path = file_in(folder, x->what, ".csv");
        char *drawn = file_read(path, PAGE_LIMIT, &size, &absent);
        if (drawn && strcmp(drawn, proofs[i].text) != 0) {
            printf("stale: %s\n", path);
            n++;
        }
        free(drawn);
        free(path);
        free(folder);
    }
    return n;
}

static int check_page(const struct wishes *w, const struct claims *c, const struct proof *proofs,
                      const struct ledger *l, struct error *e) {
    size_t size;
    char *old = file_read(w->output, PAGE_LIMIT, &size, e);
    if (!old)
        return -1;
    int n = ledger_differences(old, l->page, stdout);
    if (n || strcmp(old, l->page) != 0)
        fail_at(e, w->output, 0,
                "is not what the databases say (%d claim%s); 'truncquant claims' writes it anew", n,
                n == 1 ? "" : "s");
    free(old);
    n = say_stale_figures(w, c, proofs);
    if (n)
        fail(e, "%d figure%s drawn from other numbers; 'make figures' draws %s anew", n,
             n == 1 ? " was" : "s were", n == 1 ? "it" : "them");
    return e->text[0] ? -1 : 0;
}

static int write_all(const struct options *o, const struct wishes *w, const struct claims *c,
                     const struct proof *proofs, const struct ledger *l, struct error *e) {
    if (w->check)
        return check_page(w, c, proofs, l, e);
    if (write_text(w->output, l->page, e) || (w->macros && write_text(w->macros, l->macros, e)) ||
        write_tables(w, c, proofs, e))
        return -1;
    if (!o->quiet)
        printf("%s: %d claims\n", w->output, c->n);
    return 0;
}

static int prove_all(const struct options *o, const struct wishes *w, const struct claims *c,
                     struct error *e) {
    struct proof *proofs = need((size_t)c->n, sizeof *proofs);
    struct ledger l;
    int rc = 0;
    ledger_begin(&l);
    for (int i = 0; i < c->n && !rc; i++)
        rc = prove_one(o, w, &c->all[i], &l, &proofs[i], e);
    ledger_end(&l);
    if (!rc)
        rc = write_all(o, w, c, proofs, &l, e);
    ledger_free(&l);
    free_proofs(proofs, c->n);
    return rc;
}

static void list_all(const struct wishes *w, const struct claims *c) {
    for (int i = 0; i < c->n; i++) {
        const struct claim *x = &c->all[i];
        printf("%s\t%s\t%s/%s.db\t%s\t%s\t%s\t%s\n", x->name, claim_kind_names[x->kind],
               w->databases, x->database, x->grid ? x->grid : "", x->split, x->what ? x->what : "",
               x->width ? x->width : "");
    }
}

int verb_claims(struct options *o, struct error *e) {
    struct wishes w = {.databases = "results/published", .output = "CLAIMS.md"};
    const struct option_row rows[] = {
        {"--databases", "FOLDER", "results/published", "where the databases are that claims name",
         &w.databases, NULL},
        {"--output", "FILE", "CLAIMS.md", "the page, which is replaced whole", &w.output, NULL},
        {"--macros", "FILE", NULL, "the numbers, too, as macros of LaTeX", &w.macros, NULL},
        {"--tables", "FOLDER", NULL, "the tables, too, NAME.tex", &w.tables, NULL},
        {"--check", NULL, NULL, "write nothing; name what is not as the page says, and fail", NULL,
         &w.check},
        {"--figures", "FOLDER", NULL,
         "with --check: also name the figures, FOLDER/GRID/NAME.csv, that were drawn from other "
         "numbers",
         &w.figures, NULL},
        {"--list", NULL, NULL,
         "only list the claims: name, kind, database, grid, split, figure or table, width", NULL,
         &w.list},
        {0},
    };
    int helped;
    int operands = verb_parse(
        o, "claims [FOLDER] [options]",
        "Writes what every number, figure and table of a report rests on: query, rows, runs, "
        "commits,\n"
        "fingerprints of quantizers, the command that makes it again, and its cost. FOLDER holds "
        "a\n"
        "file for each claim (paper/claims, where it is left out); paper/README.md shows one.",
        rows, &helped, e);
    if (helped)
        return EXIT_DONE;
    if (operands > 1)
        fail(e, "claims: takes one folder of claims");
    if (operands < 0 || operands > 1)
        return EXIT_USAGE;
    if (w.check && (w.macros || w.tables)) {
        fail(e, "claims: --check writes nothing; leave --macros and --tables out");
        return EXIT_USAGE;
    }
    if (w.figures && !w.check) {
        fail(e, "claims: --figures goes with --check; leave it out");
        return EXIT_USAGE;
    }
    w.folder = operands ? o->argv[1] : "paper/claims";
    struct claims c;
    if (claims_read(w.folder, &c, e))
        return EXIT_FAILED;
    int rc = 0;
    if (w.list)
        list_all(&w, &c);
    else
        rc = prove_all(o, &w, &c, e);
    claims_free(&c);
    return rc ? EXIT_FAILED : EXIT_DONE;
}
