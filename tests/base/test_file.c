/* Files: read whole, replaced whole, by processes that are killed and on disks that are full. */
#include "base/file.h"
#include "base/folder.h"
#include "base/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static void expect_content(const char *path, const void *bytes, size_t size) {
    struct error e = {0};
    size_t got = 0;
    char *content = file_read(path, 1 << 26, &got, &e);
    assert_string_equal(e.text, "");
    assert_int_equal(got, size);
    assert_memory_equal(content, bytes, size);
    assert_int_equal(content[size], '\0');
    free(content);
}

static void what_is_written_is_read(void **state) {
    (void)state;
    struct error e = {0};
    const char *path = folder_file(test_folder, "f");
    assert_false(file_exists(path));
    assert_int_equal(file_replace(path, "a\0b", 3, &e), 0);
    assert_true(file_exists(path));
    expect_content(path, "a\0b", 3);
    assert_int_equal(file_replace(path, "longer than it was", 18, &e), 0);
    expect_content(path, "longer than it was", 18);
    assert_int_equal(file_replace(path, "", 0, &e), 0);
    expect_content(path, "", 0);
    assert_int_equal(folder_count(test_folder), 1); // no temporary file stays
    assert_string_equal(e.text, "");
}

static void expect_unreadable(const char *path, size_t limit, const char *why) {
    struct error e = {0};
    size_t size = 0;
    assert_null(file_read(path, limit, &size, &e));
    assert_int_equal(strncmp(e.text, path, strlen(path)), 0);
    if (!strstr(e.text, why))
        fail_msg("'%s' does not say '%s'", e.text, why);
}

static void unreadable_files_say_why(void **state) {
    (void)state;
    struct error e = {0};
    assert_int_equal(file_replace(folder_file(test_folder, "ten"), "0123456789", 10, &e), 0);
    expect_unreadable(folder_file(test_folder, "ten"), 9, "more than the 9 allowed");
    expect_content(folder_file(test_folder, "ten"), "0123456789", 10);
    expect_unreadable(folder_file(test_folder, "none"), 10, "No such file");
    expect_unreadable(test_folder, 10, "not a regular file");
    assert_int_equal(mkfifo(folder_file(test_folder, "pipe"), 0666), 0);
    alarm(60); // nobody writes into the pipe: waiting for it would take for ever
    expect_unreadable(folder_file(test_folder, "pipe"), 10, "not a regular file");
    alarm(0);
}

static void unwritable_files_say_why(void **state) {
    (void)state;
    struct error e = {0};
    assert_int_equal(file_replace(folder_file(test_folder, "none/f"), "x", 1, &e), -1);
    assert_non_null(strstr(e.text, "none/f: cannot be written (No such file"));
    struct error occupied = {0};
    assert_int_equal(mkdir(folder_file(test_folder, "sub"), 0777), 0);
    assert_int_equal(file_replace(folder_file(test_folder, "sub"), "x", 1, &occupied), -1);
    assert_non_null(strstr(occupied.text, "cannot be written"));
    assert_int_equal(folder_count(test_folder), 1);
}

/* As root, a rename would put a file in the place of /dev/null. */
static void only_regular_files_are_replaced(void **state) {
    (void)state;
    struct error e = {0};
    struct stat before, after;
    const char *path = folder_file(test_folder, "pipe");
    assert_int_equal(mkfifo(path, 0666), 0);
    assert_int_equal(stat(path, &before), 0);
    assert_int_equal(file_replace(path, "x", 1, &e), -1);
    assert_non_null(strstr(e.text, "pipe: cannot be written, as it is not a regular file; "));
    assert_int_equal(stat(path, &after), 0);
    assert_int_equal(after.st_ino, before.st_ino);
    assert_int_equal(folder_count(test_folder), 1);
}

