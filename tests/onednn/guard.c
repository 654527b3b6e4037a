/* Copies of buffers between pages that may not be touched; guard.h is the manual. */
#include "onednn/guard.h"

#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { AROUND = 1 << 20, ARENAS = 512, ALIGNED = 64, NEAR = 256, PAGE = 4096 };

/* Memory that may be touched, between two stretches of AROUND bytes that may not. */
struct arena {
    char *first; // of the memory, behind the stretch before it
    size_t size; // of the memory
    char *data;  // the copy
    int fill;    // what lies around it:
    size_t ahead, behind;
    size_t touched, before; // as in struct guarded, of the stretches alone
};

static struct arena arenas[ARENAS];
static int n_arenas;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* ---- accesses beyond ---- */

/* The stretch that a fault was in is opened, so that the primitive goes on. */
static int open_stretch(struct arena *a, const char *at) {
    if (!a->first)
        return 0;
    char *last = a->first + a->size;
    int behind = at >= last && at < last + AROUND;
    int before = at < a->first && at >= a->first - AROUND;
    if (!behind && !before)
        return 0;
    char *stretch = behind ? last : a->first - AROUND;
    mprotect(stretch, AROUND, PROT_READ | PROT_WRITE);
    memset(stretch, a->fill, AROUND);
    if (behind)
        a->touched = (size_t)(at - last) + 1;
    else
        a->before = (size_t)(a->first - at);
    return 1;
}

static void on_fault(int number, siginfo_t *info, void *context) {
    (void)context;
    for (int i = 0; i < ARENAS; i++)
        if (open_stretch(&arenas[i], info->si_addr))
            return;
    signal(number, SIG_DFL); // not ours: it happens again, and ends the program
}

/* On a stack of its own: a kernel may use the stack pointer as one more register. */
static void catch_faults(void) {
    static _Thread_local char stack[1 << 16];
    const stack_t own = {.ss_sp = stack, .ss_size = sizeof stack};
    struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    sigemptyset(&action.sa_mask);
    sigaltstack(&own, NULL);
    sigaction(SIGSEGV, &action, NULL);
}

/* ---- copies ---- */

static struct arena *new_arena(void) {
    pthread_mutex_lock(&lock);
    struct arena *a = n_arenas < ARENAS ? &arenas[n_arenas++] : NULL;
    pthread_mutex_unlock(&lock);
    if (!a)
        abort();
    return a;
}

static void make_room(struct arena *a, size_t size) {
    const size_t both = 2 * (size_t)AROUND;
    if (size <= a->size)
        return;
    if (a->first)
        munmap(a->first - AROUND, a->size + both);
    a->size = (size + PAGE - 1) / PAGE * PAGE;
    char *all = mmap(NULL, a->size + both, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (all == MAP_FAILED || mprotect(all + AROUND, a->size, PROT_READ | PROT_WRITE))
        abort();
    a->first = all + AROUND;
}

static size_t smaller(size_t a, size_t b) {
    return a < b ? a : b;
}

static size_t larger(size_t a, size_t b) {
    return a > b ? a : b;
}

/* As near the end, or else the beginning, as the gap and the original's alignment allow. */
static void place(struct arena *a, const struct guarded *b, size_t gap, int fill, int at_end) {
    make_room(a, b->size + gap + NEAR);
    uintptr_t off = (uintptr_t)b->data % ALIGNED;
    size_t latest = (a->size - gap - b->size - off) / ALIGNED * ALIGNED;
    a->data = a->first + (at_end ? latest : 0) + off;
    char *end = a->data + b->size;
    a->fill = fill;
    a->ahead = smaller((size_t)(a->data - a->first), NEAR);
    a->behind = smaller((size_t)(a->first + a->size - end), gap + NEAR);
    a->touched = a->before = 0;
    memset(a->data - a->ahead, fill, a->ahead);
    memcpy(a->data, b->data, b->size);
    memset(end, fill, a->behind);
}

/* Up to the last of n bytes that is another. */
static size_t changed_behind(const char *x, size_t n, int fill) {
    while (n && x[n - 1] == (char)fill)
        n--;
    return n;
}

static size_t changed_ahead(const char *data, size_t n, int fill) {
    while (n && data[-(ptrdiff_t)n] == (char)fill)
        n--;
    return n;
}

static void inspect(struct arena *a, struct guarded *b) {
    char *end = a->data + b->size, *last = a->first + a->size;
    size_t gap = (size_t)(last - end), behind = a->touched ? gap + AROUND : a->behind;
    if (a->touched && gap > a->behind) // in between nothing was filled in
        memset(end + a->behind, a->fill, gap - a->behind);
    b->written = larger(b->written, changed_behind(end, behind, a->fill));
    b->touched = larger(b->touched, a->touched ? gap + a->touched : 0);
    b->before = larger(b->before, changed_ahead(a->data, a->ahead, a->fill));
    if (a->before)
        b->before = larger(b->before, a->before + (size_t)(a->data - a->first));
    if (a->touched)
        mprotect(last, AROUND, PROT_NONE);
    if (a->before)
        mprotect(a->first - AROUND, AROUND, PROT_NONE);
}

/* ---- the two executions ---- */

enum { TIMES = 2 };
static const int fills[TIMES] = {0xff, 0}; // no numbers as floats, and what need_aligned leaves

static void compute(struct arena **own, struct guarded *all, int n, size_t gap, int time,
                    void (*work)(void *const *data, void *with), void *with) {
    void *data[GUARDED_MOST];
    for (int i = 0; i < n; i++) {
        own[i] = own[i] ? own[i] : new_arena();
        place(own[i], &all[i], gap, fills[time], time == 0);
        data[i] = own[i]->data;
    }
    work(data, with);
    for (int i = 0; i < n; i++)
        inspect(own[i], &all[i]);
}

void guard_run(struct guarded *all, int n, size_t gap, void (*work)(void *const *data, void *with),
               void *with) {
    static _Thread_local struct arena *own[TIMES][GUARDED_MOST];
    if (n > GUARDED_MOST)
        abort();
    catch_faults();
    for (int time = 0; time < TIMES; time++)
        compute(own[time], all, n, gap, time, work, with);
    for (int i = 0; i < n; i++) {
        const char *x = own[0][i]->data, *y = own[TIMES - 1][i]->data;
        all[i].depends = !all[i].is_scratch && memcmp(x, y, all[i].size) != 0;
        if (memcmp(all[i].data, y, all[i].size) != 0)
            memcpy(all[i].data, y, all[i].size);
    }
}

int guard_found(const struct guarded *b) {
    return b->is_foreign || b->written > b->may_write || b->touched || b->before || b->depends;
}

int guard_is_on(void) {
    return getenv("TRUNCQUANT_GUARD") != NULL;
}
