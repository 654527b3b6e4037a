/* The network of a model file: its records are read, and then held against each other, so that
 * whatever computes it later need not ask. */
#include "model.h"

#include <math.h>
#include <stdlib.h>

static int damaged(struct tq_model *m, uint32_t number, const char *what) {
    return tq_model_fail(m, TQ_DAMAGED, "the model file is damaged: %s of record %u", what,
                         (unsigned)number);
}

/* ---- the floats ---- */

struct floats {
    const uint8_t *bytes;
    uint64_t size;
};

/* `n` floats from the place on that is said at `at`; TQ_NOWHERE: there are none. */
static int find_floats(struct tq_model *m, const struct floats *f, const uint8_t *at, uint64_t n,
                       const float **found) {
    uint64_t place = tq_u64(at);
    *found = NULL;
    if (place == TQ_NOWHERE)
        return 0;
    if (place % TQ_ALIGN || place > f->size || n > (f->size - place) / sizeof(float))
        return tq_model_fail(m, TQ_DAMAGED, "the model file is damaged: a place of floats");
    *found = (const float *)(const void *)(f->bytes + place);
    return 0;
}

static int are_finite(struct tq_model *m, const struct floats *f) {
    int bad = 0;
    for (uint64_t i = 0; i < f->size; i += sizeof(float))
        bad |= (tq_u32(f->bytes + i) & 0x7f800000) == 0x7f800000;
    return bad ? tq_model_fail(m, TQ_DAMAGED, "the model file is damaged: a float is not finite")
               : 0;
}

/* ---- records ---- */

static uint64_t values_of(const struct node *n) {
    return (uint64_t)n->c * n->h * n->w;
}

static int is_product(const struct node *n) {
    return n->op == TQ_CONV || n->op == TQ_LINEAR;
}

/* Inputs of one filter, of a node whose groups were checked. */
static uint64_t inputs_of(const struct node *n, const struct node *in) {
    return n->op == TQ_LINEAR ? values_of(in) : (uint64_t)n->size * n->size * (in->c / n->groups);
}

static void read_node(struct node *n, const uint8_t *r) {
    *n = (struct node){.op = tq_u32(r + TQ_AT_OP),
                       .number = tq_u32(r + TQ_AT_NUMBER),
                       .in = {tq_u32(r + TQ_AT_IN), tq_u32(r + TQ_AT_IN + 4)},
                       .c = tq_u32(r + TQ_AT_SHAPE),
                       .h = tq_u32(r + TQ_AT_SHAPE + 4),
                       .w = tq_u32(r + TQ_AT_SHAPE + 8),
                       .size = tq_u32(r + TQ_AT_WINDOW),
                       .stride = tq_u32(r + TQ_AT_WINDOW + 4),
                       .padding = tq_u32(r + TQ_AT_WINDOW + 8),
                       .groups = tq_u32(r + TQ_AT_WINDOW + 12),
                       .activation = tq_u32(r + TQ_AT_ACTIVATION),
                       .clips = tq_u32(r + TQ_AT_CLIPS),
                       .quantized = tq_u32(r + TQ_AT_QUANTIZED),
                       .alpha = tq_f32(r + TQ_AT_ALPHA),
                       .beta = tq_f32(r + TQ_AT_BETA)};
}

static int is_shape(const struct node *n) {
    return n->c >= 1 && n->c <= TQ_MAX_SIDE && n->h >= 1 && n->h <= TQ_MAX_SIDE && n->w >= 1 &&
           n->w <= TQ_MAX_SIDE && values_of(n) <= TQ_MAX_VALUES;
}

static int same_shape(const struct node *a, const struct node *b) {
    return a->c == b->c && a->h == b->h && a->w == b->w;
}

static int is_window(const struct node *n) {
    return n->size >= 1 && n->size <= TQ_MAX_WINDOW && n->stride >= 1 &&
           n->stride <= TQ_MAX_WINDOW && n->padding <= TQ_MAX_WINDOW;
}

