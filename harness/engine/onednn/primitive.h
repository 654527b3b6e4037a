/* What every use of oneDNN shares: the library's engine and streams, and primitives with their
 * arguments bound. For the files onednn*.c alone. */
#ifndef ENGINE_ONEDNN_PRIMITIVE_H
#define ENGINE_ONEDNN_PRIMITIVE_H

#include "engine/onednn/conv.h"

#include <oneapi/dnnl/dnnl.h>

/* Memory of need_aligned that grows: what it held is lost. */
struct reserve {
    void *data;
    size_t size;
};
void onednn_reserve(struct reserve *r, size_t size);

struct onednn {
    dnnl_engine_t engine;
    dnnl_stream_t stream;
    dnnl_primitive_attr_t attributes; // scratchpads are ours
    struct reserve scratch;           // the largest that any primitive needs
    struct reserve converted;         // activations in nhwc, of the convolution at work

    // Of the threads that compute side by side: each has a stream and memory of its own, no lanes,
    // and engine and attributes of this one.
    int threads;
    struct onednn *lanes; // (threads); owned
};

/* How many threads compute so many parts: those that OpenMP has at the moment (engine/team.h), whom
 * what is divided does not depend on. */
int onednn_team(int parts);

/* library.c: slots of the engine. */
void onednn_library(char *text, size_t size);
int onednn_look(char *text, size_t size);

/* Whether the machine, as far as oneDNN may use it (DNNL_MAX_CPU_ISA), multiplies bf16 itself:
 * without, oneDNN emulates it, more slowly than float32. */
int onednn_has_bf16(void);

/* Whether it sums products of 8 bits in 32 without saturating in 16 between. */
int onednn_has_exact_int8(void);

/* One primitive with its arguments: data handles are set at each execution. */
enum { ARGUMENTS = 5 };
struct primitive {
    dnnl_primitive_t handle; // NULL: not made
    int n;
    dnnl_exec_arg_t arguments[ARGUMENTS];
    size_t scratch_size;
};

/* The description of a primitive that has a fast implementation here, which keeps to the memory it
 * is given, or NULL. */
dnnl_primitive_desc_t primitive_find(struct onednn *o, const void *desc,
                                     const_dnnl_primitive_desc_t hint);

/* The same with attributes of one's own, which leave scratchpads to the caller too. */
dnnl_primitive_desc_t primitive_find_with(struct onednn *o, const void *desc,
                                          const_dnnl_primitive_attr_t attributes,
                                          const_dnnl_primitive_desc_t hint);

/* Build up a primitive: its handle, then its arguments in the order in which `primitive_execute` is
 * given their data (scratch memory is the engine's own, and its datum is not looked at). All data
 * come from need_aligned. */
void primitive_start(struct primitive *p, const_dnnl_primitive_desc_t pd);
void primitive_argument(struct onednn *o, struct primitive *p, int which,
                        const dnnl_memory_desc_t *desc);
void primitive_scratchpad(struct onednn *o, struct primitive *p, const_dnnl_primitive_desc_t pd);
void primitive_execute(struct onednn *o, struct primitive *p, const void *const *data);
void primitive_free(struct primitive *p);

/* Zeroed memory of need_aligned for what is described; the caller frees. */
void *primitive_memory(const dnnl_memory_desc_t *desc);

/* A convolution's weights, (out, in/groups, k, k): as we keep them, or in the layout that oneDNN
 * prefers. */
enum weight_layout { WEIGHTS_CANONICAL, WEIGHTS_ANY };
void describe_weights(dnnl_memory_desc_t *d, const struct conv *g, dnnl_data_type_t type,
                      enum weight_layout layout);

/* A convolution's strides and padding, each for height and width. */
struct window_dims {
    dnnl_dims_t strides, before, after;
};
struct window_dims window_dims(const struct conv *g);

/* From one layout or type to another. */
void primitive_reorder(struct onednn *o, struct primitive *p, const dnnl_memory_desc_t *from,
                       const dnnl_memory_desc_t *to);

#endif
