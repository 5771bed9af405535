/* Licensed under the Apache License, Version 2.0; see LICENSE. */
/* Payment intents, charges, refunds and Checkout sessions in payment mode: what moved and what was given back.
 * None of them opens or closes anything; how they become one row is the domain's rule
 * (domain/payment.h). Each writes under the lock of its row, so that two statements that arrive together are
 * worked in one after the other. */
#include "service/apply.h"

#include "domain/stripe_money.h"
#include "store/payments.h"

#include <string.h>

static bool is(const char *a, const char *b)
{
    return a && b && strcmp(a, b) == 0;
}

static apr_status_t refresh_refunded(sb_apply_t *apply, sb_payment_t *payment)
{
    sb_refund_t *refunds;
    int n;
    apr_status_t rv = sb_refund_list(&refunds, &n, apply->conn, payment->id,
                                     payment->livemode, apply->pool);

    if (rv == APR_SUCCESS) {
        payment->refunded = sb_payment_refunded(payment, refunds, n);
    }
    return rv;
}

apr_status_t sb_apply_payment_told(sb_apply_t *apply, const sb_payment_t *told,
                                   sb_voice_e voice)
{
    sb_payment_t *stored = NULL, payment = {.id = NULL};
    apr_status_t rv =
        sb_payment_lock(&stored, apply->conn, told->id, told->livemode, apply->pool);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (stored) {
        payment = *stored;
    }
    sb_payment_tell(&payment, told, voice);
    /* Refunds may have come before the payment. */
    if (voice != SB_VOICE_INVOICE) {
        rv = refresh_refunded(apply, &payment);
    }
    return rv == APR_SUCCESS ? sb_payment_save(apply->conn, &payment, apply->pool) : rv;
}

apr_status_t sb_apply_payment_link(sb_apply_t *apply, const char *invoice,
                                   const char *payment, const char *id)
{
    bool made = false;

    if (!invoice || !payment) {
        return APR_SUCCESS;
    }
    apr_status_t rv =
        sb_invoice_payment_note(&made, apply->conn, invoice, payment,
                                apply->event->livemode, id, apply->source, apply->pool);
    return rv == APR_SUCCESS && made ? sb_apply_disputed(apply, payment) : rv;
}

/* --- payment intents and charges -------------------------------------------------------------------- */

apr_status_t sb_apply_payment_intent(sb_apply_t *apply)
{
    sb_intent_facts_t facts;
    sb_result_t result;
    const char *user;

    sb_result_clear(&result);
    if (sb_event_payment_intent(&facts, &result, apply->event->object, apply->pool) !=
        SB_OK) {
        return sb_apply_end(apply, SB_APPLY_FAILED, result.code, result.message);
    }
    apr_status_t rv = sb_apply_owner(&user, apply, facts.customer);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    const sb_payment_t told = {
        .id = facts.id,
        .livemode = apply->event->livemode,
        .kind = SB_PAYMENT_INTENT,
        .user = user,
        .customer = facts.customer,
        .currency = facts.currency,
        .amount = facts.amount,
        .status = facts.status,
        .created_at = apply->event->created,
        .source = apply->source,
        .charge = is(facts.status, SB_PAYMENT_SUCCEEDED) ? facts.charge : NULL,
        .failure_code = facts.failure_code,
        .failure_message = facts.failure_message,
        .told_at = apply->event->created,
    };
    rv = sb_apply_payment_told(apply, &told, SB_VOICE_INTENT);
    return rv == APR_SUCCESS ? sb_apply_payment_link(apply, facts.invoice, facts.id, NULL)
                             : rv;
}

apr_status_t sb_apply_charge(sb_apply_t *apply)
{
    sb_charge_facts_t facts;
    sb_result_t result;
    const char *user;

    sb_result_clear(&result);
    if (sb_event_charge(&facts, &result, apply->event->object, apply->pool) != SB_OK) {
        return sb_apply_end(apply, SB_APPLY_FAILED, result.code, result.message);
    }
    bool succeeded = is(facts.status, SB_PAYMENT_SUCCEEDED);
    /* One try of several; whether the payment failed is for its intent to say. */
    if (facts.payment_intent && !succeeded) {
        return sb_apply_end(apply, SB_APPLY_IGNORED, "notice_only", NULL);
    }
    apr_status_t rv = sb_apply_owner(&user, apply, facts.customer);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    const sb_payment_t told = {
        .id = facts.payment_intent ? facts.payment_intent : facts.id,
        .livemode = apply->event->livemode,
        .kind = facts.payment_intent ? SB_PAYMENT_INTENT : SB_PAYMENT_CHARGE,
        .user = user,
        .customer = facts.customer,
        .currency = facts.currency,
        .amount = facts.amount,
        .status = facts.status,
        .created_at = apply->event->created,
        .source = apply->source,
        .charge = succeeded ? facts.id : NULL,
        .failure_code = facts.failure_code,
        .failure_message = facts.failure_message,
        .told_at = apply->event->created,
        .charge_refunded = facts.amount_refunded,
    };
    rv = sb_apply_payment_told(apply, &told, SB_VOICE_CHARGE);
    return rv == APR_SUCCESS ? sb_apply_payment_link(apply, facts.invoice, told.id, NULL)
                             : rv;
}

