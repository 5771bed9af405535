/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "service_fixture.h"
#include "unit.h"

#include "base/clock.h"

#include <apr_strings.h>
#include <string.h>

static const char *sub(const char *user, const char *status)
{
    return service_subscription("sub_1", "cus_1", user, status, PRICE_BASIC);
}

static const char *count(const char *where)
{
    return store_admin_value(
        apr_pstrcat(store.pool, "SELECT COUNT(*) FROM ", where, NULL));
}

/* A16, B25, B32, B33, D24 */
START_TEST(test_a_signed_event_opens_the_gate_and_is_logged)
{
    if (!service_on(_i)) {
        return;
    }
    service_with(NULL, 0);
    ck_assert_str_eq(service_gate("zoe", "any"), "no_account");
    ck_assert_str_eq(
        service_deliver(service_event("evt_1", "customer.subscription.created", 0,
                                      sub("zoe", "active"))),
        "done");
    ck_assert_str_eq(service_gate("zoe", "any"), "ok");
    ck_assert_str_eq(service_gate("zoe", "pro"), "plan_too_low");
    ck_assert_ptr_nonnull(strstr(store_log(), "event evt_1"));
    ck_assert_str_eq(count("event WHERE id='evt_1' AND state='done'"), "1");
    ck_assert_str_eq(count("event_body WHERE event_id='evt_1'"), "1");
}
END_TEST

/* T03, F18 */
START_TEST(test_a_finished_event_is_a_duplicate)
{
    if (!service_on(_i)) {
        return;
    }
    service_with(NULL, 0);
    const char *event =
        service_event("evt_1", "customer.subscription.created", 0, sub("zoe", "active"));
    service_deliver(event);
    ck_assert_str_eq(service_deliver(event), "duplicate");
    ck_assert_str_eq(count("event"), "1");
}
END_TEST

/* T01, T02, A17 */
START_TEST(test_nothing_is_parsed_before_the_signature_fits)
{
    if (!service_on(_i)) {
        return;
    }
    service_with(NULL, 0);
    ck_assert_int_eq(sb_ingest_webhook(&sv.outcome, &sv.result, sv.service, "t=1,v1=00",
                                       "{", 1, sv.secrets, store.pool),
                     SB_INVALID);
    ck_assert_str_eq(sv.result.code, "bad_signature");
    ck_assert_int_eq(sb_ingest_webhook(&sv.outcome, &sv.result, sv.service, NULL, "{}", 2,
                                       apr_array_make(store.pool, 0, sizeof(char *)),
                                       store.pool),
                     SB_UNAVAILABLE);
    ck_assert_str_eq(sv.result.code, "webhook_not_configured");
    ck_assert_str_eq(count("event"), "0");
}
END_TEST

/* T07 */
START_TEST(test_other_mode_other_account_and_unknown_types_are_kept_as_ignored)
{
    if (!service_on(_i)) {
        return;
    }
    service_with(NULL, 0);
    const char *live =
        apr_pstrdup(store.pool, service_event("evt_live", "customer.subscription.created",
                                              0, sub("zoe", "active")));
    char *flag = strstr(live, "\"livemode\":false,\"api_version\"");
    memcpy(flag, "\"livemode\":true ,\"api_version\"", 30);
    ck_assert_str_eq(service_deliver(live), "ignored");
    ck_assert_str_eq(sv.outcome.reason, "livemode_mismatch");
    ck_assert_str_eq(service_deliver(service_event("evt_odd", "planet.created", 0, "{}")),
                     "ignored");
    ck_assert_str_eq(sv.outcome.reason, "unhandled_type");
    ck_assert_str_eq(service_gate("zoe", "any"), "no_account");
    ck_assert_str_eq(count("event WHERE state='ignored'"), "2");
}
END_TEST

