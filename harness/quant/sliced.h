/* Slots of quantizers whose k-bit codes are made from those of N bits: no width lies between N and
 * 32. */
#ifndef QUANT_SLICED_H
#define QUANT_SLICED_H

#include "quant/quantizer.h"

int sliced_check(const struct widths *B, int stored_bits, struct error *e);
int sliced_has_direct(const struct widths *B, int stored_bits, int k);

#endif
