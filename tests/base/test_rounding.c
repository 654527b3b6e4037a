/* Rounding as a process begins with it, and after what a library may do: in the thread that resets
 * it, and in threads that are started after that, OpenMP's and others. */
#include "base/rounding.h"

#include <fenv.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Is a sum rounded to nearest, a denormal number kept, and not taken for zero, in this thread? */
static int is_standard(void) {
    volatile float one = 1, small = 0x1p-24f, tiny = 0x1p-126f, half = 0.5f, denormal = 0x1p-140f;
    float up = one + small * 1.5f, down = one + small * 0.5f;
    volatile long double x = 1, third = x / 3;
    return up == 1 + 0x1p-23f && down == 1 && tiny * half > 0 && denormal + denormal > 0 &&
           fegetround() == FE_TONEAREST && (sizeof third <= 8 || third != (float)third);
}

static void *in_a_thread(void *answer) {
    *(int *)answer = is_standard();
    return NULL;
}

static void a_process_begins_with_it(void **state) {
    (void)state;
    assert_true(is_standard());
}

#ifdef __x86_64__
#include <xmmintrin.h>

static void spoil(void) {
    unsigned short word = 0x0c7f; // x87: up to 24 bits, towards zero
    __asm__ volatile("fldcw %0" : : "m"(word));
    _mm_setcsr(_mm_getcsr() | 0x8040 | 0x4000); // to zero what is denormal; upwards
}

/* What the whole rests on: a thread has what its creator had. */
static int new_thread_is_standard(void) {
    pthread_t thread;
    int answer = -1;
    assert_int_equal(pthread_create(&thread, NULL, in_a_thread, &answer), 0);
    pthread_join(thread, NULL);
    return answer;
}

static void threads_begin_with_their_creators(void **state) {
    (void)state;
    spoil();
    assert_false(is_standard());
    assert_false(new_thread_is_standard());
    rounding_reset();
    assert_true(is_standard());
    assert_true(new_thread_is_standard());
}

static void teams_begin_with_their_masters(void **state) {
    (void)state;
    int answers[4] = {0};
    spoil();
    rounding_reset();
#pragma omp parallel for num_threads(4) schedule(static, 1)
    for (int i = 0; i < 4; i++)
        answers[i] = is_standard();
    for (int i = 0; i < 4; i++)
        assert_true(answers[i]);
}
#else
static void threads_begin_with_their_creators(void **state) {
    (void)state;
    skip();
}
static void teams_begin_with_their_masters(void **state) {
    (void)state;
    skip();
}
#endif

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_process_begins_with_it),
        cmocka_unit_test(threads_begin_with_their_creators),
        cmocka_unit_test(teams_begin_with_their_masters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
