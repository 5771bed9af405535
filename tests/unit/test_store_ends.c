/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include <apr_strings.h>
#include <check.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "store/accounts.h"
#include "store/pool.h"
#include "store_fixture.h"
#include "unit.h"

/* How connections and pools of them end before their time. */

static apr_int64_t ms_since(apr_time_t start)
{
    return (sb_clock_monotonic() - start) / 1000;
}

static apr_status_t nothing(void *baton, sb_conn_t *conn, apr_pool_t *pool)
{
    sb_account_t *account;

    return sb_account_get(&account, conn, "ann", pool);
}

static bool carries(const int pair[2])
{
    char byte = 'x';

    return send(pair[0], &byte, 1, MSG_NOSIGNAL) == 1 && read(pair[1], &byte, 1) == 1;
}

/* Is cut, and goes on with files of its own, as a thread of httpd does with its next connection. */
static apr_status_t open_after_the_cut(void *baton, sb_conn_t *conn, apr_pool_t *pool)
{
    enum { PAIRS = 8 };
    int pairs[PAIRS][2];
    int *broken = baton;
    apr_status_t rv = nothing(NULL, conn, pool);

    for (int i = 0; i < PAIRS; i++) {
        ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pairs[i]), 0);
    }
    usleep(300000); /* several looks of the reaper */
    for (int i = 0; i < PAIRS; i++) {
        *broken += !carries(pairs[i]);
        close(pairs[i][0]);
        close(pairs[i][1]);
    }
    return rv;
}

/* F04: what is cut is the connection, never a file that was opened under its number later */
START_TEST(test_cutting_a_connection_cuts_nothing_else)
{
    int broken = 0;
    pid_t pid = 0;

    if (_i == SB_DIALECT_SQLITE3 || !store_open_migrated(_i)) {
        return;
    }
    sb_db_t *db = store_db(4, 250);
    ck_assert_int_eq(sb_db_read(db, 10000, nothing, NULL, &store.result, store.pool),
                     SB_OK);
    if (_i == SB_DIALECT_PGSQL) {
        pid = (pid_t)apr_atoi64(store_admin_value(
            "SELECT pid FROM pg_stat_activity WHERE application_name = 'mod_subbill'"));
    }
    else if (getenv("SB_TEST_MYSQL_PID")) {
        pid = (pid_t)apr_atoi64(getenv("SB_TEST_MYSQL_PID"));
    }
    if (pid <= 0) {
        return;
    }
    store_stop_process(pid);
    sb_status_e status = sb_db_read(db, 300 * store_slowness(), open_after_the_cut,
                                    &broken, &store.result, store.pool);
    kill(pid, SIGCONT);
    ck_assert_int_eq(status, SB_UNAVAILABLE);
    ck_assert_int_eq(broken, 0);
}
END_TEST

static void count_call(void *baton, const int *slots, int n)
{
    *(int *)baton += n;
}

static apr_status_t write_what_commit_refuses(void *baton, sb_conn_t *conn,
                                              apr_pool_t *pool)
{
    sb_epoch_touch(conn, "ann");
    return sb_account_ensure(conn, "ann", "nobody@example.com", 1, pool);
}

/* F07: when COMMIT was sent and no good answer came, it may have happened, so the caches of this host look
 * again. PostgreSQL alone can be made to say no that late. */
START_TEST(test_a_commit_without_its_answer_is_news)
{
    int told = 0;
    sb_db_t *db;

    if (!store_open_migrated(SB_DIALECT_PGSQL)) {
        return;
    }
    store_admin("ALTER TABLE account ADD FOREIGN KEY (email) "
                "REFERENCES server_secret (name) DEFERRABLE INITIALLY DEFERRED");
    sb_db_options_t options = {.driver = store.driver,
                               .params = store.params,
                               .committed = count_call,
                               .baton = &told};
    ck_assert_int_eq(sb_db_create(&db, &store.result, &options, store.pool), SB_OK);
    ck_assert_int_eq(sb_db_transaction(db, 5000, write_what_commit_refuses, NULL,
                                       &store.result, store.pool),
                     SB_UNAVAILABLE);
    ck_assert_str_eq(store.result.code, "database_refused");
    ck_assert_int_eq(told, 1);
    ck_assert_int_eq(store_admin_count("account"), 0);
}
END_TEST

/* A database whose pool ends before the test does. */
static sb_db_t *mortal_db(apr_pool_t **life)
{
    sb_db_options_t options = {
        .driver = store.driver, .params = store.params, .pool_max = 2};
    sb_db_t *db;

    apr_pool_create(life, store.pool);
    ck_assert_int_eq(sb_db_create(&db, &store.result, &options, *life), SB_OK);
    return db;
}

/* What is left behind on purpose is gone with the process; without a fork it would be a leak. */
static bool one_process(void)
{
    const char *fork_mode = getenv("CK_FORK");

    return fork_mode && !strcmp(fork_mode, "no");
}

static apr_status_t end_everything(void *baton, sb_conn_t *conn, apr_pool_t *pool)
{
    apr_status_t rv = sb_account_ensure(conn, "ann", NULL, 1, pool);

    apr_pool_destroy(baton);
    return rv;
}

/* F20: a prefork child is ended by a signal handler on top of its only thread, in the middle of its work */
START_TEST(test_the_end_does_not_wait_for_the_thread_it_interrupts)
{
    apr_pool_t *life;

    if (one_process() || !store_open_migrated(_i)) {
        return;
    }
    sb_db_t *db = mortal_db(&life);
    apr_time_t start = sb_clock_monotonic();
    ck_assert_int_eq(
        sb_db_transaction(db, 5000, end_everything, life, &store.result, store.pool),
        SB_OK);
    ck_assert_int_lt(ms_since(start), 800 * store_slowness());
}
END_TEST

/* F20: and even while it holds the lock */
START_TEST(test_the_end_does_not_wait_for_a_lock_that_nobody_will_leave)
{
    apr_pool_t *life;

    if (one_process() || !store_open_migrated(SB_DIALECT_SQLITE3)) {
        return;
    }
    sb_db_t *db = mortal_db(&life);
    ck_assert_int_eq(sb_db_read(db, 5000, nothing, NULL, &store.result, store.pool),
                     SB_OK);
    pthread_mutex_lock(&db->lock);
    apr_time_t start = sb_clock_monotonic();
    apr_pool_destroy(life);
    ck_assert_int_lt(ms_since(start), 500 * store_slowness());
    pthread_mutex_unlock(&db->lock);
}
END_TEST

Suite *store_ends_suite(void)
{
    Suite *suite = suite_create("store_ends");
    TCase *tcase = tcase_create("ends");

    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, store_setup, store_teardown);
    tcase_add_loop_test(tcase, test_cutting_a_connection_cuts_nothing_else, 0,
                        SB_DIALECTS);
    tcase_add_test(tcase, test_a_commit_without_its_answer_is_news);
    tcase_add_loop_test(tcase, test_the_end_does_not_wait_for_the_thread_it_interrupts, 0,
                        SB_DIALECTS);
    tcase_add_test(tcase, test_the_end_does_not_wait_for_a_lock_that_nobody_will_leave);
    suite_add_tcase(suite, tcase);
    return suite;
}
