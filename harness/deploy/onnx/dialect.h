/* How weights and activations of quantized layers are written (network.h says what each is). */
#ifndef DEPLOY_ONNX_DIALECT_H
#define DEPLOY_ONNX_DIALECT_H

#include "deploy/onnx/builder.h"
#include "quant/layer.h"

/* One quantized layer at a width. */
struct onnx_layer {
    const char *name;               // of the layer; its values' names begin with it
    const struct onnx_shape *shape; // of its weights: channels first
    const struct quant_layer *layer;
    const struct integers *at_k, *at_n; // the same weights at k and at N bits
    int k;
};

struct onnx_activation {
    const char *name, *input;
    float bound; // above 0: what is clipped at
    int bits;    // 1 ... 8
};

struct dialect {
    const char *domain; // of its own operators; NULL: it has none
    int version;
    const char *documentation;
    /* Add the nodes, and return the name of the last one's output. */
    const char *(*weights)(struct onnx *o, const struct onnx_layer *l);
    const char *(*activation)(struct onnx *o, const struct onnx_activation *a);
};

extern const struct dialect onnx_qdq, onnx_qonnx;

/* What the two share. Floats by channel as a tensor of one dimension or, `broad`, of as many as the
 * weights have, so that it broadcasts; as a scalar where all are the same. */
const char *onnx_by_channel(struct onnx *o, const char *name, const struct onnx_layer *l,
                            const float *x, int broad);

/* An Add of offsets behind weights; none where all are 0. */
const char *onnx_add_offsets(struct onnx *o, const struct onnx_layer *l, const char *weights,
                             const float *offsets);

#endif
