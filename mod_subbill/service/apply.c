/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "service/apply.h"

#include "base/json.h"
#include "base/log.h"

#include <string.h>

/* Nothing to write, but no stranger either: the event is kept as "ignored" with the reason "notice_only", so
 * that it can be looked up and told from types that this version does not know. */
static apr_status_t notice(sb_apply_t *apply)
{
    return sb_apply_end(apply, SB_APPLY_IGNORED, "notice_only", NULL);
}

/* A dispute is likely; refunding before it comes is cheaper. */
static apr_status_t fraud_warning(sb_apply_t *apply)
{
    const char *charge = sb_json_id(sb_json_get(apply->event->object, "charge"));

    sb_log(
        SB_LOG_WARNING, 0, "SB422",
        "event %s: the bank suspects that charge %s is fraud; a refund now may spare a "
        "dispute",
        apply->event->id, charge && sb_stripe_id_valid(charge) ? charge : "?");
    return notice(apply);
}

/* A schedule says what will be, which is kept for the account page; what is stands in its subscription, which
 * is read anew. A released one has let its subscription go and names it elsewhere. */
static apr_status_t schedule(sb_apply_t *apply)
{
    static const char *const places[] = {"subscription", "released_subscription"};
    apr_status_t rv = sb_apply_schedule(apply);

    bool foreign = apply->verdict == SB_APPLY_IGNORED &&
                   strcmp(apply->reason, "livemode_mismatch") == 0;
    if (rv != APR_SUCCESS || foreign || apply->verdict == SB_APPLY_FAILED) {
        return rv;
    }
    for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
        const char *id = sb_json_id(sb_json_get(apply->event->object, places[i]));
        if (id && sb_stripe_id_valid(id)) {
            apply->fetch = id;
            return sb_apply_end(apply, SB_APPLY_DONE, NULL, NULL);
        }
    }
    return sb_apply_end(apply, SB_APPLY_IGNORED, "no_subscription", NULL);
}

/* Every type this version knows, with what it does. What is missing here is acknowledged and kept as ignored,
 * "unhandled_type". Applying twice, or in another order, ends in the same tables. */
