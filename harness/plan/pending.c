/* Which runs of a planning are to be run, and why: the database alone says, by id. planning.h is
 * the manual. */
#include "plan/planning.h"

#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int status_by_id(const void *a, const void *b) {
    return strcmp(((const struct run_status *)a)->run_id, ((const struct run_status *)b)->run_id);
}

/* ---- what the database says ---- */

/* Runs that can be compared stand together; of those, the last recorded first. */
static int former_by_name(const void *a, const void *b) {
    const struct run_row *l = a, *r = b;
    int order = strcmp(l->scheme, r->scheme);
    if (!order)
        order = strcmp(l->network, r->network);
    if (!order)
        order = strcmp(l->dataset, r->dataset);
    return order ? order : (l->seed > r->seed) - (l->seed < r->seed);
}

int planning_look(struct planning *p, struct store *s, struct error *e) {
    if (store_statuses(s, NULL, &p->known, &p->n_known, e) ||
        store_former_runs(s, p->grid.name, &p->former, &p->n_former, e))
        return -1;
    if (p->n_known)
        qsort(p->known, (size_t)p->n_known, sizeof *p->known, status_by_id);
    if (p->n_former)
        qsort(p->former, (size_t)p->n_former, sizeof *p->former, former_by_name);
    return 0;
}

const struct run_status *planning_status(const struct planning *p, const char *run_id) {
    struct run_status key = {0};
    snprintf(key.run_id, sizeof key.run_id, "%s", run_id);
    return p->n_known ? bsearch(&key, p->known, (size_t)p->n_known, sizeof *p->known, status_by_id)
                      : NULL;
}

static int is_pending(const struct pending_options *o, const struct run_status *known) {
    if (!known) // not recorded: a dry run
        return 1;
    return !known->excluded &&
           (known->state == RUN_PENDING || known->state == RUN_DEAD ||
            (known->state == RUN_FAILED && o->retry_failed) || (known->stale && o->again));
}

/* Whether the run, if it takes another's weights, can take them now. */
static int is_ready(const struct planning *p, const struct run_row *row) {
    const struct run_status *parent = row->parent ? planning_status(p, row->parent) : NULL;
    return !row->parent || (parent && parent->state == RUN_DONE && !parent->stale);
}

void planning_pending(const struct planning *p, const struct pending_options *options,
                      int *selected) {
    for (int i = 0; i < p->grid.n; i++)
        selected[i] = is_pending(options, planning_status(p, p->rows[i].run_id)) &&
                      (!options->ready || is_ready(p, &p->rows[i]));
}

/* Finished runs are not run again by themselves when their quantizers change: that is for people to
 * decide. */
