/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "domain/subscription.h"

#include <string.h>

/* Stripe owns the status, time does not: an `active` row whose renewal invoice is still a draft
 * stays open past its period end, and only three clocks of our own close a door without an event:
 * a date set for the end, and the grace that a site gives to past_due. */

#define SECONDS_PER_DAY 86400
#define GRACE_DAYS_MAX  3650

static const struct {
    const char *word;
    bool final;
    int grants; /* how much it opens, for ties: more is more */
    sb_reason_e refusal;
} statuses[] = {
    [SB_STATUS_UNKNOWN] = {"unknown", false, 0, SB_REASON_UNKNOWN_STATUS},
    [SB_STATUS_INCOMPLETE] = {"incomplete", false, 0, SB_REASON_INCOMPLETE},
    [SB_STATUS_INCOMPLETE_EXPIRED] = {"incomplete_expired", true, 0,
                                      SB_REASON_INCOMPLETE},
    [SB_STATUS_TRIALING] = {"trialing", false, 2, SB_REASON_ENDED},
    [SB_STATUS_ACTIVE] = {"active", false, 2, SB_REASON_ENDED},
    [SB_STATUS_PAST_DUE] = {"past_due", false, 1, SB_REASON_PAST_DUE},
    [SB_STATUS_UNPAID] = {"unpaid", false, 0, SB_REASON_UNPAID},
    [SB_STATUS_PAUSED] = {"paused", false, 0, SB_REASON_PAUSED},
    [SB_STATUS_CANCELED] = {"canceled", true, 0, SB_REASON_ENDED},
};
#define STATUS_COUNT ((int)(sizeof(statuses) / sizeof(statuses[0])))

static int known(sb_subscription_status_e status)
{
    return (unsigned)status < (unsigned)STATUS_COUNT ? (int)status : SB_STATUS_UNKNOWN;
}

sb_subscription_status_e sb_subscription_status(const char *word)
{
    for (int i = SB_STATUS_UNKNOWN + 1; word && i < STATUS_COUNT; i++) {
        if (strcmp(word, statuses[i].word) == 0) {
            return (sb_subscription_status_e)i;
        }
    }
    return SB_STATUS_UNKNOWN;
}

const char *sb_subscription_status_word(sb_subscription_status_e status)
{
    return statuses[known(status)].word;
}

bool sb_subscription_status_final(sb_subscription_status_e status)
{
    return statuses[known(status)].final;
}

sb_standing_t sb_subscription_standing(const sb_subscription_t *sub,
                                       const sb_subscription_item_t *item)
{
    return (sb_standing_t){
        .status = sub->status,
        .current_period_end =
            item && item->period_end > 0 ? item->period_end : sub->current_period_end,
        .hold = sub->disputed ? SB_REASON_DISPUTED : SB_REASON_OK,
        .trial_end = sub->trial_end,
        .cancel_at = sub->cancel_at,
        .cancel_at_period_end = sub->cancel_at_period_end,
        .past_due_since = sub->past_due_since,
    };
}

/* The date somebody set for its end; cancel_at names it, cancel_at_period_end only implies it. */
static apr_int64_t end_set(apr_int64_t cancel_at, bool at_period_end,
                           apr_int64_t period_end)
{
    if (cancel_at > 0) {
        return cancel_at;
    }
    return at_period_end && period_end > 0 ? period_end : 0;
}

static apr_int64_t add_days(apr_int64_t time, int days)
{
    apr_int64_t sum;
    apr_int64_t seconds = (apr_int64_t)(days < 0                ? 0
                                        : days > GRACE_DAYS_MAX ? GRACE_DAYS_MAX
                                                                : days) *
                          SECONDS_PER_DAY;

    return __builtin_add_overflow(time, seconds, &sum) ? APR_INT64_MAX : sum;
}

