/* The tables that can be exported. What is in them is decided in SQL (results/schema/views.sql);
 * here it is laid out. Nothing is averaged here. */
#include "store/export.h"

#include "store/sql.h"
#include "store/table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BITS_COLUMNS = 9, CELL_SIZE = 32 };
static const int bits_columns[BITS_COLUMNS] = {1, 2, 3, 4, 5, 6, 7, 8, FLOAT_BITS};

const char *const export_names[] = {"accuracy", "accuracy-calibrated", "runs",   "attempts",
                                    "epochs",   "evaluations",         "layers", NULL};

/* ---- which commits ---- */

static int note_commits(struct store *s, struct table *t, const char *what, const char *sql,
                        const char *grid, struct error *e) {
    sqlite3_stmt *q = sql_prepare(s, sql, e);
    if (!q)
        return -1;
    sqlite3_bind_text(q, 1, grid, -1, SQLITE_STATIC);
    int got = sql_step(s, q, e);
    const char *commits = got == 1 ? (const char *)sqlite3_column_text(q, 0) : NULL;
    int several = commits && strchr(commits, ',') != NULL;
    if (got == 1)
        table_note(t, "%s Commit%s: %s.", what, several ? "s" : "", commits ? commits : "none");
    sqlite3_finalize(q);
    return got < 0 ? -1 : 0;
}

/* ---- accuracies ---- */

/* One row per cell. A cell that was evaluated with several activation widths shows the run's own.
 * Configurations of one scheme, network and data set are told apart by the keys in which they
 * differ, or by their id where it is not a key (another .cfg of the same name). */
static const char accuracy_sql[] =
    "WITH found AS (SELECT * FROM grid_accuracy_summary"
    "  WHERE grid IS ?1 AND calibrated = ?2 AND split = 'test'),"
    " configs AS (SELECT DISTINCT f.config_id, f.dataset, f.network, f.scheme,"
    "    (SELECT params FROM runs r WHERE r.config_id = f.config_id) AS params,"
    "    (SELECT act_bits FROM runs r WHERE r.config_id = f.config_id) AS act_bits"
    "  FROM found f),"
    " sizes AS (SELECT dataset, network, scheme, count(*) AS size FROM configs GROUP BY 1, 2, 3),"
    " keys AS (SELECT dataset, network, scheme, j.key FROM configs, json_each(params) j"
    "  JOIN sizes USING (dataset, network, scheme)"
    "  GROUP BY 1, 2, 3, 4 HAVING count(DISTINCT j.value) > 1 OR count(*) < size),"
    " settings AS (SELECT c.config_id, group_concat(j.key || '=' || j.value, ' ') AS settings"
    "  FROM configs c, json_each(c.params) j JOIN keys k ON k.dataset = c.dataset"
    "   AND k.network = c.network AND k.scheme = c.scheme AND k.key = j.key"
    "  GROUP BY c.config_id),"
    " named AS (SELECT c.*, coalesce(t.settings, '') AS settings,"
    "   count(*) OVER (PARTITION BY dataset, network, scheme, t.settings) AS twins"
    "  FROM configs c LEFT JOIN settings t USING (config_id)),"
    " cells AS (SELECT f.*, trim(c.settings || CASE WHEN twins > 1"
    "    THEN ' ' || substr(f.config_id, 1, 8) ELSE '' END) AS settings,"
    "   row_number() OVER (PARTITION BY f.config_id, f.inference, f.bits ORDER BY"
    "    f.act_bits = CASE c.act_bits WHEN 0 THEN f.bits ELSE c.act_bits END DESC, f.act_bits)"
    "   AS place"
    "  FROM found f JOIN named c USING (config_id))"
    " SELECT dataset, network, scheme, settings, inference, bits, n, top1, top1_sd, images"
    " FROM cells LEFT JOIN scheme_places o USING (scheme) WHERE cells.place = 1"
    " ORDER BY dataset, network, o.place IS NULL, o.place, scheme, settings, config_id, inference,"
    " bits";

static const char accuracy_commits_sql[] =
    "SELECT group_concat(commit_id, ', ') FROM (SELECT DISTINCT commit_id FROM grid_accuracy"
    " WHERE grid IS ?1 AND split = 'test' ORDER BY 1)";

struct accuracy_row {
    char *dataset, *network, *scheme, *settings, *inference;         // owned
    char mean[BITS_COLUMNS][CELL_SIZE], sd[BITS_COLUMNS][CELL_SIZE]; // "" where there is none
};

