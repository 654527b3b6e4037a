/* The codes of a width for exact inference; exact.h is the manual. */
#include "evaluate/exact.h"

#include "quant/layer.h"

int exact_start(struct exact *x, const struct engine *engine, struct model *m,
                const struct frozen *frozen, int threads, enum arithmetic arithmetic,
                struct error *e) {
    *x = (struct exact){.engine = engine->inference, .m = m, .frozen = frozen};
    x->batch = threads > 1 ? threads * EXACT_BATCH_OF_A_THREAD : EXACT_BATCH;
    if (!x->engine || !m->n_quantized)
        return 0;
    struct error why = {0};
    x->inference = x->engine->compile(m, x->batch, threads, arithmetic, &why);
    if (!x->inference)
        return why.text[0] ? fail(e, "%s", why.text) : 0;
    return 0;
}

void exact_free(struct exact *x) {
    if (x->engine)
        x->engine->free(x->inference);
}

int exact_covers(const struct exact *x, int k, int act_bits) {
    return x->inference && k <= 8 && act_bits <= 8;
}

static void set_quantized(struct exact *x, int node, int k) {
    const struct node *n = &x->m->nodes[node];
    const struct quantized_layer *q = &x->m->quantized[n->quantizer];
    const struct quantizer *scheme = x->m->scheme;
    struct integers w;
    if (x->frozen) {
        w = layer_integers(scheme, &q->layer, x->frozen->codes[n->quantizer],
                           x->frozen->headers[n->quantizer], k);
    } else {
        const float *params = q->params >= 0 ? x->m->parameters[q->params].value : NULL;
        w = layer_latent_integers(scheme, &q->layer, x->m->parameters[n->weights].value, params, k);
    }
    x->engine->set_codes(x->inference, node, k, w.v, &w.form);
    integers_free(&w);
}

void exact_set_weights(struct exact *x, int k) {
    for (int i = 0; i < x->m->n_nodes; i++) {
        const struct node *n = &x->m->nodes[i];
        if (n->quantizer >= 0)
            set_quantized(x, i, k);
        else if (n->weights >= 0)
            x->engine->set_weights(x->inference, i, x->m->parameters[n->weights].value);
    }
}

const float *exact_forward(struct exact *x, const struct pass *pass, const float *images, int n) {
    return x->engine->forward(x->inference, pass->bank, pass->act_bits, images, n);
}

const char *exact_precision(const struct exact *x) {
    return x->engine->arithmetic(x->inference);
}
