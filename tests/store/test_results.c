/* Epochs, evaluations and layers: written once, wholly or not at all, also when the disk is full,
 * the process is killed, or two write at once. */
#include "store/export_fixture.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { WIDTHS = 5 };
static const int bits_of[WIDTHS] = {1, 2, 4, 8, 32};

/* All widths of one epoch. */
static void make_epoch(int epoch, struct epoch_row rows[WIDTHS]) {
    for (int i = 0; i < WIDTHS; i++)
        rows[i] = (struct epoch_row){.epoch = epoch,
                                     .bits = bits_of[i],
                                     .loss = 1.0 / epoch,
                                     .accuracy = 50 + i,
                                     .learning_rate = 1e-3,
                                     .seconds = 2.5,
                                     .images = 640};
}

static int64_t begin(struct store *s) {
    struct run_row run = store_fixture_run(1, 1, 1);
    store_fixture_add(s, &run);
    return store_fixture_begin(s, run.run_id, 0);
}

static int64_t count(struct store *s, const char *table) {
    char sql[512];
    snprintf(sql, sizeof sql, "SELECT count(*) FROM %s", table);
    return (int64_t)store_fixture_number(s, sql);
}

static void epochs_are_written_once(void **state) {
    struct store *s = store_fixture_open(*state, STORE_WRITE);
    struct epoch_row rows[WIDTHS];
    struct error e = {0};
    int64_t attempt = begin(s);
    make_epoch(2, rows);
    assert_int_equal(store_add_epochs(s, attempt, rows, WIDTHS, &e), 0);
    assert_string_equal(store_fixture_text(s,
                                           "SELECT epoch || ' ' || loss || ' ' || accuracy || ' ' "
                                           "|| learning_rate || ' ' || seconds || ' ' || images "
                                           "FROM epochs WHERE bits = 4"),
                        "2 0.5 52.0 0.001 2.5 640");
    rows[0].loss = 9;
    assert_int_equal(store_add_epochs(s, attempt, rows, WIDTHS, &e), 0);
    assert_int_equal(count(s, "epochs"), WIDTHS);
    assert_true(store_fixture_number(s, "SELECT max(loss) FROM epochs") == 0.5);
    assert_int_equal(store_add_epochs(s, attempt + 1, rows, WIDTHS, &e), -1);
    assert_non_null(strstr(e.text, "has no attempt 2; "));
    store_close(s);
}

static void a_nan_is_refused_with_its_epoch(void **state) {
    struct store *s = store_fixture_open(*state, STORE_WRITE);
    struct epoch_row rows[WIDTHS];
    struct error e = {0};
    int64_t attempt = begin(s);
    make_epoch(1, rows);
    rows[3].loss = NAN;
    assert_int_equal(store_add_epochs(s, attempt, rows, WIDTHS, &e), -1);
    assert_non_null(
        strstr(e.text, "NOT NULL constraint failed: epochs.loss); is one of its numbers"));
    assert_int_equal(count(s, "epochs"), 0);
    store_close(s);
}

/* A count for each of 256 bins, of which the first is `first`. */
static void print_counts(int first, int bins, char counts[600]) {
    int at = snprintf(counts, 600, "[%d", first);
    for (int b = 1; b < bins; b++)
        at += snprintf(counts + at, (size_t)(600 - at), ",1");
    snprintf(counts + at, (size_t)(600 - at), "]");
}

/* All that a run leaves, until the next call. */
static struct run_results make_results(void) {
    static struct evaluation_row evaluations[2];
    static struct layer_row layers[2];
    static struct histogram_row histograms[2];
    static char counts[600];
    evaluations[0] = store_fixture_evaluation(2, "direct", 0, 700);
    evaluations[1] = store_fixture_evaluation(2, "truncated", 20, 600);
    layers[0] = (struct layer_row){3, "conv3", 2, 0.25, -1, -1, 0.5};
    layers[1] = (struct layer_row){3, "conv3", 4, 0.125, 0, 0.75, 0.5};
    print_counts(7, 256, counts);
    histograms[0] = (struct histogram_row){3, "start", 262, counts};
    histograms[1] = (struct histogram_row){3, "end", 262, counts};
    return (struct run_results){evaluations, 2, layers, 2, histograms, 2};
}

