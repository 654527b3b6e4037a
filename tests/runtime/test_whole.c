/* Whole models: the device library computes what the frozen model of the harness is. To the bit
 * against a plain twin, for every width and scheme, integer and float activations, one image at a
 * time and in batches; and against the harness's own exact evaluation over the shipped networks. */
#include "runtime/packed.h"
#include "runtime/twin.h"

#include "base/folder.h"
#include "base/values.h"
#include "evaluate/exact_threads.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#ifdef __SANITIZE_ADDRESS__
enum { OF_IMAGES = 8 }; // what is slow is shown on fewer
#else
enum { OF_IMAGES = 1 };
#endif

static struct tq_session *open_session(const struct packed *p, int batch, int without) {
    struct tq_session *s;
    struct tq_options o = {.batch = batch, .without = without};
    if (tq_session_open(p->model, &o, &s))
        fail_msg("%s", tq_session_message(s));
    return s;
}

/* Whether most images have scores of their own: those that say nothing agree with anything. */
static int have_variety(const float *scores, int n, int classes) {
    int differ = 0;
    for (int i = classes; i < n; i++)
        differ += scores[i] != scores[i - classes];
    return differ > n / 2;
}

static void infer(struct tq_session *s, const struct packed *p, int k, float *scores) {
    if (tq_set_bits(s, k) || tq_infer_bytes(s, p->bytes, (size_t)p->images, scores))
        fail_msg("%s", tq_session_message(s));
}

static void expect_same(const char *what, int k, const float *got, const float *want, int n) {
    for (int i = 0; i < n; i++)
        if (memcmp(&got[i], &want[i], sizeof *got) != 0)
            fail_msg("%s at %d bits, score %d: %.9g instead of %.9g", what, k, i, (double)got[i],
                     (double)want[i]);
}

/* ---- to the bit ---- */

struct tried {
    int widths, varied;
    int fewer; // not all widths, but two
};

static void compare_with_twin(const struct packed_options *o, struct tried *tried) {
    struct packed p;
    packed_open(&p, o);
    struct tq_session *sessions[] = {
        open_session(&p, 1, 0), open_session(&p, 5, 0), open_session(&p, 3, TQ_VPOPCNTDQ),
        open_session(&p, 1, TQ_AVX512), open_session(&p, 2, TQ_ALL_INSTRUCTIONS)};
    int n = p.images * o->classes, number = sizeof sessions / sizeof *sessions;
    float *got = need((size_t)n, sizeof *got), *want = need((size_t)n, sizeof *want);
    for (int k = tq_model_info(p.model)->min_bits; k <= p.pack.planes; k += tried->fewer ? 6 : 1) {
        twin_exact(&p.frozen, k, model_bank(p.frozen.m, k), p.floats, p.images, want);
        tried->widths++;
        tried->varied += have_variety(want, n, o->classes);
        for (int i = 0; i < number; i++) {
            infer(sessions[i], &p, k, got);
            expect_same(o->scheme, k, got, want, n);
        }
        assert_int_equal(tq_infer_floats(sessions[1], p.floats, (size_t)p.images, got), TQ_OK);
        expect_same(o->scheme, k, got, want, n);
    }
    for (int i = 0; i < number; i++)
        tq_session_close(sessions[i]);
    free(got);
    free(want);
    packed_free(&p);
}

static void scores_are_those_of_the_twin(void **state) {
    (void)state;
    static const char *const shared[] = {"norm_bank", "shared", NULL};
    static const char *const floats[] = {"act_bits", "32", NULL};
    static const char *const fixed[] = {"act_bits", "4", "stored_bits", "6", NULL};
    static const char *const channel[] = {"granularity", "channel", NULL};
    static const char *const middle[] = {"dequantizer", "midpoint", NULL};
    static const struct {
        const char *scheme;
        const char *const *keys;
    } all[] = {{"truncquant", NULL},   {"qat", middle},           {"adabits-floor", NULL},
               {"minmax", NULL},       {"minmax", channel},       {"matquant", NULL},
               {"lsq", NULL},          {"truncquant", fixed},     {"truncquant", shared},
               {"truncquant", floats}, {"double-rounding", NULL}, {"minmax", floats}};
    struct tried tried = {0};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        struct packed_options o = {.scheme = all[i].scheme,
                                   .text = packed_cfg,
                                   .input = {i % 2 ? 3 : 1, 12, 12},
                                   .classes = 7,
                                   .keys = all[i].keys,
                                   .images = 6};
        compare_with_twin(&o, &tried);
    }
    assert_true(tried.varied * 10 >= tried.widths * 9); // at few bits some networks are dead
}

