/* Memory that ends where its bytes do: behind it is a page that nobody may touch. */
#ifndef TESTS_RUNTIME_GUARDED_H
#define TESTS_RUNTIME_GUARDED_H

#include <stddef.h>
#include <stdint.h>

struct guarded {
    uint8_t *map, *bytes;
    size_t mapped;
};

/* n bytes, copied from `from`, or zeros where that is NULL; aligned where n is, up to a page. */
struct guarded guard(const void *from, size_t n);
void unguard(struct guarded *g);

#endif
