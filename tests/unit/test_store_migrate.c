/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include <apr_strings.h>
#include <check.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sb_statements.h"
#include "store/secrets.h"
#include "store_fixture.h"
#include "unit.h"

static apr_status_t nothing(void *baton, sb_conn_t *conn, apr_pool_t *pool)
{
    return APR_SUCCESS;
}

static apr_status_t token(void *baton, sb_conn_t *conn, apr_pool_t *pool)
{
    return sb_server_secret(baton, conn, "token", pool);
}

static void count_line(void *baton, const char *line)
{
    ++*(int *)baton;
}

static sb_schema_state_e checked(void)
{
    sb_migrate_options_t options = store_migrate_options();
    sb_schema_t schema;

    ck_assert_int_eq(sb_migrate_check(&schema, &store.result, &options, store.pool),
                     SB_OK);
    return schema.state;
}

/* A10, A62, M8: one command makes the tables, and says so once */
START_TEST(test_migrating_twice_changes_nothing_the_second_time)
{
    sb_schema_t schema;
    int lines = 0;
    const char *first, *second;

    if (!store_open(_i)) {
        return;
    }
    ck_assert_int_eq(checked(), SB_SCHEMA_MISSING);
    sb_migrate_options_t options = store_migrate_options();
    options.report = count_line;
    options.baton = &lines;
    ck_assert_msg(!sb_migrate_apply(&schema, &store.result, &options, store.pool), "%s",
                  store.result.message);
    ck_assert_int_eq(schema.state, SB_SCHEMA_CURRENT);
    ck_assert_int_eq(schema.found, SB_SCHEMA_VERSION);
    ck_assert_int_eq(lines, SB_SCHEMA_VERSION + 1);
    ck_assert_int_eq(checked(), SB_SCHEMA_CURRENT);
    sb_db_t *db = store_db(0, 0);
    ck_assert_int_eq(sb_db_read(db, 10000, token, &first, &store.result, store.pool),
                     SB_OK);
    ck_assert_uint_eq(strlen(first), 64);

    lines = 0;
    ck_assert_int_eq(sb_migrate_apply(&schema, &store.result, &options, store.pool),
                     SB_OK);
    ck_assert_int_eq(lines, 0);
    ck_assert_int_eq(sb_db_read(db, 10000, token, &second, &store.result, store.pool),
                     SB_OK);
    ck_assert_str_eq(first, second);
    ck_assert_int_eq(store_admin_count("epoch"), 1024);
    ck_assert_str_eq(store_admin_value("SELECT MAX(slot) FROM epoch"), "1023");
}
END_TEST

/* F33: a run cut in the middle is finished by the next one */
START_TEST(test_an_interrupted_migration_is_finished_by_the_next_run)
{
    if (!store_open(_i)) {
        return;
    }
    const sb_migration_t *migration = &sb_migrations[_i][0];
    sb_migrate_options_t options = store_migrate_options();
    bool ledger = _i == SB_DIALECT_MYSQL;
    sb_schema_t schema;

    store_admin(sb_statements[SB_STATEMENT_SCHEMA_MAKE_VERSION].sql[_i]);
    store_admin(sb_statements[SB_STATEMENT_SCHEMA_MAKE_STEP].sql[_i]);
    ck_assert_int_eq(checked(), SB_SCHEMA_MISSING);
    if (ledger) { /* elsewhere the transaction leaves nothing behind */
        store_admin(migration->steps[0]);
        store_admin(
            "INSERT INTO schema_step (version, step, applied_at) VALUES (1, 0, 1)");
        store_admin(migration->steps[1]); /* done, but cut before the ledger knew */
        ck_assert_int_eq(checked(), SB_SCHEMA_MISSING);
    }
    ck_assert_msg(!sb_migrate_apply(&schema, &store.result, &options, store.pool), "%s",
                  store.result.message);
    ck_assert_int_eq(schema.state, SB_SCHEMA_CURRENT);
    ck_assert_int_eq(store_admin_count("epoch"), 1024);
    if (ledger) {
        ck_assert_int_eq(store_admin_count("schema_step WHERE version = 1"),
                         migration->n);
    }
}
END_TEST

