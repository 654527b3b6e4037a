/* Quoting and suggesting for the messages about a cfg; cfg_words.h is the manual. */
#include "model/cfg_words.h"

#include <string.h>

enum { WORD_MAX = 32 }; // no known word is longer

struct excerpt cfg_excerpt(const char *s) {
    struct excerpt x = {""};
    size_t n = 0;
    for (; n < sizeof x.text - 4 && s[n]; n++)
        x.text[n] = s[n] >= ' ' && s[n] <= '~' ? s[n] : '?';
    strcpy(x.text + n, s[n] ? "..." : "");
    return x;
}

static int min3(int a, int b, int c) {
    int ab = a < b ? a : b;
    return ab < c ? ab : c;
}

/* Levenshtein's distance, one row of the table at a time. */
static int edits_between(const char *a, const char *b) {
    int row[WORD_MAX + 1], n = (int)strlen(b);
    for (int j = 0; j <= n; j++)
        row[j] = j;
    for (int i = 1; a[i - 1]; i++) {
        int diagonal = row[0];
        row[0] = i;
        for (int j = 1; j <= n; j++) {
            int above = row[j];
            row[j] = min3(above + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1]));
            diagonal = above;
        }
    }
    return row[n];
}

struct nearest cfg_nearest(const char *word) {
    int n = (int)strlen(word);
    // More edits than this, and the suggestion would be a guess.
    return (struct nearest){word, NULL, n > WORD_MAX ? 0 : n / 3 + 1};
}

void cfg_nearest_try(struct nearest *n, const char *candidate) {
    if (strlen(n->word) > WORD_MAX || strlen(candidate) > WORD_MAX)
        return;
    int edits = edits_between(n->word, candidate);
    if (edits < n->edits) {
        n->edits = edits;
        n->best = candidate;
    }
}
