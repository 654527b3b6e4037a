/* Every engine against the reference on geometries drawn at random: kernels 1, 3 and 5, strides,
 * paddings, groups and depthwise, channels that fill no block, odd planes, 1 and 3 channels of
 * input, pools, a linear layer, a batch of one and one smaller than the program; every width,
 * forward and backward, in every precision that the machine has. Weights and activations of a width
 * are compared as they are given: one convolution is between the codes and the comparison, so that
 * no flipped code hides behind another. A fast engine takes some geometries ways of their own
 * (harness/engine/onednn/conv.h): of each of those kinds as many are drawn as of any other, with
 * every number of images on one thread and on two. */
#include "base/values.h"
#include "engine/load.h"
#include "model/net.h"
#include "train/trainer.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { NETWORKS = 72, BATCH = 24, CLASSES = 10, LARGEST = 16 };

/* Of the largest value of the output, or of the gradient's norm; Winograd costs two digits. */
static const double forward_tolerance[] = {
    [PRECISION_FP32] = 2e-5, [PRECISION_BF16] = 2e-5, [PRECISION_BF16_BACKWARD] = 2e-5};
static const double gradient_tolerance[] = {
    [PRECISION_FP32] = 2e-4, [PRECISION_BF16] = 2e-4, [PRECISION_BF16_BACKWARD] = 1e-2};

struct drawn {
    char text[1024];
    struct net net;
    int convolution; // the node that is compared: quantized, behind an activation
};

/* A convolution of any kind; of few channels in whole blocks, by Winograd on parts of 8 images; of
 * more channels than blocks, filling up a little of the last; or of fewer than a block. */
enum kind { ANY, FEW, WASTEFUL, THIN, KINDS };

struct geometry {
    int channels, filters, size, stride, groups;
};

static struct geometry draw_any(struct random *r) {
    struct geometry g = {
        .size = 2 * values_between(r, 0, 2) + 1, .stride = values_between(r, 1, 2), .groups = 1};
    g.channels =
        values_between(r, 1, 3) * (values_between(r, 0, 1) ? 16 : values_between(r, 1, 20));
    g.filters = values_between(r, 1, 3) * (values_between(r, 0, 1) ? 16 : values_between(r, 1, 20));
    if (!values_between(r, 0, 3)) { // depthwise, or a few groups
        g.groups = values_between(r, 0, 1) ? g.channels : 4;
        g.channels = g.groups == 4 ? 4 * ((g.channels + 3) / 4) : g.channels;
        g.filters = g.groups * (1 + values_between(r, 0, 1));
    }
    return g;
}

static struct geometry draw_convolution(struct random *r, enum kind kind) {
    struct geometry g = draw_any(r);
    if (kind == ANY)
        return g;
    g.groups = 1;
    if (kind == FEW)
        g = (struct geometry){16, 16 * values_between(r, 1, 3), 3, 1, 1};
    if (kind == WASTEFUL) {
        g.size = 2 * values_between(r, 1, 2) + 1;
        g.channels = 16 + values_between(r, 1, 4);
        g.filters = 16 * values_between(r, 0, 2) + values_between(r, 1, 4);
    }
    if (kind == THIN)
        g.channels = values_between(r, 1, 15);
    return g;
}

/* Images -> batch norm -> activation -> the convolution -> score of each class. */
static void draw_network(struct drawn *n, struct random *r, enum kind kind, int side) {
    struct geometry g = draw_convolution(r, kind);
    int pad = side < g.size || values_between(r, 0, 1);
    snprintf(
        n->text, sizeof n->text,
        "[net]\n[convolutional]\nfilters=%d\nsize=3\npad=1\nactivation=relu\nbatch_normalize=1\n"
        "%s[convolutional]\nfilters=%d\nsize=%d\nstride=%d\npad=%d\ngroups=%d\n"
        "activation=linear\nbias=%d\n%s[connected]\noutput=10\nactivation=linear\n[softmax]\n",
        g.channels, values_between(r, 0, 3) ? "" : "[maxpool]\nsize=2\nstride=1\n", g.filters,
        g.size, g.stride, pad, g.groups, values_between(r, 0, 1),
        values_between(r, 0, 1) ? "[avgpool]\n" : "");
}

static void build(struct drawn *n, struct random *r, enum kind kind) {
    int side = values_between(r, 4, LARGEST), wide = values_between(r, 4, LARGEST);
    struct spec spec = net_spec("truncquant");
    draw_network(n, r, kind, side < wide ? side : wide);
    struct shape input = {values_between(r, 0, 1) ? 3 : 1, side, wide};
    net_build(&n->net, &spec, n->text, "drawn.cfg", input, CLASSES);
    const struct model *m = n->net.m;
    for (int i = 0; i < m->n_nodes; i++)
        if (m->nodes[i].op == OP_CONV)
            n->convolution = i;
    assert_true(m->nodes[n->convolution].quantized >= 0);
}

/* What one pass leaves: copies. */
struct result {
    size_t n_in, n_out;
    float *in, *out; // of the convolution
    int n_gradients;
    float **gradient; // of the weights of each node
};

static float *copy(const float *x, size_t n) {
    return memcpy(need(n, sizeof *x), x, n * sizeof *x);
}

static size_t size_of(const struct drawn *n, int node, int count) {
    const struct shape *s = &n->net.m->nodes[node].shape;
    return (size_t)(count * s->c) * (size_t)(s->h * s->w);
}

