/* Frozen models: what a device would keep. Every quantized layer is codes of N bits and a small
 * header; no float copy of it is left. Batch-norm banks and the layers that stay float are kept as
 * they are. The file is self-contained: cfg, specification, data set's shape.
 *
 * Where the clips of activations have measured bounds (schemes with a parent), those are in it too.
 *
 * A model read back has NaN in the latent weights of every quantized layer, so that nothing
 * evaluated from it can have used them. */
#ifndef MODEL_FROZEN_H
#define MODEL_FROZEN_H

#include "data/dataset.h"
#include "model/model.h"

struct frozen {
    struct spec spec;
    struct cfg cfg;
    struct model *m; // banks and float layers; NaN where the codes are
    uint8_t **codes; // by quantized layer, (n) of N bits; owned
    float **headers; // by quantized layer; owned
};

/* Freeze `m` to spec->stored_bits and write it. `cfg_text` is the cfg file's text. */
int frozen_write(const char *path, const struct model *m, const struct spec *spec,
                 const struct quantizer *const *table, const char *cfg_text,
                 const struct dataset *data, struct error *e);

/* Without Darknet: an engine that calls its functions loads it. */
int frozen_read(struct frozen *f, const char *path, const struct quantizer *const *table,
                struct error *e);
void frozen_free(struct frozen *f);

#endif
