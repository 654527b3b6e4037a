/* Checkpoints: going on from one gives the same bits as never having stopped, and what is not that
 * run's sound checkpoint is refused. */
#include "base/file.h"
#include "base/folder.h"
#include "train/checkpoint.h"
#include "train/toy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const struct numerics here = {.engine = "reference", .precision = "fp32", .threads = 1};

static const char *path(void) {
    return folder_file(test_folder, "checkpoint");
}

static void write_after(const struct spec *spec, int steps) {
    struct error e = {0};
    struct toy t;
    toy_build(&t, spec);
    toy_train(&t, steps);
    if (checkpoint_write(path(), "run-a", &here, &t.trainer, NULL, &e))
        fail_msg("%s", e.text);
    toy_free(&t);
}

static int read_into(struct toy *t, const struct spec *spec, const char *run,
                     const struct numerics *numerics, int any, struct error *e) {
    *e = (struct error){0};
    toy_build(t, spec);
    return checkpoint_read(path(), run, numerics, any, &t->trainer, NULL, e);
}

/* At every step of a run, within epochs and between them, for both optimizers and learned steps.
 */
static void resumed_runs_end_with_the_same_bits(void **state) {
    (void)state;
    const char *const schemes[] = {"truncquant", "lsq", "double-rounding"};
    for (int s = 0; s < 3; s++)
        for (int steps = 0; steps <= 12; steps++) {
            struct spec spec = toy_spec(schemes[s], 1, 3);
            spec.optimizer = s ? OPTIMIZER_SGD : OPTIMIZER_ADAM;
            spec.schedule = SCHEDULE_COSINE;
            struct toy whole, resumed;
            struct error e;
            toy_build(&whole, &spec);
            toy_train(&whole, -1);
            write_after(&spec, steps);
            assert_int_equal(read_into(&resumed, &spec, "run-a", &here, 0, &e), 0);
            toy_train(&resumed, -1);
            assert_true(toy_same(&whole, &resumed));
            assert_int_equal(whole.trainer.n_rows, resumed.trainer.n_rows);
            for (int i = 0; i < whole.trainer.n_rows; i++) {
                assert_true(whole.trainer.rows[i].loss == resumed.trainer.rows[i].loss);
                assert_true(whole.trainer.rows[i].accuracy == resumed.trainer.rows[i].accuracy);
            }
            toy_free(&whole);
            toy_free(&resumed);
        }
}

static void refused(const struct spec *spec, const char *run, const struct numerics *numerics,
                    const char *because) {
    struct toy t;
    struct error e;
    assert_int_equal(read_into(&t, spec, run, numerics, 0, &e), -1);
    if (!strstr(e.text, because) || !strstr(e.text, path()) || strchr(e.text, '\n'))
        fail_msg("'%s' does not say '%s' of %s", e.text, because, path());
    toy_free(&t);
}

static void others_are_refused(void **state) {
    (void)state;
    struct spec spec = toy_spec("qat", 1, 2), longer = toy_spec("lsq", 1, 2);
    struct numerics other = here;
    struct toy t;
    struct error e;
    other.threads = 2;
    write_after(&spec, 3);
    refused(&spec, "run-b", &here, "belongs to run run-a");
    refused(&spec, "run-a", &other, "--other-numerics");
    refused(&longer, "run-a", &here, "does not fit");
    assert_int_equal(read_into(&t, &spec, "run-a", &other, 1, &e), 0);
    assert_int_equal(t.trainer.step, 3);
    toy_free(&t);
}

/* Every length, and every byte flipped in turn (a prime stride keeps it quick). */
static void damaged_ones_are_refused(void **state) {
    (void)state;
    struct spec spec = toy_spec("qat", 1, 2);
    struct error e = {0};
    size_t size;
    write_after(&spec, 3);
    char *sound = file_read(path(), 1 << 26, &size, &e);
    for (size_t n = 0; n < size; n += 9973) {
        assert_int_equal(file_replace(path(), sound, n, &e), 0);
        refused(&spec, "run-a", &here, n < 40 ? "truncated" : "damaged");
    }
    for (size_t at = 0; at < size; at += 9973) {
        sound[at] ^= 16;
        assert_int_equal(file_replace(path(), sound, size, &e), 0);
        refused(&spec, "run-a", &here, at < 8 ? "not a checkpoint" : "damaged");
        sound[at] ^= 16;
    }
    assert_int_equal(file_replace(path(), sound, size, &e), 0);
    struct toy t;
    assert_int_equal(read_into(&t, &spec, "run-a", &here, 0, &e), 0);
    toy_free(&t);
    free(sound);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(resumed_runs_end_with_the_same_bits),
        cmocka_unit_test(others_are_refused),
        cmocka_unit_test(damaged_ones_are_refused),
    };
    return cmocka_run_group_tests_name("checkpoint", tests, test_folder_start, test_folder_end);
}
