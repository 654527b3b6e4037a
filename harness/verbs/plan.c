/* truncquant plan: validates a grid with its networks and data sets, records its runs, and prints
 * them. Nothing is computed, and Darknet is not loaded. Which runs are pending is decided from the
 * database alone, by id: an edited grid runs just what is new. */
#include "run/folder.h"
#include "spec/fingerprints.h"
#include "verbs/planning.h"
#include "verbs/verb.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- the database ---- */

static int status_by_id(const void *a, const void *b) {
    return strcmp(((const struct run_status *)a)->run_id, ((const struct run_status *)b)->run_id);
}

static int is_pending(const struct wanted *w, const struct run_status *known) {
    if (!known) // not recorded: a dry run
        return 1;
    return !known->excluded &&
           (known->state == RUN_PENDING || known->state == RUN_DEAD ||
            (known->state == RUN_FAILED && w->retry_failed) || (known->stale && w->again));
}

static const struct run_status *find_status(const char *id, const struct run_status *known, int n) {
    struct run_status key = {0};
    snprintf(key.run_id, sizeof key.run_id, "%s", id);
    return n ? bsearch(&key, known, (size_t)n, sizeof *known, status_by_id) : NULL;
}

/* Whether the run, if it takes another's weights, can take them now. */
static int is_ready(const struct run_row *row, const struct run_status *known, int n) {
    const struct run_status *parent = row->parent ? find_status(row->parent, known, n) : NULL;
    return !row->parent || (parent && parent->state == RUN_DONE && !parent->stale);
}

/* Finished runs are not run again by themselves when their quantizers change: that is for people to decide. */
static void note_stale(const struct planning *p, const struct run_status *known, int n) {
    const struct run_status *first = NULL;
    int stale = 0;
    for (int i = 0; i < p->grid.n; i++) {
        const struct run_status *status = find_status(p->rows[i].run_id, known, n);
        if (!status || !status->stale || status->excluded)
            continue;
        first = first ? first : status;
        stale++;
    }
    if (stale && !p->wanted.quiet && !p->wanted.again)
        fprintf(stderr,
                "truncquant: note: %d finished run%s, as %.12s: %s; --again computes %s anew\n",
                stale, stale == 1 ? " is stale" : "s are stale", first->run_id, first->stale,
                stale == 1 ? "it" : "them");
}

/* What is trained already cannot be looked at on its way. */
static int note_curveless(const struct planning *p, struct store *s, struct error *e) {
    int64_t n;
    if (store_count_curveless(s, p->grid.name, &n, e))
        return -1;
    if (n && !p->wanted.quiet)
        fprintf(
            stderr,
            "truncquant: note: %lld run%s finished without a learning curve, which 'every' asks "
            "for: it is evaluated while a run is trained\n",
            (long long)n, n == 1 ? " is" : "s are");
    return 0;
}

static int ask_states(struct planning *p, struct store *s, struct error *e) {
    struct run_status *known = NULL;
    int n = 0;
    if (store_statuses(s, NULL, &known, &n, e))
        return -1;
    if (n)
        qsort(known, (size_t)n, sizeof *known, status_by_id);
    for (int i = 0; i < p->grid.n && p->wanted.pending; i++) {
        const struct run_row *row = &p->rows[i];
        p->selected[i] = is_pending(&p->wanted, find_status(row->run_id, known, n)) &&
                         (!p->wanted.ready || is_ready(row, known, n));
    }
    note_stale(p, known, n);
    store_free_statuses(known, n);
    return 0;
}

/* A database that cannot be read has nothing to say about the cost. */
static int estimate_only(struct planning *p, struct error *e) {
    struct error ignored = {0};
    struct store *s = access(p->db, F_OK) ? NULL : store_open(p->db, STORE_READ, &ignored);
    int rc = s ? run_folder_check(s, e) : 0;
    if (s && !rc && estimate_open(&p->measured, s, &ignored))
        estimate_close(&p->measured);
    store_close(s);
    return rc;
}

