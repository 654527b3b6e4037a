/* From a draft to the runs it means: multiplies, overrides, excludes, and finds what is the same;
 * grid.h is the manual. It knows neither networks nor data sets: those are checked by who opens
 * them. */
#include "plan/grid.h"

#include "plan/draft.h"

#include <stdlib.h>
#include <string.h>

enum { COMBINATIONS_MAX = 100000 };

/* Where a value came from, instead of a line. */
enum { FROM_DEFAULT = 0, FROM_SCHEME = -1, NO_EFFECT = -2 };

struct combination {
    struct spec spec;
    int scheme; // number among the grid's alternatives of scheme; -1: added as a parent
    int from[SPEC_KEYS];
    char id[HASH_HEX]; // equal for equal runs of this grid
};

struct expansion {
    const struct quantizer *const *table;
    struct draft *d;
    struct combination *made;
    int n, room;
    int *when_matches, *rule_matches; // by clause: how many combinations
    int last_rule;                    // line of the rule that excluded last
    struct error *e;
};

static int key_number(const struct spec_key *key) {
    return (int)(key - spec_keys);
}

/* Say where a value at fault was said. */
static int blame_line(struct expansion *x, int line) {
    if (line == LINE_SET)
        return fail_prefix(x->e, "--set", 0);
    return fail_prefix(x->e, x->d->path, line);
}

static int set_value(struct expansion *x, struct combination *c, const struct alternatives *a,
                     int which) {
    c->from[key_number(a->key)] = a->line;
    if (spec_set(&c->spec, x->table, a->key, a->text[which], x->e))
        return blame_line(x, a->line);
    return 0;
}

static int condition_holds(const struct spec *spec, const struct alternatives *condition) {
    char value[SPEC_VALUE];
    spec_print_value(spec, condition->key, value, sizeof value);
    for (int i = 0; i < condition->n; i++)
        if (!strcmp(condition->text[i], value))
            return 1;
    return 0;
}

static int clause_holds(const struct spec *spec, const struct clause *clause) {
    for (int i = 0; i < clause->n_conditions; i++)
        if (!condition_holds(spec, &clause->conditions[i]))
            return 0;
    return 1;
}

/* Every rule is tried, so that each one's matches are counted. */
static int is_excluded(struct expansion *x, const struct spec *spec) {
    int excluded = 0;
    for (int i = 0; i < x->d->n_rules; i++)
        if (clause_holds(spec, &x->d->rules[i])) {
            x->rule_matches[i]++;
            x->last_rule = x->d->rules[i].line;
            excluded = 1;
        }
    return excluded;
}

/* Range, rounder, dequantizer: what has no default is said in [grid] or is the scheme's. */
static int is_axis_key(const struct spec_key *key) {
    return !key->preset && strcmp(key->section, "grid") != 0;
}

/* After normalizing: values that the scheme set, and values that were said in vain. */
static void explain_origins(struct expansion *x, struct combination *c) {
    for (const struct spec_key *k = spec_keys; k->name; k++) {
        int *from = &c->from[key_number(k)];
        int matters = spec_key_matters(&c->spec, x->table, k);
        if (!matters && (*from > 0 || *from == LINE_SET))
            *from = NO_EFFECT;
        if (is_axis_key(k) && *from <= 0 && *from != LINE_SET)
            *from = FROM_SCHEME;
        if (!strcmp(k->flat, "widths") && !matters)
            *from = FROM_SCHEME;
    }
}

static struct combination *next_combination(struct expansion *x) {
    if (x->n == x->room) {
        int room = x->room ? 2 * x->room : 64;
        struct combination *more = need((size_t)room, sizeof *more);
        if (x->n)
            memcpy(more, x->made, (size_t)x->n * sizeof *more);
        free(x->made);
        x->made = more;
        x->room = room;
    }
    return &x->made[x->n++];
}

/* Normalize, validate, keep. */
static int keep_one(struct expansion *x, struct combination *c) {
    char config[HASH_HEX];
    spec_normalize(&c->spec, x->table);
    const struct spec_key *fault = spec_fault(&c->spec, x->table, x->e);
    if (fault) {
        int line = c->from[key_number(fault)];
        return blame_line(
            x, line > 0 || line == LINE_SET ? line : c->from[key_number(spec_key_find("scheme"))]);
    }
    explain_origins(x, c);
    spec_ids(&c->spec, x->table, c->spec.network, c->spec.dataset, c->id, config);
    if (x->n == COMBINATIONS_MAX)
        return fail_at(x->e, x->d->path, 0, "makes more than %d runs; split the grid",
                       COMBINATIONS_MAX);
    *next_combination(x) = *c;
    return 0;
}

/* A combination with all its overrides. A scheme that trains each width alone makes a run of each;
 * rules of exclusion see them together and one by one. */
