/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "unit.h"

#include "text/money.h"

#include <string.h>

#define NBSP "\xc2\xa0"

static const struct {
    apr_int64_t amount;
    const char *currency, *lang, *text;
} amounts[] = {
    /* the catalogue of the storage plans, as its German buyers read it */
    {0, "eur", "de", "0,00€"},
    {299, "eur", "de", "2,99€"},
    {499, "eur", "de", "4,99€"},
    {799, "eur", "de", "7,99€"},
    {999, "eur", "de", "9,99€"},
    {2990, "eur", "de", "29,90€"},
    {9990, "EUR", "de-AT", "99,90€"},
    {299, "eur", "en", "€2.99"},
    {999, "usd", "en", "$9.99"},
    {1999, "usd", "en-US", "$19.99"},
    {50, "gbp", "en", "£0.50"},
    {5, "gbp", "en", "£0.05"},
    {12000, "jpy", "en", "¥12,000"},
    {12000, "jpy", "de", "12.000¥"},
    {500, "chf", "en", "CHF" NBSP "5.00"},
    {500, "chf", "de", "5,00" NBSP "CHF"},
    {1000, "bif", "en", "BIF" NBSP "1,000"},
    {12340, "kwd", "en", "KWD" NBSP "12.340"},
    {12340, "bhd", "de", "12,340" NBSP "BHD"},
    {150000, "isk", "en", "ISK" NBSP "1,500"},
    {150050, "isk", "en", "ISK" NBSP "1,500.50"},
    {150000, "ugx", "de", "1.500" NBSP "UGX"},
    {99, "krw", "en", "₩99"},
    {-299, "eur", "en", "-€2.99"},
    {-299, "eur", "de", "-2,99€"},
    {-5, "chf", "en", "CHF" NBSP "-0.05"},
    {99999999, "eur", "en", "€999,999.99"},
    {100000000, "eur", "de", "1.000.000,00€"},
    {INT64_MAX, "eur", "en", "€92,233,720,368,547,758.07"},
    {INT64_MIN, "eur", "en", "-€92,233,720,368,547,758.08"},
    {INT64_MAX, "jpy", "en", "¥9,223,372,036,854,775,807"},
    {INT64_MIN, "jpy", "de", "-9.223.372.036.854.775.808¥"},
    {INT64_MIN, "kwd", "de", "-9.223.372.036.854.775,808" NBSP "KWD"},
    {299, "eur", "fr", "€2.99"},
    {299, "eur", NULL, "€2.99"},
    {299, NULL, "en", "2.99"},
    {299, "xyz", "en", "XYZ" NBSP "2.99"},
};

/* A2, A3, A4, A5, A8, A37, C5, D21, E2, E3 */
START_TEST(test_an_amount_is_written_as_people_of_the_language_write_it)
{
    ck_assert_str_eq(sb_money_format(amounts[_i].amount, amounts[_i].currency,
                                     amounts[_i].lang, sb_unit_pool),
                     amounts[_i].text);
}
END_TEST

/* C5 */
START_TEST(test_stripes_zero_and_three_decimal_currencies_are_known)
{
    static const char zero[] =
        "bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf";
    static const char three[] = "bhd jod kwd omr tnd";
    static const char two[] = "eur usd gbp chf isk ugx huf twd brl xyz";
    static const struct {
        const char *codes;
        int decimals;
    } lists[] = {{zero, 0}, {three, 3}, {two, 2}};

    for (int list = 0; list < 3; list++) {
        for (const char *code = lists[list].codes; *code; code += code[3] ? 4 : 3) {
            char currency[4] = {code[0], code[1], code[2]};
            ck_assert_msg(sb_money_decimals(currency) == lists[list].decimals, "%s",
                          currency);
        }
    }
    ck_assert_int_eq(sb_money_decimals(NULL), 2);
    ck_assert_int_eq(sb_money_decimals("JPY"), 0);
}
END_TEST

static const struct {
    apr_int64_t seconds;
    const char *lang, *text;
} dates[] = {
    {1795219200, "en", "21 November 2026"},
    {1795219200, "de", "21. November 2026"},
    {1795219200 + 86399, "de", "21. November 2026"},
    {1795219200 + 86400, "en", "22 November 2026"},
    {1795219200, "fr", "2026-11-21"},
    {1772323200, "de-CH", "1. März 2026"},
    {1709164800, "en", "29 February 2024"},
    {951782400, "en", "29 February 2000"},
    {-1, "en", "31 December 1969"},
    {0, "en", ""},
    {253402300799, "en", "31 December 9999"},
    {253402300800, "en", ""},
    {INT64_MAX, "en", ""},
    {INT64_MIN, "de", ""},
};

START_TEST(test_a_day_is_written_as_people_of_the_language_write_it)
{
    ck_assert_str_eq(sb_date_format(dates[_i].seconds, dates[_i].lang, sb_unit_pool),
                     dates[_i].text);
}
END_TEST

Suite *money_suite(void)
{
    Suite *suite = suite_create("money");
    TCase *tests = sb_unit_case("money");

    tcase_add_loop_test(tests,
                        test_an_amount_is_written_as_people_of_the_language_write_it, 0,
                        sizeof(amounts) / sizeof(*amounts));
    tcase_add_test(tests, test_stripes_zero_and_three_decimal_currencies_are_known);
    tcase_add_loop_test(tests, test_a_day_is_written_as_people_of_the_language_write_it,
                        0, sizeof(dates) / sizeof(*dates));
    suite_add_tcase(suite, tests);
    return suite;
}
