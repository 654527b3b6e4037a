/* What each node leaves at a width, and where in memory it lies; session.h is the manual. */
#include "session.h"

void *tq_take(struct arena *a, size_t bytes) {
    uint8_t *at = a->base ? a->base + a->used : NULL;
    a->used += tq_aligned(bytes);
    return at;
}

/* ---- which nodes are computed together ---- */

static int changes_values(const struct node *n) {
    return n->op == TQ_NORM || n->op == TQ_ACT || n->op == TQ_ADD;
}

/* The nodes behind one that only change values of its shape go with it. */
static void find_runs(struct tq_session *s) {
    const struct tq_model *m = s->model;
    for (uint32_t i = 0; i < (uint32_t)m->info.nodes; i++) {
        const struct node *n = &m->nodes[i];
        int follows = i > 1 && changes_values(n) && m->nodes[i - 1].h == n->h &&
                      m->nodes[i - 1].w == n->w && m->nodes[i - 1].op != TQ_INPUT;
        s->places[i].first = follows ? s->places[i - 1].first : i;
    }
}

/* ---- what they leave ---- */

/* Through what keeps codes to the node that makes them. */
static int makes_codes(const struct tq_session *s, uint32_t node, int mode) {
    const struct node *n = &s->model->nodes[node];
    if (n->op == TQ_MAXPOOL)
        return s->places[n->in[0]].is_codes;
    return mode && n->op == TQ_ACT && n->clips;
}

int tq_reads_codes(const struct tq_session *s, uint32_t node) {
    const struct node *n = &s->model->nodes[node];
    return n->quantized != TQ_NONE && s->places[n->in[0]].is_codes;
}

static int is_product(const struct node *n) {
    return n->op == TQ_CONV || n->op == TQ_LINEAR;
}

static enum source source_of(const struct tq_session *s, uint32_t node) {
    if (!is_product(&s->model->nodes[node]))
        return FROM_MEMORY;
    return tq_reads_codes(s, node) ? FROM_SUMS : FROM_FLOAT_SUMS;
}

/* Whether a node finds the values of `in` without their being kept: as a map of what its own run
 * has just made or read. */
static int is_at_hand(const struct tq_session *s, uint32_t node, uint32_t in) {
    const struct place *p = &s->places[in];
    return p->first == s->places[node].first && (p->source != FROM_MEMORY || p->base != in);
}

/* A norm is a map of what it reads, or of what that is a map of. */
static void find_base(struct tq_session *s, uint32_t node) {
    const struct node *n = &s->model->nodes[node];
    struct place *p = &s->places[node];
    p->base = node;
    p->source = source_of(s, node);
    if (n->op != TQ_NORM)
        return;
    const struct place *in = &s->places[n->in[0]];
    int goes_on = is_at_hand(s, node, n->in[0]);
    p->base = goes_on ? in->base : n->in[0];
    p->source = goes_on ? in->source : FROM_MEMORY;
}

static void need_floats(struct tq_session *s, uint32_t in, uint32_t padding) {
    struct place *p = &s->places[in];
    p->keeps_floats = 1;
    p->padding = padding > p->padding ? padding : p->padding;
}

static void need_codes(struct tq_session *s, uint32_t in, uint32_t padding) {
    struct place *p = &s->places[in];
    p->keeps_codes = 1;
    p->padding = padding > p->padding ? padding : p->padding;
}

/* What a node wants of those that it reads. */
static void need_inputs(struct tq_session *s, uint32_t node) {
    const struct node *n = &s->model->nodes[node];
    uint32_t in = n->in[0], padding = n->op == TQ_CONV ? n->padding : 0;
    if (n->op == TQ_INPUT)
        return;
    if ((is_product(n) && tq_reads_codes(s, node)) ||
        (n->op == TQ_MAXPOOL && s->places[in].is_codes))
        need_codes(s, in, padding);
    else if (!changes_values(n) || !is_at_hand(s, node, in))
        need_floats(s, in, padding);
    if (n->op == TQ_ADD)
        need_floats(s, n->in[1], 0);
}

