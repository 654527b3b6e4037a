/* The codes of a width for exact evaluation; exact_threads.h is the manual. */
#include "evaluate/exact_threads.h"

#include "engine/load.h"

#include <omp.h>
#include <stdlib.h>
#include <string.h>

int exact_start(struct exact_threads *x, const struct engine *engine, struct model *m,
                const struct frozen *frozen, int threads, enum arithmetic arithmetic,
                struct error *e) {
    *x = (struct exact_threads){.threads = threads,
                                .batch = threads * EXACT_PARTS * EXACT_BATCH,
                                .team = team_of(threads),
                                .engine = engine->exact,
                                .m = m,
                                .frozen = frozen};
    if (!x->engine || !m->n_quantized)
        return 0;
    x->programs = need((size_t)threads, sizeof *x->programs);
    for (int i = 0; i < threads; i++) {
        struct error why = {0};
        x->programs[i] = x->engine->compile(m, EXACT_BATCH, arithmetic, &why);
        if (!x->programs[i]) {
            exact_free(x);
            return why.text[0] ? fail(e, "%s", why.text) : 0;
        }
    }
    x->logits = need((size_t)x->batch * node_values(&m->nodes[m->logits]), sizeof *x->logits);
    return 0;
}

void exact_free(struct exact_threads *x) {
    for (int i = 0; x->programs && i < x->threads; i++)
        x->engine->free(x->programs[i]);
    free(x->programs);
    free(x->logits);
    x->programs = NULL;
    x->logits = NULL;
}

int exact_covers(const struct exact_threads *x, const struct point *point) {
    return x->programs && point_is_codes(point);
}

void exact_set_weights(struct exact_threads *x, const struct point *point) {
    load_exact(x->m, x->frozen, x->engine, x->programs, x->threads, point);
}

void exact_upload(struct exact_threads *x, unsigned what) {
    for (int i = 0; x->programs && x->engine->upload && i < x->threads; i++)
        x->engine->upload(x->programs[i], what);
}

const float *exact_forward(struct exact_threads *x, const struct point *point, const float *images,
                           int n) {
    size_t image = node_values(&x->m->nodes[0]), scores = node_values(&x->m->nodes[x->m->logits]);
    int parts = (n + EXACT_BATCH - 1) / EXACT_BATCH;
    team_begin(&x->team);
    int threads = team_size(&x->team) < parts ? team_size(&x->team) : parts;
#pragma omp parallel for num_threads(threads) schedule(dynamic, 1)
    for (int i = 0; i < parts; i++) {
        size_t first = (size_t)i * EXACT_BATCH;
        int left = n - i * EXACT_BATCH, count = left < EXACT_BATCH ? left : EXACT_BATCH;
        omp_set_num_threads(1); // of this thread alone: as many as its primitives were made for
        const float *logits = x->engine->forward(x->programs[omp_get_thread_num()], point,
                                                 images + first * image, count);
        memcpy(x->logits + first * scores, logits, (size_t)count * scores * sizeof *logits);
    }
    team_end(&x->team, n);
    return x->logits;
}

const char *exact_arithmetic(const struct exact_threads *x) {
    return x->engine->arithmetic(x->programs[0]);
}
