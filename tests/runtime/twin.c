/* The plain inference; twin.h is the manual. Everything is in canonical order, one image at a time.
 */
#include "runtime/twin.h"

#include "quant/layer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What a node has left: sums and the map that is still to come, or values; codes beside them. */
struct left {
    float *value; // (c, h, w), of who has values
    int64_t *sum; // (c, h, w), of codes' products; NULL: none
    int64_t *box; // (c, h, w): Σ of the window's codes
    float *real;  // (c, h, w), of floats' products
    float *a, *b, *o;
    uint8_t *code;
};

struct twin {
    const struct frozen *f;
    const struct model *m;
    struct integers *integers; // by quantized layer
    int k, bank, act_bits;
    struct left *left;
};

static size_t plane(const struct node *n) {
    return (size_t)n->shape.h * (size_t)n->shape.w;
}

/* The value of a node that keeps it, or that is still to come. */
static float value_at(const struct twin *t, int node, size_t i) {
    const struct left *x = &t->left[node];
    size_t c = i / plane(&t->m->nodes[node]);
    if (x->code)
        return (float)x->code[i] / (float)((1 << t->act_bits) - 1);
    if (x->value)
        return x->value[i];
    float v = x->a[c] * (x->sum ? (float)x->sum[i] : x->real[i]) + x->b[c];
    return x->o ? v + x->o[c] * (float)x->box[i] : v;
}

/* ---- products ---- */

struct geometry {
    int rows, cols, stride, padding, groups, channels;
};

static struct geometry geometry_of(const struct twin *t, const struct node *n) {
    const struct shape *in = &t->m->nodes[n->in[0]].shape;
    if (n->op == OP_LINEAR)
        return (struct geometry){in->h, in->w, 1, 0, 1, in->c};
    const struct cfg_layer *c = n->cfg;
    return (struct geometry){c->size,    c->size,   c->stride,
                             c->padding, c->groups, c->in.c / c->groups};
}

/* The integer or float that a weight of the width stands for. */
static double weight_at(const struct twin *t, const struct node *n, int codes, size_t i) {
    if (n->quantized < 0)
        return t->m->parameters[n->weights].value[i];
    const struct integers *x = &t->integers[n->quantized];
    size_t filter = i / (t->m->quantized[n->quantized].layer.n / (size_t)n->shape.c);
    int w = x->form.factor * x->v[i] + x->form.odd;
    if (codes)
        return w;
    return x->form.unit[filter] * (float)w + (x->form.has_offset ? x->form.offset[filter] : 0);
}

static void sum_window(const struct twin *t, int node, size_t at, struct left *x) {
    const struct node *n = &t->m->nodes[node], *in = &t->m->nodes[n->in[0]];
    const struct geometry g = geometry_of(t, n);
    const uint8_t *codes = n->quantized >= 0 ? t->left[n->in[0]].code : NULL;
    int f = (int)(at / plane(n)), p = (int)(at % plane(n));
    int first = f / (n->shape.c / g.groups) * g.channels;
    double sum = 0, box = 0;
    for (int r = 0; r < g.rows; r++)
        for (int s = 0; s < g.cols; s++)
            for (int c = 0; c < g.channels; c++) {
                int y = p / n->shape.w * g.stride + r - g.padding;
                int z = p % n->shape.w * g.stride + s - g.padding;
                if (y < 0 || y >= in->shape.h || z < 0 || z >= in->shape.w)
                    continue;
                size_t i = (size_t)(((first + c) * in->shape.h + y) * in->shape.w + z);
                size_t w = (size_t)(((f * g.channels + c) * g.rows + r) * g.cols + s);
                double v = codes ? codes[i] : (double)value_at(t, n->in[0], i);
                sum += weight_at(t, n, codes != NULL, w) * v;
                box += v;
            }
    if (codes) { // below 2^53, so exact
        x->sum[at] = (int64_t)sum;
        x->box[at] = (int64_t)box;
    } else {
        x->real[at] = (float)sum;
    }
}

