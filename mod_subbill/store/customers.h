/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_STORE_CUSTOMERS_H
#define SB_STORE_CUSTOMERS_H

#include <stdbool.h>

#include "store/db.h"

/* Which Stripe customer belongs to which user. A user has at most one living customer per mode, and a
 * customer that is bound once stays with its user: only sb_customer_rebind(), which an operator
 * calls, moves it. Every change leaves a row in link_audit. */

typedef struct sb_customer_t {
    const char *id;
    bool livemode;
    const char *user;   /* NULL: known from Stripe, bound to nobody */
    const char *source; /* checkout, webhook, sync, operator … */
    apr_int64_t created_at;
    apr_int64_t deleted_at; /* Stripe reported it missing or deleted; 0 = living */
    apr_int64_t told_at;    /* of what is known about mail, name and payment method */
    apr_int64_t gone_at;    /* an event said it was deleted then, which is final; 0 */
    apr_int64_t entitlements_at; /* of the stored set of entitlements */
} sb_customer_t;

typedef enum {
    SB_BIND_OK,            /* bound now, or was already bound to this user */
    SB_BIND_OTHER_USER,    /* the customer belongs to somebody else: nothing changed */
    SB_BIND_OTHER_CUSTOMER /* the user has another living customer: nothing changed */
} sb_bind_e;

apr_status_t sb_customer_by_id(sb_customer_t **customer, sb_conn_t *conn, const char *id,
                               bool livemode, apr_pool_t *pool);

/* The user's living customer. */
apr_status_t sb_customer_by_user(sb_customer_t **customer, sb_conn_t *conn,
                                 const char *user, bool livemode, apr_pool_t *pool);

/* The customer's row, made when there is none and bound to nobody then, and locked until the transaction
 * ends: a binding that happens at the same time comes before or after, and finds what this
 * transaction leaves. */
apr_status_t sb_customer_lock(sb_customer_t **customer, sb_conn_t *conn, const char *id,
                              bool livemode, const char *source, apr_int64_t now,
                              apr_pool_t *pool);

/* Ties a customer to a user, making account and customer rows as needed. who: the user, "stripe",
 * or the operator's name, for the audit. A deleted customer of the user gives way; a customer marked
 * as deleted comes to life again, unless it is gone: that one gets its user and stays dead. A refused binding is audited as well, and leaves an
 * unknown customer as a row that is bound to nobody. */
apr_status_t sb_customer_bind(sb_bind_e *outcome, sb_conn_t *conn, const char *id,
                              bool livemode, const char *user, const char *source,
                              const char *who, apr_int64_t now, apr_pool_t *pool);

/* The operator's word: the customer moves to user, with its subscriptions and invoices; another
 * living customer of that user is let go (it stays, bound to nobody). One that is gone is taken back as well.
 * Touches the epochs of both. */
apr_status_t sb_customer_rebind(sb_conn_t *conn, const char *id, bool livemode,
                                const char *user, const char *who, apr_int64_t now,
                                apr_pool_t *pool);

/* Stripe says it is gone. The row keeps its user, so that its history can be read. */
apr_status_t sb_customer_mark_deleted(sb_conn_t *conn, const char *id, bool livemode,
                                      apr_int64_t now, apr_pool_t *pool);

/* Stripe deleted it at that time, for ever. The row must be there. */
apr_status_t sb_customer_gone(sb_conn_t *conn, const char *id, bool livemode,
                              apr_int64_t at, apr_pool_t *pool);

/* What Stripe says of a customer whose row is there and locked. Every text may be NULL. */
apr_status_t sb_customer_tell(sb_conn_t *conn, const char *id, bool livemode,
                              const char *email, const char *name,
                              const char *payment_method, apr_int64_t told_at,
                              apr_pool_t *pool);

/* Subscriptions and invoices that came before their customer was bound get its user; touches its
 * epoch. sb_customer_bind() has done so already. */
apr_status_t sb_customer_adopt(sb_conn_t *conn, const char *id, bool livemode,
                               const char *user, apr_pool_t *pool);

#endif
