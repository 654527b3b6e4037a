/* A grid as it is written: for each key the alternatives that multiply, the overrides and the rules
 * of exclusion. Which combinations they make is grid.c's. */
#ifndef PLAN_DRAFT_H
#define PLAN_DRAFT_H

#include "plan/alternatives.h"

/* "[when conditions]" with its settings, or the conditions of an exclusion. */
struct clause {
    int line;
    int n_conditions, n_settings;
    struct alternatives conditions[SPEC_KEYS];
    struct alternatives settings[SPEC_KEYS];
};

struct draft {
    const char *path; // not owned
    char name[64];
    int is_set; // the command line set something
    int n_axes;
    struct alternatives axes[SPEC_KEYS]; // in the order of the file
    int n_whens, n_rules;
    struct clause *whens, *rules;
};

/* The line of what the command line set. */
enum { LINE_SET = -3 };

/* -1 with FILE:LINE when something is unknown, said twice, missing or empty. `set` as in grid_read.
 */
int draft_read(struct draft *d, const struct quantizer *const *table, const char *path,
               const char *set, struct error *e);
void draft_free(struct draft *d);

#endif
