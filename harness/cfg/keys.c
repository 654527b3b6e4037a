/* Reading the options of a section by a table of keys; keys.h is the manual. */
#include "cfg/keys.h"

#include "base/nearest.h"
#include "base/text.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* An option being read. */
struct reading {
    const struct cfg_text *text;
    const struct cfg_section *section;
    const struct cfg_option *option;
    const struct cfg_key *key;
    struct error *e;
};

static void print_choices(const struct cfg_key *k, char *out, size_t size) {
    out[0] = '\0';
    for (int i = 0; k->choices[i]; i++)
        text_list_add(out, size, ", ", k->choices[i]);
}

static void print_range(const char *noun, double lo, double hi, char *out, size_t size) {
    if (lo <= -CFG_ANY && hi >= CFG_ANY)
        snprintf(out, size, "%s", noun);
    else if (hi >= INT_MAX)
        snprintf(out, size, "%s from %.9g up", noun, lo);
    else
        snprintf(out, size, "%s from %.9g to %.9g", noun, lo, hi);
}

/* What a key takes, for messages: "an integer from 1 to 255". */
static void print_takes(const struct cfg_key *k, char *out, size_t size) {
    switch (k->type) {
    case CFG_INT:
        print_range("an integer", k->lo, k->hi, out, size);
        break;
    case CFG_REAL:
        print_range("a number", k->lo, k->hi, out, size);
        break;
    case CFG_LAYERS:
        snprintf(out, size, "1 to %d layer numbers, separated by commas", CFG_ROUTES);
        break;
    case CFG_INTS:
        print_range("integers separated by commas, each", k->lo, k->hi, out, size);
        break;
    case CFG_REALS:
        print_range("numbers separated by commas, each", k->lo, k->hi, out, size);
        break;
    case CFG_CHOICE:
        print_choices(k, out, size);
        break;
    case CFG_ONLY:
    case CFG_NEVER:
        out[0] = '\0';
        break;
    }
}

static int refuse_key(const struct reading *r) {
    const struct cfg_key *k = r->key;
    const char *value = r->option->value;
    if (k->type == CFG_ONLY || k->type == CFG_NEVER)
        return fail_at(r->e, r->text->path, r->option->line, "%s=%s in [%s]: %s; delete the key",
                       k->name, cfg_excerpt(value).text, r->section->name, k->why);
    char takes[256];
    print_takes(k, takes, sizeof takes);
    return fail_at(r->e, r->text->path, r->option->line, "%s=%s in [%s]: %s takes %s; %s", k->name,
                   cfg_excerpt(value).text, r->section->name, k->name, takes,
                   k->why ? k->why : "correct the value");
}

static void store(const struct cfg_key *k, void *into, const void *value, size_t size) {
    if (k->offset != CFG_NOWHERE)
        memcpy((char *)into + k->offset, value, size);
}

static int read_int(const struct reading *r, void *into) {
    long v;
    if (text_int(r->option->value, (long)r->key->lo, (long)r->key->hi, &v))
        return refuse_key(r);
    int value = (int)v;
    store(r->key, into, &value, sizeof value);
    return 0;
}

static int read_real(const struct reading *r, void *into) {
    double v;
    if (text_real(r->option->value, &v) || v < r->key->lo || v > r->key->hi)
        return refuse_key(r);
    float value = (float)v;
    store(r->key, into, &value, sizeof value);
    return 0;
}

static int read_only(const struct reading *r) {
    double v;
    if (text_real(r->option->value, &v) || v < r->key->lo || v > r->key->lo)
        return refuse_key(r);
    return 0;
}

static int read_choice(const struct reading *r, void *into) {
    int place = text_find(r->option->value, r->key->choices);
    if (place < 0)
        return refuse_key(r);
    store(r->key, into, &place, sizeof place);
    return 0;
}

static int member_is_right(const struct cfg_key *k, const char *s, long *value) {
    double real;
    if (k->type == CFG_REALS)
        return !text_real(s, &real) && real >= k->lo && real <= k->hi;
    return !text_int(s, (long)k->lo, (long)k->hi, value);
}

