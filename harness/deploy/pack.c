/* From a frozen model to the sections of a model file; pack.h is the manual. */
#include "deploy/pack.h"

#include "deploy/names.h"
#include "deploy/refusals.h"
#include "deploy/tqm.h"
#include "quant/layer.h"
#include "runtime/format.h"
#include "runtime/truncquant.h"

#include <stdlib.h>
#include <string.h>

struct packing {
    const struct pack *p;
    const struct model *m;
    struct tqm file;
    int min_bits;
    int n_banks;
    int bank_of[TQM_PLANES + 1];    // by width, place among the banks that are written
    int banks[2 * TQM_PLANES + 1];  // their places in B
    int calibrated[TQM_PLANES + 1]; // by width; -1: none
    uint32_t *number;               // by node, its number in the file; owned
};

/* ---- the order of weights ---- */

/* Channels last: for input i of a filter, (rows, cols, channels), its place in canonical order. */
struct order {
    size_t rows, cols, channels;
};

static struct order order_of(const struct model *m, const struct node *n) {
    const struct shape *in = &m->nodes[n->in[0]].shape;
    if (n->op == OP_LINEAR)
        return (struct order){(size_t)in->h, (size_t)in->w, (size_t)in->c};
    size_t size = (size_t)n->cfg->size;
    return (struct order){size, size, (size_t)(n->cfg->in.c / n->cfg->groups)};
}

static size_t canonical(const struct order *o, size_t i) {
    size_t tap = i / o->channels, c = i % o->channels;
    return c * o->rows * o->cols + tap;
}

static size_t inputs_of(const struct order *o) {
    return o->rows * o->cols * o->channels;
}

/* ---- floats ---- */

static uint64_t put_floats(struct tqm *t, const float *x, size_t n) {
    float *to;
    uint64_t at = tqm_floats(t, n, &to);
    memcpy(to, x, n * sizeof *to);
    return at;
}

/* (filters, inputs) in canonical order as (groups, inputs, filters / groups). */
static uint64_t put_weights(struct packing *s, const struct node *n) {
    struct order o = order_of(s->m, n);
    const float *W = s->m->parameters[n->weights].value;
    size_t inputs = inputs_of(&o), filters = (size_t)n->shape.c;
    size_t width = filters / (n->op == OP_CONV ? (size_t)n->cfg->groups : 1);
    float *to;
    uint64_t at = tqm_floats(&s->file, filters * inputs, &to);
    for (size_t f = 0; f < filters; f++)
        for (size_t i = 0; i < inputs; i++)
            to[f / width * width * inputs + i * width + f % width] =
                W[f * inputs + canonical(&o, i)];
    return at;
}

float *pack_copy_norms(const struct model *m, int bank) {
    size_t total = 0;
    for (int i = 0; i < m->n_norms; i++)
        total += 4 * (size_t)m->norms[i].channels;
    float *all = need(total + 1, sizeof *all), *at = all;
    for (int i = 0; i < m->n_norms; i++) {
        const struct norm *n = &m->norms[i];
        const float *of[] = {n->scale_of[bank], n->shift_of[bank], n->mean[bank],
                             n->variance[bank]};
        for (int j = 0; j < 4; j++, at += n->channels)
            memcpy(at, of[j], (size_t)n->channels * sizeof *at);
    }
    return all;
}

/* The banks that the widths use, then the calibrated ones, of one norm. */
static uint64_t put_norm(struct packing *s, int norm) {
    const struct norm *n = &s->m->norms[norm];
    size_t c = (size_t)n->channels, before = 0;
    float *to;
    uint64_t at = tqm_floats(&s->file, (size_t)s->n_banks * 4 * c, &to);
    for (int i = 0; i < norm; i++)
        before += 4 * (size_t)s->m->norms[i].channels;
    for (int b = 0; b < s->n_banks && s->banks[b] >= 0; b++, to += 4 * c) {
        const float *of[] = {n->scale_of[s->banks[b]], n->shift_of[s->banks[b]],
                             n->mean[s->banks[b]], n->variance[s->banks[b]]};
        for (size_t j = 0; j < 4; j++)
            memcpy(to + j * c, of[j], c * sizeof *to);
    }
    for (int k = s->min_bits; k <= s->p->planes; k++)
        if (s->calibrated[k] >= 0) {
            memcpy(to, s->p->calibrated[k - 1] + before, 4 * c * sizeof *to);
            to += 4 * c;
        }
    return at;
}

