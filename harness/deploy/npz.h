/* Arrays in a file as numpy reads them: `numpy.load(FILE)["name"]`. An .npz file is a zip archive
 * with an .npy file for each array, a line of text before its elements
 * (numpy.org/doc/stable/reference/generated/numpy.lib.format.html). */
#ifndef DEPLOY_NPZ_H
#define DEPLOY_NPZ_H

#include "base/error.h"

#include <stdint.h>

enum npz_type { NPZ_I8, NPZ_I32, NPZ_F32 };
enum { NPZ_DIMS = 4 };

struct npz;

struct npz *npz_start(void);

/* An array of `n_dims` dimensions (0: one number), the last of which lies together. Its name is
 * copied, and so are its elements. */
void npz_array(struct npz *z, const char *name, enum npz_type type, int n_dims, const size_t *dims,
               const void *elements);
void npz_number(struct npz *z, const char *name, int32_t x);

/* Texts of UTF-8, as an array of str; n = -1: a single one, which is no array. */
void npz_texts(struct npz *z, const char *name, int n, const char *const *texts);

/* Replace `path` by the file, and free. -1 when that, or one of the arrays before, failed. */
int npz_write(struct npz *z, const char *path, struct error *e);

#endif
