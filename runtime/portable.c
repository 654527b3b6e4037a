/* The portable kernels: plain C, the twin of all others. */
#include "kernels.h"

#include "passes.inc"

/* ---- codes ---- */

static size_t packed_bytes(const struct product *p) {
    return (size_t)p->layer->rows * p->layer->inputs * sizeof(int16_t);
}

/* factor · v + odd itself, by filter. */
static void pack(struct product *p) {
    const struct form *f = &p->layer->form[p->k];
    int16_t *packed = p->packed;
    size_t inputs = p->layer->inputs;
    for (uint32_t row = 0; row < p->filters; row++, packed += inputs) {
        int8_t *v = (int8_t *)packed + inputs; // the second half of where it is widened to
        tq_unpack_row(p, row, v);
        for (size_t i = 0; i < inputs; i++)
            packed[i] = (int16_t)(f->factor * v[i] + f->odd);
    }
    p->factor = 1;
    p->odd = 0;
}

/* The sum of one filter over one window. */
static int32_t sum_of(const struct product *p, const uint8_t *x, size_t row, const int16_t *w) {
    int32_t sum = 0;
    for (uint32_t y = 0; y < p->rows; y++)
        for (uint32_t t = 0; t < p->cols; t++, w += p->channels) {
            const uint8_t *tap = x + y * row + (size_t)t * p->step;
            for (uint32_t c = 0; c < p->channels; c++)
                sum += w[c] * tap[c];
        }
    return sum;
}

static void sums(const struct product *p, const struct window *w, int32_t *T) {
    const int16_t *packed = p->packed;
    uint32_t per_group = p->filters / p->groups;
    for (uint32_t i = 0; i < w->pixels; i++)
        for (uint32_t f = 0; f < p->filters; f++) {
            const uint8_t *x = (const uint8_t *)w->x + i * w->pixel + f / per_group * p->channels;
            T[(size_t)i * p->filters + f] =
                sum_of(p, x, w->row, packed + (size_t)f * p->layer->inputs);
        }
}

/* ---- floats ---- */

enum { BLOCK = 16 }; // filters that are summed side by side

static void sum_block(const struct product *p, const float *x, size_t row, const float *w,
                      uint32_t n, float *T) {
    double sum[BLOCK] = {0};
    uint32_t filters = p->filters / p->groups;
    for (uint32_t y = 0; y < p->rows; y++)
        for (uint32_t t = 0; t < p->cols; t++) {
            const float *tap = x + y * row + (size_t)t * p->step;
            for (uint32_t c = 0; c < p->channels; c++, w += filters)
                for (uint32_t f = 0; f < n; f++)
                    sum[f] += (double)tap[c] * (double)w[f];
        }
    for (uint32_t f = 0; f < n; f++)
        T[f] = (float)sum[f];
}

static void float_sums(const struct product *p, const struct window *w, float *T) {
    uint32_t filters = p->filters / p->groups;
    for (uint32_t i = 0; i < w->pixels; i++)
        for (uint32_t g = 0; g < p->groups; g++)
            for (uint32_t f = 0; f < filters; f += BLOCK) {
                const float *x = (const float *)w->x + i * w->pixel + (size_t)g * p->channels;
                size_t group = (size_t)g * p->rows * p->cols * p->channels * filters;
                uint32_t n = filters - f < BLOCK ? filters - f : BLOCK;
                sum_block(p, x, w->row, p->weights + group + f, n,
                          T + (size_t)i * p->filters + (size_t)g * filters + f);
            }
}

const struct kernels tq_portable = {
    .name = "portable",
    .unpack_row = tq_unpack_row,
    .packed_bytes = packed_bytes,
    .pack = pack,
    .sums = sums,
    .float_sums = float_sums,
    .box = sum_boxes,
    .affine_sums = affine_sums,
    .affine_floats = affine_floats,
    .quantize = quantize,
    .add = add,
};
