/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "service_fixture.h"
#include "unit.h"

#include "base/form.h"
#include "service/account.h"
#include "service/checkout.h"
#include "service/links.h"
#include "service/plans.h"
#include "service/portal.h"
#include "service/returning.h"

#include <apr_strings.h>
#include <string.h>

#define CUSTOMER "{'id':'cus_1','object':'customer','livemode':false}"
#define SESSION                                                                          \
    "{'id':'cs_test_1','object':'checkout.session','mode':'subscription','status':'"     \
    "open',"                                                                             \
    "'payment_status':'unpaid','livemode':false,'created':1,'expires_at':9999999999,"    \
    "'url':'https://checkout.stripe.com/c/pay/cs_test_1','customer':'cus_1',"            \
    "'subscription':null,'metadata':{}}"

static const sb_checkout_request_t wish = {
    .user = "zoe",
    .email = "zoe@example.com",
    .plan = "basic",
    .trial_days = -1,
    .return_page = "https://shop.example/subbill/return",
    .cancel_page = "https://shop.example/subbill/plans",
};

static sb_checkout_answer_t answer;

static sb_status_e start(sb_checkout_request_t request)
{
    sb_result_clear(&sv.result);
    return sb_checkout_start(&answer, &sv.result, sv.service, &request, store.pool);
}

static const char *count(const char *where)
{
    return store_admin_value(
        apr_pstrcat(store.pool, "SELECT COUNT(*) FROM ", where, NULL));
}

/* What request i said about a parameter; NULL: nothing. */
static const char *sent(int i, const char *name)
{
    const char *body = strstr(scripted_server_request(sv.server, i), "\r\n\r\n") + 4;
    const char *value;
    sb_form_t *form;

    ck_assert_int_eq(
        sb_form_parse(&form, &sv.result, body, strlen(body), 100, store.pool), SB_OK);
    ck_assert_int_eq(sb_form_get(&value, &sv.result, form, name), SB_OK);
    return value;
}

static const char *key(int i)
{
    char *header = apr_palloc(store.pool, 300);

    scripted_server_header(header, 300, sv.server, i, "Idempotency-Key");
    return header;
}

/* E15, B10, B28, C3, C19: the customer is stamped and bound before anything is sold. */
START_TEST(test_a_checkout_makes_a_customer_and_a_session)
{
    const scripted_answer_t script[] = {service_answer(200, CUSTOMER),
                                        service_answer(200, SESSION)};
    service_with(script, 2);
    ck_assert_msg(start(wish) == SB_OK, "%s", sv.result.code);
    ck_assert_str_eq(answer.id, "cs_test_1");
    ck_assert_str_eq(sent(0, "metadata[subbill_user]"), "zoe");
    ck_assert_str_eq(sent(1, "customer"), "cus_1");
    ck_assert_str_eq(sent(1, "line_items[0][price]"), PRICE_BASIC);
    ck_assert_str_eq(
        sent(1, "success_url"),
        "https://shop.example/subbill/return?session_id={CHECKOUT_SESSION_ID}");
    ck_assert_str_eq(sent(1, "subscription_data[trial_period_days]"), "14");
    ck_assert_str_eq(sent(1, "subscription_data[metadata][subbill_user]"), "zoe");
    ck_assert_str_eq(count("customer WHERE user_name='zoe' AND id='cus_1'"), "1");
    ck_assert_str_eq(count("checkout WHERE session='cs_test_1' AND state='open'"), "1");
}
END_TEST

/* T11, F17: a second click gets the same page, and Stripe is not asked again. */
START_TEST(test_a_second_click_meets_the_same_session)
{
    const scripted_answer_t script[] = {service_answer(200, CUSTOMER),
                                        service_answer(200, SESSION)};
    service_with(script, 2);
    ck_assert_int_eq(start(wish), SB_OK);
    ck_assert_int_eq(start(wish), SB_OK);
    ck_assert(answer.reused);
    ck_assert_str_eq(answer.id, "cs_test_1");
    ck_assert_int_eq(scripted_server_requests(sv.server), 2);
}
END_TEST

/* F17: when the answer is lost, the next try carries the same key. */
START_TEST(test_a_lost_answer_is_asked_for_again_with_the_same_key)
{
    const scripted_answer_t script[] = {service_answer(200, CUSTOMER), service_silence(),
                                        service_silence(), service_silence(),
                                        service_answer(200, SESSION)};
    service_with(script, 5);
    ck_assert_int_eq(start(wish), SB_UNAVAILABLE);
    int first = scripted_server_requests(sv.server) - 1;
    ck_assert_int_eq(start(wish), SB_OK);
    int last = scripted_server_requests(sv.server) - 1;
    ck_assert_int_gt(last, first);
    ck_assert_str_eq(key(first), key(last));
    ck_assert_str_eq(count("checkout"), "1");
}
END_TEST

