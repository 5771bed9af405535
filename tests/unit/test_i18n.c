/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "unit.h"

#include "domain/reason.h"
#include "text/assets.h"
#include "text/i18n.h"

#include <apr_strings.h>
#include <string.h>

static sb_i18n_t *i18n;

static void setup(void)
{
    sb_result_t result;

    sb_unit_setup();
    ck_assert_int_eq(sb_i18n_load(&i18n, &result, NULL, NULL, sb_unit_pool), SB_OK);
}

static json_t *catalogue(const char *name)
{
    const sb_asset_t *asset = sb_asset_find(name);
    json_t *json;

    ck_assert_ptr_nonnull(asset);
    json = json_loadb(asset->data, asset->len, JSON_REJECT_DUPLICATES, NULL);
    ck_assert_msg(json != NULL, "%s", name);
    return json;
}

/* Counts a text's placeholders, so that a translation forgets none and invents none. */
static int placeholders(const char *text)
{
    int n = 0;

    for (; (text = strchr(text, '{')); text++) {
        n++;
    }
    return n;
}

/* Every key of a in b, of the same kind. */
static void catalogue_is_within(const json_t *a, const json_t *b, const char *path)
{
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)a, key, value)
    {
        const json_t *other = json_object_get(b, key);
        const char *here = apr_pstrcat(sb_unit_pool, path, ".", key, NULL);
        ck_assert_msg(other && json_typeof(other) == json_typeof(value), "%s", here);
        if (json_is_object(value)) {
            catalogue_is_within(value, other, here);
            continue;
        }
        ck_assert_msg(json_string_length(value) > 0, "%s is empty", here);
        if (strcmp(key, "one")) {
            ck_assert_msg(placeholders(json_string_value(value)) ==
                              placeholders(json_string_value(other)),
                          "%s: different placeholders", here);
        }
    }
}

START_TEST(test_english_and_german_have_the_same_texts)
{
    json_t *en = catalogue("i18n/en.json"), *de = catalogue("i18n/de.json");

    catalogue_is_within(en, de, "de");
    catalogue_is_within(de, en, "en");
    json_decref(en);
    json_decref(de);
}
END_TEST

static void nobody_is_addressed_formally(const json_t *messages)
{
    static const char *const formal[] = {"Sie ", " Ihr ", "Ihre", "Ihnen", "Ihren"};
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)messages, key, value)
    {
        if (json_is_object(value)) {
            nobody_is_addressed_formally(value);
            continue;
        }
        for (size_t i = 0; i < sizeof(formal) / sizeof(*formal); i++) {
            ck_assert_msg(!strstr(json_string_value(value), formal[i]), "%s: %s", key,
                          json_string_value(value));
        }
    }
}

/* A36 */
START_TEST(test_german_texts_say_du)
{
    json_t *de = catalogue("i18n/de.json");

    nobody_is_addressed_formally(de);
    json_decref(de);
}
END_TEST

START_TEST(test_every_reason_has_a_heading_a_sentence_and_a_hint)
{
    static const char *const parts[] = {"reason", "reason_heading", "reason_hint"};

    for (int reason = 0; reason < SB_REASON_COUNT; reason++) {
        for (int part = 0; part < 3; part++) {
            const char *key = apr_pstrcat(sb_unit_pool, parts[part], ".",
                                          sb_reason_word((sb_reason_e)reason), NULL);
            ck_assert_msg(sb_i18n_has(i18n, key), "%s", key);
        }
    }
}
END_TEST

static const char *const statuses[] = {
    "trialing", "active",     "past_due",           "unpaid",
    "canceled", "incomplete", "incomplete_expired", "paused"};

START_TEST(test_every_status_of_stripe_has_a_word)
{
    const char *key = apr_pstrcat(sb_unit_pool, "status.", statuses[_i], NULL);

    ck_assert_str_ne(sb_i18n_text(i18n, "en", key), key);
    ck_assert_str_ne(sb_i18n_text(i18n, "de", key), key);
}
END_TEST

