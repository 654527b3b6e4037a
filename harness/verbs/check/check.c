/* truncquant check: what this machine has and lacks, in plain words. One table of checks; each
 * looks at one thing and says what it found, and where something lacks, how to get it. It changes
 * nothing on the machine, and installs nothing (where it reads a database, SQLite may leave an
 * empty -wal beside it). */
#include "verbs/check/check.h"

#include "base/cores.h"
#include "base/text.h"
#include "data/dataset.h"
#include "data/images/names.h"
#include "data/source.h"
#include "engine/engine.h"
#include "run/trial.h"

#include <stdarg.h>
#include <stdio.h>

static const char *const verdict_names[] = {"ok", "missing", "note"};

struct check {
    const char *name;
    look *look;
    const void *detail; // for `look`; may be NULL
};

void say(struct report *r, enum verdict verdict, const char *format, ...) {
    va_list args;
    va_start(args, format);
    vsnprintf(r->text, sizeof r->text, format, args);
    va_end(args);
    r->verdict = verdict;
}

static void look_absent(const struct options *o, const void *detail, struct report *r) {
    (void)o;
    say(r, VERDICT_NOTE, "%s; scripts/data.sh NAME fetches one", (const char *)detail);
}

static void look_names(const struct options *o, const void *detail, struct report *r) {
    (void)o;
    say(r, VERDICT_OK, "%s", (const char *)detail);
}

/* What computing needs. */
static const struct check computing[] = {
    {"Darknet", look_darknet, NULL},         {"OpenBLAS", look_openblas, NULL},
    {"oneDNN", look_engine, &engine_onednn}, {"SQLite", look_sqlite, NULL},
    {"JPEG and PNG", look_images, NULL},     {"data formats", look_formats, NULL},
    {"processor", look_processor, NULL},     {"instructions", look_instructions, NULL},
    {"memory", look_memory, NULL},
};

static const struct check others[] = {
    {"gnuplot", look_needed, "gnuplot"},
    {"GNU parallel", look_needed, "GNU parallel"},
    {"bash", look_needed, "bash"},
    {"curl", look_needed, "curl"},
    {"unzip", look_needed, "unzip"},
    {"pdflatex", look_needed, "pdflatex"},
    {"sqlite3 tool", look_needed, "sqlite3 tool"},
    {"cache folder", look_cache, NULL},
    {"database folder", look_database, NULL},
    {"data folders", look_data_folder, NULL},
};

/* Returns 1 when something that the main job needs is missing. */
static int report_check(const struct options *o, const struct check *check) {
    struct report r = {0};
    char name[NAME_MAX + 16]; // of a folder, too, as is what is said of it
    check->look(o, check->detail, &r);
    snprintf(name, sizeof name, "%s", check->name);
    text_mask_controls(name, "");
    text_mask_controls(r.text, "");
    if (!o->quiet || r.verdict == VERDICT_MISSING)
        printf("%-7s  %s: %s\n", verdict_names[r.verdict], name, r.text);
    fflush(stdout); // before the next check forks
    return r.verdict == VERDICT_MISSING;
}

/* Data sets that are here or half here, and the one that the demo needs, get a line each, the
 * others one together. */
static int report_datasets(const struct options *o) {
    const char *name;
    char absent[512] = "";
    int missing = 0;
    for (int i = 0; (name = dataset_name(i)); i++) {
        char label[DATASET_NAME + 16];
        snprintf(label, sizeof label, "data set %s", name);
        if (i == 0 || source_has_folder(known_set_at(i)))
            missing += report_check(o, &(struct check){label, look_dataset, name});
        else
            text_list_add(absent, sizeof absent, ", ", name);
    }
    if (absent[0])
        report_check(o, &(struct check){"data sets not here", look_absent, absent});
    return missing;
}

/* For scripts: silent when that tool will do, else why not, and what to do. */
static int check_tool(const char *name, struct error *e) {
    const struct needed *n = needed_find(name);
    if (!n || !n->command) {
        fail(e, "check: --tool takes a tool that 'truncquant check' names, not '%.64s'", name);
        return EXIT_USAGE;
    }
    struct report r = {0};
    look_needed(NULL, name, &r);
    if (r.verdict == VERDICT_OK)
        return EXIT_DONE;
    fail(e, "%s: %.512s", name, r.text);
    return EXIT_FAILED;
}

static void look_no_set(const struct options *o, const void *detail, struct report *r) {
    (void)o;
    say(r, VERDICT_NOTE, "%s; images belong in NAME/train/CLASS and NAME/test/CLASS",
        (const char *)detail);
}

