/* Reading and writing Darknet's weights files; darknet_weights.h is the manual. */
#include "model/darknet_weights.h"

#include "base/file.h"
#include "cfg/shape.h"
#include "model/start.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- what a layer has, in the order of the file ---- */

enum content { BIASES, SHIFTS, SCALES, MEANS, VARIANCES, WEIGHTS };
static const char *const content_names[] = {"biases", "shifts",    "scales",
                                            "means",  "variances", "weights"};

struct block {
    enum content content;
    size_t n; // floats
};
enum { BLOCKS_MAX = 5 };

static int add_statistics(struct block *blocks, int n, size_t channels) {
    static const enum content contents[] = {SCALES, MEANS, VARIANCES};
    for (int i = 0; i < 3; i++)
        blocks[n++] = (struct block){contents[i], channels};
    return n;
}

static int blocks_of(const struct cfg_layer *l, struct block blocks[BLOCKS_MAX]) {
    size_t channels = (size_t)l->out.c;
    int n = 0;
    if (l->type == LAYER_BATCHNORM)
        return add_statistics(blocks, n, channels);
    if (l->type != LAYER_CONVOLUTIONAL && l->type != LAYER_CONNECTED)
        return 0;
    blocks[n++] = (struct block){l->batch_normalize ? SHIFTS : BIASES, channels};
    if (l->type == LAYER_CONVOLUTIONAL && l->batch_normalize)
        n = add_statistics(blocks, n, channels);
    blocks[n++] = (struct block){WEIGHTS, (size_t)cfg_weights(l)};
    if (l->type == LAYER_CONNECTED && l->batch_normalize)
        n = add_statistics(blocks, n, channels);
    return n;
}

static size_t floats_of_layer(const struct cfg_layer *l) {
    struct block blocks[BLOCKS_MAX];
    size_t floats = 0;
    for (int k = 0, n = blocks_of(l, blocks); k < n; k++)
        floats += blocks[k].n;
    return floats;
}

/* Of the first n layers. */
static size_t floats_of(const struct cfg *cfg, int n) {
    size_t floats = 0;
    for (int i = 0; i < n; i++)
        floats += floats_of_layer(&cfg->layers[i]);
    return floats;
}

/* How many of the first layers so many floats are enough for. */
static int layers_in(const struct cfg *cfg, size_t floats) {
    int n = 0;
    while (n < cfg->n && floats >= floats_of_layer(&cfg->layers[n]))
        floats -= floats_of_layer(&cfg->layers[n++]);
    return n;
}

/* ---- the file ---- */

enum { HEADER_02 = 20, HEADER_01 = 16, TRANSPOSED = 1000 };

struct weights_file {
    char *bytes; // owned
    size_t size;
    const float *values; // behind the header, at an offset that floats are aligned to
};

static int check_header(const struct weights_file *f, const char *path, size_t *header,
                        struct error *e) {
    int32_t version[3] = {0};
    if (f->size < HEADER_01)
        return fail_at(e, path, 0,
                       "has %zu bytes and is no Darknet weights file; name one, such as "
                       "darknet19.weights",
                       f->size);
    memcpy(version, f->bytes, sizeof version);
    if (version[0] < 0 || version[1] < 0 || version[0] >= TRANSPOSED || version[1] >= TRANSPOSED)
        return fail_at(e, path, 0,
                       "begins with version %d.%d: it is no Darknet weights file, or of the "
                       "transposed kind that Darknet wrote before 2016; take another one",
                       version[0], version[1]);
    *header = version[0] * 10 + version[1] >= 2 ? HEADER_02 : HEADER_01;
    return 0;
}

static int check_size(const struct weights_file *f, const char *path, const struct cfg *cfg,
                      int layers, size_t header, struct error *e) {
    size_t floats = (f->size - header) / sizeof(float), expected = floats_of(cfg, cfg->n);
    if (layers ? floats >= floats_of(cfg, layers) : f->size == header + expected * sizeof(float))
        return 0;
    if (layers)
        return fail_at(e, path, 0,
                       "has values for the first %d of the %d layers of %s that init_layers asks "
                       "for; lower it, or take the whole file",
                       layers_in(cfg, floats), layers, cfg->path);
    return fail_at(e, path, 0,
                   "has %zu bytes, but those of %s are %zu; take the cfg that the weights were "
                   "trained with (number of classes included), or say init_layers = N, so that "
                   "the first N layers start from it (it can hold %d)",
                   f->size, cfg->path, header + expected * sizeof(float), layers_in(cfg, floats));
}

