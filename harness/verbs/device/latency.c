/* truncquant latency: how long a packed model takes on this machine at each of its widths. */
#include "verbs/database.h"
#include "verbs/verb.h"

#include "base/file.h"
#include "base/text.h"
#include "deploy/latency.h"
#include "deploy/packing.h"
#include "run/numerics.h"
#include "verbs/runs/computing.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

struct latency_verb {
    const char *bits, *batch, *calls, *kernels;
    struct widths widths; // n 0: all
    struct latency_options of;
};

/* The kernels by name, each with what the library has to do without to take them. */
static const struct {
    const char *name;
    int without;
} kernels[] = {
    {"avx512-vpopcntdq", 0},
    {"avx512-vnni", TQ_VPOPCNTDQ},
    {"avx2", TQ_AVX512},
    {"portable", TQ_ALL_INSTRUCTIONS},
};

static int parse(struct options *o, struct latency_verb *v, int *helped, struct error *e) {
    const struct option_row rows[] = {
        {"--bits", "LIST", "all", "widths, such as \"1 2 8\"", &v->bits, NULL},
        {"--batch", "N", v->batch, "images of a call", &v->batch, NULL},
        {"--calls", "N", v->calls, "timed calls of each width, at least", &v->calls, NULL},
        {"--kernels", "NAME", "the best there are",
         "avx512-vpopcntdq, avx512-vnni, avx2 or portable", &v->kernels, NULL},
        {0},
    };
    return verb_parse(
        o, "latency MODEL.tqm|ID [options]",
        "Time a model file, or a finished run as pack would write it, at each of its widths on one "
        "thread of this\n"
        "machine. What is measured is recorded where the database knows the model's run "
        "('truncquant "
        "export latency').",
        rows, helped, e);
}

static int find_kernels(struct latency_verb *v, struct error *e) {
    for (size_t i = 0; v->kernels && i < sizeof kernels / sizeof *kernels; i++)
        if (!strcmp(v->kernels, kernels[i].name)) {
            v->of.kernels = kernels[i].name;
            v->of.without = kernels[i].without;
            return 0;
        }
    return v->kernels
               ? fail(e,
                      "latency: --kernels takes avx512-vpopcntdq, avx512-vnni, avx2 or portable, "
                      "not '%.64s'",
                      v->kernels)
               : 0;
}

static int check_options(struct latency_verb *v, int operands, struct error *e) {
    long batch, calls;
    if (operands != 1)
        return fail(e, "latency: name one model file ('truncquant pack' writes them) or run ID");
    if (v->bits && (text_widths(v->bits, &v->widths) || v->widths.bits[v->widths.n - 1] > TQ_BITS))
        return fail(e, "latency: --bits takes widths of 1 ... 8, each once, not '%.64s'", v->bits);
    if (text_int(v->batch, 1, 1 << 12, &batch))
        return fail(e, "latency: --batch takes 1 ... 4096, not '%.64s'", v->batch);
    if (text_int(v->calls, 1, 1000000, &calls))
        return fail(e, "latency: --calls takes 1 ... 1000000, not '%.64s'", v->calls);
    v->of.batch = (int)batch;
    v->of.calls = (int)calls;
    return find_kernels(v, e);
}

/* ---- the model ---- */

static int fail_model(const char *path, const struct tq_model *m, int code, struct error *e) {
    return code == TQ_NO_FILE ? fail(e, "%s", tq_model_message(m))
                              : fail_at(e, path, 0, "%s", tq_model_message(m));
}

/* As `pack` would write it, into a file that is gone once it is open. */
static int open_packed(struct session *s, struct tq_model **m, struct error *e) {
    char path[4096];
    const char *folder = getenv("TMPDIR");
    const struct packing_options all = {0};
    snprintf(path, sizeof path, "%.4000s/truncquant-XXXXXX", folder && *folder ? folder : "/tmp");
    int file = mkstemp(path);
    if (file < 0)
        return fail(e, "%s: a temporary file cannot be made here; set TMPDIR", path);
    close(file);
    int rc = session_pack(s, &all, path, e), code = rc ? TQ_OK : tq_open(path, 0, m);
    unlink(path);
    return code ? fail_model(path, *m, code, e) : rc;
}

static int open_run(struct store *store, const struct options *o, struct tq_model **m,
                    struct error *e) {
    struct computing how = COMPUTING_DEFAULTS;
    struct session_options so = {
        .reads = 1, .other_numerics = 1, .quiet = o->quiet, .quantizers = o->quantizers};
    struct session s;
    if (computing_options(&how, "latency", &so, e) || session_open(&s, &so, store, o->argv[1], e))
        return -1;
    int rc = verb_check_done(store, s.row.run_id, "packed", e);
    rc = rc ? rc : open_packed(&s, m, e);
    session_close(&s);
    return rc;
}

static int is_id(const char *text) {
    size_t n = strlen(text);
    for (const char *c = text; *c; c++)
        if (!isxdigit((unsigned char)*c))
            return 0;
    return n >= 6 && n < HASH_HEX;
}

/* ---- what is printed and recorded ---- */

