/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "stripe/subscriptions.h"

#include <apr_strings.h>

static sb_status_e act(json_t **sub, sb_result_t *result, sb_stripe_t *stripe,
                       const char *method, const char *id, const char *verb,
                       const sb_form_t *params, const char *key, apr_pool_t *pool)
{
    const char *path = sb_stripe_path(result, "/v1/subscriptions/", id, pool);

    *sub = NULL;
    return path ? sb_stripe_call_for(sub, result, stripe, "subscription", method,
                                     apr_pstrcat(pool, path, verb, NULL), params, key,
                                     pool)
                : SB_INVALID;
}

sb_status_e sb_stripe_subscription_plan_end(json_t **sub, sb_result_t *result,
                                            sb_stripe_t *stripe, const char *id,
                                            bool at_period_end, const char *key,
                                            apr_pool_t *pool)
{
    sb_form_t *params = sb_form_create(pool);

    sb_form_add_bool(params, "cancel_at_period_end", at_period_end);
    return act(sub, result, stripe, "POST", id, "", params, key, pool);
}

sb_status_e sb_stripe_subscription_clear_end(json_t **sub, sb_result_t *result,
                                             sb_stripe_t *stripe, const char *id,
                                             const char *key, apr_pool_t *pool)
{
    sb_form_t *params = sb_form_create(pool);

    sb_form_add(params, "cancel_at", "");
    return act(sub, result, stripe, "POST", id, "", params, key, pool);
}

sb_status_e sb_stripe_subscription_cancel(json_t **sub, sb_result_t *result,
                                          sb_stripe_t *stripe, const char *id,
                                          apr_pool_t *pool)
{
    return act(sub, result, stripe, "DELETE", id, "", NULL, NULL, pool);
}

sb_status_e sb_stripe_subscription_pause(json_t **sub, sb_result_t *result,
                                         sb_stripe_t *stripe, const char *id,
                                         const char *key, apr_pool_t *pool)
{
    sb_form_t *params = sb_form_create(pool);

    sb_form_add(params, "type", "subscription");
    sb_form_add(params, "bill_for[unused_time_from][type]", "now");
    sb_form_add(params, "invoicing_behavior", "pending_invoice_item");
    return act(sub, result, stripe, "POST", id, "/pause", params, key, pool);
}

sb_status_e sb_stripe_subscription_resume(json_t **sub, sb_result_t *result,
                                          sb_stripe_t *stripe, const char *id,
                                          const char *key, apr_pool_t *pool)
{
    sb_form_t *params = sb_form_create(pool);

    sb_form_add(params, "billing_cycle_anchor[type]", "now");
    return act(sub, result, stripe, "POST", id, "/resume", params, key, pool);
}

sb_status_e sb_stripe_subscription_collect(json_t **sub, sb_result_t *result,
                                           sb_stripe_t *stripe, const char *id,
                                           const char *key, apr_pool_t *pool)
{
    sb_form_t *params = sb_form_create(pool);

    sb_form_add(params, "pause_collection", "");
    return act(sub, result, stripe, "POST", id, "", params, key, pool);
}

sb_status_e sb_stripe_subscription_switch(json_t **sub, sb_result_t *result,
                                          sb_stripe_t *stripe, const char *id,
                                          const sb_stripe_switch_t *to, const char *key,
                                          apr_pool_t *pool)
{
    sb_form_t *params = sb_form_create(pool);

    sb_form_add(params, "items[0][id]", to->item);
    sb_form_add(params, "items[0][price]", to->price);
    sb_form_add_int(params, "items[0][quantity]", to->quantity);
    if (to->proration_date) {
        sb_form_add_int(params, "proration_date", to->proration_date);
    }
    if (to->end_trial) {
        sb_form_add(params, "trial_end", "now");
    }
    sb_form_add(params, "proration_behavior", "always_invoice");
    sb_form_add(params, "payment_behavior", "pending_if_incomplete");
    return act(sub, result, stripe, "POST", id, "", params, key, pool);
}
