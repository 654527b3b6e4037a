/* The folder of prepared files: sources of one name side by side, the last used kept, nothing of
 * others touched. */
#include "base/file.h"
#include "data/cache.h"
#include "data/tiny_set.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static void write_one(const char *name) {
    struct error e = {0};
    assert_int_equal(file_make_folder(folder_file(tiny_root, "cache"), &e), 0);
    assert_int_equal(file_replace(folder_file(tiny_root, name), "x", 1, &e), 0);
}

static ino_t inode(const char *path) {
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    return st.st_ino;
}

static void use_folder(const char *name) {
    setenv("TRUNCQUANT_DATA", folder_file(tiny_root, name), 1);
}

/* Two sets of one name that are used in turn are prepared once each. */
static void sources_alternate(void **state) {
    (void)state;
    char hash[HASH_HEX], again[HASH_HEX], first[FOLDER_PATH], second[FOLDER_PATH];
    tiny_hash(hash);
    snprintf(first, sizeof first, "%s", tiny_prepared());
    ino_t inodes[2] = {inode(first)};
    assert_int_equal(mkdir(folder_file(tiny_root, "other"), 0777), 0);
    assert_int_equal(symlink("../data/mnist", folder_file(tiny_root, "other/mnist")), 0);
    use_folder("other");
    assert_string_equal(tiny_prepared(), first); // the same files by another way
    assert_int_equal(unlink(folder_file(tiny_root, "other/mnist")), 0);
    char copy[3 * FOLDER_PATH];
    snprintf(copy, sizeof copy, "cp -r '%s/data/mnist' '%s/other/mnist'", tiny_root, tiny_root);
    assert_int_equal(system(copy), 0);
    tiny_hash(again);
    assert_string_equal(hash, again);
    snprintf(second, sizeof second, "%s", tiny_prepared());
    inodes[1] = inode(second);
    for (int i = 0; i < 4; i++) {
        use_folder(i % 2 ? "other" : "data");
        tiny_hash(again);
        assert_int_equal(inode(i % 2 ? second : first), inodes[i % 2]);
    }
    assert_int_equal(tiny_count_prepared(), 2);
}

/* File number `i` of a name, last used at second `i`. */
static const char *numbered(int i) {
    char name[64];
    snprintf(name, sizeof name, "cache/mnist-%016x.prepared", i);
    return folder_file(tiny_root, name);
}

static void the_last_used_are_kept(void **state) {
    (void)state;
    static const int order[] = {3, 7, 1, 6, 2, 5, 4}; // in which they are made
    struct error e = {0};
    assert_int_equal(file_make_folder(folder_file(tiny_root, "cache"), &e), 0);
    for (int i = 0; i < 7; i++) {
        assert_int_equal(file_replace(numbered(order[i]), "x", 1, &e), 0);
        const struct timespec times[2] = {{.tv_sec = order[i]}, {.tv_nsec = UTIME_OMIT}};
        assert_int_equal(utimensat(AT_FDCWD, numbered(order[i]), times, 0), 0);
    }
    char hash[HASH_HEX];
    tiny_hash(hash);
    assert_int_equal(tiny_count_prepared(), CACHE_KEPT);
    for (int i = 1; i <= 7; i++)
        assert_int_equal(file_exists(numbered(i)), i > 7 - (CACHE_KEPT - 1));
    assert_true(file_exists(tiny_prepared()));
}

static void set_used(const char *path, long seconds_from_now) {
    const struct timespec times[2] = {{.tv_sec = time(NULL) + seconds_from_now},
                                      {.tv_nsec = UTIME_OMIT}};
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

/* Opening is use: what was made long ago and is read every day stays. */
static void opening_is_use(void **state) {
    (void)state;
    struct error e = {0};
    struct stat st;
    char hash[HASH_HEX], first[FOLDER_PATH];
    tiny_hash(hash);
    snprintf(first, sizeof first, "%s", tiny_prepared());
    set_used(first, 1000); // the kernel does not note reading where the time is ahead of the change
    tiny_hash(hash);
    assert_int_equal(stat(first, &st), 0);
    assert_true(st.st_atim.tv_sec < time(NULL) + 100);
    for (int i = 0; i < CACHE_KEPT; i++) {
        assert_int_equal(file_replace(numbered(i), "x", 1, &e), 0);
        set_used(numbered(i), -500);
    }
    tiny_labels[SPLIT_TEST][0] ^= 1; // another source: one more is prepared
    tiny_write_all(0);
    tiny_hash(hash);
    assert_true(file_exists(first));
    assert_int_equal(tiny_count_prepared(), CACHE_KEPT);
}

static void only_waste_of_that_name_goes(void **state) {
    (void)state;
    static const char *const waste[] = {"cache/mnist.prepared", // of the first version
                                        "cache/mnist.prepared.12.tmp",
                                        "cache/mnist-0123456789abcdef.prepared.7.tmp"};
    static const char *const others[] = {"cache/kmnist.prepared",
                                         "cache/kmnist.prepared.1.tmp",
                                         "cache/mnist-letters-0123456789abcdef.prepared",
                                         "cache/mnist-letters-0123456789abcdef.prepared.1.tmp",
                                         "cache/mnist-0123456789abcde.prepared",
                                         "cache/mnist-0123456789abcdefg.prepared",
                                         "cache/mnist-0123456789abcdef.prepared.old",
                                         "cache/mnist.prepared.old",
                                         "cache/mnist.prepared.lock",
                                         "cache/notes.txt"};
    enum { WASTE = sizeof waste / sizeof waste[0], OTHERS = sizeof others / sizeof others[0] };
    for (int i = 0; i < WASTE; i++)
        write_one(waste[i]);
    for (int i = 0; i < OTHERS; i++)
        write_one(others[i]);
    char hash[HASH_HEX];
    tiny_hash(hash);
    for (int i = 0; i < WASTE; i++)
        if (file_exists(folder_file(tiny_root, waste[i])))
            fail_msg("%s is still there", waste[i]);
    for (int i = 0; i < OTHERS; i++)
        if (!file_exists(folder_file(tiny_root, others[i])))
            fail_msg("%s is gone", others[i]);
}

static void its_size_is_known(void **state) {
    (void)state;
    int files;
    assert_int_equal(cache_bytes(folder_file(tiny_root, "none"), &files), 0);
    assert_int_equal(files, 0);
    char hash[HASH_HEX];
    tiny_hash(hash);
    write_one("cache/notes.txt");
    long long bytes = cache_bytes(folder_file(tiny_root, "cache"), &files);
    assert_int_equal(files, 1);
    assert_true(bytes > (TINY_TRAIN + TINY_TEST) * TINY_PLANE && bytes < 100000);
}

#define WITH_SET(test) cmocka_unit_test_setup_teardown(test, tiny_start, tiny_end)

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_SET(sources_alternate), WITH_SET(the_last_used_are_kept),
        WITH_SET(opening_is_use),    WITH_SET(only_waste_of_that_name_goes),
        WITH_SET(its_size_is_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