static int keep_combination(struct expansion *x, struct combination *c) {
    const struct quantizer *q = quantizer_find(x->table, c->spec.scheme);
    if (is_excluded(x, &c->spec))
        return 0;
    if (!q || !q->alone || c->spec.widths.n < 2)
        return keep_one(x, c);
    for (int i = 0; i < c->spec.widths.n; i++) {
        struct combination one = *c;
        one.spec.widths = (struct widths){1, {c->spec.widths.bits[i]}};
        if (!is_excluded(x, &one.spec) && keep_one(x, &one))
            return -1;
    }
    return 0;
}

/* Behind all others, so that a run that the grid has itself stays as it is there. */
static int add_parents(struct expansion *x) {
    for (int i = 0, n = x->n; i < n; i++) {
        struct combination c = x->made[i];
        c.scheme = -1;
        if (spec_parent(&x->made[i].spec, x->table, &c.spec) && keep_one(x, &c))
            return -1;
    }
    return 0;
}

/* The settings that override `base`, the last for each key. Returns their number. */
static int overrides_of(struct expansion *x, const struct spec *base,
                        const struct alternatives *over[SPEC_KEYS]) {
    const struct alternatives *by_key[SPEC_KEYS] = {0};
    int n = 0;
    for (int i = 0; i < x->d->n_whens; i++) {
        const struct clause *when = &x->d->whens[i];
        if (!clause_holds(base, when))
            continue;
        x->when_matches[i]++;
        for (int k = 0; k < when->n_settings; k++)
            by_key[key_number(when->settings[k].key)] = &when->settings[k];
    }
    for (int k = 0; k < SPEC_KEYS; k++)
        if (by_key[k])
            over[n++] = by_key[k];
    return n;
}

/* The product of a list's alternatives, or one more than the limit when it is beyond that. */
static long product_size(const struct alternatives *const *list, int n) {
    long total = 1;
    for (int i = 0; i < n && total <= COMBINATIONS_MAX; i++)
        total *= list[i]->n;
    return total <= COMBINATIONS_MAX ? total : COMBINATIONS_MAX + 1;
}

/* Set member `number` of the product of `list`, in which later keys vary fastest. */
static int set_member(struct expansion *x, struct combination *c,
                      const struct alternatives *const *list, int n, long number) {
    int digit[SPEC_KEYS];
    for (int i = n - 1; i >= 0; i--) {
        digit[i] = (int)(number % list[i]->n);
        number /= list[i]->n;
    }
    for (int scheme = 1; scheme >= 0; scheme--) // first, since it sets the axes
        for (int i = 0; i < n; i++) {
            if ((list[i]->key->type == KEY_SCHEME) != scheme)
                continue;
            if (scheme)
                c->scheme = digit[i];
            if (set_value(x, c, list[i], digit[i]))
                return -1;
        }
    return 0;
}

static int expand_one(struct expansion *x, const struct combination *base) {
    const struct alternatives *over[SPEC_KEYS];
    int n = overrides_of(x, &base->spec, over);
    long total = product_size(over, n);
    for (long i = 0; i < total; i++) {
        struct combination c = *base;
        if (set_member(x, &c, over, n, i) || keep_combination(x, &c))
            return -1;
    }
    return 0;
}

static int expand(struct expansion *x) {
    const struct alternatives *axes[SPEC_KEYS];
    for (int i = 0; i < x->d->n_axes; i++)
        axes[i] = &x->d->axes[i];
    long total = product_size(axes, x->d->n_axes);
    if (total > COMBINATIONS_MAX)
        return fail_at(x->e, x->d->path, 0, "makes more than %d combinations; split the grid",
                       COMBINATIONS_MAX);
    for (long i = 0; i < total; i++) {
        struct combination base = {0};
        spec_defaults(&base.spec);
        if (set_member(x, &base, axes, x->d->n_axes, i) || expand_one(x, &base))
            return -1;
    }
    return 0;
}

static int check_matches(const struct expansion *x) {
    for (int i = 0; i < x->d->n_whens && !x->d->is_set; i++)
        if (!x->when_matches[i])
            return fail_at(x->e, x->d->path, x->d->whens[i].line,
                           "[when] matches no combination; correct its conditions or remove it");
    for (int i = 0; i < x->d->n_rules && !x->d->is_set; i++)
        if (!x->rule_matches[i])
            return fail_at(x->e, x->d->path, x->d->rules[i].line,
                           "the rule matches no combination; correct its conditions or remove it");
    if (!x->n)
        return fail_at(x->e, x->d->path, x->last_rule,
                       "the rule excludes every combination that was left; narrow or remove it");
    return 0;
}

static int by_id(const void *a, const void *b) {
    const struct combination *l = *(const struct combination *const *)a;
    const struct combination *r = *(const struct combination *const *)b;
    int order = strcmp(l->id, r->id);
    return order ? order : (l > r) - (l < r);
}

