/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "web/params.h"

#include "web/csrf.h"

#include <apr_strings.h>
#include <apr_lib.h>
#include <errno.h>

/* Longer names are not repeated; cutting one could cut a character. */
enum { NAME_SHOWN = 60 };

static const sb_param_t *find(const sb_param_t params[], int n, const char *name)
{
    for (int i = 0; i < n; i++) {
        if (strcmp(params[i].name, name) == 0) {
            return &params[i];
        }
    }
    return NULL;
}

static sb_status_e unknown(sb_result_t *result, const sb_exchange_t *x, const char *name,
                           const sb_param_t params[], int n)
{
    const char *known = NULL;

    for (int i = 0; i < n; i++) {
        known = known ? apr_pstrcat(x->pool, known, ", ", params[i].name, NULL)
                      : params[i].name;
    }
    return sb_result_setf(result, x->pool, SB_INVALID, "bad_request",
                          apr_pstrcat(x->pool, "The fields are ", known, ".", NULL),
                          "There is no field \"%s\" here.",
                          strlen(name) <= NAME_SHOWN ? name : "(a long name)");
}

static sb_status_e mistyped(sb_result_t *result, const sb_exchange_t *x,
                            const sb_param_t *param)
{
    static const char *const kinds[] = {
        [SB_PARAM_TEXT] = "a text",
        [SB_PARAM_INTEGER] = "a whole number",
        [SB_PARAM_BOOLEAN] = "true or false",
    };

    return sb_result_setf(result, x->pool, SB_INVALID, "bad_request", NULL,
                          "\"%s\" has to be %s.", param->name, kinds[param->type]);
}

static void put_text(void *out, const sb_param_t *param, const char *value)
{
    *(const char **)((char *)out + param->offset) = value;
}

static void put_integer(void *out, const sb_param_t *param, apr_int64_t value)
{
    *(apr_int64_t *)((char *)out + param->offset) = value;
}

static bool integer_of(apr_int64_t *value, const char *text)
{
    const char *digits = *text == '-' ? text + 1 : text;
    char *end;

    if (!apr_isdigit(*digits)) {
        return false;
    }
    errno = 0;
    *value = apr_strtoi64(text, &end, 10);
    return errno == 0 && !*end;
}

static void put_boolean(void *out, const sb_param_t *param, bool value)
{
    *(bool *)((char *)out + param->offset) = value;
}

static bool boolean_of(bool *value, const char *text)
{
    *value = strcmp(text, "true") == 0 || strcmp(text, "1") == 0;
    return *value || strcmp(text, "false") == 0 || strcmp(text, "0") == 0;
}

/* A value as forms and query strings have it. */
static sb_status_e put(void *out, sb_result_t *result, const sb_exchange_t *x,
                       const sb_param_t *param, const char *value)
{
    apr_int64_t number;
    bool flag;

    if (param->type == SB_PARAM_TEXT) {
        put_text(out, param, value);
    }
    else if (param->type == SB_PARAM_INTEGER && integer_of(&number, value)) {
        put_integer(out, param, number);
    }
    else if (param->type == SB_PARAM_BOOLEAN && boolean_of(&flag, value)) {
        put_boolean(out, param, flag);
    }
    else {
        return mistyped(result, x, param);
    }
    return SB_OK;
}

sb_status_e sb_params_query(void *out, sb_result_t *result, const sb_exchange_t *x,
                            const sb_param_t params[], int n)
{
    sb_status_e status = SB_OK;

    for (int i = 0; status == SB_OK && i < n; i++) {
        const char *value;
        status = sb_form_get(&value, result, x->query, params[i].name);
        if (status == SB_OK && value && *value) {
            status = put(out, result, x, &params[i], value);
        }
    }
    return status;
}

static sb_status_e form_read(void *out, sb_result_t *result, const sb_exchange_t *x,
                             const sb_param_t params[], int n)
{
    for (int i = 0; i < sb_form_count(x->form); i++) {
        const char *name = sb_form_name_at(x->form, i);
        const sb_param_t *param = find(params, n, name);
        const char *value;

        sb_status_e status = sb_form_get(&value, result, x->form, name);
        if (status != SB_OK) {
            return status;
        }
        if (strcmp(name, SB_CSRF_FIELD) == 0) {
            continue;
        }
        if (!param) {
            return unknown(result, x, name, params, n);
        }
        if (!*value) {
            continue;
        }
        status = put(out, result, x, param, value);
        if (status != SB_OK) {
            return status;
        }
    }
    return SB_OK;
}

static sb_status_e json_read(void *out, sb_result_t *result, const sb_exchange_t *x,
                             const sb_param_t params[], int n)
{
    const char *name;
    json_t *value;

    json_object_foreach(x->json, name, value)
    {
        const sb_param_t *param = find(params, n, name);

        if (strcmp(name, SB_CSRF_FIELD) == 0) {
            continue;
        }
        if (!param) {
            return unknown(result, x, name, params, n);
        }
        if (json_is_null(value)) {
            continue;
        }
        if (param->type == SB_PARAM_TEXT && json_is_string(value)) {
            put_text(out, param, json_string_value(value));
        }
        else if (param->type == SB_PARAM_INTEGER && json_is_integer(value)) {
            put_integer(out, param, json_integer_value(value));
        }
        else if (param->type == SB_PARAM_BOOLEAN && json_is_boolean(value)) {
            put_boolean(out, param, json_is_true(value));
        }
        else {
            return mistyped(result, x, param);
        }
    }
    return SB_OK;
}

sb_status_e sb_params_read(void *out, sb_result_t *result, const sb_exchange_t *x,
                           const sb_param_t params[], int n)
{
    if (x->form) {
        return form_read(out, result, x, params, n);
    }
    return x->json ? json_read(out, result, x, params, n) : SB_OK;
}

/* --- words ------------------------------------------------------------------------------------ */

static const struct {
    const char *said;
    const char *interval;
} interval_words[] = {
    {"monthly", "month"}, {"yearly", "year"}, {"annual", "year"},
    {"weekly", "week"},   {"daily", "day"},
};

const char *sb_param_interval(const char *said)
{
    for (size_t i = 0; said && i < sizeof(interval_words) / sizeof(*interval_words);
         i++) {
        if (strcmp(interval_words[i].said, said) == 0) {
            return interval_words[i].interval;
        }
    }
    return said;
}
