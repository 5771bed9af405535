/* Licensed under the Apache License, Version 2.0; see LICENSE. */
/* One shape for everything that is refused or fails: a problem document (RFC 9457) for programs, a
 * page for people. The code is for programs and never changes; the title is in the language of the
 * request; the detail is the sentence of the room where it happened. People read the texts of the
 * catalogue of messages instead, since they did not write the request. */
#include "web/problem.h"

#include "base/utf8.h"
#include "domain/reason.h"
#include "web/answer.h"
#include "web/csrf.h"
#include "web/pages.h"

#include <apr_strings.h>
#include <http_core.h>
#include <http_protocol.h>

#define TYPE_PREFIX "urn:subbill:problem:"

typedef struct problem_t {
    request_rec *r;
    int status;
    const sb_result_t *result;
    bool gate; /* a closed door, not a failed call */
    sb_exchange_t x;
} problem_t;

int sb_http_status(sb_status_e status)
{
    static const int statuses[] = {
        [SB_OK] = HTTP_OK,
        [SB_INVALID] = HTTP_BAD_REQUEST,
        [SB_UNAUTHENTICATED] = HTTP_UNAUTHORIZED,
        [SB_PAYMENT_REQUIRED] = HTTP_PAYMENT_REQUIRED,
        [SB_FORBIDDEN] = HTTP_FORBIDDEN,
        [SB_NOT_FOUND] = HTTP_NOT_FOUND,
        [SB_CONFLICT] = HTTP_CONFLICT,
        [SB_TOO_LARGE] = HTTP_REQUEST_ENTITY_TOO_LARGE,
        [SB_TOO_MANY] = HTTP_TOO_MANY_REQUESTS,
        [SB_INTERNAL] = HTTP_INTERNAL_SERVER_ERROR,
        [SB_UPSTREAM] = HTTP_BAD_GATEWAY,
        [SB_UNAVAILABLE] = HTTP_SERVICE_UNAVAILABLE,
        [SB_DISABLED] = HTTP_SERVICE_UNAVAILABLE,
    };

    return (size_t)status < sizeof(statuses) / sizeof(*statuses)
               ? statuses[status]
               : HTTP_INTERNAL_SERVER_ERROR;
}

/* --- texts ---------------------------------------------------------------------------------- */

static bool is_reason(const char *code)
{
    for (int i = 0; i < SB_REASON_COUNT; i++) {
        if (strcmp(sb_reason_word((sb_reason_e)i), code) == 0) {
            return true;
        }
    }
    return false;
}

/* "error_heading.unknown_plan", or "reason_heading.…" for the words of the gate. */
static const char *text_of(const problem_t *problem, const char *part)
{
    const sb_i18n_t *texts = sb_template_set_i18n(problem->x.server->templates);
    const char *code = problem->result->code;
    const char *const families[] = {problem->gate ? "reason" : "error",
                                    problem->gate ? "error" : "reason"};
    apr_pool_t *pool = problem->r->pool;

    for (int i = 0; code && i < 2; i++) {
        const char *key = apr_pstrcat(pool, families[i], part, ".", code, NULL);
        if (sb_i18n_has(texts, key)) {
            return sb_i18n_text(texts, problem->x.lang, key);
        }
    }
    /* Stripe's own words for a refusal are many. */
    const char *general = problem->status < 500                 ? ".bad_request"
                          : problem->status == HTTP_BAD_GATEWAY ? ".stripe_error"
                                                                : ".general";
    return sb_i18n_text(texts, problem->x.lang,
                        apr_pstrcat(pool, "error", part, general, NULL));
}

/* --- document ------------------------------------------------------------------------------- */

static void link_add(json_t *links, const problem_t *problem, const char *route)
{
    const char *url = sb_route_url(problem->x.server, route, problem->r->pool);

    if (url) {
        json_object_set_new(links, route, json_string(url));
    }
}

/* Who pays already would have to pay for more. */
static bool wants_more(const char *code)
{
    return strcmp(code, "plan_too_low") == 0 || strcmp(code, "no_entitlement") == 0;
}

