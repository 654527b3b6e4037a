/* Paths in a grid: where a relative one leads. One rule for network, dataset and init: first beside
 * the grid file, in its own folder, then in the current folder. A value of the command line is as
 * seen from the current folder. Who a run is does not depend on paths (spec/spec.h), so neither
 * does it on where one stands. */
#ifndef PLAN_PATHS_H
#define PLAN_PATHS_H

#include "spec/spec.h"

/* The value of a key as a path that can be opened from here: as it is unless it is a relative path
 * and there is something of that name in the folder of `grid`, the path of a grid file. -1 when it
 * becomes too long for a spec. */
int path_beside_grid(struct spec *spec, const struct spec_key *key, const char *grid,
                     struct error *e);

/* The value as what is recorded, so that the run finds its data from anywhere: an absolute path,
 * where it is a path of something that is there. */
int path_to_record(struct spec *spec, const struct spec_key *key, struct error *e);

#endif
