/* A checked cfg as text again: the normal form, which says who a run is, and the text that Darknet
 * is given. Both are written from struct cfg alone, so that nothing the user wrote reaches Darknet
 * unread. */
#ifndef CFG_PRINT_H
#define CFG_PRINT_H

#include "cfg/cfg.h"

/* The caller frees. */

/* One line for the input, then one per layer with every value that has an effect; softmax and cost
 * are left out, since the loss is the harness's whether they stand there or not. This text enters
 * run ids: it must not change for a network whose meaning does not. */
char *cfg_print_normal(const struct cfg *cfg);

char *cfg_print_darknet(const struct cfg *cfg);

#endif
