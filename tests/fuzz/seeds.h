/* Sound inputs of every target, made by those who write such files, so that they follow a format
 * when it changes. */
#ifndef TESTS_FUZZ_SEEDS_H
#define TESTS_FUZZ_SEEDS_H

/* FOLDER/TARGET/NAME for every target; run in the repository's root, whose grids and networks are
 * among them. */
void seeds_write(const char *folder);

#endif