/* ---- the graph ---- */

static void choose_banks(struct packing *s) {
    for (int k = s->min_bits; k <= s->p->planes; k++) {
        int bank = model_bank(s->m, k);
        if (!s->n_banks || s->banks[s->n_banks - 1] != bank)
            s->banks[s->n_banks++] = bank;
        s->bank_of[k] = s->n_banks - 1;
    }
    for (int k = 1; k <= s->p->planes; k++) {
        s->calibrated[k] = -1;
        if (k < s->min_bits || !s->p->calibrated[k - 1])
            continue;
        s->calibrated[k] = s->n_banks;
        s->banks[s->n_banks++] = -1;
    }
}

/* What a node is in the file; 0: nothing, it is another name of what it reads. */
static uint32_t operation(const struct node *n) {
    static const uint32_t ops[OPS] = {
        [OP_INPUT] = TQ_INPUT,     [OP_CONV] = TQ_CONV, [OP_LINEAR] = TQ_LINEAR,
        [OP_NORM] = TQ_NORM,       [OP_ACT] = TQ_ACT,   [OP_MAXPOOL] = TQ_MAXPOOL,
        [OP_AVGPOOL] = TQ_AVGPOOL, [OP_ADD] = TQ_ADD,
    };
    return ops[n->op];
}

static int number_nodes(struct packing *s) {
    uint32_t n = 0;
    s->number = need((size_t)s->m->n_nodes, sizeof *s->number);
    for (int i = 0; i < s->m->n_nodes; i++) {
        const struct node *node = &s->m->nodes[i];
        s->number[i] = operation(node) ? n++ : s->number[node->in[0]];
    }
    return (int)n;
}

static void write_window(uint8_t *r, const struct node *n) {
    const struct cfg_layer *c = n->cfg;
    tqm_u32(r + TQ_AT_WINDOW, (uint32_t)c->size);
    tqm_u32(r + TQ_AT_WINDOW + 4, (uint32_t)c->stride);
    tqm_u32(r + TQ_AT_WINDOW + 8, (uint32_t)c->padding);
    tqm_u32(r + TQ_AT_WINDOW + 12, n->op == OP_CONV ? (uint32_t)c->groups : 1);
}

static void write_arrays(struct packing *s, uint8_t *r, const struct node *n) {
    uint64_t weights = TQ_NOWHERE, bias = TQ_NOWHERE, norm = TQ_NOWHERE;
    if (n->weights >= 0 && n->quantized < 0)
        weights = put_weights(s, n);
    if (n->bias >= 0)
        bias = put_floats(&s->file, s->m->parameters[n->bias].value, (size_t)n->shape.c);
    if (n->op == OP_NORM)
        norm = put_norm(s, n->norm);
    tqm_u64(r + TQ_AT_WEIGHTS, weights);
    tqm_u64(r + TQ_AT_BIAS, bias);
    tqm_u64(r + TQ_AT_NORM, norm);
}

static void write_node(struct packing *s, const struct node *n) {
    uint8_t *r = bytes_add(&s->file.graph, TQ_NODE);
    tqm_u32(r + TQ_AT_OP, operation(n));
    tqm_u32(r + TQ_AT_NUMBER, n->layer < 0 ? TQ_NONE : (uint32_t)n->layer);
    for (int i = 0; i < 2; i++)
        tqm_u32(r + TQ_AT_IN + 4 * i, i < n->n_in ? s->number[n->in[i]] : TQ_NONE);
    tqm_u32(r + TQ_AT_SHAPE, (uint32_t)n->shape.c);
    tqm_u32(r + TQ_AT_SHAPE + 4, (uint32_t)n->shape.h);
    tqm_u32(r + TQ_AT_SHAPE + 8, (uint32_t)n->shape.w);
    if (n->op == OP_CONV || n->op == OP_MAXPOOL)
        write_window(r, n);
    if (n->op == OP_ACT) {
        tqm_u32(r + TQ_AT_ACTIVATION, n->cfg->activation == ACT_RELU6 ? TQ_RELU6 : TQ_RELU);
        tqm_u32(r + TQ_AT_CLIPS, (uint32_t)n->clips);
    }
    tqm_u32(r + TQ_AT_QUANTIZED, n->quantized < 0 ? TQ_NONE : (uint32_t)n->quantized);
    tqm_f32(r + TQ_AT_ALPHA, n->op == OP_ADD ? n->cfg->alpha : 1);
    tqm_f32(r + TQ_AT_BETA, n->op == OP_ADD ? n->cfg->beta : 1);
    write_arrays(s, r, n);
}

