/* Packing: every network that comes with the harness becomes a model, whose norms and weights are
 * where FORMAT.md says; what the library cannot compute is refused with the reason. */
#include "runtime/packed.h"

#include "base/folder.h"
#include "base/values.h"
#include "deploy/refusals.h"
#include "evaluate/exact_threads.h"
#include "registry.h"

#include <dirent.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- the networks ---- */

/* Codes that the rounding of float layers flips go through all that is behind them; to the bit it
 * is compared elsewhere. */
static const float flipped = 0.05F;

/* Scores of the largest width beside those of the harness, of one image. */
static void expect_computes(struct packed *p) {
    enum { K = 8 };
    struct exact_threads x;
    struct error e = {0};
    struct tq_session *s;
    float got[10], *difference = got;
    struct point point = spec_point(&p->frozen.spec, K, CUT_WEIGHTS);
    if (tq_session_open(p->model, NULL, &s) || tq_infer_bytes(s, p->bytes, 1, got))
        fail_msg("%s", tq_session_message(s));
    assert_int_equal(tq_bits(s), K);
    tq_session_close(s);
    if (exact_start(&x, engine_at(0), p->frozen.m, &p->frozen, 1, ARITHMETIC_INT8, &e))
        fail_msg("%s", e.text);
    if (exact_covers(&x, &point)) {
        exact_set_weights(&x, &point);
        const float *want = exact_forward(&x, &point, p->floats, 1);
        float largest = 0;
        for (int i = 0; i < 10; i++) {
            largest = fmaxf(largest, fabsf(want[i]));
            difference[i] = fabsf(got[i] - want[i]);
        }
        values_sort(difference, 10);
        assert_true(difference[5] <= flipped * largest);
    }
    exact_free(&x);
}

/* What takes the time are the weights of large ones. */
static int is_left_out(const char *name) {
#ifdef __SANITIZE_ADDRESS__
    return !strstr("lenet.cfg resnet8.cfg mobilenet-v2.cfg", name);
#else
    (void)name;
    return 0;
#endif
}

static void every_network_packs(void **state) {
    (void)state;
    DIR *folder = opendir("experiments/networks");
    int n = 0;
    assert_non_null(folder);
    for (struct dirent *entry; (entry = readdir(folder));) {
        char path[300];
        struct packed p;
        if (!strstr(entry->d_name, ".cfg"))
            continue;
        n++;
        if (is_left_out(entry->d_name))
            continue;
        snprintf(path, sizeof path, "experiments/networks/%s", entry->d_name);
        packed_open(&p, &(struct packed_options){.scheme = "truncquant",
                                                 .cfg = path,
                                                 .input = {3, 32, 32},
                                                 .classes = 10,
                                                 .images = 2});
        expect_computes(&p);
        assert_string_equal(tq_model_info(p.model)->scheme, "truncquant");
        assert_int_equal(tq_model_info(p.model)->layers, p.frozen.m->n_quantized);
        packed_free(&p);
    }
    closedir(folder);
    assert_true(n >= 11);
}

/* ---- what is written ---- */

static const struct packed_options small = {
    .scheme = "truncquant", .text = packed_cfg, .input = {1, 12, 12}, .classes = 7, .images = 3};

static void infer(struct packed *p, const struct tq_options *o, int k, float *scores) {
    struct tq_session *s;
    if (tq_session_open(p->model, o, &s) || tq_set_bits(s, k) ||
        tq_infer_bytes(s, p->bytes, 1, scores))
        fail_msg("%s", tq_session_message(s));
    tq_session_close(s);
}

