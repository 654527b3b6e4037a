/* Held-out images: what is trained on and what is validated with share nothing, leave nothing out,
 * depend on the seed alone, and reach the batches. */
#include "data/selection.h"
#include "train/feed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { TRAIN = 100, TEST = 30 };

static uint8_t pixels[TRAIN];
static uint16_t labels[TRAIN];

/* Image i has the label i, and one pixel. */
static struct dataset numbered(void) {
    for (int i = 0; i < TRAIN; i++)
        labels[i] = (uint16_t)i;
    return (struct dataset){.shape = {1, 1, 1},
                            .classes = TRAIN,
                            .split = {{TRAIN, pixels, labels}, {TEST, pixels, labels}},
                            .deviation = {1}};
}

static struct spec spec_of(long seed, long val, int split) {
    struct spec spec;
    spec_defaults(&spec);
    spec.seed = seed;
    spec.val = val;
    spec.split = split;
    spec.batch = 10;
    spec.epochs = 3;
    return spec;
}

static void nothing_is_held_out_by_default(void **state) {
    (void)state;
    struct dataset d = numbered();
    struct spec spec = spec_of(1, 0, EVALUATE_TEST);
    uint32_t *training = split_training(&spec, &d), *evaluated = split_evaluated(&spec, &d);
    assert_int_equal(spec_training_images(&spec, &d), TRAIN);
    assert_int_equal(spec_evaluated_images(&spec, &d), TEST);
    for (uint32_t i = 0; i < TRAIN; i++)
        assert_int_equal(training[i], i);
    for (uint32_t i = 0; i < TEST; i++)
        assert_int_equal(evaluated[i], i);
    assert_int_equal(split_source(&spec), SPLIT_TEST);
    assert_string_equal(split_name(&spec), "test");
    free(training);
    free(evaluated);
}

static void both_make_up_the_split(void **state) {
    (void)state;
    struct dataset d = numbered();
    struct spec spec = spec_of(1, 35, EVALUATE_VAL);
    uint32_t *training = split_training(&spec, &d), *val = split_evaluated(&spec, &d);
    int seen[TRAIN] = {0};
    assert_int_equal(spec_training_images(&spec, &d), 65);
    assert_int_equal(spec_evaluated_images(&spec, &d), 35);
    for (int i = 0; i < 65; i++) {
        seen[training[i]]++;
        assert_true(i == 0 || training[i] > training[i - 1]);
    }
    for (int i = 0; i < 35; i++) {
        seen[val[i]]++;
        assert_true(i == 0 || val[i] > val[i - 1]);
    }
    for (int i = 0; i < TRAIN; i++)
        assert_int_equal(seen[i], 1);
    assert_true(val[34] >= 35); // drawn, not the first
    assert_int_equal(split_source(&spec), SPLIT_TRAIN);
    assert_string_equal(split_name(&spec), "val");
    free(training);
    free(val);
}

static int same(struct spec a, struct spec b) {
    struct dataset d = numbered();
    uint32_t *first = split_evaluated(&a, &d), *second = split_evaluated(&b, &d);
    int equal = !memcmp(first, second, spec_evaluated_images(&b, &d) * sizeof *first);
    free(first);
    free(second);
    return equal;
}

static void only_the_seed_decides(void **state) {
    (void)state;
    struct spec a = spec_of(1, 20, EVALUATE_VAL), b = a;
    strcpy(b.scheme, "qat");
    b.epochs = 9;
    b.train_images = 40;
    assert_true(same(a, b));
    b = a;
    b.test_images = 7; // the first of them
    assert_true(same(a, b));
    b.seed = 2;
    assert_false(same(a, b));
}

static uint32_t count_common(const uint32_t *a, uint32_t n, const uint32_t *b, uint32_t m) {
    uint32_t common = 0;
    for (uint32_t i = 0; i < n; i++)
        for (uint32_t k = 0; k < m; k++)
            common += a[i] == b[k];
    return common;
}

