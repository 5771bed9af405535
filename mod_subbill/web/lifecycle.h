/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_WEB_LIFECYCLE_H
#define SB_WEB_LIFECYCLE_H

#include "web/exchange.h"

/* After something was done to the subscription: a form goes back to the account page, which says so in the
 * text "account.done.WORD"; a program gets the document of GET subscription. What a handler
 * returns. */
int sb_lifecycle_answer(sb_exchange_t *x, const char *done);

#endif
