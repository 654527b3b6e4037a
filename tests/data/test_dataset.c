/* Opening data sets: the content arrives unchanged, the prepared file is used while it is current
 * and made anew when it is not, however it was damaged and however many processes start at once. */
#include "base/file.h"
#include "data/cache.h"
#include "data/prepared.h"
#include "data/tiny_set.h"

#include <fcntl.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { IMAGES, LABELS };

static void open_tiny(struct dataset *d) {
    struct error e = {0};
    if (dataset_open(d, "mnist", &e))
        fail_msg("%s", e.text);
}

static void expect_content(const struct dataset *d) {
    for (int s = 0; s < SPLITS; s++) {
        assert_int_equal(d->split[s].n, tiny_n[s]);
        assert_memory_equal(d->split[s].pixels, tiny_pixels[s], tiny_n[s] * TINY_PLANE);
        for (uint32_t i = 0; i < tiny_n[s]; i++)
            assert_int_equal(d->split[s].labels[i], tiny_labels[s][i]);
        assert_int_equal((uintptr_t)d->split[s].pixels % 64, 0);
        assert_int_equal((uintptr_t)d->split[s].labels % 64, 0);
    }
}

static void content_arrives(void **state) {
    (void)state;
    for (int gz = 0; gz < 2; gz++) {
        tiny_write_all(gz);
        struct dataset d;
        open_tiny(&d);
        expect_content(&d);
        assert_string_equal(d.name, "mnist");
        assert_int_equal(d.shape.c, 1);
        assert_int_equal(d.shape.h, TINY_SIDE);
        assert_int_equal(d.shape.w, TINY_SIDE);
        assert_int_equal(d.classes, 10);
        assert_int_equal(d.crop_flip, 0);
        dataset_close(&d);
        assert_null(d.map);
        dataset_close(&d); // twice does no harm
    }
}

/* Two passes in double, the obvious way; of the training split alone. */
static void statistics_are_those_of_train(void **state) {
    (void)state;
    double sum = 0, squares = 0, n = TINY_TRAIN * TINY_PLANE;
    for (int i = 0; i < TINY_TRAIN * TINY_PLANE; i++)
        sum += tiny_pixels[SPLIT_TRAIN][i / TINY_PLANE][i % TINY_PLANE] / 255.0;
    for (int i = 0; i < TINY_TRAIN * TINY_PLANE; i++)
        squares +=
            pow(tiny_pixels[SPLIT_TRAIN][i / TINY_PLANE][i % TINY_PLANE] / 255.0 - sum / n, 2);
    struct dataset d;
    open_tiny(&d);
    assert_true(fabs((double)d.mean[0] - sum / n) < 1e-7);
    assert_true(fabs((double)d.deviation[0] - sqrt(squares / n)) < 1e-7);
    dataset_close(&d);
}

/* Nothing can be learnt of them: a file that was lost, or a shape that no channel shows. */
static void equal_pixels_are_refused(void **state) {
    (void)state;
    struct dataset d;
    struct error e = {0};
    memset(tiny_pixels[SPLIT_TRAIN], 51, sizeof tiny_pixels[SPLIT_TRAIN]);
    tiny_write_all(0);
    assert_int_equal(dataset_open(&d, "mnist", &e), -1);
    assert_non_null(strstr(e.text, "/mnist: all pixels of the training images are equal"));
    tiny_pixels[SPLIT_TRAIN][0][7] = 52;
    tiny_write_all(0);
    open_tiny(&d);
    dataset_close(&d);
}

/* The manifest hash enters every run's identity. Written out here from its definition. */
static void expected_hash(char hash[HASH_HEX]) {
    char text[1024], hex[HASH_HEX];
    size_t at = (size_t)snprintf(text, sizeof text, "shape 1 28 28\nclasses 10\n");
    for (int s = 0; s < SPLITS; s++) {
        hash_hex(tiny_pixels[s], tiny_n[s] * TINY_PLANE, hex);
        at += (size_t)snprintf(text + at, sizeof text - at, "%s %u %s ", s ? "test" : "train",
                               tiny_n[s], hex);
        hash_hex(tiny_labels[s], tiny_n[s], hex);
        at += (size_t)snprintf(text + at, sizeof text - at, "%s\n", hex);
    }
    hash_hex(text, at, hash);
}

