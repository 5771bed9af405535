/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "store_fixture.h"

#include <apr_strings.h>
#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "store/conn.h"

store_fixture_t store;

static char log_text[65536];

static const char *const drivers[] = {"sqlite3", "pgsql", "mysql"};
static const char *const variables[] = {NULL, "SB_TEST_PGSQL", "SB_TEST_MYSQL"};

static void remember(void *baton, sb_log_level_e level, apr_status_t rv, const char *line)
{
    apr_size_t used = strlen(log_text);

    apr_snprintf(log_text + used, sizeof(log_text) - used, "%s\n", line);
}

const char *store_log(void)
{
    return log_text;
}

void store_log_afresh(void)
{
    const char *fork_mode = getenv("CK_FORK");

    if (fork_mode && !strcmp(fork_mode, "no")) {
        usleep(1100000);
    }
}

int store_slowness(void)
{
    const char *preloaded = getenv("LD_PRELOAD");

    if (preloaded && strstr(preloaded, "vgpreload")) {
        return 10;
    }
#ifdef __SANITIZE_ADDRESS__
    return 3;
#else
    return 1;
#endif
}

int store_stride(void)
{
    return store_slowness() >= 10 ? 24 : 1;
}

void store_stop_process(pid_t pid)
{
    char path[64], line[256];
    bool stopped = false;

    ck_assert_int_eq(kill(pid, SIGSTOP), 0);
    snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
    for (int i = 0; i < 1000 && !stopped; i++) {
        FILE *status = fopen(path, "r");
        while (status && !stopped && fgets(line, sizeof(line), status)) {
            stopped = strncmp(line, "State:\tT", 8) == 0;
        }
        if (status) {
            fclose(status);
        }
        usleep(1000);
    }
}

void store_setup(void)
{
    memset(&store, 0, sizeof(store));
    log_text[0] = '\0';
    apr_pool_create(&store.pool, NULL);
    sb_log_sink_set(remember, NULL);
}

void store_teardown(void)
{
    store_admin_close();
    apr_pool_destroy(store.pool);
    if (store.folder) {
        char command[300];
        apr_snprintf(command, sizeof(command), "rm -rf '%s'", store.folder);
        ck_assert_int_eq(system(command), 0);
    }
    sb_log_sink_set(NULL, NULL);
}

static void admin_open(void)
{
    const char *error = NULL;

    if (store.admin) {
        return;
    }
    ck_assert_int_eq(apr_dbd_init(store.pool), 0);
    ck_assert_int_eq(apr_dbd_get_driver(store.pool, store.driver, &store.admin_driver),
                     0);
    ck_assert_msg(!apr_dbd_open_ex(store.admin_driver, store.pool, store.params,
                                   &store.admin, &error),
                  "cannot connect: %s", error ? error : "no reason");
}

void store_admin_close(void)
{
    if (store.admin) {
        apr_dbd_close(store.admin_driver, store.admin);
        store.admin = NULL;
    }
}

void store_admin(const char *sql)
{
    int n = 0;

    admin_open();
    int rc = apr_dbd_query(store.admin_driver, store.admin, &n, sql);
    ck_assert_msg(!rc || rc == 100, "%s: %s", sql,
                  apr_dbd_error(store.admin_driver, store.admin, rc));
}

void store_admin_by_dialect(const char *sqlite3, const char *pgsql, const char *mysql)
{
    const char *const texts[] = {sqlite3, pgsql, mysql};

    store_admin(texts[store.dialect]);
}

const char *store_admin_value(const char *sql)
{
    apr_dbd_results_t *results = NULL;
    apr_dbd_row_t *row = NULL;

    admin_open();
    int rc =
        apr_dbd_select(store.admin_driver, store.pool, store.admin, &results, sql, 1);
    ck_assert_msg(!rc, "%s: %s", sql, apr_dbd_error(store.admin_driver, store.admin, rc));
    if (apr_dbd_num_tuples(store.admin_driver, results) < 1 ||
        apr_dbd_get_row(store.admin_driver, store.pool, results, &row, 1)) {
        return "";
    }
    const char *value = apr_dbd_get_entry(store.admin_driver, row, 0);
    return value ? apr_pstrdup(store.pool, value) : "";
}

