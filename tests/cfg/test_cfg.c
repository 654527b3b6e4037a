/* The cfg reader: what it accepts and means, what it refuses and says. */
#include "base/file.h"
#include "cfg/made_cfg.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct bad {
    const char *text;
    int line;
    const char *message; // a fragment of it
};

static void check_bad(const struct bad *b, size_t size) {
    struct cfg cfg;
    struct error e = {0};
    char where[32];
    snprintf(where, sizeof where, "x.cfg:%d: ", b->line);
    if (cfg_parse(&cfg, b->text, size, "x.cfg", grey, CLASSES, &e) == 0)
        fail_msg("accepted, though it should say '%s':\n%s", b->message, b->text);
    if (strncmp(e.text, where, strlen(where)) || !strstr(e.text, b->message))
        fail_msg("wanted '%s ... %s', got '%s' for\n%s", where, b->message, e.text, b->text);
    if (strchr(e.text, '\n') || (!strchr(e.text, ';') && !strchr(e.text, '?')))
        fail_msg("not one line that says what to do: %s", e.text);
    assert_null(cfg.layers); // nothing is left to free
}

static void check_all(const struct bad *bad, size_t n) {
    for (size_t i = 0; i < n; i++)
        check_bad(&bad[i], strlen(bad[i].text));
}
#define CHECK_ALL(bad) check_all(bad, sizeof(bad) / sizeof *(bad))

static void refuses_what_is_no_cfg(void **state) {
    (void)state;
    static const struct bad bad[] = {
        {"", 1, "is empty"},
        {"# nothing\n\n; at all\n", 1, "has no sections"},
        {"[net]\r\n" CONV END, 1, "carriage return"},
        {NET CONV "[avgpool]\r\n[softmax]\n", 7, "carriage return"},
        {"\xef\xbb\xbf[net]\n" CONV END, 1, "byte-order mark"},
        {NET "\x01\n" CONV END, 2, "control byte 0x01"},
        {NET CONV "\f" END, 7, "control byte 0x0c"},
        {NET CONV END "\x7f", 11, "control byte 0x7f"},
        {"batch=1\n" NET CONV END, 1, "before the first section"},
        {CONV END, 1, "the first section is [convolutional]; it has to be [net]"},
        {"[nett]\n" CONV END, 1, "the first section is [nett]"},
        {NET CONV NET END, 7, "a second [net]"},
        {NET, 1, "no layers behind it"},
        {NET CONV "hello\n" END, 7, "neither [section] nor key=value"},
        {NET CONV "=3\n" END, 7, "neither [section] nor key=value"},
        {NET "[convolutional\nfilters=4\n" END, 2, "is no section"},
        {NET "[convolutional]x\nfilters=4\n" END, 2, "is no section"},
        {NET "[convolutional] # first\nfilters=4\n" END, 2, "comment behind it"},
        {NET "[convolutional]\nfilters=4 # four\n" END, 3, "comment behind it"},
        {NET "[convolutional]\nactivation=linear ; note\n" END, 3, "comment behind it"},
        {NET "[convolutional]\nfilters=\n" END, 3, "filters has no value"},
        {NET "[convolutional]\nfilters=1 6\n" END, 3, "has a blank inside"},
        {NET "[convolutional]\nfilters\n" END, 3, "neither [section] nor key=value"},
    };
    CHECK_ALL(bad);
    static const char nul[] = NET CONV "\0" END;
    check_bad(&(struct bad){nul, 7, "NUL byte"}, sizeof nul - 1);
}