/* Those of another bank in place of the calibrated ones: then both are what they should be. */
static void calibrated_norms_are_beside_the_banks(void **state) {
    (void)state;
    struct error e = {0};
    struct packed p;
    float plain[7], other[7], got[7];
    packed_open(&p, &small);
    infer(&p, NULL, 2, plain);
    infer(&p, &(struct tq_options){.calibrated = 1}, 2, got); // there are none
    assert_memory_equal(got, plain, sizeof got);
    assert_int_equal(tq_model_info(p.model)->calibrated, 0);
    for (int k = 1; k <= 8; k++)
        p.pack.calibrated[k - 1] = pack_copy_norms(p.frozen.m, model_bank(p.frozen.m, 8));
    tq_close(p.model);
    assert_int_equal(pack_write(&p.pack, p.path, &e), 0);
    assert_int_equal(tq_open(p.path, 0, &p.model), TQ_OK);
    assert_int_equal(tq_model_info(p.model)->calibrated, 1);
    infer(&p, NULL, 2, got);
    assert_memory_equal(got, plain, sizeof got);
    infer(&p, &(struct tq_options){.calibrated = 1}, 2, other);
    assert_memory_not_equal(other, plain, sizeof got);
    infer(&p, NULL, 8, plain);
    infer(&p, &(struct tq_options){.calibrated = 1}, 8, got);
    assert_memory_equal(got, plain, sizeof got);
    for (int k = 0; k < 8; k++)
        free(p.pack.calibrated[k]);
    packed_free(&p);
}

static void a_session_says_what_it_needs(void **state) {
    (void)state;
    struct packed p;
    struct tq_session *s;
    float want[7], got[7];
    packed_open(&p, &small);
    infer(&p, NULL, 8, want);
    struct tq_options o = {.batch = 2};
    o.bytes = tq_session_bytes(p.model, &o);
    o.memory = need_aligned(o.bytes, 1);
    assert_true(o.bytes > tq_session_bytes(p.model, NULL));
    infer(&p, &o, 8, got);
    assert_memory_equal(got, want, sizeof got);
    o.bytes--;
    assert_int_equal(tq_session_open(p.model, &o, &s), TQ_NO_MEMORY);
    tq_session_close(s);
    free(o.memory);
    assert_int_equal(tq_session_open(p.model, &(struct tq_options){.batch = -1}, &s), TQ_ARGUMENT);
    assert_int_equal(tq_session_open(NULL, NULL, &s), TQ_ARGUMENT);
    packed_free(&p);
}

static void widths_that_are_not_there_are_refused(void **state) {
    (void)state;
    struct error e = {0};
    struct packed p;
    struct tq_session *s;
    packed_open(&p,
                &(struct packed_options){
                    .scheme = "matquant", .text = packed_cfg, .input = {1, 12, 12}, .classes = 7});
    assert_int_equal(tq_session_open(p.model, NULL, &s), TQ_OK);
    assert_int_equal(tq_set_bits(s, 1), TQ_NO_WIDTH);
    assert_int_equal(tq_set_bits(s, 9), TQ_NO_WIDTH);
    assert_string_equal(tq_session_message(s), "the model has widths of 2 to 8 bits, not 9");
    assert_int_equal(tq_bits(s), 8);
    tq_session_close(s);
    tq_close(p.model);
    assert_int_equal(tq_open(p.path, 1, &p.model), TQ_NO_WIDTH);
    p.pack.planes = 1;
    assert_int_equal(pack_write(&p.pack, p.path, &e), -1);
    assert_non_null(strstr(e.text, "widths of 2 to 8, not 1"));
    packed_free(&p);
}

static void what_is_no_number_is_told(void **state) {
    (void)state;
    struct packed p;
    struct tq_session *s;
    float scores[21];
    packed_open(&p, &small);
    assert_int_equal(tq_session_open(p.model, &(struct tq_options){.batch = 3}, &s), TQ_OK);
    p.floats[70] = NAN;
    assert_int_equal(tq_infer_floats(s, p.floats, 3, scores), TQ_NOT_FINITE);
    p.floats[70] = 3e38F;
    assert_int_equal(tq_infer_floats(s, p.floats, 3, scores), TQ_OK); // a code like any other
    assert_int_equal(tq_infer_floats(s, NULL, 3, scores), TQ_ARGUMENT);
    assert_int_equal(tq_infer_floats(s, p.floats, 0, scores), TQ_OK);
    tq_session_close(s);
    packed_free(&p);
}

