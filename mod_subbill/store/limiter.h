/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_STORE_LIMITER_H
#define SB_STORE_LIMITER_H

#include <stdbool.h>

#include "store/db.h"

/* How fast all hosts together may ask Stripe (its limits count per account and mode): one row per mode in
 * the database, as the generic cell rate algorithm keeps it (ITU-T I.371). */

typedef struct sb_rate_t {
    int interval_ms; /* between two calls in the long run */
    int burst;       /* calls that may come at once */
} sb_rate_t;

/* Takes one call when there is one: *taken. */
apr_status_t sb_limiter_take(bool *taken, sb_conn_t *conn, bool livemode, sb_rate_t rate,
                             apr_pool_t *pool);

/* Stripe asked for a pause: no call is to be had for so long. */
apr_status_t sb_limiter_pause(sb_conn_t *conn, bool livemode, sb_rate_t rate,
                              int pause_ms, apr_pool_t *pool);

#endif
