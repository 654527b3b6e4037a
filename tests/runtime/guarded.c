/* Guarded memory; guarded.h is the manual. */
#include "runtime/guarded.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

struct guarded guard(const void *from, size_t n) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE), pages = (n + page - 1) / page * page;
    struct guarded g = {.mapped = pages + page};
    g.map = mmap(NULL, g.mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(g.map != MAP_FAILED);
    assert_int_equal(mprotect(g.map + pages, page, PROT_NONE), 0);
    g.bytes = g.map + pages - n;
    if (from)
        memcpy(g.bytes, from, n);
    return g;
}

void unguard(struct guarded *g) {
    munmap(g->map, g->mapped);
}
