/* Everything that can be wrong with a data set's files gets one line that names the file and the
 * fault, and leaves no prepared file behind. */
#include "data/tiny_set.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { IMAGES, LABELS };
enum { PLAIN, BEFORE, AFTER }; // is the file packed before it is spoiled, or after?

struct bad {
    const char *title;
    int split, part, gzip;
    void (*spoil)(struct bytes *b);
    const char *says;
};

static void empty(struct bytes *b) {
    b->n = 0;
}

static void cut_one(struct bytes *b) {
    b->n--;
}

static void cut_half(struct bytes *b) {
    b->n /= 2;
}

static void cut_in_header(struct bytes *b) {
    b->n = 10;
}

static void cut_in_magic(struct bytes *b) {
    b->n = 3;
}

static void cut_trailer(struct bytes *b) {
    b->n -= 4;
}

static void append_one(struct bytes *b) {
    b->at[b->n++] = 0;
}

static void append_words(struct bytes *b) {
    memcpy(b->at + b->n, "garbage behind", 14);
    b->n += 14;
}

static void flip_checksum(struct bytes *b) {
    b->at[b->n - 6] ^= 1; // gzip ends with CRC-32 and length, 4 bytes each
}

static void flip_middle(struct bytes *b) {
    b->at[b->n / 2] ^= 16;
}

static void become_words(struct bytes *b) {
    memcpy(b->at, "<html>not found", 15);
}

static void become_floats(struct bytes *b) {
    b->at[2] = 0x0d;
}

static void become_labels(struct bytes *b) {
    free(b->at);
    *b = tiny_idx(SPLIT_TRAIN, LABELS);
}

static void become_images(struct bytes *b) {
    free(b->at);
    *b = tiny_idx(SPLIT_TEST, IMAGES);
}

static void become_other_split(struct bytes *b) {
    free(b->at);
    *b = tiny_idx(SPLIT_TRAIN, LABELS);
}

static void label_ten(struct bytes *b) {
    b->at[8 + 3] = 10;
}

static void label_255_last(struct bytes *b) {
    b->at[b->n - 1] = 255;
}

static void no_images(struct bytes *b) {
    memset(b->at + 4, 0, 4);
    b->n = 16;
}

static void no_height(struct bytes *b) {
    memset(b->at + 8, 0, 4);
    b->n = 16;
}

static void wide(struct bytes *b) { // as many bytes, another shape
    b->at[11] = 14;
    b->at[15] = 56;
}

static void claim_everything(struct bytes *b) {
    memset(b->at + 4, 0xff, 12);
}

static void claim_wrapped(struct bytes *b) { // 2^32 * 2^32 * 0x10000: 0 in 64 bits
    memset(b->at + 4, 0, 12);
    b->at[4] = b->at[8] = 0x80;
    b->at[13] = 0x40;
}

static void claim_a_gigabyte(struct bytes *b) { // 1,000,000 * 28 * 28 fits the limit, not the file
    b->at[4] = 0x00;
    b->at[5] = 0x0f;
    b->at[6] = 0x42;
    b->at[7] = 0x40;
}

