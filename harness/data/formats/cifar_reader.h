/* CIFAR-10 and CIFAR-100 (Krizhevsky 2009) in their binary release: files of records, each of one
 * label byte or more and 3072 bytes, 32x32 as red, green and blue planes. Read from the unpacked
 * files, in the set's folder or in the folder that the release makes below it, or straight from the
 * released .tar.gz. */
#ifndef DATA_FORMATS_CIFAR_READER_H
#define DATA_FORMATS_CIFAR_READER_H

enum { CIFAR_BATCHES = 5 }; // files of a split, at most

/* `detail` of such a set. */
struct cifar_set {
    const char *archive, *folder;                                   // as released
    const char *train[CIFAR_BATCHES + 1], *test[CIFAR_BATCHES + 1]; // files, ended by NULL
    int label_bytes; // of a record; the last one counts (CIFAR-100: coarse, fine)
};

extern const struct cifar_set cifar_10, cifar_100;

#endif
