/* What a run came to, for who has just computed it. */
#ifndef REPORT_RESULT_H
#define REPORT_RESULT_H

#include "store/store.h"

/* Of a finished run (whole id), as it was evaluated on `split` when it ended: a table, a row for
 * each width, with batch norms as trained and re-estimated: top-1 in per cent and mean loss, direct
 * and truncated, over n images; n/a: there is no such result. Nothing is printed of a run that is
 * not finished. */
int report_result(struct store *s, const char *run_id, const char *split, FILE *out,
                  struct error *e);

#endif