/* A subscription that opens nothing as it is, and stands in the way of another. */
static bool is_running(const char *code)
{
    static const char *const codes[] = {"past_due", "unpaid", "paused", "disputed",
                                        "unknown_status"};

    for (size_t i = 0; i < sizeof(codes) / sizeof(*codes); i++) {
        if (strcmp(code, codes[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* Where to go from here, for those who can buy or pay their way in. */
static json_t *links_of(const problem_t *problem)
{
    const char *code = problem->result->code ? problem->result->code : "";
    json_t *links = json_object();

    if (!problem->x.server->settings->base_url) {
        return links;
    }
    bool unpaid =
        strcmp(code, "payment_incomplete") == 0 || strcmp(code, "resumption_unpaid") == 0;
    if ((problem->status == HTTP_PAYMENT_REQUIRED && !unpaid) ||
        (problem->gate && problem->status == HTTP_FORBIDDEN)) {
        link_add(links, problem, "plans");
        link_add(links, problem, "checkout");
    }
    if (problem->status == HTTP_CONFLICT || wants_more(code) || is_running(code) ||
        unpaid) {
        link_add(links, problem, "portal");
        link_add(links, problem, "account");
    }
    if (strcmp(code, "already_subscribed") == 0 || wants_more(code)) {
        link_add(links, problem, "change");
    }
    return links;
}

static const char *render_document(const problem_t *problem)
{
    const sb_result_t *result = problem->result;
    const char *code = result->code ? result->code : "internal";
    apr_pool_t *pool = problem->r->pool;
    bool texts = problem->x.server->templates != NULL;
    const char *title =
        texts ? text_of(problem, "_heading") : ap_get_status_line(problem->status);
    const char *detail =
        result->message && sb_utf8_valid(result->message, strlen(result->message))
            ? result->message
        : texts ? text_of(problem, "")
                : title;
    json_t *links = links_of(problem);
    json_t *document = json_pack(
        "{s:s, s:s, s:i, s:s, s:s}", "type", apr_pstrcat(pool, TYPE_PREFIX, code, NULL),
        "title", title, "status", problem->status, "detail", detail, "code", code);

    sb_service_own(document, pool);
    if (is_reason(code)) {
        json_object_set_new(document, "reason", json_string(code));
    }
    if (result->hint) {
        json_object_set_new(document, "hint", json_string(result->hint));
    }
    if (result->retry_after > 0) {
        json_object_set_new(document, "retry_after", json_integer(result->retry_after));
    }
    if (json_object_size(links)) {
        json_object_set(document, "links", links);
    }
    json_decref(links);
    const char *text = document ? sb_json_dump(document, pool) : NULL;
    return text ? apr_pstrcat(pool, text, "\n", NULL) : "{}\n";
}

/* --- page ----------------------------------------------------------------------------------- */

static void action_add(json_t *actions, const problem_t *problem, const char *label,
                       const char *url)
{
    const sb_i18n_t *texts = sb_template_set_i18n(problem->x.server->templates);

    if (url) {
        json_array_append_new(
            actions, json_pack("{s:s, s:s, s:b}", "label",
                               sb_i18n_text(texts, problem->x.lang, label), "url", url,
                               "primary", json_array_size(actions) == 0));
    }
}

/* Who wants to buy and has a subscription already: the plans page leads to a change to each price. */
static bool is_subscribed(const problem_t *problem)
{
    const char *code = problem->result->code;

    return code && strcmp(code, "already_subscribed") == 0;
}

static json_t *actions_of(const problem_t *problem)
{
    const char *code = problem->result->code ? problem->result->code : "";
    const char *account = sb_page_link(problem->r, "account");
    const char *login = sb_page_login_link(&problem->x);
    const char *plans = problem->gate ? sb_page_plans_link(problem->r, code)
                                      : sb_page_link(problem->r, "plans");
    bool owes = strcmp(code, "past_due") == 0 || strcmp(code, "unpaid") == 0 ||
                strcmp(code, "incomplete") == 0 ||
                strcmp(code, "payment_incomplete") == 0 ||
                strcmp(code, "resumption_unpaid") == 0;
    bool held = strcmp(code, "paused") == 0 || strcmp(code, "disputed") == 0;
    json_t *actions = json_array();

    if (problem->status == HTTP_UNAUTHORIZED) {
        action_add(actions, problem, "action.login", login);
    }
    else if (is_subscribed(problem) && sb_page_link(problem->r, "change")) {
        action_add(actions, problem, "action.change", plans);
        action_add(actions, problem, "action.account", account);
    }
    else if (owes || problem->status == HTTP_CONFLICT || held) {
        action_add(actions, problem, owes ? "action.pay" : "action.account", account);
        action_add(actions, problem, "action.plans", plans);
    }
    else if (wants_more(code)) {
        action_add(actions, problem, "action.upgrade", plans);
        action_add(actions, problem, "action.account", account);
    }
    else if (problem->status < 500) {
        action_add(actions, problem, "action.plans", plans);
    }
    else if (problem->r->method_number == M_GET) {
        action_add(actions, problem, "action.retry", problem->r->unparsed_uri);
    }
    return actions;
}

/* Where there is no page for a change, whoever has a subscription already changes it in the portal, which opens by a
 * form only. */
static bool portal_offered(problem_t *problem)
{
    sb_result_t ignored;

    sb_result_clear(&ignored);
    return is_subscribed(problem) && !sb_page_link(problem->r, "change") &&
           problem->x.service && problem->x.user && sb_page_link(problem->r, "portal") &&
           sb_csrf_issue(&problem->x, &ignored) == SB_OK;
}

static const char *render_page(problem_t *problem)
{
    bool portal = portal_offered(problem);
    const char *heading = text_of(problem, "_heading");
    const sb_result_t *result = problem->result;
    json_t *context = sb_page_context(&problem->x, "page.error");
    const char *html;
    sb_result_t failure;

    sb_service_own(context, problem->r->pool);
    json_object_set_new(context, "title", json_string(heading));
    json_object_set_new(context, "status", json_integer(problem->status));
    json_object_set_new(context, "portal", json_boolean(portal));
    json_object_set_new(context, "heading", json_string(heading));
    json_object_set_new(context, "text", json_string(text_of(problem, "")));
    json_object_set_new(context, "hint", json_string(text_of(problem, "_hint")));
    json_object_set_new(context, "reason", json_string(result->code ? result->code : ""));
    json_object_set_new(context, "actions", actions_of(problem));
    if (result->status == SB_INVALID && result->message) {
        json_object_set_new(context, "detail", json_string(result->message));
    }
    sb_result_clear(&failure);
    if (sb_template_set_render(&html, &failure, problem->x.server->templates, "error",
                               problem->x.lang, context, problem->r->pool) != SB_OK) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, problem->r,
                      "SB121: the error page cannot be shown: %s", failure.message);
        return NULL;
    }
    return html;
}

/* --- both ----------------------------------------------------------------------------------- */

/* The body, its type, and the headers that go with it. */
static const char *render(request_rec *r, int status, const sb_result_t *result,
                          bool gate, const char **type)
{
    problem_t problem = {.r = r, .status = status, .result = result, .gate = gate};
    const char *body = NULL;
    sb_result_t ignored;

    /* A query string that cannot be read is no reason to say nothing. */
    sb_exchange_open(&problem.x, &ignored, r, "");
    if (problem.x.html && problem.x.server->templates) {
        body = render_page(&problem);
    }
    *type = body ? SB_TYPE_HTML : SB_TYPE_PROBLEM;
    sb_answer_headers(r, "no-store");
    if (body) {
        sb_answer_page_headers(r, problem.x.lang);
    }
    apr_table_mergen(r->headers_out, "Vary", "Accept, Accept-Language, Cookie");
    return body ? body : render_document(&problem);
}

const char *sb_problem_render(request_rec *r, const sb_result_t *result,
                              const char **type)
{
    return render(r, r->status, result, true, type);
}

int sb_problem_send_as(request_rec *r, int status, const sb_result_t *result)
{
    const char *type;
    const char *body = render(r, status, result, false, &type);

    if (result->retry_after > 0) {
        apr_table_setn(r->headers_out, "Retry-After",
                       apr_itoa(r->pool, result->retry_after));
    }
    else if (status == HTTP_SERVICE_UNAVAILABLE) {
        apr_table_setn(r->headers_out, "Retry-After", "5");
    }
    return sb_answer_send(r, status, type, body);
}

int sb_problem_send(request_rec *r, const sb_result_t *result)
{
    return sb_problem_send_as(r, sb_http_status(result->status), result);
}
