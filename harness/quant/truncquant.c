/* The two TruncQuant schemes as points in the space of axes; truncquant.h is the manual. */
#include "quant/truncquant.h"

#include "quant/axes.h"

const struct quantizer quantizer_truncquant = {
    .name = "truncquant",
    .help = "tanh range, floor, endpoint: trained with the weights a right shift produces",
    .axes = {RANGE_TANH, ROUND_FLOOR, DEQUANT_ENDPOINT, SCALE_MEAN, PER_LAYER},
    .min_bits = 1,
    AXES_SLOTS,
};

const struct quantizer quantizer_truncquant_minmax = {
    .name = "truncquant-minmax",
    .help = "min-max range, floor, endpoint",
    .axes = {RANGE_MINMAX, ROUND_FLOOR, DEQUANT_ENDPOINT, SCALE_MEAN, PER_LAYER},
    .min_bits = 1,
    AXES_SLOTS,
};
