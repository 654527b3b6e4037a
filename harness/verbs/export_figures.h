/* `truncquant export figure NAME` and `export figures`: numbers and captions, to files. */
#ifndef VERBS_EXPORT_FIGURES_H
#define VERBS_EXPORT_FIGURES_H

#include "report/export.h"
#include "verbs/verb.h"

/* The names of all figures, one per line. */
void export_figure_names(void);

/* The figure request->figure, its numbers to the file `output` (NULL or "-": standard output), its
 * caption to `caption` (NULL: nowhere; "-": standard output, where the numbers then are not, unless
 * `output` says where they go); or all figures into the folder `output`, as NAME.csv and NAME.txt,
 * with the names of those that have numbers on standard output. `grid_file`: as given on the
 * command line, which no file replaces; may be NULL. Returns an exit status. */
int export_figure_files(const struct options *o, const struct export_request *request,
                        const char *grid_file, const char *output, const char *caption,
                        struct error *e);

#endif
