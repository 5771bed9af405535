/* Licensed under the Apache License, Version 2.0; see LICENSE. */
/* The closed door. SubbillGate is enforced in fixups: httpd skips every authentication and
 * authorization hook for an internal request whose per-directory configuration equals its parent's
 * (DirectoryIndex, [PT], SSI), but it always runs fixups, on every method, before any handler has
 * looked at the body. A refusal is a returned status, never a written page: nothing can follow it.
 * The page itself is put in place of httpd's own by a filter, when the error is sent, unless the
 * administrator has an ErrorDocument for it. */
#include "web/module.h"

#include "base/clock.h"
#include "service/access.h"
#include "web/pages.h"

#include <apr_buckets.h>
#include <apr_lib.h>
#include <apr_strings.h>
#include <http_core.h>
#include <http_protocol.h>
#include <http_request.h>
#include <mod_core.h>
#include <util_filter.h>

static const char refusal_filter[] = "SUBBILL_REFUSAL";
static const char private_filter[] = "SUBBILL_PRIVATE";

/* --- deciding ------------------------------------------------------------------------------- */

/* What the user holds: from the client's own request, the cache, or one query. */
static sb_status_e holding_of(sb_holding_t *holding, request_rec *r,
                              const sb_server_t *server, const char *user, int grace_days)
{
    request_rec *top = sb_request_top(r);
    sb_request_t *memo = sb_request_of(top);
    apr_int64_t now = sb_clock_now();
    sb_snapshot_t *snapshot;
    sb_result_t result;

    if (memo->holder && memo->holder_grace == grace_days &&
        strcmp(memo->holder, user) == 0) {
        *holding = memo->holding;
        return SB_OK;
    }
    if (!server->service) {
        return SB_UNAVAILABLE;
    }
    if (!sb_cache_get(server->cache, user, grace_days, now, holding)) {
        apr_uint64_t epoch = sb_cache_epoch(server->cache, user);
        sb_result_clear(&result);
        sb_status_e status =
            sb_access_load(&snapshot, &result, server->service, user, r->pool);
        if (status != SB_OK) {
            return status;
        }
        /* A host whose clock went back opens nothing that has ended by the database's. */
        now = snapshot->read_at > now ? snapshot->read_at : now;
        *holding = sb_entitlement_hold(server->catalog, snapshot, now, grace_days);
        sb_cache_put(server->cache, user, grace_days, epoch, now, holding);
    }
    memo->holder = r == top ? user : apr_pstrdup(top->pool, user);
    memo->holder_grace = grace_days;
    memo->holding = *holding;
    return SB_OK;
}

/* No cache may keep what an answer behind a door holds, whichever internal request fetched it. */
static void mark_gated(request_rec *r)
{
    for (; r; r = sb_request_origin(r)) {
        sb_request_of(r)->gated = true;
        apr_table_setn(r->subprocess_env, "no-cache", "1"); /* mod_cache heeds it */
    }
}

sb_verdict_t sb_gate_decide(request_rec *r, const sb_gate_t *gate)
{
    const sb_server_t *server = sb_server_of(r->server);
    int grace_days = sb_dir_of(r)->grace_days;
    const sb_requirement_t *requirement = sb_gate_requirement(gate, server);
    sb_verdict_t refused = {
        .granted = false, .plan = -1, .reason = SB_REASON_UNAVAILABLE};
    sb_holding_t holding;

    mark_gated(r);
    if (!server->settings->enabled) {
        refused.reason = SB_REASON_DISABLED;
        return refused;
    }
    if (!requirement) {
        return refused;
    }
    const char *user = sb_request_user(r, &refused.reason);
    if (!user) {
        return refused;
    }
    if (holding_of(&holding, r, server, user, grace_days > 0 ? grace_days : 0) != SB_OK) {
        refused.reason = SB_REASON_UNAVAILABLE;
        return refused;
    }
    return sb_entitlement_check(server->catalog, &holding, requirement);
}

