/* Runs, grids, attempts and their states. */
#include "store/fixture.h"
#include "store/rates.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static void assert_state(struct store *s, const char *run_id, enum run_state expected) {
    struct error e = {0};
    enum run_state state;
    if (store_run_state(s, run_id, &state, &e))
        fail_msg("%s", e.text);
    assert_string_equal(run_state_names[state], run_state_names[expected]);
}

static void end_attempt(struct store *s, int64_t attempt, const char *outcome) {
    struct error e = {0};
    enum cause cause = !strcmp(outcome, "failed") ? CAUSE_OWN : CAUSE_OUTSIDE;
    if (store_end_attempt(s, attempt, outcome, cause, "SIGTERM", 12.5, 4096, &e))
        fail_msg("%s", e.text);
}

/* A text of every member, different from all others. */
static void a_run_comes_back_whole(void **state) {
    struct store *s = store_fixture_open(*state, STORE_WRITE);
    struct run_row in = store_fixture_run(7, 3, -12), out;
    in.spec = "spec", in.cfg = "cfg\n\"'\n", in.grid = "grid", in.scheme = "scheme";
    in.network = "network", in.dataset = "dataset", in.data_hash = "hash";
    in.params = "{\"epochs\": \"10\"}", in.widths = "1 32", in.epochs = 4, in.batch = 5;
    in.images = 6, in.act_bits = 7, in.stored_bits = 8, in.work = 9.5e18;
    store_fixture_add(s, &in);
    struct error e = {0};
    assert_int_equal(store_find_run(s, in.run_id, &out, &e), 0);
    assert_string_equal(out.run_id, in.run_id);
    assert_string_equal(out.config_id, in.config_id);
    const char *const there[] = {out.spec,    out.cfg,       out.grid,   out.scheme, out.network,
                                 out.dataset, out.data_hash, out.params, out.widths};
    const char *const given[] = {in.spec,    in.cfg,       in.grid,   in.scheme, in.network,
                                 in.dataset, in.data_hash, in.params, in.widths};
    for (int i = 0; i < 9; i++)
        assert_string_equal(there[i], given[i]);
    const long numbers[] = {out.seed,   out.epochs,   out.batch,
                            out.images, out.act_bits, out.stored_bits};
    const long expected[] = {-12, 4, 5, 6, 7, 8};
    assert_memory_equal(numbers, expected, sizeof expected);
    assert_true(out.work == in.work);
    store_free_run(&out);
    store_close(s);
}

static void refused_id(struct store *s, const char *id, const char *says) {
    struct error e = {0};
    struct run_row run;
    assert_int_equal(store_find_run(s, id, &run, &e), -1);
    if (!strstr(e.text, says))
        fail_msg("'%s' is not in '%s'", says, e.text);
}

static void runs_are_found_by_prefix(void **state) {
    struct store *s = store_fixture_open(*state, STORE_WRITE);
    struct run_row a = store_fixture_run(1, 1, 1), b = store_fixture_run(2, 1, 2), found;
    memset(a.run_id, 'a', 64);
    memset(b.run_id, 'a', 63);
    b.run_id[63] = '0';
    store_fixture_add(s, &a);
    store_fixture_add(s, &b);
    refused_id(s, "aaaaa", "'aaaaa' is no run id; give at least its first 6 hexadecimal digits");
    refused_id(s, "aaaaaag", "is no run id; ");
    refused_id(s, "aaaaaa%", "is no run id; ");
    refused_id(s, "aaaaaa", "has several runs aaaaaa...; give more digits");
    refused_id(s, "bbbbbb", "has no run bbbbbb; ");
    struct error e = {0};
    assert_int_equal(store_find_run(s, b.run_id, &found, &e), 0);
    assert_string_equal(found.run_id, b.run_id);
    store_free_run(&found);
    struct run_row c = store_fixture_run(3, 1, 3);
    memset(c.run_id, 'c', 64);
    store_fixture_add(s, &c);
    assert_int_equal(store_find_run(s, "CCCCCC", &found, &e), 0);
    assert_string_equal(found.run_id, c.run_id);
    store_free_run(&found);
    store_close(s);
}

static void adding_again_changes_nothing(void **state) {
    struct store *s = store_fixture_open(*state, STORE_WRITE);
    struct run_row run = store_fixture_run(1, 1, 1);
    store_fixture_add(s, &run);
    run.network = "other name";
    store_fixture_add(s, &run);
    assert_int_equal(store_fixture_number(s, "SELECT count(*) FROM runs"), 1);
    assert_int_equal(store_fixture_number(s, "SELECT count(*) FROM grid_runs"), 1);
    assert_string_equal(store_fixture_text(s, "SELECT network FROM runs"), "resnet8");
    store_close(s);
}

