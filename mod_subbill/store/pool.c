/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "store/pool.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

/* A list of idle connections, a list of borrowed ones and a thread that looks after both. Not
 * apr_reslist, whose constructor runs under the list's lock: one slow connect would hold up every
 * thread past any bound. Here nothing slow happens under the lock: connecting and closing are done
 * outside, and who waits, waits on a condition with an end.
 *
 * While the database is not known to answer, one connection is tried at a time; after a failure nobody
 * tries for a second. So an outage costs one thread per process and second a wait, and the others a
 * refusal at once.
 *
 * The reaper exists because apr_dbd cannot time out: it shuts down the socket of a connection that
 * outlived its deadline (the thread inside gets an error and goes on), on SQLite it interrupts the
 * statement. A thread that is still connecting is none of its business: sb_connect() bounds that.
 *
 * The end: httpd destroys its pools when no thread is left inside, except that a child of prefork does so in
 * a signal handler, on top of its only thread, which may be in the middle of anything here. Then
 * nothing may be waited for and nothing touched: the process is over in a moment, the kernel closes
 * what is open, and the memory of the pool stays for the reaper. */

enum {
    CONNECT_MS = 3000,
    RETRY_AFTER_S = 1,
    TICK_US = 50000,
    IDLE_S = 60,
    NAP_S = 15,
    GOODBYE_S = 2,
    LOCK_TRIES = 50 /* of a millisecond; nobody holds the lock that long */
};

static struct timespec at(apr_time_t monotonic)
{
    return (struct timespec){.tv_sec = (time_t)apr_time_sec(monotonic),
                             .tv_nsec = (long)apr_time_usec(monotonic) * 1000};
}

/* false when until has passed. */
static bool wait_on(pthread_cond_t *condition, sb_db_t *db, apr_time_t until)
{
    struct timespec end = at(until);

    return pthread_cond_timedwait(condition, &db->lock, &end) != ETIMEDOUT;
}

static void unlink_conn(sb_conn_t **list, const sb_conn_t *conn)
{
    while (*list != conn) {
        list = &(*list)->next;
    }
    *list = conn->next;
}

/* Takes what is too old, too long idle, or everything, out of the idle list. */
static sb_conn_t *take_expired(sb_db_t *db, apr_time_t idle_before, bool all)
{
    sb_conn_t *expired = NULL;
    sb_conn_t **at_conn = &db->idle;

    while (*at_conn) {
        sb_conn_t *conn = *at_conn;
        if (all || conn->generation != db->generation || conn->idle_since < idle_before) {
            *at_conn = conn->next;
            conn->next = expired;
            expired = conn;
            db->open--;
            db->stats.idle--;
        }
        else {
            at_conn = &conn->next;
        }
    }
    return expired;
}

static void close_list(sb_conn_t *list)
{
    while (list) {
        sb_conn_t *next = list->next;
        sb_conn_close(list);
        list = next;
    }
}

static void cut_overdue(sb_db_t *db, apr_time_t now)
{
    for (sb_conn_t *conn = db->in_use; conn; conn = conn->next) {
        if (conn->deadline > now) {
            continue;
        }
        if (!__atomic_exchange_n(&conn->cut, true, __ATOMIC_RELAXED)) {
            db->stats.reaped++;
            if (conn->fd >= 0) {
                shutdown(conn->fd, SHUT_RDWR);
            }
        }
        if (conn->dsn->dialect == SB_DIALECT_SQLITE3) {
            sb_native_interrupt(
                conn->native); /* ends one statement; the next tick the next one */
        }
    }
}

static void *reap(void *data)
{
    sb_db_t *db = data;

    pthread_mutex_lock(&db->lock);
    while (!db->stopping) {
        apr_time_t now = sb_clock_monotonic();
        cut_overdue(db, now);
        sb_conn_t *expired = take_expired(db, now - apr_time_from_sec(IDLE_S), false);
        if (expired) {
            pthread_mutex_unlock(&db->lock);
            close_list(expired);
            pthread_mutex_lock(&db->lock);
            continue;
        }
        if (db->in_use) {
            wait_on(&db->tick, db, now + TICK_US);
        }
        else {
            db->reaper_naps = true;
            if (db->idle) {
                wait_on(&db->tick, db, now + apr_time_from_sec(NAP_S));
            }
            else {
                pthread_cond_wait(&db->tick, &db->lock);
            }
            db->reaper_naps = false;
        }
    }
    pthread_mutex_unlock(&db->lock);
    return NULL;
}

