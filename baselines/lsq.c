/* lsq: Learned Step Size Quantization (arXiv 1902.08153), one step h_k for each width of B below
 * 32, trained jointly: q = clip(round(W / h_k), -2^(k-1), 2^(k-1) - 1), Ŵ = q h_k; start h_k = 2
 * mean|W| / √(2^(k-1) - 1). Gradients are learned_step.h's with N = k.
 *
 * At 1 bit there are two codes, -1 and 1: Ŵ = h sign W (sign 0 = 1), start h = mean|W|; dŴ/dW = 1
 * where |W| <= h, dŴ/dh = sign W / √n. The code that is kept of such a weight is its sign bit.
 *
 * A width outside B has no step and so no direct result. The stored codes are those of N bits,
 * which therefore has to be in B; cut, they stand for (q_N >> (N - k)) 2^(N-k) h_N. At 32 bits Ŵ =
 * W. */
#include "baselines.h"
#include "quant/learned_step.h"

#include <math.h>
#include <string.h>

static size_t n_params(const struct quant_layer *l) {
    size_t n = (size_t)l->widths.n;
    return widths_find(&l->widths, FLOAT_BITS) < 0 ? n : n - 1;
}

static float start_of(double mean, int k) {
    double h = k == 1 ? mean : 2 * mean / sqrt(learned_step_top(k));
    return learned_step_of((float)h);
}

static void start_params(const struct quant_layer *l, const float *W, float *params) {
    double sum = 0;
    for (size_t i = 0; i < l->n; i++)
        sum += fabsf(W[i]);
    for (size_t b = 0; b < n_params(l); b++)
        params[b] = start_of(sum / (double)l->n, l->widths.bits[b]);
}

static float step_at(const struct quant_layer *l, const float *params, int k) {
    return learned_step_of(params[widths_find(&l->widths, k)]);
}

static float sign_of(float w) {
    return w < 0 ? -1 : 1;
}

static void quantize(const struct quant_layer *l, const float *W, const float *params, int k,
                     float *W_hat) {
    if (k == FLOAT_BITS) {
        memcpy(W_hat, W, l->n * sizeof *W);
        return;
    }
    float h = step_at(l, params, k);
    if (k > 1)
        learned_step_quantize(l->n, W, h, k, k, W_hat);
    for (size_t i = 0; k == 1 && i < l->n; i++)
        W_hat[i] = sign_of(W[i]) * h + 0 * W[i]; // a NaN has no sign, and stays one
}

static void sign_backward(size_t n, const float *W, float h, const float *dW_hat, float *dW,
                          float *dh) {
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        dW[i] += fabsf(W[i]) <= h ? dW_hat[i] : 0;
        sum += (double)dW_hat[i] * sign_of(W[i]);
    }
    *dh += (float)(sum / sqrt((double)n));
}

static void backward(const struct quant_layer *l, const float *W, const float *params, int k,
                     const float *dW_hat, float *dW, float *dparams) {
    if (k == FLOAT_BITS) {
        for (size_t i = 0; i < l->n; i++)
            dW[i] += dW_hat[i];
        return;
    }
    float h = step_at(l, params, k), *dh = &dparams[widths_find(&l->widths, k)];
    if (k == 1)
        sign_backward(l->n, W, h, dW_hat, dW, dh);
    else
        learned_step_backward(l->n, W, h, k, k, dW_hat, dW, dh);
}

/* The header: what a code of N bits is worth, as learned_step.h has it; 1 where codes are the sign
 * bits of 1-bit weights, else 0. */
enum { STEP, IS_SIGN, HEADER_FLOATS };

static size_t header_floats(const struct quant_layer *l) {
    (void)l;
    return HEADER_FLOATS;
}

static void encode(const struct quant_layer *l, const float *W, const float *params, int k,
                   uint8_t *codes, float *header) {
    float h = step_at(l, params, k);
    header[STEP] = ldexpf(h, k - l->stored_bits);
    header[IS_SIGN] = k == 1;
    if (k > 1)
        learned_step_encode(l->n, W, h, k, k, codes);
    for (size_t i = 0; k == 1 && i < l->n; i++)
        codes[i] = W[i] < 0 ? 0xff : 0;
}

/* The sign bit v stands for h (2v + 1). */
static void integer_form(const struct quant_layer *l, const float *header, int k,
                         struct integer_form *form) {
    learned_step_integer_form(l, header, k, form);
    if (header[IS_SIGN] == 1) {
        form->factor = 2;
        form->odd = 1;
    }
}

static int check(const struct widths *B, int stored_bits, struct error *e) {
    if (widths_find(B, stored_bits) >= 0)
        return 0;
    return fail(e,
                "stores codes of the step it learned at stored_bits %d, which is not among its "
                "widths; add it to widths, or set stored_bits to one of them",
                stored_bits);
}

static int has_direct(const struct widths *B, int stored_bits, int k) {
    (void)stored_bits;
    return widths_find(B, k) >= 0;
}

static const struct paper paper_lsq = {
    .key = "esser2019lsq",
    .title = "Learned Step Size Quantization",
    .authors = "Steven K. Esser and Jeffrey L. McKinstry and Deepika Bablani and Rathinakumar "
               "Appuswamy and Dharmendra S. Modha",
    .year = 2019,
    .arxiv = "1902.08153",
};

const struct quantizer quantizer_lsq = {
    .name = "lsq",
    .title = "LSQ",
    .help = "a learned step for each width, nearest: LSQ",
    .look = {9, "#FF0055", MARK_RIGHT},
    .papers = {&paper_lsq},
    .axes = {RANGE_OWN, ROUND_OWN, DEQUANT_OWN, SCALE_MEAN, PER_LAYER},
    .min_bits = 1,
    .check = check,
    .has_direct = has_direct,
    .n_params = n_params,
    .start_params = start_params,
    .quantize = quantize,
    .backward = backward,
    .header_floats = header_floats,
    .encode = encode,
    .decode = learned_step_decode,
    .truncate = learned_step_truncate,
    .integer_form = integer_form,
};
