/* The table of engines; engine.h says what one is. */
#include "engine/engine.h"

#include "engine/inference.h"

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

const struct engine *engine_find(const char *name) {
    for (int i = 0; engines[i]; i++)
        if (!strcmp(engines[i]->name, name))
            return engines[i];
    return NULL;
}
