/* Writing a cfg; print.h is the manual. */
#include "cfg/print.h"

#include <stdio.h>
#include <stdlib.h>

/* A text being written; `before` goes in front of every key. */
struct printer {
    FILE *file;
    const char *before;
    int darknet; // for Darknet, which does not know every activation
};

static void put_key(const struct printer *p, const char *key, int value) {
    fprintf(p->file, "%s%s=%d", p->before, key, value);
}

static void put_word(const struct printer *p, const char *key, const char *value) {
    fprintf(p->file, "%s%s=%s", p->before, key, value);
}

/* The shortest form that reads back as the same float. */
static void put_real(const struct printer *p, const char *key, float value) {
    char text[32];
    for (int digits = 1; digits <= 9; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, (double)value);
        if (!(strtof(text, NULL) < value) && !(strtof(text, NULL) > value))
            break;
    }
    put_word(p, key, text);
}

static void put_from(const struct printer *p, const char *key, const struct cfg_layer *l) {
    fprintf(p->file, "%s%s=", p->before, key);
    for (int k = 0; k < l->n_from; k++)
        fprintf(p->file, k ? ",%d" : "%d", l->from[k]);
}

static void put_activation(const struct printer *p, const struct cfg_layer *l) {
    int stands_in = p->darknet && l->activation == ACT_RELU6;
    put_word(p, "activation", activation_name(stands_in ? ACT_RELU : l->activation));
}

static void put_convolutional(const struct printer *p, const struct cfg_layer *l) {
    put_key(p, "filters", l->filters);
    put_key(p, "size", l->size);
    put_key(p, "stride", l->stride);
    put_key(p, "padding", l->padding);
    put_key(p, "groups", l->groups);
    put_key(p, "batch_normalize", l->batch_normalize);
    put_activation(p, l);
}

static void put_connected(const struct printer *p, const struct cfg_layer *l) {
    put_key(p, "output", l->filters);
    put_key(p, "batch_normalize", l->batch_normalize);
    put_activation(p, l);
}

static void put_maxpool(const struct printer *p, const struct cfg_layer *l) {
    put_key(p, "size", l->size);
    put_key(p, "stride", l->stride);
    put_key(p, "padding", l->padding);
}

static void put_shortcut(const struct printer *p, const struct cfg_layer *l) {
    put_from(p, "from", l);
    put_real(p, "alpha", l->alpha);
    put_real(p, "beta", l->beta);
    put_activation(p, l);
}

/* The keys that Darknet knows, all of them: its defaults are not relied on. */
static void put_keys(const struct printer *p, const struct cfg_layer *l) {
    switch (l->type) {
    case LAYER_CONVOLUTIONAL:
        put_convolutional(p, l);
        break;
    case LAYER_CONNECTED:
        put_connected(p, l);
        break;
    case LAYER_ACTIVATION:
        put_activation(p, l);
        break;
    case LAYER_MAXPOOL:
        put_maxpool(p, l);
        break;
    case LAYER_SHORTCUT:
        put_shortcut(p, l);
        break;
    case LAYER_ROUTE:
        put_from(p, "layers", l);
        break;
    case LAYER_UPSAMPLE:
        put_key(p, "stride", l->stride);
        put_real(p, "scale", l->scale);
        break;
    case LAYER_REORG:
        put_key(p, "stride", l->stride);
        put_key(p, "reverse", l->reverse);
        break;
    case LAYER_DROPOUT:
        put_real(p, "probability", l->probability);
        break;
    case LAYER_SOFTMAX:
        put_key(p, "groups", 1);
        break;
    case LAYER_COST:
        put_word(p, "type", "sse");
        break;
    case LAYER_BATCHNORM:
    case LAYER_AVGPOOL:
    case LAYER_TYPES:
        break;
    }
}

static int has_weights(const struct cfg_layer *l) {
    return l->type == LAYER_CONVOLUTIONAL || l->type == LAYER_CONNECTED;
}

static int is_end(const struct cfg *cfg, int i, int step) {
    for (i += step; i >= 0 && i < cfg->n; i += step)
        if (has_weights(&cfg->layers[i]))
            return 0;
    return 1;
}

/* Written out or by the default rule, the same answer has to give the same text. */
static const char *quantize_text(const struct cfg *cfg, int i) {
    const struct cfg_layer *l = &cfg->layers[i];
    if (l->quantize >= 0)
        return l->quantize ? "1" : "0";
    if (l->projection)
        return "grid"; // `projections` of the grid
    return is_end(cfg, i, -1) || is_end(cfg, i, 1) ? "0" : "1";
}

static void put_harness_keys(const struct printer *p, const struct cfg *cfg, int i) {
    const struct cfg_layer *l = &cfg->layers[i];
    if (!has_weights(l))
        return;
    put_key(p, "bias", l->bias);
    put_word(p, "quantize", quantize_text(cfg, i));
    put_key(p, "projection", l->projection);
    put_word(p, "init", start_name(l->start));
}

char *cfg_print_normal(const struct cfg *cfg) {
    char *text = NULL;
    size_t size;
    struct printer p = {open_memstream(&text, &size), " ", 0};
    if (!p.file)
        return NULL;
    fprintf(p.file, "input channels=%d height=%d width=%d\n", cfg->input.c, cfg->input.h,
            cfg->input.w);
    for (int i = 0; i < cfg->n; i++) {
        const struct cfg_layer *l = &cfg->layers[i];
        if (l->type == LAYER_SOFTMAX || l->type == LAYER_COST)
            continue;
        fprintf(p.file, "%d %s", i, layer_type_name(l->type));
        put_keys(&p, l);
        put_harness_keys(&p, cfg, i);
        fputc('\n', p.file);
    }
    fclose(p.file);
    return text;
}

char *cfg_print_darknet(const struct cfg *cfg) {
    char *text = NULL;
    size_t size;
    struct printer p = {open_memstream(&text, &size), "\n", 1};
    if (!p.file)
        return NULL;
    fputs("[net]", p.file);
    put_key(&p, "batch", 1);
    put_key(&p, "subdivisions", 1);
    put_key(&p, "height", cfg->input.h);
    put_key(&p, "width", cfg->input.w);
    put_key(&p, "channels", cfg->input.c);
    for (int i = 0; i < cfg->n; i++) {
        fprintf(p.file, "\n\n[%s]", layer_type_name(cfg->layers[i].type));
        put_keys(&p, &cfg->layers[i]);
    }
    fputc('\n', p.file);
    fclose(p.file);
    return text;
}
