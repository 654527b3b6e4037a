/* What the runs of a grid need of a machine beside what all need: their data sets, with the content
 * that they were planned with. Who starts runs elsewhere asks it there first; check.h is the
 * manual. */
#include "data/dataset.h"
#include "spec/spec.h"
#include "verbs/check/check.h"
#include "verbs/database.h"

#include <stdlib.h>
#include <string.h>

/* The data sets that were looked at, each by a run of it. */
struct seen {
    struct {
        struct run_row row; // owned texts
        long image_size;
    } * of;
    int n;
};

static int is_seen(const struct seen *seen, const struct run_row *row, const struct spec *spec) {
    for (int i = 0; i < seen->n; i++)
        if (!strcmp(seen->of[i].row.dataset, row->dataset) &&
            !strcmp(seen->of[i].row.data_hash, row->data_hash) &&
            seen->of[i].image_size == spec->image_size)
            return 1;
    return 0;
}

static int compare(const struct options *o, const struct dataset *d, const struct run_row *row,
                   struct error *e) {
    if (strcmp(d->hash, row->data_hash))
        return fail(e,
                    "the data set %s here differs from the one run %.12s was planned with; bring "
                    "that one here, or plan the grid anew",
                    d->name, row->run_id);
    if (!o->quiet)
        printf("ok       data set %s: %u training and %u test images, those of the plan\n", d->name,
               d->split[SPLIT_TRAIN].n, d->split[SPLIT_TEST].n);
    return 0;
}

static int look_at(const struct options *o, const struct run_row *row, const struct spec *spec,
                   struct error *e) {
    struct dataset d;
    if (dataset_open_checked(&d, spec->dataset, (int)spec->image_size, e))
        return -1;
    int rc = compare(o, &d, row, e);
    dataset_close(&d);
    return rc;
}

/* *row is taken over. */
static int look_once(const struct options *o, struct run_row *row, struct seen *seen,
                     struct error *e) {
    struct spec spec;
    int rc = spec_read(&spec, o->quantizers, row->spec, "specification of the run", e);
    if (rc || is_seen(seen, row, &spec)) {
        store_free_run(row);
        return rc;
    }
    seen->of[seen->n].image_size = spec.image_size;
    seen->of[seen->n++].row = *row;
    return look_at(o, row, &spec, e);
}

static int look_at_runs(const struct options *o, struct store *s, const struct run_status *runs,
                        int n, struct error *e) {
    struct seen seen = {need((size_t)n + 1, sizeof *seen.of), 0};
    int rc = 0;
    for (int i = 0; i < n && !rc; i++) {
        struct run_row row;
        rc = store_find_run(s, runs[i].run_id, &row, e);
        if (!rc)
            rc = look_once(o, &row, &seen, e);
    }
    for (int i = 0; i < seen.n; i++)
        store_free_run(&seen.of[i].row);
    free(seen.of);
    return rc;
}

int check_grid(const struct options *o, const char *grid, struct error *e) {
    struct run_status *runs = NULL;
    int n = 0;
    struct store *s = verb_open_store(o, STORE_READ, e);
    int rc = !s || store_check_grid(s, grid, e) || store_statuses(s, grid, &runs, &n, e);
    if (!rc)
        rc = look_at_runs(o, s, runs, n, e);
    if (runs)
        store_free_statuses(runs, n);
    store_close(s);
    return rc ? -1 : 0;
}
