/* Who a run is: frozen ids, what counts for them and what does not, and the names of schemes. */
#include "base/random.h"
#include "spec/drawn_spec.h"
#include "spec/init.h"
#include "spec/made_spec.h"
#include "spec/schemes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void ids(const struct spec *spec, char run[HASH_HEX], char config[HASH_HEX]) {
    spec_ids(spec, test_schemes, "[net]\nnormal form\n", "da7a", run, config);
}

static void assert_same_run(struct spec a, struct spec b, int same) {
    char run[2][HASH_HEX], config[2][HASH_HEX];
    ids(&a, run[0], config[0]);
    ids(&b, run[1], config[1]);
    assert_int_equal(!strcmp(run[0], run[1]), same);
    assert_int_equal(!strcmp(config[0], config[1]), same);
}

/* If one of these fails, every database there is loses its runs: raise SPEC_VERSION instead, and
 * only when what is computed has changed. */
static void ids_are_frozen(void **state) {
    (void)state;
    char run[HASH_HEX], config[HASH_HEX];
    struct spec spec = make("qat");
    ids(&spec, run, config);
    assert_string_equal(run, "2de814ca3a14ada05d7b714fd18aff90b5bb408e4c52b2724bfc1fce27060a74");
    assert_string_equal(config, "4820e221051299c65fee465b5241947f39dbd2811209892df329aa6f4e00ce4f");
    spec = make("learned", "widths", "2 4 8", "epochs", "3", "learning_rate", "0.01", "seed", "7",
                "act_bits", "4", "milestones", "0.5 0.9", "train.images", "1000");
    ids(&spec, run, config);
    assert_string_equal(run, "68a68d0879bf7d5bbc251527dbd160dd36de40f9d499150043e6654988404e97");
    assert_string_equal(config, "c2ea5264a7ef31739daeb58a1168817739aa553816fcd13a198d802f17602468");
    spec = make("fp32");
    ids(&spec, run, config);
    assert_string_equal(run, "b0ce1fc154137f5eee620b0e0110f5ead0548d9d15d3cb286541ec75ae509dd9");
}

static void a_scheme_stands_for_its_axes(void **state) {
    (void)state;
    assert_same_run(make("qat", "rounder", "floor"), make("truncquant"), 1);
    assert_same_run(make("minmax", "range", "tanh"), make("qat"), 1);
    assert_same_run(make("qat"), make("truncquant"), 0);
    assert_same_run(make("qat"), make("minmax"), 0);
    assert_same_run(make("minmax", "widths", "32"), make("fp32"), 0);
}

#define SHA256 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

/* A weights file is its content, once that is known; before, the name is all there is. */
static void a_weights_file_is_its_content(void **state) {
    (void)state;
    char path[SPEC_TEXT];
    struct spec pinned = make("qat", "init", "x/a@b.weights@" SHA256);
    assert_string_equal(init_hash(&pinned), SHA256);
    init_path(&pinned, path);
    assert_string_equal(path, "x/a@b.weights");
    struct spec open = make("qat", "init", "x/a@b.weights");
    assert_null(init_hash(&open));
    init_path(&open, path);
    assert_string_equal(path, "x/a@b.weights");
    assert_same_run(open, pinned, 0);
    assert_same_run(open, make("qat", "init", "other.weights"), 0);
    init_pin(&open, SHA256);
    assert_same_run(open, pinned, 1);
    assert_spec_value(&open, "init", "x/a@b.weights@" SHA256);
    assert_same_run(make("qat", "init", "b@" SHA256), pinned, 1);
    assert_same_run(make("qat"), pinned, 0);
    assert_false(init_is_given(&(struct spec){.init = "none"}));
}

static void names_do_not_count_and_content_does(void **state) {
    (void)state;
    struct spec a = make("qat"), b = make("qat", "network", "x/y.cfg", "dataset", "m");
    char run[4][HASH_HEX], config[HASH_HEX];
    assert_same_run(a, b, 1);
    spec_ids(&a, test_schemes, "cfg", "data", run[0], config);
    spec_ids(&a, test_schemes, "cfg2", "data", run[1], config);
    spec_ids(&a, test_schemes, "cfg", "data2", run[2], config);
    assert_string_not_equal(run[0], run[1]);
    assert_string_not_equal(run[0], run[2]);
    assert_string_not_equal(run[1], run[2]);
}

static void another_seed_is_the_same_config(void **state) {
    (void)state;
    struct spec a = make("qat"), b = make("qat", "seed", "2");
    char run[2][HASH_HEX], config[2][HASH_HEX];
    ids(&a, run[0], config[0]);
    ids(&b, run[1], config[1]);
    assert_string_equal(config[0], config[1]);
    assert_string_not_equal(run[0], run[1]);
    assert_string_not_equal(run[0], config[0]);
}

