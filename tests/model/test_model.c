/* What a model decides: nodes and parameters of each layer, which layers are quantized, which
 * activations become the quantized clip, banks, and start values. */
#include "model/net.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *const schemes[] = {"truncquant", "fp32"};

static const struct shape input = {1, 28, 28};

static void build(struct net *n, const char *text, struct spec spec) {
    net_build(n, &spec, text, "test.cfg", input, 10);
}

static void build_file(struct net *n, const char *path, struct spec spec) {
    net_build_file(n, &spec, path, input, 10);
}

/* "3 5 9": layers that are quantized; "4 7": layers whose activation is replaced below 32 bits. */
static const char *quantized_layers(const struct model *m) {
    static char text[256];
    size_t at = 0;
    text[0] = '\0';
    for (int i = 0; i < m->n_quantized; i++)
        at += (size_t)snprintf(text + at, sizeof text - at, at ? " %d" : "%d",
                               m->nodes[m->quantized[i].node].layer);
    return text;
}

static const char *clipped_layers(const struct model *m) {
    static char text[256];
    size_t at = 0;
    text[0] = '\0';
    for (int i = 0; i < m->n_nodes; i++)
        if (m->nodes[i].clips)
            at +=
                (size_t)snprintf(text + at, sizeof text - at, at ? " %d" : "%d", m->nodes[i].layer);
    return text;
}

/* Layer numbers are those of experiments/networks: conv 0, (1 norm, 2 act), 3 conv, ... */
static void resnet8_quantizes_all_but_ends_and_projections(void **state) {
    (void)state;
    struct net b;
    struct spec spec = net_spec("truncquant");
    build_file(&b, "experiments/networks/resnet8.cfg", spec);
    assert_int_equal(b.m->n_quantized, 6); // two convolutions in each of three blocks
    int projections = 0, clips = 0, activations = 0;
    for (int i = 0; i < b.m->n_nodes; i++) {
        const struct node *n = &b.m->nodes[i];
        if (n->op == OP_CONV && n->cfg->projection) {
            assert_int_equal(n->quantized, -1);
            projections++;
        }
        if (n->op == OP_CONV && n->quantized >= 0)
            assert_int_equal(b.m->nodes[n->in[0]].op, OP_ACT);
        activations += n->op == OP_ACT;
        clips += n->clips;
    }
    assert_int_equal(projections, 2);
    assert_int_equal(activations, 6); // none behind the last norm
    assert_int_equal(clips, 6);
    net_free(&b);
    spec.projections = PROJECTIONS_QUANTIZED;
    build_file(&b, "experiments/networks/resnet8.cfg", spec);
    assert_int_equal(b.m->n_quantized, 8);
    net_free(&b);
}

static const char chain[] = "[net]\n"
                            "[convolutional]\nfilters=4\nsize=3\npad=1\nactivation=leaky\n"
                            "[maxpool]\nsize=2\nstride=2\n"
                            "[dropout]\nprobability=.5\n"
                            "[convolutional]\nfilters=4\nsize=3\npad=1\nactivation=relu\n%s"
                            "[convolutional]\nfilters=6\nsize=3\npad=1\nactivation=relu\n"
                            "[connected]\noutput=8\nactivation=tanh\n"
                            "[connected]\nactivation=linear\n"
                            "[softmax]\n";

static void build_chain(struct net *b, const char *key, struct spec spec) {
    char text[1024];
    snprintf(text, sizeof text, chain, key);
    build(b, text, spec);
}

static void a_network_that_says_nothing_follows_the_rule(void **state) {
    (void)state;
    struct net b;
    build_chain(&b, "", net_spec("truncquant"));
    assert_string_equal(quantized_layers(b.m), "3 4 5");
    // Through pooling and dropout back to layer 0; the activation in front of the last layer stays.
    assert_string_equal(clipped_layers(b.m), "0 3 4");
    net_free(&b);
}

