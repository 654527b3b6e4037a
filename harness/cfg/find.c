/* Finding networks; find.h is the manual. It does not read them (cfg/cfg.h does). */
#include "cfg/find.h"

#include "base/file.h"
#include "base/nearest.h"
#include "base/text.h"

#include <dirent.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FOLDERS = 3 };

struct folders {
    char path[FOLDERS][PATH_MAX + 64];
    int n;
};

static void folder_of_executable(char *folder, size_t size) {
    char path[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
    path[n > 0 ? n : 0] = '\0';
    snprintf(folder, size, "%s", n > 0 ? dirname(path) : ".");
}

static struct folders where_to_look(void) {
    struct folders f = {.n = FOLDERS};
    char here[PATH_MAX];
    folder_of_executable(here, sizeof here);
    snprintf(f.path[0], sizeof f.path[0], "experiments/networks");
    snprintf(f.path[1], sizeof f.path[1], "%s/../experiments/networks", here);
    if (access(f.path[1], F_OK)) // an installed program
        snprintf(f.path[1], sizeof f.path[1], "%s/../share/truncquant/experiments/networks", here);
    snprintf(f.path[2], sizeof f.path[2], "/usr/share/darknet/cfg");
    return f;
}

static int ends_in_cfg(const char *name) {
    size_t n = strlen(name);
    return n > 4 && !strcmp(name + n - 4, ".cfg");
}

static int is_cfg(const struct dirent *d) {
    return ends_in_cfg(d->d_name);
}

int network_is_path(const char *network) {
    return strchr(network, '/') || ends_in_cfg(network);
}

void network_label(const char *network, char *label, size_t size) {
    const char *slash = strrchr(network, '/');
    const char *base = slash ? slash + 1 : network;
    int n = (int)(strlen(base) - (ends_in_cfg(base) ? 4 : 0));
    snprintf(label, size, "%.*s", n, base);
}

/* What to suggest when a network was not found. */
struct suggestions {
    struct nearest near;
    char best[NAME_MAX + 1]; // the name that near.best was; NUL: none
    char known[256];         // names of the harness's own networks
};

static void suggest(struct suggestions *s, const char *name, int list) {
    int before = s->near.distance;
    nearest_offer(&s->near, name);
    if (s->near.distance < before)
        s->near.best = strcpy(s->best, name);
    if (list)
        text_list_add(s->known, sizeof s->known, ", ", name);
}

static void suggest_folder(struct suggestions *s, const char *folder, int list) {
    struct dirent **found;
    int n = scandir(folder, &found, is_cfg, alphasort);
    for (int i = 0; i < n; i++) {
        char label[NAME_MAX + 1];
        network_label(found[i]->d_name, label, sizeof label);
        suggest(s, label, list);
        free(found[i]);
    }
    if (n >= 0)
        free(found);
}

static int not_found(const char *network, const struct folders *f, struct error *e) {
    struct suggestions s = {.near = nearest_start(network)};
    for (int i = 0; i < f->n; i++) // those of the first folder that has any are listed
        suggest_folder(&s, f->path[i], i < f->n - 1 && !s.known[0]);
    const char *like = nearest_best(&s.near) ? s.best : NULL;
    return fail(e, "network '%s' is not in %s, %s or %s; %s%s%sthe harness has %s", network,
                f->path[0], f->path[1], f->path[2], like ? "did you mean " : "", like ? like : "",
                like ? "? " : "", s.known[0] ? s.known : "none there");
}

int network_find(const char *network, char *path, size_t size, struct error *e) {
    if (network_is_path(network)) {
        snprintf(path, size, "%s", network);
        return file_exists(path) ? 0
                                 : fail(e,
                                        "network file %s cannot be read; check its name and "
                                        "permissions",
                                        network);
    }
    struct folders f = where_to_look();
    for (int i = 0; i < f.n; i++) {
        int n = snprintf(path, size, "%s/%s.cfg", f.path[i], network);
        if (n > 0 && (size_t)n < size && file_exists(path))
            return 0;
    }
    return not_found(network, &f, e);
}
