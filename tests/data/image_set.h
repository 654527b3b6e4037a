/* A small data set that is a folder of images, in a temporary folder; TRUNCQUANT_CACHE names an
 * empty cache beside it. For the tests of image folders. */
#ifndef TESTS_DATA_IMAGE_SET_H
#define TESTS_DATA_IMAGE_SET_H

#include "base/folder.h"

enum { IMAGE_SET_CLASSES = 3, IMAGE_SET_TRAIN = 40, IMAGE_SET_TEST = 10, IMAGE_SET_SIDE = 12 };

extern char image_set_root[FOLDER_PATH]; // ROOT/set, ROOT/cache

/* Class names, sorted. They hold blanks, quotes, a line end, a `$(...)`. */
extern const char *const image_set_classes[IMAGE_SET_CLASSES];

/* cmocka's set-up and tear-down of one test: ROOT/set/train/CLASS/<i>.png and
 * ROOT/set/test/CLASS/<i>.png, of image i of the class the picture (picture_draw) number
 * image_set_number. */
int image_set_start(void **state);
int image_set_end(void **state);

unsigned image_set_number(int test, int label, int i);

/* "ROOT/set/NAME". */
const char *image_set_file(const char *name);

/* Write `text` as ROOT/set/NAME. */
void image_set_write(const char *name, const char *text);

#endif
