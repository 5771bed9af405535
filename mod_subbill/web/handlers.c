/* Licensed under the Apache License, Version 2.0; see LICENSE. */
/* What a request has to pass before its handler runs, in this order: the address, the master
 * switch, the method, a service that could be made, the person, the body, the proof that the
 * person meant it, the budget. Each refusal is a problem document or a page; nothing has been read
 * before the person is known, and Stripe has not been called before the budget allows it. */
#include "web/handlers.h"

#include "base/clock.h"
#include "web/budget.h"
#include "web/cors.h"
#include "web/csrf.h"
#include "web/problem.h"

#include <apr_strings.h>
#include <http_core.h>
#include <http_protocol.h>
#include <http_request.h>
#include <mod_core.h>

const sb_handler_t sb_handlers[] = {
    {"plans", SB_METHOD_GET, SB_CORS, sb_plans_run},
    {"checkout", SB_METHOD_POST,
     SB_NEEDS_USER | SB_CSRF | SB_CORS | SB_FIELDS | SB_CALLS_STRIPE, sb_checkout_run},
    {"return", SB_METHOD_GET, SB_CALLS_STRIPE, sb_return_run},
    {"account", SB_METHOD_GET, SB_NEEDS_USER | SB_CORS, sb_account_run},
    {"subscription", SB_METHOD_GET, SB_NEEDS_USER | SB_CORS, sb_subscription_run},
    {"change", SB_METHOD_GET | SB_METHOD_POST,
     SB_NEEDS_USER | SB_CSRF | SB_CORS | SB_FIELDS | SB_CALLS_STRIPE, sb_change_run},
    {"cancel", SB_METHOD_POST,
     SB_NEEDS_USER | SB_CSRF | SB_CORS | SB_FIELDS | SB_CALLS_STRIPE, sb_cancel_run},
    {"resume", SB_METHOD_POST,
     SB_NEEDS_USER | SB_CSRF | SB_CORS | SB_FIELDS | SB_CALLS_STRIPE, sb_resume_run},
    {"pause", SB_METHOD_POST,
     SB_NEEDS_USER | SB_CSRF | SB_CORS | SB_FIELDS | SB_CALLS_STRIPE, sb_pause_run},
    {"portal", SB_METHOD_POST,
     SB_NEEDS_USER | SB_CSRF | SB_CORS | SB_FIELDS | SB_CALLS_STRIPE, sb_portal_run},
    {"invoices", SB_METHOD_GET, SB_NEEDS_USER | SB_CORS, sb_invoices_run},
    {"upcoming", SB_METHOD_GET, SB_NEEDS_USER | SB_CORS | SB_CALLS_STRIPE,
     sb_upcoming_run},
    {"config", SB_METHOD_GET, SB_CORS, sb_config_run},
    {"webhook", SB_METHOD_POST, SB_RAW, sb_webhook_run},
    {"style", SB_METHOD_GET, SB_EVEN_DISABLED, sb_style_run},
};
const int sb_handlers_count = sizeof(sb_handlers) / sizeof(*sb_handlers);

/* One person, and one address that several persons may share. */
static const sb_budget_limit_t user_limit = {.burst = 10,
                                             .interval = 6 * APR_USEC_PER_SEC};
static const sb_budget_limit_t address_limit = {.burst = 30,
                                                .interval = 2 * APR_USEC_PER_SEC};
/* One session on the return page, which looks again every few seconds. Not by address: buyers behind
 * one address must not be locked out by a stranger who guesses, and a guess calls nobody. */
static const sb_budget_limit_t session_limit = {.burst = 20,
                                                .interval = 2 * APR_USEC_PER_SEC};

static sb_budget_t *budget; /* made by the parent, shared by its children */

static const sb_handler_t *handler_find(const char *route)
{
    for (int i = 0; i < sb_handlers_count; i++) {
        if (strcmp(sb_handlers[i].name, route) == 0) {
            return &sb_handlers[i];
        }
    }
    return NULL;
}

bool sb_handler_cors(const char *route)
{
    const sb_handler_t *handler = handler_find(route);

    return handler && (handler->flags & SB_CORS);
}

static const char *allow_of(const sb_handler_t *handler)
{
    static const char *const lists[] = {
        [SB_METHOD_GET] = "GET, HEAD, OPTIONS",
        [SB_METHOD_POST] = "POST, OPTIONS",
        [SB_METHOD_GET | SB_METHOD_POST] = "GET, HEAD, POST, OPTIONS",
    };

    return lists[handler->methods];
}

