/* Likeness of words by Levenshtein's edit distance; nearest.h is the manual. */
#include "base/nearest.h"

#include <limits.h>
#include <string.h>

enum { LONGEST = 64 }; // of what is compared; longer words are like nothing

static int smaller(int a, int b) {
    return a < b ? a : b;
}

/* Insertions, deletions and replacements that lead from `a` to `b`, one row of the table at a time.
 */
static int edit_distance(const char *a, const char *b) {
    int row[LONGEST + 1];
    int n = (int)strlen(b);
    for (int j = 0; j <= n; j++)
        row[j] = j;
    for (int i = 1; a[i - 1]; i++) {
        int diagonal = row[0];
        row[0] = i;
        for (int j = 1; j <= n; j++) {
            int replaced = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            row[j] = smaller(replaced, smaller(row[j], row[j - 1]) + 1);
        }
    }
    return row[n];
}

struct nearest nearest_start(const char *word) {
    return (struct nearest){.word = word, .distance = INT_MAX};
}

void nearest_offer(struct nearest *n, const char *known) {
    if (strlen(n->word) > LONGEST || strlen(known) > LONGEST)
        return;
    int distance = edit_distance(n->word, known);
    if (distance < n->distance) {
        n->distance = distance;
        n->best = known;
    }
}

const char *nearest_best(const struct nearest *n) {
    int close = 1 + (int)strlen(n->word) / 3;
    return n->distance <= close ? n->best : NULL;
}
