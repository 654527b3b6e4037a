/* Making the seeds; seeds.h is the manual. */
#include "fuzz/seeds.h"

#include "base/file.h"
#include "base/hash.h"
#include "data/made_sets.h"
#include "data/picture.h"
#include "deploy/pack.h"
#include "evaluate/cells.h"
#include "evaluate/evaluator.h"
#include "fuzz/network.h"
#include "fuzz/target.h"
#include "model/darknet_weights.h"
#include "model/frozen.h"
#include "registry.h"
#include "train/checkpoint.h"

#include <glob.h>
#include <libgen.h>
#include <matio.h>
#include <png.h>
#include <stdlib.h>
#include <string.h>

static const char *root;

/* Stops the program when something fails. */
static void put(const char *target, const char *name, const void *bytes, size_t size) {
    char path[FOLDER_PATH];
    struct error e = {0};
    snprintf(path, sizeof path, "%s/%s", root, target);
    FUZZ_HOLDS(!file_make_folder(path, &e));
    snprintf(path, sizeof path, "%s/%s/%s", root, target, name);
    FILE *out = fopen(path, "wb");
    FUZZ_HOLDS(out && fwrite(bytes, 1, size, out) == size && !fclose(out));
}

static char *take(const char *path, size_t *size) {
    struct error e = {0};
    char *bytes = file_read(path, 1 << 24, size, &e);
    FUZZ_HOLDS(bytes != NULL);
    return bytes;
}

static void copy(const char *target, const char *name, const char *path) {
    size_t size;
    char *bytes = take(path, &size);
    put(target, name, bytes, size);
    free(bytes);
}

static void copy_all(const char *target, const char *pattern) {
    glob_t found;
    FUZZ_HOLDS(!glob(pattern, 0, NULL, &found));
    for (size_t i = 0; i < found.gl_pathc; i++)
        copy(target, basename(found.gl_pathv[i]), found.gl_pathv[i]);
    globfree(&found);
}

/* ---- data sets ---- */

static void put_idx(void) {
    enum { N = 3, IMAGES = 16 + N * 16, LABELS = 8 + N };
    uint8_t bytes[3 + IMAGES + LABELS] = {0, IMAGES, 0, 0, 0, 8, 3, 0, 0, 0,
                                          N, 0,      0, 0, 4, 0, 0, 0, 4};
    const uint8_t labels[LABELS] = {0, 0, 8, 1, 0, 0, 0, N, 1, 10, 4};
    for (int i = 19; i < 3 + IMAGES; i++)
        bytes[i] = (uint8_t)(7 * i);
    memcpy(bytes + 3 + IMAGES, labels, LABELS);
    put("idx", "plain", bytes, sizeof bytes);
    bytes[0] = 3;
    put("idx", "gzip", bytes, sizeof bytes);
}

/* Both files behind the two bytes that part them (fuzz_sets.c). */
static void put_cifar(void) {
    size_t train, test;
    made_cifar("cifar100/cifar-100-binary", 1);
    char *a = take(made_path("cifar100/cifar-100-binary/train.bin"), &train);
    char *b = take(made_path("cifar100/cifar-100-binary/test.bin"), &test);
    enum { RECORD = 2 + MADE_PLANES };
    char *both = need(2 + 2 * RECORD, 1);
    both[0] = 1;
    memcpy(both + 2, a, RECORD);
    memcpy(both + 2 + RECORD, b, RECORD);
    put("cifar", "two", both, 2 + 2 * RECORD);
    free(a);
    free(b);
    free(both);
}

static void put_archive(void) {
    static const char *const names[] = {"train.bin", "test.bin", NULL};
    uint8_t record[2 + MADE_PLANES] = {3, 4};
    for (int i = 0; names[i]; i++) {
        char name[64];
        snprintf(name, sizeof name, "cifar-100-binary/%s", names[i]);
        made_write(made_path(name), record, sizeof record);
    }
    made_tar("cifar-100-binary", "cifar.tar.gz", names, 0);
    copy("cifar-archive", "gzip", made_path("cifar.tar.gz"));
    made_tar_plain("cifar-100-binary", "cifar.tar", names);
    copy("cifar-archive", "plain", made_path("cifar.tar"));
}

