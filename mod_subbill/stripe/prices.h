/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_STRIPE_PRICES_H
#define SB_STRIPE_PRICES_H

#include "stripe/client.h"

/* Prices (docs.stripe.com/api/prices). Failures and the lifetime of the answers: as
 * sb_stripe_call(). */

#define SB_STRIPE_LOOKUP_KEYS_MAX 10 /* Stripe's limit per call */

/* The active prices that carry one of n lookup keys: a list object, data[] unordered;
 * keys that no price carries are simply not there. n outside
 * 1…SB_STRIPE_LOOKUP_KEYS_MAX: SB_INTERNAL. */
sb_status_e sb_stripe_prices_by_lookup_key(json_t **prices, sb_result_t *result,
                                           sb_stripe_t *stripe, const char *const *keys,
                                           int n, apr_pool_t *pool);

/* One price, its product expanded. SB_INVALID "bad_id". */
sb_status_e sb_stripe_price_retrieve(json_t **price, sb_result_t *result,
                                     sb_stripe_t *stripe, const char *id,
                                     apr_pool_t *pool);

#endif
