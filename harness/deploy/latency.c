/* Timing a packed model; latency.h is the manual. */
#include "deploy/latency.h"

#include "base/file.h"
#include "base/progress.h"
#include "base/random.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

enum { TURNS = 20, WARMING = 2, COMPARED = 4 };

/* What is timed, and the memory for it. */
struct timing {
    const struct latency_options *o;
    const struct tq_info *info;
    struct tq_session *session, *twin; // the second with portable kernels
    int turns, calls;                  // calls in each turn
    uint8_t *images;                   // (batch, channels, height, width)
    float *scores, *expected;          // (batch, classes)
    double *seconds, *switching;       // (widths, turns · calls), (widths, turns)
};

/* ---- the machine ---- */

/* Linux names the model of some processors only; others are known by their kind alone. */
static void name_processor(char *name, size_t size) {
    struct utsname u;
    file_value("/proc/cpuinfo", "model name", name, size);
    if (!name[0] && !uname(&u))
        snprintf(name, size, "%s", u.machine);
}

static void describe(struct latency *l, const struct timing *t) {
#ifdef __clang__
    static const char compiler[] = "";
#else
    static const char compiler[] = "gcc ";
#endif
    name_processor(l->processor, sizeof l->processor);
    snprintf(l->compiled, sizeof l->compiled, "%s%s %s", compiler, __VERSION__, RUNTIME_FLAGS);
    snprintf(l->kernels, sizeof l->kernels, "%s", tq_session_kernels(t->session));
}

/* ---- residuals ---- */

static double largest_difference(const float *x, const float *y, size_t n) {
    double most = 0;
    for (size_t i = 0; i < n; i++) {
        double d = fabs((double)x[i] - (double)y[i]);
        most = d > most ? d : most;
    }
    return most;
}

static int compare_width(struct timing *t, struct latency_point *p, struct error *e) {
    size_t n = (size_t)(t->o->batch < COMPARED ? t->o->batch : COMPARED);
    if (tq_set_bits(t->twin, p->bits) || tq_infer_bytes(t->twin, t->images, n, t->expected))
        return fail(e, "%s", tq_session_message(t->twin));
    if (tq_set_bits(t->session, p->bits) || tq_infer_bytes(t->session, t->images, n, t->scores))
        return fail(e, "%s", tq_session_message(t->session));
    p->residual = largest_difference(t->scores, t->expected, n * (size_t)t->info->classes);
    if (p->residual == 0)
        return 0;
    return fail(e,
                "the %s kernels are wrong on this machine: a score at %d bits differs by %g from "
                "that of the portable ones; take others with --kernels",
                tq_session_kernels(t->session), p->bits, p->residual);
}

/* ---- times ---- */

/* One turn of one width. */
static int time_width(struct timing *t, int width, int turn, struct error *e) {
    double *seconds = t->seconds + (size_t)(width * t->turns + turn) * (size_t)t->calls;
    double start = progress_clock();
    int rc = tq_set_bits(t->session, t->o->bits[width]);
    t->switching[width * t->turns + turn] = progress_clock() - start;
    for (int i = -WARMING; i < t->calls && !rc; i++) {
        start = progress_clock();
        rc = tq_infer_bytes(t->session, t->images, (size_t)t->o->batch, t->scores);
        if (i >= 0)
            seconds[i] = progress_clock() - start;
    }
    return rc ? fail(e, "%s", tq_session_message(t->session)) : 0;
}

