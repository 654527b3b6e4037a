/* The optimizers and learning rate schedules in double, as their papers state them. */
#include "twin/twin.h"

#include <math.h>

static const double beta1 = .9, beta2 = .999, adam_epsilon = 1e-8;

void twin_adam(double *w, const double *g, double *m, double *v, size_t n, long step, double rate,
               double decay) {
    for (size_t i = 0; i < n; i++) {
        double gradient = g[i] + decay * w[i];
        m[i] = beta1 * m[i] + (1 - beta1) * gradient;
        v[i] = beta2 * v[i] + (1 - beta2) * gradient * gradient;
        double mean = m[i] / (1 - pow(beta1, (double)step));
        double square = v[i] / (1 - pow(beta2, (double)step));
        w[i] -= rate * mean / (sqrt(square) + adam_epsilon);
    }
}

void twin_sgd(double *w, const double *g, double *velocity, size_t n, double rate, double momentum,
              double decay) {
    for (size_t i = 0; i < n; i++) {
        velocity[i] = momentum * velocity[i] + g[i] + decay * w[i];
        w[i] -= rate * velocity[i];
    }
}

double twin_learning_rate(const struct spec *spec, double share) {
    double rate = spec->learning_rate;
    if (spec->schedule == SCHEDULE_COSINE)
        return rate * (1 + cos(acos(-1) * share)) / 2;
    for (int i = 0; spec->schedule == SCHEDULE_STEP && i < spec->milestones.n; i++)
        if (share >= spec->milestones.value[i])
            rate *= spec->gamma;
    return rate;
}
