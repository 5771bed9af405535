/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_TEXT_SOURCE_H
#define SB_TEXT_SOURCE_H

#include "base/result.h"

#include <apr_pools.h>
#include <apr_tables.h>
#include <stdbool.h>

/* One file of the pages: the operator's where SubbillTemplates holds it, else the built-in one. */

#define SB_SOURCE_MAX (512 * 1024) /* bytes; more is a mistake */

typedef struct sb_source_t {
    const char *where; /* for messages: the path, or "built-in NAME" */
    const char *text;  /* len bytes and a terminator; NULL when the file does not exist */
    apr_size_t len;
} sb_source_t;

/* DIR/name only: dir may be NULL; a missing file is SB_OK with text NULL. Errors: SB_INVALID
 * "template_unreadable". Lives in pool. */
sb_status_e sb_source_read(sb_source_t *source, sb_result_t *result, const char *dir,
                           const char *name, apr_pool_t *pool);

/* The built-in file; false when there is none. */
bool sb_source_builtin(sb_source_t *source, const char *name, apr_pool_t *pool);

/* Names (const char *, "plans", sorted) of all files DIR/subdir/ *.mustache without the suffix; a missing
 * directory has none. subdir "" is DIR itself. */
apr_array_header_t *sb_source_list(const char *dir, const char *subdir, apr_pool_t *pool);

#endif
