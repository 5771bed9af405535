/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_STRIPE_CUSTOMERS_H
#define SB_STRIPE_CUSTOMERS_H

#include "stripe/client.h"

/* Customers (docs.stripe.com/api/customers). Failures and the lifetime of *customer: as
 * sb_stripe_call(). */

#define SB_STRIPE_METADATA_USER "subbill_user" /* the key that binds objects to a user */

typedef struct sb_stripe_customer_t {
    const char *user;   /* exact bytes, at most 190; becomes metadata[subbill_user] */
    const char *email;  /* or NULL */
    const char *locale; /* becomes preferred_locales[0]; or NULL */
} sb_stripe_customer_t;

sb_status_e sb_stripe_customer_create(json_t **customer, sb_result_t *result,
                                      sb_stripe_t *stripe,
                                      const sb_stripe_customer_t *create,
                                      const char *idempotency_key, apr_pool_t *pool);

/* SB_NOT_FOUND: "resource_missing" (not of this account and mode), "customer_deleted";
 * SB_INVALID "bad_id". */
sb_status_e sb_stripe_customer_retrieve(json_t **customer, sb_result_t *result,
                                        sb_stripe_t *stripe, const char *id,
                                        apr_pool_t *pool);

#endif