static void run_product(struct twin *t, int node) {
    const struct node *n = &t->m->nodes[node];
    struct left *x = &t->left[node];
    const int codes = n->quantized >= 0 && t->left[n->in[0]].code;
    const struct integer_form *form = codes ? &t->integers[n->quantized].form : NULL;
    const float *bias = n->bias >= 0 ? t->m->parameters[n->bias].value : NULL;
    double top = (1 << t->act_bits % 32) - 1;
    size_t values = node_values(n);
    x->real = need(values, sizeof *x->real);
    x->sum = codes ? need(values, sizeof *x->sum) : NULL;
    x->box = codes ? need(values, sizeof *x->box) : NULL;
    for (size_t i = 0; i < values; i++)
        sum_window(t, node, i, x);
    x->o = codes && form->has_offset ? need((size_t)n->shape.c, sizeof *x->o) : NULL;
    for (int c = 0; c < n->shape.c; c++) {
        x->a[c] = codes ? (float)(form->unit[c] / top) : 1;
        x->b[c] = bias ? bias[c] : 0;
        if (x->o)
            x->o[c] = (float)(form->offset[c] / top);
    }
}

/* ---- the other nodes ---- */

static void run_norm(struct twin *t, int node) {
    const struct node *n = &t->m->nodes[node];
    const struct norm *norm = &t->m->norms[n->norm];
    struct left *x = &t->left[node], *in = &t->left[n->in[0]];
    size_t values = node_values(n);
    int composes = !in->value && !in->code;
    x->real = need(values, sizeof *x->real);
    for (size_t i = 0; i < values; i++)
        x->real[i] = composes ? (in->real ? in->real[i] : 0) : value_at(t, n->in[0], i);
    if (composes && in->sum) {
        x->sum = memcpy(need(values, sizeof *x->sum), in->sum, values * sizeof *x->sum);
        x->box = memcpy(need(values, sizeof *x->box), in->box, values * sizeof *x->box);
    }
    x->o = composes && in->o ? need((size_t)n->shape.c, sizeof *x->o) : NULL;
    for (int c = 0; c < n->shape.c; c++) {
        double a = norm->scale_of[t->bank][c] / sqrt((double)norm->variance[t->bank][c] + 1e-5);
        double b = norm->shift_of[t->bank][c] - a * norm->mean[t->bank][c];
        x->a[c] = (float)(composes ? a * in->a[c] : a);
        x->b[c] = (float)(composes ? a * in->b[c] + b : b);
        if (x->o)
            x->o[c] = (float)(a * in->o[c]);
    }
}

static void run_act(struct twin *t, int node) {
    const struct node *n = &t->m->nodes[node];
    struct left *x = &t->left[node];
    float top = (float)((1 << t->act_bits % 32) - 1);
    int codes = n->clips && t->act_bits <= 8;
    if (codes)
        x->code = need(node_values(n), 1);
    else
        x->value = need(node_values(n), sizeof *x->value);
    for (size_t i = 0; i < node_values(n); i++) {
        float v = fmaxf(value_at(t, n->in[0], i), 0);
        if (codes)
            x->code[i] = (uint8_t)rintf(top * fminf(v, 1));
        else
            x->value[i] = n->cfg->activation == ACT_RELU6 ? fminf(v, 6) : v;
    }
}

static void run_maxpool(struct twin *t, int node) {
    const struct node *n = &t->m->nodes[node], *in = &t->m->nodes[n->in[0]];
    struct left *x = &t->left[node];
    const uint8_t *codes = t->left[n->in[0]].code;
    float top = (float)((1 << t->act_bits % 32) - 1);
    x->code = codes ? need(node_values(n), 1) : NULL;
    x->value = codes ? NULL : need(node_values(n), sizeof *x->value);
    for (size_t i = 0; i < node_values(n); i++) {
        int c = (int)(i / plane(n)), p = (int)(i % plane(n));
        float most = -INFINITY;
        for (int r = 0; r < n->cfg->size; r++)
            for (int s = 0; s < n->cfg->size; s++) {
                int y = p / n->shape.w * n->cfg->stride + r - n->cfg->padding / 2;
                int z = p % n->shape.w * n->cfg->stride + s - n->cfg->padding / 2;
                if (y >= 0 && y < in->shape.h && z >= 0 && z < in->shape.w)
                    most = fmaxf(most, value_at(t, n->in[0],
                                                (size_t)((c * in->shape.h + y) * in->shape.w + z)));
            }
        if (codes)
            x->code[i] = (uint8_t)rintf(top * most);
        else
            x->value[i] = most;
    }
}

