/* Batches against a slow, obvious twin, bit for bit: grey and colour, square and not, as they are
 * and cropped and flipped; and the laws of augmentation. */
#include "base/random.h"
#include "data/dataset.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { N = 40, MOST = 3 * 32 * 32 };

static uint8_t pixels[SPLITS][N * MOST];
static uint16_t labels[SPLITS][N];

static struct dataset make_set(struct shape shape) {
    struct random r = random_stream(4, RANDOM_TEST, 0, 40);
    struct dataset d = {.shape = shape,
                        .classes = 10,
                        .mean = {0.4914f, 0.4822f, 0.4465f},
                        .deviation = {0.247f, 0.2435f, 0.2616f}};
    for (int s = 0; s < SPLITS; s++) {
        for (int i = 0; i < N * MOST; i++)
            pixels[s][i] = (uint8_t)random_below(&r, 256);
        for (int i = 0; i < N; i++)
            labels[s][i] = (uint16_t)random_below(&r, 1000);
        d.split[s] = (struct images){N, pixels[s], labels[s]};
    }
    return d;
}

/* The byte at (y, x) of one channel, 0 outside of the image. */
static uint8_t padded(const struct dataset *d, const uint8_t *image, int c, int y, int x) {
    if (y < 0 || y >= d->shape.h || x < 0 || x >= d->shape.w)
        return 0;
    return image[(c * d->shape.h + y) * d->shape.w + x];
}

/* One value of one image of the batch, as dataset.h says it. */
static float twin(const struct dataset *d, const struct batch_request *r, uint32_t i, int channel,
                  int y, int x) {
    int c = d->shape.c == 1 ? 0 : channel, down = 0, across = 0, flip = 0;
    if (r->crop_flip) {
        struct random stream = random_stream(r->seed, RANDOM_AUGMENT, r->epoch, r->first + i);
        down = (int)random_below(&stream, 9) - 4;
        across = (int)random_below(&stream, 9) - 4;
        flip = (int)random_below(&stream, 2);
    }
    if (flip)
        x = d->shape.w - 1 - x;
    size_t size = (size_t)d->shape.c * (size_t)d->shape.h * (size_t)d->shape.w;
    const uint8_t *image = d->split[r->split].pixels + r->order[i] * size;
    return ((float)padded(d, image, c, y + down, x + across) / 255.0f - d->mean[c]) /
           d->deviation[c];
}

static void compare(const struct dataset *d, const struct batch_request *r) {
    size_t size = (size_t)r->channels * (size_t)d->shape.h * (size_t)d->shape.w;
    float *got = malloc((r->n * size + 1) * sizeof *got), *at = got;
    uint16_t label[N + 1];
    got[r->n * size] = 77; // what lies behind is left alone
    label[r->n] = 77;
    dataset_fill(d, r, got, label);
    for (uint32_t i = 0; i < r->n; i++) {
        assert_int_equal(label[i], d->split[r->split].labels[r->order[i]]);
        for (int c = 0; c < r->channels; c++)
            for (int y = 0; y < d->shape.h; y++)
                for (int x = 0; x < d->shape.w; x++, at++)
                    if (*at != twin(d, r, i, c, y, x))
                        fail_msg("image %u, channel %d, row %d, column %d: %a is not %a", i, c, y,
                                 x, (double)*at, (double)twin(d, r, i, c, y, x));
    }
    assert_true(*at == 77);
    assert_int_equal(label[r->n], 77);
    free(got);
}

static void every_shape_equals_the_twin(void **state) {
    (void)state;
    static const struct shape shapes[] = {{1, 28, 28}, {3, 32, 32}, {3, 5, 11}, {1, 9, 4},
                                          {1, 3, 3},   {3, 1, 1},   {1, 1, 6}};
    uint32_t order[N];
    for (size_t s = 0; s < sizeof shapes / sizeof shapes[0]; s++)
        for (int variant = 0; variant < 8; variant++) {
            struct dataset d = make_set(shapes[s]);
            struct random r = random_stream(6, RANDOM_SHUFFLE, s, 0);
            random_permutation(&r, order, N);
            compare(&d, &(struct batch_request){.split = variant & 1 ? SPLIT_TEST : SPLIT_TRAIN,
                                                .order = order,
                                                .n = variant & 4 ? 1 : N,
                                                .channels = variant & 4 ? 3 : shapes[s].c,
                                                .crop_flip = variant >> 1 & 1,
                                                .seed = 5,
                                                .epoch = (uint64_t)variant,
                                                .first = 128});
        }
}

