/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_TEXT_TEMPLATE_H
#define SB_TEXT_TEMPLATE_H

#include "base/result.h"

#include <apr_pools.h>
#include <apr_tables.h>
#include <jansson.h>
#include <stdbool.h>

/* Mustache templates over jansson values, after the Mustache specification: interpolation, sections,
 * inverted sections, partials, comments, dotted names, the implicit iterator and standalone lines.
 * Not supported, and refused with a sentence: lambdas cannot exist in JSON, delimiters cannot be
 * changed ({{=…=}}). False values are those of mustache.js: missing, null, false, 0, "" and []. */

#define SB_TEMPLATE_SOURCE_MAX (256 * 1024)
#define SB_TEMPLATE_OUTPUT_MAX (2 * 1024 * 1024)

typedef struct sb_template_t sb_template_t;

/* Finds a partial by name; NULL when there is none, which renders as nothing. */
typedef struct sb_template_partials_t {
    const sb_template_t *(*find)(const void *baton, const char *name);
    const void *baton;
} sb_template_partials_t;

/* What a template mentions, so that its owner can check the words before anybody reads the page. */
typedef enum {
    SB_TEMPLATE_NAME_VALUE,   /* {{x}}, {{{x}}}, {{&x}} */
    SB_TEMPLATE_NAME_SECTION, /* {{#x}}, {{^x}} */
    SB_TEMPLATE_NAME_PARTIAL  /* {{>x}} */
} sb_template_name_e;

typedef struct sb_template_name_t {
    sb_template_name_e kind;
    const char *name; /* dotted, as written */
    int line;         /* from 1 */
} sb_template_name_t;

/* Parses source (len bytes, copied) into a template that never changes again and may be rendered by
 * any number of threads as long as pool lives. Errors: SB_INVALID, code "template_syntax"; the
 * message starts with name and line ("plans.mustache:12: …"). */
sb_status_e sb_template_parse(sb_template_t **tmpl, sb_result_t *result, const char *name,
                              const char *source, apr_size_t len, apr_pool_t *pool);

/* Renders into *out (terminated, len bytes without the terminator, allocated from pool). A name
 * is looked up in context first, then in base; either may be NULL and neither is changed, nor is a
 * reference taken, so base may be shared by threads. partials may be NULL. Errors: SB_TOO_LARGE
 * "template_too_large" above SB_TEMPLATE_OUTPUT_MAX bytes; SB_INVALID "template_depth" when
 * partials include each other without end. */
sb_status_e sb_template_render(const char **out, apr_size_t *len, sb_result_t *result,
                               const sb_template_t *tmpl, const json_t *base,
                               const json_t *context,
                               const sb_template_partials_t *partials, apr_pool_t *pool);

/* The name given to sb_template_parse(), for messages about the template. */
const char *sb_template_where(const sb_template_t *tmpl);

/* Every name the template uses, in order: an array of sb_template_name_t from pool. */
apr_array_header_t *sb_template_names(const sb_template_t *tmpl, apr_pool_t *pool);

#endif
