/* Grids: how alternatives multiply, overrides, exclusions, what becomes one run, and every mistake
 * with its line. */
#include "plan/grid.h"
#include "plan/grid_name.h"
#include "spec/schemes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define HEAD "[grid]\nname = g\nscheme = qat\nnetwork = lenet\ndataset = d\n" // 5 lines

static char path[] = "/tmp/truncquant-grid-XXXXXX";

static int make_path(void **state) {
    (void)state;
    int fd = mkstemp(path);
    return fd < 0 ? -1 : close(fd);
}

static int remove_path(void **state) {
    (void)state;
    return unlink(path);
}

static int read_bytes(struct grid *g, const char *text, size_t size, struct error *e) {
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    assert_int_equal(fwrite(text, 1, size, out), size);
    assert_int_equal(fclose(out), 0);
    return grid_read(g, test_schemes, path, NULL, e);
}

static struct grid read_grid(const char *text) {
    struct grid g;
    struct error e = {0};
    if (read_bytes(&g, text, strlen(text), &e))
        fail_msg("%s", e.text);
    return g;
}

/* The message is PATH:LINE: and then has `part` in it; line 0: no line. */
static void assert_message(const struct error *e, int line, const char *part) {
    char start[128];
    if (line)
        snprintf(start, sizeof start, "%s:%d: ", path, line);
    else
        snprintf(start, sizeof start, "%s: ", path);
    if (strncmp(e->text, start, strlen(start)) || !strstr(e->text, part))
        fail_msg("'%s' is not line %d, '%s'", e->text, line, part);
}

static void assert_refused_bytes(const char *text, size_t size, int line, const char *part) {
    struct grid g;
    struct error e = {0};
    int rc = read_bytes(&g, text, size, &e);
    grid_free(&g);
    if (!rc)
        fail_msg("taken: %s", text);
    assert_message(&e, line, part);
}

static void assert_refused(const char *text, int line, const char *part) {
    assert_refused_bytes(text, strlen(text), line, part);
}

/* The values of some keys of every run: "a/b a/c". */
static void assert_runs(const struct grid *g, const char *keys, const char *expected) {
    char text[2048] = "", copy[128];
    size_t at = 0;
    for (int i = 0; i < g->n; i++) {
        char *rest = NULL;
        strcpy(copy, keys);
        for (char *k = strtok_r(copy, " ", &rest); k; k = strtok_r(NULL, " ", &rest)) {
            char value[SPEC_VALUE];
            spec_print_value(&g->specs[i], spec_key_find(k), value, sizeof value);
            at += (size_t)snprintf(text + at, sizeof text - at, "%s%s",
                                   k > copy ? "/"
                                   : i      ? ", "
                                            : "",
                                   value);
        }
    }
    assert_string_equal(text, expected);
}

static void assert_grid(const char *text, const char *keys, const char *expected) {
    struct grid g = read_grid(text);
    assert_runs(&g, keys, expected);
    grid_free(&g);
}

/* ---- what multiplies ---- */

static void one_of_everything_is_one_run(void **state) {
    (void)state;
    struct grid g = read_grid(HEAD);
    assert_string_equal(g.name, "g");
    assert_runs(&g, "scheme network dataset seed epochs", "qat/lenet/d/1/200");
    assert_string_equal(g.notes, "");
    grid_free(&g);
}

static void commas_multiply_and_later_keys_vary_fastest(void **state) {
    (void)state;
    assert_grid("[grid]\nname=g\nnetwork = a, b\nscheme = qat,minmax\ndataset = d\nseed = 1 , 2\n",
                "network scheme seed",
                "a/qat/1, a/qat/2, a/minmax/1, a/minmax/2, b/qat/1, b/qat/2, b/minmax/1, "
                "b/minmax/2");
    assert_grid(HEAD "[train]\nwidths = 1 2, 4 8 32\n", "widths", "1 2, 4 8 32");
}

static void ranges_stand_for_whole_numbers(void **state) {
    (void)state;
    assert_grid(HEAD "seed = 1..3, 7\n", "seed", "1, 2, 3, 7");
    assert_grid(HEAD "[quant]\nact_bits = same, 3..4\n", "act_bits", "same, 3, 4");
    assert_grid(HEAD "[train]\nimages = 500..501, all\nselect = first\n", "train.images",
                "500, 501, all");
    assert_grid(HEAD "[train]\nwidths = 1..3 8, 32 6..8\n", "widths", "1 2 3 8, 6 7 8 32");
    assert_grid(HEAD "seed = 1..4\n[when seed=2..3]\nepochs = 5..6\n[exclude]\nrule = seed=4..9\n",
                "seed epochs", "1/200, 2/5, 2/6, 3/5, 3/6");
    // No range where the key takes a text.
    assert_grid("[grid]\nname=g\nscheme=qat\nnetwork=a..c\ndataset=../d\n", "network dataset",
                "a..c/../d");
}

