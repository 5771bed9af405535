/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "store/connect.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "store/schema.h"

/* The client libraries connect in one call that nothing can interrupt: MariaDB's waits for ever for the
 * greeting of a server that is stopped, libpq's time limit counts whole seconds. So the call is made
 * by a thread of its own, and who needs the connection waits for it no longer than he can afford. An
 * attempt that was given up ends by itself some time, closes what it got and is counted until then,
 * so that a server that swallows attempts cannot collect more of them than the pool has places.
 * SQLite opens a file; that needs no thread. */

enum { SQLITE_LOCK_MS = 100 /* see sb_conn_open() */ };

struct sb_strays_t {
    int running;    /* atomic */
    int references; /* atomic: the pool and every attempt */
};

typedef struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool finished, given_up;
    sb_conn_t *conn;
    sb_status_e status;
    sb_result_t result;

    apr_pool_t *pool; /* its own */
    sb_dsn_t dsn;
    const apr_dbd_driver_t *driver;
    int wait_ms;
    sb_strays_t *strays;
} attempt_t;

sb_strays_t *sb_strays_create(void)
{
    sb_strays_t *strays = calloc(1, sizeof(*strays));

    if (strays) {
        strays->references = 1;
    }
    return strays;
}

int sb_strays_count(const sb_strays_t *strays)
{
    return __atomic_load_n(&strays->running, __ATOMIC_ACQUIRE);
}

void sb_strays_release(sb_strays_t *strays)
{
    if (!__atomic_sub_fetch(&strays->references, 1, __ATOMIC_ACQ_REL)) {
        free(strays);
    }
}

int sb_thread_create(pthread_t *thread, void *(*run)(void *), void *data)
{
    sigset_t all, before;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int rc = pthread_create(thread, NULL, run, data);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return rc;
}

static sb_status_e unreachable(sb_result_t *result, const char *message)
{
    sb_result_set(result, SB_UNAVAILABLE, "database_unavailable", message,
                  "The error log of the server says why.");
    if (result) {
        result->retry_after = 1;
    }
    return SB_UNAVAILABLE;
}

static sb_status_e connect_now(sb_conn_t **conn, sb_result_t *result, const sb_dsn_t *dsn,
                               const apr_dbd_driver_t *driver, int wait_ms)
{
    char error[400];

    if (sb_schema_absent(result, dsn)) {
        return SB_UNAVAILABLE;
    }
    apr_status_t rv = sb_conn_open(conn, dsn, driver, wait_ms, error, sizeof(error));
    if (APR_STATUS_IS_EAGAIN(rv)) {
        sb_result_set(result, SB_UNAVAILABLE, "database_busy", "The database is busy.",
                      "Try again in a moment.");
        return SB_UNAVAILABLE;
    }
    if (rv) {
        sb_log_limited(SB_LOG_ERROR, 0, "SB203", "database (%s): cannot connect: %s",
                       dsn->driver, error);
        return unreachable(result, "The database cannot be reached.");
    }
    sb_status_e status = sb_schema_accept(result, *conn);
    if (status) {
        sb_conn_close(*conn);
        *conn = NULL;
    }
    return status;
}

static void attempt_free(attempt_t *attempt)
{
    sb_strays_release(attempt->strays);
    pthread_cond_destroy(&attempt->changed);
    pthread_mutex_destroy(&attempt->lock);
    apr_pool_destroy(attempt->pool);
}

static void *run_attempt(void *data)
{
    attempt_t *attempt = data;

    attempt->status = connect_now(&attempt->conn, &attempt->result, &attempt->dsn,
                                  attempt->driver, attempt->wait_ms);
    pthread_mutex_lock(&attempt->lock);
    attempt->finished = true;
    bool stray = attempt->given_up;
    pthread_cond_signal(&attempt->changed);
    pthread_mutex_unlock(&attempt->lock);
    if (stray) {
        if (attempt->conn) {
            sb_conn_close(attempt->conn);
        }
        __atomic_sub_fetch(&attempt->strays->running, 1, __ATOMIC_ACQ_REL);
        attempt_free(attempt);
    }
    return NULL;
}

static attempt_t *attempt_create(const sb_dsn_t *dsn, const apr_dbd_driver_t *driver,
                                 int wait_ms, sb_strays_t *strays)
{
    pthread_condattr_t monotonic;
    apr_pool_t *pool;

    if (apr_pool_create_unmanaged_ex(&pool, NULL, NULL)) {
        return NULL;
    }
    attempt_t *attempt = apr_pcalloc(pool, sizeof(*attempt));
    attempt->pool = pool;
    attempt->driver = driver;
    attempt->wait_ms = wait_ms;
    attempt->strays = strays;
    sb_dsn_copy(&attempt->dsn, dsn, pool);
    pthread_mutex_init(&attempt->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&attempt->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    __atomic_add_fetch(&strays->references, 1, __ATOMIC_ACQ_REL);
    return attempt;
}

/* true when it finished in time; otherwise it is a stray from now on. */
static bool await(attempt_t *attempt, apr_time_t until)
{
    struct timespec end = {.tv_sec = (time_t)apr_time_sec(until),
                           .tv_nsec = (long)apr_time_usec(until) * 1000};

    pthread_mutex_lock(&attempt->lock);
    while (!attempt->finished &&
           pthread_cond_timedwait(&attempt->changed, &attempt->lock, &end) != ETIMEDOUT) {
    }
    bool finished = attempt->finished;
    if (!finished) {
        attempt->given_up = true;
        __atomic_add_fetch(&attempt->strays->running, 1, __ATOMIC_ACQ_REL);
    }
    pthread_mutex_unlock(&attempt->lock);
    return finished;
}

sb_status_e sb_connect(sb_conn_t **conn, sb_result_t *result, const sb_dsn_t *dsn,
                       const apr_dbd_driver_t *driver, apr_time_t until,
                       sb_strays_t *strays)
{
    apr_time_t left = (until - sb_clock_monotonic()) / 1000;
    pthread_t thread;

    *conn = NULL;
    if (dsn->dialect == SB_DIALECT_SQLITE3) {
        return connect_now(conn, result, dsn, driver,
                           left < SQLITE_LOCK_MS ? (int)left : SQLITE_LOCK_MS);
    }
    attempt_t *attempt = attempt_create(dsn, driver, (int)left, strays);
    if (!attempt || sb_thread_create(&thread, run_attempt, attempt)) {
        if (attempt) {
            attempt_free(attempt);
        }
        return unreachable(result, "The system gives no more threads.");
    }
    if (!await(attempt, until)) {
        pthread_detach(thread);
        sb_log_limited(SB_LOG_ERROR, 0, "SB209",
                       "database (%s): cannot connect: no answer in time", dsn->driver);
        return unreachable(result, "The database does not answer.");
    }
    pthread_join(thread, NULL);
    sb_status_e status = attempt->status;
    *conn = attempt->conn;
    if (result) {
        *result = attempt->result;
    }
    attempt_free(attempt);
    return status;
}
