/* Targets of what the program and Darknet write: checkpoints, frozen models, weights. Of sealed files the
 * bytes are magic and payload: the checksum is put behind them, right. */
#include "evaluate/frozen.h"
#include "fuzz/network.h"
#include "fuzz/target.h"
#include "model/weights.h"
#include "quant/layer.h"
#include "registry.h"
#include "train/checkpoint.h"

#include <stdlib.h>

/* Made once: readers write into it what they read. */
static struct network *network(void) {
    static struct network made;
    static int is_made;
    if (!is_made)
        network_start(&made, "lsq"); // has learned parameters
    is_made = 1;
    return &made;
}

int fuzz_weights(const uint8_t *bytes, size_t size) {
    char hash[HASH_HEX];
    struct error e = {0};
    struct network *n = network();
    const char *path = fuzz_file(0, bytes, size);
    int rc = weights_check(path, &n->cfg, hash, &e);
    if (!rc)
        rc = weights_load(path, hash, n->model, &e);
    return fuzz_outcome(rc, &e);
}

/* A position from which training goes on, and ends with all rows and no more. */
static void check_position(const struct trainer *t) {
    FUZZ_HOLDS(t->epoch >= 0 && t->epoch <= t->spec->epochs);
    FUZZ_HOLDS(t->step >= 0 && t->step < t->steps_per_epoch);
    FUZZ_HOLDS(t->epoch < t->spec->epochs || t->step == 0);
    FUZZ_HOLDS(t->n_rows == t->epoch * t->m->widths.n);
    FUZZ_HOLDS(t->optimizer.t == t->epoch * t->steps_per_epoch + t->step);
}

int fuzz_checkpoint(const uint8_t *bytes, size_t size) {
    struct error e = {0};
    struct network *n = network();
    const char *path = fuzz_sealed_file(0, bytes, size);
    int rc = checkpoint_read(path, network_run, &network_numerics, 0, &n->trainer, NULL, &e);
    if (!rc)
        check_position(&n->trainer);
    struct error differs = {0};
    FUZZ_HOLDS(!checkpoint_differs(path, network_run, &network_numerics, &differs) || rc);
    return fuzz_outcome(rc, &e);
}

/* The codes, cut to each width. */
static void decode_all(const struct frozen *f) {
    float *weights = need(model_largest_weights(f->m), sizeof *weights);
    for (int i = 0; i < f->m->n_quantized; i++)
        for (int k = f->m->scheme->min_bits; k <= f->spec.stored_bits; k++)
            layer_decode(f->m->scheme, &f->m->quantized[i].layer, f->codes[i], f->headers[i], k,
                         weights);
    free(weights);
}

int fuzz_frozen(const uint8_t *bytes, size_t size) {
    struct frozen f;
    struct error e = {0};
    int rc = frozen_read(&f, fuzz_sealed_file(0, bytes, size), quantizer_registry, &e);
    if (!rc) {
        decode_all(&f);
        frozen_free(&f);
    }
    return fuzz_outcome(rc, &e);
}
