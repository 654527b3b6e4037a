/* truncquant retry: runs that failed are tried again, as if they had not been. Nothing of what they
 * came to is lost: it is recorded that it is no reason any more. */
#include "base/text.h"
#include "plan/grid_name.h"
#include "store/store.h"
#include "verbs/database.h"
#include "verbs/verb.h"

#include <stdlib.h>
#include <string.h>

static int is_meant(const struct run_status *r, const char *reason) {
    return r->state == RUN_FAILED && !r->excluded &&
           (!reason || (r->reason && strstr(r->reason, reason)));
}

static int retry_all(const struct options *o, struct store *s, const struct run_status *runs, int n,
                     const char *reason, struct error *e) {
    const char **ids = need((size_t)n, sizeof *ids);
    int meant = 0, failed = 0;
    for (int i = 0; i < n; i++) {
        failed += is_meant(&runs[i], NULL);
        if (is_meant(&runs[i], reason))
            ids[meant++] = runs[i].run_id;
    }
    int rc = store_retry(s, ids, meant, e);
    if (!rc && failed && !meant)
        rc = fail(e,
                  "retry: none of the %d failed runs has '%.200s' in its reason; 'truncquant "
                  "status' shows their reasons",
                  failed, reason);
    for (int i = 0; i < n && !rc && !o->quiet; i++)
        if (is_meant(&runs[i], reason))
            text_say(stdout, "%.12s (%s, %s, seed %ld) is to be tried again: %s\n", runs[i].run_id,
                     runs[i].scheme, runs[i].network, runs[i].seed,
                     runs[i].reason ? runs[i].reason : "");
    if (!rc && !failed && !o->quiet)
        puts("no run has failed");
    free(ids);
    return rc;
}

static int retry_grid(const struct options *o, const char *grid, const char *reason,
                      struct error *e) {
    struct run_status *runs = NULL;
    int n = 0;
    struct store *s = verb_open_store(o, STORE_UPDATE, e);
    int rc = s ? store_check_grid(s, grid, e) : -1;
    if (!rc)
        rc = store_statuses(s, grid, &runs, &n, e);
    if (!rc)
        rc = retry_all(o, s, runs, n, reason, e);
    store_free_statuses(runs, n);
    store_close(s);
    return rc;
}

int verb_retry(struct options *o, struct error *e) {
    const char *reason = NULL;
    int helped;
    const struct option_row rows[] = {
        {"--reason", "TEXT", NULL, "only those with this in their reason", &reason, NULL},
        {0},
    };
    int operands = verb_parse(
        o, "retry GRID [--reason TEXT] [options]",
        "Has failed runs of a grid tried again: they are pending from now on. GRID is its name or "
        "its file. What they came to\nstays recorded. Runs that were ended from outside (a disk, a "
        "machine) are tried again by themselves, three times.",
        rows, &helped, e);
    if (helped)
        return EXIT_DONE;
    if (operands >= 0 && operands != 1)
        fail(e, "retry: name one grid; 'truncquant retry --help' shows how");
    if (operands != 1)
        return EXIT_USAGE;
    char *grid = grid_name(o->argv[1], e);
    int rc = e->text[0] ? -1 : retry_grid(o, grid, reason, e);
    free(grid);
    return rc ? EXIT_FAILED : EXIT_DONE;
}
