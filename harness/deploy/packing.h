/* Packing a finished run: its frozen model, the names and numbers that go with it, and, if asked
 * for, norms calibrated for each width as its evaluation calibrates them. */
#ifndef DEPLOY_PACKING_H
#define DEPLOY_PACKING_H

#include "run/session.h"

struct packing_options {
    int planes;     // 0: as many bits as are stored
    int calibrated; // write calibrated norms, too
};

/* Of a run that session_open opened; -1 with the reason when it cannot be packed. */
int session_pack(struct session *s, const struct packing_options *o, const char *path,
                 struct error *e);

#endif
