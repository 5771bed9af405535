/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_STORE_SCHEMA_H
#define SB_STORE_SCHEMA_H

#include "store/conn.h"
#include "store/migrate.h"

/* Which schema a database has, and whether this program may use it. Inside store/ only. */

/* Fills schema; SB_DB_FAILED only for other trouble than missing tables. */
apr_status_t sb_schema_read(sb_schema_t *schema, sb_conn_t *conn, apr_pool_t *pool);

/* SQLite makes an empty file of a missing one, so it is looked for before connecting: true, and
 * result says schema_missing, when it is not there. */
bool sb_schema_absent(sb_result_t *result, const sb_dsn_t *dsn);

/* For a new connection: SB_OK, or SB_UNAVAILABLE with schema_missing, schema_incompatible or
 * database_unavailable, logged. */
sb_status_e sb_schema_accept(sb_result_t *result, sb_conn_t *conn);

#endif
