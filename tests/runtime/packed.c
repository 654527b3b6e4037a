/* A packed network; packed.h is the manual. */
#include "runtime/packed.h"

#include "base/file.h"
#include "base/folder.h"
#include "base/random.h"
#include "engine/load.h"
#include "model/net.h"
#include "registry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The fourth convolution has float inputs, though it is quantized. */
const char packed_cfg[] =
    "[net]\n"
    "[convolutional]\nfilters=6\nsize=3\npad=1\nbatch_normalize=1\nactivation=relu\n"
    "[convolutional]\nfilters=6\nsize=3\nstride=1\npad=1\ngroups=6\nbatch_normalize=1\n"
    "activation=relu\n"
    "[convolutional]\nfilters=20\nsize=1\nbias=1\nactivation=linear\n"
    "[convolutional]\nfilters=12\nsize=3\npad=1\nbatch_normalize=1\nactivation=relu6\n"
    "[maxpool]\nsize=3\nstride=2\n"
    "[convolutional]\nfilters=16\nsize=3\npad=1\ngroups=2\nbias=0\nactivation=linear\n"
    "[batchnorm]\n"
    "[activation]\nactivation=relu\n"
    "[convolutional]\nfilters=16\nsize=3\npad=1\nbias=0\nactivation=linear\n"
    "[shortcut]\nfrom=-3\nactivation=linear\n"
    "[batchnorm]\n"
    "[dropout]\nprobability=.2\n"
    "[activation]\nactivation=relu\n"
    "[maxpool]\nsize=2\nstride=2\npadding=1\n"
    "[connected]\noutput=18\nbatch_normalize=1\nactivation=relu\n"
    "[connected]\nactivation=linear\n"
    "[softmax]\n";

static void draw_images(struct packed *p) {
    struct random r = random_stream(91, RANDOM_TEST, 0, 0);
    const struct shape *s = &p->data.shape, *in = &p->frozen.cfg.input;
    size_t plane = (size_t)s->h * (size_t)s->w, stored = (size_t)s->c, c = (size_t)in->c;
    p->bytes = need((size_t)p->images * stored * plane, 1);
    p->floats = need_aligned((size_t)p->images * c * plane, sizeof *p->floats);
    for (size_t i = 0; i < (size_t)p->images * stored * plane; i++)
        p->bytes[i] = (uint8_t)random_below(&r, 256);
    for (size_t i = 0; i < (size_t)p->images * c * plane; i++) {
        size_t image = i / (c * plane), channel = i / plane % c;
        channel = channel < stored ? channel : 0;
        uint8_t x = p->bytes[(image * stored + channel) * plane + i % plane];
        p->floats[i] = ((float)x / 255.0F - p->data.mean[channel]) / p->data.deviation[channel];
    }
}

/* Statistics of the images at every width that the scheme has, from the latent weights. */
static void estimate_norms(struct net *n, const struct packed *p) {
    struct error e = {0};
    const struct engine *engine = engine_at(0);
    struct program *program = engine->compile(n->m, p->images, 1, &e);
    float *scratch = need_aligned(model_largest_weights(n->m), sizeof *scratch);
    if (!program)
        fail_msg("%s", e.text);
    for (int b = n->m->widths.n - 1; b >= 0; b--) {
        int k = n->m->widths.bits[b];
        if (!quantizer_exists(n->m->quantizer, &n->m->widths, 8, k, 0))
            continue;
        struct point point = spec_point(&n->spec, k, CUT_NONE);
        load_program(n->m, NULL, engine, program, &point, scratch);
        struct pass pass = {.mode = PASS_CALIBRATE, .point = point, .momentum = 1};
        engine->forward(program, &pass, p->floats, p->images);
    }
    free(scratch);
    engine->free(program);
}

static void make_data(struct dataset *d, const struct packed_options *o) {
    *d = (struct dataset){.name = "drawn",
                          .shape = o->input,
                          .classes = o->classes,
                          .mean = {.5F, .45F, .4F},
                          .deviation = {.29F, .3F, .31F}};
}

static struct spec spec_of(const struct packed_options *o) {
    struct spec spec = net_spec(o->scheme);
    strcpy(spec.dataset, "fashion-mnist");
    strcpy(spec.network, o->cfg ? o->cfg : "small");
    for (const char *const *key = o->keys; key && *key; key += 2)
        net_set(&spec, key[0], key[1]);
    if (!strcmp(o->scheme, "matquant") || !strcmp(o->scheme, "double-rounding"))
        net_set(&spec, "widths", "2 4 8 32");
    spec_normalize(&spec, quantizer_registry);
    return spec;
}

void packed_freeze(struct packed *p, const struct packed_options *o) {
    struct error e = {0};
    struct net n;
    size_t size;
    struct spec spec = spec_of(o);
    *p = (struct packed){.images = o->images ? o->images : PACKED_IMAGES};
    make_data(&p->data, o);
    p->cfg = o->cfg ? file_read(o->cfg, 1 << 20, &size, &e) : need_string(o->text);
    net_build(&n, &spec, p->cfg, o->cfg ? o->cfg : "packed.cfg", o->input, o->classes);
    p->frozen.cfg.input = n.cfg.input;
    draw_images(p);
    estimate_norms(&n, p);
    const char *path = folder_file(test_folder, "model.frozen");
    if (frozen_write(path, n.m, &spec, quantizer_registry, p->cfg, &p->data, &e) ||
        frozen_read(&p->frozen, path, quantizer_registry, &e))
        fail_msg("%s", e.text);
    net_free(&n);
    p->pack = (struct pack){.frozen = &p->frozen,
                            .data = &p->data,
                            .run_id = "0123456789abcdef",
                            .commit = "c0ffee",
                            .planes = (int)p->frozen.spec.stored_bits};
}

void packed_open(struct packed *p, const struct packed_options *o) {
    struct error e = {0};
    packed_freeze(p, o);
    p->path = need_string(folder_file(test_folder, "model.tqm"));
    if (pack_write(&p->pack, p->path, &e))
        fail_msg("%s", e.text);
    if (tq_open(p->path, 0, &p->model))
        fail_msg("%s", tq_model_message(p->model));
}

void packed_free(struct packed *p) {
    tq_close(p->model);
    frozen_free(&p->frozen);
    free(p->path);
    free(p->cfg);
    free(p->bytes);
    free(p->floats);
}