/* Whether an output of a window's size is what its input gives, `padding` zeros being around it. */
static int fits_window(const struct node *n, const struct node *in, uint32_t padding) {
    uint32_t h = in->h + padding, w = in->w + padding;
    return h >= n->size && w >= n->size && n->h == (h - n->size) / n->stride + 1 &&
           n->w == (w - n->size) / n->stride + 1;
}

static int fits_conv(const struct node *n, const struct node *in) {
    return is_window(n) && n->groups >= 1 && in->c % n->groups == 0 && n->c % n->groups == 0 &&
           fits_window(n, in, 2 * n->padding);
}

static int fits_add(const struct tq_model *m, const struct node *n, const struct node *in,
                    uint32_t i) {
    return n->in[1] < i && same_shape(n, in) && same_shape(n, &m->nodes[n->in[1]]) &&
           isfinite(n->alpha) && isfinite(n->beta);
}

/* Whether node i can be computed of what is before it. */
static int fits(const struct tq_model *m, uint32_t i) {
    const struct node *n = &m->nodes[i];
    if (!is_shape(n))
        return 0;
    if (n->op == TQ_INPUT || !i)
        return n->op == TQ_INPUT && !i && n->c <= TQ_MAX_CHANNELS;
    if (n->in[0] >= i)
        return 0;
    const struct node *in = &m->nodes[n->in[0]];
    switch (n->op) {
    case TQ_CONV:
        return fits_conv(n, in);
    case TQ_LINEAR:
        return n->h == 1 && n->w == 1;
    case TQ_NORM:
        return same_shape(n, in);
    case TQ_ACT:
        return same_shape(n, in) && n->clips <= 1 &&
               (n->activation == TQ_RELU || n->activation == TQ_RELU6);
    case TQ_MAXPOOL:
        return is_window(n) && n->c == in->c && (n->padding + 1) / 2 < n->size &&
               fits_window(n, in, n->padding);
    case TQ_AVGPOOL:
        return n->c == in->c && n->h == 1 && n->w == 1;
    case TQ_ADD:
        return fits_add(m, n, in, i);
    default:
        return 0;
    }
}

static int find_arrays(struct tq_model *m, const struct floats *f, uint32_t i, const uint8_t *r) {
    struct node *n = &m->nodes[i];
    uint64_t weights = is_product(n) ? inputs_of(n, &m->nodes[n->in[0]]) * n->c : 0;
    if (find_floats(m, f, r + TQ_AT_WEIGHTS, weights, &n->weights) ||
        find_floats(m, f, r + TQ_AT_BIAS, n->c, &n->bias) ||
        find_floats(m, f, r + TQ_AT_NORM, 4 * (uint64_t)m->banks * n->c, &n->norm))
        return m->code;
    int has_weights = is_product(n) && n->quantized == TQ_NONE, has_norm = n->op == TQ_NORM;
    if (!n->weights != !has_weights || !n->norm != !has_norm || (n->bias && !is_product(n)))
        return damaged(m, i, "the arrays");
    for (uint32_t b = 0; has_norm && b < m->banks; b++)
        for (uint32_t c = 0; c < n->c; c++)
            if (n->norm[(4 * (uint64_t)b + 3) * n->c + c] < 0)
                return damaged(m, i, "a variance");
    return 0;
}

static int read_nodes(struct tq_model *m, const struct floats *f, const uint8_t *records) {
    uint32_t layers = 0;
    m->nodes = calloc((size_t)m->info.nodes, sizeof *m->nodes);
    if (!m->nodes)
        return tq_model_fail(m, TQ_NO_MEMORY, "there is no memory for the model");
    for (uint32_t i = 0; i < (uint32_t)m->info.nodes; i++) {
        const uint8_t *r = records + (size_t)i * TQ_NODE;
        read_node(&m->nodes[i], r);
        if (!fits(m, i))
            return damaged(m, i, "the shape");
        if (m->nodes[i].quantized != TQ_NONE &&
            (!is_product(&m->nodes[i]) || m->nodes[i].quantized != layers++))
            return damaged(m, i, "the layer");
        if (find_arrays(m, f, i, r))
            return m->code;
    }
    return layers == (uint32_t)m->info.layers ? 0 : damaged(m, layers, "the layer");
}

