/* A network of a few hundred weights, and what a run needs to be written down and read back. */
#ifndef TESTS_FUZZ_NETWORK_H
#define TESTS_FUZZ_NETWORK_H

#include "train/trainer.h"

extern const char
    network_cfg[]; // convolutions with norms of both kinds, 4x4 grey images, 4 classes
extern const struct numerics network_numerics;
extern const char network_run[];

struct network {
    struct dataset data; // of no images
    struct spec spec;
    struct cfg cfg;
    struct model *model;
    struct trainer trainer; // of 4 steps in each of 3 epochs
};

/* Ends the process when something fails. The network must stay where it is. */
void network_start(struct network *n, const char *scheme);
void network_free(struct network *n);

#endif
