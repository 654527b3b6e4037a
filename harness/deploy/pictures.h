/* Images in files, as the bytes that a model takes: JPEG and PNG, one of any size, and IDX files,
 * many of the model's own size. An image of another size, and any where the model was trained on
 * such, is made as tests of image folders do: the middle of the image whose shorter side was made
 * 256/224 of the model's. A model of grey images takes the lightness of colours. */
#ifndef DEPLOY_PICTURES_H
#define DEPLOY_PICTURES_H

#include "base/error.h"
#include "runtime/truncquant.h"

struct pictures {
    size_t n;
    uint8_t *bytes; // (n, channels, height, width) of the model; owned
};

int pictures_read(struct pictures *p, const char *path, const struct tq_info *model,
                  struct error *e);
void pictures_free(struct pictures *p);

#endif
