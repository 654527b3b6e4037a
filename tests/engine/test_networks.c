/* Whole networks on every engine against the reference: scores at every width in training and
 * evaluating mode, gradients, a batch that is smaller than the program, one and two threads, and
 * that nothing depends on what ran before, or on who computes which part. One flipped activation
 * code moves an image's scores, so those are judged by their median; in training mode statistics of
 * the batch take it to all images, and then there are but outliers to judge by. */
#include "base/values.h"
#include "engine/load.h"
#include "model/net.h"
#include "train/loss.h"
#include "train/trainer.h"

#include <math.h>
#include <omp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { IMAGES = 48, CLASSES = 10, SIDE = 28, deep = 10 };

static const double median_tolerance = 5e-5;   // of a score, of about 1 (Winograd costs digits)
static const double outlier = 1e-2;            // a score that a flipped code has moved
static const double outliers_tolerated = 0.05; // share of images
static const double gradient_tolerance = 5e-3; // of a parameter's norm; ReLU flips near 0

static const char *const networks[] = {"experiments/networks/lenet.cfg",
                                       "experiments/networks/resnet8.cfg",
                                       "experiments/networks/resnet20.cfg"};
enum { NETWORKS = sizeof networks / sizeof *networks };

/* Channels that fill no block, odd planes, groups, a leaky activation on full blocks and on others,
 * a bias behind the last convolution, an activation that nobody's norm precedes. */
static const char odd_network[] =
    "[net]\n"
    "[convolutional]\nfilters=20\nsize=5\nstride=3\nactivation=leaky\nbatch_normalize=1\n"
    "[maxpool]\nsize=3\nstride=2\npadding=1\n"
    "[convolutional]\nfilters=32\nsize=3\npad=1\nactivation=leaky\nbatch_normalize=1\n"
    "[convolutional]\nfilters=32\nsize=3\npad=1\ngroups=4\nactivation=relu\nbatch_normalize=1\n"
    "[shortcut]\nfrom=-2\nactivation=relu\n"
    "[route]\nlayers=-1,-3\n"
    "[convolutional]\nfilters=24\nsize=1\nactivation=logistic\n"
    "[convolutional]\nfilters=10\nsize=1\nactivation=linear\n"
    "[avgpool]\n[softmax]\n";

static const struct shape input = {1, SIDE, SIDE};

static void build_number(struct net *n, int i) {
    struct spec spec = net_spec("truncquant");
    if (i == NETWORKS)
        net_build(n, &spec, odd_network, "odd.cfg", input, CLASSES);
    else
        net_build_file(n, &spec, networks[i], input, CLASSES);
}

enum { VALUES = IMAGES * SIDE * SIDE };
static float *images;
static uint16_t labels[IMAGES];

static int draw_images(void **state) {
    (void)state;
    struct random r = random_stream(9, RANDOM_TEST, 0, 0);
    images = need_aligned(VALUES, sizeof *images);
    values_draw(&r, images, VALUES, -2, 2);
    for (int i = 0; i < IMAGES; i++)
        labels[i] = (uint16_t)random_below(&r, CLASSES);
    return 0;
}

static int free_images(void **state) {
    (void)state;
    free(images);
    return 0;
}

static struct program *compile(const struct engine *engine, struct net *n, int batch, int threads) {
    struct error e = {0};
    struct program *p = engine->compile(n->m, batch, threads, &e);
    if (!p)
        fail_msg("%s", e.text);
    return p;
}

/* Scores at width b; batch statistics move the running ones, so both engines start from the same.
 */
static void scores(const struct engine *engine, struct program *p, struct net *n, int b,
                   enum pass_mode mode, int count, float *out) {
    float *scratch = need(model_largest_weights(n->m), sizeof *scratch);
    int k = n->m->widths.bits[b];
    struct pass pass = {.mode = mode, .point = {.bits = k, .act_bits = k, .bank = k}};
    load_program(n->m, NULL, engine, p, &pass.point, scratch);
    memcpy(out, engine->forward(p, &pass, images, count), (size_t)count * CLASSES * sizeof *out);
    free(scratch);
}

/* Whether an activation of the last passes differs by a code; codes are 1/255 apart or more. */
static int a_code_flipped(const struct net *n, struct program *reference,
                          const struct engine *engine, struct program *p, int count) {
    int flipped = 0;
    for (int i = 1; i < n->m->n_nodes; i++) {
        const struct shape *s = &n->m->nodes[i].shape;
        if (n->m->nodes[i].op != OP_ACT || !n->m->nodes[i].clips)
            continue;
        const float *x = engine_reference.peek(reference, i), *y = engine->peek(p, i);
        for (int j = 0; j < count * s->c * s->h * s->w; j++)
            flipped |= fabsf(x[j] - y[j]) > 1.0f / 512;
    }
    return flipped;
}