static void networks_are_those_of_the_twin(void **state) {
    (void)state;
    static const char *const networks[] = {"lenet", "resnet8", "mobilenet-v1", "mobilenet-v2"};
    struct tried tried = {.fewer = 1};
    for (size_t i = 0; i < sizeof networks / sizeof *networks / (OF_IMAGES > 1 ? 2 : 1); i++) {
        char path[128];
        snprintf(path, sizeof path, "experiments/networks/%s.cfg", networks[i]);
        struct packed_options o = {.scheme = i % 2 ? "truncquant" : "minmax",
                                   .cfg = path,
                                   .input = {3, 32, 32},
                                   .classes = 10,
                                   .images = 2};
        compare_with_twin(&o, &tried);
    }
}

/* ---- beside the harness ---- */

/* What the specification allows: 2 images of 2,000 may have another class, where a float layer that
 * rounds otherwise has flipped a code; nearly all scores are the same but for rounding. */
static const float median_difference = 1e-5F;
enum { OTHER_IN_1000 = 1 };

struct count {
    int images, others;
    float worst_margin; // of those with another class, in the harness's scores
};

static void count_classes(const float *got, const float *want, int n, int classes,
                          struct count *c) {
    for (int i = 0; i < n; i++, got += classes, want += classes) {
        int mine = tq_best(got, classes), theirs = tq_best(want, classes);
        float margin = want[theirs] - want[mine];
        c->images++;
        c->others += mine != theirs;
        c->worst_margin = margin > c->worst_margin ? margin : c->worst_margin;
    }
}

static void expect_median(const char *what, int k, const float *got, const float *want, int n) {
    float *difference = need((size_t)n, sizeof *difference);
    for (int i = 0; i < n; i++)
        difference[i] = fabsf(got[i] - want[i]);
    values_sort(difference, (size_t)n);
    if (!(difference[n / 2] <= median_difference))
        fail_msg("%s at %d bits: the median difference is %g", what, k, (double)difference[n / 2]);
    free(difference);
}

static void harness_scores(struct packed *p, struct exact_threads *x, int k, float *scores) {
    struct point point = spec_point(&p->frozen.spec, k, CUT_WEIGHTS);
    size_t image = node_values(&p->frozen.m->nodes[0]), classes = (size_t)p->data.classes;
    assert_true(exact_covers(x, &point));
    exact_set_weights(x, &point);
    for (int i = 0; i < p->images; i += x->batch) {
        int n = p->images - i < x->batch ? p->images - i : x->batch;
        memcpy(scores + (size_t)i * classes,
               exact_forward(x, &point, p->floats + (size_t)i * image, n),
               (size_t)n * classes * sizeof *scores);
    }
}

static void compare_with_harness(const struct packed_options *o, struct count *c) {
    struct packed p;
    struct exact_threads x;
    struct error e = {0};
    packed_open(&p, o);
    if (exact_start(&x, engine_at(0), p.frozen.m, &p.frozen, 1, ARITHMETIC_INT8, &e))
        fail_msg("%s", e.text);
    struct tq_session *s = open_session(&p, 8, 0);
    int n = p.images * o->classes;
    float *got = need((size_t)n, sizeof *got), *want = need((size_t)n, sizeof *want);
    for (int k = tq_model_info(p.model)->min_bits; k <= p.pack.planes; k++) {
        infer(s, &p, k, got);
        harness_scores(&p, &x, k, want);
        expect_median(o->cfg, k, got, want, n);
        count_classes(got, want, p.images, o->classes, c);
    }
    free(got);
    free(want);
    exact_free(&x);
    tq_session_close(s);
    packed_free(&p);
}

static void scores_are_those_of_the_harness(void **state) {
    (void)state;
    static const struct {
        const char *scheme, *network;
        int channels, side, images;
    } all[] = {
        {"truncquant", "lenet", 1, 28, 40},
        {"qat", "resnet8", 1, 28, 40},
        {"minmax", "resnet8", 3, 32, 40},
        {"adabits", "resnet20", 3, 32, 24},
        {"lsq", "resnet20", 1, 28, 24},
        {"matquant", "lenet", 1, 28, 40},
        {"double-rounding", "resnet8", 3, 32, 40},
        {"truncquant-minmax", "lenet", 1, 28, 40},
    };
    struct count c = {0};
    if (!engine_at(0)->exact)
        skip();
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        char path[128];
        snprintf(path, sizeof path, "experiments/networks/%s.cfg", all[i].network);
        struct packed_options o = {.scheme = all[i].scheme,
                                   .cfg = path,
                                   .input = {all[i].channels, all[i].side, all[i].side},
                                   .classes = 10,
                                   .images = all[i].images / OF_IMAGES};
        compare_with_harness(&o, &c);
    }
    print_message("%d of %d images have another class than in the harness, the largest margin of "
                  "theirs is %g\n",
                  c.others, c.images, (double)c.worst_margin);
    assert_true(c.images >= 2000 / OF_IMAGES);
    assert_true(c.others * 1000 <= c.images * OTHER_IN_1000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scores_are_those_of_the_twin),
        cmocka_unit_test(networks_are_those_of_the_twin),
        cmocka_unit_test(scores_are_those_of_the_harness),
    };
    return cmocka_run_group_tests_name("whole", tests, test_folder_start, test_folder_end);
}
