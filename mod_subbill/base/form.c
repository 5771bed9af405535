/* Licensed under the Apache License, Version 2.0; see LICENSE. */
/* Pairs stand in an array in the order they came; lookups are linear, because forms are
 * small and bounded. Encoding escapes everything outside RFC 3986's unreserved set,
 * which every decoder of forms and of queries reads back alike. */
#include "base/form.h"
#include "base/utf8.h"

#include <apr_strings.h>
#include <apr_tables.h>
#include <string.h>

typedef struct pair_t {
    const char *name;
    const char *value;
} pair_t;

struct sb_form_t {
    apr_array_header_t *pairs; /* pair_t */
};

#define PAIR(form, i) (APR_ARRAY_IDX((form)->pairs, i, pair_t))

sb_form_t *sb_form_create(apr_pool_t *pool)
{
    sb_form_t *form = apr_palloc(pool, sizeof(*form));

    form->pairs = apr_array_make(pool, 16, sizeof(pair_t));
    return form;
}

void sb_form_add(sb_form_t *form, const char *name, const char *value)
{
    apr_pool_t *pool = form->pairs->pool;

    if (value) {
        APR_ARRAY_PUSH(form->pairs, pair_t) =
            (pair_t){.name = apr_pstrdup(pool, name), .value = apr_pstrdup(pool, value)};
    }
}

void sb_form_add_int(sb_form_t *form, const char *name, apr_int64_t value)
{
    sb_form_add(form, name, apr_psprintf(form->pairs->pool, "%" APR_INT64_T_FMT, value));
}

void sb_form_add_bool(sb_form_t *form, const char *name, bool value)
{
    sb_form_add(form, name, value ? "true" : "false");
}

static bool is_unreserved(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           c == '-' || c == '.' || c == '_' || c == '~';
}

static apr_size_t encoded_length(const char *text)
{
    apr_size_t length = 0;

    for (; *text; text++) {
        length += is_unreserved((unsigned char)*text) ? 1 : 3;
    }
    return length;
}

/* Writes text encoded to out and returns the byte behind it. */
static char *encode(char *out, const char *text)
{
    static const char digits[] = "0123456789ABCDEF";

    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (is_unreserved(c)) {
            *out++ = *text;
            continue;
        }
        *out++ = '%';
        *out++ = digits[c >> 4];
        *out++ = digits[c & 15];
    }
    return out;
}

const char *sb_form_encode(const sb_form_t *form, apr_pool_t *pool)
{
    apr_size_t length = 1;

    for (int i = 0; i < form->pairs->nelts; i++) {
        length +=
            encoded_length(PAIR(form, i).name) + encoded_length(PAIR(form, i).value) + 2;
    }
    char *text = apr_palloc(pool, length);
    char *end = text;
    for (int i = 0; i < form->pairs->nelts; i++) {
        if (i > 0) {
            *end++ = '&';
        }
        end = encode(end, PAIR(form, i).name);
        *end++ = '=';
        end = encode(end, PAIR(form, i).value);
    }
    *end = '\0';
    return text;
}

const char *sb_form_escape(const char *value, apr_pool_t *pool)
{
    char *text = apr_palloc(pool, encoded_length(value) + 1);

    *encode(text, value) = '\0';
    return text;
}

static int hex_value(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* Decodes length bytes into pool; NULL when they are not the encoding of valid UTF-8
 * without NUL. */
static const char *decode(const char *bytes, apr_size_t length, apr_pool_t *pool)
{
    char *text = apr_palloc(pool, length + 1);
    apr_size_t n = 0;

    for (apr_size_t i = 0; i < length; i++) {
        char c = bytes[i];
        if (c == '+') {
            c = ' ';
        }
        else if (c == '%') {
            int high = i + 2 < length ? hex_value(bytes[i + 1]) : -1;
            int low = i + 2 < length ? hex_value(bytes[i + 2]) : -1;
            if (high < 0 || low < 0) {
                return NULL;
            }
            c = (char)(high << 4 | low);
            i += 2;
        }
        if (c == '\0') {
            return NULL;
        }
        text[n++] = c;
    }
    text[n] = '\0';
    for (apr_size_t i = 0; i < n;) {
        apr_size_t sequence = sb_utf8_sequence(NULL, text + i, n - i);
        if (sequence == 0) {
            return NULL;
        }
        i += (apr_size_t)sequence;
    }
    return text;
}

/* One pair of length > 0 bytes. */
static sb_status_e parse_pair(sb_form_t *form, sb_result_t *result, const char *bytes,
                              apr_size_t length, apr_pool_t *pool)
{
    const char *equals = memchr(bytes, '=', length);
    apr_size_t name_length = equals ? (apr_size_t)(equals - bytes) : length;
    apr_size_t value_length = equals ? length - name_length - 1 : 0;

    if (name_length == 0) {
        return sb_result_set(result, SB_INVALID, "bad_form",
                             "The form has a value without a name.", NULL);
    }
    pair_t pair = {.name = decode(bytes, name_length, pool),
                   .value = decode(equals ? equals + 1 : "", value_length, pool)};
    if (!pair.name || !pair.value) {
        return sb_result_set(result, SB_INVALID, "bad_encoding",
                             "The form is not correctly encoded.",
                             "Send UTF-8, percent-encoded, without NUL bytes.");
    }
    APR_ARRAY_PUSH(form->pairs, pair_t) = pair;
    return SB_OK;
}

sb_status_e sb_form_parse(sb_form_t **form, sb_result_t *result, const char *bytes,
                          apr_size_t length, int max_pairs, apr_pool_t *pool)
{
    const char *end = bytes + length;

    *form = NULL;
    sb_form_t *parsed = sb_form_create(pool);
    while (bytes < end) {
        const char *next = memchr(bytes, '&', (apr_size_t)(end - bytes));
        apr_size_t pair_length = (apr_size_t)((next ? next : end) - bytes);
        if (pair_length > 0) {
            if (parsed->pairs->nelts == max_pairs) {
                return sb_result_set(result, SB_INVALID, "bad_form",
                                     "The form has too many fields.", NULL);
            }
            sb_status_e status = parse_pair(parsed, result, bytes, pair_length, pool);
            if (status != SB_OK) {
                return status;
            }
        }
        bytes = next ? next + 1 : end;
    }
    *form = parsed;
    return SB_OK;
}

sb_status_e sb_form_get(const char **value, sb_result_t *result, const sb_form_t *form,
                        const char *name)
{
    *value = NULL;
    for (int i = 0; i < form->pairs->nelts; i++) {
        if (strcmp(PAIR(form, i).name, name) != 0) {
            continue;
        }
        if (*value) {
            *value = NULL;
            return sb_result_setf(result, form->pairs->pool, SB_INVALID,
                                  "duplicate_field", "Send it once.",
                                  "The field \"%s\" was sent more than once.", name);
        }
        *value = PAIR(form, i).value;
    }
    return SB_OK;
}

int sb_form_count(const sb_form_t *form)
{
    return form->pairs->nelts;
}

const char *sb_form_name_at(const sb_form_t *form, int i)
{
    return PAIR(form, i).name;
}

const char *sb_form_value_at(const sb_form_t *form, int i)
{
    return PAIR(form, i).value;
}
