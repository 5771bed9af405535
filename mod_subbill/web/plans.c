/* Licensed under the Apache License, Version 2.0; see LICENSE. */
/* GET plans: what is for sale, to anybody. Whoever is known sees which plan is theirs; when that
 * cannot be found out the page is shown without it, for the shop window must not depend on the
 * database. */
#include "base/clock.h"
#include "domain/return_url.h"
#include "service/access.h"
#include "service/invoices.h"
#include "service/membership.h"
#include "service/plans.h"
#include "text/money.h"
#include "web/answer.h"
#include "web/csrf.h"
#include "web/handlers.h"
#include "web/pages.h"

#include <apr_strings.h>
#include <http_core.h>

/* What the viewer has in one group of plans. */
typedef struct standing_t {
    const sb_catalog_plan_t *current; /* the best plan held, or NULL */
    const sb_catalog_plan_t
        *subscribed; /* bought, whether or not it opens now, or NULL */
    const sb_subscription_t
        *running; /* the subscription that could be changed, or NULL */
    bool had_trial;
} standing_t;

/* --- the viewer ----------------------------------------------------------------------------- */

/* NULL when nobody is known, or nothing about them. Whoever is here for the first time is written down. */
static const sb_account_view_t *viewer(const sb_exchange_t *x)
{
    int grace = sb_dir_of(x->r)->grace_days;
    sb_account_view_t *view = NULL;
    sb_result_t result;

    sb_result_clear(&result);
    if (!x->user || sb_account_load(&view, &result, x->service, x->user,
                                    grace > 0 ? grace : 0, x->pool) != SB_OK) {
        return NULL;
    }
    if (sb_membership_missing(view, x->server->catalog)) {
        sb_membership_activate(&result, x->service, x->user, x->email, x->pool);
    }
    return view;
}

/* A subscription that waits for money or rests is still one: a second is not sold (409). */
static bool is_subscribed(const sb_holding_t *holding, const sb_catalog_plan_t *plan)
{
    sb_reason_e why = holding->why[plan->index];

    return (holding->paid >> plan->index & 1) || why == SB_REASON_PAST_DUE ||
           why == SB_REASON_UNPAID || why == SB_REASON_PAUSED ||
           why == SB_REASON_DISPUTED;
}

static const sb_subscription_t *running_in(const sb_catalog_t *catalog,
                                           const sb_account_view_t *view,
                                           const char *group)
{
    for (int i = 0; i < view->held_n; i++) {
        const sb_subscription_t *sub = view->held[i].sub;
        if (!sb_subscription_status_final(sub->status) &&
            sb_access_in_group(catalog, sub, group)) {
            return sub;
        }
    }
    return NULL;
}

static standing_t standing_in(const sb_catalog_t *catalog, const sb_account_view_t *view,
                              const char *group)
{
    standing_t standing = {.had_trial = view && view->had_trial};

    for (int i = 0; view && i < catalog->plans_n; i++) {
        const sb_catalog_plan_t *plan = &catalog->plans[i];
        if (strcmp(plan->group, group) != 0) {
            continue;
        }
        if ((view->holding.plans >> i & 1) &&
            (!standing.current || plan->rank > standing.current->rank)) {
            standing.current = plan;
        }
        if (is_subscribed(&view->holding, plan)) {
            standing.subscribed = plan;
        }
    }
    if (standing.subscribed) {
        standing.running = running_in(catalog, view, group);
    }
    return standing;
}

/* --- the page ------------------------------------------------------------------------------- */

static json_t *text_or_null(const sb_text_t *text, const char *lang)
{
    const char *found = sb_catalog_text(text, lang);

    return found ? json_string(found) : json_null();
}

