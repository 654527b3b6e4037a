/* Counter-based random streams; random.h is the manual. */
#include "base/random.h"

static uint64_t mix_bits(uint64_t z) {
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static const uint64_t golden = 0x9e3779b97f4a7c15u;

struct random random_stream(uint64_t seed, enum random_purpose purpose, uint64_t epoch,
                            uint64_t index) {
    uint64_t state = mix_bits(seed + golden);
    state = mix_bits(state ^ (uint64_t)purpose * golden);
    state = mix_bits(state + epoch * golden + 1);
    state = mix_bits(state + index * golden + 2);
    return (struct random){state};
}

uint64_t random_next(struct random *r) {
    r->state += golden;
    return mix_bits(r->state);
}

float random_unit(struct random *r) {
    return (float)(random_next(r) >> 40) * 0x1p-24f;
}

uint32_t random_below(struct random *r, uint32_t n) {
    // Draws above the largest multiple of n would favour small results: draw again.
    uint64_t limit = UINT64_MAX - UINT64_MAX % n;
    uint64_t x = random_next(r);
    while (x >= limit)
        x = random_next(r);
    return (uint32_t)(x % n);
}

void random_permutation(struct random *r, uint32_t *order, uint32_t n) {
    for (uint32_t i = 0; i < n; i++) {
        uint32_t j = random_below(r, i + 1);
        order[i] = i;
        order[i] = order[j];
        order[j] = i;
    }
}
