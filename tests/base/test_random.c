/* Random streams: the generator against published values, the naming of streams against frozen
 * values (a change of either changes every run), and the laws that the draws promise. */
#include "base/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void generator_is_splitmix64(void **state) {
    (void)state;
    static const uint64_t published[] = {6457827717110365317u, 3203168211198807973u,
                                         9817491932198370423u, 4593380528125082431u,
                                         16408922859458223821u};
    struct random r = {1234567};
    for (int i = 0; i < 5; i++)
        assert_true(random_next(&r) == published[i]);
}

static void streams_are_frozen(void **state) {
    (void)state;
    static const struct {
        uint64_t seed, epoch, index, first, second;
        enum random_purpose purpose;
    } frozen[] = {
        {0, 0, 0, 0xe00c7abcda04811cu, 0x8eff382666062d03u, RANDOM_WEIGHTS},
        {1, 0, 0, 0x6b36fab7dbc13d17u, 0x23e7faa18495897au, RANDOM_SHUFFLE},
        {1, 1, 0, 0x6b860462aa272a06u, 0x9570b0af4c0095bdu, RANDOM_SHUFFLE},
        {7, 2, 123456, 0xdade9a246f8f7afeu, 0xbf73694c2f9c7efcu, RANDOM_AUGMENT},
        {UINT64_MAX, UINT64_MAX, UINT64_MAX, 0xd221d81af021dcc4u, 0xa2ae5ff1c43784cau, RANDOM_TEST},
    };
    for (size_t i = 0; i < sizeof frozen / sizeof frozen[0]; i++) {
        struct random r =
            random_stream(frozen[i].seed, frozen[i].purpose, frozen[i].epoch, frozen[i].index);
        assert_true(random_next(&r) == frozen[i].first);
        assert_true(random_next(&r) == frozen[i].second);
    }
}

static int compare(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* Neighbouring names must not share a stream, nor one start where another one goes by. */
static void streams_differ(void **state) {
    (void)state;
    enum { SIDE = 8, PURPOSES = 6, DRAWS = 8 };
    enum { ALL = SIDE * SIDE * SIDE * PURPOSES * DRAWS };
    uint64_t *drawn = malloc(ALL * sizeof *drawn);
    size_t n = 0;
    for (int name = 0; name < ALL / DRAWS; name++) {
        int seed = name % SIDE, epoch = name / SIDE % SIDE, index = name / SIDE / SIDE % SIDE;
        enum random_purpose purpose = (enum random_purpose)(name / (SIDE * SIDE * SIDE) + 1);
        struct random r = random_stream((uint64_t)seed, purpose, (uint64_t)epoch, (uint64_t)index);
        for (int i = 0; i < DRAWS; i++)
            drawn[n++] = random_next(&r);
    }
    assert_int_equal(n, ALL);
    qsort(drawn, n, sizeof *drawn, compare);
    for (size_t i = 1; i < n; i++)
        assert_true(drawn[i] != drawn[i - 1]); // 24,576 of 2^64 values: an accident once in 6e10
    free(drawn);
}

static void unit_is_in_range_and_even(void **state) {
    (void)state;
    struct random r = random_stream(3, RANDOM_TEST, 0, 0);
    enum { N = 100000 };
    double sum = 0, squares = 0;
    for (int i = 0; i < N; i++) {
        float u = random_unit(&r);
        assert_true(u >= 0 && u < 1);
        assert_true(u * 0x1p24f == (float)(int)(u * 0x1p24f));
        sum += (double)u;
        squares += (double)u * (double)u;
    }
    // Five standard errors of the mean of u and of u^2.
    assert_true(sum / N > 0.5 - 5 * 0.00092 && sum / N < 0.5 + 5 * 0.00092);
    assert_true(squares / N > 1 / 3.0 - 5 * 0.00095 && squares / N < 1 / 3.0 + 5 * 0.00095);
}

static double chi_square(uint64_t seed, uint32_t n, int draws) {
    int count[64] = {0};
    struct random r = random_stream(seed, RANDOM_TEST, 0, 1);
    for (int i = 0; i < draws; i++) {
        uint32_t x = random_below(&r, n);
        assert_true(x < n);
        count[x]++;
    }
    double expected = (double)draws / n, sum = 0;
    for (uint32_t i = 0; i < n; i++)
        sum += (count[i] - expected) * (count[i] - expected) / expected;
    return sum;
}

static void below_is_even(void **state) {
    (void)state;
    assert_true(chi_square(1, 10, 100000) < 27.9);  // 9 degrees of freedom, 1 in 1000
    assert_true(chi_square(2, 7, 100000) < 22.5);   // 6
    assert_true(chi_square(3, 64, 100000) < 103.5); // 63
    struct random r = {9};
    for (int i = 0; i < 10; i++)
        assert_int_equal(random_below(&r, 1), 0);
}

/* From this state the generator draws 2^64 - 1, which lies in the incomplete last block of 10 (and
 * of 7), then 13877959472460026833: a modulo without rejection would return 5 (and 1). */
static void below_rejects_the_incomplete_block(void **state) {
    (void)state;
    struct random r = {3558559446808474027u};
    assert_int_equal(random_below(&r, 10), 3);
    struct random again = {3558559446808474027u};
    random_next(&again);
    random_next(&again);
    assert_true(r.state == again.state);
}

static void permutation_is_one(void **state) {
    (void)state;
    static const uint32_t sizes[] = {1, 2, 3, 100, 60000};
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        uint32_t n = sizes[s], *order = malloc(n * sizeof *order);
        unsigned char *seen = calloc(n, 1);
        struct random r = random_stream(5, RANDOM_SHUFFLE, s, 0);
        random_permutation(&r, order, n);
        for (uint32_t i = 0; i < n; i++) {
            assert_true(order[i] < n);
            assert_int_equal(seen[order[i]]++, 0);
        }
        free(seen);
        free(order);
    }
}

static void permutation_is_frozen(void **state) {
    (void)state;
    static const uint32_t frozen[10] = {9, 2, 4, 0, 6, 7, 8, 5, 3, 1};
    uint32_t order[10];
    struct random r = random_stream(1, RANDOM_SHUFFLE, 0, 0);
    random_permutation(&r, order, 10);
    assert_memory_equal(order, frozen, sizeof frozen);
}

/* All 24 orders of four things, equally often. */
static void permutation_is_uniform(void **state) {
    (void)state;
    enum { DRAWS = 48000 };
    int count[256] = {0};
    struct random r = random_stream(11, RANDOM_TEST, 0, 2);
    for (int i = 0; i < DRAWS; i++) {
        uint32_t o[4];
        random_permutation(&r, o, 4);
        count[o[0] << 6 | o[1] << 4 | o[2] << 2 | o[3]]++;
    }
    double expected = DRAWS / 24.0, sum = 0;
    int orders = 0;
    for (int i = 0; i < 256; i++)
        if (count[i]) {
            orders++;
            sum += (count[i] - expected) * (count[i] - expected) / expected;
        }
    assert_int_equal(orders, 24);
    assert_true(sum < 49.8); // 23 degrees of freedom, 1 in 1000
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(generator_is_splitmix64),
        cmocka_unit_test(streams_are_frozen),
        cmocka_unit_test(streams_differ),
        cmocka_unit_test(unit_is_in_range_and_even),
        cmocka_unit_test(below_is_even),
        cmocka_unit_test(below_rejects_the_incomplete_block),
        cmocka_unit_test(permutation_is_one),
        cmocka_unit_test(permutation_is_frozen),
        cmocka_unit_test(permutation_is_uniform),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
