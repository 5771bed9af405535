/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "text/i18n.h"

#include "text/source.h"

#include <apr_lib.h>
#include <apr_strings.h>
#include <string.h>
#include <strings.h>

/* A language's catalogue is merged once, at load: English, over it the site's default language, over it
 * the language itself, each already overlaid with the operator's file. After that every question
 * is one walk down one tree, and a template that reads `t.*` falls back in the same way as C does. */

#define LANGUAGES_MAX     32
#define ACCEPT_BYTES_MAX  1024
#define ACCEPT_ITEMS_MAX  32
#define CODE_MAX          35 /* RFC 5646 §4.4.1 */
#define MESSAGE_DEPTH_MAX 8

struct sb_i18n_t {
    apr_array_header_t *codes; /* const char *, the default first */
    json_t **messages;         /* merged, in the same order */
};

static apr_status_t json_release(void *json)
{
    json_decref(json);
    return APR_SUCCESS;
}

/* The pool owns the reference from now on. */
static json_t *json_adopt(json_t *json, apr_pool_t *pool)
{
    apr_pool_cleanup_register(pool, json, json_release, apr_pool_cleanup_null);
    return json;
}

static const char *code_at(const sb_i18n_t *i18n, int i)
{
    return APR_ARRAY_IDX(i18n->codes, i, const char *);
}

/* Letters and digits in groups of 1 to 8 joined by hyphens, the first of letters: it becomes a file
 * name and an attribute. */
static bool code_is_valid(const char *code)
{
    apr_size_t group = 0, len = strlen(code);

    if (len < 2 || len > CODE_MAX || !apr_isalpha(code[0]) || !apr_isalpha(code[1])) {
        return false;
    }
    for (apr_size_t i = 0; i < len; i++) {
        if (code[i] == '-') {
            if (!group) {
                return false;
            }
            group = 0;
        }
        else if (!apr_isalnum(code[i]) || ++group > 8) {
            return false;
        }
    }
    return group > 0;
}

static sb_status_e invalid(sb_result_t *result, apr_pool_t *pool, const char *where,
                           int line, const char *what)
{
    return sb_result_setf(
        result, pool, SB_INVALID, "i18n_invalid",
        "A catalogue is a JSON object of texts, as in the built-in ones.", "%s:%d: %s",
        where, line, what);
}

/* NULL when every value is a text or an object of such; else the key that is not. */
static const char *first_foreign_key(const json_t *messages, int depth)
{
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)messages, key, value)
    {
        if (json_is_string(value)) {
            continue;
        }
        const char *inner = key;
        if (json_is_object(value) && depth < MESSAGE_DEPTH_MAX) {
            inner = first_foreign_key(value, depth + 1);
        }
        if (inner) {
            return inner;
        }
    }
    return NULL;
}

static sb_status_e source_parse(json_t **messages, sb_result_t *result,
                                const sb_source_t *source, apr_pool_t *pool)
{
    json_error_t error;
    json_t *json = json_loadb(source->text, source->len, JSON_REJECT_DUPLICATES, &error);

    if (!json) {
        return invalid(result, pool, source->where, error.line > 0 ? error.line : 1,
                       apr_pstrdup(pool, error.text));
    }
    json_adopt(json, pool);
    if (!json_is_object(json)) {
        return invalid(result, pool, source->where, 1, "is not a JSON object");
    }
    const char *foreign = first_foreign_key(json, 1);
    if (foreign) {
        return invalid(
            result, pool, source->where, 1,
            apr_psprintf(pool, "\"%s\" is neither a text nor an object", foreign));
    }
    *messages = json;
    return SB_OK;
}

/* The key at which one catalogue has a text and the other an object; NULL when they fit. */
static const char *first_conflict(const json_t *base, const json_t *over)
{
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)over, key, value)
    {
        const json_t *known = json_object_get(base, key);
        if (!known) {
            continue;
        }
        const char *conflict = NULL;
        if (json_typeof(known) != json_typeof(value)) {
            conflict = key;
        }
        else if (json_is_object(value)) {
            conflict = first_conflict(known, value);
        }
        if (conflict) {
            return conflict;
        }
    }
    return NULL;
}

