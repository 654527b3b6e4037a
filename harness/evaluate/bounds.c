/* Percentiles of activations, by counting; bounds.h is the manual. */
#include "evaluate/bounds.h"

#include "data/loader.h"
#include "engine/load.h"
#include "train/trainer.h"

#include <stdlib.h>
#include <string.h>

enum { HALF_BITS = 16, HALVES = 1 << HALF_BITS };

/* Floats from 0 on are in the order of their bits. The first pass counts upper halves and finds
 * that of the percentile; the second counts the lower halves of the values that share it. */
struct counts {
    int64_t all, below; // values; those with a smaller upper half
    uint32_t upper;     // of the percentile
    int64_t bin[HALVES];
};

static uint32_t bits_of(float x) {
    uint32_t bits;
    x = x > 0 ? x : 0;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static void count_values(struct counts *c, int pass, const float *x, size_t n) {
    for (size_t i = 0; i < n; i++) {
        uint32_t bits = bits_of(x[i]);
        if (pass == 0)
            c->bin[bits >> HALF_BITS]++;
        else if (bits >> HALF_BITS == c->upper)
            c->bin[bits % HALVES]++;
    }
    c->all += pass == 0 ? (int64_t)n : 0;
}

/* The bin in which the value of rank ceil(0.999 all) lies; `before`: what stands before the first.
 */
static uint32_t percentile_bin(const struct counts *c, int64_t *before) {
    int64_t rank = c->all - c->all / 1000;
    uint32_t bin = 0;
    while (bin < HALVES - 1 && *before + c->bin[bin] < rank)
        *before += c->bin[bin++];
    return bin;
}

static float percentile(struct counts *c, int pass) {
    float value;
    if (pass == 0) {
        c->upper = percentile_bin(c, &c->below);
        memset(c->bin, 0, sizeof c->bin);
        return 0;
    }
    uint32_t bits = c->upper << HALF_BITS | percentile_bin(c, &c->below);
    memcpy(&value, &bits, sizeof value);
    return value;
}

struct measuring {
    struct model *m;
    const struct spec *spec;
    const struct dataset *data;
    const struct engine *engine;
    struct program *program;
    int loaders;
    uint32_t *order;
    long requested;         // batches of this pass
    struct counts **counts; // by node; NULL where nothing is clipped
};

/* Those that the evaluator calibrates with. */
static int request_batch(void *context, struct batch_request *r, uint32_t *order) {
    struct measuring *b = context;
    uint32_t batch = (uint32_t)b->spec->batch, n = spec_training_images(b->spec, b->data) / batch;
    if (b->requested == b->spec->calibration)
        return 0;
    r->split = SPLIT_TRAIN;
    r->n = batch;
    memcpy(order, b->order + (uint32_t)b->requested++ % n * batch, batch * sizeof *order);
    return 1;
}

/* What is measured, whatever the run clips activations to. */
static struct point float_point(const struct spec *spec) {
    struct point point = spec_point(spec, FLOAT_BITS, CUT_NONE);
    point.act_bits = FLOAT_BITS;
    return point;
}

static void count_batch(struct measuring *b, int pass, const struct batch *batch) {
    struct pass how = {.mode = PASS_EVALUATE, .point = float_point(b->spec)};
    b->engine->forward(b->program, &how, batch->images, (int)batch->n);
    for (int i = 0; i < b->m->n_nodes; i++)
        if (b->counts[i])
            count_values(b->counts[i], pass, b->engine->peek(b->program, i),
                         node_values(&b->m->nodes[i]) * (size_t)batch->n);
}

static int pass_all(struct measuring *b, int pass, struct error *e) {
    struct loader *loader =
        loader_start(&(struct loader_options){.data = b->data,
                                              .batch = (uint32_t)b->spec->batch,
                                              .channels = b->m->cfg->input.c,
                                              .threads = b->loaders > 0 ? b->loaders : 1,
                                              .request = request_batch,
                                              .context = b});
    struct batch batch;
    int rc = 0;
    b->requested = 0;
    for (long i = 0; i < b->spec->calibration && !rc; i++) {
        rc = loader_next(loader, &batch, e);
        if (!rc)
            count_batch(b, pass, &batch);
    }
    loader_stop(loader);
    for (int i = 0; i < b->m->n_nodes; i++)
        if (b->counts[i])
            b->m->nodes[i].bound = percentile(b->counts[i], pass);
    return rc;
}

static void start_counting(struct measuring *b) {
    b->order = split_calibration(b->spec, b->data);
    b->counts = need((size_t)b->m->n_nodes, sizeof *b->counts);
    for (int i = 0; i < b->m->n_nodes; i++)
        if (b->m->nodes[i].clips)
            b->counts[i] = need(1, sizeof **b->counts);
}

static void end_counting(struct measuring *b) {
    for (int i = 0; i < b->m->n_nodes; i++)
        free(b->counts[i]);
    free(b->counts);
    free(b->order);
}

int bounds_measure(struct model *m, const struct spec *spec, const struct dataset *data,
                   const struct engine *engine, struct program *program, int loaders,
                   struct error *e) {
    struct measuring b = {.m = m,
                          .spec = spec,
                          .data = data,
                          .engine = engine,
                          .program = program,
                          .loaders = loaders};
    float *scratch = need_aligned(model_largest_weights(m), sizeof(float));
    start_counting(&b);
    struct point point = float_point(spec);
    load_program(m, NULL, engine, program, &point, scratch);
    int rc = pass_all(&b, 0, e) || pass_all(&b, 1, e) ? -1 : 0;
    end_counting(&b);
    free(scratch);
    return rc;
}
