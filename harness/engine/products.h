/* Whether OpenBLAS multiplies rightly here. Its kernels are chosen for the processor when it is
 * loaded, and a version that is older than the processor may choose wrong ones: Debian 12 has one
 * of 2022. */
#ifndef ENGINE_PRODUCTS_H
#define ENGINE_PRODUCTS_H

#include "cfg/cfg.h"

/* What to do where it does not. */
#define PRODUCTS_REMEDY                                                                            \
    "set OPENBLAS_CORETYPE to an older processor (Haswell, Sandybridge, Nehalem), or install a "   \
    "newer libopenblas0"

/* Compare with plain loops, in double precision, the products that the reference operators
 * (conv.c) take for this network in batches of `batch`: of each convolutional and connected layer,
 * forward and backward, in their transposed forms. Large ones are cut so that each costs a
 * millisecond or so; what a side leaves over a kernel's tiles stays. To be called with the threads
 * that will compute. -1: one differs by more than rounding can; the message says which, and what
 * to do. Where a kernel has instructions that the processor has not, the process ends with such a
 * message. */
int products_check(const struct cfg *cfg, int batch, struct error *e);

/* The same of sizes that small networks have, for who has no network at hand. */
int products_check_common(struct error *e);

#endif
