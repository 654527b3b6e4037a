/* Start values of a model's parameters (as TruncQuant's and Any-Precision DNN's code; Kaiming et
 * al. 1502.01852): weights U(±1/sqrt(fan_in)) (Kaiming's a = sqrt(5)) and biases likewise; a layer
 * with init=darknet as Darknet starts it, convolution N(0, 2/fan_in), connected U(±sqrt(2/in)),
 * biases 0; a convolution with init=kaiming-normal N(0, 2/fan_out), fan_out = filters · size²
 * whatever the groups, as PyTorch, Any-Precision DNN's and AdaBits' code count it. Batch norm:
 * scale 1, shift 0, running mean 0, running variance 1. Quantizers start their own. */
#ifndef MODEL_START_H
#define MODEL_START_H

#include "model/model.h"

/* Parameter p draws from the stream (seed, RANDOM_WEIGHTS, 0, p). */
void start_values(struct model *m, uint64_t seed);

/* The learned parameters of the quantizers, from the weights as they are; part of start_values. */
void start_quantizers(struct model *m);

#endif
