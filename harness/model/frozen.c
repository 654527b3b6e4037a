/* Freezing and reading back; frozen.h is the manual. */
#include "model/frozen.h"

#include "base/sealed.h"
#include "cfg/cost.h"
#include "cfg/layers.h"
#include "cfg/shape.h"
#include "quant/layer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char magic[8] = "TQFROZ01";
static const char remedy[] = "remove it: 'truncquant evaluate' makes it anew from the checkpoint";

static int is_quantized(const struct model *m, int parameter) {
    for (int i = 0; i < m->n_quantized; i++)
        if (m->nodes[m->quantized[i].node].weights == parameter ||
            m->quantized[i].params == parameter)
            return 1;
    return 0;
}

static void write_codes(struct seal *s, const struct model *m, int layer, int k) {
    const struct quantized_layer *q = &m->quantized[layer];
    size_t header_floats = layer_header_floats(m->quantizer, &q->layer);
    uint8_t *codes = need(q->layer.n, 1);
    float *header = need(header_floats, sizeof *header);
    layer_encode(m->quantizer, &q->layer, quantized_weights(m, q), quantized_params(m, q), k, codes,
                 header);
    seal_bytes(s, header, header_floats * sizeof *header);
    seal_bytes(s, codes, q->layer.n);
    free(codes);
    free(header);
}

static void write_floats(struct seal *s, const struct model *m) {
    for (int i = 0; i < m->n_parameters; i++)
        if (!is_quantized(m, i))
            seal_bytes(s, m->parameters[i].value, m->parameters[i].n * sizeof(float));
    for (int i = 0; i < m->n_norms; i++)
        for (int b = 0; b < m->widths.n; b++) {
            seal_bytes(s, m->norms[i].mean[b], (size_t)m->norms[i].channels * sizeof(float));
            seal_bytes(s, m->norms[i].variance[b], (size_t)m->norms[i].channels * sizeof(float));
        }
}

/* Measured bounds of clips; elsewhere all are 1. */
static void write_bounds(struct seal *s, const struct model *m) {
    for (int i = 0; i < m->n_nodes; i++)
        if (m->quantizer->parent && m->nodes[i].clips)
            seal_bytes(s, &m->nodes[i].bound, sizeof(float));
}

static void read_bounds(struct model *m, struct opened *o) {
    for (int i = 0; i < m->n_nodes; i++)
        if (m->quantizer->parent && m->nodes[i].clips)
            opened_bytes(o, &m->nodes[i].bound, sizeof(float));
}

static void write_spec(struct seal *s, const struct spec *spec,
                       const struct quantizer *const *table) {
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (!out)
        return;
    spec_write(spec, table, out);
    fclose(out);
    seal_text(s, text);
    free(text);
}

int frozen_write(const char *path, const struct model *m, const struct spec *spec,
                 const struct quantizer *const *table, const char *cfg_text,
                 const struct dataset *data, struct error *e) {
    struct seal s;
    if (seal_start(&s, magic, e))
        return -1;
    write_spec(&s, spec, table);
    seal_text(&s, m->cfg->path);
    seal_text(&s, cfg_text);
    seal_bytes(&s, &data->shape, sizeof data->shape);
    seal_i64(&s, data->classes);
    write_floats(&s, m);
    write_bounds(&s, m);
    for (int i = 0; i < m->n_quantized; i++)
        write_codes(&s, m, i, (int)spec->stored_bits);
    return seal_write(&s, path, NULL, e);
}

static int shape_fits(struct shape s, int64_t classes) {
    return s.c > 0 && s.c <= DATASET_CHANNELS && s.h > 0 && s.h <= CFG_SIDE_MAX && s.w > 0 &&
           s.w <= CFG_SIDE_MAX && classes > 0 && classes <= CFG_FLOATS_MAX;
}

/* A network of more weights than there are bytes left is not the file's, and would take its memory
 * first. */
static int check_room(const struct frozen *f, const struct opened *o, const char *path,
                      struct error *e) {
    if (cfg_parameters(&f->cfg) <= (int64_t)o->left)
        return 0;
    return fail_at(e, path, 0, "does not fit its own network; %s", remedy);
}

static int read_network(struct frozen *f, struct opened *o, const char *path,
                        const struct quantizer *const *table, struct error *e) {
    char *spec = opened_text(o), *name = opened_text(o), *cfg = opened_text(o);
    struct shape shape;
    opened_bytes(o, &shape, sizeof shape);
    int64_t classes = opened_i64(o);
    int rc = 0;
    if (o->bad || !shape_fits(shape, classes))
        rc = fail_at(e, path, 0, "has no network in it; %s", remedy);
    if (!rc)
        rc = spec_read(&f->spec, table, spec, path, e);
    if (!rc)
        rc = cfg_parse(&f->cfg, cfg, strlen(cfg), name, shape, (int)classes, e);
    free(spec);
    free(name);
    free(cfg);
    if (rc || check_room(f, o, path, e))
        return -1;
    f->m = model_lay_out(&f->cfg, &f->spec, quantizer_find(table, f->spec.scheme));
    return 0;
}

static void read_floats(struct frozen *f, struct opened *o) {
    struct model *m = f->m;
    for (int i = 0; i < m->n_parameters; i++) {
        struct parameter *p = &m->parameters[i];
        if (!is_quantized(m, i))
            opened_bytes(o, p->value, p->n * sizeof(float));
        else
            for (size_t j = 0; j < p->n; j++)
                p->value[j] = NAN;
    }
    for (int i = 0; i < m->n_norms; i++)
        for (int b = 0; b < m->widths.n; b++) {
            opened_bytes(o, m->norms[i].mean[b], (size_t)m->norms[i].channels * sizeof(float));
            opened_bytes(o, m->norms[i].variance[b], (size_t)m->norms[i].channels * sizeof(float));
        }
}

static void read_codes(struct frozen *f, struct opened *o) {
    int n = f->m->n_quantized;
    f->codes = need((size_t)n + 1, sizeof *f->codes);
    f->headers = need((size_t)n + 1, sizeof *f->headers);
    for (int i = 0; i < n; i++) {
        const struct quant_layer *l = &f->m->quantized[i].layer;
        size_t header_floats = layer_header_floats(f->m->quantizer, l);
        f->headers[i] = need(header_floats, sizeof(float));
        f->codes[i] = need(l->n, 1);
        opened_bytes(o, f->headers[i], header_floats * sizeof(float));
        opened_bytes(o, f->codes[i], l->n);
    }
}

int frozen_read(struct frozen *f, const char *path, const struct quantizer *const *table,
                struct error *e) {
    struct opened o;
    *f = (struct frozen){0};
    if (opened_start(&o, path, magic, "frozen model", remedy, e))
        return -1;
    if (!read_network(f, &o, path, table, e)) {
        read_floats(f, &o);
        read_bounds(f->m, &o);
        read_codes(f, &o);
        if (o.bad || o.left)
            fail_at(e, path, 0, "does not fit its own network; %s", remedy);
    }
    opened_free(&o);
    if (!e->text[0])
        return 0;
    frozen_free(f);
    return -1;
}

void frozen_free(struct frozen *f) {
    for (int i = 0; f->codes && i < f->m->n_quantized; i++) {
        free(f->codes[i]);
        free(f->headers[i]);
    }
    free(f->codes);
    free(f->headers);
    model_free(f->m);
    cfg_free(&f->cfg);
    *f = (struct frozen){0};
}
