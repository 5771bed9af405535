/* Licensed under the Apache License, Version 2.0; see LICENSE. */
/* subscription/change: GET shows what another plan, interval or number of seats comes to, and what is due today; POST
 * does it. The page's form repeats exactly what was shown, by the price's own id. */
#include "base/clock.h"
#include "service/change.h"
#include "text/money.h"
#include "web/csrf.h"
#include "web/handlers.h"
#include "web/lifecycle.h"
#include "web/pages.h"
#include "web/params.h"
#include "web/problem.h"

#include <apr_strings.h>
#include <string.h>

typedef struct wish_t {
    const char *subscription;
    const char *plan;
    const char *interval;
    const char *price;
    apr_int64_t quantity;
    apr_int64_t proration_date;
    bool preview;
} wish_t;

static const sb_param_t params[] = {
    {"subscription", SB_PARAM_TEXT, offsetof(wish_t, subscription)},
    {"plan", SB_PARAM_TEXT, offsetof(wish_t, plan)},
    {"interval", SB_PARAM_TEXT, offsetof(wish_t, interval)},
    {"price", SB_PARAM_TEXT, offsetof(wish_t, price)},
    {"quantity", SB_PARAM_INTEGER, offsetof(wish_t, quantity)},
    {"proration_date", SB_PARAM_INTEGER, offsetof(wish_t, proration_date)},
    {"preview", SB_PARAM_BOOLEAN, offsetof(wish_t, preview)},
};
enum { PARAMS = sizeof(params) / sizeof(*params) };

/* --- the document ----------------------------------------------------------------------------- */

static int document(sb_exchange_t *x, const sb_change_t *change)
{
    return sb_exchange_json(
        x, HTTP_OK,
        json_pack("{s:I, s:s, s:I, s:I, s:s, s:s, s:s?, s:I, s:o}", "amount_due_now",
                  (json_int_t)change->amount_due_now, "currency", change->currency,
                  "proration", (json_int_t)change->proration, "effective_at",
                  (json_int_t)change->effective_at, "change",
                  sb_change_word(change->kind), "plan", change->to->key, "price",
                  sb_catalog_price_id(change->price, x->server->settings->live),
                  "quantity", (json_int_t)change->quantity, "proration_date",
                  change->proration_date
                      ? json_integer((json_int_t)change->proration_date)
                      : json_null()));
}

/* --- the page --------------------------------------------------------------------------------- */

static const char *text_with(const sb_exchange_t *x, const char *key, const char *name,
                             const char *value)
{
    json_t *args = sb_service_own(json_pack("{s:s}", name, value), x->pool);

    return sb_i18n_format(sb_template_set_i18n(x->server->templates), x->lang, key, args,
                          x->pool);
}

static void fact_add(json_t *facts, const sb_exchange_t *x, const char *label,
                     const char *value)
{
    json_array_append_new(facts, json_pack("{s:s, s:s}", "label",
                                           sb_exchange_text(x, label), "value", value));
}

static const char *plan_name(const sb_exchange_t *x, const sb_catalog_plan_t *plan)
{
    const char *name = plan ? sb_catalog_text(&plan->name, x->lang) : NULL;

    return name ? name : "–";
}

static const char *price_text(const sb_exchange_t *x, const sb_catalog_price_t *price,
                              apr_int64_t amount)
{
    return apr_pstrcat(x->pool,
                       sb_money_format(amount, price->currency, x->lang, x->pool), " ",
                       sb_page_interval(x, price->interval, price->interval_count), NULL);
}

static const char *planned_text(const sb_exchange_t *x, const sb_planned_t *planned)
{
    const sb_catalog_plan_t *plan =
        planned->plan ? sb_catalog_plan(x->server->catalog, planned->plan) : NULL;

    return apr_pstrcat(x->pool, plan_name(x, plan), ", ",
                       sb_date_format(planned->effective_at, x->lang, x->pool), NULL);
}

static json_t *facts_of(const sb_exchange_t *x, const sb_change_t *change)
{
    const sb_catalog_price_t *price = change->price;
    json_t *facts = json_array();

    if (change->from != change->to) {
        fact_add(facts, x, "change.from", plan_name(x, change->from));
        fact_add(facts, x, "change.to", plan_name(x, change->to));
    }
    if (price->amount >= 0) {
        fact_add(facts, x, "change.price", price_text(x, price, price->amount));
    }
    if (change->to->seats_min || change->quantity != 1) {
        fact_add(facts, x, "change.seats",
                 apr_psprintf(x->pool, "%" APR_INT64_T_FMT, change->quantity));
    }
    if (change->quantity != 1 && price->amount >= 0) {
        fact_add(facts, x, "change.total",
                 price_text(x, price, price->amount * change->quantity));
    }
    if (change->kind == SB_CHANGE_NONE) {
        return facts;
    }
    fact_add(facts, x, "change.when",
             change->now ? sb_exchange_text(x, "change.at_once")
                         : sb_date_format(change->effective_at, x->lang, x->pool));
    if (change->drops) {
        fact_add(facts, x, "change.drops", planned_text(x, change->drops));
    }
    fact_add(facts, x, "change.due_today",
             sb_money_format(change->amount_due_now, change->currency, x->lang, x->pool));
    return facts;
}