/* The earliest of two moments, where 0 is none. */
static apr_int64_t sooner(apr_int64_t a, apr_int64_t b)
{
    if (a == 0 || b == 0) {
        return a ? a : b;
    }
    return a < b ? a : b;
}

sb_access_t sb_standing_access(const sb_standing_t *standing, apr_int64_t now,
                               int grace_days)
{
    const sb_access_t refused = {.reason = statuses[known(standing->status)].refusal};
    apr_int64_t end = end_set(standing->cancel_at, standing->cancel_at_period_end,
                              standing->current_period_end);

    /* What comes after a trial is for Stripe to say; until it has, nobody has paid for more. */
    if (standing->status == SB_STATUS_TRIALING && standing->trial_end > 0) {
        end = sooner(end, standing->trial_end);
    }
    if (standing->hold != SB_REASON_OK && statuses[known(standing->status)].grants > 0 &&
        !(end && now >= end)) {
        return (sb_access_t){.reason = standing->hold};
    }
    switch (standing->status) {
    case SB_STATUS_TRIALING:
    case SB_STATUS_ACTIVE:
        if (end && now >= end) {
            return refused;
        }
        return (sb_access_t){.granted = true, .reason = SB_REASON_OK, .boundary = end};
    case SB_STATUS_PAST_DUE: {
        apr_int64_t last = add_days(standing->past_due_since, grace_days);
        if (end && now >= end) {
            return (sb_access_t){.reason = SB_REASON_ENDED};
        }
        /* Without a start there is no grace to count; without a grace no start in the future,
         * by a clock that runs ahead, makes one. */
        if (grace_days <= 0 || standing->past_due_since <= 0 || now >= last) {
            return refused;
        }
        return (sb_access_t){.granted = true,
                             .in_grace = true,
                             .reason = SB_REASON_OK,
                             .boundary = sooner(end, last)};
    }
    default: /* an unknown status grants nothing */
        return refused;
    }
}

sb_access_t sb_subscription_access(const sb_subscription_t *sub, apr_int64_t now,
                                   int grace_days)
{
    sb_standing_t standing = sb_subscription_standing(sub, NULL);

    return sb_standing_access(&standing, now, grace_days);
}

apr_int64_t sb_subscription_ends_at(const sb_subscription_t *sub)
{
    if (sub->ended_at > 0) {
        return sub->ended_at;
    }
    return end_set(sub->cancel_at, sub->cancel_at_period_end, sub->current_period_end);
}

int sb_subscription_days_remaining(const sb_subscription_t *sub, apr_int64_t now)
{
    apr_int64_t end = sb_subscription_ends_at(sub);

    if (sb_subscription_status_final(sub->status)) {
        return 0;
    }
    if (end == 0) {
        end = sub->current_period_end;
    }
    apr_int64_t left;
    if (end <= now || __builtin_sub_overflow(end, now, &left)) {
        return 0;
    }
    apr_int64_t days = (left - 1) / SECONDS_PER_DAY + 1;
    return days > APR_INT32_MAX ? APR_INT32_MAX : (int)days;
}

static bool same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

/* Nothing that decides or is shown differs: then even the same second is no question. */
static bool same_facts(const sb_subscription_t *a, const sb_subscription_t *b)
{
    return a->status == b->status && same_text(a->status_text, b->status_text) &&
           same_text(a->customer, b->customer) && same_text(a->price, b->price) &&
           a->quantity == b->quantity && a->cancel_at == b->cancel_at &&
           a->cancel_at_period_end == b->cancel_at_period_end &&
           a->canceled_at == b->canceled_at && a->ended_at == b->ended_at &&
           a->current_period_start == b->current_period_start &&
           a->current_period_end == b->current_period_end &&
           a->trial_end == b->trial_end &&
           same_text(a->pause_collection, b->pause_collection) &&
           same_text(a->latest_invoice, b->latest_invoice);
}

