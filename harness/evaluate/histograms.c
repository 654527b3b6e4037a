/* Counts of a layer's weights; histograms.h is the manual. */
#include "evaluate/histograms.h"

#include "quant/axes.h"

#include <stdio.h>
#include <stdlib.h>

enum { BIN_BITS = 8, BINS = 1 << BIN_BITS };

/* As an array of JSON; owned. */
static char *print_counts(const int64_t counts[BINS]) {
    char *text;
    size_t size;
    FILE *out = need_stream(&text, &size);
    for (int b = 0; b < BINS; b++)
        fprintf(out, "%c%lld", b ? ',' : '[', (long long)counts[b]);
    fputc(']', out);
    fclose(out);
    return text;
}

/* What may be known of other weights at the same place is not asked for. */
static char *count_layer(const struct quant_layer *layer, const float *W) {
    struct quant_layer l = *layer;
    int64_t counts[BINS] = {0};
    float *u = need(l.n, sizeof *u);
    l.known.of = NULL;
    axes_map(&l, W, u);
    for (size_t i = 0; i < l.n; i++)
        counts[axes_code(ROUND_FLOOR, u[i], BIN_BITS)]++;
    free(u);
    return print_counts(counts);
}

static int has_range(const struct quant_layer *l) {
    return l->axes.range == RANGE_TANH || l->axes.range == RANGE_MINMAX;
}

void histograms_add(struct histograms *h, const struct model *m, const char *stage) {
    struct histogram_row *rows = need((size_t)(h->n + m->n_quantized) + 1, sizeof *rows);
    for (int i = 0; i < h->n; i++)
        rows[i] = h->rows[i];
    free(h->rows);
    h->rows = rows;
    for (int i = 0; i < m->n_quantized; i++) {
        const struct quantized_layer *q = &m->quantized[i];
        if (has_range(&q->layer))
            rows[h->n++] =
                (struct histogram_row){m->nodes[q->node].layer, stage, (int64_t)q->layer.n,
                                       count_layer(&q->layer, quantized_weights(m, q))};
    }
}

void histograms_free(struct histograms *h) {
    for (int i = 0; i < h->n; i++)
        free((char *)h->rows[i].counts);
    free(h->rows);
    *h = (struct histograms){0};
}
