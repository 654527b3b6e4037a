/* truncquant export onnx, qonnx or codes: a finished run's model as a file for other programs. */
#ifndef VERBS_DEVICE_EXPORT_MODEL_H
#define VERBS_DEVICE_EXPORT_MODEL_H

#include "verbs/verb.h"

/* Whether `what` is one of them. */
int export_model_is(const char *what);

struct model_choice {
    const char *what, *id, *output;
    const char *bits, *format; // NULL: not said
    int calibrated;
};

/* Returns an exit status. */
int export_model(const struct options *o, const struct model_choice *c, struct error *e);

#endif
