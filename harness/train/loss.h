/* Softmax cross-entropy, mean over the batch, against labels or against another width's softmax. */
#ifndef TRAIN_LOSS_H
#define TRAIN_LOSS_H

#include <stdint.h>

/* P[i] = softmax(Z[i]), both (n, classes); double sums, shifted by the maximum. */
void softmax(int n, int classes, const float *Z, float *P);

/* Σ over images of -log P[label] (not the mean). */
double cross_entropy_labels(int n, int classes, const float *Z, const uint16_t *labels);

/* Σ over images of -Σ_c T_c log P_c. */
double cross_entropy_soft(int n, int classes, const float *Z, const float *T);

/* dL/dZ = weight (P - one_hot(label)) / n. */
void labels_gradient(int n, int classes, const float *P, const uint16_t *labels, float weight,
                     float *dZ);

/* dL/dZ = weight (P - T) / n; T is a constant. */
void soft_gradient(int n, int classes, const float *P, const float *T, float weight, float *dZ);

/* True when `label` is among the `top` best scores; ties go to the smaller class number. */
int is_in_top(const float *z, int classes, int label, int top);

#endif
