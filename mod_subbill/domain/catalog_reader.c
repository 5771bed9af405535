/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "domain/catalog_reader.h"

#include "base/log.h"

#include <apr_strings.h>
#include <stdarg.h>
#include <string.h>

#define SHOWN_MAX 60 /* bytes of a wrong value that a message repeats */
#define NEAR_MAX  2  /* edits between a typo and what was meant */
#define KEY_MAX   64

bool sb_reader_fail(const sb_reader_t *reader, const char *path, const char *hint,
                    const char *format, ...)
{
    va_list args;

    va_start(args, format);
    const char *sentence = apr_pvsprintf(reader->pool, format, args);
    va_end(args);
    sb_result_setf(reader->result, reader->pool, SB_INVALID, reader->code, hint, "%s%s%s",
                   path, *path ? ": " : "", sentence);
    return false;
}

const char *sb_reader_found(const sb_reader_t *reader, const json_t *value)
{
    char text[4 * SHOWN_MAX + 1];

    switch (value ? json_typeof(value) : JSON_NULL) {
    case JSON_STRING:
        sb_log_escape(text, SHOWN_MAX, json_string_value(value));
        return apr_psprintf(reader->pool, "found the text \"%s\"", text);
    case JSON_INTEGER:
        return apr_psprintf(reader->pool, "found %" APR_INT64_T_FMT,
                            (apr_int64_t)json_integer_value(value));
    case JSON_REAL:
        return apr_psprintf(reader->pool, "found the number %g", json_real_value(value));
    case JSON_TRUE:
        return "found true";
    case JSON_FALSE:
        return "found false";
    case JSON_OBJECT:
        return "found an object {…}";
    case JSON_ARRAY:
        return "found a list […]";
    default:
        return value ? "found null" : "nothing is written";
    }
}

const char *sb_reader_path(const sb_reader_t *reader, const char *path, const char *key)
{
    char shown[SHOWN_MAX];

    sb_log_escape(shown, sizeof(shown), key);
    return *path ? apr_pstrcat(reader->pool, path, ".", shown, NULL)
                 : apr_pstrdup(reader->pool, shown);
}

const char *sb_reader_item(const sb_reader_t *reader, const char *path, size_t index)
{
    return apr_psprintf(reader->pool, "%s[%" APR_SIZE_T_FMT "]", path, index);
}

/* Edits (insert, delete, replace) between a and b, given up above NEAR_MAX. */
static int distance(const char *a, const char *b)
{
    int row[KEY_MAX + 1];
    int n = (int)strlen(b), m = (int)strlen(a);

    if (n > KEY_MAX || m > KEY_MAX || m - n > NEAR_MAX || n - m > NEAR_MAX) {
        return NEAR_MAX + 1;
    }
    for (int k = 0; k <= n; k++) {
        row[k] = k;
    }
    for (int i = 1; i <= m; i++) {
        int diagonal = row[0];
        row[0] = i;
        for (int k = 1; k <= n; k++) {
            int best = diagonal + (a[i - 1] != b[k - 1]);
            diagonal = row[k];
            if (row[k] + 1 < best) {
                best = row[k] + 1;
            }
            if (row[k - 1] + 1 < best) {
                best = row[k - 1] + 1;
            }
            row[k] = best;
        }
    }
    return row[n];
}

const char *sb_reader_nearest(const char *word, const char *const words[])
{
    const char *nearest = NULL;
    int least = NEAR_MAX + 1;

    for (int i = 0; words[i]; i++) {
        int d = distance(word, words[i]);
        /* "id" is two edits from any two letters: a short word needs a nearer match. */
        if (d < least && d < (int)strlen(words[i])) {
            least = d;
            nearest = words[i];
        }
    }
    return nearest;
}

static const char *list_words(const sb_reader_t *reader, const char *const words[])
{
    const char *list = words[0];

    for (int i = 1; words[i]; i++) {
        list = apr_pstrcat(reader->pool, list, ", ", words[i], NULL);
    }
    return list;
}

bool sb_reader_object(const sb_reader_t *reader, const char *path, const json_t *value,
                      const char *const keys[])
{
    const char *key;
    json_t *member;

    if (!json_is_object(value)) {
        return sb_reader_fail(reader, path, NULL, "must be an object {…}; %s",
                              sb_reader_found(reader, value));
    }
    json_object_foreach((json_t *)value, key, member)
    {
        bool known = false;
        for (int i = 0; keys[i] && !known; i++) {
            known = strcmp(key, keys[i]) == 0;
        }
        if (known) {
            continue;
        }
        const char *nearest = sb_reader_nearest(key, keys);
        const char *hint =
            nearest
                ? apr_psprintf(reader->pool, "Did you mean \"%s\"?", nearest)
                : apr_psprintf(reader->pool, "Known here: %s.", list_words(reader, keys));
        return sb_reader_fail(reader, sb_reader_path(reader, path, key), hint,
                              "is not a key that is known here");
    }
    return true;
}

