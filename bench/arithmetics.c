/* How far exact evaluation and the engine's float weights are apart on a trained model, by width:
 * they round in other places, and an activation whose code flips moves the scores behind it. The
 * arithmetics of exact evaluation are compared with one another, too: those agree to the bit.
 * Prints CSV: bits,arithmetic,images,median_difference,images_above_0.01,same_top1 (the last two as
 * shares); the differences are the largest of each image's scores.
 *
 *     build/bench/arithmetics MODEL.frozen DATASET [IMAGES] */
#include "median.h"

#include "base/text.h"
#include "engine/load.h"
#include "evaluate/exact_threads.h"
#include "registry.h"
#include "train/trainer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct scores {
    int n, classes;
    float *z; // (n, classes)
};

static void load(const struct dataset *d, int channels, int first, int n, float *images,
                 uint16_t *labels) {
    uint32_t order[EXACT_BATCH];
    for (int i = 0; i < n; i++)
        order[i] = (uint32_t)(first + i);
    struct batch_request r = {
        .split = SPLIT_TEST, .order = order, .n = (uint32_t)n, .channels = channels};
    dataset_fill(d, &r, images, labels);
}

/* All images at one width: exact, or by the program when `x` is NULL. */
static void infer(const struct frozen *f, const struct dataset *d, struct exact_threads *x,
                  const struct engine *engine, struct program *p, const struct point *point,
                  struct scores *s) {
    const struct shape *in = &f->m->cfg->input;
    float *images = need_aligned(EXACT_BATCH * (size_t)(in->c * in->h * in->w), sizeof *images);
    uint16_t labels[EXACT_BATCH];
    struct pass pass = {.mode = PASS_EVALUATE, .point = *point};
    for (int first = 0; first < s->n; first += EXACT_BATCH) {
        int n = s->n - first < EXACT_BATCH ? s->n - first : EXACT_BATCH;
        load(d, in->c, first, n, images, labels);
        const float *z =
            x ? exact_forward(x, point, images, n) : engine->forward(p, &pass, images, n);
        memcpy(s->z + (size_t)(first * s->classes), z, (size_t)(n * s->classes) * sizeof *z);
    }
    free(images);
}

static int top(const float *z, int classes) {
    int best = 0;
    for (int c = 1; c < classes; c++)
        best = z[c] > z[best] ? c : best;
    return best;
}

static void print(int k, const char *name, const struct scores *a, const struct scores *b) {
    double *difference = need((size_t)a->n, sizeof *difference);
    int above = 0, same = 0;
    for (int i = 0; i < a->n; i++) {
        const float *x = a->z + i * a->classes, *y = b->z + i * a->classes;
        for (int c = 0; c < a->classes; c++)
            difference[i] = fmax(difference[i], fabsf(x[c] - y[c]));
        above += difference[i] > 0.01;
        same += top(x, a->classes) == top(y, a->classes);
    }
    printf("%d,%s,%d,%.3g,%.4f,%.4f\n", k, name, a->n, median(difference, a->n),
           (double)above / a->n, (double)same / a->n);
    free(difference);
}

static int compare(const struct frozen *f, const struct dataset *d, int images, struct error *e) {
    const struct engine *engine = engine_at(0);
    struct scores plain = {images, f->m->cfg->classes, NULL}, first = plain, other = plain;
    size_t size = (size_t)(images * plain.classes);
    plain.z = need(size, sizeof(float));
    first.z = need(size, sizeof(float));
    other.z = need(size, sizeof(float));
    struct program *p = engine->compile(f->m, EXACT_BATCH, 1, e);
    if (!p)
        return -1;
    float *scratch = need(model_largest_weights(f->m), sizeof *scratch);
    puts("bits,arithmetic,images,median_difference,images_above_0.01,same_top1");
    for (int k = 1; k <= f->spec.stored_bits; k++) {
        struct point point = spec_point(&f->spec, k, CUT_WEIGHTS);
        load_program(f->m, f, engine, p, &point, scratch);
        infer(f, d, NULL, engine, p, &point, &plain);
        for (int a = ARITHMETIC_FP32; a <= ARITHMETIC_INT8; a++) {
            struct exact_threads x;
            if (exact_start(&x, engine, f->m, f, 1, (enum arithmetic)a, e))
                return -1;
            if (!exact_covers(&x, &point))
                return fail(e, "the model has no exact evaluation");
            exact_set_weights(&x, &point);
            infer(f, d, &x, engine, p, &point, a == ARITHMETIC_FP32 ? &first : &other);
            if (a != ARITHMETIC_FP32 && memcmp(first.z, other.z, size * sizeof(float)))
                return fail(e, "%s and %s disagree at %d bits", arithmetic_names[a],
                            arithmetic_names[ARITHMETIC_FP32], k);
            exact_free(&x);
        }
        print(k, "exact", &plain, &first);
    }
    free(scratch);
    free(plain.z);
    free(first.z);
    free(other.z);
    engine->free(p);
    return 0;
}

int main(int argc, char **argv) {
    struct error e = {0};
    struct dataset d = {0};
    struct frozen f = {0};
    long images = 10000;
    if (argc < 3 || argc > 4 || (argc == 4 && text_int(argv[3], 1, 1000000, &images))) {
        fprintf(stderr, "usage: %s MODEL.frozen DATASET [IMAGES]\n", argv[0]);
        return 2;
    }
    int rc = dataset_open(&d, argv[2], &e);
    rc = rc ? rc : frozen_read(&f, argv[1], quantizer_registry, &e);
    if (!rc) {
        long all = d.split[SPLIT_TEST].n;
        rc = compare(&f, &d, (int)(images < all ? images : all), &e);
        frozen_free(&f);
        dataset_close(&d);
    }
    if (rc)
        fprintf(stderr, "arithmetics: %s\n", e.text);
    return rc ? 1 : 0;
}
