/* The networks that papers report on, counted: parameters and multiply-accumulates against the
 * published numbers. Where ours differs from the network that was published, the row says by
 * exactly what. Run from the root of the source. */
#include "cfg/cost.h"
#include "model/model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define OURS "experiments/networks/"
#define DARKNET "/usr/share/darknet/cfg/"

static const struct shape cifar10 = {3, 32, 32}, imagenet = {3, 224, 224}, darknets = {3, 256, 256};

/* A projection has its weights and a norm; the parameter-free shortcut of He et al. (their option
 * A) has neither. The two of a CIFAR ResNet: 16 to 32 channels at 16x16 places, 32 to 64 at 8x8. */
enum {
    PROJECTIONS = 16 * 32 + 32 * 64 + 2 * (32 + 64),
    PROJECTION_MACS = 16 * 32 * 256 + 32 * 64 * 64
};

struct claim {
    const char *path;
    const struct shape *data;
    int classes;
    int64_t parameters; // exact, of the published network
    int64_t added;      // ours minus that
    double macs, added_macs;
};

static const struct claim claims[] = {
    // He et al. 1512.03385, table 6: 0.27, 0.46, 0.85 M; with option A, all norms and the
    // classifier's bias, these are 269,722, 464,154 and 853,018. The order of norm and convolution
    // (pre-activation) moves norms, but each group gives one to the next: their channels sum up to
    // the same.
    {OURS "resnet20.cfg", &cifar10, 10, 269722, PROJECTIONS, 40551040, PROJECTION_MACS},
    {OURS "resnet32.cfg", &cifar10, 10, 464154, PROJECTIONS, 68862592, PROJECTION_MACS},
    {OURS "resnet56.cfg", &cifar10, 10, 853018, PROJECTIONS, 125485696, PROJECTION_MACS},
    // 0.608 G multiply-accumulates is what papers give VGG-Small, which is VGG-7 without the layer
    // of 1024: 10 classes straight from 4x4x512. That layer has 8192 x 1024 weights and a norm, and
    // leaves 1024 x 10 weights to the classifier instead of 8192 x 10.
    {OURS "vgg7.cfg", &cifar10, 10, 4574592 + 2 * 1792 + 81920 + 10,
     8388608 + 2 * 1024 + 10240 - 81920, 607518720 + 81920, 8388608 + 10240 - 81920},
    // torchvision's resnet18 and resnet50 (parameters in its documentation; 1.81 and 4.09 G there),
    // which are post-activation: the norm behind the first convolution is missing here and one
    // stands before the pooling; every block's first norm has the block's input for channels
    // instead of its output. Summed up, the channels are equal.
    {OURS "resnet18.cfg", &imagenet, 1000, 11689512, 0, 1814073344, 0},
    {OURS "resnet50.cfg", &imagenet, 1000, 25557032, 0, 4089184256, 0},
    // Howard et al. 1704.04861, table 4: 4.2 M and 569 M.
    {OURS "mobilenet-v1.cfg", &imagenet, 1000, 4231976, 0, 568740352, 0},
    // Sandler et al. 1801.04381, table 4: 3.4 M and 300 M; torchvision's documentation: 3,504,872
    // (with norms and the bias) and 0.30 G.
    {OURS "mobilenet-v2.cfg", &imagenet, 1000, 3504872, 0, 300774272, 0},
    // Redmon's ImageNet page: 80 MB of weights (MiB of floats, with running statistics), 7.29 G
    // operations (two per multiply-accumulate) at 256x256; YOLO9000, 1612.08242: 5.58 G at 224x224.
    {DARKNET "darknet19.cfg", &darknets, 1000, 20842376, 0, 3645374464, 0},
    // The same page: 28 MB, and 0.8 G operations at 224x224; the cfg says 256x256, (8/7)² of that
    // and more, since planes of odd sides pool upwards.
    {DARKNET "darknet.cfg", &darknets, 1000, 7319416, 0, 482320384, 0},
};
enum { CLAIMS = sizeof claims / sizeof *claims };

static int read_cfg(struct cfg *cfg, const struct claim *c) {
    struct error e = {0};
    if (!strncmp(c->path, DARKNET, strlen(DARKNET)) && access(c->path, R_OK))
        return 0;
    if (cfg_read(cfg, c->path, *c->data, c->classes, &e))
        fail_msg("%s", e.text);
    return 1;
}

static void networks_have_the_published_size(void **state) {
    (void)state;
    for (int i = 0; i < CLAIMS; i++) {
        const struct claim *c = &claims[i];
        struct cfg cfg;
        if (!read_cfg(&cfg, c))
            continue;
        if (cfg_parameters(&cfg) != c->parameters + c->added)
            fail_msg("%s: %lld parameters, not %lld + %lld", c->path,
                     (long long)cfg_parameters(&cfg), (long long)c->parameters,
                     (long long)c->added);
        if (cfg_macs(&cfg) - c->macs - c->added_macs != 0)
            fail_msg("%s: %.0f multiply-accumulates, not %.0f + %.0f", c->path, cfg_macs(&cfg),
                     c->macs, c->added_macs);
        cfg_free(&cfg);
    }
}

/* The rounded numbers that papers print, against the exact ones of the table above. */
static void the_numbers_are_those_that_papers_print(void **state) {
    (void)state;
    static const struct {
        const char *name;
        double millions, digit; // of parameters, and the last digit printed
        double macs_printed,
            macs_digit; // millions of multiply-accumulates, likewise; 0: not printed
    } printed[] = {
        {"resnet20", .27, .01, 0, 0},       {"resnet32", .46, .01, 0, 0},
        {"resnet56", .85, .01, 0, 0},       {"vgg7", 0, 0, 608, 1},
        {"resnet18", 11.69, .01, 1810, 10}, {"resnet50", 25.56, .01, 4090, 10},
        {"mobilenet-v1", 4.2, .1, 569, 1},  {"mobilenet-v2", 3.5, .1, 300, 10},
        {"darknet19", 20.8, .1, 3645, 1},   {"darknet", 7.3, .1, 0, 0},
    };
    for (int i = 0; i < CLAIMS; i++) {
        assert_non_null(strstr(claims[i].path, printed[i].name));
        double millions = (double)claims[i].parameters / 1e6, macs = claims[i].macs / 1e6;
        if (printed[i].digit > 0)
            assert_float_equal(millions, printed[i].millions, printed[i].digit / 2);
        if (printed[i].macs_digit > 0)
            assert_float_equal(macs, printed[i].macs_printed, printed[i].macs_digit / 2);
    }
    // Darknet's files: four bytes a float, the running statistics too (a fourth and third per
    // channel).
    assert_float_equal((20842376 + 2 * 7200) * 4. / (1 << 20), 80, .5);
    assert_float_equal((7319416 + 2 * 2032) * 4. / (1 << 20), 28, .5);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(networks_have_the_published_size),
        cmocka_unit_test(the_numbers_are_those_that_papers_print),
    };
    return cmocka_run_group_tests_name("literature", tests, NULL, NULL);
}
