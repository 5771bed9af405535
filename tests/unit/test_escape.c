/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "unit.h"

#include "text/escape.h"

#include <stdlib.h>
#include <string.h>

#define NOT_A_CHARACTER "\xef\xbf\xbd"

static const struct {
    const char *text, *html;
} html_cases[] = {
    {"", ""},
    {"plain", "plain"},
    {"& < > \" '", "&amp; &lt; &gt; &quot; &#39;"},
    {"<script>alert('x')</script>", "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;"},
    {"tab\tline\r\n", "tab\tline\r\n"},
    {"a\x01z\x1b[31m\x7f",
     "a" NOT_A_CHARACTER "z" NOT_A_CHARACTER "[31m" NOT_A_CHARACTER},
    {"caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80",
     "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80"},
    {"\xc2\x9b", NOT_A_CHARACTER},                 /* C1: CSI */
    {"\xc2\xa0", "\xc2\xa0"},                      /* no-break space */
    {"\x80", NOT_A_CHARACTER},                     /* continuation alone */
    {"\xc0\xbc", NOT_A_CHARACTER NOT_A_CHARACTER}, /* overlong < */
    {"\xe0\x80\xbc", NOT_A_CHARACTER NOT_A_CHARACTER NOT_A_CHARACTER}, /* overlong < */
    {"\xed\xa0\x80", NOT_A_CHARACTER NOT_A_CHARACTER NOT_A_CHARACTER}, /* surrogate */
    {"\xf4\x90\x80\x80", NOT_A_CHARACTER NOT_A_CHARACTER NOT_A_CHARACTER
                             NOT_A_CHARACTER}, /* above U+10FFFF */
    {"\xff<", NOT_A_CHARACTER "&lt;"},
    {"\xc3", NOT_A_CHARACTER}, /* cut off */
    {"\xf0\x9f\x98", NOT_A_CHARACTER NOT_A_CHARACTER NOT_A_CHARACTER},
    {"\xc3<b>", NOT_A_CHARACTER "&lt;b&gt;"}, /* a lead byte must not swallow the < */
};

/* T27 */
START_TEST(test_html_holds_no_markup_and_no_broken_character_of_strangers)
{
    apr_size_t len;
    const char *html = sb_escape_html(html_cases[_i].text, strlen(html_cases[_i].text),
                                      &len, sb_unit_pool);

    ck_assert_str_eq(html, html_cases[_i].html);
    ck_assert_uint_eq(len, strlen(html));
}
END_TEST

/* T27 */
START_TEST(test_every_byte_pair_escapes_to_harmless_html)
{
    for (int a = 0; a < 256; a++) {
        for (int b = 0; b < 256; b++) {
            const char text[2] = {(char)a, (char)b};
            apr_size_t len;
            const char *html = sb_escape_html(text, 2, &len, sb_unit_pool);
            ck_assert_uint_eq(len, strlen(html));
            ck_assert_ptr_null(strpbrk(html, "<>\"'\x01\x1b\x7f"));
        }
        apr_pool_clear(sb_unit_pool);
    }
}
END_TEST

START_TEST(test_a_component_of_an_address_cannot_end_it)
{
    ck_assert_str_eq(sb_escape_url("/members/?a=b&c=d#e f", sb_unit_pool),
                     "%2Fmembers%2F%3Fa%3Db%26c%3Dd%23e%20f");
    ck_assert_str_eq(sb_escape_url("AZaz09-._~", sb_unit_pool), "AZaz09-._~");
    ck_assert_str_eq(sb_escape_url("\xc3\xa9\r\n\"", sb_unit_pool), "%C3%A9%0D%0A%22");
    ck_assert_str_eq(sb_escape_url("", sb_unit_pool), "");
}
END_TEST

Suite *escape_suite(void)
{
    Suite *suite = suite_create("escape");
    TCase *tests = sb_unit_case("escape");

    tcase_add_loop_test(tests,
                        test_html_holds_no_markup_and_no_broken_character_of_strangers, 0,
                        sizeof(html_cases) / sizeof(*html_cases));
    tcase_add_test(tests, test_every_byte_pair_escapes_to_harmless_html);
    tcase_add_test(tests, test_a_component_of_an_address_cannot_end_it);
    suite_add_tcase(suite, tests);
    return suite;
}