/* Where whoever has a plan of this group changes to this price; NULL: there is nothing to change. */
static const char *switch_url(const sb_exchange_t *x, const sb_catalog_plan_t *plan,
                              const sb_catalog_price_t *price, const standing_t *standing)
{
    const char *change = sb_page_link(x->r, "change");
    const char *id = sb_catalog_price_id(price, x->server->settings->live);

    if (!change || !standing->running ||
        (standing->running->currency &&
         strcmp(standing->running->currency, price->currency) != 0)) {
        return NULL;
    }
    bool same =
        id && standing->running->price && strcmp(id, standing->running->price) == 0;
    if (same && !plan->seats_min) {
        return NULL;
    }
    return apr_pstrcat(x->pool, change, "?plan=", sb_form_escape(plan->key, x->pool),
                       "&price=", sb_form_escape(id ? id : price->lookup_key, x->pool),
                       NULL);
}

static json_t *price_of(const sb_exchange_t *x, const sb_catalog_plan_t *plan,
                        const sb_catalog_price_t *price, const standing_t *standing)
{
    const char *url = switch_url(x, plan, price, standing);
    const char *id = sb_catalog_price_id(price, x->server->settings->live);
    const char *label = plan->trial_days && !standing->had_trial ? "checkout.trial"
                        : price->interval_count != 1
                            ? "checkout.other"
                            : apr_pstrcat(x->pool, "checkout.", price->interval, NULL);

    return json_pack(
        "{s:s?, s:s, s:s, s:s, s:s, s:s, s:s?}", "price_ref", id ? id : price->lookup_key,
        "interval", price->interval, "currency", price->currency, "interval_text",
        sb_page_interval(x, price->interval, price->interval_count), "amount_text",
        sb_money_format(price->amount, price->currency, x->lang, x->pool),
        "checkout_label", sb_exchange_text(x, label), "switch_url", url);
}

/* All prices, or those in one currency where ?currency= names one that the plan has. */
static json_t *prices_of(const sb_exchange_t *x, const sb_catalog_plan_t *plan,
                         const standing_t *standing)
{
    const char *currency = sb_exchange_query(x, "currency");
    json_t *prices = json_array();

    if (currency && !sb_catalog_price_of(plan, NULL, currency)) {
        currency = NULL;
    }
    for (int i = 0; i < plan->prices_n; i++) {
        if (!currency || strcmp(plan->prices[i].currency, currency) == 0) {
            json_array_append_new(prices, price_of(x, plan, &plan->prices[i], standing));
        }
    }
    return prices;
}

static json_t *features_of(const sb_exchange_t *x, const sb_catalog_plan_t *plan)
{
    json_t *features = json_array();

    for (int i = 0; i < plan->features_n; i++) {
        json_array_append_new(features, text_or_null(&plan->features[i], x->lang));
    }
    return features;
}

static const char *trial_text(const sb_exchange_t *x, const sb_catalog_plan_t *plan)
{
    json_t *args = sb_service_own(json_pack("{s:i}", "count", plan->trial_days), x->pool);

    return sb_i18n_format(sb_template_set_i18n(x->server->templates), x->lang,
                          "plans.trial", args, x->pool);
}

static json_t *plan_of(const sb_exchange_t *x, const sb_catalog_plan_t *plan,
                       const standing_t *standing)
{
    bool current = standing->current == plan || standing->subscribed == plan;
    bool for_sale = plan->prices_n && !plan->free && !plan->contact;
    const sb_catalog_plan_t *held =
        standing->subscribed ? standing->subscribed : standing->current;
    json_t *prices = prices_of(x, plan, standing);
    json_t *entry = json_object();

    json_object_set_new(entry, "plan", json_string(plan->key));
    json_object_set_new(entry, "name", text_or_null(&plan->name, x->lang));
    json_object_set_new(entry, "description", text_or_null(&plan->description, x->lang));
    json_object_set_new(entry, "features", features_of(x, plan));
    json_object_set_new(entry, "free", json_boolean(plan->free));
    json_object_set_new(entry, "early_access", json_boolean(plan->early_access));
    json_object_set_new(entry, "current", json_boolean(current));
    json_object_set_new(entry, "too_low",
                        json_boolean(held && !current && plan->rank < held->rank));
    json_object_set_new(entry, "contact",
                        plan->contact ? json_string(plan->contact) : json_null());
    json_object_set_new(entry, "trial_text",
                        plan->trial_days && !standing->subscribed && !standing->had_trial
                            ? json_string(trial_text(x, plan))
                            : json_null());
    json_object_set_new(entry, "has_prices",
                        json_boolean(for_sale && json_array_size(prices)));
    json_object_set_new(entry, "prices", prices);
    json_object_set_new(entry, "portal_change",
                        json_boolean(for_sale && standing->running &&
                                     !sb_page_link(x->r, "change") &&
                                     sb_page_link(x->r, "portal")));
    json_object_set_new(entry, "buyable",
                        json_boolean(for_sale && !standing->subscribed));
    return entry;
}

