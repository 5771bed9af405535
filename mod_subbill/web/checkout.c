/* Licensed under the Apache License, Version 2.0; see LICENSE. */
/* POST checkout: from a plan's name to Stripe's page. What is bought and for how much is decided by the
 * catalogue; the request only names it (T10). */
#include "service/checkout.h"
#include "web/answer.h"
#include "web/handlers.h"
#include "web/params.h"
#include "web/problem.h"

#include <apr_strings.h>
#include <limits.h>

typedef struct order_t {
    const char *plan;
    const char *tier; /* the same, as others call it (E6) */
    const char *plan_type;
    const char *price;
    const char *interval;
    const char *currency;
    const char *success_url;
    const char *cancel_url;
    apr_int64_t plan_id;
    apr_int64_t quantity;
    apr_int64_t trial_days;
} order_t;

static const sb_param_t params[] = {
    {"plan", SB_PARAM_TEXT, offsetof(order_t, plan)},
    {"tier", SB_PARAM_TEXT, offsetof(order_t, tier)},
    {"plan_type", SB_PARAM_TEXT, offsetof(order_t, plan_type)},
    {"plan_id", SB_PARAM_INTEGER, offsetof(order_t, plan_id)},
    {"price", SB_PARAM_TEXT, offsetof(order_t, price)},
    {"interval", SB_PARAM_TEXT, offsetof(order_t, interval)},
    {"currency", SB_PARAM_TEXT, offsetof(order_t, currency)},
    {"quantity", SB_PARAM_INTEGER, offsetof(order_t, quantity)},
    {"trial_days", SB_PARAM_INTEGER, offsetof(order_t, trial_days)},
    {"success_url", SB_PARAM_TEXT, offsetof(order_t, success_url)},
    {"cancel_url", SB_PARAM_TEXT, offsetof(order_t, cancel_url)},
};

/* Names that contradict each other are refused: the buyer must get what he clicked on. */
static sb_status_e order_check(order_t *order, sb_result_t *result)
{
    if (order->tier && order->plan && strcmp(order->tier, order->plan) != 0) {
        return sb_result_set(result, SB_INVALID, "bad_request",
                             "\"plan\" and \"tier\" name different plans.", NULL);
    }
    order->plan = order->plan ? order->plan : order->tier;
    if (order->plan_type && strcmp(order->plan_type, "full") != 0) {
        return sb_result_set(result, SB_INVALID, "unknown_plan",
                             "There is no plan of this type.",
                             "\"plan_type\" is \"full\".");
    }
    if (order->plan_type && !order->plan_id) {
        return sb_result_set(result, SB_INVALID, "bad_request",
                             "\"plan_type\" needs a \"plan_id\".", NULL);
    }
    if (order->plan_id < 0 || order->plan_id > INT_MAX) {
        return sb_result_set(result, SB_INVALID, "unknown_plan",
                             "There is no plan with this number.", NULL);
    }
    if (order->trial_days < -1 || order->trial_days > INT_MAX) {
        return sb_result_set(result, SB_INVALID, "bad_trial",
                             "\"trial_days\" is not possible.", NULL);
    }
    return SB_OK;
}

/* Who turns back finds the plans again, and they still know where he was going. */
static const char *cancel_page(const sb_exchange_t *x, const char *success_url)
{
    const char *plans = sb_route_url(x->server, "plans", x->pool);

    return !plans        ? NULL
           : success_url ? apr_pstrcat(x->pool, plans, "?canceled=1&next=",
                                       sb_form_escape(success_url, x->pool), NULL)
                         : apr_pstrcat(x->pool, plans, "?canceled=1", NULL);
}

int sb_checkout_run(sb_exchange_t *x)
{
    order_t order = {.trial_days = -1, .quantity = 0};
    sb_checkout_answer_t answer = {0};
    sb_result_t result;

    sb_result_clear(&result);
    if (sb_params_read(&order, &result, x, params, sizeof(params) / sizeof(*params)) !=
            SB_OK ||
        order_check(&order, &result) != SB_OK) {
        return sb_problem_send(x->r, &result);
    }
    const sb_checkout_request_t request = {
        .user = x->user,
        .email = x->email,
        .price = order.price,
        .plan_id = (int)order.plan_id,
        .plan = order.plan,
        .interval = sb_param_interval(order.interval),
        .currency = order.currency,
        .quantity = order.quantity,
        .trial_days = (int)order.trial_days,
        .success_url = order.success_url,
        .cancel_url = order.cancel_url,
        .locale = x->lang,
        .return_page = sb_route_url(x->server, "return", x->pool),
        .cancel_page = cancel_page(x, order.success_url),
    };
    if (sb_checkout_start(&answer, &result, x->service, &request, x->pool) != SB_OK) {
        return sb_problem_send(x->r, &result);
    }
    if (sb_exchange_wants_redirect(x)) {
        return sb_exchange_see_other(x, answer.url);
    }
    return sb_exchange_json(x, HTTP_OK,
                            json_pack("{s:s, s:s}", "id", answer.id, "url", answer.url));
}
