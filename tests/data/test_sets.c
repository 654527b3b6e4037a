/* Every form that data sets come in: the same images and labels arrive from each, upright and in
 * order; and everything that can be wrong with the files gets one line that names the file. */
#include "base/file.h"
#include "base/random.h"
#include "data/made_sets.h"
#include "data/source.h"

#include <matio.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <cmocka.h>

static const char *const cifar_names[] = {"data_batch_2.bin",
                                          "data_batch_1.bin",
                                          "test_batch.bin",
                                          "data_batch_5.bin",
                                          "data_batch_4.bin",
                                          "data_batch_3.bin",
                                          NULL}; // not in order, as in the release
static const struct made_mat good_mat = {"X", "y", MAT_C_UINT8, 32, 3, 0, 0, 0, 0};

static void open_set(struct dataset *d, const char *name) {
    struct error e = {0};
    if (dataset_open(d, name, &e))
        fail_msg("%s", e.text);
}

/* 20 images of training and 4 of test, three channels. */
static void expect_records(const char *name, int classes, int crop_flip, char hash[HASH_HEX]) {
    struct dataset d;
    open_set(&d, name);
    assert_int_equal(d.classes, classes);
    assert_int_equal(d.crop_flip, crop_flip);
    assert_int_equal(d.shape.c, 3);
    assert_int_equal(d.shape.h, 32);
    assert_int_equal(d.shape.w, 32);
    assert_int_equal(d.split[SPLIT_TRAIN].n, 5 * MADE_PER_FILE);
    assert_int_equal(d.split[SPLIT_TEST].n, MADE_PER_FILE);
    for (uint32_t i = 0; i < MADE_RECORDS; i++) {
        uint32_t train = 5 * MADE_PER_FILE;
        const struct images *split = &d.split[i < train ? SPLIT_TRAIN : SPLIT_TEST];
        uint32_t at = i < train ? i : i - train;
        assert_int_equal(split->labels[at], made_labels[i]);
        assert_memory_equal(split->pixels + (size_t)at * MADE_PLANES, made_pixels[i], MADE_PLANES);
    }
    memcpy(hash, d.hash, HASH_HEX);
    dataset_close(&d);
}

static void cifar_10_from_files_and_archive(void **state) {
    (void)state;
    char hash[HASH_HEX], again[HASH_HEX];
    made_cifar("cifar10", 0);
    expect_records("cifar10", 10, 1, hash);
    assert_int_equal(rename(made_path("cifar10"), made_path("moved")), 0);
    made_cifar("cifar10/cifar-10-batches-bin", 0);
    expect_records("cifar10", 10, 1, again);
    assert_string_equal(hash, again);
    made_tar("cifar10/cifar-10-batches-bin", "cifar10/cifar-10-binary.tar.gz", cifar_names, 0);
    folder_remove(made_path("cifar10/cifar-10-batches-bin"));
    expect_records("cifar10", 10, 1, again);
    assert_string_equal(hash, again);
}

static void cifar_100_has_fine_labels(void **state) {
    (void)state;
    static const char *const names[] = {"test.bin", "train.bin", NULL};
    char hash[HASH_HEX], again[HASH_HEX];
    made_cifar("cifar100/cifar-100-binary", 1);
    expect_records("cifar100", 100, 1, hash);
    made_tar("cifar100/cifar-100-binary", "cifar100/cifar-100-binary.tar.gz", names, 0);
    folder_remove(made_path("cifar100/cifar-100-binary"));
    expect_records("cifar100", 100, 1, again);
    assert_string_equal(hash, again);
}

static void svhn_is_turned_and_ten_is_zero(void **state) {
    (void)state;
    char hash[HASH_HEX], again[HASH_HEX];
    assert_non_null(memchr(made_labels, 0, sizeof made_labels));
    made_svhn();
    expect_records("svhn", 10, 0, hash);
    struct made_mat how = good_mat;
    how.doubles = how.plain = 1;
    made_svhn_file("train_32x32.mat", 0, 20, how);
    expect_records("svhn", 10, 0, again);
    assert_string_equal(hash, again);
}

