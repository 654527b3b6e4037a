/* XXH64, by which sections of a model file are checked: 64 bits, several bytes a cycle in plain C.
 * It tells damage, not forgery. Specification: https://github.com/Cyan4973/xxHash (xxHash64). */
#ifndef TQ_HASH_H
#define TQ_HASH_H

#include <stddef.h>
#include <stdint.h>

uint64_t tq_hash(const void *bytes, size_t size, uint64_t seed);

#endif
