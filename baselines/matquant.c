/* matquant: Matryoshka Quantization (arXiv 2502.06786): weights are rounded to N bits, and a
 * smaller width is a slice of that code, itself rounded:
 *
 *   q_N = round((2^N - 1) u)                                              ties to even
 *   q_k = min((q_N + 2^(N-k-1)) >> (N-k), 2^k - 1)                        ties up; q_N at k = N
 *   û   = q_k 2^(N-k) / (2^N - 1)
 *
 * on DoReFa's tanh range, Ŵ = s (2û - 1), trained at all of B. A device that cuts does not round,
 * so here too the truncated weights are others than the trained ones. No width lies above N but 32.
 */
#include "baselines.h"
#include "quant/axes.h"
#include "quant/sliced.h"

#include <stdlib.h>

static uint8_t slice(uint8_t code, int N, int k) {
    if (k == N)
        return code;
    int q = (code + (1 << (N - k - 1))) >> (N - k), top = (1 << k) - 1;
    return (uint8_t)(q < top ? q : top);
}

static void levels_of(float scale, int N, int k, float levels[256]) {
    int top = (1 << N) - 1;
    float unit = scale / (float)top;
    for (int q = 0; q < 1 << k; q++)
        levels[q] = unit * (float)(2 * (q << (N - k)) - top);
}

static void encode(const struct quant_layer *l, const float *W, const float *params, int k,
                   uint8_t *codes, float *header) {
    struct quant_layer nearest = *l;
    nearest.axes.rounder = ROUND_NEAREST;
    axes_encode(&nearest, W, params, l->stored_bits, codes, header);
    for (size_t i = 0; i < l->n; i++)
        codes[i] = slice(codes[i], l->stored_bits, k);
}

static void quantize(const struct quant_layer *l, const float *W, const float *params, int k,
                     float *W_hat) {
    if (k == FLOAT_BITS) {
        axes_quantize(l, W, params, k, W_hat);
        return;
    }
    float levels[256], scale;
    uint8_t *codes = need(l->n, 1);
    encode(l, W, params, k, codes, &scale);
    levels_of(scale, l->stored_bits, k, levels);
    for (size_t i = 0; i < l->n; i++)
        W_hat[i] = levels[codes[i]];
    free(codes);
}

static void decode(const struct quant_layer *l, const uint8_t *codes, const float *header, int k,
                   float *W_hat) {
    float levels[256];
    levels_of(header[0], l->stored_bits, k, levels);
    for (size_t i = 0; i < l->n; i++)
        W_hat[i] = levels[axes_truncate(codes[i], l->stored_bits, k)];
}

/* With q = v + 2^(k-1): 2 q 2^(N-k) - (2^N - 1) = 2^(N-k+1) v + 1. */
static void integer_form(const struct quant_layer *l, const float *header, int k,
                         struct integer_form *form) {
    int N = l->stored_bits;
    *form = (struct integer_form){
        .factor = 1 << (N - k + 1), .odd = 1, .unit = form->unit, .offset = form->offset};
    for (size_t c = 0; c < l->channels; c++) {
        form->unit[c] = header[0] / (float)((1 << N) - 1);
        form->offset[c] = 0;
    }
}

static const struct paper paper_matquant = {
    .key = "nair2025matryoshka",
    .title = "Matryoshka Quantization",
    .authors = "Pranav Nair and Puranjay Datta and Jeff Dean and Prateek Jain and Aditya Kusupati",
    .year = 2025,
    .arxiv = "2502.06786",
};

const struct quantizer quantizer_matquant = {
    .name = "matquant",
    .title = "Matryoshka",
    .help = "tanh range, nearest at the stored width, slices of that rounded: Matryoshka",
    .look = {8, "#550099", MARK_LEFT},
    .papers = {&paper_matquant},
    .axes = {RANGE_TANH, ROUND_OWN, DEQUANT_OWN, SCALE_MEAN, PER_LAYER},
    .min_bits = 2,
    .check = sliced_check,
    .has_direct = sliced_has_direct,
    .quantize = quantize,
    .backward = axes_backward,
    .header_floats = axes_header_floats,
    .encode = encode,
    .decode = decode,
    .truncate = axes_truncate,
    .integer_form = integer_form,
};