START_TEST(test_a_text_falls_back_to_the_default_language_and_then_to_its_key)
{
    ck_assert_str_eq(sb_i18n_text(i18n, "de", "nav.plans"), "Tarife");
    ck_assert_str_eq(sb_i18n_text(i18n, "DE", "nav.plans"), "Tarife");
    ck_assert_str_eq(sb_i18n_text(i18n, "fr", "nav.plans"), "Plans");
    ck_assert_str_eq(sb_i18n_text(i18n, NULL, "nav.plans"), "Plans");
    ck_assert_str_eq(sb_i18n_text(i18n, "de", "nav.nowhere"), "nav.nowhere");
    ck_assert_str_eq(sb_i18n_text(i18n, "de", "nav"), "nav");
    ck_assert_str_eq(sb_i18n_text(i18n, "de", "nav.plans.deeper"), "nav.plans.deeper");
    ck_assert_str_eq(sb_i18n_text(i18n, "de", ""), "");
    ck_assert(!sb_i18n_has(i18n, "nav.nowhere"));
    ck_assert_str_eq(sb_i18n_language(i18n, "DE"), "de");
    ck_assert_str_eq(sb_i18n_language(i18n, "fr"), "en");
}
END_TEST

static const struct {
    const char *lang, *key;
    int count;
    const char *text;
} plurals[] = {
    {"en", "days", 1, "1 day"},
    {"en", "days", 0, "0 days"},
    {"en", "days", 14, "14 days"},
    {"de", "days", 1, "1 Tag"},
    {"de", "days", 14, "14 Tage"},
    {"en", "interval.month", 1, "per month"},
    {"en", "interval.month", 3, "every 3 months"},
    {"de", "interval.year", 1, "pro Jahr"},
    {"de", "interval.week", 2, "alle 2 Wochen"},
    {"de", "nowhere.at_all", 2, "nowhere.at_all"},
};

START_TEST(test_counts_choose_the_form_of_the_language)
{
    json_t *args = json_pack("{s:i}", "count", plurals[_i].count);

    ck_assert_str_eq(
        sb_i18n_format(i18n, plurals[_i].lang, plurals[_i].key, args, sb_unit_pool),
        plurals[_i].text);
    json_decref(args);
}
END_TEST

START_TEST(test_placeholders_are_filled_once_and_unknown_ones_stay)
{
    json_t *args = json_pack("{s:s}", "date", "{date} <b>");

    ck_assert_str_eq(
        sb_i18n_format(i18n, "de", "account.cancel_notice", args, sb_unit_pool),
        "Gekündigt. Du behältst den Zugang bis zum {date} <b>.");
    ck_assert_str_eq(
        sb_i18n_format(i18n, "en", "account.cancel_notice", NULL, sb_unit_pool),
        "Cancelled. You keep access until {date}.");
    ck_assert_str_eq(sb_i18n_format(i18n, "en", "no {key} {here", NULL, sb_unit_pool),
                     "no {key} {here");
    json_decref(args);
}
END_TEST