/* ---- EMNIST ---- */

static void emnist_file(const char *name, int rank, uint32_t n, const uint8_t *bytes, size_t size) {
    char path[FOLDER_PATH];
    const uint8_t head[16] = {0, 0, 8, (uint8_t)rank, 0, 0, 0, (uint8_t)n, 0, 0, 0, 28, 0,
                              0, 0, 28};
    size_t header = rank == 1 ? 8 : 16;
    uint8_t *all = malloc(header + size);
    memcpy(all, head, header);
    memcpy(all + header, bytes, size);
    snprintf(path, sizeof path, "emnist/gzip/%s", name);
    made_write(made_path(path), all, header + size);
    free(all);
}

enum { PLANE = 28 * 28 };

/* Three images whose file has columns where rows belong; labels start at `first`. */
static void make_emnist(const char *split, int first, int last, uint8_t upright[3][PLANE]) {
    struct random r = random_stream(2, RANDOM_TEST, 0, 51);
    uint8_t lying[3][PLANE], labels[3] = {(uint8_t)last, (uint8_t)first, (uint8_t)(first + 1)};
    for (int i = 0; i < 3 * PLANE; i++)
        upright[i / PLANE][i % PLANE] = (uint8_t)random_below(&r, 256);
    for (int i = 0; i < 3; i++)
        for (int y = 0; y < 28; y++)
            for (int x = 0; x < 28; x++)
                lying[i][x * 28 + y] = upright[i][y * 28 + x];
    for (int s = 0; s < 2; s++) {
        char name[96];
        snprintf(name, sizeof name, "emnist-%s-%s-images-idx3-ubyte", split, s ? "test" : "train");
        emnist_file(name, 3, 3, lying[0], sizeof lying);
        snprintf(name, sizeof name, "emnist-%s-%s-labels-idx1-ubyte", split, s ? "test" : "train");
        emnist_file(name, 1, 3, labels, sizeof labels);
    }
}

static void emnist_is_upright_and_counts_from_zero(void **state) {
    (void)state;
    static const struct {
        const char *split;
        int first, classes;
    } splits[] = {{"balanced", 0, 47}, {"byclass", 0, 62}, {"bymerge", 0, 47},
                  {"digits", 0, 10},   {"letters", 1, 26}, {"mnist", 0, 10}};
    for (int i = 0; i < 6; i++) {
        uint8_t upright[3][PLANE];
        int first = splits[i].first, classes = splits[i].classes;
        char name[64];
        make_emnist(splits[i].split, first, first + classes - 1, upright);
        snprintf(name, sizeof name, "emnist-%s", splits[i].split);
        struct dataset d;
        open_set(&d, name);
        assert_int_equal(d.classes, classes);
        for (enum split s = 0; s < SPLITS; s++) {
            assert_int_equal(d.split[s].n, 3);
            assert_memory_equal(d.split[s].pixels, upright, sizeof upright);
            assert_int_equal(d.split[s].labels[0], classes - 1);
            assert_int_equal(d.split[s].labels[1], 0);
            assert_int_equal(d.split[s].labels[2], 1);
        }
        dataset_close(&d);
    }
}

/* ---- what is wrong ---- */

static void expect_fault(const char *title, const char *name, const char *path, const char *says) {
    struct dataset d;
    struct error e = {0};
    if (!dataset_open(&d, name, &e))
        fail_msg("%s: was accepted", title);
    if (strncmp(e.text, path, strlen(path)) != 0 || !strstr(e.text, says) || strchr(e.text, '\n'))
        fail_msg("%s: '%s' does not say '%s: %s'", title, e.text, path, says);
    assert_null(d.map);
}

