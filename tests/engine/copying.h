/* An engine that works on copies of a model's numbers, as one does whose memory is a device's, and
 * is else another one. It sees nothing that was not given to it, and what it changes is seen by
 * nobody until it is asked for; so whoever leaves out a moment at which numbers go over
 * (engine/engine.h: upload, download) gets other results than with the engine itself. */
#ifndef TESTS_ENGINE_COPYING_H
#define TESTS_ENGINE_COPYING_H

#include "engine/engine.h"

/* Around `inner`, in its precision fp32; of use until the next call. */
const struct engine *copying_engine(const struct engine *inner);

#endif
