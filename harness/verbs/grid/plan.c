/* truncquant plan: validates a grid with its networks and data sets, records its runs, and prints
 * them. Nothing is computed, and Darknet is not loaded. Which runs are pending is decided from the
 * database alone, by id: an edited grid runs just what is new. */
#include "base/text.h"
#include "plan/declare.h"
#include "plan/planning.h"
#include "run/folder.h"
#include "store/store.h"
#include "verbs/grid/listing.h"
#include "verbs/runs/computing.h"
#include "verbs/verb.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct wanted {
    int pending, dry_run, quiet;
    int ids, logs, explain, schedule, why, name, fit; // what is printed; none: keys
    struct pending_options which;
    const char *order, *jobs; // NULL: not said
    const char *set;          // as in grid_read
    struct computing how;     // is checked, so that no run is recorded that could not begin
};

struct plan_verb {
    struct planning planning;
    const char *db;
    struct wanted wanted;
    struct session_options how; // as `wanted.how` says
    long jobs;                  // 0: not said
    int *selected;              // (grid.n) to be printed
    struct estimate measured;
};

/* A database that cannot be read has nothing to say about the cost. */
static int estimate_only(struct plan_verb *p, struct error *e) {
    struct error ignored = {0};
    struct store *s = access(p->db, F_OK) ? NULL : store_open(p->db, STORE_READ, &ignored);
    int rc = s ? run_folder_check(s, e) : 0;
    if (s && !rc && estimate_open(&p->measured, s, &ignored)) {
        estimate_close(&p->measured);
        p->measured = (struct estimate){0};
    }
    store_close(s);
    return rc;
}

/* Results are not mixed with runs that computed nothing. Who names no engine only plans. */
static int check_engine(const struct plan_verb *p, struct store *s, struct error *e) {
    int is_said = p->wanted.how.engine != engine_at(0)->name;
    return is_said ? store_check_engine(s, p->how.engine, e) : 0;
}

static int look(struct plan_verb *p, struct store *s, struct error *e) {
    const struct wanted *w = &p->wanted;
    if (fingerprints_declare(s, p->planning.table, e) || planning_look(&p->planning, s, e) ||
        planning_note(&p->planning, s, w->pending && w->which.again, e))
        return -1;
    if (w->pending)
        planning_pending(&p->planning, &w->which, p->selected);
    return estimate_open(&p->measured, s, e);
}

static int use_store(struct plan_verb *p, struct error *e) {
    const struct wanted *w = &p->wanted;
    const int looks = w->pending || w->why || w->schedule;
    p->selected = need((size_t)p->planning.grid.n, sizeof *p->selected);
    for (int i = 0; i < p->planning.grid.n; i++)
        p->selected[i] = 1;
    if (w->dry_run && (!looks || access(p->db, F_OK)))
        return estimate_only(p, e); // nothing to record, and nothing to ask
    struct store *s = store_open(p->db, w->dry_run ? STORE_READ : STORE_WRITE, e);
    if (!s)
        return -1;
    int rc = run_folder_check(s, e) || check_engine(p, s, e) ? -1 : 0;
    if (!rc && !w->dry_run)
        rc = store_set_grid(s, p->planning.rows, p->planning.grid.n, p->planning.grid.name, e);
    if (!rc)
        rc = look(p, s, e);
    store_close(s);
    return rc;
}

/* ---- the verb ---- */

static void print_runs(const struct plan_verb *p, const struct listing *l) {
    const struct wanted *w = &p->wanted;
    if (w->explain)
        listing_origins(l);
    else if (w->why)
        listing_why(l);
    else if (w->schedule)
        listing_schedule(l);
    else if (w->logs)
        listing_logs(l);
    else if (w->ids)
        listing_ids(l);
    else
        listing_keys(l);
    if (!w->ids && !w->logs && !w->why && !w->schedule && !w->quiet)
        listing_note_cost(l);
}

static int show(const struct plan_verb *p, struct error *e) {
    const struct wanted *w = &p->wanted;
    const int nothing = engine_find(p->how.engine)->computes_nothing;
    struct listing l = {.planning = &p->planning,
                        .selected = p->selected,
                        .order = w->pending || w->why ? ORDER_LONGEST : ORDER_GRID,
                        .share = {nothing ? 0 : p->how.threads, &p->measured},
                        .which = w->which};
    if (w->order)
        l.order = (enum order)text_find(w->order, order_names);
    if (p->jobs && turn_check(&p->planning, p->selected, &l.share, (int)p->jobs, e))
        return -1;
    if (w->name)
        puts(p->planning.grid.name);
    else if (w->fit)
        printf("%d\n", turn_fitting(&p->planning, p->selected, &l.share));
    else
        print_runs(p, &l);
    return 0;
}

static int plan_grid(struct plan_verb *p, const struct options *o, const char *path,
                     struct error *e) {
    if (planning_make(&p->planning, o->quantizers, path, p->wanted.set, o->quiet, e) ||
        use_store(p, e))
        return -1;
    return show(p, e);
}

