/* From the lines of a grid file to its keys, overrides and exclusions; draft.h is the manual. */
#include "plan/draft.h"

#include "base/nearest.h"
#include "base/text.h"
#include "plan/grid_file.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

struct parser {
    const struct quantizer *const *table;
    struct draft *d;
    struct clause **clauses; // by section: the [when] it is, or NULL
    int name_line;           // of [grid] name; 0: not there yet
};

static const char *const plain_sections[] = {"grid", "quant", "train", "evaluate", NULL};

static int is_plain(const char *title) {
    return text_find(title, plain_sections) >= 0;
}

/* A key and its value into a list in which each key may stand once. */
static int add_setting(const struct parser *p, struct alternatives *list, int *n,
                       const struct spec_key *key, int line, const char *value, struct error *e) {
    const struct alternatives *first = alternatives_find(list, *n, key->flat);
    if (first && line == LINE_SET)
        return fail(e, "%s is said twice; say it once, with commas between alternatives",
                    key->flat);
    if (first)
        return fail(e,
                    "%s is said twice, first on line %d; say it once, with commas between "
                    "alternatives",
                    key->flat, first->line);
    struct alternatives *a = &list[(*n)++];
    *a = (struct alternatives){.key = key, .line = line};
    return alternatives_read(a, p->table, value, e);
}

/* The value that begins at *at and ends before a blank, or a quoted one; ends it with a NUL. */
static char *take_value(char **at, struct error *e) {
    char *value = *at, *end;
    if (*value == '"') {
        value++;
        end = strchr(value, '"');
        if (!end) {
            fail(e, "a condition has an opening quote only; close it");
            return NULL;
        }
    } else {
        end = value + strcspn(value, " \t");
    }
    *at = end + (*end != '\0');
    *end = '\0';
    return value;
}

/* key=value key="several words" ... */
static int add_conditions(const struct parser *p, struct clause *c, char *text, struct error *e) {
    char *at = text;
    for (at += strspn(at, " \t"); *at; at += strspn(at, " \t")) {
        size_t length = strcspn(at, "= \t");
        if (!length || at[length] != '=')
            return fail(e,
                        "'%s' is not a condition; write key=value without blanks, quoting values "
                        "of several words",
                        at);
        char *name = at;
        at[length] = '\0';
        at += length + 1;
        const struct spec_key *key = spec_key_find(name);
        if (!key)
            return spec_key_unknown(NULL, name, e);
        const char *value = take_value(&at, e);
        if (!value || add_setting(p, c->conditions, &c->n_conditions, key, c->line, value, e))
            return -1;
    }
    return c->n_conditions ? 0 : fail(e, "no condition is given; write key=value");
}

static int unknown_section(const char *title, struct error *e) {
    struct nearest near = nearest_start(title);
    for (const char *const *s = plain_sections; *s; s++)
        nearest_offer(&near, *s);
    nearest_offer(&near, "exclude");
    const char *best = nearest_best(&near);
    if (best)
        return fail(e, "unknown section [%s]; did you mean [%s]?", title, best);
    return fail(e,
                "unknown section [%s]; the sections are [grid], [quant], [train], [evaluate], "
                "[when key=value ...] and [exclude]",
                title);
}

static int start_section(struct parser *p, const struct file_section *s, int number,
                         struct error *e) {
    size_t word = strcspn(s->title, " \t");
    if (is_plain(s->title) || !strcmp(s->title, "exclude"))
        return 0;
    if (word != strlen("when") || strncmp(s->title, "when", word))
        return unknown_section(s->title, e);
    struct clause *when = &p->d->whens[p->d->n_whens++];
    when->line = s->line;
    p->clauses[number] = when;
    return add_conditions(p, when, s->title + word, e);
}

static const char name_letters[] =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";

