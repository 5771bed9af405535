/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "stripe/client.h"
#include "base/clock.h"
#include "stripe/customers.h"
#include "stripe/prices.h"
#include "stripe_fixture.h"
#include "unit.h"

#include <apr_strings.h>
#include <string.h>
#include <unistd.h>

static sb_status_e post(void)
{
    sb_form_t *params = sb_form_create(fx.pool);

    sb_form_add(params, "email", "a@b.test");
    return sb_stripe_call(&fx.out, &fx.result, fx.stripe, "POST", "/v1/customers", params,
                          "key-1", fx.pool);
}

/* C37, F15 */
START_TEST(test_a_call_carries_key_version_and_idempotency_key_and_logs_the_request_id)
{
    const scripted_answer_t script[] = {stripe_answer(
        200, "Request-Id: req_abc\r\n", "{\"object\":\"customer\",\"id\":\"cus_1\"}")};

    stripe_with(script, 1, (sb_stripe_options_t){0});
    ck_assert_int_eq(post(), SB_OK);
    ck_assert_str_eq(sb_json_text(fx.out, "id"), "cus_1");
    assert_header(0, "Authorization", "Bearer " KEY_OLD);
    assert_header(0, "Stripe-Version", "2026-10-28.endive");
    assert_header(0, "Idempotency-Key", "key-1");
    ck_assert_str_eq(sent_body(0), "email=a%40b.test");
    ck_assert_ptr_nonnull(
        strstr(fx.logged, "SB301: stripe POST /v1/customers 200 req_abc in "));
}
END_TEST

START_TEST(test_parameters_of_a_get_go_into_the_query_without_idempotency_key)
{
    const scripted_answer_t script[] = {
        stripe_answer(200, "", "{\"object\":\"list\",\"data\":[]}")};
    const char *const keys[] = {"gold", "a b"};

    stripe_with(script, 1, (sb_stripe_options_t){0});
    ck_assert_int_eq(
        sb_stripe_prices_by_lookup_key(&fx.out, &fx.result, fx.stripe, keys, 2, fx.pool),
        SB_OK);
    const char *text = scripted_server_request(fx.server, 0);
    ck_assert_ptr_eq(strstr(text,
                            "GET /v1/prices?lookup_keys%5B%5D=gold&lookup_keys%5B%5D="
                            "a%20b&active=true&limit=100 HTTP/1.1\r\n"),
                     text);
    assert_header(0, "Idempotency-Key", "");
}
END_TEST

/* F15, F17 */
START_TEST(test_outages_are_retried_twice_with_the_same_idempotency_key)
{
    const scripted_answer_t script[] = {
        stripe_refusal(500, "\"type\":\"api_error\""),
        {.bytes = NULL},
        stripe_answer(200, "Idempotent-Replayed: true\r\n",
                      "{\"object\":\"customer\",\"id\":\"cus_1\"}")};

    stripe_with(script, 3, (sb_stripe_options_t){0});
    ck_assert_int_eq(post(), SB_OK);
    ck_assert_int_eq(scripted_server_requests(fx.server), 3);
    for (int i = 0; i < 3; i++) {
        assert_header(i, "Idempotency-Key", "key-1");
        ck_assert_str_eq(sent_body(i), "email=a%40b.test");
    }
    ck_assert_int_eq(fx.sleeps, 2);
    ck_assert_int_ge(fx.slept, apr_time_from_msec(250 + 500));
    ck_assert_int_le(fx.slept, apr_time_from_msec(500 + 1000));
    ck_assert_ptr_nonnull(strstr(fx.logged, "(replayed)"));
}
END_TEST

/* F15 */
START_TEST(test_a_post_without_a_key_gets_one_that_its_retries_keep)
{
    const scripted_answer_t script[] = {stripe_refusal(503, "\"type\":\"api_error\"")};
    char first[64];
    char again[64];

    stripe_with(script, 1, (sb_stripe_options_t){0});
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(sb_stripe_call(&fx.out, &fx.result, fx.stripe, "POST",
                                        "/v1/customers", NULL, NULL, fx.pool),
                         SB_UNAVAILABLE);
    }
    ck_assert_int_eq(scripted_server_requests(fx.server), 6);
    scripted_server_header(first, sizeof(first), fx.server, 0, "Idempotency-Key");
    assert_header(2, "Idempotency-Key", first);
    ck_assert_uint_eq(strlen(first), 32);
    scripted_server_header(again, sizeof(again), fx.server, 3, "Idempotency-Key");
    ck_assert_str_ne(first, again);
}
END_TEST

