/* Codes behind DequantizeLinear, and activations through QuantizeLinear: ONNX without additions.
 * network.h says when codes carry an offset behind them. */
#include "deploy/onnx/dialect.h"
#include "deploy/steps.h"

#include <stdlib.h>

/* Whether the integers that weights are multiples of are 8-bit ones themselves. */
static int is_symmetric(const struct integers *x, int k) {
    int half = 1 << (k - 1), f = x->form.factor, odd = x->form.odd;
    return !x->form.has_offset && odd - f * half >= INT8_MIN && odd + f * (half - 1) <= INT8_MAX;
}

static const char *put_codes(struct onnx *o, const struct onnx_layer *l, int factor, int odd) {
    size_t n = l->layer->n;
    int8_t *codes = need(n, 1);
    for (size_t i = 0; i < n; i++)
        codes[i] = (int8_t)(factor * l->at_k->v[i] + odd);
    const char *name =
        onnx_tensor(o, onnx_name(o, "%s.codes", l->name), ONNX_INT8, l->shape, codes);
    free(codes);
    return name;
}

/* As many zero points as scales, since both have one shape. */
static const char *put_zeros(struct onnx *o, const struct onnx_layer *l, const float *scales) {
    size_t channels = l->layer->channels, n = 1;
    for (size_t c = 1; c < channels && n == 1; c++)
        n = scales[c] != scales[0] ? channels : 1;
    int8_t *zeros = need(n, 1);
    struct onnx_shape shape = {n > 1, {(int64_t)n}};
    const char *name = onnx_tensor(o, onnx_name(o, "%s.zero", l->name), ONNX_INT8, &shape, zeros);
    free(zeros);
    return name;
}

static const char *dequantize(struct onnx *o, const struct onnx_layer *l, const char *codes,
                              const float *scales) {
    const char *scale = onnx_by_channel(o, onnx_name(o, "%s.scale", l->name), l, scales, 0);
    const char *zero = put_zeros(o, l, scales);
    const char *name = onnx_node(o, "DequantizeLinear", onnx_name(o, "%s.weights", l->name),
                                 (const char *[]){codes, scale, zero, NULL});
    onnx_int(o, "axis", 0);
    return name;
}

static const char *weights(struct onnx *o, const struct onnx_layer *l) {
    const struct integer_form *f = &l->at_k->form;
    if (is_symmetric(l->at_k, l->k))
        return dequantize(o, l, put_codes(o, l, f->factor, f->odd), f->unit);
    float *scales = steps_scales(l->at_k, l->layer->channels),
          *offsets = steps_offsets(l->at_k, l->layer->channels);
    const char *name = dequantize(o, l, put_codes(o, l, 1, 0), scales);
    name = onnx_add_offsets(o, l, name, offsets);
    free(scales);
    free(offsets);
    return name;
}

/* Bytes saturate at what 8 bits are clipped to; fewer bits have to be clipped before. */
static const char *activation(struct onnx *o, const struct onnx_activation *a) {
    const uint8_t no = 0;
    const char *input = a->input;
    const char *scale =
        onnx_float(o, onnx_name(o, "%s.scale", a->name), a->bound / (float)((1 << a->bits) - 1));
    const char *zero =
        onnx_tensor(o, onnx_name(o, "%s.zero", a->name), ONNX_UINT8, &(struct onnx_shape){0}, &no);
    if (a->bits < 8) {
        const char *low = onnx_float(o, onnx_name(o, "%s.low", a->name), 0);
        const char *high = onnx_float(o, onnx_name(o, "%s.high", a->name), a->bound);
        input = onnx_node(o, "Clip", onnx_name(o, "%s.clipped", a->name),
                          (const char *[]){input, low, high, NULL});
    }
    const char *codes = onnx_node(o, "QuantizeLinear", onnx_name(o, "%s.codes", a->name),
                                  (const char *[]){input, scale, zero, NULL});
    return onnx_node(o, "DequantizeLinear", a->name, (const char *[]){codes, scale, zero, NULL});
}

const struct dialect onnx_qdq = {
    .documentation =
        "A network with quantized weights, cut to the width that the metadata say (bits): the "
        "weights of a quantized layer are 8-bit codes times a scale, or that plus an offset.",
    .weights = weights,
    .activation = activation,
};
