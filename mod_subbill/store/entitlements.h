/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_STORE_ENTITLEMENTS_H
#define SB_STORE_ENTITLEMENTS_H

#include <stdbool.h>

#include "store/db.h"

/* The features that Stripe says a customer may use. A set is stored whole; its time stands in the customer's
 * row (sb_customer_t.entitlements_at), which the caller has locked. */

typedef struct sb_entitlement_t {
    const char *lookup_key;
    const char *feature; /* id, or NULL */
} sb_entitlement_t;

/* Replaces the customer's set, as told at that time. */
apr_status_t sb_entitlement_replace(sb_conn_t *conn, const char *customer, bool livemode,
                                    const sb_entitlement_t *set, int n, apr_int64_t at,
                                    apr_pool_t *pool);

/* Lookup keys in alphabetical order: of a customer, or of all customers of a user that Stripe still has. */
apr_status_t sb_entitlement_of_customer(const char *const **keys, int *n, sb_conn_t *conn,
                                        const char *customer, bool livemode,
                                        apr_pool_t *pool);
apr_status_t sb_entitlement_of_user(const char *const **keys, int *n, sb_conn_t *conn,
                                    const char *user, bool livemode, apr_pool_t *pool);

/* Whether one of the user's customers that Stripe still has may use this feature. */
apr_status_t sb_entitlement_held(bool *held, sb_conn_t *conn, const char *user,
                                 const char *key, bool livemode, apr_pool_t *pool);

#endif