/* A line for each of the first folders of images in $TRUNCQUANT_DATA; none of them is needed. */
static void report_image_folders(const struct options *o) {
    enum { SHOWN = 20 };
    struct names sets, others;
    char rest[512] = "", none[512] = "";
    find_own_folders(&sets, &others);
    for (size_t i = 0; i < sets.n; i++) {
        char label[NAME_MAX + 16];
        snprintf(label, sizeof label, "image folder %s", sets.name[i]);
        if (i < SHOWN)
            report_check(o, &(struct check){label, look_image_folder, sets.name[i]});
        else
            text_list_add(rest, sizeof rest, ", ", sets.name[i]);
    }
    for (size_t i = 0; i < others.n; i++)
        text_list_add(none, sizeof none, ", ", others.name[i]);
    if (rest[0])
        report_check(o, &(struct check){"more image folders", look_names, rest});
    if (none[0])
        report_check(o, &(struct check){"no data sets", look_no_set, none});
    names_free(&sets);
    names_free(&others);
}

/* Read a data set whole, which checks every file of it, and say what is in it. */
static int read_dataset(const struct options *o, const char *name, struct error *e) {
    struct dataset d;
    if (dataset_open_checked(&d, name, 0, e))
        return EXIT_FAILED;
    if (!o->quiet)
        printf("%-7s  data set %s: %u training and %u test images of %d x %d x %d, %d classes\n",
               verdict_names[VERDICT_OK], d.name, d.split[SPLIT_TRAIN].n, d.split[SPLIT_TEST].n,
               d.shape.c, d.shape.h, d.shape.w, d.classes);
    dataset_close(&d);
    return EXIT_DONE;
}

static int check_trial(const char *path, struct error *e) {
    int stopped = trial_check(path, e);
    return stopped < 0 ? EXIT_FAILED : stopped ? EXIT_STOPPED : EXIT_DONE;
}

static int report_checks(const struct options *o, const struct check *table, size_t n) {
    int missing = 0;
    for (size_t i = 0; i < n; i++)
        missing += report_check(o, &table[i]);
    return missing;
}

static int conclude(int missing, const char *needs, struct error *e) {
    if (!missing)
        return EXIT_DONE;
    fail(e, "check: %d of the things that %s %s missing; the lines above say what to do", missing,
         needs, missing == 1 ? "is" : "are");
    return EXIT_FAILED;
}

static int check_all(const struct options *o, struct error *e) {
    int missing = report_checks(o, computing, sizeof computing / sizeof *computing) +
                  report_checks(o, others, sizeof others / sizeof *others) + report_datasets(o);
    report_image_folders(o);
    return conclude(missing, "the main job needs", e);
}

static int check_for_grid(const struct options *o, const char *grid, struct error *e) {
    int missing = report_checks(o, computing, sizeof computing / sizeof *computing);
    if (missing)
        return conclude(missing, "computing needs", e);
    return check_grid(o, grid, e) ? EXIT_FAILED : EXIT_DONE;
}

int verb_check(struct options *o, struct error *e) {
    const char *data = NULL, *tool = NULL, *trial = NULL, *grid = NULL;
    int cores = 0;
    const struct option_row rows[] = {
        {"--data", "NAME", NULL, "read this data set whole instead, and say what is in it", &data,
         NULL},
        {"--tool", "NAME", NULL, "look at this tool alone, such as gnuplot; silent when it will do",
         &tool, NULL},
        {"--cores", NULL, NULL, "print how many cores a process may use here, and no more", NULL,
         &cores},
        {"--grid", "NAME", NULL,
         "look instead at what computing needs, and at the data sets of the runs of that grid in "
         "--db",
         &grid, NULL},
        {"--trial", "FILE", NULL,
         "status 5, with the reason, once the first runs on that trial (run --help) all failed",
         &trial, NULL},
        {0}};
    int helped;
    int operands =
        verb_parse(o,
                   "check [--data NAME | --tool NAME | --cores | --grid NAME | --trial FILE] [--db "
                   "FILE] [--quiet]",
                   "Says what this machine has and lacks. Exit status 0: everything that the "
                   "main job needs is there.",
                   rows, &helped, e);
    if (helped)
        return EXIT_DONE;
    if (operands > 0)
        fail(e, "check: takes no operand, but got '%.64s'", o->argv[1]);
    if (operands)
        return EXIT_USAGE;
    if (cores)
        return printf("%d\n", cores_usable()), EXIT_DONE;
    if (tool)
        return check_tool(tool, e);
    if (trial)
        return check_trial(trial, e);
    if (data)
        return read_dataset(o, data, e);
    if (grid)
        return check_for_grid(o, grid, e);
    return check_all(o, e);
}
