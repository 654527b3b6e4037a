/* What is wrong between the keys of a spec, one check for each key that may be at fault. That a
 * single value is in its range is value.c's affair.
 *
 * Allowed on purpose: widths above `stored_bits` (they are trained and evaluated, truncation makes
 * the widths up to it), evaluated widths below the scheme's smallest (their cells do not exist),
 * and every pairing of rounder and dequantizer (their mismatch is what an ablation measures). */
#include "spec/init.h"

#include <string.h>

struct subject {
    const struct spec *spec;
    const struct quantizer *quantizer;
};

static int check_network(const struct subject *s, struct error *e) {
    return s->spec->network[0] ? 0 : fail(e, "no network is named; set network");
}

static int check_dataset(const struct subject *s, struct error *e) {
    return s->spec->dataset[0] ? 0 : fail(e, "no data set is named; set dataset");
}

static int own_axis(const struct subject *s, const char *axis, int scheme_has_own, int same,
                    struct error *e) {
    if (!scheme_has_own || same)
        return 0;
    return fail(e, "scheme %s defines its own %s; leave %s out for it", s->spec->scheme, axis,
                axis);
}

static int check_range(const struct subject *s, struct error *e) {
    return own_axis(s, "range", s->quantizer->axes.range == RANGE_OWN,
                    s->spec->axes.range == RANGE_OWN, e);
}

static int check_parent_range(const struct subject *s, struct error *e) {
    if (!s->quantizer->parent || s->spec->axes.range == RANGE_MINMAX)
        return 0;
    return fail(e,
                "%s takes trained weights as they are, and range tanh would bend them; use minmax",
                s->spec->scheme);
}

static int check_alone(const struct subject *s, struct error *e) {
    if (!s->quantizer->alone || s->spec->widths.n == 1)
        return 0;
    return fail(e, "a run of %s trains one width, not %d; name one (a grid makes a run of each)",
                s->spec->scheme, s->spec->widths.n);
}

/* The bounds of its clips come from calibration batches. */
static int check_calibration(const struct subject *s, struct error *e) {
    if (!s->quantizer->parent || s->spec->act_bits == FLOAT_BITS || s->spec->calibration > 0)
        return 0;
    return fail(
        e,
        "%s clips activations at percentiles over calibration batches, and there are none; use "
        "some, or act_bits 32",
        s->spec->scheme);
}

static int check_rounder(const struct subject *s, struct error *e) {
    return own_axis(s, "rounder", s->quantizer->axes.rounder == ROUND_OWN,
                    s->spec->axes.rounder == ROUND_OWN, e);
}

static int check_dequantizer(const struct subject *s, struct error *e) {
    return own_axis(s, "dequantizer", s->quantizer->axes.dequantizer == DEQUANT_OWN,
                    s->spec->axes.dequantizer == DEQUANT_OWN, e);
}

static int check_layer_scale(const struct subject *s, struct error *e) {
    if (s->spec->axes.scale == SCALE_MEAN || s->spec->axes.range == RANGE_TANH)
        return 0;
    return fail(e,
                "layer_scale pow2 exists for range tanh only, and %s has another; use mean for it",
                s->spec->scheme);
}

static int check_granularity(const struct subject *s, struct error *e) {
    if (s->spec->axes.granularity == PER_LAYER || s->spec->axes.range == RANGE_MINMAX)
        return 0;
    return fail(e,
                "granularity channel exists for range minmax only, and %s has another; use layer "
                "for it",
                s->spec->scheme);
}

static int check_norm_bank(const struct subject *s, struct error *e) {
    if (s->spec->norm_bank == BANK_PER_WIDTH || s->spec->axes.range == RANGE_TANH)
        return 0;
    return fail(e,
                "norm_bank shared corrects the weights of range tanh only, and %s has another; use "
                "per-width for it",
                s->spec->scheme);
}

static int check_align(const struct subject *s, struct error *e) {
    const struct axes *a = &s->spec->axes;
    int has_map = a->range == RANGE_TANH || a->range == RANGE_MINMAX;
    if (s->spec->align == 0 || (has_map && a->rounder == ROUND_NEAREST))
        return 0;
    return fail(
        e,
        "align is for range tanh or minmax with rounder nearest or floor, and %s has others; "
        "use 0 for it",
        s->spec->scheme);
}

static int check_stored_bits(const struct subject *s, struct error *e) {
    int least = s->quantizer->min_bits;
    if (least == FLOAT_BITS || s->spec->stored_bits >= least)
        return 0;
    return fail(e, "stored_bits %ld is below the smallest width of %s, %d; store at least that",
                s->spec->stored_bits, s->spec->scheme, least);
}

static int check_widths(const struct subject *s, struct error *e) {
    int least = s->quantizer->min_bits;
    if (s->spec->widths.n && s->spec->widths.bits[0] >= least)
        return 0;
    return fail(e, "widths begin at %d, but the smallest of %s is %d; leave smaller ones out",
                s->spec->widths.bits[0], s->spec->scheme, least);
}

