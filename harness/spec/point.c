/* Operating points, and their text; point.h is the manual. */
#include "spec/point.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

const char *const cut_names[] = {[CUT_NONE] = "direct",
                                 [CUT_WEIGHTS] = "truncated",
                                 [CUT_ACTIVATIONS] = "truncated-activations",
                                 NULL};

struct point spec_point(const struct spec *spec, int k, enum cut cut) {
    const struct widths *B = &spec->widths;
    return (struct point){.bits = k,
                          .act_bits = spec_act_bits(spec, k),
                          .bank = spec->norm_bank == BANK_SHARED ? 0 : B->bits[widths_bank(B, k)],
                          .cut = cut,
                          .stored_bits = (int)spec->stored_bits,
                          .arithmetic = "fp32"};
}

int point_layer_bits(const struct point *p, int layer) {
    return p->bits ? p->bits : p->layer_bits[layer];
}

int point_is_codes(const struct point *p) {
    for (int i = 0; i < p->n_layers; i++)
        if (p->layer_bits[i] > 8)
            return 0;
    return p->bits <= 8 && p->act_bits <= 8;
}

void point_set_arithmetic(struct point *p, const char *name) {
    snprintf(p->arithmetic, sizeof p->arithmetic, "%.*s", (int)sizeof p->arithmetic - 1, name);
}

int point_same(const struct point *a, const struct point *b) {
    return a->bits == b->bits && a->n_layers == b->n_layers &&
           !memcmp(a->layer_bits, b->layer_bits, (size_t)a->n_layers) &&
           a->act_bits == b->act_bits && a->bank == b->bank && a->calibration == b->calibration &&
           a->cut == b->cut && a->stored_bits == b->stored_bits &&
           !strcmp(a->arithmetic, b->arithmetic);
}

/* ---- what can be wrong ---- */

static int is_width(int k) {
    return (k >= 1 && k <= 8) || k == FLOAT_BITS;
}

static int check_layers(const struct point *p, struct error *e) {
    int differ = 0;
    for (int i = 0; i < p->n_layers; i++) {
        if (!is_width(p->layer_bits[i]))
            return fail(e, "layers have 1 ... 8 or 32 bits, not %d", p->layer_bits[i]);
        differ |= p->layer_bits[i] != p->layer_bits[0];
    }
    return differ ? 0 : fail(e, "all layers have the same bits; say that width once");
}

static int check_cut(const struct point *p, struct error *e) {
    for (int i = 0; i < (p->bits ? 1 : p->n_layers); i++)
        if (point_layer_bits(p, i) > p->stored_bits)
            return fail(e, "codes of %d bits cannot be cut to %d", p->stored_bits,
                        point_layer_bits(p, i));
    if (p->cut == CUT_ACTIVATIONS && p->act_bits > 8)
        return fail(e, "float activations cannot be cut");
    return 0;
}

int point_check(const struct point *p, struct error *e) {
    if (p->bits ? !is_width(p->bits) || p->n_layers : check_layers(p, e))
        return p->bits ? fail(e, "weights have 1 ... 8 or 32 bits, not %d", p->bits) : -1;
    if (!is_width(p->act_bits) && (p->act_bits || p->bits))
        return fail(e, "activations have 1 ... 8 or 32 bits, not %d", p->act_bits);
    if (p->bank && !is_width(p->bank))
        return fail(e, "there are no batch norms of %d bits", p->bank);
    if (p->stored_bits < 2 || p->stored_bits > 8)
        return fail(e, "codes are stored with 2 ... 8 bits, not %d", p->stored_bits);
    if (p->calibration < 0 || !p->arithmetic[0])
        return fail(e, "the batches of calibration are no number, or the arithmetic has no name");
    return p->cut == CUT_NONE ? 0 : check_cut(p, e);
}

/* ---- text ---- */

void point_print_bits(const struct point *p, char *text, size_t size) {
    int n = snprintf(text, size, "%d", point_layer_bits(p, 0));
    for (int i = 1; i < p->n_layers; i++)
        n += snprintf(text + n, size - (size_t)n, " %d", p->layer_bits[i]);
}