static struct result compute(const struct engine *engine, struct program *p, struct drawn *n, int k,
                             const float *images, const float *dz, int count) {
    float *scratch = need(model_largest_weights(n->net.m), sizeof *scratch);
    int before = n->net.m->nodes[n->convolution].in[0];
    struct result r = {.n_in = size_of(n, before, count),
                       .n_out = size_of(n, n->convolution, count),
                       .n_gradients = n->net.m->n_nodes,
                       .gradient = need((size_t)n->net.m->n_nodes, sizeof *r.gradient)};
    struct pass pass = {.mode = PASS_TRAIN, .point = {.bits = k, .act_bits = k, .bank = k}};
    load_program(n->net.m, NULL, engine, p, &pass.point, scratch);
    engine->forward(p, &pass, images, count);
    r.in = copy(engine->peek(p, before), r.n_in);
    r.out = copy(engine->peek(p, n->convolution), r.n_out);
    engine->backward(p, dz);
    for (int i = 0; i < n->net.m->n_nodes; i++)
        if (n->net.m->nodes[i].weights >= 0)
            r.gradient[i] = copy(engine->weight_gradient(p, i),
                                 n->net.m->parameters[n->net.m->nodes[i].weights].n);
    free(scratch);
    return r;
}

static void free_result(struct result *r) {
    for (int i = 0; i < r->n_gradients; i++)
        free(r->gradient[i]);
    free(r->gradient);
    free(r->in);
    free(r->out);
}

/* 1: compared; 0: a code flipped on the way to the convolution, and nothing can be said. */
static int compare(const struct drawn *n, const struct result *a, const struct result *b,
                   enum precision precision, int k) {
    double largest = 0, worst = 0;
    for (size_t i = 0; i < a->n_in && k < FLOAT_BITS; i++)
        if (fabsf(a->in[i] - b->in[i]) > 1e-6f)
            return 0;
    for (size_t i = 0; i < a->n_out; i++) {
        largest = fmax(largest, fabs((double)a->out[i]));
        worst = fmax(worst, fabs((double)a->out[i] - (double)b->out[i]));
    }
    if (!(worst <= forward_tolerance[precision] * largest))
        fail_msg("%s at %d bits: forward off by %g of %g\n%s", precision_names[precision], k, worst,
                 largest, n->text);
    for (int i = 0; i < a->n_gradients; i++) {
        size_t size = a->gradient[i] ? n->net.m->parameters[n->net.m->nodes[i].weights].n : 0;
        double norm = values_distance(a->gradient[i], NULL, size);
        double error = values_distance(a->gradient[i], b->gradient[i], size);
        if (!(error <= gradient_tolerance[precision] * (norm + 1e-6)))
            fail_msg("%s at %d bits, node %d: gradient off by %g of %g\n%s",
                     precision_names[precision], k, i, error, norm, n->text);
    }
    return 1;
}

enum { VALUES = BATCH * 3 * LARGEST * LARGEST };
static float *images, d_scores[BATCH * CLASSES];

static int draw_batch(void **state) {
    (void)state;
    struct random r = random_stream(51, RANDOM_TEST, 0, 0);
    images = need_aligned(VALUES, sizeof *images);
    values_draw(&r, images, VALUES, -2, 2);
    for (size_t i = 0; i < sizeof d_scores / sizeof *d_scores; i++)
        d_scores[i] = random_unit(&r) - 0.5f;
    return 0;
}

static int free_images(void **state) {
    (void)state;
    free(images);
    return 0;
}

/* All widths of one network in one precision; returns how many could be compared, -1: none is
 * there. */
static int compare_widths(const struct engine *engine, struct drawn *n, enum precision precision,
                          int count, int threads) {
    struct error e = {0};
    struct program *reference = engine_reference.compile(n->net.m, BATCH, 1, &e);
    struct program *p = engine->compile(n->net.m, BATCH, threads, &e);
    assert_non_null(p);
    int compared = engine_use(engine, p, precision, &e) ? -1 : 0;
    for (int k = 1; k <= FLOAT_BITS && compared >= 0; k = k == 8 ? FLOAT_BITS : k * 2) {
        struct result a = compute(&engine_reference, reference, n, k, images, d_scores, count);
        struct result b = compute(engine, p, n, k, images, d_scores, count);
        compared += compare(n, &a, &b, precision, k);
        free_result(&a);
        free_result(&b);
    }
    engine_reference.free(reference);
    engine->free(p);
    return compared;
}

static void geometries_agree(void **state) {
    (void)state;
    const int counts[] = {BATCH, 1, BATCH - 3};
    for (int e = 0; engine_at(e); e++) {
        const struct engine *engine = engine_at(e);
        struct random r = random_stream(52, RANDOM_TEST, 0, 0);
        int compared = 0, wanted = 0;
        for (int i = 0; i < NETWORKS && engine != &engine_reference; i++) {
            struct drawn n;
            build(&n, &r, (enum kind)(i % KINDS));
            int threads = 1 + i / KINDS % 2, count = counts[i / KINDS / 2 % 3];
            for (int p = PRECISION_FP32; p <= PRECISION_BF16_BACKWARD; p++) {
                int done = compare_widths(engine, &n, (enum precision)p, count, threads);
                compared += done > 0 ? done : 0;
                wanted += done >= 0 ? 5 : 0;
            }
            net_free(&n.net);
        }
        if (compared < wanted * 3 / 4)
            fail_msg("only %d of %d passes had equal codes", compared, wanted);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(geometries_agree)};
    return cmocka_run_group_tests_name("geometries", tests, draw_batch, free_images);
}
