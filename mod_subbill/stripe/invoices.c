/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "stripe/invoices.h"

#include <string.h>

static sb_status_e preview(json_t **invoice, sb_result_t *result, sb_stripe_t *stripe,
                           const sb_form_t *params, apr_pool_t *pool)
{
    /* A previewed invoice has an id only in newer versions, so the kind is checked by hand. */
    sb_status_e status =
        sb_stripe_call(invoice, result, stripe, "POST", "/v1/invoices/create_preview",
                       params, NULL, pool);
    const char *kind = status == SB_OK ? sb_json_text(*invoice, "object") : NULL;

    if (status == SB_OK && (!kind || strcmp(kind, "invoice") != 0)) {
        *invoice = NULL;
        return sb_result_set(result, SB_UPSTREAM, "stripe_bad_answer",
                             "The payment service gave an answer we do not understand.",
                             NULL);
    }
    return status;
}

sb_status_e sb_stripe_invoice_upcoming(json_t **invoice, sb_result_t *result,
                                       sb_stripe_t *stripe, const char *subscription,
                                       apr_pool_t *pool)
{
    sb_form_t *params = sb_form_create(pool);

    sb_form_add(params, "subscription", subscription);
    sb_status_e status = preview(invoice, result, stripe, params, pool);
    const char *code = status != SB_OK ? sb_json_text(*invoice, "code") : NULL;
    if (code && strcmp(code, "invoice_upcoming_none") == 0) {
        return sb_result_set(result, SB_NOT_FOUND, "no_upcoming_invoice",
                             "No further invoice is planned.", NULL);
    }
    return status;
}

sb_status_e sb_stripe_invoice_of_switch(json_t **invoice, sb_result_t *result,
                                        sb_stripe_t *stripe, const char *subscription,
                                        const sb_stripe_switch_t *to, apr_pool_t *pool)
{
    sb_form_t *params = sb_form_create(pool);

    sb_form_add(params, "subscription", subscription);
    sb_form_add(params, "subscription_details[items][0][id]", to->item);
    sb_form_add(params, "subscription_details[items][0][price]", to->price);
    sb_form_add_int(params, "subscription_details[items][0][quantity]", to->quantity);
    if (to->proration_date) {
        sb_form_add_int(params, "subscription_details[proration_date]",
                        to->proration_date);
    }
    if (to->end_trial) {
        sb_form_add(params, "subscription_details[trial_end]", "now");
    }
    sb_form_add(params, "subscription_details[proration_behavior]", "always_invoice");
    return preview(invoice, result, stripe, params, pool);
}
