/* Small data sets in the forms of several releases; made_sets.h is the manual. */
#include "data/made_sets.h"

#include "base/file.h"
#include "base/random.h"

#include <archive.h>
#include <archive_entry.h>
#include <libgen.h>
#include <matio.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

char made_root[FOLDER_PATH];
uint8_t made_pixels[MADE_RECORDS][MADE_PLANES];
uint8_t made_labels[MADE_RECORDS];

int made_start(void **state) {
    (void)state;
    struct random r = random_stream(1, RANDOM_TEST, 0, 50);
    folder_make(made_root);
    setenv("TRUNCQUANT_DATA", folder_file(made_root, "data"), 1);
    setenv("TRUNCQUANT_CACHE", folder_file(made_root, "cache"), 1);
    for (int i = 0; i < MADE_RECORDS; i++) {
        made_labels[i] = i % 9 == 3 ? 0 : (uint8_t)random_below(&r, 10);
        for (int x = 0; x < MADE_PLANES; x++)
            made_pixels[i][x] = (uint8_t)random_below(&r, 256);
    }
    return 0;
}

int made_end(void **state) {
    (void)state;
    folder_remove(made_root);
    return 0;
}

const char *made_path(const char *name) {
    char below[FOLDER_PATH], folder[FOLDER_PATH];
    struct error e = {0};
    snprintf(below, sizeof below, "data/%s", name);
    const char *path = folder_file(made_root, below);
    snprintf(folder, sizeof folder, "%s", path);
    if (file_make_folder(dirname(folder), &e))
        fail_msg("%s", e.text);
    return path;
}

void made_write(const char *path, const void *bytes, size_t size) {
    FILE *out = fopen(path, "wb");
    assert_non_null(out);
    assert_int_equal(fwrite(bytes, 1, size, out), size);
    assert_int_equal(fclose(out), 0);
}

void *made_read(const char *path, size_t *size) {
    struct error e = {0};
    char *bytes = file_read(path, 1 << 24, size, &e);
    if (!bytes)
        fail_msg("%s", e.text);
    return bytes;
}

static void cifar_file(const char *folder, const char *name, int first, int n, int fine) {
    char path[FOLDER_PATH];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *out = fopen(made_path(path), "wb");
    assert_non_null(out);
    for (int i = first; i < first + n; i++) {
        if (fine)
            fputc(255, out); // the coarse label is not looked at
        fputc(made_labels[i], out);
        fwrite(made_pixels[i], 1, MADE_PLANES, out);
    }
    assert_int_equal(fclose(out), 0);
}

void made_cifar(const char *folder, int fine) {
    if (fine) {
        cifar_file(folder, "train.bin", 0, 5 * MADE_PER_FILE, 1);
        cifar_file(folder, "test.bin", 5 * MADE_PER_FILE, MADE_PER_FILE, 1);
        return;
    }
    for (int i = 0; i < 5; i++) {
        char name[32];
        snprintf(name, sizeof name, "data_batch_%d.bin", i + 1);
        cifar_file(folder, name, i * MADE_PER_FILE, MADE_PER_FILE, 0);
    }
    cifar_file(folder, "test_batch.bin", 5 * MADE_PER_FILE, MADE_PER_FILE, 0);
}

static void add_member(struct archive *a, const char *folder, const char *name) {
    char path[FOLDER_PATH];
    size_t size;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    char *bytes = made_read(made_path(path), &size);
    struct archive_entry *entry = archive_entry_new();
    archive_entry_set_pathname(entry, path);
    archive_entry_set_size(entry, (la_int64_t)size);
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_entry_set_perm(entry, 0644);
    assert_int_equal(archive_write_header(a, entry), ARCHIVE_OK);
    assert_int_equal(archive_write_data(a, bytes, size), size);
    archive_entry_free(entry);
    free(bytes);
}

static void write_tar(const char *folder, const char *archive, const char *const *names, int gzip,
                      int twice) {
    struct archive *a = archive_write_new();
    if (gzip)
        archive_write_add_filter_gzip(a);
    archive_write_set_format_ustar(a);
    assert_int_equal(archive_write_open_filename(a, made_path(archive)), ARCHIVE_OK);
    const char *last = NULL;
    for (; *names; names++)
        add_member(a, folder, last = *names);
    if (twice)
        add_member(a, folder, last);
    assert_int_equal(archive_write_close(a), ARCHIVE_OK);
    archive_write_free(a);
}

void made_tar(const char *folder, const char *archive, const char *const *names, int twice) {
    write_tar(folder, archive, names, 1, twice);
}

void made_tar_plain(const char *folder, const char *archive, const char *const *names) {
    write_tar(folder, archive, names, 0, 0);
}

/* The element (y, x, c, i) of a column-major array stands at y + side (x + side (c + channels i)).
 */
static void *columns_first(int first, int n, struct made_mat how) {
    uint8_t *bytes = calloc((size_t)n * how.side * how.side * how.channels, sizeof(double));
    for (size_t i = 0; i < (size_t)n; i++)
        for (size_t c = 0; c < how.channels && c < 3; c++)
            for (size_t y = 0; y < how.side && y < 32; y++)
                for (size_t x = 0; x < how.side && x < 32; x++)
                    bytes[y + how.side * (x + how.side * (c + how.channels * i))] =
                        made_pixels[(size_t)first + i][(c * 32 + y) * 32 + x];
    return bytes;
}

static void put_variable(mat_t *mat, const char *name, int class, size_t *dims, int rank,
                         void *data, int plain) {
    enum matio_types type = class == MAT_C_DOUBLE ? MAT_T_DOUBLE : MAT_T_UINT8;
    matvar_t *v = Mat_VarCreate(name, (enum matio_classes) class, type, rank, dims, data, 0);
    assert_non_null(v);
    assert_int_equal(Mat_VarWrite(mat, v, plain ? MAT_COMPRESSION_NONE : MAT_COMPRESSION_ZLIB), 0);
    Mat_VarFree(v);
}

static void put_labels(mat_t *mat, int first, size_t n, struct made_mat how) {
    uint8_t bytes[MADE_RECORDS + 2];
    double doubles[MADE_RECORDS + 2];
    for (size_t i = 0; i < n; i++) {
        uint8_t label = i == 1 && how.label ? (uint8_t)how.label
                                            : made_labels[(size_t)first + i % MADE_RECORDS];
        bytes[i] = label ? label : 10;
        doubles[i] = bytes[i];
    }
    size_t dims[] = {n, 1};
    put_variable(mat, how.y, how.doubles ? MAT_C_DOUBLE : MAT_C_UINT8, dims, 2,
                 how.doubles ? (void *)doubles : (void *)bytes, how.plain);
}

void made_svhn_file(const char *name, int first, int n, struct made_mat how) {
    char path[FOLDER_PATH];
    snprintf(path, sizeof path, "svhn/%s", name);
    mat_t *mat = Mat_CreateVer(made_path(path), NULL, MAT_FT_MAT5);
    assert_non_null(mat);
    void *pixels = columns_first(first, n, how);
    size_t dims[] = {how.side, how.side, how.channels, (size_t)n};
    put_variable(mat, how.X, how.type, dims, 4, pixels, how.plain);
    put_labels(mat, first, (size_t)(how.n_labels ? how.n_labels : n), how);
    Mat_Close(mat);
    free(pixels);
}

void made_svhn(void) {
    struct made_mat how = {"X", "y", MAT_C_UINT8, 32, 3, 0, 0, 0, 0};
    made_svhn_file("train_32x32.mat", 0, 20, how);
    made_svhn_file("test_32x32.mat", 20, 4, how);
}
