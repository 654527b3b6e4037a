/* Which images a run is trained on, batch after batch: all of them once an epoch, in an order drawn
 * from the stream (seed, RANDOM_SHUFFLE, epoch); the last partial batch is dropped. The plan of a
 * loader. */
#ifndef TRAIN_FEED_H
#define TRAIN_FEED_H

#include "data/loader.h"
#include "spec/spec.h"

struct feed {
    const struct spec *spec;
    const struct dataset *data;
    int64_t epoch, step; // of the next batch
    uint32_t images;     // of an epoch
    uint32_t *pool;      // their places in the split, ascending; owned
    uint32_t *order;     // the same, shuffled for one epoch; owned
    int64_t order_epoch; // the epoch `order` is of; -1: none
    struct loader *loader;
};

/* From a position on, for a network of so many channels; `threads` decode. */
struct feed *feed_start(const struct spec *spec, const struct dataset *data, int64_t epoch,
                        int64_t step, int channels, int threads);
void feed_stop(struct feed *f); // NULL-safe

/* As loader_next. */
int feed_next(struct feed *f, struct batch *b, struct error *e);

#endif
