/* Licensed under the Apache License, Version 2.0; see LICENSE. */
/* `Require subscription [PLAN …]`, to compose with other requirements. mod_authz_core can only say
 * 401 or 403, and asks a person who is logged in for the password again; what we mean is 402, or
 * the way to the plans. So two hooks stand before httpd's own, run httpd's check themselves, and
 * give a refusal its true shape when it was our provider that refused. The decision stays httpd's:
 * where another requirement lets the request pass, it passes. A provider cannot see that it is
 * negated: after `Require not subscription x` a refusal by another requirement may read 402. */
#include "web/cors.h"

#include <apr_strings.h>
#include <http_core.h>
#include <http_request.h>
#include <mod_auth.h>

/* Whether any such line was read, in the configuration or in .htaccess: without one no request
 * pays for the hooks. Only ever goes from 0 to 1. */
static int in_use;

static authz_status check_authorization(request_rec *r, const char *line,
                                        const void *parsed)
{
    const sb_gate_t *gate = parsed;
    sb_request_t *request = sb_request_of(r);

    if (sb_dir_of(r)->dry_run > 0) {
        sb_gate_rehearse(r, gate);
        return AUTHZ_GRANTED;
    }
    sb_verdict_t verdict = sb_gate_decide(r, gate);
    if (verdict.granted) {
        return AUTHZ_GRANTED;
    }
    request->denied_by = gate;
    request->denied = verdict;
    if (verdict.reason == SB_REASON_NO_IDENTITY && ap_auth_type(r)) {
        return AUTHZ_DENIED_NO_USER;
    }
    return AUTHZ_DENIED;
}

static const char *parse_require(cmd_parms *cmd, const char *line, const void **parsed)
{
    sb_gate_t *gate;
    const char *error = sb_gate_make(&gate, cmd, "Require subscription", line);

    __atomic_store_n(&in_use, 1, __ATOMIC_RELAXED);
    *parsed = gate;
    return error;
}

static const authz_provider provider = {
    .check_authorization = check_authorization,
    .parse_require_line = parse_require,
};

static int reshape(request_rec *r, int (*check)(request_rec *))
{
    sb_request_t *request;

    if (!__atomic_load_n(&in_use, __ATOMIC_RELAXED)) {
        return DECLINED;
    }
    request = sb_request_of(r);
    if (request->nested) {
        return DECLINED;
    }
    request->nested = true;
    request->denied_by = NULL;
    int status = check(r);
    request->nested = false;
    if (request->denied_by && status != OK && sb_cors_gated_preflight(r)) {
        return DONE;
    }
    if (!request->denied_by ||
        (status != HTTP_UNAUTHORIZED && status != HTTP_FORBIDDEN)) {
        return status;
    }
    if (request->denied.reason == SB_REASON_NO_IDENTITY && status == HTTP_UNAUTHORIZED) {
        return status;
    }
    apr_table_unset(r->err_headers_out, "WWW-Authenticate");
    apr_table_unset(r->err_headers_out, "Proxy-Authenticate");
    return sb_refuse(r, &request->denied);
}

static int check_authz(request_rec *r)
{
    return reshape(r, ap_run_auth_checker);
}

static int check_access(request_rec *r)
{
    return reshape(r, ap_run_access_checker_ex);
}

void sb_authz_hooks(apr_pool_t *pool)
{
    ap_register_auth_provider(pool, AUTHZ_PROVIDER_GROUP, "subscription",
                              AUTHZ_PROVIDER_VERSION, &provider,
                              AP_AUTH_INTERNAL_PER_CONF);
    /* Before mod_authz_core, which always answers: after it nobody is asked any more. */
    ap_hook_check_authz(check_authz, NULL, NULL, APR_HOOK_REALLY_FIRST,
                        AP_AUTH_INTERNAL_PER_CONF);
    /* The same for the pass that asks without a user. */
    ap_hook_check_access_ex(check_access, NULL, NULL, APR_HOOK_REALLY_FIRST,
                            AP_AUTH_INTERNAL_PER_CONF);
}
