/* How many images of a data set's test split a packed model gives their class. */
#ifndef DEPLOY_ACCURACY_H
#define DEPLOY_ACCURACY_H

#include "base/error.h"
#include "runtime/truncquant.h"

struct packed_accuracy {
    uint32_t images, correct;
};

/* `loaders`: threads that decode images of a folder ahead. */
int accuracy_count(struct packed_accuracy *a, const struct tq_model *m, struct tq_session *s,
                   const char *dataset, int loaders, struct error *e);

#endif
