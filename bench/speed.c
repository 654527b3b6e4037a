/* How fast a run is: images per second of training (all widths of B per image) and of evaluation
 * (one width), by network, on one or more threads, at batch 128 on the shape and number of classes
 * of a data set that is installed. Prints CSV: network,threads,widths,train,evaluate,peak_mb.
 *
 *     build/bench/speed DATASET STEPS THREADS NETWORK.cfg ...
 *
 * Medians over the steps; the first step warms up and is left out. Compare within one call:
 * machines are noisy. */
#include "base/progress.h"
#include "base/text.h"
#include "registry.h"
#include "run/numerics.h"
#include "train/trainer.h"

#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *x, int n) {
    qsort(x, (size_t)n, sizeof *x, by_value);
    return n % 2 ? x[n / 2] : (x[n / 2 - 1] + x[n / 2]) / 2;
}

static int time_training(struct trainer *t, double *seconds, int steps, struct error *e) {
    for (int i = -1; i < steps; i++) {
        double start = progress_clock();
        if (trainer_step(t, e))
            return -1;
        if (i >= 0)
            seconds[i] = progress_clock() - start;
    }
    return 0;
}

static void time_evaluation(struct trainer *t, double *seconds, int steps) {
    struct pass pass = {.mode = PASS_EVALUATE, .act_bits = 4};
    trainer_set_weights(t->m, t->engine, t->plan, 4, t->weights);
    for (int i = -1; i < steps; i++) {
        double start = progress_clock();
        t->engine->forward(t->plan, &pass, t->images, (int)t->spec->batch);
        if (i >= 0)
            seconds[i] = progress_clock() - start;
    }
}

static int measure(struct trainer *t, int steps, double *train, double *evaluate, struct error *e) {
    double *seconds = need((size_t)steps, sizeof *seconds);
    int rc = time_training(t, seconds, steps, e);
    if (!rc) {
        *train = (double)t->spec->batch / median(seconds, steps);
        time_evaluation(t, seconds, steps);
        *evaluate = (double)t->spec->batch / median(seconds, steps);
    }
    free(seconds);
    return rc;
}

static int bench(const struct dataset *data, char *path, int steps, int threads, struct error *e) {
    struct spec spec;
    struct cfg cfg;
    struct trainer t;
    spec_init(&spec);
    if (spec_set(&spec, quantizer_registry, spec_key_find("scheme"), "truncquant", e) ||
        cfg_read(&cfg, path, data->shape, data->classes, e))
        return -1;
    struct model *m = model_build(&cfg, &spec, quantizer_find(quantizer_registry, "truncquant"), e);
    if (!m)
        return -1;
    struct plan *plan = engine_reference.compile(m, (int)spec.batch, threads, e);
    double train = 0, evaluate = 0, cpu;
    int64_t peak;
    int rc = trainer_start(&t, &spec, data, m, &engine_reference, plan, e);
    rc = rc ? rc : measure(&t, steps, &train, &evaluate, e);
    usage_now(&cpu, &peak);
    if (!rc)
        printf("%s,%d,1 2 4 8 32,%.1f,%.1f,%.0f\n", basename(path), threads, train, evaluate,
               (double)peak / 1e6);
    trainer_free(&t);
    engine_reference.free(plan);
    model_free(m);
    cfg_free(&cfg);
    return rc;
}

int main(int argc, char **argv) {
    struct error e = {0};
    struct dataset data = {0};
    long steps, threads;
    if (argc < 5 || text_int(argv[2], 1, 1000, &steps) || text_int(argv[3], 1, 256, &threads)) {
        fprintf(stderr, "usage: %s DATASET STEPS THREADS NETWORK.cfg ...\n", argv[0]);
        return 2;
    }
    int rc = dataset_open(&data, argv[1], &e);
    for (int i = 4; i < argc && !rc; i++)
        rc = bench(&data, argv[i], (int)steps, (int)threads, &e);
    if (rc)
        fprintf(stderr, "%s: %s\n", argv[0], e.text);
    dataset_close(&data);
    return rc ? 1 : 0;
}
