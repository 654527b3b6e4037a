/* A data set in memory for benchmarks and the crosscheck, of any shape and with nothing installed:
 * a random pattern per class, half hidden by noise, so that there is something to learn. */
#ifndef BENCH_RANDOM_SET_H
#define BENCH_RANDOM_SET_H

#include "data/dataset.h"

/* `n` images for training and none for testing; called "random". */
void random_set_make(struct dataset *d, struct shape shape, int classes, uint32_t n);
void random_set_free(struct dataset *d);

/* "28x28x1": height, width, channels (1 or 3). 0, or -1 when it is not one. */
int random_set_shape(const char *text, struct shape *shape);

#endif