static json_t *group_of(const sb_exchange_t *x, const sb_account_view_t *view,
                        const char *group)
{
    const sb_catalog_t *catalog = x->server->catalog;
    standing_t standing = standing_in(catalog, view, group);
    json_t *plans = json_array();

    for (int i = 0; i < catalog->plans_n; i++) {
        const sb_catalog_plan_t *plan = &catalog->plans[i];
        if (strcmp(plan->group, group) == 0 &&
            (!plan->hidden || plan == standing.subscribed)) {
            json_array_append_new(plans, plan_of(x, plan, &standing));
        }
    }
    return json_pack("{s:s, s:b, s:o}", "group", group, "many",
                     json_array_size(plans) > 1, "plans", plans);
}

/* Groups in the order in which the catalogue first names them. */
static json_t *groups_of(const sb_exchange_t *x, const sb_account_view_t *view)
{
    const sb_catalog_t *catalog = x->server->catalog;
    json_t *groups = json_array();

    for (int i = 0; i < catalog->plans_n; i++) {
        const char *group = catalog->plans[i].group;
        bool seen = false;
        for (int k = 0; k < i && !seen; k++) {
            seen = strcmp(catalog->plans[k].group, group) == 0;
        }
        if (seen) {
            continue;
        }
        json_t *entry = group_of(x, view, group);
        if (json_array_size(json_object_get(entry, "plans"))) {
            json_array_append_new(groups, entry);
        }
        else {
            json_decref(entry);
        }
    }
    return groups;
}

static json_t *notice_of(const sb_exchange_t *x, const char *kind, const char *title,
                         const char *text)
{
    return json_pack("{s:s, s:s, s:s}", "kind", kind, "title", sb_exchange_text(x, title),
                     "text", sb_exchange_text(x, text));
}

/* Whoever has a subscription is led to what is wrong with it: to the invoice that waits, else to the account. */
static void way_out_add(json_t *notice, const sb_exchange_t *x,
                        const sb_account_view_t *view, const char *reason)
{
    const sb_i18n_t *texts = sb_template_set_i18n(x->server->templates);
    const char *hint = apr_pstrcat(x->pool, "reason_hint.", reason, NULL);
    const char *account = sb_page_link(x->r, "account");
    const sb_held_t *held = view ? view->main : NULL;

    if (!held || sb_subscription_status_final(held->sub->status) || !account) {
        return;
    }
    json_t *pay = sb_invoice_link(held->unpaid ? held->unpaid->hosted_url : NULL);
    bool pays = json_is_string(pay);
    json_object_set_new(notice, "way_out", pays ? pay : json_string(account));
    json_object_set_new(
        notice, "way_out_label",
        json_string(sb_exchange_text(x, pays ? "action.pay" : "action.account")));
    if (sb_i18n_has(texts, hint)) {
        json_object_set_new(notice, "hint", json_string(sb_exchange_text(x, hint)));
    }
}

