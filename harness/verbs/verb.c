/* Options of a verb: one table parses them and prints their help; verb.h is the manual. */
#include "verbs/verb.h"

#include <string.h>

static const struct option_row *find_row(const struct option_row *rows, const char *name,
                                         size_t length) {
    for (const struct option_row *r = rows; r->name; r++)
        if (strlen(r->name) == length && !strncmp(r->name, name, length))
            return r;
    return NULL;
}

static void print_row(const struct option_row *r) {
    char left[64];
    snprintf(left, sizeof left, "%s%s%s", r->name, r->value ? " " : "", r->value ? r->value : "");
    printf("  %-28s %s", left, r->help);
    if (r->preset)
        printf(" (default: %s)", r->preset);
    putchar('\n');
}

static void print_help(const char *synopsis, const char *help, const struct option_row *rows,
                       const struct option_row *common) {
    printf("usage: truncquant %s\n\n%s\n\noptions:\n", synopsis, help);
    for (const struct option_row *r = rows; r->name; r++)
        if (r->help)
            print_row(r);
    for (const struct option_row *r = common; r->name; r++)
        print_row(r);
}

/* The known option that starts most like `name`, to suggest it. */
static const char *nearest(const struct option_row *rows, const struct option_row *common,
                           const char *name) {
    const char *best = NULL;
    size_t most = 2; // the two dashes alone are no likeness
    const struct option_row *tables[] = {rows, common};
    for (int t = 0; t < 2; t++)
        for (const struct option_row *r = tables[t]; r->name; r++) {
            size_t same = 0;
            while (r->help && name[same] && name[same] == r->name[same])
                same++;
            if (same > most) {
                most = same;
                best = r->name;
            }
        }
    return best;
}

static int unknown(const struct options *o, const char *name, size_t length, const char *best,
                   struct error *e) {
    int shown = length > 64 ? 64 : (int)length;
    if (best)
        return fail(e, "%s: unknown option %.*s; did you mean %s?", o->argv[0], shown, name, best);
    return fail(e, "%s: unknown option %.*s; 'truncquant %s --help' lists them", o->argv[0], shown,
                name, o->argv[0]);
}

/* A value that looks like an option is one whose own value was forgotten, unless it is tied to the
 * name. */
static int check_value(const struct options *o, const struct option_row *row, const char *value,
                       int tied, struct error *e) {
    if (!value || !value[0])
        return fail(e, "%s: %s needs a value (%s)", o->argv[0], row->name, row->value);
    if (!tied && !strncmp(value, "--", 2))
        return fail(e,
                    "%s: %s needs a value (%s), not %.64s; one that begins so is written %s=%.64s",
                    o->argv[0], row->name, row->value, value, row->name, value);
    return 0;
}

struct parsing {
    struct options *o;
    const struct option_row *rows, *common;
    int at;                            // the argument
    const struct option_row *said[64]; // options with a value that were given
    int n_said;
    struct error *e;
};

/* What is said twice is a mistake: taking either would be a guess. */
static int note_said(struct parsing *p, const struct option_row *row) {
    for (int i = 0; i < p->n_said; i++)
        if (p->said[i] == row)
            return fail(p->e, "%s: %s is said twice; leave one out", p->o->argv[0], row->name);
    if (p->n_said < (int)(sizeof p->said / sizeof p->said[0]))
        p->said[p->n_said++] = row;
    return 0;
}

static int take_value(struct parsing *p, const struct option_row *row, const char *tied) {
    struct options *o = p->o;
    if (note_said(p, row))
        return -1;
    *row->text = tied ? tied : p->at + 1 < o->argc ? o->argv[++p->at] : NULL;
    return check_value(o, row, *row->text, tied != NULL, p->e);
}

static int take_option(struct parsing *p, const char *arg) {
    const char *equals = strchr(arg, '=');
    size_t length = equals ? (size_t)(equals - arg) : strlen(arg);
    const struct option_row *row = find_row(p->rows, arg, length);
    if (!row)
        row = find_row(p->common, arg, length);
    if (!row)
        return unknown(p->o, arg, length, nearest(p->rows, p->common, arg), p->e);
    if (row->value)
        return take_value(p, row, equals ? equals + 1 : NULL);
    if (equals)
        return fail(p->e, "%s: %s takes no value; leave out '%.64s'", p->o->argv[0], row->name,
                    equals);
    *row->flag = 1;
    return 0;
}

static int asks_for_help(const char *arg) {
    return !strcmp(arg, "--help") || !strcmp(arg, "-h");
}

int verb_parse(struct options *o, const char *synopsis, const char *help,
               const struct option_row *rows, int *helped, struct error *e) {
    const struct option_row common[] = {
        {"--db", "FILE", o->db, "the database", &o->db, NULL},
        {"--quiet", NULL, NULL, "no progress, no notes", NULL, &o->quiet},
        {0},
    };
    struct parsing p = {.o = o, .rows = rows, .common = common, .e = e};
    int operands = 0, only_operands = 0;
    *helped = 0;
    for (p.at = 1; p.at < o->argc; p.at++) {
        char *arg = o->argv[p.at];
        if (!arg[0])
            return fail(e, "%s: an argument is empty; leave it out, or fill it in", o->argv[0]);
        if (only_operands || arg[0] != '-' || !arg[1])
            o->argv[++operands] = arg;
        else if (!strcmp(arg, "--"))
            only_operands = 1;
        else if (asks_for_help(arg)) {
            print_help(synopsis, help, rows, common);
            *helped = 1;
            return 0;
        } else if (take_option(&p, arg))
            return -1;
    }
    o->argc = operands + 1;
    return operands;
}

char *verb_command_line(int argc, char **argv) {
    size_t size = 32;
    for (int i = 0; i < argc; i++)
        size += strlen(argv[i]) + 1;
    char *text = need(size, 1);
    strcpy(text, "truncquant");
    for (int i = 0; i < argc; i++) {
        strcat(text, " ");
        strcat(text, argv[i]);
    }
    return text;
}