/* F15: status, Stripe-Should-Retry and Retry-After decide; how many requests are made. */
static const struct {
    int status;
    const char *headers;
    int requests;
} retries[] = {
    {500, "", 3},
    {500, "Idempotent-Replayed: true\r\n", 1},
    {502, "", 3},
    {409, "", 3},
    {429, "", 3},
    {400, "", 1},
    {402, "", 1},
    {404, "", 1},
    {302, "", 1},
    {500, "Stripe-Should-Retry: false\r\n", 1},
    {409, "Stripe-Should-Retry: false\r\n", 1},
    {400, "Stripe-Should-Retry: true\r\n", 3},
    {429, "Retry-After: 1\r\n", 3},
    {429, "Retry-After: 30\r\n", 1},
    {503, "Retry-After: 30\r\n", 1},
    {503, "Retry-After: Wed, 21 Oct 2026 07:28:00 GMT\r\n", 3},
    {200, "Stripe-Should-Retry: true\r\n", 1},
};

START_TEST(test_only_what_may_succeed_later_is_tried_again)
{
    const scripted_answer_t script[] = {
        stripe_answer(retries[_i].status, retries[_i].headers,
                      "{\"error\":{\"type\":\"invalid_request_error\",\"message\":\"m\"},"
                      "\"object\":\"x\"}")};

    stripe_with(script, 1, (sb_stripe_options_t){0});
    post();
    ck_assert_int_eq(scripted_server_requests(fx.server), retries[_i].requests);
}
END_TEST

/* F15 */
START_TEST(test_a_rate_limit_is_answered_slowly_and_says_when_to_come_back)
{
    const scripted_answer_t script[] = {
        stripe_answer(429, "Retry-After: 2\r\n",
                      "{\"error\":{\"type\":\"invalid_request_error\","
                      "\"code\":\"lock_timeout\",\"message\":\"m\"}}")};

    stripe_with(script, 1, (sb_stripe_options_t){0});
    ck_assert_int_eq(post(), SB_UNAVAILABLE);
    ck_assert_str_eq(fx.result.code, "lock_timeout");
    ck_assert_int_eq(fx.result.retry_after, 2);
    ck_assert_int_ge(fx.slept, apr_time_from_sec(4));
}
END_TEST

static const struct {
    int status;
    const char *members; /* of error */
    sb_status_e result;
    const char *code;
    const char *message; /* NULL: must not be Stripe's own */
} mappings[] = {
    {402,
     "\"type\":\"card_error\",\"code\":\"card_declined\",\"message\":\"Said to buyers.\"",
     SB_INVALID, "card_declined", "Said to buyers."},
    {402, "\"type\":\"card_error\",\"message\":\"Said to buyers.\"", SB_INVALID,
     "card_declined", "Said to buyers."},
    {404,
     "\"type\":\"invalid_request_error\",\"code\":\"resource_missing\",\"param\":\"id\","
     "\"message\":\"STRIPE\"",
     SB_NOT_FOUND, "resource_missing", NULL},
    {400,
     "\"type\":\"invalid_request_error\",\"code\":\"resource_missing\","
     "\"param\":\"customer\",\"message\":\"STRIPE\"",
     SB_NOT_FOUND, "resource_missing", NULL},
    {404, "\"type\":\"invalid_request_error\",\"message\":\"STRIPE\"", SB_UPSTREAM,
     "stripe_bad_answer", NULL},
    {400, "\"type\":\"idempotency_error\",\"message\":\"STRIPE\"", SB_CONFLICT,
     "idempotency_error", NULL},
    {409, "\"type\":\"invalid_request_error\",\"message\":\"STRIPE\"", SB_CONFLICT,
     "idempotency_key_in_use", NULL},
    {400,
     "\"type\":\"invalid_request_error\",\"code\":\"parameter_unknown\","
     "\"message\":\"STRIPE\"",
     SB_UPSTREAM, "parameter_unknown", NULL},
    {400, "\"type\":\"invalid_request_error\",\"message\":\"STRIPE\"", SB_UPSTREAM,
     "invalid_request_error", NULL},
    {403, "\"type\":\"invalid_request_error\",\"message\":\"STRIPE\"", SB_UPSTREAM,
     "stripe_permission", NULL},
    {401, "\"type\":\"invalid_request_error\",\"message\":\"STRIPE\"", SB_UPSTREAM,
     "stripe_key_refused", NULL},
    {424, "\"type\":\"api_error\",\"message\":\"STRIPE\"", SB_UPSTREAM, "api_error",
     NULL},
    {429, "\"type\":\"invalid_request_error\",\"message\":\"STRIPE\"", SB_UNAVAILABLE,
     "rate_limit", NULL},
    {500, "\"type\":\"api_error\",\"message\":\"STRIPE\"", SB_UNAVAILABLE,
     "stripe_unavailable", NULL},
    {400, "\"type\":7,\"code\":[],\"message\":{}", SB_UPSTREAM, "stripe_refused", NULL},
};