/* What is printed instead of keys is one thing. */
static int check_printed(const struct wanted *w, struct error *e) {
    const struct {
        int said;
        const char *name;
    } printed[] = {{w->ids, "--ids"},         {w->logs, "--logs"},
                   {w->explain, "--explain"}, {w->schedule, "--schedule"},
                   {w->why, "--why"},         {w->name, "--name"},
                   {w->fit, "--fit"}};
    const char *first = NULL;
    for (size_t i = 0; i < sizeof printed / sizeof *printed; i++) {
        if (!printed[i].said)
            continue;
        if (first)
            return fail(e, "plan: %s and %s exclude each other; use one", first, printed[i].name);
        first = printed[i].name;
    }
    return 0;
}

static int check_options(struct plan_verb *p, int operands, struct error *e) {
    const struct wanted *w = &p->wanted;
    if (operands != 1)
        return fail(e, "plan: takes one grid file, not %d; 'truncquant plan --help' shows how",
                    operands);
    if (check_printed(w, e))
        return -1;
    if (w->name && w->pending)
        return fail(e, "plan: --name prints nothing of the runs; leave out --pending");
    if ((w->which.retry_failed || w->which.ready || w->which.again) && !w->pending && !w->why)
        return fail(e, "plan: --%s belongs to --pending; add that",
                    w->which.ready   ? "ready"
                    : w->which.again ? "again"
                                     : "retry-failed");
    if (w->order && text_find(w->order, order_names) < 0)
        return fail(e, "plan: --order takes grid or longest-first, not '%.64s'", w->order);
    if (w->jobs && text_int(w->jobs, 1, 1000000, &p->jobs))
        return fail(e, "plan: --jobs takes a number of at least 1, not '%.64s'", w->jobs);
    return computing_options(&w->how, "plan", &p->how, e);
}

static int parse_plan(struct options *o, struct wanted *w, int *helped, struct error *e) {
    const struct option_row rows[] = {
        {"--pending", NULL, NULL, "print pending and dead runs only, the longest first", NULL,
         &w->pending},
        {"--ready", NULL, NULL, "with --pending: none that waits for another run's weights", NULL,
         &w->which.ready},
        {"--retry-failed", NULL, NULL, "with --pending: failed ones too", NULL,
         &w->which.retry_failed},
        {"--again", NULL, NULL,
         "with --pending: finished ones too whose quantizers are other versions now", NULL,
         &w->which.again},
        {"--order", "ORDER", NULL,
         "grid, or longest-first; no run before the one whose weights it takes", &w->order, NULL},
        {"--ids", NULL, NULL, "print ids alone", NULL, &w->ids},
        {"--logs", NULL, NULL,
         "print ids, each with what scripts/grid.sh calls its log: "
         "SCHEME-NETWORK-DATASET-SEED-ID",
         NULL, &w->logs},
        {"--schedule", NULL, NULL, "print what schedulers go by, as said above", NULL,
         &w->schedule},
        {"--why", NULL, NULL, "print why each run that is not done will be run, or why not", NULL,
         &w->why},
        {"--explain", NULL, NULL, "print every value of every run and where it came from", NULL,
         &w->explain},
        {"--jobs", "N", NULL,
         "refuse when there are no cores or no memory here for so many of them at a time", &w->jobs,
         NULL},
        {"--fit", NULL, NULL, "print for how many there are, alone", NULL, &w->fit},
        {"--set", "SETTINGS", NULL, "what the grid has instead, such as 'dataset=cifar10 seed=1,2'",
         &w->set, NULL},
        {"--name", NULL, NULL, "print the name of the grid, which --set extends, alone", NULL,
         &w->name},
        {"--dry-run", NULL, NULL, "record nothing", NULL, &w->dry_run},
        COMPUTING_ROWS(&w->how),
        {0},
    };
    return verb_parse(
        o, "plan GRID [options]",
        "Validates a grid (experiments/README.md), records its runs in the database and prints one "
        "per line.\nHow they are to be computed is not recorded: what 'run' would refuse is "
        "refused here already.\n\n--schedule prints columns that tabs part: ID, its WORK in "
        "multiply-accumulates, the SECONDS that it takes\non this machine, the MEMORY in MiB and "
        "the CORES (--threads) that it takes, the PARENT whose weights it takes,\nthe HOST "
        "where those lie once it is done ('-' for neither), and the name of its LOG, as --logs has "
        "it. A run by engine null\ntakes 0 cores.",
        rows, helped, e);
}

int verb_plan(struct options *o, struct error *e) {
    struct plan_verb p = {.wanted.how = COMPUTING_DEFAULTS};
    int helped, operands = parse_plan(o, &p.wanted, &helped, e);
    if (helped)
        return EXIT_DONE;
    if (operands < 0 || check_options(&p, operands, e))
        return EXIT_USAGE;
    p.db = o->db;
    p.wanted.quiet = o->quiet;
    int rc = plan_grid(&p, o, o->argv[1], e);
    planning_free(&p.planning);
    estimate_close(&p.measured);
    free(p.selected);
    return rc ? EXIT_FAILED : EXIT_DONE;
}
