/* The learned-step quantizer for tests; learned_step.h is the manual. */
#include "quant/learned_step.h"

#include "registry.h"

#include <math.h>
#include <string.h>

static int place(const struct quant_layer *l, int k) {
    for (int b = 0; b < l->widths.n; b++)
        if (l->widths.bits[b] >= k)
            return b;
    return l->widths.n - 1;
}

static float low(int k) {
    return (float)-(1 << (k - 1));
}

static float high(int k) {
    return (float)((1 << (k - 1)) - 1);
}

static size_t n_params(const struct quant_layer *l) {
    return (size_t)l->widths.n;
}

static void start_params(const struct quant_layer *l, const float *W, float *params) {
    double sum = 0;
    for (size_t i = 0; i < l->n; i++)
        sum += fabsf(W[i]);
    for (int b = 0; b < l->widths.n; b++) {
        int k = l->widths.bits[b] > 8 ? 8 : l->widths.bits[b];
        params[b] = (float)(2 * sum / (double)l->n / sqrt(fmax(high(k), 1)));
    }
}

/* Written so that a NaN stays one. */
static float code(float w, float h, int k) {
    float q = rintf(w / h);
    return q < low(k) ? low(k) : q > high(k) ? high(k) : q;
}

static void quantize(const struct quant_layer *l, const float *W, const float *params, int k,
                     float *W_hat) {
    float h = fmaxf(params[place(l, k)], 1e-8f);
    for (size_t i = 0; i < l->n; i++)
        W_hat[i] = k == FLOAT_BITS ? W[i] : code(W[i], h, k) * h;
}

static void backward(const struct quant_layer *l, const float *W, const float *params, int k,
                     const float *dW_hat, float *dW, float *dparams) {
    int b = place(l, k);
    float h = fmaxf(params[b], 1e-8f);
    double sum = 0;
    for (size_t i = 0; i < l->n; i++) {
        float v = W[i] / h;
        int inside = k == FLOAT_BITS || (v >= low(k) && v <= high(k));
        dW[i] += inside ? dW_hat[i] : 0;
        if (k != FLOAT_BITS)
            sum += dW_hat[i] * (code(W[i], h, k) - (inside ? v : 0));
    }
    dparams[b] += (float)(sum / sqrt((double)l->n * fmaxf(high(k > 8 ? 8 : k), 1)));
}

static size_t header_floats(const struct quant_layer *l) {
    (void)l;
    return 1;
}

static void encode(const struct quant_layer *l, const float *W, const float *params, int k,
                   uint8_t *codes, float *header) {
    float h = fmaxf(params[place(l, k)], 1e-8f);
    header[0] = h;
    for (size_t i = 0; i < l->n; i++)
        codes[i] = (uint8_t)(int8_t)code(W[i], h, k);
}

static uint8_t truncate_code(uint8_t q, int stored_bits, int k) {
    return (uint8_t)((int8_t)q >> (stored_bits - k));
}

static void decode(const struct quant_layer *l, const uint8_t *codes, const float *header, int k,
                   float *W_hat) {
    float unit = header[0] * (float)(1 << (l->stored_bits - k));
    for (size_t i = 0; i < l->n; i++)
        W_hat[i] = (float)(int8_t)truncate_code(codes[i], l->stored_bits, k) * unit;
}

const struct quantizer quantizer_learned_step = {
    .name = "learned-step",
    .help = "for tests: one learned step per width",
    .axes = {RANGE_OWN, ROUND_OWN, DEQUANT_OWN, SCALE_MEAN, PER_LAYER},
    .min_bits = 1,
    .n_params = n_params,
    .start_params = start_params,
    .quantize = quantize,
    .backward = backward,
    .header_floats = header_floats,
    .encode = encode,
    .decode = decode,
    .truncate = truncate_code,
};

const struct quantizer *const *learned_step_registry(void) {
    static const struct quantizer *table[16];
    int n = 0;
    while (quantizer_registry[n]) {
        table[n] = quantizer_registry[n];
        n++;
    }
    table[n] = &quantizer_learned_step;
    return table;
}
