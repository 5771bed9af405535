/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "stripe/checkout_sessions.h"
#include "stripe/customers.h"
#include "stripe/portal_sessions.h"
#include "stripe/prices.h"
#include "stripe/objects.h"
#include "stripe/schedules.h"
#include "stripe_fixture.h"
#include "unit.h"

#include <apr_strings.h>
#include <string.h>

/* T39 */
START_TEST(test_nothing_but_an_id_ever_enters_a_path)
{
    static const char *const bad[] = {"",       "..",    "cus_1/../x", "cus_1?x=1",
                                      "cus_1#", "cus 1", "cus_1%2f",   "cus_\xc3\xa9",
                                      "cus-1",  "@evil", "cus_1\n",    NULL};
    const scripted_answer_t script[] = {stripe_answer(200, "", "{}")};
    const char *const paths[] = {"/v2/x", "v1/x", "/v1/x?y", "/v1/x y",
                                 "https://evil.test"};

    stripe_with(script, 1, (sb_stripe_options_t){0});
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        ck_assert_int_eq(
            sb_stripe_customer_retrieve(&fx.out, &fx.result, fx.stripe, bad[i], fx.pool),
            SB_INVALID);
        ck_assert_str_eq(fx.result.code, "bad_id");
        ck_assert_int_eq(sb_stripe_object_retrieve(&fx.out, &fx.result, fx.stripe,
                                                   "subscription", bad[i], fx.pool),
                         SB_INVALID);
        ck_assert_int_eq(sb_stripe_checkout_retrieve(&fx.out, &fx.result, fx.stripe,
                                                     bad[i], NULL, 0, fx.pool),
                         SB_INVALID);
        ck_assert_int_eq(
            sb_stripe_price_retrieve(&fx.out, &fx.result, fx.stripe, bad[i], fx.pool),
            SB_INVALID);
    }
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        ck_assert_int_eq(sb_stripe_call(&fx.out, &fx.result, fx.stripe, "GET", paths[i],
                                        NULL, NULL, fx.pool),
                         SB_INTERNAL);
    }
    ck_assert_int_eq(sb_stripe_call(&fx.out, &fx.result, fx.stripe, "POST", "/v1/x", NULL,
                                    "a\r\nb: c", fx.pool),
                     SB_INTERNAL);
    ck_assert_int_eq(scripted_server_requests(fx.server), 0);
    ck_assert(sb_stripe_id_valid("cs_test_a1B2"));
}
END_TEST

START_TEST(test_a_client_needs_a_key_and_a_base_that_may_be_called)
{
    static const char *const keys[] = {KEY_OLD};
    sb_stripe_options_t options = {.http = fx.http, .keys = keys, .keys_n = 0};

    ck_assert_int_eq(sb_stripe_create(&fx.stripe, &options, fx.pool), APR_EINVAL);
    options.keys_n = 1;
    ck_assert_int_eq(sb_stripe_create(&fx.stripe, &options, fx.pool), APR_SUCCESS);
    options.api = "http://api.stripe.com";
    ck_assert_int_eq(sb_stripe_create(&fx.stripe, &options, fx.pool), APR_EINVAL);
}
END_TEST

/* B10 */
START_TEST(test_a_new_customer_is_stamped_with_the_user)
{
    const scripted_answer_t script[] = {
        stripe_answer(200, "", "{\"object\":\"customer\",\"id\":\"cus_1\"}"),
        stripe_answer(200, "",
                      "{\"object\":\"customer\",\"id\":\"cus_1\",\"deleted\":true}")};
    const sb_stripe_customer_t create = {.user = "J\xc3\xbcrgen", .email = "j@x.test"};

    stripe_with(script, 2, (sb_stripe_options_t){0});
    ck_assert_int_eq(sb_stripe_customer_create(&fx.out, &fx.result, fx.stripe, &create,
                                               "key-1", fx.pool),
                     SB_OK);
    ck_assert(sent(0, "metadata[subbill_user]", "J\xc3\xbcrgen"));
    ck_assert(sent(0, "email", "j@x.test"));
    assert_header(0, "Idempotency-Key", "key-1");
    ck_assert_int_eq(
        sb_stripe_customer_retrieve(&fx.out, &fx.result, fx.stripe, "cus_1", fx.pool),
        SB_NOT_FOUND);
    ck_assert_str_eq(fx.result.code, "customer_deleted");
    ck_assert_ptr_null(fx.out);
}
END_TEST

