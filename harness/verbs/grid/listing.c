/* The lines of `truncquant plan`; listing.h is the manual. */
#include "verbs/grid/listing.h"

#include "plan/row.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The selected ones in turn, each by `print`; `all`: the others, too. */
static void list(const struct listing *l, int all, void (*print)(const struct listing *, int)) {
    int *rows = turn_order(l->planning, l->order);
    for (int k = 0; k < l->planning->grid.n; k++)
        if (all || l->selected[rows[k]])
            print(l, rows[k]);
    free(rows);
}

/* ---- runs ---- */

static void print_id(const struct listing *l, int i) {
    puts(l->planning->rows[i].run_id);
}

static void print_log(const struct listing *l, int i) {
    char name[ROW_FILE_NAME];
    row_file_name(&l->planning->rows[i], name);
    printf("%s %s\n", l->planning->rows[i].run_id, name);
}

static void print_keys(const struct listing *l, int i) {
    const struct planning *p = l->planning;
    printf("%s ", p->rows[i].run_id);
    spec_write_line(&p->grid.specs[i], p->table, stdout);
    putchar('\n');
}

static void print_origins(const struct listing *l, int i) {
    const struct planning *p = l->planning;
    puts(p->rows[i].run_id);
    for (const struct spec_key *k = spec_keys; k->name; k++) {
        char text[SPEC_VALUE];
        spec_print_value(&p->grid.specs[i], k, text, sizeof text);
        printf("  %-16s %-20s %s\n", k->flat, text, grid_origin(&p->grid, i, k));
    }
}

static void print_why(const struct listing *l, int i) {
    char why[WHY];
    enum outlook outlook = planning_why(l->planning, i, &l->which, why);
    if (outlook != IS_DONE)
        printf("%s %s: %s\n", l->planning->rows[i].run_id, outlook_names[outlook], why);
}

/* Where the parent's weights lie: it was last at work there. */
static const char *place_of(const struct planning *p, const char *parent) {
    const struct run_status *s = parent ? planning_status(p, parent) : NULL;
    return s && s->state == RUN_DONE && s->host ? s->host : "-";
}

static void print_schedule(const struct listing *l, int i) {
    const struct planning *p = l->planning;
    const struct run_row *row = &p->rows[i];
    enum basis ignored = BASIS_NETWORK;
    double seconds = estimate_seconds(l->share.measured, NULL, row->network, row->work, &ignored);
    char log[ROW_FILE_NAME];
    row_file_name(row, log);
    printf("%s\t%.0f\t%.1f\t%.0f\t%d\t%s\t%s\t%s\n", row->run_id, row->work, seconds,
           turn_memory(p, i, &l->share) / (1 << 20), l->share.cores,
           row->parent ? row->parent : "-", place_of(p, row->parent), log);
}

void listing_keys(const struct listing *l) {
    list(l, 0, print_keys);
}

void listing_ids(const struct listing *l) {
    list(l, 0, print_id);
}

void listing_logs(const struct listing *l) {
    list(l, 0, print_log);
}

void listing_origins(const struct listing *l) {
    list(l, 0, print_origins);
}

void listing_why(const struct listing *l) {
    list(l, 1, print_why);
}

void listing_schedule(const struct listing *l) {
    list(l, 0, print_schedule);
}

/* ---- what they cost ---- */

/* As people say it: minutes below two hours. */
static void print_core_time(double seconds, char *text, size_t size) {
    if (seconds < 7200)
        snprintf(text, size, seconds < 600 ? "%.1f core-minutes" : "%.0f core-minutes",
                 seconds / 60);
    else
        snprintf(text, size, seconds < 360000 ? "%.1f core-hours" : "%.0f core-hours",
                 seconds / 3600);
}

void listing_note_cost(const struct listing *l) {
    const struct planning *p = l->planning;
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
    for (int i = 0; i < p->grid.n; i++) {
        if (!l->selected[i])
            continue;
        n++;
        sum.training += p->works[i].training;
        sum.evaluation += p->works[i].evaluation;
        seconds +=
            estimate_seconds(l->share.measured, NULL, p->rows[i].network, p->rows[i].work, &basis);
    }
    double all = sum.training + sum.evaluation;
    if (!n)
        return;
    print_core_time(seconds, time, sizeof time);
    fprintf(stderr,
            "truncquant: note: %d run%s, %.2g multiply-accumulates (%.0f %% training): about %s, "
            "%s%s\n",
            n, n == 1 ? "" : "s", all, 100 * sum.training / all, time, rests_on[basis],
            basis == BASIS_STATED || l->share.measured->here[0] ? "" : " (elsewhere)");
}
