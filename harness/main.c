/* truncquant: trains weight quantizers that survive truncation and those they are compared with,
 * evaluates every bit-width, and keeps each figure in SQLite. This file is the table of verbs; each
 * verb is a file in verbs/. Only main exits. */
#include "base/environment.h"
#include "base/error.h"
#include "registry.h"
#include "run/numerics.h"
#include "store/store.h"
#include "verbs/verb.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct verb {
    const char *name, *help;
    int (*run)(struct options *, struct error *);
    int computes; // with threads
};

static const struct verb verbs[] = {
    {"plan", "validate a grid, record its runs, print one per line", verb_plan, 0},
    {"run", "train (or go on from a checkpoint), freeze, evaluate, record one run", verb_run, 1},
    {"evaluate", "more evaluations of finished runs; nothing is trained", verb_evaluate, 1},
    {"status", "done, running, failed, dead and pending runs; time left", verb_status, 0},
    {"retry", "have failed runs of a grid tried again", verb_retry, 0},
    {"export", "tables of results, and the numbers of figures", verb_export, 0},
    {"claims", "what every number of a report rests on, as a page", verb_claims, 0},
    {"page", "one page of HTML: figures, tables to sort and filter, each run", verb_page, 0},
    {"exclude", "mark runs as not to count, and why", verb_exclude, 0},
    {"clean", "remove checkpoints of finished runs that are not needed any more", verb_clean, 0},
    {"pack", "a finished run as the model file that a device reads", verb_pack, 1},
    {"info", "what such a file holds: layers, planes, bytes for each width", verb_info, 0},
    {"infer", "classes of images, or top-1 on a data set, by such a file", verb_infer, 0},
    {"latency", "time such a file, or a run, at each of its widths", verb_latency, 0},
    {"merge", "join other databases into this one", verb_merge, 0},
    {"check", "what this machine has and lacks, in plain words", verb_check, 0},
    {0},
};

static void usage(FILE *out) {
    fputs("usage: truncquant VERB [options]\n\n", out);
    for (const struct verb *v = verbs; v->name; v++)
        fprintf(out, "  %-10s %s\n", v->name, v->help);
    fputs("\n'truncquant VERB --help' lists the options of a verb.\n", out);
}

/* A full disk or a closed pipe must not look like success. */
static int flush_output(int status, struct error *e) {
    errno = 0;
    if (!fflush(stdout) && !ferror(stdout))
        return status;
    if (status == EXIT_DONE)
        fail(e, "output cannot be written (%s); is it closed, or the disk full?",
             errno ? strerror(errno) : "a write failed");
    return status == EXIT_DONE ? EXIT_FAILED : status;
}

static int finish_program(int status, struct error *e) {
    status = flush_output(status, e);
    if (status == EXIT_FAILED && e->is_busy)
        status = EXIT_BUSY;
    if (e->text[0])
        fprintf(stderr, "truncquant: %s\n", e->text);
    for (const char *line = e->others; *line; line += strcspn(line, "\n") + 1)
        fprintf(stderr, "truncquant: %.*s\n", (int)strcspn(line, "\n"), line);
    return status;
}

/* The next file that is opened would get the number of a standard stream that is closed, and
 * messages would be written into it. /dev/null takes the number (SQLite does the same, but not all
 * files are opened after it), for the wrong direction, so that the stream's use still fails. */
static void fill_closed_streams(void) {
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0 &&
            open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) < 0)
            _exit(EXIT_FAILED);
}

#if !defined __SANITIZE_ADDRESS__ && !defined __SANITIZE_THREAD__ // which begin no earlier
__attribute__((section(".preinit_array"),
               used)) static void (*const first)(int, char **, char **) = environment_begin;
#endif

int main(int argc, char **argv) {
    struct error e = {0};
    fill_closed_streams();
    signal(SIGXFSZ, SIG_IGN); // a limit on file sizes is an error like a full disk
    if (argc < 2) {
        usage(stderr);
        return EXIT_USAGE;
    }
    if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
        usage(stdout);
        return finish_program(EXIT_DONE, &e);
    }
    if (!strcmp(argv[1], "--version")) {
        char text[128];
        numerics_program(text, sizeof text);
        puts(text);
        return finish_program(EXIT_DONE, &e);
    }
    struct options options = {.db = STORE_DEFAULT_PATH,
                              .argc = argc - 1,
                              .argv = argv + 1,
                              .quantizers = quantizer_registry};
    for (const struct verb *v = verbs; v->name; v++) {
        if (strcmp(v->name, argv[1]))
            continue;
        if (v->computes && environment_settle(argv, &e))
            return finish_program(EXIT_FAILED, &e);
        return finish_program(v->run(&options, &e), &e);
    }
    fail(&e, "unknown verb '%.64s'; 'truncquant --help' lists them", argv[1]);
    return finish_program(EXIT_USAGE, &e);
}