static sb_status_e overlay(json_t *base, sb_result_t *result, const sb_source_t *source,
                           apr_pool_t *pool)
{
    json_t *over = NULL;
    sb_status_e status = source_parse(&over, result, source, pool);

    if (status) {
        return status;
    }
    const char *conflict = first_conflict(base, over);
    if (conflict) {
        return invalid(
            result, pool, source->where, 1,
            apr_psprintf(pool,
                         "\"%s\" is a text in one catalogue and an object in another",
                         conflict));
    }
    json_object_update_recursive(base, over);
    return SB_OK;
}

/* Lays what is built in for lang and then the operator's file over base. */
static sb_status_e language_overlay(json_t *base, sb_result_t *result, const char *dir,
                                    const char *lang, apr_pool_t *pool)
{
    const char *name = apr_pstrcat(pool, "i18n/", lang, ".json", NULL);
    sb_source_t builtin, own;
    bool known = sb_source_builtin(&builtin, name, pool);
    sb_status_e status = known ? overlay(base, result, &builtin, pool) : SB_OK;

    if (!status) {
        status = sb_source_read(&own, result, dir, name, pool);
    }
    if (!status && own.text) {
        status = overlay(base, result, &own, pool);
    }
    else if (!status && !known) {
        status =
            sb_result_setf(result, pool, SB_INVALID, "i18n_invalid",
                           "Built in are en and de; for another language put its texts "
                           "into i18n/LANG.json below SubbillTemplates.",
                           "SubbillLanguages names \"%s\", but there is no %s", lang,
                           dir ? own.where : name);
    }
    return status;
}

static sb_status_e codes_check(sb_i18n_t *i18n, sb_result_t *result,
                               const apr_array_header_t *languages, apr_pool_t *pool)
{
    static const char *const builtin[] = {"en", "de"};
    int own = languages ? languages->nelts : 0;
    int n = own ? own : 2;

    i18n->codes = apr_array_make(pool, 4, sizeof(const char *));
    for (int i = 0; i < n; i++) {
        const char *code = own ? APR_ARRAY_IDX(languages, i, const char *) : builtin[i];
        if (!code_is_valid(code) || n > LANGUAGES_MAX) {
            return sb_result_setf(
                result, pool, SB_INVALID, "i18n_invalid",
                "Write codes such as en, de or pt-BR, at most 32 of them.",
                n > LANGUAGES_MAX ? "SubbillLanguages: \"%s\" and others are too many"
                                  : "SubbillLanguages: \"%s\" is not a language",
                code);
        }
        *(const char **)apr_array_push(i18n->codes) = apr_pstrdup(pool, code);
    }
    return SB_OK;
}

sb_status_e sb_i18n_load(sb_i18n_t **out, sb_result_t *result, const char *dir,
                         const apr_array_header_t *languages, apr_pool_t *pool)
{
    sb_i18n_t *i18n = apr_pcalloc(pool, sizeof(*i18n));
    json_t *base = json_adopt(json_object(), pool);
    sb_status_e status = codes_check(i18n, result, languages, pool);

    if (!status) {
        status = language_overlay(base, result, dir, "en", pool);
    }
    if (!status && strcmp(code_at(i18n, 0), "en")) {
        status = language_overlay(base, result, dir, code_at(i18n, 0), pool);
    }
    if (status) {
        return status;
    }
    i18n->messages = apr_pcalloc(pool, (apr_size_t)i18n->codes->nelts * sizeof(json_t *));
    for (int i = 0; i < i18n->codes->nelts; i++) {
        i18n->messages[i] = json_adopt(json_deep_copy(base), pool);
        status = language_overlay(i18n->messages[i], result, dir, code_at(i18n, i), pool);
        if (status) {
            return status;
        }
    }
    *out = i18n;
    return SB_OK;
}

const apr_array_header_t *sb_i18n_languages(const sb_i18n_t *i18n)
{
    return i18n->codes;
}

static int language_index(const sb_i18n_t *i18n, const char *lang)
{
    for (int i = 0; lang && i < i18n->codes->nelts; i++) {
        if (!strcasecmp(code_at(i18n, i), lang)) {
            return i;
        }
    }
    return -1;
}