/* F33: several hosts are upgraded at once */
START_TEST(test_three_migrations_at_once_run_one)
{
    enum { RUNS = 3 };
    pid_t children[RUNS];

    if (!store_open(_i)) {
        return;
    }
    store_admin_close();
    for (int i = 0; i < RUNS; i++) {
        children[i] = fork();
        if (!children[i]) {
            sb_migrate_options_t options = store_migrate_options();
            sb_schema_t schema;
            sb_status_e status =
                sb_migrate_apply(&schema, &store.result, &options, store.pool);
            if (status) {
                fprintf(stderr, "%s\n", store.result.message);
            }
            _exit(status ? 1 : schema.state == SB_SCHEMA_CURRENT ? 0 : 2);
        }
    }
    for (int i = 0; i < RUNS; i++) {
        int status;
        ck_assert_int_eq(waitpid(children[i], &status, 0), children[i]);
        ck_assert_int_eq(status, 0);
    }
    ck_assert_int_eq(store_admin_count("schema_version"), SB_SCHEMA_VERSION);
    ck_assert_int_eq(store_admin_count("server_secret"), 1);
}
END_TEST

/* --- the upgrade of a database that an earlier version has filled ----------------------------------- */

enum { OLD = 2 }; /* the last schema without jobs */

/* One statement of a migration, as the migration sends it. */
static void admin_step(int version, int step)
{
    const sb_migration_t *migration = &sb_migrations[store.dialect][version - 1];

    store_admin(migration->steps[step]);
    if (store.dialect == SB_DIALECT_MYSQL) {
        store_admin(apr_psprintf(
            store.pool,
            "INSERT INTO schema_step (version, step, applied_at) VALUES (%d, %d, 1)",
            version, step));
    }
}

static void admin_version(int version)
{
    store_admin(apr_psprintf(
        store.pool,
        "INSERT INTO schema_version (version, oldest, applied_at) VALUES (%d, 1, 1)",
        version));
}

static bool store_open_old(int dialect)
{
    if (!store_open(dialect)) {
        return false;
    }
    store_admin(sb_statements[SB_STATEMENT_SCHEMA_MAKE_VERSION].sql[dialect]);
    store_admin(sb_statements[SB_STATEMENT_SCHEMA_MAKE_STEP].sql[dialect]);
    for (int version = 1; version <= OLD; version++) {
        for (int step = 0; step < sb_migrations[dialect][version - 1].n; step++) {
            admin_step(version, step);
        }
        admin_version(version);
    }
    store_admin("INSERT INTO server_secret (name, value) VALUES ('token', 'kept')");
    store_admin(
        "INSERT INTO account (user_name, email) VALUES ('ann', 'ann@example.com')");
    store_admin("INSERT INTO subscription (id, user_name, status, plan) VALUES ('sub_1', "
                "'ann', 'active', 'basic')");
    store_admin("INSERT INTO event (id, type, state, reason) VALUES ('evt_1', 'x', "
                "'received', 'tie_unresolved')");
    store_admin("INSERT INTO event_body (event_id, body) VALUES ('evt_1', '{}')");
    store_admin("UPDATE epoch SET v = 7 WHERE slot = 3");
    return true;
}

static void assert_upgraded(void)
{
    ck_assert_int_eq(checked(), SB_SCHEMA_CURRENT);
    ck_assert_int_eq(store_admin_count("schema_version"), SB_SCHEMA_VERSION);
    ck_assert_str_eq(store_admin_value("SELECT value FROM server_secret"), "kept");
    ck_assert_str_eq(store_admin_value("SELECT email FROM account"), "ann@example.com");
    ck_assert_str_eq(store_admin_value("SELECT plan FROM subscription"), "basic");
    ck_assert_str_eq(store_admin_value("SELECT reason FROM event"), "tie_unresolved");
    ck_assert_str_eq(store_admin_value("SELECT body FROM event_body"), "{}");
    ck_assert_str_eq(store_admin_value("SELECT v FROM epoch WHERE slot = 3"), "7");
    ck_assert_int_eq(store_admin_count("limiter"), 2);
    ck_assert_int_eq(store_admin_count("job"), 0);
}

