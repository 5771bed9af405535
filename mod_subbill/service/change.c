/* Licensed under the Apache License, Version 2.0; see LICENSE. */
/* The catalogue decides what may be changed to, and when it takes effect; Stripe decides what it costs. A change
 * now is one call that is undone by itself when it is not paid for; a change at the end of the period is
 * a subscription schedule, which lets go of the subscription when it has done its work. */
#include "service/change.h"

#include "base/clock.h"
#include "service/access.h"
#include "service/act.h"
#include "service/offer.h"
#include "service/planned.h"
#include "stripe/invoices.h"
#include "stripe/prices.h"

#include <apr_strings.h>
#include <string.h>

enum {
    SECONDS_A_DAY = 86400,
    SKEW_SECONDS = 60, /* between the clocks of our hosts */
};

typedef struct work_t {
    sb_act_t act;
    sb_change_t change;
    sb_stripe_switch_t to;
    bool back; /* to what is running: drops what is planned */
} work_t;

/* --- what is wanted --------------------------------------------------------------------------- */

static sb_status_e other_group(sb_result_t *result)
{
    return sb_result_set(result, SB_INVALID, "other_group",
                         "This plan does not replace the one you have.",
                         "buy it beside it");
}

/* The plan that is named, which tells the group; NULL when none is. */
static sb_status_e plan_named(const sb_catalog_plan_t **plan, sb_result_t *result,
                              const sb_service_t *service,
                              const sb_change_request_t *request, apr_pool_t *pool)
{
    const sb_checkout_request_t wish = {.user = request->user,
                                        .plan = request->plan,
                                        .price = request->price,
                                        .quantity = 0,
                                        .trial_days = -1};
    sb_offer_t offer;

    *plan = NULL;
    if (!request->plan && !request->price) {
        return request->interval || request->quantity
                   ? SB_OK
                   : sb_result_set(result, SB_INVALID, "bad_request",
                                   "Name a plan, an interval, a price or a quantity.",
                                   NULL);
    }
    sb_status_e status = sb_offer_find(&offer, result, service, &wish, pool);
    *plan = status == SB_OK ? offer.plan : NULL;
    return status;
}

/* A subscription may stand for plans of several groups, by an item each: the one of the wanted group is changed. */
static bool item_take(work_t *work, const char *group)
{
    const sb_catalog_t *catalog = work->act.service->catalog;
    sb_subscription_t *sub = &work->act.now;

    for (int i = 0; i < sub->items_n; i++) {
        const sb_subscription_item_t *item = &sub->items[i];
        const sb_catalog_plan_t *plan =
            sb_catalog_plan_at(catalog, sb_access_item_plan(catalog, sub, item));
        if (!plan || strcmp(plan->group, group) != 0) {
            continue;
        }
        work->act.plan = plan;
        sub->plan = plan->key;
        sub->price = item->price;
        sub->product = item->product;
        sub->currency = item->currency ? item->currency : sub->currency;
        sub->interval = item->interval;
        sub->interval_count = item->interval_count;
        sub->amount = item->amount;
        sub->quantity = item->quantity;
        return true;
    }
    return false;
}

static sb_status_e open(work_t *work, sb_result_t *result, sb_service_t *service,
                        const sb_change_request_t *request, apr_pool_t *pool)
{
    const sb_catalog_plan_t *plan;

    *work =
        (work_t){.act = {.service = service, .user = request->user, .kind = "change"}};
    sb_status_e status = plan_named(&plan, result, service, request, pool);
    if (status != SB_OK) {
        return status;
    }
    const char *group = plan && !request->subscription ? plan->group : NULL;
    sb_act_which_t which = {.subscription = request->subscription,
                            .group = group,
                            .grace_days = request->grace_days};
    status = sb_act_open(&work->act, result, &which, pool);
    if (status == SB_NOT_FOUND && group) {
        /* Our tables may be behind: perhaps Stripe tells of an item of this group. */
        which.group = NULL;
        sb_result_clear(result);
        status = sb_act_open(&work->act, result, &which, pool);
        return status == SB_OK && !item_take(work, group) ? other_group(result) : status;
    }
    if (status == SB_OK && plan && work->act.plan &&
        strcmp(plan->group, work->act.plan->group) != 0 &&
        !item_take(work, plan->group)) {
        return other_group(result);
    }
    return status;
}

