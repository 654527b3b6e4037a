/* truncquant clean: removes checkpoints of finished runs whose frozen model stands for them, when
 * asked to, and says what that frees. The work is in run/clean.h. */
#include "verbs/database.h"
#include "verbs/verb.h"

#include "plan/grid_name.h"
#include "run/clean.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* The runs that are named, each once. */
struct chosen {
    int n;
    char (*id)[HASH_HEX]; // owned
    int *named;           // by its own id: that it is kept is an error; owned
};

static void choose(struct chosen *c, const char *run_id, int named) {
    for (int i = 0; i < c->n; i++)
        if (!strcmp(c->id[i], run_id)) {
            c->named[i] |= named;
            return;
        }
    if ((c->n & (c->n - 1)) == 0) { // grows at each power of two
        size_t room = c->n ? 2 * (size_t)c->n : 1;
        char(*id)[HASH_HEX] = need(room, sizeof *id);
        int *more = need(room, sizeof *more);
        if (c->n) {
            memcpy(id, c->id, (size_t)c->n * sizeof *id);
            memcpy(more, c->named, (size_t)c->n * sizeof *more);
        }
        free(c->id);
        free(c->named);
        c->id = id;
        c->named = more;
    }
    strcpy(c->id[c->n], run_id);
    c->named[c->n++] = named;
}

/* Of a grid, or (NULL) all. */
static int choose_grid(struct chosen *c, struct store *s, const char *grid, struct error *e) {
    struct run_status *runs = NULL;
    int n = 0;
    int rc = store_check_grid(s, grid, e) || store_statuses(s, grid, &runs, &n, e) ? -1 : 0;
    for (int i = 0; i < n && !rc; i++)
        choose(c, runs[i].run_id, 0);
    store_free_statuses(runs, n);
    return rc;
}

static int choose_run(struct chosen *c, struct store *s, const char *id, struct error *e) {
    struct run_row row;
    if (store_find_run(s, id, &row, e))
        return -1;
    choose(c, row.run_id, 1);
    store_free_run(&row);
    return 0;
}

/* An id is of hexadecimal digits; a grid that is called so comes first. */
static int choose_operand(struct chosen *c, struct store *s, const char *operand, struct error *e) {
    struct error no_grid = {0};
    char *grid = grid_name(operand, e);
    if (!grid)
        return -1;
    int is_grid = !store_check_grid(s, grid, &no_grid), is_id = 1;
    for (const char *d = operand; *d; d++)
        is_id &= isxdigit((unsigned char)*d) != 0;
    int rc = !is_grid && is_id ? choose_run(c, s, operand, e) : choose_grid(c, s, grid, e);
    free(grid);
    return rc;
}

static void print_bytes(double bytes, char *text, size_t size) {
    static const char *const units[] = {"KiB", "MiB", "GiB", "TiB"};
    int unit = 0;
    for (bytes /= 1024; bytes >= 1000 && unit < 3; unit++)
        bytes /= 1024;
    snprintf(text, size, "%.1f %s", bytes, units[unit]);
}

struct sums {
    int kept[CLEAN_KEPT];
    int64_t bytes;
};

static void print_sums(const struct sums *sums, int dry) {
    char size[32];
    print_bytes((double)sums->bytes, size, sizeof size);
    printf("%s %s: %d checkpoint%s\n", dry ? "would free" : "freed", size, sums->kept[KEPT_NOT],
           sums->kept[KEPT_NOT] == 1 ? "" : "s");
    for (int i = KEPT_NOT + 1; i < CLEAN_KEPT; i++)
        if (sums->kept[i])
            printf("nothing of %d run%s: %s\n", sums->kept[i], sums->kept[i] == 1 ? "" : "s",
                   clean_kept_names[i]);
}

static int refuse_named(const char *run_id, enum clean_kept kept, struct error *e) {
    e->is_busy = kept == KEPT_BUSY;
    return fail(e, "clean: nothing of run %.12s is removed: %s", run_id, clean_kept_names[kept]);
}

static int clean_run(struct store *s, const struct options *o, const struct chosen *c, int i,
                     int dry, struct sums *sums, struct error *e) {
    enum clean_kept kept;
    int64_t bytes;
    char size[32];
    if (run_clean(s, o->quantizers, c->id[i], dry, &kept, &bytes, e))
        return -1;
    sums->kept[kept]++;
    if (kept != KEPT_NOT)
        return c->named[i] && kept != KEPT_NONE ? refuse_named(c->id[i], kept, e) : 0;
    sums->bytes += bytes;
    print_bytes((double)bytes, size, sizeof size);
    if (!o->quiet)
        printf("run %.12s: %s, %s\n", c->id[i], size, dry ? "would be removed" : "removed");
    return 0;
}

/* What was done is said even where the next one fails. */
static int clean_chosen(struct store *s, const struct options *o, int operands, int dry,
                        struct error *e) {
    struct chosen c = {0};
    struct sums sums = {0};
    int rc = operands ? 0 : choose_grid(&c, s, NULL, e);
    for (int i = 1; i <= operands && !rc; i++)
        rc = choose_operand(&c, s, o->argv[i], e);
    int chosen = !rc;
    for (int i = 0; i < c.n && !rc; i++)
        rc = clean_run(s, o, &c, i, dry, &sums, e);
    if (chosen && !o->quiet)
        print_sums(&sums, dry);
    free(c.id);
    free(c.named);
    return rc;
}

int verb_clean(struct options *o, struct error *e) {
    int dry = 0, helped;
    const struct option_row rows[] = {
        {"--dry-run", NULL, NULL, "remove nothing, say what would be", NULL, &dry},
        {0},
    };
    int operands = verb_parse(
        o, "clean [GRID | ID ...] [options]",
        "Remove the checkpoints of finished runs, of grids (names or files), of single runs, or of "
        "the whole\n"
        "database, where a sound frozen model is left, and say what that frees. 'evaluate' then "
        "computes truncated\n"
        "results, and 'pack' packs; direct results and 'export weights' need the checkpoint. Runs "
        "that are not\n"
        "finished or being computed, and those whose weights others take, keep theirs.",
        rows, &helped, e);
    if (helped)
        return EXIT_DONE;
    if (operands < 0)
        return EXIT_USAGE;
    struct store *s = verb_open_store(o, dry ? STORE_READ : STORE_UPDATE, e);
    int rc = s ? clean_chosen(s, o, operands, dry, e) : -1;
    store_close(s);
    return rc ? EXIT_FAILED : EXIT_DONE;
}