static void upgrade(void)
{
    sb_migrate_options_t options = store_migrate_options();
    sb_schema_t schema;

    store_admin_close();
    ck_assert_msg(!sb_migrate_apply(&schema, &store.result, &options, store.pool), "%s",
                  store.result.message);
}

/* Statements that an upgrade from OLD sends. */
static int upgrade_steps(int dialect)
{
    int n = 0;

    for (int version = OLD + 1; version <= SB_SCHEMA_VERSION; version++) {
        n += sb_migrations[dialect][version - 1].n;
    }
    return n;
}

/* The first n of them, by a process that is then killed: where everything is one transaction nothing of it
 * remains; elsewhere all of it does, and the last may be missing from the ledger. */
static void upgrade_and_die(int n, bool unrecorded)
{
    bool ledger = store.dialect == SB_DIALECT_MYSQL;
    pid_t child;

    store_admin_close();
    child = fork();
    if (!child) {
        if (!ledger) {
            store_admin("BEGIN");
        }
        for (int version = OLD + 1; version <= SB_SCHEMA_VERSION; version++) {
            const sb_migration_t *migration = &sb_migrations[store.dialect][version - 1];
            for (int step = 0; step < migration->n; step++) {
                if (!n--) {
                    raise(SIGKILL);
                }
                if (n || !unrecorded) {
                    admin_step(version, step);
                }
                else {
                    store_admin(migration->steps[step]);
                }
            }
            if (n || !unrecorded) {
                admin_version(version);
            }
        }
        raise(SIGKILL);
    }
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

/* F33: cut off behind each of its statements, and between a statement and its note in the ledger */
START_TEST(test_an_upgrade_that_is_killed_anywhere_is_finished_by_the_next_run)
{
    for (int n = 0; n <= upgrade_steps(_i); n++) {
        int ends = _i == SB_DIALECT_MYSQL && n ? 2 : 1;
        for (int unrecorded = 0; unrecorded < ends; unrecorded++) {
            if (!store_open_old(_i)) {
                return;
            }
            upgrade_and_die(n, unrecorded);
            ck_assert_str_eq(store_admin_value("SELECT email FROM account"),
                             "ann@example.com");
            upgrade();
            assert_upgraded();
            store_teardown();
            store_setup();
        }
    }
}
END_TEST

/* F33, F34: two hosts upgrade at once what both have used until now */
START_TEST(test_two_upgrades_at_once_run_one)
{
    enum { RUNS = 2 };
    pid_t children[RUNS];

    if (!store_open_old(_i)) {
        return;
    }
    ck_assert_int_eq(checked(), SB_SCHEMA_OLDER);
    store_admin_close();
    for (int i = 0; i < RUNS; i++) {
        children[i] = fork();
        if (!children[i]) {
            upgrade();
            _exit(0);
        }
    }
    for (int i = 0; i < RUNS; i++) {
        int status;
        ck_assert_int_eq(waitpid(children[i], &status, 0), children[i]);
        ck_assert_int_eq(status, 0);
    }
    assert_upgraded();
}
END_TEST

typedef struct {
    apr_pool_t *pool;
    sb_result_t result;
    sb_status_e status;
} migrating_t;

static void *migrate_beside(void *data)
{
    migrating_t *migrating = data;
    sb_migrate_options_t options = store_migrate_options();
    sb_schema_t schema;

    sb_result_clear(&migrating->result);
    migrating->status =
        sb_migrate_apply(&schema, &migrating->result, &options, migrating->pool);
    return NULL;
}

/* F09, F34: a file that is locked for longer than SQLite's driver waits is waited for */
START_TEST(test_a_migration_waits_for_a_file_that_is_locked_from_the_start)
{
    migrating_t migrating = {.status = SB_INTERNAL};
    pthread_t thread;

    if (!store_open(SB_DIALECT_SQLITE3)) {
        return;
    }
    store_admin("CREATE TABLE theirs (x INTEGER)");
    store_admin("BEGIN EXCLUSIVE");
    apr_pool_create_unmanaged_ex(&migrating.pool, NULL, NULL);
    ck_assert_int_eq(pthread_create(&thread, NULL, migrate_beside, &migrating), 0);
    apr_sleep(apr_time_from_sec(3));
    store_admin("COMMIT");
    pthread_join(thread, NULL);
    ck_assert_msg(migrating.status == SB_OK, "%s", migrating.result.message);
    apr_pool_destroy(migrating.pool);
}
END_TEST

static void assert_answer(sb_db_t *db, const char *code)
{
    ck_assert_int_eq(sb_db_read(db, 10000, nothing, NULL, &store.result, store.pool),
                     SB_UNAVAILABLE);
    ck_assert_str_eq(store.result.code, code);
    ck_assert_ptr_nonnull(store.result.hint);
}

/* F01, F34: found at first use, said with the command to run, healed without a restart */
START_TEST(test_a_missing_schema_is_named_and_heals_after_migrate)
{
    store_log_afresh();
    if (!store_open(_i)) {
        return;
    }
    sb_db_t *db = store_db(0, 0);
    assert_answer(db, "schema_missing");
    ck_assert_ptr_nonnull(strstr(store.result.hint, "subbillctl migrate"));
    ck_assert_ptr_nonnull(strstr(store_log(), "subbillctl migrate"));

    sb_migrate_options_t options = store_migrate_options();
    sb_schema_t schema;
    ck_assert_int_eq(sb_migrate_apply(&schema, &store.result, &options, store.pool),
                     SB_OK);
    usleep(1100000);
    ck_assert_int_eq(sb_db_read(db, 10000, nothing, NULL, &store.result, store.pool),
                     SB_OK);
}
END_TEST

/* F34: the database says which programs may use it */
START_TEST(test_a_newer_schema_is_used_only_when_it_allows_this_program)
{
    if (!store_open_migrated(_i)) {
        return;
    }
    store_admin(
        "INSERT INTO schema_version (version, oldest, applied_at) VALUES (900, 1, 1)");
    ck_assert_int_eq(checked(), SB_SCHEMA_NEWER);
    ck_assert_int_eq(
        sb_db_read(store_db(0, 0), 10000, nothing, NULL, &store.result, store.pool),
        SB_OK);

    store_admin("UPDATE schema_version SET oldest = 900 WHERE version = 900");
    ck_assert_int_eq(checked(), SB_SCHEMA_INCOMPATIBLE);
    assert_answer(store_db(0, 0), "schema_incompatible");
    sb_migrate_options_t options = store_migrate_options();
    sb_schema_t schema;
    ck_assert_int_eq(sb_migrate_apply(&schema, &store.result, &options, store.pool),
                     SB_CONFLICT);
    ck_assert_str_eq(store.result.code, "schema_incompatible");
}
END_TEST

/* F34 */
START_TEST(test_an_older_schema_is_refused_until_migrated)
{
    if (!store_open_migrated(_i)) {
        return;
    }
    store_admin("DELETE FROM schema_version");
    store_admin(
        "INSERT INTO schema_version (version, oldest, applied_at) VALUES (0, 0, 1)");
    assert_answer(store_db(0, 0), "schema_missing");
}
END_TEST

/* A62: what migrate makes as root belongs to the user httpd runs as */
START_TEST(test_an_sqlite_file_and_its_folder_are_private_and_given_away)
{
    sb_schema_t schema;
    struct stat found;

    if (geteuid() != 0 || !store_open(SB_DIALECT_SQLITE3)) {
        return;
    }
    store.params = apr_pstrcat(store.pool, store.folder, "/deep/own/subbill.db", NULL);
    sb_migrate_options_t options = store_migrate_options();
    options.uid = 65534;
    options.gid = 65534;
    ck_assert_msg(!sb_migrate_apply(&schema, &store.result, &options, store.pool), "%s",
                  store.result.message);
    ck_assert_int_eq(stat(store.params, &found), 0);
    ck_assert_uint_eq(found.st_uid, 65534);
    ck_assert_uint_eq(found.st_mode & 0777, 0600);
    ck_assert_int_eq(
        stat(apr_pstrcat(store.pool, store.folder, "/deep/own", NULL), &found), 0);
    ck_assert_uint_eq(found.st_uid, 65534);
    ck_assert_uint_eq(found.st_mode & 0777, 0700);
    ck_assert_int_eq(stat(apr_pstrcat(store.pool, store.folder, "/deep", NULL), &found),
                     0);
    ck_assert_uint_eq(found.st_uid, 0);
    ck_assert_str_eq(store_admin_value("PRAGMA journal_mode"), "wal");
}
END_TEST

/* T37: what went wrong is told, the password is not */
START_TEST(test_no_message_of_a_failed_connection_holds_the_password)
{
    static const char secret[] = "s3cr3t-canary";
    static const struct {
        const char *driver, *params;
    } cases[] = {
        {"pgsql", "host=127.0.0.1 port=1 user=x password=s3cr3t-canary dbname=x"},
        {"pgsql", "host=127.0.0.1 port=1 user=x password='s3cr3t-canary' dbname=x"},
        {"pgsql", "postgres://x:s3cr3t-canary@127.0.0.1:1/x?sslmode=disable"},
        {"pgsql", "postgres://x:s3cr3t-canary@127.0.0.1:port/x"},
        {"pgsql", "password s3cr3t-canary"},
        {"pgsql", "s3cr3t-canary=1"},
        {"mysql", "host=127.0.0.1,port=1,user=x,pass=s3cr3t-canary,dbname=x"},
    };

    store_log_afresh();
    for (apr_size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        sb_migrate_options_t options = {.driver = cases[i].driver,
                                        .params = cases[i].params};
        sb_db_options_t db_options = {.driver = cases[i].driver,
                                      .params = cases[i].params};
        sb_schema_t schema;
        sb_db_t *db;

        ck_assert_int_ne(sb_migrate_apply(&schema, &store.result, &options, store.pool),
                         SB_OK);
        ck_assert_ptr_null(strstr(store.result.message, secret));
        ck_assert_int_eq(sb_db_create(&db, &store.result, &db_options, store.pool),
                         SB_OK);
        assert_answer(db, "database_unavailable");
        ck_assert_ptr_null(strstr(store.result.message, secret));
    }
    ck_assert_ptr_null(strstr(store_log(), secret));
    ck_assert_ptr_nonnull(strstr(store_log(), "SB203"));
}
END_TEST

Suite *store_migrate_suite(void)
{
    Suite *suite = suite_create("store_migrate");
    TCase *tcase = tcase_create("migrate");

    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, store_setup, store_teardown);
    tcase_add_loop_test(tcase, test_migrating_twice_changes_nothing_the_second_time, 0,
                        SB_DIALECTS);
    tcase_add_loop_test(tcase, test_an_interrupted_migration_is_finished_by_the_next_run,
                        0, SB_DIALECTS);
    tcase_add_loop_test(tcase, test_three_migrations_at_once_run_one, 0, SB_DIALECTS);
    tcase_add_test(tcase,
                   test_a_migration_waits_for_a_file_that_is_locked_from_the_start);
    tcase_add_loop_test(
        tcase, test_an_upgrade_that_is_killed_anywhere_is_finished_by_the_next_run, 0,
        SB_DIALECTS);
    tcase_add_loop_test(tcase, test_two_upgrades_at_once_run_one, 0, SB_DIALECTS);
    tcase_add_loop_test(tcase, test_a_missing_schema_is_named_and_heals_after_migrate, 0,
                        SB_DIALECTS);
    tcase_add_loop_test(tcase,
                        test_a_newer_schema_is_used_only_when_it_allows_this_program, 0,
                        SB_DIALECTS);
    tcase_add_loop_test(tcase, test_an_older_schema_is_refused_until_migrated, 0,
                        SB_DIALECTS);
    tcase_add_test(tcase, test_an_sqlite_file_and_its_folder_are_private_and_given_away);
    tcase_add_test(tcase, test_no_message_of_a_failed_connection_holds_the_password);
    suite_add_tcase(suite, tcase);
    return suite;
}