/* A customer that was deleted at Stripe is replaced, and the log says so. */
START_TEST(test_a_missing_customer_is_replaced)
{
    const scripted_answer_t script[] = {
        service_answer(200, CUSTOMER),
        service_answer(400,
                       "{'error':{'type':'invalid_request_error','code':"
                       "'resource_missing','param':'customer','message':'No such'}}"),
        service_answer(200, "{'id':'cus_2','object':'customer','livemode':false}"),
        service_answer(200, SESSION)};
    service_with(script, 4);
    ck_assert_msg(start(wish) == SB_OK, "%s", sv.result.code);
    ck_assert_str_eq(sent(3, "customer"), "cus_2");
    ck_assert_str_ne(key(0), key(2));
    ck_assert_str_eq(count("customer WHERE id='cus_1' AND deleted_at>0"), "1");
    ck_assert_str_eq(count("customer WHERE id='cus_2' AND deleted_at=0"), "1");
    ck_assert_ptr_nonnull(strstr(store_log(), "cus_1"));
}
END_TEST

/* T10, T24: nothing that is not in the catalogue or on the list gets through; Stripe is not asked. */
START_TEST(test_what_is_not_for_sale_is_refused)
{
    service_with(NULL, 0);
    sb_checkout_request_t request = wish;
    request.plan = "gold";
    ck_assert_int_eq(start(request), SB_INVALID);
    ck_assert_str_eq(sv.result.code, "unknown_plan");
    request.plan = "free";
    start(request);
    ck_assert_str_eq(sv.result.code, "free_plan");
    request.plan = "big";
    start(request);
    ck_assert_str_eq(sv.result.code, "contact_plan");
    request = wish;
    request.price = "price_1Attacker";
    start(request);
    ck_assert_str_eq(sv.result.code, "unknown_price");
    request.price = PRICE_PRO; /* and plan basic */
    start(request);
    ck_assert_str_eq(sv.result.code, "unknown_price");
    request = wish;
    request.quantity = -1;
    start(request);
    ck_assert_str_eq(sv.result.code, "bad_quantity");
    request = wish;
    request.trial_days = 15;
    start(request);
    ck_assert_str_eq(sv.result.code, "bad_trial");
    request = wish;
    request.success_url = "https://evil.example/";
    start(request);
    ck_assert_str_eq(sv.result.code, "bad_return_url");
    request = wish;
    request.user = "z\x01";
    start(request);
    ck_assert_str_eq(sv.result.code, "bad_identity");
    ck_assert_int_eq(start(wish), SB_UNAVAILABLE);
    ck_assert_str_eq(sv.result.code, "stripe_not_configured");
}
END_TEST

START_TEST(test_nobody_buys_twice_in_a_group)
{
    const scripted_answer_t script[] = {service_answer(200, CUSTOMER)};
    service_with(script, 1);
    service_deliver(service_event(
        "evt_1", "customer.subscription.created", 0,
        service_subscription("sub_1", "cus_1", "zoe", "unpaid", PRICE_PRO)));
    ck_assert_int_eq(start(wish), SB_CONFLICT);
    ck_assert_str_eq(sv.result.code, "already_subscribed");
    ck_assert_int_eq(scripted_server_requests(sv.server), 0);
}
END_TEST

START_TEST(test_a_trial_comes_once_in_a_life)
{
    const scripted_answer_t script[] = {service_answer(200, CUSTOMER),
                                        service_answer(200, SESSION)};
    service_with(script, 2);
    store_admin("INSERT INTO trial (user_name, livemode, used_at) VALUES ('zoe', 0, 5)");
    store_admin_close();
    ck_assert_int_eq(start(wish), SB_OK);
    ck_assert_ptr_null(sent(1, "subscription_data[trial_period_days]"));
}
END_TEST

/* A price known by its lookup key only. */
START_TEST(test_a_lookup_key_finds_its_price_at_stripe)
{
    const scripted_answer_t script[] = {
        service_answer(200, "{'object':'list','data':[{'id':'price_1Yearly','object':"
                            "'price'}]}"),
        service_answer(200, CUSTOMER), service_answer(200, SESSION)};
    sb_checkout_request_t request = wish;
    request.interval = "year";
    service_with(script, 3);
    ck_assert_msg(start(request) == SB_OK, "%s", sv.result.code);
    ck_assert_str_eq(sent(2, "line_items[0][price]"), "price_1Yearly");
}
END_TEST

