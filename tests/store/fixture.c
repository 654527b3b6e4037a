/* Databases for tests; fixture.h is the manual. */
#include "store/fixture.h"

#include <ftw.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

int store_fixture_setup(void **state) {
    char folder[] = "/tmp/truncquant-store-XXXXXX";
    if (!mkdtemp(folder) || chmod(folder, 0755))
        return -1;
    char *path = NULL;
    if (asprintf(&path, "%s/results.db", folder) < 0)
        return -1;
    *state = path;
    return 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at) {
    (void)st;
    (void)type;
    (void)at;
    return remove(path);
}

int store_fixture_teardown(void **state) {
    char *path = *state;
    *strrchr(path, '/') = '\0';
    chmod(path, 0755);
    nftw(path, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    free(path);
    return 0;
}

struct store *store_fixture_open(const char *path, enum store_mode mode) {
    struct error e = {0};
    struct store *s = store_open(path, mode, &e);
    if (!s)
        fail_msg("%s", e.text);
    return s;
}

struct run_row store_fixture_run(int i, int config, long seed) {
    struct run_row run = {
        .spec = "scheme = truncquant\n",
        .cfg = "[net]\n[softmax]\n",
        .grid = "demo",
        .scheme = "truncquant",
        .network = "resnet8",
        .dataset = "fashion-mnist",
        .data_hash = "d",
        .params = "{}",
        .seed = seed,
        .widths = "1 2 4 8 32",
        .epochs = 3,
        .batch = 128,
        .images = 60000,
        .act_bits = 0,
        .stored_bits = 8,
        .work = 100,
    };
    snprintf(run.run_id, sizeof run.run_id, "%08x%056x", (unsigned)i * 0x01000193u, i);
    snprintf(run.config_id, sizeof run.config_id, "c%063x", config);
    return run;
}

void store_fixture_add(struct store *s, const struct run_row *run) {
    struct error e = {0};
    if (store_add_runs(s, run, 1, "demo", &e))
        fail_msg("%s", e.text);
}

int64_t store_fixture_begin(struct store *s, const char *run_id, double resumed_at) {
    char host[256] = "";
    gethostname(host, sizeof host - 1);
    struct attempt_row row = {
        .run_id = run_id,
        .numerics = {.engine = "reference",
                     .precision = "fp32",
                     .isa = "x86-64",
                     .libraries = "none",
                     .sources = STORE_FIXTURE_HASH("a"),
                     .commit = "abc1234",
                     .threads = 1},
        .host = host,
        .command = "truncquant run",
        .pid = getpid(),
        .progress = resumed_at,
        .resumed_at = resumed_at,
        .classes = 10,
    };
    struct error e = {0};
    int64_t attempt;
    if (store_begin_attempt(s, &row, &attempt, &e))
        fail_msg("%s", e.text);
    return attempt;
}

struct evaluation_row store_fixture_evaluation(int bits, const char *inference, int calibration,
                                               int64_t correct1) {
    return (struct evaluation_row){
        .epoch = 3,
        .split = "test",
        .point = {.bits = bits,
                  .act_bits = bits,
                  .bank = bits,
                  .calibration = calibration,
                  .cut = (enum cut)text_find(inference, cut_names),
                  .stored_bits = 8,
                  .arithmetic = "fp32"},
        .images = 1000,
        .correct1 = correct1,
        .correct5 = 1000,
        .loss_sum = 500,
    };
}

int64_t store_fixture_finished(struct store *s, const struct run_row *run,
                               const struct evaluation_row *rows, int n) {
    struct error e = {0};
    store_fixture_add(s, run);
    int64_t attempt = store_fixture_begin(s, run->run_id, 0);
    if (store_finish(s, attempt, &(struct run_results){.evaluations = rows, .n = n}, 1.5, 1 << 20,
                     &e))
        fail_msg("%s", e.text);
    return attempt;
}

static sqlite3_stmt *first_row(struct store *s, const char *sql) {
    sqlite3_stmt *q = NULL;
    if (sqlite3_prepare_v2(s->db, sql, -1, &q, NULL) || sqlite3_step(q) != SQLITE_ROW)
        fail_msg("%s: %s", sql, sqlite3_errmsg(s->db));
    return q;
}

double store_fixture_number(struct store *s, const char *sql) {
    sqlite3_stmt *q = first_row(s, sql);
    double value = sqlite3_column_double(q, 0);
    sqlite3_finalize(q);
    return value;
}

const char *store_fixture_text(struct store *s, const char *sql) {
    static char text[4096];
    sqlite3_stmt *q = first_row(s, sql);
    const unsigned char *value = sqlite3_column_text(q, 0);
    snprintf(text, sizeof text, "%s", value ? (const char *)value : "NULL");
    sqlite3_finalize(q);
    return text;
}

void store_fixture_sql(struct store *s, const char *sql) {
    if (sqlite3_exec(s->db, sql, NULL, NULL, NULL))
        fail_msg("%s: %s", sql, sqlite3_errmsg(s->db));
}