static void write_head(struct packing *s, int nodes) {
    uint8_t *h = bytes_add(&s->file.graph, TQ_GRAPH);
    const struct dataset *d = s->p->data;
    tqm_u32(h + TQ_AT_NODES, (uint32_t)nodes);
    tqm_u32(h + TQ_AT_LOGITS, s->number[s->m->logits]);
    tqm_u32(h + TQ_AT_LAYERS, (uint32_t)s->m->n_quantized);
    tqm_u32(h + TQ_AT_BANKS, (uint32_t)s->n_banks);
    tqm_u32(h + TQ_AT_CHANNELS, (uint32_t)d->shape.c);
    tqm_u32(h + TQ_AT_CLASSES, (uint32_t)s->m->cfg->classes);
    tqm_u32(h + TQ_AT_MIN_BITS, (uint32_t)s->min_bits);
    tqm_u32(h + TQ_AT_RESIZED, s->p->frozen->spec.image_size != 0);
    for (int c = 0; c < d->shape.c; c++) {
        tqm_f32(h + TQ_AT_MEAN + 4 * c, d->mean[c]);
        tqm_f32(h + TQ_AT_DEVIATION + 4 * c, d->deviation[c]);
    }
    for (int k = s->min_bits; k <= s->file.stored_bits; k++) {
        uint8_t *w = h + TQ_AT_WIDTHS + (k - 1) * TQ_WIDTH;
        int is_there = k <= s->p->planes;
        tqm_u32(w + TQ_AT_ACT_BITS, (uint32_t)spec_act_bits(&s->p->frozen->spec, k));
        tqm_u32(w + TQ_AT_BANK, is_there ? (uint32_t)s->bank_of[k] : 0);
        tqm_u32(w + TQ_AT_CALIBRATED,
                is_there && s->calibrated[k] >= 0 ? (uint32_t)s->calibrated[k] : TQ_NONE);
    }
}

/* ---- quantized layers ---- */

/* One float where all are the same. */
static uint32_t put_by_channel(struct tqm *t, const float *x, size_t channels, uint64_t *at) {
    size_t n = 1;
    for (size_t c = 1; c < channels && n == 1; c++)
        n = x[c] != x[0] ? channels : 1;
    *at = put_floats(t, x, n);
    return (uint32_t)n;
}

static void write_form(struct packing *s, int layer, int k, uint8_t *r) {
    const struct frozen *f = s->p->frozen;
    const struct quant_layer *l = &s->m->quantized[layer].layer;
    struct integers x = layer_integers(s->m->quantizer, l, f->codes[layer], f->headers[layer], k);
    uint64_t unit, shift = TQ_NOWHERE;
    uint32_t units = put_by_channel(&s->file, x.form.unit, l->channels, &unit), shifts = 0;
    if (x.form.has_offset)
        shifts = put_by_channel(&s->file, x.form.offset, l->channels, &shift);
    tqm_u32(r + TQ_AT_FACTOR, (uint32_t)x.form.factor);
    tqm_u32(r + TQ_AT_ODD, (uint32_t)x.form.odd);
    tqm_u32(r + TQ_AT_UNITS, units);
    tqm_u32(r + TQ_AT_SHIFTS, shifts);
    tqm_u64(r + TQ_AT_UNIT, unit);
    tqm_u64(r + TQ_AT_SHIFT, shift);
    integers_free(&x);
}

/* Bit b of every code of a layer into its plane: codes are shifted to begin at 0. */
static void write_planes(struct packing *s, int layer) {
    const struct frozen *f = s->p->frozen;
    const struct quantized_layer *q = &s->m->quantized[layer];
    struct order o = order_of(s->m, &s->m->nodes[q->node]);
    size_t inputs = inputs_of(&o), row_bytes = tq_row_bytes((uint32_t)inputs);
    int N = s->file.stored_bits;
    struct integers x =
        layer_integers(s->m->quantizer, &q->layer, f->codes[layer], f->headers[layer], N);
    for (int plane = 0; plane < s->p->planes; plane++) {
        uint8_t *bits = bytes_add(&s->file.plane[plane], q->layer.channels * row_bytes);
        for (size_t row = 0; row < q->layer.channels; row++, bits += row_bytes)
            for (size_t i = 0; i < inputs; i++) {
                int u = x.v[row * inputs + canonical(&o, i)] + (1 << (N - 1));
                bits[i / 8] |= (uint8_t)((u >> (N - 1 - plane) & 1) << i % 8);
            }
        bytes_align(&s->file.plane[plane]);
    }
    integers_free(&x);
}

