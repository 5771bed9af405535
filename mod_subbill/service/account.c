/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "service/account.h"

#include "base/clock.h"
#include "service/access.h"
#include "service/invoices.h"
#include "store/accounts.h"
#include "store/customers.h"
#include "store/entitlements.h"
#include "store/subscriptions.h"
#include "store/trials.h"

#include <apr_strings.h>
#include <string.h>

enum { INVOICES_SHOWN = 12 };

typedef struct load_t {
    const sb_service_t *service;
    const char *user;
    sb_account_t *account;
    sb_customer_t *customer;
    sb_subscription_t *subs;
    int subs_n;
    sb_invoice_t *invoices;
    int invoices_n;
    sb_invoice_t *unpaid;
    int unpaid_n;
    const char *const *entitlements; /* those that Stripe keeps */
    int entitlements_n;
    sb_planned_t *planned;
    int planned_n;
    sb_membership_t *memberships;
    int memberships_n;
    sb_trial_t *trial;
} load_t;

static apr_status_t load(void *baton, sb_conn_t *conn, apr_pool_t *pool)
{
    load_t *load = baton;
    bool live = load->service->settings->live;
    apr_status_t rv = sb_trial_get(&load->trial, conn, load->user, live, pool);

    load->subs_n = load->invoices_n = load->entitlements_n = 0;
    load->planned_n = load->memberships_n = load->unpaid_n = 0;
    load->customer = NULL;
    load->account = NULL;
    if (rv == APR_SUCCESS) {
        rv = sb_account_get(&load->account, conn, load->user, pool);
    }
    if (rv != APR_SUCCESS || !load->account) {
        return rv;
    }
    rv = sb_customer_by_user(&load->customer, conn, load->user, live, pool);
    if (rv == APR_SUCCESS) {
        rv = sb_subscription_list(&load->subs, &load->subs_n, conn, load->user, live,
                                  pool);
    }
    if (rv == APR_SUCCESS) {
        rv = sb_invoice_list(&load->invoices, &load->invoices_n, conn, load->user, live,
                             INVOICES_SHOWN, pool);
    }
    if (rv == APR_SUCCESS) {
        rv = sb_invoice_unpaid(&load->unpaid, &load->unpaid_n, conn, load->user, live,
                               INVOICES_SHOWN, pool);
    }
    if (rv == APR_SUCCESS) {
        rv = sb_entitlement_of_user(&load->entitlements, &load->entitlements_n, conn,
                                    load->user, live, pool);
    }
    if (rv == APR_SUCCESS) {
        rv = sb_planned_list(&load->planned, &load->planned_n, conn, load->user, live,
                             pool);
    }
    return rv == APR_SUCCESS
               ? sb_membership_list(&load->memberships, &load->memberships_n, conn,
                                    load->user, pool)
               : rv;
}

/* --- what is held --------------------------------------------------------------------------- */

static const sb_invoice_t *unpaid_of(const load_t *load, const sb_subscription_t *sub)
{
    bool waits = sub->status == SB_STATUS_PAST_DUE || sub->status == SB_STATUS_UNPAID ||
                 sub->status == SB_STATUS_INCOMPLETE;

    /* The bill of an upgrade leaves the subscription active until it is paid, that of a resumption paused. */
    bool may_wait = sub->status == SB_STATUS_ACTIVE || sub->status == SB_STATUS_PAUSED;

    for (int i = 0; i < load->unpaid_n; i++) {
        const sb_invoice_t *invoice = &load->unpaid[i];
        if (invoice->subscription
                ? (waits || may_wait) && strcmp(invoice->subscription, sub->id) == 0
                : waits) {
            return invoice;
        }
    }
    return NULL;
}

static bool carried_out(const sb_planned_t *planned, const sb_subscription_t *sub)
{
    return sub->price && strcmp(planned->price, sub->price) == 0 &&
           planned->quantity == sub->quantity;
}

/* What has been carried out, or was to be by now, is no plan any more. */
static const sb_planned_t *planned_of(const load_t *load, const sb_subscription_t *sub,
                                      apr_int64_t now)
{
    for (int i = 0; i < load->planned_n; i++) {
        const sb_planned_t *planned = &load->planned[i];
        if (strcmp(planned->subscription, sub->id) == 0) {
            return planned->effective_at > now && !carried_out(planned, sub) &&
                           !sb_subscription_status_final(sub->status)
                       ? planned
                       : NULL;
        }
    }
    return NULL;
}