static void ranges_that_are_none_are_refused_with_their_line(void **state) {
    (void)state;
    static const char *const bad[] = {"5..1", "1..", "..5", "1...5", "1 .. 5", "1..5..9", "a..b"};
    char text[256];
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        snprintf(text, sizeof text, HEAD "seed = %s\n", bad[i]);
        assert_refused(text, 6, "which is no range; write whole numbers");
    }
    assert_refused(HEAD "seed = -1..2\n", 6, "from 0 to 2147483647, not '-1'");
    assert_refused(HEAD "seed = 2147483647..2147483648\n", 6, "not '2147483648'");
    assert_refused(HEAD "seed = 1..9223372036854775807\n", 6, "more than 1000 values");
    assert_refused(HEAD "seed = 1..3, 2\n", 6, "the alternative 2 twice");
    assert_refused(HEAD "[train]\nwidths = 1..9\n", 7, "different bit-widths");
    assert_refused(HEAD "[train]\ngamma = 0..1\n", 7, "gamma takes a number");
    assert_refused(HEAD "[evaluate]\nevery = 1..2\n", 7, "every takes one value");
}

static void axes_override_the_scheme_wherever_they_stand(void **state) {
    (void)state;
    assert_grid(
        "[quant]\nrounder = floor\n[grid]\nname = g\nnetwork = a\ndataset = d\nscheme = qat, "
        "minmax\n",
        "range rounder", "tanh/floor, minmax/floor");
}

static void images_belong_to_their_section(void **state) {
    (void)state;
    assert_grid(HEAD "[train]\nimages = 1000\n[evaluate]\nimages = 50\n",
                "train.images evaluate.images", "1000/50");
}

static void comments_blank_lines_and_a_byte_order_mark_are_passed_over(void **state) {
    (void)state;
    assert_grid("\xEF\xBB\xBF[grid] # title\n# first\nname = g ; inline\n; second\n  # third\n   \n"
                "scheme = qat\nnetwork = a\ndataset = d",
                "scheme network", "qat/a");
}

static void a_section_may_stand_twice(void **state) {
    (void)state;
    assert_grid(HEAD "[train]\nepochs = 3\n[grid]\nseed = 4\n[train]\nbatch = 64\n",
                "epochs seed batch", "3/4/64");
}

/* ---- when ---- */

static void when_overrides_what_matches(void **state) {
    (void)state;
    assert_grid("[grid]\nname=g\nscheme=qat,minmax\nnetwork=a,b\ndataset=d\n[train]\nepochs=3\n"
                "[when network=b scheme=qat]\nepochs=10\ntrain.images = 1000\n",
                "scheme network epochs train.images",
                "qat/a/3/all, qat/b/10/1000, minmax/a/3/all, minmax/b/3/all");
}

static void a_later_when_wins(void **state) {
    (void)state;
    assert_grid(HEAD "[when scheme=qat]\nepochs=5\nbatch=64\n[when network=lenet]\nepochs=6\n",
                "epochs batch", "6/64");
}

static void conditions_see_values_before_any_override(void **state) {
    (void)state;
    assert_grid(HEAD "[train]\nepochs=1\n[when epochs=1]\nepochs=2\n[when epochs=1]\nbatch=64\n",
                "epochs batch", "2/64");
}

static void conditions_take_alternatives_and_quoted_words(void **state) {
    (void)state;
    assert_grid("[grid]\nname=g\nscheme=qat,minmax,truncquant\nnetwork=a\ndataset=d\n[train]\n"
                "widths = 1 2, 4\n[when scheme=qat,truncquant widths=\"2 1\"]\nepochs=7\n",
                "scheme widths epochs",
                "qat/1 2/7, qat/4/200, minmax/1 2/200, minmax/4/200, truncquant/1 2/7, "
                "truncquant/4/200");
}

static void conditions_compare_values_not_texts(void **state) {
    (void)state;
    assert_grid(HEAD "[train]\nlearning_rate=1e-3\n[when learning_rate=0.001]\nepochs=7\n",
                "epochs", "7");
}

