/* Opening a session, setting its width, computing images; session.h is the manual. */
#include "session.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

int tq_session_fail(struct tq_session *s, int code, const char *format, ...) {
    va_list args;
    va_start(args, format);
    vsnprintf(s->message, sizeof s->message, format, args);
    va_end(args);
    return s->code = code;
}

/* ---- memory ---- */

/* What does not depend on the width. */
static void place_fixed(struct tq_session *s, struct arena *a) {
    size_t nodes = (size_t)s->model->info.nodes;
    s->places = tq_take(a, nodes * sizeof *s->places);
    s->products = tq_take(a, nodes * sizeof *s->products);
    s->normal = tq_take(a, TQ_MAX_CHANNELS * 256 * sizeof(float));
}

/* Whether some width that can be set has activations of codes (mode 1), or of floats (0). */
static int has_mode(const struct tq_model *m, int mode) {
    for (int k = m->info.min_bits; k <= m->info.planes; k++)
        if ((m->info.act_bits[k] <= TQ_BITS) == mode)
            return 1;
    return 0;
}

static struct tq_options options_of(const struct tq_options *options) {
    struct tq_options o = options ? *options : (struct tq_options){0};
    o.batch = o.batch ? o.batch : 1;
    return o;
}

static int are_options(const struct tq_options *o) {
    enum { MOST = 1 << 16 };
    return o->batch >= 1 && o->batch <= MOST && !((uintptr_t)o->memory % TQ_ALIGN);
}

static void start(struct tq_session *s, const struct tq_model *m, const struct tq_options *o) {
    *s = (struct tq_session){.model = m,
                             .kernels = tq_choose_kernels(o->without),
                             .options = *o,
                             .mode = -1,
                             .batch = (uint32_t)o->batch};
}

/* Counting takes places and products to count with, which are the only memory that this asks for
 * besides the session's own. */
static size_t count_bytes(const struct tq_model *m, const struct tq_options *o) {
    struct tq_session s;
    struct arena fixed = {0};
    size_t most = 0, nodes = (size_t)m->info.nodes;
    start(&s, m, o);
    tq_take(&fixed, sizeof s);
    place_fixed(&s, &fixed);
    s.places = calloc(nodes, sizeof *s.places);
    s.products = calloc(nodes, sizeof *s.products);
    for (int mode = 0; mode <= 1 && s.places && s.products; mode++) {
        struct arena a = {0};
        if (has_mode(m, mode))
            tq_lay_out(&s, mode, &a);
        most = a.used > most ? a.used : most;
    }
    int counted = s.places && s.products;
    free(s.places);
    free(s.products);
    return counted ? fixed.used + most : 0;
}

size_t tq_session_bytes(const struct tq_model *m, const struct tq_options *options) {
    struct tq_options o = options_of(options);
    return m && !m->code && are_options(&o) ? count_bytes(m, &o) : 0;
}

/* ---- opening ---- */

static void fill_normal(struct tq_session *s) {
    for (int c = 0; c < s->model->info.channels; c++)
        for (int x = 0; x < 256; x++)
            s->normal[c * 256 + x] =
                ((float)x / 255.0F - s->model->mean[c]) / s->model->deviation[c];
}

int tq_session_open(const struct tq_model *m, const struct tq_options *options,
                    struct tq_session **session) {
    struct tq_options o = options_of(options);
    *session = NULL;
    if (!m || m->code || !are_options(&o))
        return TQ_ARGUMENT;
    size_t bytes = count_bytes(m, &o);
    if (!bytes || (o.memory && o.bytes < bytes))
        return TQ_NO_MEMORY;
    struct arena a = {.base = o.memory ? o.memory : aligned_alloc(TQ_ALIGN, bytes)};
    struct tq_session *s = tq_take(&a, sizeof *s);
    if (!s)
        return TQ_NO_MEMORY;
    start(s, m, &o);
    s->owned = o.memory ? NULL : s;
    place_fixed(s, &a);
    s->memory = a.base + a.used;
    s->memory_bytes = bytes - a.used;
    memset(s->places, 0, (size_t)m->info.nodes * sizeof *s->places);
    memset(s->products, 0, (size_t)m->info.nodes * sizeof *s->products);
    fill_normal(s);
    *session = s;
    return tq_set_bits(s, m->info.planes);
}

void tq_session_close(struct tq_session *s) {
    if (s)
        free(s->owned);
}

const char *tq_session_message(const struct tq_session *s) {
    return s ? s->message
             : "there is no session: its memory is not enough, or an option or the model is wrong";
}

const char *tq_session_kernels(const struct tq_session *s) {
    return s->kernels->name;
}

/* ---- the width ---- */