static sb_held_t held_of(const load_t *load, const sb_subscription_t *sub,
                         apr_int64_t now, int grace_days)
{
    const sb_catalog_t *catalog = load->service->catalog;
    int plan = sb_access_plan(catalog, sub);
    sb_standing_t standing = sb_subscription_standing(sub, NULL);

    sb_access_pause(&standing, catalog, plan, sub->pause_collection);
    return (sb_held_t){
        .sub = sub,
        .plan = sb_catalog_plan_at(catalog, plan),
        .price = sub->price ? sb_catalog_price_by_id(catalog, sub->price, sub->livemode)
                            : NULL,
        .access = sb_standing_access(&standing, now, grace_days),
        .ends_at = sb_subscription_ends_at(sub),
        .days_remaining = sb_subscription_days_remaining(sub, now),
        .unpaid = unpaid_of(load, sub),
        .planned = planned_of(load, sub, now),
    };
}

/* Not over first; the rows come newest first and stay so. */
static void list_held(sb_account_view_t *view, const load_t *load, int grace_days,
                      apr_pool_t *pool)
{
    apr_int64_t now = sb_clock_now();
    sb_held_t *held = apr_pcalloc(pool, sizeof(*held) * ((apr_size_t)load->subs_n + 1));

    for (int over = 0; over <= 1; over++) {
        for (int i = 0; i < load->subs_n; i++) {
            const sb_subscription_t *sub = &load->subs[i];
            if (sb_subscription_status_final(sub->status) == (over == 1)) {
                held[view->held_n++] = held_of(load, sub, now, grace_days);
            }
        }
    }
    view->held = held;
}

/* The one to tell about: of those that open, the highest rank; else the first, which is the newest
 * that is not over, if there is any. */
static const sb_held_t *main_of(const sb_account_view_t *view)
{
    const sb_held_t *best = NULL;

    for (int i = 0; i < view->held_n; i++) {
        const sb_held_t *held = &view->held[i];
        if (!held->access.granted || !held->plan) {
            continue;
        }
        if (!best || held->plan->rank > best->plan->rank) {
            best = held;
        }
    }
    return best || view->held_n == 0 ? best : &view->held[0];
}

static void grant_add(apr_array_header_t *grants, const sb_catalog_t *catalog, int plan,
                      const sb_subscription_t *sub, const sb_subscription_item_t *item)
{
    sb_grant_t *grant = apr_array_push(grants);

    *grant = (sb_grant_t){.plan = plan, .standing = sb_subscription_standing(sub, item)};
    sb_access_pause(&grant->standing, catalog, plan, sub->pause_collection);
}

/* What the gate sees: every item opens its plan until its own end. */
static sb_holding_t holding_of(const sb_account_view_t *view, const sb_catalog_t *catalog,
                               int grace_days, apr_pool_t *pool)
{
    apr_array_header_t *grants =
        apr_array_make(pool, view->held_n + 1, sizeof(sb_grant_t));

    for (int i = 0; i < view->held_n; i++) {
        const sb_held_t *held = &view->held[i];
        const sb_subscription_t *sub = held->sub;
        bool led = false;
        for (int k = 0; k < sub->items_n; k++) {
            const sb_subscription_item_t *item = &sub->items[k];
            int plan = sb_access_item_plan(catalog, sub, item);
            bool leading = sub->price && item->price && !strcmp(item->price, sub->price);
            led = led || leading;
            if (plan >= 0 || leading) {
                grant_add(grants, catalog, plan, sub, item);
            }
        }
        if (!led) {
            grant_add(grants, catalog, held->plan ? held->plan->index : -1, sub, NULL);
        }
    }
    const sb_snapshot_t snapshot = {.account_known = view->known,
                                    .grants = (const sb_grant_t *)grants->elts,
                                    .n = grants->nelts};
    return sb_entitlement_hold(catalog, &snapshot, sb_clock_now(), grace_days);
}

sb_status_e sb_account_load(sb_account_view_t **view, sb_result_t *result,
                            sb_service_t *service, const char *user, int grace_days,
                            apr_pool_t *pool)
{
    load_t work = {.service = service, .user = user};
    sb_status_e status =
        sb_db_snapshot(service->db, SB_DEADLINE_PAGE, load, &work, result, pool);

    *view = NULL;
    if (status != SB_OK) {
        return status;
    }
    sb_account_view_t *made = apr_pcalloc(pool, sizeof(*made));
    made->user = apr_pstrdup(pool, user);
    made->known = work.account != NULL;
    made->email = work.account ? work.account->email : NULL;
    made->customer = work.customer ? work.customer->id : NULL;
    made->invoices = work.invoices;
    made->invoices_n = work.invoices_n;
    made->entitlements = work.entitlements;
    made->entitlements_n = work.entitlements_n;
    made->memberships = work.memberships;
    made->memberships_n = work.memberships_n;
    made->had_trial = work.trial != NULL;
    made->trial = work.trial;
    list_held(made, &work, grace_days, pool);
    made->main = main_of(made);
    made->holding = holding_of(made, service->catalog, grace_days, pool);
    *view = made;
    return SB_OK;
}

apr_int64_t sb_account_member_since(const sb_account_view_t *view, const char *plan)
{
    for (int i = 0; i < view->memberships_n; i++) {
        if (strcmp(view->memberships[i].plan, plan) == 0) {
            return view->memberships[i].since;
        }
    }
    return 0;
}

