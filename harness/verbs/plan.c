/* truncquant plan: validates a grid with its networks and data sets, records its runs, and prints
 * them. Nothing is computed, and Darknet is not loaded. Which runs are pending is decided from the
 * database alone, by id: an edited grid runs just what is new. */
#include "plan/declare.h"
#include "plan/estimate.h"
#include "plan/planning.h"
#include "plan/row.h"
#include "run/folder.h"
#include "store/store.h"
#include "verbs/runs/computing.h"
#include "verbs/verb.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct wanted {
    int pending, ids, logs, dry_run, explain, quiet, name;
    struct pending_options which;
    const char *set;      // as in grid_read
    struct computing how; // is checked, so that no run is recorded that could not begin
};

struct plan_verb {
    struct planning planning;
    const char *db;
    struct wanted wanted;
    int *selected; // (grid.n) to be printed
    struct estimate measured;
};

/* A database that cannot be read has nothing to say about the cost. */
static int estimate_only(struct plan_verb *p, struct error *e) {
    struct error ignored = {0};
    struct store *s = access(p->db, F_OK) ? NULL : store_open(p->db, STORE_READ, &ignored);
    int rc = s ? run_folder_check(s, e) : 0;
    if (s && !rc && estimate_open(&p->measured, s, &ignored))
        estimate_close(&p->measured);
    store_close(s);
    return rc;
}

static int use_store(struct plan_verb *p, struct error *e) {
    const struct wanted *w = &p->wanted;
    struct store *s = NULL;
    p->selected = need((size_t)p->planning.grid.n, sizeof *p->selected);
    for (int i = 0; i < p->planning.grid.n; i++)
        p->selected[i] = 1;
    if (w->dry_run && (!w->pending || access(p->db, F_OK)))
        return estimate_only(p, e); // nothing to record, and nothing to ask
    s = store_open(p->db, w->dry_run ? STORE_READ : STORE_WRITE, e);
    if (!s)
        return -1;
    int rc = run_folder_check(s, e);
    if (!rc && !w->dry_run)
        rc = store_set_grid(s, p->planning.rows, p->planning.grid.n, p->planning.grid.name, e);
    if (!rc)
        rc = fingerprints_declare(s, p->planning.table, e);
    if (!rc)
        rc = planning_pending(&p->planning, s, w->pending ? &w->which : NULL, p->selected, e);
    if (!rc)
        rc = estimate_open(&p->measured, s, e);
    store_close(s);
    return rc;
}

/* ---- what is printed ---- */

static void print_run(const struct plan_verb *p, int i) {
    fputs(p->planning.rows[i].run_id, stdout);
    if (p->wanted.logs) {
        char name[ROW_FILE_NAME];
        row_file_name(&p->planning.rows[i], name);
        printf(" %s", name);
    } else if (!p->wanted.ids) {
        putchar(' ');
        spec_write_line(&p->planning.grid.specs[i], p->planning.table, stdout);
    }
    putchar('\n');
}

static void explain_run(const struct plan_verb *p, int i) {
    printf("%s\n", p->planning.rows[i].run_id);
    for (const struct spec_key *k = spec_keys; k->name; k++) {
        char text[SPEC_VALUE];
        spec_print_value(&p->planning.grid.specs[i], k, text, sizeof text);
        printf("  %-16s %-20s %s\n", k->flat, text, grid_origin(&p->planning.grid, i, k));
    }
}

static int row_by_turn(const void *a, const void *b) {
    const struct run_row *l = *(const struct run_row *const *)a;
    const struct run_row *r = *(const struct run_row *const *)b;
    if (!l->parent != !r->parent)
        return l->parent ? 1 : -1;
    if (l->work != r->work)
        return l->work < r->work ? 1 : -1;
    return (l > r) - (l < r);
}

/* In the order of the grid; what is pending with the longest first (behind those whose weights they
 * take), so that no long run is left over at the end while other cores have nothing to do. */