static void an_override_replaces_alternatives(void **state) {
    (void)state;
    assert_grid("[grid]\nname=g\nscheme=qat\nnetwork=a,b\ndataset=d\n[train]\nepochs=1,2\n"
                "[when network=b]\nepochs=9\n",
                "network epochs", "a/1, a/2, b/9");
}

static void alternatives_of_an_override_multiply(void **state) {
    (void)state;
    assert_grid("[grid]\nname=g\nscheme=qat\nnetwork=a,b\ndataset=d\n[train]\nepochs=1,2\n"
                "[when network=b]\nepochs=8,9\nbatch=32,64\n",
                "network epochs batch", "a/1/128, a/2/128, b/8/32, b/8/64, b/9/32, b/9/64");
}

/* A title longer than libinih's 49 bytes must not be cut. */
static void a_long_when_is_read_whole(void **state) {
    (void)state;
    assert_grid(
        "[grid]\nname=g\nscheme=qat,truncquant\nnetwork=resnet20-expanded\n"
        "dataset=fashion-mnist\n"
        "[when network=resnet20-expanded dataset=fashion-mnist scheme=truncquant]\nepochs=4\n",
        "scheme epochs", "qat/200, truncquant/4");
}

/* ---- exclude ---- */

static void rules_remove_what_matches(void **state) {
    (void)state;
    assert_grid("[grid]\nname=g\nscheme=fp32,qat\nnetwork=a,b\ndataset=d\nseed=1,2\n[exclude]\n"
                "rule = scheme=fp32 network=a\nrule = seed=2 network=b\n[exclude]\n"
                "rule = scheme=qat seed=2\n",
                "scheme network seed", "fp32/b/1, qat/a/1, qat/b/1");
}

static void rules_may_overlap(void **state) {
    (void)state;
    assert_grid("[grid]\nname=g\nscheme=fp32,qat\nnetwork=a\ndataset=d\n[exclude]\n"
                "rule = scheme=fp32\nrule = scheme=fp32 network=a\n",
                "scheme", "qat");
}

static void rules_see_overridden_values(void **state) {
    (void)state;
    assert_grid("[grid]\nname=g\nscheme=qat,minmax\nnetwork=a\ndataset=d\n[when scheme=qat]\n"
                "epochs=3\n[exclude]\nrule = epochs=3\n",
                "scheme", "minmax");
}

static void what_is_excluded_need_not_be_valid(void **state) {
    (void)state;
    assert_grid("[grid]\nname=g\nscheme=qat,minmax\nnetwork=a\ndataset=d\n[quant]\n"
                "layer_scale=mean,pow2\n[exclude]\nrule = scheme=minmax layer_scale=pow2\n",
                "scheme layer_scale", "qat/mean, qat/pow2, minmax/mean");
}

/* ---- what is one run ---- */

static void keys_without_effect_do_not_multiply(void **state) {
    (void)state;
    assert_grid("[grid]\nname=g\nscheme=fp32,qat\nnetwork=a\ndataset=d\n[quant]\n"
                "rounder=nearest,floor\nact_bits=same,32\n[train]\nwidths=1 2 32\n",
                "scheme rounder act_bits widths",
                "fp32/none/same/32, qat/nearest/same/1 2 32, qat/nearest/32/1 2 32, "
                "qat/floor/same/1 2 32, qat/floor/32/1 2 32");
    assert_grid(HEAD "[train]\noptimizer=adam,sgd\nmomentum=0.8,0.9\n", "optimizer momentum",
                "adam/0.9, sgd/0.8, sgd/0.9");
}

static void two_names_of_one_scheme_are_refused(void **state) {
    (void)state;
    assert_refused("[grid]\nname=g\nscheme=qat,truncquant\nnetwork=a\ndataset=d\n[quant]\n"
                   "rounder=floor\n",
                   3, "scheme qat and scheme truncquant make the same run here (a, d)");
}

static void a_key_without_any_effect_is_noted(void **state) {
    (void)state;
    char expected[256];
    struct grid g = read_grid(HEAD "[train]\nmomentum=0.8\nbatch=64\n");
    snprintf(expected, sizeof expected, "%s:7: momentum has no effect in any run of this grid\n",
             path);
    assert_string_equal(g.notes, expected);
    grid_free(&g);
    g = read_grid(HEAD "[train]\nepochs=3\n[when network=lenet]\nepochs=4\n");
    snprintf(expected, sizeof expected, "%s:7: epochs has no effect in any run of this grid\n",
             path);
    assert_string_equal(g.notes, expected);
    grid_free(&g);
}

