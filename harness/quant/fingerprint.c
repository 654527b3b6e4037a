/* Asking a quantizer for all that it computes; fingerprint.h says what is hashed. */
#include "quant/fingerprint.h"

#include "base/random.h"
#include "quant/layer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Small, so that every width of every scheme of a database takes no time; N as it is by default. */
enum { WEIGHTS = 60, CHANNELS = 4, STORED = 8, SEED = 13 };

struct asked {
    const struct quantizer *q;
    struct quant_layer layer;
    float W[WEIGHTS], dW_hat[WEIGHTS];
    size_t n_params;
    float *params, *dparams; // (n_params), NULL where there are none; owned
    FILE *out;
    double margin; // the smallest so far
};

/* Between -1 and 1, most of them near 0, as weights are; exact, so equal on every machine. */
static void draw_values(float *x, size_t n, uint64_t index) {
    struct random r = random_stream(SEED, RANDOM_FINGERPRINT, 0, index);
    for (size_t i = 0; i < n; i++)
        x[i] = (random_unit(&r) - 0.5f) * (random_unit(&r) + random_unit(&r));
}

/* Widths that the scheme can be trained at jointly: the first of these that it takes, none if it
 * takes none. */
static struct widths joint_widths(const struct quantizer *q) {
    static const struct widths usual[] = {
        {5, {1, 2, 4, 8, FLOAT_BITS}}, {2, {8, FLOAT_BITS}}, {1, {8}}, {1, {FLOAT_BITS}}};
    struct widths B = {0};
    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++) {
        struct error ignored = {0};
        B.n = 0;
        for (int b = 0; b < usual[i].n; b++)
            if (usual[i].bits[b] >= q->min_bits)
                B.bits[B.n++] = usual[i].bits[b];
        if (B.n && (!q->check || !q->check(&B, STORED, &ignored)))
            return B;
    }
    return (struct widths){0};
}

/* A number to three digits. The margin is told in units of the last of them. */
static void say_value(struct asked *a, double x) {
    if (x == 0 || !isfinite(x)) {
        fprintf(a->out, " %g", x == 0 ? 0.0 : x);
        return;
    }
    double digits = fabs(x) / pow(10, floor(log10(fabs(x))) - 2);
    double margin = fabs(digits - floor(digits) - 0.5);
    a->margin = margin < a->margin ? margin : a->margin;
    fprintf(a->out, " %.2e", x);
}

/* One number in which nothing cancels, and that knows every value's sign, size and place. */
static void say_array(struct asked *a, const char *what, const float *x, size_t n) {
    struct random r = random_stream(SEED, RANDOM_FINGERPRINT, 1, n);
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        double by = 0.5 + (double)random_unit(&r);
        sum += by * (x[i] < 0 ? -0.25 : 1) * (double)x[i];
    }
    fprintf(a->out, "%s %zu", what, n);
    say_value(a, sum);
    fputc('\n', a->out);
}

static void say_codes(struct asked *a, const char *what, const uint8_t *codes) {
    fprintf(a->out, "%s ", what);
    for (size_t i = 0; i < WEIGHTS; i++)
        fprintf(a->out, "%02x", codes[i]);
    fputc('\n', a->out);
}

static void start_gradients(struct asked *a, float dW[WEIGHTS]) {
    memset(dW, 0, WEIGHTS * sizeof *dW);
    if (a->n_params)
        memset(a->dparams, 0, a->n_params * sizeof *a->dparams);
}

static void say_gradients(struct asked *a, const float dW[WEIGHTS]) {
    say_array(a, "gradient", dW, WEIGHTS);
    say_array(a, "gradient of parameters", a->dparams, a->n_params);
}

static void ask_direct(struct asked *a, int k) {
    float W_hat[WEIGHTS], dW[WEIGHTS];
    fprintf(a->out, "direct %d\n", k);
    layer_quantize(a->q, &a->layer, a->W, a->params, k, W_hat);
    say_array(a, "weights", W_hat, WEIGHTS);
    start_gradients(a, dW);
    layer_backward(a->q, &a->layer, a->W, a->params, k, a->dW_hat, dW, a->dparams);
    say_gradients(a, dW);
}

static void ask_integers(struct asked *a, const uint8_t *codes, const float *header, int k) {
    if (!a->q->integer_form)
        return;
    struct integers x = layer_integers(a->q, &a->layer, codes, header, k);
    fprintf(a->out, "integers %d %d %d %d\n", x.form.factor, x.form.odd, x.form.is_signed,
            x.form.has_offset);
    say_array(a, "unit", x.form.unit, CHANNELS);
    say_array(a, "offset", x.form.offset, CHANNELS);
    integers_free(&x);
}