apr_int64_t store_admin_count(const char *table)
{
    return apr_atoi64(
        store_admin_value(apr_psprintf(store.pool, "SELECT COUNT(*) FROM %s", table)));
}

void store_in_memory(void)
{
    store.memory = true;
}

bool store_open(int dialect)
{
    const char *value = variables[dialect] ? getenv(variables[dialect]) : "";
    apr_size_t prefix = strlen(drivers[dialect]);

    if (!value) {
        return false;
    }
    store.dialect = (sb_dialect_e)dialect;
    store.driver = drivers[dialect];
    if (dialect == SB_DIALECT_SQLITE3) {
        char folder[] = "/tmp/sb-store-XXXXXX", shared[] = "/dev/shm/sb-store-XXXXXX";
        if (store.memory && mkdtemp(shared)) {
            store.folder = apr_pstrdup(store.pool, shared);
            store.params = apr_pstrcat(store.pool, store.folder, "/subbill.db", NULL);
            return true;
        }
        ck_assert_ptr_nonnull(mkdtemp(folder));
        store.folder = apr_pstrdup(store.pool, folder);
        store.params = apr_pstrcat(store.pool, store.folder, "/subbill.db", NULL);
        return true;
    }
    if (!strncmp(value, drivers[dialect], prefix) && value[prefix] == ' ') {
        value += prefix + 1;
    }
    store.params = apr_pstrdup(store.pool, value);
    if (dialect == SB_DIALECT_PGSQL) {
        store_admin("DROP SCHEMA public CASCADE; CREATE SCHEMA public");
    }
    else {
        const char *name = store_admin_value("SELECT DATABASE()");
        store_admin(apr_psprintf(store.pool, "DROP DATABASE %s", name));
        store_admin(apr_psprintf(store.pool, "CREATE DATABASE %s", name));
        store_admin(apr_psprintf(store.pool, "USE %s", name));
    }
    return true;
}

sb_migrate_options_t store_migrate_options(void)
{
    return (sb_migrate_options_t){.driver = store.driver,
                                  .params = store.params,
                                  .uid = (uid_t)-1,
                                  .gid = (gid_t)-1};
}

bool store_open_migrated(int dialect)
{
    sb_schema_t schema;

    if (!store_open(dialect)) {
        return false;
    }
    sb_migrate_options_t options = store_migrate_options();
    ck_assert_msg(!sb_migrate_apply(&schema, &store.result, &options, store.pool), "%s",
                  store.result.message);
    ck_assert_int_eq(schema.state, SB_SCHEMA_CURRENT);
    return true;
}

sb_db_t *store_db(int max, int wait_ms)
{
    sb_db_options_t options = {.driver = store.driver,
                               .params = store.params,
                               .pool_max = max,
                               .pool_wait_ms = wait_ms};
    sb_db_t *db = NULL;

    ck_assert_msg(!sb_db_create(&db, &store.result, &options, store.pool), "%s",
                  store.result.message);
    return db;
}

static sb_conn_t *current;

static apr_status_t run_body(void *baton, sb_conn_t *conn, apr_pool_t *pool)
{
    current = conn;
    return (*(store_body_fn *)baton)(conn, pool);
}

void store_in_transaction(int dialect, store_body_fn body)
{
    if (!store_open_migrated(dialect)) {
        return;
    }
    sb_status_e status = sb_db_transaction(store_db(0, 0), 20000, run_body, &body,
                                           &store.result, store.pool);
    ck_assert_msg(status == SB_OK, "%s: %s", store.result.code, store_log());
}

void store_ok(apr_status_t rv)
{
    ck_assert_msg(!rv, "%s: %s", current->failed_in, current->message);
}
