/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "store/migrate.h"

#include <apr_strings.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "store/schema.h"
#include "store/sqlite_file.h"

/* On SQLite and PostgreSQL all that is due happens in one transaction. MySQL and MariaDB commit each
 * CREATE by itself, so there every statement is repeatable and a ledger (schema_step) remembers which
 * ones are done: a run that was cut is taken up where it stopped. Two runs at once are kept apart by
 * BEGIN IMMEDIATE, an advisory lock and GET_LOCK respectively; the second finds nothing to do. */

enum { LOCK_WAIT_S = 60, TOKEN_BYTES = 32, ATTEMPTS = 3 };

typedef struct {
    const sb_migrate_options_t *options;
    sb_result_t *result;
    sb_dsn_t dsn;
    sb_conn_t *conn;
    bool once_more; /* it failed in a way that a fresh connection may not */
    apr_pool_t *pool;
} run_t;

static void report(const run_t *run, const char *line)
{
    if (run->options->report) {
        run->options->report(run->options->baton, line);
    }
}

/* The person at the terminal needs the driver's own words; the password is not in them. */
static sb_status_e failed(const run_t *run)
{
    return sb_result_setf(
        run->result, run->pool, SB_UNAVAILABLE,
        run->conn->failure == SB_FAILURE_REFUSED ? "database_refused"
                                                 : "database_unavailable",
        "Nothing is lost: run the command again once the cause is gone.",
        "The database reported in %s: %s",
        run->conn->failed_in ? run->conn->failed_in : "a statement", run->conn->message);
}

static sb_status_e connect_to(run_t *run)
{
    const apr_dbd_driver_t *driver;
    char error[400];

    sb_status_e status = sb_conn_driver(&driver, run->result, &run->dsn, run->pool);
    if (status) {
        return status;
    }
    apr_time_t until = sb_clock_monotonic() + apr_time_from_sec(LOCK_WAIT_S);
    apr_status_t rv;
    do { /* SQLite's driver gives up on a locked file after two seconds */
        rv = sb_conn_open(&run->conn, &run->dsn, driver, LOCK_WAIT_S * 1000, error,
                          sizeof(error));
    } while (APR_STATUS_IS_EAGAIN(rv) && sb_clock_monotonic() < until);
    if (rv) {
        return sb_result_setf(run->result, run->pool, SB_UNAVAILABLE,
                              "database_unavailable",
                              "Check SubbillDatabase, and whether the server runs.",
                              "The database cannot be reached: %s", error);
    }
    sb_conn_begin_work(run->conn, until);
    return SB_OK;
}

/* Another migration may take longer than the driver's two seconds. */
static apr_status_t command_when_free(const run_t *run, int id)
{
    apr_time_t until = run->conn->busy_until;
    apr_status_t rv;

    while ((rv = sb_conn_command(run->conn, id)) &&
           run->conn->failure == SB_FAILURE_BUSY && sb_clock_monotonic() < until) {
        sb_conn_begin_work(run->conn, until);
    }
    return rv;
}

static apr_status_t lock(const run_t *run)
{
    const sb_row_lock_t *rows;
    int n;
    apr_status_t rv = command_when_free(run, SB_STATEMENT_SCHEMA_PREPARE);

    if (!rv && run->dsn.dialect != SB_DIALECT_MYSQL) {
        rv = command_when_free(run, SB_STATEMENT_BEGIN);
    }
    if (!rv) {
        rv = sb_sql_schema_lock(&rows, &n, run->conn, run->pool);
    }
    if (!rv && (!n || !rows[0].locked)) {
        run->conn->failure = SB_FAILURE_BUSY;
        run->conn->failed_in = "schema_lock";
        apr_cpystrn(run->conn->message, "another migration is running",
                    sizeof(run->conn->message));
        rv = SB_DB_FAILED;
    }
    return rv;
}

static apr_status_t unlock(const run_t *run)
{
    const sb_row_lock_t *rows;
    int n;

    if (run->dsn.dialect != SB_DIALECT_MYSQL) {
        return sb_conn_command(run->conn, SB_STATEMENT_COMMIT);
    }
    return sb_sql_schema_unlock(&rows, &n, run->conn, run->pool);
}

static bool step_done(const sb_row_schema_step_list_t *steps, int n, int step)
{
    for (int i = 0; i < n; i++) {
        if (steps[i].step == step) {
            return true;
        }
    }
    return false;
}

/* MySQL knows no ADD COLUMN IF NOT EXISTS. An ALTER is done as a whole or not at all, so one that was cut off
 * from its entry in the ledger is told by what it says now. */
static bool was_done(const sb_conn_t *conn)
{
    return strstr(conn->message, "Duplicate column name") != NULL ||
           strstr(conn->message, "Duplicate key name") != NULL;
}

static apr_status_t apply(const run_t *run, const sb_migration_t *migration)
{
    const sb_row_schema_step_list_t *done = NULL;
    bool ledger = run->dsn.dialect == SB_DIALECT_MYSQL;
    apr_int64_t now = sb_clock_now();
    apr_status_t rv = APR_SUCCESS;
    int done_n = 0;

    if (ledger) {
        rv = sb_sql_schema_step_list(&done, &done_n, run->conn, migration->version,
                                     run->pool);
    }
    for (int step = 0; step < migration->n && !rv; step++) {
        if (step_done(done, done_n, step)) {
            continue;
        }
        rv = sb_conn_step(run->conn, migration->steps[step]);
        if (rv && ledger && was_done(run->conn)) {
            sb_conn_begin_work(run->conn, run->conn->busy_until);
            rv = APR_SUCCESS;
        }
        if (!rv && ledger) {
            rv = sb_sql_schema_step_insert(NULL, run->conn, migration->version, step, now,
                                           run->pool);
        }
    }
    if (!rv) {
        rv = sb_sql_schema_version_insert(NULL, run->conn, migration->version,
                                          migration->oldest, now, run->pool);
    }
    if (!rv) {
        report(run, apr_psprintf(run->pool, "%s: %d statements", migration->name,
                                 migration->n));
    }
    return rv;
}

