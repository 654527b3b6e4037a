/* The networks that ship with the harness, and those that ship with Darknet: sizes counted by hand,
 * and every layer as Darknet itself builds it. Run from the root of the source. */
#include "cfg/cfg.h"
#include "cfg/cost.h"
#include "model/darknet_twin.h"
#include "model/model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct shape fashion_mnist = {1, 28, 28}, cifar10 = {3, 32, 32},
                          imagenet = {3, 224, 224};

static struct cfg read_cfg(const char *path, struct shape data, int classes) {
    struct cfg cfg;
    struct error e = {0};
    if (cfg_read(&cfg, path, data, classes, &e))
        fail_msg("%s", e.text);
    return cfg;
}

static struct cfg ours(const char *name, struct shape data, int classes) {
    char path[256];
    snprintf(path, sizeof path, "experiments/networks/%s.cfg", name);
    return read_cfg(path, data, classes);
}

struct counts {
    long weights, biases, norms; // norms: channels, each with a scale and a shift
    int quantized, projections;  // layers that may be quantized; projections among them
};

static struct counts count(const struct cfg *cfg) {
    struct counts n = {0};
    int last = 0, first = -1;
    for (int i = 0; i < cfg->n; i++) {
        const struct cfg_layer *l = &cfg->layers[i];
        int conv = l->type == LAYER_CONVOLUTIONAL, connected = l->type == LAYER_CONNECTED;
        if (conv)
            n.weights += (long)(l->in.c / l->groups) * l->filters * l->size * l->size;
        if (connected)
            n.weights += (long)l->in.c * l->in.h * l->in.w * l->filters;
        if (l->type == LAYER_BATCHNORM || ((conv || connected) && l->batch_normalize))
            n.norms += l->out.c;
        if (conv || connected) {
            n.biases += l->bias * l->filters;
            n.projections += l->projection;
            n.quantized++;
            first = first < 0 ? i : first;
            last = i;
        }
    }
    assert_int_not_equal(first, last);
    n.quantized -= 2;
    return n;
}

static void check_counts(const struct cfg *cfg, struct counts want, double macs) {
    struct counts n = count(cfg);
    assert_int_equal(n.weights, want.weights);
    assert_int_equal(n.biases, want.biases);
    assert_int_equal(n.norms, want.norms);
    assert_int_equal(n.quantized, want.quantized);
    assert_int_equal(n.projections, want.projections);
    assert_float_equal(cfg_macs(cfg), macs, 0);
}

static void check_shape(struct shape s, int c, int h, int w) {
    assert_int_equal(s.c, c);
    assert_int_equal(s.h, h);
    assert_int_equal(s.w, w);
}

static void lenet(void **state) {
    (void)state;
    struct cfg cfg = ours("lenet", fashion_mnist, 10);
    // 20 of 5x5, 50 of 5x5x20, (4x4x50) x 500, 500 x 10; 24x24 and 8x8 places.
    struct counts want = {.weights = 500 + 25000 + 400000 + 5000,
                          .biases = 10,
                          .norms = 20 + 50 + 500,
                          .quantized = 2};
    check_counts(&cfg, want, 576. * 500 + 64. * 25000 + 400000 + 5000);
    check_shape(cfg.layers[0].out, 20, 24, 24);
    check_shape(cfg.layers[1].out, 20, 12, 12);
    check_shape(cfg.layers[2].out, 50, 8, 8);
    check_shape(cfg.layers[3].out, 50, 4, 4);
    check_shape(cfg.layers[5].out, 10, 1, 1);
    assert_string_equal(cfg.notes, "");
    cfg_free(&cfg);
}

static void groups_share_the_work(void **state) {
    (void)state;
    static const char text[] =
        "[net]\n[convolutional]\nfilters=6\nsize=3\nstride=2\npad=1\ngroups=3\n"
        "[connected]\n";
    struct cfg cfg;
    struct error e = {0};
    assert_int_equal(cfg_parse(&cfg, text, strlen(text), "x.cfg", cifar10, 10, &e), 0);
    assert_float_equal(cfg_macs(&cfg), 256. * 6 * 9 + 256 * 6 * 10, 0);
    cfg_free(&cfg);
}

