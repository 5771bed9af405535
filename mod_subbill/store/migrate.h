/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_STORE_MIGRATE_H
#define SB_STORE_MIGRATE_H

#include <sys/types.h>

#include <apr_pools.h>

#include "base/result.h"

/* Brings a database's schema to the version this program was built for. Forward only; two at once
 * wait for each other; an interrupted run is finished by the next one. */

typedef enum {
    SB_SCHEMA_CURRENT,     /* exactly ours */
    SB_SCHEMA_MISSING,     /* no tables yet, or no SQLite file */
    SB_SCHEMA_OLDER,       /* migrations are due */
    SB_SCHEMA_NEWER,       /* migrated by a newer program, and still usable by this one */
    SB_SCHEMA_INCOMPATIBLE /* migrated by a newer program that this one must not follow */
} sb_schema_state_e;

typedef struct sb_schema_t {
    sb_schema_state_e state;
    int found;  /* version in the database, 0 when missing */
    int oldest; /* the oldest program schema that may use it */
    int ours;   /* version this program was built for */
} sb_schema_t;

/* "current", "missing", "older", "newer", "incompatible". */
const char *sb_schema_state_word(sb_schema_state_e state);

/* One line for the person who migrates: "0001_spine: 24 statements". */
typedef void (*sb_migrate_report_fn)(void *baton, const char *line);

typedef struct sb_migrate_options_t {
    const char *driver; /* as in sb_db_options_t */
    const char *params;
    uid_t
        uid; /* SQLite: owner of the file and of a folder made for it; (uid_t)-1 = as is */
    gid_t gid;
    sb_migrate_report_fn report; /* or NULL */
    void *baton;
} sb_migrate_options_t;

/* Looks without changing anything. SB_OK whatever the state; SB_UNAVAILABLE when the database
 * cannot be reached. */
sb_status_e sb_migrate_check(sb_schema_t *schema, sb_result_t *result,
                             const sb_migrate_options_t *options, apr_pool_t *pool);

/* For root, before it gives its rights up: makes SQLite's folder (0700) and file (0600) when they are
 * missing and gives them to options->uid. Nothing for other databases. */
sb_status_e sb_migrate_prepare(sb_result_t *result, const sb_migrate_options_t *options,
                               apr_pool_t *pool);

/* Applies what is missing, makes the server secret "token" when there is none, on SQLite makes
 * folder (0700) and file (0600) and switches to WAL. SB_CONFLICT (schema_incompatible) when the
 * database is newer than this program may touch. */
sb_status_e sb_migrate_apply(sb_schema_t *schema, sb_result_t *result,
                             const sb_migrate_options_t *options, apr_pool_t *pool);

#endif