static bool grants_less(const sb_subscription_t *incoming,
                        const sb_subscription_t *stored)
{
    int in = statuses[known(incoming->status)].grants;
    int out = statuses[known(stored->status)].grants;

    if (in != out) {
        return in < out;
    }
    apr_int64_t end_in = sb_subscription_ends_at(incoming);
    apr_int64_t end_out = sb_subscription_ends_at(stored);
    return end_in && (!end_out || end_in < end_out);
}

sb_order_e sb_subscription_order(const sb_subscription_t *stored,
                                 const sb_subscription_t *incoming,
                                 sb_order_hints_t hints)
{
    if (!stored) {
        return SB_ORDER_APPLY;
    }
    bool was_final = sb_subscription_status_final(stored->status);
    bool is_final = sb_subscription_status_final(incoming->status);

    /* What the state machine proves, whatever the clocks say. */
    if (was_final && incoming->status != stored->status) {
        return SB_ORDER_IGNORE;
    }
    if (is_final && !was_final) {
        return SB_ORDER_APPLY;
    }
    if (incoming->status == SB_STATUS_INCOMPLETE &&
        stored->status != SB_STATUS_INCOMPLETE) {
        return SB_ORDER_IGNORE;
    }
    if (stored->status == SB_STATUS_INCOMPLETE &&
        incoming->status != SB_STATUS_INCOMPLETE) {
        return SB_ORDER_APPLY;
    }

    if (incoming->event_created != stored->event_created) {
        return incoming->event_created < stored->event_created ? SB_ORDER_IGNORE
                                                               : SB_ORDER_APPLY;
    }

    /* The same second. */
    if (hints.fetched) {
        return SB_ORDER_APPLY;
    }
    if (hints.created_event || same_facts(stored, incoming)) {
        return SB_ORDER_IGNORE;
    }
    if (hints.follows) {
        return SB_ORDER_APPLY;
    }
    return grants_less(incoming, stored) ? SB_ORDER_APPLY_AND_FETCH
                                         : SB_ORDER_IGNORE_AND_FETCH;
}

bool sb_subscription_supersedes(const sb_subscription_t *stored,
                                const sb_subscription_t *incoming, sb_order_hints_t hints)
{
    sb_order_e order = sb_subscription_order(stored, incoming, hints);

    return order == SB_ORDER_APPLY || order == SB_ORDER_APPLY_AND_FETCH;
}

bool sb_subscription_backdate(sb_subscription_t *stored,
                              const sb_subscription_t *incoming, apr_int64_t told)
{
    if (!stored || stored->status != SB_STATUS_PAST_DUE ||
        incoming->status != SB_STATUS_PAST_DUE || told >= stored->past_due_since ||
        !same_text(stored->latest_invoice, incoming->latest_invoice)) {
        return false;
    }
    stored->past_due_since = told;
    return true;
}

void sb_subscription_entomb(sb_subscription_t *sub, apr_int64_t at)
{
    if (sb_subscription_status_final(sub->status)) {
        return;
    }
    sub->status = sub->status == SB_STATUS_INCOMPLETE ? SB_STATUS_INCOMPLETE_EXPIRED
                                                      : SB_STATUS_CANCELED;
    sub->status_text = sb_subscription_status_word(sub->status);
    sub->canceled_at = sub->canceled_at ? sub->canceled_at : at;
    sub->ended_at = at;
    sub->past_due_since = 0;
}

void sb_subscription_inherit(sb_subscription_t *incoming, const sb_subscription_t *stored,
                             apr_int64_t told)
{
    if (stored && !incoming->user) {
        incoming->user = stored->user;
    }
    if (incoming->status != SB_STATUS_PAST_DUE) {
        incoming->past_due_since = 0;
        return;
    }
    bool was_past_due = stored && stored->status == SB_STATUS_PAST_DUE;
    incoming->past_due_since =
        was_past_due && stored->past_due_since > 0 ? stored->past_due_since : told;
    if (was_past_due) {
        sb_subscription_backdate(incoming, stored, told);
    }
}