/* ---- origins ---- */

static void assert_origin(const struct grid *g, int i, const char *key, const char *expected) {
    const char *origin = grid_origin(g, i, spec_key_find(key));
    const char *line = strncmp(origin, path, strlen(path)) ? origin : origin + strlen(path);
    assert_string_equal(line, expected);
}

static void origins_say_where_values_came_from(void **state) {
    (void)state;
    struct grid g =
        read_grid("[grid]\nname=g\nscheme=fp32,qat\nnetwork=a\ndataset=d\n[train]\nwidths=1 2\n"
                  "epochs=3\nmomentum=0.5\n[when scheme=qat]\nepochs=4\n");
    assert_int_equal(g.n, 2);
    assert_origin(&g, 0, "scheme", ":3");
    assert_origin(&g, 0, "seed", "default");
    assert_origin(&g, 0, "rounder", "scheme");
    assert_origin(&g, 0, "widths", "scheme");
    assert_origin(&g, 0, "epochs", ":8");
    assert_origin(&g, 0, "momentum", "no effect");
    assert_origin(&g, 0, "batch", "default");
    assert_origin(&g, 1, "widths", ":7");
    assert_origin(&g, 1, "epochs", ":11");
    grid_free(&g);
}

/* ---- mistakes ---- */

static void what_is_unknown_is_refused_with_a_hint(void **state) {
    (void)state;
    assert_refused(HEAD "[trian]\nepochs=1\n", 6, "unknown section [trian]; did you mean [train]?");
    assert_refused(HEAD "[zzzzzzzz]\n", 6, "the sections are [grid]");
    assert_refused(HEAD "[train]\nepoch = 1\n", 7, "unknown key 'epoch'; did you mean epochs?");
    assert_refused(HEAD "[train]\nbits = 1\n", 7,
                   "[train] has no key 'bits'; it belongs in [evaluate]");
    assert_refused(HEAD "[train]\nepochs = ten\n", 7, "epochs takes a whole number");
    assert_refused(HEAD "[train]\nepochs = 1, x\n", 7, "not 'x'");
    assert_refused("[grid]\nname=g\nscheme=qta\n", 3, "unknown scheme 'qta'; did you mean qat?");
    assert_refused(HEAD "[when netwrok=a]\nepochs=1\n", 6, "did you mean network?");
    assert_refused(HEAD "[when images=5]\nepochs=1\n", 6, "say train.images or evaluate.images");
    assert_refused(HEAD "[when network=lenet]\nimages=1\n", 7,
                   "say train.images or evaluate.images");
    assert_refused(HEAD "[when scheme=qta]\nepochs=1\n", 6, "unknown scheme 'qta'");
    assert_refused(HEAD "[exclude]\nrule = rounder=up\n", 7, "rounder takes one of");
    assert_refused(HEAD "[exclude]\nrules = scheme=qat\n", 7, "[exclude] takes 'rule");
}

static void what_is_missing_or_empty_is_refused(void **state) {
    (void)state;
    assert_refused("", 1, "is empty");
    assert_refused("\n  \n\t\n", 1, "is empty");
    assert_refused("# nothing\n", 1, "says nothing");
    assert_refused("\n[grid]\n[train]\n", 2, "says nothing");
    assert_refused("[train]\nepochs=1\n", 1, "[grid] has no name");
    assert_refused("\n[grid]\nscheme=qat\nnetwork=a\ndataset=d\n", 2, "[grid] has no name");
    assert_refused("[grid]\nname=g\nnetwork=a\ndataset=d\n", 1, "[grid] has no scheme");
    assert_refused("[grid]\nname=g\nscheme=qat\ndataset=d\n", 1, "[grid] has no network");
    assert_refused("[grid]\nname=g\nscheme=qat\nnetwork=a\n", 1, "[grid] has no dataset");
    assert_refused(HEAD "[train]\nepochs =\n", 7, "epochs has no value");
    assert_refused(HEAD "[train]\nepochs = 1,\n", 7, "empty alternative");
    assert_refused(HEAD "[train]\nepochs = 1,,2\n", 7, "empty alternative");
    assert_refused(HEAD "[when]\nepochs=1\n", 6, "no condition is given");
    assert_refused(HEAD "[when network=lenet]\n[train]\nepochs=1\n", 6, "overrides nothing");
    assert_refused(HEAD "[exclude]\nrule =\n", 7, "no condition is given");
}