static void nothing_is_asked_nothing_is_written(void **state) {
    (void)state;
    struct dataset d = make_set((struct shape){1, 28, 28});
    compare(&d, &(struct batch_request){.n = 0, .channels = 1, .crop_flip = 1});
}

/* Batches of one give what a batch of all gives: the place in the epoch names the stream. */
static void batches_do_not_matter(void **state) {
    (void)state;
    enum { PLANE = 28 * 28 };
    struct dataset d = make_set((struct shape){1, 28, 28});
    uint32_t order[N];
    static float whole[N][PLANE], single[PLANE];
    uint16_t label[N];
    for (uint32_t i = 0; i < N; i++)
        order[i] = 7; // the same image each time
    struct batch_request r = {.order = order, .n = N, .channels = 1, .crop_flip = 1, .first = 1000};
    dataset_fill(&d, &r, whole[0], label);
    int different = 0;
    for (uint32_t i = 0; i < N; i++) {
        struct batch_request one = r;
        one.n = 1;
        one.first += i;
        dataset_fill(&d, &one, single, label);
        assert_memory_equal(single, whole[i], sizeof single);
        different += memcmp(whole[i], whole[0], sizeof single) != 0;
    }
    assert_true(different > N / 2);
    struct batch_request others[] = {r, r};
    others[0].seed++;
    others[1].epoch++;
    static float other[N][PLANE];
    for (int i = 0; i < 2; i++) {
        dataset_fill(&d, &others[i], other[0], label);
        assert_memory_not_equal(other, whole, sizeof whole);
    }
}

/* Where a marked pixel goes tells the crop, its neighbour's side the flip: all 9 x 9 x 2, equally
 * often. */
static void crops_and_flips_are_uniform(void **state) {
    (void)state;
    enum { SIDE = 13, DRAWS = 16200 };
    struct dataset d = make_set((struct shape){1, SIDE, SIDE});
    memset(pixels[SPLIT_TRAIN], 0, SIDE * SIDE);
    d.mean[0] = 0;
    d.deviation[0] = 1 / 255.0f;
    pixels[SPLIT_TRAIN][6 * SIDE + 6] = 200;
    pixels[SPLIT_TRAIN][6 * SIDE + 7] = 100;
    int count[9][9][2] = {0};
    uint32_t order[1] = {0};
    for (int i = 0; i < DRAWS; i++) {
        float image[SIDE * SIDE];
        uint16_t label;
        dataset_fill(&d,
                     &(struct batch_request){.order = order,
                                             .n = 1,
                                             .channels = 1,
                                             .crop_flip = 1,
                                             .seed = 1,
                                             .first = (uint64_t)i},
                     image, &label);
        int at = 0;
        while (at < SIDE * SIDE - 2 && image[at] < 150)
            at++;
        assert_in_range(at, 1, SIDE * SIDE - 2);
        int flip = image[at + 1] < 50, x = flip ? SIDE - 1 - at % SIDE : at % SIDE;
        assert_true(image[flip ? at - 1 : at + 1] > 50);
        count[at / SIDE - 2][x - 2][flip]++;
    }
    double expected = DRAWS / 162.0, sum = 0;
    for (int i = 0; i < 162; i++)
        sum += (count[i / 18][i / 2 % 9][i % 2] - expected) *
               (count[i / 18][i / 2 % 9][i % 2] - expected) / expected;
    assert_true(sum < 223); // 161 degrees of freedom, 1 in 1000
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_shape_equals_the_twin),
        cmocka_unit_test(nothing_is_asked_nothing_is_written),
        cmocka_unit_test(batches_do_not_matter),
        cmocka_unit_test(crops_and_flips_are_uniform),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