static void emnist_letters_have_no_zero(void **state) {
    (void)state;
    uint8_t upright[3][PLANE];
    make_emnist("letters", 0, 26, upright);
    expect_fault("0", "emnist-letters",
                 made_path("emnist/gzip/emnist-letters-train-labels-idx1-ubyte"),
                 "label 0 of image 1 (the first is 0) is not in 1 ... 26");
    make_emnist("letters", 1, 27, upright);
    expect_fault("27", "emnist-letters",
                 made_path("emnist/gzip/emnist-letters-train-labels-idx1-ubyte"),
                 "label 27 of image 0 (the first is 0) is not in 1 ... 26");
}

enum { RECORD = MADE_PLANES + 1 };

/* The file with up to RECORD bytes more, or with less, and one byte changed (at < 0: none). */
static void spoil(const char *path, long grow, long at, int byte) {
    size_t size;
    uint8_t *was = made_read(path, &size), *bytes = calloc(1, size + RECORD);
    memcpy(bytes, was, size);
    if (at >= 0)
        bytes[at] = (uint8_t)byte;
    made_write(path, bytes, (size_t)((long)size + grow));
    free(bytes);
    free(was);
}

static void bad_cifar_files(void **state) {
    (void)state;
    static const struct {
        const char *title, *name, *says;
        long grow, at, byte;
    } cases[] = {
        {"a byte short", "test_batch.bin", "no whole number of records of 3073", -1, -1, 0},
        {"a byte long", "data_batch_3.bin", "has 12293 bytes", 1, -1, 0},
        {"an image short", "data_batch_5.bin", "has 3 images, data_batch_4.bin has 4", -RECORD, -1,
         0},
        {"an image long", "data_batch_2.bin", "has 5 images, data_batch_1.bin has 4", RECORD, -1,
         0},
        {"empty", "data_batch_1.bin", "is empty", -4 * RECORD, -1, 0},
        {"label 10", "data_batch_4.bin", "label 10 of image 2 (the first is 0) is not in 0 ... 9",
         0, 2 * RECORD, 10},
        {"label 255", "test_batch.bin", "label 255 of image 0", 0, 0, 255},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        made_cifar("cifar10", 0);
        char name[64];
        snprintf(name, sizeof name, "cifar10/%s", cases[i].name);
        spoil(made_path(name), cases[i].grow, cases[i].at, (int)cases[i].byte);
        expect_fault(cases[i].title, "cifar10", made_path(name), cases[i].says);
    }
    made_cifar("cifar10", 0);
    assert_int_equal(unlink(made_path("cifar10/data_batch_4.bin")), 0);
    expect_fault("missing", "cifar10", made_path("cifar10/data_batch_4.bin"),
                 "not found; run scripts/data.sh cifar10");
    assert_int_equal(mkfifo(made_path("cifar10/data_batch_4.bin"), 0666), 0);
    alarm(60);
    expect_fault("pipe", "cifar10", made_path("cifar10/data_batch_4.bin"), "not a regular file");
    alarm(0);
    assert_int_equal(unlink(made_path("cifar10/data_batch_1.bin")), 0);
    expect_fault("nothing", "cifar10", made_path("cifar10/cifar-10-binary.tar.gz"),
                 "not found there, nor unpacked (data_batch_1.bin)");
    FILE *out = fopen(made_path("cifar100/test.bin"), "wb");
    assert_int_equal(ftruncate(fileno(out), (off_t)1 << 40), 0);
    fclose(out);
    made_write(made_path("cifar100/train.bin"), made_pixels, 3074);
    expect_fault("giant", "cifar100", made_path("cifar100/test.bin"), "more than the 268435456");
}

