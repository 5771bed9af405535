/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "web/module.h"

#include "base/log.h"
#include "domain/identity.h"

#include <http_core.h>
#include <http_protocol.h>
#include <http_request.h>

/* Whether any expression names somebody. Only ever goes from 0 to 1 in the life of a loaded module. */
static int in_use;

void sb_identity_expect(void)
{
    __atomic_store_n(&in_use, 1, __ATOMIC_RELAXED);
}

/* An internal request has its headers in common with the client's, to which a .htaccess file may have added by then:
 * what the client has sent says who it is. */
static int keep_headers(request_rec *r)
{
    if (__atomic_load_n(&in_use, __ATOMIC_RELAXED) && !sb_request_origin(r)) {
        sb_request_of(r)->sent = apr_table_copy(r->pool, r->headers_in);
    }
    return DECLINED;
}

/* An expression is evaluated each time it is asked for: the same request knows less before
 * authentication than after, so the first answer must not be kept. */
static const char *evaluate(request_rec *r, const ap_expr_info_t *expression)
{
    const char *error = NULL;
    apr_table_t *headers = r->headers_in;
    apr_table_t *sent = sb_request_of(sb_request_top(r))->sent;

    if (sent && sb_request_origin(r)) {
        r->headers_in = sent;
    }
    const char *value = ap_expr_str_exec(r, expression, &error);
    r->headers_in = headers;
    if (error) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r,
                      "SB100: SubbillUser or SubbillEmail: %s", error);
        return NULL;
    }
    return value && *value ? value : NULL;
}

/* mod_auth_basic names the user before it looks at the password, and httpd hands the name on to
 * the ErrorDocument of the failed login, where nobody asks again. */
static bool login_failed(const request_rec *r)
{
    for (r = sb_request_origin(r); r; r = sb_request_origin(r)) {
        if (r->status == HTTP_UNAUTHORIZED ||
            r->status == HTTP_PROXY_AUTHENTICATION_REQUIRED) {
            return true;
        }
    }
    return false;
}

const char *sb_request_name(request_rec *r)
{
    const sb_dir_t *dir = sb_dir_of(r);
    const char *name = login_failed(r) ? NULL
                       : dir->user     ? evaluate(r, dir->user)
                                       : r->user;

    return name && *name ? name : NULL;
}

void sb_request_greet(request_rec *r)
{
    apr_table_t *headers = apr_table_copy(r->pool, r->headers_out);
    apr_table_t *error_headers = apr_table_copy(r->pool, r->err_headers_out);
    int status = ap_run_check_user_id(r);

    if (status != OK && status != DECLINED) {
        sb_table_restore(r->headers_out, headers);
        sb_table_restore(r->err_headers_out, error_headers);
        r->status = HTTP_OK;
        r->user = NULL;
    }
}

/* A form's login looks for the form in the body, which nobody can read after it. */
static bool has_body(const request_rec *r)
{
    const char *length = apr_table_get(r->headers_in, "Content-Length");

    return (length && strcmp(length, "0") != 0) ||
           apr_table_get(r->headers_in, "Transfer-Encoding");
}

void sb_request_recognise(request_rec *r)
{
    if (!r->user && ap_auth_type(r) &&
        (apr_table_get(r->headers_in, "Authorization") ||
         (apr_table_get(r->headers_in, "Cookie") && !has_body(r)))) {
        sb_request_greet(r);
    }
}

bool sb_request_name_taken(const char *name, sb_reason_e *reason)
{
    const char *problem = sb_identity_check(name);

    *reason = problem ? SB_REASON_BAD_IDENTITY : SB_REASON_OK;
    if (problem) {
        sb_log_limited(SB_LOG_WARNING, 0, "SB101", "a user name is not taken: %s",
                       problem);
    }
    return !problem;
}

const char *sb_request_user(request_rec *r, sb_reason_e *reason)
{
    const char *name = sb_request_name(r);

    *reason = SB_REASON_NO_IDENTITY;
    return name && sb_request_name_taken(name, reason) ? name : NULL;
}

const char *sb_request_email(request_rec *r)
{
    const sb_dir_t *dir = sb_dir_of(r);
    const char *email = dir->email ? evaluate(r, dir->email) : NULL;

    return email && sb_email_valid(email) ? email : NULL;
}

void sb_identity_hooks(apr_pool_t *pool)
{
    /* After the server's own modules have had their say, mod_remoteip or RequestHeader early. */
    ap_hook_post_read_request(keep_headers, NULL, NULL, APR_HOOK_REALLY_LAST);
}