static void hash_is_of_the_content(void **state) {
    (void)state;
    char plain[HASH_HEX], packed[HASH_HEX], expected[HASH_HEX];
    tiny_hash(plain);
    expected_hash(expected);
    assert_string_equal(plain, expected);
    tiny_write_all(1);
    tiny_hash(packed);
    assert_string_equal(plain, packed);
    // two gzip members, one behind the other, are one file
    struct bytes all = tiny_idx(SPLIT_TRAIN, IMAGES), first = {malloc(1000), 1000};
    memcpy(first.at, all.at, first.n);
    all.n -= first.n;
    memmove(all.at, all.at + first.n, all.n);
    first.at = realloc(first.at, 1 << 17);
    first = tiny_gzip(first);
    all = tiny_gzip(all);
    first.at = realloc(first.at, first.n + all.n);
    memcpy(first.at + first.n, all.at, all.n);
    first.n += all.n;
    free(all.at);
    tiny_write(SPLIT_TRAIN, IMAGES, 1, first);
    tiny_hash(packed);
    assert_string_equal(plain, packed);
}

/* Files as 7-Zip names them, and each in a folder of its own name, as some archives are unpacked:
 * the same set. */
static void other_names_of_files(void **state) {
    (void)state;
    char hash[HASH_HEX], from[FOLDER_PATH], to[FOLDER_PATH + 64];
    tiny_hash(hash);
    for (int i = 0; i < 4; i++) {
        snprintf(from, sizeof from, "%s", tiny_path(i / 2, i % 2, 0));
        snprintf(to, sizeof to, "%s", from);
        *strstr(to, "-idx") = '.';
        if (i >= 2) {
            char base[64];
            snprintf(base, sizeof base, "%s", strrchr(to, '/'));
            assert_int_equal(mkdir(to, 0777), 0);
            strcat(to, base);
        }
        assert_int_equal(rename(from, to), 0);
    }
    char again[HASH_HEX];
    tiny_hash(again);
    assert_string_equal(again, hash);
}

static void hash_sees_every_part(void **state) {
    (void)state;
    char hashes[6][HASH_HEX];
    tiny_hash(hashes[0]);
    uint8_t *changed[] = {&tiny_pixels[SPLIT_TRAIN][0][0],
                          &tiny_pixels[SPLIT_TRAIN][TINY_TRAIN - 1][TINY_PLANE - 1],
                          &tiny_pixels[SPLIT_TEST][TINY_TEST - 1][3], &tiny_labels[SPLIT_TRAIN][7],
                          &tiny_labels[SPLIT_TEST][TINY_TEST - 1]};
    for (int i = 0; i < 5; i++) {
        uint8_t kept = *changed[i];
        *changed[i] = kept ? 0 : 1;
        tiny_write_all(0);
        tiny_hash(hashes[i + 1]);
        *changed[i] = kept;
    }
    for (int i = 0; i < 6; i++)
        for (int j = 0; j < i; j++)
            assert_string_not_equal(hashes[i], hashes[j]);
}

static struct stat prepared_stat(void) {
    struct stat st;
    assert_int_equal(stat(tiny_prepared(), &st), 0);
    return st;
}

/* True when the prepared file is another one than `before` describes. */
static int made_anew(struct stat before) {
    struct stat now = prepared_stat();
    return now.st_ino != before.st_ino || now.st_mtim.tv_sec != before.st_mtim.tv_sec ||
           now.st_mtim.tv_nsec != before.st_mtim.tv_nsec;
}

static void prepared_once_while_current(void **state) {
    (void)state;
    char hash[HASH_HEX], again[HASH_HEX];
    tiny_hash(hash);
    struct stat before = prepared_stat();
    // A current file needs no lock and no right to write in the cache.
    int lock = open(folder_file(tiny_root, "cache/mnist.prepared.lock"), O_RDWR);
    assert_int_equal(flock(lock, LOCK_EX), 0);
    alarm(60);
    tiny_hash(again);
    alarm(0);
    close(lock);
    assert_false(made_anew(before));
    assert_string_equal(hash, again);
}

