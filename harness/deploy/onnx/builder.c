/* Messages of ONNX through protobuf-c; builder.h is the manual. */
#include "deploy/onnx/builder.h"

#include "base/file.h"
#include "onnx.pb-c.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { IR_VERSION = 7, OPSET = 13, KEPT_AT_FIRST = 64 };
enum attribute_type { OF_FLOAT = 1, OF_INT = 2, OF_STRING = 3, OF_INTS = 7 };

/* Every message, array and text is a block of its own, freed with the model. */
struct onnx {
    Onnx__ModelProto model;
    Onnx__GraphProto graph;
    Onnx__NodeProto *last; // node
    void **kept;           // the blocks; owned, as they are
    size_t n_kept;
};

/* ---- memory ---- */

/* A list has room for one more than it holds, which at powers of two is a new one. */
static int is_full(size_t n) {
    return !(n & (n - 1));
}

static void *larger(const void *list, size_t n, size_t size) {
    void *to = need(n ? 2 * n : 1, size);
    if (n)
        memcpy(to, list, n * size);
    return to;
}

static void *keep(struct onnx *o, void *block) {
    if (o->n_kept >= KEPT_AT_FIRST && is_full(o->n_kept)) {
        void **more = larger(o->kept, o->n_kept, sizeof *more);
        free(o->kept);
        o->kept = more;
    }
    o->kept[o->n_kept++] = block;
    return block;
}

static void *new_block(struct onnx *o, size_t size) {
    return keep(o, need(size + 1, 1));
}

static char *copy_text(struct onnx *o, const char *text) {
    return keep(o, need_string(text));
}

/* `list`, or, if that is full, a larger one that begins with what it holds. */
static void *room_for_one(struct onnx *o, void *list, size_t n) {
    return is_full(n) ? keep(o, larger(list, n, sizeof(void *))) : list;
}

