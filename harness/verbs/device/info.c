/* truncquant info: what a model file of bit-planes holds. */
#include "base/text.h"
#include "verbs/verb.h"

#include "runtime/truncquant.h"

#include <stdio.h>

static void print_widths(const struct tq_info *i) {
    printf("\n  bits  activations  bytes read  of %zu in all\n", i->file_bytes);
    for (int k = i->min_bits; k <= i->planes; k++)
        printf("  %4d  %11d  %10zu  %.1f %%\n", k, i->act_bits[k], i->bytes[k],
               100 * (double)i->bytes[k] / (double)i->file_bytes);
}

static void print_layers(const struct tq_model *m, const struct tq_info *i) {
    struct tq_layer l;
    printf("\n  layer  kind         filters  inputs  bytes/plane  offsets, from plane %d down\n",
           i->stored_bits - 1);
    for (int n = 0; n < i->layers; n++) {
        tq_model_layer(m, n, &l);
        printf("  %5d  %-11s  %7d  %6d  %11zu ", l.number, l.is_linear ? "linear" : "convolution",
               l.filters, l.inputs, l.row_bytes * (size_t)l.filters);
        for (int p = 0; p < i->planes; p++)
            printf(" %zu", l.offset[p]);
        printf("\n");
    }
}

static void print_model(const char *path, const struct tq_model *m) {
    const struct tq_info *i = tq_model_info(m);
    text_say(stdout, "%s: %s on %s, scheme %s, run %.12s, packed by commit %s\n", path, i->network,
             i->dataset, i->scheme, i->run, i->commit);
    printf("  images of %d x %d x %d bytes, %d classes, %d operations, %d quantized layers\n",
           i->channels, i->height, i->width, i->classes, i->nodes, i->layers);
    printf("  %d planes of %d stored bits, %zu bytes before the first; %s\n", i->planes,
           i->stored_bits, i->bytes[0],
           i->calibrated ? "norms also calibrated for each width" : "no calibrated norms");
    print_widths(i);
    print_layers(m, i);
}

static int info(const char *path, struct error *e) {
    struct tq_model *m;
    int rc = tq_open(path, 0, &m);
    if (rc == TQ_NO_FILE || rc == TQ_NO_MEMORY)
        fail(e, "%s", tq_model_message(m));
    else if (rc)
        fail_at(e, path, 0, "%s", tq_model_message(m));
    else
        print_model(path, m);
    tq_close(m);
    return rc ? EXIT_FAILED : EXIT_DONE;
}

int verb_info(struct options *o, struct error *e) {
    const struct option_row rows[] = {{0}};
    int helped;
    int operands = verb_parse(o, "info MODEL.tqm",
                              "Say what a model file holds: layers, where the planes of each "
                              "begin, bytes for each width.",
                              rows, &helped, e);
    if (helped)
        return EXIT_DONE;
    if (operands >= 0 && operands != 1)
        fail(e, "info: name one model file; 'truncquant pack' writes them");
    return operands == 1 ? info(o->argv[1], e) : EXIT_USAGE;
}
