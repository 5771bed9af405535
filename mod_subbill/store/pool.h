/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_STORE_POOL_H
#define SB_STORE_POOL_H

#include "store/connect.h"

/* The connections of one sb_db_t, inside store/ only. */

struct sb_db_t {
    apr_pool_t
        *pool; /* its own: it may have to outlive the one it was made in, see stop() */
    sb_dsn_t dsn;
    sb_db_options_t options;
    const apr_dbd_driver_t *driver;

    pthread_mutex_t lock; /* guards everything below */
    pthread_cond_t freed; /* a connection, a place for one, or the SQLite writer's turn */
    pthread_cond_t tick;  /* wakes the reaper */
    sb_conn_t *idle;      /* the one used last comes first */
    sb_conn_t *in_use;
    int open;    /* idle, in use and being opened */
    int opening; /* being opened */
    sb_strays_t *strays;
    unsigned generation; /* connections of an older one are not used again */
    bool writing;        /* SQLite: a transaction of this process is running */
    bool proven;         /* the last attempt to connect succeeded */
    bool stopping;
    bool reaping;     /* the reaper runs */
    bool reaper_naps; /* it sleeps longer than a tick */
    pthread_t reaper; /* valid while reaping */
    sb_db_stats_t stats;

    /* Until down_until every request for a new connection gets this answer. */
    apr_time_t down_until;
    sb_result_t down;
};

/* Sets lock and conditions up and registers the cleanup that closes everything. */
apr_status_t sb_pool_init(sb_db_t *db, apr_pool_t *pool);

/* A connection whose schema has been found good. deadline: monotonic, when the reaper cuts it. */
sb_status_e sb_pool_borrow(sb_conn_t **conn, sb_db_t *db, apr_time_t deadline,
                           sb_result_t *result);

/* Gives it back, or closes it when it is not sound. */
void sb_pool_return(sb_db_t *db, sb_conn_t *conn, bool sound);

/* Idle connections are as suspect as the one that just failed. */
void sb_pool_distrust(sb_db_t *db);

/* SQLite has one writer: waiting for the turn here costs no connection and no 100 ms naps in the
 * driver. Other databases: at once. */
sb_status_e sb_pool_writer_enter(sb_db_t *db, apr_time_t deadline, sb_result_t *result);
void sb_pool_writer_leave(sb_db_t *db);

#endif
