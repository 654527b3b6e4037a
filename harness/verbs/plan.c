/* truncquant plan: validates a grid with its networks and data sets, records its runs, and prints
 * them. Nothing is computed, and Darknet is not loaded. Which runs are pending is decided from the
 * database alone, by id: an edited grid runs just what is new. */
#include "base/file.h"
#include "data/dataset.h"
#include "model/cfg.h"
#include "plan/fingerprints.h"
#include "plan/grid.h"
#include "plan/init.h"
#include "plan/nearest.h"
#include "plan/network.h"
#include "run/folder.h"
#include "run/work.h"
#include "store/store.h"
#include "verbs/computing.h"
#include "verbs/estimate.h"
#include "verbs/recipe.h"
#include "verbs/row.h"
#include "verbs/verb.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct wanted {
    int pending, ready, ids, retry_failed, again, dry_run, explain, quiet, name;
    const char *set;      // as in grid_read
    struct computing how; // is checked, so that no run is recorded that could not begin
};

/* A network as one data set's shape and classes make it. */
struct network {
    const char *name; // as in the spec
    const struct dataset *data;
    char *text; // the cfg file's own
    struct cfg cfg;
};

struct planning {
    const struct quantizer *const *table;
    const char *db;
    struct grid grid;
    struct wanted wanted;
    int n_data, n_networks;
    struct dataset *data;        // one per name and image size
    const struct spec **data_of; // (n_data) which asks for it
    struct network *networks;    // one per name and data set
    struct run_row *rows;        // (grid.n)
    struct work *works;          // (grid.n)
    int *selected;               // (grid.n) to be printed
    struct estimate measured;
};

/* ---- data sets and networks ---- */

/* Put the grid's FILE:LINE of a key in front of a message; of the data set's name when the key is
 * at its default. */
static int blame(const struct planning *p, int i, const struct spec_key *key, struct error *e) {
    const char *origin = grid_origin(&p->grid, i, key);
    if (!strchr(origin, ':') && strcmp(origin, "--set"))
        origin = grid_origin(&p->grid, i, spec_key_find("dataset"));
    return fail_prefix(e, origin, 0);
}

static int check_data_name(const char *name, struct error *e) {
    struct nearest near = nearest_start(name);
    const char *n;
    if (dataset_is_known(name))
        return 0;
    for (int i = 0; (n = dataset_name(i)); i++)
        nearest_offer(&near, n);
    return dataset_unknown(name, nearest_best(&near), e);
}

static const struct dataset *find_data(struct planning *p, int i, struct error *e) {
    const struct spec *spec = &p->grid.specs[i];
    for (int k = 0; k < p->n_data; k++)
        if (!strcmp(p->data_of[k]->dataset, spec->dataset) &&
            p->data_of[k]->image_size == spec->image_size)
            return &p->data[k];
    if (check_data_name(spec->dataset, e)) {
        blame(p, i, spec_key_find("dataset"), e);
        return NULL;
    }
    if (dataset_open_at(&p->data[p->n_data], spec->dataset, (int)spec->image_size, e))
        return NULL;
    p->data_of[p->n_data] = spec;
    return &p->data[p->n_data++];
}

static void print_notes(const struct planning *p, const char *where, const char *notes) {
    for (const char *line = notes; !p->wanted.quiet && *line;) {
        int n = (int)strcspn(line, "\n");
        fprintf(stderr, "truncquant: note: %s%s%.*s\n", where, where[0] ? ": " : "", n, line);
        line += n + (line[n] == '\n');
    }
}

/* Notes about a network are printed once, whatever data sets it is trained on. */
static int is_new_network(const struct planning *p, const char *name) {
    for (int k = 0; k < p->n_networks; k++)
        if (!strcmp(p->networks[k].name, name))
            return 0;
    return 1;
}

static int read_network(struct planning *p, int i, struct network *net, struct error *e) {
    enum { CFG_LIMIT = 1 << 20 };
    char path[PATH_MAX];
    size_t size;
    if (network_find(net->name, path, sizeof path, e))
        return blame(p, i, spec_key_find("network"), e);
    net->text = file_read(path, CFG_LIMIT, &size, e);
    if (!net->text)
        return -1;
    if (cfg_parse(&net->cfg, net->text, size, path, net->data->shape, net->data->classes, e)) {
        free(net->text);
        return -1;
    }
    if (is_new_network(p, net->name))
        print_notes(p, path, net->cfg.notes);
    return 0;
}

