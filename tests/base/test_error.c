/* Messages: the first one wins, prefixes, nothing over-long leaves its buffer; and the allocations
 * that end the process when there is no memory. */
#include "base/error.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#undef fail // ours, not cmocka's

/* With room behind the text for what must not be written. */
struct guarded {
    struct error e;
    unsigned char guard[64];
};

static struct guarded fresh(void) {
    struct guarded g = {0};
    memset(g.guard, 0xa5, sizeof g.guard);
    return g;
}

static void check_guard(const struct guarded *g) {
    for (size_t i = 0; i < sizeof g->guard; i++)
        assert_int_equal(g->guard[i], 0xa5);
    assert_non_null(memchr(g->e.text, '\0', sizeof g->e.text));
}

static void first_message_wins(void **state) {
    (void)state;
    struct error e = {0};
    assert_int_equal(fail(&e, "first %d", 1), -1);
    assert_int_equal(fail(&e, "second"), -1);
    assert_int_equal(fail_at(&e, "file", 3, "third"), -1);
    assert_string_equal(e.text, "first 1");
}

static void place_stands_in_front(void **state) {
    (void)state;
    struct error e = {0};
    assert_int_equal(fail_at(&e, "a.grid", 12, "unknown key '%s'", "x"), -1);
    assert_string_equal(e.text, "a.grid:12: unknown key 'x'");
    struct error whole = {0};
    assert_int_equal(fail_at(&whole, "a.db", 0, "is full"), -1);
    assert_string_equal(whole.text, "a.db: is full");
    struct error later = {0};
    fail(&later, "50%% of %s", "it");
    assert_int_equal(fail_prefix(&later, "b.cfg", 7), -1);
    assert_string_equal(later.text, "b.cfg:7: 50% of it");
}

static void long_messages_are_cut(void **state) {
    (void)state;
    char text[3000];
    memset(text, 'y', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    struct guarded g = fresh();
    fail(&g.e, "%s", text);
    assert_int_equal(strlen(g.e.text), sizeof g.e.text - 1);
    check_guard(&g);
    fail_prefix(&g.e, "file", 9);
    check_guard(&g);
    assert_int_equal(strlen(g.e.text), sizeof g.e.text - 1);
    assert_memory_equal(g.e.text, "file:9: yyy", 11);
}

/* However long a name is, its end is shown, and what is wrong. */
static void long_names_leave_room(void **state) {
    (void)state;
    enum { SHOWN = 512 };
    for (int length = SHOWN - 2; length <= 3000; length += length == SHOWN + 2 ? 2000 : 1) {
        char name[4000], expected[4100];
        memset(name, 'n', (size_t)length);
        strcpy(name + length - 2, "me");
        struct guarded g = fresh();
        fail_at(&g.e, name, 5, "wrong");
        check_guard(&g);
        snprintf(expected, sizeof expected, "%s%s:5: wrong", length > SHOWN ? "..." : "",
                 length > SHOWN ? name + length - SHOWN : name);
        assert_string_equal(g.e.text, expected);
    }
}

static void one_line_it_stays(void **state) {
    (void)state;
    struct error e = {0}, at = {0}, prefixed = {0};
    fail(&e, "'%s' is unknown", "a\nb\x1b[31m\x7f");
    assert_string_equal(e.text, "'a?b?[31m?' is unknown");
    fail_at(&at, "a\tb", 1, "%s", "caf\xc3\xa9\r");
    assert_string_equal(at.text, "a?b:1: caf\xc3\xa9?");
    fail(&prefixed, "wrong");
    fail_prefix(&prefixed, "x\ny", 0);
    assert_string_equal(prefixed.text, "x?y: wrong");
}

static void memory_is_zero_and_aligned(void **state) {
    (void)state;
    unsigned char *a = need(1000, 3), *b = need_aligned(77, 5), *none = need(0, 8);
    for (int i = 0; i < 3000; i++)
        assert_int_equal(a[i], 0);
    for (int i = 0; i < 385; i++)
        assert_int_equal(b[i], 0);
    assert_int_equal((uintptr_t)b % 64, 0);
    assert_non_null(none);
    char *s = need_string("abc");
    assert_string_equal(s, "abc");
    free(a);
    free(b);
    free(none);
    free(s);
}

/* Runs `get` in a child; what it says on stderr, and its exit status. */
static int in_child(void (*get)(void), char *said, size_t size) {
    int ends[2], status;
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (!child) {
        dup2(ends[1], STDERR_FILENO);
        get();
        _exit(0);
    }
    close(ends[1]);
    size_t at = 0;
    for (ssize_t n; at < size - 1 && (n = read(ends[0], said + at, size - 1 - at)) > 0;)
        at += (size_t)n;
    said[at] = '\0';
    close(ends[0]);
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static volatile size_t huge = SIZE_MAX / 2; // volatile: the compiler must not see the overflow

static void get_aligned(void) {
    free(need_aligned(huge, 16));
}

static void overflow_ends_with_a_message(void **state) {
    (void)state;
    char said[1024];
    assert_int_equal(in_child(get_aligned, said, sizeof said), 1);
    assert_non_null(strstr(said, "truncquant: out of memory"));
}

static void errors_of_the_system_say_what_to_do(void **state) {
    (void)state;
    static const struct {
        int why;
        const char *text;
    } known[] = {
        {ENOSPC, "f: cannot be written (No space left on device); free space"},
        {EDQUOT, "f: cannot be written (Disk quota exceeded); free space"},
        {EIO, "f: cannot be written (Input/output error); is the disk sound?"},
        {EMFILE,
         "f: cannot be written (Too many open files); raise the limit on open files (ulimit -n)"},
        {EACCES, "f: cannot be written (Permission denied); fix its permissions"},
        {0, "f: cannot be written; is the disk sound?"},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        struct error e = {0};
        errno = ENOENT; // of another call
        assert_int_equal(fail_system(&e, "f", "cannot be written", known[i].why), -1);
        assert_string_equal(e.text, known[i].text);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_message_wins),
        cmocka_unit_test(place_stands_in_front),
        cmocka_unit_test(long_messages_are_cut),
        cmocka_unit_test(long_names_leave_room),
        cmocka_unit_test(one_line_it_stays),
        cmocka_unit_test(memory_is_zero_and_aligned),
        cmocka_unit_test(overflow_ends_with_a_message),
        cmocka_unit_test(errors_of_the_system_say_what_to_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
