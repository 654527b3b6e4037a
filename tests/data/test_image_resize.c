/* Resampling against a slow, obvious twin in double precision, for pictures that shrink, grow and
 * do both; what has to stay exactly as it is, stays. */
#include "base/random.h"
#include "data/images/resize.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MOST = 64, SIZE_MOST = 70 };
static const double tolerance = 1.01; // a rounding in either direction

static double triangle(double distance) {
    return distance < 1 ? 1 - distance : 0;
}

/* The value at (row, column) of channel c: a mean of all pixels that the filter may read. */
static double twin(const struct image *image, const struct crop *w, int size, int c, int row,
                   int column) {
    double step_x = w->w / size, step_y = w->h / size, sum = 0, weights = 0;
    double x0 = w->x + (column + 0.5) * step_x, y0 = w->y + (row + 0.5) * step_y;
    for (int y = w->top; y < w->bottom; y++)
        for (int x = w->left; x < w->right; x++) {
            double weight = triangle(fabs(x + 0.5 - x0) / fmax(step_x, 1)) *
                            triangle(fabs(y + 0.5 - y0) / fmax(step_y, 1));
            sum += weight * image->rgb[(y * image->w + x) * 3 + c];
            weights += weight;
        }
    return sum / weights;
}

static void compare(const struct image *image, struct crop w, int size) {
    static uint8_t got[3 * SIZE_MOST * SIZE_MOST];
    image_resize(image, &w, size, got);
    const uint8_t *at = got;
    for (int c = 0; c < 3; c++)
        for (int y = 0; y < size; y++)
            for (int x = 0; x < size; x++, at++)
                if (fabs(*at - twin(image, &w, size, c, y, x)) > tolerance)
                    fail_msg("%d x %d to %d: (%d, %d, %d) is %d, not %.2f", image->w, image->h,
                             size, c, y, x, *at, twin(image, &w, size, c, y, x));
}

static struct image draw(int w, int h, uint64_t number) {
    struct random r = random_stream(3, RANDOM_TEST, 0, number);
    struct image image = {w, h, malloc((size_t)w * (size_t)h * 3), 0};
    for (int i = 0; i < w * h * 3; i++)
        image.rgb[i] = (uint8_t)random_below(&r, 256);
    return image;
}

static struct crop all_of(const struct image *image) {
    return (struct crop){0, 0, image->w, image->h, 0, 0, image->w, image->h};
}

static void equals_the_twin(void **state) {
    (void)state;
    static const int shapes[][2] = {{64, 48}, {10, 60}, {7, 7}, {1, 1}, {1, 64}, {64, 2}};
    static const int sizes[] = {1, 5, 16, 47, SIZE_MOST};
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        struct image image = draw(shapes[i][0], shapes[i][1], i);
        for (size_t k = 0; k < sizeof sizes / sizeof sizes[0]; k++)
            compare(&image, all_of(&image), sizes[k]);
        image_free(&image);
    }
}

/* Parts at places between the pixels; the filter may read the part alone, or around it. */
static void parts_equal_the_twin(void **state) {
    (void)state;
    struct image image = draw(64, 48, 77);
    compare(&image, (struct crop){10, 7, 20, 31, 10, 7, 30, 38}, 16);
    compare(&image, (struct crop){10.3, 7.8, 20.5, 31.25, 0, 0, 64, 48}, 16);
    compare(&image, (struct crop){0, 0, 3, 2, 0, 0, 3, 2}, 40);
    compare(&image, (struct crop){61.5, 45.5, 2.5, 2.5, 0, 0, 64, 48}, 40);
    image_free(&image);
}

static void same_size_is_the_same(void **state) {
    (void)state;
    struct image image = draw(31, 31, 5);
    struct crop w = all_of(&image);
    uint8_t got[3 * 31 * 31];
    image_resize(&image, &w, 31, got);
    for (int c = 0; c < 3; c++)
        for (int i = 0; i < 31 * 31; i++)
            assert_int_equal(got[c * 31 * 31 + i], image.rgb[3 * i + c]);
    image_free(&image);
}

static void flat_stays_flat(void **state) {
    (void)state;
    struct image image = {53, 41, malloc(53 * 41 * 3), 0};
    for (int value = 0; value < 256; value += 51) {
        memset(image.rgb, value, 53 * 41 * 3);
        static uint8_t got[3 * SIZE_MOST * SIZE_MOST];
        for (int size = 1; size <= SIZE_MOST; size += 23) {
            struct crop w = all_of(&image);
            image_resize(&image, &w, size, got);
            for (int i = 0; i < 3 * size * size; i++)
                assert_int_equal(got[i], value);
        }
    }
    image_free(&image);
}

/* So much that weights of 2^-14 are far from exact. */
static void a_long_image_stays_flat(void **state) {
    (void)state;
    enum { LONG = 20000 };
    struct image image = {LONG, 1, malloc(LONG * 3), 0};
    memset(image.rgb, 200, LONG * 3);
    struct crop w = all_of(&image);
    uint8_t got[3];
    image_resize(&image, &w, 1, got);
    for (int c = 0; c < 3; c++)
        assert_int_equal(got[c], 200);
    image_free(&image);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equals_the_twin),         cmocka_unit_test(parts_equal_the_twin),
        cmocka_unit_test(same_size_is_the_same),   cmocka_unit_test(flat_stays_flat),
        cmocka_unit_test(a_long_image_stays_flat),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
