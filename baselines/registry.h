/* Every scheme a grid can name: TruncQuant's own and the quantizers it is compared with. */
#ifndef BASELINES_REGISTRY_H
#define BASELINES_REGISTRY_H

#include "quant/quantizer.h"

/* Ended by NULL. */
extern const struct quantizer *const quantizer_registry[];

#endif
