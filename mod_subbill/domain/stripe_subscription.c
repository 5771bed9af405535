/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "domain/stripe_event.h"

#include "base/json.h"
#include "domain/stripe_fields.h"

#include <apr_strings.h>
#include <string.h>

/* A subscription of any API version. From basil on every item has its own billing period; ours is
 * then that of the item whose period ends last, because access to what was paid for must not end
 * before it. */

#define ITEMS_MAX    200 /* Stripe's limit is 20 */
#define QUANTITY_MAX APR_INT32_MAX
#define COUNT(table) ((int)(sizeof(table) / sizeof(table[0])))

static void item_price(sb_subscription_item_t *item, const sb_price_facts_t *price)
{
    item->price = price->id;
    item->product = price->product;
    item->currency = price->currency;
    item->interval = price->interval;
    item->interval_count = price->interval_count;
    item->amount = price->amount;
    item->lookup_key = price->lookup_key;
    item->metadata_plan = price->metadata_plan;
}

static bool item_read(const sb_fields_t *fields, const json_t *object,
                      sb_subscription_item_t *item)
{
    const json_t *price = sb_json_get(object, "price");
    sb_price_facts_t facts;

    *item = (sb_subscription_item_t){.amount = -1, .quantity = 1};
    if (!price || json_is_null(price)) {
        price = sb_json_get(object, "plan");
    }
    if (json_is_object(price)) {
        if (sb_event_price(&facts, fields->result, price, fields->pool) != SB_OK) {
            return false;
        }
        item_price(item, &facts);
    }
    else if (!sb_field_required(fields, object, "price", SB_FIELD_OWN_ID, &item->price)) {
        return false;
    }
    return sb_field_text(fields, object, "id", SB_FIELD_ID, &item->id) &&
           sb_field_int(fields, object, "quantity", 0, QUANTITY_MAX, &item->quantity) &&
           sb_field_time(fields, object, "current_period_start", &item->period_start) &&
           sb_field_time(fields, object, "current_period_end", &item->period_end);
}

static bool item_known(const sb_subscription_item_t *items, size_t n, const char *id)
{
    for (size_t i = 0; id && i < n; i++) {
        if (items[i].id && strcmp(items[i].id, id) == 0) {
            return true;
        }
    }
    return false;
}

static bool items_read(const sb_fields_t *fields, const json_t *object,
                       sb_subscription_t *sub)
{
    const json_t *list = sb_json_get(object, "items.data");
    size_t n = json_array_size(list);

    if (n > ITEMS_MAX) {
        return sb_field_fail(fields, "items", "has too many entries");
    }
    if (n == 0 && !json_is_object(sb_json_get(object, "plan"))) {
        return true;
    }
    sb_subscription_item_t *items =
        apr_pcalloc(fields->pool, sizeof(*items) * (n ? n : 1));
    for (size_t i = 0; i < n; i++) {
        if (!item_read(fields, json_array_get(list, i), &items[i])) {
            return false;
        }
        if (item_known(items, i, items[i].id)) {
            return sb_field_fail(fields, "items", "holds one item twice");
        }
    }
    if (n == 0) {
        /* Old objects without items carry their plan at the top; the id is not an item's. */
        if (!item_read(fields, object, &items[0])) {
            return false;
        }
        items[0].id = NULL;
        n = 1;
    }
    sub->items = items;
    sub->items_n = (int)n;
    return true;
}

static void take_item(sb_subscription_t *sub, const sb_subscription_item_t *item)
{
    sub->price = item->price;
    sub->product = item->product;
    sub->currency = item->currency ? item->currency : sub->currency;
    sub->interval = item->interval;
    sub->interval_count = item->interval_count;
    sub->amount = item->amount;
    sub->quantity = item->quantity;
}

static void take_period(sb_subscription_t *sub)
{
    if (sub->current_period_end > 0) {
        return;
    }
    for (int i = 0; i < sub->items_n; i++) {
        if (sub->items[i].period_end > sub->current_period_end) {
            sub->current_period_start = sub->items[i].period_start;
            sub->current_period_end = sub->items[i].period_end;
        }
    }
}

static bool times_read(const sb_fields_t *fields, const json_t *object,
                       sb_subscription_t *sub)
{
    const struct {
        const char *path;
        apr_int64_t *out;
    } times[] = {
        {"created", &sub->created},
        {"current_period_start", &sub->current_period_start},
        {"current_period_end", &sub->current_period_end},
        {"trial_start", &sub->trial_start},
        {"trial_end", &sub->trial_end},
        {"cancel_at", &sub->cancel_at},
        {"canceled_at", &sub->canceled_at},
        {"ended_at", &sub->ended_at},
    };

    for (int i = 0; i < COUNT(times); i++) {
        if (!sb_field_time(fields, object, times[i].path, times[i].out)) {
            return false;
        }
    }
    return true;
}

