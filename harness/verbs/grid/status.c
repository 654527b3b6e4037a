/* truncquant status: how far the runs of a grid are, which are not done and why, and the time left;
 * or what is known of one run. It only reads; what is running is found in the database, whoever
 * started it. */
#include "base/progress.h"
#include "plan/grid_name.h"
#include "report/print/table.h"
#include "run/stop.h"
#include "verbs/database.h"
#include "verbs/grid/history.h"
#include "verbs/grid/outlook.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LOOK_SECONDS = 2, PLAIN_SECONDS = 30, ID_DIGITS = 12 };

/* ---- the line ---- */

/* "12 done (1 stale, 2 diverged), 2 running, 1 failed, 5 pending; 08:20 left": what there is none
 * of is left out, but done. */
static void print_line(const struct view *v, FILE *out) {
    static const enum run_state order[] = {RUN_RUNNING, RUN_FAILED, RUN_DEAD, RUN_PENDING};
    const struct counts *c = &v->all;
    fprintf(out, "%d done", c->states[RUN_DONE]);
    if (c->stale)
        fprintf(out, " (%d stale%s", c->stale, c->diverged ? "" : ")");
    if (c->diverged)
        fprintf(out, "%s%d diverged)", c->stale ? ", " : " (", c->diverged);
    for (int i = 0; i < 4; i++)
        if (c->states[order[i]])
            fprintf(out, ", %d %s", c->states[order[i]], run_state_names[order[i]]);
    if (c->excluded)
        fprintf(out, ", %d excluded", c->excluded);
    if (!view_goes_on(v))
        return;
    char time[40];
    view_print_left(v, c, time, sizeof time);
    fprintf(out, "; %s left", time);
}

