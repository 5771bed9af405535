/* Licensed under the Apache License, Version 2.0; see LICENSE. */
/* Two transactions that meet in the one moment that matters. PostgreSQL is made to pause there by a trigger;
 * without a server to test with these tests have nothing to say. */
#include "service_fixture.h"
#include "unit.h"

#include "service/links.h"

#include <apr_strings.h>
#include <apr_time.h>
#include <pthread.h>
#include <string.h>

#define INVOICE                                                                          \
    "{'id':'in_1','object':'invoice','livemode':false,'status':'paid','customer':"       \
    "'cus_1','currency':'eur','amount_due':900,'amount_paid':900,'created':1,'parent':"  \
    "{'type':'subscription_details','subscription_details':{'subscription':'sub_1'}}}"
#define LINK                                                                             \
    "{'id':'inpay_1','object':'invoice_payment','livemode':false,'invoice':'in_1',"      \
    "'status':'paid','payment':{'type':'payment_intent','payment_intent':'pi_1'}}"
#define DISPUTE                                                                          \
    "{'id':'du_1','object':'dispute','livemode':false,'status':'%s','charge':'ch_1',"    \
    "'payment_intent':'pi_1','currency':'eur','amount':900,'created':1}"

typedef struct party_t {
    const char *body;
    pthread_t thread;
    apr_pool_t *pool;
} party_t;

static void *deliver_it(void *data)
{
    party_t *party = data;
    sb_ingest_t outcome;
    sb_result_t result;

    sb_result_clear(&result);
    sb_ingest_event(&outcome, &result, sv.service, "webhook", party->body,
                    strlen(party->body), party->pool);
    return NULL;
}

static void *move_it(void *data)
{
    party_t *party = data;
    const sb_link_request_t request = {
        .user = "bob", .customer = "cus_1", .who = "op", .force = true, .offline = true};
    sb_link_t link;
    sb_result_t result;

    sb_result_clear(&result);
    sb_link_set(&link, &result, sv.service, &request, party->pool);
    return NULL;
}

/* Every update of a row of table takes a while from now on. */
static void slow_down(const char *table)
{
    store_admin("CREATE OR REPLACE FUNCTION nap() RETURNS trigger LANGUAGE plpgsql AS "
                "'BEGIN PERFORM pg_sleep(1); RETURN NEW; END'");
    store_admin(apr_psprintf(store.pool,
                             "CREATE TRIGGER nap BEFORE UPDATE ON %s FOR EACH ROW "
                             "EXECUTE FUNCTION nap()",
                             table));
}

static void begin(party_t *party, void *(*what)(void *))
{
    apr_pool_create_unmanaged_ex(&party->pool, NULL, NULL);
    ck_assert_int_eq(pthread_create(&party->thread, NULL, what, party), 0);
    apr_sleep(apr_time_from_msec(400));
}

static void end(party_t *party, const char *table)
{
    pthread_join(party->thread, NULL);
    apr_pool_destroy(party->pool);
    store_admin(apr_psprintf(store.pool, "DROP TRIGGER nap ON %s", table));
}

static void told(const char *type, int created, const char *object)
{
    static int number;

    service_deliver(service_event(apr_psprintf(store.pool, "evt_%d", ++number), type,
                                  created, object));
}

static const char *sub(const char *price)
{
    return service_subscription("sub_1", "cus_1", "zoe", "active", price);
}

/* T07, F18: the link that closes and the verdict that opens do not see each other. */
START_TEST(test_a_dispute_won_in_the_moment_of_its_link_does_not_lock_the_payer_out)
{
    party_t party = {0};

    if (!service_on(SB_DIALECT_PGSQL)) {
        return;
    }
    service_with(NULL, 0);
    told("customer.subscription.created", 0, sub(PRICE_BASIC));
    told("invoice.paid", 1, service_json(INVOICE));
    told("charge.dispute.created", 9, service_json(DISPUTE, "needs_response"));
    slow_down("subscription");
    party.body = service_event("evt_link", "invoice_payment.paid", 1, service_json(LINK));
    begin(&party, deliver_it);
    told("charge.dispute.closed", 20, service_json(DISPUTE, "won"));
    end(&party, "subscription");
    service_jobs_due();
    service_work();
    ck_assert_str_eq(service_gate("zoe", "any"), "ok");
}
END_TEST

/* T08: an event that waits while an operator moves the customer does not give it back. */
START_TEST(test_an_event_does_not_undo_a_move_it_had_to_wait_for)
{
    party_t party = {0};

    if (!service_on(SB_DIALECT_PGSQL)) {
        return;
    }
    service_with(NULL, 0);
    told("customer.subscription.created", 0, sub(PRICE_BASIC));
    slow_down("subscription");
    begin(&party, move_it);
    told("customer.subscription.updated", 20, sub(PRICE_PRO));
    end(&party, "subscription");
    ck_assert_str_eq(service_gate("bob", "pro"), "ok");
    ck_assert_str_ne(service_gate("zoe", "any"), "ok");
}
END_TEST

/* F08: a customer's end and its first subscription take their rows in one order. */
START_TEST(test_the_end_of_a_customer_and_its_subscription_wait_for_no_circle)
{
    party_t party = {0};

    if (!service_on(SB_DIALECT_PGSQL)) {
        return;
    }
    service_with(NULL, 0);
    told("customer.created", 0,
         service_json("{'id':'cus_1','object':'customer','livemode':false}"));
    store_admin("INSERT INTO account (user_name) VALUES ('zoe')");
    slow_down("customer");
    party.body = service_event(
        "evt_end", "customer.deleted", 9,
        service_json("{'id':'cus_1','object':'customer','livemode':false,'metadata':"
                     "{'subbill_user':'zoe'}}"));
    begin(&party, deliver_it);
    told("customer.subscription.created", 1, sub(PRICE_BASIC));
    end(&party, "customer");
    ck_assert_ptr_null(strstr(store_log(), "deadlock"));
    ck_assert_str_ne(service_gate("zoe", "any"), "ok");
}
END_TEST

Suite *service_collisions_suite(void)
{
    Suite *suite = suite_create("service_collisions");
    TCase *tcase = tcase_create("collisions");

    tcase_add_checked_fixture(tcase, service_setup, service_teardown);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(
        tcase, test_a_dispute_won_in_the_moment_of_its_link_does_not_lock_the_payer_out);
    tcase_add_test(tcase, test_an_event_does_not_undo_a_move_it_had_to_wait_for);
    tcase_add_test(tcase,
                   test_the_end_of_a_customer_and_its_subscription_wait_for_no_circle);
    suite_add_tcase(suite, tcase);
    return suite;
}
