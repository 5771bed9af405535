/* Licensed under the Apache License, Version 2.0; see LICENSE. */
/* `Require subscription [PLAN …]`, `entitlement KEY …`, `purchase SKU …` and `credit METER [N]`, to compose with
 * other requirements. mod_authz_core can only say 401 or 403, and asks a person who is logged in for the
 * password again; what we mean is 402, or the way to the plans. So two hooks stand before httpd's own, run
 * httpd's check themselves, and give a refusal its true shape when it was our provider that refused. The
 * decision stays httpd's: where another requirement lets the request pass, it passes.
 *
 * A provider cannot see that it is negated (`Require not`, RequireNone). So when ours let somebody pass who was
 * refused all the same, httpd is asked what it would say if the last of them had not, and so on for those that
 * are met then: when that opens, it was a negation, and the answer is 403, without a price and without a question
 * for the password. */
#include "web/cors.h"

#include <apr_strings.h>
#include <http_core.h>
#include <http_request.h>
#include <mod_auth.h>

/* Whether any such line was read, in the configuration or in .htaccess: without one no request
 * pays for the hooks. Only ever goes from 0 to 1. */
static int in_use;

static bool is_inverted(const sb_request_t *request, const sb_gate_t *gate)
{
    for (int i = 0; i < request->inverted_n; i++) {
        if (request->inverted[i] == gate) {
            return true;
        }
    }
    return false;
}

static authz_status grant(sb_request_t *request, const sb_gate_t *gate)
{
    if (is_inverted(request, gate)) {
        return AUTHZ_DENIED;
    }
    request->let_pass = gate;
    return AUTHZ_GRANTED;
}

/* Of several refusals in RequireAny one that could not decide is told, else the one about subscriptions. */
static void remember_refusal(sb_request_t *request, const sb_gate_t *gate,
                             const sb_verdict_t *verdict)
{
    bool told = request->denied_by != NULL;

    if (!told || sb_reason_undecided(verdict->reason) ||
        (gate->by_holding && !sb_reason_undecided(request->denied.reason))) {
        request->denied_by = gate;
        request->denied = *verdict;
    }
}

static authz_status check_authorization(request_rec *r, const char *line,
                                        const void *parsed)
{
    const sb_gate_t *gate = parsed;
    sb_request_t *request = sb_request_of(r);

    request->by_address = request->by_address || gate->by_address;
    if (sb_dir_of(r)->dry_run > 0) {
        if (!request->inverted_n) {
            sb_gate_rehearse(r, gate);
        }
        return grant(request, gate);
    }
    sb_verdict_t verdict = sb_gate_decide(r, gate);
    if (verdict.granted) {
        return grant(request, gate);
    }
    remember_refusal(request, gate, &verdict);
    return verdict.reason == SB_REASON_NO_IDENTITY && ap_auth_type(r)
               ? AUTHZ_DENIED_NO_USER
               : AUTHZ_DENIED;
}

static const char *parse(cmd_parms *cmd, const char *directive, sb_thing_e thing,
                         const char *line, const void **parsed)
{
    sb_gate_t *gate;
    const char *error = sb_gate_make(&gate, cmd, directive, thing, line);

    __atomic_store_n(&in_use, 1, __ATOMIC_RELAXED);
    sb_dir_require(cmd);
    *parsed = gate;
    return error;
}

static const char *parse_subscription(cmd_parms *cmd, const char *line,
                                      const void **parsed)
{
    return parse(cmd, "Require subscription", SB_THING_NONE, line, parsed);
}

static const char *parse_entitlement(cmd_parms *cmd, const char *line,
                                     const void **parsed)
{
    return parse(cmd, "Require entitlement", SB_THING_ENTITLEMENT, line, parsed);
}

static const char *parse_purchase(cmd_parms *cmd, const char *line, const void **parsed)
{
    return parse(cmd, "Require purchase", SB_THING_PURCHASE, line, parsed);
}

static const char *parse_credit(cmd_parms *cmd, const char *line, const void **parsed)
{
    return parse(cmd, "Require credit", SB_THING_CREDIT, line, parsed);
}

