/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_STORE_DB_H
#define SB_STORE_DB_H

#include <stdbool.h>

#include <apr_pools.h>

#include "base/result.h"

/* One database and the connections to it. A piece of work borrows a connection for as long as it
 * queries and not a moment longer; it is handed to a function, so that the whole work can be
 * repeated when a connection turns out to be dead, and rolled back when it fails half-way. */

typedef struct sb_db_t sb_db_t;
typedef struct sb_conn_t sb_conn_t;

typedef enum { SB_DIALECT_SQLITE3, SB_DIALECT_PGSQL, SB_DIALECT_MYSQL } sb_dialect_e;
enum { SB_DIALECTS = 3 };

/* A work function returns this to roll back on purpose: no error, no log line, no repetition. */
#define SB_DB_ROLLBACK (APR_OS_START_USERERR + 51)
/* What statements answer after a failure; the work function hands it up unchanged. */
#define SB_DB_FAILED (APR_OS_START_USERERR + 52)

/* Called after COMMIT with the epoch slots the transaction touched (sorted, without doubles); also when
 * the answer to COMMIT was lost or was no, since looking once too often does no harm. */
typedef void (*sb_db_committed_fn)(void *baton, const int *slots, int n);

typedef struct sb_db_options_t {
    const char *driver; /* "sqlite3", "pgsql" or "mysql" */
    const char
        *params; /* path; conninfo or postgres:// URL; "host=… user=… pass=… dbname=…" */
    int pool_max;     /* connections per process, 0 = 8 */
    int pool_wait_ms; /* how long to wait for a free one, 0 = 250 */
    sb_db_committed_fn committed;
    void *baton;
} sb_db_options_t;

typedef struct sb_db_stats_t {
    apr_uint64_t queries;   /* statements sent, without BEGIN, COMMIT and the like */
    apr_uint64_t connected; /* connections opened */
    apr_uint64_t borrowed;  /* times a connection was handed out */
    apr_uint64_t waited;    /* times that took waiting */
    apr_uint64_t exhausted; /* times the wait was in vain */
    apr_uint64_t repeated;  /* works repeated after a failure */
    apr_uint64_t reaped;    /* connections cut at their deadline */
    int open, idle, in_use; /* right now */
} sb_db_stats_t;

/* A piece of work. It may run more than once (dead connection, deadlock, a COMMIT whose answer was
 * lost), so it must be idempotent: set, do not add, whatever lies outside the database. conn is
 * valid until it returns; pool is the caller's, so that what it reads stays. After an error from
 * any sb_… call it returns that error at once: every later statement would fail the same way. */
typedef apr_status_t (*sb_db_work_fn)(void *baton, sb_conn_t *conn, apr_pool_t *pool);

/* Makes the pool; connects to nothing yet. Create it in the process that uses it (after the fork).
 * The cleanup of pool closes every connection and joins the reaper. The strings of options must
 * live as long as pool. SB_INVALID (code "bad_database") for an unknown or missing driver. */
sb_status_e sb_db_create(sb_db_t **db, sb_result_t *result,
                         const sb_db_options_t *options, apr_pool_t *pool);

/* Runs work for reading, without a transaction. deadline_ms bounds the whole call: waiting for a
 * connection, queries and the repetition; only opening a new connection may take up to 3 s more,
 * once in a second and process when the database does not answer. On a locked SQLite file it
 * gives up after about 200 ms whatever the deadline.
 * SB_UNAVAILABLE with code
 *   database_unavailable  cannot be reached, did not answer in time, disk full, corrupt …
 *   database_busy         every connection is in use, or the SQLite file is locked
 *   database_refused      it refused a statement (constraint, bad data): trying again is no use
 *   schema_missing, schema_incompatible   hint names `subbillctl migrate`
 * SB_INTERNAL (work_failed) when work returned an error of its own. */
sb_status_e sb_db_read(sb_db_t *db, int deadline_ms, sb_db_work_fn work, void *baton,
                       sb_result_t *result, apr_pool_t *pool);

/* The same for work that selects more than once and must not see half of somebody's transaction: all its
 * selects see the same moment. Costs two or three round trips more. */
sb_status_e sb_db_snapshot(sb_db_t *db, int deadline_ms, sb_db_work_fn work, void *baton,
                           sb_result_t *result, apr_pool_t *pool);

/* The same in one transaction: all of work's statements or none. Deadlocks and serialization
 * failures are repeated up to three times, everything else once on a fresh connection. Write for
 * READ COMMITTED. SB_OK after a commit, and after SB_DB_ROLLBACK (the baton says why). */
sb_status_e sb_db_transaction(sb_db_t *db, int deadline_ms, sb_db_work_fn work,
                              void *baton, sb_result_t *result, apr_pool_t *pool);

/* Inside a transaction: access of this user may change. The transaction's last statements bump the
 * touched slots in the database, options.committed those of this host. */
void sb_epoch_touch(sb_conn_t *conn, const char *user);

/* A copy of the counters. */
sb_db_stats_t sb_db_stats(sb_db_t *db);

#endif
