/* What the cfg reader writes, a normal form and a text for Darknet, and that no bytes make it
 * crash. */
#include "base/random.h"
#include "cfg/made_cfg.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void check_same_normal(const char *a, const char *b, int same) {
    struct cfg x = made_parsed(a, grey), y = made_parsed(b, grey);
    if ((strcmp(x.normal, y.normal) == 0) != same)
        fail_msg("normal forms should %s:\n%s\n%s", same ? "agree" : "differ", x.normal, y.normal);
    cfg_free(&x);
    cfg_free(&y);
}

static void normal_form_says_what_matters_and_no_more(void **state) {
    (void)state;
    static const char first[] = NET CONV CONV END;
    // The same meaning: comments, blanks, order, defaults, aliases, ways to say a value.
    check_same_normal(first,
                      "#\n" NET "[conv]\n activation = relu\n\npadding=1\nsize=3\nfilters=4\n"
                      "groups=1\nstride=1\nbias=1\nquantize=0\ninit=kaiming-uniform\n" CONV
                      "quantize=1\n[avg]\n[conn]\noutput=10\nactivation=linear\nquantize=0\n",
                      1);
    check_same_normal(first,
                      "[net]\nbatch=64\nlearning_rate=3\nheight=8\n" CONV CONV END "[cost]\n", 1);
    check_same_normal(NET CONV CONV "[shortcut]\nfrom=-2\n" END,
                      NET CONV CONV "[shortcut]\nfrom=0\nalpha=1.0\nactivation=linear\n" END, 1);
    check_same_normal(NET CONV "batch_normalize=1\n" END,
                      NET CONV "batch_normalize=1\nbias=0\n" END, 1);
    // Another meaning: every key in turn.
    static const char *const others[] = {
        NET CONV CONV "quantize=0\n" END,
        NET CONV CONV "bias=0\n" END,
        NET CONV CONV "groups=2\n" END,
        NET CONV CONV "stride=2\n" END,
        NET CONV CONV "init=darknet\n" END,
        NET CONV CONV "batch_normalize=1\n" END,
        NET CONV "quantize=1\n" CONV END,
        NET CONV CONV "[activation]\nactivation=relu\n" END,
        "[net]\nchannels=3\n" CONV CONV END,
        NET CONV "[conv]\nfilters=4\nsize=3\npadding=1\nactivation=leaky\n" END,
        NET CONV "[conv]\nfilters=4\nsize=3\npadding=2\nactivation=relu\n" END,
        NET CONV "[conv]\nfilters=5\nsize=3\npadding=1\nactivation=relu\n" END,
    };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        check_same_normal(first, others[i], 0);
    static const char one[] = "[conv]\nfilters=4\nactivation=relu\n";
    char plain[512], projected[512];
    snprintf(plain, sizeof plain, "%s%s%s%s", NET, CONV, one, END);
    snprintf(projected, sizeof projected, "%s%s%sprojection=1\n%s", NET, CONV, one, END);
    check_same_normal(plain, projected, 0);
}

static void normal_form_is_frozen(void **state) {
    (void)state;
    struct cfg cfg =
        made_parsed(NET CONV "[conv]\nfilters=4\nbias=0\nprojection=1\nactivation=linear\n"
                             "[shortcut]\nfrom=-2\nbeta=.125\n[maxpool]\nsize=2\nstride=2\n"
                             "[dropout]\n[route]\nlayers=-1,-2\n[upsample]\n[reorg]\nstride=2\n"
                             "[batchnorm]\n" END,
                    grey);
    assert_string_equal(
        cfg.normal,
        "input channels=1 height=8 width=8\n"
        "0 convolutional filters=4 size=3 stride=1 padding=1 groups=1 batch_normalize=0 "
        "activation=relu bias=1 quantize=0 projection=0 init=kaiming-uniform\n"
        "1 convolutional filters=4 size=1 stride=1 padding=0 groups=1 batch_normalize=0 "
        "activation=linear bias=0 quantize=grid projection=1 init=kaiming-uniform\n"
        "2 shortcut from=0 alpha=1 beta=0.125 activation=linear\n"
        "3 maxpool size=2 stride=2 padding=1\n"
        "4 dropout probability=0.5\n"
        "5 route layers=4,3\n"
        "6 upsample stride=2 scale=1\n"
        "7 reorg stride=2 reverse=0\n"
        "8 batchnorm\n"
        "9 avgpool\n"
        "10 connected output=10 batch_normalize=0 activation=linear bias=1 quantize=0 projection=0 "
        "init=kaiming-uniform\n");
    cfg_free(&cfg);
}

