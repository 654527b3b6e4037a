/* The table of schemes.h. Slots are left out: planning never computes. */
#include "plan/schemes.h"

static const struct quantizer fp32 = {.name = "fp32", .min_bits = FLOAT_BITS};
static const struct quantizer qat = {
    .name = "qat", .axes = {RANGE_TANH, ROUND_NEAREST, DEQUANT_ENDPOINT, 0, 0}, .min_bits = 1};
static const struct quantizer minmax = {
    .name = "minmax", .axes = {RANGE_MINMAX, ROUND_NEAREST, DEQUANT_ENDPOINT, 0, 0}, .min_bits = 1};
static const struct quantizer truncquant = {
    .name = "truncquant", .axes = {RANGE_TANH, ROUND_FLOOR, DEQUANT_ENDPOINT, 0, 0}, .min_bits = 1};
static const struct quantizer learned = {
    .name = "learned", .axes = {RANGE_OWN, ROUND_OWN, DEQUANT_OWN, 0, 0}, .min_bits = 2};

const struct quantizer *const test_schemes[] = {&fp32, &qat, &minmax, &truncquant, &learned, NULL};
