/* Quant and Trunc of QONNX: the stored weights, and the cut as a node of its own. */
#include "deploy/onnx/dialect.h"
#include "deploy/steps.h"

#include <math.h>
#include <stdlib.h>

#define DOMAIN "qonnx.custom_op.general"
enum { VERSION = 2 }; // the one whose Trunc has an output scale

/* Trunc shifts by the logarithm of output over input scale, rounded. At one bit a larger shift is
 * the same: what is left of a code is its sign. */
static int is_shift(float in, float out, int k, int shift) {
    long by = lrintf(log2f(out / in));
    return by == shift || (k == 1 && by > shift);
}

/* Scales before and behind Trunc. */
struct scales {
    float *in, *out; // owned
};

/* The input scale is that of N bits; but for where a bias correction gave each width a scale of its
 * own, no such shift away: then it is the output scale, shifted. Channels whose weights are all the
 * same have no scale, and codes 0 of any. */
static struct scales find_scales(const struct onnx_layer *l) {
    size_t channels = l->layer->channels;
    int shift = l->layer->stored_bits - l->k;
    struct scales s = {steps_scales(l->at_n, channels), steps_scales(l->at_k, channels)};
    for (size_t c = 0; c < channels; c++) {
        s.out[c] = s.out[c] == 0 ? 1 : s.out[c];
        if (s.in[c] == 0 || !is_shift(s.in[c], s.out[c], l->k, shift))
            s.in[c] = ldexpf(s.out[c], -shift);
    }
    return s;
}

static const char *put_stored(struct onnx *o, const struct onnx_layer *l, const float *scales) {
    size_t n = l->layer->n, per_channel = n / l->layer->channels;
    float *W = need(n, sizeof *W);
    for (size_t i = 0; i < n; i++)
        if (l->at_n->form.unit[i / per_channel] != 0)
            W[i] = scales[i / per_channel] * (float)l->at_n->v[i];
    const char *name = onnx_tensor(o, onnx_name(o, "%s.stored", l->name), ONNX_FLOAT, l->shape, W);
    free(W);
    return name;
}

static const char *put_number(struct onnx *o, const char *name, const char *what, float x) {
    return onnx_float(o, onnx_name(o, "%s.%s", name, what), x);
}

static void set_range(struct onnx *o, int is_signed, const char *rounding) {
    onnx_domain(o, DOMAIN);
    onnx_int(o, "signed", is_signed);
    onnx_int(o, "narrow", 0);
    onnx_text(o, "rounding_mode", rounding);
}

static const char *weights(struct onnx *o, const struct onnx_layer *l) {
    struct scales s = find_scales(l);
    float *offsets = steps_offsets(l->at_k, l->layer->channels);
    const char *scale = onnx_by_channel(o, onnx_name(o, "%s.scale", l->name), l, s.in, 1);
    const char *zero = put_number(o, l->name, "zero", 0);
    const char *stored_bits = put_number(o, l->name, "stored_bits", (float)l->layer->stored_bits);
    const char *quantized =
        onnx_node(o, "Quant", onnx_name(o, "%s.quantized", l->name),
                  (const char *[]){put_stored(o, l, s.in), scale, zero, stored_bits, NULL});
    set_range(o, 1, "ROUND");
    const char *cut_scale = onnx_by_channel(o, onnx_name(o, "%s.cut_scale", l->name), l, s.out, 1);
    const char *bits = put_number(o, l->name, "bits", (float)l->k);
    const char *name =
        onnx_node(o, "Trunc", onnx_name(o, "%s.cut", l->name),
                  (const char *[]){quantized, scale, zero, stored_bits, cut_scale, bits, NULL});
    set_range(o, 1, "FLOOR");
    name = onnx_add_offsets(o, l, name, offsets);
    free(s.out);
    free(s.in);
    free(offsets);
    return name;
}

static const char *activation(struct onnx *o, const struct onnx_activation *a) {
    const char *scale = put_number(o, a->name, "scale", a->bound / (float)((1 << a->bits) - 1));
    const char *zero = put_number(o, a->name, "zero", 0);
    const char *bits = put_number(o, a->name, "bits", (float)a->bits);
    const char *name =
        onnx_node(o, "Quant", a->name, (const char *[]){a->input, scale, zero, bits, NULL});
    set_range(o, 0, "ROUND");
    return name;
}

const struct dialect onnx_qonnx = {
    .domain = DOMAIN,
    .version = VERSION,
    .documentation =
        "A network with quantized weights in QONNX. Quant holds the weights of a layer as they "
        "are stored, signed codes with zero point 0 times a scale; Trunc (version 2) cuts them to "
        "the width that the metadata say (bits), floor(code * 2^(k-N)), as an arithmetic right "
        "shift does. Trunc alone is the dequantizer 'low'; 'midpoint' is that and an Add of half "
        "a step; 'endpoint', of weights from -s to s, has the output scale 2s/(2^k - 1) and an "
        "Add of s/(2^k - 1); a 'minmax' range adds its middle.",
    .weights = weights,
    .activation = activation,
};
