/* Softmax cross-entropy; loss.h is the manual. */
#include "train/loss.h"

#include <math.h>
#include <stddef.h>

/* log Σ exp(z), without overflow. A NaN in z comes out as a NaN. */
static double log_sum_exp(const float *z, int classes) {
    float most = z[0];
    for (int c = 1; c < classes; c++)
        most = z[c] > most ? z[c] : most;
    double sum = 0;
    for (int c = 0; c < classes; c++)
        sum += exp((double)z[c] - most);
    // cppcheck-suppress invalidFunctionArg ; the largest score alone makes it 1
    return most + log(sum);
}

void softmax(int n, int classes, const float *Z, float *P) {
    for (int i = 0; i < n; i++, Z += classes, P += classes) {
        double all = log_sum_exp(Z, classes);
        for (int c = 0; c < classes; c++)
            P[c] = (float)exp(Z[c] - all);
    }
}

double cross_entropy_labels(int n, int classes, const float *Z, const uint16_t *labels) {
    double loss = 0;
    for (int i = 0; i < n; i++, Z += classes)
        loss += log_sum_exp(Z, classes) - Z[labels[i]];
    return loss;
}

double cross_entropy_soft(int n, int classes, const float *Z, const float *T) {
    double loss = 0;
    for (int i = 0; i < n; i++, Z += classes, T += classes) {
        double all = log_sum_exp(Z, classes);
        for (int c = 0; c < classes; c++)
            loss += T[c] * (all - Z[c]);
    }
    return loss;
}

void labels_gradient(int n, int classes, const float *P, const uint16_t *labels, float weight,
                     float *dZ) {
    float factor = weight / (float)n;
    for (int i = 0; i < n; i++, P += classes, dZ += classes)
        for (int c = 0; c < classes; c++)
            dZ[c] = factor * (P[c] - (c == labels[i] ? 1.0f : 0.0f));
}

void soft_gradient(int n, int classes, const float *P, const float *T, float weight, float *dZ) {
    float factor = weight / (float)n;
    for (size_t i = 0; i < (size_t)n * (size_t)classes; i++)
        dZ[i] = factor * (P[i] - T[i]);
}

int is_in_top(const float *z, int classes, int label, int top) {
    int better = 0;
    for (int c = 0; c < classes; c++)
        better += c < label ? z[c] >= z[label] : z[c] > z[label];
    return better < top;
}