static const struct network *find_network(struct planning *p, int i, const struct dataset *data,
                                          struct error *e) {
    const char *name = p->grid.specs[i].network;
    for (int k = 0; k < p->n_networks; k++)
        if (!strcmp(p->networks[k].name, name) && p->networks[k].data == data)
            return &p->networks[k];
    struct network *net = &p->networks[p->n_networks];
    *net = (struct network){.name = name, .data = data};
    if (read_network(p, i, net, e))
        return NULL;
    p->n_networks++;
    return net;
}

/* ---- the runs ---- */

/* A weights file is read once for all runs of a network that start from it. */
static int pin_init(const struct planning *p, int i, const struct network *net, struct error *e) {
    struct spec *spec = &p->grid.specs[i];
    char path[SPEC_TEXT], other[SPEC_TEXT];
    init_path(spec, path);
    for (int k = 0; k < i && init_is_given(spec); k++) {
        const struct spec *before = &p->grid.specs[k];
        init_path(before, other);
        if (!strcmp(path, other) && !strcmp(before->network, spec->network) &&
            !strcmp(before->dataset, spec->dataset)) {
            strcpy(spec->init, before->init);
            return 0;
        }
    }
    return row_pin_init(spec, &net->cfg, e) ? blame(p, i, spec_key_find("init"), e) : 0;
}

/* What the cfg says becomes the run's own, with the cfg for its origin. */
static int take_recipe(const struct planning *p, int i, const struct network *net,
                       struct error *e) {
    int said[SPEC_KEYS] = {0}, taken[SPEC_KEYS] = {0};
    char origin[PATH_MAX + 16];
    for (int k = 0; k < SPEC_KEYS; k++)
        said[k] = strchr(grid_origin(&p->grid, i, &spec_keys[k]), ':') != NULL;
    if (recipe_from_cfg(&p->grid.specs[i], p->table, &net->cfg, said, taken, e))
        return blame(p, i, spec_key_find("from"), e);
    snprintf(origin, sizeof origin, "%s:%d", net->cfg.path, net->cfg.recipe.line);
    for (int k = 0; k < SPEC_KEYS; k++)
        if (taken[k]) {
            char **text = &p->grid.origins[(size_t)i * SPEC_KEYS + (size_t)k];
            free(*text);
            *text = need_string(origin);
        }
    return 0;
}

static int make_row(struct planning *p, int i, struct error *e) {
    const struct spec *spec = &p->grid.specs[i];
    const struct dataset *data = find_data(p, i, e);
    const struct network *net = data ? find_network(p, i, data, e) : NULL;
    if (!net || take_recipe(p, i, net, e))
        return -1;
    const struct spec_key *fault = row_fault(spec, data, e);
    if (fault)
        return blame(p, i, fault, e);
    if (pin_init(p, i, net, e))
        return -1;
    p->works[i] = work_of(spec, quantizer_find(p->table, spec->scheme), &net->cfg, data);
    return row_make(&p->rows[i], spec, p->table, &net->cfg, net->text, data, p->grid.name, e);
}

static int row_by_id(const void *a, const void *b) {
    const struct run_row *l = *(const struct run_row *const *)a;
    const struct run_row *r = *(const struct run_row *const *)b;
    int order = strcmp(l->run_id, r->run_id);
    return order ? order : (l > r) - (l < r);
}

/* grid_read has found what is the same by name; networks and data sets may be so by content. */
static int check_different(const struct planning *p, struct error *e) {
    const struct run_row **sorted = need((size_t)p->grid.n, sizeof *sorted);
    for (int i = 0; i < p->grid.n; i++)
        sorted[i] = &p->rows[i];
    qsort(sorted, (size_t)p->grid.n, sizeof *sorted, row_by_id);
    int rc = 0;
    for (int i = 1; i < p->grid.n && !rc; i++) {
        if (strcmp(sorted[i - 1]->run_id, sorted[i]->run_id))
            continue;
        const struct spec *a = &p->grid.specs[sorted[i - 1] - p->rows];
        const struct spec *b = &p->grid.specs[sorted[i] - p->rows];
        fail(e,
             "%s on %s and %s on %s are the same by content, so they make the same run; remove one",
             a->network, a->dataset, b->network, b->dataset);
        rc = blame(p, (int)(sorted[i] - p->rows), spec_key_find("network"), e);
    }
    free(sorted);
    return rc;
}

