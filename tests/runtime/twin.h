/* What a packed model has to compute, a value at a time from the frozen model of the harness: codes
 * sum in 64-bit integers, floats in double, everything behind is float32. Equal to the library's
 * scores to the bit. */
#ifndef TESTS_RUNTIME_TWIN_H
#define TESTS_RUNTIME_TWIN_H

#include "model/frozen.h"

/* Scores of n images (n, c, h, w) at k bits, with the norms of the bank. */
void twin_exact(const struct frozen *f, int k, int bank, const float *images, int n, float *scores);

#endif
