/* The floating-point environment; rounding.h is the manual. */
#include "base/rounding.h"

#include <fenv.h>

/* On x86-64 the C library also clears flush-to-zero and denormals-are-zero (MXCSR). */
__attribute__((constructor(102))) void rounding_reset(void) {
    fesetenv(FE_DFL_ENV);
}
