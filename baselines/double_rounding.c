/* double-rounding: Double Rounding (arXiv 2502.01199): one learned step h for all widths; weights
 * are rounded to N bits, and a smaller width is that code rounded once more (learned_step.h has the
 * formulas and gradients). Start h = max|μ ± 3σ| / 2^(N-1), σ the deviation over the layer's
 * weights.
 *
 * A device that cuts does not round, so here too the truncated weights are others than the trained
 * ones. No width lies above N but 32, where Ŵ = W. */
#include "baselines.h"
#include "quant/learned_step.h"
#include "quant/sliced.h"

#include <math.h>
#include <string.h>

static size_t n_params(const struct quant_layer *l) {
    (void)l;
    return 1;
}

static void start_params(const struct quant_layer *l, const float *W, float *params) {
    double mean = 0, square = 0, n = (double)l->n;
    for (size_t i = 0; i < l->n; i++)
        mean += W[i] / n;
    for (size_t i = 0; i < l->n; i++)
        square += (W[i] - mean) * (W[i] - mean) / n;
    double reach = fabs(mean) + 3 * sqrt(square);
    params[0] = learned_step_of((float)(reach / (1 << (l->stored_bits - 1))));
}

static void quantize(const struct quant_layer *l, const float *W, const float *params, int k,
                     float *W_hat) {
    if (k == FLOAT_BITS)
        memcpy(W_hat, W, l->n * sizeof *W);
    else
        learned_step_quantize(l->n, W, learned_step_of(params[0]), l->stored_bits, k, W_hat);
}

static void backward(const struct quant_layer *l, const float *W, const float *params, int k,
                     const float *dW_hat, float *dW, float *dparams) {
    if (k != FLOAT_BITS)
        learned_step_backward(l->n, W, learned_step_of(params[0]), l->stored_bits, k, dW_hat, dW,
                              dparams);
    for (size_t i = 0; k == FLOAT_BITS && i < l->n; i++)
        dW[i] += dW_hat[i];
}

static void encode(const struct quant_layer *l, const float *W, const float *params, int k,
                   uint8_t *codes, float *header) {
    header[0] = learned_step_of(params[0]);
    learned_step_encode(l->n, W, header[0], l->stored_bits, k, codes);
}

static const struct paper paper_double_rounding = {
    .key = "huang2025doublerounding",
    .title = "Nearly Lossless Adaptive Bit Switching",
    .authors = "Haiduo Huang and Zhenhua Liu and Tian Xia and Wenzhe Zhao and Pengju Ren",
    .year = 2025,
    .arxiv = "2502.01199",
};

const struct quantizer quantizer_double_rounding = {
    .name = "double-rounding",
    .title = "Double Rounding",
    .help = "one learned step, nearest at the stored width and nearest again: Double Rounding",
    .look = {10, "#555500", MARK_PLUS},
    .papers = {&paper_double_rounding},
    .axes = {RANGE_OWN, ROUND_OWN, DEQUANT_OWN, SCALE_MEAN, PER_LAYER},
    .min_bits = 2,
    .check = sliced_check,
    .has_direct = sliced_has_direct,
    .n_params = n_params,
    .start_params = start_params,
    .quantize = quantize,
    .backward = backward,
    .header_floats = learned_step_header_floats,
    .encode = encode,
    .decode = learned_step_decode,
    .truncate = learned_step_truncate,
    .integer_form = learned_step_integer_form,
};
