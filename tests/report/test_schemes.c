/* How schemes are shown: places, colours and marks of the registry, and of names that are not in
 * it; the papers that describe them. */
#include "base/error.h"
#include "registry.h"
#include "report/schemes.h"
#include "store/fixture.h"
#include "store/sql.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { STYLES = 64 };

struct style {
    int number;
    char scheme[64], title[64], colour[16], mark[32];
};

/* What scheme_print_styles says; returns how many. */
static int read_styles(struct style *styles) {
    char *text, *line, *rest;
    size_t size;
    int n = 0;
    FILE *out = need_stream(&text, &size);
    scheme_print_styles(quantizer_registry, out);
    fclose(out);
    line = strtok_r(text, "\n", &rest);
    assert_string_equal(line, "style,scheme,title,colour,mark");
    while ((line = strtok_r(NULL, "\n", &rest))) {
        struct style *s = &styles[n++];
        assert_true(n < STYLES);
        s->scheme[0] = '\0';
        if (sscanf(line, "%d,,,%15[^,],%31s", &s->number, s->colour, s->mark) != 3)
            assert_int_equal(sscanf(line, "%d,%63[^,],\"%63[^\"]\",%15[^,],%31s", &s->number,
                                    s->scheme, s->title, s->colour, s->mark),
                             5);
    }
    free(text);
    return n;
}

static void styles_are_of_the_registry(void **state) {
    struct style styles[STYLES];
    int n = read_styles(styles), i = 0;
    (void)state;
    for (const struct quantizer *const *q = quantizer_registry; *q; q++) {
        if (!(*q)->look.place)
            continue;
        assert_string_equal(styles[i].scheme, (*q)->name);
        assert_string_equal(styles[i].colour, (*q)->look.colour);
        assert_string_equal(styles[i].mark, scheme_mark_name((*q)->look.mark));
        assert_int_equal(styles[i].number, (*q)->look.place);
        assert_int_equal(scheme_style(quantizer_registry, (*q)->name), (*q)->look.place);
        i++;
    }
    assert_true(i >= 12 && n > i);
    for (; i < n; i++)
        assert_string_equal(styles[i].scheme, "");
}

/* No two have one place, or one colour with one mark; what names decide has marks of its own. */
static void no_style_is_another(void **state) {
    struct style styles[STYLES];
    int n = read_styles(styles);
    (void)state;
    for (int i = 0; i < n; i++)
        for (int j = 0; j < i; j++) {
            int by_name = styles[i].number >= STYLE_BY_NAME;
            assert_int_not_equal(styles[i].number, styles[j].number);
            assert_false(!strcmp(styles[i].colour, styles[j].colour) &&
                         !strcmp(styles[i].mark, styles[j].mark));
            if (by_name != (styles[j].number >= STYLE_BY_NAME)) {
                assert_string_not_equal(styles[i].colour, styles[j].colour);
                assert_string_not_equal(styles[i].mark, styles[j].mark);
            }
        }
}

/* ---- colours ---- */

static double linear(double c) {
    return c <= 0.04045 ? c / 12.92 : pow((c + 0.055) / 1.055, 2.4);
}

static double cube_root(double t) {
    return t > 216.0 / 24389 ? cbrt(t) : (24389.0 / 27 * t + 16) / 116;
}

static void multiply(const double m[3][3], const double *from, double *to) {
    for (int r = 0; r < 3; r++) {
        double sum = 0;
        for (int c = 0; c < 3; c++)
            sum += m[r][c] * from[c];
        to[r] = fmin(1, fmax(0, sum));
    }
}

/* Machado, Oliveira and Fernandes 2009, severity 1: as everybody, protanopes, deuteranopes and
 * tritanopes see linear RGB. */
static const double seen_by[4][3][3] = {
    {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}},
    {{0.152286, 1.052583, -0.204868},
     {0.114503, 0.786281, 0.099216},
     {-0.003882, -0.048116, 1.051998}},
    {{0.367322, 0.860646, -0.227968},
     {0.280085, 0.672501, 0.047413},
     {-0.011820, 0.042940, 0.968881}},
    {{1.255528, -0.076749, -0.178779},
     {-0.078411, 0.930809, 0.147602},
     {0.004733, 0.691367, 0.303900}},
};
/* To XYZ, of white 1, 1, 1. */
static const double to_xyz[3][3] = {
    {0.4124564 / 0.95047, 0.3575761 / 0.95047, 0.1804375 / 0.95047},
    {0.2126729, 0.7151522, 0.0721750},
    {0.0193339 / 1.08883, 0.1191920 / 1.08883, 0.9503041 / 1.08883}};

/* CIE L*a*b*. */
static void lab_of(const char *colour, int who, double lab[3]) {
    unsigned rgb = (unsigned)strtoul(colour + 1, NULL, 16);
    double given[3], seen[3], xyz[3];
    for (int c = 0; c < 3; c++)
        given[c] = linear((rgb >> (16 - 8 * c) & 255) / 255.0);
    multiply(seen_by[who], given, seen);
    multiply(to_xyz, seen, xyz);
    for (int c = 0; c < 3; c++)
        xyz[c] = cube_root(xyz[c]);
    lab[0] = 116 * xyz[1] - 16;
    lab[1] = 500 * (xyz[0] - xyz[1]);
    lab[2] = 200 * (xyz[1] - xyz[2]);
}

