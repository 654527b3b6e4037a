/* The graph of an exported network; network.h is the manual. */
#include "deploy/onnx/network.h"

#include "deploy/names.h"
#include "deploy/onnx/dialect.h"
#include "deploy/refusals.h"
#include "engine/load.h"

#include <stdlib.h>
#include <string.h>

struct network {
    const struct onnx_export *x;
    const struct model *m;
    const struct dialect *dialect;
    struct point point;
    struct onnx *o;
    const char **value; // by node, its output; owned
    int *is_flat;       // by node: of two dimensions, not four; owned
};

static const char *join(struct network *w, const char *name, const char *what) {
    return onnx_name(w->o, "%s.%s", name, what);
}

/* ---- images ---- */

/* Mean and deviation are of pixels from 0 to 1. */
static const char *normalize(struct network *w, const char *image) {
    const struct dataset *d = w->x->data;
    struct onnx_shape by_channel = {4, {1, d->shape.c, 1, 1}};
    const char *x = onnx_node(w->o, "Cast", "image.float", (const char *[]){image, NULL});
    onnx_int(w->o, "to", ONNX_FLOAT);
    const char *top = onnx_float(w->o, "image.top", 255);
    const char *mean = onnx_tensor(w->o, "image.mean", ONNX_FLOAT, &by_channel, d->mean);
    const char *deviation =
        onnx_tensor(w->o, "image.deviation", ONNX_FLOAT, &by_channel, d->deviation);
    x = onnx_node(w->o, "Div", "image.scaled", (const char *[]){x, top, NULL});
    x = onnx_node(w->o, "Sub", "image.centred", (const char *[]){x, mean, NULL});
    return onnx_node(w->o, "Div", "image.normalized", (const char *[]){x, deviation, NULL});
}

/* Grey images of a network that takes colours are all three of them. */
static const char *add_input(struct network *w, const struct node *n) {
    int c = w->x->data->shape.c;
    struct onnx_shape shape = {4, {ONNX_ANY, c, n->shape.h, n->shape.w}};
    const char *image =
        onnx_input(w->o, "image", ONNX_UINT8, &shape, "bytes of pixels, channel by channel");
    const char *x = normalize(w, image);
    if (c == n->shape.c)
        return x;
    x = onnx_node(w->o, "Concat", "image.replicated", (const char *[]){x, x, x, NULL});
    onnx_int(w->o, "axis", 1);
    return x;
}

/* ---- two and four dimensions ---- */

static const char *flat_input(struct network *w, int node, const char *name) {
    const char *input = w->value[node];
    if (w->is_flat[node])
        return input;
    input = onnx_node(w->o, "Flatten", join(w, name, "flat"), (const char *[]){input, NULL});
    onnx_int(w->o, "axis", 1);
    return input;
}

static const char *plane_input(struct network *w, int node, const char *name, const char *what) {
    static const int64_t axes[] = {2, 3};
    if (!w->is_flat[node])
        return w->value[node];
    const char *places = onnx_tensor(w->o, onnx_name(w->o, "%s.%s.axes", name, what), ONNX_INT64,
                                     &(struct onnx_shape){1, {2}}, axes);
    return onnx_node(w->o, "Unsqueeze", join(w, name, what),
                     (const char *[]){w->value[node], places, NULL});
}

/* ---- weights ---- */

static struct onnx_shape weights_shape(const struct network *w, const struct node *n) {
    int64_t size = n->cfg->size;
    if (n->op == OP_LINEAR)
        return (struct onnx_shape){2, {n->shape.c, (int64_t)node_values(&w->m->nodes[n->in[0]])}};
    return (struct onnx_shape){4, {n->shape.c, n->cfg->in.c / n->cfg->groups, size, size}};
}

static const char *float_weights(struct network *w, int node, const char *name,
                                 const struct onnx_shape *shape) {
    const struct node *n = &w->m->nodes[node];
    float *W = need(w->m->parameters[n->weights].n, sizeof *W);
    load_node(w->m, w->x->frozen, node, FLOAT_BITS, W);
    const char *value = onnx_tensor(w->o, join(w, name, "weights"), ONNX_FLOAT, shape, W);
    free(W);
    return value;
}

static const char *add_weights(struct network *w, int node, const char *name) {
    const struct node *n = &w->m->nodes[node];
    const struct frozen *f = w->x->frozen;
    struct onnx_shape shape = weights_shape(w, n);
    if (n->quantized < 0 || !f)
        return float_weights(w, node, name, &shape);
    const struct quant_layer *q = &w->m->quantized[n->quantized].layer;
    const uint8_t *codes = f->codes[n->quantized];
    const float *header = f->headers[n->quantized];
    struct integers at_k = layer_integers(w->m->quantizer, q, codes, header, w->x->k);
    struct integers at_n = layer_integers(w->m->quantizer, q, codes, header, q->stored_bits);
    const char *value = w->dialect->weights(
        w->o,
        &(struct onnx_layer){
            .name = name, .shape = &shape, .layer = q, .at_k = &at_k, .at_n = &at_n, .k = w->x->k});
    integers_free(&at_k);
    integers_free(&at_n);
    return value;
}

