/* Matrix products against plain loops; products.h is the manual. Matrices are positive, so that a
 * sum is also the sum of magnitudes, which bounds its rounding whatever the order of terms: n
 * terms differ from the exact sum by less than n eps times it. */
#include "engine/products.h"

#include "base/random.h"
#include "engine/reference/ops.h"

#include <cblas.h>
#include <float.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Roundings to nearest err by half an eps each; the other half is for what is not modelled. */
static const double eps_per_term = FLT_EPSILON;

/* C (m, n) = A (m, k) B (k, n), added to what is there if `add`; A, B are stored transposed if ta,
 * tb. */
struct product {
    int ta, tb, m, n, k, add;
};

/* Sides are cut by multiples of this, which all tiles of kernels (4 ... 64, 24, 48) divide. */
enum { PERIOD = 192, MOST_WORK = 4000000, PER_LAYER = 3 };

/* First the sides that kernels go along without blocking; k stays longer than two of its blocks
 * (384) if it can. */
static void cut_product(struct product *p) {
    static const int kept[2][3] = {{2 * PERIOD, 2 * PERIOD, 6 * PERIOD}, {PERIOD, PERIOD, PERIOD}};
    int *const sides[] = {&p->m, &p->n, &p->k};
    for (int round = 0; round < 2; round++)
        for (;;) {
            int *longest = NULL;
            for (int i = 0; i < 3; i++)
                if (*sides[i] > kept[round][i] && (!longest || *sides[i] > *longest))
                    longest = sides[i];
            if ((double)p->m * p->n * p->k <= MOST_WORK)
                return;
            if (!longest)
                break;
            *longest -= PERIOD;
        }
}

static float *draw_matrix(struct random *r, int rows, int columns) {
    float *x = need_aligned((size_t)rows * (size_t)columns, sizeof *x);
    for (size_t i = 0; i < (size_t)rows * (size_t)columns; i++)
        x[i] = 0.5f + random_unit(r);
    return x;
}

/* x (rows, columns) as it is, or its transpose; the caller frees. */
static float *stored(const float *x, int rows, int columns, int transposed) {
    float *y = need_aligned((size_t)rows * (size_t)columns, sizeof *y);
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < columns; j++)
            y[transposed ? j * rows + i : i * columns + j] = x[i * columns + j];
    return y;
}

static void multiply(const struct product *p, const float *A, const float *B, float *C) {
    float *a = stored(A, p->m, p->k, p->ta), *b = stored(B, p->k, p->n, p->tb);
    cblas_sgemm(CblasRowMajor, p->ta ? CblasTrans : CblasNoTrans, p->tb ? CblasTrans : CblasNoTrans,
                p->m, p->n, p->k, 1, a, p->ta ? p->m : p->k, b, p->tb ? p->k : p->n,
                p->add ? 1.0f : 0.0f, C, p->n);
    free(a);
    free(b);
}

/* Row i of C before (or zeros, unless it is added to) plus row i of A times B. */
static void plain_row(const struct product *p, int i, const float *A, const float *B,
                      const float *before, double *sum) {
    for (int j = 0; j < p->n; j++)
        sum[j] = p->add ? before[i * p->n + j] : 0;
    for (int k = 0; k < p->k; k++)
        for (int j = 0; j < p->n; j++)
            sum[j] += (double)A[i * p->k + k] * B[k * p->n + j];
}

static int say_wrong(const struct product *p, double got, double right, struct error *e) {
    return fail(
        e,
        "OpenBLAS (kernels for %s) multiplies wrongly: %d x %d by %d x %d%s%s gave %.9g where "
        "plain loops give %.9g; " PRODUCTS_REMEDY,
        openblas_get_corename(), p->m, p->k, p->k, p->n, p->ta ? ", the first transposed" : "",
        p->tb ? ", the second transposed" : "", got, right);
}

