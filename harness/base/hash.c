/* SHA-256 through OpenSSL; hash.h is the manual. */
#include "base/hash.h"

#include <openssl/sha.h>
#include <stdio.h>

void hash_bytes(const void *bytes, size_t size, unsigned char digest[HASH_BYTES]) {
    SHA256(bytes, size, digest);
}

void hash_digest_hex(const unsigned char digest[HASH_BYTES], char hex[HASH_HEX]) {
    for (int i = 0; i < HASH_BYTES; i++)
        snprintf(hex + 2 * i, 3, "%02x", digest[i]);
}

void hash_hex(const void *bytes, size_t size, char hex[HASH_HEX]) {
    unsigned char digest[HASH_BYTES];
    hash_bytes(bytes, size, digest);
    hash_digest_hex(digest, hex);
}
