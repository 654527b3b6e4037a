/* Bootstrap over seeds (Efron 1979): how far a ratio of means could be off because few seeds were
 * run. */
#ifndef REPORT_BOOTSTRAP_H
#define REPORT_BOOTSTRAP_H

/* 95 % percentile interval of the reduction 1 - mean(points) / mean(reference), in `interval`: low,
 * high end. Points and reference (n each, of one seed at one place) are resampled in pairs, with
 * replacement, from a stream that is always the same, so that the same numbers give the same
 * interval. A resample whose reference is not above 0 counts as an unbounded loss. n >= 2. */
void bootstrap_reduction(const double *points, const double *reference, int n, double interval[2]);

#endif
