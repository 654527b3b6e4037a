/* The reader of model files trusts nothing: every byte flipped and every cut is an error or the
 * same model, behind a guard page; what is made up but has right checksums is refused, or computes;
 * and a prefix that ends behind a plane is the model of so many bits. */
#include "runtime/guarded.h"
#include "runtime/packed.h"

#include "base/file.h"
#include "base/folder.h"
#include "base/random.h"
#include "fuzz/fuzz_tqm.h"
#include "runtime/format.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

static struct packed packed;
static uint8_t *file; // the model file
static size_t size;
static float *scores[9]; // of all images, by width

/* ---- the sound model ---- */

static void infer(const struct tq_model *m, int k, float *into) {
    struct tq_session *s;
    if (tq_session_open(m, NULL, &s) || tq_set_bits(s, k) ||
        tq_infer_bytes(s, packed.bytes, (size_t)packed.images, into))
        fail_msg("%s", tq_session_message(s));
    tq_session_close(s);
}

static size_t scores_bytes(void) {
    return (size_t)packed.images * (size_t)packed.data.classes * sizeof(float);
}

static int start(void **state) {
    struct error e = {0};
    static const char *const channel[] = {"granularity", "channel", NULL};
    struct packed_options o = {.scheme = "minmax",
                               .text = packed_cfg,
                               .input = {1, 12, 12},
                               .classes = 7,
                               .keys = channel,
                               .images = 2};
    int rc = test_folder_start(state);
    packed_open(&packed, &o);
    file = (uint8_t *)file_read(packed.path, 1 << 24, &size, &e);
    for (int k = 1; k <= 8; k++) {
        scores[k] = need(scores_bytes(), 1);
        infer(packed.model, k, scores[k]);
    }
    return rc;
}

static int end(void **state) {
    free(file);
    for (int k = 1; k <= 8; k++)
        free(scores[k]);
    packed_free(&packed);
    return test_folder_end(state);
}

static void expect_scores(const struct tq_model *m, int k) {
    float *got = need(scores_bytes(), 1);
    infer(m, k, got);
    assert_memory_equal(got, scores[k], scores_bytes());
    free(got);
}

/* An error has a code and one line, a success neither. */
static void expect_message(int code, const struct tq_model *m) {
    const char *text = tq_model_message(m);
    assert_true(!code == !text[0]);
    assert_null(strchr(text, '\n'));
}

/* ---- damage ---- */

static void every_flipped_byte_is_noticed(void **state) {
    (void)state;
    struct guarded g = guard(file, size);
    for (size_t i = 0; i < size; i++) {
        struct tq_model *m;
        g.bytes[i] ^= (uint8_t)(1 << i % 8);
        int code = tq_open_memory(g.bytes, size, 0, &m);
        expect_message(code, m);
        if (!code)
            fail_msg("byte %zu is another, and nobody noticed", i);
        tq_close(m);
        g.bytes[i] = file[i];
    }
    unguard(&g);
}

/* Planes that a file of `n` bytes holds; -1: it ends within one, or before the first ends. */
static int planes_in(size_t n) {
    const struct tq_info *info = tq_model_info(packed.model);
    for (int k = 1; k <= 8; k++)
        if (n == info->bytes[k])
            return k;
    return -1;
}

static void every_cut_is_an_error_or_fewer_planes(void **state) {
    (void)state;
    int models = 0;
    for (size_t n = 0; n < size; n++) {
        struct tq_model *m;
        uint8_t *aligned = need(n + 1, 1);
        memcpy(aligned, file, n);
        int code = tq_open_memory(aligned, n, 0, &m);
        expect_message(code, m);
        assert_int_equal(code == TQ_OK, planes_in(n) > 0);
        if (!code)
            expect_scores(m, planes_in(n));
        models += !code;
        tq_close(m);
        free(aligned);
    }
    assert_int_equal(models, 7);
}

/* A file cut by the shell, and one in memory behind which there is nothing to be read. */
static void a_prefix_is_the_model_of_fewer_bits(void **state) {
    (void)state;
    struct error e = {0};
    const char *path = folder_file(test_folder, "prefix.tqm");
    for (int k = 1; k <= 8; k++) {
        size_t n = tq_model_info(packed.model)->bytes[k];
        struct guarded g = guard(file, n);
        struct tq_model *m;
        assert_int_equal(tq_open_memory(g.bytes, n, 0, &m), TQ_OK);
        assert_int_equal(tq_model_info(m)->planes, k);
        assert_int_equal(tq_model_info(m)->file_bytes, size);
        for (int bits = 1; bits <= k; bits++)
            expect_scores(m, bits);
        tq_close(m);
        unguard(&g);
        assert_int_equal(file_replace(path, file, n, &e), 0);
        assert_int_equal(tq_open(path, k, &m), TQ_OK);
        expect_scores(m, k);
        tq_close(m);
        assert_int_equal(tq_open(path, k < 8 ? k + 1 : 9, &m), k < 8 ? TQ_NO_WIDTH : TQ_ARGUMENT);
        tq_close(m);
    }
}

