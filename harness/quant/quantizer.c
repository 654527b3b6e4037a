/* Looking up quantizers in a table; quantizer.h says what one is. */
#include "quant/quantizer.h"

#include <string.h>

const struct quantizer *quantizer_find(const struct quantizer *const *table, const char *name) {
    for (; *table; table++)
        if (!strcmp((*table)->name, name))
            return *table;
    return NULL;
}

static int is_own(const struct axes *a) {
    return a->range == RANGE_OWN || a->rounder == ROUND_OWN || a->dequantizer == DEQUANT_OWN;
}

const struct quantizer *quantizer_with_axes(const struct quantizer *const *table,
                                            const struct axes *a) {
    for (; *table && !is_own(a); table++) {
        const struct axes *b = &(*table)->axes;
        if (b->range == a->range && b->rounder == a->rounder && b->dequantizer == a->dequantizer &&
            b->scale == a->scale && b->granularity == a->granularity)
            return *table;
    }
    return NULL;
}
