/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "unit.h"

#include "base/json.h"
#include "domain/return_url.h"

#include <string.h>

#define ORIGINS_MAX 16

static const char *case_input(const json_t *entry)
{
    apr_size_t length;
    const char *hex = sb_json_text(entry, "input_hex");

    return hex ? sb_unit_unhex(hex, &length) : sb_json_text(entry, "input");
}

/* T24, D2: the corpus of return addresses, each with its own serialisation or refused. */
START_TEST(test_only_own_and_allowed_addresses_pass)
{
    json_t *corpus = sb_unit_data("return_urls.json");
    const json_t *cases = sb_json_get(corpus, "cases");
    const json_t *list = sb_json_get(corpus, "origins");
    const char *origins[ORIGINS_MAX];
    int n = 0;
    size_t i;
    json_t *value;

    json_array_foreach((json_t *)list, i, value)
    {
        origins[n++] = json_string_value(value);
    }
    ck_assert_uint_ge(json_array_size(cases), 150);
    json_array_foreach((json_t *)cases, i, value)
    {
        const char *input = case_input(value);
        const char *expect = sb_json_text(value, "expect");
        const char *url = "unset";
        sb_result_t result;
        sb_status_e status =
            sb_return_url_check(&url, &result, input, sb_json_text(corpus, "base_url"),
                                origins, n, sb_unit_pool);
        if (expect) {
            ck_assert_msg(status == SB_OK, "%s is refused: %s", input, result.message);
            ck_assert_str_eq(url, expect);
        }
        else {
            ck_assert_msg(status == SB_INVALID, "%s passes as %s", input, url);
            ck_assert_ptr_null(url);
            ck_assert_str_eq(result.code, "bad_return_url");
            ck_assert_ptr_nonnull(result.message);
        }
    }
    json_decref(corpus);
}
END_TEST

/* T24: what passes once passes again and does not change. */
START_TEST(test_the_serialisation_is_stable)
{
    json_t *corpus = sb_unit_data("return_urls.json");
    const char *base = sb_json_text(corpus, "base_url");
    const char *origins[] = {"http://localhost:3000",
                             "https://app.example.net",
                             "https://partner.example.com/shop",
                             "https://203.0.113.7",
                             "https://[2001:db8::1]:8443",
                             "http://intranet.example.org"};
    size_t i;
    json_t *value;

    json_array_foreach(sb_json_get(corpus, "cases"), i, value)
    {
        const char *expect = sb_json_text(value, "expect");
        const char *url;
        if (expect && strlen(expect) <= SB_RETURN_URL_MAX) {
            ck_assert_int_eq(
                sb_return_url_check(&url, NULL, expect, base, origins, 6, sb_unit_pool),
                SB_OK);
            ck_assert_str_eq(url, expect);
        }
    }
    json_decref(corpus);
}
END_TEST

/* T24 */
START_TEST(test_a_site_on_http_takes_its_own_http_addresses)
{
    const char *base = "http://127.0.0.1:8080", *url;

    ck_assert_int_eq(
        sb_return_url_check(&url, NULL, "/members/?a=1", base, NULL, 0, sb_unit_pool),
        SB_OK);
    ck_assert_str_eq(url, "http://127.0.0.1:8080/members/?a=1");
    ck_assert_int_eq(sb_return_url_check(&url, NULL, "http://127.0.0.1:8080/x", base,
                                         NULL, 0, sb_unit_pool),
                     SB_OK);
    ck_assert_int_eq(sb_return_url_check(&url, NULL, "https://127.0.0.1:8080/x", base,
                                         NULL, 0, sb_unit_pool),
                     SB_INVALID);
    ck_assert_int_eq(sb_return_url_check(&url, NULL, "http://127.0.0.1/x", base, NULL, 0,
                                         sb_unit_pool),
                     SB_INVALID);
    ck_assert_int_eq(
        sb_return_url_check(&url, NULL, "/x", "not a url", NULL, 0, sb_unit_pool),
        SB_INTERNAL);
}
END_TEST

START_TEST(test_origins_are_checked_at_configuration)
{
    static const char *const good[] = {"https://a.example", "https://a.example/",
                                       "http://localhost:3000", "https://a.example/shop",
                                       "https://[::1]:1"};
    static const char *const bad[] = {"",
                                      "a.example",
                                      "//a.example",
                                      "https://",
                                      "https://*.example",
                                      "https://a.example/?x",
                                      "https://a.example#x",
                                      "ftp://a.example",
                                      "https://u@a.example",
                                      "https://a.example:x",
                                      "https://a b.example",
                                      "null",
                                      "*",
                                      "https://a.example\\x"};

    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        ck_assert_msg(!sb_return_origin_check(good[i], sb_unit_pool), "%s", good[i]);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        ck_assert_msg(sb_return_origin_check(bad[i], sb_unit_pool) != NULL, "%s", bad[i]);
    }
    ck_assert_str_eq(sb_url_origin("HTTPS://A.example:443/x?y", sb_unit_pool),
                     "https://a.example");
    ck_assert_str_eq(sb_url_origin("http://a.example:81", sb_unit_pool),
                     "http://a.example:81");
    ck_assert_ptr_null(sb_url_origin("null", sb_unit_pool));
    ck_assert_ptr_null(sb_url_origin(NULL, sb_unit_pool));
}
END_TEST

Suite *return_url_suite(void)
{
    Suite *suite = suite_create("return_url");
    TCase *tcase = sb_unit_case("return_url");

    tcase_add_test(tcase, test_only_own_and_allowed_addresses_pass);
    tcase_add_test(tcase, test_the_serialisation_is_stable);
    tcase_add_test(tcase, test_a_site_on_http_takes_its_own_http_addresses);
    tcase_add_test(tcase, test_origins_are_checked_at_configuration);
    suite_add_tcase(suite, tcase);
    return suite;
}
