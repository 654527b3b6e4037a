/* truncquant export: tables of results, to the terminal or to a file that is replaced whole. */
#include "report/export.h"

#include "base/file.h"
#include "base/text.h"
#include "plan/grid_name.h"
#include "report/against.h"
#include "report/chosen.h"
#include "report/figure.h"
#include "report/schemes.h"
#include "verbs/database.h"
#include "verbs/device/export_model.h"
#include "verbs/export_database.h"
#include "verbs/export_figures.h"
#include "verbs/export_weights.h"
#include "verbs/output.h"
#include "verbs/verb.h"

#include <stdlib.h>
#include <string.h>

struct choice {
    const char *what, *figure, *format_name, *grid, *split, *output, *reference, *bits, *caption,
        *notes, *run;
    const char *scheme, *panel, *widths; // as given; below, as a request has them, owned
    char *schemes, *panels, *shown_widths;
    char calibrated_name[64];
    int figures; // one (`figure`) or, where that is NULL, all
    const struct listing *listing;
    int calibrated, anonymous;
    enum export_format format;
    struct against against; // owned
};

/* What is printed of the quantizers themselves, without a database. */
static const struct listing {
    const char *name;
    void (*print)(const struct quantizer *const *table, FILE *out);
} listings[] = {{"citations", scheme_print_citations}, {"styles", scheme_print_styles}, {0}};

static int find_format(struct choice *c, struct error *e) {
    if (!c->format_name)
        return 0; // text
    for (int i = 0; i < EXPORT_FORMATS; i++)
        if (!strcmp(c->format_name, export_format_names[i])) {
            c->format = (enum export_format)i;
            return 0;
        }
    return fail(e, "export: --format %s is unknown; take text, csv, csv-wide, tex or md",
                c->format_name);
}

static int compares(const char *what) {
    return !strncmp(what, "differences", 11) || !strncmp(what, "reductions", 10);
}

static const char *name_calibrated(struct choice *c, const char *name) {
    snprintf(c->calibrated_name, sizeof c->calibrated_name, "%.48s-calibrated", name);
    return c->calibrated_name;
}

static int find_what(struct choice *c, const char *operand, struct error *e) {
    int place = text_find(operand, export_names);
    if (place < 0)
        return fail(e,
                    "export: '%.64s' cannot be exported; 'truncquant export --help' lists what can",
                    operand);
    c->what = export_names[place];
    if (c->calibrated && export_is_calibratable(c->what)) // NAME-calibrated is so already
        c->what = name_calibrated(c, c->what);
    return 0;
}

/* What is given, but says nothing about what is exported. */
static int check_options(const struct choice *c, struct error *e) {
    int weights = !strcmp(c->what, "weights"), model = export_model_is(c->what);
    int codes = !strcmp(c->what, "codes"), database = !strcmp(c->what, "database");
    int table = !weights && !model && !database && !c->figures && !c->listing;
    int chosen = c->figure || c->output; // of all figures, else, the names alone are listed
    int numbers = c->figures ? chosen : table;
    int of_split = c->figures ? chosen : export_is_of_split(c->what);
    const struct {
        int given, fits;
        const char *name, *with;
    } rules[] = {
        {c->format_name != NULL, table || codes, "--format", "tables"},
        {c->notes != NULL, table, "--notes", "tables"},
        {c->grid != NULL, numbers, "--grid", c->figures ? "--output FOLDER" : "tables"},
        {c->split != NULL, of_split, "--split",
         c->figures ? "--output FOLDER" : "tables of accuracies only"},
        {c->calibrated, c->figures ? c->figure != NULL : of_split || model, "--calibrated",
         c->figures ? "one figure" : "tables of accuracies, onnx, qonnx and codes only"},
        {c->caption != NULL, c->figure != NULL, "--caption", "one figure"},
        {c->scheme || c->panel || c->widths, c->figures && chosen,
         c->scheme  ? "--scheme"
         : c->panel ? "--panel"
                    : "--widths",
         "figures that are written"},
        {c->reference != NULL, compares(c->what), "--against", "differences and reductions"},
        {c->bits != NULL, weights || (model && !codes), "--bits", "weights, onnx and qonnx"},
        {c->anonymous, database, "--anonymous", "database"},
        {c->run != NULL, database, "--run", "database"},
    };
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        if (rules[i].given && !rules[i].fits)
            return fail(e, "export: %s goes with %s; leave it out", rules[i].name, rules[i].with);
    if (c->split && text_find(c->split, export_splits) < 0)
        return fail(e, "export: --split %.64s is unknown; take test or val", c->split);
    return 0;
}

