/* A MATLAB 5 file's variables, looked at before libmatio is: it takes memory, and computes places,
 * by what a file says of itself. Private to the data room. */
#ifndef DATA_FORMATS_MAT5_H
#define DATA_FORMATS_MAT5_H

#include "base/error.h"

/* 0 when every variable up to the last of `names` (ended by NULL) is a real array of numbers, of
 * rank 2 ... 4 and not empty, plain or packed by zlib, whose bytes are as many as its dimensions
 * say and no more than a file of that size can hold. -1: the message names the file. Numbers are
 * with the low byte first. */
int mat5_check(const char *path, const char *const *names, struct error *e);

#endif