/* Blocks per group n, expansion x: the sum over the groups, as one would write it by hand. */
static void check_resnet(const char *name, int n, int x, struct shape data) {
    struct cfg cfg = ours(name, data, 10);
    long c = 16L * x, first = 9L * data.c * c;
    long places[3] = {(long)data.h * data.w, ((data.h + 1) / 2) * (long)((data.w + 1) / 2),
                      ((data.h + 3) / 4) * (long)((data.w + 3) / 4)};
    struct counts want = {.weights = first, .biases = 10, .projections = 2, .quantized = 6 * n + 2};
    double macs = (double)first * (double)places[0];
    for (int g = 0; g < 3; g++, c *= 2) {
        long before = g ? c / 2 : c;
        long group = 9 * before * c + (2L * n - 1) * 9 * c * c + (g ? before * c : 0);
        want.weights += group;
        want.norms += before + (2L * n - 1) * c + (g ? c : 0);
        macs += (double)group * (double)places[g];
    }
    c /= 2; // channels of the last group
    want.weights += c * 10;
    want.norms += c;
    check_counts(&cfg, want, macs + (double)c * 10);
    check_shape(cfg.layers[cfg.n - 4].out, (int)c, (data.h + 3) / 4, (data.w + 3) / 4);
    check_shape(cfg.layers[cfg.n - 3].out, (int)c, 1, 1);
    cfg_free(&cfg);
}

static void resnets(void **state) {
    (void)state;
    check_resnet("resnet8", 1, 1, cifar10);
    check_resnet("resnet8", 1, 1, fashion_mnist);
    check_resnet("resnet20", 3, 1, cifar10);
    check_resnet("resnet20", 3, 1, fashion_mnist);
    check_resnet("resnet20-x5", 3, 5, cifar10);
    check_resnet("resnet32", 5, 1, cifar10);
    check_resnet("resnet56", 9, 1, cifar10);
}

/* The same for the one that papers quote: 0.27 M parameters, 40.8 M multiply-accumulates. */
static void resnet20_in_numbers(void **state) {
    (void)state;
    struct cfg cfg = ours("resnet20", cifar10, 10);
    struct counts n = count(&cfg);
    assert_int_equal(n.weights, 270896);
    assert_int_equal(n.weights + n.biases + 2 * n.norms, 272474);
    assert_float_equal(cfg_macs(&cfg), 40813184, 0);
    cfg_free(&cfg);
    cfg = ours("resnet8", cifar10, 10);
    n = count(&cfg);
    assert_int_equal(n.weights + n.biases + 2 * n.norms, 78042);
    assert_float_equal(cfg_macs(&cfg), 12501632, 0);
    cfg_free(&cfg);
}

static int is_type(const struct cfg *cfg, int i, enum layer_type type) {
    return cfg->layers[i].type == type;
}

/* Where the paths of a block start: the identity at the raw input, the projection at the activated
 * one. */
static void check_shortcut(const struct cfg *cfg, int i) {
    int from = cfg->layers[i].from[0];
    if (!is_type(cfg, i - 1, LAYER_BATCHNORM)) { // identity
        assert_int_equal(from, i - 7);
        assert_true(from == 0 || is_type(cfg, from, LAYER_SHORTCUT));
        assert_true(is_type(cfg, i - 1, LAYER_CONVOLUTIONAL));
        return;
    }
    assert_true(is_type(cfg, from, LAYER_CONVOLUTIONAL)); // the end of the long path
    assert_true(is_type(cfg, i - 2, LAYER_CONVOLUTIONAL));
    assert_int_equal(cfg->layers[i - 2].projection, 1);
    assert_int_equal(cfg->layers[i - 2].stride, 2);
    assert_true(is_type(cfg, i - 3, LAYER_ROUTE));
    int start = cfg->layers[i - 3].from[0];
    assert_true(is_type(cfg, start, LAYER_ACTIVATION));
    assert_true(is_type(cfg, start - 1, LAYER_BATCHNORM));
    assert_true(is_type(cfg, start - 2, LAYER_SHORTCUT)); // the raw input of the block
    assert_int_equal(from, start + 4);
}

