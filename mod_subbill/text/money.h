/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_TEXT_MONEY_H
#define SB_TEXT_MONEY_H

#include <apr.h>
#include <apr_pools.h>

/* Money is a 64-bit count of minor units with a three-letter currency; it is never a floating point
 * number. Source of the decimals: Stripe's list of zero- and three-decimal currencies. */

/* Digits after the point that Stripe's amounts count in (0, 2 or 3); ISK and UGX are counted in
 * hundredths though shown without. currency in any case; unknown ones have 2. */
int sb_money_decimals(const char *currency);

/* The amount as people of the language write it: en "€2.99", "¥12,000", "CHF 5.00" (U+00A0 between),
 * de "2,99€", "12.000¥", "5,00 CHF". Any other language is written as English. Never fails; every
 * apr_int64_t is safe. Allocated from pool. */
const char *sb_money_format(apr_int64_t amount, const char *currency, const char *lang,
                            apr_pool_t *pool);

/* The UTC day of Unix seconds: en "21 November 2026", de "21. November 2026", any other language
 * "2026-11-21". Empty for 0 (no time known) and for years outside 1..9999. */
const char *sb_date_format(apr_int64_t seconds, const char *lang, apr_pool_t *pool);

#endif
