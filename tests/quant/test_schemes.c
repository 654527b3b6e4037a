/* What every registered scheme owes the harness, whatever it computes: no NaN that was not there,
 * codes of the width they claim, frozen weights that are the direct ones at N and that need no bit
 * below the k upper ones, gradients that are added, nothing kept between calls. A scheme of one's
 * own is tested by being in the registry. */
#include "base/random.h"
#include "quant/layer.h"
#include "registry.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { WEIGHTS = 96, CHANNELS = 4, PARAMS = 64, HEADER = 4 * WEIGHTS };

/* Widths and stored bits that a scheme may be given. */
static const struct {
    struct widths widths;
    int stored_bits;
} settings[] = {{{5, {1, 2, 4, 8, 32}}, 8}, {{4, {2, 4, 8, 32}}, 8}, {{3, {2, 3, 5}}, 5},
                {{2, {2, 32}}, 2},          {{1, {4}}, 4},           {{1, {32}}, 8},
                {{3, {4, 8, 32}}, 4}};
enum { SETTINGS = sizeof settings / sizeof *settings };

/* A layer with a scheme's weights and parameters. */
struct layer {
    const struct quantizer *s;
    struct quant_layer l;
    const char *weights; // what W is, for messages
    float W[WEIGHTS], params[PARAMS];
};

/* ---- weights ---- */

static float uniform(struct random *r, float bound) {
    return bound * (2 * random_unit(r) - 1);
}

static void random_weights(float *W, struct random *r) {
    for (int i = 0; i < WEIGHTS; i++)
        W[i] = uniform(r, .3f);
}

static void zeros(float *W, struct random *r) {
    (void)r;
    memset(W, 0, WEIGHTS * sizeof *W);
}

static void equal_weights(float *W, struct random *r) {
    (void)r;
    for (int i = 0; i < WEIGHTS; i++)
        W[i] = -.3f;
}

/* Many on the boundaries of codes, and both ends attained more than once. */
static void ties(float *W, struct random *r) {
    for (int i = 0; i < WEIGHTS; i++)
        W[i] = ((float)random_below(r, 33) - 16) / 32;
}

static void one_huge(float *W, struct random *r) {
    random_weights(W, r);
    W[7] = 1e30f;
}

static void all_huge(float *W, struct random *r) {
    for (int i = 0; i < WEIGHTS; i++)
        W[i] = uniform(r, 1e30f);
}

static void denormal(float *W, struct random *r) {
    for (int i = 0; i < WEIGHTS; i++)
        W[i] = (float)((int)random_below(r, 7) - 3) * 0x1p-149f;
}

static void signed_zeros_and_one(float *W, struct random *r) {
    for (int i = 0; i < WEIGHTS; i++)
        W[i] = random_below(r, 2) ? -0.f : 0.f;
    W[0] = 1;
}

static const struct {
    const char *name;
    void (*draw)(float *W, struct random *r);
} kinds[] = {{"random", random_weights},   {"all zero", zeros},
             {"all equal", equal_weights}, {"ties", ties},
             {"one huge", one_huge},       {"all huge", all_huge},
             {"denormal", denormal},       {"signed zeros and a one", signed_zeros_and_one}};
enum { KINDS = sizeof kinds / sizeof *kinds };

/* ---- every scheme with every setting and every kind of weights ---- */

static float *params_of(struct layer *x) {
    return x->s->n_params && x->s->n_params(&x->l) ? x->params : NULL;
}

/* 0 when the scheme refuses the setting. */
static int make(struct layer *x, const struct quantizer *s, int setting, int kind) {
    struct random r = random_stream(1, RANDOM_TEST, (uint64_t)setting, (uint64_t)kind);
    struct error e = {0};
    struct widths B = settings[setting].widths;
    int N = settings[setting].stored_bits;
    *x = (struct layer){.s = s, .weights = kinds[kind].name};
    x->l = (struct quant_layer){
        .n = WEIGHTS, .channels = CHANNELS, .axes = s->axes, .widths = B, .stored_bits = N};
    if (B.bits[0] < s->min_bits || (s->check && s->check(&B, N, &e)))
        return 0;
    kinds[kind].draw(x->W, &r);
    if (params_of(x)) {
        assert_true(s->n_params(&x->l) <= PARAMS);
        s->start_params(&x->l, x->W, x->params);
    }
    return 1;
}

static int exists(const struct layer *x, int k, int truncated) {
    return quantizer_exists(x->s, &x->l.widths, x->l.stored_bits, k, truncated);
}

static void for_all(void (*check)(struct layer *x)) {
    for (const struct quantizer *const *s = quantizer_registry; *s; s++) {
        int accepted = 0;
        for (int i = 0; i < SETTINGS; i++)
            for (int kind = 0; kind < KINDS; kind++) {
                struct layer x;
                if (!make(&x, *s, i, kind))
                    continue;
                check(&x);
                accepted++;
            }
        if (!accepted)
            fail_msg("%s takes none of the settings", (*s)->name);
    }
}

