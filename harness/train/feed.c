/* The order of training images; feed.h is the manual. */
#include "train/feed.h"

#include "base/random.h"
#include "train/trainer.h"

#include <stdlib.h>
#include <string.h>

static void shuffle(struct feed *f) {
    if (f->order_epoch == f->epoch)
        return;
    struct random r = random_stream((uint64_t)f->spec->seed, RANDOM_SHUFFLE, (uint64_t)f->epoch, 0);
    random_permutation(&r, f->order, f->images);
    for (uint32_t i = 0; i < f->images; i++)
        f->order[i] = f->pool[f->order[i]];
    f->order_epoch = f->epoch;
}

static int request_training_batch(void *context, struct batch_request *r, uint32_t *order) {
    struct feed *f = context;
    uint32_t batch = (uint32_t)f->spec->batch;
    if (f->epoch >= f->spec->epochs)
        return 0;
    shuffle(f);
    r->split = SPLIT_TRAIN;
    r->n = batch;
    r->crop_flip = spec_crop_flip(f->spec, f->data);
    r->seed = (uint64_t)f->spec->seed;
    r->epoch = (uint64_t)f->epoch;
    r->first = (uint64_t)f->step * batch;
    memcpy(order, f->order + r->first, batch * sizeof *order);
    if (++f->step == f->images / batch) {
        f->step = 0;
        f->epoch++;
    }
    return 1;
}

struct feed *feed_start(const struct spec *spec, const struct dataset *data, int64_t epoch,
                        int64_t step, int channels, int threads) {
    struct feed *f = need(1, sizeof *f);
    *f = (struct feed){.spec = spec, .data = data, .epoch = epoch, .step = step, .order_epoch = -1};
    f->images = spec_training_images(spec, data);
    f->pool = split_training(spec, data);
    f->order = need(f->images, sizeof *f->order);
    f->loader = loader_start(&(struct loader_options){.data = data,
                                                      .batch = (uint32_t)spec->batch,
                                                      .channels = channels,
                                                      .threads = threads,
                                                      .request = request_training_batch,
                                                      .context = f});
    return f;
}

void feed_stop(struct feed *f) {
    if (!f)
        return;
    loader_stop(f->loader);
    free(f->pool);
    free(f->order);
    free(f);
}

int feed_next(struct feed *f, struct batch *b, struct error *e) {
    return loader_next(f->loader, b, e);
}
