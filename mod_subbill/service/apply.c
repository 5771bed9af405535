/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "service/apply.h"

#include <string.h>

/* Every type that changes a table. What is missing here is acknowledged and kept as ignored. */
static const struct {
    const char *type;
    sb_apply_fn apply;
} types[] = {
    {"checkout.session.completed", sb_apply_checkout},
    {"checkout.session.async_payment_succeeded", sb_apply_checkout},
    {"checkout.session.async_payment_failed", sb_apply_checkout},
    {"checkout.session.expired", sb_apply_checkout},
    {"customer.subscription.created", sb_apply_subscription},
    {"customer.subscription.updated", sb_apply_subscription},
    {"customer.subscription.deleted", sb_apply_subscription},
    {"customer.subscription.paused", sb_apply_subscription},
    {"customer.subscription.resumed", sb_apply_subscription},
    {"customer.subscription.pending_update_applied", sb_apply_subscription},
    {"customer.subscription.pending_update_expired", sb_apply_subscription},
    {"invoice.created", sb_apply_invoice},
    {"invoice.finalized", sb_apply_invoice},
    {"invoice.updated", sb_apply_invoice},
    {"invoice.paid", sb_apply_invoice},
    {"invoice.payment_succeeded", sb_apply_invoice},
    {"invoice.payment_failed", sb_apply_invoice},
    {"invoice.payment_action_required", sb_apply_invoice},
    {"invoice.voided", sb_apply_invoice},
    {"invoice.marked_uncollectible", sb_apply_invoice},
    {"customer.created", sb_apply_customer},
    {"customer.updated", sb_apply_customer},
    {"customer.deleted", sb_apply_customer_deleted},
    {"price.created", sb_apply_price},
    {"price.updated", sb_apply_price},
    {"price.deleted", sb_apply_price},
    {"product.created", sb_apply_product},
    {"product.updated", sb_apply_product},
    {"product.deleted", sb_apply_product},
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
    return strcmp(apply->source, SB_SOURCE_WEBHOOK) != 0;
}