static void touch(const char *path, long nanoseconds) {
    struct timespec times[2] = {{.tv_nsec = UTIME_OMIT},
                                {.tv_sec = 1000000, .tv_nsec = nanoseconds}};
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static void stale_when_the_source_changes(void **state) {
    (void)state;
    struct dataset d;
    for (int i = 0; i < 2 * SPLITS; i++) {
        open_tiny(&d);
        dataset_close(&d);
        struct stat before = prepared_stat();
        touch(tiny_path(i / 2, i % 2, 0), i + 1);
        open_tiny(&d);
        dataset_close(&d);
        assert_true(made_anew(before)); // whichever of the four files it was
    }
    tiny_labels[SPLIT_TRAIN][0] = (uint8_t)(9 - tiny_labels[SPLIT_TRAIN][0]);
    tiny_pixels[SPLIT_TEST][5][5] ^= 255;
    tiny_write_all(0);
    open_tiny(&d);
    expect_content(&d);
    dataset_close(&d);
}

static void stale_when_the_source_moves(void **state) {
    (void)state;
    char hash[HASH_HEX], again[HASH_HEX];
    tiny_hash(hash);
    struct stat before = prepared_stat();
    assert_int_equal(rename(folder_file(tiny_root, "data"), folder_file(tiny_root, "moved")), 0);
    setenv("TRUNCQUANT_DATA", folder_file(tiny_root, "moved"), 1);
    tiny_hash(again);
    assert_true(made_anew(before));
    assert_string_equal(hash, again);
}

/* An open data set stays what it was while others prepare it anew. */
static void open_ones_do_not_change(void **state) {
    (void)state;
    struct dataset old, new;
    open_tiny(&old);
    uint8_t before = tiny_pixels[SPLIT_TRAIN][0][0];
    tiny_pixels[SPLIT_TRAIN][0][0] ^= 255;
    tiny_write_all(0);
    open_tiny(&new);
    assert_int_equal(old.split[SPLIT_TRAIN].pixels[0], before);
    assert_int_equal(new.split[SPLIT_TRAIN].pixels[0], before ^ 255);
    dataset_close(&old);
    dataset_close(&new);
}

static struct prepared_header *read_prepared(size_t *size) {
    struct error e = {0};
    char *file = file_read(tiny_prepared(), 1 << 20, size, &e);
    assert_string_equal(e.text, "");
    return (struct prepared_header *)file;
}

static void write_prepared(const void *file, size_t size) {
    struct error e = {0};
    assert_int_equal(file_replace(tiny_prepared(), file, size, &e), 0);
}

/* Whatever is there, opening works, brings the right content, and says nothing. */
static void expect_remade(const char *how, struct stat damaged) {
    struct dataset d;
    open_tiny(&d);
    expect_content(&d);
    dataset_close(&d);
    if (!made_anew(damaged))
        fail_msg("%s: the damaged file was used", how);
}

static void every_byte_of_the_header_is_guarded(void **state) {
    (void)state;
    char hash[HASH_HEX];
    tiny_hash(hash);
    size_t size;
    struct prepared_header *h = read_prepared(&size);
    for (size_t i = 0; i < offsetof(struct prepared_header, checksum) + HASH_BYTES; i += 3) {
        ((char *)h)[i] ^= 4;
        write_prepared(h, size);
        ((char *)h)[i] ^= 4;
        char how[32];
        snprintf(how, sizeof how, "byte %zu", i);
        expect_remade(how, prepared_stat());
    }
    free(h);
}

static void labels_are_guarded(void **state) {
    (void)state;
    char hash[HASH_HEX];
    tiny_hash(hash);
    size_t size;
    struct prepared_header *h = read_prepared(&size);
    for (int s = 0; s < SPLITS; s++) {
        uint8_t *label = (uint8_t *)h + prepared_layout(h).labels[s] + 2 * tiny_n[s] - 1;
        *label ^= 128;
        write_prepared(h, size);
        *label ^= 128;
        expect_remade("label", prepared_stat());
    }
    free(h);
}

static void wrong_sizes_are_made_anew(void **state) {
    (void)state;
    char hash[HASH_HEX];
    tiny_hash(hash);
    size_t size;
    struct prepared_header *h = read_prepared(&size);
    const size_t sizes[] = {0, 1, 63, sizeof *h - 1, sizeof *h, 4096, size / 2, size - 1, size + 1};
    // file_read leaves a byte 0 behind the content: `size + 1` is a file with one byte too many.
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        write_prepared(h, sizes[i]);
        expect_remade("size", prepared_stat());
    }
    free(h);
}

