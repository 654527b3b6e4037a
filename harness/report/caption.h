/* Captions: what all rows of a table, or curves of a figure, have in common, and which versions of
 * the program they come from. The same sentence stands below tables of every format and below
 * figures. */
#ifndef REPORT_CAPTION_H
#define REPORT_CAPTION_H

#include "report/query.h"

/* "resnet8 on fashion-mnist; 8,192 training images, 2 epochs, Adam, learning rate 0.001, cosine
 * schedule, batch 128; test split, 1,000 images; n = 2 seeds". What rows differ in is left out, as
 * they name it, but for a value that most of them have: "; unless named otherwise: widths=1 2 4 8
 * 32". Goes by the table `shown` and by the ranges of r->wide. Owned by the caller; NULL with a
 * message. */
char *caption_recipe(const struct report *r, struct error *e);

/* "commit: abc", "commits: abc, def", "trained by commit abc, evaluated by commit def". `brief`:
 * without a colon, the first ten digits, and a number where there are more than three. Likewise. */
char *caption_commits(const struct report *r, int brief, struct error *e);

/* A text in lines that fit below a picture, broken behind a part of it or, where that has no room
 * in a line, behind a word. */
void caption_print_lines(const char *text, FILE *out);

#endif