static void a_link_stays_and_its_file_is_replaced(void **state) {
    (void)state;
    struct error e = {0}, dangling = {0};
    char link[FOLDER_PATH + 8];
    snprintf(link, sizeof link, "%s", folder_file(test_folder, "link"));
    assert_int_equal(symlink("f", link), 0);
    assert_int_equal(file_replace(link, "x", 1, &dangling), -1);
    assert_non_null(strstr(dangling.text, "link: is a link that leads nowhere"));
    assert_int_equal(file_replace(folder_file(test_folder, "f"), "old", 3, &e), 0);
    assert_int_equal(file_replace(link, "newer", 5, &e), 0);
    struct stat st;
    assert_int_equal(lstat(link, &st), 0);
    assert_true(S_ISLNK(st.st_mode));
    expect_content(folder_file(test_folder, "f"), "newer", 5);
    assert_int_equal(folder_count(test_folder), 2);
}

/* Somebody who can write to the folder and knows the process: its links are neither followed nor
 * in the way. */
static void planted_links_are_not_followed(void **state) {
    (void)state;
    struct error e = {0};
    struct file_draft d;
    char planted[FOLDER_PATH + 32], again[FOLDER_PATH];
    const char *victim = folder_file(test_folder, "victim"), *path = folder_file(test_folder, "f");
    assert_int_equal(file_replace(victim, "mine", 4, &e), 0);
    snprintf(planted, sizeof planted, "%s.%ld.tmp", path, (long)getpid());
    assert_int_equal(symlink("victim", planted), 0);
    assert_int_equal(file_replace(path, "new", 3, &e), 0);
    assert_int_equal(file_draft_start(&d, path, 9, &e), 0);
    snprintf(again, sizeof again, "%s", d.temporary);
    assert_string_not_equal(again, planted);
    file_draft_drop(&d);
    assert_int_equal(file_draft_start(&d, path, 9, &e), 0);
    assert_string_not_equal(again, d.temporary);
    assert_int_equal(file_draft_commit(&d, &e), 0);
    expect_content(victim, "mine", 4);
    struct stat st;
    assert_true(!lstat(planted, &st) && S_ISLNK(st.st_mode));
    file_remove_orphans(path);
    assert_int_equal(lstat(planted, &st), -1);
    expect_content(victim, "mine", 4);
}

/* As a superuser alone can one make what another user owns; others find no such link to refuse. */
static void links_of_others_are_refused(void **state) {
    (void)state;
    enum { NOBODY = 65534 };
    struct error e = {0};
    struct file_draft d;
    const char *victim = folder_file(test_folder, "victim"), *link = folder_file(test_folder, "f");
    assert_int_equal(file_replace(victim, "mine", 4, &e) | symlink("victim", link), 0);
    assert_int_equal(file_check_link(link, &e), 0); // one's own
    assert_int_equal(file_replace(link, "here", 4, &e), 0);
    expect_content(victim, "here", 4);
    if (lchown(link, NOBODY, NOBODY))
        return;
    assert_int_equal(file_replace(link, "new", 3, &e), -1);
    assert_non_null(strstr(e.text, "/f: is a link that another user made; remove it"));
    e.text[0] = '\0';
    assert_int_equal(file_draft_start(&d, link, 9, &e), -1);
    expect_content(victim, "here", 4);
}

static void what_is_ones_own_is_no_link(void **state) {
    (void)state;
    struct error e = {0};
    const char *link = folder_file(test_folder, "lock");
    assert_int_equal(symlink("target", link), 0);
    assert_int_equal(file_open_own(link, &e), -1);
    assert_non_null(strstr(e.text, "/lock: cannot be opened (Too many levels of symbolic links)"));
    assert_int_equal(access(folder_file(test_folder, "target"), F_OK), -1); // nor made
    struct error pipe = {0};
    assert_int_equal(mkfifo(folder_file(test_folder, "pipe"), 0666), 0);
    assert_int_equal(file_open_own(folder_file(test_folder, "pipe"), &pipe), -1);
    assert_non_null(strstr(pipe.text, "is not a regular file"));
    int fd = file_open_own(folder_file(test_folder, "own"), &e);
    assert_true(fd >= 0);
    close(fd);
}