/* What is no map of something else is written where it is made, though only its own run read it. */
static void keep_results(struct tq_session *s, uint32_t node) {
    struct place *p = &s->places[node];
    uint32_t op = s->model->nodes[node].op;
    p->keeps_codes |= p->is_codes;
    if (!p->is_codes &&
        (op == TQ_INPUT || op == TQ_ACT || op == TQ_ADD || op == TQ_MAXPOOL || op == TQ_AVGPOOL))
        p->keeps_floats = 1;
}

static void find_places(struct tq_session *s, int mode) {
    const struct tq_model *m = s->model;
    uint32_t nodes = (uint32_t)m->info.nodes;
    find_runs(s);
    for (uint32_t i = 0; i < nodes; i++) {
        struct place *p = &s->places[i];
        *p = (struct place){.first = p->first, .is_codes = makes_codes(s, i, mode)};
        find_base(s, i);
    }
    for (uint32_t i = 0; i < nodes; i++)
        need_inputs(s, i);
    need_floats(s, m->logits, 0);
    for (uint32_t i = 0; i < nodes; i++)
        keep_results(s, i);
}

/* ---- memory ---- */

/* Images one after the other, each with a border of zeros; pixels begin at whole words of `unit`
 * values. */
static void place_tensor(const struct tq_session *s, const struct node *n, uint32_t padding,
                         uint32_t unit, size_t value, struct tensor *t, struct arena *a) {
    t->pixel = (n->c + unit - 1) / unit * (size_t)unit;
    t->row = t->pixel * (n->w + 2 * (size_t)padding);
    t->image = t->row * (n->h + 2 * (size_t)padding);
    uint8_t *at = tq_take(a, t->image * s->batch * value);
    t->at = at ? at + (t->row + t->pixel) * padding * value : NULL;
}

static float *take_floats(struct arena *a, size_t n) {
    return tq_take(a, n * sizeof(float));
}

static void place_map(const struct tq_model *m, uint32_t node, struct place *p, struct arena *a) {
    const struct node *n = &m->nodes[node];
    if (!is_product(n) && n->op != TQ_NORM)
        return;
    p->a = take_floats(a, n->c);
    p->b = take_floats(a, n->c);
    p->o = take_floats(a, n->c);
}

/* Values of a row of outputs: of all images where each is one pixel. */
static size_t row_pixels(const struct tq_session *s, const struct node *n) {
    return tq_pixels(n) == 1 ? s->batch : n->w;
}

static void place_rows(struct tq_session *s, struct arena *a) {
    size_t values = 1, boxes = 1;
    for (uint32_t i = 0; i < (uint32_t)s->model->info.nodes; i++) {
        const struct node *n = &s->model->nodes[i];
        size_t pixels = row_pixels(s, n);
        values = pixels * n->c > values ? pixels * n->c : values;
        if (n->op == TQ_CONV || n->op == TQ_LINEAR) {
            size_t groups = n->op == TQ_CONV ? n->groups : 1;
            boxes = pixels * groups > boxes ? pixels * groups : boxes;
        }
    }
    s->T = tq_take(a, values * sizeof(int32_t));
    s->Y = take_floats(a, values);
    s->box = tq_take(a, boxes * sizeof(int32_t));
}

enum { WORD = 4 }; // codes that are multiplied at a time

void tq_lay_out(struct tq_session *s, int mode, struct arena *a) {
    const struct tq_model *m = s->model;
    find_places(s, mode);
    place_rows(s, a);
    for (uint32_t i = 0; i < (uint32_t)m->info.nodes; i++) {
        place_map(m, i, &s->places[i], a);
        if (is_product(&m->nodes[i]))
            tq_place_product(s, i, a);
    }
    size_t before = a->used;
    s->activations = tq_take(a, 0);
    for (uint32_t i = 0; i < (uint32_t)m->info.nodes; i++) {
        struct place *p = &s->places[i];
        if (p->keeps_floats)
            place_tensor(s, &m->nodes[i], p->padding, 1, sizeof(float), &p->floats, a);
        if (p->keeps_codes)
            place_tensor(s, &m->nodes[i], p->padding, WORD, 1, &p->codes, a);
    }
    s->activation_bytes = a->used - before;
}
