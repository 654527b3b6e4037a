/* Darknet with weights files; darknet_weights.h is the manual. The library is opened at run time
 * and only here and in darknet_twin.c, as its header claims names such as `node` and `layer`. */
#include "model/drawn_weights.h"

#include <darknet.h>

#include <dlfcn.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static void *function(const char *name) {
    void *handle = dlopen("/usr/lib/darknet/libdarknet.so", RTLD_NOW | RTLD_LOCAL);
    void *found = handle ? dlsym(handle, name) : NULL;
    if (!found)
        _exit(1);
    return found;
}

static void hush(void) {
    int null = open("/dev/null", O_WRONLY);
    dup2(null, STDOUT_FILENO);
    dup2(null, STDERR_FILENO);
    close(null);
}

static int succeeded(pid_t child) {
    int status;
    return child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) &&
                   WEXITSTATUS(status) == 0
               ? 0
               : -1;
}

static network *load(const char *cfg) {
    network *(*parse)(char *);
    *(void **)&parse = function("parse_network_cfg");
    return parse((char *)cfg);
}

int darknet_scores(const char *cfg, const char *weights, const float *image, int inputs,
                   float *scores, int classes) {
    size_t bytes = (size_t)classes * sizeof(float);
    float *shared = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t child = fork();
    if (child == 0) {
        void (*load_weights)(network *, char *);
        float *(*predict)(network *, float *);
        hush();
        network *net = load(cfg);
        *(void **)&load_weights = function("load_weights");
        *(void **)&predict = function("network_predict");
        if (net->inputs != inputs || net->outputs != classes)
            _exit(1);
        load_weights(net, (char *)weights);
        memcpy(shared, predict(net, (float *)image), bytes);
        _exit(0);
    }
    int rc = succeeded(child);
    memcpy(scores, shared, bytes);
    munmap(shared, bytes);
    return rc;
}

static float unit(unsigned *state) {
    *state = *state * 1664525u + 1013904223u;
    return (float)(*state >> 8) / (1 << 24);
}

static void draw(float *x, int n, float low, float high, unsigned *state) {
    for (int i = 0; x && i < n; i++)
        x[i] = low + (high - low) * unit(state);
}

int darknet_draw_weights(const char *cfg, const char *weights) {
    pid_t child = fork();
    if (child == 0) {
        void (*save_weights)(network *, char *);
        unsigned state = 1;
        hush();
        network *net = load(cfg);
        *(void **)&save_weights = function("save_weights");
        for (int i = 0; i < net->n; i++) {
            layer *l = &net->layers[i];
            int channels = l->type == CONNECTED ? l->outputs : l->out_c;
            if (l->type != CONVOLUTIONAL && l->type != CONNECTED && l->type != BATCHNORM)
                continue;
            if (l->type != BATCHNORM)
                draw(l->biases, channels, -.5f, .5f, &state);
            if (l->batch_normalize || l->type == BATCHNORM) {
                draw(l->scales, channels, .5f, 1.5f, &state);
                draw(l->rolling_mean, channels, -.3f, .3f, &state);
                draw(l->rolling_variance, channels, .001f, 1, &state);
            }
        }
        save_weights(net, (char *)weights);
        _exit(0);
    }
    return succeeded(child);
}
