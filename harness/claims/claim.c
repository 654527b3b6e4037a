/* Reading claims; claim.h is the manual. */
#include "claims/claim.h"

#include "base/file.h"
#include "base/text.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

const char *const claim_kind_names[] = {"numbers", "figure", "table", NULL};

enum { CLAIM_LIMIT = 64 * 1024 };

/* ---- what stands in a file ---- */

/* Where a line "key = value" of a comment puts the value; NULL for a line of words. */
static char **place_of(struct claim *c, const char *key) {
    if (!strcmp(key, "figure") || !strcmp(key, "table"))
        return &c->what;
    return !strcmp(key, "database") ? &c->database
           : !strcmp(key, "grid")   ? &c->grid
           : !strcmp(key, "split")  ? &c->split
           : !strcmp(key, "width")  ? &c->width
           : !strcmp(key, "like")   ? &c->like
                                    : NULL;
}

static void add_words(char **to, const char *words) {
    size_t n = strlen(*to) + strlen(words) + 2;
    char *more = need(n, 1);
    snprintf(more, n, "%s%s%s", *to, **to && *words ? " " : "", words);
    free(*to);
    *to = more;
}

static int take_comment(struct claim *c, int line, char *comment, struct error *e) {
    char *equals = strstr(comment, " = "), **place = NULL;
    if (equals) {
        *equals = '\0';
        place = place_of(c, comment);
    }
    if (!place) {
        if (equals)
            *equals = ' ';
        add_words(&c->says, comment);
        return 0;
    }
    if (*place)
        return fail_at(e, c->path, line, "says '%s' twice; leave one out", comment);
    if (place == &c->what)
        c->kind = !strcmp(comment, "figure") ? CLAIM_FIGURE : CLAIM_TABLE;
    *place = need_string(equals + 3);
    return 0;
}

/* The comments at the top; c->queries is what follows. */
static int take_comments(struct claim *c, struct error *e) {
    const char *at = c->text;
    for (int line = 1; !strncmp(at, "--", 2); line++) {
        size_t length = strcspn(at, "\n");
        char *copy = need_string(at + 2);
        copy[length - 2] = '\0';
        int rc = take_comment(c, line, text_trim(copy), e);
        free(copy);
        if (rc)
            return -1;
        at += length + (at[length] == '\n');
    }
    c->queries = at;
    return 0;
}

static int is_blank(const char *s) {
    return s[strspn(s, " \t\r\n")] == '\0';
}

static int check_claim(const struct claim *c, struct error *e) {
    if (!*c->says)
        return fail_at(e, c->path, 1, "does not say what is claimed; begin with '-- Words.'");
    if (!c->database)
        return fail_at(e, c->path, 0, "names no database; add a line '-- database = NAME'");
    if (strchr(c->database, '/'))
        return fail_at(e, c->path, 0,
                       "database = %s: is a path; name a file of the folder of "
                       "databases, without .db",
                       c->database);
    if (c->width && c->kind != CLAIM_FIGURE)
        return fail_at(e, c->path, 0, "width = %s: is of figures alone; leave it out", c->width);
    if (c->like && (c->what || !is_blank(c->queries)))
        return fail_at(e, c->path, 0,
                       "has queries, a figure or a table besides like = %s; leave one out",
                       c->like);
    if (c->kind == CLAIM_NUMBERS && !c->like && is_blank(c->queries))
        return fail_at(e, c->path, 0, "has no query, no figure and no table; add two queries");
    if (c->what && !is_blank(c->queries))
        return fail_at(e, c->path, 0,
                       "is of a %s, which has no query here; leave one of the two "
                       "out",
                       claim_kind_names[c->kind]);
    return 0;
}

static int read_claim(const char *folder, const char *file, struct claim *c, struct error *e) {
    size_t size, length = strlen(file) - strlen(".sql");
    *c = (struct claim){.says = need_string("")};
    c->name = need_string(file);
    c->name[length] = '\0';
    if (asprintf(&c->path, "%s/%s", folder, file) < 0)
        return fail(e, "out of memory");
    c->text = file_read(c->path, CLAIM_LIMIT, &size, e);
    if (!c->text)
        return -1;
    if (strlen(c->text) != size)
        return fail_at(e, c->path, 0, "is no text: it has a byte of 0; write it anew");
    if (take_comments(c, e) || check_claim(c, e))
        return -1;
    if (!c->split)
        c->split = need_string("test");
    return 0;
}

/* ---- the folder ---- */

static int take_queries(const struct claims *c, struct claim *to, struct error *e) {
    for (int i = 0; i < c->n; i++)
        if (!strcmp(c->all[i].name, to->like) && !c->all[i].like && !c->all[i].what) {
            to->queries = c->all[i].queries;
            return 0;
        }
    return fail_at(e, to->path, 0, "like = %s: no claim of that name has queries of its own",
                   to->like);
}

static int is_claim(const struct dirent *entry) {
    size_t n = strlen(entry->d_name);
    return n > 4 && entry->d_name[0] != '.' && !strcmp(entry->d_name + n - 4, ".sql");
}

static int by_bytes(const struct dirent **a, const struct dirent **b) {
    return strcmp((*a)->d_name, (*b)->d_name);
}

int claims_read(const char *folder, struct claims *c, struct error *e) {
    struct dirent **files;
    int n = scandir(folder, &files, is_claim, by_bytes), rc = 0;
    *c = (struct claims){0};
    if (n < 0)
        return fail_at(e, folder, 0, "the folder of claims cannot be read (%s); name another",
                       strerror(errno));
    c->all = need((size_t)n + 1, sizeof *c->all);
    for (int i = 0; i < n; i++) {
        if (!rc)
            rc = read_claim(folder, files[i]->d_name, &c->all[c->n++], e);
        free(files[i]);
    }
    free(files);
    for (int i = 0; i < c->n && !rc; i++)
        rc = c->all[i].like ? take_queries(c, &c->all[i], e) : 0;
    if (!rc && !n)
        rc = fail_at(e, folder, 0, "holds no claim, NAME.sql; name another folder");
    if (rc)
        claims_free(c);
    return rc;
}

void claims_free(struct claims *c) {
    for (int i = 0; i < c->n; i++) {
        struct claim *x = &c->all[i];
        char *texts[] = {x->name,  x->path, x->says,  x->database, x->grid,
                         x->split, x->what, x->width, x->like,     x->text};
        for (size_t t = 0; t < sizeof texts / sizeof *texts; t++)
            free(texts[t]);
    }
    free(c->all);
    *c = (struct claims){0};
}
