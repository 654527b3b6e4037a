/* The codes of a width for exact inference; exact.h is the manual. */
#include "evaluate/exact.h"

#include "engine/load.h"

#include <stdlib.h>
#include <string.h>

int exact_start(struct exact *x, const struct engine *engine, struct model *m,
                const struct frozen *frozen, int threads, enum arithmetic arithmetic,
                struct error *e) {
    *x = (struct exact){.threads = threads,
                        .batch = threads * EXACT_BATCH,
                        .engine = engine->inference,
                        .m = m,
                        .frozen = frozen};
    if (!x->engine || !m->n_quantized)
        return 0;
    x->inference = need((size_t)threads, sizeof *x->inference);
    for (int i = 0; i < threads; i++) {
        struct error why = {0};
        x->inference[i] = x->engine->compile(m, EXACT_BATCH, arithmetic, &why);
        if (!x->inference[i]) {
            exact_free(x);
            return why.text[0] ? fail(e, "%s", why.text) : 0;
        }
    }
    x->logits = need((size_t)x->batch * node_values(&m->nodes[m->logits]), sizeof *x->logits);
    return 0;
}

void exact_free(struct exact *x) {
    for (int i = 0; x->inference && i < x->threads; i++)
        x->engine->free(x->inference[i]);
    free(x->inference);
    free(x->logits);
    x->inference = NULL;
    x->logits = NULL;
}

int exact_covers(const struct exact *x, const struct point *point) {
    return x->inference && point_is_codes(point);
}

void exact_set_weights(struct exact *x, const struct point *point) {
    load_inferences(x->m, x->frozen, x->engine, x->inference, x->threads, point);
}

const float *exact_forward(struct exact *x, const struct point *point, const float *images, int n) {
    size_t image = node_values(&x->m->nodes[0]), scores = node_values(&x->m->nodes[x->m->logits]);
    int shares = n < x->threads ? n : x->threads;
#pragma omp parallel for num_threads(shares) schedule(static, 1)
    for (int i = 0; i < shares; i++) {
        size_t first = (size_t)(n * i / shares), count = (size_t)(n * (i + 1) / shares) - first;
        const float *logits =
            x->engine->forward(x->inference[i], point, images + first * image, (int)count);
        memcpy(x->logits + first * scores, logits, count * scores * sizeof *logits);
    }
    return x->logits;
}

const char *exact_arithmetic(const struct exact *x) {
    return x->engine->arithmetic(x->inference[0]);
}