static int make_rows(struct planning *p, struct error *e) {
    size_t n = (size_t)p->grid.n;
    p->data = need(n, sizeof *p->data);
    p->data_of = need(n, sizeof *p->data_of);
    p->networks = need(n, sizeof *p->networks);
    p->rows = need(n, sizeof *p->rows);
    p->works = need(n, sizeof *p->works);
    p->selected = need(n, sizeof *p->selected);
    for (int i = 0; i < p->grid.n; i++)
        if (make_row(p, i, e))
            return -1;
    return check_different(p, e);
}

/* ---- the database ---- */

static int status_by_id(const void *a, const void *b) {
    return strcmp(((const struct run_status *)a)->run_id, ((const struct run_status *)b)->run_id);
}

static int is_pending(const struct wanted *w, const struct run_status *known) {
    if (!known) // not recorded: a dry run
        return 1;
    return !known->excluded &&
           (known->state == RUN_PENDING || known->state == RUN_DEAD ||
            (known->state == RUN_FAILED && w->retry_failed) || (known->stale && w->again));
}

static const struct run_status *find_status(const char *id, const struct run_status *known, int n) {
    struct run_status key = {0};
    snprintf(key.run_id, sizeof key.run_id, "%s", id);
    return n ? bsearch(&key, known, (size_t)n, sizeof *known, status_by_id) : NULL;
}

/* Whether the run, if it takes another's weights, can take them now. */
static int is_ready(const struct run_row *row, const struct run_status *known, int n) {
    const struct run_status *parent = row->parent ? find_status(row->parent, known, n) : NULL;
    return !row->parent || (parent && parent->state == RUN_DONE && !parent->stale);
}

/* Finished runs are not run again by themselves when their quantizers change: that is for people to decide. */
static void note_stale(const struct planning *p, const struct run_status *known, int n) {
    const struct run_status *first = NULL;
    int stale = 0;
    for (int i = 0; i < p->grid.n; i++) {
        const struct run_status *status = find_status(p->rows[i].run_id, known, n);
        if (!status || !status->stale || status->excluded)
            continue;
        first = first ? first : status;
        stale++;
    }
    if (stale && !p->wanted.quiet && !p->wanted.again)
        fprintf(stderr,
                "truncquant: note: %d finished run%s, as %.12s: %s; --again computes %s anew\n",
                stale, stale == 1 ? " is stale" : "s are stale", first->run_id, first->stale,
                stale == 1 ? "it" : "them");
}

static int ask_states(struct planning *p, struct store *s, struct error *e) {
    struct run_status *known = NULL;
    int n = 0;
    if (store_statuses(s, NULL, &known, &n, e))
        return -1;
    if (n)
        qsort(known, (size_t)n, sizeof *known, status_by_id);
    for (int i = 0; i < p->grid.n && p->wanted.pending; i++) {
        const struct run_row *row = &p->rows[i];
        p->selected[i] = is_pending(&p->wanted, find_status(row->run_id, known, n)) &&
                         (!p->wanted.ready || is_ready(row, known, n));
    }
    note_stale(p, known, n);
    store_free_statuses(known, n);
    return 0;
}

/* A database that cannot be read has nothing to say about the cost. */
static int estimate_only(struct planning *p, struct error *e) {
    struct error ignored = {0};
    struct store *s = access(p->db, F_OK) ? NULL : store_open(p->db, STORE_READ, &ignored);
    int rc = s ? run_folder_check(s, e) : 0;
    if (s && !rc && estimate_open(&p->measured, s, &ignored))
        estimate_close(&p->measured);
    store_close(s);
    return rc;
}