/* --- refusing ------------------------------------------------------------------------------- */

static void refusal_headers(request_rec *r, sb_status_e status, const char *word)
{
    apr_table_setn(r->err_headers_out, "X-Subbill-Reason", word);
    apr_table_setn(r->err_headers_out, "Cache-Control", "no-store");
    if (status == SB_UNAVAILABLE) {
        apr_table_setn(r->err_headers_out, "Retry-After", "5");
    }
}

int sb_gate_refuse(request_rec *r, const sb_verdict_t *verdict)
{
    const sb_dir_t *dir = sb_dir_of(r);
    sb_request_t *request = sb_request_of(r);
    sb_status_e status = sb_reason_status(verdict->reason);
    const char *word = sb_reason_word(verdict->reason);
    const char *target = NULL;
    bool for_money =
        status == SB_PAYMENT_REQUIRED || verdict->reason == SB_REASON_PLAN_TOO_LOW;

    if (for_money && dir->on_deny == SB_DENY_402) {
        status = SB_PAYMENT_REQUIRED;
    }
    else if (for_money && dir->on_deny == SB_DENY_403) {
        status = SB_FORBIDDEN;
    }
    else if (for_money && dir->on_deny == SB_DENY_REDIRECT) {
        target = dir->deny_url ? dir->deny_url : sb_page_plans_link(r, word);
    }
    else if (status == SB_PAYMENT_REQUIRED && sb_wants_html(r)) {
        target = dir->deny_url ? dir->deny_url : sb_page_plans_link(r, word);
    }
    mark_gated(r);
    request->refused = true;
    sb_result_set(&request->refusal, status, word, NULL, NULL);
    /* A directory's index is refused as a subrequest, but its status becomes the directory's. */
    if (r->main) {
        sb_request_of(r->main)->refused = true;
        sb_request_of(r->main)->refusal = request->refusal;
    }
    apr_table_setn(r->subprocess_env, "SUBBILL_REASON", word);
    refusal_headers(r, status, word);
    ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, r, "SB105: refused: %s", word);
    if (target) {
        apr_table_setn(r->headers_out, "Location", target);
        return HTTP_SEE_OTHER;
    }
    return sb_http_status(status);
}

/* --- hooks ---------------------------------------------------------------------------------- */

/* The gate in force: none for our own public handlers, so that `<Location "/">` can be closed and
 * still sell. Early on only the address tells which those are. */
static const sb_gate_t *gate_of(request_rec *r)
{
    const sb_gate_t *gate = sb_dir_of(r)->gate;

    if (!gate || gate->off) {
        return NULL;
    }
    return sb_route_of(r, NULL) ? NULL : gate;
}

/* A gate needs a name, whatever `Require all granted` says about needing none. */
static int force_authn(request_rec *r)
{
    return gate_of(r) && ap_auth_type(r) ? OK : DECLINED;
}

/* The login that an index, an included page or a destination asks for becomes the answer of the
 * request above, which stands behind no door itself. */
static int mark_before_login(request_rec *r)
{
    if (r->main && gate_of(r)) {
        mark_gated(r);
    }
    return DECLINED;
}

/* By now a handler has been chosen, and only ours waives the gate: a file that lies where a route
 * is mounted does not. */
static const sb_gate_t *gate_in_fixups(request_rec *r)
{
    const sb_gate_t *gate = sb_dir_of(r)->gate;
    bool ours = r->handler && (strcmp(r->handler, "subbill") == 0 ||
                               strncmp(r->handler, "subbill-", 8) == 0);

    return ours ? gate_of(r) : gate && !gate->off ? gate : NULL;
}

