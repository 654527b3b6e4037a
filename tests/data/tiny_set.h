/* A small random data set in the format of MNIST, in a temporary folder that TRUNCQUANT_DATA names,
 * with an empty cache beside it that TRUNCQUANT_CACHE names. For the tests of the data room. */
#ifndef TESTS_DATA_TINY_SET_H
#define TESTS_DATA_TINY_SET_H

#include "base/folder.h"
#include "data/dataset.h"

enum { TINY_TRAIN = 50, TINY_TEST = 20, TINY_SIDE = 28, TINY_PLANE = TINY_SIDE * TINY_SIDE };

extern char tiny_root[FOLDER_PATH]; // ROOT/data/mnist, ROOT/cache
extern uint8_t tiny_pixels[SPLITS][TINY_TRAIN][TINY_PLANE];
extern uint8_t tiny_labels[SPLITS][TINY_TRAIN];
extern const uint32_t tiny_n[SPLITS];

/* cmocka's set-up and tear-down: the four files plain, from the same random bytes each time. */
int tiny_start(void **state);
int tiny_end(void **state);

/* Bytes that grow; `at` has room for 64 KiB more than any file of the set. */
struct bytes {
    uint8_t *at;
    size_t n;
};

/* The bytes of one of the four files, as the arrays above say now. */
struct bytes tiny_idx(int split, int labels);
struct bytes tiny_gzip(struct bytes plain); // frees `plain`

/* Write them as the file of that part (with .gz or without; the other one goes) and free them. */
void tiny_write(int split, int labels, int gz, struct bytes b);
void tiny_write_all(int gz);

/* "ROOT/data/mnist/NAME", and the prepared file of the set as it is now, there or not. */
const char *tiny_path(int split, int labels, int gz);
const char *tiny_prepared(void);

/* Prepared files in the cache, of whatever source. */
int tiny_count_prepared(void);

/* Open "mnist", which has to work, and close it; its manifest hash. */
void tiny_hash(char hash[HASH_HEX]);

#endif
