/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include <apr_strings.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "store/pool.h"

/* Running a piece of work: borrow, begin, work, bump the epochs, commit, return. What happens after a
 * failure depends on what it says (sb_native_classify): a lost connection makes all idle ones
 * suspect and the work runs once more on a fresh one; a deadlock lets it run again as it is; a
 * refused statement is final. Whatever happens, a transaction is committed only when every statement
 * in it and COMMIT itself succeeded. */

enum {
    DEFAULT_POOL_MAX = 8,
    DEFAULT_WAIT_MS = 250,
    CONFLICT_REPEATS = 3,
    LOST_REPEATS = 1,
    CONFLICT_PAUSE_US = 5000,
    SQLITE_READ_LOCK_MS = 100, /* plus the driver's nap of 100 ms, see sb_conn_open() */
    SQLITE_WRITE_MARGIN_MS = 100
};

typedef struct {
    sb_db_t *db;
    bool transaction;
    bool snapshot;
    sb_db_work_fn fn;
    void *baton;
    apr_time_t deadline;
    apr_pool_t *pool;
} work_t;

/* What became of one attempt. */
typedef struct {
    apr_status_t rv;
    sb_failure_e failure;
    bool cut;
    bool committing;   /* COMMIT was sent; whether it arrived, only its answer says */
    bool sound;        /* the connection may be used again */
    const char *where; /* which statement failed, and what the driver said */
    char message[400];
    int slots[SB_EPOCH_SLOTS];
    int slots_n;
} attempt_t;

sb_status_e sb_db_create(sb_db_t **out, sb_result_t *result,
                         const sb_db_options_t *options, apr_pool_t *pool)
{
    const apr_dbd_driver_t *driver;
    apr_pool_t *own;
    sb_dsn_t dsn;

    *out = NULL;
    sb_status_e status =
        sb_dsn_parse(&dsn, result, options->driver, options->params, pool);
    if (status) {
        return status;
    }
    status = sb_conn_driver(&driver, result, &dsn, pool);
    if (status) {
        return status;
    }
    if (apr_pool_create_unmanaged_ex(&own, NULL, NULL)) {
        return sb_result_set(result, SB_INTERNAL, "out_of_memory", "Out of memory.",
                             NULL);
    }
    apr_pool_tag(own, "subbill_db");
    sb_db_t *db = apr_pcalloc(own, sizeof(*db));
    db->pool = own;
    db->driver = driver;
    sb_dsn_copy(&db->dsn, &dsn, own);
    db->options = *options;
    if (db->options.pool_max <= 0) {
        db->options.pool_max = DEFAULT_POOL_MAX;
    }
    if (db->options.pool_wait_ms <= 0) {
        db->options.pool_wait_ms = DEFAULT_WAIT_MS;
    }
    if (sb_pool_init(db, pool)) {
        apr_pool_destroy(own);
        return sb_result_set(result, SB_INTERNAL, "out_of_memory", "Out of memory.",
                             NULL);
    }
    *out = db;
    return SB_OK;
}

/* Ascending order, so that two transactions never wait for each other's slots. */
static apr_status_t bump_epochs(attempt_t *attempt, sb_conn_t *conn, apr_pool_t *pool)
{
    attempt->slots_n = sb_conn_touched(attempt->slots, conn);
    for (int i = 0; i < attempt->slots_n; i++) {
        apr_status_t rv = sb_sql_epoch_bump(NULL, conn, attempt->slots[i], pool);
        if (rv) {
            return rv;
        }
    }
    return APR_SUCCESS;
}

static apr_status_t run_transaction(attempt_t *attempt, const work_t *work,
                                    sb_conn_t *conn)
{
    apr_status_t rv = sb_conn_command(conn, SB_STATEMENT_BEGIN);

    if (rv) {
        return rv;
    }
    rv = work->fn(work->baton, conn, work->pool);
    if (!rv) {
        rv = bump_epochs(attempt, conn, work->pool);
    }
    if (!rv) {
        attempt->committing = true;
        rv = sb_conn_command(conn, SB_STATEMENT_COMMIT);
    }
    if (rv || conn->failure) {
        attempt->sound = !sb_conn_rollback(conn);
    }
    return rv;
}

