/* Data sets that are not what they were: flipped bits of a prepared file, and images of a folder
 * that change while it is used. */
#include "base/file.h"
#include "data/dataset.h"
#include "data/image_set.h"
#include "data/images/stream.h"
#include "data/picture.h"
#include "data/prepared.h"
#include "data/tiny_set.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* ---- prepared files ---- */

static struct dataset open_checked(void) {
    struct dataset d;
    struct error e = {0};
    if (dataset_open_checked(&d, "mnist", 0, &e))
        fail_msg("%s", e.text);
    return d;
}

static void flip_bit(size_t at) {
    uint8_t byte;
    int fd = open(tiny_prepared(), O_RDWR | O_CLOEXEC);
    assert_int_equal(pread(fd, &byte, 1, (off_t)at), 1);
    byte ^= 1;
    assert_int_equal(pwrite(fd, &byte, 1, (off_t)at), 1);
    close(fd);
}

static int is_right(const struct dataset *d) {
    for (int s = 0; s < SPLITS; s++)
        if (d->split[s].n != tiny_n[s] ||
            memcmp(d->split[s].pixels, tiny_pixels[s], tiny_n[s] * TINY_PLANE) != 0)
            return 0;
    return 1;
}

static size_t first_pixel(const struct dataset *d, enum split split) {
    return (size_t)(d->split[split].pixels - (const uint8_t *)d->map);
}

/* In either split, first and last. Who opened it before keeps what it had. */
static void flipped_pixels_are_made_anew(void **state) {
    (void)state;
    char hash[HASH_HEX];
    tiny_hash(hash);
    for (int split = 0; split < SPLITS; split++)
        for (int last = 0; last < 2; last++) {
            struct dataset before = open_checked(), d;
            struct error e = {0};
            flip_bit(first_pixel(&before, (enum split)split) +
                     (last ? tiny_n[split] * TINY_PLANE - 1 : 0));
            // Who does not compute with it is not made to wait.
            assert_int_equal(dataset_open(&d, "mnist", &e), 0);
            assert_false(is_right(&d));
            dataset_close(&d);
            d = open_checked();
            assert_true(is_right(&d));
            assert_string_equal(d.hash, hash);
            dataset_close(&d);
            dataset_close(&before);
            assert_int_equal(tiny_count_prepared(), 1);
        }
}

static void sound_files_are_left_alone(void **state) {
    (void)state;
    struct stat first, second;
    struct dataset d = open_checked();
    dataset_close(&d);
    assert_int_equal(stat(tiny_prepared(), &first), 0);
    d = open_checked();
    assert_true(is_right(&d));
    dataset_close(&d);
    assert_int_equal(stat(tiny_prepared(), &second), 0);
    assert_int_equal(first.st_ino, second.st_ino);
}

static void processes_at_once_all_get_it_right(void **state) {
    (void)state;
    enum { CHILDREN = 8, ROUNDS = 5 };
    for (int round = 0; round < ROUNDS; round++) {
        pid_t child[CHILDREN];
        struct dataset d = open_checked();
        size_t pixel = first_pixel(&d, SPLIT_TRAIN);
        dataset_close(&d);
        flip_bit(pixel + (size_t)round);
        for (int i = 0; i < CHILDREN; i++) {
            child[i] = fork();
            if (!child[i]) {
                struct error e = {0};
                _exit(dataset_open_checked(&d, "mnist", 0, &e) || !is_right(&d));
            }
        }
        for (int i = 0; i < CHILDREN; i++) {
            int status;
            assert_int_equal(waitpid(child[i], &status, 0), child[i]);
            assert_int_equal(status, 0);
        }
        assert_int_equal(tiny_count_prepared(), 1);
    }
}

/* ---- folders ---- */

static struct dataset open_stream(void) {
    struct dataset d;
    struct error e = {0};
    if (dataset_open_checked(&d, "set", 16, &e))
        fail_msg("%s", e.text);
    return d;
}

/* "train/CLASS/NAME" of the second class. */
static const char *in_class(const char *name) {
    static char path[2][256];
    static int turn;
    char *to = path[turn ^= 1];
    snprintf(to, sizeof path[0], "train/%s/%s", image_set_classes[1], name);
    return to;
}

