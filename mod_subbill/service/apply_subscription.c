/* Licensed under the Apache License, Version 2.0; see LICENSE. */
/* A subscription as an event or the API tells it replaces the stored one when it is newer, which the
 * domain decides. A price that maps to no plan is stored without one: that grants nothing, tells
 * the buyer the reason, and the event stays failed until the catalogue knows the price. */
#include "service/apply.h"

#include "store/checkouts.h"
#include "store/customers.h"
#include "store/prices.h"
#include "store/subscriptions.h"

#include <apr_strings.h>
#include <string.h>

/* What the price table remembers about the items of one subscription. */
typedef struct memory_t {
    const sb_subscription_t *sub;
    sb_price_t **rows;     /* one per item, NULL: never seen */
    const char **products; /* plan of the item's product, or NULL */
} memory_t;

static apr_status_t remember(memory_t *memory, sb_apply_t *apply,
                             const sb_subscription_t *sub)
{
    apr_status_t rv = APR_SUCCESS;

    memory->sub = sub;
    memory->rows = apr_pcalloc(apply->pool, sizeof(*memory->rows) * (sub->items_n + 1u));
    memory->products =
        apr_pcalloc(apply->pool, sizeof(*memory->products) * (sub->items_n + 1u));
    for (int i = 0; rv == APR_SUCCESS && i < sub->items_n; i++) {
        const sb_subscription_item_t *item = &sub->items[i];
        rv = sb_price_get(&memory->rows[i], apply->conn, item->price, sub->livemode,
                          apply->pool);
        if (rv == APR_SUCCESS && item->product &&
            !(memory->rows[i] && memory->rows[i]->plan)) {
            sb_product_t *product = NULL;
            rv = sb_product_get(&product, apply->conn, item->product, sub->livemode,
                                apply->pool);
            memory->products[i] = product ? product->plan : NULL;
        }
    }
    return rv;
}

static const char *recall(void *baton, const char *price)
{
    const memory_t *memory = baton;

    for (int i = 0; i < memory->sub->items_n; i++) {
        if (strcmp(memory->sub->items[i].price, price) == 0) {
            const sb_price_t *row = memory->rows[i];
            return row && row->plan ? row->plan : memory->products[i];
        }
    }
    return NULL;
}

/* The plan to keep for an item's price. One that maps to none keeps what its metadata says: the
 * catalogue may learn of that plan later. */
static const char *plan_kept(const sb_apply_t *apply, const memory_t *memory, int i)
{
    const sb_catalog_t *catalog = apply->service->catalog;
    const sb_subscription_item_t *item = &memory->sub->items[i];
    const sb_price_t *row = memory->rows[i];
    const sb_plan_clues_t clues = {
        .price = item->price,
        .lookup_key = item->lookup_key,
        .remembered = row && row->plan ? row->plan : memory->products[i],
        .product = item->product,
        .metadata_plan = item->metadata_plan,
    };
    const sb_catalog_plan_t *plan = sb_catalog_plan_at(
        catalog, sb_catalog_map(catalog, memory->sub->livemode, &clues));

    if (plan) {
        return plan->key;
    }
    return row && row->plan ? row->plan : item->metadata_plan;
}