static int enforce(request_rec *r)
{
    const sb_gate_t *gate = gate_in_fixups(r);

    if (!gate) {
        return DECLINED;
    }
    /* `Satisfy Any` skips authentication even when it is forced. */
    if (!r->user && ap_auth_type(r)) {
        int status = ap_run_check_user_id(r);
        if (status != OK && status != DECLINED) {
            r->user = NULL; /* named, but not believed */
            mark_gated(r);
            return status;
        }
    }
    sb_verdict_t verdict = sb_gate_decide(r, gate);
    if (!verdict.granted) {
        return sb_gate_refuse(r, &verdict);
    }
    apr_table_setn(r->subprocess_env, "SUBBILL_REASON", sb_reason_word(verdict.reason));
    return DECLINED;
}

static bool token_is(const char *token, const char *name)
{
    apr_size_t length = strlen(name);

    return strncasecmp(token, name, length) == 0 &&
           (!token[length] || token[length] == '=' || token[length] == ' ');
}

/* What the backend said about caching, less what would let a shared cache keep it. */
static const char *private_cache_control(request_rec *r, const char *given)
{
    static const char *const dropped[] = {"public",
                                          "private",
                                          "s-maxage",
                                          "proxy-revalidate",
                                          "stale-while-revalidate",
                                          "stale-if-error"};
    const char *kept = "private";
    char *rest;
    char *copy = apr_pstrdup(r->pool, given ? given : "");

    for (char *token = apr_strtok(copy, ",", &rest); token;
         token = apr_strtok(NULL, ",", &rest)) {
        bool drop = false;
        while (apr_isspace(*token)) {
            token++;
        }
        for (size_t i = 0; i < sizeof(dropped) / sizeof(*dropped); i++) {
            drop = drop || token_is(token, dropped[i]);
        }
        if (!drop && *token) {
            kept = apr_pstrcat(r->pool, kept, ", ", token, NULL);
        }
    }
    return kept;
}

/* Every value of a header, joined; mostly there is none, and asking for all is dear. */
static const char *all_of(const apr_table_t *headers, const char *name, apr_pool_t *pool)
{
    return apr_table_get(headers, name) ? apr_table_getm(pool, headers, name) : NULL;
}

/* Joins both header tables of a response into the one answer about caching. */
static void make_private(request_rec *r, bool refused)
{
    static const char *const shared[] = {
        "Cache-Control",     "Pragma",
        "CDN-Cache-Control", "Cloudflare-CDN-Cache-Control",
        "Edge-Control",      "Surrogate-Control",
        "X-Accel-Expires"};
    const char *given = all_of(r->headers_out, "Cache-Control", r->pool);
    const char *given_error = all_of(r->err_headers_out, "Cache-Control", r->pool);
    const char *both = given && given_error
                           ? apr_pstrcat(r->pool, given, ", ", given_error, NULL)
                       : given ? given
                               : given_error;

    for (size_t i = 0; i < sizeof(shared) / sizeof(*shared); i++) {
        apr_table_unset(r->headers_out, shared[i]);
        apr_table_unset(r->err_headers_out, shared[i]);
    }
    apr_table_setn(r->headers_out, "Cache-Control",
                   refused ? "no-store" : private_cache_control(r, both));
    apr_table_mergen(r->headers_out, "Vary", "Cookie, Authorization");
    if (refused) {
        apr_table_unset(r->headers_out, "ETag");
        apr_table_unset(r->headers_out, "Last-Modified");
    }
}

/* Late, after the content's and mod_headers' own headers: a gated answer is never shared. Whether
 * it is gated may be known only now, when an included or redirected request met a door. An error may
 * have come before the door was asked: the site's login must not be kept for those who have one. */
