/* What is used of programs and libraries from outside, and since which version each has it;
 * check.h is the manual.
 *
 * Not here: SQLite, which is looked at whenever a database is opened (store/store.h); oneDNN, whose
 * engine says what it is written for; Darknet and OpenBLAS, which are tried (libraries.c); libjpeg,
 * libexif and libinih, which do not say what they are: without a function of theirs the program is
 * not built, or not started. */
#include "data/formats/matio.h"
#include "verbs/check/check.h"

#include <archive.h>
#include <openssl/crypto.h>
#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

static void version_of_png(char *text, size_t size) {
    snprintf(text, size, "%s", png_get_libpng_ver(NULL));
}

static void version_of_zlib(char *text, size_t size) {
    snprintf(text, size, "%s", zlibVersion());
}

static void version_of_archive(char *text, size_t size) {
    int n = archive_version_number();
    snprintf(text, size, "%d.%d.%d", n / 1000000, n / 1000 % 1000, n % 1000);
}

static void version_of_matio(char *text, size_t size) {
    struct error ignored = {0};
    const struct matio_library *matio = matio_library(&ignored);
    int major = 0, minor = 0, release = 0;
    if (matio)
        matio->library_version(&major, &minor, &release);
    snprintf(text, size, "%d.%d.%d", major, minor, release);
}

static void version_of_openssl(char *text, size_t size) {
    unsigned long n = OpenSSL_version_num(); // 0xMNNFFPPS
    snprintf(text, size, "%lu.%lu.%lu", n >> 28, n >> 20 & 255, n >> (n >> 28 < 3 ? 12 : 4) & 255);
}

/* Without what users have set for it, or for what it is written in. */
#define SAYS(tool, options)                                                                        \
    "unset PERL5OPT PERL5LIB PERLLIB PARALLEL POSIXLY_CORRECT; command -v " tool                   \
    " >/dev/null && " tool " " options " 2>&1 </dev/null"

static const struct needed all[] = {
    // `set datafile columnheaders` (plots/style.gp).
    {"gnuplot", "5.4", "gnuplot-nox", VERDICT_MISSING, SAYS("gnuplot", "--version"), "gnuplot ",
     NULL},
    // A hangup starts no more jobs and lets those at work end (grid.sh); one of 20161222 died of
    // it, and left the runs alone.
    {"GNU parallel", "20210822", "parallel", VERDICT_MISSING, SAYS("parallel", "--plain --version"),
     "GNU parallel ", NULL},
    // "${list[@]}" of an empty list under `set -u` (every script).
    {"bash", "4.4", "bash", VERDICT_MISSING, SAYS("bash", "--version"), "GNU bash, version ", NULL},
    // --retry (data.sh).
    {"curl", "7.12.3", "curl", VERDICT_NOTE, SAYS("curl", "--disable --version"), "curl ", NULL},
    // -q and -d, of an archive of 535 MB (data.sh).
    {"unzip", "5", "unzip", VERDICT_NOTE, SAYS("unzip", "-v"), "UnZip ", NULL},
    // It takes the time of a report from SOURCE_DATE_EPOCH (paper.sh).
    {"pdflatex", "1.40.17", "texlive-latex-base", VERDICT_NOTE,
     "v=$(pdflatex --version 2>/dev/null </dev/null) && v=${v%% (*} && echo \"pdfTeX ${v##*-}\"",
     "pdfTeX ", NULL},
    // Any: nothing here calls it; it is for looking at databases by hand.
    {"sqlite3 tool", "3", "sqlite3", VERDICT_NOTE, SAYS("sqlite3", "--version"), "", NULL},

    // png_get_eXIf_1.
    {"libpng", "1.6.32", "libpng16-16", VERDICT_MISSING, NULL, NULL, version_of_png},
    // inflateInit2 that takes a gzip header (IDX files).
    {"zlib", "1.2", "zlib1g", VERDICT_MISSING, NULL, NULL, version_of_zlib},
    // archive_read_support_filter_gzip (CIFAR).
    {"libarchive", "3", "libarchive13", VERDICT_MISSING, NULL, NULL, version_of_archive},
    // The names of its structures, and Mat_GetLibraryVersion (SVHN).
    {"matio", "1.5", "libmatio11", VERDICT_MISSING, NULL, NULL, version_of_matio},
    // OpenSSL_version_num; SHA256 is older.
    {"OpenSSL", "1.1", "libssl3", VERDICT_MISSING, NULL, NULL, version_of_openssl},
};

const struct needed *needed_find(const char *name) {
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        if (!strcmp(all[i].name, name))
            return &all[i];
    return NULL;
}

/* Compares numbers parted by dots; what lacks is 0. */
static int is_older(const char *version, const char *least) {
    while (*least) {
        char *end_of_version, *end_of_least;
        long a = strtol(version, &end_of_version, 10), b = strtol(least, &end_of_least, 10);
        if (a != b)
            return a < b;
        version = end_of_version + (*end_of_version == '.');
        least = end_of_least + (*end_of_least == '.');
    }
    return 0;
}

/* The first line that a command prints, "" when there is none. The commands are constants above. */
static void first_line(const char *command, char *line, size_t size) {
    char rest[4096];
    FILE *in = popen(command, "re");
    line[0] = '\0';
    if (!in)
        return;
    if (fgets(line, (int)size, in))
        line[strcspn(line, "\n")] = '\0';
    while (fgets(rest, sizeof rest, in)) // else it may die of SIGPIPE
        ;
    pclose(in);
}

static void judge_version(const struct needed *n, const char *version, const char *found,
                          struct report *r) {
    if (is_older(version, n->least))
        say(r, n->without, "%.80s is too old: %s or newer is needed; Debian 12's %s is new enough",
            found, n->least, n->package);
    else
        say(r, VERDICT_OK, "%.72s", found);
}

static void look_program(const struct needed *n, struct report *r) {
    char line[256];
    first_line(n->command, line, sizeof line);
    if (!line[0])
        say(r, n->without, "not found; apt-get install %s", n->package);
    else if (strncmp(line, n->prefix, strlen(n->prefix)) != 0)
        say(r, n->without, "another program has this name (it says '%.80s'); apt-get install %s",
            line, n->package);
    else
        judge_version(n, line + strlen(n->prefix), line, r);
}

void look_needed(const struct options *o, const void *detail, struct report *r) {
    (void)o;
    const struct needed *n = needed_find(detail);
    char version[64];
    if (n->command) {
        look_program(n, r);
        return;
    }
    n->version(version, sizeof version);
    judge_version(n, version, version, r);
}
