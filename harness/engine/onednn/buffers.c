/* Outputs and gradients of the onednn engine; program.h is the manual. */
#include "engine/onednn/program.h"

#include <stdlib.h>
#include <string.h>

size_t place_size(const struct program *p, int i, enum layout layout, int n) {
    struct blocked s = blocked_shape(n, node_of(p, i)->shape);
    return layout == BLOCKED ? blocked_size(&s) : node_values(node_of(p, i)) * (size_t)n;
}

/* ---- outputs in the layout that a reader wants ---- */

float *place_view(struct program *p, int i, enum layout layout) {
    struct place *x = &p->places[i];
    struct blocked s = shape_of(p, i);
    if (x->behind)
        blocked_codes_to_floats(&s, p->r.pass.point.act_bits, x->codes, x->out);
    x->behind = 0;
    if (x->layout == layout)
        return x->out;
    if (!x->view)
        x->view = need_aligned(place_size(p, i, layout, p->batch), sizeof(float));
    if (!x->viewed && layout == PLAIN)
        blocked_to_plain(&s, x->out, x->view, 0);
    else if (!x->viewed)
        blocked_from_plain(&s, x->out, x->view);
    x->viewed = 1;
    return x->view;
}

/* ---- gradient buffers ---- */

static struct buffer *take(struct program *p, size_t size) {
    for (int i = 0; i < p->n_buffers; i++) {
        struct buffer *b = p->buffers[i];
        if (!b->readers && b->size >= size && b->size <= 2 * size) {
            b->readers = 1;
            return b;
        }
    }
    struct buffer *b = need(1, sizeof *b);
    *b = (struct buffer){need_aligned(size, sizeof(float)), size, 1};
    p->buffers = realloc(p->buffers, (size_t)(p->n_buffers + 1) * sizeof *p->buffers);
    if (!p->buffers)
        need((size_t)-1, 1); // says that memory is out, and ends
    return p->buffers[p->n_buffers++] = b;
}

static void release(struct buffer *b) {
    if (b)
        b->readers--;
}

float *place_own_gradient(struct program *p, int i, int *add) {
    struct place *x = &p->places[i];
    size_t size = place_size(p, i, x->layout, p->r.n);
    *add = x->grad != NULL;
    if (!x->grad)
        x->grad = take(p, place_size(p, i, x->layout, p->batch));
    if (x->grad->readers > 1) { // somebody else still reads it
        struct buffer *copy = take(p, place_size(p, i, x->layout, p->batch));
        memcpy(copy->data, x->grad->data, size * sizeof(float));
        release(x->grad);
        x->grad = copy;
    }
    return x->grad->data;
}

void place_drop_gradient(struct program *p, int i) {
    release(p->places[i].grad);
    p->places[i].grad = NULL;
}

struct sink sink_open(struct program *p, int node, enum layout layout, int can_add) {
    struct sink s = {.node = node, .layout = layout};
    if (node_of(p, node)->op == OP_INPUT)
        return s;
    if (p->places[node].layout == layout && (can_add || !p->places[node].grad)) {
        s.data = place_own_gradient(p, node, &s.add);
        return s;
    }
    s.between = take(p, place_size(p, node, layout, p->batch));
    s.data = s.between->data;
    return s;
}

void sink_close(struct program *p, struct sink *s) {
    if (!s->between)
        return;
    struct blocked shape = shape_of(p, s->node);
    size_t size = place_size(p, s->node, p->places[s->node].layout, p->r.n);
    int add;
    float *own = place_own_gradient(p, s->node, &add);
    if (s->layout == p->places[s->node].layout) {
        blocked_scale(size, 1, s->data, own, add);
    } else if (s->layout == BLOCKED) {
        blocked_to_plain(&shape, s->data, own, add);
    } else if (!add) {
        blocked_from_plain(&shape, s->data, own);
    } else {
        struct buffer *blocked = take(p, place_size(p, s->node, BLOCKED, p->batch));
        blocked_from_plain(&shape, s->data, blocked->data);
        blocked_scale(size, 1, blocked->data, own, 1);
        release(blocked);
    }
    release(s->between);
}