const char *sb_i18n_language(const sb_i18n_t *i18n, const char *lang)
{
    int i = language_index(i18n, lang);
    return code_at(i18n, i < 0 ? 0 : i);
}

const json_t *sb_i18n_messages(const sb_i18n_t *i18n, const char *lang)
{
    int i = language_index(i18n, lang);
    return i18n->messages[i < 0 ? 0 : i];
}

static const json_t *message_find(const json_t *messages, const char *key)
{
    while (messages && key) {
        const char *dot = strchr(key, '.');
        messages =
            json_object_getn(messages, key, dot ? (size_t)(dot - key) : strlen(key));
        key = dot ? dot + 1 : NULL;
    }
    return messages;
}

const char *sb_i18n_text(const sb_i18n_t *i18n, const char *lang, const char *key)
{
    const json_t *text = message_find(sb_i18n_messages(i18n, lang), key);
    return json_is_string(text) ? json_string_value(text) : key;
}

bool sb_i18n_has(const sb_i18n_t *i18n, const char *key)
{
    for (int i = 0; i < i18n->codes->nelts; i++) {
        if (json_is_string(message_find(i18n->messages[i], key))) {
            return true;
        }
    }
    return false;
}

static const char *message_choose(const json_t *message, const json_t *args,
                                  const char *key)
{
    if (json_is_object(message)) {
        bool one = json_integer_value(json_object_get(args, "count")) == 1;
        const json_t *form = one ? json_object_get(message, "one") : NULL;
        message = form ? form : json_object_get(message, "other");
    }
    return json_is_string(message) ? json_string_value(message) : key;
}

/* What stands for {name}, or NULL to leave the braces as they are. */
static const char *argument(const json_t *args, const char *name, apr_size_t len,
                            apr_pool_t *pool)
{
    const json_t *value = json_object_getn(args, name, len);

    if (json_is_string(value)) {
        return json_string_value(value);
    }
    if (json_is_integer(value)) {
        return apr_psprintf(pool, "%" APR_INT64_T_FMT,
                            (apr_int64_t)json_integer_value(value));
    }
    return NULL;
}

const char *sb_i18n_format(const sb_i18n_t *i18n, const char *lang, const char *key,
                           const json_t *args, apr_pool_t *pool)
{
    const json_t *message = message_find(sb_i18n_messages(i18n, lang), key);
    const char *text = message_choose(message, args, key);
    const char *out = "";

    while (*text) {
        apr_size_t plain = strcspn(text, "{");
        const char *close = strchr(text + plain, '}');
        const char *value = NULL;
        if (close) {
            value = argument(args, text + plain + 1,
                             (apr_size_t)(close - text) - plain - 1, pool);
        }
        if (!value) {
            plain += text[plain] ? 1 : 0;
        }
        out = apr_pstrcat(pool, out, apr_pstrmemdup(pool, text, plain), value, NULL);
        text = value ? close + 1 : text + plain;
    }
    return out;
}

/* Whether a wish such as "de-AT" (len bytes) is met by code: the same, or the same up to a hyphen. */
static bool range_matches(const char *range, apr_size_t len, const char *code)
{
    apr_size_t code_len = strlen(code);
    apr_size_t shorter = len < code_len ? len : code_len;

    if (!shorter || strncasecmp(range, code, shorter)) {
        return false;
    }
    return len == code_len || (len > code_len ? range[shorter] : code[shorter]) == '-';
}

/* The first language that a single wish matches, an equal one before a similar one; -1 for none. */
static int wish_index(const sb_i18n_t *i18n, const char *wish)
{
    int i = language_index(i18n, wish);

    if (i >= 0 || !wish || strlen(wish) > CODE_MAX) {
        return i;
    }
    for (i = 0; i < i18n->codes->nelts; i++) {
        if (range_matches(wish, strlen(wish), code_at(i18n, i))) {
            return i;
        }
    }
    return -1;
}

