/* The codes of a width for exact inference; exact.h is the manual. */
#include "evaluate/exact.h"

#include "quant/layer.h"
#include "train/trainer.h"

#include <stdlib.h>

static size_t most_channels(const struct model *m) {
    size_t most = 1;
    for (int i = 0; i < m->n_quantized; i++) {
        size_t c = m->quantized[i].layer.channels;
        most = c > most ? c : most;
    }
    return most;
}

int exact_start(struct exact *x, const struct engine *engine, struct model *m,
                const struct frozen *frozen, int threads, enum arithmetic arithmetic,
                struct error *e) {
    *x = (struct exact){.engine = engine->inference, .m = m, .frozen = frozen};
    if (!x->engine || !m->n_quantized)
        return 0;
    struct error why = {0};
    x->inference = x->engine->compile(m, EXACT_BATCH, threads, arithmetic, &why);
    if (!x->inference)
        return why.text[0] ? fail(e, "%s", why.text) : 0;
    size_t largest = model_largest_weights(m), channels = most_channels(m);
    x->codes = need(largest, 1);
    x->v = need(largest, 1);
    x->unit = need(channels, sizeof *x->unit);
    x->offset = need(channels, sizeof *x->offset);
    return 0;
}

void exact_free(struct exact *x) {
    if (x->engine)
        x->engine->free(x->inference);
    free(x->codes);
    free(x->v);
    free(x->unit);
    free(x->offset);
}

int exact_covers(const struct exact *x, int k, int act_bits) {
    return x->inference && k <= 8 && act_bits <= 8;
}

static void set_quantized(struct exact *x, int node, int k) {
    const struct node *n = &x->m->nodes[node];
    const struct quantized_layer *q = &x->m->quantized[n->quantizer];
    const struct quantizer *scheme = x->m->scheme;
    const struct quant_layer *layer = &q->layer;
    struct integer_form form = {.unit = x->unit, .offset = x->offset};
    if (x->frozen) {
        layer_integers(scheme, layer, x->frozen->codes[n->quantizer], layer->stored_bits,
                       x->frozen->headers[n->quantizer], k, x->v, &form);
    } else {
        float *header = need(layer_header_floats(scheme, layer), sizeof *header);
        const float *params = q->params >= 0 ? x->m->parameters[q->params].value : NULL;
        layer_encode(scheme, layer, x->m->parameters[n->weights].value, params, k, x->codes,
                     header);
        layer_integers(scheme, layer, x->codes, k, header, k, x->v, &form);
        free(header);
    }
    x->engine->set_codes(x->inference, node, k, x->v, &form);
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
