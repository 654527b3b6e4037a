/* Looking up quantizers in a table; quantizer.h says what one is. */
#include "quant/quantizer.h"

#include "quant/axes.h"

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

static int has_own_axis(const struct axes *a) {
    return a->range == RANGE_OWN || a->rounder == ROUND_OWN || a->dequantizer == DEQUANT_OWN;
}

static int has_slots_of_axes(const struct quantizer *q) {
    return q->quantize == axes_quantize && q->backward == axes_backward &&
           q->header_floats == axes_header_floats && q->encode == axes_encode &&
           q->decode == axes_decode && q->truncate == axes_truncate &&
           q->integer_form == axes_integer_form;
}

int quantizer_is_own(const struct quantizer *q) {
    if (has_own_axis(&q->axes) || q->parent || q->alone || q->check || q->has_direct ||
        q->n_params || q->regularize)
        return 1;
    return q->axes.range != RANGE_NONE && (q->min_bits != 1 || !has_slots_of_axes(q));
}

const struct quantizer *quantizer_with_axes(const struct quantizer *const *table,
                                            const struct axes *a) {
    for (; *table; table++) {
        const struct axes *b = &(*table)->axes;
        if (!quantizer_is_own(*table) && b->range == a->range && b->rounder == a->rounder &&
            b->dequantizer == a->dequantizer && b->scale == a->scale &&
            b->granularity == a->granularity)
            return *table;
    }
    return NULL;
}

int8_t quantizer_signed_code(const struct integer_form *form, uint8_t code, int k) {
    return form->is_signed ? (int8_t)code : (int8_t)(code - (1 << (k - 1)));
}
