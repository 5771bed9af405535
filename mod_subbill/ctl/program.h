/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_CTL_PROGRAM_H
#define SB_CTL_PROGRAM_H

#include <apr_pools.h>

/* Another program, run to its end without a shell, reading nothing. */

typedef struct sb_program_t {
    const char *out; /* what it wrote to standard output */
    const char *err; /* and to standard error */
    int exit_code;
} sb_program_t;

/* The path of a program: name itself when it holds a slash, else the first executable of that name in
 * PATH or the folders where administrators' programs lie; NULL when there is none. */
const char *sb_program_find(const char *name, apr_pool_t *pool);

/* argv[0] is a path. An error means that it could not be started or waited for. */
apr_status_t sb_program_run(sb_program_t *program, const char *const argv[],
                            apr_pool_t *pool);

#endif
