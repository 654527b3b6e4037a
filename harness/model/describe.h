/* A model in words: which layers are quantized, which activations are replaced by the quantized
 * clip, and how large it is. */
#ifndef MODEL_DESCRIBE_H
#define MODEL_DESCRIBE_H

#include "model/model.h"

#include <stdio.h>

void model_describe(const struct model *m, FILE *out);

#endif
