/* qat: DoReFa's weight quantizer (arXiv 1606.06160) trained at every width, as Any-Precision DNN
 * (1911.07346) does: rounds to nearest, so the weights of training are not those a shift produces.
 */
#include "baselines.h"
#include "quant/axes.h"

const struct quantizer quantizer_qat = {
    .name = "qat",
    .help = "tanh range, nearest, endpoint: DoReFa, as in Any-Precision DNN",
    .axes = {RANGE_TANH, ROUND_NEAREST, DEQUANT_ENDPOINT, SCALE_MEAN, PER_LAYER},
    .min_bits = 1,
    AXES_SLOTS,
};