/* What a figure shows. */
static int find_chosen(struct choice *c, struct error *e) {
    c->schemes = chosen_names("--scheme", c->scheme, e);
    if (!e->text[0])
        c->panels = chosen_names("--panel", c->panel, e);
    if (!e->text[0])
        c->shown_widths = chosen_widths("--widths", c->widths, e);
    return e->text[0] ? -1 : 0;
}

static int find_reference(struct choice *c, const struct quantizer *const *table, struct error *e) {
    return against_read(&c->against, table, c->reference ? c->reference : "qat", e);
}

struct text {
    char *text; // owned
    size_t size;
    FILE *out;
};

static int is_file(const char *path) {
    return path && strcmp(path, "-") != 0;
}

/* To a file, which is replaced whole, or to standard output. Frees the text. */
static int write_out(const char *path, struct text *t, int status, struct error *e) {
    fclose(t->out);
    if (!status && is_file(path))
        status = file_replace(path, t->text, t->size, e);
    else if (!status)
        fwrite(t->text, 1, t->size, stdout); // main looks whether that worked
    free(t->text);
    return status;
}

/* Into memory first: files are replaced whole or not at all. */
static int export_to_files(struct store *s, const struct choice *c,
                           const struct export_request *asked, struct error *e) {
    struct export_request request = *asked;
    struct text table = {0}, notes = {0};
    table.out = need_stream(&table.text, &table.size);
    if (c->notes)
        request.notes = notes.out = need_stream(&notes.text, &notes.size);
    int status = write_out(c->output, &table, export_table(s, &request, table.out, e), e);
    return c->notes ? write_out(c->notes, &notes, status, e) : status;
}

static int export_one_table(const struct options *o, const struct choice *c,
                            const struct export_request *request, struct error *e) {
    if ((is_file(c->output) && output_check(c->output, o->db, c->grid, e)) ||
        (is_file(c->notes) && output_check(c->notes, o->db, c->grid, e)))
        return EXIT_FAILED;
    struct store *s = verb_open_store(o, STORE_READ, e);
    int status = s ? export_to_files(s, c, request, e) : -1;
    store_close(s);
    return status < 0 ? EXIT_FAILED : status == EXPORT_NOTHING ? EXIT_NOTHING : EXIT_DONE;
}

static int export_listing(const struct options *o, const struct choice *c, struct error *e) {
    char *text;
    size_t size;
    int to_file = c->output && strcmp(c->output, "-") != 0, status = 0;
    if (to_file && output_check(c->output, o->db, NULL, e))
        return EXIT_FAILED;
    FILE *out = need_stream(&text, &size);
    c->listing->print(o->quantizers, out);
    fclose(out);
    if (to_file)
        status = file_replace(c->output, text, size, e);
    else
        fputs(text, stdout);
    free(text);
    return status ? EXIT_FAILED : EXIT_DONE;
}

static int export_chosen(const struct options *o, const struct choice *c, struct error *e) {
    char *grid = grid_name(c->grid, e);
    if (e->text[0])
        return EXIT_FAILED;
    const struct export_request request = {.quantizers = o->quantizers,
                                           .what = c->what,
                                           .figure = c->figure,
                                           .format = c->format,
                                           .grid = grid,
                                           .split = c->split,
                                           .schemes = c->schemes,
                                           .panels = c->panels,
                                           .widths = c->shown_widths,
                                           .against = c->against.scheme,
                                           .settings = c->against.settings};
    int status = EXIT_DONE;
    if (c->listing)
        status = export_listing(o, c, e);
    else if (c->figures && !c->figure && !c->output)
        export_figure_names();
    else if (c->figures)
        status = export_figure_files(o, &request, c->grid, c->output, c->caption, e);
    else
        status = export_one_table(o, c, &request, e);
    free(grid);
    return status;
}

static int export_grid(const struct options *o, struct choice *c, int operands, struct error *e) {
    c->what = "database";
    if (check_options(c, e))
        return EXIT_USAGE;
    if (operands == 2 && c->output && strcmp(c->output, "-") != 0)
        return export_database(o, o->argv[2], c->run, c->output, c->anonymous, e);
    fail(e, "export: database takes one grid (name or file) and --output FILE, which is not there");
    return EXIT_USAGE;
}

