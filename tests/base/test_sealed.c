/* Sealed files: what is damaged, of another kind, or no file at all, is told at once, without
 * memory for all of it and without waiting. */
#include "base/sealed.h"

#include "base/file.h"
#include "base/folder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static const char magic[8] = "TQTEST1";

static const char *written(char hash[HASH_HEX]) {
    struct error e = {0};
    struct seal s;
    const char *path = folder_file(test_folder, "sealed");
    assert_int_equal(seal_start(&s, magic, &e), 0);
    seal_i64(&s, 7);
    seal_text(&s, "text");
    assert_int_equal(seal_write(&s, path, hash, &e), 0);
    return path;
}

static void refused(const char *path, const char *why) {
    struct error e = {0};
    struct opened o;
    assert_int_equal(opened_start(&o, path, magic, "test", "make it anew", &e), -1);
    if (!strstr(e.text, why))
        fail_msg("'%s' is not in: %s", why, e.text);
}

static void what_is_written_is_read(void **state) {
    (void)state;
    char hash[HASH_HEX], name[HASH_HEX];
    struct error e = {0};
    struct opened o;
    const char *path = written(hash);
    assert_int_equal(opened_start(&o, path, magic, "test", "make it anew", &e), 0);
    assert_int_equal(opened_i64(&o), 7);
    char *text = opened_text(&o);
    assert_string_equal(text, "text");
    assert_false(o.bad);
    free(text);
    opened_free(&o);
    sealed_name(path, name);
    assert_string_equal(name, hash);
}

static void what_is_damaged_is_told(void **state) {
    (void)state;
    char hash[HASH_HEX];
    const char *path = written(hash);
    assert_int_equal(truncate(path, 64LL << 30), 0);
    refused(path, "is damaged: it ends in zeros, not in its checksum; make it anew");
    assert_int_equal(truncate(path, 39), 0);
    refused(path, "is truncated (39 bytes)");
    struct error e = {0};
    size_t size;
    path = written(hash);
    char *bytes = file_read(path, 1 << 20, &size, &e);
    bytes[10] ^= 1;
    assert_int_equal(file_replace(path, bytes, size, &e), 0);
    refused(path, "its checksum is wrong");
    bytes[0] ^= 1;
    assert_int_equal(file_replace(path, bytes, size, &e), 0);
    refused(path, "is not a test of this version of the program");
    free(bytes);
}

static void what_is_no_file_is_not_waited_for(void **state) {
    (void)state;
    char name[HASH_HEX];
    const char *path = folder_file(test_folder, "pipe");
    assert_int_equal(mkfifo(path, 0600), 0);
    refused(path, "is not a regular file");
    sealed_name(path, name);
    assert_string_equal(name, "");
    refused(test_folder, "is not a regular file");
    refused(folder_file(test_folder, "none"), "cannot be opened");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(what_is_damaged_is_told),
        cmocka_unit_test(what_is_no_file_is_not_waited_for),
    };
    return cmocka_run_group_tests(tests, test_folder_start, test_folder_end);
}
