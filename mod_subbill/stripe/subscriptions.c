/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "stripe/subscriptions.h"

sb_status_e sb_stripe_subscription_retrieve(json_t **subscription, sb_result_t *result,
                                            sb_stripe_t *stripe, const char *id,
                                            apr_pool_t *pool)
{
    const char *path = sb_stripe_path(result, "/v1/subscriptions/", id, pool);

    *subscription = NULL;
    if (!path) {
        return SB_INVALID;
    }
    return sb_stripe_call_for(subscription, result, stripe, "subscription", "GET", path,
                              NULL, NULL, pool);
}
