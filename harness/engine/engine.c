/* The table of engines; engine.h says what one is. This is the only file that knows what the
 * program is built with: an engine that is left out still says who it is, and what it lacks. */
#include "engine/engine.h"

#include "engine/exact.h"

#include <omp.h>
#include <stdio.h>
#include <string.h>

#ifndef HAVE_ONEDNN
static int look_without_onednn(char *text, size_t size) {
    snprintf(
        text, size,
        "the program is built without it, so the reference engine computes, at half the speed; "
        "install libdnnl-dev and build again");
    return -1;
}

const struct engine engine_onednn = {.interface = ENGINE_INTERFACE,
                                     .name = "onednn",
                                     .about = "oneDNN and fused passes: the fast one",
                                     .look = look_without_onednn};
#endif

const struct engine engine_null = {.interface = ENGINE_INTERFACE,
                                   .name = "null",
                                   .about = "nothing: planner, database and scheduler alone",
                                   .computes_nothing = 1};

const struct engine *const engines[] = {&engine_onednn, &engine_reference, &engine_null, NULL};

const char *const arithmetic_names[] = {
    [ARITHMETIC_FP32] = "fp32-exact", [ARITHMETIC_BF16] = "bf16", [ARITHMETIC_INT8] = "int8", NULL};

const char *const precision_names[] = {[PRECISION_FP32] = "fp32",
                                       [PRECISION_BF16] = "bf16",
                                       [PRECISION_BF16_BACKWARD] = "bf16-backward",
                                       NULL};

int engine_use(const struct engine *engine, struct program *p, enum precision precision,
               struct error *e) {
    if (precision == PRECISION_FP32)
        return 0;
    if (!engine->use_bf16)
        return fail(e, "engine %s computes in fp32 alone; use --precision fp32", engine->name);
    return engine->use_bf16(p, precision == PRECISION_BF16_BACKWARD, e);
}

struct team engine_team(const struct engine *engine) {
    return team_of(engine->any_team ? omp_get_max_threads() : 1);
}

/* ---- which there are ---- */

const struct engine *engine_find(const char *name) {
    for (int i = 0; engines[i]; i++)
        if (!strcmp(engines[i]->name, name))
            return engines[i];
    return NULL;
}

const struct engine *engine_at(int i) {
    for (int at = 0; engines[at]; at++) {
        struct error ignored = {0};
        int computes = !engines[at]->computes_nothing && !engine_check(engines[at], &ignored);
        if (computes && i-- == 0)
            return engines[at];
    }
    return NULL;
}

static int has_slots(const struct engine *g) {
    return g->compile && g->set_weights && !g->upload == !g->download && g->forward &&
           g->backward && g->weight_gradient && g->peek && g->free &&
           !g->wants_integers == !g->use_bf16 && !g->set_integers == !g->use_bf16;
}

int engine_check(const struct engine *engine, struct error *e) {
    char text[512] = "";
    if (engine->interface != ENGINE_INTERFACE)
        return fail(e, "engine %s is written for version %d of the interface, which is %d now",
                    engine->name, engine->interface, ENGINE_INTERFACE);
    if (engine->look && engine->look(text, sizeof text))
        return fail(e, "engine %s cannot compute here: %s", engine->name, text);
    if (!engine->computes_nothing && !has_slots(engine))
        return fail(e, "engine %s leaves a slot empty that it has to fill (engine/engine.h)",
                    engine->name);
    return 0;
}

void engine_library(const struct engine *engine, char *text, size_t size) {
    const struct engine *of = engine->library ? engine : engine_at(0);
    snprintf(text, size, "%s", "");
    if (of->library)
        of->library(text, size);
}

/* ---- numbers that both sides change ---- */

void engine_upload(const struct engine *engine, struct program *p, unsigned what) {
    if (engine->upload)
        engine->upload(p, what);
}

void engine_download(const struct engine *engine, struct program *p, unsigned what) {
    if (engine->download)
        engine->download(p, what);
}
