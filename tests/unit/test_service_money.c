/* Licensed under the Apache License, Version 2.0; see LICENSE. */
/* Payments, refunds, one-time sessions, payment methods, notices, and customers that were deleted. */
#include "service_fixture.h"
#include "unit.h"

#include "base/clock.h"
#include "service/apply.h"
#include "service/links.h"

#include <apr_strings.h>
#include <string.h>

static int told; /* events so far: each has an id of its own */

static const char *deliver(const char *type, int created, const char *object)
{
    return service_deliver(
        service_event(apr_psprintf(store.pool, "evt_%d", ++told), type, created, object));
}

static const char *sub(const char *status)
{
    return service_subscription("sub_1", "cus_1", "zoe", status, PRICE_BASIC);
}

static const char *invoice(const char *status, int paid, const char *more)
{
    return service_json(
        "{'id':'in_1','object':'invoice','livemode':false,'customer':'cus_1','status':'%"
        "s',"
        "'currency':'eur','amount_due':900,'amount_paid':%d,'amount_remaining':0,"
        "'total':900,'attempt_count':1,'created':1%s}",
        status, paid, more);
}

static const char *intent(const char *status, const char *more)
{
    return service_json(
        "{'id':'pi_1','object':'payment_intent','livemode':false,'amount':"
        "900,'currency':'eur','status':'%s','customer':'cus_1','created':1%s}",
        status, more);
}

static const char *charge(const char *more)
{
    return service_json("{'id':'ch_1','object':'charge','livemode':false,'amount':900,"
                        "'currency':'eur','status':'succeeded','customer':'cus_1',"
                        "'payment_intent':'pi_1','created':1%s}",
                        more);
}

static const char *refund(const char *id, int amount, const char *status, int created)
{
    return service_json("{'id':'%s','object':'refund','amount':%d,'currency':'eur','"
                        "status':'%s','charge':"
                        "'ch_1','payment_intent':'pi_1','created':%" APR_INT64_T_FMT "}",
                        id, amount, status, sb_clock_now() + created);
}

static const char *session(const char *status, const char *payment_status,
                           const char *more)
{
    return service_json(
        "{'id':'cs_1','object':'checkout.session','mode':'payment','livemode':false,"
        "'status':'%s','payment_status':'%s','payment_intent':'pi_1','currency':'eur',"
        "'amount_total':900,'created':1%s}",
        status, payment_status, more);
}

#define STAMPED ",'metadata':{'subbill_user':'zoe'}"

/* C27, E16, B23: an invoice that was paid is counted once, whoever else tells of the money. */
START_TEST(test_the_money_of_a_subscription_is_counted_once)
{
    if (!service_on(_i)) {
        return;
    }
    service_with(NULL, 0);
    deliver("customer.subscription.created", 0, sub("active"));
    deliver("payment_intent.succeeded", 1,
            intent("succeeded", ",'latest_charge':'ch_1'"));
    deliver("charge.succeeded", 1, charge(""));
    deliver("invoice.paid", 2, invoice("paid", 900, ""));
    deliver("invoice.payment_succeeded", 2, invoice("paid", 900, ""));
    deliver("invoice_payment.paid", 2,
            "{\"id\":\"inpay_1\",\"object\":\"invoice_payment\",\"invoice\":\"in_1\","
            "\"payment\":{\"type\":\"payment_intent\",\"payment_intent\":\"pi_1\"}}");
    ck_assert_str_eq(service_count("payment WHERE kind = 'invoice' AND amount = 900"),
                     "1");
    ck_assert_str_eq(service_count("payment WHERE kind = 'checkout'"), "0");
    ck_assert_str_eq(
        service_count("payment WHERE kind = 'intent' AND user_name = 'zoe' AND "
                      "charge = 'ch_1'"),
        "1");
    ck_assert_str_eq(service_count("invoice_payment WHERE invoice = 'in_1' AND payment = "
                                   "'pi_1' AND id = 'inpay_1'"),
                     "1");
}
END_TEST

