/* The choice of kernels, and the planes as bytes. */
#include "kernels.h"

#if defined(__x86_64__)
static int has_vnni(void) {
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512vnni");
}

const struct kernels *tq_choose_kernels(int without) {
    int vnni = !(without & TQ_AVX512) && has_vnni();
    if (vnni && !(without & TQ_VPOPCNTDQ) && __builtin_cpu_supports("avx512vpopcntdq") &&
        __builtin_cpu_supports("gfni"))
        return &tq_popcount;
    if (vnni)
        return &tq_vnni;
    if (!(without & TQ_AVX2) && __builtin_cpu_supports("avx2"))
        return &tq_avx2;
    return &tq_portable;
}
#else
const struct kernels *tq_choose_kernels(int without) {
    (void)without;
    return &tq_portable;
}
#endif

int tq_fits_int8(const struct form *f, int k) {
    int low = f->odd - f->factor * (1 << (k - 1)), high = f->odd + f->factor * ((1 << (k - 1)) - 1);
    return low >= -128 && high <= 127;
}

/* Bit i of a byte into the lowest bit of byte i. */
static uint64_t spread(uint8_t bits) {
    uint64_t marked = bits * 0x0101010101010101U & 0x8040201008040201U; // byte i is 0 or 1 << i
    return (marked + 0x00406070787c7e7fU) >> 7 & 0x0101010101010101U;
}

void tq_unpack(const struct product *p, uint32_t row, uint32_t from, uint32_t n, int8_t *v) {
    const uint8_t *planes[TQ_BITS];
    uint64_t sign = 0x0101010101010101U << (p->k - 1);
    tq_row_planes(p->model, p->layer, p->k, row, planes);
    for (uint32_t i = 0; i < n; i += 8) {
        uint64_t u = 0;
        for (int plane = 0; plane < p->k; plane++)
            u |= spread(planes[plane][(from + i) / 8]) << (p->k - 1 - plane);
        // u - 2^(k-1) in each byte: the sign bit goes, and what is below 0 is filled up.
        uint64_t below = (~u & sign) >> (p->k - 1);
        u = (u & ~sign) | (256 - (1U << (p->k - 1))) * below;
        memcpy(v + i, &u, n - i < 8 ? n - i : 8);
    }
}

void tq_unpack_row(const struct product *p, uint32_t row, int8_t *v) {
    tq_unpack(p, row, 0, p->layer->inputs, v);
}
