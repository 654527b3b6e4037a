/* How fast a run is: images per second of training (all widths of B per image) and of evaluation
 * (one width), by network, on random images or on the shape of a data set that is installed.
 * Prints CSV: network,engine,precision,inference,threads,batch,train,evaluate,peak_mb.
 *
 *     build/bench/speed [OPTION ...] NETWORK.cfg ...
 *
 * Medians over the steps; the first step warms up and is left out. Compare within one call:
 * machines are noisy. */
#include "engine/load.h"
#include "median.h"
#include "random_set.h"

#include "base/environment.h"
#include "base/progress.h"
#include "base/text.h"
#include "evaluate/exact_threads.h"
#include "model/start.h"
#include "registry.h"
#include "run/numerics.h"
#include "train/trainer.h"

#include <getopt.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct choices {
    const struct engine *engine;
    const char *precision, *arithmetic;
    const char *data; // NULL: random images of `shape`
    struct shape shape;
    long steps, threads, batch, bits;
    double (*now)(void); // progress_clock or cpu_clock
};

static double cpu_clock(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int time_training(const struct choices *c, struct trainer *t, double *seconds, int steps,
                         struct error *e) {
    for (int i = -1; i < steps; i++) {
        double start = c->now();
        if (trainer_step(t, e))
            return -1;
        if (i >= 0)
            seconds[i] = c->now() - start;
    }
    return 0;
}

/* One batch at a time through the program, or in the parts that exact evaluation takes. */
static void evaluate_batch(struct trainer *t, struct exact_threads *x, const struct pass *pass) {
    int batch = (int)t->spec->batch, exact = exact_covers(x, &pass->point);
    int part = exact && batch > x->batch ? x->batch : batch;
    size_t image =
        (size_t)t->m->cfg->input.c * (size_t)t->m->cfg->input.h * (size_t)t->m->cfg->input.w;
    for (int first = 0; first < batch; first += part) {
        const float *images = t->images + (size_t)first * image;
        int n = batch - first < part ? batch - first : part;
        if (exact)
            exact_forward(x, &pass->point, images, n);
        else
            t->engine->forward(t->program, pass, images, n);
    }
}

/* *inference: what it was computed in. */
static int time_evaluation(const struct choices *c, struct trainer *t, double *seconds, int steps,
                           const char **inference, struct error *e) {
    struct pass pass = {.mode = PASS_EVALUATE,
                        .point = {.bits = (int)c->bits, .act_bits = (int)c->bits}};
    int arithmetic = text_find(c->arithmetic, arithmetic_names);
    struct exact_threads x = {0};
    if (arithmetic >= 0 &&
        exact_start(&x, t->engine, t->m, NULL, (int)c->threads, (enum arithmetic)arithmetic, e))
        return -1;
    load_program(t->m, NULL, t->engine, t->program, &pass.point, t->weights);
    int exact = exact_covers(&x, &pass.point);
    *inference = exact ? exact_arithmetic(&x) : "fp32";
    if (exact)
        exact_set_weights(&x, &pass.point);
    for (int i = -1; i < steps; i++) {
        double start = c->now();
        evaluate_batch(t, &x, &pass);
        if (i >= 0)
            seconds[i] = c->now() - start;
    }
    exact_free(&x);
    return 0;
}

static int measure(const struct choices *c, struct trainer *t, double *train, double *evaluate,
                   const char **inference, struct error *e) {
    int steps = (int)c->steps;
    int evaluations = 3 * steps; // they are short: more of them give a median as sure
    double *seconds = need((size_t)evaluations, sizeof *seconds);
    int rc = time_training(c, t, seconds, steps, e);
    if (!rc) {
        *train = (double)t->spec->batch / median(seconds, steps);
        rc = time_evaluation(c, t, seconds, evaluations, inference, e);
        *evaluate = (double)t->spec->batch / median(seconds, evaluations);
    }
    free(seconds);
    return rc;
}

static int time_model(const struct choices *c, const struct spec *spec, const struct dataset *data,
                      struct model *m, char *path, struct error *e) {
    struct program *program = c->engine->compile(m, (int)spec->batch, (int)c->threads, e);
    struct trainer t;
    if (!program)
        return -1;
    enum precision precision = (enum precision)text_find(c->precision, precision_names);
    int rc = load_precision(spec, m, c->engine, program, &precision, e);
    if (!rc && !(rc = trainer_start(&t, spec, data, m, c->engine, program, e))) {
        double train = 0, evaluate = 0, cpu;
        const char *inference = "";
        int64_t peak;
        rc = measure(c, &t, &train, &evaluate, &inference, e);
        usage_now(&cpu, &peak);
        if (!rc)
            printf("%s,%s,%s,%s,%ld,%ld,%.1f,%.1f,%.0f\n", basename(path), c->engine->name,
                   precision_names[precision], inference, c->threads, spec->batch, train, evaluate,
                   (double)peak / 1e6);
        trainer_free(&t);
    }
    c->engine->free(program);
    return rc;
}

static int bench(const struct choices *c, const struct dataset *data, char *path, struct error *e) {
    struct spec spec;
    struct cfg cfg;
    spec_defaults(&spec);
    spec.batch = c->batch;
    if (spec_set(&spec, quantizer_registry, spec_key_find("scheme"), "truncquant", e) ||
        cfg_read(&cfg, path, data->shape, data->classes, e))
        return -1;
    struct model *m = model_build(&cfg, &spec, quantizer_find(quantizer_registry, "truncquant"), e);
    int rc = m ? time_model(c, &spec, data, m, path, e) : -1;
    model_free(m);
    cfg_free(&cfg);
    return rc;
}

static int usage(const char *program, FILE *out) {
    fprintf(out,
            "usage: %s [OPTION ...] NETWORK.cfg ...\n"
            "  --engine NAME      default: %s\n"
            "  --precision NAME   of training: fp32 (default), bf16, bf16-backward\n"
            "  --arithmetic NAME  int8 (default), bf16, fp32-exact, or fp32: not exact\n"
            "  --bits K           width that is evaluated, 1 to 8 (default 4)\n"
            "  --shape HxWxC      of random images (default 32x32x3)\n"
            "  --data NAME        an installed data set instead\n"
            "  --steps N          median of so many, after one to warm up (default 7)\n"
            "  --threads N        default 1\n"
            "  --batch N          default 128\n"
            "  --clock cpu        by the processor time of all threads: for one thread on a "
            "machine that does other\n"
            "                     work too (default wall)\n",
            program, engine_at(0)->name);
    return 2;
}

/* One option; -1 when its value is none. */
static int choose(struct choices *c, int option) {
    switch (option) {
    case 'e':
        return (c->engine = engine_find(optarg)) ? 0 : -1;
    case 'p':
        c->precision = optarg;
        return text_find(optarg, precision_names) < 0 ? -1 : 0;
    case 'i':
        c->arithmetic = optarg;
        return text_find(optarg, arithmetic_names) < 0 && strcmp(optarg, "fp32") ? -1 : 0;
    case 'k':
        return text_int(optarg, 1, 8, &c->bits);
    case 's':
        return random_set_shape(optarg, &c->shape);
    case 'd':
        c->data = optarg;
        return 0;
    case 'n':
        return text_int(optarg, 1, 1000, &c->steps);
    case 't':
        return text_int(optarg, 1, 256, &c->threads);
    case 'c':
        c->now = strcmp(optarg, "cpu") ? progress_clock : cpu_clock;
        return c->now == cpu_clock || !strcmp(optarg, "wall") ? 0 : -1;
    case 'b':
        return text_int(optarg, 2, 65536, &c->batch);
    default:
        return -1;
    }
}

static int read_choices(int argc, char **argv, struct choices *c) {
    static const struct option options[] = {
        {"engine", required_argument, 0, 'e'},
        {"precision", required_argument, 0, 'p'},
        {"arithmetic", required_argument, 0, 'i'},
        {"bits", required_argument, 0, 'k'},
        {"shape", required_argument, 0, 's'},
        {"data", required_argument, 0, 'd'},
        {"steps", required_argument, 0, 'n'},
        {"threads", required_argument, 0, 't'},
        {"batch", required_argument, 0, 'b'},
        {"clock", required_argument, 0, 'c'},
        {0},
    };
    *c = (struct choices){.engine = engine_at(0),
                          .precision = "fp32",
                          .arithmetic = "int8",
                          .bits = 4,
                          .shape = {3, 32, 32},
                          .steps = 7,
                          .threads = 1,
                          .batch = 128,
                          .now = progress_clock};
    int option;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
        if (choose(c, option))
            return -1;
    return optind < argc ? 0 : -1;
}

static int open_data(const struct choices *c, struct dataset *data, struct error *e) {
    if (c->data)
        return dataset_open(data, c->data, e);
    enum { BATCHES = 4 }; // of an epoch: loading one is part of a step
    random_set_make(data, c->shape, 10, (uint32_t)(BATCHES * c->batch));
    return 0;
}

static void close_data(const struct choices *c, struct dataset *data) {
    if (c->data)
        dataset_close(data);
    else
        random_set_free(data);
}

int main(int argc, char **argv) {
    struct error e = {0};
    if (environment_settle(argv, &e)) { // as the program does
        fprintf(stderr, "%s: %s\n", argv[0], e.text);
        return 1;
    }
    struct dataset data = {0};
    struct choices c;
    if (read_choices(argc, argv, &c))
        return usage(argv[0], stderr);
    int rc = open_data(&c, &data, &e);
    for (int i = optind; i < argc && !rc; i++)
        rc = bench(&c, &data, argv[i], &e);
    if (rc)
        fprintf(stderr, "%s: %s\n", argv[0], e.text);
    close_data(&c, &data);
    return rc ? 1 : 0;
}