static double distance(const char *a, const char *b, int who) {
    double x[3], y[3];
    lab_of(a, who, x);
    lab_of(b, who, y);
    return sqrt((x[0] - y[0]) * (x[0] - y[0]) + (x[1] - y[1]) * (x[1] - y[1]) +
                (x[2] - y[2]) * (x[2] - y[2]));
}

/* A colour that two share has two marks; others are told apart by the colour-blind, too. */
static void colours_stay_apart(void **state) {
    struct style styles[STYLES];
    int n = read_styles(styles);
    (void)state;
    for (int i = 0; i < n; i++)
        for (int j = 0; j < i; j++)
            for (int who = 0; who < 4 && strcmp(styles[i].colour, styles[j].colour) != 0; who++) {
                double apart = distance(styles[i].colour, styles[j].colour, who);
                if (apart < (who ? 15.9 : 26))
                    fail_msg("%s and %s are %.1f apart (%d)", styles[i].colour, styles[j].colour,
                             apart, who);
            }
    for (int i = 0; i < n; i++) {
        double lab[3];
        lab_of(styles[i].colour, 0, lab);
        assert_true(lab[0] < 75); // on white
    }
}

/* ---- in the database ---- */

/* Names decide for ever: these numbers may not change. */
static void a_name_keeps_its_style(void **state) {
    static const struct {
        const char *name;
        int style;
    } known[] = {{"new", 106}, {"newer", 119}, {"tanh-floor-midpoint", 0}, {"mine", 0}};
    const struct quantizer *const none[] = {NULL};
    struct style styles[STYLES];
    int n = read_styles(styles);
    (void)state;
    for (int i = 0; i < 4; i++) {
        int style = scheme_style(quantizer_registry, known[i].name), there = 0;
        if (known[i].style)
            assert_int_equal(style, known[i].style);
        assert_int_equal(scheme_style(none, known[i].name), style); // whatever the registry has
        for (int j = 0; j < n; j++)
            there += styles[j].number == style;
        assert_int_equal(there, 1);
    }
}

static void the_registry_takes_the_place_of_the_view(void **state) {
    struct store *s = store_fixture_open(*state, STORE_WRITE);
    struct error e = {0};
    struct run_row run = store_fixture_run(1, 1, 1);
    run.scheme = "new";
    store_fixture_add(s, &run);
    store_fixture_sql(s, "BEGIN");
    assert_int_equal(scheme_declare(s, quantizer_registry, &e), 0);
    assert_int_equal(store_use_own_views(s, &e), 0);
    for (const struct quantizer *const *q = quantizer_registry; *q; q++) {
        char sql[160];
        snprintf(sql, sizeof sql,
                 "SELECT coalesce(place, 0) FROM scheme_places WHERE scheme = '%s'", (*q)->name);
        assert_int_equal(store_fixture_number(s, sql), (*q)->look.place);
    }
    assert_string_equal(
        store_fixture_text(s, "SELECT (place IS NULL) || ' ' || style FROM scheme_places"
                              " WHERE scheme = 'new'"),
        "1 106");
    store_fixture_sql(s, "ROLLBACK");
    assert_int_equal(store_fixture_number(s, "SELECT count(*) FROM scheme_places"), 1);
    store_close(s);
}

/* ---- papers ---- */

static void papers_are_whole(void **state) {
    (void)state;
    char *text;
    size_t size;
    FILE *out = need_stream(&text, &size);
    scheme_print_citations(quantizer_registry, out);
    fclose(out);
    for (const struct quantizer *const *q = quantizer_registry; *q; q++)
        for (int i = 0; i < PAPERS; i++) {
            const struct paper *p = (*q)->papers[i];
            char entry[128], eprint[64];
            int major, minor, end = 0;
            if (!p)
                continue;
            assert_int_equal(sscanf(p->arxiv, "%4d.%5d%n", &major, &minor, &end), 2);
            assert_int_equal(p->arxiv[end], '\0');
            assert_int_equal(2000 + major / 100, p->year);
            assert_true(p->title[0] && strstr(p->authors, " and "));
            snprintf(entry, sizeof entry, "\n@misc{%s,\n", p->key);
            snprintf(eprint, sizeof eprint, "\n  eprint = {%s},\n", p->arxiv);
            const char *at = strstr(text, entry);
            assert_non_null(at);
            assert_null(strstr(at + 1, entry)); // once
            assert_null(strstr(strstr(text, eprint) + 1, eprint));
            while (at > text && at[-1] != '\n') // the schemes that it describes
                at--;
            assert_int_equal(at[0], '%');
            const char *named = strstr(at, (*q)->name);
            assert_true(named && named < strchr(at, '\n'));
        }
    free(text);
}

int main(void) {
#define TEST(name)                                                                                 \
    cmocka_unit_test_setup_teardown(name, store_fixture_setup, store_fixture_teardown)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(styles_are_of_the_registry),   cmocka_unit_test(no_style_is_another),
        cmocka_unit_test(colours_stay_apart),           cmocka_unit_test(a_name_keeps_its_style),
        TEST(the_registry_takes_the_place_of_the_view), cmocka_unit_test(papers_are_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
