/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "stripe/lists.h"
#include "stripe_fixture.h"
#include "unit.h"

#include <apr_strings.h>
#include <string.h>

static sb_stripe_page_t page;

static sb_status_e list(sb_stripe_list_t wanted)
{
    sb_result_clear(&fx.result);
    return sb_stripe_list(&page, &fx.result, fx.stripe, &wanted, fx.pool);
}

static const char *line(int i)
{
    const char *request = scripted_server_request(fx.server, i);

    return apr_pstrndup(fx.pool, request, strcspn(request, "\r"));
}

static scripted_answer_t listing(const char *more, const char *data)
{
    return stripe_answer(
        200, "",
        apr_psprintf(fx.pool, "{\"object\":\"list\",\"has_more\":%s,\"data\":[%s]}", more,
                     data));
}

START_TEST(test_a_page_is_asked_for_as_stripe_describes_it)
{
    const scripted_answer_t script[] = {listing("false", "")};

    stripe_with(script, 1, (sb_stripe_options_t){0});
    ck_assert_int_eq(list((sb_stripe_list_t){.of = "subscriptions", .limit = 100}),
                     SB_OK);
    ck_assert_str_eq(line(0), "GET /v1/subscriptions?limit=100&status=all HTTP/1.1");
    ck_assert_int_eq(page.n, 0);
    ck_assert(!page.more);
    ck_assert_int_eq(
        list((sb_stripe_list_t){
            .of = "events", .limit = 1, .after = "evt_1", .since = 1700000000}),
        SB_OK);
    ck_assert_str_eq(
        line(1),
        "GET /v1/events?limit=1&starting_after=evt_1&created%5Bgte%5D=1700000000 "
        "HTTP/1.1");
    ck_assert_int_eq(
        list((sb_stripe_list_t){.of = "prices", .limit = 5, .before = "price_1"}), SB_OK);
    ck_assert_str_eq(line(2), "GET /v1/prices?limit=5&ending_before=price_1 HTTP/1.1");
}
END_TEST

START_TEST(test_a_page_holds_objects_and_says_whether_there_are_more)
{
    const scripted_answer_t script[] = {
        listing("true", "{\"object\":\"price\",\"id\":\"price_2\"},"
                        "{\"object\":\"price\",\"id\":\"price_1\"}")};

    stripe_with(script, 1, (sb_stripe_options_t){0});
    ck_assert_int_eq(list((sb_stripe_list_t){.of = "prices", .limit = 2}), SB_OK);
    ck_assert_int_eq(page.n, 2);
    ck_assert(page.more);
    ck_assert_str_eq(sb_json_text(json_array_get(page.data, 1), "id"), "price_1");
}
END_TEST

/* F16 */
START_TEST(test_what_is_no_such_list_is_refused)
{
    static const char *const bad[] = {
        "{\"object\":\"price\",\"id\":\"price_1\"}",
        "{\"object\":\"list\",\"data\":[]}",
        "{\"object\":\"list\",\"has_more\":1,\"data\":[]}",
        "{\"object\":\"list\",\"has_more\":true,\"data\":[]}",
        "{\"object\":\"list\",\"has_more\":false,\"data\":{}}",
        "{\"object\":\"list\",\"has_more\":false,\"data\":[7]}",
        "{\"object\":\"list\",\"has_more\":false,\"data\":[{\"object\":\"price\"}]}",
        "{\"object\":\"list\",\"has_more\":false,\"data\":[{\"object\":\"price\",\"id\":"
        "\"\"}]}",
        "{\"object\":\"list\",\"has_more\":false,\"data\":[{\"object\":\"plan\",\"id\":"
        "\"p\"}]}"};
    const scripted_answer_t script[] = {stripe_answer(200, "", bad[_i])};

    stripe_with(script, 1, (sb_stripe_options_t){.retries = -1});
    ck_assert_int_eq(list((sb_stripe_list_t){.of = "prices", .limit = 2}), SB_UPSTREAM);
    ck_assert_str_eq(fx.result.code, "stripe_bad_answer");
    ck_assert_ptr_null(page.data);
}
END_TEST

/* T39: an id from anywhere stays one value of the query. */
START_TEST(test_a_cursor_is_a_value_and_nothing_else)
{
    const scripted_answer_t script[] = {listing("false", "")};

    stripe_with(script, 1, (sb_stripe_options_t){0});
    ck_assert_int_eq(
        list((sb_stripe_list_t){.of = "products", .limit = 1, .after = "a&limit=9#/.."}),
        SB_OK);
    ck_assert_str_eq(
        line(0),
        "GET /v1/products?limit=1&starting_after=a%26limit%3D9%23%2F.. HTTP/1.1");
}
END_TEST

START_TEST(test_a_page_that_cannot_be_is_not_asked_for)
{
    const scripted_answer_t script[] = {listing("false", "")};
    const sb_stripe_list_t wrong[] = {
        {.of = "charges", .limit = 1},
        {.of = NULL, .limit = 1},
        {.of = "prices", .limit = 0},
        {.of = "prices", .limit = 101},
        {.of = "prices", .limit = 1, .after = "a", .before = "b"},
    };

    stripe_with(script, 1, (sb_stripe_options_t){0});
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        ck_assert_int_eq(list(wrong[i]), SB_INTERNAL);
        ck_assert_str_eq(fx.result.code, "bad_call");
    }
    ck_assert_int_eq(scripted_server_requests(fx.server), 0);
    ck_assert_ptr_null(sb_stripe_list_kind("charges"));
    ck_assert_str_eq(sb_stripe_list_kind("invoices"), "invoice");
}
END_TEST

START_TEST(test_a_cursor_that_stripe_does_not_know_is_told_apart)
{
    const scripted_answer_t script[] = {
        stripe_refusal(400, "\"type\":\"invalid_request_error\",\"code\":"
                            "\"resource_missing\",\"param\":\"ending_before\"")};

    stripe_with(script, 1, (sb_stripe_options_t){0});
    ck_assert_int_eq(
        list((sb_stripe_list_t){.of = "events", .limit = 1, .before = "evt_1"}),
        SB_NOT_FOUND);
}
END_TEST

Suite *stripe_lists_suite(void)
{
    Suite *suite = suite_create("stripe_lists");
    TCase *tests = tcase_create("stripe_lists");

    tcase_add_checked_fixture(tests, stripe_fixture_setup, stripe_fixture_teardown);
    tcase_set_timeout(tests, 20);
    tcase_add_test(tests, test_a_page_is_asked_for_as_stripe_describes_it);
    tcase_add_test(tests, test_a_page_holds_objects_and_says_whether_there_are_more);
    tcase_add_loop_test(tests, test_what_is_no_such_list_is_refused, 0, 9);
    tcase_add_test(tests, test_a_cursor_is_a_value_and_nothing_else);
    tcase_add_test(tests, test_a_page_that_cannot_be_is_not_asked_for);
    tcase_add_test(tests, test_a_cursor_that_stripe_does_not_know_is_told_apart);
    suite_add_tcase(suite, tests);
    return suite;
}
