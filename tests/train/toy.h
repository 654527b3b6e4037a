/* A run in memory that takes milliseconds: a data set of 8x8 grey images, a small residual network,
 * and everything a trainer needs. For the tests of training, checkpoints, freezing and evaluation.
 */
#ifndef TESTS_TRAIN_TOY_H
#define TESTS_TRAIN_TOY_H

#include "train/trainer.h"

enum { TOY_TRAIN = 64, TOY_TEST = 37, TOY_CLASSES = 10 };

extern const char toy_cfg[]; // convolution, norm, block with projection, dropout, mean, linear

struct toy {
    struct dataset data;
    struct spec spec;
    struct cfg cfg;
    struct model *model;
    const struct quantizer *quantizer;
    const struct quantizer *const *table; // the registry
    struct program *program;
    struct trainer trainer;
};

/* The specification to change before toy_build: batch 16, Adam, widths 1 2 4 8 32 as far as the
 * scheme has them. */
struct spec toy_spec(const char *scheme, long seed, long epochs);

/* On the reference engine and one thread, or as is said. Stops the test when something fails. The
 * toy must stay where it is. */
void toy_build(struct toy *t, const struct spec *spec);
void toy_build_on(struct toy *t, const struct spec *spec, const struct engine *engine, int threads);
void toy_free(struct toy *t);

/* Train `steps` steps, or to the end (steps < 0). */
void toy_train(struct toy *t, int steps);

/* True when every parameter, moment and running statistic has the same bits. */
int toy_same(const struct toy *a, const struct toy *b);

#endif
