/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "web/exchange.h"

#include "web/answer.h"
#include "web/body.h"
#include "web/handlers.h"

#include <apr_strings.h>
#include <http_core.h>
#include <http_protocol.h>
#include <http_request.h>
#include <util_cookies.h>

enum { FIELDS_MAX = 64 * 1024, QUERY_MAX = 8 * 1024, JSON_DEPTH = 8 };

#define LANGUAGE_COOKIE "subbill_lang"
#define COOKIE_SECONDS  (365 * 86400)

/* --- opening -------------------------------------------------------------------------------- */

const char *sb_request_language(request_rec *r, const char *wanted)
{
    const sb_server_t *server = sb_server_of(r->server);
    const char *cookie = NULL;

    if (!server->templates) {
        return "en";
    }
    ap_cookie_read(r, LANGUAGE_COOKIE, &cookie, 0);
    return sb_i18n_choose(sb_template_set_i18n(server->templates), wanted, cookie,
                          apr_table_get(r->headers_in, "Accept-Language"));
}

sb_status_e sb_exchange_open(sb_exchange_t *x, sb_result_t *result, request_rec *r,
                             const char *rest)
{
    const char *args = r->args ? r->args : "";
    sb_form_t *query = sb_form_create(r->pool);
    sb_status_e status = SB_OK;
    sb_reason_e reason;

    *x = (sb_exchange_t){.r = r,
                         .pool = r->pool,
                         .server = sb_server_of(r->server),
                         .rest = rest ? rest : "",
                         .html = sb_wants_html(r)};
    x->service = x->server->service;
    if (strlen(args) > QUERY_MAX) {
        status = sb_result_set(result, SB_INVALID, "bad_request",
                               "The query string is too long.", NULL);
    }
    else {
        status =
            sb_form_parse(&query, result, args, strlen(args), SB_FORM_PAIRS_MAX, r->pool);
    }
    x->query = query ? query : sb_form_create(r->pool);
    const char *wanted = sb_exchange_query(x, "lang");
    x->lang = sb_request_language(r, wanted);
    x->user = sb_request_user(r, &reason);
    x->email = sb_request_email(r);
    return status;
}

/* What somebody chose is kept; what a browser merely prefers is not. */
void sb_exchange_keep_language(sb_exchange_t *x)
{
    const char *wanted = sb_exchange_query(x, "lang");
    const char *base = x->server->settings->base_url;
    bool https = base && strncasecmp(base, "https:", 6) == 0;

    if (wanted && strcasecmp(wanted, x->lang) == 0) {
        ap_cookie_write(x->r, LANGUAGE_COOKIE, x->lang,
                        https ? "Path=/;Secure;HttpOnly;SameSite=Lax"
                              : "Path=/;HttpOnly;SameSite=Lax",
                        COOKIE_SECONDS, x->r->headers_out, NULL);
    }
}

/* --- reading -------------------------------------------------------------------------------- */

bool sb_content_is(const request_rec *r, const char *type)
{
    const char *given = apr_table_get(r->headers_in, "Content-Type");
    apr_size_t length = strlen(type);

    return given && strncasecmp(given, type, length) == 0 &&
           (!given[length] || given[length] == ';' || given[length] == ' ');
}

static int json_read(sb_exchange_t *x, sb_result_t *result, const char *body,
                     apr_size_t length)
{
    char error[160];

    if (!sb_json_parse(&x->json, error, sizeof(error), body, length, JSON_DEPTH)) {
        sb_result_setf(result, x->pool, SB_INVALID, "bad_request", NULL,
                       "The body is not JSON as we read it: %s", error);
        return HTTP_BAD_REQUEST;
    }
    sb_service_own(x->json, x->pool);
    if (!json_is_object(x->json)) {
        sb_result_set(result, SB_INVALID, "bad_request", "The body is not a JSON object.",
                      NULL);
        return HTTP_BAD_REQUEST;
    }
    return OK;
}

