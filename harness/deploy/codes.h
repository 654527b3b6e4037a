/* A frozen model as arrays for Python: `numpy.load(FILE)`, whose keys are
 *
 *     run, scheme, network, dataset, commit     texts
 *     stored_bits                               N
 *     widths, act_bits (K)                      every k that there is, and its bits of activations
 *     classes (classes)                         names
 *     input (3)                                 channels, height and width of an image
 *     mean, deviation (channels)                of byte / 255: x = (byte / 255 - mean) / deviation
 *     layers (L)                                names of all layers, "conv3", in order, of which
 *     outputs (L, 3)                            are the channels, height and width of the outputs
 *     quantized (L)                             1: has codes
 *
 * and, for a layer NAME of them,
 *
 *     NAME.codes      int8, (filters, channels / groups, rows, columns), or (outputs, inputs):
 *                     signed codes v of N bits, cut to k bits by v >> (N - k)
 *     NAME.scale, NAME.offset (K, filters)      W = scale[k] · (v >> (N - k)) + offset[k]
 *     NAME.weights    float32 in place of these, where they stay float
 *     NAME.bias (filters)
 *     NAME.scale, NAME.shift, NAME.mean, NAME.variance (K, channels), of a norm: those of the bank
 *                     that each width takes; y = scale (x - mean) / sqrt(variance + 1e-5) + shift
 *     NAME.bound      of an activation that feeds a quantized layer: what its codes are clipped at
 *     NAME.calibrated_mean, NAME.calibrated_variance (K, channels): if asked for
 *
 * Any network and any scheme whose codes are cut (deploy/refusals.h). */
#ifndef DEPLOY_CODES_H
#define DEPLOY_CODES_H

#include "deploy/pack.h"

int codes_write(const struct pack *p, const char *path, struct error *e);

#endif