static int same_run(const struct expansion *x, const struct combination *a,
                    const struct combination *b) {
    int line = a->from[key_number(spec_key_find("scheme"))];
    return fail_at(x->e, x->d->path, line,
                   "scheme %s and scheme %s make the same run here (%s, %s); exclude one of them",
                   a->spec.scheme, b->spec.scheme, a->spec.network, a->spec.dataset);
}

/* Drop what has become the same run, keeping the first and the order. Marks a dropped combination
 * by an empty id. */
static int merge_combinations(struct expansion *x) {
    struct combination **sorted = need((size_t)x->n, sizeof *sorted);
    for (int i = 0; i < x->n; i++)
        sorted[i] = &x->made[i];
    qsort(sorted, (size_t)x->n, sizeof *sorted, by_id);
    int rc = 0;
    for (int i = 1, first = 0; i < x->n && !rc; i++) {
        if (strcmp(sorted[first]->id, sorted[i]->id))
            first = i;
        else if (sorted[i]->scheme >= 0 && sorted[first]->scheme != sorted[i]->scheme)
            rc = same_run(x, sorted[first], sorted[i]);
        else
            sorted[i]->id[0] = '\0';
    }
    free(sorted);
    int kept = 0;
    for (int i = 0; i < x->n && !rc; i++)
        if (x->made[i].id[0])
            x->made[kept++] = x->made[i];
    x->n = rc ? x->n : kept;
    return rc;
}

static int is_used(const struct expansion *x, const struct alternatives *a) {
    for (int i = 0; i < x->n; i++)
        if (x->made[i].from[key_number(a->key)] == a->line)
            return 1;
    return 0;
}

static void note_parents(const struct expansion *x, FILE *out) {
    const char *scheme = "";
    int n = 0;
    for (int i = 0; i < x->n; i++)
        if (x->made[i].scheme < 0) {
            scheme = x->made[i].spec.scheme;
            n++;
        }
    if (n)
        fprintf(out, "%s: runs of %s are added, whose weights others take: %d\n", x->d->path,
                scheme, n);
}

/* A line that nothing depends on is most likely a misunderstanding, but no fault. */
static char *notes_of(const struct expansion *x) {
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    for (int i = 0; out && i < x->d->n_axes; i++) {
        const struct alternatives *a = &x->d->axes[i];
        if (is_used(x, a))
            continue;
        if (a->line == LINE_SET)
            fprintf(out, "--set: ");
        else
            fprintf(out, "%s:%d: ", x->d->path, a->line);
        fprintf(out, "%s has no effect in any run of this grid\n", a->key->flat);
    }
    if (out) {
        note_parents(x, out);
        fclose(out);
    }
    return text ? text : need_string("");
}

static char *origin_text(const struct draft *d, int from) {
    char text[4096 + 16];
    if (from == FROM_DEFAULT)
        return need_string("default");
    if (from == FROM_SCHEME)
        return need_string("scheme");
    if (from == NO_EFFECT)
        return need_string("no effect");
    if (from == LINE_SET)
        return need_string("--set");
    snprintf(text, sizeof text, "%s:%d", d->path, from);
    return need_string(text);
}

static void hand_over(struct grid *g, const struct expansion *x) {
    strcpy(g->name, x->d->name);
    g->n = x->n;
    g->specs = need((size_t)x->n, sizeof *g->specs);
    g->origins = need((size_t)x->n * SPEC_KEYS, sizeof *g->origins);
    for (int i = 0; i < x->n; i++) {
        g->specs[i] = x->made[i].spec;
        for (int k = 0; k < SPEC_KEYS; k++)
            g->origins[(size_t)i * SPEC_KEYS + (size_t)k] = origin_text(x->d, x->made[i].from[k]);
    }
    g->notes = notes_of(x);
}

int grid_read(struct grid *g, const struct quantizer *const *table, const char *path,
              const char *set, struct error *e) {
    struct draft d;
    *g = (struct grid){0};
    int rc = draft_read(&d, table, path, set, e);
    if (!rc) {
        struct expansion x = {.table = table, .d = &d, .e = e};
        x.when_matches = need((size_t)d.n_whens, sizeof *x.when_matches);
        x.rule_matches = need((size_t)d.n_rules, sizeof *x.rule_matches);
        rc = expand(&x) || check_matches(&x) || add_parents(&x) || merge_combinations(&x) ? -1 : 0;
        if (!rc)
            hand_over(g, &x);
        free(x.made);
        free(x.when_matches);
        free(x.rule_matches);
    }
    draft_free(&d);
    return rc;
}

void grid_free(struct grid *g) {
    for (size_t i = 0; i < (size_t)g->n * SPEC_KEYS; i++)
        free(g->origins[i]);
    free(g->origins);
    free(g->specs);
    free(g->notes);
    *g = (struct grid){0};
}

const char *grid_origin(const struct grid *g, int i, const struct spec_key *key) {
    return g->origins[(size_t)i * SPEC_KEYS + (size_t)(key - spec_keys)];
}