/* What a process leaves that is killed before it renames. */
static void a_draft_that_stays_is_an_orphan(void **state) {
    (void)state;
    struct error e = {0};
    struct file_draft d;
    assert_int_equal(file_draft_start(&d, folder_file(test_folder, "f"), 9, &e), 0);
    assert_int_equal(folder_count(test_folder), 1);
    file_remove_orphans(d.path);
    assert_int_equal(folder_count(test_folder), 0);
    file_draft_drop(&d);
}

static void orphans_of_one_file_are_removed(void **state) {
    (void)state;
    struct error e = {0};
    static const char *const names[] = {"f",         "f.12.tmp", "f.345.tmp",
                                        "fg.12.tmp", "f.old",    "f.tmp"};
    for (int i = 0; i < 6; i++)
        assert_int_equal(file_replace(folder_file(test_folder, names[i]), "x", 1, &e), 0);
    file_remove_orphans(folder_file(test_folder, "f"));
    for (int i = 0; i < 6; i++)
        assert_int_equal(file_exists(folder_file(test_folder, names[i])), i != 1 && i != 2);
    file_remove_orphans(folder_file(test_folder, "none/f"));
}

static void drafts_become_files(void **state) {
    (void)state;
    struct error e = {0};
    struct file_draft d;
    const char *path = folder_file(test_folder, "draft");
    assert_int_equal(file_replace(path, "old", 3, &e), 0);
    assert_int_equal(file_draft_start(&d, path, 9000, &e), 0);
    assert_int_equal(d.bytes[0] | d.bytes[8999], 0);
    memset(d.bytes, 'n', 9000);
    expect_content(path, "old", 3);
    assert_int_equal(folder_count(test_folder), 2);
    file_draft_drop(&d);
    assert_int_equal(folder_count(test_folder), 1);
    expect_content(path, "old", 3);
    assert_int_equal(file_draft_start(&d, path, 9000, &e), 0);
    memset(d.bytes, 'n', 9000);
    assert_int_equal(file_draft_commit(&d, &e), 0);
    char expected[9000];
    memset(expected, 'n', sizeof expected);
    expect_content(path, expected, sizeof expected);
    assert_int_equal(folder_count(test_folder), 1);
}

static void drafts_that_do_not_fit_say_so(void **state) {
    (void)state;
    struct error e = {0};
    struct file_draft d;
    const char *path = folder_file(test_folder, "draft");
    assert_int_equal(file_draft_start(&d, path, (size_t)1 << 60, &e), -1);
    assert_non_null(strstr(e.text, "draft: cannot be written ("));
    assert_int_equal(folder_count(test_folder), 0);
    struct error none = {0};
    assert_int_equal(file_draft_start(&d, folder_file(test_folder, "none/f"), 10, &none), -1);
    assert_non_null(strstr(none.text, "none/f: cannot be written (No such file"));
}

/* Replaces the file by `size` times 'a', then 'b', and so on, and tells each time, until it is
 * killed. */
static void write_forever(const char *path, size_t size, int replaced) {
    char *bytes = malloc(size);
    struct error e = {0};
    for (int i = 0;; i++) {
        memset(bytes, 'a' + i % 26, size);
        if (file_replace(path, bytes, size, &e) || write(replaced, "r", 1) != 1)
            _exit(1);
    }
}

/* A child that has begun to do so. */
static pid_t start_writer(const char *path, size_t size) {
    int replaced[2];
    char byte;
    assert_int_equal(pipe(replaced), 0);
    pid_t child = fork();
    if (!child)
        write_forever(path, size, replaced[1]); // its copy of the other end keeps the pipe whole
    close(replaced[1]);
    assert_int_equal(read(replaced[0], &byte, 1), 1);
    close(replaced[0]);
    return child;
}

