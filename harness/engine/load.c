/* From a model's weights to an engine's; load.h is the manual. */
#include "engine/load.h"

#include "quant/layer.h"

#include <string.h>

void load_node(const struct model *m, const struct frozen *frozen, int node, int k, float *W_hat) {
    const struct node *n = &m->nodes[node];
    const struct parameter *W = &m->parameters[n->weights];
    if (n->quantized < 0) {
        memcpy(W_hat, W->value, W->n * sizeof *W_hat);
        return;
    }
    const struct quantized_layer *q = &m->quantized[n->quantized];
    if (frozen)
        layer_decode(m->quantizer, &q->layer, frozen->codes[n->quantized],
                     frozen->headers[n->quantized], k, W_hat);
    else
        layer_quantize(m->quantizer, &q->layer, W->value, quantized_params(m, q), k, W_hat);
}

/* Ŵ_k as whole numbers, of the scheme's integer_form; the caller frees them. */
static struct integers integers_of(const struct model *m, const struct frozen *frozen,
                                   int quantized, int k) {
    const struct quantized_layer *q = &m->quantized[quantized];
    if (frozen)
        return layer_integers(m->quantizer, &q->layer, frozen->codes[quantized],
                              frozen->headers[quantized], k);
    return layer_latent_integers(m->quantizer, &q->layer, quantized_weights(m, q),
                                 quantized_params(m, q), k);
}

/* The integers behind a layer's Ŵ, for an engine that computes with them. */
static void load_integers(const struct model *m, const struct frozen *frozen,
                          const struct engine *engine, struct program *program, int node, int k) {
    if (k > 8 || !engine->wants_integers || !engine->wants_integers(program, node))
        return;
    struct integers x = integers_of(m, frozen, m->nodes[node].quantized, k);
    engine->set_integers(program, node, x.v, &x.form);
    integers_free(&x);
}

void load_program(const struct model *m, const struct frozen *frozen, const struct engine *engine,
                  struct program *program, const struct point *point, float *scratch) {
    for (int i = 0; i < m->n_nodes; i++) {
        const struct node *n = &m->nodes[i];
        if (n->weights < 0)
            continue;
        if (n->quantized < 0) {
            engine->set_weights(program, i, m->parameters[n->weights].value);
            continue;
        }
        int k = point_layer_bits(point, n->quantized);
        load_node(m, frozen, i, k, scratch);
        engine->set_weights(program, i, scratch);
        load_integers(m, frozen, engine, program, i, k);
    }
}

static void load_codes(const struct model *m, const struct frozen *frozen,
                       const struct exact_engine *engine, struct exact_program *const *programs,
                       int n, int node, int k) {
    struct integers w = integers_of(m, frozen, m->nodes[node].quantized, k);
    for (int i = 0; i < n; i++)
        engine->set_codes(programs[i], node, k, w.v, &w.form);
    integers_free(&w);
}

void load_exact(const struct model *m, const struct frozen *frozen,
                const struct exact_engine *engine, struct exact_program *const *programs, int n,
                const struct point *point) {
    for (int node = 0; node < m->n_nodes; node++) {
        const struct node *of = &m->nodes[node];
        if (of->quantized >= 0)
            load_codes(m, frozen, engine, programs, n, node,
                       point_layer_bits(point, of->quantized));
        for (int i = 0; of->quantized < 0 && of->weights >= 0 && i < n; i++)
            engine->set_weights(programs[i], node, m->parameters[of->weights].value);
    }
}

/* Whether weights and activations of one width are whole numbers times a scale. Layers differ in
 * their numbers alone, and so do widths of the same weights. */
static int has_integers(const struct spec *spec, const struct model *m) {
    int k = FLOAT_BITS;
    for (int b = 0; b < m->widths.n; b++)
        if (m->widths.bits[b] <= 8 && spec_act_bits(spec, m->widths.bits[b]) <= 8)
            k = m->widths.bits[b];
    if (k == FLOAT_BITS || !m->n_quantized || !m->quantizer->integer_form)
        return 0;
    struct integers x = integers_of(m, NULL, 0, k);
    int has = !x.form.has_offset;
    integers_free(&x);
    return has;
}

int load_precision(const struct spec *spec, const struct model *m, const struct engine *engine,
                   struct program *program, enum precision *precision, struct error *e) {
    int used = 0;
    if (*precision == PRECISION_FP32)
        return 0;
    if (!engine->use_bf16 || has_integers(spec, m)) {
        if (engine_use(engine, program, *precision, e))
            return -1;
        for (int i = 0; i < m->n_nodes; i++)
            used |= engine->wants_integers(program, i);
    }
    if (!used)
        *precision = PRECISION_FP32;
    return 0;
}