static void note_stale(const struct planning *p) {
    const struct run_status *first = NULL;
    int stale = 0;
    for (int i = 0; i < p->grid.n; i++) {
        const struct run_status *status = planning_status(p, p->rows[i].run_id);
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

int planning_note(const struct planning *p, struct store *s, int again, struct error *e) {
    if (!p->quiet && !again)
        note_stale(p);
    return note_curveless(p, s, e);
}

/* ---- why ---- */

const char *const outlook_names[OUTLOOKS] = {"runs", "waits", "left out", "done"};

/* "epochs = 3, not 2; batch = 64, not 128": how many keys of what is computed differ. */
static int compare_specs(const struct spec *now, const struct spec *before, char *text,
                         size_t size) {
    int n = 0;
    text[0] = '\0';
    for (const struct spec_key *k = spec_keys; k->name; k++) {
        char values[2][SPEC_VALUE], one[2 * SPEC_VALUE + 64];
        spec_print_value(now, k, values[0], sizeof values[0]);
        spec_print_value(before, k, values[1], sizeof values[1]);
        if (k->request || !strcmp(values[0], values[1]))
            continue;
        snprintf(one, sizeof one, "%s = %s, not %s", k->flat, values[0], values[1]);
        text_list_add(text, size, "; ", one);
        n++;
    }
    return n;
}

/* What tells a run from one of an earlier edition that no key does. */
static const char *other_content(const struct run_row *now, const struct run_row *before) {
    return strcmp(now->data_hash, before->data_hash) != 0 ? "the data set has other content"
           : strcmp(now->cfg, before->cfg) != 0           ? "the network's file has changed"
                                                          : "what a run is was said otherwise";
}

/* Against the run of an earlier edition that differs in the fewest keys, of those with its scheme,
 * network, data set and seed. 0: there is none. */
static int find_change(const struct planning *p, int i, char why[WHY]) {
    const struct run_row *row = &p->rows[i], *at = NULL;
    const struct run_row *end = p->former + p->n_former;
    int fewest = SPEC_KEYS + 1;
    if (p->n_former)
        at = bsearch(row, p->former, (size_t)p->n_former, sizeof *at, former_by_name);
    while (at && at > p->former && !former_by_name(at - 1, row))
        at--;
    for (; at && at < end && !former_by_name(at, row); at++) {
        struct spec before;
        struct error ignored = {0};
        char text[WHY - 128];
        if (spec_read(&before, p->table, at->spec, "specification of the run", &ignored))
            continue;
        int n = compare_specs(&p->grid.specs[i], &before, text, sizeof text);
        if (n < fewest)
            snprintf(why, WHY, "changed since run %.12s: %s", at->run_id,
                     n ? text : other_content(row, at));
        fewest = n < fewest ? n : fewest;
    }
    return fewest <= SPEC_KEYS;
}

/* Of a run that has been tried. */
static void say_before(const struct run_status *s, char why[WHY]) {
    const char *reason = s->reason ? s->reason : "";
    const char *how = s->state == RUN_DEAD                   ? "died"
                      : s->cause == CAUSE_OUTSIDE && s->ends ? "failed from outside"
                      : s->state == RUN_FAILED               ? "failed before"
                                                             : "interrupted";
    snprintf(why, WHY, "%s on %.64s at %.0f %%: %.1024s", how, s->host ? s->host : "?",
             100 * s->progress, reason);
}

static enum outlook why_of_done(const struct run_status *s, const struct pending_options *o,
                                char why[WHY]) {
    if (!s->stale)
        return IS_DONE;
    snprintf(why, WHY, o->again ? "changed code: %s" : "changed code: %s; --again computes it anew",
             s->stale);
    return o->again ? WILL_RUN : WILL_NOT_RUN;
}

/* By what is recorded of the run itself. */
static enum outlook why_by_state(const struct planning *p, int i, const struct run_status *s,
                                 const struct pending_options *o, char why[WHY]) {
    if (s && s->state == RUN_DONE)
        return why_of_done(s, o, why);
    if (s && s->state == RUN_RUNNING) {
        snprintf(why, WHY, "is being computed on %.64s (process %ld)", s->host, s->pid);
        return WILL_NOT_RUN;
    }
    if (s && s->host)
        say_before(s, why);
    else if (!find_change(p, i, why))
        snprintf(why, WHY, "new");
    if (!s || s->state != RUN_FAILED || o->retry_failed)
        return WILL_RUN;
    text_list_add(why, WHY, "; ", "'truncquant retry' has it tried again");
    return WILL_NOT_RUN;
}

/* Those that do not count are done or not, but not run. */
static enum outlook why_excluded(const struct planning *p, int i, char why[WHY]) {
    const struct run_row *row = &p->rows[i];
    const struct run_status *parent = row->parent ? planning_status(p, row->parent) : NULL;
    if (parent && parent->excluded)
        snprintf(why, WHY, "excluded parent: takes the weights of run %.12s, which does not count",
                 row->parent);
    else
        snprintf(why, WHY, "excluded ('truncquant exclude --undo' takes that back)");
    return WILL_NOT_RUN;
}

enum outlook planning_why(const struct planning *p, int i, const struct pending_options *o,
                          char why[WHY]) {
    const struct run_row *row = &p->rows[i];
    const struct run_status *s = planning_status(p, row->run_id);
    why[0] = '\0';
    if (s && s->excluded)
        return why_excluded(p, i, why);
    enum outlook outlook = why_by_state(p, i, s, o, why);
    if (outlook != WILL_RUN || is_ready(p, row))
        return outlook;
    const struct run_status *parent = planning_status(p, row->parent);
    char waits[256];
    snprintf(waits, sizeof waits, "waits for the weights of run %.12s, which is %s", row->parent,
             !parent         ? "not recorded"
             : parent->stale ? "stale"
                             : run_state_names[parent->state]);
    text_list_add(why, WHY, "; ", waits);
    return WILL_WAIT;
}
