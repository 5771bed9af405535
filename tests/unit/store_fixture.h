/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_TEST_STORE_FIXTURE_H
#define SB_TEST_STORE_FIXTURE_H

#include <apr_dbd.h>
#include <sys/types.h>

#include "store/db.h"
#include "store/migrate.h"

/* An empty database of each kind in turn. SQLite always; PostgreSQL and MariaDB when SB_TEST_PGSQL
 * and SB_TEST_MYSQL name one ("pgsql host=…"), whose tables are then dropped. */

typedef struct store_fixture_t {
    apr_pool_t *pool;
    sb_dialect_e dialect;
    const char *driver;
    const char *params;
    const char *folder; /* SQLite's scratch folder */
    bool memory;
    const apr_dbd_driver_t *admin_driver;
    apr_dbd_t *admin; /* a connection past the code under test */
    sb_result_t result;
} store_fixture_t;

extern store_fixture_t store;

/* Checked fixture. */
void store_setup(void);
void store_teardown(void);

/* SQLite's files lie in memory from now on, where there is a place for it: for tests that commit thousands of
 * times. */
void store_in_memory(void);

/* Empties the database of this dialect; false when there is none to test with. */
bool store_open(int dialect);

/* The same and migrated. */
bool store_open_migrated(int dialect);

/* sb_db_create() on it; max and wait 0 = defaults. */
sb_db_t *store_db(int max, int wait_ms);

/* Runs body as one piece of work on a migrated database of this dialect, if there is one. */
typedef apr_status_t (*store_body_fn)(sb_conn_t *conn, apr_pool_t *pool);
void store_in_transaction(int dialect, store_body_fn body);

/* Inside a body: ends the test, with what the driver said, when rv is an error. */
void store_ok(apr_status_t rv);

sb_migrate_options_t store_migrate_options(void);

/* Statements past the code under test; failures end the test. The dialect's own SQL may be given in the
 * order sqlite3, pgsql, mysql. */
void store_admin(const char *sql);
void store_admin_by_dialect(const char *sqlite3, const char *pgsql, const char *mysql);
/* First column of the first row, "" when there is none. */
const char *store_admin_value(const char *sql);
apr_int64_t store_admin_count(const char *table);
/* Ends the admin connection: for tests that want the file to themselves. */
void store_admin_close(void);

/* How much longer things may take here: 1, more under sanitizers, much more under valgrind. */
int store_slowness(void);

/* Of many cases that differ in their order only: every how many-th is tried. 1, and more under valgrind,
 * which looks for other things. */
int store_stride(void);

/* SIGSTOP, and waits until the process stands still. */
void store_stop_process(pid_t pid);

/* Everything that was logged since setup. */
const char *store_log(void);

/* A cause is logged once a second: waits until an earlier test in this process is forgotten. */
void store_log_afresh(void);

#endif
