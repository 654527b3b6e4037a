/* Training and validation images of a run; split.h is the manual. */
#include "train/split.h"

#include "base/random.h"

#include <stdlib.h>

static uint32_t at_most(uint32_t n, long wanted) {
    return wanted && wanted < (long)n ? (uint32_t)wanted : n;
}

/* A draft that holds out more than there is has no images left (verbs/row.c refuses it). */
static uint32_t held_out(const struct spec *spec, const struct dataset *data) {
    uint32_t n = data->split[SPLIT_TRAIN].n;
    return spec->val < (long)n ? (uint32_t)spec->val : n;
}

uint32_t spec_training_images(const struct spec *spec, const struct dataset *data) {
    return at_most(data->split[SPLIT_TRAIN].n - held_out(spec, data), spec->train_images);
}

uint32_t spec_evaluated_images(const struct spec *spec, const struct dataset *data) {
    uint32_t n = spec->split == EVALUATE_VAL ? held_out(spec, data) : data->split[SPLIT_TEST].n;
    return at_most(n, spec->test_images);
}

/* For each image of the training split, whether it is held out. */
static char *draw(const struct spec *spec, const struct dataset *data) {
    uint32_t n = data->split[SPLIT_TRAIN].n, val = held_out(spec, data);
    uint32_t *order = need(n, sizeof *order);
    char *out = need(n, 1);
    struct random r = random_stream((uint64_t)spec->seed, RANDOM_VALIDATION, 0, 0);
    random_permutation(&r, order, n);
    for (uint32_t i = 0; i < val; i++)
        out[order[i]] = 1;
    free(order);
    return out;
}

/* The first `n` images of the training split that are held out, or that are not. */
static uint32_t *pick(const struct spec *spec, const struct dataset *data, int held, uint32_t n) {
    char *out = draw(spec, data);
    uint32_t *places = need(n, sizeof *places);
    for (uint32_t i = 0, k = 0; k < n; i++)
        if (out[i] == held)
            places[k++] = i;
    free(out);
    return places;
}

uint32_t *split_training(const struct spec *spec, const struct dataset *data) {
    return pick(spec, data, 0, spec_training_images(spec, data));
}

uint32_t *split_evaluated(const struct spec *spec, const struct dataset *data) {
    uint32_t n = spec_evaluated_images(spec, data);
    if (spec->split == EVALUATE_VAL)
        return pick(spec, data, 1, n);
    uint32_t *places = need(n, sizeof *places);
    for (uint32_t i = 0; i < n; i++)
        places[i] = i;
    return places;
}

uint32_t *split_calibration(const struct spec *spec, const struct dataset *data) {
    uint32_t n = spec_training_images(spec, data), *pool = split_training(spec, data);
    uint32_t *order = need(n, sizeof *order);
    struct random r = random_stream((uint64_t)spec->seed, RANDOM_CALIBRATION, 0, 0);
    random_permutation(&r, order, n);
    for (uint32_t i = 0; i < n; i++)
        order[i] = pool[order[i]];
    free(pool);
    return order;
}

enum split split_source(const struct spec *spec) {
    return spec->split == EVALUATE_VAL ? SPLIT_TRAIN : SPLIT_TEST;
}

const char *split_name(const struct spec *spec) {
    return spec->split == EVALUATE_VAL ? "val" : "test";
}