static int export_darknet(const struct options *o, struct choice *c, int operands,
                          struct error *e) {
    c->what = "weights";
    if (check_options(c, e))
        return EXIT_USAGE;
    if (operands == 2 && c->output && strcmp(c->output, "-") != 0)
        return export_weights(o, o->argv[2], c->bits ? c->bits : "32", c->output, e);
    fail(e, "export: weights takes one run ID and --output FILE.weights%s",
         c->output && operands == 2 ? "; standard output has no place for two files" : "");
    return EXIT_USAGE;
}

static int export_one_model(const struct options *o, struct choice *c, int operands,
                            struct error *e) {
    c->what = o->argv[1];
    if (check_options(c, e))
        return EXIT_USAGE;
    struct model_choice choice = {.what = c->what,
                                  .id = o->argv[2],
                                  .output = c->output,
                                  .bits = c->bits,
                                  .format = c->format_name,
                                  .calibrated = c->calibrated};
    if (operands == 2 && c->output && strcmp(c->output, "-") != 0)
        return export_model(o, &choice, e);
    fail(e, "export: %s takes one run ID and --output FILE, which is a file", c->what);
    return EXIT_USAGE;
}

/* One figure; returns as find_what. */
static int find_figure(struct choice *c, int operands, const char *name, struct error *e) {
    if (operands != 2 || !figure_exists(name))
        return fail(e, "export: %s takes one figure; 'truncquant export figures' lists them",
                    c->what);
    c->figure = name;
    if (c->calibrated && figure_is_calibratable(name)) // NAME-calibrated is so already
        c->figure = name_calibrated(c, name);
    if (c->calibrated && !strstr(c->figure, "-calibrated"))
        return fail(e, "export: the figure %s shows no calibrated results; leave --calibrated out",
                    name);
    return 0;
}

static int find_exported(struct choice *c, int operands, char **argv, struct error *e) {
    int caption = operands >= 1 && !strcmp(argv[0], "caption"); // as it was called before
    c->figures = operands >= 1 && (caption || !strcmp(argv[0], "figure"));
    c->what = operands >= 1 ? argv[0] : NULL;
    if (caption && !c->caption)
        c->caption = "-";
    if (c->figures)
        return find_figure(c, operands, argv[1], e);
    c->figures = operands == 1 && !strcmp(argv[0], "figures");
    if (c->figures)
        return 0;
    for (int i = 0; operands == 1 && listings[i].name; i++)
        if (!strcmp(argv[0], listings[i].name)) {
            c->listing = &listings[i];
            return 0;
        }
    if (operands >= 0 && operands != 1)
        return fail(e, "export: name one thing to export; 'truncquant export --help' lists what "
                       "can be");
    return operands == 1 ? find_what(c, argv[0], e) : -1;
}