/* ---- what is refused ---- */

static void expect_refused(const struct packed_options *o, const char *because) {
    struct error e = {0};
    struct packed p;
    packed_freeze(&p, o);
    if (!pack_check(&p.frozen, &e) || !strstr(e.text, because))
        fail_msg("'%s' does not say '%s'", e.text, because);
    packed_free(&p);
}

#define HEAD "[net]\n[convolutional]\nfilters=4\nsize=3\npad=1\nactivation=relu\n"
#define TAIL                                                                                       \
    "[convolutional]\nfilters=4\nsize=3\npad=1\nactivation=relu\n[connected]\nactivation=linear\n" \
    "[softmax]\n"

static void other_layers_are_refused(void **state) {
    (void)state;
    static const char *const floats[] = {"act_bits", "32", NULL};
    static const struct {
        const char *text, *because;
        const char *const *keys;
    } all[] = {
        {HEAD "[convolutional]\nfilters=4\nactivation=relu\n[route]\nlayers=-1,-2\n" TAIL,
         "no route of several layers", NULL},
        {HEAD "[upsample]\nstride=2\n" TAIL, "no [upsample]", NULL},
        {HEAD "[reorg]\nstride=2\n" TAIL, "no [reorg]", NULL},
        {HEAD "[maxpool]\nsize=2\nstride=5\npadding=3\n" TAIL, "no padding as wide", NULL},
        {HEAD "[activation]\nactivation=leaky\n" TAIL, "no activation leaky", floats},
        {"[net]\n[convolutional]\nfilters=256\nactivation=relu\n[connected]\noutput=2\n"
         "activation=relu\n[connected]\nactivation=linear\n[softmax]\n",
         "a filter has 36864 inputs", NULL},
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        expect_refused(&(struct packed_options){.scheme = "truncquant",
                                                .text = all[i].text,
                                                .input = {1, 12, 12},
                                                .classes = 7,
                                                .keys = all[i].keys},
                       all[i].because);
}

/* A leaky activation that is never computed, since codes take its place, is none. */
static void an_activation_that_is_replaced_is_packed(void **state) {
    (void)state;
    struct packed p;
    packed_open(&p, &(struct packed_options){.scheme = "truncquant",
                                             .text = HEAD "[activation]\nactivation=leaky\n" TAIL,
                                             .input = {1, 12, 12},
                                             .classes = 7});
    packed_free(&p);
}

static void other_schemes_are_refused(void **state) {
    (void)state;
    struct quantizer odd = *quantizer_find(quantizer_registry, "truncquant");
    struct error e = {0};
    odd.name = "odd";
    odd.integer_form = NULL;
    assert_int_equal(refuse_scheme(&maker_of_pack, &odd, &e), -1);
    assert_non_null(strstr(e.text, "no weights that are integers times a scale plus an offset"));
    for (int i = 0; quantizer_registry[i]; i++) {
        const struct quantizer *q = quantizer_registry[i];
        int packs = q->min_bits <= 8 && !q->alone;
        e = (struct error){0};
        assert_int_equal(refuse_scheme(&maker_of_pack, q, &e), packs ? 0 : -1);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_network_packs),
        cmocka_unit_test(calibrated_norms_are_beside_the_banks),
        cmocka_unit_test(a_session_says_what_it_needs),
        cmocka_unit_test(widths_that_are_not_there_are_refused),
        cmocka_unit_test(what_is_no_number_is_told),
        cmocka_unit_test(other_layers_are_refused),
        cmocka_unit_test(an_activation_that_is_replaced_is_packed),
        cmocka_unit_test(other_schemes_are_refused),
    };
    return cmocka_run_group_tests_name("pack", tests, test_folder_start, test_folder_end);
}
