/* The [net] section: what it says about the input counts, what it says about training is left to
 * the grid, since a network is an axis of a grid and not a recipe (unless the grid says from = cfg,
 * and only then has it to be right). */
#ifndef CFG_NET_H
#define CFG_NET_H

#include "cfg/cfg.h"
#include "cfg/lex.h"

struct cfg_net {
    int line;
    int height, width, channels, inputs; // 0: not given
    int subdivisions;
    struct cfg_recipe recipe;
    char ignored[640]; // the keys about training that it has, separated by ", "
};

/* The first section of the text has to be it. */
int cfg_read_net(const struct cfg_text *t, struct cfg_net *net, struct error *e);

/* The shape that the first layer sees: the data set's, or grey replicated to three channels. */
int cfg_input_shape(const struct cfg_text *t, const struct cfg_net *net, struct shape data,
                    struct shape *input, struct error *e);

#endif
