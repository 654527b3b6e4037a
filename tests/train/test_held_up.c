/* Steps of two threads on a busy machine: one of them held up by a program on its core, or its part
 * computed by the other, give the bits of two that are left alone. */
#include "train/toy.h"

#include <omp.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

enum { EPOCHS = 6 };

/* A core that is taken, and the thread that has to share it. */
struct taken {
    cpu_set_t core, before;
    pid_t held_up;
    pthread_t program;
    atomic_int is_over;
};

static void *keep_busy(void *context) {
    struct taken *t = context;
    sched_setaffinity(0, sizeof t->core, &t->core);
    while (!atomic_load(&t->is_over))
        ;
    return NULL;
}

static pid_t second_thread(void) {
    pid_t found = 0;
#pragma omp parallel num_threads(2)
    if (omp_get_thread_num() == 1)
        found = gettid();
    return found;
}

static void take_core(struct taken *t) {
    int core = 0;
    *t = (struct taken){.held_up = second_thread()};
    assert_int_equal(sched_getaffinity(t->held_up, sizeof t->before, &t->before), 0);
    while (!CPU_ISSET(core, &t->before))
        core++;
    CPU_SET(core, &t->core);
    assert_int_equal(sched_setaffinity(t->held_up, sizeof t->core, &t->core), 0);
    assert_int_equal(pthread_create(&t->program, NULL, keep_busy, t), 0);
}

static void give_core_back(struct taken *t) {
    atomic_store(&t->is_over, 1);
    pthread_join(t->program, NULL);
    sched_setaffinity(t->held_up, sizeof t->before, &t->before);
}

static struct toy left_alone;

static int train_left_alone(void **state) {
    (void)state;
    struct spec spec = toy_spec("truncquant", 1, EPOCHS);
    toy_build_on(&left_alone, &spec, engine_at(0), 2);
    while (!trainer_is_done(&left_alone.trainer)) {
        left_alone.trainer.team.at = 0; // both take part in every step
        toy_train(&left_alone, 1);
    }
    return 0;
}

static int free_left_alone(void **state) {
    (void)state;
    toy_free(&left_alone);
    return 0;
}

static void start(struct toy *t) {
    struct spec spec = toy_spec("truncquant", 1, EPOCHS);
    toy_build_on(t, &spec, engine_at(0), 2);
}

static void one_held_up_changes_no_bit(void **state) {
    (void)state;
    struct toy t;
    struct taken taken;
    start(&t);
    take_core(&taken);
    toy_train(&t, -1);
    give_core_back(&taken);
    assert_true(toy_same(&t, &left_alone));
    toy_free(&t);
}

static void parts_taken_over_change_no_bit(void **state) {
    (void)state;
    struct toy t;
    start(&t);
    while (!trainer_is_done(&t.trainer)) {
        t.trainer.team.at = t.trainer.step % 3 > 0 && t.trainer.team.sizes > 1;
        toy_train(&t, 1);
    }
    assert_true(toy_same(&t, &left_alone));
    toy_free(&t);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_held_up_changes_no_bit),
        cmocka_unit_test(parts_taken_over_change_no_bit),
    };
    return cmocka_run_group_tests_name("team at steps", tests, train_left_alone, free_left_alone);
}
