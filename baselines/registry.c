/* The table of all schemes, made of the list in baselines.h. */
#include "registry.h"

#include "baselines.h"

#define ENTRY(name) &quantizer_##name,
const struct quantizer *const quantizer_registry[] = {SCHEMES(ENTRY) NULL};
