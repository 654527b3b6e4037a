/* truncquant exclude: marks runs as not to count, and why. Nothing is deleted, and --undo takes it
 * back. */
#include "base/text.h"
#include "store/store.h"
#include "verbs/database.h"
#include "verbs/verb.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

static int find_all(struct store *s, char **ids, struct run_row *rows, int n, struct error *e) {
    for (int i = 0; i < n; i++)
        if (store_find_run(s, ids[i], &rows[i], e))
            return -1;
    return 0;
}

static int mark_all(struct store *s, const struct run_row *rows, int n, const char *reason,
                    int *others, struct error *e) {
    const char **ids = need((size_t)n, sizeof *ids);
    for (int i = 0; i < n; i++)
        ids[i] = rows[i].run_id;
    int rc = store_exclude(s, ids, n, reason, others, e);
    free(ids);
    return rc;
}

static void say_excluded(const struct run_row *row, int is_excluded, int others) {
    text_say(stdout, "%.12s (%s, %s, seed %ld) %s", row->run_id, row->scheme, row->network,
             row->seed, is_excluded ? "is excluded" : "counts");
    printf(others ? ", and those that take its weights: %d\n" : "\n", others);
}

/* All runs or none: a mistyped ID must not leave half of it done. */
static int exclude(struct store *s, char **ids, int n, const char *reason, int quiet,
                   struct error *e) {
    struct run_row *rows = need((size_t)n, sizeof *rows);
    int *others = need((size_t)n, sizeof *others);
    int rc = find_all(s, ids, rows, n, e) || mark_all(s, rows, n, reason, others, e) ? -1 : 0;
    for (int i = 0; i < n && !rc && !quiet; i++)
        say_excluded(&rows[i], reason != NULL, others[i]);
    for (int i = 0; i < n; i++)
        store_free_run(&rows[i]);
    free(others);
    free(rows);
    return rc;
}

static int check_options(const char *reason, int undo, int operands, struct error *e) {
    if (!operands)
        return fail(e, "exclude: name at least one run; 'truncquant status' lists them");
    if (!reason == !undo)
        return fail(e, "exclude: takes either --reason TEXT or --undo");
    // Tables show it in one cell, status in one line.
    for (const char *c = reason; c && *c; c++)
        if (iscntrl((unsigned char)*c))
            return fail(
                e, "exclude: --reason is one line of text, without tabs; leave out character %td",
                c - reason + 1);
    return 0;
}

int verb_exclude(struct options *o, struct error *e) {
    const char *reason = NULL;
    int undo = 0, helped;
    const struct option_row rows[] = {
        {"--reason", "TEXT", NULL, "why the runs should not count", &reason, NULL},
        {"--undo", NULL, NULL, "they count again", NULL, &undo},
        {0},
    };
    int operands =
        verb_parse(o, "exclude ID ... [options]",
                   "Marks runs as not to count: figures and tables leave them out, and no "
                   "grid runs them; those that "
                   "take their weights\n(ptq) go with them. What was measured stays in the "
                   "database. An ID may be the first 6\ndigits or more; where one is "
                   "unknown, none is marked.",
                   rows, &helped, e);
    if (helped)
        return EXIT_DONE;
    if (operands < 0 || check_options(reason, undo, operands, e))
        return EXIT_USAGE;
    struct store *s = verb_open_store(o, STORE_UPDATE, e);
    int rc = s ? exclude(s, o->argv + 1, operands, reason, o->quiet, e) : -1;
    store_close(s);
    return rc ? EXIT_FAILED : EXIT_DONE;
}