static const char exports[] =
    "Prints a table of results, or the numbers of a figure. WHAT is one of\n"
    "  accuracy     top-1 accuracy by bit-width: a row per network, scheme and inference\n"
    "  differences  accuracy less that of a reference, paired by seed, with 95 % intervals\n"
    "  drops        what truncation costs: direct less truncated, and the cross-bit drop\n"
    "  reductions   how much less it costs than it costs a reference, with 95 % intervals\n"
    "  ablations    accuracy less that of the configuration from which one key alone differs\n"
    "  top5         top-5 accuracy where there are more than 20 classes\n"
    "  authors      ours beside what TruncQuant's authors report, and the difference\n"
    "               (NAME-calibrated: any of these with re-estimated batch norms)\n"
    "  cost         core-hours, memory and images per second of each scheme\n"
    "  runs         what was planned, without the texts of specs and networks\n"
    "  attempts     each try of a run: how, where, when, how it ended\n"
    "  epochs       training loss and accuracy of each epoch and width\n"
    "  evaluations  every evaluation: counts of right answers, sum of losses\n"
    "  layers       quantization and truncation error of each layer and width\n"
    "  histograms   how the weights of each layer lay when training began and at the end\n"
    "  curves       learning curves: evaluations during training, where a grid asked for "
    "them\n"
    "  latency      how long packed models take on which processor, by bit-width\n"
    "  grids        the grids that runs were planned for: runs, and finished ones\n"
    "  figure NAME  the numbers of a figure, as CSV (--caption: what stands below it, too)\n"
    "  figures      the names of all figures; with --output FOLDER, their NAME.csv and "
    "NAME.txt (the\n"
    "               caption), and the names of those that have numbers\n"
    "  citations    the papers that describe the quantizers, as BibTeX\n"
    "  styles       the colours and marks of schemes in figures, as CSV\n"
    "  weights ID   the model of a finished run, at one width, as Darknet's weights file "
    "(--output)\n"
    "               and the cfg that goes with it (FILE.cfg)\n"
    "  onnx ID      the same, cut to --bits of the stored ones, as ONNX (--output): "
    "QuantizeLinear and\n"
    "               DequantizeLinear, bytes of images in, class scores out; 32: float weights\n"
    "  qonnx ID     the same as QONNX: Quant, and Trunc for the cut\n"
    "  codes ID     codes, scales, norms of every width, names and shapes, as .npz for numpy "
    "(--output)\n"
    "  database GRID  a database of this grid alone (--output), with the runs whose weights "
    "its "
    "own take,\n"
    "               to be published or merged\n"
    "CSV has the same columns in all tables of accuracies: grid, scheme, network, dataset, "
    "seed, n,\n"
    "bits, act_bits, inference, calibrated, split, top1 (difference, drop, reduction), sd, low, "
    "high (of\n"
    "the 95 % interval), top5, loss, images, commit, settings (against).\n"
    "REFERENCE is a scheme, or 'SCHEME KEY=VALUE ...' where it has several configurations.";

int verb_export(struct options *o, struct error *e) {
    struct choice c = {0};
    const struct option_row rows[] = {
        {"--format", "FORMAT", "text",
         "text, csv (a row per cell), csv-wide (as text), tex (booktabs) or md; of codes, npz",
         &c.format_name, NULL},
        {"--grid", "GRID", NULL, "only the runs of this grid (name or file)", &c.grid, NULL},
        {"--split", "NAME", NULL, "test or val (held out); else test where there is any, or val",
         &c.split, NULL},
        {"--calibrated", NULL, NULL, "with re-estimated batch norms; codes: with both", NULL,
         &c.calibrated},
        {"--against", "REFERENCE", "qat", "what differences and reductions compare with",
         &c.reference, NULL},
        {"--output", "FILE", NULL, "write to FILE, which is replaced whole; -: standard output",
         &c.output, NULL},
        {"--notes", "FILE", NULL, "tables: what stands below them, too; -: on standard output",
         &c.notes, NULL},
        {"--caption", "FILE", NULL, "figure: its caption, too; -: on standard output, alone",
         &c.caption, NULL},
        {"--scheme", "LIST", NULL, "figures: only these schemes, separated by commas", &c.scheme,
         NULL},
        {"--panel", "LIST", NULL, "figures: only panels of these networks, data sets, or both",
         &c.panel, NULL},
        {"--widths", "LIST", NULL, "figures: only these widths of weights, such as 2,4", &c.widths,
         NULL},
        {"--bits", "K", NULL,
         "weights (32, unless said), onnx, qonnx (all that are stored): the width to export",
         &c.bits, NULL},
        {"--anonymous", NULL, NULL,
         "database: pseudonyms for hosts, paths, command lines, reasons and commits", NULL,
         &c.anonymous},
        {"--run", "ID", NULL,
         "database: of this run of the grid alone, and those that take its weights", &c.run, NULL},
        {0},
    };
    int helped;
    int operands = verb_parse(o, "export WHAT [options]", exports, rows, &helped, e);
    if (helped)
        return EXIT_DONE;
    if (operands >= 1 && !strcmp(o->argv[1], "weights"))
        return export_darknet(o, &c, operands, e);
    if (operands >= 1 && export_model_is(o->argv[1]))
        return export_one_model(o, &c, operands, e);
    if (operands >= 1 && !strcmp(o->argv[1], "database"))
        return export_grid(o, &c, operands, e);
    int status = EXIT_USAGE;
    if (!find_exported(&c, operands, o->argv + 1, e) && !find_format(&c, e) &&
        !check_options(&c, e) && !find_chosen(&c, e) && !find_reference(&c, o->quantizers, e))
        status = export_chosen(o, &c, e);
    against_free(&c.against);
    free(c.schemes);
    free(c.panels);
    free(c.shown_widths);
    return status;
}