static int set_name(struct parser *p, const struct file_entry *entry, struct error *e) {
    size_t n = strlen(entry->value);
    if (p->name_line)
        return fail(e, "name is said twice, first on line %d; remove one", p->name_line);
    if (!n || n >= sizeof p->d->name || !isalnum((unsigned char)entry->value[0]) ||
        entry->value[strspn(entry->value, name_letters)])
        return fail(e,
                    "name takes up to %zu letters, digits, '-', '_' and '.', the first a letter or "
                    "digit, not '%s'",
                    sizeof p->d->name - 1, entry->value);
    strcpy(p->d->name, entry->value);
    p->name_line = entry->line;
    return 0;
}

/* A request does not make another run, so that it has no alternatives. */
static int check_request(const struct alternatives *a, struct error *e) {
    if (!a->key->request || a->n < 2)
        return 0;
    return fail(e, "%s takes one value: it makes no other run; another grid may ask for another",
                a->key->flat);
}

/* The last of a list. */
static int add_value(const struct parser *p, struct alternatives *list, int *n,
                     const struct spec_key *key, const struct file_entry *entry, struct error *e) {
    return add_setting(p, list, n, key, entry->line, entry->value, e) ||
                   check_request(&list[*n - 1], e)
               ? -1
               : 0;
}

static int add_axis(struct parser *p, const char *section, const struct file_entry *entry,
                    struct error *e) {
    if (!strcmp(section, "grid") && !strcmp(entry->key, "name"))
        return set_name(p, entry, e);
    const struct spec_key *key = spec_key_in(section, entry->key);
    if (!key)
        return spec_key_unknown(section, entry->key, e);
    return add_value(p, p->d->axes, &p->d->n_axes, key, entry, e);
}

static int add_override(struct parser *p, struct clause *when, const struct file_entry *entry,
                        struct error *e) {
    const struct spec_key *key = spec_key_find(entry->key);
    if (!key)
        return spec_key_unknown(NULL, entry->key, e);
    if (!strcmp(key->section, "grid"))
        return fail(e,
                    "[when] cannot override %s, which makes the combinations; use [exclude] or "
                    "another grid",
                    key->flat);
    return add_value(p, when->settings, &when->n_settings, key, entry, e);
}

static int add_rule(struct parser *p, const struct file_entry *entry, struct error *e) {
    if (strcmp(entry->key, "rule"))
        return fail(e, "[exclude] takes 'rule = key=value ...' only, not '%s'", entry->key);
    struct clause *rule = &p->d->rules[p->d->n_rules++];
    rule->line = entry->line;
    return add_conditions(p, rule, entry->value, e);
}

static int add_entry(struct parser *p, const struct grid_file *f, const struct file_entry *entry,
                     struct error *e) {
    if (entry->section < 0)
        return fail(e,
                    "'%s' stands before the first section; put it under [grid] or where it "
                    "belongs",
                    entry->key);
    const char *title = f->sections[entry->section].title;
    if (p->clauses[entry->section])
        return add_override(p, p->clauses[entry->section], entry, e);
    if (!strcmp(title, "exclude"))
        return add_rule(p, entry, e);
    return add_axis(p, title, entry, e);
}

static int check_complete(const struct parser *p, const struct grid_file *f, struct error *e) {
    const char *path = p->d->path;
    int line = 1;
    for (int i = f->n_sections - 1; i >= 0; i--)
        if (!strcmp(f->sections[i].title, "grid"))
            line = f->sections[i].line;
    if (!f->n_entries)
        return fail_at(e, path, line,
                       "says nothing; a grid needs [grid] with name, scheme, network "
                       "and dataset");
    if (!p->name_line)
        return fail_at(e, path, line, "[grid] has no name; add the line 'name = ...'");
    for (const struct spec_key *k = spec_keys; k->name; k++)
        if (!strcmp(k->section, "grid") && !k->preset &&
            !alternatives_find(p->d->axes, p->d->n_axes, k->flat))
            return fail_at(e, path, line, "[grid] has no %s; add the line '%s = ...'", k->flat,
                           k->flat);
    for (int i = 0; i < p->d->n_whens; i++)
        if (!p->d->whens[i].n_settings)
            return fail_at(e, path, p->d->whens[i].line,
                           "overrides nothing; add keys or remove it");
    return 0;
}

