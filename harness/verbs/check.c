/* truncquant check: what this machine has and lacks, in plain words. One table of checks; each
 * looks at one thing and says what it found, and where something lacks, how to get it. It changes
 * nothing on the machine, and installs nothing (where it reads a database, SQLite may leave an empty -wal beside
 * it). */
#include "base/text.h"
#include "data/cache.h"
#include "data/prepared.h"
#include "data/source.h"
#include "model/darknet.h"
#include "store/store.h"
#include "verbs/verb.h"

#include <cblas.h>
#ifdef HAVE_ONEDNN
#include <oneapi/dnnl/dnnl.h>
#endif
#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <linux/magic.h>
#include <png.h>
#include <sched.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysinfo.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <jpeglib.h> // needs stdio.h before it

enum verdict { VERDICT_OK, VERDICT_MISSING, VERDICT_NOTE };
static const char *const verdict_names[] = {"ok", "missing", "note"};

struct report {
    enum verdict verdict;
    char text[PATH_MAX + 1024];
};

struct check {
    const char *name;
    void (*look)(const struct options *o, const void *detail, struct report *r);
    const void *detail; // for `look`; may be NULL
};

static void say(struct report *r, enum verdict verdict, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void say(struct report *r, enum verdict verdict, const char *format, ...) {
    va_list args;
    va_start(args, format);
    vsnprintf(r->text, sizeof r->text, format, args);
    va_end(args);
    r->verdict = verdict;
}

/* In a child, whose 74 MB go when it ends. It writes what is wrong, or nothing. */
static void try_darknet(int out) {
    struct error e = {0};
    struct darknet_network *d = darknet_load("[net]\nbatch=1\nheight=4\nwidth=4\nchannels=1\n"
                                             "[convolutional]\nfilters=1\nsize=1\nstride=1\n"
                                             "activation=linear\n",
                                             &e);
    if (!d && write(out, e.text, strlen(e.text)) < 0)
        _exit(EXIT_FAILED);
    _exit(d ? EXIT_DONE : EXIT_FAILED);
}

static void look_darknet(const struct options *o, const void *detail, struct report *r) {
    (void)o;
    (void)detail;
    int ends[2];
    char text[1024] = "";
    pid_t child = pipe(ends) ? -1 : fork();
    if (child < 0) {
        say(r, VERDICT_MISSING, "no process could be started to load it (%s)", strerror(errno));
        return;
    }
    if (!child)
        try_darknet(ends[1]);
    close(ends[1]);
    for (size_t at = 0; at < sizeof text - 1;) {
        ssize_t n = read(ends[0], text + at, sizeof text - 1 - at);
        if (n == 0 || (n < 0 && errno != EINTR))
            break;
        at += n > 0 ? (size_t)n : 0;
    }
    close(ends[0]);
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    if (WIFSIGNALED(status))
        say(r, VERDICT_MISSING, "loading it crashes (%s); reinstall the package darknet",
            strsignal(WTERMSIG(status)));
    else if (WEXITSTATUS(status))
        say(r, VERDICT_MISSING, "%s", text[0] ? text : "cannot be loaded; install darknet");
    else
        say(r, VERDICT_OK, "loads and builds a network");
}

static void look_openblas(const struct options *o, const void *detail, struct report *r) {
    (void)o;
    (void)detail;
    say(r, VERDICT_OK, "%s, kernels for %s", openblas_get_config(), openblas_get_corename());
}

static void look_onednn(const struct options *o, const void *detail, struct report *r) {
    (void)o;
    (void)detail;
#ifdef HAVE_ONEDNN
    const dnnl_version_t *v = dnnl_version();
    say(r, VERDICT_OK, "%d.%d.%d: the fast engine", v->major, v->minor, v->patch);
#else
    say(r, VERDICT_NOTE,
        "the program is built without it, so the reference engine computes, at half the speed; "
        "install libdnnl-dev and build again");
#endif
}

static void look_sqlite(const struct options *o, const void *detail, struct report *r) {
    (void)o;
    (void)detail;
    if (sqlite3_libversion_number() < 3037000)
        say(r, VERDICT_MISSING, "%s has no STRICT tables; install 3.37 or newer",
            sqlite3_libversion());
    else
        say(r, VERDICT_OK, "%s", sqlite3_libversion());
}

static void look_images(const struct options *o, const void *detail, struct report *r) {
    (void)o;
    (void)detail;
#define TEXT_OF(version) #version
#define VALUE_OF(version) TEXT_OF(version)
#ifdef LIBJPEG_TURBO_VERSION
    const char *jpeg = "libjpeg-turbo " VALUE_OF(LIBJPEG_TURBO_VERSION);
#else
    const char *jpeg = "libjpeg " VALUE_OF(JPEG_LIB_VERSION);
#endif
    say(r, VERDICT_OK, "%s, libpng %s: for folders of images", jpeg, png_get_libpng_ver(NULL));
}

/* The value of the first "name : value" line of a file of /proc, "" when there is none. */
static void proc_value(const char *path, const char *name, char *value, size_t size) {
    char *line = NULL;
    size_t room = 0;
    FILE *in = fopen(path, "re");
    value[0] = '\0';
    while (in && !value[0] && getline(&line, &room, in) > 0) {
        char *colon = strchr(line, ':');
        if (colon && !strncmp(line, name, strlen(name)) &&
            strspn(line + strlen(name), " \t") == (size_t)(colon - line) - strlen(name))
            snprintf(value, size, "%s", text_trim(colon + 1));
    }
    free(line);
    if (in)
        fclose(in);
}

static int has_word(const char *words, const char *word) {
    size_t n = strlen(word);
    for (const char *p = words; (p = strstr(p, word)); p += n)
        if ((p == words || p[-1] == ' ') && (p[n] == ' ' || !p[n]))
            return 1;
    return 0;
}

static int allowed_cores(void) {
    cpu_set_t set;
    return sched_getaffinity(0, sizeof set, &set) ? get_nprocs() : CPU_COUNT(&set);
}

static void look_processor(const struct options *o, const void *detail, struct report *r) {
    (void)o;
    (void)detail;
    static const char *const wanted[] = {"avx2",        "fma",      "avx512f", "avx512_bf16",
                                         "avx512_vnni", "avx_vnni", "amx_bf16"};
    char model[256], flags[8192], found[128] = "";
    proc_value("/proc/cpuinfo", "model name", model, sizeof model);
    proc_value("/proc/cpuinfo", "flags", flags, sizeof flags);
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++)
        if (has_word(flags, wanted[i])) {
            size_t at = strlen(found);
            snprintf(found + at, sizeof found - at, " %s", wanted[i]);
        }
    int cores = allowed_cores();
    say(r, has_word(flags, "avx2") ? VERDICT_OK : VERDICT_NOTE, "%s, %d core%s allowed;%s%s",
        model[0] ? model : "unknown model", cores, cores == 1 ? "" : "s",
        found[0] ? found : " no wide vector instructions",
        has_word(flags, "avx2") ? "" : "; without avx2 training is slow");
}

