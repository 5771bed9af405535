/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "service_fixture.h"
#include "unit.h"

#include <apr_strings.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* Two events about something new, told by Stripe three seconds apart and delivered in the same instant:
 * there is no row yet to lock, and the newer one must win all the same. */

enum { ROUNDS = 12 };

typedef struct {
    const char *body;
    pthread_barrier_t *barrier;
    apr_pool_t *pool;
    sb_result_t result;
    sb_status_e status;
} delivery_t;

static void *deliver(void *data)
{
    delivery_t *delivery = data;
    sb_ingest_t outcome;

    sb_result_clear(&delivery->result);
    pthread_barrier_wait(delivery->barrier);
    delivery->status =
        sb_ingest_event(&outcome, &delivery->result, sv.service, "webhook",
                        delivery->body, strlen(delivery->body), delivery->pool);
    return NULL;
}

static void deliver_both(const char *older, const char *newer)
{
    delivery_t deliveries[] = {{.body = older}, {.body = newer}};
    pthread_t threads[2];
    pthread_barrier_t barrier;

    pthread_barrier_init(&barrier, NULL, 2);
    for (int i = 0; i < 2; i++) {
        deliveries[i].barrier = &barrier;
        apr_pool_create_unmanaged_ex(&deliveries[i].pool, NULL, NULL);
        ck_assert_int_eq(pthread_create(&threads[i], NULL, deliver, &deliveries[i]), 0);
    }
    for (int i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
        ck_assert_msg(deliveries[i].status == SB_OK, "%d, %s: %s\n%s",
                      (int)deliveries[i].status, deliveries[i].result.code,
                      deliveries[i].result.message, store_log());
        apr_pool_destroy(deliveries[i].pool);
    }
    pthread_barrier_destroy(&barrier);
}

static const char *subscription(int round, bool newer)
{
    return service_subscription(apr_psprintf(store.pool, "sub_%d", round),
                                apr_psprintf(store.pool, "cus_%d", round),
                                apr_psprintf(store.pool, "user%d", round),
                                newer ? "active" : "incomplete", PRICE_BASIC);
}

static const char *invoice(int round, bool newer)
{
    return service_json(
        "{'id':'in_%d','object':'invoice','livemode':false,'customer':'cus_1','status':'%"
        "s',"
        "'currency':'eur','amount_due':900,'amount_paid':%d,'amount_remaining':0,"
        "'total':900,'created':1700000000,'attempt_count':1,'period_start':1,"
        "'period_end':2,'billing_reason':'subscription_cycle'}",
        round, newer ? "paid" : "draft", newer ? 900 : 0);
}

static const char *price(int round, bool newer)
{
    return service_json("{'id':'price_race%d','object':'price','livemode':false,"
                        "'active':%s,'currency':'eur','unit_amount':900,'product':"
                        "'prod_X','recurring':{'interval':'month','interval_count':1}}",
                        round, newer ? "false" : "true");
}

static const char *product(int round, bool newer)
{
    return service_json("{'id':'prod_race%d','object':'product','livemode':false,"
                        "'active':%s,'name':'N','metadata':{}}",
                        round, newer ? "false" : "true");
}

/* A charge, and what is given back of it. */
static const char *money(int round, bool newer)
{
    if (newer) {
        return service_json(
            "{'id':'re_%d','object':'refund','amount':300,'currency':'eur',"
            "'status':'succeeded','payment_intent':'pi_%d','created':"
            "4000000000}",
            round, round);
    }
    return service_json(
        "{'id':'ch_%d','object':'charge','amount':900,'amount_refunded':0,"
        "'currency':'eur','status':'succeeded','payment_intent':'pi_%d'}",
        round, round);
}

/* A subscription, and the end of its customer. */
static const char *tomb(int round, bool newer)
{
    return newer ? service_json("{'id':'cus_%d','object':'customer','metadata':{"
                                "'subbill_user':'user%d'}}",
                                round, round)
                 : subscription(round, true);
}

static const char *features(int round, bool newer)
{
    return service_json(
        "{'object':'entitlements.active_entitlement_summary','customer':"
        "'cus_%d','entitlements':{'data':[{'lookup_key':'%s'}],'has_more':"
        "false}}",
        round, newer ? "new" : "old");
}

static const char *dispute(int round, bool newer)
{
    return service_json("{'id':'du_%d','object':'dispute','amount':900,'currency':'eur',"
                        "'status':'%s','payment_intent':'pi_%d'}",
                        round, newer ? "lost" : "needs_response", round);
}

static const struct {
    const char *older, *newer;
    const char *(*object)(int round, bool newer);
    const char *wrong; /* rows that show the older statement */
} races[] = {
    {"customer.subscription.created", "customer.subscription.updated", subscription,
     "subscription WHERE status <> 'active'"},
    {"invoice.created", "invoice.paid", invoice, "invoice WHERE status <> 'paid'"},
    {"price.created", "price.updated", price,
     "price WHERE id LIKE 'price_race%' AND active = 1"},
    {"product.created", "product.updated", product, "product WHERE active = 1"},
    {"charge.succeeded", "refund.created", money, "payment WHERE refunded <> 300"},
    {"customer.subscription.created", "customer.deleted", tomb,
     "subscription WHERE status <> 'canceled'"},
    {"entitlements.active_entitlement_summary.updated",
     "entitlements.active_entitlement_summary.updated", features,
     "entitlement WHERE lookup_key <> 'new'"},
    {"charge.dispute.created", "charge.dispute.closed", dispute,
     "dispute WHERE status <> 'lost'"},
};
enum { RACES = sizeof(races) / sizeof(races[0]) };

