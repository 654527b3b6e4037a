/* What is known of one run (`truncquant status RUN`): its attempts, its last losses, its log. */
#ifndef VERBS_GRID_HISTORY_H
#define VERBS_GRID_HISTORY_H

#include "verbs/verb.h"

/* Whether a word means a run: it can be the start of an id, no grid is called so, and no file. */
int history_is_meant(const struct options *o, const char *word);

int history_show(const struct options *o, const char *id, struct error *e);

#endif
