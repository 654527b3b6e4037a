/* How fast Darknet itself trains and evaluates a network: images per second with the library as
 * Debian builds it, none of its functions replaced. Prints CSV:
 * network,threads,batch,train,evaluate.
 *
 *     build/bench/stock_darknet SHAPE BATCH STEPS NETWORK.cfg ...
 *
 * The work is the nearest that it can run. A training step is five forward and backward passes and
 * one update, as five widths cost; nothing is quantized. Darknet crashes on a batch norm of its own
 * and computes 1x1 convolutions of stride 2 as something else, so of a pre-activation network every
 * convolution gets the batch norm and ReLU behind it (batch_normalize=1), every sum the ReLU behind
 * it, and the projections, under 1 % of the arithmetic, are left out: their shortcuts join unequal
 * shapes, which Darknet allows. */
#include "median.h"
#include "random_set.h"

#include "base/error.h"
#include "base/progress.h"
#include "base/text.h"
#include "cfg/cfg.h"

#include <darknet.h>
#include <dlfcn.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WIDTHS = 5, CLASSES = 10, LIMIT = 64 };

/* ---- the library ---- */

static struct {
    network *(*parse_network_cfg)(char *);
    void (*forward_network)(network *);
    void (*backward_network)(network *);
    void (*update_network)(network *);
    void (*free_network)(network *);
} darknet;

static int find(void *library, const char *name, void *function) {
    void *address = dlsym(library, name);
    memcpy(function, &address, sizeof address);
    return address ? 0 : -1;
}

/* This program holds the harness's `gemm` and exports it; with DEEPBIND the library calls its own.
 */
static int load(void) {
    const char *named = getenv("TRUNCQUANT_DARKNET");
    void *library = dlopen(named ? named : "/usr/lib/darknet/libdarknet.so",
                           RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND);
    return !library || find(library, "parse_network_cfg", &darknet.parse_network_cfg) ||
           find(library, "forward_network", &darknet.forward_network) ||
           find(library, "backward_network", &darknet.backward_network) ||
           find(library, "update_network", &darknet.update_network) ||
           find(library, "free_network", &darknet.free_network);
}

/* ---- the nearest network ---- */

struct rewrite {
    const struct cfg *cfg;
    FILE *out;
    int map[1024]; // by layer: the layer of the new network that stands for it; -1: the input
    int n;         // layers of the new network
};

static int is_shortcut_operand(const struct rewrite *r, int layer) {
    for (int i = layer + 1; i < r->cfg->n; i++) {
        const struct cfg_layer *c = &r->cfg->layers[i];
        if (c->type == LAYER_SHORTCUT)
            return c->from[0] == layer || i - 1 == layer;
        if (c->type == LAYER_CONVOLUTIONAL && !c->projection)
            return 0;
    }
    return 0;
}

static void write_convolutional(struct rewrite *r, int i) {
    const struct cfg_layer *c = &r->cfg->layers[i];
    fprintf(r->out,
            "[convolutional]\nbatch_normalize=1\nfilters=%d\nsize=%d\nstride=%d\npadding=%d\n"
            "activation=%s\n",
            c->filters, c->size, c->stride, c->padding,
            is_shortcut_operand(r, i) ? "linear" : "relu");
}

static void write_shortcut(struct rewrite *r, int i) {
    int a = r->map[i - 1], b = r->map[r->cfg->layers[i].from[0]];
    fprintf(r->out, "[shortcut]\nfrom=%d\nactivation=relu\n", a == r->n - 1 ? b : a);
}

/* Writes layer i, or nothing where something else stands for it. */
static int write_layer(struct rewrite *r, int i) {
    const struct cfg_layer *c = &r->cfg->layers[i];
    switch (c->type) {
    case LAYER_CONVOLUTIONAL:
        if (c->projection)
            return 0;
        write_convolutional(r, i);
        return 1;
    case LAYER_CONNECTED:
        fprintf(r->out, "[connected]\noutput=%d\nbatch_normalize=%d\nactivation=%s\n", c->filters,
                c->batch_normalize, activation_name(c->activation));
        return 1;
    case LAYER_MAXPOOL:
        fprintf(r->out, "[maxpool]\nsize=%d\nstride=%d\npadding=%d\n", c->size, c->stride,
                c->padding);
        return 1;
    case LAYER_SHORTCUT:
        write_shortcut(r, i);
        return 1;
    case LAYER_AVGPOOL:
    case LAYER_SOFTMAX:
        fprintf(r->out, "[%s]\n", layer_type_name(c->type));
        return 1;
    default:
        return 0;
    }
}