static int use_store(struct planning *p, struct error *e) {
    const struct wanted *w = &p->wanted;
    struct store *s = NULL;
    for (int i = 0; i < p->grid.n; i++)
        p->selected[i] = 1;
    if (w->dry_run && (!w->pending || access(p->db, F_OK)))
        return estimate_only(p, e); // nothing to record, and nothing to ask
    s = store_open(p->db, w->dry_run ? STORE_READ : STORE_WRITE, e);
    if (!s)
        return -1;
    int rc = run_folder_check(s, e);
    if (!rc && !w->dry_run)
        rc = store_set_grid(s, p->rows, p->grid.n, p->grid.name, e);
    if (!rc)
        rc = fingerprints_declare(s, p->table, e);
    if (!rc)
        rc = ask_states(p, s, e);
    if (!rc)
        rc = estimate_open(&p->measured, s, e);
    store_close(s);
    return rc;
}

/* ---- what is printed ---- */

static void print_run(const struct planning *p, int i) {
    const struct spec *spec = &p->grid.specs[i];
    fputs(p->rows[i].run_id, stdout);
    for (const struct spec_key *k = spec_keys; k->name && !p->wanted.ids; k++) {
        char text[SPEC_VALUE];
        if (!spec_key_is_said(spec, p->table, k))
            continue;
        spec_print_value(spec, k, text, sizeof text);
        const char *quote = strpbrk(text, " \t") ? "\"" : "";
        printf(" %s=%s%s%s", k->flat, quote, text, quote);
    }
    putchar('\n');
}

static void explain_run(const struct planning *p, int i) {
    printf("%s\n", p->rows[i].run_id);
    for (const struct spec_key *k = spec_keys; k->name; k++) {
        char text[SPEC_VALUE];
        spec_print_value(&p->grid.specs[i], k, text, sizeof text);
        printf("  %-16s %-20s %s\n", k->flat, text, grid_origin(&p->grid, i, k));
    }
}

static int row_by_turn(const void *a, const void *b) {
    const struct run_row *l = *(const struct run_row *const *)a;
    const struct run_row *r = *(const struct run_row *const *)b;
    if (!l->parent != !r->parent)
        return l->parent ? 1 : -1;
    if (l->work != r->work)
        return l->work < r->work ? 1 : -1;
    return (l > r) - (l < r);
}

/* In the order of the grid; what is pending with the longest first (behind those whose weights they take), so that no long run is left over at
 * the end while other cores have nothing to do. */
static void print_runs(const struct planning *p) {
    const struct run_row **order = need((size_t)p->grid.n, sizeof *order);
    for (int i = 0; i < p->grid.n; i++)
        order[i] = &p->rows[i];
    if (p->wanted.pending)
        qsort(order, (size_t)p->grid.n, sizeof *order, row_by_turn);
    for (int k = 0; k < p->grid.n; k++) {
        int i = (int)(order[k] - p->rows);
        if (!p->selected[i])
            continue;
        if (p->wanted.explain)
            explain_run(p, i);
        else
            print_run(p, i);
    }
    free(order);
}

/* ---- what it costs ---- */

/* As people say it: minutes below two hours. */
static void print_core_time(double seconds, char *text, size_t size) {
    if (seconds < 7200)
        snprintf(text, size, seconds < 600 ? "%.1f core-minutes" : "%.0f core-minutes",
                 seconds / 60);
    else
        snprintf(text, size, seconds < 360000 ? "%.1f core-hours" : "%.0f core-hours",
                 seconds / 3600);
}

static void note_cost(const struct planning *p) {
    static const char *const rests_on[] = {
        [BASIS_NETWORK] = "as measured for each network",
        [BASIS_OTHERS] = "by what was measured, on other networks in part",
        [BASIS_STATED] = "at 4e10 a second and core, a rough figure: no run was measured yet",
    };
    struct work sum = {0};
    double seconds = 0;
    enum basis basis = BASIS_NETWORK;
    char time[64];
    int n = 0;
    for (int i = 0; i < p->grid.n; i++) {
        if (!p->selected[i])
            continue;
        n++;
        sum.training += p->works[i].training;
        sum.evaluation += p->works[i].evaluation;
        seconds += estimate_seconds(&p->measured, p->rows[i].network, p->rows[i].work, &basis);
    }
    double all = sum.training + sum.evaluation;
    if (!n || p->wanted.quiet || p->wanted.ids)
        return;
    print_core_time(seconds, time, sizeof time);
    fprintf(stderr,
            "truncquant: note: %d run%s, %.2g multiply-accumulates (%.0f %% training): about %s, "
            "%s%s\n",
            n, n == 1 ? "" : "s", all, 100 * sum.training / all, time, rests_on[basis],
            basis == BASIS_STATED || p->measured.here ? "" : " (elsewhere)");
}