/* Split at commas in a copy, since the text stays whole for messages. */
static int read_list(const struct reading *r, void *into) {
    char *copy = need_string(r->option->value);
    struct cfg_list list = {.line = r->option->line};
    struct cfg_numbers numbers = {0};
    int rc = 0;
    for (char *s = copy, *comma; s && !rc; s = comma) {
        comma = strchr(s, ',');
        if (comma)
            *comma++ = '\0';
        long value = 0;
        if (!member_is_right(r->key, s, &value) ||
            (r->key->type == CFG_LAYERS && list.n == CFG_ROUTES)) {
            rc = refuse_key(r);
            break;
        }
        if (r->key->type == CFG_LAYERS)
            list.value[list.n++] = (int)value;
        else if (numbers.n++ < CFG_NUMBERS)
            text_real(s, &numbers.value[numbers.n - 1]);
    }
    free(copy);
    if (!rc && r->key->type == CFG_LAYERS)
        store(r->key, into, &list, sizeof list);
    else if (!rc)
        store(r->key, into, &numbers, sizeof numbers);
    return rc;
}

static int read_value(const struct reading *r, void *into) {
    switch (r->key->type) {
    case CFG_INT:
        return read_int(r, into);
    case CFG_REAL:
        return read_real(r, into);
    case CFG_ONLY:
        return read_only(r);
    case CFG_NEVER:
        return refuse_key(r);
    case CFG_CHOICE:
        return read_choice(r, into);
    case CFG_LAYERS:
    case CFG_INTS:
    case CFG_REALS:
        return read_list(r, into);
    }
    return -1;
}

static const struct cfg_key *find_key(const struct cfg_key *keys, const char *name) {
    for (const struct cfg_key *k = keys; k && k->name; k++)
        if (!strcmp(k->name, name))
            return k;
    return NULL;
}

/* Keys that would be refused anyway are no help. */
static void offer_keys(const struct cfg_key *keys, struct nearest *near, char *all, size_t size) {
    for (const struct cfg_key *k = keys; k && k->name; k++)
        if (k->type != CFG_ONLY && k->type != CFG_NEVER) {
            nearest_offer(near, k->name);
            text_list_add(all, size, ", ", k->name);
        }
}

static int unknown_key(const struct reading *r, const struct cfg_key *keys,
                       const struct cfg_key *common) {
    const char *key = r->option->key;
    struct nearest near = nearest_start(key);
    char all[600] = "";
    offer_keys(keys, &near, all, sizeof all);
    offer_keys(common, &near, all, sizeof all);
    const char *best = nearest_best(&near);
    if (best)
        return fail_at(r->e, r->text->path, r->option->line,
                       "unknown key %s in [%s]; did you mean %s?", cfg_excerpt(key).text,
                       r->section->name, best);
    return fail_at(r->e, r->text->path, r->option->line, "unknown key %s in [%s]; delete it (%s%s)",
                   cfg_excerpt(key).text, r->section->name,
                   all[0] ? "known: " : "the section takes no keys", all);
}

/* Darknet takes the first of two, so the second would be silently lost. */
static int check_repeat(const struct reading *r, int *line_of) {
    if (*line_of)
        return fail_at(r->e, r->text->path, r->option->line,
                       "%s stands twice in [%s] (first in line %d); delete one", r->key->name,
                       r->section->name, *line_of);
    *line_of = r->option->line;
    return 0;
}

/* The lines on which keys of the two tables stood. */
struct seen {
    int own[CFG_KEYS_MAX], others[CFG_KEYS_MAX];
};

static int read_option(struct reading *r, const struct cfg_key *keys, const struct cfg_key *common,
                       void *into, struct seen *seen, struct error *ignored) {
    int is_own = (r->key = find_key(keys, r->option->key)) != NULL;
    if (!is_own)
        r->key = find_key(common, r->option->key);
    if (!r->key)
        return unknown_key(r, keys, common);
    int *line = is_own ? &seen->own[r->key - keys] : &seen->others[r->key - common];
    if (check_repeat(r, line))
        return -1;
    if (!r->key->ignored)
        return read_value(r, into);
    struct reading apart = *r;
    apart.e = ignored;
    return read_value(&apart, into), 0;
}

int cfg_read_options(const struct cfg_text *t, const struct cfg_section *s,
                     const struct cfg_key *keys, const struct cfg_key *common, void *into,
                     int line_of[CFG_KEYS_MAX], struct error *ignored, struct error *e) {
    struct seen seen = {0};
    int bad = 0;
    for (int i = 0; i < s->n; i++) {
        struct reading r = {.text = t, .section = s, .option = &t->options[s->first + i], .e = e};
        int wrong = read_option(&r, keys, common, into, &seen, ignored);
        bad |= wrong;
        if (wrong && fail_next(e))
            break;
    }
    if (line_of)
        memcpy(line_of, seen.own, sizeof seen.own);
    return bad ? -1 : 0;
}
