/* Matrix products against plain loops, with an OpenBLAS of this file's own: it notes what it is
 * asked for, and is wrong where a test says so. Asked for is what the operators themselves
 * multiply, and large sides keep what they leave over tiles. */
#include "base/error.h"
#include "engine/products.h"
#include "engine/reference/ops.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cblas.h>
#include <cmocka.h>

enum { MOST = 256, BATCH = 5 };

struct call {
    int ta, tb, m, n, k;
};

static struct call calls[MOST];
static int n_calls;
static float factor = 1;        // of the value at `wrong_at` of every product
static int wrong_at = -1;       // -1: none; -2: the last
static int keeps_what_is_there; // as if beta were 1

static void note(const struct call *c) {
    for (int i = 0; i < n_calls; i++)
        if (!memcmp(&calls[i], c, sizeof *c))
            return;
    assert_true(n_calls < MOST);
    calls[n_calls++] = *c;
}

void cblas_sgemm(CBLAS_ORDER order, CBLAS_TRANSPOSE ta, CBLAS_TRANSPOSE tb, blasint m, blasint n,
                 blasint k, float alpha, const float *a, blasint lda, const float *b, blasint ldb,
                 float beta, float *c, blasint ldc) {
    assert_int_equal(order, CblasRowMajor);
    assert_true(alpha == 1);
    note(&(struct call){ta == CblasTrans, tb == CblasTrans, m, n, k});
    for (int i = 0; i < m; i++)
        for (int j = 0; j < n; j++) {
            float sum = beta != 0 || keeps_what_is_there ? c[i * ldc + j] : 0;
            for (int l = 0; l < k; l++)
                sum += (ta == CblasTrans ? a[l * lda + i] : a[i * lda + l]) *
                       (tb == CblasTrans ? b[j * ldb + l] : b[l * ldb + j]);
            c[i * ldc + j] = sum;
        }
    if (wrong_at != -1)
        c[wrong_at < 0 ? (m - 1) * ldc + n - 1 : wrong_at] *= factor;
}

static const char small[] = "[net]\n"
                            "[convolutional]\nfilters=6\nsize=3\npad=1\nactivation=linear\n"
                            "[convolutional]\nfilters=9\nsize=1\nstride=2\nactivation=linear\n"
                            "[convolutional]\nfilters=9\nsize=3\ngroups=3\nactivation=linear\n"
                            "[connected]\noutput=7\nactivation=linear\n"
                            "[connected]\nactivation=linear\n[softmax]\n";
static const char large[] =
    "[net]\n"
    "[convolutional]\nfilters=101\nsize=7\nstride=2\npad=1\nactivation=linear\n"
    "[convolutional]\nfilters=517\nsize=3\nstride=2\npad=1\nactivation=linear\n"
    "[convolutional]\nfilters=515\nsize=3\nstride=8\npad=1\nactivation=linear\n"
    "[connected]\noutput=4099\nactivation=linear\n"
    "[connected]\nactivation=linear\n[softmax]\n";

static void parse(struct cfg *cfg, const char *text, struct shape data) {
    struct error e = {0};
    if (cfg_parse(cfg, text, strlen(text), "test.cfg", data, 10, &e))
        fail_msg("%s", e.text);
}

/* Each layer once forward and backward, as the reference engine has it. */
static void operate(const struct cfg_layer *l) {
    enum { VALUES = 20000 };
    float *x[6];
    for (int i = 0; i < 6; i++)
        x[i] = need_aligned(VALUES, sizeof(float));
    if (l->type == LAYER_CONVOLUTIONAL) {
        struct conv g = conv_geometry(l);
        conv_forward(&g, BATCH, x[0], x[1], NULL, x[2], x[3]);
        conv_backward(&g, BATCH, x[0], x[1], x[2], x[4], x[5], 0, x[3]);
    } else if (l->type == LAYER_CONNECTED) {
        int in = l->in.c * l->in.h * l->in.w;
        linear_forward(BATCH, in, l->filters, x[0], x[1], NULL, x[2]);
        linear_backward(BATCH, in, l->filters, x[0], x[1], x[2], x[4], x[5], 1);
    }
    for (int i = 0; i < 6; i++)
        free(x[i]);
}

