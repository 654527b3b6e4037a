/* Listing folders of images: whatever the names, in an order that depends on them alone; what is no
 * image is named and skipped; what is no such folder gets one line. */
#include "data/image_set.h"
#include "data/images/folder.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static struct image_folder list(void) {
    struct image_folder f;
    struct error e = {0};
    if (image_folder_list(&f, image_set_file("."), &e))
        fail_msg("%s", e.text);
    return f;
}

static void refused(const char *says) {
    struct image_folder f;
    struct error e = {0};
    assert_int_equal(image_folder_list(&f, image_set_file("."), &e), -1);
    if (!strstr(e.text, says))
        fail_msg("'%s' does not say '%s'", e.text, says);
}

static void path_of(const struct image_folder *f, enum split split, uint32_t i, char *path) {
    struct error e = {0};
    assert_int_equal(image_folder_path(f, split, i, path, PATH_MAX, &e), 0);
}

static void every_image_is_there_once(void **state) {
    (void)state;
    struct image_folder f = list();
    static const uint32_t n[SPLITS] = {IMAGE_SET_TRAIN, IMAGE_SET_TEST};
    static const char *const names[SPLITS] = {"train", "test"};
    assert_int_equal(f.classes, IMAGE_SET_CLASSES);
    for (int c = 0; c < IMAGE_SET_CLASSES; c++)
        assert_string_equal(f.class_names[c], image_set_classes[c]);
    assert_int_equal(f.skipped.n, 0);
    for (int s = 0; s < SPLITS; s++) {
        int seen[IMAGE_SET_CLASSES][IMAGE_SET_TRAIN] = {0};
        assert_int_equal(f.split[s].n, n[s] * IMAGE_SET_CLASSES);
        for (uint32_t i = 0; i < f.split[s].n; i++) {
            char path[PATH_MAX], expected[PATH_MAX];
            path_of(&f, (enum split)s, i, path);
            int label = f.split[s].label[i], number = atoi(strrchr(path, '/') + 1);
            snprintf(expected, sizeof expected, "%s/%s/%s/%d.%s", f.root, names[s],
                     image_set_classes[label], number, number % 2 ? "png" : "PNG");
            assert_string_equal(path, expected);
            seen[label][number]++;
        }
        for (int c = 0; c < IMAGE_SET_CLASSES; c++)
            for (uint32_t i = 0; i < n[s]; i++)
                assert_int_equal(seen[c][i], 1);
    }
    image_folder_free(&f);
}

static void a_glance_counts_the_same_and_ends_in_time(void **state) {
    (void)state;
    struct image_folder f = list(), g;
    struct error e = {0};
    int whole;
    assert_int_equal(image_folder_glance(&g, image_set_file("."), 60, &whole, &e), 0);
    assert_true(whole);
    assert_int_equal(g.classes, f.classes);
    for (int s = 0; s < SPLITS; s++)
        assert_int_equal(g.split[s].n, f.split[s].n);
    image_folder_free(&g);
    assert_int_equal(image_folder_glance(&g, image_set_file("."), 1e-9, &whole, &e), 0);
    assert_false(whole);
    assert_int_equal(g.classes, f.classes);
    assert_int_equal(g.split[SPLIT_TRAIN].n, 0);
    image_folder_free(&g);
    image_folder_free(&f);
}

/* The first half of the images is not the first half of the classes. */
static void order_mixes_classes(void **state) {
    (void)state;
    struct image_folder f = list(), again = list();
    int count[IMAGE_SET_CLASSES] = {0};
    const struct image_files *train = &f.split[SPLIT_TRAIN];
    for (uint32_t i = 0; i < train->n / 2; i++)
        count[train->label[i]]++;
    for (int c = 0; c < IMAGE_SET_CLASSES; c++)
        assert_in_range(count[c], IMAGE_SET_TRAIN / 4, IMAGE_SET_TRAIN * 3 / 4);
    for (uint32_t i = 0; i < train->n; i++)
        assert_string_equal(train->names + train->name[i],
                            again.split[SPLIT_TRAIN].names + again.split[SPLIT_TRAIN].name[i]);
    image_folder_free(&f);
    image_folder_free(&again);
}

static const char *in_class(const char *name) {
    static char text[256];
    snprintf(text, sizeof text, "train/%s/%s", image_set_classes[2], name);
    return text;
}

