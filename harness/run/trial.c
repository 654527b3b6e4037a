/* The file of a trial; trial.h is the manual. Its lines:
 *
 *     begun RUN HOST PID START   (store/process.h)
 *     done RUN
 *     failed RUN REASON
 *     left RUN
 *
 * Each is appended with the file locked. Who comes upon a run that began here and whose process is
 * gone writes its end. Once TRIAL_RUNS have come to an end, nothing is written any more, so that
 * the file stays small however many runs there are. */
#include "run/trial.h"

#include "base/file.h"
#include "base/hash.h"
#include "base/lock.h"
#include "base/text.h"
#include "store/process.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const end_words[] = {"done", "failed", "left", NULL}; // by enum trial_end

enum { FILE_MOST = 1 << 20, RUNS_MOST = 4096, REASON_MOST = 900 };

struct beginning {
    char run_id[HASH_HEX], host[256];
    long pid;
    long long start;
    int is_over;
};

struct trial {
    int fd;
    int n, failed;                // of the first TRIAL_RUNS that ended: how many, how they failed
    char reason[REASON_MOST + 1]; // of the first of them
    int n_begun;
    struct beginning *begun; // owned
};

/* ---- reasons ---- */

/* A reason without what differs between runs: each word with a digit in it (a number, an id) is one
 * '#'. */
static void generalize(const char *reason, char text[REASON_MOST + 1]) {
    size_t at = 0;
    while (*reason && at < REASON_MOST) {
        size_t n = 0;
        int digits = 0;
        while (isalnum((unsigned char)reason[n]))
            digits += isdigit((unsigned char)reason[n++]) != 0;
        n = n ? n : 1;
        if (digits)
            text[at++] = '#';
        for (size_t i = 0; i < n && !digits && at < REASON_MOST; i++)
            text[at++] = reason[i];
        reason += n;
    }
    text[at] = '\0';
}

static int same_reason(const char *a, const char *b) {
    char texts[2][REASON_MOST + 1];
    generalize(a, texts[0]);
    generalize(b, texts[1]);
    return !strcmp(texts[0], texts[1]);
}

/* ---- the file ---- */

static void count_end(struct trial *t, int failed, const char *reason) {
    if (t->n == TRIAL_RUNS)
        return;
    if (failed && !t->n)
        snprintf(t->reason, sizeof t->reason, "%s", reason);
    t->failed += failed && same_reason(reason, t->reason);
    t->n++;
}

static void end_beginning(struct trial *t, const char *run_id) {
    for (int i = 0; i < t->n_begun; i++)
        if (!strcmp(t->begun[i].run_id, run_id))
            t->begun[i].is_over = 1;
}

static void take_line(struct trial *t, const char *line) {
    struct beginning b = {0};
    char run_id[HASH_HEX], word[8];
    int at = 0, end;
    if (sscanf(line, "begun %64s %255s %ld %lld", b.run_id, b.host, &b.pid, &b.start) == 4) {
        if (t->n_begun < RUNS_MOST)
            t->begun[t->n_begun++] = b;
    } else if (sscanf(line, "%7s %64s%n", word, run_id, &at) == 2 &&
               (end = text_find(word, end_words)) >= 0) {
        end_beginning(t, run_id);
        if (end != TRIAL_LEFT)
            count_end(t, end == TRIAL_FAILED, line + at + (line[at] == ' '));
    }
}

static void append(const struct trial *t, const char *line) {
    size_t n = strlen(line);
    ssize_t written = write(t->fd, line, n);
    if (written != (ssize_t)n)
        fprintf(stderr, "truncquant: note: a line of the trial is lost (%s)\n",
                strerror(written < 0 ? errno : ENOSPC));
}

/* Of runs that began on this machine, and can write nothing more. */
static void end_killed(struct trial *t) {
    static const char reason[] = "its process was killed";
    for (int i = 0; i < t->n_begun && t->n < TRIAL_RUNS; i++) {
        const struct beginning *b = &t->begun[i];
        char line[128];
        if (b->is_over || !process_host_is(b->host) || process_lives(b->pid, b->start))
            continue;
        snprintf(line, sizeof line, "failed %s %s\n", b->run_id, reason);
        append(t, line);
        count_end(t, 1, reason);
    }
}

static void trial_close(struct trial *t) {
    if (t->fd >= 0)
        close(t->fd); // which unlocks it
    free(t->begun);
}

static int trial_open(struct trial *t, const char *path, struct error *e) {
    size_t size;
    *t = (struct trial){.fd = -1};
    if (file_check_link(path, e))
        return -1;
    t->fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (t->fd < 0)
        return fail_system(e, path, "cannot be opened", errno);
    if (lock_file(t->fd, path, 1, e) != LOCK_TAKEN)
        return -1;
    char *text = file_read(path, FILE_MOST, &size, e);
    if (!text)
        return -1;
    t->begun = need(RUNS_MOST, sizeof *t->begun);
    for (char *line = text, *end; (end = strchr(line, '\n')); line = end + 1) {
        *end = '\0';
        take_line(t, line);
    }
    free(text);
    end_killed(t);
    return 0;
}

/* ---- what is asked ---- */

/* 1 when no run is to begin any more. */
static int judge(const struct trial *t, struct error *e) {
    if (t->failed < TRIAL_RUNS)
        return 0;
    fail(e, "the first %d runs failed for one reason, so that no other begins: %s", TRIAL_RUNS,
         t->reason);
    return 1;
}

int trial_begin(const char *path, const char *run_id, struct error *e) {
    struct trial t;
    char line[HASH_HEX + 320], host[256] = "?";
    int rc = trial_open(&t, path, e);
    if (!rc)
        rc = judge(&t, e);
    gethostname(host, sizeof host - 1);
    snprintf(line, sizeof line, "begun %s %s %ld %lld\n", run_id, host, (long)getpid(),
             (long long)process_start((long)getpid()));
    if (!rc && t.n < TRIAL_RUNS)
        append(&t, line);
    trial_close(&t);
    return rc;
}

void trial_end(const char *path, const char *run_id, enum trial_end end, const char *reason) {
    char line[HASH_HEX + REASON_MOST + 16];
    struct trial t;
    struct error ignored = {0};
    snprintf(line, sizeof line, "%s %s %.*s", end_words[end], run_id, REASON_MOST,
             end == TRIAL_FAILED ? reason : "");
    line[strcspn(line, "\n")] = '\0';
    strcat(line, "\n");
    if (!trial_open(&t, path, &ignored) && t.n < TRIAL_RUNS)
        append(&t, line);
    trial_close(&t);
}

int trial_check(const char *path, struct error *e) {
    struct trial t;
    int rc = trial_open(&t, path, e);
    if (!rc)
        rc = judge(&t, e);
    trial_close(&t);
    return rc;
}
