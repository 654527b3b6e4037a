/* The small network of the targets; network.h is the manual. */
#include "fuzz/network.h"

#include "fuzz/target.h"
#include "model/start.h"
#include "registry.h"

#include <string.h>

const char network_cfg[] =
    "[net]\n"
    "[convolutional]\nfilters=2\nsize=3\npad=1\nbatch_normalize=1\nactivation=relu\n"
    "[convolutional]\nfilters=3\nsize=3\npad=1\nbias=0\nactivation=linear\n"
    "[batchnorm]\n"
    "[activation]\nactivation=relu\n"
    "[avgpool]\n"
    "[connected]\nactivation=linear\n"
    "[softmax]\n";
const struct numerics network_numerics = {.engine = "reference", .precision = "fp32", .threads = 1};
const char network_run[] = "0123";

enum { IMAGES = 64, BATCH = 16, CLASSES = 4, EPOCHS = 3 };

static void set_spec(struct spec *spec, const char *scheme) {
    struct error e = {0};
    spec_defaults(spec);
    FUZZ_HOLDS(!spec_set(spec, quantizer_registry, spec_key_find("scheme"), scheme, &e));
    strcpy(spec->network, "fuzz");
    strcpy(spec->dataset, "fuzz");
    if (spec->widths.n > 1)
        spec->widths = (struct widths){3, {2, 8, FLOAT_BITS}};
    spec->epochs = EPOCHS;
    spec->batch = BATCH;
}

void network_start(struct network *n, const char *scheme) {
    struct error e = {0};
    memset(n, 0, sizeof *n);
    set_spec(&n->spec, scheme);
    n->data = (struct dataset){.name = "fuzz", .shape = {1, 4, 4}, .classes = CLASSES};
    n->data.split[SPLIT_TRAIN].n = n->data.split[SPLIT_TEST].n = IMAGES;
    FUZZ_HOLDS(!cfg_parse(&n->cfg, network_cfg, strlen(network_cfg), "fuzz.cfg", n->data.shape,
                          CLASSES, &e));
    n->model = model_build(&n->cfg, &n->spec, quantizer_find(quantizer_registry, scheme), &e);
    FUZZ_HOLDS(n->model != NULL);
    const struct engine *engine = engine_find("reference"); // nothing is compiled for it
    FUZZ_HOLDS(!trainer_start(&n->trainer, &n->spec, &n->data, n->model, engine, NULL, &e));
}

void network_free(struct network *n) {
    trainer_free(&n->trainer);
    model_free(n->model);
    cfg_free(&n->cfg);
}
