/* Fingerprints: equal on every machine, and another when a slot returns something else. The list of
 * expected ones is what makes a change of a quantizer show: whoever changes one on purpose writes
 * its new fingerprint here. */
#include "quant/fingerprint.h"

#include "baselines.h"
#include "quant/axes.h"
#include "quant/truncquant.h"
#include "registry.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* Vector tanh differs by up to 4 units of the last place between instruction sets, and the largest
 * of a layer scales all of it: 2.4e-7 of a number, of 100 to 999 thirds of a digit. */
static const double least_margin = 5e-4;

static const struct {
    const char *scheme, *fingerprint; // its first twelve digits
} expected[] = {
    {"fp32", "add367763c3c"},
    {"qat", "8e99ae9b8f2d"},
    {"minmax", "f4d7d0c057da"},
    {"truncquant", "c278fce01c0f"},
    {"truncquant-minmax", "02a578c5dc35"},
    {"adabits", "2916afb388e7"},
    {"adabits-floor", "65a822bdcfa9"},
    {"matquant", "7e3180380e04"},
    {"lsq", "f91c02b7aec9"},
    {"double-rounding", "d97039843dd5"},
    {"ptq", "d1ee3b29b43a"},
    {"dedicated", "bb58ed62ef85"},
};

static void hold_expected(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        const struct quantizer *q = quantizer_find(quantizer_registry, expected[i].scheme);
        char hex[HASH_HEX];
        assert_non_null(q);
        quantizer_fingerprint(q, &q->axes, hex);
        hex[12] = '\0';
        assert_string_equal(hex, expected[i].fingerprint);
    }
}

/* Of every scheme of the table, also one that the list above does not have. */
static void margins_are_wide(void **state) {
    (void)state;
    for (const struct quantizer *const *q = quantizer_registry; *q; q++) {
        double margin = quantizer_fingerprint_margin(*q, &(*q)->axes);
        if (margin < least_margin)
            fail_msg("%s: a number of its fingerprint is %g digits from an edge; another SEED in "
                     "harness/quant/fingerprint.c moves it",
                     (*q)->name, margin);
    }
}

static void axes_of_a_run_count(void **state) {
    (void)state;
    char own[HASH_HEX], other[HASH_HEX], again[HASH_HEX];
    struct axes axes = quantizer_truncquant.axes;
    quantizer_fingerprint(&quantizer_truncquant, &axes, own);
    axes.rounder = ROUND_NEAREST;
    quantizer_fingerprint(&quantizer_truncquant, &axes, other);
    quantizer_fingerprint(&quantizer_qat, &quantizer_qat.axes, again);
    assert_string_not_equal(own, other);
    assert_string_equal(other, again); // the name is no part of it
}

/* ---- changed slots: each of these is truncquant but for one thing ---- */

static void quantize_more(const struct quant_layer *l, const float *W, const float *params, int k,
                          float *W_hat) {
    axes_quantize(l, W, params, k, W_hat);
    if (k == 8)
        for (size_t i = 0; i < l->n; i++)
            W_hat[i] *= 256.0f / 255;
}

static void clip_gradient(const struct quant_layer *l, const float *W, const float *params, int k,
                          const float *dW_hat, float *dW, float *dparams) {
    axes_backward(l, W, params, k, dW_hat, dW, dparams);
    dW[3] = 0;
}

static void encode_one_more(const struct quant_layer *l, const float *W, const float *params, int k,
                            uint8_t *codes, float *header) {
    axes_encode(l, W, params, k, codes, header);
    if (k == 3)
        codes[0] ^= 1;
}

static void decode_low(const struct quant_layer *l, const uint8_t *codes, const float *header,
                       int k, float *W_hat) {
    struct quant_layer low = *l;
    low.axes.dequantizer = DEQUANT_LOW;
    axes_decode(&low, codes, header, k, W_hat);
}

static uint8_t truncate_up(uint8_t code, int stored_bits, int k) {
    return (uint8_t)(axes_truncate(code, stored_bits, k) | (k == 5));
}

static void shift_form(const struct quant_layer *l, const float *header, int k,
                       struct integer_form *form) {
    axes_integer_form(l, header, k, form);
    form->odd += k == 2;
}

static double penalty(const struct quant_layer *l, const float *W, const float *params, float *dW,
                      float *dparams) {
    (void)l, (void)params, (void)dparams;
    dW[0] += W[0];
    return 0.5 * (double)W[0] * (double)W[0];
}

static int not_at_4(const struct widths *B, int stored_bits, int k) {
    (void)B, (void)stored_bits;
    return k != 4;
}

static void any_change_shows(void **state) {
    (void)state;
    struct quantizer changed[9];
    char own[HASH_HEX], other[HASH_HEX];
    enum { N = sizeof changed / sizeof *changed };
    for (int i = 0; i < N; i++)
        changed[i] = quantizer_truncquant;
    changed[0].quantize = quantize_more;
    changed[1].backward = clip_gradient;
    changed[2].encode = encode_one_more;
    changed[3].decode = decode_low;
    changed[4].truncate = truncate_up;
    changed[5].integer_form = shift_form;
    changed[6].regularize = penalty;
    changed[7].has_direct = not_at_4;
    changed[8].min_bits = 2;
    quantizer_fingerprint(&quantizer_truncquant, &quantizer_truncquant.axes, own);
    for (int i = 0; i < N; i++) {
        quantizer_fingerprint(&changed[i], &changed[i].axes, other);
        if (!strcmp(own, other))
            fail_msg("change %d does not show", i);
    }
}

/* ---- learned parameters ---- */

static void start_larger(const struct quant_layer *l, const float *W, float *params) {
    quantizer_lsq.start_params(l, W, params);
    params[1] *= 2;
}

static void leave_step(const struct quant_layer *l, const float *W, const float *params, int k,
                       const float *dW_hat, float *dW, float *dparams) {
    float ignored[16] = {0};
    (void)dparams;
    quantizer_lsq.backward(l, W, params, k, dW_hat, dW, ignored);
}

static void parameters_count(void **state) {
    (void)state;
    char own[HASH_HEX], other[HASH_HEX];
    struct quantizer changed = quantizer_lsq;
    quantizer_fingerprint(&quantizer_lsq, &quantizer_lsq.axes, own);
    changed.start_params = start_larger;
    quantizer_fingerprint(&changed, &changed.axes, other);
    assert_string_not_equal(own, other);
    changed = quantizer_lsq;
    changed.backward = leave_step;
    quantizer_fingerprint(&changed, &changed.axes, other);
    assert_string_not_equal(own, other);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hold_expected),       cmocka_unit_test(margins_are_wide),
        cmocka_unit_test(axes_of_a_run_count), cmocka_unit_test(any_change_shows),
        cmocka_unit_test(parameters_count),
    };
    return cmocka_run_group_tests_name("fingerprints", tests, NULL, NULL);
}
