/* The data set made of noise; random_set.h is the manual. */
#include "random_set.h"

#include "base/random.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void fill_bytes(struct random *r, uint8_t *bytes, size_t n) {
    for (size_t i = 0; i < n; i++)
        bytes[i] = (uint8_t)random_below(r, 256);
}

void random_set_make(struct dataset *d, struct shape shape, int classes, uint32_t n) {
    size_t size = (size_t)shape.c * (size_t)shape.h * (size_t)shape.w;
    uint8_t *patterns = need((size_t)classes, size), *pixels = need(n, size);
    uint16_t *labels = need(n, sizeof *labels);
    struct random r = random_stream(1, RANDOM_TEST, 0, 0);
    fill_bytes(&r, patterns, (size_t)classes * size);
    fill_bytes(&r, pixels, n * size);
    for (uint32_t i = 0; i < n; i++) {
        labels[i] = (uint16_t)random_below(&r, (uint32_t)classes);
        uint8_t *image = pixels + i * size, *pattern = patterns + labels[i] * size;
        for (size_t p = 0; p < size; p++)
            image[p] = (uint8_t)((image[p] + pattern[p]) / 2);
    }
    free(patterns);
    // Deviation of the mean of two bytes that are uniform.
    *d = (struct dataset){.name = "random",
                          .shape = shape,
                          .classes = classes,
                          .split = {{n, pixels, labels}},
                          .mean = {.5f, .5f, .5f},
                          .deviation = {.204f, .204f, .204f}};
}

void random_set_free(struct dataset *d) {
    free((void *)d->split[SPLIT_TRAIN].pixels);
    free((void *)d->split[SPLIT_TRAIN].labels);
    *d = (struct dataset){0};
}

int random_set_shape(const char *text, struct shape *shape) {
    int used = 0;
    if (sscanf(text, "%4dx%4dx%1d%n", &shape->h, &shape->w, &shape->c, &used) != 3 || text[used] ||
        shape->h < 1 || shape->w < 1 || (shape->c != 1 && shape->c != 3))
        return -1;
    return 0;
}