START_TEST(test_stripes_errors_become_results_and_only_card_errors_speak_to_buyers)
{
    const scripted_answer_t script[] = {
        stripe_refusal(mappings[_i].status, mappings[_i].members)};

    stripe_with(script, 1, (sb_stripe_options_t){.retries = -1});
    ck_assert_int_eq(post(), mappings[_i].result);
    ck_assert_int_eq(fx.result.status, mappings[_i].result);
    ck_assert_str_eq(fx.result.code, mappings[_i].code);
    ck_assert_ptr_nonnull(fx.result.message);
    if (mappings[_i].message) {
        ck_assert_str_eq(fx.result.message, mappings[_i].message);
    }
    ck_assert_ptr_null(strstr(fx.result.message, "STRIPE"));
    ck_assert_int_eq(fx.result.retry_after > 0, fx.result.status == SB_UNAVAILABLE);
    ck_assert(json_is_object(fx.out));
    ck_assert_ptr_nonnull(strstr(fx.logged, "req_no"));
}
END_TEST

/* T37 */
START_TEST(test_no_key_reaches_log_or_result)
{
    const scripted_answer_t script[] = {
        stripe_refusal(
            401,
            "\"type\":\"invalid_request_error\",\"message\":\"Invalid API Key provided: "
            "" KEY_OLD " (" KEY_NEW "), whsec_canarySecret=\\u001b[2J\""),
        {.bytes = NULL}};

    stripe_with(script, 2, (sb_stripe_options_t){.keys_n = 1});
    ck_assert_int_eq(post(), SB_UPSTREAM);
    ck_assert_int_eq(post(), SB_UNAVAILABLE);
    ck_assert_ptr_null(strstr(fx.logged, "canary"));
    ck_assert_ptr_null(strchr(fx.logged, '\x1b'));
    ck_assert_ptr_nonnull(strstr(fx.logged, "provided: [secret] ([secret]), [secret]="));
    ck_assert_ptr_null(strstr(fx.result.message, "canary"));
}
END_TEST

/* A21 */
START_TEST(test_a_refused_key_gives_way_to_the_next_one_for_good)
{
    const char *const good = "{\"object\":\"customer\",\"id\":\"cus_1\"}";
    const scripted_answer_t script[] = {
        stripe_refusal(
            401, "\"type\":\"invalid_request_error\",\"message\":\"Expired API Key\""),
        stripe_answer(200, "", good)};

    stripe_with(script, 2, (sb_stripe_options_t){0});
    ck_assert_int_eq(post(), SB_OK);
    ck_assert_int_eq(post(), SB_OK);
    ck_assert_int_eq(scripted_server_requests(fx.server), 3);
    assert_header(0, "Authorization", "Bearer " KEY_OLD);
    assert_header(1, "Authorization", "Bearer " KEY_NEW);
    assert_header(1, "Idempotency-Key", "key-1");
    assert_header(2, "Authorization", "Bearer " KEY_NEW);
    ck_assert_ptr_nonnull(
        strstr(fx.logged, "0 SB303: Stripe refuses key number 1 of the 2"));
    ck_assert_int_eq(fx.sleeps, 0);
}
END_TEST

START_TEST(test_when_every_key_is_refused_the_call_ends)
{
    const scripted_answer_t script[] = {
        stripe_refusal(401, "\"type\":\"invalid_request_error\",\"message\":\"No.\"")};

    stripe_with(script, 1, (sb_stripe_options_t){0});
    ck_assert_int_eq(post(), SB_UPSTREAM);
    ck_assert_str_eq(fx.result.code, "stripe_key_refused");
    ck_assert_int_eq(scripted_server_requests(fx.server), 2);
}
END_TEST