static void other_version(struct prepared_header *h) {
    h->version++;
    hash_bytes(h, offsetof(struct prepared_header, checksum), h->checksum);
}

static void other_name(struct prepared_header *h) {
    strcpy(h->name, "kmnist");
    prepared_seal((char *)h);
}

static void other_source(struct prepared_header *h) {
    h->fingerprint[HASH_HEX - 2] ^= 1; // as of two whose names share their 16 digits
    prepared_seal((char *)h);
}

static void more_than_there_is(struct prepared_header *h) {
    h->n[SPLIT_TEST] += 64;
    prepared_seal((char *)h);
}

/* Whole and rightly sealed, but not for this program or not of this set. */
static void foreign_files_are_made_anew(void **state) {
    (void)state;
    static void (*const change[])(struct prepared_header *) = {other_version, other_name,
                                                               other_source, more_than_there_is};
    static const char *const how[] = {"version", "name", "source", "count"};
    char hash[HASH_HEX];
    tiny_hash(hash);
    size_t size;
    struct prepared_header *h = read_prepared(&size);
    char *changed = calloc(2, size); // with room for the labels that are not there
    for (size_t i = 0; i < sizeof change / sizeof change[0]; i++) {
        memcpy(changed, h, size);
        change[i]((struct prepared_header *)changed);
        write_prepared(changed, size);
        expect_remade(how[i], prepared_stat());
    }
    free(changed);
    free(h);
}

static int child_opens(int go, int says, int ready) {
    char byte;
    if (read(go, &byte, 1) != 0) // until the parent closes its end
        _exit(2);
    if (write(ready, "r", 1) != 1)
        _exit(4);
    struct dataset d;
    struct error e = {0};
    if (dataset_open(&d, "mnist", &e))
        _exit(1);
    for (int s = 0; s < SPLITS; s++)
        if (memcmp(d.split[s].pixels, tiny_pixels[s], tiny_n[s] * TINY_PLANE) != 0)
            _exit(3);
    close(says);
    _exit(0);
}

/* Counts the files that were renamed into the cache. */
static int renames(int watch) {
    char buffer[4096] __attribute__((aligned(8)));
    int n = 0;
    for (ssize_t got; (got = read(watch, buffer, sizeof buffer)) > 0;)
        for (char *p = buffer; p < buffer + got;) {
            const struct inotify_event *event = (const struct inotify_event *)p;
            n += (event->mask & IN_MOVED_TO) != 0;
            p += sizeof *event + event->len;
        }
    return n;
}

enum { CHILDREN = 4 };

/* Children that open the set at once, all of which have begun when this returns. */
static void start_children(pid_t child[CHILDREN], int lock, int watch) {
    int go[2], ready[2];
    char byte;
    assert_int_equal(pipe2(go, O_CLOEXEC), 0);
    assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
    for (int i = 0; i < CHILDREN; i++) {
        child[i] = fork();
        if (!child[i]) {
            close(lock); // an inherited descriptor would keep the lock
            close(go[1]);
            child_opens(go[0], watch, ready[1]);
        }
    }
    close(go[0]);
    close(go[1]);
    close(ready[1]);
    for (int i = 0; i < CHILDREN; i++)
        assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
}

/* All of them are to find nothing prepared before one of them prepares: the lock is held for a
 * while. */
static void processes_at_once_prepare_once(void **state) {
    (void)state;
    pid_t child[CHILDREN];
    struct error e = {0};
    assert_int_equal(file_make_folder(folder_file(tiny_root, "cache"), &e), 0);
    int watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    assert_true(inotify_add_watch(watch, folder_file(tiny_root, "cache"), IN_MOVED_TO) >= 0);
    int lock = open(folder_file(tiny_root, "cache/mnist.prepared.lock"), O_RDWR | O_CREAT, 0666);
    assert_int_equal(flock(lock, LOCK_EX), 0);
    start_children(child, lock, watch);
    usleep(100000); // time to come to the lock; nothing hangs on it being enough
    assert_int_equal(tiny_count_prepared(), 0);
    close(lock);
    for (int i = 0; i < CHILDREN; i++) {
        int status;
        waitpid(child[i], &status, 0);
        assert_int_equal(status, 0);
    }
    assert_int_equal(renames(watch), 1);
    assert_int_equal(folder_count(folder_file(tiny_root, "cache")), 2); // the file and its lock
    close(watch);
}

