/* What a network costs, from its shapes alone. */
#ifndef CFG_COST_H
#define CFG_COST_H

#include "cfg/cfg.h"

#include <stdint.h>

/* Multiply-accumulates of one forward pass of one image. Norms, activations, pooling and sums are
 * left out; they are a few per cent. */
double cfg_macs(const struct cfg *cfg);

/* Weights, biases, and a scale and a shift per channel of each norm: a network's parameters as
 * papers count them, with a single bank and no learned parameters of quantizers. */
int64_t cfg_parameters(const struct cfg *cfg);

#endif