struct accuracies {
    struct accuracy_row *rows; // owned
    int n, room;
    int datasets, settings, deviations; // more than one data set; some settings; some deviations
    int64_t seeds[2], images[2];        // least, most
};

static void free_accuracies(struct accuracies *a) {
    for (int i = 0; i < a->n; i++) {
        free(a->rows[i].dataset);
        free(a->rows[i].network);
        free(a->rows[i].scheme);
        free(a->rows[i].settings);
        free(a->rows[i].inference);
    }
    free(a->rows);
}

/* True when the result row belongs to the table row before it. */
static int continues(const struct accuracies *a, sqlite3_stmt *q) {
    if (!a->n)
        return 0;
    const struct accuracy_row *r = &a->rows[a->n - 1];
    const char *const there[] = {r->dataset, r->network, r->scheme, r->settings, r->inference};
    for (int i = 0; i < 5; i++)
        if (strcmp(there[i], (const char *)sqlite3_column_text(q, i)) != 0)
            return 0;
    return 1;
}

static void start_row(struct accuracies *a, sqlite3_stmt *q) {
    if (a->n == a->room) {
        a->room = a->room ? 2 * a->room : 16;
        struct accuracy_row *more = need((size_t)a->room, sizeof *more);
        if (a->n)
            memcpy(more, a->rows, (size_t)a->n * sizeof *more);
        free(a->rows);
        a->rows = more;
    }
    struct accuracy_row *r = &a->rows[a->n++];
    *r = (struct accuracy_row){
        .dataset = sql_take_text(q, 0),
        .network = sql_take_text(q, 1),
        .scheme = sql_take_text(q, 2),
        .settings = sql_take_text(q, 3),
        .inference = sql_take_text(q, 4),
    };
    a->settings |= r->settings[0] != '\0';
    a->datasets |= strcmp(a->rows[0].dataset, r->dataset) != 0;
}

static void widen(int64_t range[2], int64_t value) {
    if (!range[0] || value < range[0])
        range[0] = value;
    if (value > range[1])
        range[1] = value;
}

static void put_cell(struct accuracies *a, sqlite3_stmt *q, enum export_format format) {
    struct accuracy_row *r = &a->rows[a->n - 1];
    int digits = format == EXPORT_CSV ? 4 : 1; // a program reads on; people want to compare
    widen(a->seeds, sqlite3_column_int64(q, 6));
    widen(a->images, sqlite3_column_int64(q, 9));
    for (int c = 0; c < BITS_COLUMNS; c++) {
        if (bits_columns[c] != sqlite3_column_int(q, 5))
            continue;
        snprintf(r->mean[c], CELL_SIZE, "%.*f", digits, sqlite3_column_double(q, 7));
        if (sqlite3_column_type(q, 8) == SQLITE_NULL)
            continue;
        snprintf(r->sd[c], CELL_SIZE, "%.*f", digits, sqlite3_column_double(q, 8));
        a->deviations = 1;
    }
}

static int read_accuracies(struct store *s, struct accuracies *a, enum export_format format,
                           const char *grid, int calibrated, struct error *e) {
    sqlite3_stmt *q = sql_prepare(s, accuracy_sql, e);
    if (!q)
        return -1;
    sqlite3_bind_text(q, 1, grid, -1, SQLITE_STATIC);
    sqlite3_bind_int(q, 2, calibrated);
    int got;
    while ((got = sql_step(s, q, e)) == 1) {
        if (!continues(a, q))
            start_row(a, q);
        put_cell(a, q, format);
    }
    sqlite3_finalize(q);
    return got;
}

/* Titles of the table: labels, then one column per width, in CSV followed by its deviation. */
static struct table *start_table(const struct accuracies *a, int csv) {
    const char *titles[5 + 2 * BITS_COLUMNS];
    char numeric[sizeof titles / sizeof *titles + 1] = "", names[2 * BITS_COLUMNS][16];
    int n = 0;
    if (a->datasets)
        titles[n++] = "dataset";
    titles[n++] = "network";
    titles[n++] = "scheme";
    if (a->settings)
        titles[n++] = "settings";
    titles[n++] = "inference";
    memset(numeric, 'l', (size_t)n);
    for (int c = 0; c < BITS_COLUMNS; c++)
        for (int sd = 0; sd <= csv; sd++) {
            char *name = names[2 * c + sd];
            snprintf(name, sizeof names[0], sd ? "%d sd" : "%d", bits_columns[c]);
            numeric[n] = 'r';
            titles[n++] = name;
        }
    return table_new(n, titles, numeric);
}