/* F16: answers with status 200 that are none */
static const char *const rubbish[] = {
    "",
    "<html><body>Welcome to the hotel's network</body></html>",
    "{\"object\":\"customer\",\"id\":\"cus_1\"",
    "[]",
    "\"customer\"",
    "null",
    "{\"object\":\"invoice\",\"id\":\"cus_1\"}",
    "{\"object\":\"customer\"}",
    "{\"object\":\"customer\",\"id\":17}",
    "{\"object\":\"customer\",\"id\":\"../../etc\"}",
    "{\"object\":\"customer\",\"id\":\"\"}",
    "{\"object\":\"customer\",\"object\":\"customer\",\"id\":\"cus_1\"}",
    "{\"object\":\"customer\",\"id\":\"cus_1\\u0000x\"}",
    "{\"object\":\"customer\",\"id\":\"\xff\"}",
    "{}",
};

START_TEST(test_an_answer_that_makes_no_sense_is_a_failure)
{
    const scripted_answer_t script[] = {stripe_answer(200, "", rubbish[_i])};

    stripe_with(script, 1, (sb_stripe_options_t){0});
    ck_assert_int_eq(
        sb_stripe_customer_retrieve(&fx.out, &fx.result, fx.stripe, "cus_1", fx.pool),
        SB_UPSTREAM);
    ck_assert_str_eq(fx.result.code, "stripe_bad_answer");
    ck_assert_ptr_null(fx.out);
    ck_assert_int_eq(scripted_server_requests(fx.server), 1);
}
END_TEST

/* F16 */
START_TEST(test_endless_and_nested_answers_are_failures)
{
    char *large = apr_palloc(fx.pool, 70001);
    memset(large, '[', 70000);
    large[70000] = '\0';
    char *deep = apr_pstrmemdup(fx.pool, large, 10000);
    const scripted_answer_t script[] = {stripe_answer(200, "", large),
                                        stripe_answer(200, "", deep)};

    stripe_with(script, 2, (sb_stripe_options_t){0});
    ck_assert_int_eq(post(), SB_UPSTREAM);
    ck_assert_str_eq(fx.result.code, "stripe_bad_answer");
    ck_assert_int_eq(post(), SB_UPSTREAM);
    ck_assert_str_eq(fx.result.code, "stripe_bad_answer");
}
END_TEST

/* F13 */
START_TEST(test_the_circuit_opens_after_failures_in_a_row_and_closes_after_a_good_probe)
{
    const char *const good = "{\"object\":\"customer\",\"id\":\"cus_1\"}";
    const scripted_answer_t script[] = {{.bytes = NULL},
                                        stripe_refusal(500, "\"type\":\"api_error\""),
                                        stripe_answer(200, "", "<html>"),
                                        {.bytes = NULL},
                                        stripe_answer(200, "", good)};

    stripe_with(
        script, 5,
        (sb_stripe_options_t){.retries = -1, .breaker_calls = 3, .breaker_open_ms = 200});
    ck_assert_int_eq(post(), SB_UNAVAILABLE);
    ck_assert_int_eq(post(), SB_UNAVAILABLE);
    ck_assert_int_eq(post(), SB_UPSTREAM);
    ck_assert_ptr_nonnull(strstr(fx.logged, "0 SB307: "));
    for (int i = 0; i < 10; i++) {
        ck_assert_int_eq(post(), SB_UNAVAILABLE);
        ck_assert_str_eq(fx.result.code, "stripe_unavailable");
        ck_assert_int_eq(fx.result.retry_after, 1);
    }
    ck_assert_int_eq(scripted_server_requests(fx.server), 3);

    usleep(220 * 1000);
    ck_assert_int_eq(post(), SB_UNAVAILABLE);
    ck_assert_int_eq(post(), SB_UNAVAILABLE);
    ck_assert_int_eq(scripted_server_requests(fx.server), 4);
    usleep(220 * 1000);
    ck_assert_int_eq(post(), SB_OK);
    ck_assert_int_eq(post(), SB_OK);
    ck_assert_ptr_nonnull(strstr(fx.logged, "2 SB308: "));
    ck_assert_int_eq(scripted_server_requests(fx.server), 6);
}
END_TEST

/* F13 */
START_TEST(test_refusals_do_not_open_the_circuit)
{
    const scripted_answer_t script[] = {stripe_refusal(
        400, "\"type\":\"invalid_request_error\",\"code\":\"parameter_missing\"")};

    stripe_with(script, 1, (sb_stripe_options_t){.breaker_calls = 2});
    for (int i = 0; i < 6; i++) {
        ck_assert_int_eq(post(), SB_UPSTREAM);
    }
    ck_assert_int_eq(scripted_server_requests(fx.server), 6);
}
END_TEST

