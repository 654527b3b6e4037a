/* A data set that is a folder of images, ROOT/train/CLASS/FILE and ROOT/test/CLASS/FILE (or
 * ROOT/val or ROOT/valid instead of test), with names ending in .jpg, .jpeg or .png in capitals or
 * not. Where a class has no image, but a folder `images`, as Tiny ImageNet does, they are in there.
 * The classes are the folders in train, sorted by the bytes of their names; the other split has to
 * have the same. Any name works: it is never shown to a shell, and what a listing depends on is the
 * bytes of names, not a locale. Links are followed. Nothing is looked for deeper than that, so a
 * link to a folder above cannot lead in circles.
 *
 * What is no image (another ending, a folder called x.jpg, a link that leads nowhere) is noted and
 * skipped. What systems leave in folders (Thumbs.db, __MACOSX and the like) is passed over, and
 * counted in one note; names that start with a dot are passed over in silence.
 *
 * Order. Sorted, the images of one class come after another, and the first so many (`images` in
 * [train]) would be of a few classes; so the images of a split are put in an order drawn once and
 * for all, from the stream (0, RANDOM_FOLDER, split), which depends on the number of them alone. */
#ifndef DATA_IMAGES_FOLDER_H
#define DATA_IMAGES_FOLDER_H

#include "base/error.h"
#include "base/hash.h"
#include "data/dataset.h"

enum {
    FOLDER_CLASSES_MOST = 65535,
    FOLDER_IMAGES_MOST = 1 << 30,
    FOLDER_SKIPPED_SHOWN = 3, // names in a message
};

/* Files that are skipped, with the reason, as the lines of a text. */
struct skipped {
    uint32_t n;
    char *text; // "NAME: reason\n"...; owned
    size_t size;
    uint32_t n_left_by_systems; // not among the n
};
void skipped_add(struct skipped *s, const char *line);

/* Whether it is one of the names that systems leave in folders. */
int skipped_is_left_by_system(const char *name);

struct image_files {
    uint32_t n;
    uint64_t *name;  // (n) where in `names`
    uint64_t *stamp; // (n) image_stamp
    uint16_t *label; // (n)
    char *names;     // ended by NUL each
    size_t size;     // of names
};

struct image_folder {
    char *root;                     // absolute, without links; owned
    const char *split_name[SPLITS]; // "train"; "test", "val" or "valid"
    int classes;
    char **class_names; // (classes), sorted
    struct image_files split[SPLITS];
    struct skipped skipped;
    char fingerprint[HASH_HEX]; // of names, sizes and times
};

/* Whether `path` is a folder with a folder `train` in it. */
int image_folder_is(const char *path);

/* List it. On failure there is nothing to free. */
int image_folder_list(struct image_folder *f, const char *path, struct error *e);

/* For who wants to know how much there is, and what is wrong with its names, and soon: no file is
 * looked at (`stamp` and `fingerprint` say nothing), and after so many seconds the rest is left
 * out, `*whole` 0. Likewise. */
int image_folder_glance(struct image_folder *f, const char *path, double seconds, int *whole,
                        struct error *e);
void image_folder_free(struct image_folder *f);

/* "ROOT/train/CLASS/NAME" of an image; -1 with a message when it is too long for `size`. */
int image_folder_path(const struct image_folder *f, enum split split, uint32_t i, char *path,
                      size_t size, struct error *e);

/* Image i goes to place `to`, which is before it or its own: for who leaves some out. */
void image_files_move(struct image_files *files, uint32_t to, uint32_t i);

/* What tells a file that was replaced or edited from what it was: 32 bits of its size and time of
 * change, above 32 bits of these and its inode's. */
struct stat;
uint64_t image_stamp(const struct stat *st);

/* -1, with its name, when image i is not the file that was listed: for who has just read it. */
int image_folder_check_image(const struct image_folder *f, enum split split, uint32_t i,
                             struct error *e);

/* Say which image the second listing of a folder has otherwise than the first, if one can be named.
 * Returns -1. */
int image_folder_say_change(const struct image_folder *before, const struct image_folder *now,
                            struct error *e);

/* More than one file in a hundred skipped is an error, which names the first few. */
int image_folder_fault(const struct image_folder *f, struct error *e);

/* The same; where that is no error, what is skipped is noted on stderr, in a line with the first
 * few names, and so is the number of files that systems left. */
int image_folder_judge(const struct image_folder *f, struct error *e);

#endif
