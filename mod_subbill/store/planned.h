/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_STORE_PLANNED_H
#define SB_STORE_PLANNED_H

#include <stdbool.h>

#include "store/db.h"

/* Changes of plan that a subscription schedule will make; one per subscription. */

typedef struct sb_planned_t {
    const char *subscription;
    bool livemode;
    const char *schedule; /* sub_sched_… */
    const char *plan;     /* key, or NULL: its price belongs to none */
    const char *price;
    apr_int64_t quantity;
    apr_int64_t effective_at; /* 0: nothing is planned any more */
    apr_int64_t told_at;      /* when this was so */
} sb_planned_t;

/* Inserts, or replaces what was told before. A schedule that was ended does not come back. */
apr_status_t sb_planned_save(sb_conn_t *conn, const sb_planned_t *planned,
                             apr_pool_t *pool);

/* The schedule was released, canceled or is over. */
apr_status_t sb_planned_end(sb_conn_t *conn, const char *schedule, bool livemode,
                            apr_pool_t *pool);

/* Those of all the user's subscriptions. told_at is not read. */
apr_status_t sb_planned_list(sb_planned_t **planned, int *n, sb_conn_t *conn,
                             const char *user, bool livemode, apr_pool_t *pool);

#endif
