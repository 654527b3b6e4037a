/* Exporting figures; export_figures.h is the manual. The work is in report/figure.h. */
#include "verbs/export_figures.h"

#include "base/file.h"
#include "report/figure.h"
#include "verbs/database.h"
#include "verbs/output.h"

#include <stdlib.h>
#include <string.h>

void export_figure_names(void) {
    char name[FIGURE_NAME];
    for (int i = 0; figure_name(i, name); i++)
        puts(name);
}

static int is_standard(const char *path) {
    return !path || !strcmp(path, "-");
}

static int write_text(const char *path, const char *text, struct error *e) {
    if (!is_standard(path))
        return file_replace(path, text, strlen(text), e);
    fputs(text, stdout); // main looks whether that worked
    return 0;
}

struct places {
    const char *output, *caption;
};

static int write_one(const char *name, const char *numbers, const char *caption, void *to,
                     struct error *e) {
    const struct places *p = to;
    (void)name;
    if (p->caption && write_text(p->caption, caption, e))
        return -1;
    if (p->caption && is_standard(p->caption) && !p->output)
        return 0;
    return write_text(p->output, numbers, e);
}

/* FOLDER/NAME.SUFFIX; the caller frees. */
static char *file_in(const char *folder, const char *name, const char *suffix) {
    char *path;
    size_t size;
    FILE *out = need_stream(&path, &size);
    fprintf(out, "%s/%s.%s", folder, name, suffix);
    fclose(out);
    return path;
}

static int write_in_folder(const char *name, const char *numbers, const char *caption, void *to,
                           struct error *e) {
    const struct places *p = to;
    char *csv = file_in(p->output, name, "csv"), *txt = file_in(p->output, name, "txt");
    int status = file_make_folder(p->output, e);
    if (!status)
        status = write_text(csv, numbers, e) || write_text(txt, caption, e) ? -1 : 0;
    if (!status)
        puts(name);
    free(csv);
    free(txt);
    return status;
}

/* ---- what must not be replaced ---- */

static int check_one(const char *path, const char *db, const char *grid, struct error *e) {
    return is_standard(path) ? 0 : output_check(path, db, grid, e);
}

static int check_folder(const char *folder, const char *db, const char *grid, struct error *e) {
    static const char *const suffixes[] = {"csv", "txt", NULL};
    char name[FIGURE_NAME];
    int status = 0;
    for (int i = 0; !status && figure_name(i, name); i++)
        for (int s = 0; !status && suffixes[s]; s++) {
            char *path = file_in(folder, name, suffixes[s]);
            status = output_check(path, db, grid, e);
            free(path);
        }
    return status;
}

static int check_places(const struct options *o, const struct export_request *request,
                        const char *grid, const struct places *p, struct error *e) {
    if (!request->figure)
        return check_folder(p->output, o->db, grid, e);
    return check_one(p->output, o->db, grid, e) || check_one(p->caption, o->db, grid, e) ? -1 : 0;
}

int export_figure_files(const struct options *o, const struct export_request *request,
                        const char *grid_file, const char *output, const char *caption,
                        struct error *e) {
    struct places places = {output, caption};
    struct figure_taker taker = {.take = request->figure ? write_one : write_in_folder,
                                 .to = &places};
    if (check_places(o, request, grid_file, &places, e))
        return EXIT_FAILED;
    struct store *s = verb_open_store(o, STORE_READ, e);
    int status = s ? export_figures(s, request, &taker, e) : -1;
    store_close(s);
    if (!status && taker.note[0] && !o->quiet)
        fprintf(stderr, "truncquant: %s\n", taker.note);
    return status < 0 ? EXIT_FAILED : status == EXPORT_NOTHING ? EXIT_NOTHING : EXIT_DONE;
}
