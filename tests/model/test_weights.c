/* Darknet's weights files: what Darknet wrote computes the same here, what is written here computes
 * the same in Darknet, and what is no file of the network is refused. */
#include "base/file.h"
#include "base/folder.h"
#include "base/random.h"
#include "engine/engine.h"
#include "model/darknet_twin.h"
#include "model/darknet_weights.h"
#include "model/drawn_weights.h"
#include "model/net.h"
#include "train/loss.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SIDE = 8, PIXELS = 3 * SIDE * SIDE, CLASSES = 10, HEADER = 20 };

static const double score_tolerance = 2e-5; // of a probability
static const double rounding = 3e-7;        // relative, of a variance that went there and back

/* Every layer that has something in a file, in every form that Darknet and the harness compute
 * alike; layer 3, with `more` keys, has a bias or none. */
// clang-format off
#define NETWORK(more)                                                                         \
    "[net]\n[convolutional]\nfilters=8\nsize=3\npad=1\nbatch_normalize=1\nactivation=leaky\n" \
    "[maxpool]\nsize=2\nstride=2\n"                                                           \
    "[convolutional]\nfilters=6\nsize=3\ngroups=2\npad=1\nactivation=relu\n"                  \
    "[convolutional]\nfilters=6\nsize=1\nactivation=linear\n" more                            \
    "[shortcut]\nfrom=-2\n"                                                                   \
    "[connected]\noutput=12\nbatch_normalize=1\nactivation=relu\n"                            \
    "[connected]\nactivation=linear\n[softmax]\n"
// clang-format on
static const char network[] = NETWORK("bias=0\n"), biased[] = NETWORK("");

static float image[PIXELS];

static int start(void **state) {
    struct random r = random_stream(5, RANDOM_TEST, 0, 0);
    for (int i = 0; i < PIXELS; i++)
        image[i] = 2 * random_unit(&r) - 1;
    return test_folder_start(state);
}

static void build(struct net *n, const char *text, const char *scheme) {
    struct spec spec = net_spec(scheme);
    net_build(n, &spec, text, "test.cfg", (struct shape){3, SIDE, SIDE}, CLASSES);
}

static const char *write_file(const char *name, const void *bytes, size_t size) {
    struct error e = {0};
    const char *path = folder_file(test_folder, name);
    if (file_replace(path, bytes, size, &e))
        fail_msg("%s", e.text);
    return path;
}

/* A weights file of the network, drawn and written by Darknet. */
static const char *darknets_file(const struct net *n) {
    const char *path = folder_file(test_folder, "darknet.weights");
    const char *cfg = write_file("net.cfg", n->cfg.darknet, strlen(n->cfg.darknet));
    assert_int_equal(darknet_draw_weights(cfg, path), 0);
    return path;
}

static void load(struct net *n, const char *path) {
    struct error e = {0};
    char hash[HASH_HEX];
    if (weights_check(path, &n->cfg, 0, hash, &e) || weights_load(path, hash, 0, n->m, &e))
        fail_msg("%s", e.text);
}

/* The float weights of the model, by node. */
static void latent_weights(const struct net *n, float *weights[]) {
    for (int i = 0; i < n->m->n_nodes; i++)
        weights[i] =
            n->m->nodes[i].weights >= 0 ? n->m->parameters[n->m->nodes[i].weights].value : NULL;
}

/* Class probabilities of the image with the float weights and the norms of a bank. */
static void our_scores(struct net *n, int bank, float *probabilities) {
    struct error e = {0};
    struct program *p = engine_reference.compile(n->m, 1, 1, &e);
    float *weights[64];
    latent_weights(n, weights);
    for (int i = 0; i < n->m->n_nodes; i++)
        if (weights[i])
            engine_reference.set_weights(p, i, weights[i]);
    struct pass pass = {.mode = PASS_EVALUATE,
                        .point = {.bank = n->m->widths.bits[bank], .act_bits = FLOAT_BITS}};
    softmax(1, CLASSES, engine_reference.forward(p, &pass, image, 1), probabilities);
    engine_reference.free(p);
}

static void their_scores(const struct net *n, const char *weights, float *probabilities) {
    const char *cfg = write_file("net.cfg", n->cfg.darknet, strlen(n->cfg.darknet));
    assert_int_equal(darknet_scores(cfg, weights, image, PIXELS, probabilities, CLASSES), 0);
}