static void full_disk_is_said(void **state) {
    (void)state;
    pid_t child = fork();
    if (!child) {
        folder_limit_files(20000);
        struct dataset d;
        struct error e = {0};
        _exit(dataset_open(&d, "mnist", &e) == -1 && strstr(e.text, "cache/mnist-") &&
                      strstr(e.text, ".prepared: cannot be written (File too large)")
                  ? 0
                  : 1);
    }
    int status;
    waitpid(child, &status, 0);
    assert_int_equal(status, 0);
    assert_int_equal(folder_count(folder_file(tiny_root, "cache")), 1); // the lock
    char hash[HASH_HEX];
    tiny_hash(hash); // there is room again
}

static void expect_folder(const char *expected) {
    char folder[4096];
    struct error e = {0};
    assert_int_equal(cache_folder(folder, sizeof folder, &e), 0);
    assert_string_equal(folder, expected);
}

static void cache_folder_is_found(void **state) {
    (void)state;
    setenv("TRUNCQUANT_CACHE", "/a", 1);
    setenv("XDG_CACHE_HOME", "/b", 1);
    setenv("HOME", "/c", 1);
    expect_folder("/a");
    setenv("TRUNCQUANT_CACHE", "", 1);
    expect_folder("/b/truncquant");
    setenv("XDG_CACHE_HOME", "relative", 1);
    expect_folder("/c/.cache/truncquant");
    unsetenv("XDG_CACHE_HOME");
    expect_folder("/c/.cache/truncquant");
    unsetenv("HOME");
    struct dataset d;
    struct error e = {0};
    assert_int_equal(dataset_open(&d, "mnist", &e), -1);
    assert_non_null(strstr(e.text, "neither TRUNCQUANT_CACHE, XDG_CACHE_HOME nor HOME"));
}

static void unusable_cache_is_said(void **state) {
    (void)state;
    struct error e = {0}, wrong = {0};
    struct dataset d;
    assert_int_equal(file_replace(folder_file(tiny_root, "occupied"), "x", 1, &e), 0);
    setenv("TRUNCQUANT_CACHE", folder_file(tiny_root, "occupied"), 1);
    assert_int_equal(dataset_open(&d, "mnist", &wrong), -1);
    assert_non_null(strstr(wrong.text, "/occupied: the folder cannot be made"));
}

/* The official set, where Debian's package is installed: known mean and deviation, and our frozen
 * hash. */
static void fashion_mnist(void **state) {
    (void)state;
    struct dataset d;
    struct error e = {0};
    unsetenv("TRUNCQUANT_DATA");
    if (access("/usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz", R_OK))
        skip();
    if (dataset_open(&d, "fashion-mnist", &e))
        fail_msg("%s", e.text);
    assert_int_equal(d.split[SPLIT_TRAIN].n, 60000);
    assert_int_equal(d.split[SPLIT_TEST].n, 10000);
    assert_true(fabs((double)d.mean[0] - 0.2860406) < 1e-6);
    assert_true(fabs((double)d.deviation[0] - 0.3530242) < 1e-6);
    assert_string_equal(d.hash, "11a78df856a1b0e0f8a38cc51c1424573ca606401e651c86a9a866bdf64ac13e");
    dataset_close(&d);
}

#define WITH_SET(test) cmocka_unit_test_setup_teardown(test, tiny_start, tiny_end)

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_SET(content_arrives),
        WITH_SET(statistics_are_those_of_train),
        WITH_SET(equal_pixels_are_refused),
        WITH_SET(hash_is_of_the_content),
        WITH_SET(other_names_of_files),
        WITH_SET(hash_sees_every_part),
        WITH_SET(prepared_once_while_current),
        WITH_SET(stale_when_the_source_changes),
        WITH_SET(stale_when_the_source_moves),
        WITH_SET(open_ones_do_not_change),
        WITH_SET(every_byte_of_the_header_is_guarded),
        WITH_SET(labels_are_guarded),
        WITH_SET(wrong_sizes_are_made_anew),
        WITH_SET(foreign_files_are_made_anew),
        WITH_SET(processes_at_once_prepare_once),
        WITH_SET(full_disk_is_said),
        WITH_SET(cache_folder_is_found),
        WITH_SET(unusable_cache_is_said),
        WITH_SET(fashion_mnist),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