static void add_labels(struct table *t, const struct accuracies *a, const struct accuracy_row *r) {
    if (a->datasets)
        table_add(t, r->dataset);
    table_add(t, r->network);
    table_add(t, r->scheme);
    if (a->settings)
        table_add(t, r->settings);
    table_add(t, r->inference);
}

/* In text, deviations stand below their means: a line of nine cells with both is too long. */
static void add_deviations(struct table *t, const struct accuracies *a,
                           const struct accuracy_row *r) {
    int some = 0;
    for (int c = 0; c < BITS_COLUMNS; c++)
        some |= r->sd[c][0] != '\0';
    if (!some)
        return;
    for (int i = 0; i < 3 + a->datasets + a->settings; i++)
        table_add(t, "");
    for (int c = 0; c < BITS_COLUMNS; c++)
        table_addf(t, r->sd[c][0] ? "±%s" : "%s", r->sd[c]);
}

static void add_accuracies(struct table *t, const struct accuracies *a,
                           const struct accuracy_row *r, enum export_format format) {
    add_labels(t, a, r);
    int beside = format == EXPORT_TEX || format == EXPORT_MD;
    for (int c = 0; c < BITS_COLUMNS; c++) {
        const char *mean = r->mean[c][0] ? r->mean[c] : "n/a";
        if (beside && r->sd[c][0])
            table_addf(t, "%s ± %s", mean, r->sd[c]);
        else
            table_add(t, mean);
        if (format == EXPORT_CSV)
            table_add(t, r->sd[c][0] ? r->sd[c] : "n/a");
    }
    if (format == EXPORT_TEXT)
        add_deviations(t, a, r);
}

static void print_range(const int64_t range[2], const char *unit, char *text, size_t size) {
    if (range[0] == range[1])
        snprintf(text, size, "%lld %s%s", (long long)range[0], unit, range[0] == 1 ? "" : "s");
    else
        snprintf(text, size, "%lld to %lld %ss", (long long)range[0], (long long)range[1], unit);
}

static int note_accuracies(struct store *s, struct table *t, const struct accuracies *a,
                           const char *grid, int calibrated, struct error *e) {
    char seeds[64], images[64], what[256];
    print_range(a->seeds, "seed", seeds, sizeof seeds);
    print_range(a->images, "image", images, sizeof images);
    table_note(t, "Top-1 accuracy on the test split in per cent by bit-width, batch norms %s.",
               calibrated ? "re-estimated (calibrated)" : "as trained");
    if (a->deviations)
        table_note(t, "Mean ± sample standard deviation over seeds.");
    snprintf(what, sizeof what, "%s%.64s%s%s, %s.", a->datasets ? "" : "Data set ",
             a->datasets ? "" : a->rows[0].dataset, a->datasets ? "" : ", ", seeds, images);
    return note_commits(s, t, what, accuracy_commits_sql, grid, e);
}

static int export_accuracies(struct store *s, enum export_format format, const char *grid,
                             int calibrated, FILE *out, struct error *e) {
    struct accuracies a = {0};
    struct table *t = NULL;
    int status = read_accuracies(s, &a, format, grid, calibrated, e);
    if (!status && !a.n)
        status =
            fail_at(e, s->path, 0,
                    "has no %saccuracies of finished runs%s%s yet; 'truncquant status' says "
                    "how far they are",
                    calibrated ? "calibrated " : "", grid ? " of grid " : "", grid ? grid : "");
    if (!status) {
        t = start_table(&a, format == EXPORT_CSV);
        for (int i = 0; i < a.n; i++)
            add_accuracies(t, &a, &a.rows[i], format);
        status = note_accuracies(s, t, &a, grid, calibrated, e);
    }
    if (!status)
        table_print(t, format, out);
    table_free(t);
    free_accuracies(&a);
    return status;
}

/* ---- rows as they are ---- */

#define OF_GRID                                                                                    \
    " WHERE ?1 IS NULL OR run_id IN (SELECT run_id FROM grid_runs WHERE grid = ?1 AND current)"

