/* Packing a finished run: its frozen model, the names and numbers that go with it, and, if asked
 * for, norms calibrated for each width as its evaluation calibrates them. */
#ifndef DEPLOY_PACKING_H
#define DEPLOY_PACKING_H

#include "deploy/pack.h"
#include "deploy/refusals.h"
#include "run/session.h"

struct packing_options {
    int planes;     // 0: as many bits as are stored
    int calibrated; // write calibrated norms, too
};

/* Of a run that session_open opened; -1 with the reason when it cannot be packed. */
int session_pack(struct session *s, const struct packing_options *o, const char *path,
                 struct error *e);

/* What a file is made of: the frozen model, and all that goes with it (`pack`, which is of it). */
struct deployed {
    struct frozen frozen;
    struct pack pack; // of all planes that are stored
};

/* Of such a run; -1, with nothing to close, where its scheme has no codes to cut. */
int deployed_open(struct deployed *d, struct session *s, const struct maker *by, struct error *e);

/* Calibrate the norms of the widths `from` ... `to`, with the batches, the engine and the threads
 * of an evaluation, into d->pack. */
int deployed_calibrate(struct deployed *d, struct session *s, int from, int to, struct error *e);
void deployed_close(struct deployed *d);

#endif
