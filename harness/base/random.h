/* Random streams: counter-based, so that a stream is named by what it is for and never depends on
 * how many numbers others drew. A run that goes on from a checkpoint needs no saved generator
 * state, and two schemes of one seed start from equal weights and see equal batches.
 *
 * The generator is SplitMix64 (Steele, Lea, Flood, OOPSLA 2014), whose start is a hash of the name.
 */
#ifndef BASE_RANDOM_H
#define BASE_RANDOM_H

#include <stdint.h>

enum random_purpose {
    RANDOM_WEIGHTS = 1, // index: the tensor
    RANDOM_SHUFFLE,     // epoch
    RANDOM_AUGMENT,     // epoch, index: the place in the epoch
    RANDOM_DROPOUT,     // epoch, index: the step
    RANDOM_CALIBRATION, // shuffling for re-estimated running statistics
    RANDOM_TEST,        // for tests
    RANDOM_FOLDER,      // order of the images of a folder, index: the split
    RANDOM_BOOTSTRAP,   // resampling of seeds
    RANDOM_VALIDATION,  // the images that are held out of training
    RANDOM_FINGERPRINT, // inputs that tell what a quantizer computes
    RANDOM_SELECT, // order in which images are drawn, whatever the run's seed; index: the split
};

struct random {
    uint64_t state;
};

/* The stream of (seed, purpose, epoch, index). */
struct random random_stream(uint64_t seed, enum random_purpose purpose, uint64_t epoch,
                            uint64_t index);

uint64_t random_next(struct random *r);

/* Uniform in [0, 1), 24 bits: every value is a float. */
float random_unit(struct random *r);

/* Uniform in 0 ... n - 1, without bias; n > 0. */
uint32_t random_below(struct random *r, uint32_t n);

/* A uniformly drawn permutation of 0 ... n - 1 into `order` (Fisher and Yates). */
void random_permutation(struct random *r, uint32_t *order, uint32_t n);

#endif
