/* Arrays of numbers in tests: drawn, sorted, compared. */
#ifndef TESTS_BASE_VALUES_H
#define TESTS_BASE_VALUES_H

#include "base/random.h"

#include <stddef.h>

/* One of low ... high, both included. */
int values_between(struct random *r, int low, int high);

/* Uniform in [low, high). */
void values_draw(struct random *r, float *x, size_t n, float low, float high);

/* Ascending. */
void values_sort(float *x, size_t n);

/* ‖x - y‖₂; y may be NULL: ‖x‖₂. */
double values_distance(const float *x, const float *y, size_t n);

#endif
