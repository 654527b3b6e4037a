/* oneDNN's engine, stream and primitives; primitive.h is the manual. A call that fails after a
 * primitive was made is a fault of the caller or of the machine's memory, and ends the process with
 * its number, as out of memory does. */
#include "engine/onednn/primitive.h"

#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void onednn_must(int status, const char *what) {
    if (status == dnnl_success)
        return;
    fprintf(stderr, "truncquant: oneDNN: %s failed (status %d); try --engine reference\n", what,
            status);
    exit(1);
}

static void make_lanes(struct onednn *o, int n) {
    o->lanes = need((size_t)n, sizeof *o->lanes);
    for (; o->threads < n; o->threads++) {
        struct onednn *lane = &o->lanes[o->threads];
        *lane = (struct onednn){.engine = o->engine, .attributes = o->attributes};
        onednn_must(dnnl_stream_create(&lane->stream, o->engine, dnnl_stream_default_flags),
                    "a stream");
    }
}

struct onednn *onednn_open(int threads, struct error *e) {
    struct onednn *o = need(1, sizeof *o);
    if (dnnl_engine_create(&o->engine, dnnl_cpu, 0) ||
        dnnl_stream_create(&o->stream, o->engine, dnnl_stream_default_flags) ||
        dnnl_primitive_attr_create(&o->attributes) ||
        dnnl_primitive_attr_set_scratchpad_mode(o->attributes, dnnl_scratchpad_mode_user)) {
        fail(e, "oneDNN does not start on this machine; use --engine reference");
        onednn_close(o);
        return NULL;
    }
    make_lanes(o, threads);
    return o;
}

void onednn_close(struct onednn *o) {
    if (!o)
        return;
    for (int i = 0; i < o->threads; i++) {
        dnnl_stream_destroy(o->lanes[i].stream);
        free(o->lanes[i].scratch.data);
        free(o->lanes[i].converted.data);
    }
    free(o->lanes);
    if (o->attributes)
        dnnl_primitive_attr_destroy(o->attributes);
    if (o->stream)
        dnnl_stream_destroy(o->stream);
    if (o->engine)
        dnnl_engine_destroy(o->engine);
    free(o->scratch.data);
    free(o->converted.data);
    free(o);
}

void onednn_reserve(struct reserve *r, size_t size) {
    if (size <= r->size)
        return;
    free(r->data);
    *r = (struct reserve){need_aligned(size, 1), size};
}

int onednn_team(int parts) {
    int threads = omp_get_max_threads();
    return threads < parts ? threads : parts;
}

/* A set of instructions is several bits; it is there when all of them are. */
static int has_instructions(unsigned set) {
    return ((unsigned)dnnl_get_effective_cpu_isa() & set) == set;
}

int onednn_has_bf16(void) {
    return has_instructions(dnnl_cpu_isa_avx512_core_bf16);
}

int onednn_has_exact_int8(void) {
    return has_instructions(dnnl_cpu_isa_avx512_core_vnni) ||
           has_instructions(dnnl_cpu_isa_avx2_vnni);
}

/* oneDNN always has an implementation; the reference ones are slower than ours by a factor of
 * hundreds. */
static int is_fast(const_dnnl_primitive_desc_t pd) {
    const char *name = "";
    dnnl_primitive_desc_query(pd, dnnl_query_impl_info_str, 0, &name);
    return !strstr(name, "ref");
}

dnnl_primitive_desc_t primitive_find(struct onednn *o, const void *desc,
                                     const_dnnl_primitive_desc_t hint) {
    return primitive_find_with(o, desc, o->attributes, hint);
}

/* oneDNN 2.6.3's gradient of weights for windows of one pixel with a stride, in nhwc with fewer
 * channels than a block, gathers the pixels in scratch memory as far apart as a block and asks for
 * as much as they need side by side: up to 15 floats a pixel are written behind (`jit_1x1` for AVX2
 * and for AVX-512; tests/engine/test_guarded.c). No slack suffices for that; the next
 * implementation does not do it. */
static int writes_past_scratch(const_dnnl_primitive_desc_t pd) {
    enum { BLOCK = 16 };
    const dnnl_convolution_desc_t *d;
    const char *name = "";
    if (dnnl_primitive_desc_query(pd, dnnl_query_convolution_d, 0, &d) ||
        d->prop_kind != dnnl_backward_weights)
        return 0;
    dnnl_primitive_desc_query(pd, dnnl_query_impl_info_str, 0, &name);
    int is_nhwc = d->src_desc.format_desc.blocking.strides[1] == 1;
    return strstr(name, "1x1") && is_nhwc && (d->strides[0] > 1 || d->strides[1] > 1) &&
           d->src_desc.dims[1] < BLOCK;
}

