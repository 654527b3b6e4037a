/* Darknet's own reading of a cfg, as the check on ours. */
#ifndef TESTS_MODEL_DARKNET_TWIN_H
#define TESTS_MODEL_DARKNET_TWIN_H

#include "cfg/cfg.h"

#include <stddef.h>

/* True when Darknet's library is installed. */
int darknet_twin_is_there(void);

/* Let Darknet load cfg->darknet and compare every layer with ours: type, shapes, geometry, what it
 * reads. In a process of its own, since Darknet exits, aborts and leaks. `text` becomes "" when all
 * agree, else the first difference. */
void darknet_twin_compare(const struct cfg *cfg, char *text, size_t size);

#endif