/* Of planes that are not asked for, nothing is looked at. */
static void planes_behind_are_not_read(void **state) {
    (void)state;
    size_t n = tq_model_info(packed.model)->bytes[3];
    struct tq_model *m;
    file[size - 1] ^= 1;
    file[n] ^= 1;
    assert_int_equal(tq_open_memory(file, size, 0, &m), TQ_DAMAGED);
    tq_close(m);
    assert_int_equal(tq_open_memory(file, size, 3, &m), TQ_OK);
    expect_scores(m, 3);
    tq_close(m);
    file[size - 1] ^= 1;
    file[n] ^= 1;
}

static void what_is_no_model_is_told(void **state) {
    (void)state;
    struct error e = {0};
    struct tq_model *m;
    const char *path = folder_file(test_folder, "other");
    assert_int_equal(tq_open(path, 0, &m), TQ_NO_FILE);
    assert_non_null(strstr(tq_model_message(m), "No such file"));
    tq_close(m);
    assert_int_equal(file_replace(path, "", 0, &e), 0);
    assert_int_equal(tq_open(path, 0, &m), TQ_NOT_MODEL);
    tq_close(m);
    assert_int_equal(tq_open(test_folder, 0, &m), TQ_NOT_MODEL);
    tq_close(m);
    const char *pipe = folder_file(test_folder, "pipe"); // which is not waited for
    assert_int_equal(mkfifo(pipe, 0600), 0);
    assert_int_equal(tq_open(pipe, 0, &m), TQ_NOT_MODEL);
    tq_close(m);
    assert_int_equal(file_replace(path, "#!/bin/sh\n", 10, &e), 0);
    assert_int_equal(tq_open(path, 0, &m), TQ_NOT_MODEL);
    tq_close(m);
    assert_int_equal(tq_open_memory(file + 1, size - 1, 0, &m), TQ_ARGUMENT);
    tq_close(m);
    assert_int_equal(tq_open(packed.path, -1, &m), TQ_ARGUMENT);
    tq_close(m);
}

/* ---- made up, with right checksums ---- */

/* What a reader may find in a field. */
static uint32_t draw_word(struct random *r) {
    static const uint32_t ends[] = {0, 1, 2, 3, 64, 255, 256, 65536, 1U << 28, 1U << 31, TQ_NONE};
    return random_below(r, 2) ? ends[random_below(r, sizeof ends / sizeof *ends)]
                              : (uint32_t)random_below(r, 16);
}

static void what_is_made_up_does_no_harm(void **state) {
    (void)state;
    enum { TRIES = 6000 };
    struct random r = random_stream(92, RANDOM_TEST, 0, 0);
    struct guarded g = guard(file, size);
    size_t graph = tq_u64(file + TQ_HEADER + TQ_ENTRY + TQ_AT_OFFSET),
           length = tq_u64(file + TQ_HEADER + TQ_ENTRY + TQ_AT_LENGTH);
    int taken = 0;
    for (int i = 0; i < TRIES; i++) {
        size_t at = i % 8 ? graph + random_below(&r, (uint32_t)length / 4) * 4
                          : random_below(&r, (uint32_t)size / 4) * 4;
        uint32_t word = draw_word(&r);
        memcpy(g.bytes + at, &word, sizeof word);
        tqm_seal(g.bytes, size);
        taken += tqm_try(g.bytes, size);
        memcpy(g.bytes, file, size);
    }
    unguard(&g);
    assert_true(taken > TRIES / 20 && taken < TRIES); // what is 0 already stays as it is
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_flipped_byte_is_noticed),
        cmocka_unit_test(every_cut_is_an_error_or_fewer_planes),
        cmocka_unit_test(a_prefix_is_the_model_of_fewer_bits),
        cmocka_unit_test(planes_behind_are_not_read),
        cmocka_unit_test(what_is_no_model_is_told),
        cmocka_unit_test(what_is_made_up_does_no_harm),
    };
    return cmocka_run_group_tests_name("reader", tests, start, end);
}
