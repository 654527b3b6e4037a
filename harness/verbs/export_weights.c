/* Exporting weights; export_weights.h is the manual. The work is in run/session.h. */
#include "verbs/export_weights.h"

#include "verbs/database.h"

#include "base/text.h"
#include "run/session.h"
#include "verbs/output.h"

#include <stdio.h>
#include <unistd.h>

/* What Darknet is to be fed differs from what its own programs feed. */
static void say_input(const struct session *s, const char *output) {
    printf(
        "%s and %s.cfg are written; Darknet computes the same scores from images given as (x/255 - "
        "mean) / deviation, by channel:\n",
        output, output);
    for (int c = 0; c < s->data.shape.c; c++)
        printf("  mean %.6f, deviation %.6f\n", (double)s->data.mean[c],
               (double)s->data.deviation[c]);
}

/* Both files, before either is written. */
static int check_outputs(const char *db, const char *output, struct error *e) {
    char cfg[4096];
    if (snprintf(cfg, sizeof cfg, "%s.cfg", output) >= (int)sizeof cfg)
        return fail_at(e, output, 0, "is too long a name; take a shorter one");
    if (output_check(output, db, NULL, e) || output_check(cfg, db, NULL, e))
        return -1;
    // The weights are written first, so that an export leaves no cfg alone.
    if (access(output, F_OK) && !access(cfg, F_OK))
        return fail_at(e, cfg, 0,
                       "is there without %s, so it is not of an export, and is not replaced; name "
                       "another file with --output",
                       output);
    return 0;
}

int export_weights(const struct options *o, const char *id, const char *bits, const char *output,
                   struct error *e) {
    long width;
    struct session s;
    if (text_int(bits, 1, FLOAT_BITS, &width) || (width > 8 && width != FLOAT_BITS)) {
        fail(e, "export: --bits takes 1 ... 8 or 32, not '%.64s'", bits);
        return EXIT_USAGE;
    }
    // Nothing is trained, so that who computed the checkpoint makes no difference.
    struct session_options so = {.reads = 1,
                                 .engine = "reference",
                                 .threads = 1,
                                 .other_numerics = 1,
                                 .quiet = o->quiet,
                                 .quantizers = o->quantizers};
    int status = EXIT_FAILED;
    if (check_outputs(o->db, output, e))
        return status;
    struct store *store = verb_open_store(o, STORE_READ, e);
    if (store && !session_open(&s, &so, store, id, e)) {
        if (!verb_check_done(store, s.row.run_id, "exported", e) &&
            !session_export_weights(&s, (int)width, output, e)) {
            status = EXIT_DONE;
            if (!o->quiet)
                say_input(&s, output);
        }
        session_close(&s);
    }
    store_close(store);
    return status;
}