static const char *add_bias(struct network *w, const struct node *n, const char *name) {
    struct onnx_shape shape = {1, {n->shape.c}};
    if (n->bias < 0)
        return NULL;
    return onnx_tensor(w->o, join(w, name, "bias"), ONNX_FLOAT, &shape,
                       w->m->parameters[n->bias].value);
}

/* ---- nodes: each returns the name of its output ---- */

/* Padding before rows and columns, then behind them. */
static void set_window(struct network *w, const struct cfg_layer *c, int before, int behind) {
    onnx_ints(w->o, "kernel_shape", 2, (const int64_t[]){c->size, c->size});
    onnx_ints(w->o, "strides", 2, (const int64_t[]){c->stride, c->stride});
    onnx_ints(w->o, "pads", 4, (const int64_t[]){before, before, behind, behind});
}

static const char *add_conv(struct network *w, int node, const char *name) {
    const struct node *n = &w->m->nodes[node];
    const char *x = plane_input(w, n->in[0], name, "plane");
    const char *weights = add_weights(w, node, name), *bias = add_bias(w, n, name);
    const char *value = onnx_node(w->o, "Conv", name, (const char *[]){x, weights, bias, NULL});
    set_window(w, n->cfg, n->cfg->padding, n->cfg->padding);
    onnx_int(w->o, "group", n->cfg->groups);
    return value;
}

static const char *add_linear(struct network *w, int node, const char *name) {
    const struct node *n = &w->m->nodes[node];
    const char *x = flat_input(w, n->in[0], name);
    const char *weights = add_weights(w, node, name), *bias = add_bias(w, n, name);
    const char *value = onnx_node(w->o, "Gemm", name, (const char *[]){x, weights, bias, NULL});
    onnx_int(w->o, "transB", 1);
    w->is_flat[node] = 1;
    return value;
}

/* Scale, shift, mean and variance of a norm at the width. */
static void find_norm(const struct network *w, int norm, const float *at[4]) {
    const struct norm *n = &w->m->norms[norm];
    int bank = model_bank_at(w->m, &w->point);
    const float *calibrated = w->x->calibrated;
    if (!calibrated) {
        const float *of[] = {n->scale_of[bank], n->shift_of[bank], n->mean[bank],
                             n->variance[bank]};
        memcpy(at, of, sizeof of);
        return;
    }
    for (int i = 0; i < norm; i++)
        calibrated += 4 * w->m->norms[i].channels;
    for (int i = 0; i < 4; i++)
        at[i] = calibrated + i * n->channels;
}

static const char *add_norm(struct network *w, int node, const char *name) {
    static const char *const what[] = {"scale", "shift", "mean", "variance"};
    const struct node *n = &w->m->nodes[node];
    const float *at[4];
    const char *inputs[6] = {w->value[n->in[0]]};
    struct onnx_shape shape = {1, {n->shape.c}};
    find_norm(w, n->norm, at);
    for (int i = 0; i < 4; i++)
        inputs[1 + i] = onnx_tensor(w->o, join(w, name, what[i]), ONNX_FLOAT, &shape, at[i]);
    const char *value = onnx_node(w->o, "BatchNormalization", name, inputs);
    onnx_real(w->o, "epsilon", (float)NORM_EPSILON);
    w->is_flat[node] = w->is_flat[n->in[0]];
    return value;
}

static const char *clip(struct network *w, const char *x, const char *name, float bound) {
    const char *low = onnx_float(w->o, join(w, name, "low"), 0);
    const char *high = onnx_float(w->o, join(w, name, "high"), bound);
    return onnx_node(w->o, "Clip", name, (const char *[]){x, low, high, NULL});
}

static const char *add_act(struct network *w, int node, const char *name) {
    const struct node *n = &w->m->nodes[node];
    const char *x = w->value[n->in[0]];
    int bits = w->point.act_bits;
    w->is_flat[node] = w->is_flat[n->in[0]];
    if (!n->clips || bits == FLOAT_BITS)
        return n->cfg->activation == ACT_RELU6
                   ? clip(w, x, name, 6)
                   : onnx_node(w->o, "Relu", name, (const char *[]){x, NULL});
    if (n->bound <= 0) // nothing was ever above 0 there
        return clip(w, x, name, 0);
    return w->dialect->activation(
        w->o, &(struct onnx_activation){.name = name, .input = x, .bound = n->bound, .bits = bits});
}

static const char *add_maxpool(struct network *w, int node, const char *name) {
    const struct node *n = &w->m->nodes[node];
    const char *x = plane_input(w, n->in[0], name, "plane");
    const char *value = onnx_node(w->o, "MaxPool", name, (const char *[]){x, NULL});
    int before = n->cfg->padding / 2; // of the sum of both sides
    set_window(w, n->cfg, before, n->cfg->padding - before);
    return value;
}

