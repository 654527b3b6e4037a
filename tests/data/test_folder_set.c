/* Small folders of images as data sets: opened by path and by name, every pixel and label in its
 * place; and what makes a folder unfit. */
#include "data/dataset.h"
#include "data/image_set.h"
#include "data/picture.h"

#include <png.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { SIDE = IMAGE_SET_SIDE, PLANE = SIDE * SIDE };

static struct dataset open_set(const char *name) {
    struct dataset d;
    struct error e = {0};
    if (dataset_open(&d, name, &e))
        fail_msg("%s", e.text);
    return d;
}

static void refused(const char *name, const char *says) {
    struct dataset d;
    struct error e = {0};
    assert_int_equal(dataset_open(&d, name, &e), -1);
    if (!strstr(e.text, says))
        fail_msg("'%s' does not say '%s'", e.text, says);
}

static const char *in_class(int test, const char *name) {
    static char text[256];
    snprintf(text, sizeof text, "%s/%s/%s", test ? "test" : "train", image_set_classes[1], name);
    return text;
}

/* Which image of its class has these planes; each is another colour. */
static int find_image(int test, int label, const uint8_t *planes) {
    uint8_t pixels[PLANE * 3];
    for (int i = 0; i < (test ? IMAGE_SET_TEST : IMAGE_SET_TRAIN); i++) {
        picture_draw(pixels, SIDE, SIDE, image_set_number(test, label, i));
        int same = 1;
        for (int c = 0; c < 3; c++)
            for (int p = 0; p < PLANE; p++)
                same &= planes[c * PLANE + p] == pixels[3 * p + c];
        if (same)
            return i;
    }
    fail_msg("an image of class %d is none that was written", label);
    return -1;
}

static void expect_all(const struct dataset *d) {
    for (int s = 0; s < SPLITS; s++) {
        int seen[IMAGE_SET_CLASSES][IMAGE_SET_TRAIN] = {0};
        assert_int_equal(d->split[s].n, IMAGE_SET_CLASSES * (s ? IMAGE_SET_TEST : IMAGE_SET_TRAIN));
        for (uint32_t i = 0; i < d->split[s].n; i++) {
            int label = d->split[s].labels[i];
            seen[label][find_image(s, label, d->split[s].pixels + i * 3 * PLANE)]++;
        }
        for (int c = 0; c < IMAGE_SET_CLASSES; c++)
            for (int i = 0; i < (s ? IMAGE_SET_TEST : IMAGE_SET_TRAIN); i++)
                assert_int_equal(seen[c][i], 1);
    }
}

static void every_pixel_and_label(void **state) {
    (void)state;
    struct dataset d = open_set(image_set_file(""));
    assert_string_equal(d.name, "set");
    assert_int_equal(d.classes, IMAGE_SET_CLASSES);
    assert_int_equal(d.shape.c, 3);
    assert_int_equal(d.shape.h, SIDE);
    assert_int_equal(d.shape.w, SIDE);
    assert_int_equal(d.crop_flip, 1);
    expect_all(&d);
    dataset_close(&d);
}

static void by_name_and_by_path(void **state) {
    (void)state;
    char path[FOLDER_PATH], hash[HASH_HEX];
    snprintf(path, sizeof path, "%s", image_set_file("."));
    struct dataset d = open_set("set"); // TRUNCQUANT_DATA is above it
    memcpy(hash, d.hash, HASH_HEX);
    dataset_close(&d);
    d = open_set(path);
    assert_string_equal(d.hash, hash);
    assert_string_equal(d.name, "set");
    dataset_close(&d);
    assert_true(dataset_is_known("set"));
    assert_false(dataset_is_known("cache"));
    refused("cache", "unknown data set 'cache'");
    refused("./no/such", "./no/such");
}

static void nothing_was_run_by_a_shell(void **state) {
    (void)state;
    struct dataset d = open_set("set");
    dataset_close(&d);
    assert_int_not_equal(access("pwned", F_OK), 0);
}

static void write_image(const char *name, int w, int h, uint32_t number, int type) {
    static uint8_t pixels[64 * 64 * 3];
    picture_draw(pixels, w, h, number);
    picture_write(image_set_file(name), picture_png(pixels, w, h, type, 8, 0));
}

static void an_edited_image_is_seen(void **state) {
    (void)state;
    struct dataset d = open_set("set");
    char hash[HASH_HEX];
    memcpy(hash, d.hash, HASH_HEX);
    dataset_close(&d);
    write_image(in_class(1, "3.png"), SIDE, SIDE, 77, PNG_COLOR_TYPE_RGB);
    d = open_set("set");
    assert_string_not_equal(d.hash, hash);
    dataset_close(&d);
}