/* F14 */
START_TEST(test_a_call_with_all_its_retries_stays_within_its_time)
{
    const scripted_answer_t script[] = {
        {.bytes = scripted_json(500, "", "{}", fx.pool), .delay_ms = 400}};

    stripe_with(script, 1, (sb_stripe_options_t){.total_ms = 600, .retries = 5});
    apr_time_t start = sb_clock_monotonic();
    ck_assert_int_eq(post(), SB_UNAVAILABLE);
    ck_assert_int_lt(apr_time_as_msec(sb_clock_monotonic() - start), 1000);
    ck_assert_int_eq(scripted_server_requests(fx.server), 1);
}
END_TEST

/* F13: what Stripe remembers of an old failure says nothing about now. */
START_TEST(test_a_replayed_failure_does_not_open_the_circuit)
{
    const scripted_answer_t script[] = {
        stripe_answer(500, "Idempotent-Replayed: true\r\n", "{\"error\":{}}")};

    stripe_with(script, 1, (sb_stripe_options_t){.breaker_calls = 2});
    for (int i = 0; i < 4; i++) {
        ck_assert_int_eq(post(), SB_UNAVAILABLE);
    }
    ck_assert_int_eq(scripted_server_requests(fx.server), 4);
}
END_TEST

/* F14, T11 */
START_TEST(test_a_call_beyond_the_cap_of_threads_is_refused_at_once)
{
    const scripted_answer_t script[] = {
        stripe_answer(200, "", "{\"object\":\"x\",\"id\":\"x\"}")};
    sb_http_handle_t *handles[2];

    stripe_with(script, 1, (sb_stripe_options_t){0});
    ck_assert_int_eq(sb_http_borrow(&handles[0], fx.http), SB_HTTP_DONE);
    ck_assert_int_eq(sb_http_borrow(&handles[1], fx.http), SB_HTTP_DONE);
    ck_assert_int_eq(post(), SB_UNAVAILABLE);
    ck_assert_str_eq(fx.result.code, "stripe_busy");
    ck_assert_int_gt(fx.result.retry_after, 0);
    sb_http_release(handles[0]);
    sb_http_release(handles[1]);
    ck_assert_int_eq(post(), SB_OK);
    ck_assert_int_eq(scripted_server_requests(fx.server), 1);
}
END_TEST

static int count(size_t bytes, size_t each)
{
    return (int)(bytes / each);
}

static void add_calls(TCase *tests)
{
    tcase_add_test(
        tests,
        test_a_call_carries_key_version_and_idempotency_key_and_logs_the_request_id);
    tcase_add_test(tests,
                   test_parameters_of_a_get_go_into_the_query_without_idempotency_key);
    tcase_add_test(tests, test_outages_are_retried_twice_with_the_same_idempotency_key);
    tcase_add_test(tests, test_a_post_without_a_key_gets_one_that_its_retries_keep);
    tcase_add_loop_test(tests, test_only_what_may_succeed_later_is_tried_again, 0,
                        count(sizeof(retries), sizeof(retries[0])));
    tcase_add_test(tests,
                   test_a_rate_limit_is_answered_slowly_and_says_when_to_come_back);
    tcase_add_loop_test(
        tests, test_stripes_errors_become_results_and_only_card_errors_speak_to_buyers, 0,
        count(sizeof(mappings), sizeof(mappings[0])));
    tcase_add_test(tests, test_no_key_reaches_log_or_result);
    tcase_add_test(tests, test_a_refused_key_gives_way_to_the_next_one_for_good);
    tcase_add_test(tests, test_when_every_key_is_refused_the_call_ends);
    tcase_add_loop_test(tests, test_an_answer_that_makes_no_sense_is_a_failure, 0,
                        count(sizeof(rubbish), sizeof(rubbish[0])));
    tcase_add_test(tests, test_endless_and_nested_answers_are_failures);
    tcase_add_test(
        tests,
        test_the_circuit_opens_after_failures_in_a_row_and_closes_after_a_good_probe);
    tcase_add_test(tests, test_refusals_do_not_open_the_circuit);
    tcase_add_test(tests, test_a_replayed_failure_does_not_open_the_circuit);
    tcase_add_test(tests, test_a_call_with_all_its_retries_stays_within_its_time);
    tcase_add_test(tests, test_a_call_beyond_the_cap_of_threads_is_refused_at_once);
}

Suite *stripe_client_suite(void)
{
    Suite *suite = suite_create("stripe_client");
    TCase *tests = tcase_create("stripe_client");

    tcase_add_checked_fixture(tests, stripe_fixture_setup, stripe_fixture_teardown);
    tcase_set_timeout(tests, 20);
    add_calls(tests);
    suite_add_tcase(suite, tests);
    return suite;
}
