/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_STRIPE_SUBSCRIPTIONS_H
#define SB_STRIPE_SUBSCRIPTIONS_H

#include "stripe/client.h"

/* One subscription as Stripe sees it now (docs.stripe.com/api/subscriptions/retrieve):
 * settles what events of the same second leave open. Failures and the lifetime of
 * *subscription: as sb_stripe_call(), and SB_INVALID "bad_id". */
sb_status_e sb_stripe_subscription_retrieve(json_t **subscription, sb_result_t *result,
                                            sb_stripe_t *stripe, const char *id,
                                            apr_pool_t *pool);

#endif