static const struct {
    const char *type;
    sb_apply_fn apply;
} types[] = {
    /* who pays for what, and the end of the stored checkout; in payment mode a payment */
    {"checkout.session.completed", sb_apply_checkout},
    {"checkout.session.async_payment_succeeded", sb_apply_checkout},
    {"checkout.session.async_payment_failed", sb_apply_checkout},
    {"checkout.session.expired", sb_apply_checkout},

    /* binding, mail, name, default payment method; deleted: all grants end, for ever */
    {"customer.created", sb_apply_customer},
    {"customer.updated", sb_apply_customer},
    {"customer.deleted", sb_apply_customer_deleted},

    /* the subscription as it is; each carries the whole object */
    {"customer.subscription.created", sb_apply_subscription},
    {"customer.subscription.updated", sb_apply_subscription},
    {"customer.subscription.deleted", sb_apply_subscription},
    {"customer.subscription.paused", sb_apply_subscription},
    {"customer.subscription.resumed", sb_apply_subscription},
    {"customer.subscription.pending_update_applied", sb_apply_subscription},
    {"customer.subscription.pending_update_expired", sb_apply_subscription},
    {"customer.subscription.trial_will_end", notice},

    /* what is planned, and reads the subscription they are about */
    {"subscription_schedule.aborted", schedule},
    {"subscription_schedule.canceled", schedule},
    {"subscription_schedule.completed", schedule},
    {"subscription_schedule.created", schedule},
    {"subscription_schedule.expiring", schedule},
    {"subscription_schedule.released", schedule},
    {"subscription_schedule.updated", schedule},

    /* the invoice as it is, and the money when it was paid or could not be taken */
    {"invoice.created", sb_apply_invoice},
    {"invoice.finalized", sb_apply_invoice},
    {"invoice.finalization_failed", sb_apply_invoice},
    {"invoice.updated", sb_apply_invoice},
    {"invoice.paid", sb_apply_invoice},
    {"invoice.payment_succeeded", sb_apply_invoice},
    {"invoice.payment_failed", sb_apply_invoice},
    {"invoice.payment_action_required", sb_apply_invoice},
    {"invoice.payment_attempt_required", sb_apply_invoice},
    {"invoice.overdue", sb_apply_invoice},
    {"invoice.will_be_due", sb_apply_invoice},
    {"invoice.voided", sb_apply_invoice},
    {"invoice.marked_uncollectible", sb_apply_invoice},
    {"invoice.upcoming", notice}, /* a preview without an id */

    /* which invoice a payment was for */
    {"invoice_payment.paid", sb_apply_invoice_payment},

    /* the means of payment, and payments without an invoice */
    {"payment_intent.created", sb_apply_payment_intent},
    {"payment_intent.processing", sb_apply_payment_intent},
    {"payment_intent.requires_action", sb_apply_payment_intent},
    {"payment_intent.amount_capturable_updated", sb_apply_payment_intent},
    {"payment_intent.partially_funded", sb_apply_payment_intent},
    {"payment_intent.succeeded", sb_apply_payment_intent},
    {"payment_intent.payment_failed", sb_apply_payment_intent},
    {"payment_intent.canceled", sb_apply_payment_intent},
    {"charge.pending", sb_apply_charge},
    {"charge.succeeded", sb_apply_charge},
    {"charge.captured", sb_apply_charge},
    {"charge.updated", sb_apply_charge},
    {"charge.failed", sb_apply_charge},
    {"charge.expired", sb_apply_charge},
    {"charge.refunded", sb_apply_charge},

    /* what was given back */
    {"refund.created", sb_apply_refund},
    {"refund.updated", sb_apply_refund},
    {"refund.failed", sb_apply_refund},
    {"charge.refund.updated", sb_apply_refund},

    /* suspends, closes or opens again what the payment bought */
    {"charge.dispute.created", sb_apply_dispute},
    {"charge.dispute.updated", sb_apply_dispute},
    {"charge.dispute.closed", sb_apply_dispute},
    {"charge.dispute.funds_withdrawn", sb_apply_dispute},
    {"charge.dispute.funds_reinstated", sb_apply_dispute},
    {"radar.early_fraud_warning.created", fraud_warning},

    {"payment_method.attached", sb_apply_payment_method},
    {"payment_method.updated", sb_apply_payment_method},
    {"payment_method.automatically_updated", sb_apply_payment_method},
    {"payment_method.detached", sb_apply_payment_method},
    {"setup_intent.succeeded", notice}, /* its payment method says so itself */

    {"entitlements.active_entitlement_summary.updated", sb_apply_entitlements},

    /* which plan a price belongs to, also when it is no longer sold */
    {"price.created", sb_apply_price},
    {"price.updated", sb_apply_price},
    {"price.deleted", sb_apply_price},
    {"product.created", sb_apply_product},
    {"product.updated", sb_apply_product},
    {"product.deleted", sb_apply_product},

    /* Stripe's own business: Checkout asks it for them, nothing of them is kept here */
    {"coupon.created", notice},
    {"coupon.updated", notice},
    {"coupon.deleted", notice},
    {"promotion_code.created", notice},
    {"promotion_code.updated", notice},
};

sb_apply_fn sb_apply_find(const char *type)
{
    for (size_t i = 0; type && i < sizeof(types) / sizeof(*types); i++) {
        if (strcmp(types[i].type, type) == 0) {
            return types[i].apply;
        }
    }
    return NULL;
}

apr_status_t sb_apply_end(sb_apply_t *apply, sb_apply_verdict_e verdict,
                          const char *reason, const char *detail)
{
    apply->verdict = verdict;
    apply->reason = reason;
    apply->detail = detail;
    return APR_SUCCESS;
}

bool sb_apply_fetched(const sb_apply_t *apply)
{
    return strcmp(apply->source, SB_SOURCE_WEBHOOK) != 0 &&
           strcmp(apply->source, SB_SOURCE_EVENTS) != 0;
}