/* A price of the wanted plan, in the subscription's currency and, unless another is wanted, interval. */
static const sb_catalog_price_t *price_of(const work_t *work,
                                          const sb_change_request_t *request,
                                          const sb_catalog_plan_t *plan)
{
    const sb_subscription_t *sub = &work->act.now;
    const char *interval = request->interval ? request->interval : sub->interval;

    for (int i = 0; !request->interval && interval && i < plan->prices_n; i++) {
        const sb_catalog_price_t *same = &plan->prices[i];
        if (strcmp(same->interval, interval) == 0 &&
            same->interval_count == sub->interval_count &&
            (!sub->currency || strcmp(same->currency, sub->currency) == 0)) {
            return same;
        }
    }
    const sb_catalog_price_t *price = sb_catalog_price_of(plan, interval, sub->currency);
    return price || request->interval ? price
                                      : sb_catalog_price_of(plan, NULL, sub->currency);
}

static sb_status_e unknown_price(sb_result_t *result, const char *message)
{
    return sb_result_set(result, SB_INVALID, "unknown_price", message,
                         "take one from GET plans");
}

/* The price that is paid now, which may have left the catalogue while its plan has not. */
static const sb_catalog_price_t *price_kept(work_t *work, const sb_catalog_plan_t *plan,
                                            apr_pool_t *pool)
{
    const sb_subscription_t *sub = &work->act.now;
    const sb_catalog_price_t *known =
        sb_catalog_price_by_id(work->act.service->catalog, sub->price, sub->livemode);

    if (known || !sub->price || !sub->interval || !sub->currency) {
        return known;
    }
    sb_catalog_price_t *own = apr_palloc(pool, sizeof(*own));
    *own = (sb_catalog_price_t){.plan = plan->index,
                                .id = {.test = sub->price, .live = sub->price},
                                .interval = sub->interval,
                                .interval_count = sub->interval_count,
                                .currency = sub->currency,
                                .amount = sub->amount};
    work->change.own_price = true;
    return own;
}

static sb_status_e price_find(work_t *work, sb_result_t *result,
                              const sb_change_request_t *request, apr_pool_t *pool)
{
    const sb_catalog_t *catalog = work->act.service->catalog;
    const sb_catalog_plan_t *plan = work->act.plan;
    const sb_catalog_price_t *price = NULL;

    if (request->plan) {
        plan = sb_catalog_plan(catalog, request->plan);
    }
    if (request->price) {
        price = sb_catalog_price_by_id(catalog, request->price,
                                       work->act.service->settings->live);
        price = price ? price : sb_catalog_price_by_lookup_key(catalog, request->price);
        if (price && request->interval &&
            strcmp(price->interval, request->interval) != 0) {
            price = NULL;
        }
    }
    else if (plan) {
        price = request->plan || request->interval ? price_of(work, request, plan)
                                                   : price_kept(work, plan, pool);
    }
    if (!price) {
        return unknown_price(result, "This price does not exist, or no longer does.");
    }
    if (work->act.now.currency && strcmp(price->currency, work->act.now.currency) != 0) {
        return unknown_price(result,
                             "This price is in another currency than your subscription.");
    }
    work->change.price = price;
    work->change.to = sb_catalog_plan_at(catalog, price->plan);
    return SB_OK;
}

/* The price's id at Stripe, which the catalogue may know by its lookup key only. */
static sb_status_e price_id(work_t *work, sb_result_t *result, apr_pool_t *pool)
{
    const sb_catalog_price_t *price = work->change.price;
    json_t *list;

    work->to.price = sb_catalog_price_id(price, work->act.service->settings->live);
    if (work->to.price) {
        return SB_OK;
    }
    sb_status_e status = sb_stripe_prices_by_lookup_key(&list, result, work->act.stripe,
                                                        &price->lookup_key, 1, pool);
    if (status != SB_OK) {
        return status;
    }
    work->to.price = sb_json_text(list, "data.0.id");
    return work->to.price
               ? SB_OK
               : unknown_price(result, "This price does not exist, or no longer does.");
}

/* The item that stands for the plan. */
static sb_status_e item_find(work_t *work, sb_result_t *result)
{
    const sb_subscription_t *sub = &work->act.now;

    for (int i = 0; i < sub->items_n; i++) {
        if (sub->price && strcmp(sub->items[i].price, sub->price) == 0) {
            work->to.item = sub->items[i].id;
            return SB_OK;
        }
    }
    return sb_result_set(result, SB_UPSTREAM, "stripe_bad_answer",
                         "The payment service gave an answer we do not understand.",
                         NULL);
}

