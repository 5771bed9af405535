/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "text/money.h"

#include <apr_strings.h>
#include <apr_time.h>
#include <ctype.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

/* Two facts are kept apart: in what unit Stripe counts a currency (decimals) and how people of a
 * language write it (symbol, separators, order). Everything is integer arithmetic on the magnitude,
 * so that the smallest 64-bit number prints as well as any other. */

#define NBSP "\xc2\xa0"

typedef struct currency_t {
    char code[4];
    signed char decimals;
    signed char shown;  /* digits people see when the rest is zero */
    const char *symbol; /* NULL: the code is written instead */
} currency_t;

static const currency_t currencies[] = {
    {"AUD", 2, 2, "A$"},  {"BHD", 3, 3, NULL},  {"BIF", 0, 0, NULL},
    {"BRL", 2, 2, "R$"},  {"CAD", 2, 2, "CA$"}, {"CLP", 0, 0, NULL},
    {"CNY", 2, 2, "CN¥"}, {"DJF", 0, 0, NULL},  {"EUR", 2, 2, "€"},
    {"GBP", 2, 2, "£"},   {"GNF", 0, 0, NULL},  {"HKD", 2, 2, "HK$"},
    {"ILS", 2, 2, "₪"},   {"INR", 2, 2, "₹"},   {"ISK", 2, 0, NULL},
    {"JOD", 3, 3, NULL},  {"JPY", 0, 0, "¥"},   {"KMF", 0, 0, NULL},
    {"KRW", 0, 0, "₩"},   {"KWD", 3, 3, NULL},  {"MGA", 0, 0, NULL},
    {"MXN", 2, 2, "MX$"}, {"NZD", 2, 2, "NZ$"}, {"OMR", 3, 3, NULL},
    {"PHP", 2, 2, "₱"},   {"PYG", 0, 0, NULL},  {"RWF", 0, 0, NULL},
    {"TND", 3, 3, NULL},  {"TWD", 2, 2, "NT$"}, {"UGX", 2, 0, NULL},
    {"USD", 2, 2, "$"},   {"VND", 0, 0, "₫"},   {"VUV", 0, 0, NULL},
    {"XAF", 0, 0, NULL},  {"XOF", 0, 0, NULL},  {"XPF", 0, 0, NULL},
};

typedef struct writing_t {
    const char *lang;
    char point, group;
    bool symbol_last;
    const char *date; /* apr_psprintf: day, month name, year */
    const char *months[12];
} writing_t;

static const writing_t writings[] = {
    {.lang = "en",
     .point = '.',
     .group = ',',
     .date = "%d %s %d",
     .months = {"January", "February", "March", "April", "May", "June", "July", "August",
                "September", "October", "November", "December"}},
    {.lang = "de",
     .point = ',',
     .group = '.',
     .symbol_last = true,
     .date = "%d. %s %d",
     .months = {"Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August",
                "September", "Oktober", "November", "Dezember"}},
};

static const currency_t *currency_find(const char *code)
{
    for (apr_size_t i = 0; code && i < sizeof(currencies) / sizeof(*currencies); i++) {
        if (!strcasecmp(currencies[i].code, code)) {
            return &currencies[i];
        }
    }
    return NULL;
}

/* By the primary subtag: de-AT is written as de. */
static const writing_t *writing_find(const char *lang)
{
    for (apr_size_t i = 0; lang && i < sizeof(writings) / sizeof(*writings); i++) {
        if (!strncasecmp(lang, writings[i].lang, 2) && (!lang[2] || lang[2] == '-')) {
            return &writings[i];
        }
    }
    return NULL;
}

int sb_money_decimals(const char *currency)
{
    const currency_t *known = currency_find(currency);
    return known ? known->decimals : 2;
}

/* Digits of magnitude with separators, written backwards into the end of buffer. */
static const char *number_format(char *buffer, apr_size_t size, apr_uint64_t magnitude,
                                 int decimals, int shown, const writing_t *writing)
{
    char *at = buffer + size;

    *--at = '\0';
    for (; decimals > shown && magnitude % 10 == 0; decimals--) {
        magnitude /= 10;
    }
    for (int i = 0; i < decimals; i++) {
        *--at = (char)('0' + magnitude % 10);
        magnitude /= 10;
    }
    if (decimals) {
        *--at = writing->point;
    }
    for (int i = 0; i == 0 || magnitude; i++) {
        if (i && i % 3 == 0) {
            *--at = writing->group;
        }
        *--at = (char)('0' + magnitude % 10);
        magnitude /= 10;
    }
    return at;
}

const char *sb_money_format(apr_int64_t amount, const char *currency, const char *lang,
                            apr_pool_t *pool)
{
    const currency_t *known = currency_find(currency);
    const writing_t *writing = writing_find(lang);
    apr_uint64_t magnitude = amount < 0 ? 0 - (apr_uint64_t)amount : (apr_uint64_t)amount;
    const char *sign = amount < 0 ? "-" : "";
    char buffer[48];

    if (!writing) {
        writing = &writings[0];
    }
    int decimals = known ? known->decimals : 2;
    int shown = known ? known->shown : 2;
    /* half a króna does not exist, but hiding it would show another sum than is charged */
    if (shown < decimals && magnitude % 100) {
        shown = decimals;
    }
    const char *number =
        number_format(buffer, sizeof(buffer), magnitude, decimals, shown, writing);

    if (known && known->symbol) {
        return writing->symbol_last
                   ? apr_pstrcat(pool, sign, number, known->symbol, NULL)
                   : apr_pstrcat(pool, sign, known->symbol, number, NULL);
    }
    char *code = apr_pstrdup(pool, currency ? currency : "");
    for (char *c = code; *c; c++) {
        *c = (char)toupper((unsigned char)*c);
    }
    if (!*code) {
        return apr_pstrcat(pool, sign, number, NULL);
    }
    return writing->symbol_last ? apr_pstrcat(pool, sign, number, NBSP, code, NULL)
                                : apr_pstrcat(pool, code, NBSP, sign, number, NULL);
}

const char *sb_date_format(apr_int64_t seconds, const char *lang, apr_pool_t *pool)
{
    const apr_int64_t first = -62135596800, last = 253402300799; /* years 1 and 9999 */
    const writing_t *writing = writing_find(lang);
    apr_time_exp_t utc;

    if (!seconds || seconds < first || seconds > last) {
        return "";
    }
    apr_time_exp_gmt(&utc, apr_time_from_sec(seconds));
    int year = utc.tm_year + 1900;
    if (!writing) {
        return apr_psprintf(pool, "%04d-%02d-%02d", year, utc.tm_mon + 1, utc.tm_mday);
    }
    return apr_psprintf(pool, writing->date, utc.tm_mday, writing->months[utc.tm_mon],
                        year);
}