static void run_avgpool(struct twin *t, int node) {
    const struct node *n = &t->m->nodes[node], *in = &t->m->nodes[n->in[0]];
    struct left *x = &t->left[node];
    x->value = need((size_t)n->shape.c, sizeof *x->value);
    for (int c = 0; c < n->shape.c; c++) {
        double sum = 0;
        for (size_t p = 0; p < plane(in); p++)
            sum += (double)value_at(t, n->in[0], (size_t)c * plane(in) + p);
        x->value[c] = (float)(sum / (double)plane(in));
    }
}

static void run_add(struct twin *t, int node) {
    const struct node *n = &t->m->nodes[node];
    struct left *x = &t->left[node];
    x->value = need(node_values(n), sizeof *x->value);
    for (size_t i = 0; i < node_values(n); i++)
        x->value[i] =
            n->cfg->alpha * value_at(t, n->in[0], i) + n->cfg->beta * value_at(t, n->in[1], i);
}

static void pass_on(struct twin *t, int node) {
    const struct node *n = &t->m->nodes[node];
    struct left *x = &t->left[node];
    if (t->left[n->in[0]].code) {
        x->code = memcpy(need(node_values(n), 1), t->left[n->in[0]].code, node_values(n));
        return;
    }
    x->value = need(node_values(n), sizeof *x->value);
    for (size_t i = 0; i < node_values(n); i++)
        x->value[i] = value_at(t, n->in[0], i);
}

static void run_node(struct twin *t, int node) {
    static void (*const run[OPS])(struct twin *, int) = {
        [OP_CONV] = run_product, [OP_LINEAR] = run_product,  [OP_NORM] = run_norm,
        [OP_ACT] = run_act,      [OP_MAXPOOL] = run_maxpool, [OP_AVGPOOL] = run_avgpool,
        [OP_ADD] = run_add,      [OP_DROPOUT] = pass_on,
    };
    size_t c = (size_t)t->m->nodes[node].shape.c;
    t->left[node].a = need(c, sizeof(float));
    t->left[node].b = need(c, sizeof(float));
    run[t->m->nodes[node].op](t, node);
}

static void free_left(struct twin *t) {
    for (int i = 0; i < t->m->n_nodes; i++) {
        struct left *x = &t->left[i];
        void *all[] = {x->value, x->sum, x->box, x->real, x->a, x->b, x->o, x->code};
        for (size_t j = 0; j < sizeof all / sizeof *all; j++)
            free(all[j]);
        *x = (struct left){0};
    }
}

static void run_image(struct twin *t, const float *image, float *scores) {
    size_t values = node_values(&t->m->nodes[0]), classes = node_values(&t->m->nodes[t->m->logits]);
    t->left[0].value = memcpy(need(values, sizeof *image), image, values * sizeof *image);
    for (int i = 1; i < t->m->n_nodes; i++)
        run_node(t, i);
    for (size_t i = 0; i < classes; i++)
        scores[i] = value_at(t, t->m->logits, i);
    free_left(t);
}

void twin_exact(const struct frozen *f, int k, int bank, const float *images, int n,
                float *scores) {
    struct twin t = {
        .f = f, .m = f->m, .k = k, .bank = bank, .act_bits = spec_act_bits(&f->spec, k)};
    t.integers = need((size_t)f->m->n_quantized, sizeof *t.integers);
    t.left = need((size_t)f->m->n_nodes, sizeof *t.left);
    for (int i = 0; i < f->m->n_quantized; i++)
        t.integers[i] = layer_integers(f->m->quantizer, &f->m->quantized[i].layer, f->codes[i],
                                       f->headers[i], k);
    for (int i = 0; i < n; i++)
        run_image(&t, images + (size_t)i * node_values(&f->m->nodes[0]),
                  scores + (size_t)i * node_values(&f->m->nodes[f->m->logits]));
    for (int i = 0; i < f->m->n_quantized; i++)
        integers_free(&t.integers[i]);
    free(t.integers);
    free(t.left);
}
