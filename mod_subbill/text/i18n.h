/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_TEXT_I18N_H
#define SB_TEXT_I18N_H

#include "base/result.h"

#include <apr_pools.h>
#include <apr_tables.h>
#include <jansson.h>
#include <stdbool.h>

/* Message catalogues: one nested JSON object of texts per language. What a language lacks is taken
 * from the site's default language, then from English, then the key itself is shown. Immutable
 * after load and shared by threads; setlocale() is never touched. */

typedef struct sb_i18n_t sb_i18n_t;

/* Loads the built-in catalogues of languages (const char *, the first is the default; NULL or empty:
 * "en", "de"), each overlaid with DIR/i18n/LANG.json where that exists. dir may be NULL. A language
 * that is not built in must have such a file. Errors: SB_INVALID "i18n_invalid" with the file, line
 * and cure; everything lives as long as pool. */
sb_status_e sb_i18n_load(sb_i18n_t **i18n, sb_result_t *result, const char *dir,
                         const apr_array_header_t *languages, apr_pool_t *pool);

/* The loaded languages' codes (const char *), the default first. */
const apr_array_header_t *sb_i18n_languages(const sb_i18n_t *i18n);

/* The language's own code as loaded, or the default's when it is NULL or unknown. */
const char *sb_i18n_language(const sb_i18n_t *i18n, const char *lang);

/* The text of a dotted key, e.g. "reason.past_due"; the key itself when nobody knows it. Never NULL. */
const char *sb_i18n_text(const sb_i18n_t *i18n, const char *lang, const char *key);

/* Whether any catalogue has a text for key, to choose between a special and a general message. */
bool sb_i18n_has(const sb_i18n_t *i18n, const char *key);

/* The text of key with every {name} replaced by args' member (text or number; an unknown name stays
 * as written). Where key holds plural forms, args' integer "count" chooses "one" (exactly 1) or
 * "other". args may be NULL. Allocated from pool. The result is plain text, not HTML. */
const char *sb_i18n_format(const sb_i18n_t *i18n, const char *lang, const char *key,
                           const json_t *args, apr_pool_t *pool);

/* Chooses the language to answer in: the query's, else the cookie's, else the best of
 * Accept-Language (RFC 9110 §12.5.4, q-values; "de-AT" matches "de"; at most 32 items of the first
 * 1 KiB are read), else the default. Each may be NULL. Returns a code of sb_i18n_languages(). */
const char *sb_i18n_choose(const sb_i18n_t *i18n, const char *query_lang,
                           const char *cookie_lang, const char *accept_language);

/* The merged catalogue of a language: a borrowed object that must not be changed. */
const json_t *sb_i18n_messages(const sb_i18n_t *i18n, const char *lang);

#endif