/* --- return --------------------------------------------------------------------------------- */

static sb_return_t back;

static sb_status_e come_back(const char *session, const char *viewer)
{
    sb_result_clear(&sv.result);
    return sb_return_complete(&back, &sv.result, sv.service, session, viewer, store.pool);
}

static const char *completed(const char *status)
{
    return service_json(
        "{'id':'cs_test_1','object':'checkout.session','mode':'subscription','livemode':"
        "false,"
        "'status':'complete','payment_status':'paid','customer':'cus_1','subscription':%"
        "s,"
        "'metadata':{},'created':1,'currency':'eur','amount_total':900}",
        service_subscription("sub_1", "cus_1", "zoe", status, PRICE_BASIC));
}

/* C14, C19, B26: the buyer is faster than the webhook and still gets in. */
START_TEST(test_the_return_page_fulfils_before_the_webhook)
{
    const scripted_answer_t script[] = {service_answer(200, CUSTOMER),
                                        service_answer(200, SESSION),
                                        service_answer(200, completed("active"))};
    sb_checkout_request_t request = wish;
    request.success_url = "https://app.example/thanks";
    service_with(script, 3);
    ck_assert_int_eq(start(request), SB_OK);
    ck_assert_msg(come_back("cs_test_1", "zoe") == SB_OK, "%s", sv.result.code);
    ck_assert_msg(back.state == SB_RETURN_PAID, "%s", store_log());
    ck_assert(back.owner);
    ck_assert_str_eq(back.success_url, "https://app.example/thanks");
    ck_assert_str_eq(back.plan->key, "basic");
    ck_assert_str_eq(service_gate("zoe", "any"), "ok");
    ck_assert_str_eq(count("checkout WHERE state='complete' AND subscription='sub_1'"),
                     "1");
    ck_assert_int_eq(come_back("cs_test_1", NULL), SB_OK);
    ck_assert(!back.owner);
    ck_assert_int_eq(scripted_server_requests(sv.server), 3);
    ck_assert_str_eq(
        service_deliver(service_event(
            "evt_1", "customer.subscription.deleted", 5,
            service_subscription("sub_1", "cus_1", "zoe", "canceled", PRICE_BASIC))),
        "done");
    ck_assert_str_eq(service_gate("zoe", "any"), "ended");
}
END_TEST

/* T09: somebody else's id opens nothing; an id we never made is not found, and Stripe not asked. */
START_TEST(test_only_our_own_sessions_count)
{
    static const char *const ids[] = {"cs_test_2", "cs_", "cs_a/../b", "sub_1", "", NULL};
    const scripted_answer_t script[] = {service_answer(200, SESSION)};

    service_with(script, 1);
    for (size_t i = 0; i < sizeof(ids) / sizeof(*ids); i++) {
        ck_assert_int_eq(come_back(ids[i], "zoe"), SB_NOT_FOUND);
        ck_assert_str_eq(sv.result.code, "unknown_session");
    }
    ck_assert_int_eq(scripted_server_requests(sv.server), 0);
}
END_TEST

/* F13: without Stripe the database answers. */
START_TEST(test_the_return_page_answers_without_stripe)
{
    const scripted_answer_t script[] = {service_answer(200, CUSTOMER),
                                        service_answer(200, SESSION), service_silence()};
    service_with(script, 3);
    ck_assert_int_eq(start(wish), SB_OK);
    ck_assert_int_eq(come_back("cs_test_1", "zoe"), SB_OK);
    ck_assert_int_eq(back.state, SB_RETURN_OPEN);
    ck_assert_str_eq(service_gate("zoe", "any"), "no_subscription");
}
END_TEST

/* T07, A47: complete at the page, money not there: nothing opens yet. */
START_TEST(test_an_incomplete_payment_is_processing)
{
    const scripted_answer_t script[] = {service_answer(200, CUSTOMER),
                                        service_answer(200, SESSION),
                                        service_answer(200, completed("incomplete"))};
    service_with(script, 3);
    ck_assert_int_eq(start(wish), SB_OK);
    ck_assert_int_eq(come_back("cs_test_1", "zoe"), SB_OK);
    ck_assert_int_eq(back.state, SB_RETURN_PROCESSING);
    ck_assert_str_eq(service_gate("zoe", "any"), "incomplete");
}
END_TEST

