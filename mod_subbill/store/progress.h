/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_STORE_PROGRESS_H
#define SB_STORE_PROGRESS_H

#include <stdbool.h>

#include "store/db.h"

/* How far a reader of Stripe's lists has come, per mode. */

typedef struct sb_progress_t {
    const char *value;      /* NULL: nothing yet */
    apr_int64_t reached_at; /* Unix seconds, 0: never */
} sb_progress_t;

apr_status_t sb_progress_get(sb_progress_t *progress, sb_conn_t *conn, const char *name,
                             bool livemode, apr_pool_t *pool);
apr_status_t sb_progress_set(sb_conn_t *conn, const char *name, bool livemode,
                             const char *value, apr_int64_t reached_at, apr_pool_t *pool);

#endif