static bool same(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static apr_status_t keep_price(sb_apply_t *apply, const memory_t *memory, int i)
{
    const sb_subscription_item_t *item = &memory->sub->items[i];
    bool livemode = memory->sub->livemode;
    const char *plan = plan_kept(apply, memory, i);
    sb_price_t *row = memory->rows[i];

    if (row && same(row->plan, plan) && (row->lookup_key || !item->lookup_key)) {
        return APR_SUCCESS;
    }
    apr_status_t rv =
        sb_price_lock(&row, apply->conn, item->price, livemode, apply->pool);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    const sb_price_t price = {
        .id = item->price,
        .livemode = livemode,
        .product = item->product,
        .plan = plan,
        .currency = item->currency,
        .amount = item->amount,
        .interval = item->interval,
        .interval_count = item->interval_count,
        .active = row ? row->active : true,
        .lookup_key = item->lookup_key,
        .source = apply->source,
        .updated_at = row ? row->updated_at : 0,
    };
    return sb_price_save(apply->conn, &price, apply->pool);
}

/* Keeps what is known of every price, mapped or not, so that its plan is found when the catalogue has
 * moved on, or has been mended. */
static apr_status_t keep_prices(sb_apply_t *apply, const memory_t *memory)
{
    apr_status_t rv = APR_SUCCESS;

    for (int i = 0; rv == APR_SUCCESS && i < memory->sub->items_n; i++) {
        rv = keep_price(apply, memory, i);
    }
    return rv;
}

/* Whom the metadata names; the service wrote both keys when it made the session. */
static apr_status_t claimed_user(const char **claimed, sb_apply_t *apply,
                                 const sb_subscription_t *sub)
{
    sb_checkout_t *checkout = NULL;
    apr_status_t rv = APR_SUCCESS;

    *claimed = sub->metadata_user;
    if (!sub->metadata_user && sub->metadata_checkout) {
        rv = sb_checkout_by_id(&checkout, apply->conn, sub->metadata_checkout,
                               apply->pool);
        if (checkout && checkout->livemode == sub->livemode) {
            *claimed = checkout->user;
        }
    }
    return rv;
}

static apr_int64_t later(apr_int64_t a, apr_int64_t b)
{
    return a > b ? a : b;
}

/* When the statement was made, by Stripe's clock alone: ours may be minutes ahead, and a fetch dated
 * by it would outrank every event of those minutes for ever. What was fetched to settle a tie is
 * as old as the tie: what was told since then is newer. What a sync read is as old as what it found stored
 * before it asked, and so is what the return page read, or an act before its last call. The answer to what
 * a user asked for here is at least as new as what is stored; and each as everything it tells about. */
static apr_int64_t statement_time(const sb_apply_t *apply, const sb_subscription_t *sub,
                                  const sb_subscription_t *stored)
{
    if (!sb_apply_fetched(apply)) {
        return apply->event->created;
    }
    apr_int64_t time = later(sub->created, later(sub->canceled_at, sub->ended_at));
    if (strcmp(apply->source, SB_SOURCE_FETCH) == 0 ||
        strcmp(apply->source, SB_SOURCE_SYNC) == 0) {
        return later(time, apply->event->created);
    }
    if (strcmp(apply->source, SB_SOURCE_RETURN) == 0 || apply->event->seen) {
        return later(time, apply->event->seen);
    }
    return stored ? later(time, stored->event_created) : time;
}

/* When it was past_due at the latest; Stripe's clock ahead of ours is no longer grace. */
static apr_int64_t told_at(const sb_apply_t *apply)
{
    return sb_apply_fetched(apply) || apply->event->created > apply->now
               ? apply->now
               : apply->event->created;
}

/* The very event that found the price unmapped is applied again, and now it maps. */
static bool heals(const sb_subscription_t *stored, const sb_subscription_t *sub)
{
    return stored && !stored->plan && sub->plan && stored->price &&
           strcmp(stored->price, sub->price) == 0 &&
           stored->event_created == sub->event_created && stored->status == sub->status;
}

static apr_status_t supersede(sb_apply_t *apply, const sb_subscription_t *sub,
                              sb_subscription_t *stored)
{
    if (sb_subscription_backdate(stored, sub, told_at(apply))) {
        return sb_subscription_save(apply->conn, stored, apply->now, apply->pool);
    }
    return sb_apply_end(apply, SB_APPLY_IGNORED, "superseded", NULL);
}

static apr_status_t refuse_unmapped(sb_apply_t *apply, const sb_subscription_t *sub)
{
    return sb_apply_end(
        apply, SB_APPLY_REFUSED, "unmapped_price",
        apr_psprintf(apply->pool,
                     "price %s (product %s) of %s belongs to no plan, so it opens "
                     "nothing; add it to the catalogue and reload",
                     sub->price ? sub->price : "-", sub->product ? sub->product : "-",
                     sub->id));
}

/* The event that stored it without a plan comes again, and there still is none. */
static bool still_unmapped(const sb_apply_t *apply, const sb_subscription_t *sub,
                           const sb_subscription_t *stored)
{
    return stored && !stored->plan && !sub->plan && stored->event_id &&
           strcmp(stored->event_id, apply->event->id) == 0 &&
           !sb_subscription_status_final(sub->status);
}

/* What an act read before its last call, when another statement of the very second has been stored since: nobody
 * knows which is newer. */
static bool overtaken(const sb_apply_t *apply, const sb_subscription_t *stored)
{
    const sb_event_t *event = apply->event;

    return stored && event->seen_event && stored->event_id &&
           stored->event_created == event->seen &&
           strcmp(stored->event_id, event->seen_event) != 0;
}

static apr_status_t save(sb_apply_t *apply, sb_subscription_t *sub,
                         sb_subscription_t *stored, const memory_t *memory)
{
    const sb_order_hints_t hints = {
        .fetched = sb_apply_fetched(apply) && !overtaken(apply, stored),
        .created_event = strcmp(apply->event->type, "customer.subscription.created") == 0,
        .follows =
            stored && !sb_apply_fetched(apply) && sb_event_follows(apply->event, stored),
    };
    sb_order_e order = sb_subscription_order(stored, sub, hints);

    if (order == SB_ORDER_APPLY_AND_FETCH || order == SB_ORDER_IGNORE_AND_FETCH) {
        apply->fetch = sub->id;
    }
    /* What an old statement was about was bought once, too, and a trial was had. */
    apr_status_t rv = keep_prices(apply, memory);
    if (rv == APR_SUCCESS) {
        rv = sb_apply_trial(apply, sub);
    }
    if ((order == SB_ORDER_IGNORE || order == SB_ORDER_IGNORE_AND_FETCH) &&
        !heals(stored, sub)) {
        if (rv != APR_SUCCESS) {
            return rv;
        }
        return still_unmapped(apply, sub, stored) ? refuse_unmapped(apply, sub)
                                                  : supersede(apply, sub, stored);
    }
    if (rv == APR_SUCCESS) {
        rv = sb_subscription_save(apply->conn, sub, apply->now, apply->pool);
    }
    if (rv == APR_SUCCESS && !stored) {
        rv = sb_apply_suspend(apply, sub);
    }
    if (rv == APR_SUCCESS && !sub->plan && !sb_subscription_status_final(sub->status)) {
        return refuse_unmapped(apply, sub);
    }
    return rv;
}

/* A deletion of the customer that is under way right now does not see a subscription that has no row yet, so
 * this one waits for it, and sees the tombstone. */
static apr_status_t look_again(sb_apply_t *apply, const sb_subscription_t *sub)
{
    sb_customer_t *customer = NULL;
    apr_status_t rv = APR_SUCCESS;

    if (sub->customer && sub->user) { /* else the binding has locked it */
        rv = sb_customer_lock(&customer, apply->conn, sub->customer, sub->livemode,
                              apply->source, apply->now, apply->pool);
        apply->gone_at = customer ? customer->gone_at : 0;
    }
    return rv;
}

/* Whose it is when its turn has come: an operator may have moved the customer while this waited. */
static apr_status_t owner_now(sb_apply_t *apply, sb_subscription_t *sub)
{
    sb_customer_t *customer = NULL;
    apr_status_t rv = APR_SUCCESS;

    if (sub->customer) {
        rv = sb_customer_by_id(&customer, apply->conn, sub->customer, sub->livemode,
                               apply->pool);
    }
    if (customer) {
        apply->gone_at = customer->gone_at;
        sub->user = customer->user ? customer->user : sub->user;
    }
    return rv;
}

apr_status_t sb_apply_subscription_object(sb_apply_t *apply, const json_t *object)
{
    sb_subscription_t sub, *stored = NULL;
    sb_result_t result;
    memory_t memory;
    const char *claimed;

    sb_result_clear(&result);
    if (sb_event_subscription(&sub, &result, object, apply->pool) != SB_OK) {
        return sb_apply_end(apply, SB_APPLY_FAILED, result.code, result.message);
    }
    if (sub.livemode != apply->service->settings->live) {
        return sb_apply_end(apply, SB_APPLY_IGNORED, "livemode_mismatch", NULL);
    }
    apr_status_t rv = claimed_user(&claimed, apply, &sub);
    if (rv == APR_SUCCESS) {
        rv = sb_apply_bind(&sub.user, apply, sub.customer, claimed);
    }
    if (rv != APR_SUCCESS || apply->verdict != SB_APPLY_DONE) {
        return rv;
    }
    rv = sb_subscription_lock(&stored, apply->conn, sub.id, sub.livemode, apply->pool);
    if (rv == APR_SUCCESS) {
        rv = stored ? owner_now(apply, &sub) : look_again(apply, &sub);
    }
    if (rv == APR_SUCCESS) {
        rv = remember(&memory, apply, &sub);
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    sb_subscription_map(&sub, apply->service->catalog, recall, &memory);
    sub.event_created = statement_time(apply, &sub, stored);
    sub.event_id = apply->event->id;
    sub.source = apply->source;
    if (apply->gone_at) {
        sb_subscription_entomb(&sub, apply->gone_at);
    }
    sb_subscription_inherit(&sub, stored, told_at(apply));
    return save(apply, &sub, stored, &memory);
}

apr_status_t sb_apply_subscription(sb_apply_t *apply)
{
    return sb_apply_subscription_object(apply, apply->event->object);
}
