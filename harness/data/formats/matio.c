/* Loading libmatio; matio.h is the manual. The build says by which name the loader finds the one
 * whose header it has seen. */
#include "data/formats/matio.h"

#include <dlfcn.h>
#include <stddef.h>
#include <string.h>

static const struct {
    const char *name;
    size_t offset;
} functions[] = {
    {"Mat_Open", offsetof(struct matio_library, open)},
    {"Mat_Close", offsetof(struct matio_library, close)},
    {"Mat_GetVersion", offsetof(struct matio_library, version)},
    {"Mat_VarReadInfo", offsetof(struct matio_library, read_info)},
    {"Mat_VarReadDataAll", offsetof(struct matio_library, read_data)},
    {"Mat_VarFree", offsetof(struct matio_library, free)},
    {"Mat_GetLibraryVersion", offsetof(struct matio_library, library_version)},
};

const struct matio_library *matio_library(struct error *e) {
    static struct matio_library library;
    if (library.library_version)
        return &library;
    void *handle = dlopen(MATIO_LIBRARY, RTLD_NOW | RTLD_LOCAL);
    if (!handle) {
        fail(e, "libmatio cannot be loaded (%s); install the package libmatio-dev and build again",
             dlerror());
        return NULL;
    }
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
        void *address = dlsym(handle, functions[i].name);
        if (!address) {
            fail(e, "%s has no %s; install the package libmatio-dev and build again", MATIO_LIBRARY,
                 functions[i].name);
            return NULL;
        }
        // POSIX lets a data pointer from dlsym be read as a function's; ISO C has no cast for it.
        memcpy((char *)&library + functions[i].offset, &address, sizeof address);
    }
    return &library;
}
