/* Licensed under the Apache License, Version 2.0; see LICENSE. */
/* A disputed payment closes the subscription it paid for, whatever arrives first. */
#include "service_fixture.h"
#include "unit.h"

#include "service/sync.h"
#include "store/db.h"

#include <apr_strings.h>
#include <string.h>

#define LINK                                                                             \
    "{'id':'inpay_1','object':'invoice_payment','livemode':false,'invoice':'in_1',"      \
    "'status':'paid','payment':{'type':'payment_intent','payment_intent':'pi_1'}}"

static int told;

static const char *deliver(const char *type, int created, const char *object)
{
    return service_deliver(
        service_event(apr_psprintf(store.pool, "evt_%d", ++told), type, created, object));
}

static const char *sub(void)
{
    return service_subscription("sub_1", "cus_1", "zoe", "active", PRICE_BASIC);
}

static const char *dispute(const char *status)
{
    return service_json("{'id':'du_1','object':'dispute','livemode':false,'amount':900,"
                        "'currency':'eur','status':'%s','reason':'fraudulent','charge':"
                        "'ch_1','payment_intent':'pi_1','created':1}",
                        status);
}

static const char *invoice(const char *subscription)
{
    return service_json(
        "{'id':'in_1','object':'invoice','livemode':false,'customer':'cus_1','status':"
        "'paid','currency':'eur','amount_due':900,'amount_paid':900,'created':1,"
        "'parent':{'type':'subscription_details','subscription_details':{'subscription':"
        "%s}}}",
        subscription);
}

static const char *intent(void)
{
    return service_json(
        "{'id':'pi_1','object':'payment_intent','livemode':false,'amount':"
        "900,'currency':'eur','status':'succeeded','customer':'cus_1',"
        "'latest_charge':'ch_1','created':1}");
}

static void arrive(int which)
{
    switch (which) {
    case 0:
        deliver("customer.subscription.created", 0, sub());
        break;
    case 1:
        deliver("invoice.paid", 1, invoice("'sub_1'"));
        break;
    case 2:
        deliver("invoice_payment.paid", 1, service_json("%s", LINK));
        break;
    case 3:
        deliver("payment_intent.succeeded", 1, intent());
        break;
    default:
        deliver("charge.dispute.created", 9, dispute("needs_response"));
        break;
    }
}

/* F18, T07: subscription, invoice, invoice payment, payment and dispute in each of the 120 orders. */
START_TEST(test_a_dispute_suspends_in_whatever_order_things_arrive)
{
    int left[] = {0, 1, 2, 3, 4};
    int code = _i * store_stride();

    service_with(NULL, 0);
    for (int n = 5; n > 0; n--) {
        int pick = code % n;
        code /= n;
        arrive(left[pick]);
        left[pick] = left[n - 1];
    }
    ck_assert_str_eq(service_gate("zoe", "any"), "disputed");
    ck_assert_str_eq(
        service_count("subscription WHERE disputed = 1 AND status = 'active'"), "1");
    deliver("charge.dispute.closed", 20, dispute("won"));
    ck_assert_str_eq(service_gate("zoe", "any"), "ok");
}
END_TEST

static void all_but_the_dispute(void)
{
    for (int i = 0; i < 4; i++) {
        arrive(i);
    }
    ck_assert_str_eq(service_gate("zoe", "any"), "ok");
}

