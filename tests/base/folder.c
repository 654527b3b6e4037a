/* Temporary folders; folder.h is the manual. */
#include "base/folder.h"

#include <dirent.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

void folder_make(char path[FOLDER_PATH]) {
    const char *where = getenv("TMPDIR");
    snprintf(path, FOLDER_PATH, "%s/truncquant-test-XXXXXX", where ? where : "/tmp");
    if (!mkdtemp(path)) {
        perror(path);
        abort();
    }
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw) {
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

void folder_remove(const char *path) {
    nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

char test_folder[FOLDER_PATH];

int test_folder_start(void **state) {
    (void)state;
    folder_make(test_folder);
    return 0;
}

int test_folder_end(void **state) {
    (void)state;
    folder_remove(test_folder);
    return 0;
}

const char *folder_file(const char *folder, const char *name) {
    static char paths[4][2 * FOLDER_PATH];
    static int turn;
    turn = (turn + 1) % 4;
    snprintf(paths[turn], sizeof paths[turn], "%s/%s", folder, name);
    return paths[turn];
}

int folder_count(const char *path) {
    DIR *entries = opendir(path);
    int n = 0;
    for (struct dirent *entry; entries && (entry = readdir(entries));)
        n += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    if (entries)
        closedir(entries);
    return n;
}

void folder_limit_files(long bytes) {
    struct rlimit limit = {.rlim_cur = (rlim_t)bytes, .rlim_max = (rlim_t)bytes};
    signal(SIGXFSZ, SIG_IGN);
    if (setrlimit(RLIMIT_FSIZE, &limit))
        abort();
}
