/* libmatio, which reads MATLAB's files, loaded when a data set asks for it: with what it needs
 * itself (HDF5, curl, Kerberos, ...) it would take half of the time in which the program starts, of
 * every run of a grid. */
#ifndef DATA_FORMATS_MATIO_H
#define DATA_FORMATS_MATIO_H

#include "base/error.h"

#include <matio.h>

/* The functions of matio.h by what they are called there. */
struct matio_library {
    mat_t *(*open)(const char *path, int mode);
    int (*close)(mat_t *mat);
    enum mat_ft (*version)(mat_t *mat); // of the file
    matvar_t *(*read_info)(mat_t *mat, const char *name);
    int (*read_data)(mat_t *mat, matvar_t *v);
    void (*free)(matvar_t *v);
    void (*library_version)(int *major, int *minor, int *release);
};

/* NULL with a message where it is not here. It stays loaded. */
const struct matio_library *matio_library(struct error *e);

#endif