/* --- GET subscription ----------------------------------------------------------------------- */

static json_t *text_or_null(const char *text)
{
    return text ? json_string(text) : json_null();
}

static json_t *time_or_null(apr_int64_t time)
{
    return time > 0 ? json_integer((json_int_t)time) : json_null();
}

static void entitlement_add(json_t *list, json_t *seen, const char *key)
{
    if (!json_object_get(seen, key)) {
        json_object_set_new(seen, key, json_true());
        json_array_append_new(list, json_string(key));
    }
}

/* What the plans held bring by the catalogue, then what Stripe keeps besides for whoever pays: as the gate
 * sees it. */
static json_t *entitlements(const sb_account_view_t *view, const sb_catalog_t *catalog)
{
    json_t *list = json_array();
    json_t *seen = json_object();

    for (int i = 0; i < catalog->plans_n; i++) {
        const sb_catalog_plan_t *plan = &catalog->plans[i];
        for (int e = 0; view->holding.plans >> i & 1 && e < plan->entitlements_n; e++) {
            entitlement_add(list, seen, plan->entitlements[e]);
        }
    }
    for (int i = 0; view->holding.paid && i < view->entitlements_n; i++) {
        entitlement_add(list, seen, view->entitlements[i]);
    }
    json_decref(seen);
    return list;
}

static const sb_catalog_plan_t *plan_told(const sb_account_view_t *view,
                                          const sb_catalog_t *catalog)
{
    const sb_catalog_plan_t *best = sb_catalog_plan_at(catalog, view->holding.best);

    return best || !view->main ? best : view->main->plan;
}

static apr_int64_t since(const sb_account_view_t *view, const sb_catalog_plan_t *plan)
{
    if (plan && plan->free) {
        return sb_account_member_since(view, plan->key);
    }
    return view->main ? view->main->sub->created : 0;
}

static json_t *planned_json(const sb_planned_t *planned)
{
    return planned ? json_pack("{s:s?, s:s, s:I, s:I}", "plan", planned->plan, "price",
                               planned->price, "quantity", (json_int_t)planned->quantity,
                               "effective_at", (json_int_t)planned->effective_at)
                   : json_null();
}

/* What a person may do about the own subscription. */
static void add_own(json_t *json, const sb_account_view_t *view,
                    const sb_catalog_plan_t *plan)
{
    const sb_held_t *held = view->main;
    const char *pay = held && held->unpaid ? held->unpaid->hosted_url : NULL;

    json_object_set_new(json, "free", json_boolean(plan && plan->free));
    json_object_set_new(json, "since", time_or_null(since(view, plan)));
    json_object_set_new(json, "subscription", text_or_null(held ? held->sub->id : NULL));
    json_object_set_new(json, "quantity",
                        held ? json_integer((json_int_t)held->sub->quantity)
                             : json_null());
    json_object_set_new(json, "pay_url", sb_invoice_link(pay));
    json_object_set_new(json, "planned", planned_json(held ? held->planned : NULL));
}

json_t *sb_account_json(const sb_account_view_t *view, const sb_catalog_t *catalog,
                        apr_pool_t *pool)
{
    static const sb_subscription_t nothing = {.id = NULL};
    static const sb_requirement_t any = {.any = true};
    const sb_subscription_t *sub = view->main ? view->main->sub : &nothing;
    sb_verdict_t verdict = sb_entitlement_check(catalog, &view->holding, &any);
    const sb_catalog_plan_t *plan = plan_told(view, catalog);
    json_t *json = json_object();

    json_object_set_new(json, "user", json_string(view->user));
    json_object_set_new(json, "active", json_boolean(verdict.granted));
    json_object_set_new(json, "plan", text_or_null(plan ? plan->key : NULL));
    json_object_set_new(json, "status", text_or_null(sub->status_text));
    json_object_set_new(json, "reason", json_string(sb_reason_word(verdict.reason)));
    json_object_set_new(json, "price", text_or_null(sub->price));
    json_object_set_new(json, "currency", text_or_null(sub->currency));
    json_object_set_new(json, "interval", text_or_null(sub->interval));
    json_object_set_new(json, "current_period_start",
                        time_or_null(sub->current_period_start));
    json_object_set_new(json, "current_period_end",
                        time_or_null(sub->current_period_end));
    json_object_set_new(
        json, "cancel_at",
        time_or_null(view->main && !sub->ended_at ? view->main->ends_at : 0));
    json_object_set_new(json, "trial_end", time_or_null(sub->trial_end));
    json_object_set_new(json, "days_remaining",
                        view->main ? json_integer(view->main->days_remaining)
                                   : json_null());
    json_object_set_new(json, "entitlements", entitlements(view, catalog));
    add_own(json, view, plan);
    return sb_service_own(json, pool);
}