static void put_svhn(void) {
    struct made_mat how = {"X", "y", MAT_C_UINT8, 32, 3, 0, 0, 0, 0};
    for (int i = 0; i < 4; i++) {
        static const char *const names[] = {"packed", "doubles", "plain", "plain-doubles"};
        how.doubles = i % 2;
        how.plain = i / 2;
        made_svhn_file("one.mat", 0, 1, how);
        copy("svhn", names[i], made_path("svhn/one.mat"));
    }
}

static void put_picture(const char *name, struct picture p) {
    put("image", name, p.at, p.n);
    picture_free(&p);
}

static void put_images(void) {
    enum { SIDE = 9 };
    uint8_t pixels[SIDE * SIDE * 8];
    for (size_t i = 0; i < sizeof pixels; i++)
        pixels[i] = (uint8_t)(3 * i);
    put_picture("jpeg-grey", picture_jpeg(pixels, SIDE, SIDE, 1, JPEG_BASELINE));
    put_picture("jpeg", picture_jpeg(pixels, SIDE, SIDE, 3, JPEG_BASELINE));
    put_picture("jpeg-progressive", picture_jpeg(pixels, SIDE, SIDE, 3, JPEG_PROGRESSIVE));
    put_picture("jpeg-cmyk", picture_jpeg(pixels, SIDE, SIDE, 4, JPEG_BASELINE));
    put_picture("png-grey", picture_png(pixels, SIDE, SIDE, PNG_COLOR_TYPE_GRAY, 8, 0));
    put_picture("png-16", picture_png(pixels, SIDE, SIDE, PNG_COLOR_TYPE_RGB, 16, 1));
    put_picture("png-alpha", picture_png(pixels, SIDE, SIDE, PNG_COLOR_TYPE_RGB_ALPHA, 8, 1));
    put_picture("png-palette", picture_png(pixels, SIDE, SIDE, PNG_COLOR_TYPE_PALETTE, 8, 0));
}

/* ---- what people write ---- */

static void put_specs(void) {
    for (const struct quantizer *const *q = quantizer_registry; *q; q++) {
        char text[256];
        snprintf(text, sizeof text,
                 "scheme = %s\nnetwork = resnet8\ndataset = fashion-mnist\nseed = 3\n"
                 "widths = %s\nlearning_rate = 0.05\noptimizer = sgd\nepochs = 7\ntrain.images "
                 "= 1000\n",
                 (*q)->name, (*q)->alone ? "4" : "2 8 32");
        put("spec", (*q)->name, text, strlen(text));
    }
}

static void put_texts(void) {
    put_specs();
    copy_all("grid", "experiments/*.grid");
    copy_all("cfg", "experiments/networks/resnet[28]*.cfg");
    copy_all("cfg", "experiments/networks/[mv]*.cfg");
    put("cfg", "small.cfg", network_cfg, strlen(network_cfg));
}

/* ---- what programs write ---- */

/* Without the checksum, which the target puts there itself. */
static void put_sealed(const char *target, const char *name, const char *path) {
    size_t size;
    char *bytes = take(path, &size);
    put(target, name, bytes, size - HASH_BYTES);
    free(bytes);
}

static void put_checkpoints(void) {
    struct error e = {0};
    struct network n;
    network_start(&n, "lsq");
    struct trainer *t = &n.trainer;
    for (int i = 0; i < 2; i++) {
        const char *path = made_path("checkpoint");
        FUZZ_HOLDS(!checkpoint_write(path, network_run, &network_numerics, t, NULL, &e));
        put_sealed("checkpoint", i ? "later" : "start", path);
        t->epoch = 1;
        t->step = 2;
        t->n_rows = n.spec.widths.n;
        t->optimizer.t = t->steps_per_epoch + t->step;
    }
    network_free(&n);
}