/* C before is NaN where nothing is to be left of it. */
static int check_product(struct product p, struct error *e) {
    cut_product(&p);
    struct random r = random_stream(0, RANDOM_TEST, 0, 0);
    float *A = draw_matrix(&r, p.m, p.k), *B = draw_matrix(&r, p.k, p.n),
          *before = draw_matrix(&r, p.m, p.n);
    for (int i = 0; i < p.m * p.n && !p.add; i++)
        before[i] = NAN;
    float *C = stored(before, p.m, p.n, 0);
    double *sum = need((size_t)p.n, sizeof *sum);
    int rc = 0;
    multiply(&p, A, B, C);
    for (int i = 0; i < p.m && !rc; i++) {
        plain_row(&p, i, A, B, before, sum);
        for (int j = 0; j < p.n && !rc; j++)
            if (!(fabs(C[i * p.n + j] - sum[j]) <= (p.k + p.add) * eps_per_term * sum[j]))
                rc = say_wrong(&p, C[i * p.n + j], sum[j], e);
    }
    free(A);
    free(B);
    free(C);
    free(before);
    free(sum);
    return rc;
}

/* What conv_forward and conv_backward, linear_forward and linear_backward multiply. */
static void conv_products(const struct conv *g, struct product p[PER_LAYER]) {
    int m = g->filters / g->groups, n = g->out_h * g->out_w;
    int k = g->c / g->groups * g->size * g->size;
    p[0] = (struct product){0, 0, m, n, k, 0};
    p[1] = (struct product){1, 0, k, n, m, 0};
    p[2] = (struct product){0, 1, m, k, n, 1};
}

static void linear_products(int batch, int in, int out, struct product p[PER_LAYER]) {
    p[0] = (struct product){0, 1, batch, out, in, 0};
    p[1] = (struct product){1, 0, out, in, batch, 0};
    p[2] = (struct product){0, 0, batch, in, out, 1};
}

static int is_before(const struct product *p, int n) {
    for (int i = 0; i < n; i++)
        if (!memcmp(&p[i], &p[n], sizeof *p))
            return 1;
    return 0;
}

static int check_all(const struct product *p, int n, struct error *e) {
    for (int i = 0; i < n; i++)
        if (!is_before(p, i) && check_product(p[i], e))
            return -1;
    return 0;
}

/* OPENBLAS_CORETYPE is believed, whatever the processor can do. */
static void say_illegal(int signal) {
    static const char text[] = "truncquant: OpenBLAS took kernels with instructions that this "
                               "processor has not; " PRODUCTS_REMEDY "\n";
    if (write(STDERR_FILENO, text, sizeof text - 1) < 0)
        _exit(128 + signal);
    _exit(1);
}

int products_check(const struct cfg *cfg, int batch, struct error *e) {
    struct product *p = need((size_t)cfg->n * PER_LAYER, sizeof *p);
    int n = 0;
    for (int i = 0; i < cfg->n; i++) {
        const struct cfg_layer *l = &cfg->layers[i];
        if (l->type == LAYER_CONVOLUTIONAL) {
            struct conv g = conv_geometry(l);
            conv_products(&g, p + n);
            n += PER_LAYER;
        } else if (l->type == LAYER_CONNECTED) {
            linear_products(batch, l->in.c * l->in.h * l->in.w, l->filters, p + n);
            n += PER_LAYER;
        }
    }
    struct sigaction ours = {.sa_handler = say_illegal}, before;
    sigaction(SIGILL, &ours, &before);
    int rc = check_all(p, n, e);
    sigaction(SIGILL, &before, NULL);
    free(p);
    return rc;
}

int products_check_common(struct error *e) {
    static const struct conv g[] = {{1, 28, 28, 16, 3, 1, 1, 1, 28, 28},
                                    {16, 28, 28, 32, 3, 2, 1, 1, 14, 14},
                                    {32, 14, 14, 64, 1, 2, 0, 1, 7, 7},
                                    {64, 7, 7, 64, 3, 1, 1, 1, 7, 7},
                                    {96, 5, 5, 37, 5, 1, 2, 1, 5, 5}};
    enum { N = sizeof g / sizeof g[0] };
    struct product p[(N + 1) * PER_LAYER];
    for (int i = 0; i < N; i++)
        conv_products(&g[i], p + i * PER_LAYER);
    linear_products(100, 64, 10, p + N * PER_LAYER);
    return check_all(p, (N + 1) * PER_LAYER, e);
}
