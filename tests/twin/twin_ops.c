/* Every operator of the network, forward and backward, in double and by direct loops. */
#include "twin/twin.h"

#include <float.h>
#include <math.h>

static const double norm_epsilon = 1e-5;

size_t twin_size(struct shape s) {
    return (size_t)s.c * (size_t)s.h * (size_t)s.w;
}

/* Place of (image b, channel c, row y, column x). */
static size_t at(struct shape s, int b, int c, int y, int x) {
    return (((size_t)b * (size_t)s.c + (size_t)c) * (size_t)s.h + (size_t)y) * (size_t)s.w +
           (size_t)x;
}

static const struct node *node_of(const struct twin *t, int i) {
    return &t->model->nodes[i];
}

static struct shape input_shape(const struct twin *t, int i) {
    return node_of(t, node_of(t, i)->in[0])->shape;
}

static void convolution_point(struct twin *t, int i, int b, int o, int y, int x, int backward) {
    const struct node *v = node_of(t, i);
    const struct cfg_layer *g = v->cfg;
    struct shape in = input_shape(t, i);
    int per_group = in.c / g->groups, first = o / (v->shape.c / g->groups) * per_group;
    size_t to = at(v->shape, b, o, y, x);
    for (int c = 0; c < per_group; c++)
        for (int ky = 0; ky < g->size; ky++)
            for (int kx = 0; kx < g->size; kx++) {
                int iy = y * g->stride + ky - g->padding, ix = x * g->stride + kx - g->padding;
                if (iy < 0 || iy >= in.h || ix < 0 || ix >= in.w)
                    continue;
                size_t from = at(in, b, first + c, iy, ix);
                size_t w = (size_t)(((o * per_group + c) * g->size + ky) * g->size + kx);
                if (!backward) {
                    t->out[i][to] += t->W_hat[i][w] * t->out[v->in[0]][from];
                    continue;
                }
                t->dW_hat[i][w] += t->delta[i][to] * t->out[v->in[0]][from];
                t->delta[v->in[0]][from] += t->delta[i][to] * t->W_hat[i][w];
            }
}

static void bias_point(struct twin *t, int i, int channel, size_t to, int backward) {
    int bias = node_of(t, i)->bias;
    if (bias < 0)
        return;
    if (backward)
        t->grad[bias][channel] += t->delta[i][to];
    else
        t->out[i][to] += t->value[bias][channel];
}

static void convolution(struct twin *t, int i, int backward) {
    struct shape s = node_of(t, i)->shape;
    for (int b = 0; b < t->n; b++)
        for (int o = 0; o < s.c; o++)
            for (int y = 0; y < s.h; y++)
                for (int x = 0; x < s.w; x++) {
                    convolution_point(t, i, b, o, y, x, backward);
                    bias_point(t, i, o, at(s, b, o, y, x), backward);
                }
}

/* Wrong on purpose: what another reader of the input had brought to its delta is lost. */
static void forget_delta(struct twin *t, int i) {
    const struct node *v = node_of(t, i);
    size_t n = (size_t)t->n * twin_size(input_shape(t, i));
    for (size_t j = 0; t->rules & TWIN_OVERWRITE_1X1 && v->cfg->size == 1 && j < n; j++)
        t->delta[v->in[0]][j] = 0;
}

static void conv_forward(struct twin *t, int i) {
    convolution(t, i, 0);
}

static void conv_backward(struct twin *t, int i) {
    forget_delta(t, i);
    convolution(t, i, 1);
}

static void linear(struct twin *t, int i, int backward) {
    const struct node *v = node_of(t, i);
    size_t outputs = twin_size(v->shape), inputs = twin_size(input_shape(t, i));
    for (size_t b = 0; b < (size_t)t->n; b++)
        for (size_t o = 0; o < outputs; o++) {
            size_t to = b * outputs + o;
            for (size_t c = 0; c < inputs; c++) {
                size_t from = b * inputs + c, w = o * inputs + c;
                if (!backward) {
                    t->out[i][to] += t->W_hat[i][w] * t->out[v->in[0]][from];
                    continue;
                }
                t->dW_hat[i][w] += t->delta[i][to] * t->out[v->in[0]][from];
                t->delta[v->in[0]][from] += t->delta[i][to] * t->W_hat[i][w];
            }
            bias_point(t, i, (int)o, to, backward);
        }
}

