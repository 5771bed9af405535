/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_STORE_CONN_H
#define SB_STORE_CONN_H

#include <apr_dbd.h>
#include <pthread.h>
#include <sys/stat.h>

#include "sb_statements.h"
#include "store/dsn.h"
#include "store/epochs.h"
#include "store/native.h"

/* One connection, inside store/ only. It is used by one thread at a time; the reaper alone looks at
 * it from another, and only at native, fd and cut, under the pool's lock. */

struct sb_conn_t {
    sb_dsn_t *dsn; /* its own copy: a connection may outlive the pool it was meant for */
    const apr_dbd_driver_t *driver;
    apr_dbd_t *handle;
    void *native;
    int fd; /* a duplicate of the socket, so that its number is ours; -1 for SQLite */
    apr_pool_t *pool; /* its own, with its own allocator; dies with the connection */
    apr_pool_t *statements;
    apr_pool_t *scratch; /* what a driver allocates for one statement */
    apr_dbd_prepared_t *prepared[SB_STATEMENTS];

    /* The first failure of the running work; everything after it answers SB_DB_FAILED. */
    sb_failure_e failure;
    char message[400]; /* of the driver, fit for the log */
    const char *failed_in;

    apr_uint64_t queries;
    apr_uint64_t touched[SB_EPOCH_SLOTS / 64]; /* bitmap of epoch slots */

    /* SQLite: what the file was when it was opened, and how long a lock may be waited for. */
    struct stat file, wal;
    bool wal_seen;
    apr_time_t busy_until;
    bool locked_out;       /* and it was in vain */
    apr_int64_t looked_at; /* its data_version at the last look at the epochs; 0: none */

    /* Kept by the pool. */
    sb_conn_t *next;
    unsigned generation;
    apr_time_t deadline;   /* monotonic, while borrowed */
    apr_time_t idle_since; /* monotonic, while idle */
    pthread_t owner;       /* while borrowed */
    bool cut;              /* the reaper cut it; atomic */
};

/* apr_dbd's driver for dsn; SB_INVALID (bad_database) when it is not installed. */
sb_status_e sb_conn_driver(const apr_dbd_driver_t **driver, sb_result_t *result,
                           const sb_dsn_t *dsn, apr_pool_t *pool);

/* Connects and sets the session up. On failure *conn is NULL and error (size bytes) says why. wait_ms
 * bounds the wait for a locked SQLite file; APR_EAGAIN when it was in vain. */
apr_status_t sb_conn_open(sb_conn_t **conn, const sb_dsn_t *dsn,
                          const apr_dbd_driver_t *driver, int wait_ms, char *error,
                          apr_size_t size);

void sb_conn_close(sb_conn_t *conn);

/* Before each work: forgets failure and touched slots. busy_until: how long to wait for a locked
 * SQLite file. */
void sb_conn_begin_work(sb_conn_t *conn, apr_time_t busy_until);

/* Sends a command of sql/queries as it is; fails when the work has failed before. */
apr_status_t sb_conn_command(sb_conn_t *conn, int id);

/* Sends a step of a migration. */
apr_status_t sb_conn_step(sb_conn_t *conn, const char *sql);

/* ROLLBACK, which a failure does not stop; not 0 when the connection is not fit for more. */
apr_status_t sb_conn_rollback(sb_conn_t *conn);

/* The touched slots, ascending; returns how many. */
int sb_conn_touched(int slots[SB_EPOCH_SLOTS], const sb_conn_t *conn);

/* SQLite: the file or its journal was replaced or removed since the connection was opened. */
bool sb_conn_file_changed(const sb_conn_t *conn);

/* SQLite: remembers the journal, once there is one. */
void sb_conn_note_wal(sb_conn_t *conn);

#endif
