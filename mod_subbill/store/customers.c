/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "store/customers.h"

#include "base/crypto.h"
#include "sb_statements.h"
#include "store/accounts.h"

#include <string.h>

/* A binding decides whose money and whose access something is, so it is made in one place, under a
 * lock on the user's account row, and leaves a trace whatever its outcome. */

enum { AUDIT_ID_BYTES = 16 };

static sb_customer_t *from_row(const sb_row_customer_t *row, apr_pool_t *pool)
{
    sb_customer_t *customer = apr_palloc(pool, sizeof(*customer));

    *customer = (sb_customer_t){
        .id = row->id,
        .livemode = row->livemode != 0,
        .user = row->user,
        .source = row->source,
        .created_at = row->created_at,
        .deleted_at = row->deleted_at,
        .told_at = row->told_at,
        .gone_at = row->gone_at,
        .entitlements_at = row->entitlements_at,
    };
    return customer;
}

apr_status_t sb_customer_by_id(sb_customer_t **customer, sb_conn_t *conn, const char *id,
                               bool livemode, apr_pool_t *pool)
{
    const sb_row_customer_t *rows;
    int n;

    apr_status_t rv = sb_sql_customer_by_id(&rows, &n, conn, id, livemode, pool);
    *customer = rv || !n ? NULL : from_row(rows, pool);
    return rv;
}

apr_status_t sb_customer_by_user(sb_customer_t **customer, sb_conn_t *conn,
                                 const char *user, bool livemode, apr_pool_t *pool)
{
    const sb_row_customer_t *rows;
    int n;

    apr_status_t rv = sb_sql_customer_by_user(&rows, &n, conn, user, livemode, pool);
    *customer = rv || !n ? NULL : from_row(rows, pool);
    return rv;
}

static apr_status_t audit(sb_conn_t *conn, const char *user, const char *id,
                          bool livemode, const char *what, const char *who,
                          apr_int64_t now, apr_pool_t *pool)
{
    const char *audit_id = sb_random_hex(AUDIT_ID_BYTES, pool);

    if (!audit_id) {
        return APR_EGENERAL;
    }
    return sb_sql_link_audit_insert(NULL, conn, audit_id, user, id, livemode, what, who,
                                    now, pool);
}

apr_status_t sb_customer_lock(sb_customer_t **customer, sb_conn_t *conn, const char *id,
                              bool livemode, const char *source, apr_int64_t now,
                              apr_pool_t *pool)
{
    const sb_row_customer_t *rows;
    int n = 0;

    *customer = NULL;
    apr_status_t rv = sb_sql_customer_ensure(NULL, conn, id, livemode, source, now, pool);
    if (!rv) {
        rv = sb_sql_customer_lock(&rows, &n, conn, id, livemode, pool);
    }
    if (rv) {
        return rv;
    }
    if (!n) { /* just made, so somebody deleted it under our hands */
        return APR_EGENERAL;
    }
    *customer = from_row(rows, pool);
    return APR_SUCCESS;
}

/* Locks the user's account and the customer, always in this order, and reads both sides. */
static apr_status_t lock_both(sb_customer_t **stored, sb_customer_t **current,
                              sb_conn_t *conn, const char *id, bool livemode,
                              const char *user, const char *source, apr_int64_t now,
                              apr_pool_t *pool)
{
    const sb_row_name_t *names;
    int n;

    apr_status_t rv = sb_account_ensure(conn, user, NULL, now, pool);
    if (!rv) {
        rv = sb_sql_account_lock(&names, &n, conn, user, pool);
    }
    if (!rv) {
        rv = sb_customer_lock(stored, conn, id, livemode, source, now, pool);
    }
    return rv ? rv : sb_customer_by_user(current, conn, user, livemode, pool);
}

apr_status_t sb_customer_adopt(sb_conn_t *conn, const char *id, bool livemode,
                               const char *user, apr_pool_t *pool)
{
    apr_status_t rv =
        sb_sql_customer_adopt_subscriptions(NULL, conn, user, id, livemode, pool);

    if (!rv) {
        rv = sb_sql_customer_adopt_invoices(NULL, conn, user, id, livemode, pool);
    }
    if (!rv) {
        rv = sb_sql_customer_adopt_payments(NULL, conn, user, id, livemode, pool);
    }
    if (!rv) {
        sb_epoch_touch(conn, user);
    }
    return rv;
}

