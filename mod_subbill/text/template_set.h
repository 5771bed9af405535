/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_TEXT_TEMPLATE_SET_H
#define SB_TEXT_TEMPLATE_SET_H

#include "base/result.h"
#include "text/i18n.h"
#include "text/template.h"

#include <apr_pools.h>
#include <apr_tables.h>
#include <jansson.h>

/* All templates of a site, parsed once at start: the built-in ones, replaced file by file by those of
 * SubbillTemplates (DIR/plans.mustache, for one language DIR/de/plans.mustache, the texts
 * DIR/i18n/de.json, the style DIR/subbill.css). Immutable after load and shared by threads. */

typedef struct sb_template_set_t sb_template_set_t;

/* Loads and checks everything: a template with a syntax error, an unknown partial or an unknown text
 * ({{t.…}}) is SB_INVALID with file, line and cure, so that configtest finds it. dir may be NULL;
 * languages as in sb_i18n_load(). Everything lives as long as pool. */
sb_status_e sb_template_set_load(sb_template_set_t **set, sb_result_t *result,
                                 const char *dir, const apr_array_header_t *languages,
                                 apr_pool_t *pool);

const sb_i18n_t *sb_template_set_i18n(const sb_template_set_t *set);

/* Renders page ("plans", "account", "return", "error") with context, to which the language's texts
 * come as `t`, its code as `lang` and `page.NAME` as true. The language falls back as in
 * sb_i18n_language(). *html is terminated UTF-8 from pool. Errors: SB_INTERNAL "unknown_page",
 * and those of sb_template_render(). */
sb_status_e sb_template_set_render(const char **html, sb_result_t *result,
                                   const sb_template_set_t *set, const char *page,
                                   const char *lang, const json_t *context,
                                   apr_pool_t *pool);

/* The style sheet: *len bytes, and in *etag a quoted strong entity tag of its content. */
const char *sb_template_set_css(const sb_template_set_t *set, apr_size_t *len,
                                const char **etag);

#endif