static void what_is_said_twice_is_refused(void **state) {
    (void)state;
    assert_refused(HEAD "[train]\nepochs=1\nepochs=2\n", 8,
                   "epochs is said twice, first on line 7");
    assert_refused(HEAD "[train]\nepochs=1\n[train]\nepochs=1\n", 9, "first on line 7");
    assert_refused(HEAD "name = h\n", 6, "name is said twice, first on line 2");
    assert_refused(HEAD "[train]\nlearning_rate=0.1, 1e-1\n", 7, "the alternative 0.1 twice");
    assert_refused(HEAD "[when network=lenet network=b]\nepochs=1\n", 6, "network is said twice");
    assert_refused(HEAD "[when network=lenet]\nepochs=1\nepochs=2\n", 8, "epochs is said twice");
}

static void what_matches_nothing_or_everything_is_refused(void **state) {
    (void)state;
    assert_refused(HEAD "[when network=resnet20]\nepochs=1\n", 6, "[when] matches no combination");
    assert_refused(HEAD "[exclude]\nrule = network=b\n", 7, "the rule matches no combination");
    assert_refused(HEAD "[exclude]\nrule = network=lenet\n", 7, "excludes every combination");
    assert_refused("[grid]\nname=g\nscheme=qat\nnetwork=a,b\ndataset=d\n[exclude]\nrule=network=a\n"
                   "rule=network=b\n",
                   8, "excludes every combination");
}

static void lines_that_would_be_misread_are_refused(void **state) {
    (void)state;
    char text[512];
    assert_refused(HEAD "[train]\n epochs=1\n", 7, "begins with a blank");
    assert_refused(HEAD "[train]\nwidths = 1 2\n\t4 8\n", 8, "begins with a blank");
    assert_refused("[grid]\r\nname=g\r\n", 1, "carriage return");
    assert_refused(HEAD "[train]\r\n", 6, "carriage return");
    assert_refused_bytes("[grid]\nname\0=g\n", 15, 2, "NUL byte");
    assert_refused(HEAD "[train\nepochs=1\n", 6, "no ']'");
    assert_refused(HEAD "[train] epochs=1\n", 6, "something follows");
    assert_refused(HEAD "[train]\nepochs\n", 7, "neither [section] nor key = value");
    assert_refused("epochs = 1\n" HEAD, 1, "before the first section");
    snprintf(text, sizeof text, HEAD "[train]\n#%0198d\n", 0);
    assert_refused(text, 7, "has 199 bytes, but a line may have 198");
    snprintf(text, sizeof text, HEAD "[train]\n#%0197d\nepochs=5", 0);
    assert_grid(text, "epochs", "5");
}

static void conditions_that_cannot_be_read_are_refused(void **state) {
    (void)state;
    assert_refused(HEAD "[when network = lenet]\nepochs=1\n", 6, "is not a condition");
    assert_refused(HEAD "[when network]\nepochs=1\n", 6, "is not a condition");
    assert_refused(HEAD "[when widths=\"1 2]\nepochs=1\n", 6, "close it");
    assert_refused(HEAD "[when widths=1 2]\nepochs=1\n", 6, "'2' is not a condition");
    assert_refused(HEAD "[when network=]\nepochs=1\n", 6, "network has no value");
}

static void grid_keys_cannot_be_overridden(void **state) {
    (void)state;
    assert_refused(HEAD "[when network=lenet]\nseed=2\n", 7, "[when] cannot override seed");
    assert_refused(HEAD "[when network=lenet]\nscheme=qat\n", 7, "[when] cannot override scheme");
}

static void faults_between_keys_name_the_line_to_change(void **state) {
    (void)state;
    assert_refused("[grid]\nname=g\nscheme=qat,minmax\nnetwork=a\ndataset=d\n[quant]\n"
                   "layer_scale=pow2\n",
                   7, "layer_scale pow2 exists for range tanh only");
    assert_refused("[grid]\nname=g\nscheme=learned\nnetwork=a\ndataset=d\n", 3,
                   "widths begin at 1, but the smallest of learned is 2");
    assert_refused(HEAD "[train]\nwidths=1 2\n[when network=lenet]\nwidth_weight=1 2 3\n", 9,
                   "3 numbers for 2 widths");
}

static void names_of_grids_are_file_names(void **state) {
    (void)state;
    assert_refused("[grid]\nname=a/b\n", 2, "name takes up to 63 letters");
    assert_refused("[grid]\nname=..\n", 2, "name takes up to 63 letters");
    assert_refused("[grid]\nname=a, b\n", 2, "name takes up to 63 letters");
}

