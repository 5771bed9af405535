/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_STRIPE_CHECKOUT_SESSIONS_H
#define SB_STRIPE_CHECKOUT_SESSIONS_H

#include "stripe/client.h"

/* Checkout sessions in subscription mode (docs.stripe.com/api/checkout/sessions).
 * Failures and the lifetime of *session: as sb_stripe_call(). */

/* What one session asks for. Texts may be NULL = not sent unless "required" is said;
 * the rules that Stripe sets between parameters are kept by
 * sb_stripe_checkout_create(), not by the caller. */
typedef struct sb_stripe_checkout_t {
    const char *customer;    /* required, cus_… */
    const char *price;       /* required, price_… */
    apr_int64_t quantity;    /* at least 1 */
    const char *success_url; /* required; {CHECKOUT_SESSION_ID} stands in it literally */
    const char *cancel_url;
    const char *client_reference_id; /* at most 200 bytes; longer or empty: not sent */

    /* Metadata of the session *and* of the subscription it makes. */
    const char *user;     /* required: subbill_user */
    const char *checkout; /* required: our own id of this purchase, subbill_checkout */
    const char *plan;     /* required: subbill_plan */

    int trial_days; /* 0: no trial */
    /* Ask for a card even when nothing is due today; false:
     * payment_method_collection=if_required, and a trial that ends without a card
     * cancels. */
    bool card_required;
    bool promotion_codes;
    const char *currency; /* one of the price's currency_options */
    bool automatic_tax;
    bool tax_id_collection;
    const char *billing_address_collection; /* "auto", "required" */
    const char *consent_terms_of_service;   /* "required", "none" */
    const char *consent_promotions;         /* "auto", "none" */
    const char *locale;                     /* "auto", "de", … */
    apr_int64_t expires_at; /* Unix seconds, 30 min to 24 h ahead; 0: 24 h */
} sb_stripe_checkout_t;

/* The answer holds id and url. */
sb_status_e sb_stripe_checkout_create(json_t **session, sb_result_t *result,
                                      sb_stripe_t *stripe,
                                      const sb_stripe_checkout_t *create,
                                      const char *idempotency_key, apr_pool_t *pool);

/* expand: n fields that come as objects instead of ids, e.g. "subscription". */
sb_status_e sb_stripe_checkout_retrieve(json_t **session, sb_result_t *result,
                                        sb_stripe_t *stripe, const char *id,
                                        const char *const *expand, int n,
                                        apr_pool_t *pool);

/* Nobody can pay it afterwards. SB_UPSTREAM when it is not open any more. */
sb_status_e sb_stripe_checkout_expire(json_t **session, sb_result_t *result,
                                      sb_stripe_t *stripe, const char *id,
                                      apr_pool_t *pool);

#endif