int tq_set_bits(struct tq_session *s, int k) {
    const struct tq_info *info = &s->model->info;
    if (k < info->min_bits || k > info->planes)
        return tq_session_fail(s, TQ_NO_WIDTH, "the model has widths of %d to %d bits, not %d",
                               info->min_bits, info->planes, k);
    const struct width *w = &s->model->width[k];
    int mode = w->act_bits <= TQ_BITS;
    if (mode != s->mode) {
        struct arena a = {.base = s->memory};
        tq_lay_out(s, mode, &a);
        memset(s->activations, 0, s->activation_bytes);
        s->mode = mode;
    }
    s->k = k;
    s->act_bits = (int)w->act_bits;
    s->bank = s->options.calibrated && w->calibrated != TQ_NONE ? w->calibrated : w->bank;
    tq_load_weights(s);
    tq_load_maps(s);
    return TQ_OK;
}

int tq_bits(const struct tq_session *s) {
    return s->k;
}

/* ---- images ---- */

/* Planar images of `stored` channels into the input's tensor; a channel that is not stored is the
 * first one again. */
static void put_bytes(struct tq_session *s, const uint8_t *images, uint32_t n) {
    const struct node *in = &s->model->nodes[0];
    const struct tensor *t = &s->places[0].floats;
    uint32_t stored = (uint32_t)s->model->info.channels, plane = tq_pixels(in);
    for (uint32_t i = 0; i < n; i++, images += (size_t)stored * plane)
        for (uint32_t c = 0; c < in->c; c++) {
            uint32_t from = c < stored ? c : 0;
            const uint8_t *x = images + (size_t)from * plane;
            const float *normal = s->normal + from * 256;
            for (uint32_t y = 0; y < in->h; y++) {
                float *to = (float *)t->at + i * t->image + y * t->row + c;
                for (uint32_t p = 0; p < in->w; p++, to += t->pixel)
                    *to = normal[*x++];
            }
        }
}

static void put_floats(struct tq_session *s, const float *images, uint32_t n) {
    const struct node *in = &s->model->nodes[0];
    const struct tensor *t = &s->places[0].floats;
    for (uint32_t i = 0; i < n; i++)
        for (uint32_t c = 0; c < in->c; c++)
            for (uint32_t y = 0; y < in->h; y++) {
                float *to = (float *)t->at + i * t->image + y * t->row + c;
                for (uint32_t p = 0; p < in->w; p++, to += t->pixel)
                    *to = *images++;
            }
}

/* Scores in canonical order. Whether all are finite. */
static int take_scores(const struct tq_session *s, uint32_t n, float *scores) {
    const struct node *last = &s->model->nodes[s->model->logits];
    const struct tensor *t = &s->places[s->model->logits].floats;
    uint32_t plane = tq_pixels(last);
    int finite = 1;
    for (uint32_t i = 0; i < n; i++)
        for (uint32_t c = 0; c < last->c; c++)
            for (uint32_t p = 0; p < plane; p++) {
                float y =
                    ((const float *)
                         t->at)[i * t->image + p / last->w * t->row + p % last->w * t->pixel + c];
                finite &= isfinite(y) != 0;
                *scores++ = y;
            }
    return finite;
}

static int infer(struct tq_session *s, const uint8_t *bytes, const float *floats, size_t n,
                 float *scores) {
    const struct tq_info *info = &s->model->info;
    size_t plane = (size_t)info->height * (size_t)info->width;
    if ((!bytes && !floats) || !scores)
        return tq_session_fail(s, TQ_ARGUMENT, "images and scores have to be given");
    for (size_t done = 0; done < n;) {
        uint32_t now = n - done < s->batch ? (uint32_t)(n - done) : s->batch;
        if (bytes)
            put_bytes(s, bytes + done * (size_t)info->channels * plane, now);
        else
            put_floats(s, floats + done * (size_t)info->input_channels * plane, now);
        int bad = tq_run(s, now);
        if (!take_scores(s, now, scores + done * (size_t)info->classes) || bad)
            return tq_session_fail(s, TQ_NOT_FINITE,
                                   "a value of images %zu ... %zu is infinite or no number", done,
                                   done + now - 1);
        done += now;
    }
    return TQ_OK;
}

int tq_infer_bytes(struct tq_session *s, const uint8_t *images, size_t n, float *scores) {
    return infer(s, images, NULL, n, scores);
}

int tq_infer_floats(struct tq_session *s, const float *images, size_t n, float *scores) {
    return infer(s, NULL, images, n, scores);
}

int tq_best(const float *scores, int classes) {
    int best = 0;
    for (int i = 1; i < classes; i++)
        best = scores[i] > scores[best] ? i : best;
    return best;
}
