/* What libraries do here: whether they load, and compute rightly; check.h is the manual. What may
 * crash, or takes memory for good, is tried in a child. */
#include "base/text.h"
#include "engine/engine.h"
#include "engine/products.h"
#include "model/darknet.h"
#include "store/store.h"
#include "verbs/check/check.h"

#include <cblas.h>
#include <errno.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <jpeglib.h> // needs stdio.h before it

/* How a trial in a child ended: what it said was wrong, and its wait status. */
struct trial {
    char text[1024];
    int status;
};

/* The child writes what is wrong, or nothing. */
static void try_here(int (*try)(struct error *), int out) {
    struct error e = {0};
    int rc = try(&e);
    if (rc && write(out, e.text, strlen(e.text)) < 0)
        _exit(EXIT_FAILED);
    _exit(rc ? EXIT_FAILED : EXIT_DONE);
}

static void read_all(int in, char *text, size_t size) {
    size_t at = 0;
    while (at < size - 1) {
        ssize_t n = read(in, text + at, size - 1 - at);
        if (n == 0 || (n < 0 && errno != EINTR))
            break;
        at += n > 0 ? (size_t)n : 0;
    }
    text[at] = '\0';
}

/* -1: there was no child to try it. */
static int try_in_child(int (*try)(struct error *), struct trial *t, struct report *r) {
    int ends[2];
    pid_t child = pipe(ends) ? -1 : fork();
    if (child < 0) {
        say(r, VERDICT_MISSING,
            "no process could be started to try it (%s); end other programs, or raise the limits "
            "on them (ulimit -u, ulimit -v)",
            strerror(errno));
        return -1;
    }
    if (!child)
        try_here(try, ends[1]);
    close(ends[1]);
    read_all(ends[0], t->text, sizeof t->text);
    close(ends[0]);
    while (waitpid(child, &t->status, 0) < 0 && errno == EINTR)
        ;
    return 0;
}

static int try_darknet(struct error *e) {
    return darknet_parse("[net]\nbatch=1\nheight=4\nwidth=4\nchannels=1\n"
                         "[convolutional]\nfilters=1\nsize=1\nstride=1\nactivation=linear\n",
                         e)
               ? 0
               : -1;
}

void look_darknet(const struct options *o, const void *detail, struct report *r) {
    (void)o;
    (void)detail;
    struct trial t;
    if (try_in_child(try_darknet, &t, r))
        return;
    if (WIFSIGNALED(t.status))
        say(r, VERDICT_MISSING, "loading it crashes (%s); reinstall the package darknet",
            strsignal(WTERMSIG(t.status)));
    else if (WEXITSTATUS(t.status))
        say(r, VERDICT_MISSING, "%s", t.text[0] ? t.text : "cannot be loaded; install darknet");
    else
        say(r, VERDICT_OK, "loads and builds a network");
}

static int try_products(struct error *e) {
    openblas_set_num_threads(1);
    return products_check_common(e);
}

void look_openblas(const struct options *o, const void *detail, struct report *r) {
    (void)o;
    (void)detail;
    struct trial t;
    if (try_in_child(try_products, &t, r))
        return;
    if (WIFSIGNALED(t.status))
        say(r, VERDICT_MISSING, "%s, kernels for %s: they crash (%s); " PRODUCTS_REMEDY,
            openblas_get_config(), openblas_get_corename(), strsignal(WTERMSIG(t.status)));
    else if (WEXITSTATUS(t.status))
        say(r, VERDICT_MISSING, "%s", t.text);
    else
        say(r, VERDICT_OK, "%s, kernels for %s, whose matrix products are right",
            openblas_get_config(), openblas_get_corename());
}

void look_engine(const struct options *o, const void *detail, struct report *r) {
    const struct engine *engine = detail;
    char text[512];
    (void)o;
    int rc = engine->look(text, sizeof text);
    say(r, rc ? VERDICT_NOTE : VERDICT_OK, "%s", text);
}

void look_sqlite(const struct options *o, const void *detail, struct report *r) {
    (void)o;
    (void)detail;
    struct error e = {0};
    if (store_check_library(&e))
        say(r, VERDICT_MISSING, "%s", e.text);
    else
        say(r, VERDICT_OK, "%s", sqlite3_libversion());
}

/* libjpeg does not say at run time which it is. */
void look_images(const struct options *o, const void *detail, struct report *r) {
    (void)detail;
#define TEXT_OF(version) #version
#define VALUE_OF(version) TEXT_OF(version)
#ifdef LIBJPEG_TURBO_VERSION
    const char *jpeg = "libjpeg-turbo " VALUE_OF(LIBJPEG_TURBO_VERSION);
#else
    const char *jpeg = "libjpeg " VALUE_OF(JPEG_LIB_VERSION);
#endif
    struct report png;
    look_needed(o, "libpng", &png);
    say(r, png.verdict, "%s, libpng %.200s: for folders of images", jpeg, png.text);
}

/* Those of data sets as they are published, in one line unless one of them is too old. */
void look_formats(const struct options *o, const void *detail, struct report *r) {
    (void)detail;
    static const char *const names[] = {"zlib", "libarchive", "matio", "OpenSSL"};
    char all[512] = "", one[256];
    enum verdict worst = VERDICT_OK;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct report found;
        look_needed(o, names[i], &found);
        snprintf(one, sizeof one, "%s %.200s", names[i], found.text);
        text_list_add(all, sizeof all, ", ", one);
        worst = found.verdict == VERDICT_OK ? worst : found.verdict;
    }
    say(r, worst, "%s", all);
}