static struct spec drawing(long seed, long val, int split, long train, long test) {
    struct spec spec = spec_of(seed, val, split);
    spec.train_images = train;
    spec.test_images = test;
    spec.train_select = spec.test_select = SELECT_DRAWN;
    return spec;
}

/* Whatever the seed: ascending, from everywhere, and more images are those of fewer and others. */
static void drawn_images_are_those_of_every_run(void **state) {
    (void)state;
    struct dataset d = numbered();
    struct spec a = drawing(1, 0, EVALUATE_TEST, 20, 8), b = drawing(2, 0, EVALUATE_TEST, 50, 20);
    uint32_t *few = split_training(&a, &d), *more = split_training(&b, &d);
    uint32_t *few_test = split_evaluated(&a, &d), *more_test = split_evaluated(&b, &d);
    for (int i = 1; i < 20; i++)
        assert_true(few[i] > few[i - 1]);
    assert_true(few[19] >= 50 && few[0] < 50);
    assert_int_equal(count_common(few, 20, more, 50), 20);
    assert_int_equal(count_common(few_test, 8, more_test, 20), 8);
    assert_true(few_test[7] >= 8);
    // The splits are not drawn alike.
    assert_true(count_common(few_test, 8, few, 20) < 8);
    free(few);
    free(more);
    free(few_test);
    free(more_test);
}

/* All of them are all of them; none is held out; those held out are drawn among themselves. */
static void drawing_keeps_to_its_part(void **state) {
    (void)state;
    struct dataset d = numbered();
    struct spec spec = drawing(3, 40, EVALUATE_VAL, 60, 10), all = spec;
    all.test_images = 0;
    uint32_t *training = split_training(&spec, &d), *val = split_evaluated(&spec, &d);
    uint32_t *held = split_evaluated(&all, &d);
    assert_int_equal(spec_training_images(&spec, &d), 60);
    assert_int_equal(count_common(training, 60, held, 40), 0);
    assert_int_equal(count_common(val, 10, held, 40), 10);
    assert_true(memcmp(val, held, 10 * sizeof *val) != 0);
    free(training);
    free(val);
    free(held);
}

/* Of classes one after the other, the first are of one; drawn ones of all. */
static void drawn_images_are_of_all_classes(void **state) {
    (void)state;
    struct dataset d = numbered();
    for (int i = 0; i < TRAIN; i++)
        labels[i] = (uint16_t)(i / 10);
    struct spec spec = drawing(1, 0, EVALUATE_TEST, 40, 0);
    uint32_t *places = split_training(&spec, &d);
    int seen[10] = {0}, classes = 0;
    for (int i = 0; i < 40; i++)
        classes += !seen[labels[places[i]]]++;
    assert_int_equal(classes, 10);
    free(places);
}

/* Every batch of three epochs: no held-out image, and each of the others once an epoch. */
static void batches_leave_them_out(void **state) {
    (void)state;
    struct dataset d = numbered();
    struct spec spec = spec_of(5, 30, EVALUATE_VAL);
    struct error e = {0};
    uint32_t *val = split_evaluated(&spec, &d);
    struct feed *f = feed_start(&spec, &d, 0, 0, 1, 1);
    int seen[TRAIN] = {0};
    for (int i = 0; i < 3 * 7; i++) {
        struct batch b;
        assert_int_equal(feed_next(f, &b, &e), 0);
        for (uint32_t k = 0; k < b.n; k++)
            seen[b.labels[k]]++;
    }
    feed_stop(f);
    for (int i = 0; i < 30; i++)
        assert_int_equal(seen[val[i]], 0);
    for (int i = 0; i < TRAIN; i++)
        assert_true(seen[i] == 3 || seen[i] == 0);
    free(val);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_held_out_by_default),
        cmocka_unit_test(both_make_up_the_split),
        cmocka_unit_test(only_the_seed_decides),
        cmocka_unit_test(drawn_images_are_those_of_every_run),
        cmocka_unit_test(drawing_keeps_to_its_part),
        cmocka_unit_test(drawn_images_are_of_all_classes),
        cmocka_unit_test(batches_leave_them_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
