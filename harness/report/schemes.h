/* How tables and figures show schemes, as each quantizer says of itself (struct look), and the
 * papers that describe them. A scheme without a place of its own, of another version of the program
 * or a user's, has a colour and a mark that its name alone decides, so that it keeps them whoever
 * stands beside it; no registered scheme has these. */
#ifndef REPORT_SCHEMES_H
#define REPORT_SCHEMES_H

#include "quant/quantizer.h"
#include "store/store.h"

/* The name of a mark, as plots/style.gp knows it. */
const char *scheme_mark_name(enum mark mark);

/* The number of a scheme's colour and mark in the rows of figures: its place, or one from
 * STYLE_BY_NAME on. */
enum { STYLE_BY_NAME = 101 };
int scheme_style(const struct quantizer *const *table, const char *scheme);

/* All numbers there are, as CSV: style, scheme ("" where its name decides), title, colour, mark. */
void scheme_print_styles(const struct quantizer *const *table, FILE *out);

/* In a transaction that will be rolled back: puts places and styles of the schemes in the database
 * and in the registry in the place of the view scheme_places. */
int scheme_declare(struct store *s, const struct quantizer *const *table, struct error *e);

/* Every paper of the registry once, as BibTeX, with the schemes that it describes. */
void scheme_print_citations(const struct quantizer *const *table, FILE *out);

#endif
