/* Linear layers of the onednn engine, in canonical layout; program.h is the manual. */
#include "engine/onednn/primitive.h"
#include "engine/onednn/program.h"

#include <omp.h>
#include <oneapi/dnnl/dnnl.h>

/* C (m, n) = A B + beta C, row-major. */
struct product {
    char trans_a, trans_b;
    int m, n, k;
    const float *A, *B;
    float beta, *C;
};

/* Rows [first, end) of C. */
static void multiply_rows(const struct product *x, int first, int end) {
    int by_rows = x->trans_a == 'N', lda = by_rows ? x->k : x->m;
    int ldb = x->trans_b == 'N' ? x->n : x->k;
    const float *A = x->A + (size_t)first * (size_t)(by_rows ? lda : 1);
    onednn_must(dnnl_sgemm(x->trans_a, x->trans_b, end - first, x->n, x->k, 1, A, lda, x->B, ldb,
                           x->beta, x->C + (size_t)first * (size_t)x->n, x->n),
                "a matrix product");
}

/* By rows, a part for each thread that the program was compiled for: oneDNN would divide by how
 * many there are, and have other bits. The threads are those of the convolutions, which OpenBLAS's
 * are not: two pools would fight for the cores. */
static void multiply(const struct program *p, const struct product *x) {
    enum { FEW = 1 << 19 }; // products that are not worth a second thread
    int parts = (int64_t)x->m * x->n * x->k < FEW ? 1 : p->o->threads;
    parts = parts < x->m ? parts : x->m;
#pragma omp parallel for num_threads(onednn_team(parts)) schedule(static, 1)
    for (int i = 0; i < parts; i++) {
        omp_set_num_threads(1); // of this thread alone
        multiply_rows(x, (int)((int64_t)x->m * i / parts), (int)((int64_t)x->m * (i + 1) / parts));
    }
}

void linear_stage_forward(struct program *p, struct stage *s) {
    const struct node *n = node_of(p, s->node);
    int in = (int)node_values(node_of(p, n->in[0])), out = n->shape.c;
    float *Y = p->places[s->node].out;
    multiply(p, &(struct product){'N', 'T', p->r.n, out, in, place_view(p, n->in[0], PLAIN),
                                  p->r.nodes[s->node].W, 0, Y});
    const float *bias = n->bias >= 0 ? p->r.m->parameters[n->bias].value : NULL;
    for (size_t i = 0; bias && i < (size_t)p->r.n * (size_t)out; i++)
        Y[i] += bias[i % (size_t)out];
}

void linear_stage_backward(struct program *p, struct stage *s) {
    const struct node *n = node_of(p, s->node);
    int in = (int)node_values(node_of(p, n->in[0])), out = n->shape.c;
    const float *dY = p->places[s->node].grad->data;
    multiply(p, &(struct product){'T', 'N', out, in, p->r.n, dY, place_view(p, n->in[0], PLAIN), 0,
                                  p->r.nodes[s->node].dW});
    if (n->bias >= 0)
        bias_backward(p->r.n, out, 1, dY, p->r.m->parameters[n->bias].grad);
    struct sink sink = sink_open(p, n->in[0], PLAIN, 1);
    if (sink.data)
        multiply(p, &(struct product){'N', 'N', p->r.n, in, out, dY, p->r.nodes[s->node].W,
                                      sink.add ? 1 : 0, sink.data});
    sink_close(p, &sink);
}
