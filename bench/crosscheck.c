/* One side of the crosscheck: trains with the harness's own trainer and writes what each step began
 * with, what it computed and what it left, for an oracle that computes the step again
 * (bench/crosscheck.py, which starts this program).
 *
 *     build/bench/crosscheck ENGINE THREADS STEPS SHAPE < SPEC
 *     build/bench/crosscheck engines
 *
 * SPEC are the lines of spec_read, `network` being a path. Standard output is a stream of frames, a
 * line `NAME TYPE COUNT` and then COUNT values in little-endian order; `end u8 0` ends a step.
 *
 * The trainer is not changed for this. What it keeps to itself (weights, scores and activations of
 * each width) comes from a second pass over the same batch from the same state, whose losses have
 * to be the trainer's to the last bit. */
#include "random_set.h"

#include "engine/load.h"
#include "model/start.h"
#include "quant/axes.h"
#include "quant/layer.h"
#include "registry.h"
#include "train/loss.h"
#include "train/trainer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "frames are little-endian");

/* ---- frames ---- */

enum frame_type { FRAME_F32, FRAME_F64, FRAME_U8, FRAME_I16 };

static void put(enum frame_type type, const void *values, size_t n, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

static void put(enum frame_type type, const void *values, size_t n, const char *format, ...) {
    static const char *const names[] = {"f32", "f64", "u8", "i16"};
    static const size_t sizes[] = {4, 8, 1, 2};
    va_list arguments;
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    printf(" %s %zu\n", names[type], n);
    if (n)
        fwrite(values, sizes[type], n, stdout);
}

/* ---- state ---- */

/* Copies of what a step moves. */
struct snapshot {
    float **values;           // by parameter
    float **means, **squares; // running statistics, by norm and width
};

static void copy_norms(const struct model *m, struct snapshot *s, int restore) {
    for (int i = 0; i < m->n_norms; i++)
        for (int b = 0; b < m->widths.n; b++) {
            const struct norm *n = &m->norms[i];
            size_t bytes = (size_t)n->channels * sizeof(float);
            float *mean = s->means[i * WIDTHS_MAX + b], *square = s->squares[i * WIDTHS_MAX + b];
            memcpy(restore ? n->mean[b] : mean, restore ? mean : n->mean[b], bytes);
            memcpy(restore ? n->variance[b] : square, restore ? square : n->variance[b], bytes);
        }
}

static void take(const struct model *m, struct snapshot *s) {
    for (int i = 0; i < m->n_parameters; i++)
        memcpy(s->values[i], m->parameters[i].value, m->parameters[i].n * sizeof(float));
    copy_norms(m, s, 0);
}

static void give_back(const struct model *m, struct snapshot *s) {
    for (int i = 0; i < m->n_parameters; i++)
        memcpy(m->parameters[i].value, s->values[i], m->parameters[i].n * sizeof(float));
    copy_norms(m, s, 1);
}

static struct snapshot snapshot_new(const struct model *m) {
    size_t norms = (size_t)m->n_norms * WIDTHS_MAX;
    struct snapshot s = {need((size_t)m->n_parameters + 1, sizeof(float *)),
                         need(norms + 1, sizeof(float *)), need(norms + 1, sizeof(float *))};
    for (int i = 0; i < m->n_parameters; i++)
        s.values[i] = need(m->parameters[i].n, sizeof(float));
    for (size_t i = 0; i < norms; i++) {
        size_t channels = (size_t)m->norms[i / WIDTHS_MAX].channels;
        s.means[i] = need(channels, sizeof(float));
        s.squares[i] = need(channels, sizeof(float));
    }
    return s;
}

static void snapshot_free(const struct model *m, struct snapshot *s) {
    for (int i = 0; i < m->n_parameters; i++)
        free(s->values[i]);
    for (int i = 0; i < m->n_norms * WIDTHS_MAX; i++) {
        free(s->means[i]);
        free(s->squares[i]);
    }
    free(s->values);
    free(s->means);
    free(s->squares);
}

/* The running statistics, under the width's name if the bank is its own. */
static void put_bank(const struct model *m, const struct norm *n, int b, const char *when) {
    char owner[16] = "";
    int layer = m->nodes[n->node].layer;
    size_t channels = (size_t)n->channels;
    if (!n->shared)
        snprintf(owner, sizeof owner, ".k%d", m->widths.bits[b]);
    put(FRAME_F32, n->mean[b], channels, "%s.%d.mean%s", when, layer, owner);
    put(FRAME_F32, n->variance[b], channels, "%s.%d.variance%s", when, layer, owner);
}

/* `when`: "before" or "after" the step. */
static void put_state(const struct trainer *t, const char *when) {
    const struct model *m = t->m;
    for (int i = 0; i < m->n_parameters; i++) {
        const struct parameter *p = &m->parameters[i];
        put(FRAME_F32, p->value, p->n, "%s.%s", when, p->name);
        put(FRAME_F32, t->optimizer.m[i], p->n, "%s.first.%s", when, p->name);
        if (t->optimizer.v)
            put(FRAME_F32, t->optimizer.v[i], p->n, "%s.second.%s", when, p->name);
    }
    for (int i = 0; i < m->n_norms; i++)
        for (int b = 0; b < (m->norms[i].shared ? 1 : m->widths.n); b++)
            put_bank(m, &m->norms[i], b, when);
}

/* ---- the second pass ---- */

/* W^ of the quantized layers, and their codes below 32 bits. */
static void put_weights(const struct trainer *t, int k) {
    const struct model *m = t->m;
    for (int i = 0; i < m->n_quantized; i++) {
        const struct quantized_layer *q = &m->quantized[i];
        const struct parameter *w = &m->parameters[m->nodes[q->node].weights];
        const float *params = q->params < 0 ? NULL : m->parameters[q->params].value;
        layer_quantize(m->quantizer, &q->layer, w->value, params, k, t->weights);
        put(FRAME_F32, t->weights, w->n, "hat.%s.k%d", w->name, k);
        if (k == FLOAT_BITS)
            continue;
        uint8_t *codes = need(w->n, 1);
        float *header = need(layer_header_floats(m->quantizer, &q->layer), sizeof(float));
        layer_encode(m->quantizer, &q->layer, w->value, params, k, codes, header);
        put(FRAME_U8, codes, w->n, "codes.%s.k%d", w->name, k);
        free(codes);
        free(header);
    }
}

/* Where the alignment loss pulls each weight, as u. */
static void put_aims(const struct trainer *t) {
    const struct model *m = t->m;
    for (int i = 0; i < m->n_quantized && t->spec->align > 0; i++) {
        const struct quantized_layer *q = &m->quantized[i];
        const struct parameter *w = &m->parameters[m->nodes[q->node].weights];
        double *aims = need(w->n, sizeof *aims);
        axes_map(&q->layer, w->value, t->weights);
        for (size_t j = 0; j < w->n; j++)
            aims[j] = agreement_nearest(&t->agreement, t->weights[j]);
        put(FRAME_F64, aims, w->n, "aims.%s", w->name);
        free(aims);
    }
}

/* The values of node `at`, as what goes "in" or comes "out" of `layer`. */
static int put_values(const struct trainer *t, int at, const char *side, int layer, int k,
                      struct error *e) {
    const struct shape *s = &t->m->nodes[at].shape;
    size_t size = (size_t)s->c * (size_t)s->h * (size_t)s->w;
    const float *values = t->engine->peek(t->program, at);
    if (!values) {
        char name[96];
        model_node_name(t->m, at, name, sizeof name);
        return fail(e,
                    "engine %s does not keep the output of the %s; the crosscheck needs what goes "
                    "into every activation and pooling and what comes out of activations",
                    t->engine->name, name);
    }
    put(FRAME_F32, values, size * (size_t)t->spec->batch, "%s.%d.k%d", side, layer, k);
    return 0;
}

/* What a node decided on: the inputs of activations and of poolings that take the largest. */
static int put_decisions(const struct trainer *t, int node, int k, struct error *e) {
    const struct node *n = &t->m->nodes[node];
    if (n->op != OP_ACT && n->op != OP_MAXPOOL)
        return 0;
    // One after the other: what peek returned is valid until the next call.
    if (put_values(t, n->in[0], "in", n->layer, k, e))
        return -1;
    return n->op == OP_ACT ? put_values(t, node, "out", n->layer, k, e) : 0;
}

static int put_width(const struct trainer *t, int b, int64_t step, struct error *e) {
    struct model *m = t->m;
    int k = m->widths.bits[b], n = (int)t->spec->batch, classes = m->cfg->classes,
        top = m->spare - 1;
    struct pass pass = {.mode = PASS_TRAIN,
                        .point = spec_point(t->spec, k, CUT_NONE),
                        .momentum = 0.1f,
                        .seed = (uint64_t)t->spec->seed,
                        .step = (uint64_t)step};
    load_program(m, NULL, t->engine, t->program, &pass.point, t->weights);
    const float *logits = t->engine->forward(t->program, &pass, t->images, n);
    double labels = cross_entropy_labels(n, classes, logits, t->labels), loss[2] = {labels, labels};
    if (b < top && t->spec->distill != DISTILL_LABELS) {
        int teacher = t->spec->distill == DISTILL_HIGHEST ? top : b + 1;
        loss[1] = cross_entropy_soft(n, classes, logits, t->probabilities[teacher]);
    }
    if (loss[0] != t->tally[b].loss)
        return fail(
            e, "engine %s computes loss %.9g at %d bits in step %lld and %.9g when asked again",
            t->engine->name, t->tally[b].loss, k, (long long)step, loss[0]);
    put(FRAME_F64, loss, 2, "loss.k%d", k);
    put_weights(t, k);
    for (int i = 0; i < m->n_nodes; i++)
        if (put_decisions(t, i, k, e))
            return -1;
    return 0;
}

static int put_step(struct trainer *t, struct snapshot *before, struct snapshot *after,
                    struct error *e) {
    const struct model *m = t->m;
    int64_t step = t->step;
    size_t pixels = (size_t)m->cfg->input.c * (size_t)m->cfg->input.h * (size_t)m->cfg->input.w;
    take(m, before);
    put_state(t, "before");
    memset(t->tally, 0, sizeof t->tally); // so that it holds this step's loss alone
    if (trainer_step(t, e))
        return -1;
    trainer_read_back(t);
    take(m, after);
    put_state(t, "after");
    for (int i = 0; i < m->n_parameters; i++)
        put(FRAME_F32, m->parameters[i].grad, m->parameters[i].n, "grad.%s", m->parameters[i].name);
    put(FRAME_F32, t->images, pixels * (size_t)t->spec->batch, "images");
    put(FRAME_I16, t->labels, (size_t)t->spec->batch, "labels");
    give_back(m, before);
    engine_upload(t->engine, t->program, ENGINE_ALL);
    put_aims(t);
    for (int b = m->widths.n - 1; b >= 0; b--)
        if (put_width(t, b, step, e))
            return -1;
    give_back(m, after);
    engine_upload(t->engine, t->program, ENGINE_ALL);
    put(FRAME_U8, NULL, 0, "end");
    return 0;
}

/* ---- the run ---- */

static int run(struct trainer *t, int steps, struct error *e) {
    struct snapshot before = snapshot_new(t->m), after = snapshot_new(t->m);
    int rc = 0;
    for (int i = 0; i < steps && !rc && !ferror(stdout); i++)
        rc = put_step(t, &before, &after, e);
    snapshot_free(t->m, &before);
    snapshot_free(t->m, &after);
    return rc;
}

/* What cannot be followed from outside: masks of dropout. */
static int can_follow(const struct model *m, struct error *e) {
    for (int i = 0; i < m->n_nodes; i++)
        if (m->nodes[i].op == OP_DROPOUT)
            return fail_at(e, m->cfg->path, m->nodes[i].cfg->line, "no crosscheck with dropout");
    return 0;
}

static int check(struct spec *spec, const char *engine_name, int threads, int steps,
                 struct shape shape, struct error *e) {
    const struct engine *engine = engine_find(engine_name);
    if (!engine)
        return fail(e, "there is no engine %s", engine_name);
    struct dataset data;
    struct cfg cfg = {0};
    struct trainer t;
    // One step more than are taken: at an epoch's end the trainer forgets its losses.
    random_set_make(&data, shape, 10, (uint32_t)(spec->batch * (steps + 1)));
    int rc = cfg_read(&cfg, spec->network, data.shape, data.classes, e);
    struct model *m =
        rc ? NULL : model_build(&cfg, spec, quantizer_find(quantizer_registry, spec->scheme), e);
    struct program *program =
        m && !can_follow(m, e) ? engine->compile(m, (int)spec->batch, threads, e) : NULL;
    rc = !program || trainer_start(&t, spec, &data, m, engine, program, e) ? -1 : 0;
    if (!rc) {
        rc = run(&t, steps, e);
        trainer_free(&t);
    }
    if (program)
        engine->free(program);
    model_free(m);
    cfg_free(&cfg);
    random_set_free(&data);
    return rc;
}

static int read_spec(struct spec *spec, struct error *e) {
    char text[1 << 14];
    size_t size = fread(text, 1, sizeof text - 1, stdin);
    text[size] = 0;
    return spec_read(spec, quantizer_registry, text, "standard input", e);
}

static int list_engines(void) {
    for (int i = 0; engine_at(i); i++)
        puts(engine_at(i)->name);
    return 0;
}

int main(int argc, char **argv) {
    struct error e = {0};
    struct spec spec;
    struct shape shape;
    long threads, steps;
    if (argc == 2 && !strcmp(argv[1], "engines"))
        return list_engines();
    if (argc != 5 || text_int(argv[2], 1, 256, &threads) || text_int(argv[3], 1, 10000, &steps) ||
        random_set_shape(argv[4], &shape)) {
        fprintf(stderr, "usage: %s ENGINE THREADS STEPS HEIGHTxWIDTHxCHANNELS < SPEC\n", argv[0]);
        return 2;
    }
    int rc = read_spec(&spec, &e);
    rc = rc ? rc : check(&spec, argv[1], (int)threads, (int)steps, shape, &e);
    if (!rc && fflush(stdout))
        rc = fail(&e, "the frames could not be written");
    if (rc)
        fprintf(stderr, "%s: %s\n", argv[0], e.text);
    return rc ? 1 : 0;
}
