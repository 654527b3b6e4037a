/* Captions of tables and figures; caption.h is the manual. What they say is found by
 * harness/report/queries: panels, recipe, commits. */
#include "report/caption.h"
#include "store/sql.h"

#include <stdlib.h>
#include <string.h>

enum { LINE = 84 }; // characters that fit below the narrowest figure

/* ---- the recipe ---- */

/* How keys that captions always give are said; others stand as KEY=VALUE. */
static const struct phrase {
    const char *key, *before, *after;
} phrases[] = {
    {"train.images", "", " training images"},
    {"epochs", "", " epochs"},
    {"learning_rate", "learning rate ", ""},
    {"schedule", "", " schedule"},
    {"batch", "batch ", ""},
    {"optimizer", "", ""},
};

static const struct phrase *find_phrase(const char *key) {
    for (size_t i = 0; i < sizeof phrases / sizeof *phrases; i++)
        if (!strcmp(phrases[i].key, key))
            return &phrases[i];
    return NULL;
}

/* Clauses while the rows of recipe.sql are read: what all have, and what those do that name nothing
 * else. */
struct clauses {
    FILE *out[2];
    char *text[2];
    size_t size[2];
    char key[64], after[32]; // of the row before; what its key still needs
    int which;               // where that goes
};

static const char *proper_name(const char *value) {
    return !strcmp(value, "adam") ? "Adam" : !strcmp(value, "sgd") ? "SGD" : value;
}

static void end_key(struct clauses *c) {
    if (c->after[0])
        fputs(c->after, c->out[c->which]);
    c->after[0] = '\0';
}

static void start_key(struct clauses *c, const char *key, int usual) {
    const struct phrase *p = find_phrase(key);
    end_key(c);
    c->which = usual;
    snprintf(c->key, sizeof c->key, "%s", key);
    snprintf(c->after, sizeof c->after, "%s", p ? p->after : "");
    fprintf(c->out[usual], "%s%s%s", ftell(c->out[usual]) ? ", " : "", p ? p->before : key,
            p ? "" : "=");
}

/* Several values of one key, each of a network or data set, are parted by `or`. */
static void say_setting(sqlite3_stmt *row, void *to) {
    struct clauses *c = to;
    const char *key = sql_text(row, 0);
    const char *value = sql_text(row, 1);
    const char *panels = (const char *)sqlite3_column_text(row, 3);
    if (!strcmp(c->key, key))
        fputs(" or ", c->out[c->which]);
    else
        start_key(c, key, sqlite3_column_int(row, 2));
    fputs(proper_name(value), c->out[c->which]);
    if (panels)
        fprintf(c->out[c->which], " (%s)", panels);
    else if (!strcmp(c->after, " epochs") && !strcmp(value, "1"))
        strcpy(c->after, " epoch");
}

static void say_panels(sqlite3_stmt *row, void *to) {
    FILE *out = to;
    fprintf(out, "%s%s", ftell(out) ? ", " : "", sql_text(row, 0));
}

static FILE *open_text(char **text, size_t *size, struct error *e) {
    FILE *out = open_memstream(text, size);
    if (!out)
        fail(e, "out of memory; limit the table with --grid");
    return out;
}

static void print_clauses(struct clauses *c, FILE *out) {
    for (int i = 0; i < 2; i++) {
        if (c->out[i])
            fclose(c->out[i]);
        if (c->size[i])
            fprintf(out, "; %s%s", i ? "unless named otherwise: " : "", c->text[i]);
        free(c->text[i]);
    }
}

static int print_recipe(const struct report *r, FILE *out, struct error *e) {
    struct clauses c = {.key = ""};
    int status = export_each(r, export_query("panels"), say_panels, out, e);
    for (int i = 0; !status && i < 2; i++)
        status = (c.out[i] = open_text(&c.text[i], &c.size[i], e)) ? 0 : -1;
    if (!status)
        status = export_each(r, export_query("recipe"), say_setting, &c, e);
    end_key(&c);
    print_clauses(&c, out);
    return status;
}

/* "1,000", "1,000 to 2,000". */
static void print_range(const int64_t range[2], FILE *out) {
    for (int i = 0; i < 1 + (range[0] != range[1]); i++) {
        char digits[32];
        int n = snprintf(digits, sizeof digits, "%lld", (long long)range[i]);
        fputs(i ? " to " : "", out);
        for (int d = 0; d < n; d++)
            fprintf(out, "%s%c", d && (n - d) % 3 == 0 ? "," : "", digits[d]);
    }
}