static void print_measured(const struct latency *l, const struct latency_options *o,
                           const struct tq_info *i) {
    text_say(
        stdout,
        "%s on %s, scheme %s, run %.12s: %s kernels, %s, one thread, batch %d, %d calls a width\n",
        i->network, i->dataset, i->scheme, i->run, l->kernels, l->processor, o->batch, l->calls);
    printf("  bits  activations  median ms  min ms  95 %% ms  speedup  switch ms  bytes read\n");
    const struct latency_point *last = &l->of[l->n - 1];
    for (int n = 0; n < l->n; n++) {
        const struct latency_point *p = &l->of[n];
        printf("  %4d  %11d  %9.4g  %6.4g  %7.4g  %7.2f  %9.3g  %10zu\n", p->bits,
               i->act_bits[p->bits], 1e3 * p->median, 1e3 * p->min, 1e3 * p->p95,
               last->median / p->median, 1e3 * p->switching, i->bytes[p->bits]);
    }
    printf(
        "speedup: over %d bits; a session of all widths takes %zu bytes; scores differ from those "
        "of the portable\nkernels by %g\n",
        last->bits, l->session_bytes, last->residual);
}

static double now(void) {
    struct timeval t;
    gettimeofday(&t, NULL);
    return (double)t.tv_sec + 1e-6 * (double)t.tv_usec;
}

static int record(struct store *store, const struct latency *l, const struct latency_options *o,
                  const struct tq_info *i, struct error *e) {
    struct latency_row rows[TQ_BITS];
    char host[256] = "";
    double measured_at = now();
    int dirty;
    const char *commit = numerics_commit(&dirty);
    gethostname(host, sizeof host - 1);
    for (int n = 0; n < l->n; n++) {
        const struct latency_point *p = &l->of[n];
        rows[n] = (struct latency_row){.run_id = i->run,
                                       .host = host,
                                       .pid = (long)getpid(),
                                       .measured_at = measured_at,
                                       .bits = p->bits,
                                       .act_bits = i->act_bits[p->bits],
                                       .processor = l->processor,
                                       .kernels = l->kernels,
                                       .compiled = l->compiled,
                                       .commit_id = commit,
                                       .dirty = dirty,
                                       .threads = 1,
                                       .batch = o->batch,
                                       .calls = l->calls,
                                       .min_seconds = p->min,
                                       .median_seconds = p->median,
                                       .p95_seconds = p->p95,
                                       .switch_seconds = p->switching,
                                       .bytes_read = (int64_t)i->bytes[p->bits],
                                       .plane_bytes = (int64_t)(i->bytes[p->bits] - i->bytes[0]),
                                       .session_bytes = (int64_t)l->session_bytes,
                                       .residual = p->residual};
    }
    return store_add_latencies(store, rows, l->n, e);
}

/* Where the database knows the run. */
static int record_known(struct store *store, const struct options *o, const struct latency *l,
                        const struct latency_options *of, const struct tq_info *i,
                        struct error *e) {
    int there = 0;
    if (store && store_has_run(store, i->run, &there, e))
        return -1;
    if (!there) {
        if (!o->quiet)
            printf("not recorded: %s %s\n", o->db,
                   store ? "does not know the run" : "is not there; --db names a database");
        return 0;
    }
    return record(store, l, of, i, e);
}

/* ---- all of it ---- */

/* All that the model has, or those that were named. */
static int choose_widths(struct latency_verb *v, const struct tq_info *i, struct error *e) {
    struct latency_options *o = &v->of;
    for (int k = i->min_bits; k <= i->planes && !v->widths.n; k++)
        o->bits[o->n++] = k;
    for (int n = 0; n < v->widths.n; n++) {
        o->bits[o->n++] = v->widths.bits[n];
        if (v->widths.bits[n] < i->min_bits || v->widths.bits[n] > i->planes)
            return fail(e, "latency: the model has widths of %d to %d bits, not %d", i->min_bits,
                        i->planes, v->widths.bits[n]);
    }
    return 0;
}

static int time_model(struct store *store, const struct options *o, struct latency_verb *v,
                      const struct tq_model *m, struct error *e) {
    const struct tq_info *i = tq_model_info(m);
    struct latency l;
    v->of.quiet = o->quiet;
    if (choose_widths(v, i, e) || latency_measure(&l, m, &v->of, e))
        return -1;
    print_measured(&l, &v->of, i);
    return record_known(store, o, &l, &v->of, i, e);
}

static int latency(const struct options *o, struct latency_verb *v, struct error *e) {
    const char *what = o->argv[1];
    int of_run = !file_exists(what) && is_id(what), rc = 0;
    struct tq_model *m = NULL;
    struct store *store = of_run || file_exists(o->db) ? verb_open_store(o, STORE_UPDATE, e) : NULL;
    if (e->text[0])
        rc = -1;
    else if (of_run)
        rc = open_run(store, o, &m, e);
    else if ((rc = tq_open(what, 0, &m)) != 0)
        rc = fail_model(what, m, rc, e);
    rc = rc ? rc : time_model(store, o, v, m, e);
    tq_close(m);
    store_close(store);
    return rc ? EXIT_FAILED : EXIT_DONE;
}

int verb_latency(struct options *o, struct error *e) {
    struct latency_verb v = {.batch = "1", .calls = "200"};
    int helped, operands = parse(o, &v, &helped, e);
    if (helped)
        return EXIT_DONE;
    if (operands < 0 || check_options(&v, operands, e))
        return EXIT_USAGE;
    return latency(o, &v, e);
}
