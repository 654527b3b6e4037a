/* Batches, one after another. Those of a set in memory are filled when they are asked for, which
 * takes a hundredth of a training step or less; those of a folder of images (data/images/stream.h)
 * are decoded ahead by threads, so that the engine waits only when they are slower than it is.
 *
 * Memory: LOADER_BATCHES batches of floats (the one in use and those ahead), and one decoded image
 * for each thread. A batch is what its request says, whatever the number of threads. */
#ifndef DATA_LOADER_H
#define DATA_LOADER_H

#include "data/dataset.h"

enum { LOADER_BATCHES = 3 };

/* Say what the next batch is: fill in `r`, whose `order` has room for `batch` images and is to be
 * filled as well (it is r->order). 0: there is no further batch. Called for each batch once, in
 * order, by one thread at a time. */
typedef int loader_request(void *context, struct batch_request *r, uint32_t *order);

struct loader_options {
    const struct dataset *data;
    uint32_t batch; // images of a batch, at most
    int channels;   // the network's
    int threads;    // that decode, 1 or more; unused for a set in memory
    loader_request *request;
    void *context;
};

struct loader;

/* The options' data and context must outlive it. */
struct loader *loader_start(const struct loader_options *o);

/* NULL-safe. Ends the threads. */
void loader_stop(struct loader *l);

struct batch {
    uint32_t n;
    const float *images;    // (n, channels, h, w)
    const uint16_t *labels; // (n)
};

/* The next batch, which stays until the call after this one. -1: an image cannot be read (the first
 * in the batch that cannot), or there is no further batch. */
int loader_next(struct loader *l, struct batch *b, struct error *e);

#endif
