/* Where a network's .cfg is: by name or by path. */
#ifndef CFG_FIND_H
#define CFG_FIND_H

#include "base/error.h"

#include <stddef.h>

/* The file of `network` into `path`. A name with '/' or ending in .cfg is a path itself; another
 * name is looked for as NAME.cfg in experiments/networks of the current folder, in that beside the
 * folder of the executable, and among Debian's of Darknet (/usr/share/darknet/cfg), in this order.
 * -1 says where it was looked for, and which names there are. */
int network_find(const char *network, char *path, size_t size, struct error *e);

/* Whether it is a path: it has a '/' or ends in .cfg. */
int network_is_path(const char *network);

/* The name under which results show it: without folders and .cfg. */
void network_label(const char *network, char *label, size_t size);

#endif
