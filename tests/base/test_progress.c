/* Progress: times in words, one plain line when stderr is no terminal, silence when asked for. */
#include "base/progress.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void times(void **state) {
    (void)state;
    static const struct {
        double seconds;
        const char *text;
    } known[] = {{-1, "?"},         {0, "00:00"},          {59.4, "00:59"},
                 {59.6, "01:00"},   {3599, "59:59"},       {3600, "1:00:00"},
                 {3661, "1:01:01"}, {360000, "100:00:00"}, {1e12, "?"}};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        char text[32];
        progress_print_time(known[i].seconds, text, sizeof text);
        assert_string_equal(text, known[i].text);
    }
}

/* What progress writes to a stderr that is a file. */
static void capture(int quiet, double started, char *text, size_t size) {
    FILE *file = tmpfile();
    fflush(stderr);
    int kept = dup(STDERR_FILENO);
    dup2(fileno(file), STDERR_FILENO);
    struct progress p = progress_start("run 12ab", started, quiet);
    p.start -= 10;     // as if it had begun ten seconds ago
    p.printed = -1000; // and not printed since long
    progress_show(&p, 0.75, "epoch 3/4");
    progress_show(&p, 0.8, "too soon");
    progress_end(&p);
    fflush(stderr);
    dup2(kept, STDERR_FILENO);
    close(kept);
    rewind(file);
    text[fread(text, 1, size - 1, file)] = '\0';
    fclose(file);
}

static void plain_line_elsewhere(void **state) {
    (void)state;
    char text[512];
    capture(0, 0.5, text, sizeof text); // a quarter of the whole took 10 s, a quarter is left
    assert_string_equal(text, "run 12ab:  75 %, epoch 3/4, 00:10 left\n");
}

static void quiet_is_silent(void **state) {
    (void)state;
    char text[512];
    capture(1, 0, text, sizeof text);
    assert_string_equal(text, "");
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(times),
                                       cmocka_unit_test(plain_line_elsewhere),
                                       cmocka_unit_test(quiet_is_silent)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
