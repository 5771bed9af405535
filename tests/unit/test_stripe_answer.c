/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "stripe/answer.h"
#include "unit.h"

#include <limits.h>
#include <string.h>
#include <sys/resource.h>

/* F16, T47: a number that no rule has foreseen still finds its rule, and no memory behind them. */
START_TEST(test_a_status_that_is_none_is_a_failure)
{
    static const int statuses[] = {INT_MIN, -1, 0, 99, 302, 600, 999, 1000, INT_MAX};

    for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
        sb_http_response_t response = {.status = statuses[i], .body = "{}", .length = 2};
        sb_result_t result;
        json_t *out;
        ck_assert_int_eq(sb_stripe_answer_read(&out, &result, &response, sb_unit_pool),
                         SB_UPSTREAM);
        ck_assert_str_eq(result.code, "stripe_bad_answer");
        ck_assert_ptr_null(out);
    }
}
END_TEST

static const char *words_of(const char *message)
{
    json_t *error = json_pack("{s:s}", "message", message);
    const char *words = sb_stripe_answer_words(error, sb_unit_pool);

    json_decref(error);
    return words;
}

/* T37 */
START_TEST(test_what_looks_like_a_key_is_blackened)
{
    ck_assert_str_eq(words_of("Invalid API Key: sk_test_*****7890."),
                     "error: Invalid API Key: [secret].");
    ck_assert_str_eq(words_of("sk_1,rk_2 whsec_3"), "error: [secret],[secret] [secret]");
    ck_assert_str_eq(words_of("a risk_1 is a task_2"), "error: a risk_1 is a task_2");
    ck_assert_str_eq(words_of("sk_"), "error: [secret]");
    ck_assert_str_eq(words_of(""), "error: ");
}
END_TEST

static long most_memory_kib(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
}

/* F16, T47: an answer of a megabyte must not become one of gigabytes. */
START_TEST(test_a_message_full_of_keys_takes_no_more_memory_than_any)
{
    enum { KEYS = 8000 };
    char message[4 * KEYS + 1];
    const char *end = message + 4 * KEYS;

    for (char *at = message; at < end; at += 4) {
        memcpy(at, "sk_ ", 5);
    }
    long before = most_memory_kib();
    const char *words = words_of(message);
    ck_assert_int_lt(most_memory_kib() - before, 32 * 1024);
    ck_assert_uint_eq(strlen(words), strlen("error: ") + KEYS * strlen("[secret] "));
}
END_TEST

Suite *stripe_answer_suite(void)
{
    Suite *suite = suite_create("stripe_answer");
    TCase *tcase = sb_unit_case("stripe_answer");

    tcase_add_test(tcase, test_a_status_that_is_none_is_a_failure);
    tcase_add_test(tcase, test_what_looks_like_a_key_is_blackened);
    tcase_add_test(tcase, test_a_message_full_of_keys_takes_no_more_memory_than_any);
    suite_add_tcase(suite, tcase);
    return suite;
}
