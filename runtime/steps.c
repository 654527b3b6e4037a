/* Computing a batch: one run of nodes after the other, a row of outputs at a time; session.h is the
 * manual. */
#include "session.h"

#include <float.h>
#include <math.h>

/* One row of outputs: of one image; or where an image has one pixel, all images as one row. */
struct row {
    uint32_t image, y, pixels;
    int is_batch;
};

static void *at_row(const struct tensor *t, const struct row *r, size_t value) {
    return (uint8_t *)t->at + (r->image * t->image + r->y * t->row) * value;
}

static size_t step_of(const struct tensor *t, const struct row *r) {
    return r->is_batch ? t->image : t->pixel;
}

/* ---- values ---- */

static void copy_rows(uint32_t pixels, size_t c, const float *X, size_t x, float *Y, size_t y) {
    if (x == c && y == c) { // one run
        c *= pixels;
        pixels = 1;
    }
    for (uint32_t i = 0; i < pixels; i++)
        memcpy(Y + i * y, X + i * x, c * sizeof *Y);
}

/* The values of a node, whatever they are made of, into the session's row. */
static void values(struct tq_session *s, uint32_t node, const struct row *r) {
    const struct place *p = &s->places[node];
    const struct tensor *t = &s->places[p->base].floats;
    uint32_t c = s->model->nodes[node].c;
    struct affine map = p->map;
    map.box = map.odd || map.o ? s->box : NULL;
    if (p->source == FROM_SUMS)
        s->kernels->affine_sums(&map, r->pixels, s->T, s->Y);
    else if (p->source == FROM_FLOAT_SUMS)
        s->kernels->affine_floats(&map, r->pixels, s->T, c, s->Y);
    else if (map.a)
        s->kernels->affine_floats(&map, r->pixels, at_row(t, r, sizeof(float)), step_of(t, r),
                                  s->Y);
    else
        copy_rows(r->pixels, c, at_row(t, r, sizeof(float)), step_of(t, r), s->Y, c);
}

static void keep(struct tq_session *s, uint32_t node, const struct row *r) {
    const struct tensor *t = &s->places[node].floats;
    uint32_t c = s->model->nodes[node].c;
    copy_rows(r->pixels, c, s->Y, c, at_row(t, r, sizeof(float)), step_of(t, r));
}

/* ---- what makes values ---- */

/* The padding is around the input's tensor, so that a window has no ends. */
static void run_product(struct tq_session *s, uint32_t node, const struct row *r) {
    const struct node *n = &s->model->nodes[node];
    const struct place *in = &s->places[n->in[0]];
    const struct product *p = &s->products[node];
    const int codes = s->places[node].source == FROM_SUMS, is_conv = n->op == TQ_CONV;
    const struct tensor *t = codes ? &in->codes : &in->floats;
    size_t stride = is_conv ? n->stride : 1, padding = is_conv ? n->padding : 0;
    size_t value = codes ? 1 : sizeof(float);
    struct window w = {
        .pixel = r->is_batch ? t->image : stride * t->pixel, .row = t->row, .pixels = r->pixels};
    w.x = (const uint8_t *)t->at + (r->image * t->image + r->y * stride * t->row) * value -
          padding * (t->row + t->pixel) * value;
    if (codes)
        s->kernels->sums(p, &w, s->T);
    else
        s->kernels->float_sums(p, &w, s->T);
    if (codes && (p->odd || p->layer->form[s->k].shifts))
        s->kernels->box(p, &w, s->box);
}

/* Rows or columns of a window that lie on the image. */
struct range {
    uint32_t from, to;
};

static struct range inside(uint32_t at, const struct node *n, uint32_t side) {
    int64_t from = (int64_t)at * n->stride - n->padding / 2, to = from + n->size;
    return (struct range){from < 0 ? 0 : (uint32_t)from, to > side ? side : (uint32_t)to};
}

