/* dedicated: DoReFa's quantizer (arXiv 1606.06160) with a model of its own for each bit-width,
 * which is evaluated at that width alone and never cut: what a model for all widths is measured
 * against. */
#include "baselines.h"
#include "quant/axes.h"

static int has_own_width(const struct widths *B, int stored_bits, int k) {
    (void)stored_bits;
    return widths_find(B, k) >= 0;
}

const struct quantizer quantizer_dedicated = {
    .name = "dedicated",
    .title = "Dedicated (DoReFa)",
    .help = "tanh range, nearest, endpoint: one model for each bit-width",
    .look = {12, "#0000FF", MARK_ASTERISK},
    .papers = {&paper_dorefa},
    .axes = {RANGE_TANH, ROUND_NEAREST, DEQUANT_ENDPOINT, SCALE_MEAN, PER_LAYER},
    .min_bits = 1,
    .alone = 1,
    .has_direct = has_own_width,
    AXES_SLOTS,
};