static const struct bad bad_files[] = {
    {"empty images", SPLIT_TRAIN, IMAGES, PLAIN, empty, "is empty"},
    {"empty labels", SPLIT_TEST, LABELS, PLAIN, empty, "is empty"},
    {"nothing in gzip", SPLIT_TEST, LABELS, AFTER, empty, "ends inside its header"},
    {"cut in magic", SPLIT_TRAIN, IMAGES, PLAIN, cut_in_magic, "ends inside its header"},
    {"cut in header", SPLIT_TRAIN, IMAGES, PLAIN, cut_in_header, "ends inside its header"},
    {"one byte short", SPLIT_TRAIN, IMAGES, PLAIN, cut_one,
     "has 39215 bytes where its header promises 39216"},
    {"half", SPLIT_TRAIN, LABELS, PLAIN, cut_half, "where its header promises 58"},
    {"one byte long", SPLIT_TEST, IMAGES, PLAIN, append_one,
     "has 15697 bytes where its header promises 15696"},
    {"labels one long", SPLIT_TEST, LABELS, PLAIN, append_one, "where its header promises 28"},
    {"content short in gzip", SPLIT_TRAIN, IMAGES, AFTER, cut_one,
     "ends after 39199 of the 39200 bytes"},
    {"content long in gzip", SPLIT_TRAIN, IMAGES, AFTER, append_one,
     "goes on behind the 39200 bytes"},
    {"gzip cut in half", SPLIT_TRAIN, IMAGES, BEFORE, cut_half, "cut short"},
    {"gzip cut by one", SPLIT_TRAIN, IMAGES, BEFORE, cut_one, "cut short"},
    {"gzip cut in trailer", SPLIT_TEST, LABELS, BEFORE, cut_trailer, "cut short"},
    {"gzip cut to 10 bytes", SPLIT_TEST, LABELS, BEFORE, cut_in_header, "cut short"},
    {"gzip checksum", SPLIT_TRAIN, IMAGES, BEFORE, flip_checksum, "damaged (incorrect data check)"},
    {"gzip bit", SPLIT_TRAIN, IMAGES, BEFORE, flip_middle, "damaged"},
    {"garbage behind gzip", SPLIT_TRAIN, LABELS, BEFORE, append_words, "damaged"},
    {"words", SPLIT_TRAIN, IMAGES, PLAIN, become_words,
     "is no IDX file (it starts with 0x3c68746d, images (idx3) start with 0x00000803)"},
    {"words in gzip", SPLIT_TEST, LABELS, AFTER, become_words, "is no IDX file"},
    {"floats", SPLIT_TRAIN, IMAGES, PLAIN, become_floats, "element type 0x0d and rank 3"},
    {"labels as images", SPLIT_TRAIN, IMAGES, PLAIN, become_labels,
     "holds labels (idx1) where images (idx3) are wanted"},
    {"images as labels", SPLIT_TEST, LABELS, AFTER, become_images,
     "holds images (idx3) where labels (idx1) are wanted"},
    {"labels of the other split", SPLIT_TEST, LABELS, PLAIN, become_other_split,
     "has 50 labels for the 20 images of"},
    {"label 10", SPLIT_TRAIN, LABELS, PLAIN, label_ten,
     "label 10 of image 3 (the first is 0) is not in 0 ... 9"},
    {"label 255", SPLIT_TEST, LABELS, AFTER, label_255_last, "label 255 of image 19"},
    {"no images", SPLIT_TRAIN, IMAGES, PLAIN, no_images, "says that it is empty"},
    {"no height", SPLIT_TRAIN, IMAGES, PLAIN, no_height, "says that it is empty"},
    {"other shape", SPLIT_TEST, IMAGES, PLAIN, wide,
     "holds images of 14 x 56 pixels, mnist has 28 x 28"},
    {"2^96 bytes", SPLIT_TRAIN, IMAGES, PLAIN, claim_everything, "claims more than"},
    {"2^96 bytes in gzip", SPLIT_TRAIN, IMAGES, AFTER, claim_everything, "claims more than"},
    {"a product that wraps", SPLIT_TRAIN, IMAGES, AFTER, claim_wrapped, "claims more than"},
    {"a gigabyte in gzip", SPLIT_TEST, IMAGES, AFTER, claim_a_gigabyte, "more than"},
    {"a gigabyte", SPLIT_TEST, IMAGES, PLAIN, claim_a_gigabyte,
     "where its header promises 784000016"},
};

/* The message names the file, says the fault and fits a line; nothing was prepared. */
static void expect_failure(const char *title, const char *path, const char *says) {
    struct dataset d;
    struct error e = {0};
    if (!dataset_open(&d, "mnist", &e))
        fail_msg("%s: was accepted", title);
    if (strncmp(e.text, path, strlen(path)) != 0 || !strstr(e.text, says) || strchr(e.text, '\n'))
        fail_msg("%s: '%s' does not say '%s: %s'", title, e.text, path, says);
    assert_int_equal(tiny_count_prepared(), 0);
    assert_null(d.map);
    dataset_close(&d);
}