static const scripted_answer_t *session_answer(void)
{
    scripted_answer_t *script = apr_palloc(fx.pool, sizeof(*script));

    *script = stripe_answer(
        200, "", "{\"object\":\"checkout.session\",\"id\":\"cs_test_1\",\"url\":\"u\"}");
    return script;
}

static const sb_stripe_checkout_t plain = {
    .customer = "cus_1",
    .price = "price_1",
    .quantity = 1,
    .success_url = "https://x.test/r?session_id={CHECKOUT_SESSION_ID}",
    .user = "ann",
    .checkout = "co_1",
    .plan = "gold",
    .card_required = true};

START_TEST(test_a_checkout_writes_its_user_on_the_session_and_on_the_subscription)
{
    stripe_with(session_answer(), 1, (sb_stripe_options_t){0});
    ck_assert_int_eq(
        sb_stripe_checkout_create(&fx.out, &fx.result, fx.stripe, &plain, "k", fx.pool),
        SB_OK);
    ck_assert(sent(0, "mode", "subscription"));
    ck_assert(sent(0, "customer", "cus_1"));
    ck_assert(sent(0, "line_items[0][price]", "price_1"));
    ck_assert(sent(0, "line_items[0][quantity]", "1"));
    ck_assert(sent(0, "success_url", plain.success_url));
    ck_assert(sent(0, "metadata[subbill_user]", "ann"));
    ck_assert(sent(0, "metadata[subbill_checkout]", "co_1"));
    ck_assert(sent(0, "metadata[subbill_plan]", "gold"));
    ck_assert(sent(0, "subscription_data[metadata][subbill_user]", "ann"));
    ck_assert(sent(0, "subscription_data[metadata][subbill_checkout]", "co_1"));
    ck_assert(sent(0, "subscription_data[metadata][subbill_plan]", "gold"));
    static const char *const absent[] = {"cancel_url",
                                         "client_reference_id",
                                         "subscription_data[trial_period_days]",
                                         "payment_method_collection",
                                         "allow_promotion_codes",
                                         "currency",
                                         "locale",
                                         "automatic_tax[enabled]",
                                         "customer_update[address]",
                                         "tax_id_collection[enabled]",
                                         "customer_update[name]",
                                         "billing_address_collection",
                                         "expires_at",
                                         "consent_collection[terms_of_service]",
                                         "consent_collection[promotions]"};
    for (size_t i = 0; i < sizeof(absent) / sizeof(absent[0]); i++) {
        ck_assert_msg(sent(0, absent[i], NULL), "%s was sent", absent[i]);
    }
    ck_assert_ptr_nonnull(strstr(sent_body(0), "%7BCHECKOUT_SESSION_ID%7D"));
}
END_TEST

