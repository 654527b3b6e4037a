/* Convolution and linear layers as matrix products (OpenBLAS) over columns of one image at a time,
 * so that the columns stay in the second-level cache. Columns are recomputed in backward rather
 * than kept: a batch of them is a hundred megabytes a layer. Darknet's own convolution has no 1x1
 * with a stride. */
#include "engine/reference/ops.h"

#include <cblas.h>
#include <string.h>

struct conv conv_geometry(const struct cfg_layer *l) {
    return (struct conv){l->in.c,   l->in.h,    l->in.w,   l->filters, l->size,
                         l->stride, l->padding, l->groups, l->out.h,   l->out.w};
}

/* The image itself is its columns. */
static int is_pointwise(const struct conv *g) {
    return g->size == 1 && g->stride == 1 && g->padding == 0;
}

static int column_rows(const struct conv *g) {
    return g->c / g->groups * g->size * g->size;
}

size_t conv_workspace(const struct conv *g) {
    return (size_t)column_rows(g) * (size_t)g->out_h * (size_t)g->out_w;
}

/* The outputs x in [first, end) of a row whose input column x * stride + offset is inside the
 * image. */
static void inside(int out, int in, int stride, int offset, int *first, int *end) {
    *first = offset >= 0 ? 0 : (-offset + stride - 1) / stride;
    int last = in - 1 - offset;
    *end = last < 0 ? 0 : last / stride + 1;
    if (*end > out)
        *end = out;
    if (*first > *end)
        *first = *end;
}

static void gather_row(float *to, const float *row, int n, int stride) {
    if (stride == 1)
        memcpy(to, row, (size_t)n * sizeof *to);
    else
        for (int x = 0; x < n; x++)
            to[x] = row[x * stride];
}

/* One row of the columns: tap (ky, kx) of one channel plane, zero where it falls outside. */
static void plane_to_row(const struct conv *g, float *plane, int ky, int kx, float *to) {
    int first, end, offset = kx - g->padding;
    inside(g->out_w, g->w, g->stride, offset, &first, &end);
    for (int y = 0; y < g->out_h; y++, to += g->out_w) {
        int iy = y * g->stride + ky - g->padding;
        if (iy < 0 || iy >= g->h) {
            memset(to, 0, (size_t)g->out_w * sizeof *to);
            continue;
        }
        memset(to, 0, (size_t)first * sizeof *to);
        gather_row(to + first, plane + iy * g->w + first * g->stride + offset, end - first,
                   g->stride);
        memset(to + end, 0, (size_t)(g->out_w - end) * sizeof *to);
    }
}

static void row_to_plane(const struct conv *g, float *plane, int ky, int kx, float *from) {
    int first, end, offset = kx - g->padding;
    inside(g->out_w, g->w, g->stride, offset, &first, &end);
    for (int y = 0; y < g->out_h; y++, from += g->out_w) {
        int iy = y * g->stride + ky - g->padding;
        if (iy < 0 || iy >= g->h)
            continue;
        float *row = plane + iy * g->w + offset;
        if (g->stride == 1)
            for (int x = first; x < end; x++)
                row[x] += from[x];
        else
            for (int x = first; x < end; x++)
                row[x * g->stride] += from[x];
    }
}

/* Output and input planes are alike: a tap is the whole plane shifted by (dy, dx), but for its
 * edge. That makes one long copy of what are otherwise many short ones. */
static int is_shift(const struct conv *g) {
    return g->stride == 1 && g->out_h == g->h && g->out_w == g->w && g->padding < g->w;
}

/* What of a shifted plane lies inside: rows [first, end) of the output, and in that block the
 * values from `skip` on, `n` of them, at `source` in the input plane. */
struct shift {
    int first, end, skip, n, source;
};

static struct shift shift_of(const struct conv *g, int dy, int dx) {
    struct shift s = {.first = dy < 0 ? -dy : 0, .end = dy > 0 ? g->h - dy : g->h};
    if (s.end <= s.first)
        return (struct shift){0};
    s.skip = dx < 0 ? -dx : 0;
    s.n = (s.end - s.first) * g->w - (dx < 0 ? -dx : dx);
    s.source = (s.first + dy) * g->w + dx + s.skip;
    return s;
}

/* Zero the |dx| columns of rows [first, end) that wrapped around from the next row. */
static void clear_edge(float *block, int rows, int w, int dx) {
    int x0 = dx < 0 ? 0 : w - dx, n = dx < 0 ? -dx : dx;
    for (int y = 0; y < rows; y++)
        for (int x = 0; x < n; x++)
            block[y * w + x0 + x] = 0;
}

static void shifted_plane_to_row(const struct conv *g, float *plane, int ky, int kx, float *to) {
    int dy = ky - g->padding, dx = kx - g->padding;
    struct shift s = shift_of(g, dy, dx);
    float *block = to + s.first * g->w;
    memset(to, 0, (size_t)(s.first * g->w) * sizeof *to);
    memset(to + s.end * g->w, 0, (size_t)((g->h - s.end) * g->w) * sizeof *to);
    if (!s.n)
        return;
    memcpy(block + s.skip, plane + s.source, (size_t)s.n * sizeof *to);
    clear_edge(block, s.end - s.first, g->w, dx);
}

/* `from` is scratch: what wrapped around is cleared before the whole block is added. */
static void row_to_shifted_plane(const struct conv *g, float *plane, int ky, int kx, float *from) {
    int dy = ky - g->padding, dx = kx - g->padding;
    struct shift s = shift_of(g, dy, dx);
    float *block = from + s.first * g->w;
    if (!s.n)
        return;
    clear_edge(block, s.end - s.first, g->w, dx);
    float *to = plane + s.source;
    for (int i = 0; i < s.n; i++)
        to[i] += block[s.skip + i];
}