const char *sb_handler_allow(const char *route)
{
    const sb_handler_t *handler = handler_find(route);

    return handler ? allow_of(handler) : NULL;
}

/* --- the steps ------------------------------------------------------------------------------ */

static int refuse(sb_exchange_t *x, sb_status_e status, const char *code,
                  const char *message, const char *hint)
{
    sb_result_t result = {
        .status = status, .code = code, .message = message, .hint = hint};

    return sb_problem_send(x->r, &result);
}

static int wrong_method(sb_exchange_t *x)
{
    const char *allow = allow_of(x->handler);
    const sb_result_t result = {
        .status = SB_INVALID,
        .code = "method_not_allowed",
        .message = apr_psprintf(x->pool, "This address takes %s.", allow)};

    apr_table_setn(x->r->headers_out, "Allow", allow);
    return sb_problem_send_as(x->r, HTTP_METHOD_NOT_ALLOWED, &result);
}

static const sb_result_t nobody_is_known = {
    .status = SB_UNAUTHENTICATED,
    .code = "unauthenticated",
    .message = "Nobody is logged in.",
    .hint = "Log in, or send the credentials that this site takes."};

/* The site's own login answers a browser where there is one: its form, its ErrorDocument. A
 * program gets a document, and the challenge of the site's scheme. */
static int nobody(sb_exchange_t *x, sb_reason_e reason)
{
    if (reason == SB_REASON_BAD_IDENTITY) {
        return refuse(x, sb_reason_status(reason), sb_reason_word(reason),
                      "This user name cannot be used here.", NULL);
    }
    if (ap_auth_type(x->r)) {
        int status = sb_exchange_login(x);
        if (status == OK) {
            return OK;
        }
        ap_note_auth_failure(x->r);
        if (x->html || status != HTTP_UNAUTHORIZED) {
            return status;
        }
    }
    else if (x->html &&
             ap_response_code_string(x->r, ap_index_of_response(HTTP_UNAUTHORIZED))) {
        return HTTP_UNAUTHORIZED;
    }
    return sb_problem_send(x->r, &nobody_is_known);
}

/* 0, or the seconds to wait. */
static int budget_wait(const sb_exchange_t *x)
{
    apr_time_t now = sb_clock_monotonic();

    if (!(x->handler->flags & SB_NEEDS_USER)) {
        const char *session = sb_exchange_query(x, "session_id");
        return session ? sb_budget_take(budget, "session", session, session_limit, now)
                       : 0;
    }
    int wait = sb_budget_take(budget, "user", x->user, user_limit, now);
    return wait ? wait
                : sb_budget_take(budget, "address",
                                 sb_budget_address(x->r->useragent_ip, x->pool),
                                 address_limit, now);
}

static int too_many(sb_exchange_t *x, int wait)
{
    const sb_result_t result = {
        .status = SB_TOO_MANY,
        .code = "too_many_requests",
        .message = apr_psprintf(x->pool, "Try again in %d seconds.", wait),
        .retry_after = wait};

    return sb_problem_send(x->r, &result);
}

/* A question that costs a call. The return page is opened by Stripe's, and calls for its own sessions only. */
static int take_question(sb_exchange_t *x)
{
    const unsigned costly = SB_NEEDS_USER | SB_CALLS_STRIPE;
    sb_result_t result;

    sb_result_clear(&result);
    return (x->handler->flags & costly) != costly ||
                   sb_csrf_check_question(x, &result) == SB_OK
               ? DONE
               : sb_problem_send(x->r, &result);
}

/* The body, and whether it came from the person. DONE: x may run; else what to return. */
static int take_body(sb_exchange_t *x)
{
    sb_result_t result;

    sb_result_clear(&result);
    if (x->handler->flags & SB_FIELDS) {
        int status = sb_exchange_read(x, &result);
        if (status != OK) {
            return status < HTTP_BAD_REQUEST ? status
                                             : sb_problem_send_as(x->r, status, &result);
        }
    }
    if ((x->handler->flags & SB_CSRF) && sb_csrf_check(x, &result) != SB_OK) {
        return sb_problem_send(x->r, &result);
    }
    return DONE;
}

