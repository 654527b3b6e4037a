/* Loading Darknet and guarding against what it does to a process; darknet.h is the manual. */
#include "model/darknet.h"

#include "base/file.h"
#include "base/hash.h"
#include "base/rounding.h"

#include <assert.h>
#include <cblas.h>
#include <darknet.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct darknet_library {
    network *(*parse_network_cfg)(char *);
    void (*free_network)(network *);
    void (*activate_array)(float *, int, ACTIVATION);
    void (*gradient_array)(const float *, int, ACTIVATION, float *);
};

struct darknet_network {
    network *net;
    const struct darknet_library *library;
};

/* Where Darknet's `error` goes while it parses; it calls it on its own thread of control only. */
static jmp_buf darknet_failed;
static char darknet_said[256];

/* These three replace Darknet's own: calls inside the library go through its PLT, and the
 * executable exports the names (Makefile, EXPORTS). */
void file_error(char *name);
void gemm(int ta, int tb, int m, int n, int k, float alpha, float *a, int lda, float *b, int ldb,
          float beta, float *c, int ldc);

void error(const char *text) {
    snprintf(darknet_said, sizeof darknet_said, "%s", text);
    longjmp(darknet_failed, 1);
}

void file_error(char *name) {
    snprintf(darknet_said, sizeof darknet_said, "cannot open %s", name);
    longjmp(darknet_failed, 1);
}

void gemm(int ta, int tb, int m, int n, int k, float alpha, float *a, int lda, float *b, int ldb,
          float beta, float *c, int ldc) {
    cblas_sgemm(CblasRowMajor, ta ? CblasTrans : CblasNoTrans, tb ? CblasTrans : CblasNoTrans, m, n,
                k, alpha, a, lda, b, ldb, beta, c, ldc);
}

static const char debian_library[] = "/usr/lib/darknet/libdarknet.so";

/* The library that is named, and no other; else Debian's, else, where that is not installed, what
 * the loader finds. */
static void *open_library(struct error *e) {
    const char *named = getenv("TRUNCQUANT_DARKNET");
    void *handle = dlopen(named ? named : debian_library, RTLD_NOW | RTLD_LOCAL);
    if (!handle && !named && access(debian_library, F_OK))
        handle = dlopen("libdarknet.so", RTLD_NOW | RTLD_LOCAL);
    const char *said = handle ? "" : dlerror();
    if (strstr(said, "failed to map segment") || strstr(said, "annot allocate memory"))
        fail(e,
             "Darknet cannot be loaded (%s): memory is out; end other programs, or raise the limit "
             "on it (ulimit -v)",
             said);
    else if (!handle)
        fail(
            e,
            "Darknet cannot be loaded (%s); install the package darknet, or name its libdarknet.so "
            "in TRUNCQUANT_DARKNET",
            said);
    return handle;
}

static int find_symbol(void *handle, const char *name, void *function, struct error *e) {
    void *address = dlsym(handle, name);
    if (!address)
        return fail(e, "Darknet's library has no %s; install Debian's package darknet", name);
    // POSIX lets a data pointer from dlsym be read as a function's; ISO C has no cast for it.
    memcpy(function, &address, sizeof address);
    return 0;
}

static const struct darknet_library *library(struct error *e) {
    static struct darknet_library loaded;
    static int ready;
    if (ready)
        return &loaded;
    void *handle = open_library(e);
    rounding_reset(); // loading it sets flush-to-zero
    if (!handle || find_symbol(handle, "parse_network_cfg", &loaded.parse_network_cfg, e) ||
        find_symbol(handle, "free_network", &loaded.free_network, e) ||
        find_symbol(handle, "activate_array", &loaded.activate_array, e) ||
        find_symbol(handle, "gradient_array", &loaded.gradient_array, e))
        return NULL;
    ready = 1;
    return &loaded;
}

/* Darknet prints a table of layers to stderr; send it nowhere. Returns the real stderr. */
static int silence_stderr(void) {
    fflush(stderr);
    int kept = dup(STDERR_FILENO);
    int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (nowhere >= 0) {
        dup2(nowhere, STDERR_FILENO);
        close(nowhere);
    }
    return kept;
}

static void restore_stderr(int kept) {
    fflush(stderr);
    if (kept >= 0) {
        dup2(kept, STDERR_FILENO);
        close(kept);
    }
}

/* The text as a file that Darknet can open by name, without a place on disk. */
static int text_file(const char *text, char path[64], struct error *e) {
    int fd = memfd_create("network.cfg", MFD_CLOEXEC);
    size_t size = strlen(text);
    if (fd < 0 || write(fd, text, size) != (ssize_t)size) {
        if (fd >= 0)
            close(fd);
        return fail(e, "cannot hand the cfg to Darknet; is memory full?");
    }
    snprintf(path, 64, "/proc/self/fd/%d", fd);
    return fd;
}