static void resnets_are_wired_as_the_paper_says(void **state) {
    (void)state;
    static const char *const names[] = {"resnet8", "resnet20", "resnet20-x5", "resnet32",
                                        "resnet56"};
    static const int blocks[] = {3, 9, 9, 15, 27};
    for (int k = 0; k < 5; k++) {
        struct cfg cfg = ours(names[k], cifar10, 10);
        int shortcuts = 0;
        for (int i = 1; i < cfg.n; i++) {
            if (is_type(&cfg, i, LAYER_CONVOLUTIONAL))
                assert_int_equal(cfg.layers[i].bias, 0);
            if (is_type(&cfg, i, LAYER_SHORTCUT)) {
                check_shortcut(&cfg, i);
                shortcuts++;
            }
        }
        assert_int_equal(shortcuts, blocks[k]);
        assert_true(is_type(&cfg, cfg.n - 4, LAYER_BATCHNORM)); // and no activation behind it
        assert_true(is_type(&cfg, cfg.n - 3, LAYER_AVGPOOL));
        assert_int_equal(cfg.layers[cfg.n - 2].bias, 1);
        cfg_free(&cfg);
    }
}

/* Blocks of n convolutions (2: basic, 3: bottleneck) of the ImageNet ResNets: both shortcuts start
 * at the raw input, the pooling reads the first convolution, an activation stands behind the last
 * norm. */
static void check_imagenet_shortcut(const struct cfg *cfg, int i, int n) {
    int projects = is_type(cfg, i - 1, LAYER_BATCHNORM);
    int start = projects ? cfg->layers[i - 3].from[0] : cfg->layers[i].from[0];
    int end = start + 3 * n; // of the long path
    assert_true(is_type(cfg, start, LAYER_MAXPOOL) || is_type(cfg, start, LAYER_SHORTCUT));
    assert_int_equal(projects ? cfg->layers[i].from[0] : i - 1, end);
    int stride = 1;
    for (int k = start + 1; k <= end; k += 3) {
        assert_true(is_type(cfg, k, LAYER_BATCHNORM));
        assert_true(is_type(cfg, k + 1, LAYER_ACTIVATION));
        assert_true(is_type(cfg, k + 2, LAYER_CONVOLUTIONAL));
        stride *= cfg->layers[k + 2].stride;
        assert_true(cfg->layers[k + 2].stride == 1 || cfg->layers[k + 2].size == 3);
    }
    if (projects) {
        assert_int_equal(cfg->layers[i - 2].projection, 1);
        assert_int_equal(cfg->layers[i - 2].stride, stride);
    }
}

static void imagenet_resnets_are_wired_as_the_method_says(void **state) {
    (void)state;
    static const struct {
        const char *name;
        int blocks, convolutions, projections;
    } nets[] = {{"resnet18", 8, 2, 3}, {"resnet50", 16, 3, 4}};
    for (int k = 0; k < 2; k++) {
        struct cfg cfg = ours(nets[k].name, imagenet, 1000);
        int shortcuts = 0, projections = 0;
        for (int i = 1; i < cfg.n; i++) {
            if (is_type(&cfg, i, LAYER_CONVOLUTIONAL)) {
                assert_int_equal(cfg.layers[i].bias, 0);
                assert_int_equal(cfg.layers[i].start, START_KAIMING_NORMAL);
                projections += cfg.layers[i].projection;
            }
            if (is_type(&cfg, i, LAYER_SHORTCUT)) {
                check_imagenet_shortcut(&cfg, i, nets[k].convolutions);
                shortcuts++;
            }
        }
        assert_int_equal(shortcuts, nets[k].blocks);
        assert_int_equal(projections, nets[k].projections);
        assert_int_equal(cfg.layers[0].start, START_KAIMING_NORMAL);
        check_shape(cfg.layers[0].out, 64, 112, 112);
        assert_true(is_type(&cfg, 1, LAYER_MAXPOOL));
        check_shape(cfg.layers[1].out, 64, 56, 56);
        check_shape(cfg.layers[cfg.n - 4].out, k ? 2048 : 512, 7, 7);
        assert_true(is_type(&cfg, cfg.n - 5, LAYER_BATCHNORM));
        assert_true(is_type(&cfg, cfg.n - 4, LAYER_ACTIVATION));
        assert_true(is_type(&cfg, cfg.n - 3, LAYER_AVGPOOL));
        cfg_free(&cfg);
    }
}

/* Every depthwise convolution has as many groups as channels in and out; an inverted residual ends
 * linearly. */