static void what_is_no_image_is_skipped(void **state) {
    (void)state;
    mkdir(image_set_file(in_class("folder.jpg")), 0777);
    mkfifo(image_set_file(in_class("pipe.jpg")), 0666);
    assert_int_equal(symlink("nowhere.jpg", image_set_file(in_class("dangling.jpg"))), 0);
    assert_int_equal(symlink("loop.jpg", image_set_file(in_class("loop.jpg"))), 0);
    assert_int_equal(symlink("../..", image_set_file(in_class("above"))), 0);
    image_set_write(in_class("notes\n.txt"), "");
    image_set_write(in_class(".hidden"), "");
    image_set_write(in_class(".jpg"), "");
    image_set_write("train/README", "");
    struct image_folder f = list();
    static const char *const lines[] = {
        "/train/README: is not the folder of a class",
        "/above: its name does not end in .jpg",
        "/dangling.jpg: No such file",
        "/folder.jpg: is not a regular file",
        "/loop.jpg: Too many levels of symbolic links",
        "/notes?.txt: its name does not end in .jpg",
        "/pipe.jpg: is not a regular file",
    };
    enum { LINES = sizeof lines / sizeof lines[0] };
    assert_int_equal(f.skipped.n, LINES);
    const char *at = f.skipped.text;
    for (int i = 0; i < LINES; i++, at = strchr(at, '\n') + 1) {
        const char *found = strstr(at, lines[i]);
        if (!found || memchr(at, '\n', (size_t)(found - at)))
            fail_msg("'%s' does not go on with '%s'", at, lines[i]);
    }
    assert_string_equal(at, "");
    assert_int_equal(f.split[SPLIT_TRAIN].n, IMAGE_SET_TRAIN * IMAGE_SET_CLASSES);
    image_folder_free(&f);
}

/* Names that systems leave are passed over, wherever they stand, and only counted. */
static void what_systems_leave_is_passed_over(void **state) {
    (void)state;
    struct image_folder before = list();
    image_set_write(in_class("Thumbs.db"), "x");
    image_set_write(in_class("desktop.ini"), "x");
    mkdir(image_set_file("train/__MACOSX"), 0777);
    image_set_write("train/__MACOSX/0.png", "x");
    image_set_write("test/THUMBS.DB", "x");
    mkdir(image_set_file("test/@eaDir"), 0777);
    struct image_folder f = list();
    assert_int_equal(f.skipped.n, 0);
    assert_int_equal(f.skipped.n_left_by_systems, 5);
    assert_int_equal(f.classes, IMAGE_SET_CLASSES);
    assert_string_equal(f.fingerprint, before.fingerprint);
    image_folder_free(&f);
    image_folder_free(&before);
}

/* train/CLASS/images/FILE, beside another file, as Tiny ImageNet has them. */
static void images_in_a_folder_of_their_own(void **state) {
    (void)state;
    char class[PATH_MAX], away[PATH_MAX], inner[PATH_MAX];
    snprintf(class, sizeof class, "%s", image_set_file(in_class("")));
    class[strlen(class) - 1] = '\0';
    snprintf(away, sizeof away, "%s", folder_file(image_set_root, "away"));
    snprintf(inner, sizeof inner, "%s", image_set_file(in_class("images")));
    assert_int_equal(rename(class, away), 0);
    assert_int_equal(mkdir(class, 0777), 0);
    assert_int_equal(rename(away, inner), 0);
    image_set_write(in_class("boxes.txt"), "0 0 1 1\n");
    struct image_folder f = list();
    assert_int_equal(f.skipped.n, 1);
    assert_int_equal(f.split[SPLIT_TRAIN].n, IMAGE_SET_TRAIN * IMAGE_SET_CLASSES);
    for (uint32_t i = 0; i < f.split[SPLIT_TRAIN].n; i++) {
        char path[PATH_MAX];
        path_of(&f, SPLIT_TRAIN, i, path);
        assert_int_equal(access(path, R_OK), 0);
        assert_int_equal(strstr(path, "/images/") != NULL, f.split[SPLIT_TRAIN].label[i] == 2);
    }
    image_folder_free(&f);
}

static void links_are_followed(void **state) {
    (void)state;
    char kept[PATH_MAX], to[PATH_MAX];
    snprintf(kept, sizeof kept, "%s", image_set_file(in_class("")));
    kept[strlen(kept) - 1] = '\0';
    snprintf(to, sizeof to, "%s", folder_file(image_set_root, "elsewhere"));
    assert_int_equal(rename(kept, to), 0);
    assert_int_equal(symlink(to, kept), 0);
    struct image_folder f = list();
    assert_int_equal(f.split[SPLIT_TRAIN].n, IMAGE_SET_TRAIN * IMAGE_SET_CLASSES);
    image_folder_free(&f);
}

static void one_in_a_hundred(void **state) {
    (void)state;
    struct error e = {0};
    struct image_folder f = list(); // 150 images
    skipped_add(&f.skipped, "x/bad.jpg: is empty");
    assert_int_equal(image_folder_judge(&f, &e), 0);
    skipped_add(&f.skipped, "y.jpg: is empty");
    assert_int_equal(image_folder_judge(&f, &e), -1);
    assert_non_null(strstr(e.text, "2 of its 152 files"));
    assert_non_null(strstr(e.text, ": x/bad.jpg: is empty; y.jpg: is empty"));
    assert_null(strstr(e.text, "more:"));
    for (int i = 0; i < 10; i++)
        skipped_add(&f.skipped, i ? "z.jpg: is empty" : "third.jpg: is empty");
    e = (struct error){0};
    assert_int_equal(image_folder_judge(&f, &e), -1);
    assert_non_null(strstr(e.text, "12 of its 162 files"));
    const char *end = "third.jpg: is empty; x/bad.jpg: is empty; y.jpg: is empty; and 9 more";
    assert_string_equal(e.text + strlen(e.text) - strlen(end), end);
    image_folder_free(&f);
}