static void write_network(struct rewrite *r, int batch) {
    const struct shape *s = &r->cfg->input;
    fprintf(r->out,
            "[net]\nbatch=%d\nsubdivisions=1\nheight=%d\nwidth=%d\nchannels=%d\n"
            "learning_rate=0.001\nmomentum=0.9\npolicy=constant\nmax_batches=1000\n",
            batch, s->h, s->w, s->c);
    for (int i = 0; i < r->cfg->n; i++) {
        const struct cfg_layer *c = &r->cfg->layers[i];
        int before = c->type == LAYER_ROUTE ? c->from[0] : i - 1;
        r->map[i] = before < 0 ? -1 : r->map[before];
        if (write_layer(r, i))
            r->map[i] = r->n++;
    }
}

/* `path`: a template of mkstemp, since Darknet wants a file. */
static network *build(const struct cfg *cfg, int batch, char *path) {
    int fd = mkstemp(path);
    struct rewrite r = {.cfg = cfg, .out = fd < 0 ? NULL : fdopen(fd, "w")};
    if (!r.out || cfg->n > (int)(sizeof r.map / sizeof *r.map))
        return NULL;
    write_network(&r, batch);
    fclose(r.out);
    network *net = darknet.parse_network_cfg(path);
    unlink(path);
    return net;
}

/* ---- timing ---- */

static void fill(network *net) {
    for (int i = 0; i < net->inputs * net->batch; i++)
        net->input[i] = (float)(i % 101) / 50 - 1;
    memset(net->truth, 0, (size_t)(net->truths * net->batch) * sizeof(float));
    for (int i = 0; i < net->batch; i++)
        net->truth[i * net->truths + i % CLASSES] = 1;
}

static void train(network *net) {
    *net->seen += (size_t)net->batch;
    net->train = 1;
    for (int i = 0; i < WIDTHS; i++) {
        darknet.forward_network(net);
        darknet.backward_network(net);
    }
    darknet.update_network(net);
}

static void evaluate(network *net) {
    net->train = 0;
    darknet.forward_network(net);
}

/* Images per second; the first call warms up. */
static double rate(network *net, void (*work)(network *), int steps) {
    double seconds[LIMIT] = {0};
    for (int i = -1; i < steps; i++) {
        double start = progress_clock();
        work(net);
        if (i >= 0)
            seconds[i] = progress_clock() - start;
    }
    return net->batch / median(seconds, steps);
}

static int bench(char *path, struct shape shape, int batch, int steps) {
    struct error e = {0};
    struct cfg cfg;
    if (cfg_read(&cfg, path, shape, CLASSES, &e)) {
        fprintf(stderr, "stock_darknet: %s\n", e.text);
        return -1;
    }
    char file[] = "/tmp/stock-darknet-XXXXXX";
    network *net = build(&cfg, batch, file);
    cfg_free(&cfg);
    if (!net) {
        fputs("stock_darknet: cannot write the network for Darknet\n", stderr);
        return -1;
    }
    fill(net);
    double training = rate(net, train, steps), evaluation = rate(net, evaluate, steps);
    printf("%s,1,%d,%.2f,%.2f\n", basename(path), batch, training, evaluation);
    darknet.free_network(net);
    return 0;
}

int main(int argc, char **argv) {
    struct shape shape;
    long batch, steps;
    if (argc < 5 || random_set_shape(argv[1], &shape) || text_int(argv[2], 1, 1024, &batch) ||
        text_int(argv[3], 1, LIMIT, &steps)) {
        fprintf(stderr, "usage: %s HEIGHTxWIDTHxCHANNELS BATCH STEPS NETWORK.cfg ...\n", argv[0]);
        return 2;
    }
    if (load()) {
        fputs("stock_darknet: Darknet cannot be loaded; install the package darknet\n", stderr);
        return 1;
    }
    for (int i = 4; i < argc; i++)
        if (bench(argv[i], shape, (int)batch, (int)steps))
            return 1;
    return 0;
}
