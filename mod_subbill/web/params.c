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
    return sb_result_setf(result, x->pool, SB_INVALID, "bad_request", NULL,
                          "\"%s\" has to be %s.", param->name,
                          param->type == SB_PARAM_TEXT ? "a text" : "a whole number");
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

static sb_status_e form_read(void *out, sb_result_t *result, const sb_exchange_t *x,
                             const sb_param_t params[], int n)
{
    for (int i = 0; i < sb_form_count(x->form); i++) {
        const char *name = sb_form_name_at(x->form, i);
        const sb_param_t *param = find(params, n, name);
        const char *value;
        apr_int64_t number;

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
        if (param->type == SB_PARAM_TEXT) {
            put_text(out, param, value);
        }
        else if (integer_of(&number, value)) {
            put_integer(out, param, number);
        }
        else {
            return mistyped(result, x, param);
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