static void finishing_writes_all(void **state) {
    struct store *s = store_fixture_open(*state, STORE_WRITE);
    struct run_results results = make_results();
    struct error e = {0};
    ((struct evaluation_row *)results.evaluations)[1].loss_sum = NAN;
    int64_t attempt = begin(s);
    for (int again = 0; again < 2; again++) {
        assert_int_equal(store_finish(s, attempt, &results, 1.5, 4096, &e), 0);
        assert_int_equal(count(s, "evaluations"), 2);
        assert_int_equal(count(s, "layers"), 2);
        assert_int_equal(count(s, "histograms"), 2);
    }
    assert_string_equal(
        store_fixture_text(s, "SELECT group_concat(layer || stage || weights || ' ' ||"
                              " (SELECT sum(value) FROM json_each(counts)) || substr(counts, 1, 4))"
                              " FROM (SELECT * FROM histograms ORDER BY stage)"),
        "3end262 262[7,1,3start262 262[7,1");
    assert_string_equal(
        store_fixture_text(s, "SELECT epoch || split || bits || act_bits || stored_bits || bank || "
                              "inference || calibration_batches || precision || images || ' ' || "
                              "correct1 || ' ' || correct5 || ' ' || coalesce(loss_sum, 'NULL') "
                              "FROM evaluations WHERE inference = 'truncated'"),
        "3test2282truncated20fp321000 600 1000 NULL");
    assert_string_equal(store_fixture_text(s,
                                           "SELECT group_concat(quote(layer) || quote(name) || "
                                           "quote(quantization_error) || quote(truncation_error) "
                                           "|| quote(codes_differ) || quote(scale)) FROM layers"),
                        "3'conv3'0.25NULLNULL0.5,3'conv3'0.1250.00.750.5");
    assert_string_equal(
        store_fixture_text(s, "SELECT outcome || ' ' || progress || ' ' || cpu_seconds "
                              "|| ' ' || peak_bytes || ' ' || (ended_at = heartbeat_at) "
                              "FROM attempts"),
        "complete 1.0 1.5 4096 1");
    store_close(s);
}

static void a_refused_evaluation_leaves_the_run_unfinished(void **state) {
    struct store *s = store_fixture_open(*state, STORE_WRITE);
    struct run_results results = make_results();
    struct error e = {0};
    ((struct layer_row *)results.layers)[1].codes_differ = 1.5;
    int64_t attempt = begin(s);
    assert_int_equal(store_finish(s, attempt, &results, 1.5, 4096, &e), -1);
    assert_non_null(strstr(e.text, "a row was refused (CHECK constraint failed: codes_differ"));
    assert_int_equal(count(s, "evaluations"), 0);
    assert_int_equal(count(s, "layers"), 0);
    assert_int_equal(count(s, "attempts WHERE outcome IS NULL"), 1);
    store_close(s);
}

/* Counts that are no 256, or of no stage, take nothing of the others with them. */
static void a_refused_histogram_leaves_the_run_unfinished(void **state) {
    struct store *s = store_fixture_open(*state, STORE_WRITE);
    struct run_results results = make_results();
    struct error e = {0};
    char counts[600];
    print_counts(8, 255, counts);
    const struct histogram_row refused[] = {{3, "start", 262, counts},
                                            {3, "start", 262, "7,1"},
                                            {3, "begin", 262, results.histograms[0].counts},
                                            {0}};
    int64_t attempt = begin(s);
    for (int i = 0; i < 4; i++) {
        results.histograms = &refused[i];
        results.n_histograms = 1;
        e.text[0] = '\0';
        assert_int_equal(store_finish(s, attempt, &results, 1.5, 4096, &e), -1);
        assert_non_null(strstr(e.text, "a row was refused ("));
        assert_int_equal(count(s, "evaluations"), 0);
        assert_int_equal(count(s, "attempts WHERE outcome IS NULL"), 1);
    }
    store_close(s);
}

/* ---- a full disk ---- */