static void wrong(const struct layer *x, int k, const char *what) {
    fail_msg("%s of widths %d ... %d, N = %d, weights %s, k = %d: %s", x->s->name,
             x->l.widths.bits[0], x->l.widths.bits[x->l.widths.n - 1], x->l.stored_bits, x->weights,
             k, what);
}

static void quantize(struct layer *x, int k, float *W_hat) {
    x->s->quantize(&x->l, x->W, params_of(x), k, W_hat);
}

#define FOR_BITS(k) for (int k = 1; k <= FLOAT_BITS; k = k == 8 ? FLOAT_BITS : k + 1)

/* ---- values ---- */

static void check_values(struct layer *x) {
    FOR_BITS(k) {
        float W_hat[WEIGHTS + 1], again[WEIGHTS];
        if (!exists(x, k, 0))
            continue;
        W_hat[WEIGHTS] = 42;
        quantize(x, k, W_hat);
        for (int i = 0; i < WEIGHTS; i++)
            if (!isfinite(W_hat[i]))
                wrong(x, k, "not finite");
        if (W_hat[WEIGHTS] != 42)
            wrong(x, k, "wrote past its end");
        quantize(x, 32, again); // nothing of another width may linger
        quantize(x, k, again);
        if (memcmp(W_hat, again, sizeof again))
            wrong(x, k, "not the same twice");
    }
}

static void values_are_finite_and_repeatable(void **state) {
    (void)state;
    for_all(check_values);
}

/* A layer with a NaN must not look sound, or a diverged run would pass for a trained one. */
static void check_nan(struct layer *x) {
    FOR_BITS(k) {
        float W_hat[WEIGHTS], poisoned[WEIGHTS];
        int seen = 0;
        if (!exists(x, k, 0))
            continue;
        memcpy(poisoned, x->W, sizeof poisoned);
        poisoned[11] = NAN;
        x->s->quantize(&x->l, poisoned, params_of(x), k, W_hat);
        for (int i = 0; i < WEIGHTS; i++)
            seen |= isnan(W_hat[i]);
        if (!seen)
            wrong(x, k, "hides a NaN");
        if (!params_of(x) || k == FLOAT_BITS)
            continue;
        for (int i = 0; i < PARAMS; i++)
            x->params[i] = NAN;
        x->s->quantize(&x->l, x->W, x->params, k, W_hat);
        if (!isnan(W_hat[0]))
            wrong(x, k, "hides a NaN among the parameters");
        x->s->start_params(&x->l, x->W, x->params);
    }
}

static void a_nan_stays_visible(void **state) {
    (void)state;
    for_all(check_nan);
}

/* ---- codes ---- */

/* Whether a byte is a code of k bits, unsigned or in two's complement. */
static int is_code(uint8_t code, int k, int is_signed) {
    int value = is_signed ? (int8_t)code : code, half = 1 << (k - 1);
    return is_signed ? value >= -half && value < half : value < 1 << k;
}

/* The sign of a signed code is its own affair, so ask what cutting does to it. */
static int is_signed(const struct quantizer *s) {
    return s->truncate(0x80, 8, 1) == 0xff;
}

static void check_code_range(struct layer *x) {
    for (int k = 1; k <= 8 && x->s->encode; k++) {
        uint8_t codes[WEIGHTS];
        float header[HEADER];
        if (!exists(x, k, 0))
            continue;
        x->s->encode(&x->l, x->W, params_of(x), k, codes, header);
        for (int i = 0; i < WEIGHTS; i++)
            if (!is_code(codes[i], k, is_signed(x->s)))
                wrong(x, k, "a code of more bits");
    }
}

static void codes_have_their_bits(void **state) {
    (void)state;
    for_all(check_code_range);
}

static void check_header(struct layer *x) {
    uint8_t codes[WEIGHTS];
    float header[HEADER];
    if (!x->s->encode)
        return;
    size_t floats = x->s->header_floats(&x->l);
    assert_true(floats < HEADER);
    for (int i = 0; i < HEADER; i++)
        header[i] = 12345.678f;
    x->s->encode(&x->l, x->W, params_of(x), x->l.stored_bits, codes, header);
    for (size_t i = 0; i < HEADER; i++)
        if ((header[i] == 12345.678f) != (i >= floats))
            wrong(x, x->l.stored_bits, "its header is not as long as it says");
}

static void headers_are_as_long_as_they_say(void **state) {
    (void)state;
    for_all(check_header);
}

/* Stored weights are the trained ones, to the last bit. */
static void check_stored(struct layer *x) {
    int N = x->l.stored_bits;
    uint8_t codes[WEIGHTS];
    float header[HEADER], direct[WEIGHTS], frozen[WEIGHTS];
    if (!x->s->encode || !exists(x, N, 0))
        return;
    x->s->encode(&x->l, x->W, params_of(x), N, codes, header);
    x->s->decode(&x->l, codes, header, N, frozen);
    quantize(x, N, direct);
    for (int i = 0; i < WEIGHTS; i++)
        if (direct[i] != frozen[i])
            wrong(x, N, "decoded at N is not what it trained with");
}

static void frozen_weights_are_the_trained_ones(void **state) {
    (void)state;
    for_all(check_stored);
}