int sb_exchange_read(sb_exchange_t *x, sb_result_t *result)
{
    bool json = sb_content_is(x->r, "application/json");
    bool form = sb_content_is(x->r, "application/x-www-form-urlencoded");
    const char *body;
    apr_size_t length;

    if (apr_table_get(x->r->headers_in, "Content-Encoding")) {
        sb_result_set(result, SB_INVALID, "unsupported_media_type",
                      "The body must not be compressed.", NULL);
        return HTTP_UNSUPPORTED_MEDIA_TYPE;
    }
    int status = sb_body_read(&body, &length, x->r, FIELDS_MAX);
    if (status == HTTP_REQUEST_ENTITY_TOO_LARGE) {
        sb_result_set(result, SB_TOO_LARGE, "payload_too_large",
                      "The body is larger than 64 KiB.", NULL);
        return status;
    }
    if (status != OK) {
        sb_result_set(result, SB_INVALID, "bad_request", "The body did not arrive whole.",
                      NULL);
        return status;
    }
    if (!length) {
        return OK;
    }
    if (json) {
        return json_read(x, result, body, length);
    }
    if (form) {
        return sb_form_parse(&x->form, result, body, length, SB_FORM_PAIRS_MAX,
                             x->pool) == SB_OK
                   ? OK
                   : HTTP_BAD_REQUEST;
    }
    sb_result_set(result, SB_INVALID, "unsupported_media_type",
                  "The body has to be application/json or "
                  "application/x-www-form-urlencoded.",
                  NULL);
    return HTTP_UNSUPPORTED_MEDIA_TYPE;
}

const char *sb_exchange_query(const sb_exchange_t *x, const char *name)
{
    sb_result_t result;
    const char *value;

    return sb_form_get(&value, &result, x->query, name) == SB_OK && value && *value
               ? value
               : NULL;
}

/* A form is a person's unless its sender asks for JSON by name. */
bool sb_exchange_wants_redirect(const sb_exchange_t *x)
{
    const char *accept = apr_table_get(x->r->headers_in, "Accept");
    const char *mode = apr_table_get(x->r->headers_in, "Sec-Fetch-Mode");

    return x->form && (!mode || strcmp(mode, "navigate") == 0) &&
           (x->html || !accept || !ap_strcasestr(accept, "json"));
}

/* --- answering ------------------------------------------------------------------------------ */

static int json_send(sb_exchange_t *x, int status, const char *cache_control,
                     json_t *json)
{
    const char *text = sb_json_dump(sb_service_own(json, x->pool), x->pool);

    if (!text) {
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    sb_answer_headers(x->r, cache_control);
    return sb_answer_send(x->r, status, SB_TYPE_JSON,
                          apr_pstrcat(x->pool, text, "\n", NULL));
}

int sb_exchange_json(sb_exchange_t *x, int status, json_t *json)
{
    return json_send(x, status, "no-store", json);
}

int sb_exchange_json_cached(sb_exchange_t *x, const char *cache_control, json_t *json)
{
    return json_send(x, HTTP_OK, cache_control, json);
}

int sb_exchange_see_other(sb_exchange_t *x, const char *location)
{
    sb_answer_headers(x->r, "no-store");
    apr_table_setn(x->r->headers_out, "Location", location);
    return sb_answer_send(x->r, HTTP_SEE_OTHER, "text/plain; charset=utf-8",
                          apr_pstrcat(x->pool, "See ", location, "\n", NULL));
}

int sb_exchange_login(sb_exchange_t *x)
{
    request_rec *r = x->r;
    sb_reason_e reason;

    if (!ap_auth_type(r)) {
        return HTTP_UNAUTHORIZED;
    }
    int status = ap_run_check_user_id(r);
    if (status == OK) {
        x->user = sb_request_user(r, &reason);
        x->email = sb_request_email(r);
    }
    else {
        r->user = NULL; /* named, but not believed */
    }
    return x->user                                ? OK
           : (status == OK || status == DECLINED) ? HTTP_UNAUTHORIZED
                                                  : status;
}

const char *sb_exchange_text(const sb_exchange_t *x, const char *key)
{
    return x->server->templates
               ? sb_i18n_text(sb_template_set_i18n(x->server->templates), x->lang, key)
               : key;
}
