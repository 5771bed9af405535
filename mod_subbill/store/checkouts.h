/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_STORE_CHECKOUTS_H
#define SB_STORE_CHECKOUTS_H

#include <stdbool.h>

#include "store/db.h"

/* The Checkout sessions this server made, for whom and where the buyer goes afterwards. This row, and
 * nothing a client sends, ties a session to a user. */

typedef enum {
    SB_CHECKOUT_OPEN,
    SB_CHECKOUT_COMPLETE,
    SB_CHECKOUT_EXPIRED,
    SB_CHECKOUT_FAILED /* Stripe refused to make the session */
} sb_checkout_state_e;

typedef struct sb_checkout_t {
    const char *id;      /* ours: random, unguessable */
    const char *session; /* cs_…; NULL until Stripe has answered */
    bool livemode;
    const char *user;
    const char *plan;
    const char *price;
    apr_int64_t quantity;
    const char *mode;        /* subscription, payment */
    const char *success_url; /* where the buyer goes after our return page, or NULL */
    const char *cancel_url;  /* or NULL */
    const char *url;         /* Stripe's page, NULL until known */
    const char *idempotency_key;
    sb_checkout_state_e state;
    apr_int64_t created_at, expires_at, completed_at;
    const char *customer;
    const char *subscription; /* NULL until completed */
} sb_checkout_t;

/* id, livemode, user, plan, price, quantity, mode, the urls, idempotency_key, created_at, expires_at and
 * customer count; the row is open. Ensure the account first. */
apr_status_t sb_checkout_insert(sb_conn_t *conn, const sb_checkout_t *checkout,
                                apr_pool_t *pool);

apr_status_t sb_checkout_by_id(sb_checkout_t **checkout, sb_conn_t *conn, const char *id,
                               apr_pool_t *pool);
apr_status_t sb_checkout_by_session(sb_checkout_t **checkout, sb_conn_t *conn,
                                    const char *session, apr_pool_t *pool);

/* What Stripe answered. expires_at 0 keeps the stored one. */
apr_status_t sb_checkout_set_session(sb_conn_t *conn, const char *id, const char *session,
                                     const char *url, const char *customer,
                                     apr_int64_t expires_at, apr_pool_t *pool);

/* Open, expired or failed -> complete; *changed is false when it was complete before. A NULL
 * customer or subscription keeps the stored one. */
apr_status_t sb_checkout_complete(bool *changed, sb_conn_t *conn, const char *id,
                                  const char *customer, const char *subscription,
                                  apr_int64_t now, apr_pool_t *pool);

/* Open -> expired or failed; a complete one stays. */
apr_status_t sb_checkout_close(sb_conn_t *conn, const char *id, sb_checkout_state_e state,
                               apr_pool_t *pool);

/* Checkouts of one user take turns from here to the end of the transaction. Ensure the account first. */
apr_status_t sb_checkout_turn(sb_conn_t *conn, const char *user, apr_pool_t *pool);

/* The user's other open checkouts of this mode, at most 100, oldest first; those without a session are
 * about to get one, or lost the answer. checkout: id, user, livemode and mode count. */
apr_status_t sb_checkout_rivals(const sb_checkout_t ***rivals, int *n, sb_conn_t *conn,
                                const sb_checkout_t *checkout, apr_int64_t now,
                                apr_pool_t *pool);

#endif