static void a_layer_can_say_otherwise(void **state) {
    (void)state;
    struct net b;
    build_chain(&b, "quantize=0\n", net_spec("truncquant"));
    assert_string_equal(quantized_layers(b.m), "4 5");
    assert_string_equal(clipped_layers(b.m), "3 4");
    net_free(&b);
}

static void fp32_quantizes_nothing(void **state) {
    (void)state;
    struct net b;
    build_chain(&b, "", net_spec("fp32"));
    assert_string_equal(quantized_layers(b.m), "");
    assert_string_equal(clipped_layers(b.m), "");
    assert_int_equal(b.m->widths.n, 1);
    net_free(&b);
}

static void every_width_has_its_bank_and_projections_may_share(void **state) {
    (void)state;
    for (int shared = 0; shared < 2; shared++) {
        struct net b;
        struct spec spec = net_spec("truncquant");
        spec.shortcut_norm = shared ? NORM_SHARED : NORM_PER_WIDTH;
        build_file(&b, "experiments/networks/resnet8.cfg", spec);
        int sharing = 0;
        for (int i = 0; i < b.m->n_norms; i++) {
            const struct norm *n = &b.m->norms[i];
            sharing += n->shared;
            assert_true((n->scale_of[0] == n->scale_of[1]) == n->shared);
            assert_true((n->mean[0] == n->mean[4]) == n->shared);
            assert_ptr_not_equal(n->mean[b.m->spare], n->mean[4]);
            for (int k = 0; k <= b.m->spare; k++)
                for (int c = 0; c < n->channels; c++) {
                    assert_true(n->scale_of[k][c] == 1 && n->shift_of[k][c] == 0);
                    assert_true(n->mean[k][c] == 0 && n->variance[k][c] == 1);
                }
        }
        assert_int_equal(b.m->n_norms, 9); // six in blocks, two behind projections, the last
        assert_int_equal(sharing, shared ? 2 : 0);
        net_free(&b);
    }
}

static void a_width_uses_the_next_bank_above(void **state) {
    (void)state;
    struct net b;
    const int expected[][2] = {{1, 0}, {2, 1}, {3, 2}, {4, 2}, {5, 3}, {8, 3}, {32, 4}};
    build_chain(&b, "", net_spec("truncquant"));
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
        assert_int_equal(model_bank(b.m, expected[i][0]), expected[i][1]);
    net_free(&b);
    struct spec low = net_spec("truncquant");
    low.widths = (struct widths){2, {2, 4}};
    build_chain(&b, "", low);
    assert_int_equal(model_bank(b.m, 8), 1); // above max B: max B
    net_free(&b);
}

/* U(±1/sqrt(fan_in)): bounded by it, close to it, of variance bound²/3, and not the same twice. */
static void start_values_are_uniform(void **state) {
    (void)state;
    for (size_t s = 0; s < sizeof schemes / sizeof *schemes; s++) {
        struct net b;
        build_file(&b, "experiments/networks/resnet20.cfg", net_spec(schemes[s]));
        const struct node *n = &b.m->nodes[b.m->logits];
        for (int i = 0; i < b.m->n_nodes; i++) {
            n = &b.m->nodes[i];
            if (n->weights < 0 || b.m->parameters[n->weights].n < 2000)
                continue;
            const struct parameter *w = &b.m->parameters[n->weights];
            double bound = 1 / sqrt((double)w->n / n->cfg->out.c), most = 0, squares = 0;
            for (size_t k = 0; k < w->n; k++) {
                most = fmax(most, fabs(w->value[k]));
                squares += (double)w->value[k] * w->value[k];
            }
            assert_true(most <= bound * (1 + 1e-6) && most > 0.99 * bound);
            assert_true(fabs(squares / (double)w->n / (bound * bound / 3) - 1) < 0.1);
        }
        net_free(&b);
    }
}