START_TEST(test_options_of_a_checkout_bring_what_stripe_wants_with_them)
{
    sb_stripe_checkout_t create = plain;

    create.card_required = false;
    create.trial_days = 14;
    create.client_reference_id = "ann";
    create.promotion_codes = create.automatic_tax = create.tax_id_collection = true;
    create.billing_address_collection = "required";
    create.consent_terms_of_service = "required";
    create.locale = "de";
    create.currency = "eur";
    create.expires_at = 1800000000;
    stripe_with(session_answer(), 1, (sb_stripe_options_t){0});
    ck_assert_int_eq(
        sb_stripe_checkout_create(&fx.out, &fx.result, fx.stripe, &create, "k", fx.pool),
        SB_OK);
    ck_assert(sent(0, "subscription_data[trial_period_days]", "14"));
    ck_assert(sent(0, "payment_method_collection", "if_required"));
    ck_assert(
        sent(0, "subscription_data[trial_settings][end_behavior][missing_payment_method]",
             "cancel"));
    ck_assert(sent(0, "client_reference_id", "ann"));
    ck_assert(sent(0, "allow_promotion_codes", "true"));
    ck_assert(sent(0, "automatic_tax[enabled]", "true"));
    ck_assert(sent(0, "customer_update[address]", "auto"));
    ck_assert(sent(0, "tax_id_collection[enabled]", "true"));
    ck_assert(sent(0, "customer_update[name]", "auto"));
    ck_assert(sent(0, "billing_address_collection", "required"));
    ck_assert(sent(0, "consent_collection[terms_of_service]", "required"));
    ck_assert(sent(0, "currency", "eur"));
    ck_assert(sent(0, "locale", "de"));
    ck_assert(sent(0, "expires_at", "1800000000"));
}
END_TEST

/* B3, B31, B40 */
START_TEST(test_a_portal_session_opens_where_it_is_told)
{
    const scripted_answer_t script[] = {
        stripe_answer(200, "",
                      "{\"object\":\"billing_portal.session\",\"id\":\"bps_1\"}"),
        stripe_refusal(
            400,
            "\"type\":\"invalid_request_error\",\"message\":\"No configuration provided "
            "and your test mode default configuration has not been created.\"")};
    sb_stripe_portal_t create = {.customer = "cus_1",
                                 .return_url = "https://x.test/account",
                                 .flow = "subscription_cancel",
                                 .subscription = "sub_1"};

    stripe_with(script, 2, (sb_stripe_options_t){0});
    ck_assert_int_eq(
        sb_stripe_portal_create(&fx.out, &fx.result, fx.stripe, &create, fx.pool), SB_OK);
    ck_assert(sent(0, "customer", "cus_1"));
    ck_assert(sent(0, "return_url", "https://x.test/account"));
    ck_assert(sent(0, "flow_data[type]", "subscription_cancel"));
    ck_assert(sent(0, "flow_data[subscription_cancel][subscription]", "sub_1"));
    create.flow = NULL;
    ck_assert_int_eq(
        sb_stripe_portal_create(&fx.out, &fx.result, fx.stripe, &create, fx.pool),
        SB_UPSTREAM);
    ck_assert_str_eq(fx.result.code, "portal_not_configured");
    ck_assert_ptr_nonnull(fx.result.hint);
    create.flow = "anything_else";
    ck_assert_int_eq(
        sb_stripe_portal_create(&fx.out, &fx.result, fx.stripe, &create, fx.pool),
        SB_INVALID);
    ck_assert_int_eq(scripted_server_requests(fx.server), 2);
}
END_TEST