static void mobilenets_are_depthwise(void **state) {
    (void)state;
    static const char *const names[] = {"mobilenet-v1", "mobilenet-v2"};
    static const int depthwise[] = {13, 17}, shortcuts[] = {0, 10};
    for (int k = 0; k < 2; k++) {
        struct cfg cfg = ours(names[k], imagenet, 1000);
        int separable = 0, added = 0;
        for (int i = 1; i < cfg.n; i++) {
            const struct cfg_layer *l = &cfg.layers[i];
            if (is_type(&cfg, i, LAYER_CONVOLUTIONAL) && l->size == 3) {
                assert_int_equal(l->groups, l->in.c);
                assert_int_equal(l->filters, l->in.c);
                assert_int_equal(cfg.layers[i + 1].size, 1);
                assert_int_equal(cfg.layers[i + 1].activation, k ? ACT_LINEAR : ACT_RELU);
                separable++;
            }
            added += is_type(&cfg, i, LAYER_SHORTCUT);
        }
        assert_int_equal(separable, depthwise[k]);
        assert_int_equal(added, shortcuts[k]);
        check_shape(cfg.layers[cfg.n - 4].out, k ? 1280 : 1024, 7, 7);
        cfg_free(&cfg);
    }
}

#define DARKNET "/usr/share/darknet/cfg/"

/* Classifiers of Debian's package that are sound. */
static const struct {
    const char *name;
    struct shape data;
    int classes;
    int small; // few enough weights for Darknet to draw in a moment
} sound[] = {
    {"alexnet", {3, 227, 227}, 1000, 0},
    {"cifar", {3, 28, 28}, 10, 1},
    {"cifar", {1, 28, 28}, 10, 1}, // grey, replicated
    {"darknet", {3, 256, 256}, 1000, 1},
    {"darknet19", {3, 256, 256}, 1000, 0},
    {"darknet19_448", {3, 448, 448}, 1000, 0},
    {"darknet53", {3, 256, 256}, 1000, 0},
    {"darknet53_448", {3, 448, 448}, 1000, 0},
    {"densenet201", {3, 256, 256}, 1000, 1},
    {"extraction", {3, 224, 224}, 1000, 0},
    {"extraction.conv", {3, 256, 256}, 1000, 0},
    {"extraction22k", {3, 224, 224}, 21842, 0},
    {"jnet-conv", {3, 10, 10}, 1024, 1},
    {"tiny", {3, 224, 224}, 1000, 1},
    {"vgg-conv", {3, 224, 224}, 25088, 1},
};

/* Those that look like classifiers but are not sound, and why. */
static const struct {
    const char *name;
    struct shape data;
    const char *message;
} unsound[] = {
    {"resnet18", {3, 256, 256}, "[shortcut] adds layer"},
    {"resnet50", {3, 256, 256}, "[shortcut] adds layer"},
    {"resnext50", {3, 256, 256}, "[shortcut] adds layer"},
    {"vgg-16", {3, 256, 256}, "[crop] is not"},
    {"strided", {3, 256, 256}, "[crop] is not"},
    {"cifar.test", {3, 32, 32}, "temperature=3"},
    {"darknet9000", {3, 448, 448}, "tree="},
    {"go", {1, 19, 19}, "extra=1"},
    {"rnn", {1, 16, 16}, "[rnn] is not"},
    {"yolov3", {3, 608, 608}, "[yolo] is not"},
    {"yolov1", {3, 448, 448}, "[local] corrupts"},
};

static void cifar_cfg_takes_grey_images(void **state) {
    (void)state;
    if (access(DARKNET "cifar.cfg", R_OK))
        skip();
    struct cfg cfg = read_cfg(DARKNET "cifar.cfg", fashion_mnist, 10);
    check_shape(cfg.input, 3, 28, 28);
    assert_non_null(strstr(cfg.notes, "learning_rate"));
    assert_non_null(strstr(cfg.notes, "grey images are replicated to 3 channels"));
    assert_null(strstr(cfg.darknet, "learning_rate"));
    cfg_free(&cfg);
}

static void darknets_unsound_networks_are_refused(void **state) {
    (void)state;
    if (access(DARKNET "cifar.cfg", R_OK))
        skip();
    for (size_t i = 0; i < sizeof unsound / sizeof *unsound; i++) {
        char path[256];
        struct cfg cfg;
        struct error e = {0};
        snprintf(path, sizeof path, DARKNET "%s.cfg", unsound[i].name);
        assert_int_equal(cfg_read(&cfg, path, unsound[i].data, 1000, &e), -1);
        if (!strstr(e.text, unsound[i].message))
            fail_msg("%s: '%s' is not about '%s'", unsound[i].name, e.text, unsound[i].message);
    }
}