static int check_values(const struct cfg_layer *l, const struct block *b, const float *x,
                        const char *path, int layer, struct error *e) {
    for (size_t i = 0; i < b->n; i++) {
        const char *wrong = NULL;
        if (!isfinite(x[i]))
            wrong = "not finite; the file is damaged, or of another network";
        else if (b->content == VARIANCES && x[i] < 0)
            wrong = "negative; the file is damaged, or of another network";
        else if (b->content == BIASES && !l->bias && (x[i] < 0 || x[i] > 0))
            wrong = "not 0 though the cfg says bias=0; remove that key from the cfg";
        if (wrong)
            return fail_at(e, path, 0, "layer %d (cfg line %d): one of its %s, %g, is %s", layer,
                           l->line, content_names[b->content], (double)x[i], wrong);
    }
    return 0;
}

static int check_all(const struct weights_file *f, const char *path, const struct cfg *cfg,
                     int layers, struct error *e) {
    const float *x = f->values;
    for (int i = 0; i < layers; i++) {
        struct block blocks[BLOCKS_MAX];
        for (int k = 0, n = blocks_of(&cfg->layers[i], blocks); k < n; x += blocks[k++].n)
            if (check_values(&cfg->layers[i], &blocks[k], x, path, i, e))
                return -1;
    }
    return 0;
}

static int open_file(struct weights_file *f, const char *path, const struct cfg *cfg, int layers,
                     struct error *e) {
    if (layers > cfg->n)
        return fail_at(e, cfg->path, 0, "has %d layers, fewer than init_layers = %d; lower it",
                       cfg->n, layers);
    size_t header = 0, limit = (size_t)1 << 31; // of any network: CFG_FLOATS_MAX
    f->bytes = file_read(path, limit, &f->size, e);
    if (!f->bytes)
        return -1;
    if (!check_header(f, path, &header, e) && !check_size(f, path, cfg, layers, header, e)) {
        f->values = (const float *)(const void *)(f->bytes + header);
        if (!check_all(f, path, cfg, layers ? layers : cfg->n, e))
            return 0;
    }
    free(f->bytes);
    return -1;
}

int weights_check(const char *path, const struct cfg *cfg, int layers, char hash[HASH_HEX],
                  struct error *e) {
    struct weights_file f;
    if (open_file(&f, path, cfg, layers, e))
        return -1;
    hash_hex(f.bytes, f.size, hash);
    free(f.bytes);
    return 0;
}

/* ---- into a model ---- */

static const double darknets_epsilon = 1e-6; // of sqrt(v), where NORM_EPSILON is of v

static float variance_from_darknet(float v) {
    double deviation = sqrt((double)v) + darknets_epsilon;
    return (float)fmax(0, deviation * deviation - NORM_EPSILON);
}

static float variance_for_darknet(float v) {
    double deviation = sqrt((double)v + NORM_EPSILON) - darknets_epsilon;
    return (float)(deviation * deviation);
}

/* The nodes of a layer that have something in the file. */
struct target {
    const struct node *weights; // NULL: [batchnorm]
    const struct norm *norm;    // NULL: none
};

static struct target target_of(const struct model *m, int layer) {
    struct target t = {0};
    for (int i = 0; i < m->n_nodes; i++) {
        const struct node *n = &m->nodes[i];
        if (n->layer == layer && n->weights >= 0)
            t.weights = n;
        if (n->layer == layer && n->norm >= 0)
            t.norm = &m->norms[n->norm];
    }
    return t;
}

/* Where a norm keeps a content, in one bank. */
static float *in_bank(const struct norm *norm, enum content content, int bank) {
    switch (content) {
    case SHIFTS:
        return norm->shift_of[bank];
    case SCALES:
        return norm->scale_of[bank];
    case MEANS:
        return norm->mean[bank];
    default:
        return norm->variance[bank];
    }
}

static void load_norm(const struct model *m, const struct norm *norm, const struct block *b,
                      const float *x) {
    for (int bank = 0; bank < m->widths.n; bank++) {
        float *into = in_bank(norm, b->content, bank);
        for (size_t i = 0; i < b->n; i++)
            into[i] = b->content == VARIANCES ? variance_from_darknet(x[i]) : x[i];
    }
}

