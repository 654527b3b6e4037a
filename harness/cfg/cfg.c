/* Reading and checking a cfg as a whole: which layer may stand where, what comes in and goes out,
 * and what is worth a note; cfg.h is the manual. Lines are read in lex.c, [net] in net.c, a
 * layer's keys in layers.c, shapes in shape.c, texts written in print.c. */
#include "cfg/cfg.h"

#include "base/file.h"
#include "cfg/layers.h"
#include "cfg/lex.h"
#include "cfg/net.h"
#include "cfg/print.h"
#include "cfg/shape.h"

#include <stdio.h>
#include <stdlib.h>

enum { LAYERS_MAX = 4096 };

/* A cfg under construction. */
struct build {
    struct cfg *cfg;
    const struct cfg_text *text;
    struct cfg_net net;
    int last_connected; // layer number of the last [connected], or -1
    struct cfg_totals totals;
    struct error *e;
};

/* Section of a layer: the first one is [net]. */
static const struct cfg_section *section_of(const struct build *b, int layer) {
    return &b->text->sections[layer + 1];
}

static int find_last_connected(const struct build *b) {
    int i = b->text->n_sections - 2;
    while (i >= 0 && cfg_layer_type(section_of(b, i)->name) != LAYER_CONNECTED)
        i--;
    return i;
}

/* The first layer with weights shields the input: Darknet crashes when others propagate back into
 * it. */
static int check_first(const struct build *b, const struct cfg_layer *l) {
    if (l->type == LAYER_CONVOLUTIONAL || l->type == LAYER_CONNECTED)
        return 0;
    return fail_at(b->e, b->cfg->path, l->line,
                   "[%s] is the first layer; start with [convolutional] or [connected]",
                   layer_type_name(l->type));
}

static int check_place(const struct build *b, int i) {
    const struct cfg_layer *l = &b->cfg->layers[i];
    if (i == 0)
        return check_first(b, l);
    enum layer_type before = b->cfg->layers[i - 1].type;
    if (before == LAYER_COST || (before == LAYER_SOFTMAX && l->type != LAYER_COST))
        return fail_at(b->e, b->cfg->path, l->line,
                       "[%s] stands behind [%s], which has to be last; delete one of them",
                       layer_type_name(l->type), layer_type_name(before));
    if (l->type == LAYER_COST && before != LAYER_SOFTMAX)
        return fail_at(b->e, b->cfg->path, l->line,
                       "[cost] without [softmax] before it; end with [softmax] instead");
    return 0;
}

static int set_output(const struct build *b, int i, int classes) {
    struct cfg_layer *l = &b->cfg->layers[i];
    if (l->type != LAYER_CONNECTED || l->filters)
        return 0;
    if (i != b->last_connected)
        return fail_at(
            b->e, b->cfg->path, l->line,
            "[connected] has no output; write output= and the number of its outputs (only "
            "the last one takes the number of classes)");
    l->filters = classes;
    return 0;
}

static int place_layer(struct build *b, int i, const struct cfg_list *from, int classes) {
    if (check_place(b, i) || set_output(b, i, classes) ||
        cfg_resolve(b->cfg->path, b->cfg->layers, i, from, b->e))
        return -1;
    return cfg_infer(b->cfg->path, b->cfg->layers, i, b->cfg->input, &b->totals, b->e);
}

/* The sections say what is wrong with each of them; what is wrong between them is asked when they
 * are right, and one such fault leads to the next. */
static int read_sections(struct build *b, struct cfg_list *from) {
    for (int i = 0; i < b->cfg->n; i++) {
        struct cfg_draft draft;
        if (cfg_read_layer(b->text, section_of(b, i), &draft, b->e)) {
            if (fail_next(b->e))
                break;
            continue;
        }
        b->cfg->layers[i] = draft.layer;
        from[i] = draft.from;
    }
    return fail_any(b->e);
}

static int read_layers(struct build *b, int classes) {
    struct cfg *cfg = b->cfg;
    int n = b->text->n_sections - 1;
    cfg->recipe = b->net.recipe;
    if (n == 0)
        return fail_at(b->e, cfg->path, b->net.line, "[net] has no layers behind it; add some");
    if (n > LAYERS_MAX)
        return fail_at(b->e, cfg->path, section_of(b, LAYERS_MAX)->line,
                       "has %d layers, more than the %d allowed; is it the right file?", n,
                       LAYERS_MAX);
    cfg->layers = need((size_t)n, sizeof *cfg->layers);
    cfg->n = n;
    b->last_connected = find_last_connected(b);
    struct cfg_list *from = need((size_t)n, sizeof *from);
    int rc = read_sections(b, from);
    for (int i = 0; i < n && !rc; i++)
        rc = place_layer(b, i, &from[i], classes);
    free(from);
    return rc;
}

