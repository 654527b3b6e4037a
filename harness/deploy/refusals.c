/* Refusals and their reasons; refusals.h is the manual. */
#include "deploy/refusals.h"

const struct maker maker_of_pack = {.verb = "pack", .lacks = "the device library has"};
const struct maker maker_of_export = {
    .verb = "export", .lacks = "exports to ONNX have", .takes_bounds = 1};

int refuse_scheme(const struct maker *by, const struct quantizer *q, struct error *e) {
    if (q->min_bits == FLOAT_BITS)
        return fail(e, "scheme %s quantizes nothing, so there are no codes to %s", q->name,
                    by->verb);
    if (q->alone)
        return fail(e,
                    "scheme %s trains each width alone and is never truncated; %s a scheme that "
                    "trains its widths jointly",
                    q->name, by->verb);
    if (!q->integer_form)
        return fail(
            e,
            "scheme %s has no weights that are integers times a scale plus an offset, which "
            "is what a device computes with; %s a run of another scheme",
            q->name, by->verb);
    return 0;
}

static const char *operation(enum op op) {
    switch (op) {
    case OP_CONCAT:
        return "route of several layers";
    case OP_UPSAMPLE:
        return "[upsample]";
    case OP_REORG:
        return "[reorg]";
    default:
        return NULL;
    }
}

/* Where activations are codes at every width, those that feed quantized layers are the quantized
 * clip, whatever the network says. */
static int is_always_clipped(const struct spec *spec, const struct node *n, int from, int to) {
    for (int k = from; k <= to; k++)
        if (spec_act_bits(spec, k) > 8)
            return 0;
    return n->clips;
}

static int has_activation(enum activation a) {
    return a == ACT_RELU || a == ACT_RELU6;
}

static int refuse_node(const struct maker *by, const struct model *m, int i, int always_clipped,
                       struct error *e) {
    const struct node *n = &m->nodes[i];
    char name[96];
    model_node_name(m, i, name, sizeof name);
    if (operation(n->op))
        return fail(e, "%s: %s no %s; %s a network without it", name, by->lacks, operation(n->op),
                    by->verb);
    if (n->op == OP_ACT && !has_activation(n->cfg->activation) && !always_clipped)
        return fail(e, "%s: %s no activation %s, but relu and relu6", name, by->lacks,
                    activation_name(n->cfg->activation));
    if (n->op == OP_MAXPOOL && (n->cfg->padding + 1) / 2 >= n->cfg->size) // of the wider side
        return fail(e, "%s: %s no padding as wide as a window; %s a network with less", name,
                    by->lacks, by->verb);
    if (n->bound != 1 && !by->takes_bounds)
        return fail(e,
                    "%s: activations are clipped at a measured bound, and %s no bound but 1; %s a "
                    "run with act_bits = 32",
                    name, by->lacks, by->verb);
    return 0;
}

int refuse_nodes(const struct maker *by, const struct model *m, const struct spec *spec, int from,
                 int to, struct error *e) {
    for (int i = 0; i < m->n_nodes; i++)
        if (refuse_node(by, m, i, is_always_clipped(spec, &m->nodes[i], from, to), e))
            return -1;
    return 0;
}
