/* minmax: the affine quantizer of Jacob et al. (arXiv 1712.05877): the range is that of the
 * weights. */
#include "baselines.h"
#include "quant/axes.h"

const struct paper paper_jacob = {
    .key = "jacob2017quantization",
    .title = "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only "
             "Inference",
    .authors = "Benoit Jacob and Skirmantas Kligys and Bo Chen and Menglong Zhu and Matthew Tang "
               "and Andrew Howard and Hartwig Adam and Dmitry Kalenichenko",
    .year = 2017,
    .arxiv = "1712.05877",
};

const struct quantizer quantizer_minmax = {
    .name = "minmax",
    .title = "QAT (min-max)",
    .help = "min-max range, nearest, endpoint: the affine quantizer",
    .look = {3, "#009E73", MARK_TRIANGLE},
    .papers = {&paper_jacob},
    .axes = {RANGE_MINMAX, ROUND_NEAREST, DEQUANT_ENDPOINT, SCALE_MEAN, PER_LAYER},
    .min_bits = 1,
    AXES_SLOTS,
};
