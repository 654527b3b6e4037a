/* truncquant exclude: marks runs as not to count, and why. Nothing is deleted, and --undo takes it
 * back. */
#include "store/store.h"
#include "verbs/verb.h"

#include <string.h>

static int exclude(struct store *s, const char *id, const char *reason, int quiet,
                   struct error *e) {
    struct run_row row;
    if (store_find_run(s, id, &row, e))
        return -1;
    int others, rc = store_exclude(s, row.run_id, reason, &others, e);
    if (!rc && !quiet) {
        printf("%.12s (%s, %s, seed %ld) %s", row.run_id, row.scheme, row.network, row.seed,
               reason ? "is excluded" : "counts");
        printf(others ? ", and those that take its weights: %d\n" : "\n", others);
    }
    store_free_run(&row);
    return rc;
}

static int check_options(const char *reason, int undo, int operands, struct error *e) {
    if (!operands)
        return fail(e, "exclude: name at least one run; 'truncquant status' lists them");
    if (!reason == !undo)
        return fail(e, "exclude: takes either --reason TEXT or --undo");
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
                   "database. An ID may be the first 6\ndigits or more.",
                   rows, &helped, e);
    if (helped)
        return EXIT_DONE;
    if (operands < 0 || check_options(reason, undo, operands, e))
        return EXIT_USAGE;
    struct store *s = store_open(o->db, STORE_UPDATE, e);
    int rc = s ? 0 : -1;
    for (int i = 1; i <= operands && !rc; i++)
        rc = exclude(s, o->argv[i], reason, o->quiet, e);
    store_close(s);
    return rc ? EXIT_FAILED : EXIT_DONE;
}
