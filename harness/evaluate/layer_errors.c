/* What quantization and truncation do to the weights of each layer; evaluator.h has the formulas.
 */
#include "evaluate/evaluator.h"

#include "quant/layer.h"

#include <stdlib.h>
#include <string.h>

/* Scratch for one layer. */
struct weights_of {
    float *full, *direct, *truncated, *header;
    uint8_t *stored, *codes;
};

static struct weights_of weights_new(const struct quantizer *s, const struct quant_layer *l) {
    return (struct weights_of){need(l->n, sizeof(float)),
                               need(l->n, sizeof(float)),
                               need(l->n, sizeof(float)),
                               need(layer_header_floats(s, l), sizeof(float)),
                               need(l->n, 1),
                               need(l->n, 1)};
}

static void weights_free(struct weights_of *w) {
    free(w->full);
    free(w->direct);
    free(w->truncated);
    free(w->header);
    free(w->stored);
    free(w->codes);
}

/* |a - b|² / |b|²; 0 where both are 0, and -1, which is none, where b alone is. */
static double relative_error(const float *a, const float *b, size_t n) {
    double difference = 0, norm = 0;
    for (size_t i = 0; i < n; i++) {
        difference += ((double)a[i] - b[i]) * ((double)a[i] - b[i]);
        norm += (double)b[i] * b[i];
    }
    if (norm > 0)
        return difference / norm;
    return difference > 0 ? -1 : 0;
}

static double share_differing(const struct quantizer *s, const struct weights_of *w, size_t n,
                              int stored_bits, int k) {
    size_t differing = 0;
    for (size_t i = 0; i < n; i++)
        differing += s->truncate(w->stored[i], stored_bits, k) != w->codes[i];
    return (double)differing / (double)n;
}

static double mean_magnitude(const float *x, size_t n) {
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += x[i] < 0 ? -x[i] : x[i];
    return n ? sum / (double)n : 0;
}

static void measure_layer(const struct model *m, const struct quantized_layer *q,
                          const float *params, struct weights_of *w, struct layer_row *row) {
    const struct quantizer *s = m->quantizer;
    const struct quant_layer *l = &q->layer;
    const float *W = quantized_weights(m, q);
    layer_quantize(s, l, W, params, FLOAT_BITS, w->full);
    layer_quantize(s, l, W, params, row->bits, w->direct);
    row->quantization_error = relative_error(w->direct, w->full, l->n);
    row->truncation_error = row->codes_differ = -1;
    row->scale = mean_magnitude(w->direct, l->n);
    if (row->bits > l->stored_bits || s->alone)
        return;
    layer_encode(s, l, W, params, row->bits, w->codes, w->header);
    layer_encode(s, l, W, params, l->stored_bits, w->stored, w->header);
    layer_decode(s, l, w->stored, w->header, row->bits, w->truncated);
    row->truncation_error = relative_error(w->truncated, w->direct, l->n);
    row->codes_differ = share_differing(s, w, l->n, l->stored_bits, row->bits);
}

int layer_rows(const struct model *m, const struct spec *spec, struct layer_row **rows) {
    int n = 0;
    *rows = need((size_t)m->n_quantized * (size_t)spec->bits.n + 1, sizeof **rows);
    for (int i = 0; i < m->n_quantized; i++) {
        const struct quantized_layer *q = &m->quantized[i];
        const float *params = quantized_params(m, q);
        struct weights_of w = weights_new(m->quantizer, &q->layer);
        for (int b = 0; b < spec->bits.n; b++) {
            int k = spec->bits.bits[b];
            if (k > 8 || !evaluation_exists(spec, m->quantizer, k, 0))
                continue;
            struct layer_row *row = &(*rows)[n++];
            char name[96];
            model_node_name(m, q->node, name, sizeof name);
            *row = (struct layer_row){
                .layer = m->nodes[q->node].layer, .name = need_string(name), .bits = k};
            measure_layer(m, q, params, &w, row);
        }
        weights_free(&w);
    }
    return n;
}

void layer_rows_free(struct layer_row *rows, int n) {
    for (int i = 0; i < n; i++)
        free((char *)rows[i].name);
    free(rows);
}