static int show_line(const struct options *o, const char *grid, struct error *e) {
    struct view v;
    int status = view_open(&v, o, grid, 0, e);
    if (!status) {
        print_line(&v, stdout);
        putchar('\n');
    }
    view_free(&v);
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

static void print_all(const struct view *v) {
    static const enum run_state order[] = {RUN_DONE, RUN_RUNNING, RUN_FAILED, RUN_DEAD,
                                           RUN_PENDING};
    const char *titles[] = {"runs", "done",    "running",  "failed",
                            "dead", "pending", "excluded", "left"};
    const struct counts *c = &v->all;
    char time[40];
    view_print_left(v, c, time, sizeof time);
    struct table *t = table_new(8, titles, "rrrrrrrr");
    table_addf(t, "%d", c->n);
    for (int i = 0; i < RUN_STATES; i++)
        table_addf(t, "%d", c->states[order[i]]);
    table_addf(t, "%d", c->excluded);
    table_add(t, time);
    table_print(t, EXPORT_TEXT, stdout);
    table_free(t);
    if (c->stale)
        printf("\n%d done run%s stale, as said below; 'run --again' computes %s anew\n", c->stale,
               c->stale == 1 ? " is" : "s are", c->stale == 1 ? "it" : "them");
    if (c->diverged)
        printf("\n%d done run%s diverged, as said below; the tables say so\n", c->diverged,
               c->diverged == 1 ? " has" : "s have");
}

/* Of each scheme and network, where there are several. The time is what its runs take if all that
 * run at a time are of it. */
static void print_groups(const struct view *v) {
    static const enum run_state order[] = {RUN_RUNNING, RUN_FAILED, RUN_DEAD, RUN_PENDING};
    static const char *const titles[] = {"scheme",  "network", "runs", "done",    "diverged",
                                         "running", "failed",  "dead", "pending", "left"};
    if (v->n_groups < 2)
        return;
    struct table *t = table_new(10, titles, "llrrrrrrrr");
    for (int i = 0; i < v->n_groups; i++) {
        const struct counts *c = &v->groups[i];
        char time[40];
        view_print_left(v, c, time, sizeof time);
        table_add(t, c->scheme);
        table_add(t, c->network);
        table_addf(t, "%d", c->n);
        table_addf(t, "%d", c->states[RUN_DONE]);
        table_addf(t, "%d", c->diverged);
        for (int k = 0; k < 4; k++)
            table_addf(t, "%d", c->states[order[k]]);
        table_add(t, time);
    }
    putchar('\n');
    table_print(t, EXPORT_TEXT, stdout);
    table_free(t);
}

/* Of those that are only pending a few stand for all. */
static int is_plain(const struct run_status *r) {
    return r->state == RUN_PENDING && !r->reason && !r->excluded;
}

static int is_to_be_shown(const struct run_status *r) {
    return !r->excluded && (r->state != RUN_DONE || r->stale || r->diverged);
}

static void print_runs(const struct view *v) {
    enum { PLAIN_SHOWN = 20 };
    static const char *const titles[] = {"run",  "scheme", "network",  "settings",
                                         "seed", "state",  "progress", "reason"};
    struct table *t = table_new(8, titles, "llllrlrl");
    int plain = 0;
    for (int i = 0; i < v->n; i++)
        if (is_to_be_shown(&v->runs[i]) && (!is_plain(&v->runs[i]) || plain++ < PLAIN_SHOWN))
            add_run(t, &v->runs[i]);
    if (t->rows > 1) {
        putchar('\n');
        table_print(t, EXPORT_TEXT, stdout);
    }
    if (plain > PLAIN_SHOWN)
        printf("and %d more that are pending\n", plain - PLAIN_SHOWN);
    table_free(t);
}

static void print_view(const struct view *v) {
    print_all(v);
    print_groups(v);
    print_runs(v);
}

static int show_table(const struct options *o, const char *grid, struct error *e) {
    struct view v;
    int status = view_open(&v, o, grid, 1, e);
    if (!status)
        print_view(&v);
    view_free(&v);
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

/* What looks at many runs looks less often, so that it takes a twentieth of a core at most. */
static double pause_after(double seconds) {
    enum { SHARE = 20 };
    return SHARE * seconds > LOOK_SECONDS ? SHARE * seconds : LOOK_SECONDS;
}

/* Looks every 2 s, shows each look on a terminal and one in 30 s elsewhere, and the last. Two looks
 * in a row without a run that goes on are the end: one may fall between two runs. */
static int watch(const struct options *o, const char *grid, struct error *e) {
    int terminal = isatty(STDOUT_FILENO), status = 0, idle = 0;
    double shown = -PLAIN_SECONDS;
    stop_catch();
    for (;;) {
        struct view v;
        double start = progress_clock();
        status = view_open(&v, o, grid, 0, e);
        idle = view_goes_on(&v) ? 0 : idle + 1;
        int last = idle == 2 || stop_signal();
        if (!status && (terminal || last || start - shown >= PLAIN_SECONDS)) {
            last |= show_again(&v, terminal) != 0;
            shown = start;
        }
        view_free(&v);
        if (last || status)
            break;
        stop_wait(pause_after(progress_clock() - start));
    }
    if (terminal)
        putchar('\n');
    return status;
}

static int show_grid(const struct options *o, const char *said, int line, int watching,
                     struct error *e) {
    int (*show)(const struct options *, const char *, struct error *) = show_table;
    char *grid = grid_name(said, e);
    if (watching)
        show = watch;
    else if (line)
        show = show_line;
    int status = e->text[0] ? -1 : show(o, grid, e);
    free(grid);
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
    int operands = verb_parse(
        o, "status [GRID | RUN] [options]",
        "How far runs are: counts, by scheme and network too, the time left on the machines that "
        "are at work, and a line\nfor each run that is not done. GRID is the name of a grid or its "
        "file; without it all runs are counted. Of one RUN\n(its id, or the first digits of that): "
        "its attempts, its last losses, and where its log is.",
        rows, &helped, e);
    if (helped)
        return EXIT_DONE;
    if (operands > 1)
        fail(e, "status: one grid at a time; '%.64s' is one too many", o->argv[2]);
    if (operands < 0 || operands > 1)
        return EXIT_USAGE;
    const char *said = operands ? o->argv[1] : NULL;
    if (said && history_is_meant(o, said)) {
        if (line || watching)
            return fail(e, "status: --%s is of a grid, not of one run; leave it out",
                        line ? "line" : "watch"),
                   EXIT_USAGE;
        return history_show(o, said, e) ? EXIT_FAILED : EXIT_DONE;
    }
    if (show_grid(o, said, line, watching, e))
        return EXIT_FAILED;
    return stop_signal() ? 128 + stop_signal() : EXIT_DONE;
}
