/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "store/limiter.h"

#include "sb_statements.h"

static const char *name_of(bool livemode)
{
    return livemode ? "stripe_live" : "stripe_test";
}

/* How far ahead of now calls may be spoken for. */
static apr_int64_t ahead(sb_rate_t rate)
{
    return (apr_int64_t)rate.interval_ms * (rate.burst - 1);
}

apr_status_t sb_limiter_take(bool *taken, sb_conn_t *conn, bool livemode, sb_rate_t rate,
                             apr_pool_t *pool)
{
    int affected = 0;
    apr_status_t rv = sb_sql_limiter_take(&affected, conn, name_of(livemode),
                                          rate.interval_ms, ahead(rate), pool);

    *taken = !rv && affected == 1;
    return rv;
}

apr_status_t sb_limiter_pause(sb_conn_t *conn, bool livemode, sb_rate_t rate,
                              int pause_ms, apr_pool_t *pool)
{
    return sb_sql_limiter_pause(NULL, conn, name_of(livemode), ahead(rate) + pause_ms,
                                pool);
}