static void look_memory(const struct options *o, const void *detail, struct report *r) {
    (void)o;
    (void)detail;
    char total[64], available[64];
    proc_value("/proc/meminfo", "MemTotal", total, sizeof total);
    proc_value("/proc/meminfo", "MemAvailable", available, sizeof available);
    double gib = strtod(available, NULL) / (1 << 20); // the file counts in KiB
    if (!total[0])
        say(r, VERDICT_NOTE, "unknown: /proc/meminfo cannot be read");
    else if (gib < 1)
        say(r, VERDICT_NOTE, "%.1f GiB free of %.1f: a run of a small network needs about 0.5", gib,
            strtod(total, NULL) / (1 << 20));
    else
        say(r, VERDICT_OK, "%.1f GiB free of %.1f", gib, strtod(total, NULL) / (1 << 20));
}

struct tool {
    const char *command; // prints its version
    const char *prefix;  // of the first line, when it is the right program
    const char *get;
};

/* The first line that a command prints, "" when there is none. The commands are constants below. */
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

static void look_tool(const struct options *o, const void *detail, struct report *r) {
    (void)o;
    const struct tool *tool = detail;
    char line[256];
    first_line(tool->command, line, sizeof line);
    if (!line[0])
        say(r, VERDICT_MISSING, "not found; %s", tool->get);
    else if (strncmp(line, tool->prefix, strlen(tool->prefix)) != 0)
        say(r, VERDICT_MISSING, "another program has this name (it says '%.80s'); %s", line,
            tool->get);
    else
        say(r, VERDICT_OK, "%s", line);
}