/* --- what it comes to ------------------------------------------------------------------------- */

/* What is left of a trial is longer than the whole trial of another plan. */
static bool outlasts(const sb_subscription_t *sub, const sb_catalog_plan_t *from,
                     const sb_catalog_plan_t *to)
{
    return sub->status == SB_STATUS_TRIALING && from != to &&
           sub->trial_end > sb_clock_now() + to->trial_days * (apr_int64_t)SECONDS_A_DAY;
}

/* Whether the change is settled by what is left of the running period. */
static bool prorates(const work_t *work)
{
    return work->change.now && work->act.now.status != SB_STATUS_TRIALING;
}

/* The moment a preview was made for, which must lie in what the change settles; else there is another preview to be
 * seen. */
static sb_status_e proration_date_set(work_t *work, sb_result_t *result,
                                      apr_int64_t wanted)
{
    const sb_subscription_t *sub = &work->act.now;
    apr_int64_t now = sb_clock_now();

    if (!wanted || !prorates(work)) {
        return SB_OK;
    }
    if (wanted < now - SB_CHANGE_PRORATION_AGE || wanted > now + SKEW_SECONDS ||
        wanted < sub->current_period_start || wanted >= sub->current_period_end) {
        return sb_result_set(result, SB_INVALID, "bad_request",
                             "\"proration_date\" has to lie in the running period and in "
                             "the last four hours.",
                             "ask for the preview again");
    }
    work->to.proration_date = wanted;
    return SB_OK;
}

/* Clocks differ: outside the period nothing is said, and Stripe's own counts. */
static apr_int64_t proration_date_of(const work_t *work)
{
    const sb_subscription_t *sub = &work->act.now;
    apr_int64_t now = sb_clock_now();

    if (work->to.proration_date || !prorates(work)) {
        return work->to.proration_date;
    }
    return now >= sub->current_period_start && now < sub->current_period_end ? now : 0;
}

static sb_status_e judge(work_t *work, sb_result_t *result,
                         const sb_change_request_t *request)
{
    const sb_subscription_t *sub = &work->act.now;
    sb_change_t *change = &work->change;

    if (!sb_change_quantity(&change->quantity, work->act.plan, change->to,
                            request->quantity, sub->quantity)) {
        return change->to->seats_min
                   ? sb_result_set(result, SB_INVALID, "bad_quantity",
                                   "This plan is not made for so many seats.", NULL)
                   : sb_result_set(result, SB_INVALID, "bad_quantity",
                                   "This plan has no seats to choose.", NULL);
    }
    work->to.quantity = change->quantity;
    const sb_change_side_t from = {.plan = work->act.plan,
                                   .price = sub->price,
                                   .interval = sub->interval,
                                   .interval_count = sub->interval_count,
                                   .amount = sub->amount,
                                   .quantity = sub->quantity};
    const sb_change_side_t to = {.plan = change->to,
                                 .price = work->to.price,
                                 .interval = change->price->interval,
                                 .interval_count = change->price->interval_count,
                                 .amount = change->price->amount,
                                 .quantity = change->quantity};
    change->kind = sb_change_compare(&from, &to);
    change->from = work->act.plan;
    change->currency = change->price->currency;
    change->now = sb_change_moment(work->act.plan, change->kind) == SB_MOMENT_NOW;
    change->effective_at = sb_change_effective_at(
        change->now ? SB_MOMENT_NOW : SB_MOMENT_PERIOD_END, sub, sb_clock_now());
    change->ends_trial = change->now && outlasts(sub, work->act.plan, change->to);
    work->to.end_trial = change->ends_trial;
    return proration_date_set(work, result, request->proration_date);
}

/* What the schedule that is there would do, as far as it is known. */
static const sb_planned_t *planned_now(const sb_act_t *act)
{
    const sb_planned_t *planned = act->held->planned;

    return planned && act->schedule && strcmp(planned->schedule, act->schedule) == 0
               ? planned
               : NULL;
}

/* Whether nothing is left to be done: the second click, or what is planned already. */
static bool is_planned(const work_t *work)
{
    const sb_planned_t *planned = planned_now(&work->act);

    return !work->change.now && planned && strcmp(planned->price, work->to.price) == 0 &&
           planned->quantity == work->to.quantity;
}

