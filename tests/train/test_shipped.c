/* Every network that ships with the harness, and Darknet's two that its README names: a pass of
 * each engine over a few small images, forward and backward, against the reference's; then a
 * training step of the default engine, whose losses have to be finite. Run from the root of the
 * source. */
#include "base/file.h"
#include "base/values.h"
#include "engine/load.h"
#include "model/net.h"
#include "train/loss.h"
#include "train/trainer.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { BATCH = 6, STEPS = 1, SIDE = 32, PIXELS = 3 * SIDE * SIDE, MOST_CLASSES = 1000 };

/* Nothing is rounded at 32 bits, but a ReLU near 0 may flip, and a norm over six values magnifies.
 */
static const double score_tolerance = 2e-3;    // of the scores' norm
static const double gradient_tolerance = 3e-2; // of all gradients' norm

#define DARKNET "/usr/share/darknet/cfg/"

static const struct shipped {
    const char *path;
    int classes;
    int large; // over ten million weights, seconds to draw and train: with TRUNCQUANT_TEST_LARGE
} shipped[] = {
    {"experiments/networks/lenet.cfg", 10, 0},
    {"experiments/networks/resnet8.cfg", 10, 0},
    {"experiments/networks/resnet32.cfg", 10, 0},
    {"experiments/networks/resnet56.cfg", 10, 0},
    {"experiments/networks/vgg7.cfg", 10, 1},
    {"experiments/networks/resnet18.cfg", 10, 1},
    {"experiments/networks/resnet50.cfg", 10, 1},
    {"experiments/networks/mobilenet-v1.cfg", 10, 0},
    {"experiments/networks/mobilenet-v2.cfg", 10, 0},
    {DARKNET "darknet.cfg", 1000, 0},
    {DARKNET "darknet19.cfg", 1000, 1},
};
enum { SHIPPED = sizeof shipped / sizeof *shipped };

static uint8_t pixels[STEPS * BATCH * PIXELS];
static const uint16_t labels[STEPS * BATCH]; // all of class 0

static void make_data(struct dataset *d, int classes) {
    struct random r = random_stream(3, RANDOM_TEST, 0, 0);
    for (size_t i = 0; i < sizeof pixels; i++)
        pixels[i] = (uint8_t)random_below(&r, 256);
    *d = (struct dataset){.name = "random",
                          .shape = {3, SIDE, SIDE},
                          .classes = classes,
                          .mean = {.5f, .5f, .5f},
                          .deviation = {.3f, .3f, .3f}};
    d->split[0].n = STEPS * BATCH;
    d->split[0].pixels = pixels;
    d->split[0].labels = labels;
}

/* Darknet's cfgs fix a side of 256, which is let go: everything else is as it is. */
static void free_the_side(char *text) {
    static const char *const keys[] = {"\nheight=256", "\nwidth=256"};
    for (int i = 0; i < 2; i++) {
        char *at = strstr(text, keys[i]);
        if (at)
            memset(at + 1, '#', 1);
    }
}

static void build(struct net *n, const struct shipped *s, const struct dataset *data) {
    struct error e = {0};
    size_t size;
    struct spec spec = net_spec("truncquant");
    net_set(&spec, "widths", "2 32");
    spec.batch = BATCH;
    spec.learning_rate = 1e-4;
    char *text = file_read(s->path, 1 << 20, &size, &e);
    if (!text)
        fail_msg("%s", e.text);
    free_the_side(text);
    net_build(n, &spec, text, s->path, data->shape, s->classes);
    free(text);
}

static struct program *compile(const struct engine *engine, struct net *n) {
    struct error e = {0};
    struct program *p = engine->compile(n->m, BATCH, 1, &e);
    if (!p)
        fail_msg("%s: %s", n->cfg.path, e.text);
    return p;
}

/* What a pass at 32 bits computes: scores, and the gradients of all parameters one after the other.
 */
struct result {
    float *scores, *gradients;
    size_t n_scores, n_gradients;
};

static void collect(const struct engine *engine, struct program *p, const struct net *n,
                    struct result *r) {
    r->n_gradients = 0;
    for (int i = 0; i < n->m->n_parameters; i++)
        r->n_gradients += n->m->parameters[i].n;
    r->gradients = need(r->n_gradients, sizeof(float));
    for (int i = 0; i < n->m->n_nodes; i++)
        if (n->m->nodes[i].weights >= 0)
            memcpy(n->m->parameters[n->m->nodes[i].weights].grad, engine->weight_gradient(p, i),
                   n->m->parameters[n->m->nodes[i].weights].n * sizeof(float));
    size_t at = 0;
    for (int i = 0; i < n->m->n_parameters; at += n->m->parameters[i++].n)
        memcpy(r->gradients + at, n->m->parameters[i].grad, n->m->parameters[i].n * sizeof(float));
}