static void a_refused_row_takes_all_with_it(void **state) {
    struct store *s = store_fixture_open(*state, STORE_WRITE);
    struct run_row runs[] = {store_fixture_run(1, 1, 1), store_fixture_run(2, 1, 2)};
    runs[1].params = "not JSON";
    struct error e = {0};
    assert_int_equal(store_add_runs(s, runs, 2, "demo", &e), -1);
    assert_non_null(strstr(e.text, "a row was refused (CHECK constraint failed: json_valid"));
    assert_int_equal(store_fixture_number(s, "SELECT count(*) FROM runs"), 0);
    runs[1].params = "{}";
    runs[1].dataset = NULL;
    e.text[0] = '\0';
    assert_int_equal(store_add_runs(s, runs, 2, "demo", &e), -1);
    assert_non_null(strstr(e.text, "NOT NULL constraint failed: runs.dataset"));
    assert_int_equal(store_fixture_number(s, "SELECT count(*) FROM runs"), 0);
    store_close(s);
}

static void grids_share_runs(void **state) {
    struct store *s = store_fixture_open(*state, STORE_WRITE);
    struct run_row runs[] = {store_fixture_run(1, 1, 1), store_fixture_run(2, 1, 2),
                             store_fixture_run(3, 1, 3)};
    struct error e = {0};
    assert_int_equal(store_add_runs(s, runs, 2, "demo", &e), 0);
    assert_int_equal(store_add_runs(s, runs + 1, 2, "more", &e), 0);
    assert_int_equal(store_add_runs(s, runs, 3, NULL, &e), 0);
    struct run_status *rows;
    int n;
    assert_int_equal(store_statuses(s, "demo", &rows, &n, &e), 0);
    assert_int_equal(n, 2);
    assert_string_equal(rows[1].run_id, runs[1].run_id);
    store_free_statuses(rows, n);
    assert_int_equal(store_statuses(s, NULL, &rows, &n, &e), 0);
    assert_int_equal(n, 3);
    store_free_statuses(rows, n);
    assert_int_equal(store_check_grid(s, "more", &e), 0);
    assert_int_equal(store_check_grid(s, NULL, &e), 0);
    assert_int_equal(store_check_grid(s, "les", &e), -1);
    assert_non_null(strstr(e.text, "no runs of a grid 'les' are recorded; there are: demo, more"));
    store_close(s);
}

static int runs_of_demo(struct store *s) {
    struct error e = {0};
    struct run_status *rows;
    int n;
    assert_int_equal(store_statuses(s, "demo", &rows, &n, &e), 0);
    store_free_statuses(rows, n);
    return n;
}

static void an_edited_grid_forgets_no_run(void **state) {
    struct store *s = store_fixture_open(*state, STORE_WRITE);
    struct run_row runs[] = {store_fixture_run(1, 1, 1), store_fixture_run(2, 1, 2),
                             store_fixture_run(3, 1, 3)};
    struct error e = {0};
    assert_int_equal(store_set_grid(s, runs, 2, "demo", &e), 0);
    assert_int_equal(store_set_grid(s, runs + 2, 1, "other", &e), 0);
    assert_int_equal(runs_of_demo(s), 2);
    assert_int_equal(store_set_grid(s, runs + 1, 2, "demo", &e), 0);
    assert_int_equal(runs_of_demo(s), 2);
    assert_int_equal(store_set_grid(s, runs, 1, "demo", &e), 0);
    assert_int_equal(runs_of_demo(s), 1);
    assert_int_equal(store_fixture_number(s, "SELECT count(*) FROM runs"), 3);
    assert_int_equal(store_fixture_number(s, "SELECT current FROM grid_runs WHERE grid = 'other'"),
                     1);
    store_close(s);
}

/* ---- attempts and states ---- */