static apr_status_t make_secret(const run_t *run)
{
    const sb_row_secret_t *rows;
    int n;

    apr_status_t rv =
        sb_sql_server_secret_by_name(&rows, &n, run->conn, "token", run->pool);
    if (rv || n) {
        return rv;
    }
    const char *value = sb_random_hex(TOKEN_BYTES, run->pool);
    if (!value) {
        return APR_EGENERAL;
    }
    rv = sb_sql_server_secret_insert(NULL, run->conn, "token", value, sb_clock_now(),
                                     run->pool);
    if (!rv) {
        report(run, "server secret made");
    }
    return rv;
}

/* Inside the lock. */
static apr_status_t bring_up(const run_t *run, sb_schema_t *schema)
{
    apr_status_t rv = sb_conn_command(run->conn, SB_STATEMENT_SCHEMA_MAKE_VERSION);

    if (!rv) {
        rv = sb_conn_command(run->conn, SB_STATEMENT_SCHEMA_MAKE_STEP);
    }
    if (!rv) {
        rv = sb_schema_read(schema, run->conn, run->pool);
    }
    for (int i = schema->found; i < SB_SCHEMA_VERSION && !rv; i++) {
        rv = apply(run, &sb_migrations[run->dsn.dialect][i]);
    }
    if (!rv && schema->state != SB_SCHEMA_INCOMPATIBLE) {
        rv = make_secret(run);
    }
    return rv ? rv : sb_schema_read(schema, run->conn, run->pool);
}

static sb_status_e migrate(run_t *run, sb_schema_t *schema)
{
    sb_status_e status = connect_to(run);

    if (status) {
        return status;
    }
    apr_status_t rv = lock(run);
    if (!rv) {
        rv = bring_up(run, schema);
    }
    if (!rv) {
        rv = unlock(run);
    }
    if (rv && !run->conn->failure) {
        status = sb_result_set(run->result, SB_INTERNAL, "no_entropy",
                               "The system gives no random bytes.", NULL);
    }
    else if (rv) {
        status = failed(run);
    }
    if (rv) {
        /* SQLite tells the one who waited that the schema has changed under its feet */
        run->once_more = run->conn->failure == SB_FAILURE_LOST ||
                         run->conn->failure == SB_FAILURE_CONFLICT;
        sb_conn_rollback(run->conn);
    }
    sb_conn_close(run->conn);
    run->conn = NULL;
    return status;
}

sb_status_e sb_migrate_prepare(sb_result_t *result, const sb_migrate_options_t *options,
                               apr_pool_t *pool)
{
    sb_dsn_t dsn;
    sb_status_e status =
        sb_dsn_parse(&dsn, result, options->driver, options->params, pool);

    if (!status && dsn.path) {
        status = sb_sqlite_file_make(result, dsn.path, options, pool);
    }
    if (!status && dsn.path) {
        status = sb_sqlite_file_give(result, dsn.path, options, pool);
    }
    return status;
}

sb_status_e sb_migrate_apply(sb_schema_t *schema, sb_result_t *result,
                             const sb_migrate_options_t *options, apr_pool_t *pool)
{
    run_t run = {.options = options, .result = result, .pool = pool};

    *schema = (sb_schema_t){.state = SB_SCHEMA_MISSING, .ours = SB_SCHEMA_VERSION};
    sb_status_e status =
        sb_dsn_parse(&run.dsn, result, options->driver, options->params, pool);
    if (!status && run.dsn.path) {
        status = sb_sqlite_file_make(result, run.dsn.path, options, pool);
    }
    if (!status) {
        int attempts = 0;
        do {
            run.once_more = false;
            status = migrate(&run, schema);
        } while (status && run.once_more && ++attempts < ATTEMPTS);
    }
    if (!status && run.dsn.path) {
        status = sb_sqlite_file_give(result, run.dsn.path, options, pool);
    }
    if (!status && schema->state == SB_SCHEMA_INCOMPATIBLE) {
        status =
            sb_result_setf(result, pool, SB_CONFLICT, "schema_incompatible",
                           "Install a newer module and subbillctl.",
                           "The database's schema is version %d, this program knows %d.",
                           schema->found, schema->ours);
    }
    return status;
}

sb_status_e sb_migrate_check(sb_schema_t *schema, sb_result_t *result,
                             const sb_migrate_options_t *options, apr_pool_t *pool)
{
    run_t run = {.options = options, .result = result, .pool = pool};

    *schema = (sb_schema_t){.state = SB_SCHEMA_MISSING, .ours = SB_SCHEMA_VERSION};
    sb_status_e status =
        sb_dsn_parse(&run.dsn, result, options->driver, options->params, pool);
    if (status) {
        return status;
    }
    if (run.dsn.path && access(run.dsn.path, F_OK)) {
        return SB_OK;
    }
    status = connect_to(&run);
    if (status) {
        return status;
    }
    if (sb_schema_read(schema, run.conn, pool)) {
        status = failed(&run);
    }
    sb_conn_close(run.conn);
    return status;
}