/* C14: paid, and the price belongs to no plan: the page must not promise an open door. */
START_TEST(test_a_price_without_a_plan_is_processing)
{
    const char *paid = service_json(
        "{'id':'cs_test_1','object':'checkout.session','mode':'subscription','livemode':"
        "false,'status':'complete','payment_status':'paid','customer':'cus_1',"
        "'subscription':%s,'metadata':{},'created':1}",
        service_subscription("sub_1", "cus_1", "zoe", "active", "price_1SbUnknown"));
    const scripted_answer_t script[] = {service_answer(200, CUSTOMER),
                                        service_answer(200, SESSION),
                                        service_answer(200, paid)};
    service_with(script, 3);
    ck_assert_int_eq(start(wish), SB_OK);
    ck_assert_int_eq(come_back("cs_test_1", "zoe"), SB_OK);
    ck_assert_int_eq(back.state, SB_RETURN_PROCESSING);
    ck_assert_str_eq(service_gate("zoe", "any"), "unmapped_price");
}
END_TEST

/* --- portal, account, plans, links ---------------------------------------------------------- */

/* B31, B40, C4, E11 */
START_TEST(test_the_portal_is_for_customers)
{
    const scripted_answer_t script[] = {
        service_answer(200, "{'id':'bps_1','object':'billing_portal.session','url':"
                            "'https://billing.stripe.com/p/1'}")};
    sb_portal_request_t request = {.user = "zoe",
                                   .return_page = "https://shop.example/subbill/account"};
    const char *url;

    service_with(script, 1);
    ck_assert_int_eq(sb_portal_open(&url, &sv.result, sv.service, &request, store.pool),
                     SB_NOT_FOUND);
    ck_assert_str_eq(sv.result.code, "no_customer");
    service_deliver(service_event(
        "evt_1", "customer.subscription.created", 0,
        service_subscription("sub_1", "cus_1", "zoe", "active", PRICE_BASIC)));
    ck_assert_int_eq(sb_portal_open(&url, &sv.result, sv.service, &request, store.pool),
                     SB_OK);
    ck_assert_str_eq(url, "https://billing.stripe.com/p/1");
    ck_assert_str_eq(sent(0, "customer"), "cus_1");
    request.return_url = "//evil.example";
    ck_assert_int_eq(sb_portal_open(&url, &sv.result, sv.service, &request, store.pool),
                     SB_INVALID);
    ck_assert_str_eq(sv.result.code, "bad_return_url");
}
END_TEST

/* C20, E8, E22 */
START_TEST(test_the_subscription_json_has_exactly_its_fields)
{
    static const char *const fields[] = {"user",
                                         "active",
                                         "plan",
                                         "status",
                                         "reason",
                                         "price",
                                         "currency",
                                         "interval",
                                         "current_period_start",
                                         "current_period_end",
                                         "cancel_at",
                                         "trial_end",
                                         "days_remaining",
                                         "entitlements",
                                         "free",
                                         "since",
                                         "subscription",
                                         "quantity",
                                         "pay_url",
                                         "planned"};
    sb_account_view_t *view;

    service_with(NULL, 0);
    ck_assert_int_eq(sb_account_load(&view, &sv.result, sv.service, "zoe", 0, store.pool),
                     SB_OK);
    json_t *json = sb_account_json(view, sv.service->catalog, store.pool);
    ck_assert(!sb_json_bool(json, "active", true));
    ck_assert_str_eq(sb_json_text(json, "plan"), "free");
    ck_assert_str_eq(sb_json_text(json, "reason"), "no_account");
    service_deliver(service_event(
        "evt_1", "customer.subscription.created", 0,
        service_subscription("sub_1", "cus_1", "zoe", "active", PRICE_PRO)));
    ck_assert_int_eq(sb_account_load(&view, &sv.result, sv.service, "zoe", 0, store.pool),
                     SB_OK);
    json = sb_account_json(view, sv.service->catalog, store.pool);
    ck_assert_uint_eq(json_object_size(json), sizeof(fields) / sizeof(*fields));
    for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++) {
        ck_assert_ptr_nonnull(json_object_get(json, fields[i]));
    }
    ck_assert(sb_json_bool(json, "active", false));
    ck_assert_str_eq(sb_json_text(json, "plan"), "pro");
    ck_assert_str_eq(sb_json_text(json, "status"), "active");
    ck_assert_str_eq(sb_json_text(json, "reason"), "ok");
    ck_assert_int_eq(sb_json_int(json, "days_remaining", 0), 30);
    ck_assert_str_eq(sb_json_text(json, "entitlements.1"), "write");
    ck_assert_ptr_nonnull(view->customer);
}
END_TEST

