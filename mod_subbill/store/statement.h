/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_STORE_STATEMENT_H
#define SB_STORE_STATEMENT_H

#include "store/db.h"

/* What tools/sqlgen makes of sql/, and what its functions stand on. Nothing but the generated code and the
 * store itself includes this. */

typedef enum {
    SB_STATEMENT_IS_SELECT,
    SB_STATEMENT_IS_WRITE,
    SB_STATEMENT_IS_COMMAND /* sent as it is, never prepared */
} sb_statement_kind_e;

typedef struct sb_statement_t {
    const char *name;
    sb_statement_kind_e kind;
    int columns;
    const char *types;                       /* of the parameters: t text, n number */
    const char *sql[SB_DIALECTS];            /* with apr_dbd's placeholders */
    int nargs[SB_DIALECTS];                  /* placeholders in it */
    const unsigned char *order[SB_DIALECTS]; /* which parameter each of them is */
} sb_statement_t;

typedef struct sb_migration_t {
    int version;
    int oldest; /* the oldest program schema that may use a database migrated so far */
    const char *name;
    const char *const *steps;
    int n;
} sb_migration_t;

/* One parameter; which member counts is in the statement's types. text NULL is SQL's NULL. */
typedef struct sb_value_t {
    const char *text;
    apr_int64_t number;
} sb_value_t;

/* A copied result: nothing in it belongs to the driver. */
typedef struct sb_rows_t sb_rows_t;

int sb_rows_count(const sb_rows_t *rows);
/* NULL is SQL's NULL. Rows and columns count from 0. */
const char *sb_rows_text(const sb_rows_t *rows, int row, int column);
/* 0 for NULL and for text that is no number. */
apr_int64_t sb_rows_int(const sb_rows_t *rows, int row, int column);

/* Run statement number id of sb_statements. Rows are copied into pool. */
apr_status_t sb_conn_select(sb_rows_t **rows, sb_conn_t *conn, int id,
                            const sb_value_t *values, apr_pool_t *pool);
apr_status_t sb_conn_write(int *affected, sb_conn_t *conn, int id,
                           const sb_value_t *values, apr_pool_t *pool);

#endif