static void linear_forward(struct twin *t, int i) {
    linear(t, i, 0);
}

static void linear_backward(struct twin *t, int i) {
    linear(t, i, 1);
}

/* Place of the j-th of the n·h·w values of channel c. */
static size_t of_channel(struct shape s, int c, int j) {
    int plane = s.h * s.w;
    return at(s, j / plane, c, 0, 0) + (size_t)(j % plane);
}

/* Mean and biased variance of a channel over batch and plane; returns how many values there are. */
static int statistics(const struct twin *t, int i, int c, double *mean, double *variance) {
    struct shape s = node_of(t, i)->shape;
    const double *x = t->out[node_of(t, i)->in[0]];
    int n = t->n * s.h * s.w;
    *mean = *variance = 0;
    for (int j = 0; j < n; j++)
        *mean += x[of_channel(s, c, j)] / n;
    for (int j = 0; j < n; j++)
        *variance += pow(x[of_channel(s, c, j)] - *mean, 2) / n;
    return n;
}

/* What normalises channel c, and the running statistics moved. */
static void norm_channel(struct twin *t, int i, int c, double momentum) {
    struct twin_norm *norm = &t->norms[node_of(t, i)->norm];
    double *running_mean = &norm->mean[t->bank][c], *running = &norm->variance[t->bank][c];
    double mean = *running_mean, variance = *running;
    if (t->mode != PASS_EVALUATE) {
        int n = statistics(t, i, c, &mean, &variance);
        double unbiased = n > 1 ? variance * n / (n - 1) : variance;
        double kept = t->rules & TWIN_BIASED_RUNNING ? variance : unbiased;
        if (!t->frozen) {
            *running_mean += momentum * (mean - *running_mean);
            *running += momentum * (kept - *running);
        }
        if (t->rules & TWIN_UNBIASED_NORM)
            variance = unbiased;
    }
    norm->batch_mean[c] = mean;
    norm->deviation[c] = sqrt(variance + norm_epsilon);
}

static int norm_bank(const struct twin *t, int i) {
    const struct norm *norm = &t->model->norms[node_of(t, i)->norm];
    return norm->shared && t->bank < t->model->widths.n ? 0 : t->bank;
}

/* Scale and shift of a bank; the spare bank's are not parameters but values of the model. */
static double norm_value(const struct twin *t, int i, int c, int shift) {
    const struct norm *norm = &t->model->norms[node_of(t, i)->norm];
    int bank = norm_bank(t, i);
    int number = shift ? norm->shift[bank] : norm->scale[bank];
    if (number >= 0)
        return t->value[number][c];
    return shift ? norm->shift_of[bank][c] : norm->scale_of[bank][c];
}

static void norm_forward(struct twin *t, int i, double momentum) {
    const struct node *v = node_of(t, i);
    struct twin_norm *norm = &t->norms[v->norm];
    int bank = t->bank;
    t->bank = norm_bank(t, i);
    for (int c = 0; c < v->shape.c; c++)
        norm_channel(t, i, c, momentum);
    t->bank = bank;
    for (int c = 0; c < v->shape.c; c++)
        for (int j = 0; j < t->n * v->shape.h * v->shape.w; j++) {
            size_t to = of_channel(v->shape, c, j);
            double x_hat = (t->out[v->in[0]][to] - norm->batch_mean[c]) / norm->deviation[c];
            t->out[i][to] = norm_value(t, i, c, 0) * x_hat + norm_value(t, i, c, 1);
        }
}