/* T07: loud, visible, no access; the same event heals it once the price is known. */
START_TEST(test_an_unmapped_price_opens_nothing_and_stays_failed)
{
    if (!service_on(_i)) {
        return;
    }
    service_with(NULL, 0);
    const char *event =
        service_event("evt_1", "customer.subscription.created", 0,
                      service_subscription("sub_1", "cus_1", "zoe", "active",
                                           "price_1Elsewhere000001"));
    ck_assert_str_eq(service_deliver(event), "failed");
    ck_assert_str_eq(sv.outcome.reason, "unmapped_price");
    ck_assert_str_eq(service_gate("zoe", "any"), "unmapped_price");
    ck_assert_ptr_nonnull(strstr(store_log(), "price_1Elsewhere000001"));
    store_admin("UPDATE price SET plan = 'basic' WHERE id = 'price_1Elsewhere000001'");
    store_admin_close();
    ck_assert_str_eq(service_deliver(event), "done");
    ck_assert_str_eq(service_gate("zoe", "any"), "ok");
}
END_TEST

/* T30: impossible data is stored as failed and applied nowhere. */
START_TEST(test_an_event_that_cannot_be_applied_leaves_only_itself)
{
    if (!service_on(_i)) {
        return;
    }
    service_with(NULL, 0);
    char *broken = apr_pstrdup(store.pool, sub("zoe", "active"));
    memcpy(strstr(broken, "\"customer\":\"cus_1\""), "\"customer\":\"cu 1\" ", 18);
    ck_assert_str_eq(service_deliver(service_event(
                         "evt_1", "customer.subscription.updated", 0, broken)),
                     "failed");
    ck_assert_str_eq(sv.outcome.reason, "bad_object");
    ck_assert_str_eq(count("subscription"), "0");
    ck_assert_str_eq(count("event WHERE state='failed' AND reason='bad_object'"), "1");
    ck_assert_str_eq(count("event_body"), "1");
}
END_TEST

/* T08, B10: what a stranger can write binds nobody; the second name gets nothing, and it is audited. */
START_TEST(test_a_bound_customer_stays_with_its_user)
{
    if (!service_on(_i)) {
        return;
    }
    service_with(NULL, 0);
    service_deliver(
        service_event("evt_1", "customer.subscription.created", 0, sub("zoe", "active")));
    ck_assert_str_eq(
        service_deliver(service_event("evt_2", "customer.subscription.updated", 1,
                                      sub("mallory", "active"))),
        "failed");
    ck_assert_str_eq(sv.outcome.reason, "customer_bound_elsewhere");
    ck_assert_str_ne(service_gate("mallory", "any"), "ok");
    ck_assert_str_eq(service_gate("zoe", "any"), "ok");
    ck_assert_str_eq(count("link_audit WHERE user_name='mallory'"), "1");
    const char *link = service_json(
        "{'id':'cs_1','object':'checkout.session','mode':'subscription','livemode':false,"
        "'status':'complete','payment_status':'paid','customer':'cus_2',"
        "'subscription':'sub_2','client_reference_id':'mallory','metadata':{},"
        "'currency':'eur','amount_total':900,'created':1}");
    ck_assert_str_eq(
        service_deliver(service_event("evt_3", "checkout.session.completed", 0, link)),
        "ignored");
    ck_assert_str_eq(sv.outcome.reason, "unknown_session");
}
END_TEST

/* A16, F18: customer, subscription and session may come in any order. */
START_TEST(test_a_subscription_gets_its_user_when_the_binding_comes)
{
    if (!service_on(_i)) {
        return;
    }
    service_with(NULL, 0);
    service_deliver(service_event("evt_1", "customer.subscription.created", 0,
                                  sub(NULL, "trialing")));
    ck_assert_str_eq(service_gate("zoe", "any"), "no_account");
    service_deliver(service_event(
        "evt_2", "customer.created", 0,
        service_json("{'id':'cus_1','object':'customer','livemode':false,'created':1,"
                     "'metadata':{'subbill_user':'zoe'}}")));
    ck_assert_str_eq(service_gate("zoe", "any"), "ok");
}
END_TEST