static void draw(const char *name, unsigned number) {
    uint8_t pixels[IMAGE_SET_SIDE * IMAGE_SET_SIDE * 3];
    picture_draw(pixels, IMAGE_SET_SIDE, IMAGE_SET_SIDE, number);
    picture_write(image_set_file(name),
                  picture_png(pixels, IMAGE_SET_SIDE, IMAGE_SET_SIDE, 2, 8, 0)); // 2: RGB
}

static void touch(const char *name) {
    const struct timespec times[2] = {{1000000000, 0}, {1000000000, 0}};
    assert_int_equal(utimensat(AT_FDCWD, image_set_file(name), times, 0), 0);
}

static void expect_refused(const struct dataset *d, const char *name, const char *what) {
    struct error e = {0};
    assert_int_equal(dataset_check(d, "set", &e), -1);
    if (!strstr(e.text, name) || !strstr(e.text, what))
        fail_msg("expected '%s' and '%s' in '%s'", name, what, e.text);
}

static void expect_let_pass(const struct dataset *d) {
    struct error e = {0};
    if (dataset_check(d, "set", &e))
        fail_msg("%s", e.text);
}

static void changed_images_are_named(void **state) {
    (void)state;
    struct dataset d = open_stream();
    char moved[4096];
    expect_let_pass(&d);
    draw(in_class("3.png"), 77);
    expect_refused(&d, "/3.png: has changed", "since the run began");
    draw(in_class("3.png"), image_set_number(0, 1, 3)); // the old one again, at another time
    expect_let_pass(&d);
    draw(in_class("new.png"), 78);
    expect_refused(&d, "/new.png: is new", "since the run began");
    unlink(image_set_file(in_class("new.png")));
    snprintf(moved, sizeof moved, "%s", image_set_file(in_class("away")));
    rename(image_set_file(in_class("7.png")), moved);
    expect_refused(&d, "/7.png: went away", "since the run began");
    rename(moved, image_set_file(in_class("7.png")));
    expect_let_pass(&d);
    dataset_close(&d);
}

static void other_times_alone_change_nothing(void **state) {
    (void)state;
    struct dataset d = open_stream();
    touch(in_class("5.png"));
    expect_let_pass(&d);
    chmod(image_set_file(in_class("6.png")), 0600);
    expect_let_pass(&d);
    dataset_close(&d);
}

/* Not even once is a run trained on an image that is not the one that was listed. */
static void changed_images_are_not_read(void **state) {
    (void)state;
    struct dataset d = open_stream();
    float image[3 * 16 * 16];
    int refused = 0;
    draw(in_class("3.png"), 77);
    for (uint32_t i = 0; i < d.split[SPLIT_TRAIN].n; i++) {
        struct error e = {0};
        struct batch_request r = {.split = SPLIT_TRAIN, .order = &i, .n = 1, .channels = 3};
        if (image_stream_fill(&d, &r, 0, image, &e)) {
            assert_non_null(strstr(e.text, "/3.png: has changed since"));
            refused++;
        }
    }
    assert_int_equal(refused, 1);
    dataset_close(&d);
}

static void sets_in_memory_need_no_look(void **state) {
    (void)state;
    struct dataset d = open_checked();
    struct error e = {0};
    unlink(tiny_path(SPLIT_TRAIN, 0, 0));
    assert_int_equal(dataset_check(&d, "mnist", &e), 0);
    dataset_close(&d);
}

int main(void) {
#define TINY(test) cmocka_unit_test_setup_teardown(test, tiny_start, tiny_end)
#define FOLDER(test) cmocka_unit_test_setup_teardown(test, image_set_start, image_set_end)
    const struct CMUnitTest tests[] = {
        TINY(flipped_pixels_are_made_anew),       TINY(sound_files_are_left_alone),
        TINY(processes_at_once_all_get_it_right), TINY(sets_in_memory_need_no_look),
        FOLDER(changed_images_are_named),         FOLDER(other_times_alone_change_nothing),
        FOLDER(changed_images_are_not_read),
    };
    return cmocka_run_group_tests_name("checked data sets", tests, NULL, NULL);
}
