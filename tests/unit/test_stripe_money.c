/* Licensed under the Apache License, Version 2.0; see LICENSE. */
/* The objects around a payment, of any version, and how statements about one payment become one row. */
#include "unit.h"

#include "domain/payment.h"
#include "domain/stripe_money.h"

#include <apr_strings.h>
#include <string.h>

static sb_result_t result;

#define READ(reader, facts, text)                                                        \
    do {                                                                                 \
        json_t *json_ = sb_unit_json(text);                                              \
        ck_assert_msg(reader(facts, &result, json_, sb_unit_pool) == SB_OK, "%s",        \
                      result.message);                                                   \
        json_decref(json_);                                                              \
    } while (0)

/* B23, D6: the charge of a payment intent and its invoice, where each version keeps them. */
START_TEST(test_a_payment_intent_is_read_in_every_version)
{
    sb_intent_facts_t facts;

    READ(sb_event_payment_intent, &facts,
         "{'id':'pi_1','object':'payment_intent','amount':900,'amount_received':900,"
         "'currency':'eur','status':'succeeded','customer':'cus_1','invoice':'in_1',"
         "'charges':{'data':[{'id':'ch_1','object':'charge'}]}}");
    ck_assert_str_eq(facts.charge, "ch_1");
    ck_assert_str_eq(facts.invoice, "in_1");
    ck_assert_str_eq(facts.status, SB_PAYMENT_SUCCEEDED);
    READ(sb_event_payment_intent, &facts,
         "{'id':'pi_1','object':'payment_intent','amount':900,'currency':'eur',"
         "'status':'requires_payment_method','latest_charge':'ch_2','customer':"
         "{'id':'cus_1','object':'customer'},'last_payment_error':{'code':"
         "'card_declined','message':'No funds.'}}");
    ck_assert_str_eq(facts.charge, "ch_2");
    ck_assert_str_eq(facts.customer, "cus_1");
    ck_assert_ptr_null(facts.invoice);
    ck_assert_str_eq(facts.status, SB_PAYMENT_FAILED);
    ck_assert_str_eq(facts.failure_code, "card_declined");
    ck_assert_str_eq(facts.failure_message, "No funds.");
    READ(sb_event_payment_intent, &facts,
         "{'id':'pi_1','object':'payment_intent','amount':900,'currency':'eur',"
         "'status':'requires_payment_method'}");
    ck_assert_str_eq(facts.status, SB_PAYMENT_PENDING);
}
END_TEST

/* B23, D16 */
START_TEST(test_charges_refunds_and_disputes_give_facts)
{
    sb_charge_facts_t charge;
    sb_refund_facts_t refund;
    sb_dispute_facts_t dispute;

    READ(sb_event_charge, &charge,
         "{'id':'ch_1','object':'charge','amount':900,'amount_refunded':300,'currency':"
         "'eur','status':'succeeded','payment_intent':'pi_1','invoice':'in_1',"
         "'refunds':{'data':[]}}");
    ck_assert_int_eq(charge.amount_refunded, 300);
    ck_assert_str_eq(charge.payment_intent, "pi_1");
    ck_assert_str_eq(charge.invoice, "in_1");
    READ(sb_event_refund, &refund,
         "{'id':'re_1','object':'refund','amount':300,'currency':'eur','status':'failed',"
         "'charge':'ch_1','payment_intent':'pi_1','failure_reason':'expired_or_canceled_"
         "card','created':7}");
    ck_assert_str_eq(refund.failure_reason, "expired_or_canceled_card");
    ck_assert_int_eq(refund.created, 7);
    READ(sb_event_dispute, &dispute,
         "{'id':'du_1','object':'dispute','amount':300,'currency':'eur','status':"
         "'needs_response','reason':'fraudulent','charge':'ch_1','payment_intent':null}");
    ck_assert_str_eq(dispute.charge, "ch_1");
    ck_assert_ptr_null(dispute.payment_intent);
    json_t *nothing = sb_unit_json("{'id':'du_1','object':'dispute','status':'won'}");
    ck_assert_int_eq(sb_event_dispute(&dispute, &result, nothing, sb_unit_pool),
                     SB_INVALID);
    ck_assert_str_eq(result.code, "bad_object");
    json_decref(nothing);
}
END_TEST