/* F18: every order of a life's events ends in the same state. */
START_TEST(test_the_order_of_arrival_does_not_matter)
{
    static const int orders[][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                    {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    const int *order = orders[_i % 6];

    if (!service_on(_i / 6)) {
        return;
    }
    service_with(NULL, 0);
    const char *const events[] = {
        service_event("evt_1", "customer.subscription.created", 0, sub("zoe", "active")),
        service_event("evt_2", "customer.subscription.updated", 5,
                      sub("zoe", "past_due")),
        service_event("evt_3", "customer.subscription.updated", 9, sub("zoe", "active")),
    };
    for (int i = 0; i < 3; i++) {
        service_deliver(events[order[i]]);
    }
    ck_assert_str_eq(service_gate("zoe", "any"), "ok");
    service_deliver(service_event("evt_4", "customer.subscription.deleted", 4,
                                  sub("zoe", "canceled")));
    service_deliver(service_event("evt_5", "customer.subscription.updated", 60,
                                  sub("zoe", "active")));
    ck_assert_str_eq(service_gate("zoe", "any"), "ended");
}
END_TEST

/* F24: an event dated ahead of our clock does not lengthen the grace. */
START_TEST(test_past_due_closes_at_once_without_a_grace)
{
    if (!service_on(_i)) {
        return;
    }
    service_with(NULL, 0);
    service_deliver(service_event("evt_1", "customer.subscription.updated", 200,
                                  sub("zoe", "past_due")));
    ck_assert_str_eq(service_gate("zoe", "any"), "past_due");
}
END_TEST

/* Two events of one second, even when one ends while they are made. */
static void tie_of(const char **first, const char **second, const char *status,
                   const char *other)
{
    apr_int64_t now;

    do {
        now = sb_clock_now();
        *first = service_event("evt_1", "customer.subscription.updated", 0,
                               sub("zoe", status));
        *second =
            service_event("evt_2", "customer.subscription.updated", 0, sub("zoe", other));
    } while (sb_clock_now() != now);
}

/* F18: two statements of one second are settled by asking; until then the lesser one holds. */
START_TEST(test_a_tie_is_settled_by_fetching)
{
    const scripted_answer_t script[] = {
        service_answer(
            200, service_subscription("sub_1", "cus_1", "zoe", "active", PRICE_PRO)),
    };
    static const char *const lesser[] = {"past_due", "active"};

    if (!service_on(_i / 2)) {
        return;
    }
    service_with(script, 1);
    const char *first, *tie;
    tie_of(&first, &tie, lesser[_i % 2], lesser[!(_i % 2)]);
    service_deliver(first);
    service_deliver(tie);
    ck_assert_str_eq(service_gate("zoe", "any"), "past_due");
    ck_assert_int_eq(scripted_server_requests(sv.server), 0);
    ck_assert_int_eq(service_work().done, 1);
    ck_assert_int_eq(scripted_server_requests(sv.server), 1);
    ck_assert_str_eq(service_gate("zoe", "pro"), "ok");
    ck_assert_str_eq(count("event WHERE id LIKE 'fetch:%' AND source='fetch'"), "1");
    ck_assert_str_eq(count("job"), "0");
    ck_assert_str_eq(service_deliver(tie), "duplicate");
}
END_TEST

/* F13, F18: a tie that Stripe cannot settle now waits for it, and the lesser statement holds. */
START_TEST(test_a_tie_waits_for_stripe)
{
    const scripted_answer_t script[] = {
        service_silence(),
        service_answer(500, "{'error':{'type':'api_error','message':'x'}}"),
        service_answer(500, "{'error':{'type':'api_error','message':'x'}}"),
        service_answer(
            200, service_subscription("sub_1", "cus_1", "zoe", "active", PRICE_PRO)),
    };

    if (!service_on(_i)) {
        return;
    }
    service_with(script, 4);
    sb_stripe_t *patient = sv.service->stripe;
    sv.service->stripe = sb_stripe_hurried(patient, 2000, store.pool);
    const char *first, *tie;
    tie_of(&first, &tie, "active", "past_due");
    service_deliver(first);
    service_deliver(tie);
    for (int tries = 0; tries < 3; tries++) {
        ck_assert_int_eq(service_work().retried, 1);
        ck_assert_int_eq(service_work().retried, 0); /* not before its time */
        ck_assert_str_eq(service_gate("zoe", "any"), "past_due");
        service_jobs_due();
    }
    ck_assert_int_eq(service_work().done, 1);
    ck_assert_str_eq(service_gate("zoe", "pro"), "ok");
    ck_assert_int_eq(scripted_server_requests(sv.server), 4);
}
END_TEST

/* F18: without a key nobody can be asked yet; what grants less holds, and the question stays. */
START_TEST(test_a_tie_without_a_key_keeps_waiting)
{
    if (!service_on(_i)) {
        return;
    }
    service_with(NULL, 0);
    const char *first, *tie;
    tie_of(&first, &tie, "past_due", "active");
    service_deliver(first);
    service_deliver(tie);
    ck_assert_int_eq(service_work().retried, 1);
    ck_assert_str_eq(service_gate("zoe", "any"), "past_due");
    ck_assert_str_eq(count("job WHERE kind='fetch' AND subject='sub_1' AND "
                           "error LIKE 'stripe_not_configured%'"),
                     "1");
}
END_TEST

/* T30, F06: what the tables do not take is kept as failed instead of being asked for again for ever. */
START_TEST(test_an_event_that_the_database_refuses_is_failed)
{
    if (!service_on(_i)) {
        return;
    }
    service_with(NULL, 0);
    char *item = apr_pstrdup(store.pool, sub("zoe", "active"));
    service_deliver(service_event("evt_1", "customer.subscription.created", 0, item));
    memcpy(strstr(item, "\"sub_1\""), "\"sub_2\"", 7); /* the item stays */
    const char *event = service_event("evt_2", "customer.subscription.created", 0, item);
    ck_assert_str_eq(service_deliver(event), "failed");
    ck_assert_str_eq(sv.outcome.reason, "database_refused");
    ck_assert_str_eq(count("subscription"), "1");
    ck_assert_str_eq(
        count("event WHERE id='evt_2' AND state='failed' AND reason='database_refused'"),
        "1");
    store_admin("DELETE FROM subscription_item");
    store_admin_close();
    ck_assert_str_eq(service_deliver(event), "done");
}
END_TEST

/* What the return page read, when what it found stored was this old. */
static void return_reads(const char *id, const char *status, apr_int64_t seen)
{
    json_error_t error;
    json_t *object = json_loads(sub("zoe", status), 0, &error);
    const sb_event_t fact = {.id = id,
                             .type = "customer.subscription.updated",
                             .created = sb_clock_now(),
                             .seen = seen,
                             .api_version = "2026-10-28.endive",
                             .kind = "subscription",
                             .object_id = "sub_1",
                             .object = object};

    ck_assert_int_eq(sb_ingest_fact(&sv.outcome, &sv.result, sv.service, &fact,
                                    SB_SOURCE_RETURN, store.pool),
                     SB_OK);
    json_decref(object);
}

/* A16, F18: a webhook that arrives while the return page asks Stripe is newer than the answer. */
START_TEST(test_what_is_told_while_the_return_page_asks_wins)
{
    if (!service_on(_i)) {
        return;
    }
    service_with(NULL, 0);
    apr_int64_t now = sb_clock_now();
    service_deliver(service_event("evt_1", "customer.subscription.created", 0,
                                  sub("zoe", "trialing")));
    service_deliver(service_event("evt_2", "customer.subscription.updated", 9,
                                  sub("zoe", "past_due")));
    return_reads("return:1", "active", now);
    ck_assert_str_eq(service_gate("zoe", "any"), "past_due");
    return_reads("return:2", "active", now + 20);
    ck_assert_str_eq(service_gate("zoe", "any"), "ok");
}
END_TEST

/* What an act read before its last call, when this event had told what was stored. */
static void act_reads(const char *id, const char *status, apr_int64_t seen,
                      const char *seen_event)
{
    json_error_t error;
    json_t *object = json_loads(sub("zoe", status), 0, &error);
    const sb_event_t fact = {.id = id,
                             .type = "customer.subscription.updated",
                             .created = seen + 300, /* by our clock */
                             .seen = seen,
                             .seen_event = seen_event,
                             .api_version = "2026-10-28.endive",
                             .kind = "subscription",
                             .object_id = "sub_1",
                             .object = object};

    ck_assert_int_eq(sb_ingest_fact(&sv.outcome, &sv.result, sv.service, &fact,
                                    SB_SOURCE_ACTION, store.pool),
                     SB_OK);
    json_decref(object);
}

/* F18, F24: what a webhook of the same second told during the call is not undone; Stripe says what holds. */
START_TEST(test_what_is_told_in_the_second_of_an_act_is_settled_by_stripe)
{
    const scripted_answer_t script[] = {service_answer(200, sub("zoe", "past_due"))};

    if (!service_on(_i)) {
        return;
    }
    service_with(script, 1);
    apr_int64_t now = sb_clock_now();
    const char *first = service_json(
        "{'id':'evt_1','object':'event','type':'customer.subscription.created',"
        "'created':%" APR_INT64_T_FMT ",'livemode':false,"
        "'api_version':'2026-10-28.endive','data':{'object':%s}}",
        now, sub("zoe", "trialing"));
    service_deliver(first);
    act_reads("seen:1", "active", now, "evt_1");
    ck_assert_str_eq(service_gate("zoe", "any"), "ok");
    ck_assert_str_eq(count("subscription WHERE status = 'active'"), "1");
    service_deliver(service_json(
        "{'id':'evt_2','object':'event','type':'customer.subscription.updated',"
        "'created':%" APR_INT64_T_FMT ",'livemode':false,"
        "'api_version':'2026-10-28.endive','data':{'object':%s,"
        "'previous_attributes':{'status':'active'}}}",
        now, sub("zoe", "past_due")));
    ck_assert_str_eq(service_gate("zoe", "any"), "past_due");
    act_reads("seen:2", "active", now, "seen:1");
    ck_assert_str_eq(service_gate("zoe", "any"), "past_due");
    ck_assert_str_eq(count("job WHERE kind = 'fetch' AND subject = 'sub_1'"), "1");
    ck_assert_int_eq(service_work().done, 1);
    ck_assert_str_eq(service_gate("zoe", "any"), "past_due");
    ck_assert_str_eq(store_admin_value(apr_psprintf(
                         store.pool,
                         "SELECT COUNT(*) FROM subscription WHERE event_created "
                         "= %" APR_INT64_T_FMT,
                         now)),
                     "1");
}
END_TEST

/* B23: objects of old API versions have a plan and no items. */
START_TEST(test_a_subscription_without_items_opens_by_its_plan)
{
    if (!service_on(_i)) {
        return;
    }
    service_with(NULL, 0);
    const char *old = service_json(
        "{'id':'sub_1','object':'subscription','customer':'cus_1','status':'active',"
        "'livemode':false,'created':1600000000,'metadata':{'subbill_user':'zoe'},"
        "'current_period_start':1600000000,'current_period_end':4000000000,'quantity':1,"
        "'plan':{'id':'%s','object':'plan','active':true,'amount':900,'currency':'eur',"
        "'interval':'month','interval_count':1,'product':'prod_X','livemode':false}}",
        PRICE_BASIC);
    ck_assert_str_eq(
        service_deliver(service_event("evt_1", "customer.subscription.created", 0, old)),
        "done");
    ck_assert_str_eq(
        service_deliver(service_event("evt_2", "customer.subscription.updated", 1, old)),
        "done");
    ck_assert_str_eq(service_gate("zoe", "basic"), "ok");
    ck_assert_str_eq(count("subscription_item"), "1");
}
END_TEST

static const char *past_due_since(void)
{
    return store_admin_value("SELECT past_due_since FROM subscription");
}

/* A16, F24: the grace of a subscription that was fetched begins when it was fetched, and an event that
 * is late to tell moves it back. */
START_TEST(test_the_grace_of_a_fetched_subscription_begins_now)
{
    if (!service_on(_i)) {
        return;
    }
    service_with(NULL, 0);
    json_error_t error;
    const char *object = sub("zoe", "past_due");
    json_t *json = json_loads(object, 0, &error);
    apr_int64_t now = sb_clock_now();
    json_object_set_new(json, "created", json_integer(now - 90 * 86400));
    const sb_event_t fact = {.id = "sync:1",
                             .type = "customer.subscription.updated",
                             .created = now,
                             .api_version = "2026-10-28.endive",
                             .kind = "subscription",
                             .object_id = "sub_1",
                             .object = json};
    ck_assert_int_eq(
        sb_ingest_fact(&sv.outcome, &sv.result, sv.service, &fact, "sync", store.pool),
        SB_OK);
    json_decref(json);
    ck_assert_int_ge(apr_atoi64(past_due_since()), now);
    service_deliver(service_event("evt_1", "customer.subscription.updated", -40, object));
    ck_assert_int_le(apr_atoi64(past_due_since()), sb_clock_now() - 40);
    service_deliver(service_event("evt_2", "customer.subscription.updated", -80, object));
    ck_assert_int_le(apr_atoi64(past_due_since()), sb_clock_now() - 80);
    service_deliver(service_event("evt_3", "customer.subscription.updated", -20, object));
    ck_assert_int_le(apr_atoi64(past_due_since()), sb_clock_now() - 80);
}
END_TEST

/* E16, A15: one payment per invoice whatever events tell it; none for a trial's zero. */
START_TEST(test_a_paid_invoice_is_one_payment)
{
    if (!service_on(_i)) {
        return;
    }
    service_with(NULL, 0);
    service_deliver(
        service_event("evt_1", "customer.subscription.created", 0, sub("zoe", "active")));
    const char *invoice =
        "{'id':'%s','object':'invoice','livemode':false,'customer':'cus_1','status':'"
        "paid',"
        "'currency':'eur','amount_due':%d,'amount_paid':%d,'amount_remaining':0,'total':%"
        "d,"
        "'created':1700000000,'attempt_count':1,'period_start':1,'period_end':2,"
        "'billing_reason':'subscription_cycle'}";
    const char *paid = service_json(invoice, "in_1", 900, 900, 900);
    service_deliver(service_event("evt_2", "invoice.paid", 1, paid));
    service_deliver(service_event("evt_3", "invoice.payment_succeeded", 1, paid));
    service_deliver(service_event("evt_4", "invoice.paid", 1,
                                  service_json(invoice, "in_2", 0, 0, 0)));
    ck_assert_str_eq(count("invoice WHERE user_name='zoe'"), "2");
    ck_assert_str_eq(count("payment WHERE status='succeeded' AND amount=900"), "1");
    ck_assert_str_eq(count("payment"), "1");
}
END_TEST

/* A deleted customer's subscriptions are over even when their own events never come. */
START_TEST(test_deleting_the_customer_closes_the_gate)
{
    if (!service_on(_i)) {
        return;
    }
    service_with(NULL, 0);
    service_deliver(
        service_event("evt_1", "customer.subscription.created", 0, sub("zoe", "active")));
    service_deliver(service_event(
        "evt_2", "customer.deleted", 5,
        service_json("{'id':'cus_1','object':'customer','livemode':false,'created':1}")));
    ck_assert_str_eq(service_gate("zoe", "any"), "ended");
}
END_TEST

/* F01, F09: database trouble is no acknowledgement. */
START_TEST(test_database_trouble_is_not_acknowledged)
{
    if (!service_on(_i)) {
        return;
    }
    service_with(NULL, 0);
    store_admin("ALTER TABLE subscription RENAME TO gone");
    store_admin_close();
    const char *event =
        service_event("evt_1", "customer.subscription.created", 0, sub("zoe", "active"));
    ck_assert_int_eq(sb_ingest_event(&sv.outcome, &sv.result, sv.service, "webhook",
                                     event, strlen(event), store.pool),
                     SB_UNAVAILABLE);
    ck_assert_str_eq(count("event"), "0");
    ck_assert_str_eq(count("customer"), "0");
}
END_TEST

/* T33, T34 */
START_TEST(test_bytes_that_are_no_event_are_refused)
{
    static const struct {
        const char *body, *code;
    } cases[] = {{"", "bad_json"},
                 {"hello", "bad_json"},
                 {"[]", "not_an_event"},
                 {"{'id':'evt_1'}", "not_an_event"},
                 {"{'id':'evt_1','id':'evt_2'}", "bad_json"}};

    if (!service_on(_i)) {
        return;
    }
    service_with(NULL, 0);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        const char *body = service_json("%s", cases[i].body);
        ck_assert_int_eq(sb_ingest_event(&sv.outcome, &sv.result, sv.service, "webhook",
                                         body, strlen(body), store.pool),
                         SB_INVALID);
        ck_assert_str_eq(sv.result.code, cases[i].code);
    }
    ck_assert_str_eq(count("event"), "0");
}
END_TEST

Suite *service_ingest_suite(void)
{
    Suite *suite = suite_create("service_ingest");
    TCase *tcase = tcase_create("ingest");

    tcase_add_checked_fixture(tcase, service_setup, service_teardown);
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, test_a_signed_event_opens_the_gate_and_is_logged, 0,
                        SB_DIALECTS);
    tcase_add_loop_test(tcase, test_a_finished_event_is_a_duplicate, 0, SB_DIALECTS);
    tcase_add_loop_test(tcase, test_nothing_is_parsed_before_the_signature_fits, 0,
                        SB_DIALECTS);
    tcase_add_loop_test(
        tcase, test_other_mode_other_account_and_unknown_types_are_kept_as_ignored, 0,
        SB_DIALECTS);
    tcase_add_loop_test(tcase, test_an_unmapped_price_opens_nothing_and_stays_failed, 0,
                        SB_DIALECTS);
    tcase_add_loop_test(tcase, test_an_event_that_cannot_be_applied_leaves_only_itself, 0,
                        SB_DIALECTS);
    tcase_add_loop_test(tcase, test_a_bound_customer_stays_with_its_user, 0, SB_DIALECTS);
    tcase_add_loop_test(tcase, test_a_subscription_gets_its_user_when_the_binding_comes,
                        0, SB_DIALECTS);
    tcase_add_loop_test(tcase, test_the_order_of_arrival_does_not_matter, 0, 18);
    tcase_add_loop_test(tcase, test_past_due_closes_at_once_without_a_grace, 0,
                        SB_DIALECTS);
    tcase_add_loop_test(tcase, test_a_tie_is_settled_by_fetching, 0, 2 * SB_DIALECTS);
    tcase_add_loop_test(tcase, test_a_tie_waits_for_stripe, 0, SB_DIALECTS);
    tcase_add_loop_test(tcase, test_a_tie_without_a_key_keeps_waiting, 0, SB_DIALECTS);
    tcase_add_loop_test(tcase, test_an_event_that_the_database_refuses_is_failed, 0,
                        SB_DIALECTS);
    tcase_add_loop_test(tcase, test_what_is_told_while_the_return_page_asks_wins, 0,
                        SB_DIALECTS);
    tcase_add_loop_test(tcase, test_a_subscription_without_items_opens_by_its_plan, 0,
                        SB_DIALECTS);
    tcase_add_loop_test(tcase, test_the_grace_of_a_fetched_subscription_begins_now, 0,
                        SB_DIALECTS);
    tcase_add_loop_test(tcase,
                        test_what_is_told_in_the_second_of_an_act_is_settled_by_stripe, 0,
                        SB_DIALECTS);
    tcase_add_loop_test(tcase, test_a_paid_invoice_is_one_payment, 0, SB_DIALECTS);
    tcase_add_loop_test(tcase, test_deleting_the_customer_closes_the_gate, 0,
                        SB_DIALECTS);
    tcase_add_loop_test(tcase, test_database_trouble_is_not_acknowledged, 0, SB_DIALECTS);
    tcase_add_loop_test(tcase, test_bytes_that_are_no_event_are_refused, 0, SB_DIALECTS);
    suite_add_tcase(suite, tcase);
    return suite;
}
