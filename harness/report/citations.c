/* The papers of the registry as BibTeX; schemes.h is the manual. */
#include "report/schemes.h"

static int describes(const struct paper *paper, const struct quantizer *q) {
    for (int i = 0; i < PAPERS; i++)
        if (q->papers[i] == paper)
            return 1;
    return 0;
}

static int is_first(const struct quantizer *const *table, const struct quantizer *const *at,
                    const struct paper *paper) {
    for (; table < at; table++)
        if (describes(paper, *table))
            return 0;
    return 1;
}

static void print_paper(const struct quantizer *const *table, const struct paper *p, FILE *out) {
    const char *comma = "% ";
    for (; *table; table++)
        if (describes(p, *table)) {
            fprintf(out, "%s%s", comma, (*table)->name);
            comma = ", ";
        }
    fprintf(out, "\n@misc{%s,\n  title = {%s},\n  author = {%s},\n  year = {%d},\n", p->key,
            p->title, p->authors, p->year);
    fprintf(out, "  eprint = {%s},\n  archivePrefix = {arXiv},\n", p->arxiv);
    if (p->venue)
        fprintf(out, "  note = {%s},\n", p->venue);
    fputs("}\n\n", out);
}

void scheme_print_citations(const struct quantizer *const *table, FILE *out) {
    for (const struct quantizer *const *q = table; *q; q++)
        for (int i = 0; i < PAPERS; i++)
            if ((*q)->papers[i] && is_first(table, q, (*q)->papers[i]))
                print_paper(table, (*q)->papers[i], out);
}