/* F18: each word of a dispute, and what comes too late. */
START_TEST(test_a_dispute_that_is_lost_closes_for_good_and_a_won_one_restores)
{
    static const struct {
        const char *type, *status, *gate;
    } steps[] = {
        {"charge.dispute.created", "warning_needs_response", "disputed"},
        {"charge.dispute.closed", "warning_closed", "ok"},
        {"charge.dispute.updated", "warning_under_review", "ok"},
        {"charge.dispute.created", "needs_response", "disputed"},
        {"charge.dispute.funds_withdrawn", "needs_response", "disputed"},
        {"charge.dispute.updated", "under_review", "disputed"},
        {"charge.dispute.closed", "lost", "disputed"},
        {"charge.dispute.updated", "under_review", "disputed"},
    };

    if (!service_on(_i)) {
        return;
    }
    service_with(NULL, 0);
    all_but_the_dispute();
    for (int i = 0; i < (int)(sizeof(steps) / sizeof(*steps)); i++) {
        /* The second dispute about the same payment has an id of its own. */
        char *object = apr_pstrdup(store.pool, dispute(steps[i].status));
        memcpy(strstr(object, "du_1"), i < 3 ? "du_1" : "du_2", 4);
        deliver(steps[i].type, 10 + i, object);
        ck_assert_msg(strcmp(service_gate("zoe", "any"), steps[i].gate) == 0, "%d: %s", i,
                      service_gate("zoe", "any"));
    }
    deliver("customer.subscription.updated", 40, sub());
    ck_assert_str_eq(service_gate("zoe", "any"), "disputed");
    ck_assert_str_eq(service_count("dispute WHERE status IN ('lost', 'warning_closed')"),
                     "2");
    ck_assert_ptr_nonnull(strstr(store_log(), "subscription sub_1 of zoe is suspended"));
    ck_assert_ptr_nonnull(strstr(store_log(), "subscription sub_1 of zoe is open again"));
}
END_TEST

static bool asked(int i, const char *text)
{
    return strstr(scripted_server_request(sv.server, i), text) != NULL;
}

/* F18: of the whole chain only the dispute is known: Stripe tells the rest. */
START_TEST(test_a_dispute_about_an_unknown_payment_asks_stripe_what_it_paid)
{
    const scripted_answer_t script[] = {
        service_answer(200, "{'object':'list','data':[" LINK "],'has_more':false}"),
        service_answer(200, invoice("'sub_1'")), service_answer(200, sub())};

    if (!service_on(_i)) {
        return;
    }
    service_with(script, 3);
    deliver("charge.dispute.created", 9, dispute("needs_response"));
    ck_assert_str_eq(service_count("job WHERE kind = 'dispute' AND subject = 'du_1'"),
                     "1");
    service_work();
    ck_assert_str_eq(service_count("job"), "0");
    ck_assert(asked(0, "GET /v1/invoice_payments?"));
    ck_assert(asked(0, "pi_1"));
    ck_assert(asked(1, "GET /v1/invoices/in_1"));
    ck_assert(asked(2, "GET /v1/subscriptions/sub_1"));
    ck_assert_int_eq(scripted_server_requests(sv.server), 3);
    ck_assert_str_eq(service_gate("zoe", "any"), "disputed");
    ck_assert_str_eq(service_count("event WHERE source = 'fetch' AND state = 'done'"),
                     "3");
    deliver("charge.dispute.closed", 30, dispute("won"));
    ck_assert_str_eq(service_gate("zoe", "any"), "ok");
    ck_assert_str_eq(service_count("job"), "0");
}
END_TEST

/* F13: Stripe does not answer; the job stays and the dispute is not forgotten. */
START_TEST(test_a_dispute_waits_for_stripe)
{
    const scripted_answer_t script[] = {
        service_answer(500, "{'error':{'type':'api_error','message':'x'}}")};

    if (!service_on(_i)) {
        return;
    }
    service_with(script, 1);
    arrive(0);
    deliver("charge.dispute.created", 9, dispute("needs_response"));
    ck_assert_int_eq(service_work().done, 0);
    ck_assert_str_eq(service_count("job WHERE kind = 'dispute' AND error IS NOT NULL"),
                     "1");
    ck_assert_str_eq(service_gate("zoe", "any"), "ok");
    arrive(1);
    arrive(2);
    ck_assert_str_eq(service_gate("zoe", "any"), "disputed");
}
END_TEST