static void print_runs(const struct plan_verb *p) {
    const struct run_row **order = need((size_t)p->planning.grid.n, sizeof *order);
    for (int i = 0; i < p->planning.grid.n; i++)
        order[i] = &p->planning.rows[i];
    if (p->wanted.pending)
        qsort(order, (size_t)p->planning.grid.n, sizeof *order, row_by_turn);
    for (int k = 0; k < p->planning.grid.n; k++) {
        int i = (int)(order[k] - p->planning.rows);
        if (!p->selected[i])
            continue;
        if (p->wanted.explain)
            explain_run(p, i);
        else
            print_run(p, i);
    }
    free(order);
}

/* ---- what it costs ---- */

/* As people say it: minutes below two hours. */
static void print_core_time(double seconds, char *text, size_t size) {
    if (seconds < 7200)
        snprintf(text, size, seconds < 600 ? "%.1f core-minutes" : "%.0f core-minutes",
                 seconds / 60);
    else
        snprintf(text, size, seconds < 360000 ? "%.1f core-hours" : "%.0f core-hours",
                 seconds / 3600);
}

static void note_cost(const struct plan_verb *p) {
    static const char *const rests_on[] = {
        [BASIS_NETWORK] = "as measured for each network",
        [BASIS_OTHERS] = "by what was measured, on other networks in part",
        [BASIS_STATED] = "at 4e10 a second and core, a rough figure: no run was measured yet",
    };
    struct work sum = {0};
    double seconds = 0;
    enum basis basis = BASIS_NETWORK;
    char time[64];
    int n = 0;
    for (int i = 0; i < p->planning.grid.n; i++) {
        if (!p->selected[i])
            continue;
        n++;
        sum.training += p->planning.works[i].training;
        sum.evaluation += p->planning.works[i].evaluation;
        seconds += estimate_seconds(&p->measured, p->planning.rows[i].network,
                                    p->planning.rows[i].work, &basis);
    }
    double all = sum.training + sum.evaluation;
    if (!n || p->wanted.quiet || p->wanted.ids || p->wanted.logs)
        return;
    print_core_time(seconds, time, sizeof time);
    fprintf(stderr,
            "truncquant: note: %d run%s, %.2g multiply-accumulates (%.0f %% training): about %s, "
            "%s%s\n",
            n, n == 1 ? "" : "s", all, 100 * sum.training / all, time, rests_on[basis],
            basis == BASIS_STATED || p->measured.here ? "" : " (elsewhere)");
}

/* ---- the verb ---- */

static int plan_grid(struct plan_verb *p, const struct options *o, const char *path,
                     struct error *e) {
    if (planning_make(&p->planning, o->quantizers, path, p->wanted.set, o->quiet, e) ||
        use_store(p, e))
        return -1;
    if (p->wanted.name)
        puts(p->planning.grid.name);
    else
        print_runs(p);
    if (!p->wanted.name)
        note_cost(p);
    return 0;
}

static int check_options(const struct wanted *w, int operands, struct error *e) {
    struct session_options ignored;
    if (operands != 1)
        return fail(e, "plan: takes one grid file, not %d; 'truncquant plan --help' shows how",
                    operands);
    if (w->ids + w->logs + w->explain > 1)
        return fail(e, "plan: --ids, --logs and --explain exclude each other; use one");
    if (w->name && (w->ids || w->logs || w->explain || w->pending))
        return fail(e, "plan: --name prints nothing else; leave out --ids, --logs, --explain, "
                       "--pending");
    if ((w->which.retry_failed || w->which.ready || w->which.again) && !w->pending)
        return fail(e, "plan: --%s belongs to --pending; add that",
                    w->which.ready   ? "ready"
                    : w->which.again ? "again"
                                     : "retry-failed");
    return computing_options(&w->how, "plan", &ignored, e);
}

int verb_plan(struct options *o, struct error *e) {
    struct plan_verb p = {.wanted.how = COMPUTING_DEFAULTS};
    struct wanted *w = &p.wanted;
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
        {"--ids", NULL, NULL, "print ids alone", NULL, &w->ids},
        {"--logs", NULL, NULL,
         "print ids, each with what scripts/grid.sh calls its log: "
         "SCHEME-NETWORK-DATASET-SEED-ID",
         NULL, &w->logs},
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
    int rc = plan_grid(&p, o, o->argv[1], e);
    planning_free(&p.planning);
    estimate_close(&p.measured);
    free(p.selected);
    return rc ? EXIT_FAILED : EXIT_DONE;
}