/* Locks and shared memory, which SQLite and the prepared data rely on, do not hold there. */
static const char *network_file_system(const char *path) {
    static const struct {
        unsigned long magic;
        const char *name;
    } known[] = {{NFS_SUPER_MAGIC, "NFS"}, {SMB_SUPER_MAGIC, "SMB"}, {0xff534d42, "CIFS"},
                 {0xfe534d42, "SMB2"},     {AFS_SUPER_MAGIC, "AFS"}, {CODA_SUPER_MAGIC, "Coda"},
                 {0x0bd00bd0, "Lustre"},   {0x47504653, "GPFS"},     {0x00c36400, "Ceph"},
                 {0x19830326, "BeeGFS"},   {V9FS_MAGIC, "9p"}};
    struct statfs fs;
    if (statfs(path, &fs))
        return NULL;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (((unsigned long)fs.f_type & 0xffffffff) == known[i].magic)
            return known[i].name;
    return NULL;
}

/* The folder itself, or the nearest one above that exists. */
static void nearest_folder(const char *folder, char *nearest, size_t size) {
    snprintf(nearest, size, "%s", folder);
    while (access(nearest, F_OK) && strcmp(nearest, "/") != 0 && strcmp(nearest, ".") != 0) {
        char *above = dirname(nearest); // may be a constant of the C library
        memmove(nearest, above, strlen(above) + 1);
    }
}

/* Can files be written there? `advice` says how to choose another place. */
static void look_folder(const char *folder, const char *advice, struct report *r) {
    char nearest[PATH_MAX];
    nearest_folder(folder, nearest, sizeof nearest);
    const char *later = strcmp(nearest, folder) ? ", will be made" : "";
    struct statvfs fs;
    // A name with "/." behind it exists only if it is a folder's.
    char inside[PATH_MAX + 2];
    snprintf(inside, sizeof inside, "%s/.", nearest);
    if (access(inside, W_OK | X_OK) || statvfs(nearest, &fs)) {
        say(r, VERDICT_MISSING, "%s cannot be written (%s); %s", folder, strerror(errno), advice);
        return;
    }
    double gib = (double)fs.f_bavail * (double)fs.f_frsize / (1 << 30);
    const char *network = network_file_system(nearest);
    if (network)
        say(r, VERDICT_NOTE, "%s is on a network file system (%s), where locks may not hold; %s",
            folder, network, advice);
    else
        say(r, gib < 1 ? VERDICT_NOTE : VERDICT_OK, "%s%s, %.1f GiB free%s%s", folder, later, gib,
            gib < 1 ? "; free some, or " : "", gib < 1 ? advice : "");
}

