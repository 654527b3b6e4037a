/* Stands between the engines and oneDNN in every test program (the linker's --wrap, in the
 * Makefile) and, when asked to, lets primitives compute on guarded copies; guard.h is the manual.
 */
#include "onednn/guard.h"

#include "base/error.h"

#include <oneapi/dnnl/dnnl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BLOCKS = 1 << 16, LINES = 256 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* ---- the blocks of need_aligned ---- */

static struct block {
    char *first;
    size_t size;
} blocks[BLOCKS];
static int n_blocks;

void *__real_need_aligned(size_t n, size_t size);
void *__wrap_need_aligned(size_t n, size_t size);
void __real_free(void *p);
void __wrap_free(void *p);

void *__wrap_need_aligned(size_t n, size_t size) {
    char *p = __real_need_aligned(n, size);
    if (!guard_is_on())
        return p;
    pthread_mutex_lock(&lock);
    if (n_blocks == BLOCKS)
        abort();
    blocks[n_blocks++] = (struct block){p, n * size};
    pthread_mutex_unlock(&lock);
    return p;
}

static struct block *block_of(const char *p) {
    for (int i = 0; i < n_blocks; i++)
        if (p >= blocks[i].first && p < blocks[i].first + blocks[i].size)
            return &blocks[i];
    return NULL;
}

void __wrap_free(void *p) {
    if (guard_is_on() && p) {
        pthread_mutex_lock(&lock);
        struct block *b = block_of(p);
        if (b && b->first == p)
            *b = blocks[--n_blocks];
        pthread_mutex_unlock(&lock);
    }
    __real_free(p);
}

/* ---- what was found ---- */

struct line {
    char text[1024]; // implementation, buffer; then of the first of its kind, the geometry
    size_t key;      // length of what tells lines apart
    size_t written, touched, before;
    int depends, is_foreign, count, is_fault;
};
static struct line lines[LINES];
static int n_lines, executions, faults;

static void report(void) {
    if (!n_lines)
        return;
    fprintf(stderr, "guard: %d executions, %d kinds of access behind a buffer or before it\n",
            executions, n_lines);
    for (int i = 0; i < n_lines; i++) {
        const struct line *l = &lines[i];
        fprintf(
            stderr,
            "guard: %s: %s: wrote %zu, touched %zu behind, %zu before%s%s; %d times, as in %s\n",
            l->is_fault ? "FAULT" : "within the slack", l->text, l->written, l->touched, l->before,
            l->depends ? ", and results depend on it" : "",
            l->is_foreign ? ", not in memory of need_aligned" : "", l->count, l->text + l->key + 1);
    }
    if (faults) {
        fflush(NULL);
        _exit(1);
    }
}

static struct line *line_of(const char *text, size_t key) {
    int i = 0;
    while (i < n_lines && (lines[i].key != key || memcmp(lines[i].text, text, key) != 0))
        i++;
    if (i == LINES)
        abort();
    if (i == n_lines) {
        n_lines++;
        snprintf(lines[i].text, sizeof lines[i].text, "%s", text);
        lines[i].text[key] = '\0';
        lines[i].key = key;
    }
    return &lines[i];
}

static size_t larger(size_t a, size_t b) {
    return a > b ? a : b;
}

static void note(const char *text, size_t key, const struct guarded *b, int is_fault) {
    pthread_mutex_lock(&lock);
    struct line *l = line_of(text, key);
    l->written = larger(l->written, b->written);
    l->touched = larger(l->touched, b->touched);
    l->before = larger(l->before, b->before);
    l->depends |= b->depends;
    l->is_foreign |= b->is_foreign;
    l->is_fault |= is_fault;
    l->count++;
    faults += is_fault;
    pthread_mutex_unlock(&lock);
}

/* ---- a primitive ---- */

static const struct {
    int argument;
    const char *name;
} names[] = {{DNNL_ARG_SRC, "source"},
             {DNNL_ARG_DST, "destination"},
             {DNNL_ARG_WEIGHTS, "weights"},
             {DNNL_ARG_BIAS, "bias"},
             {DNNL_ARG_SCRATCHPAD, "scratchpad"},
             {DNNL_ARG_DIFF_SRC, "gradient of source"},
             {DNNL_ARG_DIFF_DST, "gradient of destination"},
             {DNNL_ARG_DIFF_WEIGHTS, "gradient of weights"},
             {DNNL_ARG_ATTR_MULTIPLE_POST_OP(0) | DNNL_ARG_SRC_1, "scale"}};

static const char *name_of(int argument) {
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i].argument == argument)
            return names[i].name;
    return "another buffer";
}

static const dnnl_memory_desc_t *desc_of(const dnnl_exec_arg_t *a) {
    const dnnl_memory_desc_t *d = NULL;
    dnnl_memory_get_memory_desc(a->memory, &d);
    return d;
}

