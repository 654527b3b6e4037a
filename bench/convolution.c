/* Forward and backward of the reference engine's 3x3 convolution beside Darknet's own, both with
 * OpenBLAS behind `gemm`, on the shapes of ResNet-20 at batch 32: why the harness has a convolution
 * of its own. Prints CSV: channels,side,forward_ratio,backward_ratio (Darknet's time divided by
 * ours, medians). */
#include "median.h"

#include "base/error.h"
#include "base/progress.h"
#include "engine/reference/ops.h"
#include "model/darknet.h"

#include <darknet.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 32, ROUNDS = 9 };

struct buffers {
    float *X, *W, *Y, *dX, *dW, *dY, *workspace;
};

static struct buffers allocate(const struct conv *g) {
    size_t plane = (size_t)g->h * (size_t)g->w, all = BATCH * (size_t)g->c * plane;
    size_t weights = (size_t)g->filters * (size_t)g->c * 9;
    struct buffers b = {need_aligned(all, 4),
                        need_aligned(weights, 4),
                        need_aligned(all, 4),
                        need_aligned(all, 4),
                        need_aligned(weights, 4),
                        need_aligned(all, 4),
                        need_aligned(conv_workspace(g), 4)};
    for (size_t i = 0; i < all; i++)
        b.X[i] = b.dY[i] = (float)(i % 17) / 17;
    for (size_t i = 0; i < weights; i++)
        b.W[i] = (float)(i % 13) / 13 - 0.5f;
    return b;
}

static void release(struct buffers *b) {
    float *all[] = {b->X, b->W, b->Y, b->dX, b->dW, b->dY, b->workspace};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]);
}

typedef void layer_function(layer, network);

/* Darknet's layer on the same buffers. */
static void call_darknet(layer_function *f, const struct conv *g, const struct buffers *b) {
    size_t out = (size_t)g->filters * (size_t)g->out_h * (size_t)g->out_w;
    float bias[256] = {0}, bias_updates[256];
    layer l = {.type = CONVOLUTIONAL,
               .activation = LINEAR,
               .batch = BATCH,
               .h = g->h,
               .w = g->w,
               .c = g->c,
               .n = g->filters,
               .groups = 1,
               .size = 3,
               .stride = 1,
               .pad = 1,
               .out_h = g->out_h,
               .out_w = g->out_w,
               .out_c = g->filters,
               .outputs = (int)out,
               .nweights = g->filters * g->c * 9,
               .output = b->Y,
               .delta = b->dY,
               .weights = b->W,
               .weight_updates = b->dW,
               .biases = bias,
               .bias_updates = bias_updates};
    f(l, (network){.input = b->X, .delta = b->dX, .workspace = b->workspace});
}

static void compare(const struct conv *g, layer_function *forward, layer_function *backward) {
    struct buffers b = allocate(g);
    double time[4][ROUNDS];
    for (int r = 0; r < ROUNDS; r++) {
        double t0 = progress_clock();
        conv_forward(g, BATCH, b.X, b.W, NULL, b.Y, b.workspace);
        double t1 = progress_clock();
        call_darknet(forward, g, &b);
        double t2 = progress_clock();
        conv_backward(g, BATCH, b.X, b.W, b.dY, b.dW, b.dX, 0, b.workspace);
        double t3 = progress_clock();
        call_darknet(backward, g, &b);
        double t4 = progress_clock();
        double now[4] = {t1 - t0, t2 - t1, t3 - t2, t4 - t3};
        for (int i = 0; i < 4; i++)
            time[i][r] = now[i];
    }
    printf("%d,%d,%.2f,%.2f\n", g->c, g->h, median(time[1], ROUNDS) / median(time[0], ROUNDS),
           median(time[3], ROUNDS) / median(time[2], ROUNDS));
    release(&b);
}

int main(void) {
    // The harness loads Darknet with its functions bound; the same library is then found again by
    // name.
    struct error e = {0};
    struct darknet_network *d =
        darknet_parse("[net]\nheight=8\nwidth=8\nchannels=1\n[avgpool]\n", &e);
    void *library = dlopen("/usr/lib/darknet/libdarknet.so", RTLD_NOW | RTLD_NOLOAD);
    if (!d || !library) {
        fprintf(stderr, "convolution: %s\n", d ? "Darknet is not where Debian puts it" : e.text);
        return 1;
    }
    layer_function *forward, *backward;
    void *f = dlsym(library, "forward_convolutional_layer");
    void *b = dlsym(library, "backward_convolutional_layer");
    memcpy(&forward, &f, sizeof f);
    memcpy(&backward, &b, sizeof b);
    puts("channels,side,forward_ratio,backward_ratio");
    const int shapes[][2] = {{16, 32}, {32, 16}, {64, 8}};
    for (int i = 0; i < 3; i++) {
        int c = shapes[i][0], side = shapes[i][1];
        compare(&(struct conv){c, side, side, c, 3, 1, 1, 1, side, side}, forward, backward);
    }
    darknet_free(d);
    return 0;
}