static const struct {
    const char *name, *sql;
} row_exports[] = {
    {"runs",
     "SELECT run_id, config_id, grid, scheme, network, dataset, data_hash, params, seed, widths,"
     " epochs, batch, images, act_bits, stored_bits, work, recorded_at, excluded"
     " FROM runs" OF_GRID " ORDER BY runs.rowid"},
    {"attempts", "SELECT * FROM attempts" OF_GRID " ORDER BY attempt"},
    {"epochs", "SELECT run_id, epochs.* FROM epochs JOIN attempts USING (attempt)" OF_GRID
               " ORDER BY attempt, epoch, bits"},
    {"evaluations",
     "SELECT run_id, evaluations.* FROM evaluations JOIN attempts USING (attempt)" OF_GRID
     " ORDER BY evaluation"},
    {"layers", "SELECT run_id, layers.* FROM layers JOIN attempts USING (attempt)" OF_GRID
               " ORDER BY attempt, layer, bits"},
};

static const char row_commits_sql[] =
    "SELECT group_concat(version, ', ') FROM (SELECT DISTINCT commit_id ||"
    " CASE dirty WHEN 1 THEN '-dirty' ELSE '' END AS version FROM attempts" OF_GRID " ORDER BY 1)";

/* Numbers so that they read back as they were; SQLite's own text has 15 digits. */
static void add_value(struct table *t, sqlite3_stmt *q, int column) {
    char text[64];
    if (sqlite3_column_type(q, column) != SQLITE_FLOAT) {
        table_add(t, (const char *)sqlite3_column_text(q, column));
        return;
    }
    double value = sqlite3_column_double(q, column);
    if (fabs(value) < 1e15 && value == floor(value))
        snprintf(text, sizeof text, "%.0f", value); // not 5e+01
    else
        text_print_real(value, text, sizeof text);
    table_add(t, text);
}

/* STRICT tables: the declared type is the type. */
static int is_number(sqlite3_stmt *q, int column) {
    const char *type = sqlite3_column_decltype(q, column);
    return type && strcmp(type, "TEXT") != 0;
}

static struct table *table_of_query(sqlite3_stmt *q) {
    int n = sqlite3_column_count(q);
    const char **titles = need((size_t)n, sizeof *titles);
    char *numeric = need((size_t)n + 1, 1);
    for (int c = 0; c < n; c++) {
        titles[c] = sqlite3_column_name(q, c);
        numeric[c] = is_number(q, c) ? 'r' : 'l';
    }
    struct table *t = table_new(n, titles, numeric);
    free(titles);
    free(numeric);
    return t;
}

static int export_rows(struct store *s, const char *sql, enum export_format format,
                       const char *grid, FILE *out, struct error *e) {
    sqlite3_stmt *q = sql_prepare(s, sql, e);
    if (!q)
        return -1;
    sqlite3_bind_text(q, 1, grid, -1, SQLITE_STATIC);
    struct table *t = table_of_query(q);
    int got;
    while ((got = sql_step(s, q, e)) == 1)
        for (int c = 0; c < t->columns; c++)
            add_value(t, q, c);
    sqlite3_finalize(q);
    char what[64];
    snprintf(what, sizeof what, "%d rows.", t->rows - 1);
    if (!got)
        got = note_commits(s, t, what, row_commits_sql, grid, e);
    if (!got)
        table_print(t, format, out);
    table_free(t);
    return got;
}

/* One state of the database for all queries of a table, whoever writes meanwhile. */
static int export_now(struct store *s, const char *what, enum export_format format,
                      const char *grid, FILE *out, struct error *e) {
    if (!strcmp(what, "accuracy"))
        return export_accuracies(s, format, grid, 0, out, e);
    if (!strcmp(what, "accuracy-calibrated"))
        return export_accuracies(s, format, grid, 1, out, e);
    for (size_t i = 0; i < sizeof row_exports / sizeof *row_exports; i++)
        if (!strcmp(what, row_exports[i].name))
            return export_rows(s, row_exports[i].sql, format, grid, out, e);
    return fail(e, "'%s' cannot be exported; 'truncquant export --help' lists what can", what);
}

int export_table(struct store *s, const char *what, enum export_format format, const char *grid,
                 FILE *out, struct error *e) {
    if (sql_run(s, "BEGIN", e))
        return -1;
    int status = store_check_grid(s, grid, e);
    if (!status)
        status = export_now(s, what, format, grid, out, e);
    return sql_end(s, status, e);
}
