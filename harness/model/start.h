/* A model as training starts it. Its parameters begin, as in TruncQuant's and Any-Precision DNN's
 * code (Kaiming et al. 1502.01852), with weights U(±1/sqrt(fan_in)) (Kaiming's a = sqrt(5)) and
 * biases likewise; a layer with init=darknet as Darknet starts it, convolution N(0, 2/fan_in),
 * connected U(±sqrt(2/in)), biases 0; a convolution with init=kaiming-normal N(0, 2/fan_out),
 * fan_out = filters · size² whatever the groups, as PyTorch, Any-Precision DNN's and AdaBits' code
 * count it. Batch norm: scale 1, shift 0, running mean 0, running variance 1. Quantizers start
 * their own. Nothing comes from Darknet, which would draw from the process-wide rand(). */
#ifndef MODEL_START_H
#define MODEL_START_H

#include "model/model.h"

/* Lay out and start; parameter p draws from the stream (spec->seed, RANDOM_WEIGHTS, 0, p). Darknet
 * reads the network, too: that it refuses, or has other shapes, is known before days are spent on
 * training. NULL with a message where it does. */
struct model *model_build(struct cfg *cfg, const struct spec *spec,
                          const struct quantizer *quantizer, struct error *e);

/* The learned parameters of the quantizers, from the weights as they are; part of model_build. */
void start_quantizers(struct model *m);

#endif