/* Between one channel plane and the row of the columns that a tap makes of it, either way. */
typedef void tap_mover(const struct conv *g, float *plane, int ky, int kx, float *row);

static void for_each_tap(const struct conv *g, float *image, float *columns, tap_mover *move) {
    size_t row = (size_t)g->out_h * (size_t)g->out_w, plane = (size_t)g->h * (size_t)g->w;
    for (int c = 0; c < g->c / g->groups; c++, image += plane)
        for (int ky = 0; ky < g->size; ky++)
            for (int kx = 0; kx < g->size; kx++, columns += row)
                move(g, image, ky, kx, columns);
}

/* columns (c/groups · size · size, out_h · out_w) of one group of one image, which is only read. */
static void image_to_columns(const struct conv *g, const float *image, float *columns) {
    for_each_tap(g, (float *)image, columns, is_shift(g) ? shifted_plane_to_row : plane_to_row);
}

/* Adds to the image; the columns are used up. */
static void columns_to_image(const struct conv *g, float *columns, float *image) {
    for_each_tap(g, image, columns, is_shift(g) ? row_to_shifted_plane : row_to_plane);
}

/* Offsets of one group of one image in X, Y and W. */
struct slice {
    size_t x, y, w;
};

static struct slice slice_of(const struct conv *g, int image, int group) {
    size_t in = (size_t)(g->c / g->groups) * (size_t)g->h * (size_t)g->w;
    size_t m = (size_t)(g->filters / g->groups);
    size_t out = m * (size_t)g->out_h * (size_t)g->out_w;
    size_t at = (size_t)image * (size_t)g->groups + (size_t)group;
    return (struct slice){at * in, at * out, (size_t)group * m * (size_t)column_rows(g)};
}

static void add_bias(const struct conv *g, const float *bias, float *Y) {
    size_t plane = (size_t)g->out_h * (size_t)g->out_w;
    for (int f = 0; f < g->filters; f++, Y += plane)
        for (size_t i = 0; i < plane; i++)
            Y[i] += bias[f];
}

void conv_forward(const struct conv *g, int batch, const float *X, const float *W,
                  const float *bias, float *Y, float *workspace) {
    int m = g->filters / g->groups, n = g->out_h * g->out_w, k = column_rows(g);
    for (int image = 0; image < batch; image++) {
        for (int group = 0; group < g->groups; group++) {
            struct slice s = slice_of(g, image, group);
            const float *columns = X + s.x;
            if (!is_pointwise(g)) {
                image_to_columns(g, X + s.x, workspace);
                columns = workspace;
            }
            cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, m, n, k, 1, W + s.w, k, columns,
                        n, 0, Y + s.y, n);
        }
        if (bias)
            add_bias(g, bias, Y + slice_of(g, image, 0).y);
    }
}

/* dX of one group of one image; `columns` are free to be overwritten. */
static void backward_data(const struct conv *g, const float *W, const float *dY, float *dX, int add,
                          float *columns) {
    int m = g->filters / g->groups, n = g->out_h * g->out_w, k = column_rows(g);
    if (is_pointwise(g)) {
        cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, k, n, m, 1, W, k, dY, n,
                    add ? 1.0f : 0.0f, dX, n);
        return;
    }
    cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, k, n, m, 1, W, k, dY, n, 0, columns, n);
    if (!add)
        memset(dX, 0, (size_t)(g->c / g->groups) * (size_t)g->h * (size_t)g->w * sizeof *dX);
    columns_to_image(g, columns, dX);
}

void conv_backward(const struct conv *g, int batch, const float *X, const float *W, const float *dY,
                   float *dW, float *dX, int add, float *workspace) {
    int m = g->filters / g->groups, n = g->out_h * g->out_w, k = column_rows(g);
    for (int image = 0; image < batch; image++)
        for (int group = 0; group < g->groups; group++) {
            struct slice s = slice_of(g, image, group);
            const float *columns = X + s.x;
            if (!is_pointwise(g)) {
                image_to_columns(g, X + s.x, workspace);
                columns = workspace;
            }
            cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, m, k, n, 1, dY + s.y, n, columns,
                        n, image ? 1.0f : 0.0f, dW + s.w, k);
            if (dX)
                backward_data(g, W + s.w, dY + s.y, dX + s.x, add, workspace);
        }
}

void bias_backward(int batch, int channels, int plane, const float *dY, float *d_bias) {
    for (int c = 0; c < channels; c++) {
        double sum = 0;
        for (int image = 0; image < batch; image++) {
            const float *y = dY + ((size_t)image * (size_t)channels + (size_t)c) * (size_t)plane;
            for (int i = 0; i < plane; i++)
                sum += y[i];
        }
        d_bias[c] += (float)sum;
    }
}

void linear_forward(int batch, int in, int out, const float *X, const float *W, const float *bias,
                    float *Y) {
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, batch, out, in, 1, X, in, W, in, 0, Y,
                out);
    for (int image = 0; bias && image < batch; image++)
        for (int o = 0; o < out; o++)
            Y[(size_t)image * (size_t)out + (size_t)o] += bias[o];
}

void linear_backward(int batch, int in, int out, const float *X, const float *W, const float *dY,
                     float *dW, float *dX, int add) {
    cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, out, in, batch, 1, dY, out, X, in, 0, dW,
                in);
    if (dX)
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, batch, in, out, 1, dY, out, W, in,
                    add ? 1.0f : 0.0f, dX, in);
}
