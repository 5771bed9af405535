/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_DOMAIN_REASON_H
#define SB_DOMAIN_REASON_H

#include "base/result.h"

#include <stdbool.h>

/* Why a door is open or closed: one vocabulary for responses, logs, metrics, explain and pages. */

typedef enum {
    SB_REASON_OK = 0,
    SB_REASON_NO_IDENTITY,  /* nobody is logged in */
    SB_REASON_BAD_IDENTITY, /* a name we do not take: control bytes, too long, not UTF-8 */
    SB_REASON_NO_ACCOUNT,   /* logged in, but never seen here */
    SB_REASON_NO_SUBSCRIPTION, /* nothing bought, or only in another group */
    SB_REASON_INCOMPLETE,      /* the first payment is not through (or never came) */
    SB_REASON_PAST_DUE,        /* a renewal is unpaid and the grace is over */
    SB_REASON_UNPAID,          /* retries are used up */
    SB_REASON_PAUSED,
    SB_REASON_DISPUTED, /* a payment for it is disputed, or the dispute was lost */
    SB_REASON_ENDED,    /* canceled, or its last day is over */
    SB_REASON_PLAN_TOO_LOW,
    SB_REASON_NO_ENTITLEMENT, /* pays for something that does not bring this */
    SB_REASON_NOT_PURCHASED,  /* this has to be bought by itself */
    SB_REASON_NO_CREDIT,      /* too few units are left */
    SB_REASON_UNMAPPED_PRICE, /* pays for a price that belongs to no plan of the catalogue */
    SB_REASON_UNKNOWN_STATUS, /* a status that Stripe invented after this version */
    SB_REASON_UNAVAILABLE,    /* neither cache nor database can answer */
    SB_REASON_DISABLED        /* SubbillEnabled Off */
} sb_reason_e;
#define SB_REASON_COUNT (SB_REASON_DISABLED + 1)

/* The word, e.g. "plan_too_low"; never NULL ("unavailable" for a value outside the enum). */
const char *sb_reason_word(sb_reason_e reason);

/* The class of answer: SB_OK, SB_UNAUTHENTICATED, SB_PAYMENT_REQUIRED, SB_FORBIDDEN,
 * SB_UNAVAILABLE or SB_DISABLED. */
sb_status_e sb_reason_status(sb_reason_e reason);

/* Whether nothing could be decided, which is no fault of the user's. */
bool sb_reason_undecided(sb_reason_e reason);

/* Whether paying, or paying more, would help. */
bool sb_reason_for_money(sb_reason_e reason);

#endif
