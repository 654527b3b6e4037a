/* SHA-256 against published vectors (FIPS 180-4 examples). */
#include "base/hash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void expect_hash(const void *bytes, size_t size, const char *expected) {
    char hex[HASH_HEX];
    hash_hex(bytes, size, hex);
    assert_string_equal(hex, expected);
}

static void vectors(void **state) {
    (void)state;
    expect_hash("", 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    expect_hash("abc", 3, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    char *million = malloc(1000000);
    memset(million, 'a', 1000000);
    expect_hash(million, 1000000,
                "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    free(million);
}

static void bytes_and_digits_agree(void **state) {
    (void)state;
    static const unsigned char abc[4] = {0xba, 0x78, 0x16, 0xbf};
    unsigned char digest[HASH_BYTES];
    hash_bytes("abc", 3, digest);
    assert_memory_equal(digest, abc, sizeof abc);
    assert_int_equal(digest[31], 0xad);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(vectors),
                                       cmocka_unit_test(bytes_and_digits_agree)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