/* A qvalue in thousandths; -1 when it is none (RFC 9110 §12.4.2). */
static int quality_parse(const char *text, apr_size_t len)
{
    int value = 0, scale = 100;

    if (!len || len > 5 || (text[0] != '0' && text[0] != '1') ||
        (len > 1 && text[1] != '.')) {
        return -1;
    }
    value = (text[0] - '0') * 1000;
    for (apr_size_t i = 2; i < len; i++, scale /= 10) {
        if (!apr_isdigit(text[i])) {
            return -1;
        }
        value += (text[i] - '0') * scale;
    }
    return value <= 1000 ? value : -1;
}

typedef struct wish_t {
    const char *range;
    apr_size_t len;
    int quality;
} wish_t;

static void trim(const char **text, apr_size_t *len)
{
    while (*len && apr_isspace(**text)) {
        (*text)++;
        (*len)--;
    }
    while (*len && apr_isspace((*text)[*len - 1])) {
        (*len)--;
    }
}

/* One item "de-AT ; q=0.8"; false when it is malformed and to be ignored. */
static bool wish_parse(wish_t *wish, const char *item, apr_size_t len)
{
    const char *semicolon = memchr(item, ';', len);

    *wish = (wish_t){.range = item, .len = len, .quality = 1000};
    if (semicolon) {
        const char *weight = semicolon + 1;
        apr_size_t weight_len = len - (apr_size_t)(weight - item);
        trim(&weight, &weight_len);
        if (weight_len < 3 || (weight[0] != 'q' && weight[0] != 'Q') ||
            weight[1] != '=') {
            return false;
        }
        wish->quality = quality_parse(weight + 2, weight_len - 2);
        wish->len = (apr_size_t)(semicolon - item);
    }
    trim(&wish->range, &wish->len);
    return wish->len > 0 && wish->len <= CODE_MAX && wish->quality >= 0;
}

static int wishes_parse(wish_t wishes[ACCEPT_ITEMS_MAX], const char *header)
{
    apr_size_t left = strlen(header);
    int n = 0;

    if (left > ACCEPT_BYTES_MAX) {
        left = ACCEPT_BYTES_MAX;
    }
    for (int items = 0; left && items < ACCEPT_ITEMS_MAX; items++) {
        const char *comma = memchr(header, ',', left);
        apr_size_t len = comma ? (apr_size_t)(comma - header) : left;
        if (wish_parse(&wishes[n], header, len)) {
            n++;
        }
        len += comma ? 1 : 0;
        header += len;
        left -= len;
    }
    return n;
}

/* How much code is wanted: the highest weight of the ranges it meets, 0 when one names it exactly with
 * q=0, the weight of "*" when none does. *rank: which range said so, to settle ties. */
static int code_quality(const char *code, const wish_t *wishes, int n, int *rank)
{
    int best = -1, any = -1, any_rank = n;

    for (int i = 0; i < n; i++) {
        const wish_t *wish = &wishes[i];
        if (wish->len == 1 && *wish->range == '*') {
            any = wish->quality;
            any_rank = i;
        }
        else if (range_matches(wish->range, wish->len, code)) {
            if (!wish->quality && wish->len == strlen(code)) {
                return 0;
            }
            if (wish->quality > best) {
                best = wish->quality;
                *rank = i;
            }
        }
    }
    if (best < 0) {
        best = any;
        *rank = any_rank;
    }
    return best;
}

const char *sb_i18n_choose(const sb_i18n_t *i18n, const char *query_lang,
                           const char *cookie_lang, const char *accept_language)
{
    wish_t wishes[ACCEPT_ITEMS_MAX];
    int chosen = wish_index(i18n, query_lang);
    int best = 0, best_rank = 0;

    if (chosen < 0) {
        chosen = wish_index(i18n, cookie_lang);
    }
    if (chosen >= 0) {
        return code_at(i18n, chosen);
    }
    int n = accept_language ? wishes_parse(wishes, accept_language) : 0;
    chosen = 0;
    for (int i = 0; i < i18n->codes->nelts; i++) {
        int rank = 0, quality = code_quality(code_at(i18n, i), wishes, n, &rank);
        if (quality > best || (quality == best && quality > 0 && rank < best_rank)) {
            chosen = i;
            best = quality;
            best_rank = rank;
        }
    }
    return code_at(i18n, chosen);
}
