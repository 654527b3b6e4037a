/* The moments at which numbers go from the model to an engine and back (engine/engine.h: upload,
 * download): training, going on from a checkpoint and every way of evaluating come to the same bits
 * with an engine that works on copies as with the one that it is made of. So none is left out. And
 * what an engine has to say to be taken. */
#include "base/folder.h"
#include "engine/copying.h"
#include "evaluate/pair.h"
#include "train/checkpoint.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct numerics here = {.engine = "any", .precision = "fp32", .threads = 1};

static const struct recipe {
    const char *scheme; // lsq: with learned numbers
    enum norm_bank bank;
} recipes[] = {
    {"truncquant", BANK_PER_WIDTH}, {"truncquant", BANK_SHARED}, {"lsq", BANK_PER_WIDTH}};

static struct spec spec_of(const struct recipe *r) {
    struct spec spec = toy_spec(r->scheme, 1, 3);
    spec.norm_bank = r->bank;
    spec.calibration = 3;
    return spec;
}

static const char *path(void) {
    return folder_file(test_folder, "checkpoint");
}

static void keep(const struct toy *t, char hash[HASH_HEX]) {
    struct error e = {0};
    if (checkpoint_write(path(), "run", &here, &t->trainer, hash, &e))
        fail_msg("%s", e.text);
}

/* Checkpoints in the middle of an epoch and at its end; and models at its end, nobody having asked
 * for one. */
static void check_training(const struct engine *engine, const struct spec *spec) {
    struct toy own, copied;
    char a[HASH_HEX], b[HASH_HEX];
    toy_build_on(&own, spec, engine, 1);
    toy_build_on(&copied, spec, copying_engine(engine), 1);
    toy_train(&own, 4);
    toy_train(&copied, 4);
    assert_true(toy_same(&own, &copied));
    for (int steps = 0; steps < 3; steps++) {
        toy_train(&own, 1);
        toy_train(&copied, 1);
        own.trainer.seconds = copied.trainer.seconds = 0;
        for (int i = 0; i < own.trainer.n_rows; i++)
            own.trainer.rows[i].seconds = copied.trainer.rows[i].seconds = 0;
        keep(&own, a);
        keep(&copied, b);
        assert_string_equal(a, b);
    }
    toy_free(&own);
    toy_free(&copied);
}

/* From a checkpoint into a model that starts as others do. */
static void check_going_on(const struct engine *engine, const struct spec *spec) {
    struct toy own, copied;
    struct error e = {0};
    char hash[HASH_HEX];
    toy_build_on(&own, spec, engine, 1);
    toy_train(&own, 6);
    keep(&own, hash);
    toy_build_on(&copied, spec, copying_engine(engine), 1);
    if (checkpoint_read(path(), "run", &here, 0, &copied.trainer, NULL, &e))
        fail_msg("%s", e.text);
    toy_train(&own, -1);
    toy_train(&copied, -1);
    assert_true(toy_same(&own, &copied));
    toy_free(&own);
    toy_free(&copied);
}

/* As a run does that starts from given weights: they come when the model is compiled already. */
static void start_from_others(struct toy *t) {
    const struct engine *engine = t->trainer.engine;
    struct error e = {0};
    trainer_free(&t->trainer);
    for (int i = 0; i < t->model->n_norms; i++)
        for (int c = 0; c < t->model->norms[i].channels; c++) {
            t->model->norms[i].shift_of[0][c] = 0.25f;
            t->model->norms[i].variance[0][c] = 2;
        }
    if (trainer_start(&t->trainer, &t->spec, &t->data, t->model, engine, t->program, &e))
        fail_msg("%s", e.text);
}

static void check_start(const struct engine *engine, const struct spec *spec) {
    struct toy own, copied;
    toy_build_on(&own, spec, engine, 1);
    toy_build_on(&copied, spec, copying_engine(engine), 1);
    start_from_others(&own);
    start_from_others(&copied);
    toy_train(&own, -1);
    toy_train(&copied, -1);
    assert_true(toy_same(&own, &copied));
    toy_free(&own);
    toy_free(&copied);
}

static void for_all(void (*check)(const struct engine *, const struct spec *)) {
    for (int e = 0; engine_at(e); e++)
        for (size_t r = 0; r < sizeof recipes / sizeof *recipes; r++) {
            struct spec spec = spec_of(&recipes[r]);
            check(engine_at(e), &spec);
        }
}

static void training_gives_and_takes_all(void **state) {
    (void)state;
    for_all(check_training);
}

static void going_on_gives_all(void **state) {
    (void)state;
    for_all(check_going_on);
}

static void training_starts_from_what_is_there(void **state) {
    (void)state;
    for_all(check_start);
}

/* ---- evaluating ---- */