static void refuses_unknown_words(void **state) {
    (void)state;
    static const struct bad bad[] = {
        {NET "[convolutionl]\n" END, 2,
         "unknown layer [convolutionl]; did you mean [convolutional]?"},
        {NET "[transformer]\n" END, 2, "unknown layer [transformer]; the layers are convolutional"},
        {NET "[Convolutional]\n" END, 2, "did you mean [convolutional]?"},
        {NET "[]\n" END, 2, "unknown layer []"},
        {NET "[convolutional]\nfilter=4\n" END, 3,
         "unknown key filter in [convolutional]; did you mean filters?"},
        {NET "[convolutional]\nfliters=4\n" END, 3, "did you mean filters?"},
        {NET "[convolutional]\nwhatever=4\n" END, 3, "known: filters, size"},
        {NET CONV "[avgpool]\nsize=2\n" END, 8, "takes no keys"},
        {NET CONV "[batchnorm]\nactivation=relu\n" END, 8, "takes no keys"},
        {NET "[connected]\nbias=0\n[softmax]\n", 3, "unknown key bias in [connected]"},
        {"[net]\nheigth=8\n" CONV END, 2, "unknown key heigth in [net]; did you mean height?"},
        {"[net]\nlearning-rate=8\n" CONV END, 2, "did you mean learning_rate?"},
        {"[net]\nxyzzy=8\n" CONV END, 2, "known: height, width"},
        {NET "[convolutional]\nactivation=rellu\n" END, 3,
         "activation=rellu in [convolutional]: activation takes logistic, relu"},
        {NET "[convolutional]\nactivation=Linear\n" END, 3, "activation takes"},
        {NET "[convolutional]\ninit=he\n" END, 3, "init takes kaiming-uniform, darknet"},
        {NET CONV "[connected]\ninit=kaiming-normal\n", 8,
         "init takes kaiming-uniform, darknet; correct"},
        {NET "[convolutional]\nsize=3\nfilters=4\nsize=5\n" END, 5,
         "size stands twice in [convolutional] (first in line 3)"},
        {"[net]\nbatch=1\nbatch=128\n" CONV END, 3,
         "batch stands twice in [net] (first in line 2)"},
        {NET "[convolutional]\nsmooth=0\nsmooth=0\n" END, 4, "smooth stands twice"},
    };
    CHECK_ALL(bad);
}

static void refuses_wrong_numbers(void **state) {
    (void)state;
#define KEY(pair) NET "[convolutional]\n" pair "\n" END
    static const struct bad bad[] = {
        {KEY("filters=four"), 3,
         "filters=four in [convolutional]: filters takes an integer from 1 to 65536"},
        {KEY("filters=1e3"), 3, "filters takes an integer"},
        {KEY("filters=4.0"), 3, "filters takes an integer"},
        {KEY("filters=0x10"), 3, "filters takes an integer"},
        {KEY("filters=0"), 3, "filters takes an integer"},
        {KEY("filters=-4"), 3, "filters takes an integer"},
        {KEY("filters=99999999999999999999"), 3, "filters takes an integer"},
        {KEY("filters=4,5"), 3, "filters takes an integer"},
        {KEY("size=0"), 3, "size takes an integer from 1 to 255"},
        {KEY("size=256"), 3, "size takes"},
        {KEY("stride=0"), 3, "stride takes an integer from 1"},
        {KEY("stride=-1"), 3, "stride takes"},
        {KEY("groups=0"), 3, "groups takes"},
        {KEY("padding=-1"), 3, "padding takes"},
        {KEY("pad=2"), 3, "1 means size/2, for a number of pixels write padding="},
        {KEY("batch_normalize=yes"), 3, "batch_normalize takes an integer from 0 to 1"},
        {KEY("quantize=2"), 3, "quantize takes"},
        {KEY("bias=-1"), 3, "bias takes"},
        {NET "[connected]\noutput=0\n[softmax]\n", 3, "output takes"},
        {NET CONV "[maxpool]\nstride=0\n" END, 8, "stride takes"},
        {NET CONV "[upsample]\nstride=-2\n" END, 8, "take [maxpool]"},
        {NET CONV "[dropout]\nprobability=1\n" END, 8, "probability takes a number from 0 to 0.99"},
        {NET CONV "[dropout]\nprobability=nan\n" END, 8, "probability takes"},
        {NET CONV "[dropout]\nprobability=half\n" END, 8, "probability takes"},
        {NET CONV "[dropout]\nprobability=-.1\n" END, 8, "probability takes"},
        {NET CONV CONV "[shortcut]\nfrom=-2\nalpha=big\n" END, 14, "alpha takes a number"},
    };
    CHECK_ALL(bad);
}

