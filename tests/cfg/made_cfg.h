/* Texts of networks for tests, and reading them. */
#ifndef TESTS_CFG_MADE_CFG_H
#define TESTS_CFG_MADE_CFG_H

#include "cfg/cfg.h"

enum { CLASSES = 10 };
#define grey ((struct shape){1, 8, 8})
#define colour ((struct shape){3, 8, 8})

/* Line numbers in the tables count these: [net] is line 1, CONV lines 2 to 6. */
#define NET "[net]\n"
#define CONV "[convolutional]\nfilters=4\nsize=3\npad=1\nactivation=relu\n"
#define END "[avgpool]\n[connected]\nactivation=linear\n[softmax]\n"

/* Of that text, called x.cfg; the second stops the test where it is refused. */
int made_parse(struct cfg *cfg, const char *text, struct shape data, struct error *e);
struct cfg made_parsed(const char *text, struct shape data);

#endif
