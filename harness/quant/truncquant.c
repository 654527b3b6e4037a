/* The two TruncQuant schemes as points in the space of axes; truncquant.h is the manual. */
#include "quant/truncquant.h"

#include "quant/axes.h"

static const struct paper paper_truncquant = {
    .key = "kim2025truncquant",
    .title =
        "{TruncQuant}: Truncation-Ready Quantization for {DNNs} with Flexible Weight Bit Precision",
    .authors = "Jinhee Kim and Seoyeon Yoon and Taeho Lee and Joo Chan Lee and Kang Eun Jeon and "
               "Jong Hwan Ko",
    .year = 2025,
    .arxiv = "2506.11431",
    .venue = "ISLPED 2025",
};

const struct quantizer quantizer_truncquant = {
    .name = "truncquant",
    .title = "TruncQuant",
    .help = "tanh range, floor, endpoint: trained with the weights a right shift produces",
    .look = {4, "#0072B2", MARK_CIRCLE},
    .papers = {&paper_truncquant},
    .axes = {RANGE_TANH, ROUND_FLOOR, DEQUANT_ENDPOINT, SCALE_MEAN, PER_LAYER},
    .min_bits = 1,
    AXES_SLOTS,
};

const struct quantizer quantizer_truncquant_minmax = {
    .name = "truncquant-minmax",
    .title = "TruncQuant (min-max)",
    .help = "min-max range, floor, endpoint",
    .look = {5, "#CC79A7", MARK_INVERTED_TRIANGLE},
    .papers = {&paper_truncquant},
    .axes = {RANGE_MINMAX, ROUND_FLOOR, DEQUANT_ENDPOINT, SCALE_MEAN, PER_LAYER},
    .min_bits = 1,
    AXES_SLOTS,
};
