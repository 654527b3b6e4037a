/* Passes over channels-last activations; passes.h is the manual. Values are made a tile at a time,
 * small enough for the first cache, and written once in the form that their reader wants. */
#include "engine/onednn/exact/passes.h"

#include "engine/onednn/blocked.h"
#include "engine/reference/ops.h"

#include <float.h>
#include <math.h>
#include <string.h>

enum { TILE = 512 }; // values

/* Pixels of a tile; fewer channels than a tile share one. */
static size_t tile_pixels(int c) {
    return c < TILE ? TILE / (size_t)c : 1;
}

/* The coefficients of each value of a tile of whole pixels. */
struct coefficients {
    float a[TILE], b[TILE];
};

static void spread(const struct sums *s, struct coefficients *k) {
    size_t c = (size_t)s->c;
    for (size_t i = 0; c <= TILE && i < tile_pixels(s->c) * c; i++) {
        k->a[i] = s->a[i % c];
        k->b[i] = s->b[i % c];
    }
}

/* Without box sums a tile is one run of values. */
static void flat_values(const struct sums *s, size_t at, size_t n, const float *a, const float *b,
                        float *row) {
    if (s->real)
        for (size_t i = 0; i < n; i++)
            row[i] = a[i] * s->real[at + i] + b[i];
    else
        for (size_t i = 0; i < n; i++)
            row[i] = a[i] * (float)(s->factor * s->whole[at + i]) + b[i];
}

/* Channels [c0, c0 + n) of one pixel, all of one group. */
static void pixel_values(const struct sums *s, size_t pixel, size_t c0, size_t n, float *row) {
    size_t c = (size_t)s->c, at = pixel * c + c0, groups = (size_t)s->groups;
    int32_t box = s->box[pixel * groups + c0 / (c / groups)];
    const float *a = s->a + c0, *b = s->b + c0, *o = s->o ? s->o + c0 : NULL;
    if (s->real)
        for (size_t i = 0; i < n; i++)
            row[i] = a[i] * s->real[at + i] + b[i];
    else
        for (size_t i = 0; i < n; i++)
            row[i] = a[i] * (float)(s->factor * s->whole[at + i] + s->odd * box) + b[i];
    for (size_t i = 0; o && i < n; i++)
        row[i] += o[i] * (float)box;
}

/* A tile: `pixels` pixels, or a part of the channels of one. */
struct tile {
    size_t pixel, pixels, c0, n; // n values in all
};

static void tile_values(const struct sums *s, const struct coefficients *k, const struct tile *t,
                        float row[TILE]) {
    size_t c = (size_t)s->c;
    if (!s->box) {
        int whole = c <= TILE;
        flat_values(s, t->pixel * c + t->c0, t->n, whole ? k->a : s->a + t->c0,
                    whole ? k->b : s->b + t->c0, row);
        return;
    }
    size_t width = c / (size_t)s->groups, done = 0;
    while (done < t->n) { // up to the end of the pixel's group
        size_t pixel = t->pixel + (t->c0 + done) / c, c0 = (t->c0 + done) % c;
        size_t n = width - c0 % width;
        n = n < t->n - done ? n : t->n - done;
        pixel_values(s, pixel, c0, n, row + done);
        done += n;
    }
}

static size_t tiles_of(const struct sums *s) {
    size_t per = tile_pixels(s->c), parts = ((size_t)s->c + TILE - 1) / TILE;
    return s->c <= TILE ? (s->pixels + per - 1) / per : s->pixels * parts;
}

static struct tile tile_at(const struct sums *s, size_t i) {
    size_t c = (size_t)s->c, per = tile_pixels(s->c), parts = (c + TILE - 1) / TILE;
    if (c <= TILE) {
        size_t first = i * per, left = s->pixels - first, pixels = left < per ? left : per;
        return (struct tile){first, pixels, 0, pixels * c};
    }
    size_t c0 = i % parts * TILE, left = c - c0;
    return (struct tile){i / parts, 1, c0, left < TILE ? left : TILE};
}

/* for each tile of s: its values in `row`, its place in `at` and its size in `n` */
#define FOR_TILES(s, row, at, n, ...)                                                              \
    do {                                                                                           \
        struct coefficients k_;                                                                    \
        size_t tiles_ = tiles_of(s);                                                               \
        spread(s, &k_);                                                                            \
        for (size_t i_ = 0; i_ < tiles_; i_++) {                                                   \
            float row[TILE];                                                                       \
            struct tile t_ = tile_at(s, i_);                                                       \
            size_t at = t_.pixel * (size_t)(s)->c + t_.c0, n = t_.n;                               \
            tile_values(s, &k_, &t_, row);                                                         \
            __VA_ARGS__                                                                            \
        }                                                                                          \
    } while (0)

void sums_to_floats(const struct sums *s, float *Y) {
    FOR_TILES(s, row, at, n, memcpy(Y + at, row, n * sizeof *Y););
}

void sums_add(const struct sums *s, float alpha, float beta, const float *B, float *Y) {
    FOR_TILES(s, row, at, n, add_forward(n, alpha, row, beta, B + at, Y + at););
}

/* Codes of n values; returns whether some are no numbers. */
static int quantize(size_t n, float top, const float *row, uint8_t *codes) {
    int bad = 0;
    for (size_t i = 0; i < n; i++) {
        float x = row[i];
        bad |= x != x;
        x = x < 0 ? 0 : x > 1 ? 1 : x;
        codes[i] = (uint8_t)(int)rintf(top * x);
    }
    return bad;
}

