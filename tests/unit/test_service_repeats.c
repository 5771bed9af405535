/* Licensed under the Apache License, Version 2.0; see LICENSE. */
/* What is tried again: creations that Stripe failed, several tabs of one buyer. */
#include "service_fixture.h"
#include "unit.h"

#include "service/checkout.h"
#include "service/links.h"

#include <apr_strings.h>
#include <pthread.h>
#include <string.h>

#define CUSTOMER "{'id':'cus_1','object':'customer','livemode':false}"
#define BROKEN   "{'error':{'type':'api_error','message':'Sorry'}}"

static const sb_checkout_request_t wish = {
    .user = "zoe",
    .plan = "basic",
    .trial_days = -1,
    .return_page = "https://shop.example/subbill/return",
};

static sb_checkout_answer_t answer;

static sb_status_e start(sb_checkout_request_t request)
{
    sb_result_clear(&sv.result);
    return sb_checkout_start(&answer, &sv.result, sv.service, &request, store.pool);
}

static const char *session(const char *id, const char *status)
{
    return service_json(
        "{'id':'%s','object':'checkout.session','mode':'subscription','status':'%s',"
        "'payment_status':'unpaid','livemode':false,'created':1,'expires_at':9999999999,"
        "'url':'https://checkout.stripe.com/c/pay/%s','customer':'cus_1',"
        "'subscription':null,'metadata':{}}",
        id, status, id);
}

static const char *key(int i)
{
    char *header = apr_palloc(store.pool, 300);

    scripted_server_header(header, 300, sv.server, i, "Idempotency-Key");
    return header;
}

static bool asked(int i, const char *line)
{
    return strncmp(scripted_server_request(sv.server, i), line, strlen(line)) == 0;
}

static const char *count(const char *where)
{
    return store_admin_value(
        apr_pstrcat(store.pool, "SELECT COUNT(*) FROM ", where, NULL));
}

static scripted_answer_t once(int status, const char *json)
{
    const char *headers = "Connection: close\r\nStripe-Should-Retry: false\r\n";

    return (scripted_answer_t){
        .bytes = scripted_json(status, headers, service_json("%s", json), store.pool),
        .cut = 1};
}

/* F13, F15: Stripe keeps a 500 for a day under the key it answered. */
START_TEST(test_a_customer_that_stripe_failed_to_make_is_tried_with_another_key)
{
    const scripted_answer_t script[] = {
        once(500, BROKEN), service_answer(200, CUSTOMER),
        service_answer(200, session("cs_test_1", "open"))};

    service_with(script, 3);
    ck_assert_int_eq(start(wish), SB_UNAVAILABLE);
    ck_assert_msg(start(wish) == SB_OK, "%s", sv.result.code);
    ck_assert_str_ne(key(0), key(1));
    ck_assert_str_eq(count("link_audit WHERE what LIKE 'not made%'"), "1");
}
END_TEST

/* F17 */
START_TEST(test_a_customer_whose_answer_was_lost_is_asked_for_with_the_same_key)
{
    const scripted_answer_t script[] = {
        service_silence(), service_silence(), service_silence(),
        service_answer(200, CUSTOMER), service_answer(200, session("cs_test_1", "open"))};

    service_with(script, 5);
    ck_assert_int_eq(start(wish), SB_UNAVAILABLE);
    int lost = scripted_server_requests(sv.server) - 1;
    ck_assert_msg(start(wish) == SB_OK, "%s", sv.result.code);
    ck_assert_str_eq(key(lost), key(lost + 1));
}
END_TEST

/* B36: a customer that was let go is not handed out again by Stripe's memory. */
START_TEST(test_a_released_customer_is_not_replayed)
{
    const scripted_answer_t script[] = {
        service_answer(200, CUSTOMER),
        service_answer(200, session("cs_test_1", "open")),
        service_answer(200, "{'id':'cus_3','object':'customer','livemode':false}"),
        service_answer(200, session("cs_test_1", "open")),
        service_answer(200, session("cs_test_1", "expired")),
        service_answer(200, session("cs_test_3", "open"))};
    sb_link_request_t request = {.user = "max",
                                 .customer = "cus_1",
                                 .who = "root",
                                 .offline = true,
                                 .force = true};
    sb_link_t link;

    service_with(script, 6);
    ck_assert_int_eq(start(wish), SB_OK);
    ck_assert_int_eq(sb_link_set(&link, &sv.result, sv.service, &request, store.pool),
                     SB_OK);
    ck_assert_msg(start(wish) == SB_OK, "%s", sv.result.code);
    ck_assert(asked(2, "POST /v1/customers "));
    ck_assert_str_ne(key(0), key(2));
}
END_TEST

