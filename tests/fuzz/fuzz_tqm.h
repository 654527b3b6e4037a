/* Model files of the device library for who makes them up: their checksums, set right. */
#ifndef TESTS_FUZZ_FUZZ_TQM_H
#define TESTS_FUZZ_FUZZ_TQM_H

#include <stddef.h>
#include <stdint.h>

/* Where the header says sections are; what it says wrongly is left alone. */
void tqm_seal(uint8_t *bytes, size_t size);

/* Open it, and compute an image at some widths if that takes no more than 16 MiB. Whether it was
 * taken. Aborts where an error has no message of one line, or a success has one. */
int tqm_try(const uint8_t *bytes, size_t size);

#endif
