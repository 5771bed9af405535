/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "unit.h"

#include "base/json.h"

#include <apr_strings.h>
#include <string.h>

static bool parses(const char *bytes, apr_size_t length)
{
    char error[200] = "";
    json_t *json;
    bool ok = sb_json_parse(&json, error, sizeof(error), bytes, length, SB_JSON_DEPTH);

    ck_assert_int_eq(ok, json != NULL);
    ck_assert_int_eq(ok, error[0] == '\0');
    json_decref(json);
    return ok;
}

static bool text_parses(const char *text)
{
    return parses(text, strlen(text));
}

static char *nested(char open, char close, int depth, bool closed)
{
    char *text = apr_palloc(sb_unit_pool, 2 * (apr_size_t)depth + 1);

    memset(text, open, (apr_size_t)depth);
    memset(text + depth, close, (apr_size_t)depth);
    text[closed ? 2 * depth : depth] = '\0';
    return text;
}

/* T34: depth is limited before any recursion. */
START_TEST(test_nesting_beyond_the_limit_is_refused)
{
    ck_assert(text_parses(nested('[', ']', SB_JSON_DEPTH, true)));
    ck_assert(!text_parses(nested('[', ']', SB_JSON_DEPTH + 1, true)));
    ck_assert(!text_parses(nested('[', ']', 10000, true)));
    ck_assert(!text_parses(nested('[', ']', 500000, false)));
    ck_assert(!text_parses(nested('{', '}', 10000, false)));
    ck_assert(
        text_parses("[\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["
                    "[[[[[[[[[[[[[[[\"]"));
    ck_assert(
        text_parses("{\"a\\\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["
                    "[[[[[[[[[[[[[[\":1}"));
}
END_TEST

/* T34, T30: each input has one meaning or none. */
START_TEST(test_ambiguous_or_broken_text_is_refused)
{
    static const char *const refused[] = {
        "",
        " ",
        "{",
        "}",
        "[1,]",
        "{\"a\":1,\"a\":1}",
        "{\"a\":{\"b\":1,\"b\":2}}",
        "{\"a\":1,\"\\u0061\":2}",
        "{\"a\":\"\\u0000\"}",
        "{\"\\u0000\":1}",
        "{\"a\":\"\\ud800\"}",
        "{\"a\":\"\xff\"}",
        "{\"a\":\"\xc0\xaf\"}",
        "{\"a\":9223372036854775808}",
        "{\"a\":-9223372036854775809}",
        "{\"a\":1e999}",
        "{\"a\":01}",
        "{\"a\":+1}",
        "{\"a\":NaN}",
        "{\"a\":'b'}",
        "{'a':1}",
        "{a:1}",
        "{\"a\":1}{}",
        "{\"a\":1} x",
        "\xef\xbb\xbf{}",
        "// x\n{}",
        "{\"a\":\"\n\"}",
        "1",
        "\"x\"",
        "null",
        "true",
    };

    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        ck_assert_msg(!text_parses(refused[i]), "%s", refused[i]);
    }
    ck_assert(!parses("{\"a\":\"\0\"}", 9));
    ck_assert(!parses("{}\0", 3));
    ck_assert(!parses("{\"a\":1}", 6));
    ck_assert(parses("{\"a\":1}garbage", 7));
}
END_TEST

/* T37: a body may hold anything, so errors repeat none of it. */
START_TEST(test_errors_repeat_nothing_of_the_input)
{
    static const char *const inputs[] = {"{\"canary\":canary}",
                                         "{\"canary\":1,\"canary\":2}", "{\"x\":\"canary",
                                         "{\"x\":1} canary"};

    for (size_t i = 0; i < sizeof(inputs) / sizeof(inputs[0]); i++) {
        char error[200];
        json_t *json;
        ck_assert(
            !sb_json_parse(&json, error, sizeof(error), inputs[i], strlen(inputs[i]), 8));
        ck_assert_ptr_null(strstr(error, "canary"));
        ck_assert_ptr_nonnull(strstr(error, "line 1"));
    }
    json_t *json;
    ck_assert(!sb_json_parse(&json, NULL, 0, "[", 1, 8));
}
END_TEST

