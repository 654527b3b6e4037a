/* Journals: what was appended is there again, and what a crash, a full disk or a flipped bit left
 * of a record ends the file before it. */
#include "base/file.h"
#include "base/folder.h"
#include "base/journal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { RECORDS = 5, MOST = 16 };

struct read {
    int n, stop_at; // refuse the record of that number; -1: none
    int64_t values[MOST];
};

static const char *path(void) {
    return folder_file(test_folder, "journal");
}

static int take(void *context, struct opened *o) {
    struct read *r = context;
    int64_t value = opened_i64(o);
    char *text = opened_text(o);
    int bad = o->bad || o->left || strcmp(text, "text");
    free(text);
    if (bad || r->n == r->stop_at)
        return 1;
    assert_true(r->n < MOST);
    r->values[r->n++] = value;
    return 0;
}

static struct journal open_it(struct read *r, int stop_at) {
    struct journal j;
    struct error e = {0};
    *r = (struct read){.stop_at = stop_at};
    if (journal_open(&j, path(), take, r, &e))
        fail_msg("%s", e.text);
    return j;
}

static int append(struct journal *j, int64_t value, struct error *e) {
    struct seal s;
    assert_int_equal(journal_start(&s, e), 0);
    seal_i64(&s, value);
    seal_text(&s, "text");
    return journal_append(j, &s, e);
}

static void add(struct journal *j, int64_t value) {
    struct error e = {0};
    if (append(j, value, &e))
        fail_msg("%s", e.text);
}

/* RECORDS of them, the first with value 0. */
static char *write_all(size_t *size) {
    struct read r;
    struct error e = {0};
    unlink(path());
    struct journal j = open_it(&r, -1);
    assert_int_equal(r.n, 0);
    for (int i = 0; i < RECORDS; i++)
        add(&j, i);
    journal_close(&j);
    char *bytes = file_read(path(), 1 << 20, size, &e);
    assert_non_null(bytes);
    return bytes;
}

/* The first n are there, and one more can be appended behind them. */
static void assert_holds(int n) {
    struct read r;
    struct journal j = open_it(&r, -1);
    assert_int_equal(r.n, n);
    for (int i = 0; i < n; i++)
        assert_int_equal(r.values[i], i);
    add(&j, 77);
    journal_close(&j);
    j = open_it(&r, -1);
    assert_int_equal(r.n, n + 1);
    assert_int_equal(r.values[n], 77);
    journal_close(&j);
}

static void cut_anywhere_it_holds_what_is_whole(void **state) {
    (void)state;
    struct error e = {0};
    size_t size;
    char *whole = write_all(&size);
    for (size_t n = 0; n <= size; n++) {
        assert_int_equal(file_replace(path(), whole, n, &e), 0);
        assert_holds((int)(n / (size / RECORDS)));
    }
    free(whole);
}

static void a_flipped_bit_ends_it(void **state) {
    (void)state;
    struct error e = {0};
    size_t size;
    char *whole = write_all(&size);
    for (size_t at = 0; at < size; at++) {
        whole[at] ^= 1 << (at % 8);
        assert_int_equal(file_replace(path(), whole, size, &e), 0);
        assert_holds((int)(at / (size / RECORDS)));
        whole[at] ^= 1 << (at % 8);
    }
    free(whole);
}

static void what_is_refused_is_dropped_with_the_rest(void **state) {
    (void)state;
    struct read r;
    size_t size;
    free(write_all(&size));
    struct journal j = open_it(&r, 2);
    journal_close(&j);
    assert_holds(2);
}

static void append_to_full_disk(void) {
    struct read r;
    struct error e = {0};
    struct journal j = open_it(&r, -1);
    folder_limit_files((long)j.end + 20);
    int refused = append(&j, 5, &e) && strstr(e.text, "(File too large); raise the limit");
    _exit(refused && r.n == RECORDS ? 0 : 1);
}

static void a_full_disk_leaves_it_as_it_was(void **state) {
    (void)state;
    size_t size;
    int status;
    free(write_all(&size));
    fflush(NULL);
    pid_t child = fork();
    if (!child)
        append_to_full_disk();
    waitpid(child, &status, 0);
    assert_int_equal(status, 0);
    assert_holds(RECORDS);
}

static void a_planted_link_is_not_followed(void **state) {
    (void)state;
    struct read r = {0};
    struct journal j;
    struct error e = {0};
    const char *link = folder_file(test_folder, "planted"), *of = folder_file(test_folder, "of");
    assert_int_equal(file_replace(of, "not ours", 8, &e) | symlink(of, link), 0);
    assert_int_equal(journal_open(&j, link, take, &r, &e), -1);
    assert_non_null(strstr(e.text, "/planted: cannot be opened (Too many levels"));
    struct stat st;
    assert_int_equal(stat(of, &st), 0);
    assert_int_equal(st.st_size, 8);
}

static void what_cannot_be_opened_is_named(void **state) {
    (void)state;
    struct read r = {0};
    struct journal j;
    struct error e = {0};
    assert_int_equal(journal_open(&j, test_folder, take, &r, &e), -1);
    assert_non_null(strstr(e.text, test_folder));
    assert_int_equal(j.fd, -1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cut_anywhere_it_holds_what_is_whole),
        cmocka_unit_test(a_flipped_bit_ends_it),
        cmocka_unit_test(what_is_refused_is_dropped_with_the_rest),
        cmocka_unit_test(a_full_disk_leaves_it_as_it_was),
        cmocka_unit_test(what_cannot_be_opened_is_named),
        cmocka_unit_test(a_planted_link_is_not_followed),
    };
    return cmocka_run_group_tests(tests, test_folder_start, test_folder_end);
}
