/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_STORE_SUBSCRIPTIONS_H
#define SB_STORE_SUBSCRIPTIONS_H

#include <stdbool.h>

#include "store/db.h"
#include "domain/subscription.h"

/* Mirrors of Stripe's subscriptions. These functions store what they are given; whether it may
 * replace what is stored is decided before, by sb_subscription_supersedes(). */

/* For a decision that a save will follow: the row, or the place of a row that does not exist yet, is
 * locked until the transaction ends, so that two events of one subscription are applied one after
 * the other. */
apr_status_t sb_subscription_lock(sb_subscription_t **sub, sb_conn_t *conn,
                                  const char *id, bool livemode, apr_pool_t *pool);

apr_status_t sb_subscription_get(sb_subscription_t **sub, sb_conn_t *conn, const char *id,
                                 bool livemode, apr_pool_t *pool);

/* Inserts or replaces the row and its items; touches the epoch of sub->user when there is one. A
 * NULL user keeps the stored one. */
apr_status_t sb_subscription_save(sb_conn_t *conn, const sb_subscription_t *sub,
                                  apr_int64_t now, apr_pool_t *pool);

/* Whether a dispute closes it: kept beside what Stripe says of the subscription, which sb_subscription_save()
 * replaces, and so is left alone by it. Touches the epoch of user, who may be NULL. */
apr_status_t sb_subscription_set_disputed(sb_conn_t *conn, const char *id, bool livemode,
                                          bool disputed, const char *user,
                                          apr_pool_t *pool);

/* Ids of all of a customer's. */
apr_status_t sb_subscription_of_customer(const char *const **ids, int *n, sb_conn_t *conn,
                                         const char *customer, bool livemode,
                                         apr_pool_t *pool);

/* A place in the list of subscriptions, the newest first: what follows it was made before created, or then
 * and has a smaller id. */
typedef struct sb_subscription_place_t {
    apr_int64_t created; /* Unix seconds */
    const char *id;
} sb_subscription_place_t;

#define SB_SUBSCRIPTION_ID_END "~" /* behind every id */

/* At most limit subscriptions that are not over, behind this place and made at oldest or later. */
apr_status_t sb_subscription_open_after(sb_subscription_place_t **subs, int *n,
                                        sb_conn_t *conn, bool livemode,
                                        const sb_subscription_place_t *place,
                                        apr_int64_t oldest, int limit, apr_pool_t *pool);

/* All of a user's, newest first. *subs is an array of n. */
apr_status_t sb_subscription_list(sb_subscription_t **subs, int *n, sb_conn_t *conn,
                                  const char *user, bool livemode, apr_pool_t *pool);

#endif