#define ADD(o, message, list, item)                                                                \
    do {                                                                                           \
        (message)->list = room_for_one(o, (message)->list, (message)->n_##list);                   \
        (message)->list[(message)->n_##list++] = (item);                                           \
    } while (0)

#define NEW(o, type, at, init)                                                                     \
    type *at = new_block(o, sizeof *at);                                                           \
    *at = (type)init

const char *onnx_name(struct onnx *o, const char *format, ...) {
    char name[160];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(name, sizeof name, format, arguments);
    va_end(arguments);
    return copy_text(o, name);
}

/* ---- the model ---- */

void onnx_import(struct onnx *o, const char *domain, int version) {
    NEW(o, Onnx__OperatorSetIdProto, set, ONNX__OPERATOR_SET_ID_PROTO__INIT);
    set->domain = copy_text(o, domain);
    set->has_version = 1;
    set->version = version;
    ADD(o, &o->model, opset_import, set);
}

struct onnx *onnx_start(const char *graph, const char *commit, const char *documentation) {
    struct onnx *o = need(1, sizeof *o);
    o->kept = need(KEPT_AT_FIRST, sizeof *o->kept);
    o->model = (Onnx__ModelProto)ONNX__MODEL_PROTO__INIT;
    o->graph = (Onnx__GraphProto)ONNX__GRAPH_PROTO__INIT;
    o->graph.name = copy_text(o, graph);
    o->model.graph = &o->graph;
    o->model.has_ir_version = 1;
    o->model.ir_version = IR_VERSION;
    o->model.producer_name = copy_text(o, "truncquant");
    o->model.producer_version = copy_text(o, commit);
    o->model.doc_string = copy_text(o, documentation);
    onnx_import(o, "", OPSET);
    return o;
}

void onnx_free(struct onnx *o) {
    for (size_t i = 0; i < o->n_kept; i++)
        free(o->kept[i]);
    free(o->kept);
    free(o);
}

void onnx_metadata(struct onnx *o, const char *key, const char *value) {
    NEW(o, Onnx__StringStringEntryProto, entry, ONNX__STRING_STRING_ENTRY_PROTO__INIT);
    entry->key = copy_text(o, key);
    entry->value = copy_text(o, value);
    ADD(o, &o->model, metadata_props, entry);
}

int onnx_write(const struct onnx *o, const char *path, struct error *e) {
    size_t size = onnx__model_proto__get_packed_size(&o->model);
    uint8_t *bytes = need(size + 1, 1);
    onnx__model_proto__pack(&o->model, bytes);
    int rc = file_replace(path, bytes, size, e);
    free(bytes);
    return rc;
}

/* ---- values ---- */

static Onnx__TensorShapeProto__Dimension *new_dimension(struct onnx *o, int64_t extent) {
    NEW(o, Onnx__TensorShapeProto__Dimension, d, ONNX__TENSOR_SHAPE_PROTO__DIMENSION__INIT);
    if (extent == ONNX_ANY) {
        d->dim_param = copy_text(o, "N");
    } else {
        d->has_dim_value = 1;
        d->dim_value = extent;
    }
    return d;
}

static Onnx__TypeProto *new_type(struct onnx *o, enum onnx_type type,
                                 const struct onnx_shape *shape) {
    NEW(o, Onnx__TypeProto, t, ONNX__TYPE_PROTO__INIT);
    NEW(o, Onnx__TypeProto__Tensor, tensor, ONNX__TYPE_PROTO__TENSOR__INIT);
    NEW(o, Onnx__TensorShapeProto, dims, ONNX__TENSOR_SHAPE_PROTO__INIT);
    for (int i = 0; i < shape->n; i++)
        ADD(o, dims, dim, new_dimension(o, shape->dims[i]));
    tensor->has_elem_type = 1;
    tensor->elem_type = (int32_t)type;
    tensor->shape = dims;
    t->tensor_type = tensor;
    return t;
}

static Onnx__ValueInfoProto *new_value(struct onnx *o, const char *name, enum onnx_type type,
                                       const struct onnx_shape *shape, const char *documentation) {
    NEW(o, Onnx__ValueInfoProto, v, ONNX__VALUE_INFO_PROTO__INIT);
    v->name = copy_text(o, name);
    v->type = new_type(o, type, shape);
    v->doc_string = copy_text(o, documentation);
    return v;
}

const char *onnx_input(struct onnx *o, const char *name, enum onnx_type type,
                       const struct onnx_shape *shape, const char *documentation) {
    Onnx__ValueInfoProto *v = new_value(o, name, type, shape, documentation);
    ADD(o, &o->graph, input, v);
    return v->name;
}

void onnx_output(struct onnx *o, const char *name, enum onnx_type type,
                 const struct onnx_shape *shape, const char *documentation) {
    ADD(o, &o->graph, output, new_value(o, name, type, shape, documentation));
}

const char *onnx_tensor(struct onnx *o, const char *name, enum onnx_type type,
                        const struct onnx_shape *shape, const void *elements) {
    static const size_t bytes[] = {
        [ONNX_FLOAT] = 4, [ONNX_UINT8] = 1, [ONNX_INT8] = 1, [ONNX_INT64] = 8};
    size_t size = bytes[type];
    NEW(o, Onnx__TensorProto, t, ONNX__TENSOR_PROTO__INIT);
    t->dims = new_block(o, ONNX_DIMS * sizeof *t->dims);
    t->n_dims = (size_t)shape->n;
    for (int i = 0; i < shape->n; i++)
        size *= (size_t)(t->dims[i] = shape->dims[i]);
    t->has_data_type = 1;
    t->data_type = (int32_t)type;
    t->name = copy_text(o, name);
    t->has_raw_data = 1;
    t->raw_data.len = size;
    t->raw_data.data = memcpy(new_block(o, size), elements, size);
    ADD(o, &o->graph, initializer, t);
    return t->name;
}

const char *onnx_float(struct onnx *o, const char *name, float x) {
    return onnx_tensor(o, name, ONNX_FLOAT, &(struct onnx_shape){0}, &x);
}

/* ---- nodes ---- */

const char *onnx_node(struct onnx *o, const char *operation, const char *name,
                      const char *const *inputs) {
    NEW(o, Onnx__NodeProto, n, ONNX__NODE_PROTO__INIT);
    n->op_type = copy_text(o, operation);
    n->name = copy_text(o, name);
    for (int i = 0; inputs[i]; i++)
        ADD(o, n, input, copy_text(o, inputs[i]));
    ADD(o, n, output, n->name);
    ADD(o, &o->graph, node, n);
    o->last = n;
    return n->name;
}

void onnx_domain(struct onnx *o, const char *domain) {
    o->last->domain = copy_text(o, domain);
}

static Onnx__AttributeProto *new_attribute(struct onnx *o, const char *name,
                                           enum attribute_type type) {
    NEW(o, Onnx__AttributeProto, a, ONNX__ATTRIBUTE_PROTO__INIT);
    a->name = copy_text(o, name);
    a->has_type = 1;
    a->type = (int32_t)type;
    ADD(o, o->last, attribute, a);
    return a;
}

void onnx_int(struct onnx *o, const char *attribute, int64_t value) {
    Onnx__AttributeProto *a = new_attribute(o, attribute, OF_INT);
    a->has_i = 1;
    a->i = value;
}

void onnx_real(struct onnx *o, const char *attribute, float value) {
    Onnx__AttributeProto *a = new_attribute(o, attribute, OF_FLOAT);
    a->has_f = 1;
    a->f = value;
}

void onnx_text(struct onnx *o, const char *attribute, const char *value) {
    Onnx__AttributeProto *a = new_attribute(o, attribute, OF_STRING);
    a->has_s = 1;
    a->s.data = (uint8_t *)copy_text(o, value);
    a->s.len = strlen(value);
}

void onnx_ints(struct onnx *o, const char *attribute, int n, const int64_t *values) {
    Onnx__AttributeProto *a = new_attribute(o, attribute, OF_INTS);
    a->n_ints = (size_t)n;
    a->ints = memcpy(new_block(o, (size_t)n * sizeof *values), values, (size_t)n * sizeof *values);
}
