/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_DOMAIN_STRIPE_MONEY_H
#define SB_DOMAIN_STRIPE_MONEY_H

#include "domain/stripe_event.h"

/* The objects around a payment, of any API version, as facts; the conventions are those of stripe_event.h.
 * Words of Stripe's (status, reason, codes) that are longer than 64 bytes are left out. */

typedef struct sb_intent_facts_t {
    const char *id;
    const char *customer;
    const char *invoice; /* before basil */
    const char *charge;  /* the latest one */
    const char *status;  /* one of SB_PAYMENT_… */
    const char *currency;
    apr_int64_t amount; /* received, once there is some; else asked for */
    const char *failure_code;
    const char *failure_message;
    apr_int64_t created;
} sb_intent_facts_t;
sb_status_e sb_event_payment_intent(sb_intent_facts_t *facts, sb_result_t *result,
                                    const json_t *object, apr_pool_t *pool);

typedef struct sb_charge_facts_t {
    const char *id;
    const char *customer;
    const char *payment_intent;
    const char *invoice; /* before basil */
    const char *status;  /* one of SB_PAYMENT_… */
    const char *currency;
    apr_int64_t amount;
    apr_int64_t amount_refunded;
    const char *failure_code;
    const char *failure_message;
    apr_int64_t created;
} sb_charge_facts_t;
sb_status_e sb_event_charge(sb_charge_facts_t *facts, sb_result_t *result,
                            const json_t *object, apr_pool_t *pool);

typedef struct sb_refund_facts_t {
    const char *id;
    const char *payment_intent;
    const char *charge;
    const char *status; /* pending, requires_action, succeeded, failed, canceled */
    const char *currency;
    apr_int64_t amount;
    const char *reason;
    const char *failure_reason;
    apr_int64_t created;
} sb_refund_facts_t;
sb_status_e sb_event_refund(sb_refund_facts_t *facts, sb_result_t *result,
                            const json_t *object, apr_pool_t *pool);

typedef struct sb_dispute_facts_t {
    const char *id;
    const char *payment_intent;
    const char *charge;
    const char *status; /* needs_response, under_review, won, lost, warning_… */
    const char *currency;
    apr_int64_t amount;
    const char *reason;
    apr_int64_t created;
} sb_dispute_facts_t;
sb_status_e sb_event_dispute(sb_dispute_facts_t *facts, sb_result_t *result,
                             const json_t *object, apr_pool_t *pool);

typedef struct sb_invoice_payment_facts_t {
    const char *id;
    const char *invoice;
    const char *payment_intent;
    const char *charge;
} sb_invoice_payment_facts_t;
sb_status_e sb_event_invoice_payment(sb_invoice_payment_facts_t *facts,
                                     sb_result_t *result, const json_t *object,
                                     apr_pool_t *pool);

typedef struct sb_payment_method_facts_t {
    const char *id;
    const char *customer; /* NULL: detached */
    const char *type;     /* card, sepa_debit, … */
    const char *brand;    /* of cards, or NULL */
    const char *last4;    /* or NULL */
    apr_int64_t exp_month, exp_year;
    apr_int64_t created;
} sb_payment_method_facts_t;
sb_status_e sb_event_payment_method(sb_payment_method_facts_t *facts, sb_result_t *result,
                                    const json_t *object, apr_pool_t *pool);

typedef struct sb_entitlement_facts_t {
    const char *lookup_key;
    const char *feature; /* id */
} sb_entitlement_facts_t;

typedef struct sb_entitlement_summary_t {
    const char *customer;
    const sb_entitlement_facts_t *entitlements; /* no lookup key twice */
    int n;
    bool complete; /* false: the list goes on at Stripe */
} sb_entitlement_summary_t;
sb_status_e sb_event_entitlement_summary(sb_entitlement_summary_t *summary,
                                         sb_result_t *result, const json_t *object,
                                         apr_pool_t *pool);

#endif