static void ask_truncated(struct asked *a, int k, const uint8_t *codes, const float *header) {
    float W_hat[WEIGHTS];
    uint8_t cut[WEIGHTS];
    fprintf(a->out, "truncated %d\n", k);
    for (size_t i = 0; i < WEIGHTS; i++)
        cut[i] = a->q->truncate(codes[i], STORED, k);
    say_codes(a, "codes", cut);
    layer_decode(a->q, &a->layer, codes, header, k, W_hat);
    say_array(a, "weights", W_hat, WEIGHTS);
    ask_integers(a, codes, header, k);
}

/* Codes of k bits; of N bits, also what they are cut to. */
static void ask_codes(struct asked *a, int k) {
    uint8_t codes[WEIGHTS];
    size_t n = layer_header_floats(a->q, &a->layer);
    float *header = need(n ? n : 1, sizeof *header);
    layer_encode(a->q, &a->layer, a->W, a->params, k, codes, header);
    say_codes(a, "codes", codes);
    say_array(a, "header", header, n);
    for (int j = 1; j <= STORED && k == STORED; j++)
        if (quantizer_exists(a->q, &a->layer.widths, STORED, j, 1))
            ask_truncated(a, j, codes, header);
    free(header);
}

static void ask_width(struct asked *a, int k) {
    int direct = quantizer_exists(a->q, &a->layer.widths, STORED, k, 0);
    int stored = k == STORED && quantizer_exists(a->q, &a->layer.widths, STORED, k, 1);
    if (direct)
        ask_direct(a, k);
    if (k <= 8 && (direct || stored) && a->q->encode)
        ask_codes(a, k);
}

static void ask_loss(struct asked *a) {
    float dW[WEIGHTS];
    if (!a->q->regularize)
        return;
    start_gradients(a, dW);
    fputs("loss", a->out);
    say_value(a, a->q->regularize(&a->layer, a->W, a->params, dW, a->dparams));
    fputc('\n', a->out);
    say_gradients(a, dW);
}

static void start_params(struct asked *a) {
    a->n_params = a->q->n_params ? a->q->n_params(&a->layer) : 0;
    a->params = a->dparams = NULL;
    if (!a->n_params)
        return;
    a->params = need(a->n_params, sizeof *a->params);
    a->dparams = need(a->n_params, sizeof *a->dparams);
    a->q->start_params(&a->layer, a->W, a->params);
    say_array(a, "parameters", a->params, a->n_params);
}

static void ask_quantizer(struct asked *a) {
    const struct quantizer *q = a->q;
    fprintf(a->out, "from %d, %s%s, corrected %d\n", q->min_bits, q->parent ? q->parent : "",
            q->alone ? "alone" : "", a->layer.corrects);
    if (!a->layer.widths.n)
        return;
    start_params(a);
    for (int k = 1; k <= 8; k++)
        ask_width(a, k);
    ask_width(a, FLOAT_BITS);
    ask_loss(a);
    free(a->params);
    free(a->dparams);
}

/* Returns the margin, and the text, which the caller frees. */
static double ask_all(const struct quantizer *q, const struct axes *axes, char **text,
                      size_t *size) {
    struct asked a = {.q = q,
                      .layer = {.n = WEIGHTS,
                                .channels = CHANNELS,
                                .axes = *axes,
                                .widths = joint_widths(q),
                                .stored_bits = STORED},
                      .out = need_stream(text, size),
                      .margin = 0.5};
    draw_values(a.W, WEIGHTS, 0);
    draw_values(a.dW_hat, WEIGHTS, 1);
    ask_quantizer(&a);
    if (axes->range == RANGE_TANH && axes->granularity == PER_LAYER) {
        a.layer.corrects = 1;
        ask_quantizer(&a);
    }
    fclose(a.out);
    return a.margin;
}

void quantizer_fingerprint(const struct quantizer *q, const struct axes *axes, char hex[HASH_HEX]) {
    char *text;
    size_t size;
    ask_all(q, axes, &text, &size);
    hash_hex(text, size, hex);
    free(text);
}

double quantizer_fingerprint_margin(const struct quantizer *q, const struct axes *axes) {
    char *text;
    size_t size;
    double margin = ask_all(q, axes, &text, &size);
    free(text);
    return margin;
}