static void same_rows(struct evaluator *a, struct evaluator *b, int k) {
    const struct evaluation_row *x = pair_evaluate(a, k), *y = pair_evaluate(b, k);
    assert_int_equal(a->n, 2); // as trained, and calibrated
    assert_int_equal(b->n, 2);
    for (int i = 0; i < 2; i++) {
        assert_true(x[i].loss_sum == y[i].loss_sum);
        assert_int_equal(x[i].correct1, y[i].correct1);
    }
    assert_true(x[0].loss_sum != x[1].loss_sum);
}

static void use_exact(struct pair *p) {
    struct error e = {0};
    if (evaluator_use_exact(&p->direct, 1, ARITHMETIC_INT8, &e) ||
        evaluator_use_exact(&p->truncated, 1, ARITHMETIC_INT8, &e))
        fail_msg("%s", e.text);
}

/* Width after width, so that each finds in the spare bank what the one before has left there. */
static void check_evaluating(const struct engine *engine, const struct spec *spec, int exact) {
    struct pair own, copied;
    pair_open_by(&own, engine, spec, 8);
    pair_open_by(&copied, copying_engine(engine), spec, 8);
    if (exact) {
        use_exact(&own);
        use_exact(&copied);
        assert_true(!engine->exact == !copied.direct.exact.programs);
    }
    for (int b = 0; b < spec->widths.n; b++) {
        int k = spec->widths.bits[b];
        same_rows(&own.direct, &copied.direct, k);
        if (k <= 8)
            same_rows(&own.truncated, &copied.truncated, k);
    }
    pair_close(&own);
    pair_close(&copied);
}

static void check_plain(const struct engine *engine, const struct spec *spec) {
    check_evaluating(engine, spec, 0);
}

static void check_exact(const struct engine *engine, const struct spec *spec) {
    check_evaluating(engine, spec, 1);
}

static void evaluating_gives_and_takes_all(void **state) {
    (void)state;
    for_all(check_plain);
}

static void exact_inference_is_given_all(void **state) {
    (void)state;
    for_all(check_exact);
}

/* ---- what an engine says ---- */

static int lacks_a_device(char *text, size_t size) {
    snprintf(text, size, "there is no such device");
    return -1;
}

static void refused(struct engine engine, const char *because) {
    struct error e = {0};
    assert_int_equal(engine_check(&engine, &e), -1);
    if (!strstr(e.text, because) || !strstr(e.text, engine.name))
        fail_msg("'%s' does not say '%s' of %s", e.text, because, engine.name);
}

static void engines_say_what_they_are(void **state) {
    (void)state;
    int can = 0;
    for (int i = 0; engines[i]; i++) {
        char text[256] = "";
        struct error e = {0};
        assert_true(engines[i]->name[0] && engines[i]->about[0]);
        assert_ptr_equal(engine_find(engines[i]->name), engines[i]);
        int lacks = engines[i]->look && engines[i]->look(text, sizeof text);
        assert_int_equal(engine_check(engines[i], &e), lacks ? -1 : 0);
        assert_true(!lacks || strstr(e.text, text));
        can += !lacks && !engines[i]->computes_nothing;
    }
    assert_non_null(engine_at(can - 1));
    assert_null(engine_at(can));
}

static void engines_that_do_not_fit_are_refused(void **state) {
    (void)state;
    struct engine engine = engine_reference;
    engine.interface++;
    refused(engine, "version");
    engine = engine_reference;
    engine.peek = NULL;
    refused(engine, "slot");
    engine = *copying_engine(&engine_reference);
    engine.download = NULL;
    refused(engine, "slot");
    engine = engine_reference;
    engine.look = lacks_a_device;
    refused(engine, "no such device");
}

/* The record of the engine without a library is that of earlier versions: the default's. */
static void libraries_are_the_engines_own(void **state) {
    (void)state;
    char first[256], plain[256], own[256];
    engine_library(engine_at(0), first, sizeof first);
    engine_library(&engine_reference, plain, sizeof plain);
    assert_string_equal(plain, first);
    if (!engine_at(0)->library)
        return;
    engine_at(0)->library(own, sizeof own);
    assert_string_equal(own, first);
    assert_true(own[0] && own[strlen(own) - 1] != ' ');
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(training_gives_and_takes_all),
        cmocka_unit_test(going_on_gives_all),
        cmocka_unit_test(training_starts_from_what_is_there),
        cmocka_unit_test(evaluating_gives_and_takes_all),
        cmocka_unit_test(exact_inference_is_given_all),
        cmocka_unit_test(engines_say_what_they_are),
        cmocka_unit_test(engines_that_do_not_fit_are_refused),
        cmocka_unit_test(libraries_are_the_engines_own),
    };
    return cmocka_run_group_tests_name("moments", tests, test_folder_start, test_folder_end);
}