/* ---- quantized layers ---- */

static int is_form(const struct layer *l, const struct form *f, int k) {
    int64_t half = (int64_t)1 << (k - 1), low = f->odd - f->factor * half,
            high = f->odd + f->factor * (half - 1);
    return f->factor >= 1 && f->factor <= TQ_MAX_WEIGHT && low >= -TQ_MAX_WEIGHT &&
           high <= TQ_MAX_WEIGHT && f->odd >= -TQ_MAX_WEIGHT && f->odd <= TQ_MAX_WEIGHT &&
           (f->units == 1 || f->units == l->rows) && f->unit &&
           (f->shifts == 0 || f->shifts == 1 || f->shifts == l->rows) && !f->shifts == !f->shift;
}

static int read_forms(struct tq_model *m, const struct floats *floats, struct layer *l,
                      const uint8_t *records) {
    for (int k = m->info.min_bits; k <= m->info.stored_bits; k++) {
        const uint8_t *r = records + (k - 1) * TQ_FORM;
        struct form *f = &l->form[k];
        *f = (struct form){.factor = (int32_t)tq_u32(r + TQ_AT_FACTOR),
                           .odd = (int32_t)tq_u32(r + TQ_AT_ODD),
                           .units = tq_u32(r + TQ_AT_UNITS),
                           .shifts = tq_u32(r + TQ_AT_SHIFTS)};
        if (find_floats(m, floats, r + TQ_AT_UNIT, f->units, &f->unit) ||
            find_floats(m, floats, r + TQ_AT_SHIFT, f->shifts, &f->shift))
            return m->code;
        if (!is_form(l, f, k))
            return damaged(m, l->node, "the integers");
    }
    return 0;
}

static int read_layers(struct tq_model *m, const struct floats *f, const uint8_t *records,
                       uint64_t plane_bytes) {
    uint64_t at = 0;
    m->layers = calloc((size_t)m->info.layers + 1, sizeof *m->layers);
    if (!m->layers)
        return tq_model_fail(m, TQ_NO_MEMORY, "there is no memory for the model");
    for (uint32_t i = 0; i < (uint32_t)m->info.layers; i++) {
        const uint8_t *r = records + (size_t)i * TQ_LAYER;
        struct layer *l = &m->layers[i];
        *l = (struct layer){.node = tq_u32(r + TQ_AT_NODE),
                            .rows = tq_u32(r + TQ_AT_ROWS),
                            .inputs = tq_u32(r + TQ_AT_INPUTS),
                            .row_bytes = tq_u32(r + TQ_AT_ROW_BYTES),
                            .at = tq_u64(r + TQ_AT_BITS)};
        if (l->node >= (uint32_t)m->info.nodes || m->nodes[l->node].quantized != i)
            return damaged(m, i, "the node");
        const struct node *n = &m->nodes[l->node];
        if (l->rows != n->c || l->inputs > TQ_MAX_INPUTS ||
            l->inputs != inputs_of(n, &m->nodes[n->in[0]]) ||
            l->row_bytes != tq_row_bytes(l->inputs) || l->at != at)
            return damaged(m, i, "the bits");
        at += tq_aligned((uint64_t)l->rows * l->row_bytes);
        if (read_forms(m, f, l, r + TQ_AT_FORMS))
            return m->code;
    }
    return at == plane_bytes ? 0 : damaged(m, 0, "the planes");
}

/* ---- all of it ---- */