apr_status_t sb_apply_invoice_payment(sb_apply_t *apply)
{
    sb_invoice_payment_facts_t facts;
    sb_result_t result;

    sb_result_clear(&result);
    if (sb_event_invoice_payment(&facts, &result, apply->event->object, apply->pool) !=
        SB_OK) {
        return sb_apply_end(apply, SB_APPLY_FAILED, result.code, result.message);
    }
    const char *payment = facts.payment_intent ? facts.payment_intent : facts.charge;
    if (!payment) { /* paid outside of Stripe */
        return sb_apply_end(apply, SB_APPLY_IGNORED, "no_payment", NULL);
    }
    return sb_apply_payment_link(apply, facts.invoice, payment, facts.id);
}

/* --- refunds ------------------------------------------------------------------------------------- */

static apr_status_t refresh_payment(sb_apply_t *apply, const char *id)
{
    sb_payment_t *payment = NULL;
    apr_status_t rv =
        sb_payment_lock(&payment, apply->conn, id, apply->event->livemode, apply->pool);

    if (rv != APR_SUCCESS || !payment) {
        return rv; /* it will see the refund when it comes */
    }
    rv = refresh_refunded(apply, payment);
    return rv == APR_SUCCESS ? sb_payment_save(apply->conn, payment, apply->pool) : rv;
}

apr_status_t sb_apply_refund(sb_apply_t *apply)
{
    sb_refund_facts_t facts;
    sb_refund_t *stored = NULL;
    sb_result_t result;

    sb_result_clear(&result);
    if (sb_event_refund(&facts, &result, apply->event->object, apply->pool) != SB_OK) {
        return sb_apply_end(apply, SB_APPLY_FAILED, result.code, result.message);
    }
    const sb_refund_t told = {
        .id = facts.id,
        .livemode = apply->event->livemode,
        .payment = facts.payment_intent ? facts.payment_intent : facts.charge,
        .charge = facts.charge,
        .currency = facts.currency,
        .amount = facts.amount,
        .status = facts.status,
        .reason = facts.reason,
        .failure_reason = facts.failure_reason,
        .created_at = facts.created,
        .told_at = apply->event->created,
        .source = apply->source,
    };
    apr_status_t rv =
        sb_refund_lock(&stored, apply->conn, told.id, told.livemode, apply->pool);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (!sb_refund_replaces(stored, &told)) {
        return sb_apply_end(apply, SB_APPLY_IGNORED, "superseded", NULL);
    }
    rv = sb_refund_save(apply->conn, &told, apply->pool);
    return rv == APR_SUCCESS && told.payment ? refresh_payment(apply, told.payment) : rv;
}

/* --- sessions in payment mode --------------------------------------------------------------------- */

static const char *session_status(const sb_apply_t *apply,
                                  const sb_checkout_facts_t *facts)
{
    if (is(apply->event->type, "checkout.session.async_payment_failed")) {
        return SB_PAYMENT_FAILED;
    }
    if (is(facts->payment_status, "paid")) {
        return SB_PAYMENT_SUCCEEDED;
    }
    return is(facts->status, "expired") ? SB_PAYMENT_CANCELED : SB_PAYMENT_PROCESSING;
}

apr_status_t sb_apply_checkout_payment(sb_apply_t *apply,
                                       const sb_checkout_facts_t *facts, const char *user)
{
    const sb_payment_t told = {
        .id = facts->payment_intent,
        .livemode = facts->livemode,
        .kind = SB_PAYMENT_CHECKOUT,
        .user = user,
        .customer = facts->customer,
        .currency = facts->currency,
        .amount = facts->amount_total,
        .status = session_status(apply, facts),
        .created_at = apply->event->created,
        .source = apply->source,
        .told_at = apply->event->created,
    };

    if (!facts->payment_intent) { /* nothing to pay, or nobody tried */
        return APR_SUCCESS;
    }
    apr_status_t rv = sb_apply_payment_told(apply, &told, SB_VOICE_SESSION);
    return rv == APR_SUCCESS
               ? sb_apply_payment_link(apply, facts->invoice, facts->payment_intent, NULL)
               : rv;
}
