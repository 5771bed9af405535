/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_SERVICE_ACT_H
#define SB_SERVICE_ACT_H

#include "service/account.h"

/* One thing that a user wants done to the own subscription at Stripe, from finding it to knowing what became of
 * it. Inside service/ only. */

typedef struct sb_act_t {
    sb_service_t *service;
    sb_stripe_t *stripe;
    const char *user;
    const char *kind; /* cancel, resume, change, pause */
    const char *wish; /* its parameters: the same wish twice is a double click */

    const sb_account_view_t *view;
    const sb_held_t *held;         /* the subscription that is meant, as it is stored */
    json_t *object;                /* as Stripe tells it now */
    sb_subscription_t now;         /* the same, read and mapped to its plan */
    const char *schedule;          /* that manages it, or NULL */
    const sb_catalog_plan_t *plan; /* or NULL: its price belongs to none */

    const char *id; /* after sb_act_begin() */
} sb_act_t;

/* Which one: a subscription's id, else the one in this group, else the only one that is not over. Either may be
 * NULL. */
typedef struct sb_act_which_t {
    const char *subscription;
    const char *group;
    int grace_days;
    bool over; /* one that is over will do, too */
} sb_act_which_t;

/* Finds the subscription and asks Stripe how it is now. service and user of act are set. SB_NOT_FOUND
 * "no_subscription": none that is not over; SB_CONFLICT "several_subscriptions": none is named, "subscription_gone":
 * Stripe does not know it; else as sb_stripe_call() and sb_db_read(). */
sb_status_e sb_act_open(sb_act_t *act, sb_result_t *result, const sb_act_which_t *which,
                        apr_pool_t *pool);

/* SB_NOT_FOUND "no_subscription". */
sb_status_e sb_act_none(sb_result_t *result);

/* Stores the intent before the call; kind and wish are set. Then act->id is known. */
sb_status_e sb_act_begin(sb_act_t *act, sb_result_t *result, apr_pool_t *pool);

/* The idempotency key of the step-th call of this act. */
const char *sb_act_key(const sb_act_t *act, int step, apr_pool_t *pool);

/* After the last call, with its status, its *out and its result. Done: the subscription that Stripe answered
 * with is applied like an event. Refused for good: the next try is another act. No answer: the
 * row stays open, and the same wish uses the same keys again. Returns status (SB_NOT_FOUND: as sb_act_missing()), or
 * the database's. */
sb_status_e sb_act_end(sb_act_t *act, sb_result_t *result, sb_status_e status,
                       const json_t *out, apr_pool_t *pool);

/* What Stripe did not know in the middle, by its error, which may be NULL: SB_INVALID "unknown_price", or SB_CONFLICT
 * "subscription_changed" since it was read. */
sb_status_e sb_act_missing(sb_result_t *result, const json_t *error);

/* *repeated: the newest thing done to this subscription is this very wish, minutes ago at most, so that nothing
 * is left to do is the second click's success. kind and wish are set. */
sb_status_e sb_act_repeated(bool *repeated, sb_act_t *act, sb_result_t *result,
                            apr_pool_t *pool);

/* *done: the same, and Stripe has answered. A wish that got no answer may be made again with its own key. */
sb_status_e sb_act_done(bool *done, sb_act_t *act, sb_result_t *result, apr_pool_t *pool);

/* Makes what Stripe told in sb_act_open() known here, when nothing had to be done. */
sb_status_e sb_act_observe(sb_act_t *act, sb_result_t *result, apr_pool_t *pool);

/* SB_CONFLICT with the word of this status, when it is not one of a subscription in good order. */
sb_status_e sb_act_refuse_status(sb_result_t *result, sb_subscription_status_e status);

#endif
