/* Widths of quantizers that slice; sliced.h is the manual. */
#include "quant/sliced.h"

int sliced_has_direct(const struct widths *B, int stored_bits, int k) {
    (void)B;
    return k == FLOAT_BITS || k <= stored_bits;
}

int sliced_check(const struct widths *B, int stored_bits, struct error *e) {
    for (int i = 0; i < B->n; i++)
        if (!sliced_has_direct(B, stored_bits, B->bits[i]))
            return fail(e,
                        "slices its codes from stored_bits %d, so it has no width %d; leave that "
                        "out of widths, or store more bits",
                        stored_bits, B->bits[i]);
    return 0;
}