/* T11: a month in one tab, a bigger plan in the other; only the newer one can be paid. */
static void two_tabs(void)
{
    const scripted_answer_t script[] = {
        service_answer(200, CUSTOMER), service_answer(200, session("cs_test_1", "open")),
        service_answer(200, session("cs_test_1", "open")),
        service_answer(200, session("cs_test_1", "expired")),
        service_answer(200, session("cs_test_2", "open"))};
    sb_checkout_request_t bigger = wish;

    bigger.plan = "pro";
    service_with(script, 5);
    ck_assert_int_eq(start(wish), SB_OK);
    ck_assert_msg(start(bigger) == SB_OK, "%s", sv.result.code);
    ck_assert(asked(2, "GET /v1/checkout/sessions/cs_test_1"));
    ck_assert(asked(3, "POST /v1/checkout/sessions/cs_test_1/expire "));
    ck_assert_str_eq(answer.id, "cs_test_2");
    ck_assert_str_eq(count("checkout WHERE state='open'"), "1");
    ck_assert_str_eq(count("checkout WHERE state='expired' AND session='cs_test_1'"),
                     "1");
}

START_TEST(test_of_two_tabs_only_the_newer_can_be_paid)
{
    two_tabs();
}
END_TEST

START_TEST(test_of_two_tabs_only_the_newer_can_be_paid_on_a_server)
{
    if (service_on(_i)) {
        two_tabs();
    }
}
END_TEST

typedef struct tab_t {
    apr_pool_t *pool;
    sb_checkout_answer_t answer;
    sb_status_e status;
} tab_t;

static void *other_tab(void *data)
{
    tab_t *tab = data;
    sb_checkout_request_t bigger = wish;
    sb_result_t result;

    bigger.plan = "pro";
    sb_result_clear(&result);
    while (scripted_server_requests(sv.server) < 2) {
        apr_sleep(apr_time_from_msec(10));
    }
    tab->status =
        sb_checkout_start(&tab->answer, &result, sv.service, &bigger, tab->pool);
    return NULL;
}

/* T11: the other tab starts while Stripe is still making our session: ours is ended unseen. */
START_TEST(test_a_tab_that_is_overtaken_steps_back)
{
    scripted_answer_t slow = service_answer(200, session("cs_test_1", "open"));
    tab_t tab = {.status = SB_INTERNAL};
    pthread_t thread;

    slow.delay_ms = 700 * store_slowness();
    const scripted_answer_t script[] = {
        service_answer(200, CUSTOMER), slow,
        service_answer(200, session("cs_test_2", "open")),
        service_answer(200, session("cs_test_1", "expired"))};
    service_with(script, 4);
    apr_pool_create_unmanaged_ex(&tab.pool, NULL, NULL);
    ck_assert_int_eq(pthread_create(&thread, NULL, other_tab, &tab), 0);
    ck_assert_int_eq(start(wish), SB_CONFLICT);
    pthread_join(thread, NULL);
    ck_assert_str_eq(sv.result.code, "another_checkout");
    ck_assert_int_eq(tab.status, SB_OK);
    ck_assert_str_eq(tab.answer.id, "cs_test_2");
    ck_assert(asked(3, "POST /v1/checkout/sessions/cs_test_1/expire "));
    ck_assert_str_eq(count("checkout WHERE state='open'"), "1");
    apr_pool_destroy(tab.pool);
}
END_TEST

/* Stripe cannot be asked to end the other one: then nothing new is sold. */
START_TEST(test_nothing_is_sold_while_another_session_cannot_be_ended)
{
    const scripted_answer_t script[] = {service_answer(200, CUSTOMER),
                                        service_answer(200, session("cs_test_1", "open")),
                                        once(500, BROKEN)};
    sb_checkout_request_t bigger = wish;

    bigger.plan = "pro";
    service_with(script, 3);
    ck_assert_int_eq(start(wish), SB_OK);
    ck_assert_int_eq(start(bigger), SB_UNAVAILABLE);
    ck_assert_int_eq(scripted_server_requests(sv.server), 4);
    ck_assert_str_eq(count("checkout WHERE state='open' AND session='cs_test_1'"), "1");
}
END_TEST

