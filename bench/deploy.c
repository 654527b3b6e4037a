/* One contender of bench/deploy.sh, which asks for calls: for each line with a number it computes
 * so many times, and prints the microseconds of each, in a line.
 *
 *     build/bench/deploy model FILE.tqm K BATCH WITHOUT     the device library; WITHOUT: sets of
 *                                                           instructions, as in tq_options
 *     build/bench/deploy exact NETWORK.cfg K BATCH          the harness's evaluation over int8
 *
 * One thread. CLOCK=cpu in the environment counts the processor's time: for calls that are longer
 * than a busy machine leaves anybody alone. */
#include "random_set.h"

#include "base/environment.h"
#include "base/progress.h"
#include "base/random.h"
#include "engine/load.h"
#include "evaluate/exact_threads.h"
#include "model/start.h"
#include "registry.h"
#include "runtime/truncquant.h"
#include "train/trainer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct contender {
    int (*call)(void *with);
    void *with;
};

static double now(void) {
    struct timespec t;
    const char *clock = getenv("CLOCK");
    if (!clock || strcmp(clock, "cpu") != 0)
        return progress_clock();
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Until standard input ends. */
static int serve(const struct contender *c) {
    long calls;
    while (scanf("%ld", &calls) == 1) {
        for (long i = 0; i < calls; i++) {
            double start = now();
            if (c->call(c->with))
                return -1;
            printf("%.2f%c", 1e6 * (now() - start), i + 1 < calls ? ' ' : '\n');
        }
        fflush(stdout);
    }
    return 0;
}

/* ---- the device library ---- */

struct packed {
    struct tq_session *session;
    uint8_t *images;
    float *scores;
    size_t batch;
};

static int call_packed(void *with) {
    struct packed *p = with;
    return tq_infer_bytes(p->session, p->images, p->batch, p->scores);
}

static void draw_images(struct packed *p, const struct tq_info *i) {
    size_t n = p->batch * (size_t)i->channels * (size_t)i->height * (size_t)i->width;
    struct random r = random_stream(1, RANDOM_TEST, 0, 0);
    p->images = need(n, 1);
    p->scores = need(p->batch * (size_t)i->classes, sizeof *p->scores);
    for (size_t j = 0; j < n; j++)
        p->images[j] = (uint8_t)random_below(&r, 256);
}

static int serve_model(char **argv, struct error *e) {
    struct tq_model *m;
    struct packed p = {.batch = (size_t)atoi(argv[4])};
    struct tq_options o = {.batch = atoi(argv[4]), .without = atoi(argv[5])};
    int rc = tq_open(argv[2], 0, &m);
    if (rc)
        fail(e, "%s", tq_model_message(m));
    else if ((rc = tq_session_open(m, &o, &p.session) || tq_set_bits(p.session, atoi(argv[3]))))
        fail(e, "%s", tq_session_message(p.session));
    if (!rc) {
        draw_images(&p, tq_model_info(m));
        rc = serve(&(struct contender){call_packed, &p});
    }
    tq_session_close(p.session);
    tq_close(m);
    free(p.images);
    free(p.scores);
    return rc ? -1 : 0;
}

/* ---- the harness ---- */

struct exact {
    struct exact_threads x;
    struct point point;
    const float *images;
    int batch;
};

static int call_exact(void *with) {
    struct exact *c = with;
    int image = 32 * 32 * 3;
    for (int first = 0, n; first < c->batch; first += n) {
        n = c->batch - first < c->x.batch ? c->batch - first : c->x.batch;
        exact_forward(&c->x, &c->point, c->images + (size_t)first * (size_t)image, n);
    }
    return 0;
}

/* As bench/speed.c, which also trains. */
static int serve_trained(struct exact *c, struct trainer *t, struct error *e) {
    if (exact_start(&c->x, t->engine, t->m, NULL, 1, ARITHMETIC_INT8, e))
        return -1;
    if (!exact_covers(&c->x, &c->point))
        return fail(e, "the engine has no exact evaluation of this network here");
    load_program(t->m, NULL, t->engine, t->program, &c->point, t->weights);
    exact_set_weights(&c->x, &c->point);
    c->images = t->images;
    int rc = serve(&(struct contender){call_exact, c});
    exact_free(&c->x);
    return rc;
}

static int serve_exact(char **argv, struct error *e) {
    struct exact c = {.batch = atoi(argv[4])};
    struct dataset data;
    struct spec spec;
    struct cfg cfg;
    struct trainer t;
    c.point = (struct point){.bits = atoi(argv[3]), .act_bits = atoi(argv[3])};
    random_set_make(&data, (struct shape){3, 32, 32}, 10, (uint32_t)c.batch);
    spec_defaults(&spec);
    spec.batch = c.batch;
    if (spec_set(&spec, quantizer_registry, spec_key_find("scheme"), "truncquant", e) ||
        cfg_read(&cfg, argv[2], data.shape, data.classes, e))
        return -1;
    struct model *m = model_build(&cfg, &spec, quantizer_find(quantizer_registry, "truncquant"), e);
    const struct engine *engine = engine_at(0);
    struct program *program = m ? engine->compile(m, c.batch, 1, e) : NULL;
    int rc = program ? trainer_start(&t, &spec, &data, m, engine, program, e) : -1;
    if (!rc) {
        rc = trainer_step(&t, e); // statistics of norms, and a batch
        rc = rc ? rc : serve_trained(&c, &t, e);
        trainer_free(&t);
    }
    if (program)
        engine->free(program);
    model_free(m);
    cfg_free(&cfg);
    random_set_free(&data);
    return rc;
}

int main(int argc, char **argv) {
    struct error e = {0};
    int rc = environment_settle(argv, &e); // as the program does
    if (!rc && argc == 6 && !strcmp(argv[1], "model"))
        rc = serve_model(argv, &e);
    else if (!rc && argc == 5 && !strcmp(argv[1], "exact"))
        rc = serve_exact(argv, &e);
    else if (!rc)
        rc = fail(&e, "usage: deploy model FILE.tqm K BATCH WITHOUT | exact NETWORK.cfg K BATCH");
    if (rc)
        fprintf(stderr, "%s: %s\n", argv[0], e.text);
    return rc ? 1 : 0;
}
