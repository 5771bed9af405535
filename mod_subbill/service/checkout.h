/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_SERVICE_CHECKOUT_H
#define SB_SERVICE_CHECKOUT_H

#include "service/service.h"

/* Selling a plan: a Checkout session for a user, paid on Stripe's page. */

typedef struct sb_checkout_request_t {
    const char *user;  /* required, checked by sb_identity_check() */
    const char *email; /* or NULL */

    /* What is bought; the first that is given counts, none: the catalogue's default_price. */
    const char *price;    /* a price's id in this mode or its lookup key */
    int plan_id;          /* number of a price; 0: not given */
    const char *plan;     /* plan key ("tier" is the same) */
    const char *interval; /* with plan: "month" …; or NULL */
    const char *currency; /* with plan: "eur" …; or NULL */

    apr_int64_t quantity; /* 0: one */
    int trial_days; /* -1: the catalogue's; fewer are a client's right, more are not */
    const char *success_url; /* the client's wishes, unchecked; or NULL */
    const char *cancel_url;
    const char
        *locale; /* language of Stripe's page when the catalogue names none; or NULL */

    const char
        *return_page; /* required: absolute address of our return route, without query */
    const char *
        cancel_page; /* absolute address for those who turn back, when nothing else is said */
} sb_checkout_request_t;

typedef struct sb_checkout_answer_t {
    const char *id;  /* cs_… */
    const char *url; /* Stripe's page */
    bool reused;     /* an open session of the last half hour, handed out again */
} sb_checkout_answer_t;

/* SB_INVALID      "unknown_plan", "unknown_price", "contact_plan", "free_plan", "bad_quantity",
 *                 "bad_trial", "bad_return_url", "bad_identity"
 * SB_CONFLICT     "already_subscribed": in this plan's group, where it is changed
 * SB_UNAVAILABLE  database or Stripe, "stripe_not_configured"
 * else            as sb_stripe_call() */
sb_status_e sb_checkout_start(sb_checkout_answer_t *answer, sb_result_t *result,
                              sb_service_t *service, const sb_checkout_request_t *request,
                              apr_pool_t *pool);

#endif
