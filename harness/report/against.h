/* The reference of a comparison as people name it: a scheme, and what else it has. */
#ifndef REPORT_AGAINST_H
#define REPORT_AGAINST_H

#include "base/error.h"
#include "quant/quantizer.h"

struct against {
    char *scheme;   // owned
    char *settings; // as struct export_request wants them; owned; NULL: none
};

/* "qat" or "qat align=0 widths=\"1 2 4\"": the scheme's label and KEY=VALUE of spec/spec.h. -1 when
 * a key or value is unknown; free with against_free whatever comes back. */
int against_read(struct against *a, const struct quantizer *const *table, const char *text,
                 struct error *e);
void against_free(struct against *a);

#endif