static void darknet_start_values_are_darknets(void **state) {
    (void)state;
    struct net b;
    build(&b,
          "[net]\n[convolutional]\nfilters=400\nsize=3\npad=1\nactivation=relu\ninit=darknet\n"
          "[connected]\nactivation=linear\n[softmax]\n",
          net_spec("truncquant"));
    const struct parameter *w = &b.m->parameters[b.m->nodes[1].weights];
    double squares = 0, fourth = 0, n = (double)w->n;
    for (size_t k = 0; k < w->n; k++) {
        double square = (double)w->value[k] * w->value[k];
        squares += square / n;
        fourth += square * square / n;
    }
    assert_true(fabs(squares / (2.0 / 9) - 1) < 0.1);        // N(0, 2 / fan_in)
    assert_true(fabs(fourth / squares / squares - 3) < 0.4); // as heavy-tailed as a normal one
    assert_true(b.m->parameters[b.m->nodes[1].bias].value[0] == 0);
    net_free(&b);
}

/* N(0, 2 / fan_out), fan_out = filters · size², of a layer whose fan-in is another and one with
 * groups. */
static void kaiming_normal_goes_by_fan_out(void **state) {
    (void)state;
    struct net b;
    build(
        &b,
        "[net]\n[convolutional]\nfilters=400\nsize=3\npad=1\nactivation=relu\ninit=kaiming-normal\n"
        "[convolutional]\nfilters=200\nsize=5\ngroups=40\nactivation=relu\ninit=kaiming-normal\n"
        "[connected]\nactivation=linear\n[softmax]\n",
        net_spec("truncquant"));
    static const int nodes[] = {1, 3};
    static const double fan_out[] = {400 * 9, 200 * 25};
    for (int i = 0; i < 2; i++) {
        const struct node *n = &b.m->nodes[nodes[i]];
        const struct parameter *w = &b.m->parameters[n->weights];
        double squares = 0, fourth = 0;
        for (size_t k = 0; k < w->n; k++) {
            double square = (double)w->value[k] * w->value[k];
            squares += square / (double)w->n;
            fourth += square * square / (double)w->n;
        }
        assert_true(fabs(squares / (2 / fan_out[i]) - 1) < 0.1);
        assert_true(fabs(fourth / squares / squares - 3) < 0.4);
        assert_true(b.m->parameters[n->bias].value[0] != 0); // as Kaiming uniform's
    }
    net_free(&b);
}

/* The clip stands in for relu6 too; a linear bottleneck has no activation that it could replace. */
static void mobilenet_clips_its_relu6(void **state) {
    (void)state;
    struct net b;
    build(
        &b,
        "[net]\n[convolutional]\nfilters=8\nactivation=relu6\nbatch_normalize=1\n"
        "[convolutional]\nfilters=8\nsize=3\npad=1\ngroups=8\nbatch_normalize=1\nactivation=relu6\n"
        "[convolutional]\nfilters=4\nbatch_normalize=1\nactivation=linear\n"
        "[convolutional]\nfilters=8\nbatch_normalize=1\nactivation=relu6\n"
        "[avgpool]\n[connected]\nactivation=linear\n[softmax]\n",
        net_spec("truncquant"));
    assert_string_equal(quantized_layers(b.m), "1 2 3");
    assert_string_equal(clipped_layers(b.m), "0 1");
    net_free(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(resnet8_quantizes_all_but_ends_and_projections),
        cmocka_unit_test(a_network_that_says_nothing_follows_the_rule),
        cmocka_unit_test(a_layer_can_say_otherwise),
        cmocka_unit_test(fp32_quantizes_nothing),
        cmocka_unit_test(every_width_has_its_bank_and_projections_may_share),
        cmocka_unit_test(a_width_uses_the_next_bank_above),
        cmocka_unit_test(start_values_are_uniform),
        cmocka_unit_test(darknet_start_values_are_darknets),
        cmocka_unit_test(kaiming_normal_goes_by_fan_out),
        cmocka_unit_test(mobilenet_clips_its_relu6),
    };
    return cmocka_run_group_tests_name("model", tests, NULL, NULL);
}