static const struct {
    const char *query, *cookie, *accept, *lang;
} wishes[] = {
    {NULL, NULL, NULL, "en"},
    {"de", NULL, "en", "de"},
    {"DE-at", "en", NULL, "de"},
    {"fr", "de", "en", "de"},
    {"../../etc", NULL, "de", "de"},
    {NULL, "de", "en", "de"},
    {NULL, "", "de", "de"},
    {NULL, NULL, "", "en"},
    {NULL, NULL, "de", "de"},
    {NULL, NULL, "DE", "de"},
    {NULL, NULL, "de-DE,de;q=0.9,en;q=0.8", "de"},
    {NULL, NULL, "de-CH", "de"},
    {NULL, NULL, "deu", "en"},
    {NULL, NULL, "en-US,de;q=0.9,en;q=0.8", "en"},
    {NULL, NULL, "fr, de;q=0.3, en;q=0.2", "de"},
    {NULL, NULL, "en;q=0.2, de;q=0.3", "de"},
    {NULL, NULL, "en;q=0.5, de;q=0.5", "en"},
    {NULL, NULL, "de;q=0.5, en;q=0.5", "de"},
    {NULL, NULL, "de, en", "de"},
    {NULL, NULL, "en;q=0, de;q=0", "en"},
    {NULL, NULL, "en;q=0, *", "de"},
    {NULL, NULL, "*", "en"},
    {NULL, NULL, "*;q=0.1, de;q=0.05", "en"},
    {NULL, NULL, "fr, *;q=0.5", "en"},
    {NULL, NULL, "de;q=0.001", "de"},
    {NULL, NULL, "de ; q=1.000 , en;q=0.9", "de"},
    {NULL, NULL, "\tde\t;\tq=1", "de"},
    {NULL, NULL, "de;Q=1, en;q=0.9", "de"},
    {NULL, NULL, "de;q=1.001", "en"},
    {NULL, NULL, "de;q=2", "en"},
    {NULL, NULL, "de;q=-1", "en"},
    {NULL, NULL, "de;q=0.1234", "en"},
    {NULL, NULL, "de;q=", "en"},
    {NULL, NULL, "de;q", "en"},
    {NULL, NULL, "de;x=1", "en"},
    {NULL, NULL, "de;q=1;q=1", "en"},
    {NULL, NULL, ";;;,,,;q=1,", "en"},
    {NULL, NULL, ",,,de", "de"},
    {NULL, NULL, "de\xff", "en"},
};

/* A reader's own choice goes before the browser's, and nothing in a header can break it. */
START_TEST(test_the_language_is_chosen_by_query_then_cookie_then_browser)
{
    ck_assert_str_eq(
        sb_i18n_choose(i18n, wishes[_i].query, wishes[_i].cookie, wishes[_i].accept),
        wishes[_i].lang);
}
END_TEST

START_TEST(test_only_the_first_items_of_a_huge_accept_language_are_read)
{
    char header[70000];

    for (size_t i = 0; i < sizeof(header) - 3; i += 3) {
        memcpy(header + i, "fr,", 3);
    }
    memcpy(header + sizeof(header) - 4, ",de", 4);
    ck_assert_str_eq(sb_i18n_choose(i18n, NULL, NULL, header), "en");
    memcpy(header, "de,", 3);
    ck_assert_str_eq(sb_i18n_choose(i18n, NULL, NULL, header), "de");
    memset(header, 'd', sizeof(header) - 1);
    ck_assert_str_eq(sb_i18n_choose(i18n, header, header, header), "en");
}
END_TEST

Suite *i18n_suite(void)
{
    Suite *suite = suite_create("i18n");
    TCase *tests = tcase_create("i18n");

    tcase_add_checked_fixture(tests, setup, sb_unit_teardown);
    tcase_add_test(tests, test_english_and_german_have_the_same_texts);
    tcase_add_test(tests, test_german_texts_say_du);
    tcase_add_test(tests, test_every_reason_has_a_heading_a_sentence_and_a_hint);
    tcase_add_loop_test(tests, test_every_status_of_stripe_has_a_word, 0,
                        sizeof(statuses) / sizeof(*statuses));
    tcase_add_test(tests,
                   test_a_text_falls_back_to_the_default_language_and_then_to_its_key);
    tcase_add_loop_test(tests, test_counts_choose_the_form_of_the_language, 0,
                        sizeof(plurals) / sizeof(*plurals));
    tcase_add_test(tests, test_placeholders_are_filled_once_and_unknown_ones_stay);
    tcase_add_loop_test(tests,
                        test_the_language_is_chosen_by_query_then_cookie_then_browser, 0,
                        sizeof(wishes) / sizeof(*wishes));
    tcase_add_test(tests, test_only_the_first_items_of_a_huge_accept_language_are_read);
    suite_add_tcase(suite, tests);
    return suite;
}
