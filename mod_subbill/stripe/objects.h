/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_STRIPE_OBJECTS_H
#define SB_STRIPE_OBJECTS_H

#include "stripe/client.h"

/* One object as Stripe sees it now. kind: "subscription", "customer", "invoice", "checkout.session", "price",
 * "product", "payment_intent", "charge", "refund" or "dispute". A deleted customer is an object with
 * `deleted`. Failures and the lifetime of *object: as sb_stripe_call(), and SB_INVALID "bad_id",
 * SB_INTERNAL "bad_call" for any other kind. */
sb_status_e sb_stripe_object_retrieve(json_t **object, sb_result_t *result,
                                      sb_stripe_t *stripe, const char *kind,
                                      const char *id, apr_pool_t *pool);

#endif