sb_status_e sb_event_subscription(sb_subscription_t *sub, sb_result_t *result,
                                  const json_t *object, apr_pool_t *pool)
{
    const sb_fields_t fields = {pool, result, "subscription"};
    const sb_field_t texts[] = {
        {"customer", SB_FIELD_ID, &sub->customer},
        {"currency", SB_FIELD_TEXT, &sub->currency},
        {"pause_collection.behavior", SB_FIELD_TEXT, &sub->pause_collection},
        {"latest_invoice", SB_FIELD_ID, &sub->latest_invoice},
        {"metadata.subbill_user", SB_FIELD_TEXT, &sub->metadata_user},
        {"metadata.subbill_checkout", SB_FIELD_TEXT, &sub->metadata_checkout},
        {"metadata.subbill_plan", SB_FIELD_TEXT, &sub->metadata_plan},
    };

    *sub = (sb_subscription_t){
        .amount = -1,
        .livemode = sb_json_bool(object, "livemode", false),
        .cancel_at_period_end = sb_json_bool(object, "cancel_at_period_end", false),
    };
    if (!sb_field_kind(&fields, object) ||
        !sb_field_required(&fields, object, "id", SB_FIELD_ID, &sub->id) ||
        !sb_field_required(&fields, object, "status", SB_FIELD_TEXT, &sub->status_text) ||
        !sb_field_texts(&fields, object, texts, COUNT(texts)) ||
        !times_read(&fields, object, sub) || !items_read(&fields, object, sub)) {
        return SB_INVALID;
    }
    sub->status = sb_subscription_status(sub->status_text);
    if (sub->items_n > 0) {
        take_item(sub, &sub->items[0]);
    }
    take_period(sub);
    return SB_OK;
}

bool sb_subscription_map(sb_subscription_t *sub, const sb_catalog_t *catalog,
                         sb_price_memory_fn remembered, void *baton)
{
    const sb_catalog_plan_t *best = NULL;

    sub->plan = NULL;
    for (int i = 0; i < sub->items_n; i++) {
        const sb_subscription_item_t *item = &sub->items[i];
        const sb_plan_clues_t clues = {
            .price = item->price,
            .lookup_key = item->lookup_key,
            .remembered = remembered ? remembered(baton, item->price) : NULL,
            .product = item->product,
            .metadata_plan = item->metadata_plan,
        };
        const sb_catalog_plan_t *plan =
            sb_catalog_plan_at(catalog, sb_catalog_map(catalog, sub->livemode, &clues));
        /* None of something is nothing, and costs nothing. */
        if (!plan || item->quantity == 0 || (best && plan->rank <= best->rank)) {
            continue;
        }
        best = plan;
        sub->plan = plan->key;
        take_item(sub, item);
    }
    return best != NULL;
}

/* -1 the value is another one, 0 the key is not there, 1 it is what is stored. */
static int int_follows(const json_t *previous, const char *key, apr_int64_t stored)
{
    const json_t *value = json_object_get(previous, key);

    if (!value) {
        return 0;
    }
    return (json_is_integer(value) ? (apr_int64_t)json_integer_value(value) : 0) == stored
               ? 1
               : -1;
}

static int text_follows(const json_t *previous, const char *key, const char *stored)
{
    const json_t *value = json_object_get(previous, key);
    const char *text = sb_json_id(value);

    if (!value) {
        return 0;
    }
    return (text && stored ? strcmp(text, stored) == 0 : text == stored) ? 1 : -1;
}

/* The whole list as it was: same prices in the same numbers. */
static int items_follow(const json_t *previous, const sb_subscription_t *stored)
{
    const json_t *list = sb_json_get(previous, "items.data");

    if (!json_is_array(list)) {
        return 0;
    }
    if (json_array_size(list) != (size_t)stored->items_n) {
        return -1;
    }
    for (int i = 0; i < stored->items_n; i++) {
        const json_t *item = json_array_get(list, (size_t)i);
        const sb_subscription_item_t *was = &stored->items[i];
        const char *price = sb_json_id(sb_json_get(item, "price"));
        apr_int64_t end = sb_json_int(item, "current_period_end", was->period_end);
        if (!price || !was->price || strcmp(price, was->price) != 0 ||
            sb_json_int(item, "quantity", was->quantity) != was->quantity ||
            end != was->period_end) {
            return -1;
        }
    }
    return 1;
}

bool sb_event_follows(const sb_event_t *event, const sb_subscription_t *stored)
{
    const json_t *previous = event->previous;

    if (!previous || !stored) {
        return false;
    }
    const json_t *at_period_end = json_object_get(previous, "cancel_at_period_end");
    const int answers[] = {
        text_follows(previous, "status", stored->status_text),
        text_follows(previous, "latest_invoice", stored->latest_invoice),
        int_follows(previous, "cancel_at", stored->cancel_at),
        int_follows(previous, "canceled_at", stored->canceled_at),
        int_follows(previous, "ended_at", stored->ended_at),
        int_follows(previous, "trial_end", stored->trial_end),
        int_follows(previous, "current_period_start", stored->current_period_start),
        int_follows(previous, "current_period_end", stored->current_period_end),
        !at_period_end                                                ? 0
        : json_is_true(at_period_end) == stored->cancel_at_period_end ? 1
                                                                      : -1,
        items_follow(previous, stored),
    };
    int equal = 0;

    for (int i = 0; i < COUNT(answers); i++) {
        if (answers[i] < 0) {
            return false;
        }
        equal += answers[i];
    }
    return equal > 0;
}
