/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_SERVICE_APPLY_H
#define SB_SERVICE_APPLY_H

#include "domain/payment.h"
#include "domain/stripe_event.h"
#include "service/service.h"

/* What events do to the tables: one function per kind of event, inside service/ only. It runs in
 * the transaction that stores the event, perhaps more than once, and calls nobody outside. */

typedef enum {
    SB_APPLY_DONE,
    SB_APPLY_IGNORED, /* nothing had to be written */
    SB_APPLY_REFUSED, /* the event counts as failed, what was written (an audit row, a
                       * subscription without a plan) stays */
    SB_APPLY_FAILED   /* the event counts as failed, everything is rolled back */
} sb_apply_verdict_e;

typedef struct sb_apply_t {
    sb_service_t *service;
    sb_conn_t *conn;
    apr_pool_t *pool;
    const sb_event_t *event;
    const char *source;
    apr_int64_t now;

    sb_apply_verdict_e verdict;
    const char *reason; /* word, unless done */
    const char *detail; /* for the log, or NULL */
    const char *fetch;  /* a subscription that only Stripe can tell about */
    apr_int64_t
        gone_at; /* when the customer that sb_apply_bind() saw was deleted; 0: living */
} sb_apply_t;

typedef apr_status_t (*sb_apply_fn)(sb_apply_t *apply);

/* The function for a type of event, or NULL: none of our business. */
sb_apply_fn sb_apply_find(const char *type);

/* Sets verdict and reason; returns APR_SUCCESS, so that a verdict is one statement. */
apr_status_t sb_apply_end(sb_apply_t *apply, sb_apply_verdict_e verdict,
                          const char *reason, const char *detail);

/* The object was read from the API: no event of Stripe's, delivered or read later, tells it. */
bool sb_apply_fetched(const sb_apply_t *apply);

/* --- service/binding.c ------------------------------------------------------------------------ */

/* Whom the things of a customer belong to: *user, NULL when nobody is known yet. claimed is the user
 * named by a value that this server made (a stored checkout, metadata written with the secret
 * key), or NULL; it binds a customer that is free and never moves one that is bound: then the verdict is
 * SB_APPLY_REFUSED, customer_bound_elsewhere. customer may be NULL. */
apr_status_t sb_apply_bind(const char **user, sb_apply_t *apply, const char *customer,
                           const char *claimed);

/* The user of a customer (NULL: of nobody) without any claim; *user NULL: nobody knows yet, and the customer's
 * row is locked, so that a binding under way does not miss what is stored now. */
apr_status_t sb_apply_owner(const char **user, sb_apply_t *apply, const char *customer);

/* Notes that this subscription's user has had a trial. */
apr_status_t sb_apply_trial(sb_apply_t *apply, const sb_subscription_t *sub);

/* --- one file each ------------------------------------------------------------------------------ */

apr_status_t sb_apply_subscription(sb_apply_t *apply);
apr_status_t sb_apply_subscription_object(sb_apply_t *apply, const json_t *object);
apr_status_t sb_apply_schedule(sb_apply_t *apply);
apr_status_t sb_apply_checkout(sb_apply_t *apply);
apr_status_t sb_apply_invoice(sb_apply_t *apply);
apr_status_t sb_apply_invoice_payment(sb_apply_t *apply);
apr_status_t sb_apply_payment_intent(sb_apply_t *apply);
apr_status_t sb_apply_charge(sb_apply_t *apply);
apr_status_t sb_apply_refund(sb_apply_t *apply);
apr_status_t sb_apply_dispute(sb_apply_t *apply);
apr_status_t sb_apply_payment_method(sb_apply_t *apply);
apr_status_t sb_apply_entitlements(sb_apply_t *apply);
apr_status_t sb_apply_customer(sb_apply_t *apply);
apr_status_t sb_apply_customer_deleted(sb_apply_t *apply);
apr_status_t sb_apply_price(sb_apply_t *apply);
apr_status_t sb_apply_product(sb_apply_t *apply);

/* --- pieces of them that others need ----------------------------------------------------------------- */

/* Works one statement into the row of a payment. */
apr_status_t sb_apply_payment_told(sb_apply_t *apply, const sb_payment_t *told,
                                   sb_voice_e voice);

/* A session in payment mode whose buyer is user; one that has no payment intent moved no money. */
apr_status_t sb_apply_checkout_payment(sb_apply_t *apply,
                                       const sb_checkout_facts_t *facts,
                                       const char *user);

/* The invoice was paid with this payment (an intent's id, or that of a charge without one); either may be NULL:
 * nothing is known. id: Stripe's for the link, or NULL. */
apr_status_t sb_apply_payment_link(sb_apply_t *apply, const char *invoice,
                                   const char *payment, const char *id);

/* Something that may stand between a dispute and its subscription has arrived: the dispute itself or a link
 * (the payment), an invoice, a subscription (sub as stored and locked). Recounting alone wishes for no job;
 * *gap: it is not known what the payment paid for. */
apr_status_t sb_apply_disputed(sb_apply_t *apply, const char *payment);
apr_status_t sb_apply_recount(bool *gap, sb_apply_t *apply, const char *payment);
apr_status_t sb_apply_disputed_invoice(sb_apply_t *apply, const char *invoice);
apr_status_t sb_apply_suspend(sb_apply_t *apply, const sb_subscription_t *sub);

#endif
