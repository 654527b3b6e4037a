/* A convolution's images divided among threads; conv.h is the manual. Written for the C API of
 * oneDNN 2 (Debian 12 has 2.6), as all of onednn*.c.
 *
 * Each thread has primitives of its own for its share of the images. Those never wait for one
 * another within a primitive, as oneDNN's of several threads do, spinning, where they sum gradients
 * of weights. */
#include "engine/onednn/share.h"

#include <omp.h>
#include <stdlib.h>

struct placed {
    struct share *share;
    size_t x, y; // where it begins in X and in Y, in numbers
    float *dW;   // canonical; owned; NULL for the first, which writes to where the caller wants it
};

struct onednn_conv {
    enum conv_operands operands;
    size_t weights; // how many
    int n;
    struct placed *all; // (n), in the order of the images; owned
};

/* As evenly as whole units (trio_unit) allow. 0: a share has no primitives. */
static int divide(struct onednn_conv *c, struct onednn *o, const struct conv *g, int images,
                  const struct conv_form *form) {
    int unit = trio_unit(g, images, form), units = images / unit;
    size_t x = 0, y = 0;
    c->n = o->threads < units ? o->threads : units;
    c->all = need((size_t)c->n, sizeof *c->all);
    for (int i = 0; i < c->n; i++) {
        int of_it = units * (i + 1) / c->n - units * i / c->n;
        struct share *share = share_new(&o->lanes[i], g, unit * of_it, form);
        if (!share)
            return 0;
        c->all[i] =
            (struct placed){share, x, y, i ? need_aligned(c->weights, sizeof(float)) : NULL};
        x += share_x(share);
        y += share_y(share);
    }
    return 1;
}

struct onednn_conv *onednn_conv_new(struct onednn *o, const struct conv *g, int n,
                                    const struct conv_form *form) {
    struct onednn_conv *c = need(1, sizeof *c);
    c->operands = form->operands;
    c->weights = (size_t)g->filters * (size_t)(g->c / g->groups * g->size * g->size);
    int threads = omp_get_max_threads();
    omp_set_num_threads(1); // oneDNN makes primitives for the threads that there are
    int made = divide(c, o, g, n, form);
    omp_set_num_threads(threads);
    if (made)
        return c;
    onednn_conv_free(c);
    return NULL;
}

void onednn_conv_free(struct onednn_conv *c) {
    if (!c)
        return;
    for (int i = 0; i < c->n; i++) {
        share_free(c->all[i].share);
        free(c->all[i].dW);
    }
    free(c->all);
    free(c);
}

void onednn_conv_weights(struct onednn_conv *c, const float *W) {
    for (int i = 0; i < c->n; i++)
        share_weights(c->all[i].share, W);
}

void onednn_conv_forward(struct onednn_conv *c, const void *X, const float *by_filter, float *Y) {
#pragma omp parallel for num_threads(onednn_team(c->n)) schedule(static, 1)
    for (int i = 0; i < c->n; i++) {
        struct placed *s = &c->all[i];
        omp_set_num_threads(1); // of this thread alone: as many as its primitives were made for
        share_forward(s->share, operands_after(c->operands, X, s->x), by_filter, Y + s->y);
    }
}

void onednn_conv_backward(struct onednn_conv *c, const void *X, const void *dY, float *dW,
                          float *dX) {
#pragma omp parallel for num_threads(onednn_team(c->n)) schedule(static, 1)
    for (int i = 0; i < c->n; i++) {
        struct placed *s = &c->all[i];
        omp_set_num_threads(1); // of this thread alone: as many as its primitives were made for
        share_backward(s->share, operands_after(c->operands, X, s->x),
                       operands_after(c->operands, dY, s->y), s->dW ? s->dW : dW,
                       dX ? dX + s->x : NULL);
    }
    for (int i = 1; i < c->n; i++)
        for (size_t j = 0; j < c->weights; j++)
            dW[j] += c->all[i].dW[j];
}
