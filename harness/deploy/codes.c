/* The arrays of a frozen model; codes.h lists them. */
#include "deploy/codes.h"

#include "deploy/names.h"
#include "deploy/npz.h"
#include "deploy/steps.h"

#include <stdlib.h>
#include <string.h>

struct codes {
    const struct pack *p;
    const struct model *m;
    struct npz *z;
    int first, widths; // smallest width, and how many there are
};

static void put(struct codes *s, const char *name, const char *what, enum npz_type type, int n_dims,
                const size_t *dims, const void *elements) {
    char key[96];
    snprintf(key, sizeof key, "%s.%s", name, what);
    npz_array(s->z, key, type, n_dims, dims, elements);
}

/* ---- about the model ---- */

static void put_texts(struct codes *s) {
    const struct spec *spec = &s->p->frozen->spec;
    const struct {
        const char *key, *text;
    } all[] = {{"run", s->p->run_id},
               {"scheme", spec->scheme},
               {"network", spec->network},
               {"dataset", spec->dataset},
               {"commit", s->p->commit}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        npz_texts(s->z, all[i].key, -1, &all[i].text);
}

static void put_widths(struct codes *s) {
    int32_t bits[8], act_bits[8];
    const size_t n = (size_t)s->widths;
    for (int i = 0; i < s->widths; i++) {
        bits[i] = s->first + i;
        act_bits[i] = spec_act_bits(&s->p->frozen->spec, s->first + i);
    }
    npz_number(s->z, "stored_bits", s->first + s->widths - 1);
    npz_array(s->z, "widths", NPZ_I32, 1, &n, bits);
    npz_array(s->z, "act_bits", NPZ_I32, 1, &n, act_bits);
}

static void put_data(struct codes *s) {
    const struct dataset *d = s->p->data;
    int classes = s->m->cfg->classes;
    const size_t channels = (size_t)d->shape.c, three = 3;
    const char **names = need((size_t)classes, sizeof *names);
    char(*numbers)[DEPLOY_NAME] = need((size_t)classes, sizeof *numbers);
    for (int c = 0; c < classes; c++)
        names[c] = deploy_class_name(d, c, numbers[c]);
    npz_texts(s->z, "classes", classes, names);
    npz_array(s->z, "input", NPZ_I32, 1, &three,
              (const int32_t[]){d->shape.c, s->m->nodes[0].shape.h, s->m->nodes[0].shape.w});
    npz_array(s->z, "mean", NPZ_F32, 1, &channels, d->mean);
    npz_array(s->z, "deviation", NPZ_F32, 1, &channels, d->deviation);
    free(names);
    free(numbers);
}

/* Nodes but the images. */
static void put_layers(struct codes *s) {
    const size_t n = (size_t)s->m->n_nodes - 1;
    char(*names)[DEPLOY_NAME] = need(n, sizeof *names);
    const char **all = need(n, sizeof *all);
    int32_t(*outputs)[3] = need(n, sizeof *outputs), *quantized = need(n, sizeof *quantized);
    for (size_t i = 0; i < n; i++) {
        const struct node *node = &s->m->nodes[i + 1];
        deploy_node_name(node, names[i]);
        all[i] = names[i];
        outputs[i][0] = node->shape.c;
        outputs[i][1] = node->shape.h;
        outputs[i][2] = node->shape.w;
        quantized[i] = node->quantized >= 0;
    }
    npz_texts(s->z, "layers", (int)n, all);
    npz_array(s->z, "outputs", NPZ_I32, 2, (const size_t[]){n, 3}, outputs);
    npz_array(s->z, "quantized", NPZ_I32, 1, &n, quantized);
    free(names);
    free(all);
    free(outputs);
    free(quantized);
}

/* ---- layers ---- */

static int weights_dims(const struct model *m, const struct node *n, size_t dims[NPZ_DIMS]) {
    size_t filters = (size_t)n->shape.c, size = (size_t)n->cfg->size;
    dims[0] = filters;
    dims[1] = m->parameters[n->weights].n / filters;
    if (n->op == OP_LINEAR)
        return 2;
    dims[1] /= size * size;
    dims[2] = dims[3] = size;
    return 4;
}

static void put_codes(struct codes *s, const struct node *n, const char *name) {
    const struct frozen *f = s->p->frozen;
    const struct quant_layer *l = &s->m->quantized[n->quantized].layer;
    size_t c = l->channels, dims[NPZ_DIMS], by_width[] = {(size_t)s->widths, c};
    float *scales = need(by_width[0] * c, sizeof *scales);
    float *offsets = need(by_width[0] * c, sizeof *offsets);
    for (int i = 0; i < s->widths; i++) {
        struct integers x = layer_integers(s->m->quantizer, l, f->codes[n->quantized],
                                           f->headers[n->quantized], s->first + i);
        float *scale = steps_scales(&x, c), *offset = steps_offsets(&x, c);
        memcpy(scales + (size_t)i * c, scale, c * sizeof *scale);
        memcpy(offsets + (size_t)i * c, offset, c * sizeof *offset);
        if (i == s->widths - 1) // N
            put(s, name, "codes", NPZ_I8, weights_dims(s->m, n, dims), dims, x.v);
        integers_free(&x);
        free(scale);
        free(offset);
    }
    put(s, name, "scale", NPZ_F32, 2, by_width, scales);
    put(s, name, "offset", NPZ_F32, 2, by_width, offsets);
    free(scales);
    free(offsets);
}

static void put_product(struct codes *s, const struct node *n, const char *name) {
    size_t dims[NPZ_DIMS], filters = (size_t)n->shape.c;
    int n_dims = weights_dims(s->m, n, dims);
    if (n->quantized >= 0)
        put_codes(s, n, name);
    else
        put(s, name, "weights", NPZ_F32, n_dims, dims, s->m->parameters[n->weights].value);
    if (n->bias >= 0)
        put(s, name, "bias", NPZ_F32, 1, &filters, s->m->parameters[n->bias].value);
}

/* ---- norms ---- */

enum { SCALE, SHIFT, MEAN, VARIANCE, OF_NORM };

static void put_bank_of_each_width(struct codes *s, int norm, const char *name) {
    static const char *const what[OF_NORM] = {"scale", "shift", "mean", "variance"};
    const struct norm *n = &s->m->norms[norm];
    float *const *of[OF_NORM] = {n->scale_of, n->shift_of, n->mean, n->variance};
    size_t c = (size_t)n->channels, dims[] = {(size_t)s->widths, c};
    float *all = need(dims[0] * c, sizeof *all);
    for (int j = 0; j < OF_NORM; j++) {
        for (int i = 0; i < s->widths; i++)
            memcpy(all + (size_t)i * c, of[j][model_bank(s->m, s->first + i)], c * sizeof *all);
        put(s, name, what[j], NPZ_F32, 2, dims, all);
    }
    free(all);
}

static void put_calibrated(struct codes *s, int norm, const char *name) {
    static const char *const what[OF_NORM] = {
        [MEAN] = "calibrated_mean", [VARIANCE] = "calibrated_variance"};
    size_t c = (size_t)s->m->norms[norm].channels, before = 0, dims[] = {(size_t)s->widths, c};
    float *all = need(dims[0] * c, sizeof *all);
    for (int i = 0; i < norm; i++)
        before += OF_NORM * (size_t)s->m->norms[i].channels;
    for (size_t j = MEAN; j < OF_NORM; j++) {
        for (int i = 0; i < s->widths; i++)
            memcpy(all + (size_t)i * c, s->p->calibrated[s->first - 1 + i] + before + j * c,
                   c * sizeof *all);
        put(s, name, what[j], NPZ_F32, 2, dims, all);
    }
    free(all);
}

static void put_node(struct codes *s, const struct node *n) {
    char name[DEPLOY_NAME];
    deploy_node_name(n, name);
    if (n->weights >= 0)
        put_product(s, n, name);
    if (n->clips)
        put(s, name, "bound", NPZ_F32, 0, NULL, &n->bound);
    if (n->op == OP_NORM)
        put_bank_of_each_width(s, n->norm, name);
    if (n->op == OP_NORM && s->p->calibrated[s->first - 1])
        put_calibrated(s, n->norm, name);
}

int codes_write(const struct pack *p, const char *path, struct error *e) {
    int first = p->frozen->m->quantizer->min_bits;
    struct codes s = {.p = p,
                      .m = p->frozen->m,
                      .z = npz_start(),
                      .first = first,
                      .widths = (int)p->frozen->spec.stored_bits - first + 1};
    put_texts(&s);
    put_widths(&s);
    put_data(&s);
    put_layers(&s);
    for (int i = 0; i < s.m->n_nodes; i++)
        put_node(&s, &s.m->nodes[i]);
    return npz_write(s.z, path, e);
}
