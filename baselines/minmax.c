/* minmax: the affine quantizer of Jacob et al. (arXiv 1712.05877): the range is that of the
 * weights. */
#include "baselines.h"
#include "quant/axes.h"

const struct quantizer quantizer_minmax = {
    .name = "minmax",
    .help = "min-max range, nearest, endpoint: the affine quantizer",
    .axes = {RANGE_MINMAX, ROUND_NEAREST, DEQUANT_ENDPOINT, SCALE_MEAN, PER_LAYER},
    .min_bits = 1,
    AXES_SLOTS,
};
