/* Street View House Numbers, cropped digits (Netzer et al. 2011): train_32x32.mat and
 * test_32x32.mat, MATLAB 5 files that hold X (32, 32, 3, n) in bytes, columns first, and y (n), in
 * which 10 stands for the digit 0. Read through libmatio. The extra images are not used. */
#include "data/formats/mat5.h"
#include "data/formats/matio.h"
#include "data/formats/reader.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { SIDE = 32, CHANNELS = 3, PIXELS = CHANNELS * SIDE * SIDE };
enum { FILE_LIMIT = 1 << 30 }; // bytes of a file and of its content
enum { DEFLATE_MOST = 1032 };  // no deflate stream expands by more (zlib's technical details)

static const char *const names[SPLITS] = {"train_32x32.mat", "test_32x32.mat"};
static const char *const variables[] = {"X", "y", NULL};

struct svhn {
    const struct source *source;
    uint32_t n[SPLITS];
};

static int find_svhn(struct source *s, const char *folder, struct error *e) {
    for (int i = 0; i < SPLITS; i++) {
        char path[PATH_MAX];
        struct stat st;
        if (snprintf(path, sizeof path, "%s/%s", folder, names[i]) >= (int)sizeof path ||
            stat(path, &st))
            return fail(e, "%s/%s: not found; %s", folder, names[i], s->set.get);
        if (source_add(s, path, e))
            return -1;
    }
    return 0;
}

/* The release's header: version 1, numbers with the low byte first. Looked at here, since libmatio
 * hands to HDF5 what says that it is of a later version. */
static int is_matlab_5(const char *path) {
    enum { HEADER = 128, VERSION = 124 };
    char head[HEADER];
    FILE *in = fopen(path, "rbe");
    int whole = in && fread(head, 1, HEADER, in) == HEADER;
    if (in)
        fclose(in);
    return whole && !memcmp(head + VERSION, "\0\1IM", 4);
}

static mat_t *open_mat(const struct matio_library *matio, const char *path, size_t *size,
                       struct error *e) {
    struct stat st;
    if (stat(path, &st) || !S_ISREG(st.st_mode)) {
        fail_at(e, path, 0, "is not a regular file; name a file");
        return NULL;
    }
    if (st.st_size == 0 || st.st_size > FILE_LIMIT) {
        fail_at(e, path, 0, "has %lld bytes, where 1 ... %d are allowed; fetch it again",
                (long long)st.st_size, FILE_LIMIT);
        return NULL;
    }
    *size = (size_t)st.st_size;
    int is_5 = is_matlab_5(path);
    if (is_5 && mat5_check(path, variables, e))
        return NULL;
    mat_t *mat = is_5 ? matio->open(path, MAT_ACC_RDONLY) : NULL;
    if (mat && matio->version(mat) == MAT_FT_MAT5)
        return mat;
    if (mat)
        matio->close(mat);
    fail_at(e, path, 0, "is no MATLAB 5 file; fetch it again");
    return NULL;
}

/* The number of elements, held against what a file of that size can hold; 0 when it cannot. */
static uint64_t elements(const matvar_t *v, size_t size) {
    uint64_t n = 1;
    for (int i = 0; i < v->rank; i++) {
        if (v->dims[i] == 0 || n > FILE_LIMIT / v->dims[i])
            return 0;
        n *= v->dims[i];
    }
    return n / DEFLATE_MOST <= size ? n : 0;
}

/* What is said of a variable, without its data; NULL with a message. */
static matvar_t *find_variable(const struct matio_library *matio, mat_t *mat, const char *path,
                               const char *name, size_t size, struct error *e) {
    matvar_t *v = matio->read_info(mat, name);
    if (!v) {
        fail_at(e, path, 0, "has no variable %s; fetch it again", name);
        return NULL;
    }
    if (v->rank > 0 && v->rank <= 4 && v->dims && !v->isComplex && elements(v, size) > 0)
        return v;
    fail_at(e, path, 0,
            "promises more in variable %s than a file of %zu bytes can hold; fetch it again", name,
            size);
    matio->free(v);
    return NULL;
}

static int check_images(const matvar_t *v, const char *path, struct error *e) {
    if (v->class_type == MAT_C_UINT8 && v->rank == 4 && v->dims[0] == SIDE && v->dims[1] == SIDE &&
        v->dims[2] == CHANNELS)
        return 0;
    return fail_at(e, path, 0,
                   "its X is no array of 32 x 32 x 3 x n bytes; fetch the cropped digits");
}