static void bad_cifar_archives(void **state) {
    (void)state;
    static const char *const few[] = {"data_batch_1.bin", "test_batch.bin", NULL};
    static const char archive[] = "cifar10/cifar-10-binary.tar.gz";
    made_cifar("unpacked", 0);
    made_tar("unpacked", archive, few, 0);
    expect_fault("few", "cifar10", made_path(archive), "has no data_batch_2.bin in it");
    made_tar("unpacked", archive, cifar_names, 1);
    expect_fault("twice", "cifar10", made_path(archive), "data_batch_3.bin: is there twice");
    spoil(made_path("unpacked/data_batch_2.bin"), -7, -1, 0);
    made_tar("unpacked", archive, cifar_names, 0);
    expect_fault("short", "cifar10", made_path(archive),
                 "data_batch_2.bin: has 12285 bytes, which is no whole number");
    made_cifar("unpacked", 0);
    spoil(made_path("unpacked/data_batch_4.bin"), 0, RECORD, 77);
    made_tar("unpacked", archive, cifar_names, 0);
    expect_fault("label", "cifar10", made_path(archive), "data_batch_4.bin: label 77 of image 1");
    size_t size;
    uint8_t *bytes = made_read(made_path(archive), &size);
    for (size_t cut = 0; cut < 12; cut++) {
        made_write(made_path(archive), bytes, size * cut / 12);
        expect_fault("cut", "cifar10", made_path(archive), "fetch it again");
    }
    free(bytes);
    made_write(made_path(archive), "<html>not found</html>", 22);
    expect_fault("words", "cifar10", made_path(archive), "cannot be unpacked (");
}

/* More than a gigabyte of zeros in a file that is none of ours. */
static void an_archive_that_unpacks_for_ever(void **state) {
    (void)state;
    enum { MEBIBYTES = 1050 };
    static char header[512] = "cifar-10-batches-bin/zeros", zeros[1 << 20];
    gzFile out = gzopen(made_path("cifar10/cifar-10-binary.tar.gz"), "wb1");
    memcpy(header + 100, "0000644", 8);
    snprintf(header + 124, 12, "%011o", MEBIBYTES << 20);
    memcpy(header + 148, "        ", 8);
    memcpy(header + 257, "ustar\00000", 8);
    unsigned sum = 0;
    for (int i = 0; i < 512; i++)
        sum += (unsigned char)header[i];
    snprintf(header + 148, 8, "%06o", sum);
    gzwrite(out, header, 512);
    for (int i = 0; i < MEBIBYTES; i++)
        gzwrite(out, zeros, sizeof zeros);
    header[21] = 'Z'; // and once more, so that a header comes behind
    snprintf(header + 148, 8, "%06o", sum - 'z' + 'Z');
    gzwrite(out, header, 512);
    gzclose(out);
    expect_fault("bomb", "cifar10", made_path("cifar10/cifar-10-binary.tar.gz"),
                 "unpacks to more than the 1073741824 bytes");
}

