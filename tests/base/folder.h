/* Temporary folders for tests. */
#ifndef TESTS_BASE_FOLDER_H
#define TESTS_BASE_FOLDER_H

enum { FOLDER_PATH = 4096 };

/* A new folder; removed, with all that is in it, by folder_remove. */
void folder_make(char path[FOLDER_PATH]);
void folder_remove(const char *path);

/* cmocka's set-up and tear-down, of a test or of a group: one such folder. */
extern char test_folder[FOLDER_PATH];
int test_folder_start(void **state);
int test_folder_end(void **state);

/* "FOLDER/NAME" in one of a few buffers that are used in turn. */
const char *folder_file(const char *folder, const char *name);

/* Number of entries, without "." and "..". */
int folder_count(const char *path);

/* No file may grow beyond `bytes` in this process: what a full disk looks like to a writer. */
void folder_limit_files(long bytes);

#endif