/* Under the lock. */
static void wake_reaper(sb_db_t *db)
{
    if (db->reaping) {
        if (db->reaper_naps) {
            pthread_cond_signal(&db->tick);
        }
        return;
    }
    db->reaping = !sb_thread_create(&db->reaper, reap, db);
    if (!db->reaping) {
        sb_log_limited(
            SB_LOG_ERROR, 0, "SB201",
            "database: no thread for deadlines; a hanging server would hang requests");
    }
}

static bool lock_patiently(sb_db_t *db)
{
    for (int i = 0; i < LOCK_TRIES; i++) {
        if (!pthread_mutex_trylock(&db->lock)) {
            return true;
        }
        usleep(1000);
    }
    return false;
}

/* Under the lock: this very thread has borrowed a connection, so it was interrupted. */
static bool interrupted(const sb_db_t *db)
{
    for (const sb_conn_t *conn = db->in_use; conn; conn = conn->next) {
        if (pthread_equal(conn->owner, pthread_self())) {
            return true;
        }
    }
    return false;
}

static apr_status_t stop(void *data)
{
    sb_db_t *db = data;

    if (!lock_patiently(db)) {
        return APR_SUCCESS;
    }
    bool deserted = !db->in_use; /* else somebody may still look at db when he is done */
    db->stopping = true;
    if (interrupted(db)) {
        pthread_cond_signal(&db->tick);
        pthread_mutex_unlock(&db->lock);
        return APR_SUCCESS;
    }
    cut_overdue(db, APR_INT64_MAX);
    apr_time_t until = sb_clock_monotonic() + apr_time_from_sec(GOODBYE_S);
    while (db->in_use && wait_on(&db->freed, db, until)) {
    }
    sb_conn_t *idle = take_expired(db, 0, true);
    pthread_cond_signal(&db->tick);
    bool join = db->reaping;
    pthread_mutex_unlock(&db->lock);
    close_list(idle);
    if (join) {
        pthread_join(db->reaper, NULL);
    }
    if (deserted) {
        sb_strays_release(db->strays);
        apr_pool_destroy(db->pool);
    }
    return APR_SUCCESS;
}

apr_status_t sb_pool_init(sb_db_t *db, apr_pool_t *pool)
{
    pthread_condattr_t monotonic;

    db->strays = sb_strays_create();
    if (!db->strays) {
        return APR_ENOMEM;
    }
    pthread_mutex_init(&db->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&db->freed, &monotonic);
    pthread_cond_init(&db->tick, &monotonic);
    pthread_condattr_destroy(&monotonic);
    apr_pool_cleanup_register(pool, db, stop, apr_pool_cleanup_null);
    return APR_SUCCESS;
}

static sb_status_e unavailable(sb_result_t *result, const char *message)
{
    sb_result_set(result, SB_UNAVAILABLE, "database_unavailable", message,
                  "The error log of the server says why.");
    if (result) {
        result->retry_after = RETRY_AFTER_S;
    }
    return SB_UNAVAILABLE;
}

static sb_status_e locked(sb_result_t *result)
{
    sb_result_set(result, SB_UNAVAILABLE, "database_busy", "The database is busy.",
                  "Try again in a moment.");
    if (result) {
        result->retry_after = RETRY_AFTER_S;
    }
    return SB_UNAVAILABLE;
}

static sb_status_e busy(sb_db_t *db, sb_result_t *result, const char *message)
{
    db->stats.exhausted++;
    sb_log_limited(SB_LOG_WARNING, 0, "SB202",
                   "database (%s): %s; SubbillDatabasePool %d", db->dsn.driver, message,
                   db->options.pool_max);
    return locked(result);
}

/* Under the lock, which it leaves while connecting. */
static sb_status_e open_one(sb_conn_t **conn, sb_db_t *db, apr_time_t deadline,
                            sb_result_t *result)
{
    sb_result_t outcome = {.status = SB_OK};
    unsigned generation = db->generation;
    apr_time_t until = sb_clock_monotonic() + (apr_time_t)CONNECT_MS * 1000;

    if (until > deadline) {
        until = deadline;
    }
    db->open++;
    db->opening++;
    pthread_mutex_unlock(&db->lock);
    sb_status_e status =
        sb_connect(conn, &outcome, &db->dsn, db->driver, until, db->strays);
    pthread_mutex_lock(&db->lock);
    db->opening--;
    db->proven = status == SB_OK;
    if (status) {
        db->open--;
        db->down = outcome;
        if (strcmp(outcome.code, "database_busy")) { /* a lock may be gone in a moment */
            db->down_until = sb_clock_monotonic() + apr_time_from_sec(RETRY_AFTER_S);
        }
        if (result) {
            *result = outcome;
        }
        pthread_cond_broadcast(&db->freed);
        return status;
    }
    db->stats.connected++;
    (*conn)->generation = generation;
    pthread_cond_broadcast(&db->freed);
    return SB_OK;
}