static void load_block(struct model *m, const struct target *t, const struct block *b,
                       const float *x) {
    if (b->content == WEIGHTS)
        memcpy(m->parameters[t->weights->weights].value, x, b->n * sizeof *x);
    else if (b->content != BIASES)
        load_norm(m, t->norm, b, x);
    else if (t->weights->bias >= 0)
        memcpy(m->parameters[t->weights->bias].value, x, b->n * sizeof *x);
}

static void load_layers(struct model *m, const float *x, int layers) {
    for (int i = 0; i < layers; i++) {
        struct target t = target_of(m, i);
        struct block blocks[BLOCKS_MAX];
        for (int k = 0, n = blocks_of(&m->cfg->layers[i], blocks); k < n; x += blocks[k++].n)
            load_block(m, &t, &blocks[k], x);
    }
    start_quantizers(m);
}

int weights_load(const char *path, const char *hash, int layers, struct model *m, struct error *e) {
    struct weights_file f;
    char now[HASH_HEX];
    if (open_file(&f, path, m->cfg, layers, e))
        return -1;
    hash_hex(f.bytes, f.size, now);
    int differs = strcmp(now, hash) != 0;
    if (!differs)
        load_layers(m, f.values, layers ? layers : m->cfg->n);
    free(f.bytes);
    return differs
               ? fail_at(e, path, 0,
                         "is not the file that the run was planned with (its SHA-256 began with "
                         "%.12s, now with %.12s); bring that one back, or plan the grid anew",
                         hash, now)
               : 0;
}

/* ---- out of a model ---- */

static int check_exportable(const char *path, const struct cfg *cfg, struct error *e) {
    for (int i = 0; i < cfg->n; i++) {
        const struct cfg_layer *l = &cfg->layers[i];
        const char *why = NULL;
        if (l->type == LAYER_BATCHNORM)
            why =
                "is a [batchnorm] of its own, whose shifts have no place in Darknet's files; only "
                "networks with batch_normalize=1 can be exported";
        else if (l->activation == ACT_RELU6)
            why = "has activation relu6, which Darknet lacks; the network cannot be exported";
        else if (l->type == LAYER_CONVOLUTIONAL && l->size == 1 && (l->stride > 1 || l->padding))
            why = "is a 1x1 convolution with stride or padding, which Darknet computes otherwise; "
                  "the "
                  "network cannot be exported";
        if (why)
            return fail_at(e, path, 0, "layer %d (line %d of %s) %s", i, l->line, cfg->path, why);
    }
    return 0;
}

static void save_block(const struct model *m, const struct target *t, const struct block *b,
                       float *const *weights, int bank, float *x) {
    if (b->content == WEIGHTS)
        memcpy(x, weights[t->weights - m->nodes], b->n * sizeof *x);
    else if (b->content == BIASES && t->weights->bias >= 0)
        memcpy(x, m->parameters[t->weights->bias].value, b->n * sizeof *x);
    else if (b->content != BIASES) // where there is no bias, x is 0 already
        memcpy(x, in_bank(t->norm, b->content, bank), b->n * sizeof *x);
    for (size_t i = 0; b->content == VARIANCES && i < b->n; i++)
        x[i] = variance_for_darknet(x[i]);
}

int weights_save(const char *path, const struct model *m, float *const *weights, int bank,
                 struct error *e) {
    static const int32_t version[3] = {0, 2, 0};
    if (check_exportable(path, m->cfg, e))
        return -1;
    size_t size = HEADER_02 + floats_of(m->cfg, m->cfg->n) * sizeof(float);
    char *bytes = need(size, 1);
    float *x = (float *)(void *)(bytes + HEADER_02);
    memcpy(bytes, version,
           sizeof version); // images seen: 0, since Darknet's schedules count by them
    for (int i = 0; i < m->cfg->n; i++) {
        struct target t = target_of(m, i);
        struct block blocks[BLOCKS_MAX];
        for (int k = 0, n = blocks_of(&m->cfg->layers[i], blocks); k < n; x += blocks[k++].n)
            save_block(m, &t, &blocks[k], weights, bank, x);
    }
    int rc = file_replace(path, bytes, size, e);
    free(bytes);
    return rc;
}
