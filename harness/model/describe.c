/* A model in words; describe.h is the manual. */
#include "model/describe.h"

#include "cfg/cost.h"

static void describe_weights(const struct model *m, int node, const char *name, FILE *out) {
    const struct node *n = &m->nodes[node];
    fprintf(out, "%s: %zu weights, %s\n", name, m->parameters[n->weights].n,
            n->quantized >= 0 ? "quantized" : "float");
}

static void describe_activation(const struct node *n, const char *name, FILE *out) {
    if (n->clips)
        fprintf(out, "%s: %s at 32 activation bits, the quantized clip below\n", name,
                activation_name(n->cfg->activation));
    else
        fprintf(out, "%s: %s at every width\n", name, activation_name(n->cfg->activation));
}

void model_describe(const struct model *m, FILE *out) {
    for (int i = 0; i < m->n_nodes; i++) {
        char name[96];
        model_node_name(m, i, name, sizeof name);
        if (m->nodes[i].weights >= 0)
            describe_weights(m, i, name, out);
        else if (m->nodes[i].op == OP_ACT)
            describe_activation(&m->nodes[i], name, out);
        else if (m->nodes[i].op == OP_NORM)
            fprintf(out, "%s: %d bank(s)\n", name,
                    m->norms[m->nodes[i].norm].shared ? 1 : m->widths.n);
    }
    fprintf(out, "in all: %lld parameters with one bank, %.0f multiply-accumulates per image\n",
            (long long)cfg_parameters(m->cfg), cfg_macs(m->cfg));
}