bool sb_reader_bool(const sb_reader_t *reader, const char *path, const json_t *object,
                    const char *key, bool *out)
{
    const json_t *value = json_object_get(object, key);

    if (!value) {
        return true;
    }
    if (!json_is_boolean(value)) {
        return sb_reader_fail(reader, sb_reader_path(reader, path, key), NULL,
                              "must be true or false; %s",
                              sb_reader_found(reader, value));
    }
    *out = json_is_true(value);
    return true;
}

bool sb_reader_int(const sb_reader_t *reader, const char *path, const json_t *object,
                   const char *key, const char *meaning, apr_int64_t min, apr_int64_t max,
                   apr_int64_t *out)
{
    const json_t *value = json_object_get(object, key);

    if (!value) {
        return true;
    }
    if (!json_is_integer(value) || json_integer_value(value) < min ||
        json_integer_value(value) > max) {
        return sb_reader_fail(reader, sb_reader_path(reader, path, key), NULL,
                              "must be %s; %s", meaning, sb_reader_found(reader, value));
    }
    *out = json_integer_value(value);
    return true;
}

bool sb_reader_choice(const sb_reader_t *reader, const char *path, const json_t *object,
                      const char *key, const char *const words[], const char **out)
{
    const json_t *value = json_object_get(object, key);
    const char *text = json_string_value(value);

    if (!value) {
        return true;
    }
    for (int i = 0; text && words[i]; i++) {
        if (strcmp(text, words[i]) == 0) {
            *out = words[i];
            return true;
        }
    }
    return sb_reader_fail(reader, sb_reader_path(reader, path, key), NULL,
                          "must be one of %s; %s", list_words(reader, words),
                          sb_reader_found(reader, value));
}

/* Control characters and those that turn the direction of text around: they have no place in a
 * name, and in a log, a mail header or a page they lie. The text is valid UTF-8 (jansson). */
static bool printable(const char *text)
{
    const unsigned char *p = (const unsigned char *)text;

    for (; *p; p++) {
        bool c1 = p[0] == 0xc2 && p[1] >= 0x80 && p[1] <= 0x9f;
        bool separator_or_bidi = p[0] == 0xe2 && p[1] == 0x80 && p[2] >= 0xa8 &&
                                 p[2] <= 0xae; /* U+2028 … U+202E */
        bool isolate =
            p[0] == 0xe2 && p[1] == 0x81 && p[2] >= 0xa6 && p[2] <= 0xa9; /* U+2066… */
        bool bom = p[0] == 0xef && p[1] == 0xbb && p[2] == 0xbf;
        if (*p < 0x20 || *p == 0x7f || c1 || separator_or_bidi || isolate || bom) {
            return false;
        }
    }
    return true;
}

bool sb_reader_string(const sb_reader_t *reader, const char *path, const json_t *value,
                      apr_size_t max, const char **out)
{
    const char *text = json_string_value(value);

    if (!text) {
        return sb_reader_fail(reader, path, NULL, "must be a text; %s",
                              sb_reader_found(reader, value));
    }
    if (text[strspn(text, " ")] == '\0') {
        return sb_reader_fail(reader, path, NULL, "must not be empty");
    }
    if (strlen(text) > max) {
        return sb_reader_fail(reader, path, NULL,
                              "must be at most %" APR_SIZE_T_FMT
                              " bytes; found %" APR_SIZE_T_FMT,
                              max, strlen(text));
    }
    if (!printable(text)) {
        return sb_reader_fail(reader, path,
                              "Line breaks, tabs, control and text-direction characters "
                              "are not taken; write plain text.",
                              "contains a character that cannot be shown; %s",
                              sb_reader_found(reader, value));
    }
    *out = apr_pstrdup(reader->pool, text);
    return true;
}

bool sb_reader_array(const sb_reader_t *reader, const char *path, const json_t *object,
                     const char *key, size_t max, const json_t **out)
{
    const json_t *value = json_object_get(object, key);

    *out = NULL;
    if (!value) {
        return true;
    }
    if (!json_is_array(value)) {
        return sb_reader_fail(reader, sb_reader_path(reader, path, key), NULL,
                              "must be a list […]; %s", sb_reader_found(reader, value));
    }
    if (json_array_size(value) > max) {
        return sb_reader_fail(reader, sb_reader_path(reader, path, key), NULL,
                              "must have at most %" APR_SIZE_T_FMT
                              " entries; found %" APR_SIZE_T_FMT,
                              (apr_size_t)max, (apr_size_t)json_array_size(value));
    }
    *out = value;
    return true;
}

bool sb_reader_key_valid(const char *text, const char *extra)
{
    apr_size_t length = strlen(text);

    if (length == 0 || length > KEY_MAX) {
        return false;
    }
    for (apr_size_t i = 0; i < length; i++) {
        char c = text[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (!plain && (i == 0 || !(c == '_' || c == '-' || strchr(extra, c)))) {
            return false;
        }
    }
    return true;
}
