/* Quoting safely; words.h is the manual. */
#include "cfg/words.h"

#include <string.h>

struct excerpt cfg_excerpt(const char *s) {
    struct excerpt x = {""};
    size_t n = 0;
    for (; n < sizeof x.text - 4 && s[n]; n++)
        x.text[n] = s[n] >= ' ' && s[n] <= '~' ? s[n] : '?';
    strcpy(x.text + n, s[n] ? "..." : "");
    return x;
}