static void states(void **state) {
    struct store *s = store_fixture_open(*state, STORE_WRITE);
    struct run_row run = store_fixture_run(1, 1, 1);
    struct error e = {0};
    store_fixture_add(s, &run);
    assert_state(s, run.run_id, RUN_PENDING);
    int64_t attempt = store_fixture_begin(s, run.run_id, 0);
    assert_state(s, run.run_id, RUN_RUNNING);
    end_attempt(s, attempt, "interrupted");
    assert_state(s, run.run_id, RUN_PENDING);
    attempt = store_fixture_begin(s, run.run_id, 0.5);
    end_attempt(s, attempt, "failed");
    assert_state(s, run.run_id, RUN_FAILED);
    attempt = store_fixture_begin(s, run.run_id, 0.5);
    assert_state(s, run.run_id, RUN_RUNNING);
    assert_int_equal(store_finish(s, attempt, &(struct run_results){0}, 1, 1, &e), 0);
    assert_state(s, run.run_id, RUN_DONE);
    attempt = store_fixture_begin(s, run.run_id, 0); // a replicate that fails takes nothing away
    end_attempt(s, attempt, "failed");
    assert_state(s, run.run_id, RUN_DONE);
    enum run_state other;
    assert_int_equal(store_run_state(s, "0123456789", &other, &e), -1);
    assert_non_null(strstr(e.text, "has no run 0123456789; "));
    store_close(s);
}

static void silence_is_death(void **state) {
    struct store *s = store_fixture_open(*state, STORE_WRITE);
    struct run_row run = store_fixture_run(1, 1, 1);
    store_fixture_add(s, &run);
    store_fixture_begin(s, run.run_id, 0);
    store_fixture_sql(s, "UPDATE attempts SET heartbeat_at = unixepoch() - 110");
    assert_state(s, run.run_id, RUN_RUNNING);
    // Elsewhere, silence is all there is to go by.
    store_fixture_sql(s, "UPDATE attempts SET host = 'elsewhere', pid = 1 << 30");
    assert_state(s, run.run_id, RUN_RUNNING);
    store_fixture_sql(s, "UPDATE attempts SET heartbeat_at = unixepoch() - 130");
    assert_state(s, run.run_id, RUN_DEAD);
    store_fixture_sql(s, "UPDATE attempts SET heartbeat_at = unixepoch()");
    assert_state(s, run.run_id, RUN_RUNNING);
    store_close(s);
}

static void a_process_that_lives_may_be_silent(void **state) {
    struct store *s = store_fixture_open(*state, STORE_WRITE);
    struct run_row run = store_fixture_run(1, 1, 1);
    store_fixture_add(s, &run);
    store_fixture_begin(s, run.run_id, 0);
    store_fixture_sql(s, "UPDATE attempts SET heartbeat_at = unixepoch() - 100000");
    assert_state(s, run.run_id, RUN_RUNNING);
    store_fixture_sql(s, "UPDATE attempts SET process_start = process_start - 1"); // another one
    assert_state(s, run.run_id, RUN_DEAD);
    store_fixture_sql(s, "UPDATE attempts SET process_start = 0"); // unknown: perhaps another one
    assert_state(s, run.run_id, RUN_DEAD);
    store_close(s);
}

static void a_process_that_is_gone_is_dead(void **state) {
    struct store *s = store_fixture_open(*state, STORE_WRITE);
    struct run_row run = store_fixture_run(1, 1, 1);
    store_fixture_add(s, &run);
    store_close(s);
    pid_t child = fork();
    if (!child) {
        struct store *mine = store_fixture_open(*state, STORE_WRITE);
        store_fixture_begin(mine, run.run_id, 0);
        kill(getpid(), SIGKILL);
    }
    siginfo_t info;
    assert_int_equal(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT), 0);
    s = store_fixture_open(*state, STORE_READ);
    assert_state(s, run.run_id, RUN_DEAD); // not yet waited for
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_state(s, run.run_id, RUN_DEAD);
    store_close(s);
}

static void a_reused_pid_is_another_process(void **state) {
    struct store *s = store_fixture_open(*state, STORE_WRITE);
    struct run_row run = store_fixture_run(1, 1, 1);
    store_fixture_add(s, &run);
    store_fixture_begin(s, run.run_id, 0);
    assert_true(store_fixture_number(s, "SELECT process_start FROM attempts") > 0);
    store_fixture_sql(s, "UPDATE attempts SET process_start = process_start - 1");
    assert_state(s, run.run_id, RUN_DEAD);
    store_fixture_sql(s, "UPDATE attempts SET process_start = 0"); // unknown
    assert_state(s, run.run_id, RUN_RUNNING);
    store_close(s);
}

