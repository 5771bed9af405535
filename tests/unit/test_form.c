/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "base/form.h"
#include "unit.h"

#include <stdlib.h>
#include <string.h>

static apr_pool_t *pool;
static sb_result_t result;

static void setup(void)
{
    apr_pool_create(&pool, NULL);
    sb_result_clear(&result);
}

static void teardown(void)
{
    apr_pool_destroy(pool);
}

static sb_form_t *parsed(const char *text)
{
    sb_form_t *form = NULL;

    ck_assert_int_eq(
        sb_form_parse(&form, &result, text, strlen(text), SB_FORM_PAIRS_MAX, pool),
        SB_OK);
    return form;
}

static const char *value_of(const sb_form_t *form, const char *name)
{
    const char *value = NULL;

    ck_assert_int_eq(sb_form_get(&value, &result, form, name), SB_OK);
    return value;
}

START_TEST(test_names_with_brackets_and_texts_of_any_language_are_encoded_once)
{
    sb_form_t *form = sb_form_create(pool);

    sb_form_add(form, "subscription_data[metadata][subbill_user]",
                "J\xc3\xbcrgen & S\xc3\xb6hne");
    sb_form_add(form, "success_url", "https://x.test/r?session_id={CHECKOUT_SESSION_ID}");
    ck_assert_str_eq(
        sb_form_encode(form, pool),
        "subscription_data%5Bmetadata%5D%5Bsubbill_user%5D=J%C3%BCrgen%20%26%20S"
        "%C3%B6hne&success_url=https%3A%2F%2Fx.test%2Fr%3Fsession_id%3D%7BCHECKOUT_"
        "SESSION_ID%7D");
}
END_TEST

START_TEST(test_numbers_booleans_absent_and_empty_values_have_stripes_spelling)
{
    sb_form_t *form = sb_form_create(pool);

    sb_form_add_int(form, "q", -9223372036854775807LL);
    sb_form_add_bool(form, "yes", true);
    sb_form_add_bool(form, "no", false);
    sb_form_add(form, "absent", NULL);
    sb_form_add(form, "unset", "");
    ck_assert_str_eq(sb_form_encode(form, pool),
                     "q=-9223372036854775807&yes=true&no=false&unset=");
    ck_assert_str_eq(sb_form_encode(sb_form_create(pool), pool), "");
    ck_assert_str_eq(sb_form_escape("a b/c+\xe2\x82\xac~", pool),
                     "a%20b%2Fc%2B%E2%82%AC~");
}
END_TEST

START_TEST(test_every_text_survives_encoding_and_parsing)
{
    char text[512];
    int n = 0;

    for (int c = 1; c < 0x80; c++) {
        text[n++] = (char)c;
    }
    memcpy(text + n, "\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf\xf4\x8f\xbf\xbf", 15);
    sb_form_t *form = sb_form_create(pool);
    sb_form_add(form, "name[0]=&", text);
    sb_form_t *back = parsed(sb_form_encode(form, pool));
    ck_assert_int_eq(sb_form_count(back), 1);
    ck_assert_str_eq(sb_form_name_at(back, 0), "name[0]=&");
    ck_assert_str_eq(sb_form_value_at(back, 0), text);
}
END_TEST

START_TEST(test_browsers_forms_and_query_strings_are_read)
{
    sb_form_t *form = parsed("plan=gold&note=a+b%2Bc&&empty=&bare&eq=a=b&");

    ck_assert_int_eq(sb_form_count(form), 5);
    ck_assert_str_eq(value_of(form, "plan"), "gold");
    ck_assert_str_eq(value_of(form, "note"), "a b+c");
    ck_assert_str_eq(value_of(form, "empty"), "");
    ck_assert_str_eq(value_of(form, "bare"), "");
    ck_assert_str_eq(value_of(form, "eq"), "a=b");
    ck_assert_ptr_null(value_of(form, "missing"));
    ck_assert_int_eq(sb_form_count(parsed("")), 0);
}
END_TEST

