/* What cannot be packed, and why; pack.h is the manual. */
#include "deploy/pack.h"
#include "runtime/format.h"

int pack_check_scheme(const struct quantizer *q, struct error *e) {
    if (q->min_bits == FLOAT_BITS)
        return fail(e, "scheme %s quantizes nothing, so there are no planes to pack", q->name);
    if (q->alone)
        return fail(e,
                    "scheme %s trains each width alone and is never truncated; pack a scheme that "
                    "trains its widths jointly",
                    q->name);
    if (!q->integer_form)
        return fail(
            e,
            "scheme %s has no weights that are integers times a scale plus an offset, which "
            "is what a device computes with; pack a run of another scheme",
            q->name);
    return 0;
}

static const char *operation(enum op op) {
    switch (op) {
    case OP_CONCAT:
        return "a route of several layers";
    case OP_UPSAMPLE:
        return "an [upsample]";
    case OP_REORG:
        return "a [reorg]";
    default:
        return NULL;
    }
}

/* Where activations are codes at every width, those that feed quantized layers are the quantized
 * clip, whatever the network says. */
static int is_always_clipped(const struct frozen *f, const struct node *n) {
    for (int k = 1; k <= f->spec.stored_bits; k++)
        if (spec_act_bits(&f->spec, k) > 8)
            return 0;
    return n->clips;
}

static int check_node(const struct frozen *f, int i, struct error *e) {
    const struct node *n = &f->m->nodes[i];
    const char *lacks = operation(n->op);
    char name[96];
    model_node_name(f->m, i, name, sizeof name);
    if (lacks)
        return fail(e, "%s: the device library has no %s; pack a network without it", name,
                    lacks + 2 + (lacks[1] == 'n'));
    if (n->op == OP_ACT && n->cfg->activation != ACT_RELU && n->cfg->activation != ACT_RELU6 &&
        !is_always_clipped(f, n))
        return fail(e, "%s: the device library has no activation %s; relu and relu6 it has", name,
                    activation_name(n->cfg->activation));
    if (n->bound != 1)
        return fail(e,
                    "%s: activations are clipped at a measured bound, the device library clips at "
                    "1; pack a run with act_bits = 32",
                    name);
    return 0;
}

static int check_layer(const struct frozen *f, int i, struct error *e) {
    const struct quantized_layer *q = &f->m->quantized[i];
    size_t inputs = q->layer.n / q->layer.channels;
    char name[96];
    model_node_name(f->m, q->node, name, sizeof name);
    if (inputs > TQ_MAX_INPUTS)
        return fail(e, "%s: a filter has %zu inputs; the sums of more than %d may pass 32 bits",
                    name, inputs, TQ_MAX_INPUTS);
    return 0;
}

int pack_check(const struct frozen *f, struct error *e) {
    int rc = pack_check_scheme(f->m->quantizer, e);
    if (!rc && !f->m->n_quantized)
        rc = fail(e, "the network has no quantized layer, so there are no planes to pack");
    for (int i = 0; i < f->m->n_nodes && !rc; i++)
        rc = check_node(f, i, e);
    for (int i = 0; i < f->m->n_quantized && !rc; i++)
        rc = check_layer(f, i, e);
    return rc;
}
