/* TruncQuant (arXiv 2506.11431): train with floor, and the k-bit weights of training are the ones a
 * right shift of the stored codes produces: floor(2^N u) >> (N - k) == floor(2^k u) for every u in
 * [0, 1]. */
#ifndef QUANT_TRUNCQUANT_H
#define QUANT_TRUNCQUANT_H

#include "quant/quantizer.h"

extern const struct quantizer quantizer_truncquant;        // range map tanh, as the paper trains
extern const struct quantizer quantizer_truncquant_minmax; // the same rounder on an affine range

#endif
