/* What a session is refused for before a try is recorded (session_begin): a run that cannot begin
 * has not failed. Each returns -1 with a message. For harness/run only. */
#ifndef RUN_REFUSALS_H
#define RUN_REFUSALS_H

#include "run/session.h"

/* A parent that is not done, not current, or whose weights are not here or not this database's. */
int refuse_parent(struct session *s, struct error *e);

/* Weights of a finished run that are not those of its recorded numbers. */
int refuse_finished(struct session *s, struct error *e);

/* A checkpoint that another version of the quantizer trained, unless it may be put aside. */
int refuse_quantizer(struct session *s, struct error *e);

/* A checkpoint that was computed otherwise; once there is a program. One that no try of this
 * database can have left is put aside. */
int refuse_numerics(const struct session *s, struct error *e);

#endif
