/* adabits-floor: AdaBits' modified quantizer (arXiv 1912.09666): floor, and each code stands for
 * the lower end of its interval, so 2û - 1 is 2^-k too low on average. */
#include "baselines.h"
#include "quant/axes.h"

const struct quantizer quantizer_adabits_floor = {
    .name = "adabits-floor",
    .title = "AdaBits (modified)",
    .help = "tanh range, floor, low: AdaBits' modified quantizer",
    .look = {7, "#56B4E9", MARK_STAR},
    .papers = {&paper_adabits},
    .axes = {RANGE_TANH, ROUND_FLOOR, DEQUANT_LOW, SCALE_MEAN, PER_LAYER},
    .min_bits = 1,
    AXES_SLOTS,
};
