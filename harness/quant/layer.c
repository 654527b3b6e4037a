/* The scheme's slots and the bias correction; layer.h is the manual. */
#include "quant/layer.h"

#include "base/error.h"
#include "quant/axes.h"

#include <math.h>
#include <stdlib.h>

static const double least_norm = 1e-12;

/* Floats of the correction in a frozen layer's header: of t = tanh W. */
enum { TANH_MEAN, TANH_NORM, CORRECTION_FLOATS };

struct correction {
    float mean;   // of Ŵ before it
    float factor; // ‖t - mean t‖ / ‖Ŵ - mean Ŵ‖
};

static struct correction correction_of(const float *W_hat, size_t n, float tanh_norm) {
    double sum = 0, squares = 0;
    for (size_t i = 0; i < n; i++)
        sum += W_hat[i];
    double mean = sum / (double)n;
    for (size_t i = 0; i < n; i++)
        squares += (W_hat[i] - mean) * (W_hat[i] - mean);
    double norm = sqrt(squares);
    // Asked this way round, a NaN stays one.
    return (struct correction){(float)mean, norm < least_norm ? 1 : (float)(tanh_norm / norm)};
}

static void correct(float *W_hat, size_t n, const float tanh_moments[CORRECTION_FLOATS]) {
    struct correction c = correction_of(W_hat, n, tanh_moments[TANH_NORM]);
    for (size_t i = 0; i < n; i++)
        W_hat[i] = (W_hat[i] - c.mean) * c.factor + tanh_moments[TANH_MEAN];
}

void layer_quantize(const struct quantizer *s, const struct quant_layer *l, const float *W,
                    const float *params, int k, float *W_hat) {
    s->quantize(l, W, params, k, W_hat);
    if (!l->corrects)
        return;
    float t[CORRECTION_FLOATS];
    axes_tanh_moments(W, l->n, &t[TANH_MEAN], &t[TANH_NORM]);
    correct(W_hat, l->n, t);
}

void layer_backward(const struct quantizer *s, const struct quant_layer *l, const float *W,
                    const float *params, int k, const float *dW_hat, float *dW, float *dparams) {
    if (!l->corrects) {
        s->backward(l, W, params, k, dW_hat, dW, dparams);
        return;
    }
    float t[CORRECTION_FLOATS], *scaled = need(l->n, sizeof *scaled);
    s->quantize(l, W, params, k, scaled);
    axes_tanh_moments(W, l->n, &t[TANH_MEAN], &t[TANH_NORM]);
    struct correction c = correction_of(scaled, l->n, t[TANH_NORM]);
    for (size_t i = 0; i < l->n; i++)
        scaled[i] = c.factor * dW_hat[i];
    s->backward(l, W, params, k, scaled, dW, dparams);
    free(scaled);
}

void layer_weights_stay(struct quant_layer *l, const float *W) {
    if (l->axes.range == RANGE_TANH)
        l->known = axes_tanh_range(W, l->n);
}

void layer_weights_change(struct quant_layer *l) {
    l->known.of = NULL;
}

size_t layer_header_floats(const struct quantizer *s, const struct quant_layer *l) {
    return s->header_floats(l) + (l->corrects ? CORRECTION_FLOATS : 0);
}

void layer_encode(const struct quantizer *s, const struct quant_layer *l, const float *W,
                  const float *params, int k, uint8_t *codes, float *header) {
    s->encode(l, W, params, k, codes, header);
    float *t = header + s->header_floats(l);
    if (l->corrects)
        axes_tanh_moments(W, l->n, &t[TANH_MEAN], &t[TANH_NORM]);
}

void layer_decode(const struct quantizer *s, const struct quant_layer *l, const uint8_t *codes,
                  const float *header, int k, float *W_hat) {
    s->decode(l, codes, header, k, W_hat);
    if (l->corrects)
        correct(W_hat, l->n, header + s->header_floats(l));
}

void layer_of_integers(const struct quant_layer *l, const struct integers *x, float *W_hat) {
    const struct integer_form *f = &x->form;
    size_t per_channel = l->n / l->channels;
    for (size_t i = 0; i < l->n; i++) {
        size_t c = i / per_channel;
        float offset = f->has_offset ? f->offset[c] : 0;
        W_hat[i] = f->unit[c] * (float)(f->factor * x->v[i] + f->odd) + offset;
    }
}

static void correct_integers(const struct quant_layer *l, const float t[CORRECTION_FLOATS],
                             struct integers *x) {
    struct integer_form *f = &x->form;
    float *W_hat = need(l->n, sizeof *W_hat);
    layer_of_integers(l, x, W_hat);
    struct correction c = correction_of(W_hat, l->n, t[TANH_NORM]);
    for (size_t i = 0; i < l->channels; i++) {
        float offset = f->has_offset ? f->offset[i] : 0;
        f->unit[i] *= c.factor;
        f->offset[i] = (offset - c.mean) * c.factor + t[TANH_MEAN];
    }
    f->has_offset = 1;
    free(W_hat);
}

/* Codes of `code_bits`: N, which are cut, or k as layer_encode gave them. */
static struct integers integers_of(const struct quantizer *s, const struct quant_layer *l,
                                   const uint8_t *codes, int code_bits, const float *header,
                                   int k) {
    struct integers x = {.v = need(l->n, 1),
                         .form = {.unit = need(l->channels, sizeof(float)),
                                  .offset = need(l->channels, sizeof(float))}};
    s->integer_form(l, header, k, &x.form);
    for (size_t i = 0; i < l->n; i++)
        x.v[i] = quantizer_signed_code(&x.form, s->truncate(codes[i], code_bits, k), k);
    if (l->corrects)
        correct_integers(l, header + s->header_floats(l), &x);
    return x;
}

struct integers layer_integers(const struct quantizer *s, const struct quant_layer *l,
                               const uint8_t *codes, const float *header, int k) {
    return integers_of(s, l, codes, l->stored_bits, header, k);
}

struct integers layer_latent_integers(const struct quantizer *s, const struct quant_layer *l,
                                      const float *W, const float *params, int k) {
    uint8_t *codes = need(l->n, 1);
    float *header = need(layer_header_floats(s, l), sizeof *header);
    layer_encode(s, l, W, params, k, codes, header);
    struct integers x = integers_of(s, l, codes, k, header, k);
    free(codes);
    free(header);
    return x;
}

void integers_free(struct integers *x) {
    free(x->v);
    free(x->form.unit);
    free(x->form.offset);
}
