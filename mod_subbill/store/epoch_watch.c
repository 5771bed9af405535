/* Licensed under the Apache License, Version 2.0; see LICENSE. */
/* Looks may overlap when the database is slow, and the process that looks may be killed: so a slot is
 * counted up before it is noted as seen, and the sum is noted last. Whatever is interrupted or
 * overtaken is then counted once too often, which costs a query, never once too little. Any
 * difference counts, not only more: a database may have come back from a backup. */
#include "store/epoch_watch.h"

#include "base/clock.h"
#include "sb_statements.h"
#include "store/conn.h"

#define PAUSE       (apr_time_from_msec(250)) /* between looks */
#define RETRY_PAUSE (apr_time_from_sec(1))    /* after one that failed */

struct sb_epoch_watch_t {
    sb_epochs_t *epochs;
    sb_epoch_track_t *track;
};

typedef struct look_t {
    apr_uint64_t known; /* the sum */
    const sb_epoch_watch_t *watch;
    apr_int64_t version;             /* SQLite: data_version */
    const sb_row_epoch_list_t *rows; /* NULL: nothing has moved */
    int n;
} look_t;

/* FNV-1a, as sb_epoch_slot(); never the mark of a free track. */
static apr_uint64_t database_id(const char *driver, const char *params)
{
    const char *const parts[] = {driver, "\n", params};
    apr_uint64_t hash = APR_UINT64_C(14695981039346656037);

    for (int i = 0; i < 3; i++) {
        for (const unsigned char *p = (const unsigned char *)parts[i]; *p; p++) {
            hash = (hash ^ *p) * APR_UINT64_C(1099511628211);
        }
    }
    return hash | 1;
}

void sb_epoch_watch_create(sb_epoch_watch_t **made, sb_epochs_t *epochs,
                           const char *driver, const char *params, apr_pool_t *pool)
{
    sb_epoch_watch_t *watch = apr_pcalloc(pool, sizeof(*watch));

    watch->epochs = epochs;
    watch->track = sb_epochs_track(epochs, database_id(driver, params));
    if (!watch->track) { /* then this process looks for itself */
        watch->track = apr_pcalloc(pool, sizeof(*watch->track));
    }
    *made = watch;
}

apr_time_t sb_epoch_watch_polled_at(const sb_epoch_watch_t *watch)
{
    return __atomic_load_n(&watch->track->polled_at, __ATOMIC_ACQUIRE);
}

bool sb_epoch_watch_claim(sb_epoch_watch_t *watch, apr_time_t now)
{
    apr_int64_t due = __atomic_load_n(&watch->track->due_at, __ATOMIC_RELAXED);

    /* The file may be older than the machine's last start, when its clock began anew. */
    if (now < due && due - now <= RETRY_PAUSE) {
        return false;
    }
    return __atomic_compare_exchange_n(&watch->track->due_at, &due, now + PAUSE, false,
                                       __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

static void pass_on(const look_t *work)
{
    sb_epoch_track_t *track = work->watch->track;
    apr_uint64_t sum = 0;

    for (int i = 0; i < work->n; i++) {
        int slot = (int)work->rows[i].slot;
        apr_uint64_t value = (apr_uint64_t)work->rows[i].v;
        sum += value;
        if (slot < 0 || slot >= SB_EPOCH_SLOTS ||
            __atomic_load_n(&track->seen[slot], __ATOMIC_RELAXED) == value) {
            continue;
        }
        sb_epochs_bump(work->watch->epochs, &slot, 1);
        __atomic_store_n(&track->seen[slot], value, __ATOMIC_RELAXED);
    }
    __atomic_store_n(&track->sum, sum, __ATOMIC_RELAXED);
}

/* SQLite adds up a thousand rows here in this process; it says much sooner that nobody has written. */
static apr_status_t look_for_writers(bool *unchanged, look_t *work, sb_conn_t *conn,
                                     apr_pool_t *pool)
{
    const sb_row_data_version_t *rows;
    int n;

    *unchanged = false;
    if (conn->dsn->dialect != SB_DIALECT_SQLITE3) {
        return APR_SUCCESS;
    }
    apr_status_t rv = sb_sql_data_version(&rows, &n, conn, pool);
    if (rv == APR_SUCCESS && n) {
        work->version = rows[0].version;
        *unchanged = work->version == conn->looked_at;
    }
    return rv;
}

static apr_status_t look(void *baton, sb_conn_t *conn, apr_pool_t *pool)
{
    look_t *work = baton;
    const sb_row_epoch_sum_t *sum;
    bool unchanged;
    int n;

    work->rows = NULL;
    apr_status_t rv = look_for_writers(&unchanged, work, conn, pool);
    if (rv || unchanged) {
        return rv;
    }
    rv = sb_sql_epoch_sum(&sum, &n, conn, pool);
    if (rv == APR_SUCCESS && (!n || (apr_uint64_t)sum[0].sum != work->known)) {
        rv = sb_sql_epoch_list(&work->rows, &work->n, conn, pool);
    }
    if (rv == APR_SUCCESS && work->rows) {
        pass_on(work);
    }
    if (rv == APR_SUCCESS) {
        conn->looked_at = work->version;
    }
    return rv;
}

sb_status_e sb_epoch_watch_poll(sb_epoch_watch_t *watch, sb_db_t *db, int deadline_ms,
                                sb_result_t *result, apr_pool_t *pool)
{
    sb_epoch_track_t *track = watch->track;
    apr_time_t began = sb_clock_monotonic();
    look_t work = {.watch = watch,
                   .known = __atomic_load_n(&track->sum, __ATOMIC_RELAXED)};
    sb_status_e status = sb_db_read(db, deadline_ms, look, &work, result, pool);

    if (status != SB_OK) {
        __atomic_store_n(&track->due_at, sb_clock_monotonic() + RETRY_PAUSE,
                         __ATOMIC_RELAXED);
        return status;
    }
    __atomic_store_n(&track->polled_at, began, __ATOMIC_RELEASE);
    return SB_OK;
}
