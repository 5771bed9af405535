/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "base/log.h"
#include "unit.h"

#include <apr_strings.h>

typedef struct heard_t {
    int lines;
    char last[4096];
} heard_t;

static void hear(void *baton, sb_log_level_e level, apr_status_t rv, const char *line)
{
    heard_t *heard = baton;

    heard->lines++;
    apr_cpystrn(heard->last, line, sizeof(heard->last));
}

static const char *escaped(const char *text)
{
    char *out = apr_palloc(sb_unit_pool, 1024);

    sb_log_escape(out, 1024, text);
    return out;
}

/* T43: what moves a terminal or splits a line is spelled out. */
START_TEST(test_control_and_bidirectional_marks_are_spelled_out)
{
    ck_assert_str_eq(escaped("plain text, Zoë 😀"), "plain text, Zoë 😀");
    ck_assert_str_eq(escaped("a\nb\rc\td"), "a\\x0ab\\x0dc\\x09d");
    ck_assert_str_eq(escaped("\x1b[31m"), "\\x1b[31m");
    ck_assert_str_eq(escaped("\x7f"), "\\x7f");
    ck_assert_str_eq(escaped("\xc2\x9b"), "\\xc2\\x9b"); /* C1: CSI */
    ck_assert_str_eq(escaped("\xe2\x80\xae"),
                     "\\xe2\\x80\\xae"); /* right-to-left override */
    ck_assert_str_eq(escaped("\xe2\x80\xa8"), "\\xe2\\x80\\xa8"); /* line separator */
    ck_assert_str_eq(escaped("\xff\xc3("), "\\xff\\xc3(");        /* not UTF-8 */
    ck_assert_str_eq(escaped("\xc0\xaf"), "\\xc0\\xaf");          /* overlong */
    ck_assert_str_eq(escaped("\xed\xa0\x80"), "\\xed\\xa0\\x80"); /* surrogate */
}
END_TEST

/* T43: a text that does not fit ends at a whole character. */
START_TEST(test_a_long_text_is_cut_between_characters)
{
    char out[8];

    sb_log_escape(out, sizeof(out), "aaaaaaë");
    ck_assert_str_eq(out, "aaaaaa");
    sb_log_escape(out, sizeof(out), "aaaa\n");
    ck_assert_str_eq(out, "aaaa");
}
END_TEST

/* C38, D1, T43: one message is one line with its id in front. */
START_TEST(test_a_message_is_one_line_with_its_id)
{
    heard_t heard = {0};

    sb_log_sink_set(hear, &heard);
    sb_log(SB_LOG_ERROR, 0, "SB000", "first %s", "a\nb");
    ck_assert_int_eq(heard.lines, 1);
    ck_assert_str_eq(heard.last, "SB000: first a\\x0ab");
    sb_log(SB_LOG_DEBUG, 0, "SB000", "above the level");
    ck_assert_int_eq(heard.lines, 1);
    sb_log_sink_set(NULL, NULL);
}
END_TEST

/* T36: a flood of one message is one line a second and a count. */
START_TEST(test_a_repeated_message_is_limited)
{
    heard_t heard = {0};

    sb_log_sink_set(hear, &heard);
    for (int i = 0; i < 1000; i++) {
        sb_log_limited(SB_LOG_WARNING, 0, "SB999", "again");
    }
    ck_assert_int_le(heard.lines, 2);
    ck_assert_int_ge(heard.lines, 1);
    sb_log_sink_set(NULL, NULL);
}
END_TEST

Suite *log_suite(void)
{
    Suite *suite = suite_create("log");
    TCase *tcase = sb_unit_case("lines");

    tcase_add_test(tcase, test_control_and_bidirectional_marks_are_spelled_out);
    tcase_add_test(tcase, test_a_long_text_is_cut_between_characters);
    tcase_add_test(tcase, test_a_message_is_one_line_with_its_id);
    tcase_add_test(tcase, test_a_repeated_message_is_limited);
    suite_add_tcase(suite, tcase);
    return suite;
}
