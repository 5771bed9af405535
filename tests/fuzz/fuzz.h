/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_TESTS_FUZZ_H
#define SB_TESTS_FUZZ_H

#include <apr_pools.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the fuzz targets share. A target is one file, fuzz_NAME.c: it turns bytes into the arguments of
 * a parser, calls it, and says with sb_fuzz_holds() what must be true whatever the bytes were. libFuzzer
 * drives it (make fuzz), or replay.c does with files (make fuzz-replay). */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Only where a target has something to set up once. */
int LLVMFuzzerInitialize(int *argc, char ***argv);

/* The pool of this input, empty: the first thing a target asks for. What the input before left in it
 * is gone. */
apr_pool_t *sb_fuzz_pool(void);

/* A pool that lives as long as the process, for LLVMFuzzerInitialize(). */
apr_pool_t *sb_fuzz_setup_pool(void);

/* Aborts with the sentence unless it holds. */
void sb_fuzz_holds(bool holds, const char *promise);

/* An input made of several fields, which a NUL ends. */
typedef struct sb_fuzz_input_t {
    const char *at;
    size_t left;
} sb_fuzz_input_t;

/* The next field as a text in pool, "" when nothing is left. */
const char *sb_fuzz_text(sb_fuzz_input_t *input, apr_pool_t *pool);

/* The next field as a decimal number that fits int, anything else is 0. */
int sb_fuzz_number(sb_fuzz_input_t *input, apr_pool_t *pool);

#endif