/* Everything but the address and OPTIONS. */
static int run(sb_exchange_t *x, sb_status_e opened, const sb_result_t *result)
{
    const sb_handler_t *handler = x->handler;
    unsigned method = x->r->method_number == M_GET    ? SB_METHOD_GET
                      : x->r->method_number == M_POST ? SB_METHOD_POST
                                                      : 0;
    sb_reason_e reason = SB_REASON_OK;

    if (handler->flags & SB_EVEN_DISABLED) {
        return method & handler->methods ? handler->run(x) : wrong_method(x);
    }
    if (!x->server->settings->enabled) {
        return refuse(x, SB_DISABLED, "disabled", "Stripe is not enabled",
                      "SubbillEnabled On switches it on.");
    }
    if (!(method & handler->methods)) {
        return wrong_method(x);
    }
    if (!x->service || !x->server->templates || !x->server->settings->base_url) {
        return refuse(x, SB_UNAVAILABLE, "unavailable",
                      "This host is not set up to sell anything.",
                      "The error log says what is missing.");
    }
    if (handler->flags & SB_RAW) {
        return handler->run(x);
    }
    if (opened != SB_OK) {
        return sb_problem_send(x->r, result);
    }
    if (handler->flags & SB_NEEDS_USER) {
        x->user = sb_request_user(x->r, &reason);
        int status = x->user ? OK : nobody(x, reason);
        if (!x->user) {
            return status;
        }
    }
    int status = method == SB_METHOD_POST ? take_body(x) : take_question(x);
    if (status != DONE) {
        return status;
    }
    int wait = handler->flags & SB_CALLS_STRIPE ? budget_wait(x) : 0;
    if (wait) {
        return too_many(x, wait);
    }
    sb_exchange_keep_language(x);
    return handler->run(x);
}

int sb_handler_dispatch(request_rec *r, const char *route, const char *rest)
{
    const sb_handler_t *handler = handler_find(route);
    sb_exchange_t x;
    sb_result_t result;

    if (!handler) {
        return HTTP_NOT_FOUND;
    }
    if (handler->flags & SB_CORS) {
        if (r->method_number == M_OPTIONS) {
            return sb_cors_options(r, allow_of(handler));
        }
        sb_cors_mark(r);
    }
    else if (r->method_number == M_OPTIONS) {
        apr_table_setn(r->headers_out, "Allow", allow_of(handler));
        return OK;
    }
    sb_result_clear(&result);
    sb_status_e opened = sb_exchange_open(&x, &result, r, rest);
    x.handler = handler;
    /* Our pages find their style sheet here where its own route is not mounted. */
    if (r->method_number == M_GET && handler->run == sb_plans_run &&
        sb_exchange_query(&x, "style")) {
        return sb_style_run(&x);
    }
    return run(&x, opened, &result);
}

/* --- hooks ---------------------------------------------------------------------------------- */

/* Who fails the site's own authentication never reaches a handler. A program gets a document all the
 * same, and a front end may read it; browsers and ErrorDocument stay as they are. */
static void insert_error(request_rec *r)
{
    const char *route = sb_route_of(r, NULL);
    sb_request_t *request = sb_request_of(r);

    if (!route || r->status != HTTP_UNAUTHORIZED || request->refused) {
        return;
    }
    if (sb_handler_cors(route)) {
        sb_cors_mark(r);
    }
    if (!sb_wants_html(r)) {
        request->refused = true;
        request->refusal = nobody_is_known;
    }
}

static int post_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp,
                       server_rec *s)
{
    if (ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_CREATE_PRE_CONFIG) {
        return OK;
    }
    apr_status_t rv = sb_budget_create(&budget, pconf);
    if (rv != APR_SUCCESS) {
        budget = NULL;
        ap_log_error(APLOG_MARK, APLOG_ERR, rv, s,
                     "subbill: SB122: no budgets: checkouts are not limited here");
    }
    return OK;
}

void sb_handler_hooks(apr_pool_t *pool)
{
    /* Before gate.c's, which puts the document in the place of httpd's page. */
    ap_hook_insert_error_filter(insert_error, NULL, NULL, APR_HOOK_MIDDLE);
    /* Before the fork, so that all children draw on one budget. */
    ap_hook_post_config(post_config, NULL, NULL, APR_HOOK_MIDDLE);
    sb_cors_hooks(pool);
}
