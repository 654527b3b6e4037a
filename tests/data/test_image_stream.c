/* Folders of images that are read when they are needed: what training and testing see of an image,
 * that it depends on nothing but its name in the epoch, and what is remembered of a folder. */
#include "base/file.h"
#include "base/folder.h"
#include "data/image_set.h"
#include "data/images/stream.h"
#include "data/picture.h"

#include <dirent.h>
#include <limits.h>
#include <math.h>
#include <png.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { SIZE = 56, PLANE = SIZE * SIZE, RAMP = 256 };

static struct dataset open_stream(int size) {
    struct dataset d;
    struct error e = {0};
    if (dataset_open_at(&d, "set", size, &e))
        fail_msg("%s", e.text);
    return d;
}

/* Of a class whose name is a path's part: "train/CLASS/0.PNG" of the first class. */
static const char *some_image(void) {
    static char name[256];
    snprintf(name, sizeof name, "train/%s/0.PNG", image_set_classes[0]);
    return name;
}

/* Red grows from left to right by one a pixel, green from top to bottom; blue is 100. */
static void write_ramp(const char *name, int w, int h) {
    uint8_t *pixels = malloc((size_t)w * (size_t)h * 3), *p = pixels;
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++, p += 3) {
            p[0] = (uint8_t)x;
            p[1] = (uint8_t)y;
            p[2] = 100;
        }
    picture_write(image_set_file(name), picture_png(pixels, w, h, PNG_COLOR_TYPE_RGB, 8, 0));
    free(pixels);
}

static uint32_t place_of(const struct dataset *d, const char *name) {
    char path[PATH_MAX];
    struct error e = {0};
    for (uint32_t i = 0; i < d->split[SPLIT_TRAIN].n; i++) {
        assert_int_equal(
            image_folder_path(&d->stream->folder, SPLIT_TRAIN, i, path, sizeof path, &e), 0);
        if (strstr(path, name))
            return i;
    }
    fail_msg("no %s", name);
    return 0;
}

static void fill(const struct dataset *d, uint32_t image, int augmented, uint64_t seed,
                 uint64_t epoch, uint64_t place, float *to) {
    struct error e = {0};
    struct batch_request r = {.split = SPLIT_TRAIN,
                              .order = &image,
                              .n = 1,
                              .channels = 3,
                              .crop_flip = augmented,
                              .seed = seed,
                              .epoch = epoch,
                              .first = place};
    if (image_stream_fill(d, &r, 0, to, &e))
        fail_msg("%s", e.text);
}

/* The byte that a value of the batch was. */
static double byte_of(const struct dataset *d, int c, float value) {
    return (double)(value * d->deviation[c] + d->mean[c]) * 255;
}

/* Where the left and right edges of the batch's image lie in the ramp, from two columns away from
 * edges. */
static void edges(const struct dataset *d, const float *image, int vertical, double *from,
                  double *to) {
    int stride = vertical ? SIZE : 1, a = SIZE / 4, b = SIZE - SIZE / 4 - 1;
    int other = (vertical ? 1 : SIZE) * (SIZE / 2);
    const float *plane = image + vertical * PLANE;
    double at_a = byte_of(d, vertical, plane[a * stride + other]) + 0.5;
    double at_b = byte_of(d, vertical, plane[b * stride + other]) + 0.5;
    double step = (at_b - at_a) / (b - a);
    *from = at_a - (a + 0.5) * step;
    *to = *from + SIZE * step;
}

static void test_images_are_the_middle(void **state) {
    (void)state;
    float image[3 * PLANE];
    static const int shapes[][2] = {{RAMP, RAMP}, {RAMP, 128}, {100, 200}};
    for (int i = 0; i < 3; i++) {
        int w = shapes[i][0], h = shapes[i][1];
        write_ramp(some_image(), w, h);
        struct dataset d = open_stream(SIZE);
        fill(&d, place_of(&d, "/0.PNG"), 0, 1, 0, 0, image);
        double left, right, top, bottom, side = (w < h ? w : h) * 224.0 / 256;
        edges(&d, image, 0, &left, &right);
        edges(&d, image, 1, &top, &bottom);
        assert_true(fabs(left - (w - side) / 2) < 2.5 && fabs(right - (w + side) / 2) < 2.5);
        assert_true(fabs(top - (h - side) / 2) < 2.5 && fabs(bottom - (h + side) / 2) < 2.5);
        assert_true(fabs(byte_of(&d, 2, image[2 * PLANE]) - 100) < 0.01);
        dataset_close(&d);
    }
}

