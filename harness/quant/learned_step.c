/* Learned steps; learned_step.h has the formulas. */
#include "quant/learned_step.h"

#include <math.h>

float learned_step_of(float h) {
    return h < STEP_MIN ? STEP_MIN : h;
}

int learned_step_top(int k) {
    return (1 << (k - 1)) - 1;
}

/* round(x) to a signed code of k bits. Written so that a NaN stays one. */
static float round_to(float x, int k) {
    float top = (float)learned_step_top(k), q = rintf(x);
    q = q > top ? top : q;
    return q < -top - 1 ? -top - 1 : q;
}

static float code_of(float v, int N, int k) {
    return round_to(round_to(v, N) / (float)(1 << (N - k)), k);
}

void learned_step_quantize(size_t n, const float *W, float h, int N, int k, float *W_hat) {
    float unit = (float)(1 << (N - k)) * h;
    for (size_t i = 0; i < n; i++)
        W_hat[i] = code_of(W[i] / h, N, k) * unit;
}

void learned_step_backward(size_t n, const float *W, float h, int N, int k, const float *dW_hat,
                           float *dW, float *dh) {
    float top = (float)learned_step_top(N), c = (float)(1 << (N - k));
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        float v = W[i] / h;
        int inside = v >= -top - 1 && v <= top;
        dW[i] += inside ? dW_hat[i] : 0;
        sum += (double)dW_hat[i] * (c * code_of(v, N, k) - (inside ? v : 0));
    }
    *dh += (float)(sum / sqrt((double)n * top));
}

void learned_step_encode(size_t n, const float *W, float h, int N, int k, uint8_t *codes) {
    for (size_t i = 0; i < n; i++) {
        float q = code_of(W[i] / h, N, k);
        codes[i] = (uint8_t)(int8_t)(isnan(q) ? 0 : q);
    }
}

size_t learned_step_header_floats(const struct quant_layer *l) {
    (void)l;
    return 1;
}

void learned_step_integer_form(const struct quant_layer *l, const float *header, int k,
                               struct integer_form *form) {
    *form = (struct integer_form){
        .factor = 1, .is_signed = 1, .unit = form->unit, .offset = form->offset};
    for (size_t c = 0; c < l->channels; c++) {
        form->unit[c] = ldexpf(header[0], l->stored_bits - k);
        form->offset[c] = 0;
    }
}

uint8_t learned_step_truncate(uint8_t code, int stored_bits, int k) {
    return (uint8_t)((int8_t)code >> (stored_bits - k));
}

void learned_step_decode(const struct quant_layer *l, const uint8_t *codes, const float *header,
                         int k, float *W_hat) {
    float unit = (float)(1 << (l->stored_bits - k)) * header[0];
    for (size_t i = 0; i < l->n; i++)
        W_hat[i] = (float)(int8_t)learned_step_truncate(codes[i], l->stored_bits, k) * unit;
}
