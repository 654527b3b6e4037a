/* What benchmarks report of several measurements. */
#ifndef BENCH_MEDIAN_H
#define BENCH_MEDIAN_H

/* Of n > 0 numbers, which are sorted by it; of an even n, half way between the two in the middle.
 */
double median(double *x, int n);

#endif
