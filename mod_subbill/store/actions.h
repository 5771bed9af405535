/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_STORE_ACTIONS_H
#define SB_STORE_ACTIONS_H

#include <stdbool.h>

#include "store/db.h"

/* What users asked us to do to their subscriptions at Stripe. The row comes before the call. */

#define SB_ACTION_OPEN   "open" /* perhaps done: no answer came yet */
#define SB_ACTION_DONE   "done"
#define SB_ACTION_FAILED "failed"

#define SB_ACTION_WISH_MAX 1000 /* bytes */

typedef struct sb_action_row_t {
    const char *id; /* derived from all the rest; the idempotency key is made of it */
    bool livemode;
    const char *user;
    const char *subscription;
    const char *kind;   /* cancel, resume, change, pause */
    const char *wish;   /* with what parameters */
    apr_int64_t number; /* how many of the subscription's came to an end before */
    const char *state;
    const char *code; /* why it failed, or NULL */
    apr_int64_t created_at, ended_at;
} sb_action_row_t;

/* How many of this subscription's came to an end, well or badly. */
apr_status_t sb_action_count(apr_int64_t *n, sb_conn_t *conn, const char *subscription,
                             bool livemode, apr_pool_t *pool);

/* The newest; NULL when there is none. */
apr_status_t sb_action_last(sb_action_row_t **row, sb_conn_t *conn,
                            const char *subscription, bool livemode, apr_pool_t *pool);

/* Open; a row of this id that is there already stays. created_at counts, state does not. */
apr_status_t sb_action_insert(sb_conn_t *conn, const sb_action_row_t *row,
                              apr_pool_t *pool);

/* open -> state; code may be NULL. */
apr_status_t sb_action_finish(sb_conn_t *conn, const char *id, const char *state,
                              const char *code, apr_int64_t now, apr_pool_t *pool);

#endif
