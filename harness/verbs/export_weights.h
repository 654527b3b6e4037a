/* truncquant export weights ID: a finished run's model as files for Darknet. */
#ifndef VERBS_EXPORT_WEIGHTS_H
#define VERBS_EXPORT_WEIGHTS_H

#include "verbs/verb.h"

/* Returns an exit status. `output`: the weights file; the cfg goes beside it. */
int export_weights(const struct options *o, const char *id, const char *bits, const char *output,
                   struct error *e);

#endif
