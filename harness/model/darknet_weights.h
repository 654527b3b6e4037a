/* Darknet's weights files: a header (int32 major, minor, revision, then the number of images seen,
 * 64 bits from version 0.2 on and 32 before), then float32 values, layer by layer:
 *
 *     [convolutional]   biases (out), with batch norm [scales, means, variances (out)], weights
 *     [connected]       biases (out), weights (out, in), with batch norm [scales, means, variances
 *                       (out)]
 *     [batchnorm]       scales, means, variances (channels); shifts are missing, and stay 0
 *
 * Under a batch norm the biases are its shifts. The file names neither the network nor a checksum,
 * so that its size is all there is to check: here it has to fit to the byte, where not the first
 * layers alone are asked for.
 *
 * Darknet normalises by sqrt(v) + 1e-6 and the harness by sqrt(v + 1e-5). Variances are converted,
 * so that both compute the same function; a channel whose deviation is below 0.0032 cannot, and
 * gets variance 0.
 *
 * What a file does not say: Darknet's own weights expect images x/255, the harness gives (x/255 -
 * mean) / deviation. Training starts from statistics of the batch, which takes most of that up. */
#ifndef MODEL_DARKNET_WEIGHTS_H
#define MODEL_DARKNET_WEIGHTS_H

#include "base/hash.h"
#include "model/model.h"

/* Whether the file is one of this network: header, size, finite values, variances >= 0, no biases
 * where the cfg says bias=0. `layers` > 0: whether it begins with the first so many layers of the
 * cfg, as the files that `darknet partial` writes, and those of the network with other classes.
 * `hash` becomes that of its bytes. -1 names the file and what is wrong. */
int weights_check(const char *path, const struct cfg *cfg, int layers, char hash[HASH_HEX],
                  struct error *e);

/* The file's values into the model: batch norms into the banks of all widths, quantizers' learned
 * parameters started anew; behind the first `layers` (0: all) the model stays as it is. Refuses a
 * file whose bytes have another hash. */
int weights_load(const char *path, const char *hash, int layers, struct model *m, struct error *e);

/* The float model of one width: `weights[i]` (canonical order) is Ŵ of node i where it has weights,
 * the norms are those of `bank`. Refuses what Darknet would compute otherwise: a [batchnorm] of its
 * own (its shifts have no place), relu6, a 1x1 convolution with stride or padding. */
int weights_save(const char *path, const struct model *m, float *const *weights, int bank,
                 struct error *e);

#endif