/* F18, A16: of two first events the newer one stays, whichever is faster */
START_TEST(test_two_first_events_at_once_end_with_the_newer_one)
{
    int race = _i % RACES;

    if (!service_on(_i / RACES)) {
        return;
    }
    service_with(NULL, 0);
    for (int round = 0; round < ROUNDS; round++) {
        deliver_both(
            service_event(apr_psprintf(store.pool, "evt_%d_a", round), races[race].older,
                          0, races[race].object(round, false)),
            service_event(apr_psprintf(store.pool, "evt_%d_b", round), races[race].newer,
                          3, races[race].object(round, true)));
    }
    ck_assert_int_eq(store_admin_count(races[race].wrong), 0);
    ck_assert_int_eq(store_admin_count("event"), 2 * ROUNDS);
}
END_TEST

/* F18: dispute and invoice payment arrive in one moment and do not see each other: the job that the dispute
 * leaves counts again. */
START_TEST(test_a_dispute_and_its_link_at_once_suspend_all_the_same)
{
    if (!service_on(_i)) {
        return;
    }
    service_with(NULL, 0);
    for (int round = 0; round < ROUNDS; round++) {
        const char *named[2] = {
            service_event(apr_psprintf(store.pool, "evt_%d_s", round),
                          "customer.subscription.created", 0, subscription(round, true)),
            service_event(
                apr_psprintf(store.pool, "evt_%d_i", round), "invoice.paid", 0,
                service_json("{'id':'in_%d','object':'invoice','customer':'cus_%d',"
                             "'livemode':false,'status':'paid','currency':'eur',"
                             "'amount_paid':900,'subscription':'sub_%d'}",
                             round, round, round))};
        service_deliver(named[0]);
        service_deliver(named[1]);
        deliver_both(service_event(apr_psprintf(store.pool, "evt_%d_d", round),
                                   "charge.dispute.created", 3, dispute(round, false)),
                     service_event(apr_psprintf(store.pool, "evt_%d_l", round),
                                   "invoice_payment.paid", 3,
                                   service_json("{'id':'inpay_%d','object':"
                                                "'invoice_payment','invoice':'in_%d',"
                                                "'payment':{'payment_intent':'pi_%d'}}",
                                                round, round, round)));
    }
    service_work();
    ck_assert_str_eq(service_count("subscription WHERE disputed = 0"), "0");
    ck_assert_str_eq(service_count("job"), "0");
}
END_TEST

/* T08: two users of whom each is named for the same new customer: one gets it, the other is told no */
START_TEST(test_two_claims_of_one_customer_at_once_are_one_conflict)
{
    if (!service_on(_i)) {
        return;
    }
    service_with(NULL, 0);
    for (int round = 0; round < ROUNDS; round++) {
        const char *events[2];
        for (int i = 0; i < 2; i++) {
            events[i] = service_event(
                apr_psprintf(store.pool, "evt_%d_%d", round, i), "customer.created", 0,
                service_json("{'id':'cus_%d','object':'customer','livemode':false,"
                             "'created':1,'metadata':{'subbill_user':'user%d%d'}}",
                             round, round, i));
        }
        deliver_both(events[0], events[1]);
    }
    ck_assert_int_eq(store_admin_count("event WHERE state = 'done'"), ROUNDS);
    ck_assert_int_eq(store_admin_count("event WHERE reason = 'customer_bound_elsewhere'"),
                     ROUNDS);
    ck_assert_int_eq(store_admin_count("customer WHERE user_name IS NOT NULL"), ROUNDS);
}
END_TEST

/* A16, F18: a subscription and an invoice that come while their customer is being bound are not missed */
START_TEST(test_what_arrives_during_the_binding_gets_its_user)
{
    if (!service_on(_i)) {
        return;
    }
    service_with(NULL, 0);
    for (int round = 0; round < ROUNDS; round++) {
        const char *customer = service_json(
            "{'id':'cus_%d','object':'customer','livemode':false,'created':1,"
            "'metadata':{'subbill_user':'user%d'}}",
            round, round);
        deliver_both(
            service_event(apr_psprintf(store.pool, "evt_%d_a", round),
                          "customer.subscription.created", 0,
                          service_subscription(apr_psprintf(store.pool, "sub_%d", round),
                                               apr_psprintf(store.pool, "cus_%d", round),
                                               NULL, "active", PRICE_BASIC)),
            service_event(apr_psprintf(store.pool, "evt_%d_b", round), "customer.created",
                          0, customer));
    }
    ck_assert_int_eq(store_admin_count("subscription WHERE user_name IS NULL"), 0);
}
END_TEST

Suite *service_races_suite(void)
{
    Suite *suite = suite_create("service_races");
    TCase *tcase = tcase_create("races");

    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, service_setup, service_teardown);
    tcase_add_loop_test(tcase, test_two_first_events_at_once_end_with_the_newer_one, 0,
                        RACES * SB_DIALECTS);
    tcase_add_loop_test(tcase, test_a_dispute_and_its_link_at_once_suspend_all_the_same,
                        0, SB_DIALECTS);
    tcase_add_loop_test(tcase, test_two_claims_of_one_customer_at_once_are_one_conflict,
                        0, SB_DIALECTS);
    tcase_add_loop_test(tcase, test_what_arrives_during_the_binding_gets_its_user, 0,
                        SB_DIALECTS);
    suite_add_tcase(suite, tcase);
    return suite;
}
