/* Exact evaluation of a model at an operating point (engine/exact.h): the codes of the latent
 * weights, or those of a frozen model cut by an arithmetic right shift, go to the engine as they
 * are. */
#ifndef EVALUATE_EXACT_THREADS_H
#define EVALUATE_EXACT_THREADS_H

#include "engine/exact.h"
#include "engine/team.h"
#include "model/frozen.h"

/* Images of one part, which a thread computes through all layers: few enough that a layer's sums
 * stay in the second cache. Who is free takes the next one: a batch has several for each thread, so
 * that one whose core is taken holds up little. */
enum { EXACT_BATCH = 8, EXACT_PARTS = 8 };

struct exact_threads {
    int threads, batch; // images of a forward, at most: EXACT_PARTS parts for each thread
    struct team team;   // of the threads
    const struct exact_engine *engine;
    // One for each thread; NULL: the network, scheme or engine has none.
    struct exact_program **programs;
    float *logits; // (batch, classes); owned
    const struct model *m;
    const struct frozen *frozen; // NULL: codes of the latent weights
};

int exact_start(struct exact_threads *x, const struct engine *engine, struct model *m,
                const struct frozen *frozen, int threads, enum arithmetic arithmetic,
                struct error *e);
void exact_free(struct exact_threads *x);

/* Whether the point's weights and activations are both codes, and the engine has programs for the
 * model. */
int exact_covers(const struct exact_threads *x, const struct point *point);

/* Give it the weights of all layers. */
void exact_set_weights(struct exact_threads *x, const struct point *point);

/* To be called when the model's norms have changed since exact_start. */
void exact_upload(struct exact_threads *x, unsigned what);

/* Class scores of n <= batch images, by running statistics. */
const float *exact_forward(struct exact_threads *x, const struct point *point, const float *images,
                           int n);

/* The arithmetic it got, for the record. */
const char *exact_arithmetic(const struct exact_threads *x);

#endif