static int check_labels(const matvar_t *v, const char *path, size_t images, struct error *e) {
    int typed = v->class_type == MAT_C_UINT8 || v->class_type == MAT_C_DOUBLE;
    if (!typed || v->rank != 2 || (v->dims[0] != 1 && v->dims[1] != 1))
        return fail_at(e, path, 0, "its y is no column of labels; fetch it again");
    if (v->dims[0] * v->dims[1] != images)
        return fail_at(e, path, 0, "has %zu labels for %zu images; fetch it again",
                       v->dims[0] * v->dims[1], images);
    return 0;
}

/* One plane: column by column in the file, row by row in memory. */
static void transpose(const uint8_t *from, uint8_t *to) {
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++)
            *to++ = from[x * SIDE + y];
}

static int unpack_images(const struct matio_library *matio, mat_t *mat, matvar_t *v,
                         const char *path, uint32_t n, uint8_t *pixels, struct error *e) {
    if (matio->read_data(mat, v) || !v->data || v->nbytes < (size_t)n * PIXELS)
        return fail_at(e, path, 0, "its X cannot be read to its end; fetch it again");
    const uint8_t *from = v->data;
    for (size_t i = 0; i < (size_t)n * CHANNELS; i++)
        transpose(from + i * SIDE * SIDE, pixels + i * SIDE * SIDE);
    return 0;
}

static int unpack_labels(const struct matio_library *matio, mat_t *mat, matvar_t *v,
                         const char *path, uint32_t n, uint16_t *labels, struct error *e) {
    size_t size = v->class_type == MAT_C_DOUBLE ? sizeof(double) : 1;
    if (matio->read_data(mat, v) || !v->data || v->nbytes < n * size)
        return fail_at(e, path, 0, "its y cannot be read to its end; fetch it again");
    for (uint32_t i = 0; i < n; i++) {
        double label = size == 1 ? ((const uint8_t *)v->data)[i] : ((const double *)v->data)[i];
        labels[i] = label >= 0 && label < 256 ? (uint16_t)label : 256;
    }
    if (reader_check_labels(path, labels, n, 1, 10, e))
        return -1;
    for (uint32_t i = 0; i < n; i++)
        labels[i] %= 10;
    return 0;
}

/* Find both variables of a file, check them, and, where `pixels` is given, read them. */
static int visit_images(const char *path, uint32_t *n, uint8_t *pixels, uint16_t *labels,
                        struct error *e) {
    size_t size;
    const struct matio_library *matio = matio_library(e);
    mat_t *mat = matio ? open_mat(matio, path, &size, e) : NULL;
    if (!mat)
        return -1;
    matvar_t *X = find_variable(matio, mat, path, "X", size, e);
    matvar_t *y = X ? find_variable(matio, mat, path, "y", size, e) : NULL;
    int rc = !y || check_images(X, path, e) || check_labels(y, path, X->dims[3], e) ? -1 : 0;
    if (!rc && pixels && X->dims[3] != *n)
        rc = fail_at(e, path, 0, "changes while it is read; wait until it is complete");
    if (!rc)
        *n = (uint32_t)X->dims[3];
    if (!rc && pixels)
        rc = unpack_images(matio, mat, X, path, *n, pixels, e) ||
             unpack_labels(matio, mat, y, path, *n, labels, e);
    matio->free(X);
    matio->free(y);
    matio->close(mat);
    return rc ? -1 : 0;
}

static int open_svhn(const struct source *s, struct contents *c, void **reading, struct error *e) {
    struct svhn *svhn = need(1, sizeof *svhn);
    svhn->source = s;
    for (int i = 0; i < SPLITS; i++)
        if (visit_images(s->file[i], &svhn->n[i], NULL, NULL, e)) {
            free(svhn);
            return -1;
        }
    *c = (struct contents){.shape = s->set.shape, .classes = s->set.classes};
    memcpy(c->n, svhn->n, sizeof c->n);
    *reading = svhn;
    return 0;
}

static int read_split(void *reading, enum split split, uint8_t *pixels, uint16_t *labels,
                      struct error *e) {
    struct svhn *svhn = reading;
    return visit_images(svhn->source->file[split], &svhn->n[split], pixels, labels, e);
}

const struct reader svhn_reader = {.name = "svhn",
                                   .version = 1,
                                   .find = find_svhn,
                                   .open = open_svhn,
                                   .read = read_split,
                                   .close = free};
