/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "store/conn.h"

#include <apr_strings.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"

/* A connection over apr_dbd, with its traps walked round:
 *  - statements are prepared without a label: nothing on the server that could be missing later;
 *  - selects ask for random access and name their rows, the one way that works everywhere and does
 *    not sleep; rows are copied at once and the driver's memory is released with them;
 *  - NULL is asked for by apr_dbd_datum_get(), because PostgreSQL's driver reads it as "";
 *  - transactions are plain commands: apr_dbd's own report success after a rollback;
 *  - the first failure sticks, so that a work which overlooks one cannot commit the rest. */

enum {
    BUSY_STEP_US = 1000, /* SQLite: between two looks at a locked file … */
    BUSY_STEPS =
        20, /* … and so often, since the driver holds its process-wide lock meanwhile */
    SQLITE_ROW =
        100 /* what apr_dbd_query() answers for a PRAGMA that tells its new value */
};

struct sb_rows_t {
    int count, columns;
    const char **cells;
};

/* Never negative; said so that the analysis of arrays of so many can see it, too. */
int sb_rows_count(const sb_rows_t *rows)
{
    return rows->count > 0 ? rows->count : 0;
}

const char *sb_rows_text(const sb_rows_t *rows, int row, int column)
{
    return rows->cells[row * rows->columns + column];
}

apr_int64_t sb_rows_int(const sb_rows_t *rows, int row, int column)
{
    const char *text = sb_rows_text(rows, row, column);

    return text ? (apr_int64_t)strtoll(text, NULL, 10) : 0;
}

/* The file is locked by another process. Most locks last a millisecond, so look again soon; then give
 * the driver's lock back for the 100 ms that it sleeps by itself; and in the end make the statement
 * fail, because the driver would go on for a second and a half. */
static int on_busy(void *baton, int count)
{
    sb_conn_t *conn = baton;

    if (sb_clock_monotonic() >= conn->busy_until) {
        conn->locked_out = true;
        sb_native_interrupt(conn->native);
        return 0;
    }
    if (count >= BUSY_STEPS) {
        return 0;
    }
    usleep(BUSY_STEP_US);
    return 1;
}

sb_status_e sb_conn_driver(const apr_dbd_driver_t **driver, sb_result_t *result,
                           const sb_dsn_t *dsn, apr_pool_t *pool)
{
    apr_status_t rv = apr_dbd_init(pool);

    if (!rv) {
        rv = apr_dbd_get_driver(pool, dsn->driver, driver);
    }
    if (!rv) {
        return SB_OK;
    }
    return sb_result_setf(
        result, pool, SB_INVALID, "bad_database",
        "On Debian the package is libaprutil1-dbd-sqlite3, -pgsql or -mysql.",
        "APR's database driver %s is not installed.", dsn->driver);
}

static apr_status_t session(sb_conn_t *conn)
{
    apr_status_t rv = sb_conn_command(conn, SB_STATEMENT_SESSION_LIMITS);

    return rv ? rv : sb_conn_command(conn, SB_STATEMENT_SESSION_ISOLATION);
}

apr_status_t sb_conn_open(sb_conn_t **out, const sb_dsn_t *dsn,
                          const apr_dbd_driver_t *driver, int wait_ms, char *error,
                          apr_size_t size)
{
    const char *reason = NULL;
    apr_pool_t *pool;

    *out = NULL;
    apr_status_t rv = apr_pool_create_unmanaged_ex(&pool, NULL, NULL);
    if (rv) {
        apr_cpystrn(error, "out of memory", size);
        return rv;
    }
    apr_pool_tag(pool, "subbill_conn");
    sb_conn_t *conn = apr_pcalloc(pool, sizeof(*conn));
    conn->pool = pool;
    conn->dsn = apr_palloc(pool, sizeof(*conn->dsn));
    sb_dsn_copy(conn->dsn, dsn, pool);
    dsn = conn->dsn;
    conn->driver = driver;
    conn->fd = -1;
    apr_pool_create(&conn->scratch, pool);
    apr_pool_create(&conn->statements, pool);
    /* looked at before the open: a file that is replaced in between must not pass for this one */
    if (dsn->path && stat(dsn->path, &conn->file)) {
        apr_cpystrn(error, "the file cannot be found", size);
        apr_pool_destroy(pool);
        return SB_DB_FAILED;
    }
    rv = apr_dbd_open_ex(driver, pool, dsn->params, &conn->handle, &reason);
    if (rv) {
        apr_cpystrn(error, sb_dsn_redact(dsn, reason, pool), size);
        apr_pool_destroy(pool);
        return SB_DB_FAILED;
    }
    conn->native = apr_dbd_native_handle(driver, conn->handle);
    conn->fd = sb_native_socket(dsn->dialect, conn->native);
    sb_native_verbose(dsn->dialect, conn->native);
    sb_conn_begin_work(conn, sb_clock_monotonic() + (apr_time_t)wait_ms * 1000);
    if (dsn->dialect == SB_DIALECT_SQLITE3) {
        sb_native_busy_handler(conn->native, on_busy, conn);
    }
    if (session(conn)) {
        rv = conn->failure == SB_FAILURE_BUSY ? APR_EAGAIN : SB_DB_FAILED;
        apr_cpystrn(error, conn->message, size);
        sb_conn_close(conn);
        return rv;
    }
    *out = conn;
    return APR_SUCCESS;
}

