/* In the fuzzer's program, in place of harness/model/darknet.c: a Darknet that takes every network.
 * Targets build models and compute nothing with them; Darknet itself is not what is fuzzed, and
 * would cost 160 ms, and leak. */
#include "model/darknet.h"

#include <stdio.h>
#include <stdlib.h>

struct darknet_network {
    int nothing;
};

struct darknet_network *darknet_load(const struct cfg *cfg, struct error *e) {
    (void)cfg, (void)e;
    return need(1, sizeof(struct darknet_network));
}

struct darknet_network *darknet_parse(const char *cfg_text, struct error *e) {
    (void)cfg_text, (void)e;
    abort();
}

void darknet_free(struct darknet_network *d) {
    free(d);
}

void darknet_identity(char *text, size_t size) {
    snprintf(text, size, "no Darknet");
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