static void expect_same(const float *a, const float *b) {
    float least = a[0], most = a[0];
    for (int i = 0; i < CLASSES; i++) {
        if (!(fabs((double)a[i] - b[i]) <= score_tolerance))
            fail_msg("class %d: %g here, %g in Darknet", i, a[i], b[i]);
        least = fminf(least, a[i]);
        most = fmaxf(most, a[i]);
    }
    assert_true(most - least > .02); // or anything would agree
}

static void what_darknet_wrote_computes_the_same(void **state) {
    (void)state;
    float here[CLASSES], there[CLASSES];
    struct net n;
    if (!darknet_twin_is_there())
        skip();
    build(&n, biased, "truncquant");
    const char *path = darknets_file(&n);
    load(&n, path);
    their_scores(&n, path, there);
    for (int bank = 0; bank < n.m->widths.n; bank++) {
        our_scores(&n, bank, here);
        expect_same(here, there);
    }
    net_free(&n);
}

static void what_is_written_here_darknet_computes(void **state) {
    (void)state;
    float here[CLASSES], there[CLASSES], *weights[64];
    struct error e = {0};
    struct net n;
    if (!darknet_twin_is_there())
        skip();
    build(&n, biased, "truncquant");
    load(&n, darknets_file(&n));
    for (int i = 0; i < n.m->n_norms; i++) // so that the banks are different
        for (int c = 0; c < n.m->norms[i].channels; c++) {
            n.m->norms[i].shift_of[2][c] += .2f;
            n.m->norms[i].variance[2][c] += .1f * (float)c;
        }
    const char *path = folder_file(test_folder, "ours.weights");
    latent_weights(&n, weights);
    assert_int_equal(weights_save(path, n.m, weights, 2, &e), 0);
    our_scores(&n, 2, here);
    their_scores(&n, path, there);
    expect_same(here, there);
    net_free(&n);
}

static void there_and_back_again(void **state) {
    (void)state;
    float *weights[64];
    struct error e = {0};
    struct net a, b;
    build(&a, network, "truncquant");
    build(&b, network, "truncquant");
    struct random r = random_stream(6, RANDOM_TEST, 0, 0);
    for (int i = 0; i < a.m->n_norms; i++)
        for (int c = 0; c < a.m->norms[i].channels; c++) {
            a.m->norms[i].mean[1][c] = random_unit(&r);
            a.m->norms[i].variance[1][c] = c ? random_unit(&r) : 0;
            a.m->norms[i].scale_of[1][c] = random_unit(&r);
        }
    latent_weights(&a, weights);
    weights[1][0] = 7;
    const char *path = folder_file(test_folder, "there.weights");
    assert_int_equal(weights_save(path, a.m, weights, 1, &e), 0);
    load(&b, path);
    for (int i = 0; i < a.m->n_parameters; i++) {
        const struct parameter *p = &a.m->parameters[i], *q = &b.m->parameters[i];
        if (p->role == PARAMETER_WEIGHTS || p->role == PARAMETER_BIAS)
            assert_memory_equal(p->value, q->value, p->n * sizeof(float));
    }
    for (int i = 0; i < a.m->n_norms; i++)
        for (int c = 0; c < a.m->norms[i].channels; c++)
            for (int bank = 0; bank < b.m->widths.n; bank++) {
                const struct norm *p = &a.m->norms[i], *q = &b.m->norms[i];
                assert_true(p->mean[1][c] == q->mean[bank][c]);
                assert_true(p->scale_of[1][c] == q->scale_of[bank][c]);
                assert_true(fabs((double)p->variance[1][c] - q->variance[bank][c]) <=
                            rounding * (p->variance[1][c] + 1e-5));
            }
    net_free(&a);
    net_free(&b);
}

/* A file of the network as it starts, written here. */
static char *plain_file(const struct net *n, size_t *size) {
    float *weights[64];
    struct error e = {0};
    const char *path = folder_file(test_folder, "plain.weights");
    latent_weights(n, weights);
    if (weights_save(path, n->m, weights, 0, &e))
        fail_msg("%s", e.text);
    char *bytes = file_read(path, 1 << 24, size, &e);
    assert_non_null(bytes);
    return bytes;
}

static void old_versions_have_a_shorter_header(void **state) {
    (void)state;
    struct net n;
    size_t size;
    build(&n, network, "truncquant");
    char *bytes = plain_file(&n, &size), *old = bytes + 4; // its 32 bits of images seen come last
    memcpy(old, (int32_t[]){0, 1, 0, 77}, 16);
    const float first = n.m->parameters[n.m->nodes[1].weights].value[0];
    n.m->parameters[n.m->nodes[1].weights].value[0] = 99;
    load(&n, write_file("old.weights", old, size - 4));
    assert_true(n.m->parameters[n.m->nodes[1].weights].value[0] == first);
    free(bytes);
    net_free(&n);
}

