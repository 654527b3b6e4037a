/* What is said below the tables of accuracies.c: a function for each thing that can be said, which
 * adds a line (or more) to the table where it is true of the report, or nothing. Which notes a
 * table has, and their order, stands in lists in accuracies.c: another is a function here and its
 * name there. */
#ifndef REPORT_NOTES_H
#define REPORT_NOTES_H

#include "report/query.h"

/* Returns -1 with a message when the database cannot be read. */
typedef int report_note(const struct report *r, struct table *t, struct error *e);

/* What the numbers are. */
report_note note_accuracy, note_difference, note_drop, note_reduction, note_ablation, note_authors;
/* What columns and spreads are. */
report_note note_layers, note_best, note_widths, note_deviation, note_n_deviation, note_half,
    note_bootstrap;
/* What else has to be known before rows are compared. */
report_note note_borrowed, note_borrowed_in_pairs, note_activations, note_activations_in_pairs;
report_note note_left_out, note_differing;
/* What the numbers come from. */
report_note note_other_split, note_missing, note_stale, note_diverged, note_recipe, note_commits;

#endif