static apr_status_t run_snapshot(attempt_t *attempt, const work_t *work, sb_conn_t *conn)
{
    apr_status_t rv = APR_SUCCESS;

    if (conn->dsn->dialect == SB_DIALECT_MYSQL) {
        rv = sb_conn_command(conn, SB_STATEMENT_SNAPSHOT_ISOLATION);
    }
    if (!rv) {
        rv = sb_conn_command(conn, SB_STATEMENT_BEGIN_SNAPSHOT);
    }
    if (rv) {
        attempt->sound = false;
        return rv;
    }
    rv = work->fn(work->baton, conn, work->pool);
    attempt->sound = !sb_conn_rollback(conn);
    return rv;
}

static void attempt_work(attempt_t *attempt, const work_t *work, sb_conn_t *conn)
{
    apr_time_t locked_until = work->transaction
                                  ? work->deadline - SQLITE_WRITE_MARGIN_MS * 1000
                                  : sb_clock_monotonic() + SQLITE_READ_LOCK_MS * 1000;

    attempt->sound = true;
    sb_conn_begin_work(conn, locked_until);
    attempt->rv = work->transaction ? run_transaction(attempt, work, conn)
                  : work->snapshot  ? run_snapshot(attempt, work, conn)
                                    : work->fn(work->baton, conn, work->pool);
    attempt->failure = conn->failure;
    attempt->cut = __atomic_load_n(&conn->cut, __ATOMIC_RELAXED);
    if (attempt->failure) {
        if (attempt->cut && attempt->failure != SB_FAILURE_BUSY) {
            attempt->failure = SB_FAILURE_LOST;
        }
        if (attempt->failure == SB_FAILURE_LOST ||
            attempt->failure == SB_FAILURE_SCHEMA) {
            attempt->sound = false;
        }
        attempt->where = conn->failed_in ? conn->failed_in : "work";
        apr_cpystrn(attempt->message,
                    attempt->cut ? "did not answer in time" : conn->message,
                    sizeof(attempt->message));
    }
}

static bool once_more(const attempt_t *attempt, const work_t *work, int *lost,
                      int *conflicts)
{
    if (attempt->cut || sb_clock_monotonic() >= work->deadline) {
        return false;
    }
    switch (attempt->failure) {
    case SB_FAILURE_CONFLICT:
        if ((*conflicts)++ == CONFLICT_REPEATS) {
            return false;
        }
        /* the one it collided with gets a head start */
        usleep(
            (useconds_t)(CONFLICT_PAUSE_US * *conflicts + random() % CONFLICT_PAUSE_US));
        return true;
    case SB_FAILURE_LOST:
    case SB_FAILURE_SCHEMA:
        return (*lost)++ < LOST_REPEATS;
    default:
        return false;
    }
}

static sb_status_e report(const attempt_t *attempt, sb_result_t *result)
{
    static const char log_hint[] = "The error log of the server says why.";

    if (!attempt->failure && (!attempt->rv || attempt->rv == SB_DB_ROLLBACK)) {
        return SB_OK;
    }
    if (!attempt->failure) {
        sb_log_limited(SB_LOG_ERROR, attempt->rv, "SB208",
                       "database: a piece of work gave up");
        return sb_result_set(result, SB_INTERNAL, "work_failed", "Something went wrong.",
                             log_hint);
    }
    switch (attempt->failure) {
    case SB_FAILURE_BUSY:
        sb_result_set(result, SB_UNAVAILABLE, "database_busy", "The database is busy.",
                      "Try again in a moment.");
        break;
    case SB_FAILURE_REFUSED:
        return sb_result_set(result, SB_UNAVAILABLE, "database_refused",
                             "The database refused a change.", log_hint);
    case SB_FAILURE_SCHEMA:
        return sb_result_set(result, SB_UNAVAILABLE, "schema_incompatible",
                             "The database and this server do not fit together.",
                             "Run `subbillctl migrate`.");
    default:
        sb_result_set(result, SB_UNAVAILABLE, "database_unavailable",
                      attempt->cut ? "The database did not answer in time."
                                   : "The database cannot be reached.",
                      log_hint);
        break;
    }
    if (result) {
        result->retry_after = 1;
    }
    return SB_UNAVAILABLE;
}