/* One of 151 is skipped, two are too many; both are named. */
static void damaged_images(void **state) {
    (void)state;
    image_set_write(in_class(0, "bad.jpg"), "\xff\xd8\xff\xe0 no more");
    struct dataset d = open_set("set");
    expect_all(&d);
    dataset_close(&d);
    image_set_write(in_class(1, "worse.png"), "GIF89a");
    refused("set", "set: 2 of its 152 files are no images");
    refused("set", "bad.jpg: is a damaged JPEG file");
}

/* A class with one image, which is damaged, is not trained on nothing, however few of all it is. */
static void a_class_that_decoding_emptied(void **state) {
    (void)state;
    mkdir(image_set_file("train/more"), 0777);
    mkdir(image_set_file("test/more"), 0777);
    write_image("test/more/0.png", SIDE, SIDE, 7, PNG_COLOR_TYPE_RGB);
    image_set_write("train/more/0.png", "\x89PNG\r\n\x1a\n");
    refused("set", "set: none of the images in train/more can be read, so the class cannot be "
                   "learnt");
    write_image("train/more/0.png", SIDE, SIDE, 7, PNG_COLOR_TYPE_RGB);
    struct dataset d = open_set("set");
    assert_int_equal(d.classes, IMAGE_SET_CLASSES + 1);
    dataset_close(&d);
    image_set_write("test/more/0.png", "\x89PNG\r\n\x1a\n");
    refused("set", "set: none of the images in test/more can be read, so the class cannot be "
                   "tested");
}

static void write_all_of_train(const uint8_t *pixels, int type) {
    for (int c = 0; c < IMAGE_SET_CLASSES; c++)
        for (int i = 0; i < IMAGE_SET_TRAIN; i++) {
            char name[256];
            snprintf(name, sizeof name, "train/%s/%d.%s", image_set_classes[c], i,
                     i % 2 ? "png" : "PNG");
            picture_write(image_set_file(name), picture_png(pixels, SIDE, SIDE, type, 8, 0));
        }
}

/* Icons that are black all over, with their shape in the alpha channel, are icons; what has no
 * shape at all is refused. */
static void icons(void **state) {
    (void)state;
    static uint8_t rgba[PLANE * 4];
    rgba[3] = 255; // one black pixel, on white
    write_all_of_train(rgba, PNG_COLOR_TYPE_RGB_ALPHA);
    struct dataset d = open_set("set");
    for (int c = 0; c < 3; c++)
        for (int p = 0; p < PLANE; p++)
            assert_int_equal(d.split[SPLIT_TRAIN].pixels[c * PLANE + p], p ? 255 : 0);
    dataset_close(&d);
    rgba[3] = 0;
    write_all_of_train(rgba, PNG_COLOR_TYPE_RGB_ALPHA);
    refused("set", "set: all pixels of the images in train are equal, so nothing can be learnt");
}

static void grey_images_have_one_channel(void **state) {
    (void)state;
    for (int test = 0; test < 2; test++)
        for (int c = 0; c < IMAGE_SET_CLASSES; c++)
            for (int i = 0; i < (test ? IMAGE_SET_TEST : IMAGE_SET_TRAIN); i++) {
                char name[256];
                snprintf(name, sizeof name, "%s/%s/%d.%s", test ? "test" : "train",
                         image_set_classes[c], i, i % 2 ? "png" : "PNG");
                write_image(name, 9, 7, (uint32_t)i, PNG_COLOR_TYPE_GRAY);
            }
    struct dataset d = open_set("set");
    assert_int_equal(d.shape.c, 1);
    assert_int_equal(d.shape.h, 7);
    assert_int_equal(d.shape.w, 9);
    assert_int_equal(d.crop_flip, 0);
    dataset_close(&d);
}

static void sizes_that_differ(void **state) {
    (void)state;
    write_image(in_class(1, "3.png"), SIDE + 1, SIDE, 5, PNG_COLOR_TYPE_RGB);
    refused("set", "its images differ in size");
    refused("set", "12 x 12 pixels, test/Z \"'?*/3.png has 13 x 12");
    refused("set", "say image_size = 224");
}

int main(void) {
#define WITH_SET(test) cmocka_unit_test_setup_teardown(test, image_set_start, image_set_end)
    const struct CMUnitTest tests[] = {
        WITH_SET(every_pixel_and_label),
        WITH_SET(by_name_and_by_path),
        WITH_SET(nothing_was_run_by_a_shell),
        WITH_SET(an_edited_image_is_seen),
        WITH_SET(damaged_images),
        WITH_SET(a_class_that_decoding_emptied),
        WITH_SET(icons),
        WITH_SET(grey_images_have_one_channel),
        WITH_SET(sizes_that_differ),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
