/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "domain/reason.h"

static const struct {
    const char *word;
    sb_status_e status;
} reasons[SB_REASON_COUNT] = {
    [SB_REASON_OK] = {"ok", SB_OK},
    [SB_REASON_NO_IDENTITY] = {"no_identity", SB_UNAUTHENTICATED},
    [SB_REASON_BAD_IDENTITY] = {"bad_identity", SB_FORBIDDEN},
    [SB_REASON_NO_ACCOUNT] = {"no_account", SB_PAYMENT_REQUIRED},
    [SB_REASON_NO_SUBSCRIPTION] = {"no_subscription", SB_PAYMENT_REQUIRED},
    [SB_REASON_INCOMPLETE] = {"incomplete", SB_PAYMENT_REQUIRED},
    [SB_REASON_PAST_DUE] = {"past_due", SB_PAYMENT_REQUIRED},
    [SB_REASON_UNPAID] = {"unpaid", SB_PAYMENT_REQUIRED},
    [SB_REASON_PAUSED] = {"paused", SB_PAYMENT_REQUIRED},
    [SB_REASON_DISPUTED] = {"disputed", SB_PAYMENT_REQUIRED},
    [SB_REASON_ENDED] = {"ended", SB_PAYMENT_REQUIRED},
    [SB_REASON_PLAN_TOO_LOW] = {"plan_too_low", SB_FORBIDDEN},
    [SB_REASON_NO_ENTITLEMENT] = {"no_entitlement", SB_FORBIDDEN},
    [SB_REASON_NOT_PURCHASED] = {"not_purchased", SB_PAYMENT_REQUIRED},
    [SB_REASON_NO_CREDIT] = {"no_credit", SB_PAYMENT_REQUIRED},
    /* They do pay: sending them to pay again would be wrong. */
    [SB_REASON_UNMAPPED_PRICE] = {"unmapped_price", SB_FORBIDDEN},
    [SB_REASON_UNKNOWN_STATUS] = {"unknown_status", SB_PAYMENT_REQUIRED},
    [SB_REASON_UNAVAILABLE] = {"unavailable", SB_UNAVAILABLE},
    [SB_REASON_DISABLED] = {"disabled", SB_DISABLED},
};

static sb_reason_e known(sb_reason_e reason)
{
    return (unsigned)reason < SB_REASON_COUNT ? reason : SB_REASON_UNAVAILABLE;
}

const char *sb_reason_word(sb_reason_e reason)
{
    return reasons[known(reason)].word;
}

sb_status_e sb_reason_status(sb_reason_e reason)
{
    return reasons[known(reason)].status;
}

bool sb_reason_undecided(sb_reason_e reason)
{
    return reason == SB_REASON_UNAVAILABLE || reason == SB_REASON_DISABLED;
}

bool sb_reason_for_money(sb_reason_e reason)
{
    return sb_reason_status(reason) == SB_PAYMENT_REQUIRED ||
           reason == SB_REASON_PLAN_TOO_LOW || reason == SB_REASON_NO_ENTITLEMENT;
}