/* NULL when Darknet called `error`. Nothing here changes between setjmp and longjmp. */
static network *parse_file(const struct darknet_library *lib, char *path) {
    if (setjmp(darknet_failed))
        return NULL;
    return lib->parse_network_cfg(path);
}

struct darknet_network *darknet_parse(const char *cfg_text, struct error *e) {
    const struct darknet_library *lib = library(e);
    char path[64];
    int fd = lib ? text_file(cfg_text, path, e) : -1;
    if (fd < 0)
        return NULL;
    int kept = silence_stderr();
    network *net = parse_file(lib, path);
    restore_stderr(kept);
    close(fd);
    if (!net) {
        fail(e, "Darknet refuses the network: %s", darknet_said);
        return NULL;
    }
    struct darknet_network *d = need(1, sizeof *d);
    *d = (struct darknet_network){net, lib};
    return d;
}

void darknet_free(struct darknet_network *d) {
    if (!d)
        return;
    d->library->free_network(d->net);
    free(d);
}

static int check_shapes(const network *net, const struct cfg *cfg, struct error *e) {
    if (net->n != cfg->n)
        return fail_at(e, cfg->path, 0, "Darknet reads %d layers, the harness %d", net->n, cfg->n);
    for (int i = 0; i < cfg->n; i++) {
        const struct cfg_layer *c = &cfg->layers[i];
        int outputs = c->out.c * c->out.h * c->out.w;
        if (c->type != LAYER_COST && net->layers[i].outputs != outputs)
            return fail_at(e, cfg->path, c->line,
                           "Darknet gives layer %d %d outputs, the harness %d", i,
                           net->layers[i].outputs, outputs);
    }
    return 0;
}

struct darknet_network *darknet_load(const struct cfg *cfg, struct error *e) {
    struct darknet_network *d = darknet_parse(cfg->darknet, e);
    if (!d || !check_shapes(d->net, cfg, e))
        return d;
    darknet_free(d);
    return NULL;
}

void darknet_identity(char *text, size_t size) {
    const char *named = getenv("TRUNCQUANT_DARKNET");
    struct error ignored = {0};
    size_t bytes;
    char *file = file_read(named ? named : debian_library, (size_t)1 << 28, &bytes, &ignored);
    char hex[HASH_HEX] = "";
    if (file)
        hash_hex(file, bytes, hex);
    free(file);
    snprintf(text, size, "Darknet%s%.12s", hex[0] ? " " : "", hex);
}

/* A layer and its network travel by value: only the copies are pointed at the engine's buffers. */
static layer bound_layer(const struct darknet_network *d, const struct darknet_call *c) {
    layer l = d->net->layers[c->layer];
    l.batch = c->batch;
    l.indexes = c->indexes;
    l.output = c->output;
    l.delta = c->d_output;
    return l;
}

void darknet_forward(const struct darknet_network *d, const struct darknet_call *c) {
    layer l = bound_layer(d, c);
    l.forward(l, (network){.input = c->input, .layers = d->net->layers, .n = d->net->n});
}

void darknet_backward(const struct darknet_network *d, const struct darknet_call *c) {
    layer l = bound_layer(d, c);
    l.backward(
        l, (network){
               .input = c->input, .delta = c->d_input, .layers = d->net->layers, .n = d->net->n});
}

static_assert((int)ACT_LEAKY == (int)LEAKY && (int)ACT_RELU == (int)RELU &&
                  (int)ACT_SELU == (int)SELU && ACT_RELU6 == SELU + 1,
              "enum activation has Darknet's values");

/* A NaN passes through both, so that it reaches the loss and is reported. */
static void relu6(float *x, int n) {
    for (int i = 0; i < n; i++)
        x[i] = x[i] < 0 ? 0 : x[i] > 6 ? 6 : x[i];
}

static void relu6_gradient(const float *y, int n, float *delta) {
    for (int i = 0; i < n; i++)
        if (y[i] <= 0 || y[i] >= 6)
            delta[i] = 0;
}

void darknet_activate(const struct darknet_network *d, enum activation a, float *x, int n) {
    if (a == ACT_RELU6)
        relu6(x, n);
    else
        d->library->activate_array(x, n, (ACTIVATION)a);
}

void darknet_gradient(const struct darknet_network *d, enum activation a, const float *y, int n,
                      float *delta) {
    if (a == ACT_RELU6)
        relu6_gradient(y, n, delta);
    else
        d->library->gradient_array(y, n, (ACTIVATION)a, delta);
}