/* T10 */
START_TEST(test_a_field_that_was_sent_twice_is_refused_when_it_is_read)
{
    sb_form_t *form = parsed("plan=gold&a=1&pl%61n=silver");
    const char *value = "untouched";

    ck_assert_int_eq(sb_form_get(&value, &result, form, "plan"), SB_INVALID);
    ck_assert_str_eq(result.code, "duplicate_field");
    ck_assert_ptr_null(value);
    ck_assert_str_eq(value_of(form, "a"), "1");
}
END_TEST

/* T27, T34 */
START_TEST(test_broken_encodings_are_refused)
{
    static const struct {
        const char *text;
        const char *code;
    } bad[] = {
        {"a=%", "bad_encoding"},
        {"a=%4", "bad_encoding"},
        {"a=%zz", "bad_encoding"},
        {"a=%0x1", "bad_encoding"},
        {"%=1", "bad_encoding"},
        {"a=%00", "bad_encoding"},
        {"a%00b=1", "bad_encoding"},
        {"a=%ff", "bad_encoding"},
        {"a=%c0%80", "bad_encoding"},
        {"a=%ed%a0%80", "bad_encoding"},
        {"a=%f4%90%80%80", "bad_encoding"},
        {"a=%e2%82", "bad_encoding"},
        {"a=\xff", "bad_encoding"},
        {"a=%c0%af", "bad_encoding"},
        {"=1", "bad_form"},
        {"a=1&=", "bad_form"},
    };

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        sb_form_t *form = NULL;
        ck_assert_msg(sb_form_parse(&form, &result, bad[i].text, strlen(bad[i].text), 8,
                                    pool) == SB_INVALID,
                      "%s was taken", bad[i].text);
        ck_assert_str_eq(result.code, bad[i].code);
        ck_assert_ptr_null(form);
    }
    sb_form_t *form = NULL;
    ck_assert_int_eq(sb_form_parse(&form, &result, "a=\0", 3, 8, pool), SB_INVALID);
}
END_TEST

/* T34 */
START_TEST(test_more_pairs_than_the_caller_allows_are_refused)
{
    sb_form_t *form = NULL;

    ck_assert_int_eq(sb_form_parse(&form, &result, "a=1&b=2&c=3", 11, 3, pool), SB_OK);
    ck_assert_int_eq(sb_form_parse(&form, &result, "a=1&b=2&c=3", 11, 2, pool),
                     SB_INVALID);
    ck_assert_str_eq(result.code, "bad_form");
    ck_assert_ptr_null(form);
}
END_TEST

START_TEST(test_nothing_behind_the_given_length_is_read)
{
    char *text = malloc(5);
    sb_form_t *form = NULL;

    memcpy(text, "a=1%4", 5);
    ck_assert_int_eq(sb_form_parse(&form, &result, text, 3, 8, pool), SB_OK);
    ck_assert_str_eq(value_of(form, "a"), "1");
    ck_assert_int_eq(sb_form_parse(&form, &result, text, 5, 8, pool), SB_INVALID);
    free(text);
}
END_TEST

Suite *form_suite(void)
{
    Suite *suite = suite_create("form");
    TCase *tests = tcase_create("form");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests,
                   test_names_with_brackets_and_texts_of_any_language_are_encoded_once);
    tcase_add_test(tests,
                   test_numbers_booleans_absent_and_empty_values_have_stripes_spelling);
    tcase_add_test(tests, test_every_text_survives_encoding_and_parsing);
    tcase_add_test(tests, test_browsers_forms_and_query_strings_are_read);
    tcase_add_test(tests, test_a_field_that_was_sent_twice_is_refused_when_it_is_read);
    tcase_add_test(tests, test_broken_encodings_are_refused);
    tcase_add_test(tests, test_more_pairs_than_the_caller_allows_are_refused);
    tcase_add_test(tests, test_nothing_behind_the_given_length_is_read);
    suite_add_tcase(suite, tests);
    return suite;
}
