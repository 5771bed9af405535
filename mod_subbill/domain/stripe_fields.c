/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "domain/stripe_fields.h"

#include "base/json.h"
#include "domain/stripe_event.h"

#include <apr_strings.h>
#include <string.h>

#define ID_MAX 255

static bool id_valid(const char *id, const char *extra)
{
    apr_size_t length = id ? strlen(id) : 0;

    if (length == 0 || length > ID_MAX) {
        return false;
    }
    for (apr_size_t i = 0; i < length; i++) {
        char c = id[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
              (c >= '0' && c <= '9') || strchr(extra, c))) {
            return false;
        }
    }
    return true;
}

bool sb_stripe_id_valid(const char *id)
{
    return id_valid(id, "_");
}

bool sb_field_fail(const sb_fields_t *fields, const char *path, const char *problem)
{
    sb_result_setf(fields->result, fields->pool, SB_INVALID, "bad_object", NULL,
                   "%s: %s %s", fields->kind, path, problem);
    return false;
}

bool sb_field_kind(const sb_fields_t *fields, const json_t *object)
{
    const char *kind = sb_json_text(object, "object");

    return (kind && strcmp(kind, fields->kind) == 0) ||
           sb_field_fail(fields, "object", "is of another kind");
}

bool sb_field_text(const sb_fields_t *fields, const json_t *object, const char *path,
                   sb_field_kind_e kind, const char **out)
{
    const json_t *value = sb_json_get(object, path);

    if (!value || json_is_null(value)) {
        return true;
    }
    const char *text =
        kind == SB_FIELD_TEXT ? json_string_value(value) : sb_json_id(value);
    if (!text) {
        return sb_field_fail(fields, path, "is not a text");
    }
    if (kind == SB_FIELD_TEXT ? strlen(text) > SB_FIELD_TEXT_MAX
                              : !id_valid(text, kind == SB_FIELD_ID ? "_" : "_-.:")) {
        return sb_field_fail(fields, path,
                             kind == SB_FIELD_TEXT ? "is too long" : "is not an id");
    }
    *out = apr_pstrdup(fields->pool, text);
    return true;
}

bool sb_field_required(const sb_fields_t *fields, const json_t *object, const char *path,
                       sb_field_kind_e kind, const char **out)
{
    return sb_field_text(fields, object, path, kind, out) &&
           (*out || sb_field_fail(fields, path, "is missing"));
}

bool sb_field_int(const sb_fields_t *fields, const json_t *object, const char *path,
                  apr_int64_t min, apr_int64_t max, apr_int64_t *out)
{
    const json_t *value = sb_json_get(object, path);

    if (!value || json_is_null(value)) {
        return true;
    }
    if (!json_is_integer(value) || json_integer_value(value) < min ||
        json_integer_value(value) > max) {
        return sb_field_fail(fields, path, "is not a whole number in the range it has");
    }
    *out = json_integer_value(value);
    return true;
}

bool sb_field_time(const sb_fields_t *fields, const json_t *object, const char *path,
                   apr_int64_t *out)
{
    return sb_field_int(fields, object, path, 0, SB_FIELD_TIME_MAX, out);
}

bool sb_field_texts(const sb_fields_t *fields, const json_t *object,
                    const sb_field_t table[], int n)
{
    for (int i = 0; i < n; i++) {
        if (!sb_field_text(fields, object, table[i].path, table[i].kind, table[i].text)) {
            return false;
        }
    }
    return true;
}
