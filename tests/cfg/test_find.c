/* Networks by name or path. */
#include "base/error.h"
#include "cfg/find.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void networks_are_found_by_name_or_path(void **state) {
    (void)state;
    char folder[] = "/tmp/truncquant-XXXXXX", before[4096], path[4096], label[256];
    assert_non_null(mkdtemp(folder));
    assert_non_null(getcwd(before, sizeof before));
    assert_int_equal(chdir(folder), 0);
    struct error e = {0}, f = {0}, g = {0};
    int made =
        system("mkdir -p experiments/networks && echo x > experiments/networks/tiny-net.cfg &&"
               " echo x > my.cfg");
    int named = network_find("tiny-net", path, sizeof path, &e);
    int by_path = network_find("./my.cfg", label, sizeof label, &e);
    int missing = network_find("tiny-nt", label, sizeof label, &f);
    int missing_path = network_find("none.cfg", label, sizeof label, &g);
    assert_int_equal(system("rm -r experiments my.cfg"), 0);
    assert_int_equal(chdir(before), 0);
    assert_int_equal(rmdir(folder), 0);
    assert_int_equal(made, 0);
    assert_int_equal(named, 0);
    assert_string_equal(path, "experiments/networks/tiny-net.cfg");
    assert_int_equal(by_path, 0);
    assert_int_equal(missing, -1);
    assert_non_null(strstr(f.text, "is not in experiments/networks, "));
    assert_non_null(strstr(f.text, "/usr/share/darknet/cfg; did you mean tiny-net? the harness has "
                                   "tiny-net"));
    assert_int_equal(missing_path, -1);
    assert_non_null(strstr(g.text, "none.cfg cannot be read"));
}

static void labels_of_networks_lack_folder_and_suffix(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"lenet", "lenet"}, {"a/b/net.cfg", "net"}, {"net.cfg", "net"}, {"a.cfg/net", "net"}};
    for (size_t i = 0; i < 4; i++) {
        char label[64];
        network_label(cases[i][0], label, sizeof label);
        assert_string_equal(label, cases[i][1]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(networks_are_found_by_name_or_path),
        cmocka_unit_test(labels_of_networks_lack_folder_and_suffix),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