void sb_conn_close(sb_conn_t *conn)
{
    /* Statements have cleanups that speak to the server, so they go before the connection does. */
    apr_pool_destroy(conn->scratch);
    apr_pool_destroy(conn->statements);
    apr_dbd_close(conn->driver, conn->handle);
    if (conn->fd >= 0) {
        close(conn->fd);
    }
    apr_pool_destroy(conn->pool);
}

void sb_conn_begin_work(sb_conn_t *conn, apr_time_t busy_until)
{
    conn->failure = SB_FAILURE_NONE;
    conn->message[0] = '\0';
    conn->failed_in = NULL;
    conn->busy_until = busy_until;
    conn->locked_out = false;
    memset(conn->touched, 0, sizeof(conn->touched));
}

static apr_status_t failed(sb_conn_t *conn, const char *what, int rc)
{
    const char *message = apr_dbd_error(conn->driver, conn->handle, rc);

    if (!message) {
        message = "";
    }
    conn->failure = conn->locked_out ? SB_FAILURE_BUSY
                                     : sb_native_classify(conn->dsn->dialect,
                                                          conn->native, rc, message);
    conn->failed_in = what;
    apr_cpystrn(conn->message, sb_dsn_redact(conn->dsn, message, conn->scratch),
                sizeof(conn->message));
    return SB_DB_FAILED;
}

static apr_status_t send_plain(sb_conn_t *conn, const char *what, const char *sql)
{
    int affected = 0;

    if (conn->failure) {
        return SB_DB_FAILED;
    }
    int rc = apr_dbd_query(conn->driver, conn->handle, &affected, sql);
    if (rc && !(rc == SQLITE_ROW && conn->dsn->dialect == SB_DIALECT_SQLITE3)) {
        rc = failed(conn, what, rc);
    }
    else {
        rc = APR_SUCCESS;
    }
    apr_pool_clear(conn->scratch);
    return rc;
}

apr_status_t sb_conn_command(sb_conn_t *conn, int id)
{
    return send_plain(conn, sb_statements[id].name,
                      sb_statements[id].sql[conn->dsn->dialect]);
}

apr_status_t sb_conn_step(sb_conn_t *conn, const char *sql)
{
    /* SQLite's driver prepares in a way that no statement survives a change of the schema */
    memset(conn->prepared, 0, sizeof(conn->prepared));
    return send_plain(conn, "migration", sql);
}

apr_status_t sb_conn_rollback(sb_conn_t *conn)
{
    int affected = 0;
    const char *sql = sb_statements[SB_STATEMENT_ROLLBACK].sql[conn->dsn->dialect];
    int rc = apr_dbd_query(conn->driver, conn->handle, &affected, sql);

    apr_pool_clear(conn->scratch);
    return rc ? SB_DB_FAILED : APR_SUCCESS;
}

static apr_status_t prepare(apr_dbd_prepared_t **prepared, sb_conn_t *conn, int id)
{
    const sb_statement_t *statement = &sb_statements[id];

    if (conn->failure) {
        return SB_DB_FAILED;
    }
    if (!conn->prepared[id]) {
        apr_dbd_prepared_t *made = NULL;
        int rc = apr_dbd_prepare(conn->driver, conn->statements, conn->handle,
                                 statement->sql[conn->dsn->dialect], NULL, &made);
        if (rc) {
            return failed(conn, statement->name, rc);
        }
        conn->prepared[id] = made;
    }
    *prepared = conn->prepared[id];
    return APR_SUCCESS;
}

