/* Whether this processor has the instructions that the program was built to use. OPTIMIZE
 * (Makefile) says which those are; by default all that the building machine has.
 *
 * It is asked before any other code of ours runs, and a program for another processor ends there:
 * status 1, and a line that names what is missing and how to build anew. Libraries choose their
 * kernels when they run, and need no such question. On other kinds of machine than x86-64 nothing
 * is asked. */
#ifndef BASE_PROCESSOR_H
#define BASE_PROCESSOR_H

#include <stddef.h>

/* Names as Linux has them, with a blank between; "" on other machines than x86-64. */
void processor_built_for(char *text, size_t size); // "x86-64-v3 adx": a level, and what goes beyond
void processor_has_more(char *text, size_t size); // "avx512f ...": not used; "" when there are none

/* The architecture level ("x86-64-v3") that this processor has all of, as -march takes it. */
const char *processor_level(void);

#endif
