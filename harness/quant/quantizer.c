/* Looking up quantizers in a table; quantizer.h says what one is. */
#include "quant/quantizer.h"

#include <string.h>

const struct quantizer *quantizer_find(const struct quantizer *const *table, const char *name) {
    for (; *table; table++)
        if (!strcmp((*table)->name, name))
            return *table;
    return NULL;
}

int quantizer_exists(const struct quantizer *q, const struct widths *B, int stored_bits, int k,
                     int truncated) {
    if (k < q->min_bits)
        return 0;
    if (truncated)
        return k <= stored_bits && !q->alone;
    return !q->has_direct || q->has_direct(B, stored_bits, k);
}

static int is_own(const struct axes *a) {
    return a->range == RANGE_OWN || a->rounder == ROUND_OWN || a->dequantizer == DEQUANT_OWN;
}

const struct quantizer *quantizer_with_axes(const struct quantizer *const *table,
                                            const struct axes *a) {
    for (; *table && !is_own(a); table++) {
        const struct axes *b = &(*table)->axes;
        if (!(*table)->parent && !(*table)->alone && b->range == a->range &&
            b->rounder == a->rounder && b->dequantizer == a->dequantizer && b->scale == a->scale &&
            b->granularity == a->granularity)
            return *table;
    }
    return NULL;
}

int8_t quantizer_signed_code(const struct integer_form *form, uint8_t code, int k) {
    return form->is_signed ? (int8_t)code : (int8_t)(code - (1 << (k - 1)));
}
