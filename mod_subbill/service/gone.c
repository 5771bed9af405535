/* Licensed under the Apache License, Version 2.0; see LICENSE. */
/* Stripe never forgets a subscription of a live account. One that it does not know was deleted with the test
 * data, or is another account's: a wrong key must not end what people pay for, and an end is for
 * ever. */
#include "service/gone.h"

#include "base/clock.h"
#include "base/log.h"
#include "domain/stripe_event.h"
#include "service/ingest.h"
#include "service/listing.h"

#include <apr_strings.h>
#include <string.h>

typedef struct look_t {
    const char *id;
    bool livemode;
    sb_subscription_t *stored;
} look_t;

static apr_status_t look(void *baton, sb_conn_t *conn, apr_pool_t *pool)
{
    look_t *looking = baton;

    return sb_subscription_get(&looking->stored, conn, looking->id, looking->livemode,
                               pool);
}

sb_status_e sb_gone_look(sb_gone_t *gone, sb_result_t *result, sb_service_t *service,
                         const char *id, apr_pool_t *pool)
{
    look_t looking = {.id = id, .livemode = service->settings->live};
    sb_status_e status =
        sb_db_read(service->db, SB_DEADLINE_PAGE, look, &looking, result, pool);
    const sb_subscription_t *stored = looking.stored;

    *gone = (sb_gone_t){
        .stored = stored,
        .status = stored ? stored->status_text : NULL,
        .stamp = stored && stored->event_id ? stored->event_id : "",
        .over = !stored || sb_subscription_status_final(stored->status),
    };
    return status;
}

/* --- the statement ------------------------------------------------------------------------------- */

static json_t *item_json(const sb_subscription_item_t *item)
{
    json_t *price =
        json_pack("{s:s, s:s, s:s*, s:s*}", "id", item->price, "object", "price",
                  "product", item->product, "currency", item->currency);

    if (price && item->amount >= 0) {
        json_object_set_new(price, "unit_amount", json_integer(item->amount));
    }
    if (price && item->interval) {
        json_object_set_new(price, "recurring",
                            json_pack("{s:s, s:i}", "interval", item->interval,
                                      "interval_count",
                                      item->interval_count ? item->interval_count : 1));
    }
    return json_pack("{s:s*, s:s, s:I, s:I, s:I, s:o}", "id",
                     sb_stripe_id_valid(item->id) ? item->id : NULL, "object",
                     "subscription_item", "quantity", (json_int_t)item->quantity,
                     "current_period_start", (json_int_t)item->period_start,
                     "current_period_end", (json_int_t)item->period_end, "price", price);
}

/* What Stripe would have said at the end of what is stored. */
static json_t *ended(const sb_subscription_t *stored, apr_int64_t now)
{
    json_t *items = json_array();

    for (int i = 0; i < stored->items_n; i++) {
        json_array_append_new(items, item_json(&stored->items[i]));
    }
    json_t *object = json_pack(
        "{s:s, s:s, s:s*, s:s, s:b, s:I, s:I, s:I, s:I, s:I, s:{s:s, s:o}}", "id",
        stored->id, "object", "subscription", "customer", stored->customer, "status",
        sb_subscription_status_word(SB_STATUS_CANCELED), "livemode", stored->livemode,
        "created", (json_int_t)stored->created, "current_period_start",
        (json_int_t)stored->current_period_start, "current_period_end",
        (json_int_t)stored->current_period_end, "canceled_at",
        (json_int_t)(stored->canceled_at ? stored->canceled_at : now), "ended_at",
        (json_int_t)now, "items", "object", "list", "data", items);
    if (object && stored->trial_end) {
        json_object_set_new(object, "trial_start", json_integer(stored->trial_start));
        json_object_set_new(object, "trial_end", json_integer(stored->trial_end));
    }
    return object;
}

static sb_status_e let_in(sb_gone_t *gone, sb_result_t *result, sb_service_t *service,
                          apr_pool_t *pool)
{
    const sb_subscription_t *stored = gone->stored;
    json_t *object = ended(stored, sb_clock_now());
    sb_ingest_t outcome;

    if (!object) {
        return sb_result_set(result, SB_INTERNAL, "no_memory", "Out of memory.", NULL);
    }
    const sb_event_t event = {
        .id = apr_psprintf(pool, "sync:%.120s:gone", stored->id),
        .type = "customer.subscription.deleted",
        .created = stored->event_created,
        .livemode = stored->livemode,
        .api_version = SB_STRIPE_VERSION,
        .kind = "subscription",
        .object_id = stored->id,
        .object = sb_service_own(object, pool),
    };
    sb_status_e status =
        sb_ingest_fact(&outcome, result, service, &event, SB_SOURCE_SYNC, pool);
    gone->ended = status == SB_OK && strcmp(outcome.state, "done") == 0;
    return status;
}

sb_status_e sb_gone_end(sb_gone_t *gone, sb_result_t *result, sb_service_t *service,
                        bool dry_run, apr_pool_t *pool)
{
    const char *price = gone->stored ? gone->stored->price : NULL;
    sb_status_e status = SB_NOT_FOUND;
    json_t *object;

    if (gone->over || dry_run) {
        return SB_OK;
    }
    if (price && sb_stripe_id_valid(price)) {
        status = sb_listing_object(&object, result, service, "price", price, pool);
    }
    if (status == SB_NOT_FOUND) {
        sb_result_clear(result);
        sb_log_limited(SB_LOG_WARNING, 0, "SB445",
                       "Stripe knows neither subscription %s nor its price %s, so it is "
                       "left as it is; is SubbillStripeKey another account's?",
                       gone->stored->id, price ? price : "-");
        return SB_OK;
    }
    return status == SB_OK ? let_in(gone, result, service, pool) : status;
}
