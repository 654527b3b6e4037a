/* What both dialects write alike; dialect.h is the manual. */
#include "deploy/onnx/dialect.h"

static int are_same(const float *x, size_t n) {
    for (size_t i = 1; i < n; i++)
        if (x[i] != x[0])
            return 0;
    return 1;
}

const char *onnx_by_channel(struct onnx *o, const char *name, const struct onnx_layer *l,
                            const float *x, int broad) {
    size_t channels = l->layer->channels;
    struct onnx_shape shape = {broad ? l->shape->n : 1, {(int64_t)channels, 1, 1, 1}};
    return are_same(x, channels) ? onnx_float(o, name, x[0])
                                 : onnx_tensor(o, name, ONNX_FLOAT, &shape, x);
}

const char *onnx_add_offsets(struct onnx *o, const struct onnx_layer *l, const char *weights,
                             const float *offsets) {
    if (offsets[0] == 0 && are_same(offsets, l->layer->channels))
        return weights;
    const char *offset = onnx_by_channel(o, onnx_name(o, "%s.offset", l->name), l, offsets, 1);
    return onnx_node(o, "Add", onnx_name(o, "%s.shifted", l->name),
                     (const char *[]){weights, offset, NULL});
}
