/* Adam, SGD and the schedules; optimizer.h has the formulas. Darknet's `adam=1` runs SGD on the
 * CPU. */
#include "train/optimizer.h"

#include <math.h>
#include <stdlib.h>

enum { FEW = 1 << 14 }; // parameters that are not worth a second thread

static const double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;

struct optimizer optimizer_new(const struct model *m, const struct spec *spec) {
    struct optimizer o = {.kind = spec->optimizer,
                          .momentum = spec->momentum,
                          .decay = spec->decay,
                          .step_rate = spec->step_rate,
                          .n = m->n_parameters};
    o.m = need((size_t)o.n + 1, sizeof *o.m);
    o.v = o.kind == OPTIMIZER_ADAM ? need((size_t)o.n + 1, sizeof *o.v) : NULL;
    for (int i = 0; i < o.n; i++) {
        o.m[i] = need_aligned(m->parameters[i].n, sizeof(float));
        if (o.v)
            o.v[i] = need_aligned(m->parameters[i].n, sizeof(float));
    }
    return o;
}

void optimizer_free(struct optimizer *o) {
    for (int i = 0; i < o->n; i++) {
        free(o->m[i]);
        if (o->v)
            free(o->v[i]);
    }
    free(o->m);
    free(o->v);
    *o = (struct optimizer){0};
}

static void adam_step(const struct optimizer *o, const struct parameter *p, float *m, float *v,
                      double rate) {
    float decay = (float)o->decay, b1 = (float)beta1, b2 = (float)beta2, e = (float)epsilon;
    float step = (float)(rate / (1 - pow(beta1, (double)o->t)));
    float correct = (float)(1 / sqrt(1 - pow(beta2, (double)o->t)));
#pragma omp parallel for if (p->n > FEW)
    for (size_t i = 0; i < p->n; i++) {
        float g = p->grad[i] + decay * p->value[i];
        m[i] = b1 * m[i] + (1 - b1) * g;
        v[i] = b2 * v[i] + (1 - b2) * g * g;
        p->value[i] -= step * m[i] / (sqrtf(v[i]) * correct + e);
    }
}

static void sgd_step(const struct optimizer *o, const struct parameter *p, float *m, double rate) {
    float decay = (float)o->decay, momentum = (float)o->momentum, step = (float)rate;
#pragma omp parallel for if (p->n > FEW)
    for (size_t i = 0; i < p->n; i++) {
        m[i] = momentum * m[i] + p->grad[i] + decay * p->value[i];
        p->value[i] -= step * m[i];
    }
}

void optimizer_step(struct optimizer *o, struct model *m, double rate) {
    o->t++;
    for (int i = 0; i < o->n; i++) {
        const struct parameter *p = &m->parameters[i];
        double own = p->role == PARAMETER_QUANTIZER ? rate * o->step_rate : rate;
        if (o->kind == OPTIMIZER_ADAM)
            adam_step(o, p, o->m[i], o->v[i], own);
        else
            sgd_step(o, p, o->m[i], own);
    }
}

static double step_rate(const struct spec *spec, int64_t step, int64_t steps) {
    double rate = spec->learning_rate;
    for (int i = 0; i < spec->milestones.n; i++)
        if ((double)step >= spec->milestones.value[i] * (double)steps)
            rate *= spec->gamma;
    return rate;
}

double schedule_rate(const struct spec *spec, int64_t step, int64_t steps) {
    const double pi = 3.14159265358979323846;
    double warm = spec->warmup * (double)steps;
    if ((double)(step + 1) < warm)
        return spec->learning_rate * pow((double)(step + 1) / warm, spec->power);
    switch (spec->schedule) {
    case SCHEDULE_STEP:
        return step_rate(spec, step, steps);
    case SCHEDULE_COSINE:
        return spec->learning_rate * (1 + cos(pi * (double)step / (double)steps)) / 2;
    case SCHEDULE_POLY:
        return spec->learning_rate * pow(1 - (double)step / (double)steps, spec->power);
    default:
        return spec->learning_rate;
    }
}