/* B23: before basil invoice and payment intent name each other. */
START_TEST(test_old_invoices_and_payments_are_linked_by_what_they_name)
{
    if (!service_on(_i)) {
        return;
    }
    service_with(NULL, 0);
    deliver("payment_intent.succeeded", 0, intent("succeeded", ",'invoice':'in_1'"));
    deliver("charge.succeeded", 0, charge(",'invoice':'in_1'"));
    deliver("invoice.paid", 1, invoice("paid", 900, ",'payment_intent':'pi_1'"));
    ck_assert_str_eq(service_count("invoice_payment"), "1");
    deliver("invoice_payment.paid", 2,
            "{\"id\":\"inpay_1\",\"object\":\"invoice_payment\",\"invoice\":\"in_1\","
            "\"payment\":{\"type\":\"payment_intent\",\"payment_intent\":\"pi_1\"}}");
    ck_assert_str_eq(service_count("invoice_payment WHERE id = 'inpay_1'"), "1");
    ck_assert_str_eq(service_count("invoice_payment"), "1");
}
END_TEST

/* D9, D8: failed with Stripe's reason, then another card. */
START_TEST(test_a_failed_payment_says_why_until_it_succeeds)
{
    if (!service_on(_i)) {
        return;
    }
    service_with(NULL, 0);
    deliver("payment_intent.created", 0, intent("requires_payment_method", ""));
    ck_assert_str_eq(service_count("payment WHERE status = 'pending'"), "1");
    deliver("payment_intent.payment_failed", 1,
            intent("requires_payment_method", ",'last_payment_error':{'code':"
                                              "'card_declined','message':'No funds.'}"));
    ck_assert_str_eq(
        deliver(
            "charge.failed", 1,
            service_json("{'id':'ch_0','object':'charge','amount':900,'currency':'eur',"
                         "'status':'failed','payment_intent':'pi_1','failure_code':"
                         "'card_declined'}")),
        "ignored");
    ck_assert_str_eq(sv.outcome.reason, "notice_only");
    ck_assert_str_eq(service_count("payment WHERE status = 'failed' AND failure_code = "
                                   "'card_declined' AND failure_message = 'No funds.'"),
                     "1");
    deliver("payment_intent.succeeded", 5,
            intent("succeeded", ",'latest_charge':'ch_1'"));
    deliver("payment_intent.payment_failed", 3,
            intent("requires_payment_method", ",'last_payment_error':{'code':'x'}"));
    ck_assert_str_eq(
        service_count("payment WHERE status = 'succeeded' AND failure_code IS "
                      "NULL AND charge = 'ch_1'"),
        "1");
    ck_assert_str_eq(service_count("payment"), "1");
}
END_TEST

/* D16: in part, in full, and one that failed; before and after the payment is known. */
START_TEST(test_refunds_are_kept_and_summed_up)
{
    if (!service_on(_i)) {
        return;
    }
    service_with(NULL, 0);
    deliver("refund.created", 10, refund("re_1", 300, "succeeded", 10));
    ck_assert_str_eq(service_count("payment"), "0");
    deliver("charge.succeeded", 0, charge(",'amount_refunded':0"));
    ck_assert_str_eq(service_count("payment WHERE refunded = 300"), "1");
    deliver("charge.refunded", 10, charge(",'amount_refunded':300,'refunded':false"));
    ck_assert_str_eq(service_count("payment WHERE refunded = 300"), "1");
    deliver("refund.created", 20, refund("re_2", 600, "pending", 20));
    deliver("charge.refunded", 21, charge(",'amount_refunded':900,'refunded':true"));
    ck_assert_str_eq(
        service_count("payment WHERE refunded = 900 AND status = 'succeeded'"), "1");
    deliver("refund.failed", 30, refund("re_2", 600, "failed", 20));
    ck_assert_str_eq(service_count("payment WHERE refunded = 300"), "1");
    ck_assert_str_eq(deliver("refund.updated", 40, refund("re_2", 600, "succeeded", 20)),
                     "ignored");
    ck_assert_str_eq(sv.outcome.reason, "superseded");
    ck_assert_str_eq(service_count("refund"), "2");
    deliver("charge.refund.updated", 50, refund("re_1", 300, "succeeded", 10));
    ck_assert_str_eq(service_count("payment WHERE refunded = 300"), "1");
}
END_TEST

