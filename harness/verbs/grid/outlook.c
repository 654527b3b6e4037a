/* Counting runs, and the time left; outlook.h is the manual. */
#include "verbs/grid/outlook.h"

#include "base/progress.h"
#include "verbs/database.h"

#include <stdlib.h>
#include <string.h>

/* ---- the time left ---- */

/* What one network's runs take on the machines that are at work now. */
struct speed {
    const char *network;
    double seconds; // for a unit of work, of one process: as the machines do together
};

struct speeds {
    const struct view *v;
    const struct estimate *measured;
    int n;
    struct speed *of; // owned
};

static int is_at_work(const struct run_status *r) {
    return r->state == RUN_RUNNING && !r->excluded;
}

/* Every process that is at work does as much as its machine has done before; where none is, one of
 * this machine will. */
static double measure_speed(const struct speeds *s, const char *network, enum basis *basis) {
    double rates = 0;
    int n = 0;
    for (int i = 0; i < s->v->n; i++) {
        const struct run_status *r = &s->v->runs[i];
        if (!is_at_work(r))
            continue;
        rates += 1 / estimate_seconds(s->measured, r->host, network, 1, basis);
        n++;
    }
    return n ? n / rates : estimate_seconds(s->measured, NULL, network, 1, basis);
}

static double speed_of(struct speeds *s, const char *network, enum basis *basis) {
    for (int i = 0; i < s->n; i++)
        if (!strcmp(s->of[i].network, network))
            return s->of[i].seconds;
    s->of[s->n] = (struct speed){network, measure_speed(s, network, basis)};
    return s->of[s->n++].seconds;
}

static double seconds_left(struct speeds *s, const struct run_status *r, enum basis *basis) {
    double work = r->work * (1 - r->progress);
    if (r->excluded || (r->state != RUN_RUNNING && r->state != RUN_PENDING))
        return 0;
    return is_at_work(r) ? estimate_seconds(s->measured, r->host, r->network, work, basis)
                         : work * speed_of(s, r->network, basis);
}

/* As many at once as there are now; but no sooner than the longest of them takes alone. */
static void divide_left(struct counts *c, int at_once, double longest) {
    c->left /= at_once > 0 ? at_once : 1;
    c->left = c->left > longest ? c->left : longest;
}

static struct counts *group_of(const struct view *v, const struct run_status *r) {
    struct counts *g = v->groups;
    while (strcmp(g->scheme, r->scheme) || strcmp(g->network, r->network))
        g++;
    return g;
}

static void estimate_left(struct view *v, const struct estimate *measured) {
    struct speeds s = {v, measured, 0, need((size_t)v->n_groups, sizeof *s.of)};
    double *longest = need((size_t)v->n_groups + 1, sizeof *longest), all = 0;
    for (int i = 0; i < v->n; i++) {
        struct counts *g = group_of(v, &v->runs[i]);
        double left = seconds_left(&s, &v->runs[i], &v->basis), *most = &longest[g - v->groups];
        g->left += left;
        v->all.left += left;
        *most = left > *most ? left : *most;
        all = left > all ? left : all;
    }
    for (int i = 0; i < v->n_groups; i++)
        divide_left(&v->groups[i], v->all.states[RUN_RUNNING], longest[i]);
    divide_left(&v->all, v->all.states[RUN_RUNNING], all);
    free(longest);
    free(s.of);
}

/* ---- counts ---- */

static void count(struct counts *c, const struct run_status *r) {
    c->n++;
    c->excluded += r->excluded;
    if (r->excluded)
        return;
    c->states[r->state]++;
    c->stale += r->stale != NULL;
    c->diverged += r->diverged != NULL;
}

static void count_all(struct view *v) {
    int room = 0;
    for (int i = 0; i < v->n; i++) {
        const struct run_status *r = &v->runs[i];
        int g = 0;
        while (g < v->n_groups &&
               (strcmp(v->groups[g].scheme, r->scheme) || strcmp(v->groups[g].network, r->network)))
            g++;
        if (g == v->n_groups) {
            v->groups = need_room(v->groups, v->n_groups++, &room, sizeof *v->groups);
            v->groups[g] = (struct counts){.scheme = r->scheme, .network = r->network};
        }
        count(&v->groups[g], r);
        count(&v->all, r);
    }
}

int view_open(struct view *v, const struct options *o, const char *grid, int named,
              struct error *e) {
    *v = (struct view){0};
    struct estimate measured = {0};
    struct store *s = verb_open_store(o, STORE_READ, e);
    if (!s)
        return -1;
    int status = store_check_grid(s, grid, e);
    if (!status)
        status = store_statuses(s, grid, &v->runs, &v->n, e);
    if (!status && named)
        status = store_name_statuses(s, grid, v->runs, v->n, e);
    if (!status)
        status = estimate_open(&measured, s, e);
    store_close(s);
    count_all(v);
    estimate_left(v, &measured);
    estimate_close(&measured);
    return status;
}

void view_free(struct view *v) {
    store_free_statuses(v->runs, v->n);
    free(v->groups);
}

int view_goes_on(const struct view *v) {
    return v->all.states[RUN_RUNNING] + v->all.states[RUN_PENDING] > 0;
}

void view_print_left(const struct view *v, const struct counts *c, char *text, size_t size) {
    char time[32];
    progress_print_time(c->left, time, sizeof time);
    if (c->states[RUN_RUNNING] + c->states[RUN_PENDING] == 0)
        snprintf(text, size, "-");
    else
        snprintf(text, size, "%s%s", v->basis == BASIS_STATED ? "~" : "", time);
}