static const char *explanation(const sb_exchange_t *x, const sb_change_t *change)
{
    if (change->kind == SB_CHANGE_NONE) {
        return sb_exchange_text(x, "change.same_text");
    }
    if (!change->now) {
        return text_with(x, "change.later_text", "date",
                         sb_date_format(change->effective_at, x->lang, x->pool));
    }
    if (change->ends_trial) {
        return sb_exchange_text(x, "change.trial_text");
    }
    return sb_exchange_text(x, change->amount_due_now > 0 ? "change.now_text"
                                                          : "change.free_text");
}

/* NULL: nothing is to be done. */
static const char *button(const sb_exchange_t *x, const sb_change_t *change)
{
    if (change->kind == SB_CHANGE_NONE) {
        return NULL;
    }
    return change->now && change->amount_due_now > 0
               ? text_with(x, "change.pay_button", "amount",
                           sb_money_format(change->amount_due_now, change->currency,
                                           x->lang, x->pool))
               : sb_exchange_text(x,
                                  change->now ? "change.button" : "change.plan_button");
}

static json_t *seats_of(const sb_change_t *change)
{
    return change->to->seats_min
               ? json_pack("{s:i, s:i, s:I}", "min", change->to->seats_min, "max",
                           change->to->seats_max, "quantity",
                           (json_int_t)change->quantity)
               : json_null();
}

static int page(sb_exchange_t *x, const sb_change_t *change, const wish_t *wish)
{
    const char *id = sb_catalog_price_id(change->price, x->server->settings->live);
    const char *text = button(x, change);
    const char *heading =
        change->kind == SB_CHANGE_NONE
            ? sb_exchange_text(x, "change.title")
            : text_with(x, "change.heading", "plan", plan_name(x, change->to));
    sb_result_t result;

    sb_result_clear(&result);
    if (sb_csrf_issue(x, &result) != SB_OK) {
        return sb_problem_send(x->r, &result);
    }
    json_t *context = sb_page_context(x, "change.title");
    json_object_set_new(context, "heading", json_string(heading));
    json_object_set_new(context, "facts", facts_of(x, change));
    json_object_set_new(context, "text", json_string(explanation(x, change)));
    json_object_set_new(context, "button", text ? json_string(text) : json_null());
    if (!change->own_price) {
        json_object_set_new(context, "plan", json_string(change->to->key));
        json_object_set_new(context, "price",
                            json_string(id ? id : change->price->lookup_key));
    }
    json_object_set_new(context, "quantity", json_integer((json_int_t)change->quantity));
    json_object_set_new(context, "subscription",
                        wish->subscription ? json_string(wish->subscription)
                                           : json_null());
    if (change->proration_date) {
        json_object_set_new(context, "proration_date",
                            json_integer((json_int_t)change->proration_date));
    }
    json_object_set_new(context, "seats", seats_of(change));
    return sb_page_send(x, HTTP_OK, "change", "no-store", context);
}

/* --- both ------------------------------------------------------------------------------------- */

static int preview(sb_exchange_t *x, const sb_change_request_t *request,
                   const wish_t *wish)
{
    sb_change_t change;
    sb_result_t result;

    sb_result_clear(&result);
    sb_status_e status =
        sb_change_preview(&change, &result, x->service, request, x->pool);
    bool asked = x->html && x->r->method_number == M_GET;
    bool same = status != SB_OK && result.code && strcmp(result.code, "no_change") == 0;
    if (status != SB_OK && !(asked && same && change.to->seats_min)) {
        return sb_problem_send(x->r, &result);
    }
    return asked ? page(x, &change, wish) : document(x, &change);
}

int sb_change_run(sb_exchange_t *x)
{
    static const char *const done[] = {[SB_CHANGE_MADE] = "changed",
                                       [SB_CHANGE_PLANNED] = "planned",
                                       [SB_CHANGE_TAKEN_BACK] = "resumed"};
    bool get = x->r->method_number == M_GET;
    int grace = sb_dir_of(x->r)->grace_days;
    wish_t wish = {0};
    sb_change_t change;
    sb_result_t result;

    sb_result_clear(&result);
    if (sb_params_query(&wish, &result, x, params, PARAMS) != SB_OK ||
        sb_params_read(&wish, &result, x, params, PARAMS) != SB_OK) {
        return sb_problem_send(x->r, &result);
    }
    if (wish.quantity < 0) {
        sb_result_set(&result, SB_INVALID, "bad_quantity",
                      "The quantity must be at least 1.", NULL);
        return sb_problem_send(x->r, &result);
    }
    const sb_change_request_t request = {
        .user = x->user,
        .subscription = wish.subscription,
        .grace_days = grace > 0 ? grace : 0,
        .plan = wish.plan,
        .interval = sb_param_interval(wish.interval),
        .price = wish.price,
        .quantity = wish.quantity,
        .proration_date = wish.proration_date,
    };
    if (get || wish.preview) {
        return preview(x, &request, &wish);
    }
    if (sb_change_make(&change, &result, x->service, &request, x->pool) != SB_OK) {
        return sb_problem_send(x->r, &result);
    }
    return sb_lifecycle_answer(x, done[change.outcome]);
}
