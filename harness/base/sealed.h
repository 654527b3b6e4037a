/* Sealed files: checkpoints and frozen models. A magic of eight bytes, a payload, and the SHA-256
 * of both at the end; replaced whole (base/file.h). A truncated file, a flipped bit or another kind
 * of file is told apart at once. Numbers are in the machine's own order: the files are of one
 * machine, not an exchange format. */
#ifndef BASE_SEALED_H
#define BASE_SEALED_H

#include "base/error.h"
#include "base/hash.h"

#include <stdint.h>
#include <stdio.h>

/* ---- writing: a payload is built in memory and written once ---- */

struct seal {
    FILE *out; // write the payload here
    char *bytes;
    size_t size;
};
int seal_start(struct seal *s, const char magic[8], struct error *e);

/* Close and replace `path`; the seal is freed whatever happens. `hash`: the SHA-256 that ends it,
 * in hexadecimal; may be NULL. */
int seal_write(struct seal *s, const char *path, char hash[HASH_HEX], struct error *e);

void seal_bytes(struct seal *s, const void *bytes, size_t size);
void seal_i64(struct seal *s, int64_t value);
void seal_f64(struct seal *s, double value);
void seal_text(struct seal *s, const char *text); // length, characters

/* ---- reading: sticky failure, checked once at the end ---- */

struct opened {
    char *bytes; // the whole file; owned
    const char *at;
    size_t left;
    int bad; // asked for more than there is: what was returned since then is 0
};

/* NULL-safe free with opened_free. Messages say what is wrong with the file and `remedy`. */
int opened_start(struct opened *o, const char *path, const char magic[8], const char *what,
                 const char *remedy, struct error *e);
void opened_free(struct opened *o);

/* The SHA-256 that ends it, in hexadecimal. */
void opened_hash(const struct opened *o, char hash[HASH_HEX]);

void opened_bytes(struct opened *o, void *into, size_t size);
int64_t opened_i64(struct opened *o);
double opened_f64(struct opened *o);
char *opened_text(struct opened *o); // owned by the caller; "" when bad

/* The SHA-256 that ends a sealed file, by which one is told from any other; whether it is that of
 * the content is for who reads it. "" where there is no such file. */
void sealed_name(const char *path, char hex[HASH_HEX]);

#endif
