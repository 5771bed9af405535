/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "store/schema.h"

#include <errno.h>

#include "base/log.h"

static const char hint[] = "Run `subbillctl migrate`.";

const char *sb_schema_state_word(sb_schema_state_e state)
{
    static const char *const words[] = {
        [SB_SCHEMA_CURRENT] = "current",
        [SB_SCHEMA_MISSING] = "missing",
        [SB_SCHEMA_OLDER] = "older",
        [SB_SCHEMA_NEWER] = "newer",
        [SB_SCHEMA_INCOMPATIBLE] = "incompatible",
    };

    return words[state];
}

/* A database that was migrated further than this program knows stays usable as long as its last
 * migration says so: that is what lets hosts be upgraded one after the other. */
static sb_schema_state_e judge(int found, int oldest)
{
    if (!found) {
        return SB_SCHEMA_MISSING;
    }
    if (found == SB_SCHEMA_VERSION) {
        return SB_SCHEMA_CURRENT;
    }
    if (found < SB_SCHEMA_VERSION) {
        return SB_SCHEMA_OLDER;
    }
    return oldest <= SB_SCHEMA_VERSION ? SB_SCHEMA_NEWER : SB_SCHEMA_INCOMPATIBLE;
}

apr_status_t sb_schema_read(sb_schema_t *schema, sb_conn_t *conn, apr_pool_t *pool)
{
    const sb_row_schema_version_t *rows;
    int n;

    *schema = (sb_schema_t){.state = SB_SCHEMA_MISSING, .ours = SB_SCHEMA_VERSION};
    apr_status_t rv = sb_sql_schema_version_get(&rows, &n, conn, pool);
    if (rv) {
        return conn->failure == SB_FAILURE_SCHEMA ? APR_SUCCESS : rv;
    }
    if (n) {
        schema->found = (int)rows[0].version;
        schema->oldest = (int)rows[0].oldest;
    }
    schema->state = judge(schema->found, schema->oldest);
    return APR_SUCCESS;
}

static sb_status_e missing(sb_result_t *result, const char *driver)
{
    sb_log_limited(SB_LOG_ERROR, 0, "SB204",
                   "database (%s): it has no tables yet; run `subbillctl migrate`",
                   driver);
    return sb_result_set(result, SB_UNAVAILABLE, "schema_missing",
                         "The database has not been set up yet.", hint);
}

bool sb_schema_absent(sb_result_t *result, const sb_dsn_t *dsn)
{
    struct stat file;

    if (!dsn->path || !stat(dsn->path, &file) || errno != ENOENT) {
        return false;
    }
    missing(result, dsn->driver);
    return true;
}

sb_status_e sb_schema_accept(sb_result_t *result, sb_conn_t *conn)
{
    sb_schema_t schema;
    apr_pool_t *pool;
    sb_status_e status = SB_OK;

    apr_pool_create(&pool, conn->pool);
    if (sb_schema_read(&schema, conn, pool) && conn->failure == SB_FAILURE_BUSY) {
        status = sb_result_set(result, SB_UNAVAILABLE, "database_busy",
                               "The database is busy.", "Try again in a moment.");
    }
    else if (conn->failure && conn->failure != SB_FAILURE_SCHEMA) {
        sb_log_limited(SB_LOG_ERROR, 0, "SB205", "database (%s): %s", conn->dsn->driver,
                       conn->message);
        status = sb_result_set(result, SB_UNAVAILABLE, "database_unavailable",
                               "The database cannot be read.",
                               "The error log of the server says why.");
    }
    else if (schema.state == SB_SCHEMA_MISSING) {
        status = missing(result, conn->dsn->driver);
    }
    else if (schema.state == SB_SCHEMA_OLDER || schema.state == SB_SCHEMA_INCOMPATIBLE) {
        sb_log_limited(
            SB_LOG_ERROR, 0, "SB206",
            "database (%s): its schema is version %d, this module needs %d; %s",
            conn->dsn->driver, schema.found, schema.ours,
            schema.state == SB_SCHEMA_OLDER ? "run `subbillctl migrate`"
                                            : "install a newer module");
        status = sb_result_set(
            result, SB_UNAVAILABLE, "schema_incompatible",
            "The database and this server do not fit together.",
            schema.state == SB_SCHEMA_OLDER ? hint : "Install a newer module.");
    }
    apr_pool_destroy(pool);
    return status;
}
