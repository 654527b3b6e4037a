/* Which number of threads is the fastest; team.h is the manual. */
#include "engine/team.h"

#include "base/progress.h"

#include <omp.h>

static const double turn = 0.05; // seconds, at least: many times what a core is taken away for

/* Turns between two trials. A trial of what is slower costs something, which these keep below one
 * part in a hundred. */
enum { SOON = 1, OFTEN = 64, RARELY = 512 };

/* More threads have to gain something; and where fewer lose much, the cores are free. */
static const double gain = 0.9, loss = 0.7;

static int size_at(const struct team *t, int i) {
    return (t->threads + (1 << i) - 1) >> i;
}

struct team team_of(int threads) {
    struct team t = {.threads = threads, .sizes = 1, .turns = -1, .wait = SOON};
    while (t.sizes < TEAM_SIZES && size_at(&t, t.sizes - 1) > 1)
        t.sizes++;
    return t;
}

int team_size(const struct team *t) {
    return size_at(t, t->at);
}

/* The place of fewer threads that is to be tried: at once where those at home have become slower
 * than they were, or nobody knows how they are; 0: of none. */
static int fewer_to_try(const struct team *t) {
    int fewer = t->home + 1, waited = t->turns >= t->wait;
    if (fewer == t->sizes)
        return 0;
    if (t->cost[fewer] > 0 && t->cost[t->home] > t->cost[fewer])
        return fewer;
    return waited && (t->cost[fewer] == 0 || t->home == 0) ? fewer : 0;
}

static int next_place(const struct team *t) {
    int fewer = fewer_to_try(t);
    return fewer ? fewer : t->turns < t->wait ? t->home : t->home - 1;
}

static void judge_trial(struct team *t, double cost) {
    double known = t->cost[t->home];
    int is_more = t->at < t->home;
    t->cost[t->at] = cost;
    if (cost < (is_more ? gain * known : known)) {
        t->home = t->at;
        t->wait = SOON;
    } else if (t->home == 0 && known < loss * cost) {
        t->wait = RARELY;
    } else {
        t->wait = 2 * t->wait < OFTEN ? 2 * t->wait : OFTEN;
    }
    t->turns = 0;
}

static void judge(struct team *t, double cost) {
    double *known = &t->cost[t->home];
    if (t->turns < 0) { // warmed up
        t->turns = 0;
        return;
    }
    if (t->at != t->home) {
        judge_trial(t, cost);
    } else {
        *known = *known > 0 ? (*known + cost) / 2 : cost;
        t->turns++;
    }
    t->at = next_place(t);
}

void team_count(struct team *t, double units, double seconds) {
    t->work += units;
    t->seconds += seconds;
    if (t->seconds < turn || t->sizes == 1)
        return;
    judge(t, t->seconds / t->work);
    t->work = t->seconds = 0;
}

void team_begin(struct team *t) {
    if (t->threads > 1)
        omp_set_num_threads(team_size(t));
    t->start = progress_clock();
}

void team_end(struct team *t, double units) {
    team_count(t, units, progress_clock() - t->start);
    if (t->threads > 1)
        omp_set_num_threads(t->threads);
}
