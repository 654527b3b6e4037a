/* The fuzzer's targets without a fuzzer (target.h): sound seeds are taken, and what lies in
 * tests/fuzz/findings (inputs that once crashed a reader, kept it busy or took its memory) is taken
 * or refused in one line. With `--seeds FOLDER` writes the seeds there and does nothing else. */
#include "base/file.h"
#include "base/folder.h"
#include "fuzz/seeds.h"
#include "fuzz/target.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#ifdef __SANITIZE_ADDRESS__
/* What a few kilobytes may ask for at once; without this, a claim of gigabytes is granted, and
 * never used. */
const char *__asan_default_options(void);
const char *__asan_default_options(void) {
    return "max_allocation_size_mb=1024";
}
#endif

/* Runs all files of FOLDER/TARGET; `must` says that each has to be taken. Returns how many there
 * are. */
static int run_folder(const struct fuzz_target *t, const char *folder, int must) {
    int n = 0;
    DIR *entries = opendir(folder_file(folder, t->name));
    if (!entries)
        return 0;
    for (struct dirent *entry; (entry = readdir(entries));) {
        struct error e = {0};
        size_t size;
        if (entry->d_name[0] == '.')
            continue;
        char name[FOLDER_PATH];
        snprintf(name, sizeof name, "%s/%s", t->name, entry->d_name);
        const char *file = folder_file(folder, name);
        char *bytes = file_read(file, 1 << 24, &size, &e);
        if (!bytes)
            fail_msg("%s", e.text);
        print_message("%s\n", file); // the last one is it, should the program crash
        if (!t->run((const uint8_t *)bytes, size) && must)
            fail_msg("%s is refused: %s", file, fuzz_why);
        free(bytes);
        n++;
    }
    closedir(entries);
    return n;
}

static void seeds_are_taken(void **state) {
    (void)state;
    char folder[FOLDER_PATH];
    folder_make(folder);
    seeds_write(folder);
    for (const struct fuzz_target *t = fuzz_targets; t->name; t++)
        if (!run_folder(t, folder, 1))
            fail_msg("%s has no seeds", t->name);
    folder_remove(folder);
}

static void inputs_that_were_found_do_no_harm(void **state) {
    (void)state;
    int n = 0;
    for (const struct fuzz_target *t = fuzz_targets; t->name; t++)
        n += run_folder(t, "tests/fuzz/findings", 0);
    assert_true(n > 0); // started in the repository's root
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(seeds_are_taken),
        cmocka_unit_test(inputs_that_were_found_do_no_harm),
    };
    if (argc == 3 && !strcmp(argv[1], "--seeds")) {
        seeds_write(argv[2]);
        return 0;
    }
    return cmocka_run_group_tests_name("fuzz", tests, NULL, NULL);
}
