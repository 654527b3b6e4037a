/* One run, from its first attempt to its last; history.h is the manual. */
#include "verbs/grid/history.h"

#include "base/file.h"
#include "base/text.h"
#include "report/print/table.h"
#include "verbs/database.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

int history_is_meant(const struct options *o, const char *word) {
    enum { ID_PREFIX = 6 };
    struct error ignored = {0};
    size_t n = strspn(word, "0123456789abcdefABCDEF");
    if (word[n] || n < ID_PREFIX || n >= HASH_HEX || file_exists(word))
        return 0;
    struct store *s = store_open(o->db, STORE_READ, &ignored);
    int is = s && store_check_grid(s, word, &ignored);
    store_close(s);
    return is;
}

/* ---- attempts ---- */

static void add_time(struct table *t, double seconds) {
    char text[32] = "";
    time_t when = (time_t)seconds;
    struct tm utc;
    if (seconds > 0 && gmtime_r(&when, &utc))
        strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &utc);
    table_add(t, text);
}

/* The last has no end: what the run's state says. */
static const char *how_it_ended(const struct attempt_status *a, const struct run_status *run,
                                int is_last) {
    if (a->outcome)
        return a->outcome;
    return is_last && run->state == RUN_RUNNING ? "running" : "dead";
}

static void print_attempts(const struct attempt_status *rows, int n, const struct run_status *run) {
    static const char *const titles[] = {"attempt", "began (UTC)", "host",  "process", "job",
                                         "engine",  "ended",       "cause", "behind",  "reason"};
    struct table *t = table_new(10, titles, "rllrlllrrl");
    for (int i = 0; i < n; i++) {
        const struct attempt_status *a = &rows[i];
        int is_last = i == n - 1;
        table_addf(t, "%d", i + 1);
        add_time(t, a->started_at);
        table_add(t, a->host);
        table_addf(t, "%ld", a->pid);
        table_add(t, a->job);
        table_add(t, a->engine);
        table_add(t, how_it_ended(a, run, is_last));
        table_add(t, a->cause);
        table_addf(t, "%.0f %%", 100 * a->progress);
        table_add(t, a->reason ? a->reason : is_last ? run->reason : NULL);
    }
    table_print(t, EXPORT_TEXT, stdout);
    table_free(t);
}

/* ---- losses ---- */

static void print_losses(const struct epoch_row *rows, int n) {
    static const char *const titles[] = {"epoch", "bits", "loss", "accuracy", "learning rate"};
    if (!n)
        return;
    struct table *t = table_new(5, titles, "rrrrr");
    for (int i = 0; i < n; i++) {
        table_addf(t, "%d", rows[i].epoch);
        table_addf(t, "%d", rows[i].bits);
        table_addf(t, "%.4f", rows[i].loss);
        table_addf(t, "%.2f %%", rows[i].accuracy);
        table_addf(t, "%g", rows[i].learning_rate);
    }
    puts("\nlast losses in training:");
    table_print(t, EXPORT_TEXT, stdout);
    table_free(t);
}

static void print_log(const struct attempt_status *last) {
    putchar('\n');
    if (last->log)
        text_say(stdout, "log: %s on %s\n", last->log, last->host);
    else
        puts("log: none is recorded of the last attempt");
}

/* ---- the run ---- */

static int show_run(struct store *s, const struct run_row *row, struct error *e) {
    enum { EPOCHS_SHOWN = 3 };
    struct run_status run = {0};
    struct attempt_status *attempts = NULL;
    struct epoch_row *epochs = NULL;
    int n = 0, n_epochs = 0;
    int rc = store_run_status(s, row->run_id, &run, e) ||
             store_list_attempts(s, row->run_id, &attempts, &n, e) ||
             store_last_epochs(s, row->run_id, EPOCHS_SHOWN, &epochs, &n_epochs, e);
    if (!rc) {
        text_say(stdout, "run %s\n", row->run_id);
        text_say(stdout, "%s, %s, %s, seed %ld: %s%s, %.0f %%\n\n", row->scheme, row->network,
                 row->dataset, row->seed, run_state_names[run.state],
                 run.excluded ? " (excluded)" : "", 100 * run.progress);
        if (n)
            print_attempts(attempts, n, &run);
        else
            puts("it was not tried yet");
        print_losses(epochs, n_epochs);
        if (n)
            print_log(&attempts[n - 1]);
    }
    store_free_attempts(attempts, n);
    free(epochs);
    store_free_status(&run);
    return rc ? -1 : 0;
}

int history_show(const struct options *o, const char *id, struct error *e) {
    struct run_row row = {0};
    struct store *s = verb_open_store(o, STORE_READ, e);
    int rc = s ? store_find_run(s, id, &row, e) : -1;
    if (!rc)
        rc = show_run(s, &row, e);
    store_free_run(&row);
    store_close(s);
    return rc;
}