static void training_images_are_parts(void **state) {
    (void)state;
    enum { DRAWS = 1500 };
    const double fuzz = 4; // bytes, of an edge found from two columns
    float image[3 * PLANE];
    int flips = 0, large = 0, wide = 0, tall = 0;
    double least = 1;
    write_ramp(some_image(), RAMP, RAMP);
    struct dataset d = open_stream(SIZE);
    uint32_t place = place_of(&d, "/0.PNG");
    for (uint64_t i = 0; i < DRAWS; i++) {
        double left, right, top, bottom;
        fill(&d, place, 1, 1, 0, i, image);
        edges(&d, image, 0, &left, &right);
        edges(&d, image, 1, &top, &bottom);
        double w = fabs(right - left), h = bottom - top, area = w * h / RAMP / RAMP;
        flips += right < left;
        large += area > 0.54;
        wide += w / h > 1.05;
        tall += h / w > 1.05;
        least = area < least ? area : least;
        assert_true(fmin(left, right) > -fuzz && fmax(left, right) < RAMP + fuzz);
        assert_true(top > -fuzz && bottom < RAMP + fuzz && h > 0);
        assert_true(area > 0.08 * 0.9 && area < 1.05);
        assert_true(w / h > 0.75 * 0.93 && w / h < 4.0 / 3 * 1.07);
    }
    assert_true(least < 0.1);
    assert_in_range(flips, DRAWS * 45 / 100, DRAWS * 55 / 100);
    assert_in_range(large, DRAWS * 40 / 100, DRAWS * 54 / 100); // parts that do not fit are large
    assert_in_range(wide, DRAWS * 36 / 100, DRAWS * 48 / 100);
    assert_in_range(tall, DRAWS * 36 / 100, DRAWS * 48 / 100);
    dataset_close(&d);
}

/* A part of the wanted shape never fits into it: the middle, as unequal as may be. */
static void a_thin_image(void **state) {
    (void)state;
    float image[3 * PLANE];
    write_ramp(some_image(), 200, 3);
    struct dataset d = open_stream(SIZE);
    double left, right;
    fill(&d, place_of(&d, "/0.PNG"), 1, 1, 0, 0, image);
    edges(&d, image, 0, &left, &right);
    assert_true(fabs(fmin(left, right) - 98) < 1.5 && fabs(fmax(left, right) - 102) < 1.5);
    dataset_close(&d);
}

static void a_stream_is_named(void **state) {
    (void)state;
    static float first[3 * PLANE], other[3 * PLANE];
    write_ramp(some_image(), 90, 70);
    struct dataset d = open_stream(SIZE);
    uint32_t place = place_of(&d, "/0.PNG");
    fill(&d, place, 1, 5, 6, 7, first);
    fill(&d, place, 1, 5, 6, 7, other);
    assert_memory_equal(first, other, sizeof first);
    for (int i = 0; i < 3; i++) {
        fill(&d, place, 1, 5 + (i == 0), 6 + (i == 1), 7 + (i == 2), other);
        assert_memory_not_equal(first, other, sizeof first);
    }
    dataset_close(&d);
}

/* ---- what is remembered ---- */

static const char *the_index(void) {
    static char path[PATH_MAX];
    const char *cache = folder_file(image_set_root, "cache");
    DIR *entries = opendir(cache);
    path[0] = '\0';
    for (struct dirent *entry; (entry = readdir(entries));) {
        size_t n = strlen(entry->d_name);
        if (n > 9 && !strcmp(entry->d_name + n - 9, ".prepared"))
            snprintf(path, sizeof path, "%s/%s", cache, entry->d_name);
    }
    closedir(entries);
    assert_true(path[0]);
    return path;
}

