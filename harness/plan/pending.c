/* Which runs of a planning are to be run: the database alone says, by id. planning.h is the manual.
 */
#include "plan/planning.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int status_by_id(const void *a, const void *b) {
    return strcmp(((const struct run_status *)a)->run_id, ((const struct run_status *)b)->run_id);
}

static int is_pending(const struct pending_options *o, const struct run_status *known) {
    if (!known) // not recorded: a dry run
        return 1;
    return !known->excluded &&
           (known->state == RUN_PENDING || known->state == RUN_DEAD ||
            (known->state == RUN_FAILED && o->retry_failed) || (known->stale && o->again));
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

/* Finished runs are not run again by themselves when their quantizers change: that is for people to
 * decide. */
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
    if (stale)
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
    if (n && !p->quiet)
        fprintf(
            stderr,
            "truncquant: note: %lld run%s finished without a learning curve, which 'every' asks "
            "for: it is evaluated while a run is trained\n",
            (long long)n, n == 1 ? " is" : "s are");
    return 0;
}

int planning_pending(const struct planning *p, struct store *s,
                     const struct pending_options *options, int *selected, struct error *e) {
    struct run_status *known = NULL;
    int n = 0;
    if (store_statuses(s, NULL, &known, &n, e))
        return -1;
    if (n)
        qsort(known, (size_t)n, sizeof *known, status_by_id);
    for (int i = 0; i < p->grid.n && options; i++) {
        const struct run_row *row = &p->rows[i];
        selected[i] = is_pending(options, find_status(row->run_id, known, n)) &&
                      (!options->ready || is_ready(row, known, n));
    }
    if (!p->quiet && !(options && options->again))
        note_stale(p, known, n);
    store_free_statuses(known, n);
    return note_curveless(p, s, e);
}