static void expect_scores(const float *a, const float *b, int count, int by_median,
                          const char *what, int k) {
    float difference[IMAGES] = {0};
    int outliers = 0;
    for (int i = 0; i < count; i++) {
        difference[i] = 0;
        for (int c = 0; c < CLASSES; c++)
            difference[i] = fmaxf(difference[i], fabsf(a[i * CLASSES + c] - b[i * CLASSES + c]));
        outliers += !(difference[i] <= outlier);
    }
    values_sort(difference, (size_t)count);
    if ((by_median && !(difference[count / 2] <= median_tolerance)) ||
        outliers > outliers_tolerated * count + 1)
        fail_msg("%s at %d bits: median difference %g, %d of %d images above %g", what, k,
                 difference[count / 2], outliers, count, outlier);
}

struct passes {
    int all, by_median;
};

static void compare_scores(const struct engine *engine, int network, int threads, int count,
                           struct passes *passes) {
    static float a[IMAGES * CLASSES], b[IMAGES * CLASSES];
    struct net n;
    build_number(&n, network);
    struct program *reference = compile(&engine_reference, &n, IMAGES, 1);
    struct program *other = compile(engine, &n, IMAGES, threads);
    // In a deep network one flipped code of a few bits (there are 150,000 activations an image)
    // flips others behind it: there scores can be compared at 32 bits alone.
    int first = n.m->n_quantized > deep ? n.m->widths.n - 1 : 0;
    for (int w = first; w < n.m->widths.n; w++)
        for (int mode = 0; mode < 2; mode++) {
            enum pass_mode m = mode ? PASS_TRAIN : PASS_EVALUATE;
            scores(&engine_reference, reference, &n, w, m, count, a);
            scores(engine, other, &n, w, m, count, b);
            int by_median = !mode || n.m->widths.bits[w] == FLOAT_BITS ||
                            !a_code_flipped(&n, reference, engine, other, count);
            expect_scores(a, b, count, by_median, n.cfg.path, n.m->widths.bits[w]);
            passes->all++;
            passes->by_median += by_median;
        }
    engine_reference.free(reference);
    engine->free(other);
    net_free(&n);
}

static void scores_agree(void **state) {
    (void)state;
    for (int e = 0; engine_at(e); e++) {
        struct passes passes = {0};
        for (int network = 0; network <= NETWORKS; network++) {
            compare_scores(engine_at(e), network, 1, IMAGES, &passes);
            compare_scores(engine_at(e), network, 2, 17, &passes);
        }
        if (passes.by_median < passes.all * 3 / 4)
            fail_msg("only %d of %d passes had equal codes", passes.by_median, passes.all);
    }
}

/* Gradients of the cross-entropy at 32 bits, where nothing is rounded, into the model; by `team` of
 * the threads. */
static float **gradients(const struct engine *engine, struct net *n, int threads, int team,
                         int count) {
    static float z[IMAGES * CLASSES], probabilities[IMAGES * CLASSES], dz[IMAGES * CLASSES];
    int b = n->m->widths.n - 1;
    struct program *p = compile(engine, n, IMAGES, threads);
    omp_set_num_threads(team);
    for (int i = 0; i < n->m->n_parameters; i++)
        memset(n->m->parameters[i].grad, 0, n->m->parameters[i].n * sizeof(float));
    scores(engine, p, n, b, PASS_TRAIN, count, z);
    softmax(count, CLASSES, z, probabilities);
    labels_gradient(count, CLASSES, probabilities, labels, 1, dz);
    engine->backward(p, dz);
    float **all = need((size_t)n->m->n_parameters, sizeof *all);
    for (int i = 0; i < n->m->n_nodes; i++)
        if (n->m->nodes[i].weights >= 0)
            memcpy(n->m->parameters[n->m->nodes[i].weights].grad, engine->weight_gradient(p, i),
                   n->m->parameters[n->m->nodes[i].weights].n * sizeof(float));
    for (int i = 0; i < n->m->n_parameters; i++) {
        all[i] = need(n->m->parameters[i].n, sizeof(float));
        memcpy(all[i], n->m->parameters[i].grad, n->m->parameters[i].n * sizeof(float));
    }
    engine->free(p);
    return all;
}

static void compare_gradients(const struct engine *engine, int network, int threads, int count) {
    struct net n;
    double largest = 0;
    build_number(&n, network);
    float **a = gradients(&engine_reference, &n, 1, 1, count);
    float **b = gradients(engine, &n, threads, threads, count);
    for (int i = 0; i < n.m->n_parameters; i++)
        largest = fmax(largest, values_distance(a[i], NULL, n.m->parameters[i].n));
    assert_true(largest > 0);
    for (int i = 0; i < n.m->n_parameters; i++) {
        double size = values_distance(a[i], NULL, n.m->parameters[i].n);
        double error = values_distance(a[i], b[i], n.m->parameters[i].n);
        // What a norm behind it makes nearly 0 is judged by the other gradients' size.
        if (!(error <= gradient_tolerance * fmax(size, 0.01 * largest)))
            fail_msg("%s, %s by %s: gradient off by %g of %g", n.cfg.path, n.m->parameters[i].name,
                     engine->name, error, size);
        free(a[i]);
        free(b[i]);
    }
    free(a);
    free(b);
    net_free(&n);
}

