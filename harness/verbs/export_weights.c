/* Exporting weights; export_weights.h is the manual. The work is in run/session.h. */
#include "verbs/export_weights.h"

#include "base/text.h"
#include "run/session.h"

#include <stdio.h>

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

static int check_done(const struct session *s, struct error *e) {
    enum run_state state;
    if (store_run_state(s->store, s->row.run_id, &state, e))
        return -1;
    return state == RUN_DONE
               ? 0
               : fail(e, "run %.12s is not finished; 'truncquant run' goes on with it",
                      s->row.run_id);
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
    struct session_options so = {.db = o->db,
                                 .engine = "reference",
                                 .threads = 1,
                                 .other_numerics = 1,
                                 .quiet = o->quiet,
                                 .quantizers = o->quantizers};
    struct store *store = store_open(o->db, STORE_READ, e);
    int status = EXIT_FAILED;
    if (store && !session_open(&s, &so, store, id, e)) {
        if (!check_done(&s, e) && !session_export_weights(&s, (int)width, output, e)) {
            status = EXIT_DONE;
            if (!o->quiet)
                say_input(&s, output);
        }
        session_close(&s);
    }
    store_close(store);
    return status;
}