static void bad_svhn_files(void **state) {
    (void)state;
    static const struct {
        const char *title, *says;
        struct made_mat how;
    } cases[] = {
        {"no X", "has no variable X", {"Z", "y", MAT_C_UINT8, 32, 3, 0, 0, 0, 0}},
        {"no y", "has no variable y", {"X", "z", MAT_C_UINT8, 32, 3, 0, 0, 0, 0}},
        {"doubles",
         "no array of 32 x 32 x 3 x n bytes",
         {"X", "y", MAT_C_DOUBLE, 32, 3, 0, 0, 0, 0}},
        {"16 x 16",
         "no array of 32 x 32 x 3 x n bytes",
         {"X", "y", MAT_C_UINT8, 16, 3, 0, 0, 0, 0}},
        {"4 channels", "no array of 32 x 32 x 3", {"X", "y", MAT_C_UINT8, 32, 4, 0, 0, 0, 0}},
        {"labels", "has 19 labels for 20 images", {"X", "y", MAT_C_UINT8, 32, 3, 19, 0, 0, 0}},
        {"label 11",
         "label 11 of image 1 (the first is 0) is not in 1 ... 10",
         {"X", "y", MAT_C_UINT8, 32, 3, 0, 11, 0, 0}},
        {"label 200.", "label 200 of image 1", {"X", "y", MAT_C_UINT8, 32, 3, 0, 200, 1, 1}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        made_svhn();
        made_svhn_file("train_32x32.mat", 0, 20, cases[i].how);
        expect_fault(cases[i].title, "svhn", made_path("svhn/train_32x32.mat"), cases[i].says);
    }
    made_svhn();
    assert_int_equal(unlink(made_path("svhn/test_32x32.mat")), 0);
    expect_fault("missing", "svhn", made_path("svhn/test_32x32.mat"), "not found");
    made_write(made_path("svhn/test_32x32.mat"), "", 0);
    expect_fault("empty", "svhn", made_path("svhn/test_32x32.mat"), "has 0 bytes");
    made_write(made_path("svhn/test_32x32.mat"), "<html>not found</html>", 22);
    expect_fault("words", "svhn", made_path("svhn/test_32x32.mat"), "is no MATLAB 5 file");
}

/* Cut anywhere or with a byte changed anywhere, a file is refused, or gives images and labels that
 * are in range; it never brings the program down. */
static void try_spoiled(const char *path, const uint8_t *bytes, size_t size) {
    struct dataset d;
    struct error e = {0};
    made_write(path, bytes, size);
    if (dataset_open(&d, "svhn", &e)) {
        assert_int_equal(strncmp(e.text, path, strlen(path)), 0);
        return;
    }
    for (uint32_t i = 0; i < d.split[SPLIT_TEST].n; i++)
        assert_true(d.split[SPLIT_TEST].labels[i] < 10);
    dataset_close(&d);
}

static void spoiled_svhn_never_crashes(void **state) {
    (void)state;
    enum { SPOILED = 60 };
    struct random r = random_stream(3, RANDOM_TEST, 0, 52);
    for (int plain = 0; plain < 2; plain++) {
        struct made_mat how = good_mat;
        how.plain = plain;
        made_svhn();
        made_svhn_file("test_32x32.mat", 20, 2, how);
        char path[FOLDER_PATH];
        snprintf(path, sizeof path, "%s", made_path("svhn/test_32x32.mat"));
        size_t size;
        uint8_t *bytes = made_read(path, &size);
        for (int i = 0; i < 20; i++)
            try_spoiled(path, bytes, size * (size_t)i / 20);
        for (int i = 0; i < SPOILED; i++) {
            // the headers are at the start of either variable
            size_t at =
                i < SPOILED / 2 ? 120 + random_below(&r, 120) : random_below(&r, (uint32_t)size);
            uint8_t kept = bytes[at];
            bytes[at] = (uint8_t)random_below(&r, 256);
            try_spoiled(path, bytes, size);
            bytes[at] = kept;
        }
        free(bytes);
    }
}

/* What compares with guessing knows every set's classes. */
static void views_know_the_classes(void **state) {
    (void)state;
    char *query = NULL;
    size_t room = 0;
    FILE *file = fopen("harness/store/schema/views.sql", "r");
    assert_non_null(file);
    assert_true(getdelim(&query, &room, '\0', file) > 0);
    fclose(file);
    for (int i = 0; known_set_at(i); i++) {
        char row[96];
        snprintf(row, sizeof row, "('%s', %d)", known_set_at(i)->name, known_set_at(i)->classes);
        if (!strstr(query, row))
            fail_msg("harness/store/schema/views.sql lacks %s", row);
    }
    free(query);
}

#define WITH_FOLDER(test) cmocka_unit_test_setup_teardown(test, made_start, made_end)

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(views_know_the_classes),
        WITH_FOLDER(cifar_10_from_files_and_archive),
        WITH_FOLDER(cifar_100_has_fine_labels),
        WITH_FOLDER(svhn_is_turned_and_ten_is_zero),
        WITH_FOLDER(emnist_is_upright_and_counts_from_zero),
        WITH_FOLDER(emnist_letters_have_no_zero),
        WITH_FOLDER(bad_cifar_files),
        WITH_FOLDER(bad_cifar_archives),
        WITH_FOLDER(an_archive_that_unpacks_for_ever),
        WITH_FOLDER(bad_svhn_files),
        WITH_FOLDER(spoiled_svhn_never_crashes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
