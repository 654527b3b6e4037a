/* truncquant status: how far the runs of a grid are, which are not done and why, and the time left.
 * It only reads; what is running is found in the database, whoever started it. */
#include "base/progress.h"
#include "plan/grid_name.h"
#include "plan/schedule/estimate.h"
#include "report/print/table.h"
#include "run/stop.h"
#include "store/store.h"
#include "verbs/database.h"
#include "verbs/verb.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LOOK_SECONDS = 2, PLAIN_SECONDS = 30, ID_DIGITS = 12 };

struct view {
    struct run_status *runs; // owned
    int n;
    int counts[RUN_STATES], excluded, stale, diverged;
    double left;      // seconds
    enum basis basis; // what that rests on
};

/* ---- the time left ---- */

static double seconds_of(struct view *v, const struct estimate *m, const struct run_status *r) {
    int goes_on = r->state == RUN_RUNNING || r->state == RUN_PENDING;
    if (!goes_on || r->excluded)
        return 0;
    return estimate_seconds(m, NULL, r->network, r->work * (1 - r->progress), &v->basis);
}

/* As many at once as there are now; but no sooner than the longest of them takes alone. */
static void estimate_left(struct view *v, const struct estimate *m) {
    double sum = 0, longest = 0;
    for (int i = 0; i < v->n; i++) {
        double left = seconds_of(v, m, &v->runs[i]);
        sum += left;
        longest = left > longest ? left : longest;
    }
    int at_once = v->counts[RUN_RUNNING] ? v->counts[RUN_RUNNING] : 1;
    v->left = sum / at_once > longest ? sum / at_once : longest;
}

/* `named`: with the settings of the runs, which only the table shows. */
static int look_at_runs(struct view *v, const struct options *o, const char *grid, int named,
                        struct error *e) {
    *v = (struct view){0};
    struct estimate m = {0};
    struct store *s = verb_open_store(o, STORE_READ, e);
    if (!s)
        return -1;
    int status = store_check_grid(s, grid, e);
    if (!status)
        status = store_statuses(s, grid, &v->runs, &v->n, e);
    if (!status && named)
        status = store_name_statuses(s, grid, v->runs, v->n, e);
    if (!status)
        status = estimate_open(&m, s, e);
    store_close(s);
    for (int i = 0; i < v->n; i++) {
        if (v->runs[i].excluded) {
            v->excluded++;
            continue;
        }
        v->counts[v->runs[i].state]++;
        v->stale += v->runs[i].stale != NULL;
        v->diverged += v->runs[i].diverged != NULL;
    }
    estimate_left(v, &m);
    estimate_close(&m);
    return status;
}

/* "02:30"; "~02:30" where no run that finished tells how fast they are. */
static void print_left(const struct view *v, char *text, size_t size) {
    char time[32];
    progress_print_time(v->left, time, sizeof time);
    snprintf(text, size, "%s%s", v->basis == BASIS_STATED ? "~" : "", time);
}

static int goes_on(const struct view *v) {
    return v->counts[RUN_RUNNING] + v->counts[RUN_PENDING] > 0;
}

/* ---- the line ---- */

/* "12 done (1 stale, 2 diverged), 2 running, 1 failed, 5 pending; 08:20 left": what there is none
 * of is left out, but done. */
static void print_line(const struct view *v, FILE *out) {
    static const enum run_state order[] = {RUN_RUNNING, RUN_FAILED, RUN_DEAD, RUN_PENDING};
    fprintf(out, "%d done", v->counts[RUN_DONE]);
    if (v->stale)
        fprintf(out, " (%d stale%s", v->stale, v->diverged ? "" : ")");
    if (v->diverged)
        fprintf(out, "%s%d diverged)", v->stale ? ", " : " (", v->diverged);
    for (int i = 0; i < 4; i++)
        if (v->counts[order[i]])
            fprintf(out, ", %d %s", v->counts[order[i]], run_state_names[order[i]]);
    if (v->excluded)
        fprintf(out, ", %d excluded", v->excluded);
    if (!goes_on(v))
        return;
    char time[40];
    print_left(v, time, sizeof time);
    fprintf(out, "; %s left", time);
}

static int show_line(const struct options *o, const char *grid, struct error *e) {
    struct view v;
    int status = look_at_runs(&v, o, grid, 0, e);
    if (!status) {
        print_line(&v, stdout);
        putchar('\n');
    }
    store_free_statuses(v.runs, v.n);
    return status;
}

/* ---- the table ---- */

static void add_run(struct table *t, const struct run_status *r) {
    table_addf(t, "%.*s", ID_DIGITS, r->run_id);
    table_add(t, r->scheme);
    table_add(t, r->network);
    table_add(t, r->settings);
    table_addf(t, "%ld", r->seed);
    table_add(t, r->stale ? "stale" : r->diverged ? "diverged" : run_state_names[r->state]);
    table_addf(t, "%.0f %%", 100 * r->progress);
    table_add(t, r->stale ? r->stale : r->diverged ? r->diverged : r->reason);
}

