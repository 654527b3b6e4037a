/* Opening the database and what every verb asks of it; database.h is the manual. */
#include "verbs/database.h"

#include "plan/declare.h"

#include <stdlib.h>

struct store *verb_open_store(const struct options *o, enum store_mode mode, struct error *e) {
    struct store *s = store_open(o->db, mode, e);
    if (!s || !fingerprints_declare(s, o->quantizers, e))
        return s;
    store_close(s);
    return NULL;
}

static int check_current(struct store *s, const char *run_id, struct error *e) {
    char *why;
    if (store_run_stale(s, run_id, &why, e))
        return -1;
    if (why)
        fail(e, "run %.12s was %s; 'truncquant run --again %.12s' computes it anew", run_id, why,
             run_id);
    free(why);
    return e->text[0] ? -1 : 0;
}

int verb_check_done(struct store *s, const char *run_id, const char *done, struct error *e) {
    enum run_state state;
    if (store_run_state(s, run_id, &state, e))
        return -1;
    if (state != RUN_DONE)
        return fail(e,
                    "run %.12s is %s; only a finished run can be %s: 'truncquant run' finishes it",
                    run_id, run_state_names[state], done);
    return check_current(s, run_id, e);
}
