/* An ONNX model, put together node by node and written at once. It knows the messages of the format
 * (onnx.proto), not what they compute.
 *
 * Values have names; a function that makes one returns its name, which stays valid until the model
 * is freed, and texts and arrays that it is given are copied. */
#ifndef DEPLOY_ONNX_BUILDER_H
#define DEPLOY_ONNX_BUILDER_H

#include "base/error.h"

#include <stdint.h>

/* Kinds of elements, by their numbers in the standard. */
enum onnx_type { ONNX_FLOAT = 1, ONNX_UINT8 = 2, ONNX_INT8 = 3, ONNX_INT64 = 7 };

enum { ONNX_DIMS = 4, ONNX_ANY = -1 }; // ONNX_ANY: an extent that whoever runs the model chooses

struct onnx_shape {
    int n; // 0: a scalar
    int64_t dims[ONNX_DIMS];
};

struct onnx;

/* `commit`: of the program that writes. Operators are those of version 13 of the standard. */
struct onnx *onnx_start(const char *graph, const char *commit, const char *documentation);
void onnx_free(struct onnx *o);

/* Operators of another domain. */
void onnx_import(struct onnx *o, const char *domain, int version);

void onnx_metadata(struct onnx *o, const char *key, const char *value);

/* A name, as printf makes it. */
const char *onnx_name(struct onnx *o, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

const char *onnx_input(struct onnx *o, const char *name, enum onnx_type type,
                       const struct onnx_shape *shape, const char *documentation);
void onnx_output(struct onnx *o, const char *name, enum onnx_type type,
                 const struct onnx_shape *shape, const char *documentation);

/* A constant: as many elements as its shape has. */
const char *onnx_tensor(struct onnx *o, const char *name, enum onnx_type type,
                        const struct onnx_shape *shape, const void *elements);
const char *onnx_float(struct onnx *o, const char *name, float x);

/* A node with one output, which is called as the node is; `inputs` is ended by NULL. Attributes and
 * the domain that are set next are its. */
const char *onnx_node(struct onnx *o, const char *operation, const char *name,
                      const char *const *inputs);
void onnx_domain(struct onnx *o, const char *domain);
void onnx_int(struct onnx *o, const char *attribute, int64_t value);
void onnx_real(struct onnx *o, const char *attribute, float value);
void onnx_text(struct onnx *o, const char *attribute, const char *value);
void onnx_ints(struct onnx *o, const char *attribute, int n, const int64_t *values);

int onnx_write(const struct onnx *o, const char *path, struct error *e);

#endif
