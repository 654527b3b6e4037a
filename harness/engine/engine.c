/* The table of engines; engine.h says what one is. */
#include "engine/engine.h"

#include "engine/exact.h"

#include <omp.h>
#include <string.h>

#ifdef HAVE_ONEDNN
static const struct engine *const engines[] = {&engine_onednn, &engine_reference, NULL};
const char *const engine_names[] = {"onednn", "reference", NULL};
#else
static const struct engine *const engines[] = {&engine_reference, NULL};
const char *const engine_names[] = {"reference", NULL};
#endif

const char *const arithmetic_names[] = {
    [ARITHMETIC_FP32] = "fp32-exact", [ARITHMETIC_BF16] = "bf16", [ARITHMETIC_INT8] = "int8", NULL};

const char *const precision_names[] = {[PRECISION_FP32] = "fp32",
                                       [PRECISION_BF16] = "bf16",
                                       [PRECISION_BF16_BACKWARD] = "bf16-backward",
                                       NULL};

int engine_use(const struct engine *engine, struct plan *p, enum precision precision,
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

const struct engine *engine_find(const char *name) {
    for (int i = 0; engines[i]; i++)
        if (!strcmp(engines[i]->name, name))
            return engines[i];
    return NULL;
}