/* D6, D7, D8, D9, T07: a session in payment mode is a payment, and opens nothing. */
START_TEST(test_a_session_for_goods_is_recorded_as_a_payment_only)
{
    if (!service_on(_i)) {
        return;
    }
    service_with(NULL, 0);
    deliver("checkout.session.completed", 0, session("complete", "unpaid", STAMPED));
    ck_assert_str_eq(service_count("payment WHERE id = 'pi_1' AND kind = 'checkout' AND "
                                   "status = 'processing' AND user_name = 'zoe'"),
                     "1");
    deliver("checkout.session.async_payment_failed", 1,
            session("complete", "unpaid", STAMPED));
    ck_assert_str_eq(service_count("payment WHERE status = 'failed'"), "1");
    deliver("checkout.session.async_payment_succeeded", 2,
            session("complete", "paid", STAMPED));
    deliver("checkout.session.completed", 0, session("complete", "unpaid", STAMPED));
    ck_assert_str_eq(service_count("payment WHERE status = 'succeeded' AND amount = 900"),
                     "1");
    ck_assert_str_ne(service_gate("zoe", "any"), "ok");
    ck_assert_str_eq(
        deliver("checkout.session.completed", 3,
                session("complete", "paid", ",'client_reference_id':'mallory'")),
        "ignored");
    ck_assert_str_eq(sv.outcome.reason, "unknown_session");
}
END_TEST

/* E25: known, renewed by the bank, and gone for good. */
START_TEST(test_payment_methods_are_known)
{
    static const char method[] = "{'id':'pm_1','object':'payment_method','livemode':"
                                 "false,'type':'card','customer':%s,"
                                 "'card':{'brand':'visa','last4':'%s','exp_month':12,'"
                                 "exp_year':2034},'created':1}";

    if (!service_on(_i)) {
        return;
    }
    service_with(NULL, 0);
    deliver("payment_method.automatically_updated", 5,
            service_json(method, "'cus_1'", "1881"));
    deliver("payment_method.attached", 0, service_json(method, "'cus_1'", "4242"));
    ck_assert_str_eq(service_count("payment_method WHERE last4 = '1881' AND customer = "
                                   "'cus_1' AND brand = 'visa' AND detached_at = 0"),
                     "1");
    deliver("payment_method.detached", 9, service_json(method, "null", "1881"));
    deliver("payment_method.updated", 12, service_json(method, "null", "1882"));
    ck_assert_str_eq(service_count("payment_method WHERE last4 = '1882' AND customer = "
                                   "'cus_1' AND detached_at > 0"),
                     "1");
    deliver(
        "customer.updated", 3,
        service_json("{'id':'cus_1','object':'customer','email':'a@x.test','name':'Zoe',"
                     "'invoice_settings':{'default_payment_method':'pm_1'}}"));
    deliver("customer.created", 0,
            service_json("{'id':'cus_1','object':'customer','email':'old@x.test'}"));
    ck_assert_str_eq(
        service_count("customer WHERE email = 'a@x.test' AND name = 'Zoe' AND "
                      "payment_method = 'pm_1'"),
        "1");
}
END_TEST

/* A51: what is told only to be known changes nothing and is told apart from strangers. */
START_TEST(test_notices_are_kept_and_change_nothing)
{
    static const char *const types[] = {"customer.subscription.trial_will_end",
                                        "invoice.upcoming",
                                        "setup_intent.succeeded",
                                        "radar.early_fraud_warning.created",
                                        "coupon.created",
                                        "coupon.updated",
                                        "coupon.deleted",
                                        "promotion_code.created",
                                        "promotion_code.updated"};

    if (!service_on(_i)) {
        return;
    }
    service_with(NULL, 0);
    for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++) {
        ck_assert_str_eq(
            deliver(types[i], 0, service_json("{'object':'x','charge':'ch_1'}")),
            "ignored");
        ck_assert_str_eq(sv.outcome.reason, "notice_only");
    }
    ck_assert_ptr_nonnull(strstr(store_log(), "suspects that charge ch_1"));
    ck_assert_str_eq(service_count("customer"), "0");
    ck_assert_str_eq(service_count("invoice"), "0");
}
END_TEST

