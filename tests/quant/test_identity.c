/* The identity that truncation rests on: floor(256 u) >> (8 - k) == floor(2^k u) for every float u
 * in [0, 1] and every k, with the harness's own rounder; and that nearest has no such identity.
 *
 * All 1,065,353,217 floats are visited, in blocks that the compiler can vectorise. Under a
 * sanitizer, where that would take minutes, every 1009th is, and the test's name says so. */
#include "quant/axes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#ifdef __SANITIZE_ADDRESS__
#define FLOATS "every 1009th float of [0, 1]"
enum { STRIDE = 1009 };
#else
#define FLOATS "every float of [0, 1]"
enum { STRIDE = 1 };
#endif

enum { BLOCK = 4096, TOP_BITS = 8 };
static const uint32_t bits_of_one = 0x3f800000; // 1.0f; smaller patterns are the smaller floats

/* min(floor(2^k u), 2^k - 1) from the bits of u, without floating point. */
static inline uint32_t integer_code(uint32_t bits, int k) {
    uint32_t exponent = bits >> 23, fraction = bits & 0x7fffff;
    uint32_t significand = exponent ? fraction | 0x800000 : fraction;
    uint32_t shift =
        150 - (exponent ? exponent : 1) - (uint32_t)k; // u = significand 2^(exponent - 150)
    uint32_t code = shift > 31 ? 0 : significand >> shift;
    uint32_t top = (1u << k) - 1;
    return code < top ? code : top;
}

struct block {
    uint32_t bits[BLOCK];
    float u[BLOCK];
    uint32_t stored[BLOCK]; // codes at 8 bits
};

static inline uint32_t differences(const struct block *b, int k) {
    uint32_t wrong = 0;
    for (int i = 0; i < BLOCK; i++) {
        uint32_t code = axes_code(ROUND_FLOOR, b->u[i], k);
        wrong += (code != b->stored[i] >> (TOP_BITS - k)) | (code != integer_code(b->bits[i], k));
    }
    return wrong;
}

/* A loop for each k, so that k is a constant in it. */
static uint32_t differences_at_every_width(struct block *b) {
    for (int i = 0; i < BLOCK; i++)
        b->stored[i] = axes_code(ROUND_FLOOR, b->u[i], TOP_BITS);
    return differences(b, 1) + differences(b, 2) + differences(b, 3) + differences(b, 4) +
           differences(b, 5) + differences(b, 6) + differences(b, 7) + differences(b, 8);
}

static void floor_survives_truncation(void **state) {
    (void)state;
    static struct block b;
    uint64_t wrong = 0, last = 0;
    for (uint64_t start = 0; start <= bits_of_one; start += (uint64_t)BLOCK * STRIDE) {
        for (int i = 0; i < BLOCK; i++) {
            uint64_t bits = start + (uint64_t)i * STRIDE;
            b.bits[i] = bits < bits_of_one ? (uint32_t)bits : bits_of_one; // 1 itself ends the list
        }
        memcpy(b.u, b.bits, sizeof b.u);
        wrong += differences_at_every_width(&b);
        last = b.bits[BLOCK - 1];
    }
    assert_int_equal(wrong, 0);
    assert_int_equal(last, bits_of_one);
}

/* The smallest float whose code is at least `code`, by bisection of the bit patterns. */
static float boundary(int nearest_at, int k, int code) {
    uint32_t low = 0, high = bits_of_one;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        float u;
        memcpy(&u, &middle, sizeof u);
        if (axes_code(ROUND_NEAREST, u, nearest_at) >> (nearest_at - k) >= code)
            high = middle;
        else
            low = middle + 1;
    }
    float u;
    memcpy(&u, &high, sizeof u);
    return u;
}

static const double boundary_tolerance = 1e-6; // a few floats around a boundary

static void assert_near(double a, double b) {
    if (!(fabs(a - b) <= boundary_tolerance))
        fail_msg("%.9g is not %.9g", a, b);
}

/* At 2 bits nearest changes at 1/6, 1/2, 5/6; at 8 bits and then cut, at (64 i - 1/2) / 255. */
static void nearest_does_not_survive_truncation(void **state) {
    (void)state;
    for (int i = 1; i <= 3; i++) {
        assert_near(boundary(2, 2, i), (i - .5) / 3);
        assert_near(boundary(8, 2, i), (64 * i - .5) / 255);
    }
    for (int k = 2; k < TOP_BITS; k++) {
        int differ = 0, floats = 1 << 16;
        for (int i = 0; i <= floats; i++) {
            float u = (float)i / (float)floats;
            differ += axes_code(ROUND_NEAREST, u, 8) >> (8 - k) != axes_code(ROUND_NEAREST, u, k);
        }
        assert_true(differ > floats / 20);
    }
}

/* At 1 bit both change at 1/2, where nearest's tie goes to the even code 0 and 127.5 to 128. */
static void nearest_at_one_bit_differs_only_in_a_tie(void **state) {
    (void)state;
    for (uint32_t bits = 0; bits <= bits_of_one; bits += 251) {
        float u;
        memcpy(&u, &bits, sizeof u);
        int cut = axes_code(ROUND_NEAREST, u, 8) >> 7, direct = axes_code(ROUND_NEAREST, u, 1);
        if (cut != direct && fabs(u - .5) > boundary_tolerance)
            fail_msg("u = %.9g: %d cut, %d direct", u, cut, direct);
    }
    assert_int_equal(axes_code(ROUND_NEAREST, .5f, 1), 0);
    assert_int_equal(axes_code(ROUND_NEAREST, .5f, 8) >> 7, 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        {"floor(256 u) >> (8 - k) == floor(2^k u) for " FLOATS, floor_survives_truncation, NULL,
         NULL, NULL},
        cmocka_unit_test(nearest_does_not_survive_truncation),
        cmocka_unit_test(nearest_at_one_bit_differs_only_in_a_tie),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