static void check_against_darknet(struct cfg *cfg) {
    char difference[256];
    darknet_twin_compare(cfg, difference, sizeof difference);
    if (difference[0])
        fail_msg("%s: %s", cfg->path, difference);
    cfg_free(cfg);
}

static void darknet_builds_our_networks_alike(void **state) {
    (void)state;
    if (!darknet_twin_is_there())
        skip();
    static const char *const names[] = {"lenet",    "resnet8", "resnet20",     "resnet20-x5",
                                        "resnet32", "vgg7",    "mobilenet-v1", "mobilenet-v2"};
    for (int i = 0; i < (int)(sizeof names / sizeof *names); i++) {
        struct cfg cfg = ours(names[i], fashion_mnist, 10);
        check_against_darknet(&cfg);
        if (i > 4 && !getenv("TRUNCQUANT_TEST_LARGE"))
            continue;
        cfg = ours(names[i], cifar10, 100);
        check_against_darknet(&cfg);
    }
}

/* All are read; Darknet loads the small ones, since it draws every weight through log and cos. */
static void darknet_builds_its_own_networks_alike(void **state) {
    (void)state;
    if (!darknet_twin_is_there() || access(DARKNET "cifar.cfg", R_OK))
        skip();
    for (size_t i = 0; i < sizeof sound / sizeof *sound; i++) {
        char path[256];
        snprintf(path, sizeof path, DARKNET "%s.cfg", sound[i].name);
        struct cfg cfg = read_cfg(path, sound[i].data, sound[i].classes);
        if (sound[i].small || getenv("TRUNCQUANT_TEST_LARGE"))
            check_against_darknet(&cfg);
        else
            cfg_free(&cfg);
    }
}

/* Every layer and every shape rule once, where a slip of ours would be a silently different
 * network. */
static void darknet_builds_odd_geometry_alike(void **state) {
    (void)state;
    if (!darknet_twin_is_there())
        skip();
    static const char text[] =
        "[net]\n"
        "[convolutional]\nfilters=12\nsize=5\nstride=3\npadding=4\nactivation=elu\n"
        "[convolutional]\nfilters=8\nsize=4\nstride=1\npad=1\ngroups=4\nbatch_normalize=1\n"
        "[maxpool]\nsize=3\nstride=2\n[maxpool]\nstride=2\npadding=0\n[maxpool]\nsize=3\n"
        "[activation]\nactivation=hardtan\n[batchnorm]\n[dropout]\nprobability=.3\n"
        "[convolutional]\nfilters=8\n[shortcut]\nfrom=4\nalpha=.3\nbeta=-2\nactivation=relu\n"
        "[route]\nlayers=-1,-2,9\n[upsample]\nstride=3\nscale=.7\n"
        "[convolutional]\nfilters=8\nsize=3\nstride=1\n[route]\nlayers=-2\n"
        "[reorg]\nstride=2\nreverse=1\n[convolutional]\nfilters=4\nsize=1\n[reorg]\nstride=2\n"
        "[connected]\noutput=7\nbatch_normalize=1\nactivation=stair\n"
        "[connected]\nactivation=selu\n[convolutional]\nfilters=9\nactivation=lhtan\n[softmax]\n["
        "cost]\n";
    struct error e = {0};
    struct cfg cfg;
    static const struct shape odd[] = {{3, 23, 31}, {1, 40, 17}};
    for (int i = 0; i < 2; i++) {
        if (cfg_parse(&cfg, text, strlen(text), "odd.cfg", odd[i], 9, &e))
            fail_msg("%s", e.text);
        check_against_darknet(&cfg);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lenet),
        cmocka_unit_test(groups_share_the_work),
        cmocka_unit_test(resnets),
        cmocka_unit_test(resnet20_in_numbers),
        cmocka_unit_test(resnets_are_wired_as_the_paper_says),
        cmocka_unit_test(imagenet_resnets_are_wired_as_the_method_says),
        cmocka_unit_test(mobilenets_are_depthwise),
        cmocka_unit_test(cifar_cfg_takes_grey_images),
        cmocka_unit_test(darknets_unsound_networks_are_refused),
        cmocka_unit_test(darknet_builds_our_networks_alike),
        cmocka_unit_test(darknet_builds_its_own_networks_alike),
        cmocka_unit_test(darknet_builds_odd_geometry_alike),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