static void kill_leaves_the_old_or_the_new(void **state) {
    (void)state;
    enum { SIZE = 300000, KILLS = 25 };
    const char *path = folder_file(test_folder, "f");
    char *start = malloc(SIZE);
    memset(start, 'a', SIZE);
    struct error e = {0};
    assert_int_equal(file_replace(path, start, SIZE, &e), 0);
    struct random r = random_stream(1, RANDOM_TEST, 0, 20);
    for (int i = 0; i < KILLS; i++) {
        pid_t writer = start_writer(path, SIZE);
        usleep(random_below(&r, 20000)); // at any instant
        kill(writer, SIGKILL);
        int status;
        waitpid(writer, &status, 0);
        assert_true(WIFSIGNALED(status)); // it was writing until then
        size_t size = 0;
        char *bytes = file_read(path, SIZE, &size, &e);
        assert_string_equal(e.text, "");
        assert_int_equal(size, SIZE);
        memset(start, bytes[0], SIZE);
        assert_memory_equal(bytes, start, SIZE);
        free(bytes);
    }
    free(start);
}

static void full_disk_leaves_the_old(void **state) {
    (void)state;
    enum { SIZE = 100000 };
    struct error e = {0};
    const char *path = folder_file(test_folder, "f");
    assert_int_equal(file_replace(path, "old", 3, &e), 0);
    pid_t child = fork();
    if (!child) {
        folder_limit_files(SIZE / 2);
        char *bytes = calloc(SIZE, 1);
        int rc = file_replace(path, bytes, SIZE, &e);
        free(bytes);
        _exit(rc == -1 && strstr(e.text, "(File too large); raise the limit") ? 0 : 1);
    }
    int status;
    waitpid(child, &status, 0);
    assert_int_equal(status, 0);
    expect_content(path, "old", 3);
    assert_int_equal(folder_count(test_folder), 1);
}

static void folders_are_made(void **state) {
    (void)state;
    struct error e = {0};
    assert_int_equal(file_make_folder(folder_file(test_folder, "a//b/c/"), &e), 0);
    assert_int_equal(file_make_folder(folder_file(test_folder, "a/b/c"), &e), 0); // again
    struct stat st;
    assert_int_equal(stat(folder_file(test_folder, "a/b/c"), &st), 0);
    assert_true(S_ISDIR(st.st_mode));
    assert_int_equal(file_make_folder("/", &e), 0);
    assert_string_equal(e.text, "");
}

static void folders_do_not_replace_files(void **state) {
    (void)state;
    struct error e = {0};
    assert_int_equal(file_replace(folder_file(test_folder, "f"), "x", 1, &e), 0);
    static const char *const names[] = {"f", "f/below"};
    for (int i = 0; i < 2; i++) {
        struct error wrong = {0};
        assert_int_equal(file_make_folder(folder_file(test_folder, names[i]), &wrong), -1);
        assert_non_null(strstr(wrong.text, "/f: the folder cannot be made (Not a directory)"));
    }
    struct error empty = {0};
    assert_int_equal(file_make_folder("", &empty), -1);
    assert_non_null(strstr(empty.text, "empty"));
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, test_folder_start, test_folder_end)

int main(void) {
    const struct CMUnitTest tests[] = {
        IN_FOLDER(what_is_written_is_read),
        IN_FOLDER(unreadable_files_say_why),
        IN_FOLDER(unwritable_files_say_why),
        IN_FOLDER(kill_leaves_the_old_or_the_new),
        IN_FOLDER(full_disk_leaves_the_old),
        IN_FOLDER(folders_are_made),
        IN_FOLDER(folders_do_not_replace_files),
        IN_FOLDER(only_regular_files_are_replaced),
        IN_FOLDER(a_link_stays_and_its_file_is_replaced),
        IN_FOLDER(planted_links_are_not_followed),
        IN_FOLDER(links_of_others_are_refused),
        IN_FOLDER(what_is_ones_own_is_no_link),
        IN_FOLDER(a_draft_that_stays_is_an_orphan),
        IN_FOLDER(orphans_of_one_file_are_removed),
        IN_FOLDER(drafts_become_files),
        IN_FOLDER(drafts_that_do_not_fit_say_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