/* A51: every invoice event refreshes the invoice; the one that needs a person is loud. */
START_TEST(test_invoices_follow_every_event_and_a_failed_finalisation_is_loud)
{
    static const char *const types[] = {"invoice.overdue", "invoice.will_be_due",
                                        "invoice.payment_attempt_required",
                                        "invoice.payment_action_required"};

    if (!service_on(_i)) {
        return;
    }
    service_with(NULL, 0);
    deliver(
        "invoice.finalization_failed", 0,
        invoice("draft", 0, ",'last_finalization_error':{'message':'No tax location.'}"));
    ck_assert_ptr_nonnull(
        strstr(store_log(), "in_1 of customer cus_1 cannot be finalised"));
    ck_assert_ptr_nonnull(strstr(store_log(), "No tax location."));
    for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++) {
        ck_assert_str_eq(deliver(types[i], 1 + (int)i, invoice("open", 0, "")), "done");
    }
    ck_assert_str_eq(service_count("invoice WHERE status = 'open'"), "1");
    deliver("invoice.marked_uncollectible", 20, invoice("uncollectible", 0, ""));
    ck_assert_str_eq(service_count("invoice WHERE status = 'uncollectible'"), "1");
    ck_assert_str_eq(service_count("payment"), "0");
}
END_TEST

/* A49, C23: a schedule has changed something: what, its subscription says. */
START_TEST(test_a_schedule_makes_its_subscription_be_read)
{
    const scripted_answer_t script[] = {service_answer(
        200, service_subscription("sub_1", "cus_1", "zoe", "active", PRICE_PRO))};

    if (!service_on(_i)) {
        return;
    }
    service_with(script, 1);
    deliver("customer.subscription.created", 0, sub("active"));
    ck_assert_str_eq(
        deliver("subscription_schedule.released", 5,
                service_json(
                    "{'id':'sub_sched_1','object':"
                    "'subscription_schedule','status':'released','subscription':null,"
                    "'released_subscription':'sub_1'}")),
        "done");
    ck_assert_str_eq(service_count("job WHERE kind = 'fetch' AND subject = 'sub_1'"),
                     "1");
    ck_assert_int_eq(service_work().done, 1);
    ck_assert_str_eq(service_gate("zoe", "pro"), "ok");
    ck_assert_str_eq(
        deliver(
            "subscription_schedule.created", 6,
            service_json(
                "{'id':'sub_sched_2','object':"
                "'subscription_schedule','status':'not_started','subscription':null}")),
        "ignored");
}
END_TEST

static const char *customer(const char *name)
{
    return service_json(
        "{'id':'cus_1','object':'customer','livemode':false,'created':1,"
        "'email':'a@x.test','name':'%s','metadata':{'subbill_user':'zoe'}}",
        name);
}