/* T34 */
START_TEST(test_many_keys_parse_fast_enough)
{
    apr_size_t size = 5 * 1024 * 1024, at = 1;
    char *text = apr_palloc(sb_unit_pool, size);

    text[0] = '{';
    for (int i = 0; i < 200000; i++) {
        at += (apr_size_t)apr_snprintf(text + at, size - at, "%s\"key%d\":%d",
                                       i ? "," : "", i, i);
    }
    text[at++] = '}';
    ck_assert(parses(text, at));
}
END_TEST

START_TEST(test_paths_reach_members_and_entries)
{
    json_t *json =
        sb_unit_json("{'a':{'b':[{'c':'text','n':7,'t':true,'z':null,'r':1.5}]},"
                     "'big':9223372036854775807}");

    ck_assert_str_eq(sb_json_text(json, "a.b.0.c"), "text");
    ck_assert_int_eq(sb_json_int(json, "a.b.0.n", -1), 7);
    ck_assert_int_eq(sb_json_int(json, "big", -1), APR_INT64_MAX);
    ck_assert(sb_json_bool(json, "a.b.0.t", false));
    ck_assert(json_is_null(sb_json_get(json, "a.b.0.z")));
    ck_assert_ptr_null(sb_json_text(json, "a.b.0.z"));
    ck_assert_ptr_null(sb_json_text(json, "a.b.0.n"));
    ck_assert_int_eq(sb_json_int(json, "a.b.0.r", -1), -1);
    ck_assert_int_eq(sb_json_int(json, "a.b.0.c", -1), -1);
    ck_assert(sb_json_bool(json, "a.b.0.n", true));
    ck_assert_ptr_null(sb_json_get(json, "a.b.1"));
    ck_assert_ptr_null(sb_json_get(json, "a.b.x"));
    ck_assert_ptr_null(sb_json_get(json, "a.b.99999999999999999999"));
    ck_assert_ptr_null(sb_json_get(json, "a..b"));
    ck_assert_ptr_null(sb_json_get(json, ""));
    ck_assert_ptr_null(sb_json_get(NULL, "a"));
    ck_assert_ptr_eq(sb_json_get(json, NULL), json);
    json_decref(json);
}
END_TEST

START_TEST(test_expanded_fields_give_the_same_id)
{
    json_t *json = sb_unit_json(
        "{'text':'cus_1','object':{'id':'cus_1'},'bad':{'id':5},'null':null}");

    ck_assert_str_eq(sb_json_id(sb_json_get(json, "text")), "cus_1");
    ck_assert_str_eq(sb_json_id(sb_json_get(json, "object")), "cus_1");
    ck_assert_ptr_null(sb_json_id(sb_json_get(json, "bad")));
    ck_assert_ptr_null(sb_json_id(sb_json_get(json, "null")));
    ck_assert_ptr_null(sb_json_id(NULL));
    json_decref(json);
}
END_TEST

START_TEST(test_dump_keeps_order_and_is_compact)
{
    json_t *json = sb_unit_json("{'b' : 1, 'a' : ['x', null] }");

    ck_assert_str_eq(sb_json_dump(json, sb_unit_pool), "{\"b\":1,\"a\":[\"x\",null]}");
    ck_assert_str_eq(sb_json_dump(json_object_get(json, "b"), sb_unit_pool), "1");
    json_decref(json);
}
END_TEST

Suite *json_suite(void)
{
    Suite *suite = suite_create("json");
    TCase *tcase = sb_unit_case("json");

    tcase_add_test(tcase, test_nesting_beyond_the_limit_is_refused);
    tcase_add_test(tcase, test_ambiguous_or_broken_text_is_refused);
    tcase_add_test(tcase, test_errors_repeat_nothing_of_the_input);
    tcase_add_test(tcase, test_many_keys_parse_fast_enough);
    tcase_add_test(tcase, test_paths_reach_members_and_entries);
    tcase_add_test(tcase, test_expanded_fields_give_the_same_id);
    tcase_add_test(tcase, test_dump_keeps_order_and_is_compact);
    suite_add_tcase(suite, tcase);
    return suite;
}
