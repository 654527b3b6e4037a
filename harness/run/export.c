/* A finished run's model of one width as files that Darknet reads; session.h is the manual. */
#include "run/session.h"

#include "base/file.h"
#include "engine/load.h"
#include "model/darknet_weights.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Darknet has no quantized clip. */
static int check_activations(const struct session *s, const struct point *point, struct error *e) {
    if (point->act_bits == FLOAT_BITS)
        return 0;
    for (int i = 0; i < s->model->n_nodes; i++)
        if (s->model->nodes[i].clips)
            return fail(e,
                        "run %.12s quantizes activations at %d bits, which Darknet cannot; export "
                        "another width, such as 32, or train with act_bits = 32",
                        s->row.run_id, point->bits);
    return 0;
}

static int check_point(const struct session *s, const struct point *point, struct error *e) {
    if (!evaluation_exists(&s->spec, s->quantizer, point->bits, 0))
        return fail(e,
                    "run %.12s of scheme %s has no direct result at %d bits; export another width",
                    s->row.run_id, s->row.scheme, point->bits);
    return check_activations(s, point, e);
}

/* Ŵ by node; NULL where there are no weights. */
static float **effective_weights(const struct model *m, const struct point *point) {
    float **weights = need((size_t)m->n_nodes, sizeof *weights);
    for (int i = 0; i < m->n_nodes; i++) {
        if (m->nodes[i].weights < 0)
            continue;
        weights[i] = need(m->parameters[m->nodes[i].weights].n, sizeof(float));
        load_node(m, NULL, i, point->bits, weights[i]);
    }
    return weights;
}

static int write_cfg(const struct session *s, const char *weights_path, struct error *e) {
    char path[4096];
    if (snprintf(path, sizeof path, "%s.cfg", weights_path) >= (int)sizeof path)
        return fail_at(e, weights_path, 0, "is too long a name; take a shorter one");
    return file_replace(path, s->cfg.darknet, strlen(s->cfg.darknet), e);
}

int session_export_weights(struct session *s, int k, const char *path, struct error *e) {
    struct point point = spec_point(&s->spec, k, CUT_NONE);
    if (session_build(s, e) || session_check_finished(s, e) || check_point(s, &point, e))
        return -1;
    float **weights = effective_weights(s->model, &point);
    int rc = weights_save(path, s->model, weights, model_bank_at(s->model, &point), e);
    for (int i = 0; i < s->model->n_nodes; i++)
        free(weights[i]);
    free(weights);
    return rc ? -1 : write_cfg(s, path, e);
}
