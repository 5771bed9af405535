/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "text/template_set.h"

#include "base/crypto.h"
#include "text/assets.h"
#include "text/source.h"

#include <apr_hash.h>
#include <apr_strings.h>
#include <string.h>

/* Every language has a table of its own from name to template, filled in the order of strength:
 * DIR/LANG/name, DIR/name, built in. A table never changes after load. The checks after loading follow
 * the names each template uses: a partial that does not exist and a text that nobody wrote would both
 * render as nothing, which a page's reader would find long after the operator left. */

#define SUFFIX ".mustache"

typedef struct page_t {
    const sb_template_t *tmpl;
    json_t *base; /* {"t": …, "lang": …, "page": {NAME: true}}; owned by the pool */
} page_t;

typedef struct language_t {
    const char *code;
    const json_t *messages;
    apr_hash_t *pages; /* name -> page_t * */
    sb_template_partials_t partials;
} language_t;

struct sb_template_set_t {
    sb_i18n_t *i18n;
    language_t *languages;
    int n;
    sb_source_t css;
    const char *css_etag;
};

static const page_t *page_find(const language_t *language, const char *name)
{
    return apr_hash_get(language->pages, name, APR_HASH_KEY_STRING);
}

static const sb_template_t *partial_find(const void *baton, const char *name)
{
    const page_t *page = page_find(baton, name);
    return page ? page->tmpl : NULL;
}

static apr_status_t json_release(void *json)
{
    json_decref(json);
    return APR_SUCCESS;
}

/* What every template of that name may use beside its context; never changed afterwards, so that
 * threads can share it without counting references. */
static json_t *base_make(const language_t *language, const char *name, apr_pool_t *pool)
{
    json_t *base = json_object(), *page = json_object();

    apr_pool_cleanup_register(pool, base, json_release, apr_pool_cleanup_null);
    json_object_set(base, "t", (json_t *)language->messages);
    json_object_set_new(base, "lang", json_string(language->code));
    json_object_set_new(page, name, json_true());
    json_object_set_new(base, "page", page);
    return base;
}

/* name -> the source's place and content; the stronger source comes first and stays. */
static sb_status_e source_add(language_t *language, sb_result_t *result, const char *name,
                              const sb_source_t *source, apr_pool_t *pool)
{
    sb_template_t *tmpl;

    if (!source->text || partial_find(language, name)) {
        return SB_OK;
    }
    sb_status_e status =
        sb_template_parse(&tmpl, result, source->where, source->text, source->len, pool);
    if (!status) {
        page_t *page = apr_palloc(pool, sizeof(*page));
        *page = (page_t){.tmpl = tmpl, .base = base_make(language, name, pool)};
        apr_hash_set(language->pages, apr_pstrdup(pool, name), APR_HASH_KEY_STRING, page);
    }
    return status;
}

/* All DIR/subdir/ *.mustache. */
static sb_status_e directory_add(language_t *language, sb_result_t *result,
                                 const char *dir, const char *subdir, apr_pool_t *pool)
{
    const apr_array_header_t *names = sb_source_list(dir, subdir, pool);
    sb_status_e status = SB_OK;

    for (int i = 0; i < names->nelts && !status; i++) {
        const char *name = APR_ARRAY_IDX(names, i, const char *);
        const char *file =
            apr_pstrcat(pool, subdir, *subdir ? "/" : "", name, SUFFIX, NULL);
        sb_source_t source;
        status = sb_source_read(&source, result, dir, file, pool);
        if (!status) {
            status = source_add(language, result, name, &source, pool);
        }
    }
    return status;
}

static sb_status_e builtin_add(language_t *language, sb_result_t *result,
                               apr_pool_t *pool)
{
    sb_status_e status = SB_OK;

    for (apr_size_t i = 0; i < sb_assets_count && !status; i++) {
        const char *file = sb_assets[i].name;
        apr_size_t len = strlen(file), tail = sizeof(SUFFIX) - 1;
        sb_source_t source;
        if (len > tail && !strcmp(file + len - tail, SUFFIX) &&
            sb_source_builtin(&source, file, pool)) {
            status = source_add(language, result, apr_pstrmemdup(pool, file, len - tail),
                                &source, pool);
        }
    }
    return status;
}

static bool text_exists(const language_t *language, const char *key)
{
    const json_t *value = language->messages;

    while (value && key) {
        const char *dot = strchr(key, '.');
        value = json_object_getn(value, key, dot ? (size_t)(dot - key) : strlen(key));
        key = dot ? dot + 1 : NULL;
    }
    return json_is_string(value);
}

