/* SHA-256 (OpenSSL): the names of runs and data sets, and the checksum at the end of our files. */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stddef.h>

enum { HASH_BYTES = 32, HASH_HEX = 65 };

/* The digest of `size` bytes. */
void hash_bytes(const void *bytes, size_t size, unsigned char digest[HASH_BYTES]);

/* A digest as 64 lower-case hexadecimal digits and a NUL. */
void hash_digest_hex(const unsigned char digest[HASH_BYTES], char hex[HASH_HEX]);

/* The digest of `size` bytes, so written. */
void hash_hex(const void *bytes, size_t size, char hex[HASH_HEX]);

#endif
