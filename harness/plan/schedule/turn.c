/* The order of runs, and how many at a time; turn.h is the manual. */
#include "plan/schedule/turn.h"

#include "base/cores.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

const char *const order_names[ORDERS + 1] = {"grid", "longest-first", NULL};

/* ---- the order ---- */

struct turn {
    const char *id;
    int row, child; // place in the grid; whether it takes another's weights
    double work;    // with that of those that take its weights
};

static int turn_by_id(const void *a, const void *b) {
    return strcmp(((const struct turn *)a)->id, ((const struct turn *)b)->id);
}

static int turn_by_place(const void *a, const void *b) {
    const struct turn *l = a, *r = b;
    return l->child != r->child ? l->child - r->child : l->row - r->row;
}

static int turn_by_work(const void *a, const void *b) {
    const struct turn *l = a, *r = b;
    if (l->child != r->child || l->work == r->work)
        return turn_by_place(a, b);
    return l->work < r->work ? 1 : -1;
}

/* In order of ids; parents are given the work of the longest of theirs. */
static void add_children(const struct planning *p, struct turn *turns, size_t n) {
    qsort(turns, n, sizeof *turns, turn_by_id);
    for (int i = 0; i < p->grid.n; i++) {
        const struct run_row *row = &p->rows[i];
        struct turn key = {.id = row->parent};
        struct turn *parent =
            row->parent ? bsearch(&key, turns, n, sizeof *turns, turn_by_id) : NULL;
        double with = parent ? p->rows[parent->row].work + row->work : 0;
        if (parent && with > parent->work)
            parent->work = with;
    }
}

int *turn_order(const struct planning *p, enum order order) {
    const size_t n = (size_t)p->grid.n;
    struct turn *turns = need(n, sizeof *turns);
    int *rows = need(n, sizeof *rows);
    for (int i = 0; i < p->grid.n; i++)
        turns[i] = (struct turn){p->rows[i].run_id, i, p->rows[i].parent != NULL, p->rows[i].work};
    if (order == ORDER_LONGEST)
        add_children(p, turns, n);
    qsort(turns, n, sizeof *turns, order == ORDER_LONGEST ? turn_by_work : turn_by_place);
    for (size_t i = 0; i < n; i++)
        rows[i] = turns[i].row;
    free(turns);
    return rows;
}

/* ---- how many at a time ---- */

double turn_memory(const struct planning *p, int row, const struct share *share) {
    enum { MEMORY_OF_NOTHING = 64 << 20 };
    if (!share->cores)
        return MEMORY_OF_NOTHING;
    return estimate_memory(share->measured, &p->rows[row], p->works[row].memory);
}

static int largest_first(const void *a, const void *b) {
    double l = *(const double *)a, r = *(const double *)b;
    return (l < r) - (l > r);
}

/* How many of those that take the most memory have room in what there is: that many of any have. */
static int fit_memory(const struct planning *p, const int *selected, const struct share *share) {
    double *bytes = need((size_t)p->grid.n, sizeof *bytes), left = (double)memory_usable();
    int n = 0, fit = 0;
    for (int i = 0; i < p->grid.n; i++)
        if (selected[i])
            bytes[n++] = turn_memory(p, i, share);
    qsort(bytes, (size_t)n, sizeof *bytes, largest_first);
    while (fit < n && (left -= bytes[fit]) >= 0)
        fit++;
    free(bytes);
    return fit == n ? INT_MAX : fit;
}

int turn_fitting(const struct planning *p, const int *selected, const struct share *share) {
    int by_cores = cores_usable() / (share->cores ? share->cores : 1);
    int by_memory = fit_memory(p, selected, share);
    int fit = by_memory < by_cores ? by_memory : by_cores;
    return fit > 0 ? fit : 1;
}

int turn_check(const struct planning *p, const int *selected, const struct share *share, int jobs,
               struct error *e) {
    const int cores = cores_usable(), fit = turn_fitting(p, selected, share);
    const int asked = share->cores * jobs, by_memory = fit_memory(p, selected, share);
    if (jobs == 1)
        return 0;
    if (asked > cores)
        return fail(e,
                    "%d runs at a time with %d core%s each are too many for the %d core%s that may "
                    "be used here; --jobs %d",
                    jobs, share->cores, share->cores == 1 ? "" : "s", cores, cores == 1 ? "" : "s",
                    fit);
    if (jobs > by_memory)
        return fail(e,
                    "%d runs at a time can take more than the %.1f GiB of memory that may be used "
                    "here; --jobs %d",
                    jobs, (double)memory_usable() / (1 << 30), fit);
    return 0;
}
