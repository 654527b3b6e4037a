/* A network as a run builds it: the model of a cfg for a specification. For the tests of models,
 * engines and training; what fails stops the test. */
#ifndef TESTS_MODEL_NET_H
#define TESTS_MODEL_NET_H

#include "model/model.h"

struct net {
    struct spec spec;
    struct cfg cfg;
    struct model *m; // reads cfg: the net must stay where it is
};

/* All at its default but the scheme. */
struct spec net_spec(const char *scheme);
void net_set(struct spec *spec, const char *key, const char *value);

/* From text; `name` stands in messages. */
void net_build(struct net *n, const struct spec *spec, const char *text, const char *name,
               struct shape input, int classes);

/* From a file. */
void net_build_file(struct net *n, const struct spec *spec, const char *path, struct shape input,
                    int classes);

void net_free(struct net *n);

#endif