static void put_frozen(void) {
    static const char *const schemes[] = {"truncquant", "lsq", "ptq"};
    struct error e = {0};
    for (int i = 0; i < 3; i++) {
        struct network n;
        network_start(&n, schemes[i]);
        const char *path = made_path("frozen");
        FUZZ_HOLDS(
            !frozen_write(path, n.model, &n.spec, quantizer_registry, network_cfg, &n.data, &e));
        put_sealed("frozen", schemes[i], path);
        network_free(&n);
    }
}

/* Model files of two schemes, with whole and with few planes. */
static void put_packed(void) {
    static const char *const schemes[] = {"truncquant", "lsq"};
    struct error e = {0};
    for (int i = 0; i < 2; i++) {
        struct network n;
        struct frozen f;
        network_start(&n, schemes[i]);
        const char *path = made_path("frozen"), *packed = made_path("model.tqm");
        FUZZ_HOLDS(
            !frozen_write(path, n.model, &n.spec, quantizer_registry, network_cfg, &n.data, &e));
        FUZZ_HOLDS(!frozen_read(&f, path, quantizer_registry, &e));
        struct dataset data = n.data;
        data.deviation[0] = 1;
        struct pack p = {.frozen = &f,
                         .data = &data,
                         .run_id = "run",
                         .commit = "commit",
                         .planes = i ? (int)f.spec.stored_bits : 2};
        FUZZ_HOLDS(!pack_write(&p, packed, &e));
        copy("tqm", schemes[i], packed);
        frozen_free(&f);
        network_free(&n);
    }
}

static void put_weights(void) {
    struct error e = {0};
    struct network n;
    network_start(&n, "lsq");
    size_t floats = 64 * 1024, size = 0;
    char *bytes = need(20 + floats * sizeof(float), 1);
    bytes[4] = 2;
    char hash[HASH_HEX];
    for (size_t i = 0; i < floats && !size; i++) { // all zeros, of the size that fits
        e.text[0] = '\0';
        if (!weights_check(fuzz_file(0, bytes, 20 + i * sizeof(float)), &n.cfg, 0, hash, &e))
            size = 20 + i * sizeof(float);
    }
    FUZZ_HOLDS(size > 0);
    put("weights", "zeros", bytes, size);
    free(bytes);
    network_free(&n);
}

/* The records behind that of the origin, without what stands around each (base/journal.c): how long
 * it is, a magic, a checksum. */
static void put_records(const char *path) {
    static const char *const names[] = {"origin", "cell", "layers"};
    enum { BEFORE = sizeof(int64_t) + 8 };
    size_t size, at = 0;
    int64_t length;
    char *bytes = take(path, &size);
    for (int i = 0; i < 3; i++, at += sizeof length + (size_t)length) {
        FUZZ_HOLDS(at + BEFORE <= size);
        memcpy(&length, bytes + at, sizeof length);
        if (i)
            put("cells", names[i], bytes + at + BEFORE, (size_t)length - 8 - HASH_BYTES);
    }
    FUZZ_HOLDS(at == size);
    free(bytes);
}

static void put_cells(void) {
    struct evaluation_row row = {.split = "test",
                                 .point = {.n_layers = 3,
                                           .layer_bits = {8, 4, 2},
                                           .calibration = 20,
                                           .cut = CUT_WEIGHTS,
                                           .stored_bits = 8,
                                           .arithmetic = "int8"}};
    struct layer_row *layers;
    struct cells c;
    struct network n;
    network_start(&n, "lsq");
    int count = layer_rows(n.model, &n.spec, &layers);
    cells_open(&c, made_path("evaluated"), "fuzz", 9);
    cells_keep(&c, &row);
    cells_keep_layers(&c, layers, count);
    cells_close(&c);
    put_records(made_path("evaluated"));
    layer_rows_free(layers, count);
    network_free(&n);
}

void seeds_write(const char *folder) {
    root = folder;
    made_start(NULL);
    put_idx();
    put_cifar();
    put_archive();
    put_svhn();
    put_images();
    put_texts();
    put_checkpoints();
    put_frozen();
    put_packed();
    put_cells();
    put_weights();
    made_end(NULL);
}