/* E25 */
START_TEST(test_a_payment_method_shows_no_more_than_it_may)
{
    sb_payment_method_facts_t facts;

    READ(sb_event_payment_method, &facts,
         "{'id':'pm_1','object':'payment_method','type':'card','customer':'cus_1',"
         "'card':{'brand':'visa','last4':'4242','exp_month':12,'exp_year':2034}}");
    ck_assert_str_eq(facts.brand, "visa");
    ck_assert_str_eq(facts.last4, "4242");
    ck_assert_int_eq(facts.exp_month, 12);
    READ(sb_event_payment_method, &facts,
         "{'id':'pm_2','object':'payment_method','type':'sepa_debit','customer':null,"
         "'sepa_debit':{'last4':'3000','bank_code':'37040044'}}");
    ck_assert_str_eq(facts.last4, "3000");
    ck_assert_ptr_null(facts.brand);
    ck_assert_ptr_null(facts.customer);
}
END_TEST

/* B23: an invoice payment names an intent, or the charge of a payment without one. */
START_TEST(test_invoice_payments_and_summaries_give_facts)
{
    sb_invoice_payment_facts_t link;
    sb_entitlement_summary_t summary;

    READ(sb_event_invoice_payment, &link,
         "{'id':'inpay_1','object':'invoice_payment','invoice':'in_1','payment':{'type':"
         "'charge','charge':'ch_1'}}");
    ck_assert_str_eq(link.charge, "ch_1");
    ck_assert_ptr_null(link.payment_intent);
    READ(sb_event_entitlement_summary, &summary,
         "{'object':'entitlements.active_entitlement_summary','customer':'cus_1',"
         "'entitlements':{'data':[{'lookup_key':'a','feature':'feat_1'},"
         "{'lookup_key':'a','feature':'feat_1'},{'lookup_key':'b'}],'has_more':false}}");
    ck_assert_int_eq(summary.n, 2);
    ck_assert(summary.complete);
    ck_assert_str_eq(summary.entitlements[0].feature, "feat_1");
    READ(sb_event_entitlement_summary, &summary,
         "{'object':'entitlements.active_entitlement_summary','customer':'cus_1',"
         "'entitlements':{'data':[],'has_more':true}}");
    ck_assert(!summary.complete);
}
END_TEST

typedef struct statement_t {
    sb_voice_e voice;
    sb_payment_t told;
} statement_t;

static const statement_t statements[] = {
    {SB_VOICE_SESSION,
     {.status = SB_PAYMENT_PROCESSING, .amount = 950, .told_at = 10, .user = "zoe"}},
    {SB_VOICE_INTENT,
     {.status = SB_PAYMENT_FAILED, .amount = 900, .told_at = 11, .failure_code = "no"}},
    {SB_VOICE_INTENT,
     {.status = SB_PAYMENT_SUCCEEDED, .amount = 900, .told_at = 12, .charge = "ch_1"}},
    {SB_VOICE_CHARGE,
     {.status = SB_PAYMENT_SUCCEEDED, .amount = 900, .told_at = 12, .charge = "ch_1"}},
    {SB_VOICE_CHARGE,
     {.status = SB_PAYMENT_SUCCEEDED,
      .amount = 900,
      .told_at = 20,
      .charge = "ch_1",
      .charge_refunded = 300}},
};
#define STATEMENTS ((int)(sizeof(statements) / sizeof(*statements)))

static void play(const int order[])
{
    sb_payment_t payment = {.id = NULL};

    for (int i = 0; i < STATEMENTS; i++) {
        sb_payment_t told = statements[order[i]].told;
        told.id = "pi_1";
        told.created_at = told.told_at;
        told.kind = SB_PAYMENT_INTENT;
        sb_payment_tell(&payment, &told, statements[order[i]].voice);
    }
    ck_assert_str_eq(payment.kind, SB_PAYMENT_CHECKOUT);
    ck_assert_str_eq(payment.status, SB_PAYMENT_SUCCEEDED);
    ck_assert_str_eq(payment.user, "zoe");
    ck_assert_str_eq(payment.charge, "ch_1");
    ck_assert_ptr_null(payment.failure_code);
    ck_assert_int_eq(payment.amount, 900);
    ck_assert_int_eq(payment.created_at, 12);
    ck_assert_int_eq(payment.charge_refunded, 300);
    ck_assert_int_eq(payment.charge_at, 20);
}