/* Nobody may take held-out images for those of the test split. */
static void print_results(const struct report *r, FILE *out) {
    const struct wide *w = &r->wide;
    int val = export_of_val(r->request);
    if (w->images[0]) {
        fputs(val ? "; " : "; test split, ", out);
        print_range(w->images, out);
        fprintf(out, "%s image%s%s", val ? " held-out" : "", w->images[1] == 1 ? "" : "s",
                val ? " (val), not the test split" : "");
    }
    fputs("; n = ", out);
    print_range(w->seeds, out);
    fprintf(out, " seed%s", w->seeds[1] == 1 ? "" : "s");
}

/* Nobody may take the numbers of runs that computed nothing for results. */
static int warn_of_null(const struct report *r, FILE *out, struct error *e) {
    int kind;
    if (store_null_kind(r->store, &kind, e))
        return -1;
    if (kind == 1)
        fprintf(out,
                "no results: engine %s computes nothing, and this is what guessing would come "
                "to; ",
                STORE_NULL_ENGINE);
    return 0;
}

static int print_all(const struct report *r, FILE *out, struct error *e) {
    char *recipe = NULL;
    size_t size;
    FILE *part = open_text(&recipe, &size, e);
    int status = part ? print_recipe(r, part, e) : -1;
    if (part)
        fclose(part);
    if (!status)
        status = warn_of_null(r, out, e);
    if (!status)
        fputs(recipe, out);
    free(recipe);
    return status;
}

char *caption_recipe(const struct report *r, struct error *e) {
    char *text = NULL;
    size_t size;
    FILE *out = open_text(&text, &size, e);
    int status = out ? print_all(r, out, e) : -1;
    if (!status)
        print_results(r, out);
    if (out)
        fclose(out);
    if (!status)
        return text;
    free(text);
    return NULL;
}

/* ---- commits ---- */

struct commits {
    int brief, n[2];
    char *list[2]; // of training, of evaluating; owned
};

static void add_commit(sqlite3_stmt *row, void *to) {
    struct commits *c = to;
    int evaluated = sqlite3_column_int(row, 0);
    const char *version = sql_text(row, 1);
    const char *dirty = strstr(version, "-dirty");
    const char *list = c->list[evaluated] ? c->list[evaluated] : "";
    size_t size = strlen(list) + strlen(version) + 16;
    char *more = need(size, 1);
    snprintf(more, size, "%s%s%.*s%s", list, *list ? ", " : "", c->brief ? 10 : (int)size, version,
             c->brief && dirty ? " (changed)" : "");
    free(c->list[evaluated]);
    c->list[evaluated] = more;
    c->n[evaluated]++;
}

/* Returns how much was written. */
static size_t print_commits(const struct commits *c, int which, const char *colon, char *text,
                            size_t size) {
    if (c->brief && c->n[which] > 3)
        return (size_t)snprintf(text, size, "%d commits", c->n[which]);
    return (size_t)snprintf(text, size, "commit%s%s %s", c->n[which] > 1 ? "s" : "", colon,
                            c->list[which] ? c->list[which] : "none");
}

/* One list where what trained is what evaluated. */
static char *say_commits(const struct commits *c) {
    int one = !c->list[0] || !c->list[1] || !strcmp(c->list[0], c->list[1]);
    size_t size = 64, n = 0;
    for (int i = 0; i < 2; i++)
        size += c->list[i] ? strlen(c->list[i]) : 0;
    char *text = need(size, 1);
    if (!one)
        n = (size_t)sprintf(text, "trained by ");
    n += print_commits(c, !c->list[0], one && !c->brief ? ":" : "", text + n, size - n);
    if (!one) {
        n += (size_t)snprintf(text + n, size - n, ", evaluated by ");
        print_commits(c, 1, "", text + n, size - n);
    }
    return text;
}

char *caption_commits(const struct report *r, int brief, struct error *e) {
    struct commits c = {.brief = brief};
    int status = export_each(r, export_query("commits"), add_commit, &c, e);
    char *text = status ? NULL : say_commits(&c);
    free(c.list[0]);
    free(c.list[1]);
    return text;
}

/* ---- lines ---- */

/* The last end of a part that is followed by `end` and has room in a line; 0: none. */
static size_t last_break(const char *text, const char *end) {
    size_t n = 0;
    for (const char *at = strstr(text, end); at && at - text < LINE; at = strstr(at + 1, end))
        n = (size_t)(at - text) + strlen(end);
    return n;
}

void caption_print_lines(const char *text, FILE *out) {
    while (strlen(text) > LINE) {
        size_t n = last_break(text, "; "), comma = last_break(text, ", ");
        n = n > comma ? n : comma;
        n = n ? n : last_break(text, " ");
        if (!n)
            break;
        fprintf(out, "%.*s\n", (int)n - 1, text);
        text += n;
    }
    fprintf(out, "%s\n", text);
}
