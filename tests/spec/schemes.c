/* The table of schemes.h. Planning never computes, but slots other than those of the axes would
 * make a scheme its own. */
#include "spec/schemes.h"

#include "quant/axes.h"

static const struct quantizer fp32 = {.name = "fp32", .min_bits = FLOAT_BITS};
static const struct quantizer qat = {.name = "qat",
                                     .axes = {RANGE_TANH, ROUND_NEAREST, DEQUANT_ENDPOINT, 0, 0},
                                     .min_bits = 1,
                                     AXES_SLOTS};
static const struct quantizer minmax = {
    .name = "minmax",
    .axes = {RANGE_MINMAX, ROUND_NEAREST, DEQUANT_ENDPOINT, 0, 0},
    .min_bits = 1,
    AXES_SLOTS};
static const struct quantizer truncquant = {
    .name = "truncquant",
    .axes = {RANGE_TANH, ROUND_FLOOR, DEQUANT_ENDPOINT, 0, 0},
    .min_bits = 1,
    AXES_SLOTS};

static size_t one_step(const struct quant_layer *l) {
    (void)l;
    return 1;
}

static const struct quantizer learned = {.name = "learned",
                                         .axes = {RANGE_OWN, ROUND_OWN, DEQUANT_OWN, 0, 0},
                                         .min_bits = 2,
                                         .n_params = one_step};

static int has_own_width(const struct widths *B, int stored_bits, int k) {
    (void)stored_bits;
    return widths_find(B, k) >= 0;
}

static const struct quantizer ptq = {.name = "ptq",
                                     .axes = {RANGE_MINMAX, ROUND_NEAREST, DEQUANT_ENDPOINT, 0, 0},
                                     .min_bits = 1,
                                     AXES_SLOTS,
                                     .parent = "fp32"};
static const struct quantizer dedicated = {
    .name = "dedicated",
    .axes = {RANGE_TANH, ROUND_NEAREST, DEQUANT_ENDPOINT, 0, 0},
    .min_bits = 1,
    AXES_SLOTS,
    .alone = 1,
    .has_direct = has_own_width};

const struct quantizer *const test_schemes[] = {&fp32,    &qat, &minmax,    &truncquant,
                                                &learned, &ptq, &dedicated, NULL};
