/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_STORE_TRIALS_H
#define SB_STORE_TRIALS_H

#include <stdbool.h>

#include "store/db.h"

/* Who has had the free trial: once per user and mode, for ever. */

typedef struct sb_trial_t {
    const char *user;
    bool livemode;
    apr_int64_t used_at;
    const char *plan;         /* or NULL */
    const char *subscription; /* or NULL */
    const char *source;       /* webhook, return, operator … */
} sb_trial_t;

apr_status_t sb_trial_get(sb_trial_t **trial, sb_conn_t *conn, const char *user,
                          bool livemode, apr_pool_t *pool);

/* The first mark stays; *marked tells whether this was it; may be NULL. */
apr_status_t sb_trial_mark(bool *marked, sb_conn_t *conn, const sb_trial_t *trial,
                           apr_pool_t *pool);

#endif