static void wish_set(work_t *work, const char *way, apr_pool_t *pool)
{
    work->act.wish = apr_psprintf(pool, "%.200s %" APR_INT64_T_FMT " %s", work->to.price,
                                  work->to.quantity, way);
}

static sb_status_e prepare(work_t *work, sb_result_t *result, sb_service_t *service,
                           const sb_change_request_t *request, apr_pool_t *pool)
{
    sb_status_e status = open(work, result, service, request, pool);

    if (status == SB_OK) {
        status = sb_act_refuse_status(result, work->act.now.status);
    }
    if (status == SB_OK && sb_subscription_ends_at(&work->act.now)) {
        return sb_result_set(result, SB_CONFLICT, "cancellation_planned",
                             "This subscription is cancelled already.",
                             "take the cancellation back first");
    }
    if (status == SB_OK) {
        status = price_find(work, result, request, pool);
    }
    if (status == SB_OK) {
        status = price_id(work, result, pool);
    }
    if (status == SB_OK) {
        status = item_find(work, result);
    }
    if (status == SB_OK) {
        status = judge(work, result, request);
    }
    if (status == SB_OK) {
        work->change.drops = is_planned(work) ? NULL : planned_now(&work->act);
        wish_set(work,
                 work->change.kind == SB_CHANGE_NONE ? "back"
                 : work->change.now                  ? "now"
                                                     : "period_end",
                 pool);
    }
    return status;
}

static sb_status_e no_change(sb_result_t *result)
{
    return sb_result_set(result, SB_CONFLICT, "no_change",
                         "This is what you have already.", NULL);
}

/* The lines of an invoice that settle the running period. */
static apr_int64_t prorated(const json_t *invoice)
{
    apr_int64_t sum = 0;
    const json_t *line;
    size_t i;

    json_array_foreach(sb_json_get(invoice, "lines.data"), i, line)
    {
        if (sb_json_bool(line, "parent.invoice_item_details.proration", false) ||
            sb_json_bool(line, "parent.subscription_item_details.proration", false)) {
            sum += sb_json_int(line, "amount", 0);
        }
    }
    return sum;
}

sb_status_e sb_change_preview(sb_change_t *change, sb_result_t *result,
                              sb_service_t *service, const sb_change_request_t *request,
                              apr_pool_t *pool)
{
    json_t *invoice;
    work_t work;
    sb_status_e status = prepare(&work, result, service, request, pool);

    if (status == SB_OK && work.change.kind == SB_CHANGE_NONE) {
        *change = work.change;
        return no_change(result);
    }
    if (status == SB_OK) {
        work.to.proration_date = work.change.proration_date = proration_date_of(&work);
    }
    if (status == SB_OK && work.change.now &&
        (work.act.now.status != SB_STATUS_TRIALING || work.change.ends_trial)) {
        status = sb_stripe_invoice_of_switch(&invoice, result, work.act.stripe,
                                             work.act.now.id, &work.to, pool);
        if (status == SB_OK) {
            work.change.amount_due_now = sb_json_int(invoice, "amount_due", 0);
            work.change.proration = prorated(invoice);
        }
        else if (status == SB_NOT_FOUND) {
            status = sb_act_missing(result, invoice);
        }
    }
    if (status == SB_OK) {
        *change = work.change;
    }
    return status;
}

/* --- doing it --------------------------------------------------------------------------------- */

/* Plans again what gave way to a change that Stripe has refused. Where that fails, too, nothing is planned, and the
 * account says so. */
static void plan_again(work_t *work, apr_pool_t *pool)
{
    const sb_planned_t *planned = work->change.drops;
    const sb_catalog_price_t *price = sb_catalog_price_by_id(
        work->act.service->catalog, planned->price, planned->livemode);
    const sb_planned_wish_t wish = {
        .old_price = work->act.now.price,
        .price = planned->price,
        .plan = planned->plan,
        .quantity = planned->quantity,
        .interval = price ? price->interval : work->act.now.interval,
        .interval_count = price ? price->interval_count : work->act.now.interval_count,
        .effective_at = planned->effective_at,
    };
    sb_result_t ignored;
    json_t *out;

    sb_result_clear(&ignored);
    work->act.schedule = NULL;
    sb_planned_make(&out, &work->act, &ignored, &wish, 3, pool);
}