int sums_to_codes(const struct sums *s, int act_bits, uint8_t *codes) {
    float top = (float)((1 << act_bits) - 1);
    int bad = 0;
    FOR_TILES(s, row, at, n, bad |= quantize(n, top, row, codes + at););
    return !bad;
}

void codes_to_floats(size_t n, int act_bits, const uint8_t *codes, float *Y) {
    float value[256], top = (float)((1 << act_bits) - 1);
    for (int i = 0; i < 256; i++)
        value[i] = (float)i / top;
    for (size_t i = 0; i < n; i++)
        Y[i] = value[codes[i]];
}

/* ---- sums over windows ---- */

/* Σ over the channels of each group of each pixel: (pixels, groups). */
static void channel_sums(size_t pixels, int c, int groups, const uint8_t *codes, int32_t *sums) {
    size_t width = (size_t)(c / groups);
    for (size_t i = 0; i < pixels * (size_t)groups; i++) {
        int32_t sum = 0;
        for (size_t j = 0; j < width; j++)
            sum += codes[i * width + j];
        sums[i] = sum;
    }
}

void codes_box(const struct conv *g, int n, const uint8_t *codes, int32_t *columns, int32_t *box) {
    size_t groups = (size_t)g->groups, in = (size_t)g->h * (size_t)g->w * groups;
    channel_sums((size_t)n * (size_t)g->h * (size_t)g->w, g->c, g->groups, codes, columns);
    for (int row = 0; row < n * g->out_h; row++) {
        const int32_t *image = columns + (size_t)(row / g->out_h) * in;
        int32_t *out = box + (size_t)row * (size_t)g->out_w * groups;
        int y0, y1, x0, x1;
        window_inside(row % g->out_h * g->stride - g->padding, g->size, g->h, &y0, &y1);
        memset(out, 0, (size_t)g->out_w * groups * sizeof *out);
        for (int ox = 0; ox < g->out_w; ox++) {
            window_inside(ox * g->stride - g->padding, g->size, g->w, &x0, &x1);
            for (int y = y0; y < y1; y++)
                for (int x = x0; x < x1; x++)
                    for (size_t j = 0; j < groups; j++)
                        out[(size_t)ox * groups + j] +=
                            image[((size_t)y * (size_t)g->w + (size_t)x) * groups + j];
        }
    }
}

/* ---- pooling ---- */

void last_mean(int n, int plane, int c, const float *X, float *Y) {
    for (int i = 0; i < n; i++) {
        float *y = Y + (size_t)i * (size_t)c;
        memset(y, 0, (size_t)c * sizeof *y);
        for (int p = 0; p < plane; p++)
            for (int j = 0; j < c; j++)
                y[j] += X[((size_t)i * (size_t)plane + (size_t)p) * (size_t)c + (size_t)j];
        for (int j = 0; j < c; j++)
            y[j] /= (float)plane;
    }
}

/* One pooling for both types; a window of NaN alone is NaN, which only floats have. */
#define DEFINE_MAXPOOL(name, type, lowest, if_none)                                                \
    static void name##_pixel(const struct window *w, int c, const type *restrict image, int oy,    \
                             int ox, type *restrict y) {                                           \
        int y0, y1, x0, x1;                                                                        \
        window_inside(oy * w->stride + w->offset, w->size, w->h, &y0, &y1);                        \
        window_inside(ox * w->stride + w->offset, w->size, w->w, &x0, &x1);                        \
        for (int j = 0; j < c; j++)                                                                \
            y[j] = lowest;                                                                         \
        for (int iy = y0; iy < y1; iy++)                                                           \
            for (int ix = x0; ix < x1; ix++) {                                                     \
                const type *restrict x =                                                           \
                    image + ((size_t)iy * (size_t)w->w + (size_t)ix) * (size_t)c;                  \
                for (int j = 0; j < c; j++)                                                        \
                    y[j] = x[j] > y[j] ? x[j] : y[j];                                              \
            }                                                                                      \
        for (int j = 0; j < c; j++)                                                                \
            y[j] = y[j] > lowest ? y[j] : if_none;                                                 \
    }                                                                                              \
    void name(const struct window *w, int n, int c, const type *X, type *Y) {                      \
        size_t in = (size_t)w->h * (size_t)w->w * (size_t)c;                                       \
        int out = w->out_h * w->out_w;                                                             \
        for (int i = 0; i < n * out; i++) {                                                        \
            int p = i % out;                                                                       \
            name##_pixel(w, c, X + (size_t)(i / out) * in, p / w->out_w, p % w->out_w,             \
                         Y + (size_t)i * (size_t)c);                                               \
        }                                                                                          \
    }

DEFINE_MAXPOOL(codes_maxpool, uint8_t, 0, 0)
DEFINE_MAXPOOL(last_maxpool, float, -FLT_MAX, NAN)

void last_from_plain(int n, int c, int plane, const float *plain, float *out) {
    size_t image = (size_t)c * (size_t)plane;
    for (int i = 0; i < n; i++)
        for (int p = 0; p < plane; p++)
            for (int j = 0; j < c; j++)
                out[(size_t)i * image + (size_t)p * (size_t)c + (size_t)j] =
                    plain[(size_t)i * image + (size_t)j * (size_t)plane + (size_t)p];
}
