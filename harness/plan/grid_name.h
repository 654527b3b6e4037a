/* A grid as people name it on the command line. */
#ifndef PLAN_GRID_NAME_H
#define PLAN_GRID_NAME_H

#include "base/error.h"

/* The name of a grid: of a .grid file (or of any path with a '/'), what its [grid] section says;
 * else `operand` itself. NULL stays NULL. Owned by the caller; NULL with a message when the file
 * cannot be read or has no name. */
char *grid_name(const char *operand, struct error *e);

#endif
