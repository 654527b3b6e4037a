/* Names of nodes and classes; names.h is the manual. */
#include "deploy/names.h"

#include "data/images/stream.h"

#include <stdio.h>

void deploy_node_name(const struct node *n, char name[DEPLOY_NAME]) {
    static const char *const names[OPS] = {
        [OP_INPUT] = "input",       [OP_CONV] = "conv",   [OP_LINEAR] = "linear",
        [OP_NORM] = "norm",         [OP_ACT] = "act",     [OP_MAXPOOL] = "maxpool",
        [OP_AVGPOOL] = "avgpool",   [OP_ADD] = "add",     [OP_CONCAT] = "concat",
        [OP_UPSAMPLE] = "upsample", [OP_REORG] = "reorg", [OP_DROPOUT] = "dropout",
    };
    if (n->op == OP_INPUT)
        snprintf(name, DEPLOY_NAME, "%s", names[n->op]);
    else
        snprintf(name, DEPLOY_NAME, "%s%d", names[n->op], n->layer);
}

const char *deploy_class_name(const struct dataset *d, int c, char number[DEPLOY_NAME]) {
    if (d->stream && c < d->stream->folder.classes)
        return d->stream->folder.class_names[c];
    snprintf(number, DEPLOY_NAME, "%d", c);
    return number;
}
