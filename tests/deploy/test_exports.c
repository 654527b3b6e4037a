/* Exported models: ONNX, QONNX and arrays of every scheme that is cut and of every network that
 * comes with the harness, evaluated in numpy (compare.py) beside the harness's own scores. What
 * cannot be exported is refused with the reason.
 *
 * EXPORTS_INTO=FOLDER leaves the files there, for another program that runs ONNX;
 * TRUNCQUANT_TEST_LARGE=1 takes the large networks, too. */
#include "runtime/packed.h"

#include "base/file.h"
#include "base/folder.h"
#include "deploy/codes.h"
#include "deploy/onnx/network.h"
#include "deploy/refusals.h"
#include "engine/load.h"
#include "model/net.h"
#include "registry.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#ifdef __SANITIZE_ADDRESS__
enum { IS_SANITIZED = 1 };
#else
enum { IS_SANITIZED = 0 };
#endif

static const char *folder(void) {
    const char *into = getenv("EXPORTS_INTO");
    return into ? into : test_folder;
}

static const char *file(const char *format, ...) __attribute__((format(printf, 1, 2)));
static const char *file(const char *format, ...) {
    char name[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(name, sizeof name, format, arguments);
    va_end(arguments);
    return folder_file(folder(), name);
}

static void write_file(const char *path, const void *bytes, size_t size) {
    struct error e = {0};
    if (file_replace(path, bytes, size, &e))
        fail_msg("%s", e.text);
}

/* ---- the harness's scores ---- */

/* With dequantized weights, in float32. */
static void write_scores(const char *path, const struct packed *p, struct model *m,
                         const struct frozen *f, const struct point *point) {
    struct error e = {0};
    const struct engine *engine = engine_at(0);
    struct program *program = engine->compile(m, p->images, 1, &e);
    float *scratch = need_aligned(model_largest_weights(m), sizeof *scratch);
    if (!program)
        fail_msg("%s", e.text);
    load_program(m, f, engine, program, point, scratch);
    const struct pass pass = {.mode = PASS_EVALUATE, .point = *point};
    const float *scores = engine->forward(program, &pass, p->floats, p->images);
    write_file(path, scores, (size_t)p->images * (size_t)p->data.classes * sizeof *scores);
    engine->free(program);
    free(scratch);
}

/* ---- exporting ---- */

static struct onnx_export export_of(const struct packed *p, enum onnx_dialect dialect, int k) {
    return (struct onnx_export){.dialect = dialect,
                                .m = p->frozen.m,
                                .frozen = &p->frozen,
                                .spec = &p->frozen.spec,
                                .data = &p->data,
                                .run_id = "0123456789abcdef",
                                .commit = "c0ffee",
                                .k = k};
}

static void write_models(const char *name, const struct onnx_export *x) {
    static const char *const kinds[] = {[ONNX_QDQ] = "onnx", [ONNX_QONNX] = "qonnx"};
    for (int dialect = 0; dialect < 2; dialect++) {
        struct onnx_export of = *x;
        struct error e = {0};
        of.dialect = (enum onnx_dialect)dialect;
        if (onnx_export(&of, file("%s.%d.%s", name, x->k, kinds[dialect]), &e))
            fail_msg("%s at %d bits: %s", name, x->k, e.text);
    }
}

static void write_images(const char *name, const struct packed *p) {
    const struct shape *s = &p->data.shape;
    write_file(file("%s.images", name), p->bytes,
               (size_t)p->images * (size_t)s->c * (size_t)s->h * (size_t)s->w);
}

static void write_case(const char *name, struct packed *p, int step) {
    struct error e = {0};
    write_images(name, p);
    if (codes_write(&p->pack, file("%s.npz", name), &e))
        fail_msg("%s", e.text);
    for (int k = p->pack.planes; k >= p->frozen.m->quantizer->min_bits; k -= step) {
        struct onnx_export x = export_of(p, ONNX_QDQ, k);
        struct point point = spec_point(&p->frozen.spec, k, CUT_WEIGHTS);
        write_models(name, &x);
        write_scores(file("%s.%d.scores", name, k), p, p->frozen.m, &p->frozen, &point);
    }
}

static void export_case(const char *name, const struct packed_options *o, float bound, int step) {
    struct packed p;
    packed_freeze(&p, o);
    for (int i = 0; i < p.frozen.m->n_nodes; i++)
        if (p.frozen.m->nodes[i].clips)
            p.frozen.m->nodes[i].bound = bound;
    write_case(name, &p, step);
    packed_free(&p);
}

/* ---- cases ---- */

static const struct packed_options small = {
    .text = packed_cfg, .input = {3, 12, 12}, .classes = 7, .images = 6};

static void export_scheme(const char *name, const char *scheme, const char *const *keys, int i,
                          float bound, int step) {
    struct packed_options o = small;
    o.scheme = scheme;
    o.keys = keys;
    o.input.c = i % 2 ? 3 : 1;
    export_case(name, &o, bound, step);
}

static void export_schemes(void) {
    struct error e = {0};
    for (int i = 0; quantizer_registry[i]; i++)
        if (!refuse_scheme(&maker_of_export, quantizer_registry[i], &e))
            export_scheme(quantizer_registry[i]->name, quantizer_registry[i]->name, NULL, i, 1, 1);
}

static void export_settings(void) {
    static const char *const shared[] = {"norm_bank", "shared", NULL};
    static const char *const floats[] = {"act_bits", "32", NULL};
    static const char *const fixed[] = {"act_bits", "4", "stored_bits", "6", NULL};
    static const char *const eight[] = {"act_bits", "8", NULL};
    static const char *const channel[] = {"granularity", "channel", NULL};
    static const char *const middle[] = {"dequantizer", "midpoint", NULL};
    static const char *const power[] = {"dequantizer", "midpoint", "layer_scale", "pow2", NULL};
    static const struct {
        const char *name, *scheme;
        const char *const *keys;
        float bound;
    } all[] = {{"shared", "truncquant", shared, 1},
               {"floats", "truncquant", floats, 1},
               {"fixed", "truncquant", fixed, 1},
               {"eight", "truncquant", eight, 1},
               {"channel", "minmax", channel, 1},
               {"middle", "qat", middle, 1},
               {"power", "adabits", power, 1},
               {"bounded", "ptq", eight, 1.75F},
               {"shut", "ptq", eight, 0}};
    for (int i = 0; i < (int)(sizeof all / sizeof *all); i++)
        export_scheme(all[i].name, all[i].scheme, all[i].keys, i, all[i].bound, 3);
}

/* What takes the time are the weights of large ones. */
static int is_large(const char *name) {
    return !strstr("lenet.cfg resnet8.cfg resnet20.cfg mobilenet-v2.cfg", name);
}

static int takes_large(void) {
    return getenv("TRUNCQUANT_TEST_LARGE") != NULL;
}

/* Of random weights, one code that rounding flips in the first layers of a deep network changes
 * all scores; so most have float activations here, and planes that are more than a pixel. */
static void export_network(const char *name) {
    static const char *const floats[] = {"act_bits", "32", NULL};
    int deep = !strstr("lenet.cfg resnet8.cfg resnet20.cfg", name), side = deep ? 64 : 32;
    char path[300];
    snprintf(path, sizeof path, "experiments/networks/%s", name);
    export_case(name,
                &(struct packed_options){.scheme = strlen(name) % 2 ? "minmax" : "truncquant",
                                         .cfg = path,
                                         .input = {3, side, side},
                                         .classes = 10,
                                         .keys = deep ? floats : NULL,
                                         .images = deep ? 4 : 2},
                1, 6);
}

static void export_networks(void) {
    DIR *networks = opendir("experiments/networks");
    int n = 0;
    assert_non_null(networks);
    for (struct dirent *entry; (entry = readdir(networks));)
        if (strstr(entry->d_name, ".cfg") && (!is_large(entry->d_name) || takes_large()))
            export_network(entry->d_name), n++;
    closedir(networks);
    assert_int_equal(n, takes_large() ? 11 : 4);
}

static void export_floats(void) {
    struct packed p;
    struct net n;
    struct spec spec = net_spec("truncquant");
    strcpy(spec.network, "small");
    struct packed_options o = small;
    o.scheme = "truncquant";
    packed_freeze(&p, &o);
    net_build(&n, &spec, packed_cfg, "packed.cfg", o.input, o.classes);
    struct onnx_export x = export_of(&p, ONNX_QDQ, FLOAT_BITS);
    struct point point = spec_point(&spec, FLOAT_BITS, CUT_NONE);
    x.m = n.m;
    x.frozen = NULL;
    x.spec = &spec;
    write_images("float", &p);
    write_models("float", &x);
    write_scores(file("float.32.scores"), &p, n.m, NULL, &point);
    net_free(&n);
    packed_free(&p);
}

/* A layer whose weights have no extent, or none in its first channel: its codes say nothing. */
static void export_constant(const char *name, const char *const *keys) {
    struct packed p;
    struct packed_options o = small;
    o.scheme = "minmax";
    o.keys = keys;
    packed_freeze(&p, &o);
    p.frozen.headers[1][1] = 0;
    write_case(name, &p, 7);
    packed_free(&p);
}

/* Weights near 0, which a bias correction scales far apart at 8 bits and at few. */
static void export_concentrated(void) {
    static const char *const shared[] = {"norm_bank", "shared", NULL};
    struct packed p;
    struct packed_options o = small;
    o.scheme = "truncquant";
    o.keys = shared;
    packed_freeze(&p, &o);
    for (size_t i = 0; i < p.frozen.m->quantized[1].layer.n; i++)
        p.frozen.codes[1][i] = (uint8_t)(124 + i * 5 % 9);
    write_case("concentrated", &p, 2);
    packed_free(&p);
}

/* Norms of another bank take the place of calibrated ones, so that it shows which are written. */
static void export_calibrated(void) {
    struct packed p;
    struct error e = {0};
    struct packed_options o = small;
    o.scheme = "truncquant";
    packed_freeze(&p, &o);
    float *other = pack_copy_norms(p.frozen.m, model_bank(p.frozen.m, 8));
    struct onnx_export x = export_of(&p, ONNX_QDQ, 2);
    struct point point = spec_point(&p.frozen.spec, 2, CUT_WEIGHTS);
    x.calibrated = other;
    point.bank = 8;
    for (int k = 1; k <= 8; k++)
        p.pack.calibrated[k - 1] = other;
    write_images("calibrated", &p);
    assert_int_equal(codes_write(&p.pack, file("calibrated.npz"), &e), 0);
    write_models("calibrated", &x);
    write_scores(file("calibrated.2.scores"), &p, p.frozen.m, &p.frozen, &point);
    free(other);
    packed_free(&p);
}

static void expect_agreement(void) {
    char command[FOLDER_PATH + 128];
    const char *python = getenv("PYTHON");
    snprintf(command, sizeof command, "'%s' tests/deploy/compare.py '%s' >&2",
             python ? python : "/usr/bin/python3", folder());
    assert_int_equal(system(command), 0);
}

static void models_are_what_the_harness_computes(void **state) {
    (void)state;
    export_schemes();
    export_settings();
    export_constant("constant", NULL);
    export_constant("constant-channel", (const char *const[]){"granularity", "channel", NULL});
    export_concentrated();
    export_floats();
    export_calibrated();
    if (IS_SANITIZED) // what is exported is the same, and not compared again
        return;
    export_networks();
    expect_agreement();
}

/* ---- what is refused ---- */

static void expect_refused(const char *cfg, const char *const *keys, int k, const char *because) {
    struct packed p;
    struct error e = {0};
    struct packed_options o = small;
    o.scheme = "double-rounding";
    o.text = cfg;
    o.keys = keys;
    packed_freeze(&p, &o);
    struct onnx_export x = export_of(&p, ONNX_QONNX, k);
    assert_int_equal(onnx_export(&x, file("no.qonnx"), &e), -1);
    if (!strstr(e.text, because))
        fail_msg("'%s' does not say '%s'", e.text, because);
    assert_false(file_exists(file("no.qonnx")));
    packed_free(&p);
}

#define HEAD "[net]\n[convolutional]\nfilters=4\nsize=3\npad=1\nactivation=relu\n"
#define TAIL                                                                                       \
    "[convolutional]\nfilters=4\nsize=3\npad=1\nactivation=relu\n[connected]\nactivation=linear\n" \
    "[softmax]\n"

static void what_cannot_be_exported_is_refused(void **state) {
    (void)state;
    static const char *const floats[] = {"act_bits", "32", NULL};
    expect_refused(packed_cfg, NULL, 1, "is cut to widths of 2 to 8, not 1");
    expect_refused(HEAD "[upsample]\nstride=2\n" TAIL, NULL, 4,
                   "exports to ONNX have no [upsample]; export a network without it");
    expect_refused(HEAD "[activation]\nactivation=leaky\n" TAIL, floats, 4,
                   "exports to ONNX have no activation leaky");
    struct error e = {0};
    assert_int_equal(
        refuse_scheme(&maker_of_export, quantizer_find(quantizer_registry, "dedicated"), &e), -1);
    assert_non_null(strstr(e.text, "never truncated; export a scheme"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(models_are_what_the_harness_computes),
        cmocka_unit_test(what_cannot_be_exported_is_refused),
    };
    return cmocka_run_group_tests_name("exports", tests, test_folder_start, test_folder_end);
}
