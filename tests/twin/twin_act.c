/* Darknet's activation functions, and ReLU6, with their true derivatives at the input (Darknet
 * itself goes by the output), and where they have kinks. */
#include "twin/twin.h"

#include <math.h>

static const double selu_scale = 1.0507, selu_alpha = 1.6732;

static double piece(double y, double s, double *slope) {
    *slope = s;
    return y;
}

static double sigmoid(double x) {
    return 1 / (1 + exp(-x));
}

/* Flat on [2i, 2i + 1), rising on [2i + 1, 2i + 2). */
static double stair(double x, double *slope) {
    double n = floor(x);
    if (fmod(n, 2) == 0)
        return piece(floor(x / 2), 0, slope);
    return piece(x - n + floor(x / 2), 1, slope);
}

static double hard(enum activation a, double x, double *slope) {
    switch (a) {
    case ACT_HARDTAN:
        if (x < -1 || x > 1)
            return piece(x < 0 ? -1 : 1, 0, slope);
        return piece(x, 1, slope);
    case ACT_LHTAN:
        if (x < 0)
            return piece(.001 * x, .001, slope);
        return x > 1 ? piece(.001 * (x - 1) + 1, .001, slope) : piece(x, 1, slope);
    case ACT_RELU6:
        if (x < 0 || x > 6)
            return piece(x < 0 ? 0 : 6, 0, slope);
        return piece(x, 1, slope);
    default: // ACT_PLSE
        if (x < -4)
            return piece(.01 * (x + 4), .01, slope);
        return x > 4 ? piece(.01 * (x - 4) + 1, .01, slope) : piece(.125 * x + .5, .125, slope);
    }
}

static double smooth(enum activation a, double x, double *slope) {
    double y;
    switch (a) {
    case ACT_LOGISTIC:
        y = sigmoid(x);
        return piece(y, y * (1 - y), slope);
    case ACT_LOGGY:
        y = sigmoid(x);
        return piece(2 * y - 1, 2 * y * (1 - y), slope);
    case ACT_TANH:
        return piece(tanh(x), 1 - tanh(x) * tanh(x), slope);
    case ACT_ELU:
        return x >= 0 ? piece(x, 1, slope) : piece(exp(x) - 1, exp(x), slope);
    default: // ACT_SELU
        if (x >= 0)
            return piece(selu_scale * x, selu_scale, slope);
        return piece(selu_scale * selu_alpha * (exp(x) - 1), selu_scale * selu_alpha * exp(x),
                     slope);
    }
}

double twin_activation(enum activation a, double x, double *slope) {
    switch (a) {
    case ACT_LINEAR:
        return piece(x, 1, slope);
    case ACT_RELU:
        return x > 0 ? piece(x, 1, slope) : piece(0, 0, slope);
    case ACT_RELIE:
        return x > 0 ? piece(x, 1, slope) : piece(.01 * x, .01, slope);
    case ACT_RAMP:
        return x > 0 ? piece(1.1 * x, 1.1, slope) : piece(.1 * x, .1, slope);
    case ACT_LEAKY:
        return x > 0 ? piece(x, 1, slope) : piece(.1 * x, .1, slope);
    case ACT_STAIR:
        return stair(x, slope);
    case ACT_HARDTAN:
    case ACT_LHTAN:
    case ACT_PLSE:
    case ACT_RELU6:
        return hard(a, x, slope);
    default:
        return smooth(a, x, slope);
    }
}

/* ELU and SELU count as kinked: their second derivative jumps, which central differences feel. */
double twin_activation_kink(enum activation a, double x) {
    switch (a) {
    case ACT_LINEAR:
    case ACT_LOGISTIC:
    case ACT_LOGGY:
    case ACT_TANH:
        return INFINITY;
    case ACT_STAIR:
        return fabs(x - rint(x));
    case ACT_HARDTAN:
        return fmin(fabs(x - 1), fabs(x + 1));
    case ACT_LHTAN:
        return fmin(fabs(x), fabs(x - 1));
    case ACT_PLSE:
        return fmin(fabs(x - 4), fabs(x + 4));
    case ACT_RELU6:
        return fmin(fabs(x), fabs(x - 6));
    default:
        return fabs(x);
    }
}