static void a_full_database_says_so(void **state) {
    struct store *s = store_fixture_open(*state, STORE_WRITE);
    struct run_row run = store_fixture_run(2, 1, 1);
    struct error e = {0};
    char cfg[1 << 16];
    memset(cfg, 'x', sizeof cfg);
    cfg[sizeof cfg - 1] = '\0';
    run.cfg = cfg;
    begin(s);
    store_fixture_text(s, "PRAGMA max_page_count = 30");
    assert_int_equal(store_add_runs(s, &run, 1, "demo", &e), -1);
    assert_non_null(strstr(e.text, "the disk or a quota is full; free space and run again"));
    assert_int_equal(count(s, "runs"), 1);
    store_fixture_text(s, "PRAGMA max_page_count = 100000");
    store_fixture_add(s, &run);
    store_close(s);
}

/* A limit on the size of files makes write(2) fail as a quota does. In a child: the limit stays. */
static int write_beyond_limit(const char *path) {
    struct store *s = store_fixture_open(path, STORE_WRITE);
    int64_t attempt = begin(s);
    struct epoch_row rows[WIDTHS];
    struct error e = {0};
    struct rlimit limit = {512 * 1024, 512 * 1024};
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &limit);
    for (int epoch = 1; epoch < 1000 && !e.text[0]; epoch++) {
        make_epoch(epoch, rows);
        store_add_epochs(s, attempt, rows, WIDTHS, &e);
    }
    store_close(s);
    if (strstr(e.text, "a limit on the size of files is reached (ulimit -f); "))
        return 0;
    fprintf(stderr, "%s\n", e.text);
    return 1;
}

static void assert_whole(const char *path) {
    struct store *s = store_fixture_open(path, STORE_WRITE);
    assert_string_equal(store_fixture_text(s, "PRAGMA integrity_check"), "ok");
    assert_int_equal(count(s, "pragma_foreign_key_check"), 0);
    assert_int_equal(
        count(s, "(SELECT 1 FROM epochs GROUP BY attempt, epoch HAVING count(*) <> 5)"), 0);
    store_close(s);
}

static void a_full_disk_loses_nothing(void **state) {
    fflush(NULL);
    pid_t child = fork();
    if (!child)
        _exit(write_beyond_limit(*state));
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_whole(*state);
    struct store *s = store_fixture_open(*state, STORE_READ);
    assert_true(count(s, "epochs") >= 5 * WIDTHS);
    store_close(s);
}

/* ---- killed, and two at once ---- */

/* Runs without end, each with epochs, evaluations and completion, which a byte into `finished`
 * tells; `base` keeps two writers apart. */
static void write_forever(const char *path, int base, int finished) {
    struct store *s = store_fixture_open(path, STORE_WRITE);
    struct error e = {0};
    for (int i = base; !e.text[0]; i++) {
        struct run_row run = store_fixture_run(i, i, i);
        store_fixture_add(s, &run);
        int64_t attempt = store_fixture_begin(s, run.run_id, 0);
        for (int epoch = 1; epoch <= 3; epoch++) {
            struct epoch_row rows[WIDTHS];
            make_epoch(epoch, rows);
            store_add_epochs(s, attempt, rows, WIDTHS, &e);
            store_heartbeat(s, attempt, epoch / 3.0, &e);
        }
        struct run_results results = make_results();
        if (store_finish(s, attempt, &results, 1, 1, &e) || write(finished, "f", 1) != 1)
            _exit(1);
    }
    _exit(1);
}

static void assert_complete_means_complete(const char *path) {
    struct store *s = store_fixture_open(path, STORE_READ);
    assert_int_equal(count(s, "attempts a WHERE (outcome IS 'complete') * 2 <> "
                              "(SELECT count(*) FROM evaluations e WHERE e.attempt = a.attempt) OR "
                              "(outcome IS 'complete') * 2 <> "
                              "(SELECT count(*) FROM layers l WHERE l.attempt = a.attempt)"),
                     0);
    assert_int_equal(count(s, "runs r WHERE NOT EXISTS (SELECT 1 FROM grid_runs g WHERE g.run_id = "
                              "r.run_id)"),
                     0);
    store_close(s);
}

