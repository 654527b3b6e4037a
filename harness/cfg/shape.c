/* Shape inference; shape.h is the manual. Keys are within their ranges here (layers.c), and
 * every shape so far within CFG_FLOATS_MAX, so that no product below leaves 64 bits. */
#include "cfg/shape.h"

int64_t cfg_floats(struct shape s) {
    return (int64_t)s.c * s.h * s.w;
}

int64_t cfg_weights(const struct cfg_layer *l) {
    if (l->type == LAYER_CONNECTED)
        return cfg_floats(l->in) * l->filters;
    if (l->type == LAYER_CONVOLUTIONAL)
        return (int64_t)(l->in.c / l->groups) * l->filters * l->size * l->size;
    return 0;
}

int cfg_resolve(const char *path, struct cfg_layer *layers, int i, const struct cfg_list *from,
                struct error *e) {
    struct cfg_layer *l = &layers[i];
    l->n_from = from->n;
    for (int k = 0; k < from->n; k++) {
        int said = from->value[k];
        int layer = said < 0 ? i + said : said;
        if (layer < 0)
            return fail_at(e, path, from->line,
                           "layer %d from layer %d is before the first one; the farthest is -%d",
                           said, i, i);
        if (layer >= i)
            return fail_at(e, path, from->line,
                           "layer %d is %s (this is layer %d, counted from 0); name one before it",
                           layer, layer == i ? "this layer itself" : "not before this one", i);
        l->from[k] = layer;
    }
    return 0;
}

/* Kernels: number of places along one side, or less than 1. */
static int window_places(int side, int padding, int size, int stride) {
    return side + padding < size ? 0 : (side + padding - size) / stride + 1;
}

static int window_fits(const char *path, const struct cfg_layer *l, int padding, struct error *e) {
    if (l->in.h + padding >= l->size && l->in.w + padding >= l->size)
        return 0;
    return fail_at(e, path, l->line,
                   "[%s] of size=%d is larger than its input of %dx%d with padding (%d in all); "
                   "reduce size or pool less before it",
                   layer_type_name(l->type), l->size, l->in.h, l->in.w, padding);
}

static int convolutional(const char *path, struct cfg_layer *l, struct error *e) {
    if (l->in.c % l->groups || l->filters % l->groups)
        return fail_at(e, path, l->line,
                       "groups=%d does not divide the %d channels of the input and filters=%d; "
                       "take a divisor of both",
                       l->groups, l->in.c, l->filters);
    int padding = 2 * l->padding;
    if (window_fits(path, l, padding, e))
        return -1;
    l->out = (struct shape){l->filters, window_places(l->in.h, padding, l->size, l->stride),
                            window_places(l->in.w, padding, l->size, l->stride)};
    // The unfolded input (im2col) of one image, which every engine may have to keep.
    int64_t unfolded = (int64_t)l->size * l->size * (l->in.c / l->groups) * l->out.h * l->out.w;
    if (unfolded > CFG_FLOATS_MAX)
        return fail_at(
            e, path, l->line,
            "[convolutional] unfolds its input to %lld floats, more than %d; reduce size, "
            "channels or padding, or raise stride",
            (long long)unfolded, CFG_FLOATS_MAX);
    return 0;
}

/* Every window has to touch the image: Darknet's maximum over none is -FLT_MAX, and its backward
 * pass writes to index -1. */
static int windows_touch(int side, int out, const struct cfg_layer *l) {
    int first = -(l->padding / 2);
    return first + l->size > 0 && first + (out - 1) * l->stride < side;
}

static int maxpool(const char *path, struct cfg_layer *l, struct error *e) {
    if (window_fits(path, l, l->padding, e))
        return -1;
    l->out = (struct shape){l->in.c, window_places(l->in.h, l->padding, l->size, l->stride),
                            window_places(l->in.w, l->padding, l->size, l->stride)};
    if (!windows_touch(l->in.h, l->out.h, l) || !windows_touch(l->in.w, l->out.w, l))
        return fail_at(e, path, l->line,
                       "[maxpool] with size=%d and padding=%d has windows wholly in the padding; "
                       "write a padding below %d",
                       l->size, l->padding, l->size);
    return 0;
}

static int same_plane(struct shape a, struct shape b) {
    return a.h == b.h && a.w == b.w;
}

static int shortcut(const char *path, const struct cfg_layer *layers, struct cfg_layer *l,
                    struct error *e) {
    struct shape a = l->in, b = layers[l->from[0]].out;
    if (!same_plane(a, b) || a.c != b.c)
        return fail_at(
            e, path, l->line,
            "[shortcut] adds layer %d of %dx%dx%d (height x width x channels) to %dx%dx%d, "
            "of which Darknet would drop a part silently; put a 1x1 convolution with "
            "projection=1 in between",
            l->from[0], b.h, b.w, b.c, a.h, a.w, a.c);
    l->out = a;
    return 0;
}