/* Shapes of all buffers, as "source 12x3x16x12". */
static void describe(char *text, size_t room, int n, const dnnl_exec_arg_t *args) {
    size_t at = strlen(text);
    for (int i = 0; i < n; i++) {
        const dnnl_memory_desc_t *d = desc_of(&args[i]);
        at += (size_t)snprintf(text + at, room - at, "%s%s ", i ? ", " : "", name_of(args[i].arg));
        for (int j = 0; j < d->ndims; j++)
            at += (size_t)snprintf(text + at, room - at, "%s%ld", j ? "x" : "", (long)d->dims[j]);
    }
}

static const char *kind_of(const_dnnl_primitive_desc_t pd) {
    dnnl_primitive_kind_t kind;
    dnnl_prop_kind_t way = dnnl_prop_kind_undef;
    dnnl_primitive_desc_query(pd, dnnl_query_primitive_kind, 0, &kind);
    dnnl_primitive_desc_query(pd, dnnl_query_prop_kind, 0, &way);
    return kind == dnnl_reorder           ? "reorder"
           : way == dnnl_backward_data    ? "convolution backward by data"
           : way == dnnl_backward_weights ? "convolution backward by weights"
                                          : "convolution forward";
}

/* How many bytes behind it nobody else uses. */
static void look_behind(struct guarded *b, size_t slack) {
    pthread_mutex_lock(&lock);
    const struct block *block = block_of(b->data);
    size_t rest = block ? (size_t)(block->first + block->size - (char *)b->data) : 0;
    pthread_mutex_unlock(&lock);
    b->is_foreign = b->size > rest;
    if (b->is_foreign)
        return;
    rest -= b->size;
    b->may_write = b->is_scratch ? rest + slack : rest ? 0 : slack;
}

struct execution {
    const_dnnl_primitive_t primitive;
    dnnl_stream_t stream;
    int n;
    const dnnl_exec_arg_t *args;
    dnnl_status_t status;
};

dnnl_status_t __real_dnnl_primitive_execute(const_dnnl_primitive_t primitive, dnnl_stream_t stream,
                                            int n, const dnnl_exec_arg_t *args);
dnnl_status_t __wrap_dnnl_primitive_execute(const_dnnl_primitive_t primitive, dnnl_stream_t stream,
                                            int n, const dnnl_exec_arg_t *args);

static void execute(void *const *data, void *with) {
    struct execution *x = with;
    for (int i = 0; i < x->n; i++)
        dnnl_memory_set_data_handle(x->args[i].memory, data[i]);
    x->status = __real_dnnl_primitive_execute(x->primitive, x->stream, x->n, x->args);
}

static void note_all(const_dnnl_primitive_t primitive, int n, const dnnl_exec_arg_t *args,
                     const struct guarded *all) {
    const_dnnl_primitive_desc_t pd = NULL;
    const char *implementation = "";
    dnnl_primitive_get_primitive_desc(primitive, &pd);
    dnnl_primitive_desc_query(pd, dnnl_query_impl_info_str, 0, &implementation);
    for (int i = 0; i < n; i++) {
        char text[1024];
        if (!all[i].written && !guard_found(&all[i]))
            continue;
        int key = snprintf(text, sizeof text / 2, "%s, %s, %s ", implementation, kind_of(pd),
                           all[i].name);
        describe(text, sizeof text, n, args);
        note(text, (size_t)key - 1, &all[i], guard_found(&all[i]));
    }
}

static size_t slack_wanted(void) {
    const char *text = getenv("TRUNCQUANT_GUARD");
    return strcmp(text, "slack") != 0 ? (size_t)atol(text) : (size_t)NEED_SLACK;
}

static void start_once(void) {
    atexit(report);
}

dnnl_status_t __wrap_dnnl_primitive_execute(const_dnnl_primitive_t primitive, dnnl_stream_t stream,
                                            int n, const dnnl_exec_arg_t *args) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct execution x = {primitive, stream, n, args, dnnl_success};
    struct guarded all[GUARDED_MOST] = {0};
    if (!guard_is_on())
        return __real_dnnl_primitive_execute(primitive, stream, n, args);
    pthread_once(&once, start_once);
    for (int i = 0; i < n; i++) {
        struct guarded *b = &all[i];
        b->name = name_of(args[i].arg);
        b->size = dnnl_memory_desc_get_size(desc_of(&args[i]));
        b->is_scratch = args[i].arg == DNNL_ARG_SCRATCHPAD;
        dnnl_memory_get_data_handle(args[i].memory, &b->data);
        look_behind(b, slack_wanted());
    }
    guard_run(all, n, slack_wanted(), execute, &x);
    for (int i = 0; i < n; i++)
        dnnl_memory_set_data_handle(args[i].memory, all[i].data);
    note_all(primitive, n, args, all);
    pthread_mutex_lock(&lock);
    executions++;
    pthread_mutex_unlock(&lock);
    return x.status;
}

int guard_executions(void) {
    return executions;
}

int guard_faults(void) {
    return faults;
}

void guard_forget(void) {
    n_lines = faults = 0;
    memset(lines, 0, sizeof lines);
}