/* Kills a writer at some instant after it has finished `runs`. */
static void kill_a_writer(const char *path, int round, int runs) {
    int finished[2];
    char byte;
    assert_int_equal(pipe(finished), 0);
    fflush(NULL);
    pid_t child = fork();
    if (!child)
        write_forever(path, 1000 * (round + 1), finished[1]);
    close(finished[1]);
    for (int i = 0; i < runs; i++)
        assert_int_equal(read(finished[0], &byte, 1), 1);
    usleep((useconds_t)(7919 * round % 20000));
    kill(child, SIGKILL);
    int status;
    waitpid(child, &status, 0);
    close(finished[0]);
    assert_true(WIFSIGNALED(status)); // it was writing until then
}

static void a_killed_writer_leaves_whole_rows(void **state) {
    int finished = 0;
    for (int round = 0; round < 15; round++) {
        int runs = round % 3;
        kill_a_writer(*state, round, runs);
        assert_whole(*state);
        assert_complete_means_complete(*state);
        finished += runs;
    }
    struct store *s = store_fixture_open(*state, STORE_READ);
    assert_true(count(s, "attempts WHERE outcome = 'complete'") >= finished);
    store_close(s);
}

/* Writers that also make the file: a race for the schema. */
static void two_writers_lose_nothing(void **state) {
    enum { WRITERS = 3, RUNS = 20 };
    pid_t children[WRITERS];
    fflush(NULL);
    for (int w = 0; w < WRITERS; w++) {
        children[w] = fork();
        if (children[w])
            continue;
        struct store *s = store_fixture_open(*state, STORE_WRITE);
        for (int i = 0; i < RUNS; i++) {
            struct run_row own = store_fixture_run(1000 * (w + 1) + i, i, i);
            struct run_row shared = store_fixture_run(i, i, i);
            store_fixture_add(s, &shared);
            store_fixture_finished(s, &own, NULL, 0);
        }
        store_close(s);
        _exit(0);
    }
    for (int w = 0; w < WRITERS; w++) {
        int status;
        waitpid(children[w], &status, 0);
        assert_int_equal(status, 0);
    }
    struct store *s = store_fixture_open(*state, STORE_READ);
    assert_int_equal(count(s, "runs"), (WRITERS + 1) * RUNS);
    assert_int_equal(count(s, "attempts WHERE outcome = 'complete'"), WRITERS * RUNS);
    store_close(s);
}

static int has(struct store *s, int64_t attempt, const struct evaluation_row *row) {
    struct error e = {0};
    int there = -1;
    if (store_has_evaluation(s, attempt, row, &there, &e))
        fail_msg("%s", e.text);
    return there;
}

/* The same evaluation, by the same program: whatever it counted. */
static void what_is_recorded_is_known(void **state) {
    struct store *s = store_fixture_open(*state, STORE_WRITE);
    struct evaluation_row row = store_fixture_evaluation(2, "direct", 0, 700), other;
    struct run_row run = store_fixture_run(1, 1, 1);
    store_fixture_finished(s, &run, &row, 1);
    int64_t again = store_fixture_begin(s, run.run_id, 1);
    row.correct1 = 1;
    assert_int_equal(has(s, again, &row), 1);
    int *const numbers[] = {&other.epoch,          &other.point.bits,
                            &other.point.act_bits, &other.point.stored_bits,
                            &other.point.bank,     &other.point.calibration};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        other = row;
        ++*numbers[i];
        assert_int_equal(has(s, again, &other), 0);
    }
    other = row, other.images++;
    assert_int_equal(has(s, again, &other), 0);
    other = row, other.split = "val";
    assert_int_equal(has(s, again, &other), 0);
    other = row, other.point.cut = CUT_WEIGHTS;
    assert_int_equal(has(s, again, &other), 0);
    other = row, point_set_arithmetic(&other.point, "int8");
    assert_int_equal(has(s, again, &other), 0);
    const char *const otherwise[] = {
        "engine = 'other'", "libraries = 'other'",          "isa = 'other'",  "precision = 'other'",
        "threads = 7",      "sources = printf('%064d', 0)", "sources = NULL", "outcome = 'failed'"};
    for (size_t i = 0; i < sizeof otherwise / sizeof *otherwise; i++) {
        char sql[128];
        snprintf(sql, sizeof sql, "SAVEPOINT a; UPDATE attempts SET %s WHERE attempt < %d",
                 otherwise[i], (int)again);
        store_fixture_sql(s, sql);
        assert_int_equal(has(s, again, &row), 0);
        store_fixture_sql(s, "ROLLBACK TO a; RELEASE a");
        assert_int_equal(has(s, again, &row), 1);
    }
    // A commit says nothing of what computes; without the sources nothing is known.
    store_fixture_sql(s, "SAVEPOINT a; UPDATE attempts SET dirty = 1, commit_id = attempt");
    assert_int_equal(has(s, again, &row), 1);
    store_fixture_sql(s, "ROLLBACK TO a; UPDATE attempts SET sources = NULL");
    assert_int_equal(has(s, again, &row), 0);
    store_close(s);
}