static apr_status_t filter_private(ap_filter_t *f, apr_bucket_brigade *bb)
{
    request_rec *r = f->r;
    bool gated = false, refused = false;

    for (request_rec *q = r; q; q = q->prev) {
        const sb_request_t *request =
            ap_get_module_config(q->request_config, &subbill_module);
        gated = gated || (request && request->gated) ||
                (ap_is_HTTP_ERROR(q->status) && gate_of(q));
        refused = refused || (request && request->refused && ap_is_HTTP_ERROR(q->status));
    }
    if (gated) {
        make_private(
            r, refused || ap_is_HTTP_ERROR(r->status) ||
                   (ap_is_HTTP_REDIRECT(r->status) && r->status != HTTP_NOT_MODIFIED));
    }
    ap_remove_output_filter(f);
    return ap_pass_brigade(f->next, bb);
}

/* Puts our page in the place of httpd's canned one. */
static apr_status_t filter_refusal(ap_filter_t *f, apr_bucket_brigade *bb)
{
    request_rec *r = f->r;
    const char *type = NULL;
    const char *body = sb_problem_render(r, &sb_request_of(r)->refusal, &type);
    apr_bucket_alloc_t *list = f->c->bucket_alloc;

    ap_remove_output_filter(f);
    ap_set_content_type(r, type);
    r->content_encoding = NULL;
    apr_brigade_cleanup(bb);
    if (!r->header_only) {
        apr_size_t length = strlen(body);
        ap_set_content_length(r, (apr_off_t)length);
        APR_BRIGADE_INSERT_TAIL(bb, apr_bucket_pool_create(body, length, r->pool, list));
    }
    APR_BRIGADE_INSERT_TAIL(bb, apr_bucket_eos_create(list));
    return ap_pass_brigade(f->next, bb);
}

/* mod_include sends the head of a page before it looks at what the page includes, too late to learn
 * of a door: where there are gates, no page with includes is shared. */
static bool may_include(const request_rec *r)
{
    for (const ap_filter_t *f = r->output_filters; f; f = f->next) {
        if (strcasecmp(f->frec->name, "INCLUDES") == 0) {
            return true;
        }
    }
    return false;
}

static void insert_private(request_rec *r)
{
    if (!r->main && sb_gates_in_use()) {
        if (may_include(r)) {
            mark_gated(r);
        }
        ap_add_output_filter(private_filter, NULL, r, r->connection);
    }
}

/* Our page, unless the administrator has said what this error looks like. */
static void insert_refusal(request_rec *r)
{
    const sb_request_t *request = sb_request_of(r);

    insert_private(r);
    if (!request->refused || r->status != sb_http_status(request->refusal.status)) {
        return;
    }
    if (!apr_table_get(r->err_headers_out, "X-Subbill-Reason") && request->gated) {
        refusal_headers(r, request->refusal.status, request->refusal.code);
    }
    if (!ap_response_code_string(r, ap_index_of_response(r->status))) {
        ap_add_output_filter(refusal_filter, NULL, r, r->connection);
    }
}

void sb_gate_hooks(apr_pool_t *pool)
{
    /* Where authorization needs no name, ours does. */
    ap_hook_force_authn(force_authn, NULL, NULL, APR_HOOK_MIDDLE);
    /* Before a module that may answer 401. */
    ap_hook_check_authn(mark_before_login, NULL, NULL, APR_HOOK_REALLY_FIRST,
                        AP_AUTH_INTERNAL_PER_CONF);
    /* Before mod_rewrite's and everybody else's fixups could send the request elsewhere. */
    ap_hook_fixups(enforce, NULL, NULL, APR_HOOK_REALLY_FIRST);
    /* After all others have added theirs. */
    ap_hook_insert_filter(insert_private, NULL, NULL, APR_HOOK_LAST);
    /* Errors have their own filter chain. */
    ap_hook_insert_error_filter(insert_refusal, NULL, NULL, APR_HOOK_LAST);
    /* The body before anything that looks at bodies, the headers after everything that sets some. */
    ap_register_output_filter(refusal_filter, filter_refusal, NULL, AP_FTYPE_RESOURCE);
    ap_register_output_filter(private_filter, filter_private, NULL,
                              (ap_filter_type)(AP_FTYPE_PROTOCOL - 1));
}