static int permute(int order[], int n)
{
    int played = 0;

    if (n == 1) {
        play(order);
        return 1;
    }
    for (int i = 0; i < n; i++) {
        int last = order[n - 1];
        order[n - 1] = order[i];
        order[i] = last;
        played += permute(order, n - 1);
        order[i] = order[n - 1];
        order[n - 1] = last;
    }
    return played;
}

/* F18, C27, D8, D9: five voices about one payment, in every order. */
START_TEST(test_one_payment_comes_of_all_who_tell_it_in_any_order)
{
    int order[STATEMENTS] = {0, 1, 2, 3, 4};

    ck_assert_int_eq(permute(order, STATEMENTS), 120);
}
END_TEST

/* D16: what a charge says is corrected by what its refunds did since. */
START_TEST(test_a_failed_refund_returns_the_money)
{
    const sb_payment_t told = {
        .amount = 12000, .charge_at = 100, .charge_refunded = 12000};
    const sb_payment_t untold = {.amount = 12000};
    const sb_refund_t refunds[] = {
        {.id = "re_1",
         .amount = 4000,
         .status = "succeeded",
         .created_at = 50,
         .told_at = 50},
        {.id = "re_2",
         .amount = 8000,
         .status = "failed",
         .created_at = 90,
         .told_at = 200},
        {.id = "re_3",
         .amount = 100,
         .status = "pending",
         .created_at = 150,
         .told_at = 150},
    };

    ck_assert_int_eq(sb_payment_refunded(&told, refunds, 0), 12000);
    ck_assert_int_eq(sb_payment_refunded(&told, refunds, 2), 4000);
    ck_assert_int_eq(sb_payment_refunded(&told, refunds, 3), 4100);
    ck_assert_int_eq(sb_payment_refunded(&untold, refunds, 3), 4100);
}
END_TEST

/* F18: final words stay, whatever came first. */
START_TEST(test_ends_of_refunds_and_disputes_are_final)
{
    const sb_refund_t failed = {.status = "failed", .told_at = 5};
    const sb_refund_t later = {.status = "succeeded", .told_at = 9};
    const sb_dispute_t lost = {.status = "lost", .told_at = 5};
    const sb_dispute_t review = {.status = "under_review", .told_at = 9};
    const sb_dispute_t appeal = {.status = "appeal_under_review", .told_at = 20};
    const sb_dispute_t won = {.status = "won", .told_at = 30};
    const sb_dispute_t odd = {.status = "invented_tomorrow", .told_at = 1};

    ck_assert(!sb_refund_replaces(&failed, &later));
    ck_assert(sb_refund_replaces(&later, &failed));
    ck_assert(!sb_dispute_replaces(&lost, &review));
    ck_assert(sb_dispute_replaces(&review, &lost));
    ck_assert(!sb_dispute_replaces(&lost, &appeal));
    ck_assert(sb_dispute_replaces(&lost, &won));
    ck_assert(!sb_dispute_replaces(&won, &lost));
    ck_assert(sb_dispute_closes(&lost));
    ck_assert(sb_dispute_closes(&odd));
    ck_assert(!sb_dispute_closes(&(sb_dispute_t){.status = "won"}));
    ck_assert(!sb_dispute_closes(&(sb_dispute_t){.status = "warning_closed"}));
}
END_TEST

Suite *stripe_money_suite(void)
{
    Suite *suite = suite_create("stripe_money");
    TCase *tcase = sb_unit_case("stripe_money");

    tcase_add_test(tcase, test_a_payment_intent_is_read_in_every_version);
    tcase_add_test(tcase, test_charges_refunds_and_disputes_give_facts);
    tcase_add_test(tcase, test_a_payment_method_shows_no_more_than_it_may);
    tcase_add_test(tcase, test_invoice_payments_and_summaries_give_facts);
    tcase_add_test(tcase, test_one_payment_comes_of_all_who_tell_it_in_any_order);
    tcase_add_test(tcase, test_a_failed_refund_returns_the_money);
    tcase_add_test(tcase, test_ends_of_refunds_and_disputes_are_final);
    suite_add_tcase(suite, tcase);
    return suite;
}