static void print_counts(const struct view *v) {
    static const enum run_state order[] = {RUN_DONE, RUN_RUNNING, RUN_FAILED, RUN_DEAD,
                                           RUN_PENDING};
    const char *titles[] = {"runs", "done",    "running",  "failed",
                            "dead", "pending", "excluded", "left"};
    char time[40] = "-";
    if (goes_on(v))
        print_left(v, time, sizeof time);
    struct table *t = table_new(8, titles, "rrrrrrrr");
    table_addf(t, "%d", v->n);
    for (int i = 0; i < RUN_STATES; i++)
        table_addf(t, "%d", v->counts[order[i]]);
    table_addf(t, "%d", v->excluded);
    table_add(t, time);
    table_print(t, EXPORT_TEXT, stdout);
    table_free(t);
    if (v->stale)
        printf("\n%d done run%s stale, as said below; 'run --again' computes %s anew\n", v->stale,
               v->stale == 1 ? " is" : "s are", v->stale == 1 ? "it" : "them");
    if (v->diverged)
        printf("\n%d done run%s diverged, as said below; the tables say so\n", v->diverged,
               v->diverged == 1 ? " has" : "s have");
}

static int is_to_be_shown(const struct run_status *r) {
    return !r->excluded && (r->state != RUN_DONE || r->stale || r->diverged);
}

static void print_view(const struct view *v) {
    static const char *const titles[] = {"run",  "scheme", "network",  "settings",
                                         "seed", "state",  "progress", "reason"};
    struct table *t = table_new(8, titles, "llllrlrl");
    for (int i = 0; i < v->n; i++)
        if (is_to_be_shown(&v->runs[i]))
            add_run(t, &v->runs[i]);
    print_counts(v);
    if (t->rows > 1) {
        putchar('\n');
        table_print(t, EXPORT_TEXT, stdout);
    }
    table_free(t);
}

static int show_table(const struct options *o, const char *grid, struct error *e) {
    struct view v;
    int status = look_at_runs(&v, o, grid, 1, e);
    if (!status)
        print_view(&v);
    store_free_statuses(v.runs, v.n);
    return status;
}

/* ---- watching ---- */

/* -1 when nobody can see it; main says why. */
static int show_again(const struct view *v, int terminal) {
    if (terminal)
        fputs("\r\033[K", stdout);
    print_line(v, stdout);
    if (!terminal)
        putchar('\n');
    return fflush(stdout) ? -1 : 0;
}

/* Looks every 2 s, shows each look on a terminal and every 15th elsewhere, and the last. Two looks
 * in a row without a run that goes on are the end: one may fall between two runs. */
static int watch(const struct options *o, const char *grid, struct error *e) {
    int terminal = isatty(STDOUT_FILENO), status = 0, idle = 0;
    stop_catch();
    for (int i = 0;; i++) {
        struct view v;
        status = look_at_runs(&v, o, grid, 0, e);
        idle = goes_on(&v) ? 0 : idle + 1;
        int last = idle == 2 || stop_signal();
        if (!status && (terminal || last || i % (PLAIN_SECONDS / LOOK_SECONDS) == 0))
            last |= show_again(&v, terminal) != 0;
        store_free_statuses(v.runs, v.n);
        if (last || status)
            break;
        stop_wait(LOOK_SECONDS);
    }
    if (terminal)
        putchar('\n');
    return status;
}

int verb_status(struct options *o, struct error *e) {
    int line = 0, watching = 0, helped;
    const struct option_row rows[] = {
        {"--line", NULL, NULL, "only the line of counts", NULL, &line},
        {"--watch", NULL, NULL, "repeat that line until nothing is running or pending", NULL,
         &watching},
        {0},
    };
    int operands = verb_parse(o, "status [GRID] [options]",
                              "How far runs are: counts, the time left, and a line for each run "
                              "that is not done. GRID is the\n"
                              "name of a grid or its file; without it all runs are counted.",
                              rows, &helped, e);
    if (helped)
        return EXIT_DONE;
    if (operands > 1)
        fail(e, "status: one grid at a time; '%.64s' is one too many", o->argv[2]);
    if (operands < 0 || operands > 1)
        return EXIT_USAGE;
    char *grid = grid_name(operands ? o->argv[1] : NULL, e);
    if (e->text[0])
        return EXIT_FAILED;
    int (*show)(const struct options *, const char *, struct error *) = show_table;
    if (watching)
        show = watch;
    else if (line)
        show = show_line;
    int status = show(o, grid, e);
    free(grid);
    if (status)
        return EXIT_FAILED;
    return stop_signal() ? 128 + stop_signal() : EXIT_DONE;
}