/* dx = scale / deviation * (dy - mean dy - x_hat * mean(dy x_hat)). */
static void norm_backward_channel(struct twin *t, int i, int c) {
    const struct node *v = node_of(t, i);
    const struct norm *model_norm = &t->model->norms[v->norm];
    struct twin_norm *norm = &t->norms[v->norm];
    int bank = norm_bank(t, i), n = t->n * v->shape.h * v->shape.w;
    double sum = 0, product = 0;
    for (int j = 0; j < n; j++) {
        size_t to = of_channel(v->shape, c, j);
        double x_hat = (t->out[v->in[0]][to] - norm->batch_mean[c]) / norm->deviation[c];
        sum += t->delta[i][to];
        product += t->delta[i][to] * x_hat;
    }
    t->grad[model_norm->scale[bank]][c] += product;
    t->grad[model_norm->shift[bank]][c] += sum;
    int through = !(t->rules & TWIN_CONSTANT_NORM);
    for (int j = 0; j < n; j++) {
        size_t to = of_channel(v->shape, c, j);
        double x_hat = (t->out[v->in[0]][to] - norm->batch_mean[c]) / norm->deviation[c];
        double dy = t->delta[i][to] - through * (sum + x_hat * product) / n;
        t->delta[v->in[0]][to] += norm_value(t, i, c, 0) / norm->deviation[c] * dy;
    }
}

static void norm_backward(struct twin *t, int i) {
    for (int c = 0; c < node_of(t, i)->shape.c; c++)
        norm_backward_channel(t, i, c);
}

static double clip(const struct twin *t, double x, double *slope) {
    double bottom = t->rules & TWIN_CLIP_WIDE ? -1 : 0;
    *slope = x >= bottom && x <= 1;
    if (t->rules & TWIN_CLIP_OPEN_TOP)
        *slope = x >= bottom;
    if (t->rules & TWIN_CLIP_MINUS_ONE)
        *slope = x >= -1 && x <= 1;
    return fmin(fmax(x, bottom), 1);
}

static int is_clip(const struct twin *t, int i) {
    return node_of(t, i)->clips && t->act_bits != FLOAT_BITS;
}

static double act_value(const struct twin *t, int i, double x, double *slope) {
    return is_clip(t, i) ? clip(t, x, slope)
                         : twin_activation(node_of(t, i)->cfg->activation, x, slope);
}

static void act_forward(struct twin *t, int i) {
    const double *x = t->out[node_of(t, i)->in[0]];
    double *offset = t->width[t->place].offset[i], levels = exp2(t->act_bits) - 1, slope;
    for (size_t j = 0; j < (size_t)t->n * twin_size(node_of(t, i)->shape); j++) {
        double a = act_value(t, i, x[j], &slope);
        if (!t->frozen)
            offset[j] = is_clip(t, i) && t->act_bits > 0 ? rint(levels * a) / levels - a : 0;
        t->out[i][j] = a + offset[j];
    }
}

static void act_backward(struct twin *t, int i) {
    int in = node_of(t, i)->in[0];
    for (size_t j = 0; j < (size_t)t->n * twin_size(node_of(t, i)->shape); j++) {
        double slope;
        act_value(t, i, t->out[in][j], &slope);
        t->delta[in][j] += slope * t->delta[i][j];
    }
}

/* The place of the largest value of a window (the first in a tie), and by how much it leads. */
static size_t window(const struct twin *t, int i, int b, int c, int y, int x, double *lead) {
    const struct cfg_layer *g = node_of(t, i)->cfg;
    struct shape in = input_shape(t, i);
    const double *values = t->out[node_of(t, i)->in[0]];
    double best = -INFINITY;
    size_t where = 0;
    *lead = INFINITY;
    for (int ky = 0; ky < g->size; ky++)
        for (int kx = 0; kx < g->size; kx++) {
            int iy = y * g->stride + ky - g->padding / 2, ix = x * g->stride + kx - g->padding / 2;
            if (iy < 0 || iy >= in.h || ix < 0 || ix >= in.w)
                continue;
            size_t from = at(in, b, c, iy, ix);
            *lead = values[from] > best ? values[from] - best : fmin(*lead, best - values[from]);
            if (values[from] > best)
                best = values[where = from];
        }
    return where;
}

