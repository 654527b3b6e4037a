/* qat: DoReFa's weight quantizer (arXiv 1606.06160) trained at every width, as Any-Precision DNN
 * (1911.07346) does: rounds to nearest, so the weights of training are not those a shift produces.
 */
#include "baselines.h"
#include "quant/axes.h"

const struct paper paper_dorefa = {
    .key = "zhou2016dorefa",
    .title = "{DoReFa-Net}: Training Low Bitwidth Convolutional Neural Networks with Low Bitwidth "
             "Gradients",
    .authors = "Shuchang Zhou and Yuxin Wu and Zekun Ni and Xinyu Zhou and He Wen and Yuheng Zou",
    .year = 2016,
    .arxiv = "1606.06160",
};

static const struct paper paper_any_precision = {
    .key = "yu2019anyprecision",
    .title = "Any-Precision Deep Neural Networks",
    .authors = "Haichao Yu and Haoxiang Li and Humphrey Shi and Thomas S. Huang and Gang Hua",
    .year = 2019,
    .arxiv = "1911.07346",
};

const struct quantizer quantizer_qat = {
    .name = "qat",
    .title = "QAT (DoReFa)",
    .help = "tanh range, nearest, endpoint: DoReFa, as in Any-Precision DNN",
    .look = {2, "#D55E00", MARK_SQUARE},
    .papers = {&paper_dorefa, &paper_any_precision},
    .axes = {RANGE_TANH, ROUND_NEAREST, DEQUANT_ENDPOINT, SCALE_MEAN, PER_LAYER},
    .min_bits = 1,
    AXES_SLOTS,
};