static void write_layer(struct packing *s, int layer) {
    const struct quantized_layer *q = &s->m->quantized[layer];
    size_t inputs = q->layer.n / q->layer.channels;
    size_t at = s->file.graph.size;
    bytes_add(&s->file.graph, TQ_LAYER);
    uint8_t *r = s->file.graph.at + at;
    tqm_u32(r + TQ_AT_NODE, s->number[q->node]);
    tqm_u32(r + TQ_AT_ROWS, (uint32_t)q->layer.channels);
    tqm_u32(r + TQ_AT_INPUTS, (uint32_t)inputs);
    tqm_u32(r + TQ_AT_ROW_BYTES, tq_row_bytes((uint32_t)inputs));
    tqm_u64(r + TQ_AT_BITS, s->file.plane[0].size);
    for (int k = s->min_bits; k <= s->file.stored_bits; k++)
        write_form(s, layer, k, r + TQ_AT_FORMS + (k - 1) * TQ_FORM);
    write_planes(s, layer);
}

/* ---- what is refused ---- */

static int check_layer(const struct frozen *f, int i, struct error *e) {
    const struct quantized_layer *q = &f->m->quantized[i];
    size_t inputs = q->layer.n / q->layer.channels;
    char name[96];
    model_node_name(f->m, q->node, name, sizeof name);
    if (inputs > TQ_MAX_INPUTS)
        return fail(e, "%s: a filter has %zu inputs; the sums of more than %d may pass 32 bits",
                    name, inputs, TQ_MAX_INPUTS);
    return 0;
}

int pack_check(const struct frozen *f, struct error *e) {
    int N = (int)f->spec.stored_bits;
    if (refuse_scheme(&maker_of_pack, f->m->quantizer, e))
        return -1;
    if (!f->m->n_quantized)
        return fail(e, "the network has no quantized layer, so there are no planes to pack");
    int rc = refuse_nodes(&maker_of_pack, f->m, &f->spec, 1, N, e);
    for (int i = 0; i < f->m->n_quantized && !rc; i++)
        rc = check_layer(f, i, e);
    return rc;
}

/* ---- all of it ---- */

static void write_texts(struct packing *s) {
    const struct spec *spec = &s->p->frozen->spec;
    const struct dataset *d = s->p->data;
    const char *texts[] = {s->p->run_id, spec->scheme, spec->network, spec->dataset, s->p->commit};
    char number[DEPLOY_NAME];
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        size_t length = strlen(texts[i]), most = TQ_NAME - 1; // of a path, its end is kept
        tqm_text(&s->file, texts[i] + (length > most ? length - most : 0));
    }
    for (int c = 0; c < s->m->cfg->classes; c++)
        tqm_text(&s->file, deploy_class_name(d, c, number));
}

int pack_write(const struct pack *p, const char *path, struct error *e) {
    struct packing s = {
        .p = p,
        .m = p->frozen->m,
        .min_bits = p->frozen->m->quantizer->min_bits,
        .file = {.stored_bits = (int)p->frozen->spec.stored_bits, .planes = p->planes}};
    if (pack_check(p->frozen, e))
        return -1;
    if (p->planes < s.min_bits || p->planes > s.file.stored_bits)
        return fail(e, "scheme %s stored at %d bits has planes for widths of %d to %d, not %d",
                    s.m->quantizer->name, s.file.stored_bits, s.min_bits, s.file.stored_bits,
                    p->planes);
    choose_banks(&s);
    write_texts(&s);
    write_head(&s, number_nodes(&s));
    for (int i = 0; i < s.m->n_nodes; i++)
        if (operation(&s.m->nodes[i]))
            write_node(&s, &s.m->nodes[i]);
    for (int i = 0; i < s.m->n_quantized; i++)
        write_layer(&s, i);
    int rc = tqm_write(&s.file, path, e);
    tqm_free(&s.file);
    free(s.number);
    return rc;
}