static const struct {
    const char *word;
    authz_provider provider;
} requirements[] = {{"subscription", {check_authorization, parse_subscription}},
                    {"entitlement", {check_authorization, parse_entitlement}},
                    {"purchase", {check_authorization, parse_purchase}},
                    {"credit", {check_authorization, parse_credit}}};

static int run(request_rec *r, int (*check)(request_rec *))
{
    sb_request_t *request = sb_request_of(r);

    request->nested = true;
    request->authorized = true;
    request->denied_by = NULL;
    request->let_pass = NULL;
    int status = check(r);
    request->nested = false;
    return status;
}

static bool is_refusal(int status)
{
    return status == HTTP_UNAUTHORIZED || status == HTTP_FORBIDDEN;
}

/* Whether it was what our providers have granted that closed the door. When the end of it is that one of them
 * refuses, that refusal is the one to tell, unless one refused at once. */
static bool was_negated(request_rec *r, int (*check)(request_rec *))
{
    sb_request_t *request = sb_request_of(r);
    bool before_login = !r->user && ap_auth_type(r) && sb_dir_of(r)->dry_run <= 0;
    const sb_gate_t *denied_by = request->denied_by;
    const sb_verdict_t denied = request->denied;
    const apr_table_t *headers = NULL;
    int status = HTTP_FORBIDDEN;

    while (is_refusal(status) && request->let_pass && !before_login &&
           request->inverted_n < SB_INVERTED_MAX) {
        headers = headers ? headers : apr_table_copy(r->pool, r->err_headers_out);
        request->inverted[request->inverted_n++] = request->let_pass;
        status = run(r, check);
    }
    request->inverted_n = 0;
    if (denied_by) {
        request->denied_by = denied_by;
        request->denied = denied;
    }
    if (headers) {
        sb_table_restore(r->err_headers_out, headers);
    }
    return status == OK;
}

static void forget_password_question(request_rec *r)
{
    apr_table_unset(r->err_headers_out, "WWW-Authenticate");
    apr_table_unset(r->err_headers_out, "Proxy-Authenticate");
}

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
    int status = run(r, check);
    bool refused = is_refusal(status);
    if (refused && was_negated(r, check)) {
        if (sb_dir_of(r)->dry_run > 0) {
            return OK;
        }
        ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, r,
                      "SB129: refused by a requirement that is negated");
        forget_password_question(r);
        return HTTP_FORBIDDEN;
    }
    if (request->denied_by && status != OK && sb_cors_gated_preflight(r)) {
        return DONE;
    }
    if (!request->denied_by || !refused) {
        return status;
    }
    if (request->denied.reason == SB_REASON_NO_IDENTITY && status == HTTP_UNAUTHORIZED) {
        return status;
    }
    forget_password_question(r);
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

int sb_authz_again(request_rec *r)
{
    const request_rec *origin = sb_request_origin(r);
    const sb_request_t *asked =
        origin ? ap_get_module_config(origin->request_config, &subbill_module) : NULL;

    if (!asked || !asked->by_address || origin->per_dir_config != r->per_dir_config ||
        sb_request_of(r)->authorized) {
        return OK;
    }
    int status = ap_run_access_checker_ex(r);
    return status == DECLINED ? ap_run_auth_checker(r) : status;
}

void sb_authz_hooks(apr_pool_t *pool)
{
    for (size_t i = 0; i < sizeof(requirements) / sizeof(*requirements); i++) {
        ap_register_auth_provider(pool, AUTHZ_PROVIDER_GROUP, requirements[i].word,
                                  AUTHZ_PROVIDER_VERSION, &requirements[i].provider,
                                  AP_AUTH_INTERNAL_PER_CONF);
    }
    /* Before mod_authz_core, which always answers: after it nobody is asked any more. */
    ap_hook_check_authz(check_authz, NULL, NULL, APR_HOOK_REALLY_FIRST,
                        AP_AUTH_INTERNAL_PER_CONF);
    /* The same for the pass that asks without a user. */
    ap_hook_check_access_ex(check_access, NULL, NULL, APR_HOOK_REALLY_FIRST,
                            AP_AUTH_INTERNAL_PER_CONF);
}
