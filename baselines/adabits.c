/* adabits: the quantizer of AdaBits (arXiv 1912.09666), centered: floor, and each code stands for the
 * middle of its interval. Quantizer only; AdaBits' scale-adjusted training and switchable clipping
 * are left out.
 *
 * It differs from truncquant by the constant 2^k / (2^k - 1) per width, which a batch norm behind the
 * convolution takes out of the forward pass: with `width_weight = (2^k - 1) / 2^k` it is
 * TruncQuant's control. */
#include "baselines.h"
#include "quant/axes.h"

const struct quantizer quantizer_adabits = {
    .name = "adabits",
    .help = "tanh range, floor, midpoint: AdaBits' centered quantizer",
    .axes = {RANGE_TANH, ROUND_FLOOR, DEQUANT_MIDPOINT, SCALE_MEAN, PER_LAYER},
    .min_bits = 1,
    AXES_SLOTS,
};
