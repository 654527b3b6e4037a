/* Pooling over nChw16c; blocked.h is the manual. */
#include "engine/onednn/blocked.h"

#include "engine/reference/ops.h"

#include <float.h>
#include <math.h>
#include <string.h>

void blocked_mean(const struct blocked *s, const float *X, float *Y) {
#pragma omp parallel for
    for (int i = 0; i < blocked_chunks(s); i++) {
        const float *x = X + (size_t)i * blocked_chunk(s);
        float sum[LANES] = {0};
        for (int p = 0; p < s->plane; p++)
            for (int l = 0; l < LANES; l++)
                sum[l] += x[p * LANES + l];
        float *y = Y + (size_t)(i / s->blocks) * (size_t)s->c + (size_t)(i % s->blocks) * LANES;
        for (int l = 0; l < blocked_lanes(s, i); l++)
            y[l] = sum[l] / (float)s->plane;
    }
}

void blocked_mean_backward(const struct blocked *s, const float *dY, float *dX, int add) {
#pragma omp parallel for
    for (int i = 0; i < blocked_chunks(s); i++) {
        const float *dy =
            dY + (size_t)(i / s->blocks) * (size_t)s->c + (size_t)(i % s->blocks) * LANES;
        float *dx = dX + (size_t)i * blocked_chunk(s), share[LANES] = {0};
        for (int l = 0; l < blocked_lanes(s, i); l++)
            share[l] = dy[l] / (float)s->plane;
        for (int p = 0; p < s->plane; p++)
            for (int l = 0; l < LANES; l++)
                dx[p * LANES + l] = share[l] + (add ? dx[p * LANES + l] : 0);
    }
}

/* The places of a window that are inside the plane: rows and columns of it; its first place may be
 * outside. */
struct part {
    int y0, y1, x0, x1;
};

static struct part part_of(const struct window *g, int y, int x) {
    struct part p;
    window_inside(y, g->size, g->h, &p.y0, &p.y1);
    window_inside(x, g->size, g->w, &p.x0, &p.x1);
    return (struct part){p.y0 - y, p.y1 - y, p.x0 - x, p.x1 - x};
}

static int is_whole(const struct part *p, int size) {
    return p->y0 == 0 && p->x0 == 0 && p->y1 == size && p->x1 == size;
}

/* Inlined where bounds and size are constants, loops unroll and all stays in registers. No branch
 * depends on a value: which of several is the largest cannot be foretold. */
static inline __attribute__((always_inline)) void pool_part(const float *restrict x, int w,
                                                            int size, int y0, int y1, int x0,
                                                            int x1, float *restrict y,
                                                            uint16_t *restrict choice) {
    float most[LANES];
    int where[LANES];
    for (int l = 0; l < LANES; l++) {
        most[l] = -FLT_MAX;
        where[l] = NO_CHOICE;
    }
    for (int ky = y0; ky < y1; ky++)
        for (int kx = x0; kx < x1; kx++) {
            const float *restrict from = x + (ky * w + kx) * LANES;
#pragma omp simd
            for (int l = 0; l < LANES; l++) {
                where[l] = from[l] > most[l] ? ky * size + kx : where[l];
                most[l] = from[l] > most[l] ? from[l] : most[l];
            }
        }
    for (int l = 0; l < LANES; l++) {
        choice[l] = (uint16_t)where[l];
        y[l] = where[l] == NO_CHOICE ? NAN : most[l];
    }
}

/* The window whose first place is (top, left). */
static void pool_window(const struct window *g, const float *x, int top, int left, float *y,
                        uint16_t *choice) {
    struct part p = part_of(g, top, left);
    const float *first = x + (top * g->w + left) * LANES;
    if (is_whole(&p, 2) && g->size == 2)
        pool_part(first, g->w, 2, 0, 2, 0, 2, y, choice);
    else if (is_whole(&p, 3) && g->size == 3)
        pool_part(first, g->w, 3, 0, 3, 0, 3, y, choice);
    else
        pool_part(first, g->w, g->size, p.y0, p.y1, p.x0, p.x1, y, choice);
}

void blocked_maxpool(const struct blocked *in, const struct window *g, const float *X, float *Y,
                     uint16_t *choice) {
    size_t out = (size_t)g->out_h * (size_t)g->out_w * LANES;
#pragma omp parallel for
    for (int i = 0; i < blocked_chunks(in); i++)
        for (int oy = 0; oy < g->out_h; oy++)
            for (int ox = 0; ox < g->out_w; ox++) {
                size_t at = (size_t)i * out + (size_t)(oy * g->out_w + ox) * LANES;
                pool_window(g, X + (size_t)i * blocked_chunk(in), oy * g->stride + g->offset,
                            ox * g->stride + g->offset, Y + at, choice + at);
            }
}

/* Adds the gradient to the place of the window that was taken, by lane, and zero to the others. */
static inline __attribute__((always_inline)) void unpool_part(const float *restrict dy,
                                                              const uint16_t *restrict choice,
                                                              int w, int size, int y0, int y1,
                                                              int x0, int x1, float *restrict dx) {
    for (int ky = y0; ky < y1; ky++)
        for (int kx = x0; kx < x1; kx++) {
            float *restrict to = dx + (ky * w + kx) * LANES;
#pragma omp simd
            for (int l = 0; l < LANES; l++)
                to[l] += choice[l] == ky * size + kx ? dy[l] : 0;
        }
}

static void unpool_window(const struct window *g, const float *dy, const uint16_t *choice, int top,
                          int left, float *dx) {
    struct part p = part_of(g, top, left);
    float *first = dx + (top * g->w + left) * LANES;
    if (is_whole(&p, 2) && g->size == 2)
        unpool_part(dy, choice, g->w, 2, 0, 2, 0, 2, first);
    else if (is_whole(&p, 3) && g->size == 3)
        unpool_part(dy, choice, g->w, 3, 0, 3, 0, 3, first);
    else
        unpool_part(dy, choice, g->w, g->size, p.y0, p.y1, p.x0, p.x1, first);
}

void blocked_maxpool_backward(const struct blocked *in, const struct window *g,
                              const uint16_t *choice, const float *dY, float *dX, int add) {
    size_t out = (size_t)g->out_h * (size_t)g->out_w * LANES;
#pragma omp parallel for
    for (int i = 0; i < blocked_chunks(in); i++) {
        float *dx = dX + (size_t)i * blocked_chunk(in);
        if (!add)
            memset(dx, 0, blocked_chunk(in) * sizeof *dx);
        for (int oy = 0; oy < g->out_h; oy++)
            for (int ox = 0; ox < g->out_w; ox++) {
                size_t at = (size_t)i * out + (size_t)(oy * g->out_w + ox) * LANES;
                unpool_window(g, dY + at, choice + at, oy * g->stride + g->offset,
                              ox * g->stride + g->offset, dx);
            }
    }
}
