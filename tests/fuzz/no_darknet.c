/* In the fuzzer's program, in place of harness/model/darknet.c: a Darknet that says of a network
 * what the harness says. Targets build models and compute nothing with them; Darknet itself is not
 * what is fuzzed, and would cost 160 ms, and leak. Linked with --wrap=model_build, so that it knows
 * the network. */
#include "model/darknet.h"

#include "model/model.h"

#include <stdio.h>
#include <stdlib.h>

struct darknet_network {
    const struct cfg *cfg;
};

struct model *__real_model_build(struct cfg *, const struct spec *, const struct quantizer *,
                                 struct error *);
struct model *__wrap_model_build(struct cfg *, const struct spec *, const struct quantizer *,
                                 struct error *);

static const struct cfg *built;

struct model *__wrap_model_build(struct cfg *cfg, const struct spec *spec,
                                 const struct quantizer *scheme, struct error *e) {
    built = cfg;
    return __real_model_build(cfg, spec, scheme, e);
}

struct darknet_network *darknet_load(const char *cfg_text, struct error *e) {
    (void)cfg_text, (void)e;
    struct darknet_network *d = need(1, sizeof *d);
    d->cfg = built;
    return d;
}

void darknet_free(struct darknet_network *d) {
    free(d);
}

void darknet_identity(char *text, size_t size) {
    snprintf(text, size, "no Darknet");
}

int darknet_layers(const struct darknet_network *d) {
    return d->cfg->n;
}

int darknet_outputs(const struct darknet_network *d, int layer) {
    struct shape out = d->cfg->layers[layer].out;
    return out.c * out.h * out.w;
}

void darknet_forward(const struct darknet_network *d, const struct darknet_call *call) {
    (void)d, (void)call;
    abort();
}

void darknet_backward(const struct darknet_network *d, const struct darknet_call *call) {
    (void)d, (void)call;
    abort();
}

void darknet_activate(const struct darknet_network *d, enum activation a, float *x, int n) {
    (void)d, (void)a, (void)x, (void)n;
    abort();
}

void darknet_gradient(const struct darknet_network *d, enum activation a, const float *y, int n,
                      float *delta) {
    (void)d, (void)a, (void)y, (void)n, (void)delta;
    abort();
}
