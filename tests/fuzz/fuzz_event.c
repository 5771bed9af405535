/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "base/json.h"
#include "domain/stripe_event.h"
#include "fuzz.h"

#include <string.h>

/* Input: a webhook's body that was signed. Every reader gets every object, as a lying
 * "object" member would have it, and what it found is put to the questions of the domain. */

static sb_catalog_t *catalog;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    static const char text[] =
        "{\"currency\":\"eur\",\"plans\":["
        "{\"plan\":\"basic\",\"name\":\"Basic\",\"rank\":10,\"product\":\"prod_1\","
        "\"prices\":[{\"interval\":\"month\",\"amount\":900,\"id\":\"price_1\","
        "\"lookup_key\":\"basic_monthly\"}]},"
        "{\"plan\":\"pro\",\"name\":\"Pro\",\"rank\":20,\"prices\":[{\"interval\":"
        "\"year\",\"amount\":2900,\"lookup_key\":\"pro_yearly\"}]}]}";

    sb_fuzz_holds(sb_catalog_parse(&catalog, NULL, text, sizeof(text) - 1,
                                   sb_fuzz_setup_pool()) == SB_OK,
                  "the target's own catalogue is valid");
    return 0;
}

static bool time_is_sane(apr_int64_t seconds)
{
    return seconds >= 0 && seconds <= 253402300799; /* to the end of the year 9999 */
}

static void ids_check(const char *id, const char *customer)
{
    sb_fuzz_holds(!id || sb_stripe_id_valid(id), "an id is one");
    sb_fuzz_holds(!customer || sb_stripe_id_valid(customer), "a customer's id is one");
}

/* May it replace a twin with another status, and what does it take over? */
static void order_ask(const sb_subscription_t *sub, const sb_event_t *event,
                      sb_subscription_status_e status)
{
    static const sb_order_hints_t hints[] = {{.fetched = true},
                                             {.created_event = true},
                                             {.follows = true},
                                             {.fetched = false}};
    sb_subscription_t incoming = *sub, stored = *sub;

    stored.status = status;
    stored.past_due_since = sub->created;
    stored.event_id = "evt_stored";
    if (event) {
        sb_event_follows(event, &stored);
    }
    for (size_t i = 0; i < sizeof(hints) / sizeof(hints[0]); i++) {
        bool replaces = sb_subscription_supersedes(&stored, sub, hints[i]);
        sb_fuzz_holds(!replaces || !sb_subscription_status_final(status) ||
                          sb_subscription_status_final(sub->status),
                      "what is over stays over");
    }
    sb_subscription_inherit(&incoming, &stored, 1793610000);
    sb_subscription_backdate(&stored, sub, 1793600000);
    sb_fuzz_holds(time_is_sane(incoming.past_due_since) &&
                      time_is_sane(stored.past_due_since),
                  "trouble began some day");
    sb_fuzz_holds(time_is_sane(sb_subscription_ends_at(&incoming)), "it ends some day");
}

static void subscription_ask(sb_subscription_t *sub, const sb_event_t *event)
{
    static const apr_int64_t moments[] = {0, 1793610000, 253402300799};

    ids_check(sub->id, sub->customer);
    sb_fuzz_holds(time_is_sane(sub->created) && time_is_sane(sub->current_period_end) &&
                      time_is_sane(sub->trial_end) && time_is_sane(sub->cancel_at) &&
                      time_is_sane(sub->canceled_at) && time_is_sane(sub->ended_at),
                  "times are within the calendar");
    sb_fuzz_holds(!sub->user, "no event names its user");
    bool mapped = sb_subscription_map(sub, catalog, NULL, NULL);
    sb_fuzz_holds(mapped == (sub->plan && sb_catalog_plan(catalog, sub->plan)),
                  "a plan is one of the catalogue's");
    for (size_t i = 0; i < sizeof(moments) / sizeof(moments[0]); i++) {
        sb_access_t access = sb_subscription_access(sub, moments[i], 7);
        sb_fuzz_holds(!access.granted || sub->status == SB_STATUS_ACTIVE ||
                          sub->status == SB_STATUS_TRIALING ||
                          sub->status == SB_STATUS_PAST_DUE,
                      "no other status opens a door");
        sb_fuzz_holds(sb_subscription_days_remaining(sub, moments[i]) >= 0,
                      "no days are owed");
    }
    sub->event_created = event ? event->created : sub->created;
    sub->event_id = event ? event->id : NULL;
    sb_fuzz_holds(sb_subscription_order(
                      NULL, sub, (sb_order_hints_t){.follows = false}) == SB_ORDER_APPLY,
                  "what was never seen is new");
    order_ask(sub, event, SB_STATUS_PAST_DUE);
    order_ask(sub, event, SB_STATUS_CANCELED);
    order_ask(sub, event, sub->status);
}

static void refusal_check(const sb_result_t *result)
{
    sb_fuzz_holds(result->status == SB_INVALID && result->code && result->message &&
                      strcmp(result->code, "bad_object") == 0,
                  "a refusal names the field");
}

static void object_read(const json_t *object, const sb_event_t *event, apr_pool_t *pool)
{
    sb_result_t result = {.status = SB_OK};
    sb_subscription_t sub;
    sb_checkout_facts_t checkout;
    sb_invoice_facts_t invoice;
    sb_customer_facts_t customer;
    sb_price_facts_t price;
    sb_product_facts_t product;

    if (sb_event_subscription(&sub, &result, object, pool) == SB_OK) {
        subscription_ask(&sub, event);
    }
    else {
        refusal_check(&result);
    }
    if (sb_event_checkout_session(&checkout, &result, object, pool) == SB_OK) {
        ids_check(checkout.id, checkout.customer);
        sb_fuzz_holds(time_is_sane(checkout.expires_at), "a checkout ends some day");
    }
    else {
        refusal_check(&result);
    }
    if (sb_event_invoice(&invoice, &result, object, pool) == SB_OK) {
        ids_check(invoice.id, invoice.customer);
        sb_fuzz_holds(time_is_sane(invoice.paid_at), "an invoice was paid some day");
    }
    else {
        refusal_check(&result);
    }
    if (sb_event_customer(&customer, &result, object, pool) == SB_OK) {
        ids_check(customer.id, NULL);
    }
    else {
        refusal_check(&result);
    }
    if (sb_event_price(&price, &result, object, pool) == SB_OK) {
        sb_fuzz_holds(price.amount >= -1, "a price is no gift");
    }
    else {
        refusal_check(&result);
    }
    if (sb_event_product(&product, &result, object, pool) != SB_OK) {
        refusal_check(&result);
    }
}

/* T30, T34, T47: what Stripe says, of any version. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = sb_fuzz_pool();
    sb_result_t result = {.status = SB_OK};
    sb_event_t event;
    json_t *json;

    if (!sb_json_parse(&json, NULL, 0, (const char *)data, size, SB_JSON_DEPTH)) {
        return 0;
    }
    if (sb_event_parse(&event, &result, json, pool) == SB_OK) {
        sb_fuzz_holds(event.id && event.type && time_is_sane(event.created),
                      "an event has id, type and time");
        sb_fuzz_holds(event.thin == !event.object, "only thin events lack their object");
        object_read(event.object, &event, pool);
    }
    else {
        sb_fuzz_holds(result.code && strcmp(result.code, "not_an_event") == 0,
                      "a refusal says that it is no event");
    }
    object_read(json, NULL, pool); /* as the API would answer it */
    json_decref(json);
    return 0;
}
