/* Batches prepared ahead are those that were planned, bit for bit, however many threads make them;
 * never more of them than agreed; a missing image is an error of its batch alone. And the feed of a
 * run goes on from any place as if it had never stopped. */
#include "base/random.h"
#include "data/image_set.h"
#include "data/images/stream.h"
#include "data/loader.h"
#include "data/picture.h"
#include "train/feed.h"

#include <limits.h>
#include <png.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { SIZE = 9, FLOATS = 3 * SIZE * SIZE, BATCH = 16, BATCHES = 9, LAST = 5 };

static struct dataset open_at(int size) {
    struct dataset d;
    struct error e = {0};
    if (dataset_open_at(&d, "set", size, &e))
        fail_msg("%s", e.text);
    return d;
}

struct plan {
    int planned;
    uint32_t images;
    uint32_t last; // image at the last place of each batch
};

/* BATCHES batches of images drawn at random, the last one short. */
static int plan(void *context, struct batch_request *r, uint32_t *order) {
    struct plan *p = context;
    if (p->planned == BATCHES)
        return 0;
    struct random random = random_stream(9, RANDOM_TEST, 0, (uint64_t)p->planned);
    r->split = SPLIT_TRAIN;
    r->n = ++p->planned == BATCHES ? LAST : BATCH;
    r->crop_flip = 1;
    r->seed = 3;
    r->epoch = 1;
    r->first = (uint64_t)(p->planned * BATCH);
    for (uint32_t i = 0; i < r->n; i++)
        order[i] = random_below(&random, p->images);
    order[r->n - 1] = p->last;
    return 1;
}

static struct loader *start(const struct dataset *d, struct plan *p, int threads) {
    p->planned = 0;
    p->images = d->split[SPLIT_TRAIN].n;
    return loader_start(&(struct loader_options){.data = d,
                                                 .batch = BATCH,
                                                 .channels = 3,
                                                 .threads = threads,
                                                 .request = plan,
                                                 .context = p});
}

static void expect_batch(const struct dataset *d, struct plan *twin, const struct batch *b) {
    uint32_t order[BATCH];
    struct batch_request r = {.order = order, .channels = 3};
    struct error e = {0};
    float image[FLOATS];
    assert_int_equal(plan(twin, &r, order), 1);
    assert_int_equal(b->n, r.n);
    for (uint32_t i = 0; i < r.n; i++) {
        assert_int_equal(image_stream_fill(d, &r, i, image, &e), 0);
        assert_memory_equal(b->images + i * FLOATS, image, sizeof image);
        assert_int_equal(b->labels[i], d->split[SPLIT_TRAIN].labels[order[i]]);
    }
}

/* An image that takes long to decode: others are done before it. */
static uint32_t write_slow_image(void) {
    enum { SIDE = 1200 };
    char name[256], path[PATH_MAX];
    uint8_t *pixels = malloc(SIDE * SIDE * 3);
    snprintf(name, sizeof name, "train/%s/slow.png", image_set_classes[0]);
    picture_draw(pixels, SIDE, SIDE, 1);
    picture_write(image_set_file(name), picture_png(pixels, SIDE, SIDE, PNG_COLOR_TYPE_RGB, 8, 0));
    free(pixels);
    struct dataset d = open_at(SIZE);
    uint32_t i = 0;
    struct error e = {0};
    do
        image_folder_path(&d.stream->folder, SPLIT_TRAIN, i++, path, sizeof path, &e);
    while (!strstr(path, "/slow.png"));
    dataset_close(&d);
    return i - 1;
}

static void batches_are_as_planned(void **state) {
    (void)state;
    uint32_t slow = write_slow_image();
    struct dataset d = open_at(SIZE);
    for (int threads = 1; threads <= 7; threads += 2) {
        struct plan p = {.last = slow}, twin = {.images = d.split[SPLIT_TRAIN].n, .last = slow};
        struct loader *l = start(&d, &p, threads);
        struct batch b;
        struct error e = {0};
        for (int i = 0; i < BATCHES; i++) {
            assert_int_equal(loader_next(l, &b, &e), 0);
            expect_batch(&d, &twin, &b);
        }
        for (int i = 0; i < 2; i++)
            assert_int_equal(loader_next(l, &b, &e), -1);
        assert_non_null(strstr(e.text, "set has no further batch"));
        loader_stop(l);
    }
    dataset_close(&d);
}

/* Returns also when that does not come within a minute: what is planned then is for the caller to
 * judge. */
static void wait_until_planned(const struct plan *p, int batches) {
    for (int i = 0; i < 60000 && __atomic_load_n(&p->planned, __ATOMIC_SEQ_CST) < batches; i++)
        usleep(1000);
}

/* The batch in use is left alone while others are prepared, and no more are than agreed. */
static void no_more_than_agreed(void **state) {
    (void)state;
    struct dataset d = open_at(SIZE);
    struct plan p = {0}, twin = {.images = d.split[SPLIT_TRAIN].n};
    struct loader *l = start(&d, &p, 3);
    struct batch b;
    struct error e = {0};
    for (int i = 1; i <= 3; i++) {
        assert_int_equal(loader_next(l, &b, &e), 0);
        wait_until_planned(&p, i - 1 + LOADER_BATCHES);
        usleep(20000); // and time to do too much
        assert_int_equal(__atomic_load_n(&p.planned, __ATOMIC_SEQ_CST), i - 1 + LOADER_BATCHES);
        expect_batch(&d, &twin, &b);
    }
    loader_stop(l);
    dataset_close(&d);
}

