/* adabits: the quantizer of AdaBits (arXiv 1912.09666), centered: floor, and each code stands for
 * the middle of its interval. Quantizer only; AdaBits' scale-adjusted training and switchable
 * clipping are left out.
 *
 * Its weights are (2^k - 1) / 2^k times truncquant's, a constant per width. Where a batch norm
 * follows the convolution the forward pass is the same, and the gradient of truncquant's weights at
 * width k is (2^k - 1) / 2^k of that here: the control of every claim about truncquant. */
#include "baselines.h"
#include "quant/axes.h"

const struct paper paper_adabits = {
    .key = "jin2019adabits",
    .title = "{AdaBits}: Neural Network Quantization with Adaptive Bit-Widths",
    .authors = "Qing Jin and Linjie Yang and Zhenyu Liao",
    .year = 2019,
    .arxiv = "1912.09666",
};

const struct quantizer quantizer_adabits = {
    .name = "adabits",
    .title = "AdaBits",
    .help = "tanh range, floor, midpoint: AdaBits' centered quantizer",
    .look = {6, "#E69F00", MARK_PENTAGON},
    .papers = {&paper_adabits},
    .axes = {RANGE_TANH, ROUND_FLOOR, DEQUANT_MIDPOINT, SCALE_MEAN, PER_LAYER},
    .min_bits = 1,
    AXES_SLOTS,
};
