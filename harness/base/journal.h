/* A file of records that are appended one by one, each with its SHA-256, for what is learnt bit by
 * bit and would be computed anew if it were lost: one write a record, no rename. What a crash left
 * of the last record, or damage left of any, ends the file: it is cut there, and what came before
 * stays. Records are built and read as sealed files are (base/sealed.h), numbers in the machine's
 * own order. */
#ifndef BASE_JOURNAL_H
#define BASE_JOURNAL_H

#include "base/sealed.h"

struct journal {
    int fd;        // -1: closed
    int64_t end;   // of the last whole record
    double synced; // when, by progress_clock
};

/* Open `path`, made where there is none, and give every whole record in turn to `take`, until that
 * returns not 0: the record and all that follow are then dropped with the rest. Only for who holds
 * a lock on it. */
int journal_open(struct journal *j, const char *path, int (*take)(void *context, struct opened *o),
                 void *context, struct error *e);
void journal_close(struct journal *j);

/* A record is started by journal_start, written like a seal, and appended; the seal is freed
 * whatever happens. When appending fails, the file is as it was before. It is there after a power
 * cut if another second of work was not. */
int journal_start(struct seal *s, struct error *e);
int journal_append(struct journal *j, struct seal *s, struct error *e);

#endif
