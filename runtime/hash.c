/* XXH64; hash.h is the manual. */
#include "hash.h"

#include "format.h"

static const uint64_t prime1 = 0x9E3779B185EBCA87, prime2 = 0xC2B2AE3D27D4EB4F,
                      prime3 = 0x165667B19E3779F9, prime4 = 0x85EBCA77C2B2AE63,
                      prime5 = 0x27D4EB2F165667C5;

static uint64_t turn(uint64_t x, int bits) {
    return x << bits | x >> (64 - bits);
}

static uint64_t take(uint64_t sum, uint64_t x) {
    return turn(sum + x * prime2, 31) * prime1;
}

static uint64_t merge(uint64_t hash, uint64_t sum) {
    return (hash ^ take(0, sum)) * prime1 + prime4;
}

/* Stripes of 32 bytes; *at is moved behind them. */
static uint64_t stripes(const uint8_t **at, size_t size, uint64_t seed) {
    uint64_t a = seed + prime1 + prime2, b = seed + prime2, c = seed, d = seed - prime1;
    const uint8_t *p = *at;
    for (; size >= 32; size -= 32, p += 32) {
        a = take(a, tq_u64(p));
        b = take(b, tq_u64(p + 8));
        c = take(c, tq_u64(p + 16));
        d = take(d, tq_u64(p + 24));
    }
    *at = p;
    uint64_t hash = turn(a, 1) + turn(b, 7) + turn(c, 12) + turn(d, 18);
    return merge(merge(merge(merge(hash, a), b), c), d);
}

static uint64_t tail(uint64_t hash, const uint8_t *p, size_t left) {
    for (; left >= 8; left -= 8, p += 8)
        hash = turn(hash ^ take(0, tq_u64(p)), 27) * prime1 + prime4;
    for (; left >= 4; left -= 4, p += 4)
        hash = turn(hash ^ tq_u32(p) * prime1, 23) * prime2 + prime3;
    for (; left; left--, p++)
        hash = turn(hash ^ *p * prime5, 11) * prime1;
    return hash;
}

uint64_t tq_hash(const void *bytes, size_t size, uint64_t seed) {
    const uint8_t *p = bytes;
    uint64_t hash = size >= 32 ? stripes(&p, size, seed) : seed + prime5;
    hash = tail(hash + size, p, size % 32);
    hash = (hash ^ hash >> 33) * prime2;
    hash = (hash ^ hash >> 29) * prime3;
    return hash ^ hash >> 32;
}
