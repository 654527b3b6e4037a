/* Start values; start.h is the manual. */
#include "model/start.h"

#include "base/random.h"

#include <math.h>

static void fill_with(float *x, size_t n, float value) {
    for (size_t i = 0; i < n; i++)
        x[i] = value;
}

static void draw_uniform(struct parameter *p, struct random *r, float bound) {
    for (size_t i = 0; i < p->n; i++)
        p->value[i] = bound * (2 * random_unit(r) - 1);
}

/* Box and Muller; 1 - unit is never 0. */
static void draw_normal(struct parameter *p, struct random *r, float deviation) {
    for (size_t i = 0; i < p->n; i++) {
        double radius = sqrt(-2 * log(1 - (double)random_unit(r)));
        double angle = 2 * 3.14159265358979323846 * (double)random_unit(r);
        p->value[i] = deviation * (float)(radius * cos(angle));
    }
}

static void start_weights(struct model *m, const struct node *n, uint64_t seed) {
    struct parameter *w = &m->parameters[n->weights];
    struct random r = random_stream(seed, RANDOM_WEIGHTS, 0, (uint64_t)n->weights);
    float fan_in = (float)(w->n / (size_t)n->cfg->out.c);
    if (n->cfg->start == START_KAIMING_UNIFORM)
        draw_uniform(w, &r, 1 / sqrtf(fan_in));
    else if (n->cfg->start == START_KAIMING_NORMAL)
        draw_normal(w, &r, sqrtf(2 / (float)(n->cfg->filters * n->cfg->size * n->cfg->size)));
    else if (n->op == OP_CONV)
        draw_normal(w, &r, sqrtf(2 / fan_in));
    else
        draw_uniform(w, &r, sqrtf(2 / fan_in));
    if (n->bias >= 0 && n->cfg->start != START_DARKNET) {
        r = random_stream(seed, RANDOM_WEIGHTS, 0, (uint64_t)n->bias);
        draw_uniform(&m->parameters[n->bias], &r, 1 / sqrtf(fan_in));
    }
}

static void start_norm(const struct model *m, struct norm *n) {
    for (int b = 0; b <= m->spare; b++) {
        fill_with(n->scale_of[b], (size_t)n->channels, 1);
        fill_with(n->variance[b], (size_t)n->channels, 1);
    }
}

void start_quantizers(struct model *m) {
    for (int i = 0; i < m->n_quantized; i++) {
        struct quantized_layer *q = &m->quantized[i];
        if (q->params >= 0)
            m->quantizer->start_params(&q->layer, m->parameters[m->nodes[q->node].weights].value,
                                       m->parameters[q->params].value);
    }
}

static void start_values(struct model *m, uint64_t seed) {
    for (int i = 0; i < m->n_nodes; i++)
        if (m->nodes[i].weights >= 0)
            start_weights(m, &m->nodes[i], seed);
    for (int i = 0; i < m->n_norms; i++)
        start_norm(m, &m->norms[i]);
    start_quantizers(m);
}

struct model *model_build(struct cfg *cfg, const struct spec *spec,
                          const struct quantizer *quantizer, struct error *e) {
    struct model *m = model_lay_out(cfg, spec, quantizer);
    start_values(m, (uint64_t)spec->seed);
    if (!model_need_darknet(m, e))
        return m;
    model_free(m);
    return NULL;
}