static int check_scheme_rule(const struct subject *s, struct error *e) {
    struct error why = {0};
    if (!s->quantizer->check ||
        !s->quantizer->check(&s->spec->widths, (int)s->spec->stored_bits, &why))
        return 0;
    return fail(e, "scheme %s %s", s->spec->scheme, why.text);
}

static int check_images(const struct subject *s, struct error *e) {
    if (!s->spec->train_images || s->spec->train_images >= s->spec->batch)
        return 0;
    return fail(e,
                "%ld training images do not fill one batch of %ld; use more images or a smaller "
                "batch",
                s->spec->train_images, s->spec->batch);
}

static int check_split(const struct subject *s, struct error *e) {
    if (s->spec->split == EVALUATE_TEST || s->spec->val > 0)
        return 0;
    return fail(e,
                "split val needs images that are held out; set val to how many, or split to test");
}

static int check_every(const struct subject *s, struct error *e) {
    if (!s->spec->every || s->spec->every_split == EVALUATE_TEST || s->spec->val > 0)
        return 0;
    return fail(e,
                "every evaluates images that are held out, and none are; set val to how many, or "
                "every_split to test");
}

static int check_milestones(const struct subject *s, struct error *e) {
    const struct reals *m = &s->spec->milestones;
    double before = 0;
    for (int i = 0; i < m->n; i++) {
        if (m->value[i] <= before || m->value[i] >= 1)
            return fail(e, "milestones are shares between 0 and 1 in ascending order; %g is not",
                        m->value[i]);
        before = m->value[i];
    }
    return 0;
}

static int check_width_weight(const struct subject *s, struct error *e) {
    int given = s->spec->width_weight.n, widths = s->spec->widths.n;
    double sum = 0;
    for (int i = 0; i < given; i++)
        sum += s->spec->width_weight.value[i];
    if (given && given != widths)
        return fail(e, "width_weight has %d numbers for %d widths; give one for each, or 1 for all",
                    given, widths);
    if (given && sum == 0)
        return fail(e, "width_weight is 0 for every width, so nothing would train; weigh one at "
                       "least");
    return 0;
}

static int check_init(const struct subject *s, struct error *e) {
    size_t path = strlen(s->spec->init) - (init_hash(s->spec) ? HASH_HEX : 0);
    if (path < SPEC_TEXT && !strchr(s->spec->init, '\\'))
        return 0;
    return fail(e, "init takes a path of up to %d bytes without backslashes; rename the file",
                SPEC_TEXT - 1);
}

static int check_bits(const struct subject *s, struct error *e) {
    const struct widths *bits = &s->spec->bits;
    for (int i = 0; i < bits->n; i++)
        if (spec_has_bits(s->spec, s->quantizer, bits->bits[i]))
            return 0;
    if (s->quantizer->alone)
        return fail(
            e,
            "a run of %s has results at the width it trained alone, %d; evaluate that, or the "
            "run of another width",
            s->spec->scheme, s->spec->widths.bits[0]);
    return fail(e, "none of the evaluated bits exists for %s, which begins at %d; add that",
                s->spec->scheme, s->quantizer->min_bits);
}

static const struct check {
    const char *key; // flat name of the key to change
    int (*run)(const struct subject *, struct error *);
} checks[] = {
    {"network", check_network},
    {"dataset", check_dataset},
    {"range", check_range},
    {"range", check_parent_range},
    {"rounder", check_rounder},
    {"dequantizer", check_dequantizer},
    {"layer_scale", check_layer_scale},
    {"granularity", check_granularity},
    {"norm_bank", check_norm_bank},
    {"align", check_align},
    {"stored_bits", check_stored_bits},
    {"widths", check_widths},
    {"widths", check_alone},
    {"widths", check_scheme_rule},
    {"train.images", check_images},
    {"milestones", check_milestones},
    {"width_weight", check_width_weight},
    {"init", check_init},
    {"bits", check_bits},
    {"calibration", check_calibration},
    {"split", check_split},
    {"every", check_every},
};

const struct spec_key *spec_fault(const struct spec *spec, const struct quantizer *const *table,
                                  struct error *e) {
    struct subject s = {spec, quantizer_find(table, spec->scheme)};
    if (!s.quantizer) {
        fail(e, "unknown scheme '%s'; set scheme to a known one", spec->scheme);
        return spec_key_find("scheme");
    }
    for (size_t i = 0; i < sizeof checks / sizeof *checks; i++)
        if (checks[i].run(&s, e))
            return spec_key_find(checks[i].key);
    return NULL;
}

int spec_validate(const struct spec *spec, const struct quantizer *const *table, struct error *e) {
    return spec_fault(spec, table, e) ? -1 : 0;
}