static int use_store(struct planning *p, struct error *e) {
    const struct wanted *w = &p->wanted;
    struct store *s = NULL;
    for (int i = 0; i < p->grid.n; i++)
        p->selected[i] = 1;
    if (w->dry_run && (!w->pending || access(p->db, F_OK)))
        return estimate_only(p, e); // nothing to record, and nothing to ask
    s = store_open(p->db, w->dry_run ? STORE_READ : STORE_WRITE, e);
    if (!s)
        return -1;
    int rc = run_folder_check(s, e);
    if (!rc && !w->dry_run)
        rc = store_set_grid(s, p->rows, p->grid.n, p->grid.name, e);
    if (!rc)
        rc = fingerprints_declare(s, p->table, e);
    if (!rc)
        rc = ask_states(p, s, e);
    if (!rc)
        rc = note_curveless(p, s, e);
    if (!rc)
        rc = estimate_open(&p->measured, s, e);
    store_close(s);
    return rc;
}

/* ---- the verb ---- */

static int plan(struct planning *p, const char *path, struct error *e) {
    if (grid_read(&p->grid, p->table, path, p->wanted.set, e))
        return -1;
    planning_note(p, "", p->grid.notes);
    if (planning_make_rows(p, e) || use_store(p, e))
        return -1;
    if (p->wanted.name)
        puts(p->grid.name);
    else
        planning_print(p);
    if (!p->wanted.name)
        planning_note_cost(p);
    return 0;
}

static int check_options(const struct wanted *w, int operands, struct error *e) {
    struct session_options ignored;
    if (operands != 1)
        return fail(e, "plan: takes one grid file, not %d; 'truncquant plan --help' shows how",
                    operands);
    if (w->ids && w->explain)
        return fail(e, "plan: --ids and --explain exclude each other; use one");
    if (w->name && (w->ids || w->explain || w->pending))
        return fail(e, "plan: --name prints nothing else; leave out --ids, --explain, --pending");
    if ((w->retry_failed || w->ready || w->again) && !w->pending)
        return fail(e, "plan: --%s belongs to --pending; add that",
                    w->ready   ? "ready"
                    : w->again ? "again"
                               : "retry-failed");
    return computing_options(&w->how, "plan", &ignored, e);
}

int verb_plan(struct options *o, struct error *e) {
    struct planning p = {.table = o->quantizers, .wanted.how = COMPUTING_DEFAULTS};
    struct wanted *w = &p.wanted;
    const struct option_row rows[] = {
        {"--pending", NULL, NULL, "print pending and dead runs only, the longest first", NULL,
         &w->pending},
        {"--ready", NULL, NULL, "with --pending: none that waits for another run's weights", NULL,
         &w->ready},
        {"--retry-failed", NULL, NULL, "with --pending: failed ones too", NULL, &w->retry_failed},
        {"--again", NULL, NULL,
         "with --pending: finished ones too whose quantizers are other versions now", NULL,
         &w->again},
        {"--ids", NULL, NULL, "print ids alone", NULL, &w->ids},
        {"--explain", NULL, NULL, "print every value of every run and where it came from", NULL,
         &w->explain},
        {"--set", "SETTINGS", NULL, "what the grid has instead, such as 'dataset=cifar10 seed=1,2'",
         &w->set, NULL},
        {"--name", NULL, NULL, "print the name of the grid, which --set extends, alone", NULL,
         &w->name},
        {"--dry-run", NULL, NULL, "record nothing", NULL, &w->dry_run},
        COMPUTING_ROWS(&w->how),
        {0},
    };
    int helped;
    int operands = verb_parse(o, "plan GRID [options]",
                              "Validates a grid (experiments/README.md), records its runs in the "
                              "database and prints one per line.\nHow they are to be computed is "
                              "not recorded: what 'run' would refuse is refused here already.",
                              rows, &helped, e);
    if (helped)
        return EXIT_DONE;
    if (operands < 0 || check_options(w, operands, e))
        return EXIT_USAGE;
    p.db = o->db;
    w->quiet = o->quiet;
    int rc = plan(&p, o->argv[1], e);
    planning_free(&p);
    return rc ? EXIT_FAILED : EXIT_DONE;
}