static apr_status_t tie(sb_conn_t *conn, const char *id, bool livemode, const char *user,
                        const char *source, apr_pool_t *pool)
{
    apr_status_t rv = sb_sql_customer_tie(NULL, conn, id, livemode, user, source, pool);

    return rv ? rv : sb_customer_adopt(conn, id, livemode, user, pool);
}

/* A customer that is gone: its history gets an owner, and nothing comes to life. */
static apr_status_t bury(sb_conn_t *conn, const char *id, bool livemode, const char *user,
                         const char *source, const char *who, apr_int64_t now,
                         apr_pool_t *pool)
{
    apr_status_t rv = sb_sql_customer_bury(NULL, conn, id, livemode, user, source, pool);

    if (!rv) {
        rv = sb_customer_adopt(conn, id, livemode, user, pool);
    }
    return rv ? rv
              : audit(conn, user, id, livemode, "bound after its end", who, now, pool);
}

apr_status_t sb_customer_bind(sb_bind_e *outcome, sb_conn_t *conn, const char *id,
                              bool livemode, const char *user, const char *source,
                              const char *who, apr_int64_t now, apr_pool_t *pool)
{
    sb_customer_t *stored, *current;

    *outcome = SB_BIND_OK;
    apr_status_t rv =
        lock_both(&stored, &current, conn, id, livemode, user, source, now, pool);
    if (rv) {
        return rv;
    }
    if (stored->user && strcmp(stored->user, user)) {
        *outcome = SB_BIND_OTHER_USER;
        return audit(conn, user, id, livemode, "refused: bound to another user", who, now,
                     pool);
    }
    if (stored->gone_at) {
        return stored->user ? APR_SUCCESS
                            : bury(conn, id, livemode, user, source, who, now, pool);
    }
    if (current && strcmp(current->id, id)) {
        *outcome = SB_BIND_OTHER_CUSTOMER;
        return audit(conn, user, id, livemode, "refused: user has another customer", who,
                     now, pool);
    }
    if (current) {
        return APR_SUCCESS;
    }
    rv = tie(conn, id, livemode, user, source, pool);
    return rv ? rv : audit(conn, user, id, livemode, "bound", who, now, pool);
}

apr_status_t sb_customer_rebind(sb_conn_t *conn, const char *id, bool livemode,
                                const char *user, const char *who, apr_int64_t now,
                                apr_pool_t *pool)
{
    sb_customer_t *stored, *current;

    apr_status_t rv =
        lock_both(&stored, &current, conn, id, livemode, user, "operator", now, pool);
    if (!rv && current && strcmp(current->id, id)) {
        rv = sb_sql_customer_release(NULL, conn, current->id, livemode, pool);
        if (!rv) {
            rv = audit(conn, user, current->id, livemode, "released", who, now, pool);
        }
    }
    if (rv) {
        return rv;
    }
    if (stored->user && strcmp(stored->user, user)) {
        sb_epoch_touch(conn, stored->user);
    }
    rv = sb_sql_customer_revive(NULL, conn, id, livemode, pool);
    if (!rv) {
        rv = tie(conn, id, livemode, user, "operator", pool);
    }
    return rv ? rv : audit(conn, user, id, livemode, "bound by operator", who, now, pool);
}

apr_status_t sb_customer_mark_deleted(sb_conn_t *conn, const char *id, bool livemode,
                                      apr_int64_t now, apr_pool_t *pool)
{
    return sb_sql_customer_mark_deleted(NULL, conn, id, livemode, now, pool);
}

apr_status_t sb_customer_gone(sb_conn_t *conn, const char *id, bool livemode,
                              apr_int64_t at, apr_pool_t *pool)
{
    return sb_sql_customer_gone(NULL, conn, id, livemode, at, pool);
}

apr_status_t sb_customer_tell(sb_conn_t *conn, const char *id, bool livemode,
                              const char *email, const char *name,
                              const char *payment_method, apr_int64_t told_at,
                              apr_pool_t *pool)
{
    return sb_sql_customer_tell(NULL, conn, id, livemode, email, name, payment_method,
                                told_at, pool);
}
