/* The table of engines; engine.h says what one is. */
#include "engine/engine.h"

#include <string.h>

static const struct engine *const engines[] = {&engine_reference, NULL};
const char *const engine_names[] = {"reference", NULL};

const struct engine *engine_find(const char *name) {
    for (int i = 0; engines[i]; i++)
        if (!strcmp(engines[i]->name, name))
            return engines[i];
    return NULL;
}