static struct result pass(const struct engine *engine, struct net *n) {
    static float probabilities[BATCH * MOST_CLASSES], dz[BATCH * MOST_CLASSES];
    float *images = need_aligned(BATCH * PIXELS, sizeof *images); // as engines ask for
    int classes = n->cfg.classes;
    struct result r = {.n_scores = (size_t)(BATCH * classes)};
    struct program *p = compile(engine, n);
    struct pass how = {
        .mode = PASS_TRAIN,
        .point = {.bits = FLOAT_BITS, .act_bits = FLOAT_BITS, .bank = n->m->widths.bits[1]}};
    float *scratch = need(model_largest_weights(n->m), sizeof *scratch);
    for (int i = 0; i < BATCH * PIXELS; i++)
        images[i] = (float)pixels[i] / 127.5f - 1;
    for (int i = 0; i < n->m->n_parameters; i++)
        memset(n->m->parameters[i].grad, 0, n->m->parameters[i].n * sizeof(float));
    load_program(n->m, NULL, engine, p, &how.point, scratch);
    r.scores = need(r.n_scores, sizeof(float));
    memcpy(r.scores, engine->forward(p, &how, images, BATCH), r.n_scores * sizeof(float));
    softmax(BATCH, classes, r.scores, probabilities);
    labels_gradient(BATCH, classes, probabilities, labels, 1, dz);
    engine->backward(p, dz);
    collect(engine, p, n, &r);
    engine->free(p);
    free(images);
    free(scratch);
    return r;
}

/* Of the norm of b; NaN where nothing came out, which is within no tolerance. */
static double off(const float *a, const float *b, size_t n) {
    return values_distance(a, b, n) / values_distance(b, NULL, n);
}

static void compare_engines(struct net *n) {
    struct result expected = pass(&engine_reference, n);
    for (int e = 0; engine_at(e); e++) {
        struct result r = pass(engine_at(e), n);
        double scores = off(r.scores, expected.scores, r.n_scores);
        double gradients = off(r.gradients, expected.gradients, r.n_gradients);
        if (!(scores <= score_tolerance) || !(gradients <= gradient_tolerance))
            fail_msg("%s by %s: scores are off by %g, gradients by %g", n->cfg.path,
                     engine_at(e)->name, scores, gradients);
        free(r.scores);
        free(r.gradients);
    }
    free(expected.scores);
    free(expected.gradients);
}

static void train(struct net *n, const struct dataset *data, const struct engine *engine) {
    struct error e = {0};
    struct trainer t;
    struct program *p = compile(engine, n);
    n->spec.epochs = 1;
    n->spec.augment = AUGMENT_NONE;
    if (trainer_start(&t, &n->spec, data, n->m, engine, p, &e))
        fail_msg("%s: %s", n->cfg.path, e.text);
    while (!trainer_is_done(&t))
        if (trainer_step(&t, &e))
            fail_msg("%s by %s: %s", n->cfg.path, engine->name, e.text);
    assert_int_equal(t.n_rows, 2);
    for (int i = 0; i < t.n_rows; i++)
        assert_true(isfinite(t.rows[i].loss) && t.rows[i].loss > 0);
    trainer_free(&t);
    engine->free(p);
}

static void engines_agree_and_losses_are_finite(void **state) {
    (void)state;
    for (int i = 0; i < SHIPPED; i++) {
        struct net n;
        struct dataset data;
        if (shipped[i].large && !getenv("TRUNCQUANT_TEST_LARGE"))
            continue;
        if (!strncmp(shipped[i].path, DARKNET, strlen(DARKNET)) && access(shipped[i].path, R_OK))
            continue;
        make_data(&data, shipped[i].classes);
        build(&n, &shipped[i], &data);
        compare_engines(&n);
        train(&n, &data,
              engine_at(0)); // the reference takes too long to train them all
        net_free(&n);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(engines_agree_and_losses_are_finite),
    };
    return cmocka_run_group_tests_name("shipped networks", tests, NULL, NULL);
}