static void gradients_agree(void **state) {
    (void)state;
    for (int e = 0; engine_at(e); e++)
        for (int network = 0; network <= NETWORKS; network++) {
            compare_gradients(engine_at(e), network, 1, IMAGES);
            compare_gradients(engine_at(e), network, 2, 17);
        }
}

static void expect_same(const struct net *n, float **a, float **b, int team) {
    for (int i = 0; i < n->m->n_parameters; i++) {
        const struct parameter *p = &n->m->parameters[i];
        if (memcmp(a[i], b[i], p->n * sizeof(float)))
            fail_msg("%s, %s: other bits by %d threads", n->cfg.path, p->name, team);
        free(b[i]);
    }
    free(b);
}

/* What was divided for three threads, by two or one of them. */
static void fewer_threads_compute_the_same(void **state) {
    (void)state;
    for (int e = 0; engine_at(e); e++)
        for (int network = 0; network <= NETWORKS; network++) {
            const struct engine *engine = engine_at(e);
            struct net n;
            if (!engine->any_team)
                continue;
            build_number(&n, network);
            float **all = gradients(engine, &n, 3, 3, IMAGES);
            for (int team = 1; team < 3; team++)
                expect_same(&n, all, gradients(engine, &n, 3, team, IMAGES), team);
            expect_same(&n, all, all, 3);
            net_free(&n);
        }
}

/* The same pass, fresh and after passes of other widths, modes and batch sizes: the same bits. */
static void nothing_depends_on_what_ran_before(void **state) {
    (void)state;
    static float fresh[IMAGES * CLASSES], later[IMAGES * CLASSES], dz[IMAGES * CLASSES];
    for (int e = 0; engine_at(e); e++) {
        const struct engine *engine = engine_at(e);
        for (int network = 0; network <= NETWORKS; network++) {
            struct net n;
            build_number(&n, network);
            struct program *p = compile(engine, &n, IMAGES, 1);
            scores(engine, p, &n, 1, PASS_EVALUATE, 17, fresh);
            scores(engine, p, &n, 3, PASS_TRAIN, IMAGES, dz);
            engine->backward(p, dz);
            for (int count = 5; count <= 45; count += 20)
                scores(engine, p, &n, 4, PASS_TRAIN, count, later);
            engine->backward(p, dz);
            scores(engine, p, &n, 1, PASS_EVALUATE, 17, later);
            assert_memory_equal(fresh, later, 17 * CLASSES * sizeof *fresh);
            engine->free(p);
            net_free(&n);
        }
    }
}

/* Whether an engine lets Darknet read a network that was laid out for evaluation; `falls_back`:
 * whether it computes some node, on this processor, by the reference's operators. */
static int loads_darknet(const struct engine *engine, struct net *n, int *falls_back) {
    struct error e = {0};
    struct model *m = model_lay_out(&n->cfg, &n->spec, n->m->quantizer);
    char *said = NULL;
    size_t size = 0;
    assert_null(m->darknet);
    struct program *p = engine->compile(m, IMAGES, 1, &e);
    if (!p)
        fail_msg("%s", e.text);
    int loads = m->darknet != NULL;
    FILE *out = open_memstream(&said, &size);
    if (engine->describe)
        engine->describe(p, out);
    fclose(out);
    *falls_back = size > 0;
    free(said);
    engine->free(p);
    model_free(m);
    return loads;
}

/* The reference's pooling, and anybody's leaky activation; who falls back on the reference may. */
static void darknet_is_loaded_by_who_calls_its_functions(void **state) {
    (void)state;
    for (int e = 0; engine_at(e); e++)
        for (int network = 0; network <= NETWORKS; network++) {
            const struct engine *engine = engine_at(e);
            int falls_back, calls = engine == &engine_reference || network == NETWORKS;
            struct net n;
            build_number(&n, network);
            int loads = loads_darknet(engine, &n, &falls_back);
            if (calls || !falls_back)
                assert_int_equal(loads, calls);
            net_free(&n);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scores_agree),
        cmocka_unit_test(gradients_agree),
        cmocka_unit_test(fewer_threads_compute_the_same),
        cmocka_unit_test(nothing_depends_on_what_ran_before),
        cmocka_unit_test(darknet_is_loaded_by_who_calls_its_functions),
    };
    return cmocka_run_group_tests_name("networks", tests, draw_images, free_images);
}
