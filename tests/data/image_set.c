/* A folder of images for tests; image_set.h is the manual. */
#include "data/image_set.h"

#include "data/picture.h"

#include <png.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <cmocka.h>

char image_set_root[FOLDER_PATH];
const char *const image_set_classes[IMAGE_SET_CLASSES] = {"$(touch pwned) `ls`", "Z \"'\n*",
                                                          "a\\ %s"};

unsigned image_set_number(int test, int label, int i) {
    return (unsigned)(1000 * test + 100 * label + i);
}

const char *image_set_file(const char *name) {
    char path[FOLDER_PATH];
    snprintf(path, sizeof path, "set/%s", name);
    return folder_file(image_set_root, path);
}

void image_set_write(const char *name, const char *text) {
    FILE *out = fopen(image_set_file(name), "wb");
    assert_non_null(out);
    assert_true(fputs(text, out) >= 0);
    assert_int_equal(fclose(out), 0);
}

static void write_class(int test, int label) {
    char name[256];
    static uint8_t pixels[IMAGE_SET_SIDE * IMAGE_SET_SIDE * 3];
    const char *split = test ? "test" : "train";
    snprintf(name, sizeof name, "%s/%s", split, image_set_classes[label]);
    assert_int_equal(mkdir(image_set_file(name), 0777), 0);
    for (int i = 0; i < (test ? IMAGE_SET_TEST : IMAGE_SET_TRAIN); i++) {
        snprintf(name, sizeof name, "%s/%s/%d.%s", split, image_set_classes[label], i,
                 i % 2 ? "png" : "PNG");
        picture_draw(pixels, IMAGE_SET_SIDE, IMAGE_SET_SIDE, image_set_number(test, label, i));
        picture_write(image_set_file(name), picture_png(pixels, IMAGE_SET_SIDE, IMAGE_SET_SIDE,
                                                        PNG_COLOR_TYPE_RGB, 8, 0));
    }
}

int image_set_start(void **state) {
    (void)state;
    folder_make(image_set_root);
    setenv("TRUNCQUANT_CACHE", folder_file(image_set_root, "cache"), 1);
    setenv("TRUNCQUANT_DATA", image_set_root, 1);
    mkdir(folder_file(image_set_root, "set"), 0777);
    for (int test = 0; test < 2; test++) {
        mkdir(image_set_file(test ? "test" : "train"), 0777);
        for (int label = IMAGE_SET_CLASSES - 1; label >= 0; label--)
            write_class(test, label);
    }
    return 0;
}

int image_set_end(void **state) {
    (void)state;
    folder_remove(image_set_root);
    return 0;
}