static void spoil(const char *path, long at, long length) {
    FILE *f = fopen(path, "r+b");
    assert_non_null(f);
    if (length >= 0)
        assert_int_equal(ftruncate(fileno(f), length), 0);
    else {
        fseek(f, at, SEEK_SET);
        int c = fgetc(f);
        fseek(f, at, SEEK_SET);
        fputc(c ^ 1, f);
    }
    fclose(f);
}

static void same_set(const struct dataset *a, const struct dataset *b) {
    assert_string_equal(a->hash, b->hash);
    assert_memory_equal(a->mean, b->mean, sizeof a->mean);
    assert_memory_equal(a->deviation, b->deviation, sizeof a->deviation);
    for (int s = 0; s < SPLITS; s++) {
        assert_int_equal(a->split[s].n, b->split[s].n);
        assert_memory_equal(a->split[s].labels, b->split[s].labels,
                            a->split[s].n * sizeof *a->split[s].labels);
        for (uint32_t i = 0; i < a->split[s].n; i++) {
            char one[PATH_MAX], other[PATH_MAX];
            struct error e = {0};
            image_folder_path(&a->stream->folder, (enum split)s, i, one, sizeof one, &e);
            image_folder_path(&b->stream->folder, (enum split)s, i, other, sizeof other, &e);
            assert_string_equal(one, other);
        }
    }
}

static void the_index_says_the_same(void **state) {
    (void)state;
    image_set_write("train/a\\ %s/bad.jpg", "\xff\xd8\xff");
    struct dataset made = open_stream(SIZE), again = open_stream(SIZE);
    assert_int_equal(made.split[SPLIT_TRAIN].n, IMAGE_SET_CLASSES * IMAGE_SET_TRAIN);
    same_set(&made, &again);
    dataset_close(&again);
    again = open_stream(SIZE / 2); // the size is not in it
    same_set(&made, &again);
    assert_int_equal(again.shape.w, SIZE / 2);
    dataset_close(&again);
    for (int i = 0; i < 4; i++) { // a damaged one is made anew
        spoil(the_index(), 100, i == 0 ? 0 : i == 1 ? 70 : -1);
        again = open_stream(SIZE);
        same_set(&made, &again);
        dataset_close(&again);
    }
    dataset_close(&made);
}

/* What is current is not written again; what is gone is made again under the same name. */
static void the_index_is_used(void **state) {
    (void)state;
    struct dataset d = open_stream(SIZE);
    dataset_close(&d);
    char path[PATH_MAX];
    struct stat first, second;
    snprintf(path, sizeof path, "%s", the_index());
    assert_int_equal(stat(path, &first), 0);
    d = open_stream(SIZE);
    dataset_close(&d);
    assert_int_equal(stat(path, &second), 0);
    assert_int_equal(first.st_ino, second.st_ino);
    assert_int_equal(first.st_mtim.tv_nsec, second.st_mtim.tv_nsec);
    unlink(path);
    d = open_stream(SIZE);
    assert_string_equal(the_index(), path);
    dataset_close(&d);
}

static void changes_are_seen(void **state) {
    (void)state;
    struct dataset d = open_stream(SIZE), changed;
    char renamed[256];
    write_ramp(some_image(), 30, 30);
    changed = open_stream(SIZE);
    assert_string_not_equal(d.hash, changed.hash);
    dataset_close(&d);
    snprintf(renamed, sizeof renamed, "train/%s/renamed.png", image_set_classes[0]);
    char from[PATH_MAX];
    snprintf(from, sizeof from, "%s", image_set_file(some_image()));
    rename(from, image_set_file(renamed));
    d = open_stream(SIZE);
    assert_string_not_equal(d.hash, changed.hash);
    dataset_close(&d);
    dataset_close(&changed);
}