static sb_status_e name_check(const language_t *language, sb_result_t *result,
                              const char *where, const sb_template_name_t *name,
                              apr_pool_t *pool)
{
    if (name->kind == SB_TEMPLATE_NAME_PARTIAL && !partial_find(language, name->name)) {
        return sb_result_setf(result, pool, SB_INVALID, "template_unknown_partial",
                              "Put the file beside this one, or correct the name.",
                              "%s:%d: there is no " SUFFIX " file for {{> %s}}", where,
                              name->line, name->name);
    }
    if (!strncmp(name->name, "t.", 2) && !text_exists(language, name->name + 2)) {
        return sb_result_setf(result, pool, SB_INVALID, "template_unknown_text",
                              "Add the text to i18n/LANG.json below SubbillTemplates, or "
                              "correct the name.",
                              "%s:%d: no language has a text for %s", where, name->line,
                              name->name);
    }
    return SB_OK;
}

static sb_status_e language_check(const language_t *language, sb_result_t *result,
                                  apr_pool_t *pool)
{
    sb_status_e status = SB_OK;

    for (apr_hash_index_t *at = apr_hash_first(pool, language->pages); at && !status;
         at = apr_hash_next(at)) {
        const sb_template_t *tmpl = ((const page_t *)apr_hash_this_val(at))->tmpl;
        const apr_array_header_t *names = sb_template_names(tmpl, pool);
        for (int i = 0; i < names->nelts && !status; i++) {
            status = name_check(language, result, sb_template_where(tmpl),
                                &APR_ARRAY_IDX(names, i, sb_template_name_t), pool);
        }
    }
    return status;
}

static sb_status_e language_load(language_t *language, sb_result_t *result,
                                 const sb_i18n_t *i18n, const char *dir, const char *code,
                                 apr_pool_t *pool)
{
    *language = (language_t){.code = code,
                             .messages = sb_i18n_messages(i18n, code),
                             .pages = apr_hash_make(pool),
                             .partials = {.find = partial_find, .baton = language}};

    sb_status_e status = directory_add(language, result, dir, code, pool);
    if (!status) {
        status = directory_add(language, result, dir, "", pool);
    }
    if (!status) {
        status = builtin_add(language, result, pool);
    }
    return status ? status : language_check(language, result, pool);
}

static sb_status_e css_load(sb_template_set_t *set, sb_result_t *result, const char *dir,
                            apr_pool_t *pool)
{
    sb_status_e status = sb_source_read(&set->css, result, dir, "subbill.css", pool);
    char digest[SB_HMAC_HEX_LENGTH + 1];

    if (status) {
        return status;
    }
    if (!set->css.text && !sb_source_builtin(&set->css, "subbill.css", pool)) {
        return sb_result_set(result, SB_INTERNAL, "template_unreadable",
                             "The built-in style sheet is missing.", NULL);
    }
    /* a constant key: the tag must only change with the content, and be the same on all hosts */
    const void *parts[] = {set->css.text};
    const apr_size_t lengths[] = {set->css.len};
    if (!sb_hmac_sha256_hex(digest, "subbill.css", 11, parts, lengths, 1)) {
        return sb_result_set(result, SB_INTERNAL, "template_unreadable",
                             "The style sheet could not be hashed.", NULL);
    }
    set->css_etag = apr_psprintf(pool, "\"%.32s\"", digest);
    return SB_OK;
}

sb_status_e sb_template_set_load(sb_template_set_t **out, sb_result_t *result,
                                 const char *dir, const apr_array_header_t *languages,
                                 apr_pool_t *pool)
{
    sb_template_set_t *set = apr_pcalloc(pool, sizeof(*set));
    sb_status_e status = sb_i18n_load(&set->i18n, result, dir, languages, pool);

    if (status) {
        return status;
    }
    const apr_array_header_t *codes = sb_i18n_languages(set->i18n);
    set->n = codes->nelts;
    set->languages = apr_pcalloc(pool, (apr_size_t)set->n * sizeof(language_t));
    for (int i = 0; i < set->n && !status; i++) {
        status = language_load(&set->languages[i], result, set->i18n, dir,
                               APR_ARRAY_IDX(codes, i, const char *), pool);
    }
    if (!status) {
        status = css_load(set, result, dir, pool);
    }
    if (!status) {
        *out = set;
    }
    return status;
}

const sb_i18n_t *sb_template_set_i18n(const sb_template_set_t *set)
{
    return set->i18n;
}

sb_status_e sb_template_set_render(const char **html, sb_result_t *result,
                                   const sb_template_set_t *set, const char *page,
                                   const char *lang, const json_t *context,
                                   apr_pool_t *pool)
{
    const char *code = sb_i18n_language(set->i18n, lang);
    const language_t *language = set->languages;

    while (strcmp(language->code, code)) {
        language++; /* the code is one of the set's */
    }
    const page_t *found = page_find(language, page);
    if (!found) {
        return sb_result_setf(result, pool, SB_INTERNAL, "unknown_page", NULL,
                              "There is no template %s" SUFFIX ".", page);
    }
    return sb_template_render(html, NULL, result, found->tmpl, found->base, context,
                              &language->partials, pool);
}

const char *sb_template_set_css(const sb_template_set_t *set, apr_size_t *len,
                                const char **etag)
{
    *len = set->css.len;
    *etag = set->css_etag;
    return set->css.text;
}
