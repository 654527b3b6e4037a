/* For messages: the known word most like a mistyped one ("did you mean ...?"). */
#ifndef BASE_NEAREST_H
#define BASE_NEAREST_H

struct nearest {
    const char *word, *best;
    int distance;
};

struct nearest nearest_start(const char *word);
void nearest_offer(struct nearest *n, const char *known);

/* The best offer, or NULL when none is like the word (more than a third of its letters differ). */
const char *nearest_best(const struct nearest *n);

#endif