static void what_has_no_effect_does_not_count(void **state) {
    (void)state;
    struct spec raw = make("qat");
    made_set(&raw, "momentum", "0.3"); // not normalized
    assert_same_run(raw, make("qat"), 1);
    assert_same_run(make("fp32", "act_bits", "32"), make("fp32"), 1);
    assert_same_run(make("qat", "act_bits", "32"), make("qat"), 0);
}

/* Every key that matters makes another run. */
static void every_key_counts(void **state) {
    (void)state;
    static const char *const changes[][2] = {
        {"range", "minmax"},
        {"rounder", "floor"},
        {"dequantizer", "low"},
        {"layer_scale", "pow2"},
        {"act_bits", "4"},
        {"stored_bits", "7"},
        {"projections", "quantized"},
        {"shortcut_norm", "shared"},
        {"norm_bank", "shared"},
        {"align", "0.1"},
        {"kurtosis", "0.1"},
        {"init", "a.weights"},
        {"widths", "1 2"},
        {"epochs", "7"},
        {"train.images", "900"},
        {"batch", "64"},
        {"optimizer", "sgd"},
        {"learning_rate", "0.002"},
        {"decay", "0.1"},
        {"schedule", "constant"},
        {"schedule", "poly"},
        {"warmup", "0.1"},
        {"from", "cfg"},
        {"milestones", "0.5"},
        {"gamma", "0.2"},
        {"augment", "none"},
        {"distill", "labels"},
        {"width_weight", "2 1 1 1 1"},
        {"bits", "1 2"},
        {"calibration", "3"},
        {"calibrate_at", "widths"},
        {"evaluate.images", "5"},
    };
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++)
        assert_same_run(make("qat", changes[i][0], changes[i][1]), make("qat"), 0);
    assert_same_run(make("qat", "every", "2", "every_split", "test"), make("qat"), 1);
    assert_same_run(make("minmax", "granularity", "channel"), make("minmax"), 0);
    assert_same_run(make("qat", "optimizer", "sgd", "momentum", "0.5"),
                    make("qat", "optimizer", "sgd"), 0);
    assert_same_run(make("qat", "schedule", "poly", "power", "2"), make("qat", "schedule", "poly"),
                    0);
    assert_same_run(make("qat", "warmup", "0.1", "power", "2"), make("qat", "warmup", "0.1"), 0);
    assert_same_run(make("qat", "power", "2"), make("qat"), 1);
    assert_same_run(make("qat", "from", "cfg", "momentum", "0.5"), make("qat", "from", "cfg"), 0);
}

static void how_a_scheme_is_trained_counts(void **state) {
    (void)state;
    assert_same_run(make("ptq"), make("minmax", "widths", "32", "act_bits", "32"), 0);
    assert_same_run(make("dedicated", "widths", "4"), make("qat", "widths", "4", "bits", "4"), 0);
    char run[2][HASH_HEX], config[2][HASH_HEX];
    struct spec two = make("dedicated", "widths", "2"), eight = make("dedicated", "widths", "8");
    spec_ids(&two, test_schemes, "n", "d", run[0], config[0]);
    spec_ids(&eight, test_schemes, "n", "d", run[1], config[1]);
    assert_string_not_equal(run[0], run[1]);
    assert_string_equal(config[0], config[1]);
}

/* What a key's row says of it, held against the ids of specs by chance: what does not matter makes
 * no other run, whatever its value; what matters makes one, unless both values come to the same. */
static void check_drawn_key(struct random *r, const struct spec *spec, const struct spec_key *key,
                            int seen[2]) {
    char text[SPEC_VALUE], before[SPEC_VALUE], after[SPEC_VALUE], run[2][HASH_HEX],
        config[HASH_HEX];
    struct spec other = *spec;
    int matters = spec_key_matters(spec, test_schemes, key);
    drawn_value(r, key, text, sizeof text);
    made_set(&other, key->flat, text);
    ids(spec, run[0], config);
    ids(&other, run[1], config);
    spec_normalize(&other, test_schemes);
    spec_print_value(spec, key, before, sizeof before);
    spec_print_value(&other, key, after, sizeof after);
    int differ = strcmp(before, after) != 0;
    if (!matters && differ)
        fail_msg("%s = %s stays, and does not matter to %s", key->flat, text, spec->scheme);
    if ((strcmp(run[0], run[1]) != 0) != (differ && !key->request))
        fail_msg("%s: %s = %s instead of %s makes %s run", spec->scheme, key->flat, after, before,
                 differ ? "no other" : "another");
    seen[matters]++;
}

static void ids_have_what_matters_and_nothing_else(void **state) {
    (void)state;
    struct random r = random_stream(2, RANDOM_TEST, 0, 0);
    int seen[SPEC_KEYS][2] = {0};
    for (int i = 0; i < 100; i++) {
        struct spec spec = drawn_spec(&r);
        for (const struct spec_key *k = spec_keys; k->name; k++)
            if (strcmp(k->section, "grid") != 0)
                check_drawn_key(&r, &spec, k, seen[k - spec_keys]);
    }
    for (const struct spec_key *k = spec_keys; k->name; k++)
        if (k->matters_if && (!seen[k - spec_keys][0] || !seen[k - spec_keys][1]))
            fail_msg("no spec was drawn to which %s %s", k->flat,
                     seen[k - spec_keys][0] ? "matters" : "does not matter");
}