/* One pooling for both types. */
#define DEFINE_MAXPOOL(name, type, lowest, which)                                                  \
    static void name(const struct tq_session *s, uint32_t node, const struct row *r) {             \
        const struct node *n = &s->model->nodes[node], *in = &s->model->nodes[n->in[0]];           \
        const struct tensor *t = &s->places[n->in[0]].which, *to = &s->places[node].which;         \
        const type *image = (const type *)t->at + r->image * t->image;                             \
        type *out = at_row(to, r, sizeof(type));                                                   \
        struct range rows = inside(r->y, n, in->h);                                                \
        for (uint32_t i = 0; i < r->pixels; i++, out += to->pixel) {                               \
            struct range cols = inside(i, n, in->w);                                               \
            for (uint32_t c = 0; c < n->c; c++)                                                    \
                out[c] = lowest;                                                                   \
            for (uint32_t y = rows.from; y < rows.to; y++)                                         \
                for (uint32_t x = cols.from; x < cols.to; x++) {                                   \
                    const type *pixel = image + y * t->row + x * t->pixel;                         \
                    for (uint32_t c = 0; c < n->c; c++)                                            \
                        out[c] = pixel[c] > out[c] ? pixel[c] : out[c];                            \
                }                                                                                  \
        }                                                                                          \
    }

DEFINE_MAXPOOL(codes_maxpool, uint8_t, 0, codes)
DEFINE_MAXPOOL(floats_maxpool, float, -FLT_MAX, floats)

enum { LANES = 16 }; // channels that are summed side by side

/* Means of the planes of some channels of one image, each summed in double row by row. */
static void average(const struct tensor *t, const struct node *in, const float *image, uint32_t c,
                    float *means) {
    double sum[LANES] = {0};
    for (uint32_t y = 0; y < in->h; y++)
        for (uint32_t x = 0; x < in->w; x++) {
            const float *pixel = image + y * t->row + x * t->pixel;
            for (uint32_t i = 0; i < c; i++)
                sum[i] += (double)pixel[i];
        }
    for (uint32_t i = 0; i < c; i++)
        means[i] = (float)(sum[i] / tq_pixels(in));
}

static void run_avgpool(struct tq_session *s, uint32_t node, const struct row *r) {
    const struct node *n = &s->model->nodes[node], *in = &s->model->nodes[n->in[0]];
    const struct tensor *t = &s->places[n->in[0]].floats, *to = &s->places[node].floats;
    for (uint32_t i = 0; i < r->pixels; i++)
        for (uint32_t c = 0; c < n->c; c += LANES) {
            const float *image = (const float *)t->at + (r->image + i) * t->image + c;
            float *means = (float *)at_row(to, r, sizeof(float)) + i * to->image + c;
            if (n->c - c >= LANES)
                average(t, in, image, LANES, means); // of a number that the compiler knows
            else
                average(t, in, image, n->c - c, means);
        }
}

/* ---- what changes them ---- */

static void codes_to_floats(struct tq_session *s, uint32_t node, const struct row *r) {
    const struct node *n = &s->model->nodes[node];
    const struct tensor *t = &s->places[node].codes, *to = &s->places[node].floats;
    const uint8_t *codes = at_row(t, r, 1);
    float *Y = at_row(to, r, sizeof(float)), top = (float)((1 << s->act_bits) - 1);
    for (uint32_t i = 0; i < r->pixels; i++, codes += step_of(t, r), Y += step_of(to, r))
        for (uint32_t c = 0; c < n->c; c++)
            Y[c] = (float)codes[c] / top;
}

