/* What `truncquant plan` prints; planning.h is the manual. */
#include "verbs/planning.h"

#include <stdlib.h>
#include <string.h>

void planning_note(const struct planning *p, const char *where, const char *notes) {
    for (const char *line = notes; !p->wanted.quiet && *line;) {
        int n = (int)strcspn(line, "\n");
        fprintf(stderr, "truncquant: note: %s%s%.*s\n", where, where[0] ? ": " : "", n, line);
        line += n + (line[n] == '\n');
    }
}

static void print_run(const struct planning *p, int i) {
    const struct spec *spec = &p->grid.specs[i];
    fputs(p->rows[i].run_id, stdout);
    for (const struct spec_key *k = spec_keys; k->name && !p->wanted.ids; k++) {
        char text[SPEC_VALUE];
        if (!spec_key_is_said(spec, p->table, k))
            continue;
        spec_print_value(spec, k, text, sizeof text);
        const char *quote = strpbrk(text, " \t") ? "\"" : "";
        printf(" %s=%s%s%s", k->flat, quote, text, quote);
    }
    putchar('\n');
}

static void explain_run(const struct planning *p, int i) {
    printf("%s\n", p->rows[i].run_id);
    for (const struct spec_key *k = spec_keys; k->name; k++) {
        char text[SPEC_VALUE];
        spec_print_value(&p->grid.specs[i], k, text, sizeof text);
        printf("  %-16s %-20s %s\n", k->flat, text, grid_origin(&p->grid, i, k));
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

void planning_print(const struct planning *p) {
    const struct run_row **order = need((size_t)p->grid.n, sizeof *order);
    for (int i = 0; i < p->grid.n; i++)
        order[i] = &p->rows[i];
    if (p->wanted.pending)
        qsort(order, (size_t)p->grid.n, sizeof *order, row_by_turn);
    for (int k = 0; k < p->grid.n; k++) {
        int i = (int)(order[k] - p->rows);
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

void planning_note_cost(const struct planning *p) {
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
        if (!p->selected[i])
            continue;
        n++;
        sum.training += p->works[i].training;
        sum.evaluation += p->works[i].evaluation;
        seconds += estimate_seconds(&p->measured, p->rows[i].network, p->rows[i].work, &basis);
    }
    double all = sum.training + sum.evaluation;
    if (!n || p->wanted.quiet || p->wanted.ids)
        return;
    print_core_time(seconds, time, sizeof time);
    fprintf(stderr,
            "truncquant: note: %d run%s, %.2g multiply-accumulates (%.0f %% training): about %s, "
            "%s%s\n",
            n, n == 1 ? "" : "s", all, 100 * sum.training / all, time, rests_on[basis],
            basis == BASIS_STATED || p->measured.here ? "" : " (elsewhere)");
}
