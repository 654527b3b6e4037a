/* Strict numbers from text, lists of bit-widths, and places in lists of names. Nothing here accepts
 * trailing characters, and nothing reads a word as 0. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stddef.h>
#include <stdio.h>

/* A set of bit-widths, ascending, without repeats: 1 ... 8 and 32. */
enum { WIDTHS_MAX = 9, FLOAT_BITS = 32 };
struct widths {
    int n;
    int bits[WIDTHS_MAX]; // ascending
};

/* The whole of `s` as a decimal integer in [lo, hi]; 0, or -1 when it is not one. */
int text_int(const char *s, long lo, long hi, long *value);

/* The whole of `s` as "A..B" with lo <= A <= B <= hi; 0, or -1 when it is not such a range. */
int text_range(const char *s, long lo, long hi, long *first, long *last);

/* The whole of `s` as a finite decimal number; 0, or -1. Independent of the locale's point. */
int text_real(const char *s, double *value);

/* Widths separated by blanks, in any order, "1..4" for 1 2 3 4; 0, or -1 when a member is no width
 * or stands twice. */
int text_widths(const char *s, struct widths *w);

/* The shortest decimal form of `x` that reads back as the same double ("0.1", "1e-05"); whole
 * numbers below 1e15 without an exponent ("100"). */
void text_print_real(double x, char *buffer, size_t size);

/* "1 2 4 8 32". */
void text_print_widths(const struct widths *w, char *buffer, size_t size);

/* The place of the width k in `w`, or -1. */
int widths_find(const struct widths *w, int k);

/* The place in `w` of the smallest width that is not below k, or else of the largest. */
int widths_bank(const struct widths *w, int k);

/* The place of `name` in `names`, which NULL ends, or -1. */
int text_find(const char *name, const char *const *names);

/* Append a word to a list, with `separator` between; a word that does not fit is left out. */
void text_list_add(char *list, size_t size, const char *separator, const char *word);

/* Control characters of `s`, those of UTF-8 beyond ASCII too, become '?': a terminal shows what it
 * would obey. Those in `kept` stay. */
void text_mask_controls(char *s, const char *kept);

/* fprintf of one line in which texts of a database, or of another file of somebody's, may stand:
 * their control characters are masked, line ends too but those at the end. */
void text_say(FILE *out, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* `s` without the blanks at both ends; writes into `s` and returns a pointer into it. */
char *text_trim(char *s);

#endif
