/* Steps that run as a reference operator; program.h is the manual. */
#include "engine/onednn/program.h"

#include <math.h>
#include <omp.h>
#include <oneapi/dnnl/dnnl.h>
#include <stdlib.h>
#include <string.h>

/* On one thread, however many take part in the rest: an OpenBLAS that is built for OpenMP would
 * otherwise multiply by those, with the bits of so many. */
static void run_alone(void (*f)(struct reference *, const struct node *, struct node_state *),
                      struct program *p, const struct node *n, int node) {
    int threads = omp_get_max_threads();
    omp_set_num_threads(1);
    f(&p->r, n, &p->r.nodes[node]);
    omp_set_num_threads(threads);
}

static void plain_stage_forward(struct program *p, struct stage *s) {
    const struct node *n = node_of(p, s->node);
    for (int k = 0; k < n->n_in; k++)
        p->r.nodes[n->in[k]].out = place_view(p, n->in[k], PLAIN);
    p->r.nodes[s->node].out = p->places[s->node].out;
    run_alone(reference_operators[n->op].forward, p, n, s->node);
}

static void plain_stage_backward(struct program *p, struct stage *s) {
    const struct node *n = node_of(p, s->node);
    struct sink sinks[CFG_ROUTES];
    int add;
    for (int k = 0; k < n->n_in; k++) { // an input that is read twice gets one sink
        int first = 0;
        while (n->in[first] != n->in[k])
            first++;
        sinks[k] = (struct sink){.node = n->in[k]};
        if (first < k)
            continue;
        sinks[k] = sink_open(p, n->in[k], PLAIN, 1);
        p->r.nodes[n->in[k]].out = place_view(p, n->in[k], PLAIN);
        p->r.nodes[n->in[k]].grad = sinks[k].data;
        p->r.nodes[n->in[k]].written = sinks[k].add;
    }
    p->r.nodes[s->node].grad = place_own_gradient(p, s->node, &add); // some use it up
    run_alone(reference_operators[n->op].backward, p, n, s->node);
    for (int k = 0; k < n->n_in; k++)
        sink_close(p, &sinks[k]);
}

struct stage onednn_plain_stage(int i) {
    return (struct stage){.forward = plain_stage_forward,
                          .backward = plain_stage_backward,
                          .node = i,
                          .norm = -1,
                          .act = -1};
}

int onednn_is_plain(const struct stage *s) {
    return s->forward == plain_stage_forward;
}