static void maxpool(struct twin *t, int i, int backward) {
    struct shape s = node_of(t, i)->shape;
    int in = node_of(t, i)->in[0];
    double lead;
    for (int b = 0; b < t->n; b++)
        for (int c = 0; c < s.c; c++)
            for (int y = 0; y < s.h; y++)
                for (int x = 0; x < s.w; x++) {
                    size_t to = at(s, b, c, y, x), from = window(t, i, b, c, y, x, &lead);
                    if (backward)
                        t->delta[in][from] += t->delta[i][to];
                    else
                        t->out[i][to] = t->out[in][from];
                }
}

static void maxpool_forward(struct twin *t, int i) {
    maxpool(t, i, 0);
}

static void maxpool_backward(struct twin *t, int i) {
    maxpool(t, i, 1);
}

/* A linear operator that copies: out[to] += factor * in[from], and back. */
static void copy(struct twin *t, int i, int in, size_t to, size_t from, double factor,
                 int backward) {
    if (backward)
        t->delta[in][from] += factor * t->delta[i][to];
    else
        t->out[i][to] += factor * t->out[in][from];
}

static void avgpool(struct twin *t, int i, int backward) {
    struct shape in = input_shape(t, i);
    int plane = in.h * in.w;
    for (int j = 0; j < t->n * in.c; j++)
        for (int k = 0; k < plane; k++)
            copy(t, i, node_of(t, i)->in[0], (size_t)j, (size_t)(j * plane + k), 1. / plane,
                 backward);
}

static void add(struct twin *t, int i, int backward) {
    const struct node *v = node_of(t, i);
    for (size_t j = 0; j < (size_t)t->n * twin_size(v->shape); j++) {
        copy(t, i, v->in[0], j, j, v->cfg->alpha, backward);
        copy(t, i, v->in[1], j, j, v->cfg->beta, backward);
    }
}

static void concat(struct twin *t, int i, int backward) {
    const struct node *v = node_of(t, i);
    for (size_t b = 0; b < (size_t)t->n; b++) {
        size_t to = b * twin_size(v->shape);
        for (int k = 0; k < v->n_in; k++) {
            size_t part = twin_size(node_of(t, v->in[k])->shape);
            for (size_t j = 0; j < part; j++)
                copy(t, i, v->in[k], to++, b * part + j, 1, backward);
        }
    }
}

static void upsample(struct twin *t, int i, int backward) {
    const struct node *v = node_of(t, i);
    struct shape in = input_shape(t, i);
    for (int b = 0; b < t->n; b++)
        for (int c = 0; c < in.c; c++)
            for (int y = 0; y < v->shape.h; y++)
                for (int x = 0; x < v->shape.w; x++)
                    copy(t, i, v->in[0], at(v->shape, b, c, y, x),
                         at(in, b, c, y / v->cfg->stride, x / v->cfg->stride), v->cfg->scale,
                         backward);
}

/* Darknet's reorg permutes as if its input (c, h, w) were the result of space to depth of a plane
 * (c / stride², h·stride, w·stride), whatever the direction. */
static void reorg(struct twin *t, int i, int backward) {
    const struct node *v = node_of(t, i);
    struct shape in = input_shape(t, i);
    int stride = v->cfg->stride, fewer = in.c / (stride * stride);
    struct shape large = {fewer, in.h * stride, in.w * stride};
    for (int b = 0; b < t->n; b++)
        for (int c = 0; c < in.c; c++)
            for (int y = 0; y < in.h; y++)
                for (int x = 0; x < in.w; x++) {
                    int part = c / fewer;
                    size_t deep = at(in, b, c, y, x);
                    size_t wide = at(large, b, c % fewer, y * stride + part / stride,
                                     x * stride + part % stride);
                    if (v->cfg->reverse)
                        copy(t, i, v->in[0], wide, deep, 1, backward);
                    else
                        copy(t, i, v->in[0], deep, wide, 1, backward);
                }
}

static void dropout(struct twin *t, int i, int backward) {
    const struct node *v = node_of(t, i);
    const unsigned char *mask = t->mode == PASS_TRAIN ? t->mask[i] : NULL;
    double scale = mask ? 1 / (1 - (double)v->cfg->probability) : 1;
    for (size_t j = 0; j < (size_t)t->n * twin_size(v->shape); j++)
        if (!mask || mask[j])
            copy(t, i, v->in[0], j, j, scale, backward);
}