/* T07, F18: whatever is told after or before, a deleted customer opens nothing any more. */
START_TEST(test_a_deleted_customer_stays_dead)
{
    bool first = _i % 2;

    if (!service_on(_i / 2)) {
        return;
    }
    service_with(NULL, 0);
    if (first) {
        deliver("customer.deleted", 50, customer("Last"));
    }
    deliver("customer.created", 0, customer("First"));
    deliver("customer.subscription.created", 1, sub("active"));
    if (!first) {
        ck_assert_str_eq(service_gate("zoe", "any"), "ok");
        deliver("customer.deleted", 50, customer("Last"));
    }
    ck_assert_str_eq(service_gate("zoe", "any"), "ended");
    deliver("customer.updated", 60, customer("Later"));
    deliver("customer.subscription.updated", 61, sub("active"));
    deliver("customer.subscription.created", 62,
            service_subscription("sub_2", "cus_1", "zoe", "active", PRICE_PRO));
    ck_assert_str_eq(service_gate("zoe", "any"), "ended");
    ck_assert_str_eq(service_count("customer WHERE gone_at > 0 AND deleted_at > 0 AND "
                                   "user_name = 'zoe' AND email = 'a@x.test' AND name = "
                                   "'Later'"),
                     "1");
    ck_assert_str_eq(service_count("subscription WHERE status = 'canceled'"), "2");
    deliver("customer.subscription.created", 70,
            service_subscription("sub_3", "cus_3", "zoe", "active", PRICE_PRO));
    ck_assert_str_eq(service_gate("zoe", "pro"), "ok"); /* a new customer is a new life */
}
END_TEST

/* T08: only an operator takes a customer back. */
START_TEST(test_an_operator_may_link_a_deleted_customer_again)
{
    const sb_link_request_t request = {.user = "zoe",
                                       .customer = "cus_1",
                                       .who = "root",
                                       .offline = true,
                                       .force = true};
    sb_link_t link;

    if (!service_on(_i)) {
        return;
    }
    service_with(NULL, 0);
    deliver("customer.deleted", 0, customer("Last"));
    ck_assert_msg(sb_link_set(&link, &sv.result, sv.service, &request, store.pool) ==
                      SB_OK,
                  "%s", sv.result.code);
    deliver("customer.subscription.created", 9, sub("active"));
    ck_assert_str_eq(service_gate("zoe", "any"), "ok");
}
END_TEST

/* A51: each type of the table has its function; a stranger has none. */
START_TEST(test_every_type_that_is_known_has_a_function)
{
    static const char *const types[] = {"checkout.session.completed",
                                        "checkout.session.async_payment_succeeded",
                                        "checkout.session.async_payment_failed",
                                        "checkout.session.expired",
                                        "customer.created",
                                        "customer.updated",
                                        "customer.deleted",
                                        "customer.subscription.created",
                                        "customer.subscription.updated",
                                        "customer.subscription.deleted",
                                        "customer.subscription.paused",
                                        "customer.subscription.resumed",
                                        "customer.subscription.trial_will_end",
                                        "customer.subscription.pending_update_applied",
                                        "customer.subscription.pending_update_expired",
                                        "subscription_schedule.aborted",
                                        "subscription_schedule.released",
                                        "subscription_schedule.updated",
                                        "invoice.created",
                                        "invoice.finalized",
                                        "invoice.updated",
                                        "invoice.paid",
                                        "invoice.payment_succeeded",
                                        "invoice.payment_failed",
                                        "invoice.payment_action_required",
                                        "invoice.payment_attempt_required",
                                        "invoice.voided",
                                        "invoice.marked_uncollectible",
                                        "invoice.finalization_failed",
                                        "invoice.upcoming",
                                        "invoice.overdue",
                                        "invoice.will_be_due",
                                        "invoice_payment.paid",
                                        "payment_intent.succeeded",
                                        "payment_intent.payment_failed",
                                        "charge.succeeded",
                                        "charge.failed",
                                        "charge.refunded",
                                        "refund.created",
                                        "refund.updated",
                                        "refund.failed",
                                        "charge.refund.updated",
                                        "charge.dispute.created",
                                        "charge.dispute.closed",
                                        "charge.dispute.funds_withdrawn",
                                        "charge.dispute.funds_reinstated",
                                        "radar.early_fraud_warning.created",
                                        "product.created",
                                        "product.updated",
                                        "product.deleted",
                                        "price.created",
                                        "price.updated",
                                        "price.deleted",
                                        "coupon.created",
                                        "promotion_code.created",
                                        "entitlements.active_entitlement_summary.updated",
                                        "payment_method.attached",
                                        "payment_method.detached",
                                        "payment_method.automatically_updated",
                                        "setup_intent.succeeded"};

    for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++) {
        ck_assert_msg(sb_apply_find(types[i]) != NULL, "%s", types[i]);
    }
    ck_assert_ptr_null(sb_apply_find("billing_portal.session.created"));
    ck_assert_ptr_null(sb_apply_find("test_helpers.test_clock.ready"));
}
END_TEST