/* The device has thrown the lower bits away: whatever stood there, the result is the same. */
static void check_lower_bits(struct layer *x) {
    int N = x->l.stored_bits;
    uint8_t codes[WEIGHTS], other[WEIGHTS];
    float header[HEADER], cut[WEIGHTS], same[WEIGHTS];
    if (!x->s->encode)
        return;
    x->s->encode(&x->l, x->W, params_of(x), N, codes, header);
    for (int k = x->s->min_bits; k <= N; k++) {
        for (int i = 0; i < WEIGHTS; i++) {
            other[i] = codes[i] ^ (uint8_t)((i * 37) & ((1 << (N - k)) - 1));
            uint8_t q = x->s->truncate(codes[i], N, k);
            if (!is_code(q, k, is_signed(x->s)) || q != x->s->truncate(other[i], N, k))
                wrong(x, k, "a cut code with more than its k bits");
        }
        x->s->decode(&x->l, codes, header, k, cut);
        x->s->decode(&x->l, other, header, k, same);
        if (memcmp(cut, same, sizeof cut))
            wrong(x, k, "needs bits that were cut off");
        for (int i = 0; i < WEIGHTS; i++)
            if (!isfinite(cut[i]))
                wrong(x, k, "cut, not finite");
    }
}

static void cut_weights_need_the_upper_bits_alone(void **state) {
    (void)state;
    for_all(check_lower_bits);
}

/* ---- whole numbers ---- */

/* As near as products of float32 can be. */
static void compare_form(struct layer *x, int k, const float *W_hat, struct integers integers,
                         const char *what) {
    const struct integer_form *form = &integers.form;
    float most = 0;
    for (int i = 0; i < WEIGHTS; i++)
        most = fmaxf(most, fabsf(W_hat[i]));
    for (int i = 0; i < WEIGHTS; i++) {
        int whole = form->factor * integers.v[i] + form->odd, c = i / (WEIGHTS / CHANNELS);
        double offset = form->has_offset ? (double)form->offset[c] : 0;
        double want = (double)form->unit[c] * whole + offset;
        if (whole < -256 || whole > 256)
            wrong(x, k, "a whole number above 256");
        if (!(fabs(want - (double)W_hat[i]) <= 2e-6 * (double)most + 0x1p-126))
            wrong(x, k, what);
    }
    integers_free(&integers);
}

static void check_form(struct layer *x) {
    uint8_t codes[WEIGHTS];
    float header[HEADER], W_hat[WEIGHTS];
    int N = x->l.stored_bits;
    for (int k = 1; k <= 8 && x->s->integer_form; k++) {
        if (exists(x, k, 0)) {
            quantize(x, k, W_hat);
            compare_form(x, k, W_hat, layer_latent_integers(x->s, &x->l, x->W, params_of(x), k),
                         "its whole numbers are not its direct weights");
        }
        if (exists(x, k, 1)) {
            x->s->encode(&x->l, x->W, params_of(x), N, codes, header);
            x->s->decode(&x->l, codes, header, k, W_hat);
            compare_form(x, k, W_hat, layer_integers(x->s, &x->l, codes, header, k),
                         "its whole numbers are not its cut weights");
        }
    }
}

static void whole_numbers_are_the_weights(void **state) {
    (void)state;
    for_all(check_form);
}

/* ---- gradients ---- */

static void check_gradient(struct layer *x) {
    struct random r = random_stream(2, RANDOM_TEST, 0, 0);
    float g[WEIGHTS], dW[WEIGHTS] = {0}, dparams[PARAMS] = {0}, once[WEIGHTS];
    for (int i = 0; i < WEIGHTS; i++)
        g[i] = uniform(&r, 1);
    FOR_BITS(k) {
        if (!exists(x, k, 0))
            continue;
        memset(dW, 0, sizeof dW);
        memset(dparams, 0, sizeof dparams);
        for (int twice = 0; twice < 2; twice++) {
            x->s->backward(&x->l, x->W, params_of(x), k, g, dW, params_of(x) ? dparams : NULL);
            for (int i = 0; i < WEIGHTS; i++) {
                if (!isfinite(dW[i]))
                    wrong(x, k, "its gradient is not finite");
                if (twice && dW[i] != 2 * once[i])
                    wrong(x, k, "its gradient is not added");
            }
            memcpy(once, dW, sizeof once);
        }
        for (int i = 0; i < PARAMS; i++)
            if (!isfinite(dparams[i]))
                wrong(x, k, "the gradient of its parameters is not finite");
    }
}

static void gradients_are_finite_and_added(void **state) {
    (void)state;
    for_all(check_gradient);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_finite_and_repeatable),
        cmocka_unit_test(a_nan_stays_visible),
        cmocka_unit_test(codes_have_their_bits),
        cmocka_unit_test(headers_are_as_long_as_they_say),
        cmocka_unit_test(frozen_weights_are_the_trained_ones),
        cmocka_unit_test(cut_weights_need_the_upper_bits_alone),
        cmocka_unit_test(whole_numbers_are_the_weights),
        cmocka_unit_test(gradients_are_finite_and_added),
    };
    return cmocka_run_group_tests_name("schemes", tests, NULL, NULL);
}