/* Under the lock: the idle connection used last, if it may still be used. */
static sb_conn_t *take_idle(sb_db_t *db)
{
    sb_conn_t *conn = db->idle;

    if (conn && sb_conn_file_changed(conn)) {
        db->generation++;
    }
    if (conn && conn->generation == db->generation) {
        db->idle = conn->next;
        db->stats.idle--;
        return conn;
    }
    return NULL;
}

sb_status_e sb_pool_borrow(sb_conn_t **out, sb_db_t *db, apr_time_t deadline,
                           sb_result_t *result)
{
    apr_time_t now = sb_clock_monotonic();
    apr_time_t until = now + (apr_time_t)db->options.pool_wait_ms * 1000;
    sb_status_e status = SB_OK;
    bool waited = false;
    sb_conn_t *conn;

    if (until > deadline) {
        until = deadline;
    }
    *out = NULL;
    pthread_mutex_lock(&db->lock);
    while (!(conn = take_idle(db))) {
        sb_conn_t *expired = take_expired(db, 0, false);
        if (expired) { /* closed before anything new is opened: SQLite's last one tidies up */
            pthread_mutex_unlock(&db->lock);
            close_list(expired);
            pthread_mutex_lock(&db->lock);
            continue;
        }
        now = sb_clock_monotonic();
        if (db->open + sb_strays_count(db->strays) < db->options.pool_max &&
            (db->proven || !db->opening)) {
            if (db->down_until > now) {
                status = db->down.status;
                if (result) {
                    *result = db->down;
                }
                break;
            }
            status = open_one(&conn, db, deadline, result);
            break;
        }
        waited = true;
        if (now >= until || !wait_on(&db->freed, db, until)) {
            status = db->proven ? busy(db, result, "every connection is in use")
                                : unavailable(result, "The database does not answer.");
            break;
        }
    }
    db->stats.waited += waited;
    if (!status) {
        conn->deadline = deadline;
        conn->owner = pthread_self();
        conn->next = db->in_use;
        db->in_use = conn;
        db->stats.borrowed++;
        db->stats.in_use++;
        wake_reaper(db);
        *out = conn;
    }
    pthread_mutex_unlock(&db->lock);
    return status;
}

void sb_pool_return(sb_db_t *db, sb_conn_t *conn, bool sound)
{
    /* Nobody watches a close: the driver of MariaDB would wait without bound for the rest of an answer
     * that was given up. */
    if (!sound && conn->fd >= 0) {
        shutdown(conn->fd, SHUT_RDWR);
    }
    sb_conn_note_wal(conn);
    pthread_mutex_lock(&db->lock);
    unlink_conn(&db->in_use, conn);
    db->stats.in_use--;
    db->stats.queries += conn->queries;
    conn->queries = 0;
    if (conn->cut || conn->generation != db->generation || db->stopping) {
        sound = false;
    }
    if (sound) {
        conn->idle_since = sb_clock_monotonic();
        conn->next = db->idle;
        db->idle = conn;
        db->stats.idle++;
    }
    else {
        db->open--;
    }
    pthread_cond_broadcast(&db->freed);
    pthread_mutex_unlock(&db->lock);
    if (!sound) {
        sb_conn_close(conn);
    }
}

void sb_pool_distrust(sb_db_t *db)
{
    pthread_mutex_lock(&db->lock);
    db->generation++;
    pthread_mutex_unlock(&db->lock);
}

sb_status_e sb_pool_writer_enter(sb_db_t *db, apr_time_t deadline, sb_result_t *result)
{
    sb_status_e status = SB_OK;

    if (db->dsn.dialect != SB_DIALECT_SQLITE3) {
        return SB_OK;
    }
    pthread_mutex_lock(&db->lock);
    while (db->writing && !status) {
        if (!wait_on(&db->freed, db, deadline) && db->writing) {
            status = busy(db, result, "other transactions hold the file");
        }
    }
    db->writing = db->writing || !status;
    pthread_mutex_unlock(&db->lock);
    return status;
}

void sb_pool_writer_leave(sb_db_t *db)
{
    if (db->dsn.dialect != SB_DIALECT_SQLITE3) {
        return;
    }
    pthread_mutex_lock(&db->lock);
    db->writing = false;
    pthread_cond_broadcast(&db->freed);
    pthread_mutex_unlock(&db->lock);
}