static void input_forward(struct twin *t, int i) {
    for (size_t j = 0; j < (size_t)t->n * twin_size(node_of(t, i)->shape); j++)
        t->out[i][j] = t->images[j];
}

static void copies(struct twin *t, int i, int backward) {
    switch (node_of(t, i)->op) {
    case OP_AVGPOOL:
        avgpool(t, i, backward);
        break;
    case OP_ADD:
        add(t, i, backward);
        break;
    case OP_CONCAT:
        concat(t, i, backward);
        break;
    case OP_UPSAMPLE:
        upsample(t, i, backward);
        break;
    case OP_REORG:
        reorg(t, i, backward);
        break;
    case OP_DROPOUT:
        dropout(t, i, backward);
        break;
    default:
        break;
    }
}

void twin_node_forward(struct twin *t, int i, double momentum) {
    for (size_t j = 0; j < (size_t)t->n * twin_size(node_of(t, i)->shape); j++)
        t->out[i][j] = 0;
    switch (node_of(t, i)->op) {
    case OP_INPUT:
        input_forward(t, i);
        break;
    case OP_CONV:
        conv_forward(t, i);
        break;
    case OP_LINEAR:
        linear_forward(t, i);
        break;
    case OP_NORM:
        norm_forward(t, i, momentum);
        break;
    case OP_ACT:
        act_forward(t, i);
        break;
    case OP_MAXPOOL:
        maxpool_forward(t, i);
        break;
    default:
        copies(t, i, 0);
    }
}

void twin_node_backward(struct twin *t, int i) {
    switch (node_of(t, i)->op) {
    case OP_CONV:
        conv_backward(t, i);
        break;
    case OP_LINEAR:
        linear_backward(t, i);
        break;
    case OP_NORM:
        norm_backward(t, i);
        break;
    case OP_ACT:
        act_backward(t, i);
        break;
    case OP_MAXPOOL:
        maxpool_backward(t, i);
        break;
    default:
        copies(t, i, 1);
    }
}

static double act_kink(const struct twin *t, int i, double x) {
    if (is_clip(t, i))
        return fmin(fabs(x), fabs(x - 1));
    return twin_activation_kink(node_of(t, i)->cfg->activation, x);
}

/* True when value j of a node does not move with what lies below: an activation's flat part. */
static int flat(const struct twin *t, int i, size_t j) {
    double slope = 1;
    if (node_of(t, i)->op == OP_ACT)
        act_value(t, i, t->out[node_of(t, i)->in[0]][j], &slope);
    return slope == 0;
}

static double maxpool_kink(const struct twin *t, int i) {
    struct shape s = node_of(t, i)->shape;
    int in = node_of(t, i)->in[0];
    double nearest = INFINITY, lead;
    for (int b = 0; b < t->n; b++)
        for (int c = 0; c < s.c; c++)
            for (int y = 0; y < s.h; y++)
                for (int x = 0; x < s.w; x++) {
                    size_t from = window(t, i, b, c, y, x, &lead);
                    if (!(lead == 0 && flat(t, in, from)))
                        nearest = fmin(nearest, lead);
                }
    return nearest;
}

double twin_kink(const struct twin *t, int i) {
    const struct node *v = node_of(t, i);
    double nearest = INFINITY;
    if (v->op == OP_MAXPOOL)
        return maxpool_kink(t, i);
    for (size_t j = 0; v->op == OP_ACT && j < (size_t)t->n * twin_size(v->shape); j++)
        nearest = fmin(nearest, act_kink(t, i, t->out[v->in[0]][j]));
    return nearest;
}

double twin_flip(const struct twin *t, int i) {
    const struct node *v = node_of(t, i);
    double nearest = INFINITY, slope;
    if (v->op != OP_ACT || !is_clip(t, i) || t->act_bits < 1)
        return INFINITY;
    for (size_t j = 0; j < (size_t)t->n * twin_size(v->shape); j++) {
        double a = act_value(t, i, t->out[v->in[0]][j], &slope);
        nearest = fmin(nearest, twin_code_distance(ROUND_NEAREST, a, t->act_bits));
    }
    return nearest;
}