static sb_status_e run(const work_t *work, sb_result_t *result)
{
    sb_db_t *db = work->db;
    int lost = 0, conflicts = 0;
    attempt_t attempt;
    bool again;

    do {
        sb_conn_t *conn;
        sb_status_e status = sb_pool_borrow(&conn, db, work->deadline, result);
        if (status) {
            return status;
        }
        attempt.slots_n = 0;
        attempt.committing = false;
        attempt.message[0] = '\0';
        attempt_work(&attempt, work, conn);
        if (attempt.failure == SB_FAILURE_LOST || attempt.failure == SB_FAILURE_SCHEMA) {
            sb_pool_distrust(db);
        }
        sb_pool_return(db, conn, attempt.sound);
        if (attempt.committing && attempt.slots_n && db->options.committed) {
            db->options.committed(db->options.baton, attempt.slots, attempt.slots_n);
        }
        if (lost + conflicts) {
            __atomic_add_fetch(&db->stats.repeated, 1, __ATOMIC_RELAXED);
        }
        again = attempt.failure && once_more(&attempt, work, &lost, &conflicts);
        if (attempt.failure) { /* what heals by itself is no error */
            sb_log_limited(again ? SB_LOG_INFO : SB_LOG_ERROR, 0,
                           again ? "SB210" : "SB207", "database (%s): %s: %s%s",
                           db->dsn.driver, attempt.where, attempt.message,
                           again ? "; trying again" : "");
        }
    } while (again);
    return report(&attempt, result);
}

sb_status_e sb_db_read(sb_db_t *db, int deadline_ms, sb_db_work_fn fn, void *baton,
                       sb_result_t *result, apr_pool_t *pool)
{
    work_t work = {
        .db = db,
        .fn = fn,
        .baton = baton,
        .deadline = sb_clock_monotonic() + (apr_time_t)deadline_ms * 1000,
        .pool = pool,
    };

    return run(&work, result);
}

sb_status_e sb_db_snapshot(sb_db_t *db, int deadline_ms, sb_db_work_fn fn, void *baton,
                           sb_result_t *result, apr_pool_t *pool)
{
    work_t work = {
        .db = db,
        .snapshot = true,
        .fn = fn,
        .baton = baton,
        .deadline = sb_clock_monotonic() + (apr_time_t)deadline_ms * 1000,
        .pool = pool,
    };

    return run(&work, result);
}

sb_status_e sb_db_transaction(sb_db_t *db, int deadline_ms, sb_db_work_fn fn, void *baton,
                              sb_result_t *result, apr_pool_t *pool)
{
    work_t work = {
        .db = db,
        .transaction = true,
        .fn = fn,
        .baton = baton,
        .deadline = sb_clock_monotonic() + (apr_time_t)deadline_ms * 1000,
        .pool = pool,
    };

    sb_status_e status = sb_pool_writer_enter(db, work.deadline, result);
    if (status) {
        return status;
    }
    status = run(&work, result);
    sb_pool_writer_leave(db);
    return status;
}

sb_db_stats_t sb_db_stats(sb_db_t *db)
{
    pthread_mutex_lock(&db->lock);
    sb_db_stats_t stats = db->stats;
    stats.open = db->open;
    pthread_mutex_unlock(&db->lock);
    return stats;
}
