/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "stripe/prices.h"

sb_status_e sb_stripe_prices_by_lookup_key(json_t **prices, sb_result_t *result,
                                           sb_stripe_t *stripe, const char *const *keys,
                                           int n, apr_pool_t *pool)
{
    sb_form_t *params = sb_form_create(pool);

    *prices = NULL;
    if (n < 1 || n > SB_STRIPE_LOOKUP_KEYS_MAX) {
        return sb_result_set(result, SB_INTERNAL, "bad_call",
                             "Prices can be looked up by one to ten keys at a time.",
                             NULL);
    }
    for (int i = 0; i < n; i++) {
        sb_form_add(params, "lookup_keys[]", keys[i]);
    }
    sb_form_add_bool(params, "active", true);
    sb_form_add_int(params, "limit", 100);
    return sb_stripe_call_for(prices, result, stripe, "list", "GET", "/v1/prices", params,
                              NULL, pool);
}

sb_status_e sb_stripe_price_retrieve(json_t **price, sb_result_t *result,
                                     sb_stripe_t *stripe, const char *id,
                                     apr_pool_t *pool)
{
    const char *path = sb_stripe_path(result, "/v1/prices/", id, pool);
    sb_form_t *params = sb_form_create(pool);

    *price = NULL;
    if (!path) {
        return SB_INVALID;
    }
    sb_form_add(params, "expand[]", "product");
    return sb_stripe_call_for(price, result, stripe, "price", "GET", path, params, NULL,
                              pool);
}