static int route(const char *path, const struct cfg_layer *layers, struct cfg_layer *l,
                 struct error *e) {
    struct shape out = layers[l->from[0]].out;
    for (int k = 1; k < l->n_from; k++) {
        struct shape next = layers[l->from[k]].out;
        if (!same_plane(out, next))
            return fail_at(e, path, l->line,
                           "[route] joins layer %d of %dx%d and layer %d of %dx%d; only layers of "
                           "equal height and width can be joined",
                           l->from[0], out.h, out.w, l->from[k], next.h, next.w);
        out.c += next.c;
        if (cfg_floats(out) > CFG_FLOATS_MAX)
            break; // reported with the other sizes
    }
    l->in = l->out = out;
    return 0;
}

/* Darknet's reorg goes out of bounds, or divides by zero, when something does not divide. */
static int reorg(const char *path, struct cfg_layer *l, struct error *e) {
    int s = l->stride;
    if (l->in.c % (s * s) || (!l->reverse && (l->in.h % s || l->in.w % s)))
        return fail_at(
            e, path, l->line,
            "[reorg] with stride=%d on %dx%dx%d (height x width x channels): Darknet needs "
            "channels that %d divides%s; change the layer before it",
            s, l->in.h, l->in.w, l->in.c, s * s,
            l->reverse ? "" : ", and a height and width that the stride divides");
    l->out = l->reverse ? (struct shape){l->in.c / (s * s), l->in.h * s, l->in.w * s}
                        : (struct shape){l->in.c * s * s, l->in.h / s, l->in.w / s};
    return 0;
}

static int upsample(const char *path, struct cfg_layer *l, struct error *e) {
    int s = l->stride;
    if (cfg_floats(l->in) * s * s > CFG_FLOATS_MAX) // before a side can leave an int
        return fail_at(
            e, path, l->line,
            "[upsample] with stride=%d on %dx%dx%d (height x width x channels) gives more "
            "than %d floats; reduce stride",
            s, l->in.h, l->in.w, l->in.c, CFG_FLOATS_MAX);
    l->out = (struct shape){l->in.c, l->in.h * s, l->in.w * s};
    return 0;
}

static int infer_by_type(const char *path, const struct cfg_layer *layers, struct cfg_layer *l,
                         struct error *e) {
    l->out = l->in;
    switch (l->type) {
    case LAYER_CONVOLUTIONAL:
        return convolutional(path, l, e);
    case LAYER_CONNECTED:
        l->out = (struct shape){l->filters, 1, 1};
        return 0;
    case LAYER_MAXPOOL:
        return maxpool(path, l, e);
    case LAYER_AVGPOOL:
        l->out = (struct shape){l->in.c, 1, 1};
        return 0;
    case LAYER_SHORTCUT:
        return shortcut(path, layers, l, e);
    case LAYER_ROUTE:
        return route(path, layers, l, e);
    case LAYER_UPSAMPLE:
        return upsample(path, l, e);
    case LAYER_REORG:
        return reorg(path, l, e);
    case LAYER_BATCHNORM:
    case LAYER_ACTIVATION:
    case LAYER_DROPOUT:
    case LAYER_SOFTMAX:
    case LAYER_COST:
    case LAYER_TYPES:
        break;
    }
    return 0;
}

static int count_layer(const char *path, const struct cfg_layer *l, struct cfg_totals *t,
                       struct error *e) {
    t->activations += cfg_floats(l->out);
    t->weights += cfg_weights(l);
    if (t->activations > CFG_FLOATS_MAX)
        return fail_at(e, path, l->line,
                       "[%s] brings the activations of one image to %lld floats, more than %d; "
                       "reduce its output of %dx%dx%d (height x width x channels)",
                       layer_type_name(l->type), (long long)t->activations, CFG_FLOATS_MAX,
                       l->out.h, l->out.w, l->out.c);
    if (t->weights > CFG_FLOATS_MAX)
        return fail_at(e, path, l->line,
                       "[%s] brings the weights to %lld floats, more than %d; reduce %s",
                       layer_type_name(l->type), (long long)t->weights, CFG_FLOATS_MAX,
                       l->type == LAYER_CONNECTED ? "output" : "filters or size");
    return 0;
}

int cfg_infer(const char *path, struct cfg_layer *layers, int i, struct shape input,
              struct cfg_totals *totals, struct error *e) {
    struct cfg_layer *l = &layers[i];
    l->in = i ? layers[i - 1].out : input;
    return infer_by_type(path, layers, l, e) || count_layer(path, l, totals, e) ? -1 : 0;
}
