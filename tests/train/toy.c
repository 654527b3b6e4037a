/* The run in memory; toy.h is the manual. */
#include "train/toy.h"

#include "base/random.h"
#include "model/net.h"
#include "model/start.h"
#include "registry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

const char toy_cfg[] = "[net]\n"
                       "[convolutional]\nfilters=8\nsize=3\npad=1\nbias=0\nactivation=linear\n"
                       "[batchnorm]\n"
                       "[activation]\nactivation=relu\n"
                       "[convolutional]\nfilters=12\nsize=3\nstride=2\npad=1\nbias=0\n"
                       "activation=linear\n"
                       "[batchnorm]\n"
                       "[activation]\nactivation=relu\n"
                       "[convolutional]\nfilters=12\nsize=3\npad=1\nbias=0\nactivation=linear\n"
                       "[route]\nlayers=2\n"
                       "[convolutional]\nfilters=12\nsize=1\nstride=2\nbias=0\nprojection=1\n"
                       "activation=linear\n"
                       "[batchnorm]\n"
                       "[shortcut]\nfrom=6\nactivation=linear\n"
                       "[batchnorm]\n"
                       "[dropout]\nprobability=.1\n"
                       "[avgpool]\n"
                       "[connected]\nactivation=linear\n"
                       "[softmax]\n";

enum { SIDE = 8, PLANE = SIDE * SIDE };

static uint8_t pixels[SPLITS][TOY_TRAIN][PLANE];
static uint16_t labels[SPLITS][TOY_TRAIN];

/* Random images with random labels: nothing to learn but the images themselves. */
static void make_data(struct dataset *d) {
    struct random r = random_stream(7, RANDOM_TEST, 0, 0);
    for (int s = 0; s < SPLITS; s++)
        for (int i = 0; i < TOY_TRAIN; i++) {
            labels[s][i] = (uint16_t)random_below(&r, TOY_CLASSES);
            for (int p = 0; p < PLANE; p++)
                pixels[s][i][p] = (uint8_t)random_below(&r, 256);
        }
    *d = (struct dataset){
        .name = "toy",
        .shape = {1, SIDE, SIDE},
        .classes = TOY_CLASSES,
        .split = {{TOY_TRAIN, pixels[0][0], labels[0]}, {TOY_TEST, pixels[1][0], labels[1]}},
        .mean = {.5f},
        .deviation = {.29f}};
}

static void leave_out_small_widths(struct spec *spec) {
    struct widths B = spec->widths;
    spec->widths.n = 0;
    for (int i = 0; i < B.n; i++)
        if (B.bits[i] >= quantizer_find(quantizer_registry, spec->scheme)->min_bits)
            spec->widths.bits[spec->widths.n++] = B.bits[i];
}

struct spec toy_spec(const char *scheme, long seed, long epochs) {
    struct spec spec = net_spec(scheme);
    leave_out_small_widths(&spec);
    strcpy(spec.network, "toy");
    strcpy(spec.dataset, "toy");
    spec.seed = seed;
    spec.epochs = epochs;
    spec.batch = 16;
    spec.learning_rate = 0.01;
    spec.schedule = SCHEDULE_CONSTANT;
    return spec;
}

void toy_build(struct toy *t, const struct spec *spec) {
    toy_build_on(t, spec, &engine_reference, 1);
}

void toy_build_on(struct toy *t, const struct spec *spec, const struct engine *engine,
                  int threads) {
    struct error e = {0};
    *t = (struct toy){.spec = *spec, .table = quantizer_registry};
    make_data(&t->data);
    t->quantizer = quantizer_find(t->table, spec->scheme);
    if (cfg_parse(&t->cfg, toy_cfg, strlen(toy_cfg), "toy.cfg", t->data.shape, TOY_CLASSES, &e))
        fail_msg("%s", e.text);
    t->model = model_build(&t->cfg, &t->spec, t->quantizer, &e);
    if (!t->model)
        fail_msg("%s", e.text);
    t->program = engine->compile(t->model, (int)spec->batch, threads, &e);
    if (!t->program ||
        trainer_start(&t->trainer, &t->spec, &t->data, t->model, engine, t->program, &e))
        fail_msg("%s", e.text);
}

void toy_free(struct toy *t) {
    trainer_free(&t->trainer);
    t->trainer.engine->free(t->program);
    model_free(t->model);
    cfg_free(&t->cfg);
}

void toy_train(struct toy *t, int steps) {
    struct error e = {0};
    for (int i = 0; i != steps && !trainer_is_done(&t->trainer); i++)
        if (trainer_step(&t->trainer, &e))
            fail_msg("%s", e.text);
}

static int same(const float *a, const float *b, size_t n) {
    return !memcmp(a, b, n * sizeof *a);
}

int toy_same(const struct toy *a, const struct toy *b) {
    const struct optimizer *oa = &a->trainer.optimizer, *ob = &b->trainer.optimizer;
    for (int i = 0; i < a->model->n_parameters; i++) {
        const struct parameter *p = &a->model->parameters[i], *q = &b->model->parameters[i];
        if (!same(p->value, q->value, p->n) || !same(oa->m[i], ob->m[i], p->n) ||
            (oa->v && !same(oa->v[i], ob->v[i], p->n)))
            return 0;
    }
    for (int i = 0; i < a->model->n_norms; i++)
        for (int k = 0; k < a->model->widths.n; k++) {
            const struct norm *p = &a->model->norms[i], *q = &b->model->norms[i];
            if (!same(p->mean[k], q->mean[k], (size_t)p->channels) ||
                !same(p->variance[k], q->variance[k], (size_t)p->channels))
                return 0;
        }
    return 1;
}
