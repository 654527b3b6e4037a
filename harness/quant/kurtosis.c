/* KURE; kurtosis.h is the manual. Sums in double, in the order of the weights. */
#include "quant/kurtosis.h"

static const double uniform_kurtosis = 1.8;

/* Told apart by their bits: their variance is not 0 when the mean is rounded. */
static int all_equal(size_t n, const float *W) {
    for (size_t i = 1; i < n; i++)
        if (W[i] != W[0])
            return 0;
    return 1;
}

double kurtosis_loss(size_t n, const float *W, double weight, float *dW) {
    double mean = 0, m2 = 0, m3 = 0, m4 = 0;
    if (all_equal(n, W))
        return 0;
    for (size_t i = 0; i < n; i++)
        mean += W[i] / (double)n;
    for (size_t i = 0; i < n; i++) {
        double c = W[i] - mean;
        m2 += c * c / (double)n;
        m3 += c * c * c / (double)n;
        m4 += c * c * c * c / (double)n;
    }
    double excess = m4 / (m2 * m2) - uniform_kurtosis;
    double slope = weight * 2 * excess * 4 / ((double)n * m2 * m2);
    for (size_t i = 0; i < n; i++) {
        double c = W[i] - mean;
        dW[i] += (float)(slope * (c * c * c - m3 - m4 / m2 * c));
    }
    return excess * excess;
}
