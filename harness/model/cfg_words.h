/* What messages about a cfg need: quoting input safely, and naming the known word that is nearest
 * to an unknown one. */
#ifndef MODEL_CFG_WORDS_H
#define MODEL_CFG_WORDS_H

/* The start of `s`, fit for a message of one line: bytes that do not print become '?'. */
struct excerpt {
    char text[44];
};
struct excerpt cfg_excerpt(const char *s);

/* Search for the candidate with the fewest edits to `word`. */
struct nearest {
    const char *word;
    const char *best; // NULL: none is near enough to be meant
    int edits;
};
struct nearest cfg_nearest(const char *word);
void cfg_nearest_try(struct nearest *n, const char *candidate);

#endif
