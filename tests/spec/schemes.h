/* A small table of quantizers for tests of specs and grids: names, axes and smallest widths,
 * and that one has learned steps. */
#ifndef TESTS_SPEC_SCHEMES_H
#define TESTS_SPEC_SCHEMES_H

#include "quant/quantizer.h"

/* fp32, qat, minmax, truncquant, learned (OWN axes, steps, 2 bits and more), ptq, dedicated. */
enum { TEST_SCHEMES = 7 };
extern const struct quantizer *const test_schemes[];

#endif