static void look_cache(const struct options *o, const void *detail, struct report *r) {
    (void)o;
    (void)detail;
    struct error e = {0};
    char folder[PATH_MAX];
    if (cache_folder(folder, sizeof folder, &e)) {
        say(r, VERDICT_MISSING, "%s", e.text);
        return;
    }
    look_folder(folder, "set TRUNCQUANT_CACHE to a folder on a local disk", r);
    int files;
    double mib = (double)cache_bytes(folder, &files) / (1 << 20);
    size_t at = strlen(r->text);
    if (files)
        snprintf(r->text + at, sizeof r->text - at,
                 "; prepared data sets: %d, %.0f MiB, which may be removed at any time", files,
                 mib);
}

/* What another verb would say of it: nothing of a file that is still to be made. */
static int try_database(const char *path, struct error *e) {
    struct stat st;
    if (store_check_name(path, e))
        return -1;
    if (stat(path, &st) ? errno == ENOENT : S_ISREG(st.st_mode) && !st.st_size)
        return 0;
    struct store *s = store_open(path, STORE_READ, e);
    store_close(s);
    return s ? 0 : -1;
}

static void look_database(const struct options *o, const void *detail, struct report *r) {
    (void)detail;
    struct error e = {0};
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s", o->db);
    const char *folder = dirname(path);
    look_folder(folder, "name another place with --db", r);
    if (r->verdict == VERDICT_MISSING)
        return;
    if (access(folder, F_OK) && strcmp(o->db, STORE_DEFAULT_PATH) != 0)
        say(r, VERDICT_MISSING, "%s does not exist; make it, or name another place with --db",
            folder);
    else if (!access(o->db, F_OK) && access(o->db, W_OK))
        say(r, VERDICT_MISSING, "%s cannot be written (%s); fix it, or name another with --db",
            o->db, strerror(errno));
    else if (try_database(o->db, &e))
        say(r, VERDICT_MISSING, "%s", e.text);
}

/* A folder that is not there is passed over in silence when a set is looked for. */
static void look_data_folder(const struct options *o, const void *detail, struct report *r) {
    (void)o;
    (void)detail;
    const char *folder = getenv("TRUNCQUANT_DATA");
    char inside[PATH_MAX];
    if (!folder || !folder[0]) {
        say(r, VERDICT_OK, "%s; TRUNCQUANT_DATA can name one to look in first",
            source_debian_folder);
        return;
    }
    // A name with "/." behind it exists only if it is a folder's.
    snprintf(inside, sizeof inside, "%s/.", folder);
    if (access(inside, R_OK | X_OK))
        say(r, VERDICT_NOTE,
            "TRUNCQUANT_DATA=%s cannot be read (%s), so that data sets are found in %s alone; make "
            "the folder, or name another",
            folder, strerror(errno), source_debian_folder);
    else
        say(r, VERDICT_OK, "%s (TRUNCQUANT_DATA), then %s", folder, source_debian_folder);
}

static int is_prepared(const struct source *source) {
    struct error e = {0};
    struct dataset d;
    char path[PATH_MAX];
    if (cache_path(source, path, sizeof path, &e) || prepared_map(&d, source, path))
        return 0;
    dataset_close(&d);
    return 1;
}

static void look_dataset(const struct options *o, const void *detail, struct report *r) {
    (void)o;
    const char *name = detail;
    struct error e = {0};
    struct source source;
    struct known_set set;
    if (known_set_find(&set, name, &e) || source_find(&source, &set, &e)) {
        // The main job needs the first one only.
        say(r, strcmp(name, dataset_name(0)) ? VERDICT_NOTE : VERDICT_MISSING, "%s", e.text);
        return;
    }
    say(r, VERDICT_OK, "%s, %s", source.folder,
        is_prepared(&source) ? "prepared" : "will be prepared by the first run");
    source_free(&source);
}

static void look_absent(const struct options *o, const void *detail, struct report *r) {
    (void)o;
    say(r, VERDICT_NOTE, "%s; scripts/data.sh NAME fetches one", (const char *)detail);
}

#define VERSION_OF(tool) "command -v " tool " >/dev/null && " tool " --version 2>&1 </dev/null"
static const struct tool gnuplot = {VERSION_OF("gnuplot"), "gnuplot ",
                                    "apt-get install gnuplot-nox"};
