/* Licensed under the Apache License, Version 2.0; see LICENSE. */
/* Invoices are mirrored for people to see and pay. They never decide about access: the subscription's
 * status does, and a dispute about the payment of one (apply_dispute.c). */
#include "service/apply.h"

#include "base/json.h"
#include "base/log.h"
#include "store/invoices.h"
#include "store/subscriptions.h"

#include <string.h>

/* Whose invoice: the customer's user, else the subscription's, else nobody's yet; the binding will
 * hand it over. */
static apr_status_t find_user(const char **user, sb_apply_t *apply,
                              const sb_invoice_facts_t *facts)
{
    sb_subscription_t *sub = NULL;
    apr_status_t rv = sb_apply_owner(user, apply, facts->customer);

    if (rv == APR_SUCCESS && !*user && facts->subscription) {
        rv = sb_subscription_get(&sub, apply->conn, facts->subscription, facts->livemode,
                                 apply->pool);
        *user = sub ? sub->user : NULL;
    }
    return rv;
}

/* Money that moved, or did not. The invoice's own id is the key: invoice.paid and
 * invoice.payment_succeeded tell one fact, and only old API versions name the payment intent. */
static apr_status_t save_payment(sb_apply_t *apply, const sb_invoice_facts_t *facts,
                                 const char *user)
{
    bool failed = strcmp(apply->event->type, "invoice.payment_failed") == 0;
    const sb_payment_t payment = {
        .id = facts->id,
        .livemode = facts->livemode,
        .kind = SB_PAYMENT_INVOICE,
        .user = user,
        .customer = facts->customer,
        .invoice = facts->id,
        .currency = facts->currency,
        .amount = failed ? facts->amount_due : facts->amount_paid,
        .status = failed ? SB_PAYMENT_FAILED : SB_PAYMENT_SUCCEEDED,
        .created_at = facts->paid_at && !failed ? facts->paid_at : apply->event->created,
        .source = apply->source,
        .told_at = apply->event->created,
    };

    if (!failed && (!facts->paid || facts->amount_paid <= 0)) {
        return APR_SUCCESS; /* a trial's zero invoice moves no money */
    }
    return sb_apply_payment_told(apply, &payment, SB_VOICE_INVOICE);
}

/* Nothing will be collected until somebody mends the cause, often an address without a tax location. */
static void alert(const sb_apply_t *apply, const sb_invoice_facts_t *facts)
{
    const char *why =
        sb_json_text(apply->event->object, "last_finalization_error.message");

    if (strcmp(apply->event->type, "invoice.finalization_failed") == 0) {
        sb_log(
            SB_LOG_ERROR, 0, "SB420",
            "invoice %s of customer %s cannot be finalised, so nothing is collected: %s",
            facts->id, facts->customer ? facts->customer : "?",
            why ? why : "Stripe gives no reason; see the invoice in the Dashboard");
    }
}

/* What comes with an invoice: its money, the payment it names (before basil), and perhaps a dispute that
 * was waiting for it. */
static apr_status_t follow(sb_apply_t *apply, const sb_invoice_facts_t *facts,
                           const char *user, bool first)
{
    apr_status_t rv = APR_SUCCESS;

    if (facts->paid || strcmp(apply->event->type, "invoice.payment_failed") == 0) {
        rv = save_payment(apply, facts, user);
    }
    if (rv == APR_SUCCESS) {
        rv = sb_apply_payment_link(apply, facts->id, facts->payment_intent, NULL);
    }
    if (rv == APR_SUCCESS && first) {
        rv = sb_apply_disputed_invoice(apply, facts->id);
    }
    return rv;
}

apr_status_t sb_apply_invoice(sb_apply_t *apply)
{
    sb_invoice_facts_t facts;
    sb_result_t result;
    const char *user;

    sb_result_clear(&result);
    if (sb_event_invoice(&facts, &result, apply->event->object, apply->pool) != SB_OK) {
        return sb_apply_end(apply, SB_APPLY_FAILED, result.code, result.message);
    }
    if (!facts.id) {
        return sb_apply_end(apply, SB_APPLY_IGNORED, "no_id", NULL);
    }
    if (facts.livemode != apply->service->settings->live) {
        return sb_apply_end(apply, SB_APPLY_IGNORED, "livemode_mismatch", NULL);
    }
    apr_status_t rv = find_user(&user, apply, &facts);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    const sb_invoice_t invoice = {
        .id = facts.id,
        .livemode = facts.livemode,
        .customer = facts.customer,
        .subscription = facts.subscription,
        .user = user,
        .status = facts.status,
        .currency = facts.currency,
        .amount_due = facts.amount_due,
        .amount_paid = facts.amount_paid,
        .hosted_url = facts.hosted_url,
        .pdf_url = facts.pdf_url,
        .number = facts.number,
        .billing_reason = facts.billing_reason,
        .created_at = facts.created,
        .paid_at = facts.paid_at,
        .period_start = facts.period_start,
        .period_end = facts.period_end,
        .attempt_count = facts.attempt_count > APR_INT32_MAX ? APR_INT32_MAX
                                                             : (int)facts.attempt_count,
        .next_payment_attempt = facts.next_payment_attempt,
        .event_created = apply->event->created,
        .source = apply->source,
    };
    bool first = false, saved = false;
    rv = sb_invoice_save(&first, &saved, apply->conn, &invoice, apply->pool);
    if (rv == APR_SUCCESS) {
        alert(apply, &facts);
        rv = follow(apply, &facts, user, first);
    }
    if (rv == APR_SUCCESS && !saved) {
        return sb_apply_end(apply, SB_APPLY_IGNORED, "superseded", NULL);
    }
    return rv;
}