/* T07: nobody is asked about goods bought once, and nothing is closed for them. */
START_TEST(test_a_dispute_about_goods_closes_no_subscription)
{
    if (!service_on(_i)) {
        return;
    }
    service_with(NULL, 0);
    arrive(0);
    deliver("checkout.session.completed", 1,
            service_json(
                "{'id':'cs_1','object':'checkout.session','mode':'payment',"
                "'livemode':false,'status':'complete','payment_status':'paid',"
                "'payment_intent':'pi_1','customer':'cus_1','currency':'eur',"
                "'amount_total':900,'created':1,'metadata':{'subbill_user':'zoe'}}"));
    deliver("charge.dispute.created", 9, dispute("needs_response"));
    ck_assert_str_eq(service_count("job"), "0");
    ck_assert_str_eq(service_gate("zoe", "any"), "ok");
    ck_assert_str_eq(service_count("dispute WHERE payment = 'pi_1'"), "1");
}
END_TEST

/* F18: one query is all the gate needs to see it. */
START_TEST(test_the_gate_sees_a_dispute_in_its_one_query)
{
    if (!service_on(_i)) {
        return;
    }
    service_with(NULL, 0);
    all_but_the_dispute();
    arrive(4);
    service_gate("zoe", "any");
    apr_uint64_t before = sb_db_stats(sv.service->db).queries;
    ck_assert_str_eq(service_gate("zoe", "any"), "disputed");
    ck_assert_int_eq(sb_db_stats(sv.service->db).queries - before, 1);
}
END_TEST

static int differences;

static void note(void *baton, const sb_sync_difference_t *difference)
{
    differences++;
    ck_assert_str_eq(difference->type, "disputes");
    ck_assert_str_eq(difference->id, "du_1");
    ck_assert_str_eq(difference->field, "status");
    ck_assert_str_eq(difference->stored, "needs_response");
    ck_assert_str_eq(difference->told, "won");
    ck_assert(difference->repaired);
}

static sb_sync_t compare_disputes(void)
{
    static const char *const types[] = {"disputes"};
    sb_sync_t sync = {.types = types, .n = 1, .report = note};

    ck_assert_msg(sb_sync_run(&sync, &sv.result, sv.service, store.pool) == SB_OK, "%s",
                  store_log());
    return sync;
}

/* F36: a dispute may end when the events that would tell it are no longer kept; those under way are asked
 * for, and the payer gets in again. */
START_TEST(test_the_missed_end_of_a_dispute_is_seen_by_the_comparison)
{
    const scripted_answer_t script[] = {service_answer(200, dispute("won"))};

    if (!service_on(_i)) {
        return;
    }
    service_with(script, 1);
    all_but_the_dispute();
    arrive(4);
    ck_assert_str_eq(service_gate("zoe", "any"), "disputed");
    differences = 0;
    ck_assert_int_eq(compare_disputes().repaired, 1);
    ck_assert_int_eq(differences, 1);
    ck_assert(asked(0, "GET /v1/disputes/du_1"));
    ck_assert_str_eq(service_gate("zoe", "any"), "ok");
    ck_assert_int_eq(compare_disputes().seen, 0); /* over: nobody is asked */
}
END_TEST

Suite *service_disputes_suite(void)
{
    Suite *suite = suite_create("service_disputes");
    TCase *tcase = tcase_create("disputes");

    tcase_add_checked_fixture(tcase, service_setup, service_teardown);
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, test_a_dispute_suspends_in_whatever_order_things_arrive, 0,
                        120 / store_stride());
    tcase_add_loop_test(
        tcase, test_a_dispute_that_is_lost_closes_for_good_and_a_won_one_restores, 0,
        SB_DIALECTS);
    tcase_add_loop_test(tcase,
                        test_a_dispute_about_an_unknown_payment_asks_stripe_what_it_paid,
                        0, SB_DIALECTS);
    tcase_add_loop_test(tcase, test_a_dispute_waits_for_stripe, 0, SB_DIALECTS);
    tcase_add_loop_test(tcase, test_a_dispute_about_goods_closes_no_subscription, 0,
                        SB_DIALECTS);
    tcase_add_loop_test(tcase, test_the_gate_sees_a_dispute_in_its_one_query, 0,
                        SB_DIALECTS);
    tcase_add_loop_test(tcase, test_the_missed_end_of_a_dispute_is_seen_by_the_comparison,
                        0, SB_DIALECTS);
    suite_add_tcase(suite, tcase);
    return suite;
}
