/* Where relative paths of a grid lead; paths.h is the manual. */
#include "plan/paths.h"

#include "cfg/find.h"
#include "spec/init.h"

#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char *value_of(struct spec *spec, const struct spec_key *key) {
    return (char *)spec + key->offset;
}

/* The path in a value, which for `init` may have a hash behind it; 0 when it is a name. */
static int path_in(const struct spec *spec, const struct spec_key *key, char path[SPEC_TEXT]) {
    if (key->type == KEY_FILE) {
        init_path(spec, path);
        return init_is_given(spec);
    }
    const char *value = (const char *)spec + key->offset;
    snprintf(path, SPEC_TEXT, "%s", value);
    return strchr(value, '/') || (!strcmp(key->name, "network") && network_is_path(value));
}

static int put_path(struct spec *spec, const struct spec_key *key, const char *path,
                    struct error *e) {
    char hash[HASH_HEX] = "";
    if (strlen(path) >= SPEC_TEXT)
        return fail(e, "%s is a path of more than %d bytes; move it to a shorter one", path,
                    SPEC_TEXT - 1);
    if (key->type == KEY_FILE && init_hash(spec))
        snprintf(hash, sizeof hash, "%s", init_hash(spec));
    strcpy(value_of(spec, key), path);
    if (hash[0])
        init_pin(spec, hash);
    return 0;
}

int path_beside_grid(struct spec *spec, const struct spec_key *key, const char *grid,
                     struct error *e) {
    char path[SPEC_TEXT], beside[2 * PATH_MAX], *copy;
    if (!path_in(spec, key, path) || path[0] == '/')
        return 0;
    copy = need_string(grid);
    const char *folder = dirname(copy);
    int is_here = !strcmp(folder, ".");
    snprintf(beside, sizeof beside, "%s/%s", folder, path);
    free(copy);
    return is_here || access(beside, F_OK) ? 0 : put_path(spec, key, beside, e);
}

int path_to_record(struct spec *spec, const struct spec_key *key, struct error *e) {
    char path[SPEC_TEXT];
    if (!path_in(spec, key, path) || path[0] == '/')
        return 0;
    char *absolute = realpath(path, NULL);
    int rc = absolute ? put_path(spec, key, absolute, e) : 0;
    free(absolute);
    return rc;
}