/* The driver's argument list: texts themselves, numbers by address, NULL for SQL's NULL. */
static const void **arguments(const sb_conn_t *conn, int id, const sb_value_t *values)
{
    const sb_statement_t *statement = &sb_statements[id];
    int n = statement->nargs[conn->dsn->dialect];
    const unsigned char *order = statement->order[conn->dsn->dialect];
    const void **args = apr_palloc(conn->scratch, sizeof(*args) * (apr_size_t)(n + 1));

    for (int i = 0; i < n; i++) {
        const sb_value_t *value = &values[order[i]];
        args[i] = statement->types[order[i]] == 'n' ? (const void *)&value->number
                                                    : (const void *)value->text;
    }
    args[n] = NULL;
    return args;
}

static sb_rows_t *copy_rows(sb_conn_t *conn, apr_dbd_results_t *results, int columns,
                            apr_pool_t *pool)
{
    int count = apr_dbd_num_tuples(conn->driver, results);
    sb_rows_t *rows = apr_pcalloc(pool, sizeof(*rows));

    if (count <= 0) {
        return rows;
    }
    rows->columns = columns;
    rows->cells =
        apr_pcalloc(pool, sizeof(char *) * (apr_size_t)count * (apr_size_t)columns);
    for (; rows->count < count; rows->count++) {
        apr_dbd_row_t *row = NULL;
        if (apr_dbd_get_row(conn->driver, conn->scratch, results, &row,
                            rows->count + 1)) {
            break;
        }
        for (int column = 0; column < columns; column++) {
            const char *text = NULL;
            if (!apr_dbd_datum_get(conn->driver, row, column, APR_DBD_TYPE_STRING,
                                   &text)) {
                rows->cells[rows->count * columns + column] = apr_pstrdup(pool, text);
            }
        }
    }
    return rows;
}

apr_status_t sb_conn_select(sb_rows_t **rows, sb_conn_t *conn, int id,
                            const sb_value_t *values, apr_pool_t *pool)
{
    apr_dbd_prepared_t *prepared;
    apr_dbd_results_t *results = NULL;

    *rows = NULL;
    apr_status_t rv = prepare(&prepared, conn, id);
    if (rv) {
        return rv;
    }
    conn->queries++;
    int rc = apr_dbd_pbselect(conn->driver, conn->scratch, conn->handle, &results,
                              prepared, 1, arguments(conn, id, values));
    if (rc) {
        rv = failed(conn, sb_statements[id].name, rc);
    }
    else {
        *rows = copy_rows(conn, results, sb_statements[id].columns, pool);
    }
    apr_pool_clear(conn->scratch);
    return rv;
}

apr_status_t sb_conn_write(int *affected, sb_conn_t *conn, int id,
                           const sb_value_t *values, apr_pool_t *pool)
{
    apr_dbd_prepared_t *prepared;
    int n = 0;

    apr_status_t rv = prepare(&prepared, conn, id);
    if (rv) {
        return rv;
    }
    conn->queries++;
    int rc = apr_dbd_pbquery(conn->driver, conn->scratch, conn->handle, &n, prepared,
                             arguments(conn, id, values));
    if (rc) {
        rv = failed(conn, sb_statements[id].name, rc);
    }
    apr_pool_clear(conn->scratch);
    if (affected) {
        *affected = n;
    }
    return rv;
}

void sb_epoch_touch(sb_conn_t *conn, const char *user)
{
    int slot = sb_epoch_slot(user);

    conn->touched[slot / 64] |= (apr_uint64_t)1 << (slot % 64);
}

int sb_conn_touched(int slots[SB_EPOCH_SLOTS], const sb_conn_t *conn)
{
    int n = 0;

    for (int slot = 0; slot < SB_EPOCH_SLOTS; slot++) {
        if (conn->touched[slot / 64] & (apr_uint64_t)1 << (slot % 64)) {
            slots[n++] = slot;
        }
    }
    return n;
}

static bool same_file(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

static const char *wal_path(char out[PATH_MAX], const sb_conn_t *conn)
{
    apr_snprintf(out, PATH_MAX, "%s-wal", conn->dsn->path);
    return out;
}

bool sb_conn_file_changed(const sb_conn_t *conn)
{
    char path[PATH_MAX];
    struct stat now;

    if (!conn->dsn->path) {
        return false;
    }
    if (stat(conn->dsn->path, &now) || !same_file(&now, &conn->file)) {
        return true;
    }
    return conn->wal_seen &&
           (stat(wal_path(path, conn), &now) || !same_file(&now, &conn->wal));
}

void sb_conn_note_wal(sb_conn_t *conn)
{
    char path[PATH_MAX];

    if (conn->dsn->path && !conn->wal_seen) {
        conn->wal_seen = !stat(wal_path(path, conn), &conn->wal);
    }
}