/* The next one, after one that is no good. */
static dnnl_primitive_desc_t next_of(dnnl_primitive_desc_iterator_t all,
                                     dnnl_primitive_desc_t bad) {
    dnnl_primitive_desc_destroy(bad);
    return dnnl_primitive_desc_iterator_next(all) ? NULL : dnnl_primitive_desc_iterator_fetch(all);
}

dnnl_primitive_desc_t primitive_find_with(struct onednn *o, const void *desc,
                                          const_dnnl_primitive_attr_t attributes,
                                          const_dnnl_primitive_desc_t hint) {
    dnnl_primitive_desc_iterator_t all;
    if (dnnl_primitive_desc_iterator_create(&all, desc, attributes, o->engine, hint))
        return NULL;
    dnnl_primitive_desc_t pd = dnnl_primitive_desc_iterator_fetch(all);
    while (pd && writes_past_scratch(pd))
        pd = next_of(all, pd);
    dnnl_primitive_desc_iterator_destroy(all);
    if (!pd || is_fast(pd))
        return pd;
    dnnl_primitive_desc_destroy(pd);
    return NULL;
}

/* ---- one primitive ---- */

void primitive_start(struct primitive *p, const_dnnl_primitive_desc_t pd) {
    onednn_must(dnnl_primitive_create(&p->handle, pd), "a primitive");
}

void primitive_argument(struct onednn *o, struct primitive *p, int which,
                        const dnnl_memory_desc_t *desc) {
    dnnl_memory_t memory;
    onednn_must(dnnl_memory_create(&memory, desc, o->engine, DNNL_MEMORY_NONE), "a memory object");
    p->arguments[p->n++] = (dnnl_exec_arg_t){which, memory};
}

void primitive_scratchpad(struct onednn *o, struct primitive *p, const_dnnl_primitive_desc_t pd) {
    const dnnl_memory_desc_t *desc = dnnl_primitive_desc_query_md(pd, dnnl_query_scratchpad_md, 0);
    p->scratch_size = dnnl_memory_desc_get_size(desc);
    onednn_reserve(&o->scratch, p->scratch_size);
    primitive_argument(o, p, DNNL_ARG_SCRATCHPAD, desc);
}

/* Execute with these data, in the order in which the arguments were added. */
void primitive_execute(struct onednn *o, struct primitive *p, const void *const *data) {
    for (int i = 0; i < p->n; i++) {
        int own = p->arguments[i].arg == DNNL_ARG_SCRATCHPAD;
        onednn_must(dnnl_memory_set_data_handle(p->arguments[i].memory,
                                                own ? o->scratch.data : (void *)data[i]),
                    "binding memory");
    }
    onednn_must(dnnl_primitive_execute(p->handle, o->stream, p->n, p->arguments), "a primitive");
    onednn_must(dnnl_stream_wait(o->stream), "waiting");
}

void primitive_free(struct primitive *p) {
    for (int i = 0; i < p->n; i++)
        dnnl_memory_destroy(p->arguments[i].memory);
    if (p->handle)
        dnnl_primitive_destroy(p->handle);
}

void primitive_reorder(struct onednn *o, struct primitive *p, const dnnl_memory_desc_t *from,
                       const dnnl_memory_desc_t *to) {
    dnnl_primitive_desc_t pd;
    onednn_must(
        dnnl_reorder_primitive_desc_create(&pd, from, o->engine, to, o->engine, o->attributes),
        "a reorder");
    primitive_start(p, pd);
    primitive_argument(o, p, DNNL_ARG_FROM, from);
    primitive_argument(o, p, DNNL_ARG_TO, to);
    primitive_scratchpad(o, p, pd);
    dnnl_primitive_desc_destroy(pd);
}

void *primitive_memory(const dnnl_memory_desc_t *desc) {
    return need_aligned(dnnl_memory_desc_get_size(desc), 1);
}

void describe_weights(dnnl_memory_desc_t *d, const struct conv *g, dnnl_data_type_t type,
                      enum weight_layout layout) {
    dnnl_dims_t plain = {g->filters, g->c, g->size, g->size};
    dnnl_dims_t grouped = {g->groups, g->filters / g->groups, g->c / g->groups, g->size, g->size};
    int split = g->groups > 1;
    dnnl_format_tag_t canonical = split ? dnnl_goihw : dnnl_oihw;
    dnnl_memory_desc_init_by_tag(d, split ? 5 : 4, split ? grouped : plain, type,
                                 layout == WEIGHTS_CANONICAL ? canonical : dnnl_format_tag_any);
}

/* Behind the last window's start, as far as it reaches; negative where the last places are left
 * out. */
static int padding_after(int in, int out, const struct conv *g) {
    return (out - 1) * g->stride + g->size - in - g->padding;
}

struct window_dims window_dims(const struct conv *g) {
    return (struct window_dims){
        .strides = {g->stride, g->stride},
        .before = {g->padding, g->padding},
        .after = {padding_after(g->h, g->out_h, g), padding_after(g->w, g->out_w, g)}};
}
