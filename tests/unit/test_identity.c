/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "unit.h"

#include "domain/identity.h"

#include <apr_strings.h>
#include <string.h>

static const char *repeat(const char *text, int n)
{
    apr_size_t length = strlen(text);
    char *out = apr_palloc(sb_unit_pool, length * (apr_size_t)n + 1);

    out[length * (apr_size_t)n] = '\0';
    for (int i = 0; i < n; i++) {
        memcpy(out + length * (apr_size_t)i, text, length);
    }
    return out;
}

/* T22: a name is its bytes; odd ones are names too. */
START_TEST(test_names_are_exact_bytes)
{
    static const char *const good[] = {
        "alice",
        "Alice",
        "alice ",
        " alice",
        "a",
        "zoe@example.com",
        "víctim",
        "vi\xcc\x81"
        "ctim",
        "用户",
        "🙂",
        "O'Brien",
        "a%sb",
        "a;DROP TABLE account;--",
        "a\\b",
        "../a",
        "<b>",
        "a\xc2\xa0",
        "\xf4\x8f\xbf\xbf",
        "\xef\xbb\xbf"
        "a",
    };

    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        ck_assert_msg(sb_identity_check(good[i]) == NULL, "%s", good[i]);
    }
    ck_assert_ptr_null(sb_identity_check(repeat("x", 190)));
    ck_assert_ptr_null(sb_identity_check(repeat("ü", 95)));
}
END_TEST

/* T22, T43 */
START_TEST(test_names_with_control_bytes_or_bad_utf8_or_too_long_are_refused)
{
    static const char *const bad[] = {
        "",
        "a\n",
        "a\r\nb",
        "\t",
        "a\x01",
        "\x1b[2J",
        "\x7f",
        "a\xc2\x80",
        "a\xc2\x9f",
        "\xff",
        "\x80",
        "\xc0\x80",
        "\xc1\xbf",
        "\xe0\x80\x80",
        "\xe0\x9f\xbf",
        "\xed\xa0\x80",
        "\xed\xbf\xbf",
        "\xf0\x80\x80\x80",
        "\xf0\x8f\xbf\xbf",
        "\xf4\x90\x80\x80",
        "\xf5\x80\x80\x80",
        "a\xc3",
        "a\xe2\x82",
        "a\xf0\x9f\x99",
        "\xe2\x28\xa1",
    };

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        ck_assert_msg(sb_identity_check(bad[i]) != NULL, "case %d", (int)i);
    }
    ck_assert_ptr_nonnull(sb_identity_check(repeat("x", 191)));
    ck_assert_ptr_nonnull(sb_identity_check(repeat("ü", 96)));
}
END_TEST

/* T28 */
START_TEST(test_only_plain_mail_addresses_are_sent_to_stripe)
{
    static const char *const good[] = {"a@b.de",
                                       "zoe.mueller@example.com",
                                       "a+b@x-y.example",
                                       "a_b%c@example.co.uk",
                                       "1@2.3",
                                       "o'brien@example.ie",
                                       "a@xn--mller-kva.example"};
    static const char *const bad[] = {"",           "a",
                                      "@",          "a@",
                                      "@b.de",      "a@b",
                                      "a@@b.de",    "a@b@c.de",
                                      "a b@c.de",   "a@b .de",
                                      "a@b.de\n",   "a@b.de\r\nBcc: x@y.z",
                                      "a,b@c.de",   "a@b.de,c@d.de",
                                      "<a@b.de>",   "\"a b\"@c.de",
                                      ".a@b.de",    "a.@b.de",
                                      "a..b@c.de",  "a@.b.de",
                                      "a@b..de",    "a@b.de.",
                                      "a@-b.de",    "a@b-.de",
                                      "a@b.de-",    "a@[127.0.0.1]",
                                      "ä@b.de",     "a@bä.de",
                                      "a\x7f@b.de", "a@b_c.de",
                                      "a;b@c.de",   "a:b@c.de",
                                      "a\\b@c.de",  "a(b)@c.de"};

    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        ck_assert_msg(sb_email_valid(good[i]), "%s", good[i]);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        ck_assert_msg(!sb_email_valid(bad[i]), "%s", bad[i]);
    }
    ck_assert(!sb_email_valid(NULL));
    ck_assert(sb_email_valid(apr_pstrcat(sb_unit_pool, repeat("x", 64), "@b.de", NULL)));
    ck_assert(!sb_email_valid(apr_pstrcat(sb_unit_pool, repeat("x", 65), "@b.de", NULL)));
    ck_assert(
        !sb_email_valid(apr_pstrcat(sb_unit_pool, "a@", repeat("x", 64), ".de", NULL)));
    ck_assert(
        !sb_email_valid(apr_pstrcat(sb_unit_pool, "a@", repeat("x.", 130), "de", NULL)));
}
END_TEST

Suite *identity_suite(void)
{
    Suite *suite = suite_create("identity");
    TCase *tcase = sb_unit_case("identity");

    tcase_add_test(tcase, test_names_are_exact_bytes);
    tcase_add_test(tcase,
                   test_names_with_control_bytes_or_bad_utf8_or_too_long_are_refused);
    tcase_add_test(tcase, test_only_plain_mail_addresses_are_sent_to_stripe);
    suite_add_tcase(suite, tcase);
    return suite;
}