static int read_widths(struct tq_model *m, const uint8_t *head) {
    m->info.calibrated = 1;
    for (int k = 1; k <= TQ_BITS; k++) {
        const uint8_t *r = head + TQ_AT_WIDTHS + (k - 1) * TQ_WIDTH;
        struct width *w = &m->width[k];
        *w = (struct width){tq_u32(r + TQ_AT_ACT_BITS), tq_u32(r + TQ_AT_BANK),
                            tq_u32(r + TQ_AT_CALIBRATED)};
        if (k < m->info.min_bits || k > m->info.stored_bits)
            continue;
        if (((w->act_bits < 1 || w->act_bits > TQ_BITS) && w->act_bits != 32) ||
            w->bank >= m->banks || (w->calibrated != TQ_NONE && w->calibrated >= m->banks))
            return damaged(m, (uint32_t)k, "the width");
        m->info.act_bits[k] = (int)w->act_bits;
        m->info.calibrated &= k > m->info.planes || w->calibrated != TQ_NONE;
    }
    return 0;
}

static int read_image(struct tq_model *m, const uint8_t *head) {
    for (int c = 0; c < m->info.channels; c++) {
        m->mean[c] = tq_f32(head + TQ_AT_MEAN + 4 * c);
        m->deviation[c] = tq_f32(head + TQ_AT_DEVIATION + 4 * c);
        if (!isfinite(m->mean[c]) || !isfinite(m->deviation[c]) || m->deviation[c] <= 0)
            return damaged(m, (uint32_t)c, "the mean");
    }
    return 0;
}

static int read_head(struct tq_model *m, const uint8_t *head, uint64_t size) {
    uint32_t nodes = tq_u32(head + TQ_AT_NODES), layers = tq_u32(head + TQ_AT_LAYERS),
             channels = tq_u32(head + TQ_AT_CHANNELS), classes = tq_u32(head + TQ_AT_CLASSES),
             min_bits = tq_u32(head + TQ_AT_MIN_BITS);
    uint32_t resized = tq_u32(head + TQ_AT_RESIZED);
    m->logits = tq_u32(head + TQ_AT_LOGITS);
    m->banks = tq_u32(head + TQ_AT_BANKS);
    if (!nodes || nodes > TQ_MAX_NODES || layers > nodes || m->logits >= nodes ||
        m->banks > TQ_MAX_BANKS || !m->banks || !channels || channels > TQ_MAX_CHANNELS ||
        !classes || classes > TQ_MAX_VALUES || resized > 1 || !min_bits ||
        min_bits > (uint32_t)m->info.stored_bits ||
        size != tq_aligned(TQ_GRAPH + (uint64_t)nodes * TQ_NODE + (uint64_t)layers * TQ_LAYER))
        return damaged(m, 0, "the head");
    m->info.nodes = (int)nodes;
    m->info.layers = (int)layers;
    m->info.channels = (int)channels;
    m->info.classes = (int)classes;
    m->info.min_bits = (int)min_bits;
    m->info.resized = (int)resized;
    return read_widths(m, head) || read_image(m, head) ? m->code : 0;
}

int tq_read_graph(struct tq_model *m, const struct section *graph, const struct section *floats,
                  uint64_t plane_bytes) {
    const uint8_t *head = m->bytes + graph->offset;
    struct floats f = {m->bytes + floats->offset, floats->length};
    if (graph->length < TQ_GRAPH)
        return damaged(m, 0, "the head");
    if (are_finite(m, &f) || read_head(m, head, graph->length) ||
        read_nodes(m, &f, head + TQ_GRAPH))
        return m->code;
    return read_layers(m, &f, head + TQ_GRAPH + (size_t)m->info.nodes * TQ_NODE, plane_bytes);
}

int tq_check_nodes(struct tq_model *m) {
    const struct node *image = &m->nodes[0], *logits = &m->nodes[m->logits];
    m->info.input_channels = (int)image->c;
    m->info.height = (int)image->h;
    m->info.width = (int)image->w;
    if (m->info.channels != m->info.input_channels && m->info.channels != 1)
        return damaged(m, 0, "the channels");
    return values_of(logits) == (uint64_t)m->info.classes ? 0
                                                          : damaged(m, m->logits, "the classes");
}
