/* Training and validation images of a run; selection.h is the manual. */
#include "data/selection.h"

#include "base/random.h"

#include <stdlib.h>

static uint32_t at_most(uint32_t n, long wanted) {
    return wanted && wanted < (long)n ? (uint32_t)wanted : n;
}

/* A draft that holds out more than there is has no images left (plan/row.c refuses it). */
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
static char *hold_out(const struct spec *spec, const struct dataset *data) {
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

/* Whether each image of a split is taken: the first `n`, in its own order or the one that was drawn
 * for it, whose mark is `mark` (marks NULL: of all). */
static char *take_places(const struct dataset *data, enum split split, const char *marks, char mark,
                         uint32_t n, int select) {
    uint32_t all = data->split[split].n, *order = NULL;
    char *taken = need(all, 1);
    if (select == SELECT_DRAWN) {
        struct random r = random_stream(0, RANDOM_SELECT, 0, (uint64_t)split);
        order = need(all, sizeof *order);
        random_permutation(&r, order, all);
    }
    for (uint32_t i = 0, k = 0; k < n; i++) {
        uint32_t place = order ? order[i] : i;
        taken[place] = !marks || marks[place] == mark;
        k += (uint32_t)taken[place];
    }
    free(order);
    return taken;
}

/* The places of what is taken, ascending. */
static uint32_t *pick(const struct dataset *data, enum split split, const char *marks, char mark,
                      uint32_t n, int select) {
    char *taken = take_places(data, split, marks, mark, n, select);
    uint32_t *places = need(n, sizeof *places);
    for (uint32_t i = 0, k = 0; k < n; i++)
        if (taken[i])
            places[k++] = i;
    free(taken);
    return places;
}

uint32_t *split_training(const struct spec *spec, const struct dataset *data) {
    char *out = hold_out(spec, data);
    uint32_t *places =
        pick(data, SPLIT_TRAIN, out, 0, spec_training_images(spec, data), spec->train_select);
    free(out);
    return places;
}

uint32_t *split_evaluated(const struct spec *spec, const struct dataset *data) {
    uint32_t n = spec_evaluated_images(spec, data);
    if (spec->split != EVALUATE_VAL)
        return pick(data, SPLIT_TEST, NULL, 0, n, spec->test_select);
    char *out = hold_out(spec, data);
    uint32_t *places = pick(data, SPLIT_TRAIN, out, 1, n, spec->test_select);
    free(out);
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

int spec_crop_flip(const struct spec *spec, const struct dataset *data) {
    return spec->augment == AUGMENT_AUTO ? data->crop_flip : spec->augment == AUGMENT_CROP_FLIP;
}