static int time_all(struct timing *t, struct error *e) {
    struct progress p = progress_start("latency", 0, t->o->quiet);
    char text[64];
    int rc = 0;
    for (int turn = 0; turn < t->turns && !rc; turn++)
        for (int i = 0; i < t->o->n && !rc; i++) {
            snprintf(text, sizeof text, "turn %d/%d", turn + 1, t->turns);
            progress_show(&p, (double)(turn * t->o->n + i) / (t->turns * t->o->n), text);
            rc = time_width(t, i, turn, e);
        }
    progress_end(&p);
    return rc;
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The least of n sorted numbers that so many of them do not exceed. */
static double quantile(const double *x, int n, double share) {
    int place = (int)ceil(share * n) - 1;
    return x[place < 0 ? 0 : place];
}

static void summarize(const struct timing *t, int width, struct latency_point *p) {
    int n = t->turns * t->calls;
    double *seconds = t->seconds + (size_t)width * (size_t)n;
    double *switching = t->switching + (size_t)width * (size_t)t->turns;
    qsort(seconds, (size_t)n, sizeof *seconds, by_value);
    qsort(switching, (size_t)t->turns, sizeof *switching, by_value);
    p->min = seconds[0];
    p->median = quantile(seconds, n, 0.5);
    p->p95 = quantile(seconds, n, 0.95);
    p->switching = quantile(switching, t->turns, 0.5);
}

/* ---- all of it ---- */

static void draw_images(struct timing *t) {
    size_t n = (size_t)t->info->channels * (size_t)t->info->height * (size_t)t->info->width *
               (size_t)t->o->batch;
    struct random r = random_stream(1, RANDOM_TEST, 0, 0);
    t->images = need(n, 1);
    for (size_t i = 0; i < n; i++)
        t->images[i] = (uint8_t)random_below(&r, 256);
}

static int timing_open(struct timing *t, const struct tq_model *m, struct error *e) {
    const struct latency_options *o = t->o;
    struct tq_options so = {.batch = o->batch, .without = o->without};
    size_t scores = (size_t)o->batch * (size_t)t->info->classes, widths = (size_t)o->n;
    if (tq_session_open(m, &so, &t->session))
        return fail(e, "%s", tq_session_message(t->session));
    if (o->kernels && strcmp(o->kernels, tq_session_kernels(t->session)) != 0)
        return fail(e, "this processor has no %s kernels; the best it has are %s", o->kernels,
                    tq_session_kernels(t->session));
    so.without = TQ_ALL_INSTRUCTIONS;
    if (tq_session_open(m, &so, &t->twin))
        return fail(e, "%s", tq_session_message(t->twin));
    draw_images(t);
    t->scores = need(scores, sizeof *t->scores);
    t->expected = need(scores, sizeof *t->expected);
    t->turns = o->calls < TURNS ? o->calls : TURNS;
    t->calls = (o->calls + t->turns - 1) / t->turns;
    t->seconds = need(widths * (size_t)t->turns * (size_t)t->calls, sizeof *t->seconds);
    t->switching = need(widths * (size_t)t->turns, sizeof *t->switching);
    return 0;
}

static void timing_close(struct timing *t) {
    tq_session_close(t->session);
    tq_session_close(t->twin);
    free(t->images);
    free(t->scores);
    free(t->expected);
    free(t->seconds);
    free(t->switching);
}

static int measure(struct latency *l, struct timing *t, struct error *e) {
    l->n = t->o->n;
    l->calls = t->turns * t->calls;
    describe(l, t);
    for (int i = 0; i < l->n; i++) {
        l->of[i].bits = t->o->bits[i];
        if (compare_width(t, &l->of[i], e))
            return -1;
    }
    tq_session_close(t->twin); // what it has of the caches
    t->twin = NULL;
    if (time_all(t, e))
        return -1;
    for (int i = 0; i < l->n; i++)
        summarize(t, i, &l->of[i]);
    return 0;
}

int latency_measure(struct latency *l, const struct tq_model *m, const struct latency_options *o,
                    struct error *e) {
    struct timing t = {.o = o, .info = tq_model_info(m)};
    struct tq_options so = {.batch = o->batch, .without = o->without};
    *l = (struct latency){.session_bytes = tq_session_bytes(m, &so)};
    int rc = timing_open(&t, m, e);
    rc = rc ? rc : measure(l, &t, e);
    timing_close(&t);
    return rc;
}