/* "key = 2, 3, ... 21" */
static void add_twenty(char *text, size_t size, const char *key) {
    size_t at = strlen(text);
    at += (size_t)snprintf(text + at, size - at, "%s = 2", key);
    for (int i = 3; i <= 21; i++)
        at += (size_t)snprintf(text + at, size - at, ", %d", i);
    snprintf(text + at, size - at, "\n");
}

static void too_many_are_refused(void **state) {
    (void)state;
    char text[4096] = HEAD;
    add_twenty(text, sizeof text, "seed");
    strcat(text, "[train]\n");
    add_twenty(text, sizeof text, "epochs");
    add_twenty(text, sizeof text, "batch");
    struct grid g = read_grid(text);
    assert_int_equal(g.n, 8000);
    grid_free(&g);
    add_twenty(text, sizeof text, "images");
    assert_refused(text, 0, "makes more than 100000 combinations");
}

static void a_missing_file_is_refused(void **state) {
    (void)state;
    struct grid g;
    struct error e = {0};
    assert_int_equal(grid_read(&g, test_schemes, "/nonexistent/x.grid", NULL, &e), -1);
    assert_non_null(strstr(e.text, "/nonexistent/x.grid: cannot be opened"));
}

/* Of a file that is wrong nothing is left over, as sanitizers see. */
static void the_name_of_a_file_is_what_it_says(void **state) {
    (void)state;
    struct error e = {0};
    struct grid g;
    assert_int_equal(read_bytes(&g, "[grid]\nname = x\nno more\n", 24, &e), -1);
    e = (struct error){0};
    assert_null(grid_name(path, &e));
    assert_message(&e, 3, "is neither [section] nor key = value");
    e = (struct error){0};
    read_bytes(&g, "[grid]\nname = mine\n", 19, &e);
    e = (struct error){0};
    char *name = grid_name(path, &e);
    assert_string_equal(name, "mine");
    free(name);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_of_everything_is_one_run),
        cmocka_unit_test(the_name_of_a_file_is_what_it_says),
        cmocka_unit_test(commas_multiply_and_later_keys_vary_fastest),
        cmocka_unit_test(ranges_stand_for_whole_numbers),
        cmocka_unit_test(ranges_that_are_none_are_refused_with_their_line),
        cmocka_unit_test(axes_override_the_scheme_wherever_they_stand),
        cmocka_unit_test(images_belong_to_their_section),
        cmocka_unit_test(comments_blank_lines_and_a_byte_order_mark_are_passed_over),
        cmocka_unit_test(a_section_may_stand_twice),
        cmocka_unit_test(when_overrides_what_matches),
        cmocka_unit_test(a_later_when_wins),
        cmocka_unit_test(conditions_see_values_before_any_override),
        cmocka_unit_test(conditions_take_alternatives_and_quoted_words),
        cmocka_unit_test(conditions_compare_values_not_texts),
        cmocka_unit_test(an_override_replaces_alternatives),
        cmocka_unit_test(alternatives_of_an_override_multiply),
        cmocka_unit_test(a_long_when_is_read_whole),
        cmocka_unit_test(rules_remove_what_matches),
        cmocka_unit_test(rules_may_overlap),
        cmocka_unit_test(rules_see_overridden_values),
        cmocka_unit_test(what_is_excluded_need_not_be_valid),
        cmocka_unit_test(keys_without_effect_do_not_multiply),
        cmocka_unit_test(two_names_of_one_scheme_are_refused),
        cmocka_unit_test(a_key_without_any_effect_is_noted),
        cmocka_unit_test(origins_say_where_values_came_from),
        cmocka_unit_test(what_is_unknown_is_refused_with_a_hint),
        cmocka_unit_test(what_is_missing_or_empty_is_refused),
        cmocka_unit_test(what_is_said_twice_is_refused),
        cmocka_unit_test(what_matches_nothing_or_everything_is_refused),
        cmocka_unit_test(lines_that_would_be_misread_are_refused),
        cmocka_unit_test(conditions_that_cannot_be_read_are_refused),
        cmocka_unit_test(grid_keys_cannot_be_overridden),
        cmocka_unit_test(faults_between_keys_name_the_line_to_change),
        cmocka_unit_test(names_of_grids_are_file_names),
        cmocka_unit_test(too_many_are_refused),
        cmocka_unit_test(a_missing_file_is_refused),
    };
    return cmocka_run_group_tests(tests, make_path, remove_path);
}