static int compare(const void *a, const void *b) {
    return memcmp(a, b, sizeof(struct call));
}

static void products_are_those_of_the_operators(void **state) {
    (void)state;
    struct cfg cfg;
    struct error e = {0};
    struct call used[MOST];
    parse(&cfg, small, (struct shape){1, 12, 12});
    n_calls = 0;
    for (int i = 0; i < cfg.n; i++)
        operate(&cfg.layers[i]);
    int n_used = n_calls;
    memcpy(used, calls, sizeof used);
    n_calls = 0;
    assert_int_equal(products_check(&cfg, BATCH, &e), 0);
    assert_int_equal(n_calls, n_used);
    assert_int_equal(n_used, 15);
    qsort(used, (size_t)n_used, sizeof *used, compare);
    qsort(calls, (size_t)n_calls, sizeof *calls, compare);
    assert_memory_equal(used, calls, (size_t)n_used * sizeof *used);
    cfg_free(&cfg);
}

/* m, n, k as the operators have them, or less by a multiple of 192; in milliseconds, not minutes.
 * */
static void check_cut(int had, int has) {
    assert_true(has > 0 && has <= had);
    assert_int_equal(has % 192, had % 192);
}

static void large_products_are_cut(void **state) {
    (void)state;
    static const int want[][3] = {{101, 12996, 147},    {147, 12996, 101},    {101, 147, 12996},
                                  {517, 3249, 909},     {909, 3249, 517},     {517, 909, 3249},
                                  {515, 64, 4653},      {4653, 64, 515},      {515, 4653, 64},
                                  {BATCH, 4099, 32960}, {4099, 32960, BATCH}, {BATCH, 32960, 4099},
                                  {BATCH, 10, 4099},    {10, 4099, BATCH},    {BATCH, 4099, 10}};
    struct cfg cfg;
    struct error e = {0};
    parse(&cfg, large, (struct shape){3, 227, 227});
    n_calls = 0;
    assert_int_equal(products_check(&cfg, BATCH, &e), 0);
    assert_int_equal(n_calls, sizeof want / sizeof want[0]);
    for (int i = 0; i < n_calls; i++) {
        check_cut(want[i][0], calls[i].m);
        check_cut(want[i][1], calls[i].n);
        check_cut(want[i][2], calls[i].k);
        assert_true((double)calls[i].m * calls[i].n * calls[i].k <= 192. * 192 * 192);
    }
    cfg_free(&cfg);
}

static void expect_wrong(const struct cfg *cfg, const char *text) {
    struct error e = {0};
    assert_int_equal(products_check(cfg, BATCH, &e), -1);
    if (!strstr(e.text, text) || !strstr(e.text, "OPENBLAS_CORETYPE"))
        fail_msg("'%s' in: %s", text, e.text);
}

/* A term that is lost or counted twice is seen (147 terms are the most here); as is one value that
 * is not. */
static void small_errors_are_seen(void **state) {
    (void)state;
    struct cfg cfg;
    parse(&cfg, small, (struct shape){1, 12, 12});
    static const float factors[] = {1 - 1e-3f, 1 + 1e-3f, -1, 0, INFINITY, NAN};
    for (size_t i = 0; i < sizeof factors / sizeof factors[0]; i++)
        for (int at = -2; at < 3; at++) {
            factor = factors[i];
            wrong_at = at;
            if (at != -1)
                expect_wrong(&cfg, "multiplies wrongly: 6 x 9 by 9 x 144 gave ");
        }
    wrong_at = -1;
    keeps_what_is_there = 1;
    expect_wrong(&cfg, "multiplies wrongly: 6 x 9 by 9 x 144 gave nan where ");
    keeps_what_is_there = 0;
    cfg_free(&cfg);
}

/* Sums in another order are right. */
static void rounding_is_no_error(void **state) {
    (void)state;
    struct error e = {0};
    factor = 1 + 1.0e-7f;
    wrong_at = -2;
    assert_int_equal(products_check_common(&e), 0);
    wrong_at = -1;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(products_are_those_of_the_operators),
        cmocka_unit_test(large_products_are_cut),
        cmocka_unit_test(small_errors_are_seen),
        cmocka_unit_test(rounding_is_no_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
