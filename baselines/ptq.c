/* ptq: post-training quantization, the baseline that trains nothing: the affine quantizer of Jacob
 * et al. (arXiv 1712.05877) applied to the weights of the finished `fp32` run of the same seed,
 * network, data set and recipe. Activations stay float unless act_bits says otherwise; then each is
 * clipped at its 99.9th percentile over the calibration batches (evaluate/bounds.h). */
#include "baselines.h"
#include "quant/axes.h"

const struct quantizer quantizer_ptq = {
    .name = "ptq",
    .title = "PTQ (min-max)",
    .help = "fp32 weights quantized after training: min-max range, nearest, endpoint",
    .look = {11, "#FF00FF", MARK_CROSS},
    .papers = {&paper_jacob},
    .axes = {RANGE_MINMAX, ROUND_NEAREST, DEQUANT_ENDPOINT, SCALE_MEAN, PER_LAYER},
    .min_bits = 1,
    .parent = "fp32",
    AXES_SLOTS,
};
