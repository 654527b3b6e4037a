/* The weights of a quantized layer at a width as steps of their codes: W = scale[c] · v + offset[c]
 * for channel c and the signed code v, cut to the width (quant/layer.h). */
#ifndef DEPLOY_STEPS_H
#define DEPLOY_STEPS_H

#include "quant/layer.h"

/* (channels) each, which the caller frees. */
float *steps_scales(const struct integers *x, size_t channels);
float *steps_offsets(const struct integers *x, size_t channels);

#endif