static void stopping_early(void **state) {
    (void)state;
    struct dataset d = open_at(SIZE);
    for (int i = 0; i < 20; i++) {
        struct plan p = {0};
        struct batch b;
        struct error e = {0};
        struct loader *l = start(&d, &p, 4);
        for (int k = 0; k < i % 4; k++)
            assert_int_equal(loader_next(l, &b, &e), 0);
        loader_stop(l);
    }
    loader_stop(NULL);
    dataset_close(&d);
}

/* Two images of the second batch go: the first of them is named, and the batch before it is whole.
 */
static void missing_images(void **state) {
    (void)state;
    struct dataset d = open_at(SIZE);
    struct plan p = {0}, twin = {.images = d.split[SPLIT_TRAIN].n};
    uint32_t orders[2][BATCH];
    char path[PATH_MAX], named[PATH_MAX];
    struct error e = {0};
    struct batch_request r;
    for (int i = 0; i < 2; i++)
        plan(&twin, &r, orders[i]);
    for (int k = 0, gone = 0; k < BATCH && gone < 2; k++) {
        int used = 0;
        for (int i = 0; i < BATCH; i++)
            used |= orders[0][i] == orders[1][k];
        if (used || (gone && orders[1][k] == UINT32_MAX))
            continue;
        image_folder_path(&d.stream->folder, SPLIT_TRAIN, orders[1][k], path, sizeof path, &e);
        if (unlink(path))
            continue; // twice in the batch
        if (!gone++)
            snprintf(named, sizeof named, "%s", strrchr(path, '/'));
    }
    for (int threads = 1; threads < 6; threads += 2) {
        struct batch b;
        struct loader *l = start(&d, &p, threads);
        e = (struct error){0};
        assert_int_equal(loader_next(l, &b, &e), 0);
        assert_int_equal(loader_next(l, &b, &e), -1);
        if (!strstr(e.text, named))
            fail_msg("'%s' does not name %s", e.text, named);
        loader_stop(l);
    }
    dataset_close(&d);
}

/* ---- the feed of a run ---- */

enum { EPOCHS = 3 };

static struct spec a_spec(void) {
    struct spec s;
    spec_defaults(&s);
    s.batch = BATCH;
    s.epochs = EPOCHS;
    s.seed = 4;
    return s;
}

/* Step 2 of epoch 1, as method.md says it. */
static void expect_step(const struct dataset *d, const struct spec *spec, const float *images) {
    uint32_t n = d->split[SPLIT_TRAIN].n, *order = malloc(n * sizeof *order);
    struct random random = random_stream((uint64_t)spec->seed, RANDOM_SHUFFLE, 1, 0);
    random_permutation(&random, order, n);
    float image[FLOATS];
    struct error e = {0};
    for (uint32_t i = 0; i < BATCH; i++) {
        struct batch_request r = {.split = SPLIT_TRAIN,
                                  .order = order + 2 * BATCH + i,
                                  .n = 1,
                                  .channels = 3,
                                  .crop_flip = 1,
                                  .seed = (uint64_t)spec->seed,
                                  .epoch = 1,
                                  .first = 2 * BATCH + i};
        assert_int_equal(image_stream_fill(d, &r, 0, image, &e), 0);
        assert_memory_equal(images + i * FLOATS, image, sizeof image);
    }
    free(order);
}

/* Every batch of a run, from the start, one after another: (steps, BATCH, FLOATS). */
static float *all_batches(const struct spec *spec, const struct dataset *d, int threads,
                          int64_t steps, size_t floats) {
    float *all = malloc((size_t)steps * EPOCHS * floats * sizeof *all);
    struct feed *f = feed_start(spec, d, 0, 0, 3, threads);
    struct batch b;
    struct error e = {0};
    for (int64_t i = 0; i < steps * EPOCHS; i++) {
        assert_int_equal(feed_next(f, &b, &e), 0);
        memcpy(all + (size_t)i * floats, b.images, floats * sizeof *all);
    }
    assert_int_equal(feed_next(f, &b, &e), -1);
    feed_stop(f);
    return all;
}

static void a_feed_goes_on(void **state) {
    (void)state;
    struct spec spec = a_spec();
    for (int memory = 0; memory < 2; memory++) {
        struct dataset d = open_at(memory ? 0 : SIZE);
        int64_t steps = d.split[SPLIT_TRAIN].n / BATCH;
        size_t floats = BATCH * 3 * (size_t)d.shape.h * (size_t)d.shape.w;
        float *all = all_batches(&spec, &d, 2, steps, floats);
        for (int64_t from = 0; from < steps * EPOCHS; from += 4) {
            struct feed *f = feed_start(&spec, &d, from / steps, from % steps, 3, 3);
            struct batch b;
            struct error e = {0};
            for (int64_t i = from; i < from + 3 && i < steps * EPOCHS; i++) {
                assert_int_equal(feed_next(f, &b, &e), 0);
                assert_memory_equal(b.images, all + (size_t)i * floats, floats * sizeof *all);
            }
            feed_stop(f);
        }
        if (!memory)
            expect_step(&d, &spec, all + (size_t)(steps + 2) * floats);
        free(all);
        dataset_close(&d);
    }
}

int main(void) {
#define WITH_SET(test) cmocka_unit_test_setup_teardown(test, image_set_start, image_set_end)
    const struct CMUnitTest tests[] = {
        WITH_SET(batches_are_as_planned), WITH_SET(no_more_than_agreed), WITH_SET(stopping_early),
        WITH_SET(missing_images),         WITH_SET(a_feed_goes_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
