/* What a table or figure lacks: which runs, and the command that makes them. One text for notes
 * below tables, captions of figures, and the message where there is nothing at all. */
#ifndef REPORT_MISSING_H
#define REPORT_MISSING_H

#include "report/query.h"

/* "2 of 18 runs have not finished: 0123456789ab qat resnet8 fashion-mnist seed 1, ...; 'truncquant
 * run ID' computes each, ..."; of runs that were not calibrated likewise. "" where nothing is
 * missing. Owned by the caller; NULL with a message. The snapshot has been taken, and the split is
 * chosen. */
char *missing_runs(const struct report *r, struct error *e);

#endif