static double penalize(const struct quant_layer *l, const float *W, const float *params, float *dW,
                       float *dparams) {
    (void)l, (void)W, (void)params, (void)dW, (void)dparams;
    return 1;
}

static int refuse(const struct widths *B, int stored_bits, struct error *e) {
    (void)B, (void)stored_bits, (void)e;
    return -1;
}

static int nowhere(const struct widths *B, int stored_bits, int k) {
    (void)B, (void)stored_bits, (void)k;
    return 0;
}

static size_t one(const struct quant_layer *l) {
    (void)l;
    return 1;
}

/* The id and the label of a scheme `mine` that is as qat but for what `q` says, and of qat beside
 * it. */
static void assert_own(struct quantizer q, int own) {
    q.name = "mine";
    const struct quantizer *const table[] = {&q, test_schemes[1], NULL};
    struct spec mine = make("qat"), qat = mine;
    char id[2][HASH_HEX], config[2][HASH_HEX], label[128];
    snprintf(mine.scheme, sizeof mine.scheme, "mine");
    spec_ids(&mine, table, "n", "d", id[0], config[0]);
    spec_ids(&qat, table, "n", "d", id[1], config[1]);
    assert_int_equal(strcmp(id[0], id[1]) != 0, own);
    assert_int_equal(strcmp(config[0], config[1]) != 0, own);
    spec_scheme_label(&mine, table, label, sizeof label);
    assert_string_equal(label, "mine");
    assert_ptr_equal(quantizer_with_axes(table, &qat.axes), own ? table[1] : table[0]);
}

/* Each slot of its own, with the axes of qat. */
static void a_slot_of_its_own_is_another_scheme(void **state) {
    (void)state;
    const struct quantizer *qat = test_schemes[1], *fp32 = test_schemes[0];
    assert_string_equal(qat->name, "qat");
    assert_own(*qat, 0);
#define OWN(slot, value)                                                                           \
    do {                                                                                           \
        struct quantizer q = *qat;                                                                 \
        q.slot = value;                                                                            \
        assert_own(q, 1);                                                                          \
    } while (0)
    OWN(regularize, penalize);
    OWN(check, refuse);
    OWN(has_direct, nowhere);
    OWN(n_params, one);
    OWN(min_bits, 2);
    OWN(quantize, fp32->quantize);
    OWN(backward, fp32->backward);
    OWN(header_floats, one);
    OWN(encode, NULL);
    OWN(decode, NULL);
    OWN(truncate, NULL);
    OWN(integer_form, NULL);
#undef OWN
}

static void labels_are_names_or_axes(void **state) {
    (void)state;
    char label[128];
    struct spec spec = make("qat", "rounder", "floor");
    spec_scheme_label(&spec, test_schemes, label, sizeof label);
    assert_string_equal(label, "truncquant");
    spec = make("qat", "rounder", "floor", "dequantizer", "midpoint", "layer_scale", "pow2");
    spec_scheme_label(&spec, test_schemes, label, sizeof label);
    assert_string_equal(label, "tanh-floor-midpoint-pow2");
    spec = make("minmax", "granularity", "channel");
    spec_scheme_label(&spec, test_schemes, label, sizeof label);
    assert_string_equal(label, "minmax-nearest-endpoint-channel");
    spec = make("learned");
    spec_scheme_label(&spec, test_schemes, label, sizeof label);
    assert_string_equal(label, "learned");
    spec = make("fp32");
    spec_scheme_label(&spec, test_schemes, label, sizeof label);
    assert_string_equal(label, "fp32");
    spec = make("ptq", "granularity", "channel");
    spec_scheme_label(&spec, test_schemes, label, sizeof label);
    assert_string_equal(label, "ptq-minmax-nearest-endpoint-channel");
    spec = make("dedicated", "widths", "4", "rounder", "floor");
    spec_scheme_label(&spec, test_schemes, label, sizeof label);
    assert_string_equal(label, "dedicated-tanh-floor-endpoint");
    spec = make("qat", "range", "minmax");
    spec_scheme_label(&spec, test_schemes, label, sizeof label);
    assert_string_equal(label, "minmax");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_are_frozen),
        cmocka_unit_test(a_weights_file_is_its_content),
        cmocka_unit_test(a_scheme_stands_for_its_axes),
        cmocka_unit_test(names_do_not_count_and_content_does),
        cmocka_unit_test(another_seed_is_the_same_config),
        cmocka_unit_test(what_has_no_effect_does_not_count),
        cmocka_unit_test(every_key_counts),
        cmocka_unit_test(ids_have_what_matters_and_nothing_else),
        cmocka_unit_test(how_a_scheme_is_trained_counts),
        cmocka_unit_test(a_slot_of_its_own_is_another_scheme),
        cmocka_unit_test(labels_are_names_or_axes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
