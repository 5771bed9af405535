/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_DOMAIN_CURRENCY_H
#define SB_DOMAIN_CURRENCY_H

#include <apr.h>
#include <stdbool.h>

/* Which currencies there are and which amounts Stripe takes in them. How an amount is shown is
 * text/money's business. code: three lower-case letters. */

/* An active code of ISO 4217 (funds, metals and test codes left out). */
bool sb_currency_known(const char *code);

/* Amounts must be a multiple of this: 10 for BHD JOD KWD OMR TND, 100 for ISK and UGX (counted in
 * hundredths that do not exist), else 1. */
int sb_currency_step(const char *code);

#endif
