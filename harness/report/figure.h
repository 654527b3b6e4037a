/* Figures: their numbers, as CSV, and what is said below them. What a figure consists of lies in
 * plots/: NAME.sql, whose rows are its numbers, NAME-caption.sql and NAME.gp, which draws it. The
 * first two travel inside the program; plots/README.md says how to write them. */
#ifndef REPORT_FIGURE_H
#define REPORT_FIGURE_H

#include "report/export.h"

enum { FIGURE_NAME = 64 };

/* The name of figure i, from 0, in alphabetical order; one whose query asks for :calibrated has a
 * twin NAME-calibrated, which follows it. 0 behind the last. */
int figure_name(int i, char name[FIGURE_NAME]);

/* Whether there is such a figure; whether it has a twin. */
int figure_exists(const char *name);
int figure_is_calibratable(const char *name);

/* Who is given figures. `take` gets one with its numbers and its caption, both of whole lines, and
 * returns -1 with a message to end it all. `note`: on return, what the user has to know of all of
 * them: which runs are not drawn, since a figure is of one split. */
struct figure_taker {
    int (*take)(const char *name, const char *numbers, const char *caption, void *to,
                struct error *e);
    void *to;
    char note[160];
};

/* The figure request->figure or, where that is NULL, each that has numbers, all of one state of the
 * database and of one split. -1, or EXPORT_NOTHING as export_table: when it has no numbers, or when
 * no run was evaluated on the split. */
int export_figures(struct store *s, const struct export_request *request,
                   struct figure_taker *taker, struct error *e);

#endif
