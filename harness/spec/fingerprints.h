/* Fingerprints (quant/fingerprint.h) of the quantizers that specs name. */
#ifndef SPEC_FINGERPRINTS_H
#define SPEC_FINGERPRINTS_H

#include "spec/spec.h"
#include "store/store.h"

/* Of the spec's scheme with the spec's axes, as this program has it. */
void spec_fingerprint(const struct spec *spec, const struct quantizer *const *table,
                      char hex[HASH_HEX]);

/* Tell the store what this program's quantizers have for fingerprints (store_set_fingerprints), so that it knows which
 * runs are stale, and which cells tables take. For every verb that asks about runs. */
int fingerprints_declare(struct store *s, const struct quantizer *const *table, struct error *e);

#endif