/* A49: whatever the running phase has goes on in it and in the next one, but for the price that is replaced. */
START_TEST(test_a_planned_change_keeps_the_settings_of_the_phase)
{
    static const char running[] =
        "{'start_date':100,'end_date':200,'currency':'eur','application_fee_percent':12."
        "5,"
        "'automatic_tax':{'enabled':true,'disabled_reason':null,"
        "'liability':{'type':'account','account':'acct_1'}},"
        "'billing_thresholds':{'amount_gte':5000,'reset_billing_cycle_anchor':false},"
        "'collection_method':'send_invoice','default_payment_method':'pm_1',"
        "'default_tax_rates':[{'id':'txr_1','object':'tax_rate'}],'description':'Lot & "
        "more',"
        "'discounts':[{'discount':'di_1','coupon':null,'promotion_code':null}],"
        "'invoice_settings':{'account_tax_ids':['atxi_1'],'days_until_due':14,"
        "'custom_fields':[{'name':'PO','value':'7'}],'footer':null,"
        "'issuer':{'type':'self'}},'metadata':{'id':'k1'},'on_behalf_of':'acct_2',"
        "'transfer_data':{'destination':'acct_3','amount_percent':null},"
        "'items':[{'price':'price_old','quantity':2,'metadata':{'seat':'a'},"
        "'billing_thresholds':null,'discounts':[],'tax_rates':[]}]}";
    static const char *const kept[][2] = {
        {"[application_fee_percent]", "12.50"},
        {"[automatic_tax][enabled]", "true"},
        {"[automatic_tax][liability][account]", "acct_1"},
        {"[billing_thresholds][amount_gte]", "5000"},
        {"[billing_thresholds][reset_billing_cycle_anchor]", "false"},
        {"[collection_method]", "send_invoice"},
        {"[default_payment_method]", "pm_1"},
        {"[default_tax_rates][0]", "txr_1"},
        {"[description]", "Lot & more"},
        {"[discounts][0][discount]", "di_1"},
        {"[invoice_settings][account_tax_ids][0]", "atxi_1"},
        {"[invoice_settings][days_until_due]", "14"},
        {"[invoice_settings][custom_fields][0][name]", "PO"},
        {"[invoice_settings][issuer][type]", "self"},
        {"[metadata][id]", "k1"},
        {"[on_behalf_of]", "acct_2"},
        {"[transfer_data][destination]", "acct_3"},
        {"[items][0][metadata][seat]", "a"},
    };
    const scripted_answer_t script[] = {stripe_answer(
        200, "", "{\"id\":\"sub_sched_1\",\"object\":\"subscription_schedule\"}")};

    stripe_with(script, 1, (sb_stripe_options_t){0});
    char *text = apr_pstrdup(fx.pool, running);
    for (char *at = text; *at; at++) {
        *at = *at == '\'' ? '"' : *at;
    }
    json_t *phase = json_loads(text, 0, NULL);
    const sb_stripe_phases_t phases = {.running = phase,
                                       .until = 200,
                                       .old_price = "price_old",
                                       .price = "price_new",
                                       .quantity = 1,
                                       .interval = "month",
                                       .interval_count = 1};
    ck_assert_ptr_nonnull(phase);
    ck_assert_int_eq(sb_stripe_schedule_update(&fx.out, &fx.result, fx.stripe,
                                               "sub_sched_1", &phases, "k", fx.pool),
                     SB_OK);
    for (int n = 0; n < 2; n++) {
        for (size_t i = 0; i < sizeof(kept) / sizeof(*kept); i++) {
            const char *name = apr_psprintf(fx.pool, "phases[%d]%s", n, kept[i][0]);
            ck_assert_msg(sent(0, name, kept[i][1]), "%s", name);
        }
    }
    ck_assert(sent(0, "phases[0][items][0][price]", "price_old"));
    ck_assert(sent(0, "phases[1][items][0][price]", "price_new"));
    ck_assert_ptr_null(strstr(sent_body(0), "disabled_reason"));
    ck_assert_ptr_null(strstr(sent_body(0), "footer"));
    json_decref(phase);
}
END_TEST

Suite *stripe_resources_suite(void)
{
    Suite *suite = suite_create("stripe_resources");
    TCase *tests = tcase_create("stripe_resources");

    tcase_add_checked_fixture(tests, stripe_fixture_setup, stripe_fixture_teardown);
    tcase_set_timeout(tests, 20);
    tcase_add_test(tests, test_nothing_but_an_id_ever_enters_a_path);
    tcase_add_test(tests, test_a_client_needs_a_key_and_a_base_that_may_be_called);
    tcase_add_test(tests, test_a_new_customer_is_stamped_with_the_user);
    tcase_add_test(
        tests, test_a_checkout_writes_its_user_on_the_session_and_on_the_subscription);
    tcase_add_test(tests, test_options_of_a_checkout_bring_what_stripe_wants_with_them);
    tcase_add_test(tests, test_a_portal_session_opens_where_it_is_told);
    tcase_add_test(tests, test_a_planned_change_keeps_the_settings_of_the_phase);
    suite_add_tcase(suite, tests);
    return suite;
}
