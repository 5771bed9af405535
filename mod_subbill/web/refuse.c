/* Licensed under the Apache License, Version 2.0; see LICENSE. */
/* What a refusal looks like. It is a returned status, never a written page: nothing can follow it.
 * The page itself is put in place of httpd's own by a filter, when the error is sent, unless the
 * administrator has an ErrorDocument for it. */
#include "web/module.h"

#include "web/pages.h"

#include <apr_buckets.h>
#include <apr_strings.h>
#include <http_core.h>
#include <http_request.h>
#include <mod_core.h>
#include <http_protocol.h>
#include <util_filter.h>

static const char refusal_filter[] = "SUBBILL_REFUSAL";

/* What the location wants to be answered: a class of status, or an address to go to. */
static sb_status_e shape_of(request_rec *r, const sb_verdict_t *verdict,
                            const char **target)
{
    const sb_dir_t *dir = sb_dir_of(r);
    sb_status_e status = sb_reason_status(verdict->reason);
    const char *word = sb_reason_word(verdict->reason);
    bool for_money = sb_reason_for_money(verdict->reason);

    *target = NULL;
    if (for_money && dir->on_deny == SB_DENY_402) {
        return SB_PAYMENT_REQUIRED;
    }
    if (for_money && dir->on_deny == SB_DENY_403) {
        return SB_FORBIDDEN;
    }
    if ((for_money && dir->on_deny == SB_DENY_REDIRECT) ||
        (status == SB_PAYMENT_REQUIRED && sb_wants_html(r))) {
        *target = dir->deny_url ? dir->deny_url : sb_page_plans_link(r, word);
    }
    return status;
}

int sb_refusal_status(request_rec *r, const sb_verdict_t *verdict)
{
    const char *target;
    sb_status_e status = shape_of(r, verdict, &target);

    return target ? HTTP_SEE_OTHER : sb_http_status(status);
}

/* That no cache may keep it is for web/private.c to say. */
static void refusal_headers(request_rec *r, sb_status_e status, const char *word)
{
    apr_table_setn(r->err_headers_out, "X-Subbill-Reason", word);
    if (status == SB_UNAVAILABLE) {
        apr_table_setn(r->err_headers_out, "Retry-After", "5");
    }
}

/* To the client, the access log and ours. */
static void tell_reason(request_rec *r, sb_status_e status, const char *word)
{
    apr_table_setn(r->subprocess_env, "SUBBILL_REASON", word);
    refusal_headers(r, status, word);
    ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, r, "SB105: refused: %s", word);
}

int sb_refuse(request_rec *r, const sb_verdict_t *verdict)
{
    sb_request_t *request = sb_request_of(r);
    const char *word = sb_reason_word(verdict->reason);
    const char *target;
    sb_status_e status = shape_of(r, verdict, &target);

    sb_private_mark(r);
    request->refused = true;
    sb_result_set(&request->refusal, status, word, NULL, NULL);
    /* A directory's index is refused as a subrequest, but its status becomes the directory's. */
    if (r->main) {
        sb_request_of(r->main)->refused = true;
        sb_request_of(r->main)->refusal = request->refusal;
    }
    tell_reason(r, status, word);
    /* What httpd looks up for a page, an index say, has no address to send anybody to. */
    if (target && !r->main) {
        apr_table_setn(r->headers_out, "Location", target);
        return HTTP_SEE_OTHER;
    }
    return sb_http_status(status);
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

/* The site's own login has answered before the door was asked. Browsers get its page; everything else
 * is told as if the door had refused. */
static void adopt_login(request_rec *r)
{
    sb_request_t *request = sb_request_of(r);
    const char *word = sb_reason_word(SB_REASON_NO_IDENTITY);

    tell_reason(r, SB_UNAUTHENTICATED, word);
    if (!sb_wants_html(r)) {
        request->refused = true;
        sb_result_set(&request->refusal, SB_UNAUTHENTICATED, word, NULL, NULL);
    }
}

static bool is_login_at_door(request_rec *r)
{
    const sb_request_t *request = sb_request_of(r);

    return r->status == HTTP_UNAUTHORIZED && !request->refused && !request->passed &&
           (request->gated || (sb_gate_of(r) && sb_dir_of(r)->dry_run <= 0));
}

/* Our page, unless the administrator has said what this error looks like. */
static void insert_refusal(request_rec *r)
{
    const sb_request_t *request = sb_request_of(r);

    if (is_login_at_door(r)) {
        adopt_login(r);
    }
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

void sb_refusal_hooks(apr_pool_t *pool)
{
    /* Errors have their own filter chain. */
    ap_hook_insert_error_filter(insert_refusal, NULL, NULL, APR_HOOK_LAST);
    /* The body before anything that looks at bodies. */
    ap_register_output_filter(refusal_filter, filter_refusal, NULL, AP_FTYPE_RESOURCE);
}