/* ---- latencies ---- */

static struct latency_row latency_of(const char *run_id, int bits, double seconds) {
    return (struct latency_row){.run_id = run_id,
                                .host = "here",
                                .pid = 7,
                                .measured_at = 5000,
                                .bits = bits,
                                .act_bits = bits,
                                .processor = "cpu, the best",
                                .kernels = "avx2",
                                .compiled = "gcc -O3",
                                .commit_id = "fedcba9",
                                .dirty = 1,
                                .threads = 1,
                                .batch = 1,
                                .calls = 200,
                                .min_seconds = seconds / 2,
                                .median_seconds = seconds,
                                .p95_seconds = 2 * seconds,
                                .switch_seconds = 1e-5,
                                .bytes_read = 1000 * bits,
                                .plane_bytes = 900 * bits,
                                .session_bytes = 4096};
}

/* All widths or none, of runs that are there; exported beside the accuracy of the same width. */
static void latencies_belong_to_a_run(void **state) {
    struct store *s = store_fixture_open(*state, STORE_WRITE);
    struct error e = {0};
    struct run_row run = store_fixture_run(1, 1, 1);
    struct evaluation_row cell = store_fixture_evaluation(2, "truncated", 0, 640);
    int there = 1;
    assert_int_equal(store_has_run(s, run.run_id, &there, &e), 0);
    assert_false(there);
    store_fixture_finished(s, &run, &cell, 1);
    assert_int_equal(store_has_run(s, run.run_id, &there, &e), 0);
    assert_true(there);
    struct latency_row rows[] = {latency_of(run.run_id, 2, 1e-3), latency_of(run.run_id, 8, 3e-3),
                                 latency_of(STORE_FIXTURE_HASH("9"), 8, 1e-3)};
    assert_int_equal(store_add_latencies(s, rows, 3, &e), -1); // the last is of no run
    assert_int_equal(count(s, "latencies"), 0);
    assert_int_equal(store_add_latencies(s, rows, 2, &e), 0);
    char *csv = exported(s, "latency", EXPORT_WIDE, NULL, &e);
    assert_non_null(strstr(csv, "\"cpu, the best\",avx2,1,2,64,1,0.5,2,3,0.01,2000,4096\n"));
    assert_non_null(strstr(csv, "\"cpu, the best\",avx2,1,8,,3,1.5,6,1,0.01,8000,4096\n"));
    assert_non_null(strstr(csv, "# 2 rows. Commit: fedcba9-dirty.\n"));
    free(csv);
    store_fixture_sql(s, "UPDATE runs SET excluded = 'odd'");
    csv = exported(s, "latency", EXPORT_WIDE, NULL, &e);
    assert_null(strstr(csv, "avx2"));
    free(csv);
    store_close(s);
}

int main(void) {
#define TEST(name)                                                                                 \
    cmocka_unit_test_setup_teardown(name, store_fixture_setup, store_fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(epochs_are_written_once),
        TEST(a_nan_is_refused_with_its_epoch),
        TEST(finishing_writes_all),
        TEST(what_is_recorded_is_known),
        TEST(a_refused_evaluation_leaves_the_run_unfinished),
        TEST(a_refused_histogram_leaves_the_run_unfinished),
        TEST(a_full_database_says_so),
        TEST(a_full_disk_loses_nothing),
        TEST(a_killed_writer_leaves_whole_rows),
        TEST(two_writers_lose_nothing),
        TEST(latencies_belong_to_a_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
