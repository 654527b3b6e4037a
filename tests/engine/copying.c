/* The engine that works on copies; copying.h is the manual. */
#include "engine/copying.h"

#include "base/error.h"
#include "engine/exact.h"

#include <stdlib.h>
#include <string.h>

/* ---- a copy of what an engine sees of a model ---- */

struct copy {
    struct model *host, model; // the model's parameters, norms and nodes are its own
};

static float *copied(const float *x, size_t n) {
    return x ? memcpy(need_aligned(n, sizeof *x), x, n * sizeof *x) : NULL;
}

/* Whether an engine sees a parameter: it never sees latent weights, nor what quantizers learn. */
static int is_seen(const struct parameter *p) {
    return p->role == PARAMETER_BIAS || p->role == PARAMETER_NORM;
}

static void copy_norm(struct model *to, struct norm *n) {
    for (int b = 0; b < (n->shared ? 1 : to->widths.n); b++) {
        n->scale_of[b] = to->parameters[n->scale[b]].value;
        n->shift_of[b] = to->parameters[n->shift[b]].value;
        n->mean[b] = copied(n->mean[b], (size_t)n->channels);
        n->variance[b] = copied(n->variance[b], (size_t)n->channels);
    }
    for (int b = 1; n->shared && b < to->widths.n; b++) {
        n->scale_of[b] = n->scale_of[0];
        n->shift_of[b] = n->shift_of[0];
        n->mean[b] = n->mean[0];
        n->variance[b] = n->variance[0];
    }
    float **spare[] = {&n->scale_of[to->spare], &n->shift_of[to->spare], &n->mean[to->spare],
                       &n->variance[to->spare]};
    for (int i = 0; i < 4; i++)
        *spare[i] = copied(*spare[i], (size_t)n->channels);
}

static void copy_make(struct copy *c, struct model *host) {
    struct model *m = &c->model;
    c->host = host;
    *m = *host;
    m->nodes = memcpy(need((size_t)m->n_nodes, sizeof *m->nodes), host->nodes,
                      (size_t)m->n_nodes * sizeof *m->nodes);
    m->parameters = memcpy(need((size_t)m->n_parameters, sizeof *m->parameters), host->parameters,
                           (size_t)m->n_parameters * sizeof *m->parameters);
    for (int i = 0; i < m->n_parameters; i++) {
        struct parameter *p = &m->parameters[i];
        p->value = is_seen(p) ? copied(p->value, p->n) : NULL;
        p->grad = is_seen(p) ? copied(p->grad, p->n) : NULL;
    }
    m->norms = memcpy(need((size_t)m->n_norms + 1, sizeof *m->norms), host->norms,
                      (size_t)m->n_norms * sizeof *m->norms);
    for (int i = 0; i < m->n_norms; i++)
        copy_norm(m, &m->norms[i]);
}

static void copy_free(struct copy *c) {
    struct model *m = &c->model;
    for (int i = 0; i < m->n_norms; i++) {
        struct norm *n = &m->norms[i];
        free(n->scale_of[m->spare]);
        free(n->shift_of[m->spare]);
        for (int b = 0; b <= m->spare; b++)
            if (b == 0 || b == m->spare || !n->shared) {
                free(n->mean[b]);
                free(n->variance[b]);
            }
    }
    for (int i = 0; i < m->n_parameters; i++) {
        free(m->parameters[i].value);
        free(m->parameters[i].grad);
    }
    free(m->parameters);
    free(m->norms);
    free(m->nodes);
}

/* Numbers of these kinds from one model to the other. */
static void carry(struct model *to, const struct model *from, unsigned what) {
    for (int i = 0; i < to->n_parameters; i++) {
        struct parameter *p = &to->parameters[i];
        if (is_seen(p) && what & ENGINE_VALUES)
            memcpy(p->value, from->parameters[i].value, p->n * sizeof(float));
        if (is_seen(p) && what & ENGINE_GRADIENTS)
            memcpy(p->grad, from->parameters[i].grad, p->n * sizeof(float));
    }
    for (int i = 0; i < to->n_norms; i++)
        for (int b = 0; b <= to->spare; b++) {
            struct norm *n = &to->norms[i];
            const struct norm *f = &from->norms[i];
            size_t size = (size_t)n->channels * sizeof(float);
            if (what & ENGINE_VALUES) {
                memcpy(n->scale_of[b], f->scale_of[b], size);
                memcpy(n->shift_of[b], f->shift_of[b], size);
            }
            if (what & ENGINE_STATISTICS) {
                memcpy(n->mean[b], f->mean[b], size);
                memcpy(n->variance[b], f->variance[b], size);
            }
        }
}