static void heartbeats(void **state) {
    struct store *s = store_fixture_open(*state, STORE_WRITE);
    struct run_row run = store_fixture_run(1, 1, 1);
    struct error e = {0};
    store_fixture_add(s, &run);
    int64_t attempt = store_fixture_begin(s, run.run_id, 0.25);
    assert_true(store_fixture_number(s, "SELECT progress FROM run_status") == 0.25);
    store_fixture_sql(s, "UPDATE attempts SET heartbeat_at = 5");
    assert_int_equal(store_heartbeat(s, attempt, 0.5, &e), 0);
    assert_true(store_fixture_number(s, "SELECT progress FROM run_status") == 0.5);
    assert_true(store_fixture_number(s, "SELECT abs(unixepoch() - heartbeat_at) FROM attempts") <
                5);
    assert_int_equal(store_heartbeat(s, attempt, 1.0000001, &e), 0);
    assert_true(store_fixture_number(s, "SELECT progress FROM run_status") == 1);
    assert_int_equal(store_heartbeat(s, attempt + 1, 0.5, &e), -1);
    assert_non_null(strstr(e.text, "has no attempt 2; "));
    end_attempt(s, attempt, "failed");
    e.text[0] = '\0';
    assert_int_equal(store_heartbeat(s, attempt, 0.5, &e), -1);
    assert_non_null(strstr(e.text, "attempt 1 has ended already; "));
    store_close(s);
}

static void the_first_end_stays(void **state) {
    struct store *s = store_fixture_open(*state, STORE_WRITE);
    struct run_row run = store_fixture_run(1, 1, 1);
    struct error e = {0};
    store_fixture_add(s, &run);
    int64_t attempt = store_fixture_begin(s, run.run_id, 0);
    assert_int_equal(store_end_attempt(s, attempt, "complete", CAUSE_OWN, NULL, 1, 1, &e), -1);
    e.text[0] = '\0';
    end_attempt(s, attempt, "interrupted");
    assert_int_equal(
        store_end_attempt(s, attempt, "interrupted", CAUSE_OUTSIDE, "again", 99, 99, &e), 0);
    assert_string_equal(store_fixture_text(s, "SELECT reason || cpu_seconds || ' ' || peak_bytes "
                                              "FROM attempts"),
                        "SIGTERM12.5 4096");
    assert_int_equal(store_end_attempt(s, attempt, "failed", CAUSE_OWN, "x", 1, 1, &e), -1);
    assert_string_equal(store_fixture_text(s, "SELECT outcome FROM attempts"), "interrupted");
    e.text[0] = '\0';
    assert_int_equal(store_finish(s, attempt, &(struct run_results){0}, 1, 1, &e), -1);
    assert_string_equal(store_fixture_text(s, "SELECT outcome FROM attempts"), "interrupted");
    store_close(s);
}

static void provenance_is_kept(void **state) {
    struct store *s = store_fixture_open(*state, STORE_WRITE);
    struct run_row run = store_fixture_run(1, 1, 1);
    store_fixture_add(s, &run);
    struct attempt_row row = {
        .run_id = run.run_id,
        .numerics = {.engine = "e",
                     .precision = "p",
                     .isa = "i",
                     .libraries = "l",
                     .commit = "c",
                     .threads = 3,
                     .dirty = 1,
                     .sources = STORE_FIXTURE_HASH("5"),
                     .fingerprint = STORE_FIXTURE_HASH("6")},
        .host = "h",
        .command = "m",
        .pid = 77,
        .progress = 0.25,
        .resumed_at = 0.5,
        .classes = 47,
    };
    struct error e = {0};
    int64_t attempt;
    assert_int_equal(store_begin_attempt(s, &row, &attempt, &e), 0);
    assert_string_equal(
        store_fixture_text(s,
                           "SELECT engine || precision || isa || libraries || commit_id || "
                           "threads || dirty || host || command || pid || resumed_at || progress "
                           "|| classes FROM attempts"),
        "epilc31hm770.50.2547");
    assert_string_equal(store_fixture_text(s,
                                           "SELECT substr(sources, 60) || substr(fingerprint, 60) "
                                           "|| (SELECT substr(fingerprint, 60) FROM fingerprints "
                                           "WHERE scheme = 'truncquant') FROM attempts"),
                        "555556666666666");
    row.run_id = "0123456789";
    assert_int_equal(store_begin_attempt(s, &row, &attempt, &e), -1);
    assert_non_null(strstr(e.text, "has no run 0123456789; "));
    store_close(s);
}

/* -1: none does. */
static int64_t counted_attempt(struct store *s) {
    return (int64_t)store_fixture_number(s,
                                         "SELECT coalesce(max(attempt), -1) FROM counted_attempts");
}