/* Why somebody is here: words of the gate, or the way back from Stripe's page. */
static json_t *notice(const sb_exchange_t *x, const sb_account_view_t *view)
{
    const char *reason = sb_exchange_query(x, "reason");
    const sb_i18n_t *texts = sb_template_set_i18n(x->server->templates);

    if (sb_exchange_query(x, "canceled")) {
        return notice_of(x, "info", "plans.canceled_title", "plans.canceled_text");
    }
    if (!reason || strlen(reason) > 40) {
        return json_null();
    }
    if (strcmp(reason, "plan_too_low") == 0) {
        return notice_of(x, "info", "plans.upgrade_title", "plans.upgrade_text");
    }
    if (strcmp(reason, "no_account") == 0 || strcmp(reason, "no_subscription") == 0) {
        return notice_of(x, "info", "plans.required_title", "plans.required_text");
    }
    const char *text = apr_pstrcat(x->pool, "reason.", reason, NULL);
    const char *title = apr_pstrcat(x->pool, "reason_heading.", reason, NULL);
    if (!sb_i18n_has(texts, text) || !sb_i18n_has(texts, title)) {
        return json_null();
    }
    json_t *why = notice_of(x, "warning", title, text);
    way_out_add(why, x, view, reason);
    return why;
}

/* The way back that the gate wrote into the address, if it is one we would take. */
static json_t *way_back(const sb_exchange_t *x)
{
    const sb_settings_t *settings = x->server->settings;
    const char *next = sb_exchange_query(x, "next");
    sb_result_t result;
    const char *url;

    sb_result_clear(&result);
    return next && sb_return_url_check(&url, &result, next, settings->base_url,
                                       (const char *const *)settings->return_urls->elts,
                                       settings->return_urls->nelts, x->pool) == SB_OK
               ? json_string(url)
               : json_null();
}

static int page(sb_exchange_t *x, const sb_account_view_t *view)
{
    sb_result_t result;

    sb_result_clear(&result);
    bool can_buy = x->user && sb_csrf_issue(x, &result) == SB_OK;
    json_t *context = sb_page_context(x, "plans.title");

    json_object_set_new(context, "groups", groups_of(x, view));
    json_object_set_new(context, "notice", notice(x, view));
    json_object_set_new(context, "next", way_back(x));
    json_object_set_new(context, "can_buy", json_boolean(can_buy));
    json_object_set_new(context, "login_hint_text",
                        x->user ? json_null()
                                : json_string(sb_exchange_text(x, "plans.login_hint")));
    return sb_page_send(x, HTTP_OK, "plans", "private, no-cache", context);
}

/* --- the document --------------------------------------------------------------------------- */

static void current_mark(json_t *plans, const sb_catalog_t *catalog,
                         const sb_account_view_t *view)
{
    size_t i;
    json_t *entry;

    json_array_foreach(plans, i, entry)
    {
        const sb_catalog_plan_t *plan =
            sb_catalog_plan(catalog, sb_json_text(entry, "plan"));
        standing_t standing = standing_in(catalog, view, plan ? plan->group : "");
        bool current = plan && (standing.current == plan || standing.subscribed == plan);
        json_object_set_new(entry, "current", json_boolean(current));
        if (standing.had_trial) {
            json_object_set_new(entry, "trial_days", json_integer(0));
        }
    }
}

static int document(sb_exchange_t *x, const sb_account_view_t *view)
{
    json_t *answer = sb_plans_json(x->service, x->lang, x->pool);

    if (view) {
        current_mark(json_object_get(answer, "plans"), x->server->catalog, view);
    }
    apr_table_mergen(x->r->headers_out, "Vary", "Accept, Accept-Language, Cookie");
    return sb_exchange_json_cached(x, "private, no-cache", json_incref(answer));
}

int sb_plans_run(sb_exchange_t *x)
{
    if (sb_exchange_query(x, "login") && x->html && !x->user && ap_auth_type(x->r)) {
        int status = sb_exchange_login(x);
        if (status != OK) {
            return status;
        }
    }
    const sb_account_view_t *view = viewer(x);
    return x->html ? page(x, view) : document(x, view);
}