/* ---- the engine ---- */

static const struct engine *inner;

struct program {
    struct copy copy;
    struct program *inner;
};

static struct program *copying_compile(struct model *m, int batch, int threads, struct error *e) {
    struct program *p = need(1, sizeof *p);
    copy_make(&p->copy, m);
    p->inner = inner->compile(&p->copy.model, batch, threads, e);
    m->darknet = p->copy.model.darknet; // one for both, where the engine needs it
    return p;
}

static void copying_set_weights(struct program *p, int node, const float *W_hat) {
    inner->set_weights(p->inner, node, W_hat);
}

static void copying_upload(struct program *p, unsigned what) {
    carry(&p->copy.model, p->copy.host, what);
}

static void copying_download(struct program *p, unsigned what) {
    carry(p->copy.host, &p->copy.model, what);
}

static const float *copying_forward(struct program *p, const struct pass *pass, const float *images,
                                    int n) {
    return inner->forward(p->inner, pass, images, n);
}

static void copying_backward(struct program *p, const float *d_logits) {
    inner->backward(p->inner, d_logits);
}

static const float *copying_weight_gradient(struct program *p, int node) {
    return inner->weight_gradient(p->inner, node);
}

static const float *copying_peek(struct program *p, int node) {
    return inner->peek(p->inner, node);
}

static void copying_free(struct program *p) {
    if (!p)
        return;
    inner->free(p->inner);
    copy_free(&p->copy);
    free(p);
}

/* ---- exact evaluation by it ---- */

struct exact_program {
    struct copy copy;
    struct exact_program *inner;
};

static struct exact_program *exact_compile(struct model *m, int batch, enum arithmetic arithmetic,
                                           struct error *e) {
    struct exact_program *p = need(1, sizeof *p);
    copy_make(&p->copy, m);
    p->inner = inner->exact->compile(&p->copy.model, batch, arithmetic, e);
    m->darknet = p->copy.model.darknet;
    return p;
}

static void exact_set_float(struct exact_program *p, int node, const float *W_hat) {
    inner->exact->set_weights(p->inner, node, W_hat);
}

static void exact_set_codes(struct exact_program *p, int node, int k, const int8_t *v,
                            const struct integer_form *form) {
    inner->exact->set_codes(p->inner, node, k, v, form);
}

static void exact_copy_numbers(struct exact_program *p, unsigned what) {
    carry(&p->copy.model, p->copy.host, what);
}

static const float *exact_pass(struct exact_program *p, const struct point *point,
                               const float *images, int n) {
    return inner->exact->forward(p->inner, point, images, n);
}

static const char *exact_arithmetic(const struct exact_program *p) {
    return inner->exact->arithmetic(p->inner);
}

static void exact_release(struct exact_program *p) {
    inner->exact->free(p->inner);
    copy_free(&p->copy);
    free(p);
}

static const struct exact_engine copying_exact = {
    .compile = exact_compile,
    .set_weights = exact_set_float,
    .set_codes = exact_set_codes,
    .upload = exact_copy_numbers,
    .forward = exact_pass,
    .arithmetic = exact_arithmetic,
    .free = exact_release,
};

const struct engine *copying_engine(const struct engine *of) {
    static struct engine copying;
    inner = of;
    copying = (struct engine){
        .interface = ENGINE_INTERFACE,
        .name = "copying",
        .about = "another engine, on copies of a model's numbers",
        .compile = copying_compile,
        .any_team = of->any_team,
        .set_weights = copying_set_weights,
        .upload = copying_upload,
        .download = copying_download,
        .forward = copying_forward,
        .backward = copying_backward,
        .weight_gradient = copying_weight_gradient,
        .peek = copying_peek,
        .free = copying_free,
        .exact = of->exact ? &copying_exact : NULL,
    };
    return &copying;
}