void point_print(const struct point *p, char *text, size_t size) {
    char bits[POINT_BITS], act[16] = "", bank[24] = "", calibrated[32] = "";
    point_print_bits(p, bits, sizeof bits);
    if (p->act_bits != p->bits)
        snprintf(act, sizeof act, "/%d", p->act_bits);
    if (p->bank)
        snprintf(bank, sizeof bank, " bank %d", p->bank);
    if (p->calibration)
        snprintf(calibrated, sizeof calibrated, " calibrated %d", p->calibration);
    snprintf(text, size, "%s%s %s of %d%s%s in %s", bits, act, cut_names[p->cut], p->stored_bits,
             bank, calibrated, p->arithmetic);
}

/* The words of a text: the next, "" behind the last or where it is too long for any. */
struct words {
    const char *at;
    char word[32];
};

static void next_word(struct words *w) {
    size_t n = strcspn(w->at, " ");
    snprintf(w->word, sizeof w->word, "%.*s", n < sizeof w->word ? (int)n : 0, w->at);
    w->at += n;
    w->at += *w->at == ' ';
}

/* A word that is a whole number; 0, or -1. Takes it. */
static int take_int(struct words *w, int *value) {
    long number;
    if (text_int(w->word, 0, INT_MAX, &number))
        return -1;
    *value = (int)number;
    next_word(w);
    return 0;
}

/* After a word of its own, where that stands there. */
static int take_after(struct words *w, const char *name, int *value) {
    if (strcmp(w->word, name) != 0)
        return 0;
    next_word(w);
    return take_int(w, value);
}

/* The widths, up to the word that is none, and J behind the last of them: -1 where there is none.
 */
static int take_bits(struct words *w, struct point *p, int *act) {
    *act = -1;
    while (*act < 0 && w->word[0] >= '0' && w->word[0] <= '9') {
        char *slash = strchr(w->word, '/');
        long bits, j;
        if (slash)
            *slash = '\0';
        if (p->n_layers == POINT_LAYERS || text_int(w->word, 1, FLOAT_BITS, &bits) ||
            (slash && text_int(slash + 1, 1, FLOAT_BITS, &j)))
            return -1;
        p->layer_bits[p->n_layers++] = (uint8_t)bits;
        *act = slash ? (int)j : -1;
        next_word(w);
    }
    return p->n_layers ? 0 : -1;
}

static int take_all(struct words *w, struct point *p) {
    int act;
    if (take_bits(w, p, &act))
        return -1;
    if (p->n_layers == 1) {
        p->bits = p->layer_bits[0];
        p->n_layers = p->layer_bits[0] = 0;
    }
    p->act_bits = act < 0 ? p->bits : act;
    int cut = text_find(w->word, cut_names);
    if (cut < 0)
        return -1;
    p->cut = (enum cut)cut;
    next_word(w);
    if (take_after(w, "of", &p->stored_bits) || take_after(w, "bank", &p->bank) ||
        take_after(w, "calibrated", &p->calibration) || strcmp(w->word, "in") != 0)
        return -1;
    next_word(w);
    point_set_arithmetic(p, w->word);
    return strlen(w->word) < sizeof p->arithmetic && !*w->at ? 0 : -1;
}

int point_parse(struct point *p, const char *text, struct error *e) {
    struct words w = {.at = text};
    char back[POINT_TEXT];
    *p = (struct point){0};
    next_word(&w);
    if (take_all(&w, p))
        return fail(e,
                    "'%.80s' is no operating point; say it like '4/8 truncated of 8 bank 4 in "
                    "fp32', or '8 4 4 2 ...' for widths by layer",
                    text);
    if (point_check(p, e))
        return -1;
    point_print(p, back, sizeof back);
    return strcmp(text, back) != 0 ? fail(e, "'%.80s' is written '%.80s'", text, back) : 0;
}
