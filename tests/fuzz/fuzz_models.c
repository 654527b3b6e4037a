/* Targets of what the program and Darknet write: checkpoints, frozen models, weights. Of sealed
 * files the bytes are magic and payload: the checksum is put behind them, right. */
#include "evaluate/cells.h"
#include "evaluate/evaluator.h"
#include "fuzz/network.h"
#include "fuzz/target.h"
#include "model/darknet_weights.h"
#include "model/frozen.h"
#include "quant/layer.h"
#include "registry.h"
#include "train/checkpoint.h"

#include <stdlib.h>
#include <unistd.h>

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
    int rc = weights_check(path, &n->cfg, 0, hash, &e);
    if (!rc)
        rc = weights_load(path, hash, 0, n->model, &e);
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
        for (int k = f->m->quantizer->min_bits; k <= f->spec.stored_bits; k++)
            layer_decode(f->m->quantizer, &f->m->quantized[i].layer, f->codes[i], f->headers[i], k,
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

static int take_any(void *context, struct opened *o) {
    (void)context, (void)o;
    return 0;
}

static int recall_all(const struct cells *c) {
    struct layer_row *layers;
    for (int i = 0; i < c->n; i++) {
        struct evaluation_row row = c->rows[i];
        FUZZ_HOLDS(cells_recall(c, &row));
    }
    int n = cells_recall_layers(c, &layers);
    if (n >= 0)
        layer_rows_free(layers, n);
    return c->n > 1 || n >= 0;
}

/* An empty file with a name of its own, for what follows no links, as those in /proc are. */
static char named_file[] = "/tmp/fuzz-cells-XXXXXX";

static void remove_named_file(void) {
    unlink(named_file);
}

static const char *empty_named_file(void) {
    static int fd;
    if (!fd) {
        fd = mkstemp(named_file);
        FUZZ_HOLDS(fd > 0 && !atexit(remove_named_file));
    }
    FUZZ_HOLDS(!ftruncate(fd, 0));
    return named_file;
}

/* The bytes are a record behind that of the origin and a sound one; its magic and checksum are
 * right. */
int fuzz_cells(const uint8_t *bytes, size_t size) {
    struct evaluation_row row = {
        .split = "val",
        .point = {.bits = 4, .act_bits = 4, .stored_bits = 8, .arithmetic = "fp32"}};
    const char *path = empty_named_file();
    struct cells c;
    struct journal j;
    struct seal s;
    struct error e = {0};
    cells_open(&c, path, "fuzz", 9);
    cells_keep(&c, &row);
    cells_close(&c);
    FUZZ_HOLDS(!journal_open(&j, path, take_any, NULL, &e) && !journal_start(&s, &e));
    seal_bytes(&s, bytes, size);
    FUZZ_HOLDS(!journal_append(&j, &s, &e));
    journal_close(&j);
    cells_open(&c, path, "fuzz", 9);
    FUZZ_HOLDS(c.n >= 1);
    int taken = recall_all(&c);
    cells_close(&c);
    snprintf(fuzz_why, sizeof fuzz_why, "%s", taken ? "" : "it is no evaluation, nor layers");
    return taken;
}