static void refuses(const struct net *n, const char *bytes, size_t size, const char *message) {
    struct error e = {0};
    char hash[HASH_HEX];
    const char *path = write_file("bad.weights", bytes, size);
    assert_int_equal(weights_check(path, &n->cfg, 0, hash, &e), -1);
    if (!strstr(e.text, message) || !strstr(e.text, "bad.weights"))
        fail_msg("'%s' is not about '%s'", e.text, message);
}

/* Offsets in floats behind the header: layer 0 has shifts, scales, means, variances of 8, then 216
 * weights. */
static void refuses_with(const struct net *n, const char *good, size_t size, size_t at, float value,
                         const char *message) {
    char *bytes = need(size, 1);
    memcpy(bytes, good, size);
    memcpy(bytes + HEADER + at * sizeof value, &value, sizeof value);
    refuses(n, bytes, size, message);
    free(bytes);
}

static void refuses_what_is_no_file_of_the_network(void **state) {
    (void)state;
    struct net n;
    size_t size;
    build(&n, network, "truncquant");
    char *good = need(1 << 16, 1), *bytes = plain_file(&n, &size);
    memcpy(good, bytes, size); // with room behind it
    enum { BIAS_OF_3 = 4 * 8 + 216 + 6 + 6 * 4 * 9 };
    refuses(&n, good, size - 4, "but those of test.cfg are");
    refuses(&n, good, size + 4, "number of classes included");
    refuses(&n, good, 15, "is no Darknet weights file");
    refuses(&n, good, 0, "is no Darknet weights file");
    refuses_with(&n, good, size, 4 * 8 + 5, NAN, "layer 0 (cfg line 2): one of its weights, nan");
    refuses_with(&n, good, size, 3, INFINITY, "shifts, inf, is not finite");
    refuses_with(&n, good, size, 3 * 8 + 7, -1, "variances, -1, is negative");
    refuses_with(&n, good, size, BIAS_OF_3, .5f, "layer 3 (cfg line 17): one of its biases, 0.5");
    memcpy(good, (int32_t[]){1001, 0, 0}, 12);
    refuses(&n, good, size, "begins with version 1001.0");
    memcpy(good, (int32_t[]){0, -5, 0}, 12);
    refuses(&n, good, size, "begins with version 0.-5");
    free(good);
    free(bytes);
    net_free(&n);
}

/* Of a file of the network with other classes, or one that was cut off behind them, the first
 * layers; all behind those is as it was drawn. */
static void the_first_layers_alone(void **state) {
    (void)state;
    enum { LAYERS = 6, CUT = 7 }; // [connected] of 12 is layer 5, that of the classes 6
    struct net n;
    struct error e = {0};
    size_t size;
    char hash[HASH_HEX];
    build(&n, biased, "truncquant");
    char *bytes = plain_file(&n, &size);
    for (size_t at = HEADER; at < size; at += sizeof(float))
        *(float *)(void *)(bytes + at) += 1;
    int last_layer = 0;
    while (n.m->nodes[last_layer].layer != LAYERS || n.m->nodes[last_layer].weights < 0)
        last_layer++;
    const float *last = n.m->parameters[n.m->nodes[last_layer].weights].value;
    float kept = last[0], first = n.m->parameters[n.m->nodes[1].weights].value[0];
    size_t cut = size - (12 * CLASSES + CLASSES) * sizeof(float) + CUT * sizeof(float);
    const char *path = write_file("part.weights", bytes, cut);
    refuses(&n, bytes, cut,
            "say init_layers = N, so that the first N layers start from it (it can "
            "hold 6)");
    assert_int_equal(weights_check(path, &n.cfg, LAYERS + 1, hash, &e), -1);
    assert_non_null(strstr(e.text, "has values for the first 6 of the 7 layers of test.cfg"));
    e = (struct error){0};
    assert_int_equal(weights_check(path, &n.cfg, 99, hash, &e), -1);
    assert_non_null(strstr(e.text, "test.cfg: has 8 layers, fewer than init_layers = 99"));
    e = (struct error){0};
    assert_int_equal(weights_check(path, &n.cfg, LAYERS, hash, &e), 0);
    assert_int_equal(weights_load(path, hash, LAYERS, n.m, &e), 0);
    assert_true(n.m->parameters[n.m->nodes[1].weights].value[0] == first + 1);
    assert_true(last[0] == kept);
    free(bytes);
    net_free(&n);
}

