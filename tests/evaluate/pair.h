/* A toy and its frozen model, to be evaluated side by side: directly, and from the codes alone. For
 * the tests of what survives freezing and truncation; what fails stops the test. */
#ifndef TESTS_EVALUATE_PAIR_H
#define TESTS_EVALUATE_PAIR_H

#include "evaluate/evaluator.h"
#include "train/toy.h"

struct pair {
    struct toy toy;
    struct frozen frozen;
    struct evaluator direct, truncated; // truncated.program is the frozen model's
};

/* Freeze the toy as it is into a file of test_folder (base/folder.h); its path. */
const char *pair_freeze(const struct toy *t);

/* After `steps` steps of training, frozen and read again. The pair must stay where it is. */
void pair_open(struct pair *p, const struct spec *spec, int steps);
void pair_open_by(struct pair *p, const struct engine *engine, const struct spec *spec, int steps);
void pair_close(struct pair *p);

/* The evaluator's rows of width k, in place of those it had: one, and one more where it calibrates.
 */
const struct evaluation_row *pair_evaluate(struct evaluator *ev, int k);

#endif
