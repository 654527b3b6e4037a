/* The fingerprint of a quantizer: SHA-256 of what its slots return for fixed inputs. A run's id
 * knows the quantizer's name and axes, not its code; the fingerprint changes when the code returns
 * something else, and stays when it was moved, renamed or reformatted.
 *
 * Hashed are: which widths exist, direct and truncated; codes at every width, and cut; start values
 * of learned parameters; Ŵ of `quantize` and `decode`; gradients of weights and parameters; the
 * loss on weights; headers and integer forms; all of it once more with the bias correction of one
 * shared norm bank, where that can be asked for. Codes are hashed as they are; of floats, whose
 * last bits differ from one processor to another (vector tanh, sums), a projection of each array
 * is, rounded to three digits: one of about a hundred such numbers changes its digits when all of
 * them change by a part in ten thousand. The inputs were chosen so that no code and no rounded
 * digit of a scheme in the registry stands on an edge (a test holds that); one of another scheme
 * may, by chance, and then two kinds of machine disagree about it. */
#ifndef QUANT_FINGERPRINT_H
#define QUANT_FINGERPRINT_H

#include "base/hash.h"
#include "quant/quantizer.h"

/* Of quantizer `q` with a run's axes, which may differ from its own. */
void quantizer_fingerprint(const struct quantizer *q, const struct axes *axes, char hex[HASH_HEX]);

/* How near a float that is hashed comes to an edge of its rounding, in units of its third digit: 0
 * on it, 1/2 amid two. For the test. */
double quantizer_fingerprint_margin(const struct quantizer *q, const struct axes *axes);

#endif
