/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "stripe/money.h"

static sb_status_e bad_id(sb_result_t *result)
{
    return sb_result_set(result, SB_INVALID, "bad_id",
                         "What is asked for is no id of the payment service's.", NULL);
}

sb_status_e sb_stripe_invoice_payments(json_t **list, sb_result_t *result,
                                       sb_stripe_t *stripe, const char *intent,
                                       apr_pool_t *pool)
{
    sb_form_t *params = sb_form_create(pool);

    *list = NULL;
    if (!sb_stripe_id_valid(intent)) {
        return bad_id(result);
    }
    sb_form_add(params, "payment[type]", "payment_intent");
    sb_form_add(params, "payment[payment_intent]", intent);
    sb_form_add(params, "limit", "100");
    return sb_stripe_call_for(list, result, stripe, "list", "GET", "/v1/invoice_payments",
                              params, NULL, pool);
}

sb_status_e sb_stripe_active_entitlements(json_t **list, sb_result_t *result,
                                          sb_stripe_t *stripe, const char *customer,
                                          const char *after, apr_pool_t *pool)
{
    sb_form_t *params = sb_form_create(pool);

    *list = NULL;
    if (!sb_stripe_id_valid(customer) || (after && !sb_stripe_id_valid(after))) {
        return bad_id(result);
    }
    sb_form_add(params, "customer", customer);
    sb_form_add(params, "limit", "100");
    sb_form_add(params, "starting_after", after);
    return sb_stripe_call_for(list, result, stripe, "list", "GET",
                              "/v1/entitlements/active_entitlements", params, NULL, pool);
}