/* Mean and deviation of every pixel of train, each counted once whatever the size of its image. */
static void statistics_of_train(void **state) {
    (void)state;
    double sum[3] = {0}, squares[3] = {0}, n = 0;
    uint8_t pixels[IMAGE_SET_SIDE * IMAGE_SET_SIDE * 3];
    struct dataset d = open_stream(SIZE);
    for (int c = 0; c < IMAGE_SET_CLASSES; c++)
        for (int i = 0; i < IMAGE_SET_TRAIN; i++) {
            picture_draw(pixels, IMAGE_SET_SIDE, IMAGE_SET_SIDE, image_set_number(0, c, i));
            for (size_t p = 0; p < sizeof pixels; p++) {
                double x = pixels[p] / 255.0;
                sum[p % 3] += x;
                squares[p % 3] += x * x;
                n += 1.0 / 3;
            }
        }
    for (int c = 0; c < 3; c++) {
        double mean = sum[c] / n, deviation = sqrt(squares[c] / n - mean * mean);
        assert_true(fabs((double)d.mean[c] - mean) < 1e-6);
        assert_true(fabs((double)d.deviation[c] - deviation) < 1e-6);
    }
    dataset_close(&d);
}

static void only_folders(void **state) {
    (void)state;
    struct dataset d;
    struct error e = {0};
    assert_int_equal(dataset_open_at(&d, "mnist", SIZE, &e), -1);
    assert_non_null(strstr(e.text, "image_size is for folders of images"));
}

/* ---- the manifest ---- */

/* From its definition: names and the hashes of files; how they were decoded only where that changed
 * a pixel. */
static void expected_manifest(const struct dataset *d, const char *decoding, char hash[HASH_HEX]) {
    const struct image_folder *f = &d->stream->folder;
    char *bytes = NULL, path[PATH_MAX];
    size_t size = 0, n;
    struct error e = {0};
    FILE *text = open_memstream(&bytes, &size);
    fprintf(text, "images\nclasses %d\n%s", d->classes, decoding);
    for (int c = 0; c < 3; c++)
        fprintf(text, "%a %a\n", (double)d->mean[c], (double)d->deviation[c]);
    for (int s = 0; s < SPLITS; s++) {
        fprintf(text, "%s %u\n", s ? "test" : "train", f->split[s].n);
        for (uint32_t i = 0; i < f->split[s].n; i++) {
            unsigned char digest[HASH_BYTES];
            assert_int_equal(image_folder_path(f, (enum split)s, i, path, sizeof path, &e), 0);
            char *file = file_read(path, 1 << 20, &n, &e);
            assert_non_null(file);
            hash_bytes(file, n, digest);
            free(file);
            const char *class = f->class_names[f->split[s].label[i]];
            fwrite(class, 1, strlen(class) + 1, text);
            fwrite(strrchr(path, '/') + 1, 1, strlen(strrchr(path, '/')), text);
            fwrite(digest, 1, HASH_BYTES, text);
        }
    }
    fclose(text);
    hash_hex(bytes, size, hash);
    free(bytes);
}

static void decoding_is_hashed_where_it_changes_pixels(void **state) {
    (void)state;
    static uint8_t rgba[IMAGE_SET_SIDE * IMAGE_SET_SIDE * 4];
    static const char *const lines[] = {"", "", "decoding 2\n"};
    for (int kind = 0; kind < 3;
         kind++) { // as they are; with an opaque image; with a transparent one
        memset(rgba, kind == 1 ? 255 : 128, sizeof rgba);
        if (kind)
            picture_write(
                image_set_file(some_image()),
                picture_png(rgba, IMAGE_SET_SIDE, IMAGE_SET_SIDE, PNG_COLOR_TYPE_RGB_ALPHA, 8, 0));
        char hash[HASH_HEX];
        struct dataset d = open_stream(SIZE);
        expected_manifest(&d, lines[kind], hash);
        assert_string_equal(d.hash, hash);
        dataset_close(&d);
    }
}

int main(void) {
#define WITH_SET(test) cmocka_unit_test_setup_teardown(test, image_set_start, image_set_end)
    const struct CMUnitTest tests[] = {
        WITH_SET(test_images_are_the_middle),
        WITH_SET(training_images_are_parts),
        WITH_SET(a_thin_image),
        WITH_SET(a_stream_is_named),
        WITH_SET(the_index_says_the_same),
        WITH_SET(the_index_is_used),
        WITH_SET(changes_are_seen),
        WITH_SET(statistics_of_train),
        WITH_SET(decoding_is_hashed_where_it_changes_pixels),
        cmocka_unit_test(only_folders),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
