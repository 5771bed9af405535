/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_DOMAIN_PAYMENT_H
#define SB_DOMAIN_PAYMENT_H

#include <apr_pools.h>
#include <stdbool.h>

/* Money that moved, was given back or is disputed, and how statements about it are put together. Several
 * objects of Stripe's tell one fact (the invoice, the payment intent, its charge, the Checkout session), each
 * in events that arrive in any order; the rules here give the same row whatever that order is. Amounts are
 * minor units, times Unix seconds, 0 = none.
 *
 * How money is not counted twice. A row of kind "invoice" is an invoice that was paid, whatever it was paid
 * with; one of kind "checkout" is a payment intent (or charge) that a Checkout session in payment mode
 * named. These two kinds are income, a "checkout" only when no row of invoice_payment says that it paid an
 * invoice. Rows of kind "intent" and "charge" are the means by which an invoice was paid, or belong to
 * somebody else's product: they carry charge and refunds and are never added up. What was given back is
 * the column refunded, which rows of kind "invoice" never have. */

#define SB_PAYMENT_INVOICE  "invoice"
#define SB_PAYMENT_CHECKOUT "checkout"
#define SB_PAYMENT_INTENT   "intent"
#define SB_PAYMENT_CHARGE   "charge"

#define SB_PAYMENT_PENDING    "pending" /* nothing was tried yet, or the buyer must act */
#define SB_PAYMENT_PROCESSING "processing" /* a slow method */
#define SB_PAYMENT_FAILED     "failed"     /* may still succeed with another try */
#define SB_PAYMENT_CANCELED   "canceled"
#define SB_PAYMENT_SUCCEEDED  "succeeded" /* for ever, refunds or not */

typedef struct sb_payment_t {
    const char *id; /* pi_…; ch_… of a charge without intent; in_… of kind "invoice" */
    bool livemode;
    const char *kind;
    const char *user;     /* or NULL */
    const char *customer; /* or NULL */
    const char *invoice;  /* of kind "invoice": its own */
    const char *currency;
    apr_int64_t amount;
    const char *status;
    apr_int64_t created_at; /* when the money moved, or last failed to */
    const char *source;
    const char *charge;          /* the successful one, or NULL */
    apr_int64_t refunded;        /* given back, of all refunds together */
    const char *failure_code;    /* while failed: Stripe's word, or NULL */
    const char *failure_message; /* Stripe's sentence for the buyer, or NULL */
    apr_int64_t told_at;         /* of the statement that gave the status */
    apr_int64_t intent_at;       /* of the newest of the payment intent */
    apr_int64_t charge_at;       /* of the newest of the charge */
    apr_int64_t charge_refunded; /* what the charge said then */
} sb_payment_t;

/* Who tells. Where they disagree about the amount (a buyer may pay in another currency) the later in this
 * list is believed. */
typedef enum {
    SB_VOICE_INVOICE, /* speaks of its own row only */
    SB_VOICE_SESSION,
    SB_VOICE_CHARGE,
    SB_VOICE_INTENT
} sb_voice_e;

/* Works a statement into what is stored. payment->id NULL: nothing is stored yet. told->told_at is the time
 * of the statement. */
void sb_payment_tell(sb_payment_t *payment, const sb_payment_t *told, sb_voice_e voice);

typedef struct sb_refund_t {
    const char *id;
    bool livemode;
    const char *payment; /* id of the payment's row */
    const char *charge;
    const char *currency;
    apr_int64_t amount;
    const char *status; /* pending, requires_action, succeeded, failed, canceled */
    const char *reason;
    const char *failure_reason;
    apr_int64_t created_at;
    apr_int64_t told_at;
    const char *source;
} sb_refund_t;

/* failed and canceled are final; else the newer statement. stored NULL: true. */
bool sb_refund_replaces(const sb_refund_t *stored, const sb_refund_t *told);

/* What was given back of payment: the charge's own sum, corrected by what refunds did after it was told; a
 * refund that failed returns its amount. Never more than the amount, never negative. */
apr_int64_t sb_payment_refunded(const sb_payment_t *payment, const sb_refund_t *refunds,
                                int n);

typedef struct sb_dispute_t {
    const char *id;
    bool livemode;
    const char *payment; /* id of the payment's row */
    const char *charge;
    const char *currency;
    apr_int64_t amount;
    const char *status; /* Stripe's word */
    const char *reason;
    apr_int64_t created_at;
    apr_int64_t told_at;
    const char *source;
} sb_dispute_t;

/* won, lost, warning_closed and prevented are final, of which a newer one counts (an appeal may be won); else
 * the newer statement. stored NULL: true. */
bool sb_dispute_replaces(const sb_dispute_t *stored, const sb_dispute_t *told);

/* Does it close what the payment bought? Under way or lost; a word of tomorrow closes too. */
bool sb_dispute_closes(const sb_dispute_t *dispute);

#endif