static void spoiled_bytes(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof bad_files / sizeof bad_files[0]; i++) {
        const struct bad *bad = &bad_files[i];
        struct bytes b = tiny_idx(bad->split, bad->part);
        if (bad->gzip == BEFORE)
            b = tiny_gzip(b);
        bad->spoil(&b);
        if (bad->gzip == AFTER)
            b = tiny_gzip(b);
        tiny_write(bad->split, bad->part, bad->gzip != PLAIN, b);
        expect_failure(bad->title, tiny_path(bad->split, bad->part, bad->gzip != PLAIN), bad->says);
        unlink(tiny_path(bad->split, bad->part, 1));
        tiny_write(bad->split, bad->part, 0, tiny_idx(bad->split, bad->part));
    }
    char hash[HASH_HEX];
    tiny_hash(hash); // and the set as it was is good
}

static void missing_file(void **state) {
    (void)state;
    unlink(tiny_path(SPLIT_TEST, LABELS, 0));
    expect_failure("missing", tiny_path(SPLIT_TEST, LABELS, 0), "not found there, nor with .gz");
}

static void folder_in_place_of_a_file(void **state) {
    (void)state;
    unlink(tiny_path(SPLIT_TRAIN, IMAGES, 0));
    assert_int_equal(mkdir(tiny_path(SPLIT_TRAIN, IMAGES, 0), 0777), 0);
    expect_failure("folder", tiny_path(SPLIT_TRAIN, IMAGES, 0),
                   "is a folder, and the file is not in it (it is empty)");
}

static void pipe_in_place_of_a_file(void **state) {
    (void)state;
    unlink(tiny_path(SPLIT_TRAIN, LABELS, 0));
    assert_int_equal(mkfifo(tiny_path(SPLIT_TRAIN, LABELS, 0), 0666), 0);
    alarm(60);
    expect_failure("pipe", tiny_path(SPLIT_TRAIN, LABELS, 0), "is not a regular file");
    alarm(0);
}

/* A claim of a gigabyte must be refused before memory is taken for it. A sparse file is as large as
 * it says and takes no disk. */
static void sparse_giant(void **state) {
    (void)state;
    FILE *out = fopen(tiny_path(SPLIT_TRAIN, IMAGES, 0), "wb");
    assert_int_equal(ftruncate(fileno(out), (off_t)1 << 40), 0);
    fclose(out);
    expect_failure("giant", tiny_path(SPLIT_TRAIN, IMAGES, 0), "more than the 1073741824 allowed");
}

static void expect_unknown(const char *name, const char *first, const char *second) {
    struct dataset d;
    struct error e = {0};
    assert_int_equal(dataset_open(&d, name, &e), -1);
    if (!strstr(e.text, first) || !strstr(e.text, second))
        fail_msg("'%s' does not say '%s' and '%s'", e.text, first, second);
}

static void missing_sets_say_where_and_how(void **state) {
    (void)state;
    expect_unknown("kmnist", "data/kmnist or /usr/share/datasets/kmnist",
                   "run scripts/data.sh kmnist");
    expect_unknown("mnits", "unknown data set 'mnits'", "fashion-mnist, mnist, kmnist");
    expect_unknown("", "unknown data set ''", "mnist");
    unsetenv("TRUNCQUANT_DATA");
    expect_unknown("kmnist", "not found in /usr/share/datasets/kmnist;", "$TRUNCQUANT_DATA/kmnist");
    assert_null(dataset_help("mnits"));
    for (int i = 0; dataset_name(i); i++)
        assert_non_null(dataset_help(dataset_name(i)));
    assert_string_equal(dataset_name(0), "fashion-mnist");
}

/* A set of ours that is not whole is not silently replaced by the system's. */
static void half_a_set_is_an_error(void **state) {
    (void)state;
    assert_int_equal(mkdir(folder_file(tiny_root, "data/fashion-mnist"), 0777), 0);
    expect_unknown("fashion-mnist", folder_file(tiny_root, "data/fashion-mnist/train-images"),
                   "apt-get install dataset-fashion-mnist");
}

#define WITH_SET(test) cmocka_unit_test_setup_teardown(test, tiny_start, tiny_end)

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_SET(spoiled_bytes),
        WITH_SET(missing_file),
        WITH_SET(folder_in_place_of_a_file),
        WITH_SET(pipe_in_place_of_a_file),
        WITH_SET(sparse_giant),
        WITH_SET(missing_sets_say_where_and_how),
        WITH_SET(half_a_set_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
