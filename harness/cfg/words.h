/* Quoting a cfg in a message. */
#ifndef CFG_WORDS_H
#define CFG_WORDS_H

/* The start of `s`, fit for a message of one line: bytes that do not print become '?'. */
struct excerpt {
    char text[44];
};
struct excerpt cfg_excerpt(const char *s);

#endif