static void refuses_a_file_that_has_changed(void **state) {
    (void)state;
    struct net n;
    struct error e = {0};
    size_t size;
    char hash[HASH_HEX];
    build(&n, network, "truncquant");
    char *bytes = plain_file(&n, &size);
    const char *path = write_file("changing.weights", bytes, size);
    assert_int_equal(weights_check(path, &n.cfg, 0, hash, &e), 0);
    bytes[size - 4] ^= 1;
    write_file("changing.weights", bytes, size);
    float before = n.m->parameters[n.m->nodes[1].weights].value[0];
    n.m->parameters[n.m->nodes[1].weights].value[0] = before + 1;
    assert_int_equal(weights_load(path, hash, 0, n.m, &e), -1);
    assert_non_null(strstr(e.text, "is not the file that the run was planned with"));
    assert_true(n.m->parameters[n.m->nodes[1].weights].value[0] == before + 1);
    free(bytes);
    net_free(&n);
}

static void learned_steps_start_from_the_loaded_weights(void **state) {
    (void)state;
    struct net n;
    size_t size;
    build(&n, network, "lsq");
    char *bytes = plain_file(&n, &size);
    const struct quantized_layer *q = &n.m->quantized[0];
    const struct parameter *params = &n.m->parameters[q->params];
    float before = params->value[0];
    float *x = need(size, 1);
    memcpy(x, bytes + HEADER, size - HEADER);
    for (size_t i = 0; i < (size - HEADER) / sizeof *x; i++)
        x[i] *= 3; // every weight three times as large
    memcpy(bytes + HEADER, x, size - HEADER);
    load(&n, write_file("three.weights", bytes, size));
    assert_true(before > 0 && fabsf(params->value[0] / before - 3) < 1e-3f);
    free(x);
    free(bytes);
    net_free(&n);
}

static void a_batchnorm_of_its_own_has_no_shifts(void **state) {
    (void)state;
    struct net n;
    if (!darknet_twin_is_there())
        skip();
    build(&n,
          "[net]\n[convolutional]\nfilters=4\nactivation=linear\n[batchnorm]\n[connected]\n"
          "activation=linear\n[softmax]\n",
          "truncquant");
    load(&n, darknets_file(&n));
    assert_true(n.m->norms[0].scale_of[1][2] > .5f && n.m->norms[0].mean[1][2] != 0);
    assert_true(n.m->norms[0].shift_of[1][2] == 0);
    net_free(&n);
}

static void only_what_darknet_computes_alike_is_written(void **state) {
    (void)state;
    static const struct {
        const char *layer, *message;
    } cases[] = {
        {"[batchnorm]\n", "is a [batchnorm] of its own"},
        {"[activation]\nactivation=relu6\n", "has activation relu6"},
        {"[convolutional]\nfilters=4\nsize=1\nstride=2\nactivation=relu\n", "is a 1x1 convolution"},
        {"[convolutional]\nfilters=4\nsize=1\npadding=1\nactivation=relu\n",
         "is a 1x1 convolution"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[512];
        float *weights[64];
        struct error e = {0};
        struct net n;
        snprintf(text, sizeof text,
                 "[net]\n[convolutional]\nfilters=4\nactivation=linear\n%s[connected]\n"
                 "activation=linear\n[softmax]\n",
                 cases[i].layer);
        build(&n, text, "fp32");
        latent_weights(&n, weights);
        assert_int_equal(weights_save(folder_file(test_folder, "no.weights"), n.m, weights, 0, &e),
                         -1);
        if (!strstr(e.text, cases[i].message) || !strstr(e.text, "layer 1 (line 5 of test.cfg)"))
            fail_msg("'%s' is not about '%s'", e.text, cases[i].message);
        assert_false(file_exists(folder_file(test_folder, "no.weights")));
        net_free(&n);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_darknet_wrote_computes_the_same),
        cmocka_unit_test(what_is_written_here_darknet_computes),
        cmocka_unit_test(there_and_back_again),
        cmocka_unit_test(old_versions_have_a_shorter_header),
        cmocka_unit_test(refuses_what_is_no_file_of_the_network),
        cmocka_unit_test(the_first_layers_alone),
        cmocka_unit_test(refuses_a_file_that_has_changed),
        cmocka_unit_test(learned_steps_start_from_the_loaded_weights),
        cmocka_unit_test(a_batchnorm_of_its_own_has_no_shifts),
        cmocka_unit_test(only_what_darknet_computes_alike_is_written),
    };
    return cmocka_run_group_tests_name("weights files", tests, start, test_folder_end);
}