static void refuses_wrong_net_values(void **state) {
    (void)state;
#define IN_NET(pair) "[net]\n" pair "\n" CONV END
    static const struct bad bad[] = {
        {IN_NET("height=0"), 2, "height takes an integer from 1 to 65536"},
        {IN_NET("width=-8"), 2, "width takes"},
        {IN_NET("channels=three"), 2, "channels takes"},
        {IN_NET("height=1000000"), 2, "height takes"},
        {IN_NET("time_steps=3"), 2, "time_steps=3 in [net]: the harness trains on images"},
        {IN_NET("notruth=1"), 2, "notruth=1"},
        {IN_NET("height=28"), 1,
         "takes 28x8x1 (height x width x channels) but the data set has 8x8x1"},
        {IN_NET("width=28"), 1, "takes 8x28x1"},
        {IN_NET("channels=2"), 1, "takes 8x8x2"},
        {IN_NET("channels=4"), 1, "takes 8x8x4"},
        {IN_NET("inputs=256"), 1, "inputs=256 but 8x8x1 makes 64"},
    };
    CHECK_ALL(bad);
}

/* What only a grid with from = cfg asks for may be wrong, as long as none does. */
static void faults_of_the_recipe_are_kept(void **state) {
    (void)state;
    static const struct bad bad[] = {
        {"[net]\npolicy=cosine\n" CONV END, 2, "policy takes random, poly"},
        {IN_NET("batch=0"), 2, "batch takes"},
        {IN_NET("subdivisions=0"), 2, "subdivisions takes"},
        {IN_NET("batch=2\nsubdivisions=4"), 1, "batch=2 is less than subdivisions=4"},
        {IN_NET("learning_rate=fast"), 2, "learning_rate takes a number from 0 up"},
        {IN_NET("momentum=1.5"), 2, "momentum takes a number from 0 to 1"},
        {IN_NET("max_batches=x"), 2, "max_batches takes an integer from 0 up"},
        {IN_NET("adam=yes"), 2, "adam takes"},
        {IN_NET("hue=inf"), 2, "hue takes"},
        {IN_NET("policy=steps"), 1, "policy=steps needs both steps= and scales="},
        {IN_NET("policy=steps\nsteps=1,2"), 1, "policy=steps needs both"},
        {IN_NET("policy=steps\nsteps=1,2\nscales=.1"), 1, "2 steps but 1 scales"},
        {IN_NET("steps=1,,2"), 2, "steps takes integers separated by commas, each from 0 up"},
        {IN_NET("scales=.1,"), 2, "scales takes numbers"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct cfg cfg = made_parsed(bad[i].text, grey);
        char where[32];
        snprintf(where, sizeof where, "x.cfg:%d: ", bad[i].line);
        if (strncmp(cfg.recipe.fault, where, strlen(where)) != 0 ||
            !strstr(cfg.recipe.fault, bad[i].message))
            fail_msg("'%s' does not say '%s%s'", cfg.recipe.fault, where, bad[i].message);
        assert_non_null(strstr(cfg.notes, cfg.recipe.fault));
        cfg_free(&cfg);
    }
}

/* Every fault of a file in one call, up to ten, in the order of lines. */
static void all_faults_at_once(void **state) {
    (void)state;
    struct cfg cfg;
    struct error e = {0};
    assert_int_equal(made_parse(&cfg,
                                "[net]\nmosaic=1\nmixup=1\n[convolutional]\nfilters=x\nflip=1\n"
                                "filters=4\n[yolo]\nmask=1\n[connected]\noutput=0\n" END,
                                grey, &e),
                     -1);
    static const char *const says[] = {
        "x.cfg:3: unknown key mixup",    "x.cfg:5: filters=x",     "x.cfg:6: unknown key flip",
        "x.cfg:7: filters stands twice", "x.cfg:8: [yolo] is not", "x.cfg:11: output=0"};
    assert_int_equal(strncmp(e.text, "x.cfg:2: unknown key mosaic", 27), 0);
    const char *line = e.others;
    for (size_t i = 0; i < sizeof says / sizeof says[0]; i++, line = strchr(line, '\n') + 1)
        if (strncmp(line, says[i], strlen(says[i])) != 0)
            fail_msg("'%s' does not say '%s'", line, says[i]);
    assert_string_equal(line, "");

    char many[1024] = NET;
    for (int i = 0; i < 30; i++)
        strcat(many, "wrong=1\n");
    e = (struct error){0};
    assert_int_equal(made_parse(&cfg, many, grey, &e), -1);
    int lines = 1;
    for (line = e.others; *line; line++)
        lines += *line == '\n';
    assert_int_equal(lines, FAULTS_SHOWN);
}

static void refuses_what_the_harness_cannot_train(void **state) {
    (void)state;
    static const struct bad bad[] = {
        {NET CONV "[local]\nfilters=3\n" END, 7, "[local] corrupts memory"},
        {NET CONV "[lrn]\n" END, 7, "[lrn] has wrong gradients"},
        {NET CONV "[normalization]\n" END, 7, "[normalization] has wrong gradients"},
        {NET CONV "[l2norm]\n" END, 7, "[l2norm] has wrong gradients"},
        {NET CONV "[logistic]\n", 7, "[logistic] is a loss"},
        {NET "[crop]\n" CONV END, 2, "not a classifier layer the harness trains"},
        {NET CONV "[deconvolutional]\n" END, 7, "not a classifier layer the harness trains"},
        {NET CONV "[detection]\n", 7, "not a classifier layer the harness trains"},
        {NET CONV "[region]\n", 7, "not a classifier layer the harness trains"},
        {NET CONV "[yolo]\n", 7, "not a classifier layer the harness trains"},
        {NET CONV "[iseg]\n", 7, "not a classifier layer the harness trains"},
        {NET "[rnn]\n" END, 2, "not a classifier layer the harness trains"},
        {NET "[crnn]\n" END, 2, "not a classifier layer the harness trains"},
        {NET "[gru]\n" END, 2, "not a classifier layer the harness trains"},
        {NET "[lstm]\n" END, 2, "not a classifier layer the harness trains"},
        {KEY("xnor=1"), 3, "binary layers are broken"},
        {KEY("binary=1"), 3, "binary layers are broken"},
        {KEY("flipped=1"), 3, "delete the key"},
        {KEY("dot=.5"), 3, "delete the key"},
        {KEY("stopbackward=1"), 3, "would not train the layers before it"},
        {KEY("onlyforward=1"), 3, "would not train this layer"},
        {KEY("learning_rate=.1"), 3, "one learning rate for all layers"},
        {KEY("learning_rate=x"), 3, "one learning rate for all layers"},
        {KEY("smooth=.1"), 3, "label smoothing"},
        {KEY("truth=1"), 3, "targets"},
        {KEY("dontload=1"), 3, "files of its own"},
        {KEY("dontsave=1"), 3, "files of its own"},
        {KEY("numload=1"), 3, "files of its own"},
        {KEY("dontloadscales=1"), 3, "files of its own"},
        {NET CONV "[softmax]\ngroups=2\n", 8, "groups=2 in [softmax]"},
        {NET CONV "[softmax]\ntemperature=3\n", 8, "temperature=3"},
        {NET CONV "[softmax]\nspatial=1\n", 8, "spatial=1"},
        {NET CONV "[softmax]\nnoloss=1\n", 8, "noloss=1"},
        {NET CONV "[softmax]\ntree=9k.tree\n", 8, "one softmax over all classes"},
        {NET CONV END "[cost]\ntype=smooth\n", 12, "type=smooth in [cost]: type takes sse"},
        {NET CONV END "[cost]\nscale=2\n", 12, "softmax cross-entropy"},
        {NET CONV "[reorg]\nextra=1\n" END, 8, "extra=1"},
        {NET CONV "[reorg]\nflatten=1\n" END, 8, "flatten=1"},
        {KEY("batch_normalize=1\nbias=1"), 2, "bias=1 in front of a batch norm"},
        {KEY("size=3\nprojection=1"), 2, "projection=1 with size=3"},
        {KEY("size=3\npad=1\npadding=2"), 2, "pad=1 (padding of size/2 = 1) and padding=2"},
    };
    CHECK_ALL(bad);
}

static void refuses_layers_out_of_place(void **state) {
    (void)state;
    static const struct bad bad[] = {
        {NET "[maxpool]\nsize=2\n" CONV END, 2, "[maxpool] is the first layer"},
        {NET "[avgpool]\n" CONV END, 2, "[avgpool] is the first layer"},
        {NET "[activation]\n" CONV END, 2, "[activation] is the first layer"},
        {NET "[batchnorm]\n" CONV END, 2, "[batchnorm] is the first layer"},
        {NET "[dropout]\n" CONV END, 2, "[dropout] is the first layer"},
        {NET "[shortcut]\nfrom=-1\n" CONV END, 2, "[shortcut] is the first layer"},
        {NET "[route]\nlayers=0\n" CONV END, 2, "[route] is the first layer"},
        {NET "[upsample]\n" CONV END, 2, "[upsample] is the first layer"},
        {NET "[softmax]\n", 2, "[softmax] is the first layer"},
        {NET CONV "[softmax]\n" END, 8, "[avgpool] stands behind [softmax]"},
        {NET CONV END "[softmax]\n", 11, "[softmax] stands behind [softmax]"},
        {NET CONV END "[cost]\n[cost]\n", 12, "[cost] stands behind [cost]"},
        {NET CONV "[cost]\n" END, 7, "[cost] without [softmax]"},
        {NET CONV "[shortcut]\n" END, 7, "[shortcut] has no from"},
        {NET CONV "[route]\n" END, 7, "[route] has no layers"},
        {NET CONV "[shortcut]\nfrom=-1,0\n" END, 8, "several layers in from"},
        {NET CONV "[shortcut]\nfrom=up\n" END, 8, "from takes 1 to 32 layer numbers"},
        {NET CONV "[shortcut]\nfrom=-2\n" END, 8, "before the first one; the farthest is -1"},
        {NET CONV "[shortcut]\nfrom=1\n" END, 8, "this layer itself"},
        {NET CONV "[shortcut]\nfrom=2\n" END, 8, "not before this one"},
        {NET CONV "[route]\nlayers=-1,7\n" END, 8, "layer 7 is not before this one"},
        {NET CONV "[route]\nlayers=-1,-7\n" END, 8, "before the first one"},
        {NET CONV "[route]\nlayers=-1,\n" END, 8, "layers takes"},
        {NET CONV
         "[route]\nlayers=0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0\n" END,
         8, "1 to 32 layer numbers"},
        {NET "[connected]\nactivation=relu\n[connected]\n[softmax]\n", 2,
         "[connected] has no output"},
    };
    CHECK_ALL(bad);
}

static void refuses_wrong_shapes(void **state) {
    (void)state;
    static const struct bad bad[] = {
        {KEY("filters=4\ngroups=2"), 2,
         "groups=2 does not divide the 1 channels of the input and filters=4"},
        {NET CONV "[convolutional]\nfilters=6\ngroups=4\n" END, 7,
         "groups=4 does not divide the 4 channels of the input and filters=6"},
        {KEY("size=9"), 2, "size=9 is larger than its input of 8x8 with padding (0 in all)"},
        {KEY("size=13\npadding=2"), 2, "is larger than its input of 8x8 with padding (4 in all)"},
        {NET CONV "[maxpool]\nsize=9\npadding=0\n" END, 7,
         "[maxpool] of size=9 is larger than its input of 8x8"},
        {NET CONV "[maxpool]\nsize=1\nstride=1\npadding=2\n" END, 7,
         "windows wholly in the padding"},
        {NET CONV "[maxpool]\nsize=1\nstride=5\npadding=2\n" END, 7,
         "windows wholly in the padding"},
        {NET "[conv]\nfilters=4096\n[conv]\nsize=63\npad=1\n" END, 4,
         "unfolds its input to 1040449536"},
        {NET CONV "[maxpool]\nsize=2\nstride=1\npadding=3\n" END, 7,
         "windows wholly in the padding"},
        {NET CONV "[maxpool]\nsize=2\nstride=2\n[shortcut]\nfrom=-2\n" END, 10,
         "adds layer 0 of 8x8x4 (height x width x channels) to 4x4x4"},
        {NET CONV "[convolutional]\nfilters=8\n[shortcut]\nfrom=-2\n" END, 9,
         "adds layer 0 of 8x8x4 (height x width x channels) to 8x8x8"},
        {NET CONV "[maxpool]\nstride=2\n[route]\nlayers=-1,-2\n" END, 9,
         "joins layer 1 of 4x4 and layer 0 of 8x8"},
        {NET CONV "[reorg]\nstride=2\nreverse=1\n[reorg]\nstride=2\nreverse=1\n" END, 10,
         "[reorg] with stride=2 on 16x16x1"},
        {NET CONV "[maxpool]\nsize=2\nstride=1\npadding=0\n[reorg]\nstride=2\n" END, 11,
         "[reorg] with stride=2 on 7x7x4"},
        {NET "[convolutional]\nfilters=65536\nsize=255\npadding=127\n" END, 2,
         "more than 268435456"},
        {NET CONV "[upsample]\nstride=255\n[upsample]\nstride=255\n" END, 9,
         "gives more than 268435456"},
        {NET "[connected]\noutput=65536\n[connected]\noutput=65536\n" END, 4,
         "weights to 4299161600 floats"},
        {NET "[convolutional]\nfilters=65536\n[convolutional]\nfilters=65536\n" END, 4,
         "reduce filters"},
        {NET "[convolutional]\nfilters=65536\n[upsample]\nstride=8\n" END, 4, "reduce"},
        {NET CONV "[avgpool]\n[softmax]\n", 7,
         "ends with 4 outputs (1x1x4), but the data set has 10 classes"},
        {NET CONV "[softmax]\n", 2, "ends with 256 outputs (8x8x4)"},
        {NET CONV "[avgpool]\n[connected]\noutput=11\n", 8, "ends with 11 outputs"},
    };
    CHECK_ALL(bad);
    struct cfg cfg;
    struct error e;
    assert_int_equal(made_parse(&cfg, "[net]\nchannels=1\n" CONV END, colour, &e), -1);
    assert_non_null(
        strstr(e.text, "takes 8x8x1 (height x width x channels) but the data set has 8x8x3"));
}

static void refuses_what_is_no_file(void **state) {
    (void)state;
    struct cfg cfg;
    struct error e = {0};
    assert_int_equal(cfg_read(&cfg, "/nowhere/net.cfg", grey, CLASSES, &e), -1);
    assert_non_null(strstr(e.text, "/nowhere/net.cfg: cannot be opened"));
    e.text[0] = '\0';
    assert_int_equal(cfg_read(&cfg, "/", grey, CLASSES, &e), -1);
    assert_non_null(strstr(e.text, "not a regular file"));
    size_t size = (1 << 20) + 1;
    char *big = malloc(size);
    memset(big, '\n', size);
    e.text[0] = '\0';
    assert_int_equal(cfg_parse(&cfg, big, size, "x.cfg", grey, CLASSES, &e), -1);
    assert_non_null(strstr(e.text, "more than the 1048576 allowed"));
    free(big);
}

static void refuses_too_many_layers(void **state) {
    (void)state;
    static const char layer[] = "[activation]\n";
    size_t n = 4097, size = sizeof NET CONV + n * strlen(layer);
    char *text = malloc(size), *at = stpcpy(text, NET CONV);
    for (size_t i = 0; i < n; i++)
        at = stpcpy(at, layer);
    check_bad(&(struct bad){text, 4102, "more than the 4096 allowed"}, strlen(text));
    free(text);
}

static void reads_a_file(void **state) {
    (void)state;
    char folder[] = "/tmp/test-cfg-XXXXXX", path[64];
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/net.cfg", folder);
    struct error e = {0};
    assert_int_equal(file_replace(path, NET CONV END, strlen(NET CONV END), &e), 0);
    struct cfg cfg;
    assert_int_equal(cfg_read(&cfg, path, grey, CLASSES, &e), 0);
    assert_string_equal(cfg.path, path);
    assert_int_equal(cfg.n, 4);
    cfg_free(&cfg);
    unlink(path);
    rmdir(folder);
}

static void takes_darknets_grammar(void **state) {
    (void)state;
    struct cfg cfg =
        made_parsed("# a comment\n\n  [ network ]\n\t; another\n[conv]\n filters\t=  4\nsize = 3\n"
                    "[max]\nstride=2\n[avg]\n[conn]\noutput=10\n[soft]",
                    grey);
    assert_int_equal(cfg.n, 5);
    static const enum layer_type types[] = {LAYER_CONVOLUTIONAL, LAYER_MAXPOOL, LAYER_AVGPOOL,
                                            LAYER_CONNECTED, LAYER_SOFTMAX};
    static const int lines[] = {5, 8, 10, 11, 13};
    for (int i = 0; i < cfg.n; i++) {
        assert_int_equal(cfg.layers[i].type, types[i]);
        assert_int_equal(cfg.layers[i].line, lines[i]);
    }
    assert_int_equal(cfg.layers[0].filters, 4);
    assert_int_equal(cfg.layers[0].size, 3);
    cfg_free(&cfg);
}

static void check_shape(struct shape s, int c, int h, int w) {
    if (s.c != c || s.h != h || s.w != w)
        fail_msg("shape is %dx%dx%d (c, h, w), not %dx%dx%d", s.c, s.h, s.w, c, h, w);
}

static void has_darknets_defaults(void **state) {
    (void)state;
    struct cfg cfg =
        made_parsed(NET "[convolutional]\n[convolutional]\nfilters=8\nsize=5\nstride=2\npad=1\n"
                        "[maxpool]\nstride=2\n[upsample]\n[dropout]\n[activation]\n"
                        "[shortcut]\nfrom=3\n[reorg]\n[connected]\n",
                    colour);
    const struct cfg_layer *l = cfg.layers;
    assert_int_equal(l[0].filters, 1);
    assert_int_equal(l[0].size, 1);
    assert_int_equal(l[0].stride, 1);
    assert_int_equal(l[0].padding, 0);
    assert_int_equal(l[0].groups, 1);
    assert_int_equal(l[0].activation, ACT_LOGISTIC);
    assert_int_equal(l[0].bias, 1);
    assert_int_equal(l[0].quantize, -1);
    assert_int_equal(l[0].start, 0);
    check_shape(l[0].in, 3, 8, 8);
    check_shape(l[0].out, 1, 8, 8);
    assert_int_equal(l[1].padding, 2);
    check_shape(l[1].out, 8, 4, 4);
    assert_int_equal(l[2].size, 2);
    assert_int_equal(l[2].padding, 1);
    check_shape(l[2].out, 8, 2, 2);
    assert_int_equal(l[3].stride, 2);
    check_shape(l[3].out, 8, 4, 4);
    assert_float_equal(l[4].probability, 0.5F, 0);
    assert_int_equal(l[5].activation, ACT_LINEAR);
    assert_int_equal(l[6].from[0], 3);
    assert_float_equal(l[6].alpha, 1, 0);
    assert_float_equal(l[6].beta, 1, 0);
    check_shape(l[7].out, 8, 4, 4);
    assert_int_equal(l[8].filters, CLASSES); // the last connected layer takes the classes
    assert_int_equal(l[8].activation, ACT_LOGISTIC);
    check_shape(l[8].out, 10, 1, 1);
    assert_int_equal(cfg.classes, CLASSES);
    cfg_free(&cfg);
}

static void reads_every_key(void **state) {
    (void)state;
    struct cfg cfg = made_parsed(
        NET
        "[convolutional]\nfilters=6\nsize=3\nstride=1\npadding=1\ngroups=3\nbatch_normalize=1\n"
        "bias=0\nactivation=leaky\nquantize=1\ninit=darknet\nlearning_rate=1\nstopbackward=0\n"
        "[convolutional]\nfilters=6\nprojection=1\nbias=0\nactivation=linear\n"
        "[shortcut]\nfrom=-2\nalpha=.5\nbeta=-2\nactivation=relu\n"
        "[route]\nlayers = -1, 0\n[reorg]\nstride=2\nreverse=1\n[upsample]\nstride=3\nscale=.1\n"
        "[dropout]\nprobability=.25\n[connected]\noutput=10\nquantize=0\nactivation=linear\n",
        colour);
    const struct cfg_layer *l = cfg.layers;
    assert_int_equal(l[0].groups, 3);
    assert_int_equal(l[0].batch_normalize, 1);
    assert_int_equal(l[0].bias, 0);
    assert_int_equal(l[0].activation, ACT_LEAKY);
    assert_int_equal(l[0].quantize, 1);
    assert_int_equal(l[0].start, 1);
    assert_int_equal(l[1].projection, 1);
    assert_int_equal(l[1].bias, 0);
    assert_float_equal(l[2].alpha, 0.5F, 0);
    assert_float_equal(l[2].beta, -2, 0);
    assert_int_equal(l[2].activation, ACT_RELU);
    assert_int_equal(l[3].n_from, 2);
    assert_int_equal(l[3].from[0], 2);
    assert_int_equal(l[3].from[1], 0);
    check_shape(l[3].out, 12, 8, 8);
    assert_int_equal(l[4].reverse, 1);
    check_shape(l[4].out, 3, 16, 16);
    assert_float_equal(l[5].scale, 0.1F, 0);
    check_shape(l[5].out, 3, 48, 48);
    assert_float_equal(l[6].probability, 0.25F, 0);
    assert_int_equal(l[7].quantize, 0);
    assert_int_equal(l[7].bias, 1);
    cfg_free(&cfg);
}

static void takes_the_input_from_the_data(void **state) {
    (void)state;
    struct cfg cfg = made_parsed(NET CONV END, colour);
    check_shape(cfg.input, 3, 8, 8);
    assert_string_equal(cfg.notes, "");
    cfg_free(&cfg);
    cfg = made_parsed("[net]\nheight=8\nwidth=8\nchannels=3\ninputs=192\n" CONV END, grey);
    check_shape(cfg.input, 3, 8, 8);
    assert_string_equal(cfg.notes, "cfg line 1: grey images are replicated to 3 channels\n");
    cfg_free(&cfg);
}

static void notes_what_is_ignored(void **state) {
    (void)state;
    struct cfg cfg =
        made_parsed("# top\n[net]\nlearning_rate=.1\npolicy=steps\nsteps=10, 20\nscales=.1, .1\n"
                    "max_batches = 5000\n" CONV END "[cost]\ntype=sse\n",
                    grey);
    assert_string_equal(
        cfg.notes, "cfg line 2: policy, steps, scales, learning_rate, max_batches are ignored: the "
                   "grid says how to train, unless by from = cfg\n"
                   "cfg line 17: [cost] is ignored: the loss is softmax cross-entropy\n");
    cfg_free(&cfg);
    cfg = made_parsed(NET CONV "[avgpool]\n[connected]\n", grey);
    assert_non_null(strstr(cfg.notes, "cfg line 8: no [softmax]"));
    cfg_free(&cfg);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_what_is_no_cfg),
        cmocka_unit_test(refuses_unknown_words),
        cmocka_unit_test(refuses_wrong_numbers),
        cmocka_unit_test(refuses_wrong_net_values),
        cmocka_unit_test(faults_of_the_recipe_are_kept),
        cmocka_unit_test(all_faults_at_once),
        cmocka_unit_test(refuses_what_the_harness_cannot_train),
        cmocka_unit_test(refuses_layers_out_of_place),
        cmocka_unit_test(refuses_wrong_shapes),
        cmocka_unit_test(refuses_what_is_no_file),
        cmocka_unit_test(refuses_too_many_layers),
        cmocka_unit_test(reads_a_file),
        cmocka_unit_test(takes_darknets_grammar),
        cmocka_unit_test(has_darknets_defaults),
        cmocka_unit_test(reads_every_key),
        cmocka_unit_test(takes_the_input_from_the_data),
        cmocka_unit_test(notes_what_is_ignored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