static void the_earliest_complete_attempt_counts(void **state) {
    struct store *s = store_fixture_open(*state, STORE_WRITE);
    struct run_row run = store_fixture_run(1, 1, 1);
    struct error e = {0};
    store_fixture_add(s, &run);
    assert_int_equal(counted_attempt(s), -1);
    int64_t first = store_fixture_begin(s, run.run_id, 0);
    int64_t second = store_fixture_begin(s, run.run_id, 0);
    assert_int_equal(store_finish(s, second, &(struct run_results){0}, 1, 1, &e), 0);
    usleep(2000);
    assert_int_equal(store_finish(s, first, &(struct run_results){0}, 1, 1, &e), 0);
    assert_int_equal(counted_attempt(s), second);
    assert_int_equal(store_fixture_number(s, "SELECT count(*) FROM counted_attempts"), 1);
    store_close(s);
}

static double rate_of(struct store *s, const char *host, const char *network) {
    struct work_rate *rates;
    struct error e = {0};
    double rate = 0;
    int n;
    assert_int_equal(store_work_rates(s, &rates, &n, &e), 0);
    for (int i = 0; i < n; i++)
        if (!strcmp(rates[i].network, network) && !strcmp(rates[i].host, host ? host : ""))
            rate = rates[i].rate;
    store_free_work_rates(rates, n);
    return rate;
}

/* Two attempts did 100 x 0.5 in 10 s and 100 x (0.75 - 0.5) in 15 s: 75 in 25 s; one of another
 * network 100 in 5 s, elsewhere. */
static void the_rate_of_work(void **state) {
    struct store *s = store_fixture_open(*state, STORE_WRITE);
    struct run_row run = store_fixture_run(1, 1, 1), other = store_fixture_run(2, 2, 1);
    char host[256] = "";
    gethostname(host, sizeof host - 1);
    other.network = "lenet";
    store_fixture_add(s, &run);
    store_fixture_add(s, &other);
    assert_true(rate_of(s, NULL, "") == 0);
    store_fixture_begin(s, run.run_id, 0);
    store_fixture_begin(s, run.run_id, 0.5);
    store_fixture_begin(s, run.run_id, 0.9); // got nowhere
    store_fixture_begin(s, other.run_id, 0);
    store_fixture_sql(
        s,
        "UPDATE attempts SET started_at = 1000, heartbeat_at = 1010, progress = 0.5 "
        "WHERE attempt = 1;"
        "UPDATE attempts SET started_at = 2000, heartbeat_at = 2015, progress = 0.75 "
        "WHERE attempt = 2;"
        "UPDATE attempts SET started_at = 2001, heartbeat_at = 9000 WHERE attempt = 3;"
        "UPDATE attempts SET started_at = 10, heartbeat_at = 15, progress = 1, host = 'elsewhere' "
        "WHERE attempt = 4");
    assert_true(rate_of(s, host, "resnet8") == 3);
    assert_true(rate_of(s, host, "lenet") == 0);
    assert_true(rate_of(s, host, "") == 3);
    assert_true(rate_of(s, NULL, "lenet") == 20);
    assert_true(rate_of(s, NULL, "") == 175.0 / 30);
    // Only a network's last 20 attempts count, and others' do not push them out.
    for (int i = 0; i < 20; i++)
        store_fixture_begin(s, run.run_id, 0);
    store_fixture_sql(s, "UPDATE attempts SET started_at = 20000 + attempt, heartbeat_at = 20100 + "
                         "attempt, progress = 1 "
                         "WHERE attempt > 4");
    assert_true(rate_of(s, NULL, "resnet8") == 1);
    assert_true(rate_of(s, NULL, "lenet") == 20);
    store_close(s);
}

int main(void) {
#define TEST(name)                                                                                 \
    cmocka_unit_test_setup_teardown(name, store_fixture_setup, store_fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_run_comes_back_whole),
        TEST(runs_are_found_by_prefix),
        TEST(adding_again_changes_nothing),
        TEST(a_refused_row_takes_all_with_it),
        TEST(grids_share_runs),
        TEST(an_edited_grid_forgets_no_run),
        TEST(states),
        TEST(silence_is_death),
        TEST(a_process_that_lives_may_be_silent),
        TEST(a_process_that_is_gone_is_dead),
        TEST(a_reused_pid_is_another_process),
        TEST(heartbeats),
        TEST(the_first_end_stays),
        TEST(provenance_is_kept),
        TEST(the_earliest_complete_attempt_counts),
        TEST(the_rate_of_work),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
