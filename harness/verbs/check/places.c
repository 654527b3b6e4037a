/* Folders, the database and data sets; check.h is the manual. */
#include "data/cache.h"
#include "data/prepared.h"
#include "data/source.h"
#include "run/folder.h"
#include "store/store.h"
#include "verbs/check/check.h"

#include <errno.h>
#include <libgen.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

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
void look_folder(const char *folder, const char *advice, struct report *r) {
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

void look_cache(const struct options *o, const void *detail, struct report *r) {
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
    int rc = s ? run_folder_check(s, e) : -1;
    store_close(s);
    return rc;
}

void look_database(const struct options *o, const void *detail, struct report *r) {
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
void look_data_folder(const struct options *o, const void *detail, struct report *r) {
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

void look_dataset(const struct options *o, const void *detail, struct report *r) {
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
