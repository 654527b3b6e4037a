/* The layers that the harness trains: their names, keys, ranges and defaults (Darknet's own), and
 * those that Darknet has but the harness refuses. */
#ifndef CFG_LAYERS_H
#define CFG_LAYERS_H

#include "cfg/cfg.h"
#include "cfg/keys.h"

enum { CFG_SIDE_MAX = 65536 }; // height, width, filters, outputs ... of one layer

/* A layer as its section says, before it is known what it reads. */
struct cfg_draft {
    struct cfg_layer layer;
    int pad;              // convolutional: 1 asks for size/2
    struct cfg_list from; // shortcut, route
};

struct cfg_layer_kind {
    const char *name, *alias; // alias: Darknet's short name, or NULL
    const struct cfg_key *keys;
    struct cfg_draft preset; // -1 and 0 stand for "not given" where a default depends on other keys
};

/* True for the name of the section that describes the input. */
int cfg_is_net(const char *name);

/* The type of a section's name, or -1. */
int cfg_layer_type(const char *name);

/* Read one layer's section. `from` holds the layers as written. */
int cfg_read_layer(const struct cfg_text *t, const struct cfg_section *s, struct cfg_draft *d,
                   struct error *e);

#endif