static void fingerprint_follows_changes(void **state) {
    (void)state;
    char before[HASH_HEX];
    struct image_folder f = list();
    memcpy(before, f.fingerprint, HASH_HEX);
    image_folder_free(&f);
    f = list();
    assert_string_equal(f.fingerprint, before);
    image_folder_free(&f);
    for (int change = 0; change < 3; change++) {
        char name[256], to[256];
        snprintf(name, sizeof name, "%s", in_class("3.png"));
        snprintf(to, sizeof to, "%s", in_class("moved.png"));
        if (change == 0)
            image_set_write(name, "edited");
        else if (change == 1)
            assert_int_equal(rename(image_set_file(name), image_set_file(to)), 0);
        else
            unlink(image_set_file(to));
        f = list();
        assert_string_not_equal(f.fingerprint, before);
        memcpy(before, f.fingerprint, HASH_HEX);
        image_folder_free(&f);
    }
}

static void is_no_such_folder(void **state) {
    (void)state;
    char from[PATH_MAX], to[PATH_MAX];
    assert_true(image_folder_is(image_set_file(".")));
    assert_false(image_folder_is(image_set_file("train")));
    // val is taken for test
    snprintf(from, sizeof from, "%s", image_set_file("test"));
    snprintf(to, sizeof to, "%s", image_set_file("val"));
    rename(from, to);
    struct image_folder f = list();
    assert_string_equal(f.split_name[SPLIT_TEST], "val");
    image_folder_free(&f);
    assert_int_equal(rename(to, image_set_file("valid")), 0);
    f = list();
    assert_string_equal(f.split_name[SPLIT_TEST], "valid");
    image_folder_free(&f);
    rename(image_set_file("valid"), image_set_file("validation"));
    refused("set: has no folder 'test' (it holds train, validation); images belong");
    rename(image_set_file("validation"), from);
    rename(image_set_file("train"), image_set_file("training"));
    refused("set: has no folder 'train' (it holds test, training); images belong");
}

static void classes_have_to_agree(void **state) {
    (void)state;
    mkdir(image_set_file("train/more"), 0777);
    refused("set/test: has no class 'more', which train has");
    mkdir(image_set_file("test/more"), 0777);
    refused("set/train/more: has no image, so the class cannot be learnt");
    mkdir(image_set_file("train/more/pictures"), 0777);
    image_set_write("train/more/pictures/x.jpg", "");
    refused("set/train/more: has no image (it holds pictures), so");
    image_set_write("train/more/x.jpg", "");
    refused("set/test/more: has no image");
    rmdir(image_set_file("test/more"));
    folder_remove(image_set_file("train/more"));
    mkdir(image_set_file("test/0"), 0777);
    refused("set/train: has no class '0', which test has");
}

static void too_few_classes(void **state) {
    (void)state;
    for (int i = 0; i < 2; i++) {
        char name[256];
        snprintf(name, sizeof name, "train/%s", image_set_classes[i]);
        folder_remove(image_set_file(name));
    }
    refused("set: has 1 class folders in train");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_image_is_there_once, image_set_start, image_set_end),
        cmocka_unit_test_setup_teardown(a_glance_counts_the_same_and_ends_in_time, image_set_start,
                                        image_set_end),
        cmocka_unit_test_setup_teardown(order_mixes_classes, image_set_start, image_set_end),
        cmocka_unit_test_setup_teardown(what_is_no_image_is_skipped, image_set_start,
                                        image_set_end),
        cmocka_unit_test_setup_teardown(what_systems_leave_is_passed_over, image_set_start,
                                        image_set_end),
        cmocka_unit_test_setup_teardown(images_in_a_folder_of_their_own, image_set_start,
                                        image_set_end),
        cmocka_unit_test_setup_teardown(links_are_followed, image_set_start, image_set_end),
        cmocka_unit_test_setup_teardown(one_in_a_hundred, image_set_start, image_set_end),
        cmocka_unit_test_setup_teardown(fingerprint_follows_changes, image_set_start,
                                        image_set_end),
        cmocka_unit_test_setup_teardown(is_no_such_folder, image_set_start, image_set_end),
        cmocka_unit_test_setup_teardown(classes_have_to_agree, image_set_start, image_set_end),
        cmocka_unit_test_setup_teardown(too_few_classes, image_set_start, image_set_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