static const struct tool parallel = {VERSION_OF("parallel"), "GNU parallel ",
                                     "apt-get install parallel"};
static const struct tool sqlite_tool = {VERSION_OF("sqlite3"), "3.", "apt-get install sqlite3"};

static const struct check checks[] = {
    {"Darknet", look_darknet, NULL},
    {"OpenBLAS", look_openblas, NULL},
    {"oneDNN", look_onednn, NULL},
    {"SQLite", look_sqlite, NULL},
    {"JPEG and PNG", look_images, NULL},
    {"processor", look_processor, NULL},
    {"memory", look_memory, NULL},
    {"gnuplot", look_tool, &gnuplot},
    {"GNU parallel", look_tool, &parallel},
    {"sqlite3 tool", look_tool, &sqlite_tool},
    {"cache folder", look_cache, NULL},
    {"database folder", look_database, NULL},
    {"data folders", look_data_folder, NULL},
};

/* Returns 1 when something that the main job needs is missing. */
static int report(const struct options *o, const struct check *check) {
    struct report r = {0};
    check->look(o, check->detail, &r);
    if (!o->quiet || r.verdict == VERDICT_MISSING)
        printf("%-7s  %s: %s\n", verdict_names[r.verdict], check->name, r.text);
    fflush(stdout); // before the next check forks
    return r.verdict == VERDICT_MISSING;
}

/* Data sets that are here or half here, and the one that the demo needs, get a line each, the others
 * one together. */
static int report_datasets(const struct options *o) {
    const char *name;
    char absent[512] = "";
    int missing = 0;
    for (int i = 0; (name = dataset_name(i)); i++) {
        char label[DATASET_NAME + 16];
        snprintf(label, sizeof label, "data set %s", name);
        if (i == 0 || source_has_folder(known_set_at(i)))
            missing += report(o, &(struct check){label, look_dataset, name});
        else
            text_list_add(absent, sizeof absent, ", ", name);
    }
    if (absent[0])
        report(o, &(struct check){"data sets not here", look_absent, absent});
    return missing;
}

/* Read a data set whole, which checks every file of it, and say what is in it. */
static int read_dataset(const struct options *o, const char *name, struct error *e) {
    struct dataset d;
    if (dataset_open(&d, name, e))
        return EXIT_FAILED;
    if (!o->quiet)
        printf("%-7s  data set %s: %u training and %u test images of %d x %d x %d, %d classes\n",
               verdict_names[VERDICT_OK], d.name, d.split[SPLIT_TRAIN].n, d.split[SPLIT_TEST].n,
               d.shape.c, d.shape.h, d.shape.w, d.classes);
    dataset_close(&d);
    return EXIT_DONE;
}

int verb_check(struct options *o, struct error *e) {
    const char *data = NULL;
    const struct option_row rows[] = {{"--data", "NAME", NULL,
                                       "read this data set whole instead, and say what is in it",
                                       &data, NULL},
                                      {0}};
    int helped;
    int operands =
        verb_parse(o, "check [--data NAME] [--db FILE] [--quiet]",
                   "Says what this machine has and lacks. Exit status 0: everything that the "
                   "main job needs is there.",
                   rows, &helped, e);
    if (helped)
        return EXIT_DONE;
    if (operands > 0)
        fail(e, "check: takes no operand, but got '%.64s'", o->argv[1]);
    if (operands)
        return EXIT_USAGE;
    if (data)
        return read_dataset(o, data, e);
    int missing = 0;
    for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++)
        missing += report(o, &checks[i]);
    missing += report_datasets(o);
    if (!missing)
        return EXIT_DONE;
    fail(e,
         "check: %d of the things that the main job needs %s missing; the lines above say what to "
         "do",
         missing, missing == 1 ? "is" : "are");
    return EXIT_FAILED;
}