/* ---- the verb ---- */

static int plan(struct planning *p, const char *path, struct error *e) {
    if (grid_read(&p->grid, p->table, path, p->wanted.set, e))
        return -1;
    print_notes(p, "", p->grid.notes);
    if (make_rows(p, e) || use_store(p, e))
        return -1;
    if (p->wanted.name)
        puts(p->grid.name);
    else
        print_runs(p);
    if (!p->wanted.name)
        note_cost(p);
    return 0;
}

static void planning_free(struct planning *p) {
    for (int i = 0; p->rows && i < p->grid.n; i++)
        store_free_run(&p->rows[i]);
    for (int i = 0; i < p->n_networks; i++) {
        cfg_free(&p->networks[i].cfg);
        free(p->networks[i].text);
    }
    for (int i = 0; i < p->n_data; i++)
        dataset_close(&p->data[i]);
    free(p->rows);
    free(p->networks);
    free(p->data);
    free(p->data_of);
    free(p->works);
    free(p->selected);
    estimate_close(&p->measured);
    grid_free(&p->grid);
}

static int check_options(const struct wanted *w, int operands, struct error *e) {
    struct session_options ignored;
    if (operands != 1)
        return fail(e, "plan: takes one grid file, not %d; 'truncquant plan --help' shows how",
                    operands);
    if (w->ids && w->explain)
        return fail(e, "plan: --ids and --explain exclude each other; use one");
    if (w->name && (w->ids || w->explain || w->pending))
        return fail(e, "plan: --name prints nothing else; leave out --ids, --explain, --pending");
    if ((w->retry_failed || w->ready || w->again) && !w->pending)
        return fail(e, "plan: --%s belongs to --pending; add that",
                    w->ready   ? "ready"
                    : w->again ? "again"
                               : "retry-failed");
    return computing_options(&w->how, "plan", &ignored, e);
}

int verb_plan(struct options *o, struct error *e) {
    struct planning p = {.table = o->quantizers, .wanted.how = COMPUTING_DEFAULTS};
    struct wanted *w = &p.wanted;
    const struct option_row rows[] = {
        {"--pending", NULL, NULL, "print pending and dead runs only, the longest first", NULL,
         &w->pending},
        {"--ready", NULL, NULL, "with --pending: none that waits for another run's weights", NULL,
         &w->ready},
        {"--retry-failed", NULL, NULL, "with --pending: failed ones too", NULL, &w->retry_failed},
        {"--again", NULL, NULL,
         "with --pending: finished ones too whose quantizers are other versions now", NULL,
         &w->again},
        {"--ids", NULL, NULL, "print ids alone", NULL, &w->ids},
        {"--explain", NULL, NULL, "print every value of every run and where it came from", NULL,
         &w->explain},
        {"--set", "SETTINGS", NULL, "what the grid has instead, such as 'dataset=cifar10 seed=1,2'",
         &w->set, NULL},
        {"--name", NULL, NULL, "print the name of the grid, which --set extends, alone", NULL,
         &w->name},
        {"--dry-run", NULL, NULL, "record nothing", NULL, &w->dry_run},
        COMPUTING_ROWS(&w->how),
        {0},
    };
    int helped;
    int operands = verb_parse(o, "plan GRID [options]",
                              "Validates a grid (experiments/README.md), records its runs in the "
                              "database and prints one per line.\nHow they are to be computed is "
                              "not recorded: what 'run' would refuse is refused here already.",
                              rows, &helped, e);
    if (helped)
        return EXIT_DONE;
    if (operands < 0 || check_options(w, operands, e))
        return EXIT_USAGE;
    p.db = o->db;
    w->quiet = o->quiet;
    int rc = plan(&p, o->argv[1], e);
    planning_free(&p);
    return rc ? EXIT_FAILED : EXIT_DONE;
}
