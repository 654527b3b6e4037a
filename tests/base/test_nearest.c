/* What may have been meant. */
#include "base/nearest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const char *best_of(const char *word) {
    struct nearest n = nearest_start(word);
    nearest_offer(&n, "epochs");
    nearest_offer(&n, "widths");
    nearest_offer(&n, "bits");
    return nearest_best(&n);
}

static void the_nearest_word_is_suggested(void **state) {
    (void)state;
    assert_string_equal(best_of("epoch"), "epochs");
    assert_string_equal(best_of("wdiths"), "widths");
    assert_string_equal(best_of("bit"), "bits");
    assert_null(best_of("zzzzzz"));
    assert_null(best_of("lr"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_nearest_word_is_suggested),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
