/* Waiting threads; threads.h is the manual. */
#include "base/threads.h"

#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

void threads_wait_briefly(char **argv) {
    if (getenv("OMP_WAIT_POLICY") || getenv("GOMP_SPINCOUNT") ||
        setenv("GOMP_SPINCOUNT", "10000", 1) || setenv("OPENBLAS_NUM_THREADS", "1", 0))
        return;
    char self[PATH_MAX]; // by its own name, which ps and killall then know it by
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    self[n > 0 ? n : 0] = '\0';
    execv(self, argv);
}