static const char *add_avgpool(struct network *w, int node, const char *name) {
    const char *x = plane_input(w, w->m->nodes[node].in[0], name, "plane");
    return onnx_node(w->o, "GlobalAveragePool", name, (const char *[]){x, NULL});
}

static const char *times(struct network *w, const char *x, const char *name, const char *what,
                         float factor) {
    if (factor == 1)
        return x;
    const char *by = onnx_float(w->o, onnx_name(w->o, "%s.%s.by", name, what), factor);
    return onnx_node(w->o, "Mul", join(w, name, what), (const char *[]){x, by, NULL});
}

static const char *add_sum(struct network *w, int node, const char *name) {
    const struct node *n = &w->m->nodes[node];
    const char *a = plane_input(w, n->in[0], name, "first");
    const char *b = plane_input(w, n->in[1], name, "second");
    a = times(w, a, name, "alpha", n->cfg->alpha);
    b = times(w, b, name, "beta", n->cfg->beta);
    return onnx_node(w->o, "Add", name, (const char *[]){a, b, NULL});
}

static const char *add_node(struct network *w, int node, const char *name) {
    static const char *(*const add[OPS])(struct network *, int, const char *) = {
        [OP_CONV] = add_conv, [OP_LINEAR] = add_linear,   [OP_NORM] = add_norm,
        [OP_ACT] = add_act,   [OP_MAXPOOL] = add_maxpool, [OP_AVGPOOL] = add_avgpool,
        [OP_ADD] = add_sum,
    };
    const struct node *n = &w->m->nodes[node];
    if (n->op == OP_INPUT)
        return add_input(w, n);
    if (add[n->op])
        return add[n->op](w, node, name);
    w->is_flat[node] = w->is_flat[n->in[0]]; // another name of what it reads
    return w->value[n->in[0]];
}

/* ---- all of it ---- */

int onnx_check(const struct onnx_export *x, struct error *e) {
    const struct quantizer *q = x->m->quantizer;
    if (x->frozen && (x->k < q->min_bits || x->k > (int)x->spec->stored_bits))
        return fail(e, "scheme %s stored at %d bits is cut to widths of %d to %d, not %d", q->name,
                    (int)x->spec->stored_bits, q->min_bits, (int)x->spec->stored_bits, x->k);
    return refuse_nodes(&maker_of_export, x->m, x->spec, x->k, x->k, e);
}

static void add_output(struct network *w) {
    struct onnx_shape shape = {2, {ONNX_ANY, w->m->cfg->classes}};
    const char *scores = flat_input(w, w->m->logits, "scores");
    onnx_node(w->o, "Identity", "scores", (const char *[]){scores, NULL});
    onnx_output(w->o, "scores", ONNX_FLOAT, &shape, "scores of the classes, before a softmax");
}

static void add_classes(struct network *w) {
    char *names, number[DEPLOY_NAME];
    size_t size;
    FILE *out = need_stream(&names, &size);
    for (int c = 0; c < w->m->cfg->classes; c++)
        fprintf(out, "%s\n", deploy_class_name(w->x->data, c, number));
    fclose(out);
    onnx_metadata(w->o, "classes", names);
    free(names);
}

static void add_metadata(struct network *w) {
    const struct onnx_export *x = w->x;
    onnx_metadata(w->o, "run", x->run_id);
    onnx_metadata(w->o, "scheme", x->spec->scheme);
    onnx_metadata(w->o, "network", x->spec->network);
    onnx_metadata(w->o, "dataset", x->spec->dataset);
    onnx_metadata(w->o, "bits", onnx_name(w->o, "%d", x->k));
    onnx_metadata(w->o, "activation_bits", onnx_name(w->o, "%d", w->point.act_bits));
    onnx_metadata(w->o, "stored_bits", onnx_name(w->o, "%d", (int)x->spec->stored_bits));
    onnx_metadata(w->o, "calibrated", x->calibrated ? "1" : "0");
    add_classes(w);
}

int onnx_export(const struct onnx_export *x, const char *path, struct error *e) {
    static const struct dialect *const dialects[] = {&onnx_qdq, &onnx_qonnx};
    struct network w = {.x = x, .m = x->m, .dialect = dialects[x->dialect]};
    if (onnx_check(x, e))
        return -1;
    w.point = spec_point(x->spec, x->k, x->frozen ? CUT_WEIGHTS : CUT_NONE);
    w.value = need((size_t)x->m->n_nodes, sizeof *w.value);
    w.is_flat = need((size_t)x->m->n_nodes, sizeof *w.is_flat);
    w.o = onnx_start(x->spec->network, x->commit, w.dialect->documentation);
    if (w.dialect->domain && x->frozen)
        onnx_import(w.o, w.dialect->domain, w.dialect->version);
    add_metadata(&w);
    for (int i = 0; i < x->m->n_nodes; i++) {
        char name[DEPLOY_NAME];
        deploy_node_name(&x->m->nodes[i], name);
        w.value[i] = add_node(&w, i, name);
    }
    add_output(&w);
    int rc = onnx_write(w.o, path, e);
    onnx_free(w.o);
    free(w.value);
    free(w.is_flat);
    return rc;
}