/* C14: paid in the other tab a moment ago, and no webhook yet. */
START_TEST(test_what_was_paid_in_the_other_tab_is_not_sold_again)
{
    const char *sub =
        service_subscription("sub_1", "cus_1", "zoe", "active", PRICE_BASIC);
    const char *paid = service_json(
        "{'id':'cs_test_1','object':'checkout.session','mode':'subscription','livemode':"
        "false,'status':'complete','payment_status':'paid','customer':'cus_1',"
        "'subscription':%s,'metadata':{},'created':1}",
        sub);
    const scripted_answer_t script[] = {service_answer(200, CUSTOMER),
                                        service_answer(200, session("cs_test_1", "open")),
                                        service_answer(200, paid)};
    sb_checkout_request_t bigger = wish;

    bigger.plan = "pro";
    service_with(script, 3);
    ck_assert_int_eq(start(wish), SB_OK);
    ck_assert_int_eq(start(bigger), SB_CONFLICT);
    ck_assert_str_eq(sv.result.code, "already_subscribed");
    ck_assert_int_eq(scripted_server_requests(sv.server), 3);
    ck_assert_str_eq(service_gate("zoe", "basic"), "ok");
}
END_TEST

/* A second tab in another language is still the same purchase. */
START_TEST(test_another_language_meets_the_same_session)
{
    const scripted_answer_t script[] = {
        service_answer(200, CUSTOMER), service_answer(200, session("cs_test_1", "open"))};
    sb_checkout_request_t german = wish;

    german.locale = "de";
    service_with(script, 2);
    ck_assert_int_eq(start(wish), SB_OK);
    ck_assert_int_eq(start(german), SB_OK);
    ck_assert(answer.reused);
}
END_TEST

/* F17: the lost answer was to other details; the row and its key are passed over at once. */
START_TEST(test_a_key_used_with_other_details_is_passed_over)
{
    const scripted_answer_t script[] = {
        service_answer(200, CUSTOMER),
        service_answer(400, "{'error':{'type':'idempotency_error','message':'Keys'}}"),
        service_answer(200, session("cs_test_2", "open"))};

    service_with(script, 3);
    ck_assert_msg(start(wish) == SB_OK, "%s", sv.result.code);
    ck_assert_str_eq(answer.id, "cs_test_2");
    ck_assert_str_ne(key(1), key(2));
    ck_assert_str_eq(count("checkout WHERE state='failed'"), "1");
}
END_TEST

/* F17: what is still being worked on keeps its key. */
START_TEST(test_a_key_in_use_is_kept)
{
    const scripted_answer_t script[] = {
        service_answer(200, CUSTOMER),
        once(409, "{'error':{'type':'idempotency_error','code':'idempotency_key_in_use',"
                  "'message':'Wait'}}"),
        service_answer(200, session("cs_test_1", "open"))};

    service_with(script, 3);
    ck_assert_int_eq(start(wish), SB_CONFLICT);
    ck_assert_str_eq(sv.result.code, "idempotency_key_in_use");
    ck_assert_int_eq(start(wish), SB_OK);
    ck_assert_str_eq(key(1), key(2));
}
END_TEST

Suite *service_repeats_suite(void)
{
    Suite *suite = suite_create("service_repeats");
    TCase *tcase = tcase_create("repeats");

    tcase_add_checked_fixture(tcase, service_setup, service_teardown);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase,
                   test_a_customer_that_stripe_failed_to_make_is_tried_with_another_key);
    tcase_add_test(tcase,
                   test_a_customer_whose_answer_was_lost_is_asked_for_with_the_same_key);
    tcase_add_test(tcase, test_a_released_customer_is_not_replayed);
    tcase_add_test(tcase, test_of_two_tabs_only_the_newer_can_be_paid);
    tcase_add_loop_test(tcase, test_of_two_tabs_only_the_newer_can_be_paid_on_a_server,
                        SB_DIALECT_PGSQL, SB_DIALECT_MYSQL + 1);
    tcase_add_test(tcase, test_a_tab_that_is_overtaken_steps_back);
    tcase_add_test(tcase, test_nothing_is_sold_while_another_session_cannot_be_ended);
    tcase_add_test(tcase, test_what_was_paid_in_the_other_tab_is_not_sold_again);
    tcase_add_test(tcase, test_another_language_meets_the_same_session);
    tcase_add_test(tcase, test_a_key_used_with_other_details_is_passed_over);
    tcase_add_test(tcase, test_a_key_in_use_is_kept);
    suite_add_tcase(suite, tcase);
    return suite;
}
