/* Images that loading is measured on, made of nothing but a random stream:
 *
 *     build/bench/made_images jpegs DIR N WIDTH HEIGHT    DIR/train/CLASS/I.jpg, N in all, and a
 *                                                         tenth of that
 *                                                         in DIR/test
 *     build/bench/made_images cifar DIR                   CIFAR-10's binary release, all 60,000
 *                                                         images, in
 *                                                         DIR/cifar-10-batches-bin
 *
 * The JPEGs are noise of every scale with as much of each, as photographs have; at this quality one
 * of 500 x 375 has about the 110 KB of ImageNet's, which is what decoding takes time by. The CIFAR
 * images are plain noise. */
#include "base/error.h"
#include "base/file.h"
#include "base/random.h"
#include "base/text.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

enum { CLASSES = 10, SIDE_MOST = 4096, QUALITY = 90 };

/* ---- JPEG ---- */

/* Add noise whose grid has a point every `cell` pixels, and straight lines between. */
static void add_noise(struct random *r, int w, int h, int cell, float most, float *field) {
    int across = w / cell + 2, down = h / cell + 2;
    float *grid = need((size_t)across * (size_t)down, sizeof *grid);
    for (int i = 0; i < across * down; i++)
        grid[i] = most * (2 * random_unit(r) - 1);
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++) {
            const float *at = grid + (size_t)(y / cell) * (size_t)across + x / cell;
            float a = (float)(x % cell) / (float)cell, b = (float)(y % cell) / (float)cell;
            float above = at[0] + a * (at[1] - at[0]);
            float below = at[across] + a * (at[across + 1] - at[across]);
            *field++ += above + b * (below - above);
        }
    free(grid);
}

/* Brightness of every scale, colour of the coarse ones. */
static void draw(struct random *r, int w, int h, uint8_t *rgb) {
    size_t n = (size_t)w * (size_t)h;
    float *field = need(4 * n, sizeof *field);
    for (int cell = 128; cell >= 1; cell /= 2)
        add_noise(r, w, h, cell, 40, field);
    for (int c = 1; c <= 3; c++)
        for (int cell = 128; cell >= 16; cell /= 2)
            add_noise(r, w, h, cell, 20, field + (size_t)c * n);
    for (size_t i = 0; i < n; i++)
        for (size_t c = 0; c < 3; c++) {
            float x = 128 + field[i] + field[(c + 1) * n + i];
            rgb[3 * i + c] = (uint8_t)(x < 0 ? 0 : x > 255 ? 255 : x);
        }
    free(field);
}

static int write_jpeg(const char *path, uint8_t *rgb, int w, int h, struct error *e) {
    struct jpeg_compress_struct jpeg;
    struct jpeg_error_mgr errors;
    unsigned char *bytes = NULL;
    unsigned long size = 0;
    jpeg.err = jpeg_std_error(&errors);
    jpeg_create_compress(&jpeg);
    jpeg_mem_dest(&jpeg, &bytes, &size);
    jpeg.image_width = (JDIMENSION)w;
    jpeg.image_height = (JDIMENSION)h;
    jpeg.input_components = 3;
    jpeg.in_color_space = JCS_RGB;
    jpeg_set_defaults(&jpeg);
    jpeg_set_quality(&jpeg, QUALITY, TRUE);
    jpeg_start_compress(&jpeg, TRUE);
    for (int y = 0; y < h; y++) {
        JSAMPROW row = rgb + 3 * (size_t)y * (size_t)w;
        jpeg_write_scanlines(&jpeg, &row, 1);
    }
    jpeg_finish_compress(&jpeg);
    jpeg_destroy_compress(&jpeg);
    int rc = file_replace(path, bytes, size, e);
    free(bytes);
    return rc;
}

static int make_split(const char *folder, const char *split, long n, int w, int h,
                      struct error *e) {
    uint8_t *rgb = need(3 * (size_t)w, (size_t)h);
    int rc = 0;
    for (long i = 0; i < n && !rc; i++) {
        char path[4096];
        struct random r = random_stream(1, RANDOM_TEST, split[1] == 'r', (uint64_t)i);
        int used = snprintf(path, sizeof path, "%s/%s/class %ld", folder, split, i % CLASSES);
        draw(&r, w, h, rgb);
        rc = file_make_folder(path, e);
        snprintf(path + used, sizeof path - (size_t)used, "/%ld.jpg", i);
        rc = rc ? rc : write_jpeg(path, rgb, w, h, e);
    }
    free(rgb);
    return rc;
}

static int make_jpegs(char **argv, struct error *e) {
    long n, w, h;
    if (strlen(argv[0]) > 3000 || text_int(argv[1], 1, 1000000, &n) ||
        text_int(argv[2], 1, SIDE_MOST, &w) || text_int(argv[3], 1, SIDE_MOST, &h))
        return fail(e, "jpegs takes a folder, a number of images, a width and a height");
    long test = n / 10 > CLASSES ? n / 10 : CLASSES;
    return make_split(argv[0], "train", n, (int)w, (int)h, e) ||
           make_split(argv[0], "test", test, (int)w, (int)h, e);
}

/* ---- CIFAR-10 ---- */

static int make_cifar(const char *folder, struct error *e) {
    enum { RECORDS = 10000, RECORD = 1 + 3 * 32 * 32, FILES = 6 };
    uint8_t *records = need(RECORDS, RECORD);
    char path[4096];
    int rc = 0;
    for (int f = 1; f <= FILES && !rc; f++) {
        struct random r = random_stream(1, RANDOM_TEST, 0, (uint64_t)f);
        for (size_t i = 0; i < (size_t)RECORDS * RECORD; i++)
            records[i] =
                i % RECORD ? (uint8_t)(random_next(&r) >> 32) : (uint8_t)(i / RECORD % CLASSES);
        int used = snprintf(path, sizeof path, "%.3000s/cifar-10-batches-bin", folder);
        rc = file_make_folder(path, e);
        if (f < FILES)
            snprintf(path + used, sizeof path - (size_t)used, "/data_batch_%d.bin", f);
        else
            snprintf(path + used, sizeof path - (size_t)used, "/test_batch.bin");
        rc = rc ? rc : file_replace(path, records, (size_t)RECORDS * RECORD, e);
    }
    free(records);
    return rc;
}

int main(int argc, char **argv) {
    struct error e = {0};
    int rc;
    if (argc == 6 && !strcmp(argv[1], "jpegs"))
        rc = make_jpegs(argv + 2, &e);
    else if (argc == 3 && !strcmp(argv[1], "cifar"))
        rc = make_cifar(argv[2], &e);
    else
        rc = fail(&e, "usage: made_images jpegs DIR N WIDTH HEIGHT | cifar DIR");
    if (rc)
        fprintf(stderr, "%s: %s\n", argv[0], e.text);
    return rc ? 1 : 0;
}
