/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "base/json.h"

#include <stdio.h>
#include <string.h>

#define STEP_MAX 128 /* longest key in a path */

static bool fail(char *error, apr_size_t size, const char *sentence)
{
    if (size) {
        snprintf(error, size, "%s", sentence);
    }
    return false;
}

/* jansson recurses; so depth is counted before it sees a byte. Strings are skipped as far as
 * needed to not mistake their brackets; whether they are well formed is jansson's to say. */
static bool depth_within(const char *bytes, apr_size_t length, int max_depth)
{
    bool in_string = false;
    int depth = 0;

    for (apr_size_t i = 0; i < length; i++) {
        char c = bytes[i];
        if (in_string) {
            if (c == '\\') {
                i++;
            }
            else if (c == '"') {
                in_string = false;
            }
        }
        else if (c == '"') {
            in_string = true;
        }
        else if (c == '{' || c == '[') {
            if (++depth > max_depth) {
                return false;
            }
        }
        else if (c == '}' || c == ']') {
            depth--;
        }
    }
    return true;
}

bool sb_json_parse(json_t **json, char *error, apr_size_t size, const char *bytes,
                   apr_size_t length, int max_depth)
{
    json_error_t detail;
    char sentence[160];

    *json = NULL;
    if (length == 0) {
        return fail(error, size, "the text is empty");
    }
    if (!depth_within(bytes, length, max_depth)) {
        snprintf(sentence, sizeof(sentence), "the text nests deeper than %d levels",
                 max_depth);
        return fail(error, size, sentence);
    }
    *json = json_loadb(bytes, length, JSON_REJECT_DUPLICATES, &detail);
    if (*json) {
        return true;
    }
    /* jansson's own text quotes the input near the error: keep only where and what kind. */
    const char *what = "not valid JSON";
    switch (json_error_code(&detail)) {
    case json_error_duplicate_key:
        what = "a key occurs twice in one object";
        break;
    case json_error_premature_end_of_input:
        what = "the text ends too early";
        break;
    case json_error_end_of_input_expected:
        what = "there is more text behind the value";
        break;
    case json_error_invalid_utf8:
        what = "not valid UTF-8";
        break;
    case json_error_numeric_overflow:
        what = "a number is too large";
        break;
    case json_error_null_character:
    case json_error_null_byte_in_key:
        what = "a string contains a NUL character";
        break;
    default:
        break;
    }
    snprintf(sentence, sizeof(sentence), "line %d, column %d: %s", detail.line,
             detail.column, what);
    return fail(error, size, sentence);
}

static const json_t *step_into(const json_t *json, const char *step)
{
    apr_size_t index = 0;

    if (json_is_object(json)) {
        return json_object_get(json, step);
    }
    if (!json_is_array(json) || !*step) {
        return NULL;
    }
    for (const char *p = step; *p; p++) {
        if (*p < '0' || *p > '9' || index > 100000) {
            return NULL;
        }
        index = index * 10 + (apr_size_t)(*p - '0');
    }
    return json_array_get(json, index);
}

json_t *sb_json_get(const json_t *json, const char *path)
{
    char step[STEP_MAX];

    while (json && path) {
        const char *dot = strchr(path, '.');
        apr_size_t length = dot ? (apr_size_t)(dot - path) : strlen(path);
        if (length >= sizeof(step)) {
            return NULL;
        }
        memcpy(step, path, length);
        step[length] = '\0';
        json = step_into(json, step);
        path = dot ? dot + 1 : NULL;
    }
    return (json_t *)json;
}

const char *sb_json_text(const json_t *json, const char *path)
{
    return json_string_value(sb_json_get(json, path));
}

apr_int64_t sb_json_int(const json_t *json, const char *path, apr_int64_t fallback)
{
    const json_t *value = sb_json_get(json, path);

    return json_is_integer(value) ? (apr_int64_t)json_integer_value(value) : fallback;
}

bool sb_json_bool(const json_t *json, const char *path, bool fallback)
{
    const json_t *value = sb_json_get(json, path);

    return json_is_boolean(value) ? json_is_true(value) : fallback;
}

const char *sb_json_id(const json_t *value)
{
    return json_is_object(value) ? sb_json_text(value, "id") : json_string_value(value);
}

const char *sb_json_dump(const json_t *json, apr_pool_t *pool)
{
    const size_t flags = JSON_COMPACT | JSON_ENCODE_ANY;
    size_t length = json_dumpb(json, NULL, 0, flags);

    if (length == 0) {
        return NULL;
    }
    char *text = apr_palloc(pool, length + 1);
    json_dumpb(json, text, length, flags);
    text[length] = '\0';
    return text;
}