static int parse_sections(struct parser *p, const struct grid_file *f, struct error *e) {
    for (int i = 0; i < f->n_sections; i++)
        if (start_section(p, &f->sections[i], i, e)) {
            fail_prefix(e, p->d->path, f->sections[i].line);
            return fail_any(e);
        }
    for (int i = 0; i < f->n_entries; i++)
        if (add_entry(p, f, &f->entries[i], e)) {
            fail_prefix(e, p->d->path, f->entries[i].line);
            if (fail_next(e))
                break;
        }
    return fail_any(e) ? -1 : check_complete(p, f, e);
}

/* ---- what the command line sets ---- */

/* Move alternatives out of a list. */
static void take_out(struct alternatives *list, int *n, const struct spec_key *key) {
    for (int i = 0; i < *n; i++)
        if (list[i].key == key) {
            alternatives_free(&list[i], 1);
            list[i--] = list[--*n];
        }
}

/* In the place of the axis, which keeps the order of the runs; [when] no longer overrides it. */
static void replace_axis(struct draft *d, const struct alternatives *given) {
    int at = d->n_axes;
    for (int i = 0; i < d->n_axes; i++)
        if (d->axes[i].key == given->key)
            at = i;
    if (at == d->n_axes)
        d->n_axes++;
    else
        alternatives_free(&d->axes[at], 1);
    d->axes[at] = *given;
    for (int i = 0; i < d->n_whens; i++)
        take_out(d->whens[i].settings, &d->whens[i].n_settings, given->key);
}

/* "-VALUE" behind the name: the runs are of a grid of their own, beside those of the file's. */
static int extend_name(struct draft *d, const struct alternatives *given, struct error *e) {
    for (int i = 0; i < given->n; i++) {
        size_t n = strlen(d->name);
        int size = (int)(sizeof d->name - n);
        if (snprintf(d->name + n, (size_t)size, "-%s", given->text[i]) >= size)
            return fail(e, "makes the name of the grid longer than %zu letters; set less",
                        sizeof d->name - 1);
        for (char *c = d->name + n; *c; c++)
            if (!strchr(name_letters, *c))
                *c = '-';
    }
    return 0;
}

static int apply_set(const struct parser *p, const char *set, struct error *e) {
    struct clause given = {.line = LINE_SET};
    char *copy = need_string(set);
    int rc = add_conditions(p, &given, copy, e);
    free(copy);
    p->d->is_set = 1;
    for (int i = 0; i < given.n_conditions; i++) {
        if (!rc)
            rc =
                check_request(&given.conditions[i], e) || extend_name(p->d, &given.conditions[i], e)
                    ? -1
                    : 0;
        replace_axis(p->d, &given.conditions[i]); // which owns it now
    }
    return rc ? fail_prefix(e, "--set", 0) : 0;
}

int draft_read(struct draft *d, const struct quantizer *const *table, const char *path,
               const char *set, struct error *e) {
    struct grid_file f;
    *d = (struct draft){.path = path};
    int rc = grid_file_read(&f, path, e);
    if (!rc) {
        d->whens = need((size_t)f.n_sections, sizeof *d->whens);
        d->rules = need((size_t)f.n_entries, sizeof *d->rules);
        struct parser p = {.table = table, .d = d};
        p.clauses = need((size_t)f.n_sections, sizeof *p.clauses);
        rc = parse_sections(&p, &f, e);
        if (!rc && set)
            rc = apply_set(&p, set, e);
        free(p.clauses);
    }
    grid_file_free(&f);
    return rc;
}

static void clauses_free(struct clause *c, int n) {
    for (int i = 0; i < n; i++) {
        alternatives_free(c[i].conditions, c[i].n_conditions);
        alternatives_free(c[i].settings, c[i].n_settings);
    }
    free(c);
}

void draft_free(struct draft *d) {
    alternatives_free(d->axes, d->n_axes);
    clauses_free(d->whens, d->n_whens);
    clauses_free(d->rules, d->n_rules);
    *d = (struct draft){0};
}
