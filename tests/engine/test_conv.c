/* The reference convolution, forward and backward, against its definition in double, on geometries
 * drawn at random: kernels, strides, paddings, groups, and planes of every small size, 1 included.
 */
#include "base/error.h"
#include "base/random.h"
#include "engine/reference/ops.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { GEOMETRIES = 400 };
static const double tolerance = 1e-5; // of a sum of at most a few hundred products of size 1

static struct conv draw_geometry(struct random *r) {
    struct conv g = {.groups = 1 + (int)random_below(r, 3),
                     .h = 1 + (int)random_below(r, 9),
                     .w = 1 + (int)random_below(r, 9),
                     .size = 1 + (int)random_below(r, 5),
                     .stride = 1 + (int)random_below(r, 3),
                     .padding = (int)random_below(r, 4)};
    if (random_below(r, 2)) // half of them keep the plane's size, which has a path of its own
        g.stride = 1, g.size |= 1, g.padding = g.size / 2;
    g.c = g.groups * (1 + (int)random_below(r, 3));
    g.filters = g.groups * (1 + (int)random_below(r, 3));
    g.out_h = (g.h + 2 * g.padding - g.size) / g.stride + 1;
    g.out_w = (g.w + 2 * g.padding - g.size) / g.stride + 1;
    int fits = g.h + 2 * g.padding >= g.size && g.w + 2 * g.padding >= g.size;
    return fits ? g : draw_geometry(r);
}

static float *draw(struct random *r, size_t n) {
    float *x = need(n, sizeof *x);
    for (size_t i = 0; i < n; i++)
        x[i] = 2 * random_unit(r) - 1;
    return x;
}

struct problem {
    struct conv g;
    int batch;
    size_t n_x, n_y, n_w;
    float *X, *Y, *W, *dX, *dY, *dW, *bias, *workspace;
};

/* Calls visit(p, index of x, of w, of y) for every product that a convolution consists of. */
typedef void visitor(const struct problem *p, size_t x, size_t w, size_t y, double *sums);

static void visit_taps(const struct problem *p, int image, int f, int oy, int ox, visitor *visit,
                       double *sums) {
    const struct conv *g = &p->g;
    int per = g->c / g->groups, group = f / (g->filters / g->groups);
    size_t y = (((size_t)image * (size_t)g->filters + (size_t)f) * (size_t)g->out_h + (size_t)oy) *
                   (size_t)g->out_w +
               (size_t)ox;
    for (int c = 0; c < per; c++)
        for (int ky = 0; ky < g->size; ky++)
            for (int kx = 0; kx < g->size; kx++) {
                int iy = oy * g->stride + ky - g->padding, ix = ox * g->stride + kx - g->padding;
                if (iy < 0 || iy >= g->h || ix < 0 || ix >= g->w)
                    continue;
                int x = ((image * g->c + group * per + c) * g->h + iy) * g->w + ix;
                int w = ((f * per + c) * g->size + ky) * g->size + kx;
                visit(p, (size_t)x, (size_t)w, y, sums);
            }
}

static void visit_products(const struct problem *p, visitor *visit, double *sums) {
    for (int image = 0; image < p->batch; image++)
        for (int f = 0; f < p->g.filters; f++)
            for (int oy = 0; oy < p->g.out_h; oy++)
                for (int ox = 0; ox < p->g.out_w; ox++)
                    visit_taps(p, image, f, oy, ox, visit, sums);
}

static void to_output(const struct problem *p, size_t x, size_t w, size_t y, double *sums) {
    sums[y] += (double)p->X[x] * p->W[w];
}

static void to_weights(const struct problem *p, size_t x, size_t w, size_t y, double *sums) {
    sums[w] += (double)p->X[x] * p->dY[y];
}

static void to_input(const struct problem *p, size_t x, size_t w, size_t y, double *sums) {
    sums[x] += (double)p->W[w] * p->dY[y];
}

/* Values that were computed are the sums of `visit`, plus what was there before. */
static void expect(const struct problem *p, const float *computed, size_t n, visitor *visit,
                   const float *before) {
    double *sums = need(n, sizeof *sums);
    visit_products(p, visit, sums);
    for (size_t i = 0; i < n; i++)
        if (!(fabs(computed[i] - sums[i] - (before ? before[i] : 0)) < tolerance * 10))
            fail_msg("kernel %d stride %d padding %d groups %d on %dx%dx%d: %g, not %g", p->g.size,
                     p->g.stride, p->g.padding, p->g.groups, p->g.c, p->g.h, p->g.w, computed[i],
                     sums[i]);
    free(sums);
}

static void add_bias(struct problem *p, float *before) {
    size_t plane = (size_t)p->g.out_h * (size_t)p->g.out_w;
    for (size_t i = 0; i < p->n_y; i++)
        before[i] = p->bias[i / plane % (size_t)p->g.filters];
}

static void check(struct problem *p, struct random *r) {
    const struct conv *g = &p->g;
    float *before = need(p->n_y, sizeof *before), *kept = draw(r, p->n_x);
    add_bias(p, before);
    conv_forward(g, p->batch, p->X, p->W, NULL, p->Y, p->workspace);
    expect(p, p->Y, p->n_y, to_output, NULL);
    conv_forward(g, p->batch, p->X, p->W, p->bias, p->Y, p->workspace);
    expect(p, p->Y, p->n_y, to_output, before);
    conv_backward(g, p->batch, p->X, p->W, p->dY, p->dW, p->dX, 0, p->workspace);
    expect(p, p->dW, p->n_w, to_weights, NULL);
    expect(p, p->dX, p->n_x, to_input, NULL);
    for (size_t i = 0; i < p->n_x; i++)
        p->dX[i] = kept[i];
    conv_backward(g, p->batch, p->X, p->W, p->dY, p->dW, p->dX, 1, p->workspace);
    expect(p, p->dX, p->n_x, to_input, kept);
    conv_backward(g, p->batch, p->X, p->W, p->dY, p->dW, NULL, 0, p->workspace);
    expect(p, p->dW, p->n_w, to_weights, NULL);
    free(before);
    free(kept);
}

static struct problem make(struct random *r) {
    struct problem p = {.g = draw_geometry(r), .batch = 1 + (int)random_below(r, 3)};
    const struct conv *g = &p.g;
    p.n_x = (size_t)(p.batch * g->c * g->h * g->w);
    p.n_y = (size_t)(p.batch * g->filters * g->out_h * g->out_w);
    p.n_w = (size_t)(g->filters * g->c / g->groups * g->size * g->size);
    p.X = draw(r, p.n_x);
    p.W = draw(r, p.n_w);
    p.dY = draw(r, p.n_y);
    p.bias = draw(r, (size_t)g->filters);
    p.Y = draw(r, p.n_y); // what is there before must not matter
    p.dX = draw(r, p.n_x);
    p.dW = draw(r, p.n_w);
    p.workspace = draw(r, conv_workspace(g));
    return p;
}

static void agrees_with_its_definition(void **state) {
    (void)state;
    struct random r = random_stream(3, RANDOM_TEST, 0, 0);
    for (int i = 0; i < GEOMETRIES; i++) {
        struct problem p = make(&r);
        check(&p, &r);
        float *all[] = {p.X, p.W, p.dY, p.bias, p.Y, p.dX, p.dW, p.workspace};
        for (size_t k = 0; k < sizeof all / sizeof *all; k++)
            free(all[k]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_its_definition),
    };
    return cmocka_run_group_tests_name("convolution", tests, NULL, NULL);
}
