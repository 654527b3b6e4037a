/* fp32: the unquantized network, the ceiling of every comparison. Only width 32 exists, so no layer
 * has a quantizer and no code is ever stored. */
#include "baselines.h"

#include <string.h>

static void copy_weights(const struct quant_layer *l, const float *W, const float *params, int k,
                         float *W_hat) {
    (void)params;
    (void)k;
    memcpy(W_hat, W, l->n * sizeof *W);
}

static void pass_gradient(const struct quant_layer *l, const float *W, const float *params, int k,
                          const float *dW_hat, float *dW, float *dparams) {
    (void)W;
    (void)params;
    (void)k;
    (void)dparams;
    for (size_t i = 0; i < l->n; i++)
        dW[i] += dW_hat[i];
}

const struct quantizer quantizer_fp32 = {
    .name = "fp32",
    .title = "Float",
    .help = "unquantized weights, 32 bits only",
    .look = {1, "#000000", MARK_DIAMOND},
    .axes = {RANGE_NONE, ROUND_NONE, DEQUANT_NONE, SCALE_MEAN, PER_LAYER},
    .min_bits = FLOAT_BITS,
    .quantize = copy_weights,
    .backward = pass_gradient,
};