static void darknet_text_is_complete_and_free_of_our_keys(void **state) {
    (void)state;
    struct cfg cfg = made_parsed("[net]\nbatch=64\nsubdivisions=2\nlearning_rate=.1\n" CONV
                                 "bias=0\nquantize=0\ninit=darknet\n" END,
                                 grey);
    assert_string_equal(cfg.darknet,
                        "[net]\nbatch=1\nsubdivisions=1\nheight=8\nwidth=8\nchannels=1\n\n"
                        "[convolutional]\nfilters=4\nsize=3\nstride=1\npadding=1\ngroups=1\n"
                        "batch_normalize=0\nactivation=relu\n\n[avgpool]\n\n"
                        "[connected]\noutput=10\nbatch_normalize=0\nactivation=linear\n\n"
                        "[softmax]\ngroups=1\n");
    // It is a cfg too, of the same network as far as Darknet knows it.
    struct cfg again = made_parsed(cfg.darknet, grey);
    assert_string_equal(again.darknet, cfg.darknet);
    cfg_free(&again);
    cfg_free(&cfg);
    // A ReLU stands in for relu6, which Darknet lacks; ids know the difference.
    cfg = made_parsed(NET "[conv]\nactivation=relu6\n" END, grey);
    assert_non_null(strstr(cfg.darknet, "activation=relu\n"));
    assert_non_null(strstr(cfg.normal, "activation=relu6 bias=1"));
    cfg_free(&cfg);
}

/* Good texts to mutate; together they have every layer and most keys. */
static const char *const seeds[] = {
    "[net]\nheight=8\nwidth=8\nchannels=1\nbatch=4\nsubdivisions=2\npolicy=steps\nsteps=1,"
    "2\nscales=.1,.1\n"
    "\n# comment\n" CONV "batch_normalize=1\nquantize=1\n" CONV
    "bias=0\n[shortcut]\nfrom=-2\nalpha=.5\n" END "[cost]\ntype=sse\n",
    NET CONV
    "[batchnorm]\n[activation]\nactivation=elu\n[maxpool]\nsize=3\nstride=2\n[dropout]\n"
    "probability=.3\n[route]\nlayers=-1,-2\n[upsample]\nstride=2\nscale=.5\n[reorg]\nstride=2\n"
    "[conv]\nfilters=4\ngroups=2\nprojection=1\ninit=darknet\n" END,
};

/* A few changes at random places: bits, bytes that matter to the grammar, cuts, repeated pieces. */
static size_t mutate(struct random *r, char *text, size_t size, size_t room) {
    static const char telling[] = "\n=[]#;, 0123456789-.e\r\t\0\xff";
    uint32_t changes = 1 + random_below(r, 4);
    for (uint32_t i = 0; i < changes && size > 1; i++) {
        size_t at = random_below(r, (uint32_t)size);
        size_t n = 1 + random_below(r, 12);
        n = n < size - at ? n : size - at;
        switch (random_below(r, 5)) {
        case 0:
            text[at] = (char)(text[at] ^ (1 << random_below(r, 8)));
            break;
        case 1:
            text[at] = telling[random_below(r, sizeof telling)];
            break;
        case 2:
            memmove(text + at, text + at + n, size - at - n);
            size -= n;
            break;
        case 3:
            size = random_below(r, 8) ? size : at;
            break;
        default:
            if (size + n <= room) {
                memmove(text + at + n, text + at, size - at);
                size += n;
            }
        }
    }
    return size;
}

static void check_mutant(const char *text, size_t size, int *accepted) {
    struct cfg cfg;
    struct error e = {0};
    char *exact = malloc(size ? size : 1); // so that a sanitizer sees a read beyond the end
    memcpy(exact, text, size);
    if (cfg_parse(&cfg, exact, size, "x.cfg", grey, CLASSES, &e) == 0) {
        ++*accepted;
        assert_int_equal(cfg.classes, CLASSES);
        struct cfg again;
        if (made_parse(&again, cfg.darknet, cfg.input, &e))
            fail_msg("Darknet's text is refused: %s\n%s", e.text, cfg.darknet);
        cfg_free(&again);
        cfg_free(&cfg);
    } else if (strncmp(e.text, "x.cfg:", 6) || strchr(e.text, '\n') ||
               strlen(e.text) + 1 == sizeof e.text) {
        fail_msg("not one whole line with its place: %s", e.text);
    }
    free(exact);
}

static void survives_mutations(void **state) {
    (void)state;
    enum { ROUNDS = 4000, ROOM = 2048 };
    int accepted = 0;
    for (uint64_t i = 0; i < ROUNDS; i++) {
        const char *seed = seeds[i % (sizeof seeds / sizeof *seeds)];
        struct random r = random_stream(1, RANDOM_TEST, 0, i);
        char text[ROOM];
        size_t size = strlen(seed);
        memcpy(text, seed, size);
        check_mutant(text, mutate(&r, text, size, ROOM), &accepted);
    }
    assert_in_range(accepted, ROUNDS / 100, ROUNDS / 2); // else it tests only one of the two ways
}

static void survives_truncation_everywhere(void **state) {
    (void)state;
    int accepted = 0;
    for (size_t s = 0; s < sizeof seeds / sizeof *seeds; s++)
        for (size_t n = 0; n <= strlen(seeds[s]); n++)
            check_mutant(seeds[s], n, &accepted);
    assert_true(accepted > 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(normal_form_says_what_matters_and_no_more),
        cmocka_unit_test(normal_form_is_frozen),
        cmocka_unit_test(darknet_text_is_complete_and_free_of_our_keys),
        cmocka_unit_test(survives_mutations),
        cmocka_unit_test(survives_truncation_everywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