/* Of maps that are there the values need not be kept on the way. */
static int quantize(struct tq_session *s, uint32_t node, const struct row *r) {
    const struct node *n = &s->model->nodes[node];
    const struct place *p = &s->places[node], *in = &s->places[n->in[0]];
    const struct tensor *from = &s->places[in->base].floats;
    const float top = (float)((1 << s->act_bits) - 1);
    uint8_t *codes = at_row(&p->codes, r, 1);
    size_t step = step_of(&p->codes, r);
    struct affine map = in->map;
    map.box = map.odd || map.o ? s->box : NULL;
    if (in->source == FROM_SUMS && map.groups == 1 && s->kernels->code_sums)
        return s->kernels->code_sums(&map, r->pixels, s->T, top, codes, step);
    if (in->source == FROM_MEMORY && map.a && s->kernels->code_floats)
        return s->kernels->code_floats(&map, r->pixels, at_row(from, r, sizeof(float)),
                                       step_of(from, r), top, codes, step);
    values(s, n->in[0], r);
    return s->kernels->quantize(r->pixels, n->c, top, s->Y, codes, step);
}

static int run_act(struct tq_session *s, uint32_t node, const struct row *r) {
    const struct node *n = &s->model->nodes[node];
    size_t values_of_row = (size_t)r->pixels * n->c;
    if (s->places[node].is_codes)
        return quantize(s, node, r);
    values(s, n->in[0], r);
    for (size_t i = 0; i < values_of_row; i++)
        s->Y[i] = s->Y[i] < 0 ? 0 : s->Y[i];
    for (size_t i = 0; n->activation == TQ_RELU6 && i < values_of_row; i++)
        s->Y[i] = s->Y[i] > 6 ? 6 : s->Y[i];
    keep(s, node, r);
    return 0;
}

static void run_add(struct tq_session *s, uint32_t node, const struct row *r) {
    const struct node *n = &s->model->nodes[node];
    const struct tensor *t = &s->places[n->in[1]].floats;
    values(s, n->in[0], r);
    s->kernels->add(r->pixels, n->c, n->alpha, n->beta, at_row(t, r, sizeof(float)), step_of(t, r),
                    s->Y);
    keep(s, node, r);
}

/* ---- runs ---- */

/* Whether a value was no number. */
static int run_node(struct tq_session *s, uint32_t node, const struct row *r) {
    const struct place *p = &s->places[node];
    int bad = 0;
    switch (s->model->nodes[node].op) {
    case TQ_CONV:
    case TQ_LINEAR:
        run_product(s, node, r);
        break;
    case TQ_MAXPOOL:
        if (p->is_codes)
            codes_maxpool(s, node, r);
        else
            floats_maxpool(s, node, r);
        break;
    case TQ_AVGPOOL:
        run_avgpool(s, node, r);
        break;
    case TQ_ACT:
        bad = run_act(s, node, r);
        break;
    case TQ_ADD:
        run_add(s, node, r);
        break;
    default: // a norm is a map, and the input is there
        break;
    }
    if (p->is_codes && p->keeps_floats)
        codes_to_floats(s, node, r);
    if (p->map.a && p->keeps_floats) {
        values(s, node, r);
        keep(s, node, r);
    }
    return bad;
}

/* Nodes first ... last for n images. */
static int run_rows(struct tq_session *s, uint32_t first, uint32_t last, uint32_t n) {
    const struct node *head = &s->model->nodes[first];
    int bad = 0, is_batch = tq_pixels(head) == 1;
    uint32_t rows = is_batch ? 1 : n * head->h;
    for (uint32_t i = 0; i < rows; i++) {
        struct row r = {.image = is_batch ? 0 : i / head->h,
                        .y = is_batch ? 0 : i % head->h,
                        .pixels = is_batch ? n : head->w,
                        .is_batch = is_batch};
        for (uint32_t node = first; node <= last; node++)
            bad |= run_node(s, node, &r);
    }
    return bad;
}

int tq_run(struct tq_session *s, uint32_t n) {
    uint32_t nodes = (uint32_t)s->model->info.nodes;
    int bad = 0;
    for (uint32_t first = 1, last; first < nodes; first = last + 1) {
        for (last = first; last + 1 < nodes && s->places[last + 1].first == first; last++)
            ;
        bad |= run_rows(s, first, last, n);
    }
    return bad;
}
