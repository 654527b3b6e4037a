/* A frozen model as the file that a device reads (runtime/FORMAT.md): bit-planes of the codes, the
 * integers that they stand for at each width, what stays float, and the norms of each width.
 *
 * The file serves `truncated` inference: codes cut by a shift. Weights have to be integers times a
 * scale plus an offset (quant/quantizer.h), and the network made of what the library computes;
 * anything else is refused with the reason. */
#ifndef DEPLOY_PACK_H
#define DEPLOY_PACK_H

#include "model/frozen.h"

struct pack {
    const struct frozen *frozen;
    const struct dataset *data; // its mean and deviation, and the names of its classes
    const char *run_id, *commit;
    int planes; // to write, from the most significant one on: the scheme's smallest width ... N
    /* By width, k - 1: norms calibrated for it, as pack_copy_norms gives them, which are written
     * beside those of its bank; NULL: none are. */
    float *calibrated[8];
};

/* -1 with the reason when the model cannot be packed. */
int pack_check(const struct frozen *f, struct error *e);

/* Scale, shift, mean and variance of all norms, of one bank: for each norm (4, channels), one norm
 * after the other. The caller frees. */
float *pack_copy_norms(const struct model *m, int bank);

int pack_write(const struct pack *p, const char *path, struct error *e);

#endif