/* B23: a thin event names a payment, a charge, a refund or a dispute, and the job reads it. */
START_TEST(test_thin_events_about_money_are_read)
{
    const scripted_answer_t script[] = {
        service_answer(200, intent("succeeded", ",'latest_charge':'ch_1'")),
        service_answer(200, charge(",'amount_refunded':0")),
        service_answer(200, refund("re_1", 300, "succeeded", 100)),
        service_answer(200,
                       "{'id':'du_1','object':'dispute','status':'won','charge':'ch_1',"
                       "'payment_intent':'pi_1','amount':900,'created':1}")};
    static const char *const kinds[][3] = {
        {"v1.payment_intent.succeeded", "payment_intent", "pi_1"},
        {"v1.charge.succeeded", "charge", "ch_1"},
        {"v1.refund.created", "refund", "re_1"},
        {"v1.charge.dispute.closed", "dispute", "du_1"}};

    if (!service_on(_i)) {
        return;
    }
    service_with(script, 4);
    for (int i = 0; i < 4; i++) {
        const char *event = service_json(
            "{'id':'evt_thin%d','object':'v2.core.event','type':'%s','livemode':false,"
            "'created':'2026-11-26T09:00:00.000Z','related_object':{'id':'%s','type':'%s'"
            ","
            "'url':'/v1/x'}}",
            i, kinds[i][0], kinds[i][2], kinds[i][1]);
        ck_assert_str_eq(service_deliver(event), "received");
        ck_assert_int_ge(service_work().done, 1); /* the dispute's is one more */
    }
    ck_assert_str_eq(
        service_count("payment WHERE id = 'pi_1' AND status = 'succeeded' AND "
                      "refunded = 300"),
        "1");
    ck_assert_str_eq(service_count("dispute WHERE status = 'won'"), "1");
}
END_TEST

Suite *service_money_suite(void)
{
    Suite *suite = suite_create("service_money");
    TCase *tcase = tcase_create("money");

    tcase_add_checked_fixture(tcase, service_setup, service_teardown);
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, test_the_money_of_a_subscription_is_counted_once, 0,
                        SB_DIALECTS);
    tcase_add_loop_test(tcase,
                        test_old_invoices_and_payments_are_linked_by_what_they_name, 0,
                        SB_DIALECTS);
    tcase_add_loop_test(tcase, test_a_failed_payment_says_why_until_it_succeeds, 0,
                        SB_DIALECTS);
    tcase_add_loop_test(tcase, test_refunds_are_kept_and_summed_up, 0, SB_DIALECTS);
    tcase_add_loop_test(tcase, test_a_session_for_goods_is_recorded_as_a_payment_only, 0,
                        SB_DIALECTS);
    tcase_add_loop_test(tcase, test_payment_methods_are_known, 0, SB_DIALECTS);
    tcase_add_loop_test(tcase, test_notices_are_kept_and_change_nothing, 0, SB_DIALECTS);
    tcase_add_loop_test(
        tcase, test_invoices_follow_every_event_and_a_failed_finalisation_is_loud, 0,
        SB_DIALECTS);
    tcase_add_loop_test(tcase, test_a_schedule_makes_its_subscription_be_read, 0,
                        SB_DIALECTS);
    tcase_add_loop_test(tcase, test_a_deleted_customer_stays_dead, 0, 2 * SB_DIALECTS);
    tcase_add_loop_test(tcase, test_an_operator_may_link_a_deleted_customer_again, 0,
                        SB_DIALECTS);
    tcase_add_test(tcase, test_every_type_that_is_known_has_a_function);
    tcase_add_loop_test(tcase, test_thin_events_about_money_are_read, 0, SB_DIALECTS);
    suite_add_tcase(suite, tcase);
    return suite;
}
