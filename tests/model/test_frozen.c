/* Frozen models: truncated inference takes only the codes, equals direct inference to the last bit
 * where it must, and damaged files are refused. */
#include "base/file.h"
#include "base/folder.h"
#include "evaluate/pair.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Every k <= N that exists, trained or not, calibrated or not; loss sums are compared bit by bit.
 */
static void expect_equal_spec(const struct spec *spec, int equal) {
    struct pair p;
    int differing = 0;
    pair_open(&p, spec, 6);
    for (int k = p.toy.quantizer->min_bits; k <= spec->stored_bits; k++) {
        if (!evaluation_exists(spec, p.toy.quantizer, k, 0))
            continue;
        pair_evaluate(&p.direct, k);
        pair_evaluate(&p.truncated, k);
        assert_int_equal(p.direct.n, 2);
        assert_int_equal(p.truncated.n, 2);
        int before = differing;
        for (int i = 0; i < 2; i++) {
            const struct evaluation_row *a = &p.direct.rows[i], *b = &p.truncated.rows[i];
            differing += a->loss_sum != b->loss_sum || a->correct1 != b->correct1 ||
                         a->correct5 != b->correct5;
            assert_int_equal(a->images, TOY_TEST);
            assert_int_equal(b->images, TOY_TEST);
        }
        if (k == spec->stored_bits && differing > before)
            fail_msg("%s: stored weights are not the trained ones", spec->scheme);
    }
    if (equal)
        assert_int_equal(differing, 0);
    else if (!differing)
        fail_msg("%s: truncated is as good as direct", spec->scheme);
    pair_close(&p);
}

static void expect_equal(const char *scheme, int stored_bits, enum dequantizer d, int granularity,
                         int equal) {
    struct spec spec = toy_spec(scheme, 1, 2);
    spec.stored_bits = stored_bits;
    spec.learning_rate = 1e-4; // Adam moves a step by that each time, and steps of 8 bits are small
    spec.axes.dequantizer = d;
    spec.axes.granularity = granularity;
    expect_equal_spec(&spec, equal);
}

static void floor_survives_truncation_to_the_last_bit(void **state) {
    (void)state;
    expect_equal("truncquant", 8, DEQUANT_ENDPOINT, PER_LAYER, 1);
    expect_equal("truncquant", 8, DEQUANT_MIDPOINT, PER_LAYER, 1);
    expect_equal("truncquant", 5, DEQUANT_LOW, PER_LAYER, 1);
    expect_equal("truncquant-minmax", 8, DEQUANT_ENDPOINT, PER_LAYER, 1);
    expect_equal("truncquant-minmax", 6, DEQUANT_ENDPOINT, PER_CHANNEL, 1);
    expect_equal("adabits", 8, DEQUANT_MIDPOINT, PER_LAYER, 1);
    expect_equal("adabits-floor", 8, DEQUANT_LOW, PER_LAYER, 1);
}

/* One bank: the correction of truncated codes comes from them and two floats of the header. */
static void corrected_weights_survive_too(void **state) {
    (void)state;
    for (int N = 2; N <= 8; N += 3) {
        struct spec spec = toy_spec("truncquant", 1, 2);
        spec.norm_bank = BANK_SHARED;
        spec.stored_bits = N;
        spec.projections = PROJECTIONS_QUANTIZED;
        expect_equal_spec(&spec, 1);
    }
    struct spec spec = toy_spec("qat", 1, 2);
    spec.norm_bank = BANK_SHARED;
    expect_equal_spec(&spec, 0);
}

/* The other side: a test that says "equal" for everything would not be one. */
static void nearest_does_not(void **state) {
    (void)state;
    expect_equal("qat", 8, DEQUANT_ENDPOINT, PER_LAYER, 0);
    expect_equal("minmax", 8, DEQUANT_ENDPOINT, PER_LAYER, 0);
    expect_equal("matquant", 8, DEQUANT_OWN, PER_LAYER, 0);
    expect_equal("lsq", 8, DEQUANT_OWN, PER_LAYER, 0);
    expect_equal("double-rounding", 8, DEQUANT_OWN, PER_LAYER, 0);
    expect_equal("lsq", 4, DEQUANT_OWN, PER_LAYER, 0); // beside a width of 8
}

/* The frozen model's latent weights are NaN, so a number that comes out cannot have used them; a
 * direct evaluation of that same model shows that they would be noticed. */
static void latent_weights_are_poisoned(void **state) {
    (void)state;
    struct spec spec = toy_spec("lsq", 1, 2);
    struct pair p;
    struct error e = {0};
    pair_open(&p, &spec, 6);
    const struct model *m = p.frozen.m;
    assert_true(m->n_quantized >= 2);
    for (int i = 0; i < m->n_quantized; i++) {
        const struct parameter *w = &m->parameters[m->nodes[m->quantized[i].node].weights];
        const struct parameter *h = &m->parameters[m->quantized[i].params];
        for (size_t j = 0; j < w->n; j++)
            assert_true(isnan(w->value[j]));
        for (size_t j = 0; j < h->n; j++)
            assert_true(isnan(h->value[j]));
    }
    pair_evaluate(&p.truncated, 4);
    assert_true(isfinite(p.truncated.rows[0].loss_sum));
    p.truncated.frozen = NULL; // the latent weights after all
    p.truncated.n = 0;
    assert_int_equal(evaluator_width(&p.truncated, 4, &e), -1);
    assert_non_null(strstr(e.text, "not finite"));
    p.truncated.frozen = &p.frozen;
    pair_close(&p);
}

static void refused(const struct toy *t, const char *path, const char *because) {
    struct error e = {0};
    struct frozen f;
    assert_int_equal(frozen_read(&f, path, t->table, &e), -1);
    if (!strstr(e.text, because) || !strstr(e.text, path) || strchr(e.text, '\n'))
        fail_msg("'%s' does not say '%s'", e.text, because);
}

static void damaged_files_are_refused(void **state) {
    (void)state;
    struct spec spec = toy_spec("truncquant", 1, 2);
    struct error e = {0};
    struct toy t;
    size_t size;
    toy_build(&t, &spec);
    const char *path = pair_freeze(&t);
    char *sound = file_read(path, 1 << 26, &size, &e);
    for (size_t n = 0; n < size; n += 997) {
        assert_int_equal(file_replace(path, sound, n, &e), 0);
        refused(&t, path, n < 40 ? "truncated" : "damaged");
        sound[n] ^= 1;
        assert_int_equal(file_replace(path, sound, size, &e), 0);
        refused(&t, path, n < 8 ? "not a frozen model" : "damaged");
        sound[n] ^= 1;
    }
    free(sound);
    toy_free(&t);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(floor_survives_truncation_to_the_last_bit),
        cmocka_unit_test(corrected_weights_survive_too),
        cmocka_unit_test(nearest_does_not),
        cmocka_unit_test(latent_weights_are_poisoned),
        cmocka_unit_test(damaged_files_are_refused),
    };
    return cmocka_run_group_tests_name("frozen", tests, test_folder_start, test_folder_end);
}