/* C10, E13, A38 */
START_TEST(test_the_plans_are_told_in_the_readers_language)
{
    service_with(NULL, 0);
    json_t *json = sb_plans_json(sv.service, "de", store.pool);
    ck_assert_uint_eq(json_array_size(sb_json_get(json, "plans")), 4);
    ck_assert_str_eq(sb_json_text(json, "plans.1.name"), "Basis");
    ck_assert_int_eq(sb_json_int(json, "plans.1.prices.0.amount", 0), 900);
    ck_assert_str_eq(sb_json_text(json, "plans.1.prices.1.id"), "basic_yearly");
    ck_assert(json_is_null(sb_json_get(json, "plans.1.limits.seats")));
    ck_assert(json_is_array(sb_json_get(json, "packs")));
}
END_TEST

/* T08, B36: an operator's word moves a customer with what it bought, and only when forced. */
START_TEST(test_a_customer_is_moved_by_hand_only)
{
    sb_link_request_t request = {
        .user = "max", .customer = "cus_1", .who = "root", .offline = true};
    sb_link_t link;

    service_with(NULL, 0);
    service_deliver(service_event(
        "evt_1", "customer.subscription.created", 0,
        service_subscription("sub_1", "cus_1", "zoe", "active", PRICE_BASIC)));
    ck_assert_int_eq(sb_link_set(&link, &sv.result, sv.service, &request, store.pool),
                     SB_CONFLICT);
    ck_assert_ptr_nonnull(strstr(sv.result.message, "zoe"));
    request.force = request.dry_run = true;
    ck_assert_int_eq(sb_link_set(&link, &sv.result, sv.service, &request, store.pool),
                     SB_OK);
    ck_assert_str_eq(service_gate("zoe", "any"), "ok");
    request.dry_run = false;
    ck_assert_int_eq(sb_link_set(&link, &sv.result, sv.service, &request, store.pool),
                     SB_OK);
    ck_assert(link.changed);
    ck_assert_str_eq(service_gate("max", "any"), "ok");
    ck_assert_str_ne(service_gate("zoe", "any"), "ok");
    /* The metadata at Stripe keeps the old name; the operator's word wins. */
    ck_assert_str_eq(
        service_deliver(service_event(
            "evt_2", "customer.subscription.updated", 5,
            service_subscription("sub_1", "cus_1", "zoe", "active", PRICE_PRO))),
        "done");
    ck_assert_str_eq(service_gate("max", "pro"), "ok");
}
END_TEST

Suite *service_checkout_suite(void)
{
    Suite *suite = suite_create("service_checkout");
    TCase *tcase = tcase_create("checkout");

    tcase_add_checked_fixture(tcase, service_setup, service_teardown);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, test_a_checkout_makes_a_customer_and_a_session);
    tcase_add_test(tcase, test_a_second_click_meets_the_same_session);
    tcase_add_test(tcase, test_a_lost_answer_is_asked_for_again_with_the_same_key);
    tcase_add_test(tcase, test_a_missing_customer_is_replaced);
    tcase_add_test(tcase, test_what_is_not_for_sale_is_refused);
    tcase_add_test(tcase, test_nobody_buys_twice_in_a_group);
    tcase_add_test(tcase, test_a_trial_comes_once_in_a_life);
    tcase_add_test(tcase, test_a_lookup_key_finds_its_price_at_stripe);
    tcase_add_test(tcase, test_the_return_page_fulfils_before_the_webhook);
    tcase_add_test(tcase, test_only_our_own_sessions_count);
    tcase_add_test(tcase, test_the_return_page_answers_without_stripe);
    tcase_add_test(tcase, test_an_incomplete_payment_is_processing);
    tcase_add_test(tcase, test_a_price_without_a_plan_is_processing);
    tcase_add_test(tcase, test_the_portal_is_for_customers);
    tcase_add_test(tcase, test_the_subscription_json_has_exactly_its_fields);
    tcase_add_test(tcase, test_the_plans_are_told_in_the_readers_language);
    tcase_add_test(tcase, test_a_customer_is_moved_by_hand_only);
    suite_add_tcase(suite, tcase);
    return suite;
}
