/* Loading a cfg by Darknet and comparing; darknet_twin.h is the manual. The library is opened at
 * run time and only here, as its header claims names such as `node` and `layer`. */
#include "model/darknet_twin.h"

#include <darknet.h>

#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/wait.h>
#include <unistd.h>

static const char library[] = "/usr/lib/darknet/libdarknet.so";

int darknet_twin_is_there(void) {
    return access(library, R_OK) == 0;
}

static const LAYER_TYPE darknet_types[LAYER_TYPES] = {
    [LAYER_CONVOLUTIONAL] = CONVOLUTIONAL,
    [LAYER_CONNECTED] = CONNECTED,
    [LAYER_BATCHNORM] = BATCHNORM,
    [LAYER_ACTIVATION] = ACTIVE,
    [LAYER_MAXPOOL] = MAXPOOL,
    [LAYER_AVGPOOL] = AVGPOOL,
    [LAYER_SHORTCUT] = SHORTCUT,
    [LAYER_ROUTE] = ROUTE,
    [LAYER_UPSAMPLE] = UPSAMPLE,
    [LAYER_REORG] = REORG,
    [LAYER_DROPOUT] = DROPOUT,
    [LAYER_SOFTMAX] = SOFTMAX,
    [LAYER_COST] = COST,
};

/* Where the differences go; the first one counts. */
struct report {
    FILE *out;
    int layer;
    const char *what;
};

static void differs(const struct report *r, const char *field, double ours, double theirs) {
    if (ours < theirs || ours > theirs) {
        fprintf(r->out, "layer %d (%s): %s is %g here and %g in Darknet", r->layer, r->what, field,
                ours, theirs);
        fclose(r->out);
        _exit(0);
    }
}

static int carries_activation(enum layer_type t) {
    return t == LAYER_CONVOLUTIONAL || t == LAYER_CONNECTED || t == LAYER_SHORTCUT ||
           t == LAYER_ACTIVATION;
}

static void compare_geometry(const struct report *r, const struct cfg_layer *a, const layer *b) {
    if (carries_activation(a->type))
        differs(r, "activation", a->activation == ACT_RELU6 ? ACT_RELU : a->activation,
                b->activation); // relu6, which Darknet lacks, is none of its business
    if (a->type == LAYER_CONVOLUTIONAL || a->type == LAYER_MAXPOOL) {
        differs(r, "size", a->size, b->size);
        differs(r, "stride", a->stride, b->stride);
        differs(r, "padding", a->padding, b->pad);
    }
    if (a->type == LAYER_CONVOLUTIONAL || a->type == LAYER_CONNECTED)
        differs(r, "batch_normalize", a->batch_normalize, b->batch_normalize);
    if (a->type == LAYER_CONVOLUTIONAL) {
        differs(r, "groups", a->groups, b->groups);
        differs(r, "weights", (double)(a->in.c / a->groups) * a->filters * a->size * a->size,
                b->nweights);
    }
    if (a->type == LAYER_UPSAMPLE || a->type == LAYER_REORG)
        differs(r, "stride", a->stride, b->stride);
}

static void compare_options(const struct report *r, const struct cfg_layer *a, const layer *b) {
    if (a->type == LAYER_SHORTCUT) {
        differs(r, "from", a->from[0], b->index);
        differs(r, "alpha", a->alpha, b->alpha);
        differs(r, "beta", a->beta, b->beta);
    }
    if (a->type == LAYER_ROUTE) {
        differs(r, "number of layers", a->n_from, b->n);
        for (int k = 0; k < a->n_from; k++)
            differs(r, "a layer", a->from[k], b->input_layers[k]);
    }
    if (a->type == LAYER_DROPOUT)
        differs(r, "probability", a->probability, b->probability);
    if (a->type == LAYER_UPSAMPLE)
        differs(r, "scale", a->scale, b->scale);
    if (a->type == LAYER_REORG)
        differs(r, "reverse", a->reverse, b->reverse);
}

static void compare_layer(const struct report *r, const struct cfg_layer *a, const layer *b) {
    differs(r, "type", darknet_types[a->type], b->type);
    differs(r, "number of inputs", (double)a->in.c * a->in.h * a->in.w, b->inputs);
    differs(r, "number of outputs", (double)a->out.c * a->out.h * a->out.w, b->outputs);
    if (a->type == LAYER_SOFTMAX || a->type == LAYER_COST)
        return; // Darknet gives them no plane
    differs(r, "out.c", a->out.c, b->out_c);
    differs(r, "out.h", a->out.h, b->out_h);
    differs(r, "out.w", a->out.w, b->out_w);
    compare_geometry(r, a, b);
    compare_options(r, a, b);
}

static void compare_network(FILE *out, const struct cfg *cfg, const network *net) {
    struct report r = {out, -1, "net"};
    differs(&r, "number of layers", cfg->n, net->n);
    differs(&r, "batch", 1, net->batch);
    differs(&r, "channels", cfg->input.c, net->c);
    differs(&r, "height", cfg->input.h, net->h);
    differs(&r, "width", cfg->input.w, net->w);
    differs(&r, "classes", cfg->classes, net->outputs);
    for (int i = 0; i < cfg->n; i++) {
        r.layer = i;
        r.what = layer_type_name(cfg->layers[i].type);
        compare_layer(&r, &cfg->layers[i], &net->layers[i]);
    }
}

static void hush(void) {
    int null = open("/dev/null", O_WRONLY);
    dup2(null, STDOUT_FILENO);
    dup2(null, STDERR_FILENO);
    close(null);
}

static int write_cfg(const char *text, char path[]) {
    int fd = mkstemp(path);
    if (fd < 0)
        return -1;
    ssize_t n = write(fd, text, strlen(text));
    close(fd);
    return n == (ssize_t)strlen(text) ? 0 : -1;
}

/* The child. An empty report means agreement, so everything else has to say something. */
static void load_and_compare(const struct cfg *cfg, char *path, FILE *out) {
    hush();
    void *handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
    network *(*parse)(char *) = NULL;
    if (handle)
        *(void **)&parse = dlsym(handle, "parse_network_cfg");
    if (!parse)
        fprintf(out, "the library cannot be loaded");
    else
        compare_network(out, cfg, parse(path));
    fclose(out);
    _exit(0);
}

void darknet_twin_compare(const struct cfg *cfg, char *text, size_t size) {
    char path[] = "/tmp/darknet-twin-XXXXXX";
    int ends[2], status;
    snprintf(text, size, "the comparison did not start");
    if (write_cfg(cfg->darknet, path) || pipe(ends))
        return;
    pid_t child = fork();
    if (child < 0)
        return;
    if (child == 0) {
        close(ends[0]);
        load_and_compare(cfg, path, fdopen(ends[1], "w"));
    }
    close(ends[1]);
    size_t at = 0;
    for (ssize_t n; at + 1 < size && (n = read(ends[0], text + at, size - 1 - at)) > 0;)
        at += (size_t)n;
    text[at] = '\0';
    close(ends[0]);
    waitpid(child, &status, 0);
    unlink(path);
    if (!WIFEXITED(status) || WEXITSTATUS(status))
        snprintf(text, size, "Darknet died of the cfg (wait status %d)", status);
}
