/* A toy beside its frozen model; pair.h is the manual. */
#include "evaluate/pair.h"

#include "base/folder.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

const char *pair_freeze(const struct toy *t) {
    const char *path = folder_file(test_folder, "model.frozen");
    struct error e = {0};
    if (frozen_write(path, t->model, &t->spec, t->table, toy_cfg, &t->data, &e))
        fail_msg("%s", e.text);
    return path;
}

void pair_open(struct pair *p, const struct spec *spec, int steps) {
    pair_open_by(p, &engine_reference, spec, steps);
}

void pair_open_by(struct pair *p, const struct engine *engine, const struct spec *spec, int steps) {
    struct error e = {0};
    struct toy *t = &p->toy;
    toy_build_on(t, spec, engine, 1);
    toy_train(t, steps);
    if (frozen_read(&p->frozen, pair_freeze(t), t->table, &e))
        fail_msg("%s", e.text);
    struct program *program = engine->compile(p->frozen.m, (int)spec->batch, 1, &e);
    if (!program)
        fail_msg("%s", e.text);
    evaluator_start(&p->direct, &t->spec, &t->data, t->model, NULL, engine, t->program);
    evaluator_start(&p->truncated, &t->spec, &t->data, p->frozen.m, &p->frozen, engine, program);
}

void pair_close(struct pair *p) {
    p->truncated.engine->free(p->truncated.program);
    evaluator_free(&p->direct);
    evaluator_free(&p->truncated);
    frozen_free(&p->frozen);
    toy_free(&p->toy);
}

const struct evaluation_row *pair_evaluate(struct evaluator *ev, int k) {
    struct error e = {0};
    ev->n = 0;
    if (evaluator_width(ev, k, &e))
        fail_msg("%s", e.text);
    return ev->rows;
}
