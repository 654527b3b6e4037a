/* truncquant merge: joins databases into that of --db. */
#include "store/merge/merge.h"

#include "plan/declare.h"
#include "store/merge/draft.h"
#include "verbs/database.h"
#include "verbs/verb.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void say(const char *file, const struct merged *m) {
    printf("%s: %lld run%s and %lld attempt%s are new\n", file, (long long)m->runs,
           m->runs == 1 ? "" : "s", (long long)m->attempts, m->attempts == 1 ? "" : "s");
    fflush(stdout);
    if (m->excluded)
        fprintf(stderr,
                "truncquant: note: %s excludes %lld run%s that counted until now; 'truncquant "
                "exclude ID --undo' takes that back\n",
                file, (long long)m->excluded, m->excluded == 1 ? "" : "s");
}

/* Where there is none yet, it is made whole, or not at all. */
static int merge(const struct options *o, const char *const *files, int n, int other_data,
                 struct merged *merged, struct error *e) {
    int is_new = access(o->db, F_OK);
    if (merge_check(o->db, files, n, e))
        return -1;
    struct store *s = is_new ? store_draft(o->db, e) : verb_open_store(o, STORE_UPDATE, e);
    int rc = s ? store_merge(s, files, n, other_data, merged, e) : -1;
    if (!rc)
        rc = fingerprints_declare(s, o->quantizers, e); // of schemes that are new here
    if (!rc && is_new)
        rc = store_draft_write(s, e);
    store_close(s);
    return rc;
}

int verb_merge(struct options *o, struct error *e) {
    int other_data = 0, helped;
    const struct option_row rows[] = {
        {"--other-data", NULL, NULL,
         "also where data sets of one name have other content; their runs stay apart", NULL,
         &other_data},
        {0},
    };
    int operands = verb_parse(
        o, "merge FILE ... [options]",
        "Joins other databases into that of --db, which is made where there is none: all of them, "
        "or none where one is\n"
        "refused. The result is the same in whatever order, and however often. The files stay as "
        "they are; older ones are\n"
        "taken as they would be after their migration. A run that one of them excludes is excluded "
        "(for all reasons given),\n"
        "a grid has the runs that any of them counts to it, until it is planned again; an attempt "
        "that one has running and\n"
        "another ended has ended. Refused is what contradicts: the same attempt, or the same run "
        "computed in the same way,\n"
        "with other numbers; and data sets of one name with other content. What runs left beside a "
        "database (NAME.runs/)\n"
        "stays there: only there can they be evaluated again.",
        rows, &helped, e);
    if (helped)
        return EXIT_DONE;
    if (!operands)
        fail(e, "merge: name at least one database to join into %s", o->db);
    if (operands < 1)
        return EXIT_USAGE;
    struct merged *merged = need((size_t)operands, sizeof *merged);
    const char *const *files = (const char *const *)(o->argv + 1);
    int rc = merge(o, files, operands, other_data, merged, e);
    for (int i = 0; i < operands && !rc && !o->quiet; i++)
        say(files[i], &merged[i]);
    free(merged);
    return rc ? EXIT_FAILED : EXIT_DONE;
}