static sb_status_e switch_now(json_t **out, sb_result_t *result, work_t *work,
                              apr_pool_t *pool)
{
    sb_act_t *act = &work->act;
    sb_status_e status = sb_planned_release(out, act, result, 1, pool);

    if (status != SB_OK) {
        return status;
    }
    /* A wish that got no answer may be made again from another preview, which is another request. */
    const char *key = sb_act_key(act, 2, pool);
    if (work->to.proration_date) {
        key = apr_psprintf(pool, "%s-%" APR_INT64_T_FMT, key, work->to.proration_date);
    }
    status = sb_stripe_subscription_switch(out, result, act->stripe, act->now.id,
                                           &work->to, key, pool);
    if (status != SB_OK && work->change.drops && sb_stripe_refused(status, *out)) {
        plan_again(work, pool);
    }
    return status;
}

static sb_status_e act_out(json_t **out, sb_result_t *result, work_t *work,
                           apr_pool_t *pool)
{
    if (work->back) {
        return sb_planned_release(out, &work->act, result, 1, pool);
    }
    if (work->change.now) {
        return switch_now(out, result, work, pool);
    }
    const sb_planned_wish_t wish = {
        .old_price = work->act.now.price,
        .price = work->to.price,
        .plan = work->change.to->key,
        .quantity = work->to.quantity,
        .interval = work->change.price->interval,
        .interval_count = work->change.price->interval_count,
        .effective_at = work->change.effective_at,
    };
    return sb_planned_make(out, &work->act, result, &wish, 1, pool);
}

static sb_status_e payment_incomplete(sb_result_t *result)
{
    return sb_result_set(result, SB_PAYMENT_REQUIRED, "payment_incomplete",
                         "The change waits for its payment.",
                         "pay the open invoice in your account");
}

static bool waits_for_payment(const json_t *subscription)
{
    return json_is_object(sb_json_get(subscription, "pending_update"));
}

static sb_status_e nothing_to_do(bool *settled, work_t *work, sb_result_t *result,
                                 apr_pool_t *pool)
{
    *settled = is_planned(work);
    if (!*settled && waits_for_payment(work->act.object)) {
        /* The same again would only make another invoice. */
        bool repeated;
        sb_status_e status = sb_act_repeated(&repeated, &work->act, result, pool);
        if (status != SB_OK || repeated) {
            return status == SB_OK ? payment_incomplete(result) : status;
        }
    }
    if (*settled || work->change.kind != SB_CHANGE_NONE || work->act.schedule) {
        return SB_OK;
    }
    /* The running plan is wanted: perhaps the click before has just made it so. */
    sb_status_e status = sb_act_repeated(settled, &work->act, result, pool);
    if (status == SB_OK && *settled) {
        work->change.outcome = SB_CHANGE_TAKEN_BACK;
    }
    else if (status == SB_OK) {
        wish_set(work, "now", pool);
        status = sb_act_repeated(settled, &work->act, result, pool);
        work->change.outcome = SB_CHANGE_MADE;
    }
    return status == SB_OK && !*settled ? no_change(result) : status;
}

sb_status_e sb_change_make(sb_change_t *change, sb_result_t *result,
                           sb_service_t *service, const sb_change_request_t *request,
                           apr_pool_t *pool)
{
    bool settled = false;
    json_t *out = NULL;
    work_t work;
    sb_status_e status = prepare(&work, result, service, request, pool);

    if (status == SB_OK) {
        status = nothing_to_do(&settled, &work, result, pool);
    }
    if (status != SB_OK) {
        return status;
    }
    work.back = work.change.kind == SB_CHANGE_NONE && work.act.schedule;
    if (!settled || work.change.kind != SB_CHANGE_NONE) {
        work.change.outcome = work.back         ? SB_CHANGE_TAKEN_BACK
                              : work.change.now ? SB_CHANGE_MADE
                                                : SB_CHANGE_PLANNED;
    }
    *change = work.change;
    if (settled) {
        return sb_act_observe(&work.act, result, pool);
    }
    status = sb_act_begin(&work.act, result, pool);
    if (status != SB_OK) {
        return status;
    }
    status = act_out(&out, result, &work, pool);
    bool of_subscription = status != SB_OK || (work.change.now && !work.back);
    status = sb_act_end(&work.act, result, status,
                        of_subscription ? out : work.act.object, pool);
    return status == SB_OK && of_subscription && waits_for_payment(out)
               ? payment_incomplete(result)
               : status;
}