/* The layer whose outputs are the class scores. */
static const struct cfg_layer *scores(const struct cfg *cfg) {
    int i = cfg->n - 1;
    while (i > 0 && (cfg->layers[i].type == LAYER_SOFTMAX || cfg->layers[i].type == LAYER_COST))
        i--;
    return &cfg->layers[i];
}

static int check_classes(const struct build *b, int classes) {
    const struct cfg_layer *l = scores(b->cfg);
    b->cfg->classes = (int)cfg_floats(l->out);
    if (b->cfg->classes == classes)
        return 0;
    return fail_at(b->e, b->cfg->path, l->line,
                   "the network ends with %d outputs (%dx%dx%d), but the data set has %d classes; "
                   "change the last layer",
                   b->cfg->classes, l->out.h, l->out.w, l->out.c, classes);
}

static void print_notes(const struct build *b, struct shape data, FILE *f) {
    const struct cfg *cfg = b->cfg;
    if (b->cfg->recipe.fault[0])
        fprintf(f, "ignored, unless by from = cfg: %s\n", b->cfg->recipe.fault);
    if (b->net.ignored[0])
        fprintf(f,
                "cfg line %d: %s are ignored: the grid says how to train, unless by from = cfg\n",
                b->net.line, b->net.ignored);
    if (data.c != cfg->input.c)
        fprintf(f, "cfg line %d: grey images are replicated to %d channels\n", b->net.line,
                cfg->input.c);
    const struct cfg_layer *last = &cfg->layers[cfg->n - 1];
    if (last->type == LAYER_COST)
        fprintf(f, "cfg line %d: [cost] is ignored: the loss is softmax cross-entropy\n",
                last->line);
    else if (last->type != LAYER_SOFTMAX)
        fprintf(f,
                "cfg line %d: no [softmax] behind the last layer: its outputs are taken as class "
                "scores\n",
                last->line);
}

static int write_texts(const struct build *b, struct shape data) {
    size_t size;
    FILE *f = open_memstream(&b->cfg->notes, &size);
    if (f) {
        print_notes(b, data, f);
        fclose(f);
    }
    b->cfg->normal = cfg_print_normal(b->cfg);
    b->cfg->darknet = cfg_print_darknet(b->cfg);
    if (!b->cfg->notes || !b->cfg->normal || !b->cfg->darknet)
        return fail(b->e, "out of memory while reading %s; end other programs", b->cfg->path);
    return 0;
}

/* Faults of [net] do not keep those of the layers from being said. */
static int build_cfg(struct build *b, struct shape data, int classes) {
    int bad_net = cfg_read_net(b->text, &b->net, b->e);
    if (bad_net && fail_next(b->e))
        return fail_any(b->e);
    return (!bad_net && cfg_input_shape(b->text, &b->net, data, &b->cfg->input, b->e)) ||
           read_layers(b, classes) || check_classes(b, classes) || write_texts(b, data);
}

int cfg_parse(struct cfg *cfg, const char *text, size_t size, const char *path, struct shape data,
              int classes, struct error *e) {
    *cfg = (struct cfg){.path = need_string(path)};
    struct cfg_text lexed;
    struct build b = {.cfg = cfg, .text = &lexed, .e = e};
    int bad = cfg_lex(&lexed, text, size, path, e) || build_cfg(&b, data, classes);
    cfg_text_free(&lexed);
    if (bad)
        cfg_free(cfg);
    return bad ? -1 : 0;
}

int cfg_read(struct cfg *cfg, const char *path, struct shape data, int classes, struct error *e) {
    *cfg = (struct cfg){0};
    size_t size;
    char *text = file_read(path, CFG_BYTES_MAX, &size, e);
    if (!text)
        return -1;
    int rc = cfg_parse(cfg, text, size, path, data, classes, e);
    free(text);
    return rc;
}

void cfg_free(struct cfg *cfg) {
    free(cfg->path);
    free(cfg->layers);
    free(cfg->notes);
    free(cfg->normal);
    free(cfg->darknet);
    *cfg = (struct cfg){0};
}
