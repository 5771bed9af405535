/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include <apr_strings.h>
#include <check.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "sb_statements.h"
#include "store/accounts.h"
#include "store/customers.h"
#include "store/epochs.h"
#include "store/events.h"
#include "store/invoices.h"
#include "store/subscriptions.h"
#include "store/trials.h"
#include "store_fixture.h"
#include "unit.h"

static char ann[] = "ann";
static char bob[] = "bob";

static apr_status_t nothing(void *baton, sb_conn_t *conn, apr_pool_t *pool)
{
    return APR_SUCCESS;
}

/* baton: a user name, whose account is read. */
static apr_status_t read_account(void *baton, sb_conn_t *conn, apr_pool_t *pool)
{
    sb_account_t *account;

    return sb_account_get(&account, conn, baton, pool);
}

static apr_status_t make_account(void *baton, sb_conn_t *conn, apr_pool_t *pool)
{
    return sb_account_ensure(conn, baton, NULL, 1, pool);
}

static apr_int64_t ms_since(apr_time_t start)
{
    return (sb_clock_monotonic() - start) / 1000;
}

/* A webhook's transaction in small: one write into every table that it may touch. */
static apr_status_t write_everything(void *baton, sb_conn_t *conn, apr_pool_t *pool)
{
    static const sb_subscription_item_t item = {
        .id = "si_1", .price = "price_1", .quantity = 1};
    sb_subscription_t sub = {.id = "sub_1",
                             .customer = "cus_1",
                             .user = "ann",
                             .status = SB_STATUS_ACTIVE,
                             .items = &item,
                             .items_n = 1};
    sb_event_row_t event = {
        .id = "evt_1", .type = "t", .state = SB_EVENT_DONE, .source = "webhook"};
    sb_invoice_t invoice = {
        .id = "in_1", .customer = "cus_1", .user = "ann", .status = "paid"};
    sb_trial_t trial = {.user = "ann", .used_at = 1};
    sb_bind_e outcome;
    bool inserted;

    apr_status_t rv = sb_event_insert(&inserted, NULL, conn, &event, "{}", pool);
    if (!rv) {
        rv = sb_customer_bind(&outcome, conn, "cus_1", false, "ann", "webhook", "stripe",
                              1, pool);
    }
    if (!rv) {
        rv = sb_subscription_save(conn, &sub, 1, pool);
    }
    if (!rv) {
        rv = sb_invoice_save(NULL, NULL, conn, &invoice, pool);
    }
    if (!rv) {
        rv = sb_trial_mark(NULL, conn, &trial, pool);
    }
    return rv;
}

static const char *const written[] = {
    "event",        "event_body",        "account", "customer", "link_audit",
    "subscription", "subscription_item", "invoice", "trial"};
enum { WRITTEN = sizeof(written) / sizeof(written[0]) };

static void refuse_inserts(const char *table)
{
    if (store.dialect == SB_DIALECT_PGSQL) {
        store_admin(
            "CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'refused by a trigger'; END $$");
    }
    store_admin_by_dialect(
        apr_psprintf(store.pool,
                     "CREATE TRIGGER refusing BEFORE INSERT ON %s BEGIN "
                     "SELECT RAISE(ABORT, 'refused by a trigger'); END",
                     table),
        apr_psprintf(store.pool,
                     "CREATE TRIGGER refusing BEFORE INSERT ON %s "
                     "FOR EACH ROW EXECUTE FUNCTION refuse()",
                     table),
        apr_psprintf(store.pool,
                     "CREATE TRIGGER refusing BEFORE INSERT ON %s FOR EACH ROW "
                     "SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'refused by a trigger'",
                     table));
}

static void admit_inserts(const char *table)
{
    const char *plain = "DROP TRIGGER refusing";

    store_admin_by_dialect(
        plain, apr_psprintf(store.pool, "DROP TRIGGER refusing ON %s", table), plain);
}

/* F06, M2: whichever statement fails, nothing of the transaction stays */
START_TEST(test_a_statement_that_fails_half_way_leaves_nothing)
{
    if (!store_open_migrated(_i)) {
        return;
    }
    sb_db_t *db = store_db(0, 0);
    for (int i = 0; i < WRITTEN; i++) {
        refuse_inserts(written[i]);
        ck_assert_int_eq(sb_db_transaction(db, 5000, write_everything, NULL,
                                           &store.result, store.pool),
                         SB_UNAVAILABLE);
        ck_assert_msg(!strcmp(store.result.code, "database_refused"), "%s: %s",
                      written[i], store_log());
        for (int k = 0; k < WRITTEN; k++) {
            ck_assert_msg(!store_admin_count(written[k]),
                          "%s holds something after %s refused", written[k], written[i]);
        }
        admit_inserts(written[i]);
    }
    ck_assert_str_eq(store_admin_value("SELECT MAX(v) FROM epoch"), "0");
    ck_assert_int_eq(
        sb_db_transaction(db, 5000, write_everything, NULL, &store.result, store.pool),
        SB_OK);
    for (int k = 0; k < WRITTEN; k++) {
        ck_assert_int_eq(store_admin_count(written[k]), 1);
    }
    ck_assert_str_eq(store_admin_value("SELECT SUM(v) FROM epoch"), "1");
}
END_TEST

static apr_status_t overlook_a_failure(void *baton, sb_conn_t *conn, apr_pool_t *pool)
{
    sb_trial_t trial = {.user = "ann", .used_at = 1};

    sb_account_ensure(conn, "ann", NULL, 1, pool);
    sb_trial_mark(NULL, conn, &trial, pool);
    sb_account_ensure(conn, "bob", NULL, 1, pool);
    return APR_SUCCESS;
}

/* M2, F06: a work that does not look at its errors cannot commit half of itself */
START_TEST(test_an_overlooked_failure_is_not_committed)
{
    if (!store_open_migrated(_i)) {
        return;
    }
    refuse_inserts("trial");
    ck_assert_int_eq(sb_db_transaction(store_db(0, 0), 5000, overlook_a_failure, NULL,
                                       &store.result, store.pool),
                     SB_UNAVAILABLE);
    ck_assert_int_eq(store_admin_count("account"), 0);
}
END_TEST

static apr_status_t change_the_mind(void *baton, sb_conn_t *conn, apr_pool_t *pool)
{
    apr_status_t rv = sb_account_ensure(conn, "ann", NULL, 1, pool);

    ++*(int *)baton;
    return rv ? rv : SB_DB_ROLLBACK;
}

static apr_status_t give_up(void *baton, sb_conn_t *conn, apr_pool_t *pool)
{
    apr_status_t rv = sb_account_ensure(conn, "ann", NULL, 1, pool);

    ++*(int *)baton;
    return rv ? rv : APR_EINVAL;
}

/* F06 */
START_TEST(test_rolling_back_on_purpose_is_no_error_and_runs_once)
{
    int runs = 0;

    if (!store_open_migrated(_i)) {
        return;
    }
    sb_db_t *db = store_db(0, 0);
    ck_assert_int_eq(
        sb_db_transaction(db, 5000, change_the_mind, &runs, &store.result, store.pool),
        SB_OK);
    ck_assert_int_eq(runs, 1);
    ck_assert_int_eq(
        sb_db_transaction(db, 5000, give_up, &runs, &store.result, store.pool),
        SB_INTERNAL);
    ck_assert_str_eq(store.result.code, "work_failed");
    ck_assert_int_eq(runs, 2);
    ck_assert_int_eq(store_admin_count("account"), 0);
}
END_TEST

/* Ends every connection but the admin's; on SQLite changes the schema, which kills statements. */
static void kill_connections(int round)
{
    if (store.dialect == SB_DIALECT_SQLITE3) {
        store_admin(apr_psprintf(store.pool, "CREATE TABLE other_%d (a)", round));
    }
    else if (store.dialect == SB_DIALECT_PGSQL) {
        store_admin_value("SELECT COUNT(pg_terminate_backend(pid)) FROM pg_stat_activity "
                          "WHERE usename = current_user AND pid <> pg_backend_pid()");
    }
    else {
        for (;;) {
            const char *id = store_admin_value(
                "SELECT id FROM information_schema.processlist WHERE user = 'subbill' "
                "AND id <> CONNECTION_ID() AND command <> 'Killed' LIMIT 1");
            if (!*id) {
                return;
            }
            store_admin(apr_psprintf(store.pool, "KILL %s", id));
        }
    }
}

/* F03, M1, M3, M4, M5: stale connections cost nobody anything */
START_TEST(test_killed_connections_are_replaced_without_an_error)
{
    enum { ROUNDS = 20 };

    if (!store_open_migrated(_i)) {
        return;
    }
    sb_db_t *db = store_db(0, 0);
    for (int round = 0; round < ROUNDS; round++) {
        char *user = apr_psprintf(store.pool, "user%d", round);
        ck_assert_int_eq(
            sb_db_transaction(db, 5000, make_account, user, &store.result, store.pool),
            SB_OK);
        kill_connections(round);
        if (round % 2) {
            ck_assert_int_eq(
                sb_db_read(db, 5000, read_account, user, &store.result, store.pool),
                SB_OK);
        }
    }
    ck_assert_int_eq(store_admin_count("account"), ROUNDS);
    ck_assert_int_ge(sb_db_stats(db).repeated, ROUNDS / 2);
}
END_TEST

typedef struct {
    sb_db_t *db;
    int naps_ms;
    apr_pool_t *pool;
    pthread_t thread;
    sb_status_e status;
    int n;
} hand_t;

static apr_status_t nap(void *baton, sb_conn_t *conn, apr_pool_t *pool)
{
    sb_account_t *account;
    hand_t *hand = baton;
    apr_status_t rv = sb_account_get(&account, conn, "ann", pool);

    usleep((useconds_t)hand->naps_ms * 1000);
    return rv;
}

static void *hold_a_connection(void *data)
{
    hand_t *hand = data;

    hand->status = sb_db_read(hand->db, 5000, nap, hand, NULL, hand->pool);
    return NULL;
}

/* F05, M7: who finds every connection in use is told so within the wait */
START_TEST(test_an_exhausted_pool_answers_within_its_wait)
{
    hand_t hand = {.naps_ms = 900};

    if (!store_open_migrated(_i)) {
        return;
    }
    sb_db_t *db = store_db(1, 200);
    ck_assert_int_eq(sb_db_read(db, 10000, nothing, NULL, &store.result, store.pool),
                     SB_OK);
    hand.db = db;
    apr_pool_create_unmanaged_ex(&hand.pool, NULL, NULL);
    ck_assert_int_eq(pthread_create(&hand.thread, NULL, hold_a_connection, &hand), 0);
    usleep(200000);
    apr_time_t start = sb_clock_monotonic();
    ck_assert_int_eq(sb_db_read(db, 5000, nothing, NULL, &store.result, store.pool),
                     SB_UNAVAILABLE);
    ck_assert_str_eq(store.result.code, "database_busy");
    ck_assert_int_ge(ms_since(start), 190);
    ck_assert_int_lt(ms_since(start), 450 * store_slowness());
    ck_assert_int_eq(sb_db_stats(db).exhausted, 1);
    pthread_join(hand.thread, NULL);
    ck_assert_int_eq(hand.status, SB_OK);
    ck_assert_int_eq(sb_db_read(db, 5000, nothing, NULL, &store.result, store.pool),
                     SB_OK);
    apr_pool_destroy(hand.pool);
}
END_TEST

/* F04: a server that hangs holds a thread until its deadline and no longer */
START_TEST(test_a_deadline_frees_the_thread_of_a_hung_backend)
{
    if (_i == SB_DIALECT_SQLITE3 || !store_open_migrated(_i)) {
        return;
    }
    sb_db_t *db = store_db(4, 250);
    int deadline = 400 * store_slowness();
    pid_t pid = 0;

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
    apr_time_t start = sb_clock_monotonic();
    sb_status_e status =
        sb_db_read(db, deadline, read_account, ann, &store.result, store.pool);
    apr_int64_t first = ms_since(start);
    start = sb_clock_monotonic();
    sb_status_e again = sb_db_read(db, deadline, read_account, ann, NULL, store.pool);
    apr_int64_t second = ms_since(start);
    kill(pid, SIGCONT);

    ck_assert_int_eq(status, SB_UNAVAILABLE);
    ck_assert_str_eq(store.result.code, "database_unavailable");
    ck_assert_int_ge(first, deadline - 10);
    ck_assert_int_lt(first, deadline + 300 * store_slowness());
    ck_assert_int_lt(second, deadline + 300 * store_slowness());
    ck_assert_int_eq(sb_db_stats(db).reaped, 1);
    /* PostgreSQL serves each connection by its own process, so the second one was fine */
    ck_assert_int_eq(again, _i == SB_DIALECT_PGSQL ? SB_OK : SB_UNAVAILABLE);
    usleep(1100000);
    ck_assert_int_eq(sb_db_read(db, 10000, read_account, ann, &store.result, store.pool),
                     SB_OK);
}
END_TEST

/* F01: a server that is not there is asked once a second, the others are told at once */
START_TEST(test_a_server_that_is_down_fails_fast_after_the_first_try)
{
    static const char *const params[] = {NULL, "host=127.0.0.1 port=1 dbname=x user=x",
                                         "host=127.0.0.1 port=1 dbname=x user=x"};
    sb_db_options_t options = {.driver = _i == SB_DIALECT_PGSQL ? "pgsql" : "mysql",
                               .params = params[_i]};
    sb_db_t *db;

    store_log_afresh();
    ck_assert_int_eq(sb_db_create(&db, &store.result, &options, store.pool), SB_OK);
    apr_time_t start = sb_clock_monotonic();
    for (int i = 0; i < 50; i++) {
        ck_assert_int_eq(sb_db_read(db, 10000, nothing, NULL, &store.result, store.pool),
                         SB_UNAVAILABLE);
        ck_assert_str_eq(store.result.code, "database_unavailable");
        ck_assert_int_gt(store.result.retry_after, 0);
    }
    ck_assert_int_eq(sb_db_stats(db).connected, 0);
    int lines = 0;
    for (const char *at = store_log(); (at = strstr(at, "SB203")); at++) {
        lines++;
    }
    ck_assert_int_ge(lines, 1);
    ck_assert_int_le(lines, 1 + (int)(ms_since(start) / 1000));
}
END_TEST

static apr_status_t touch_some(void *baton, sb_conn_t *conn, apr_pool_t *pool)
{
    sb_epoch_touch(conn, "ann");
    sb_epoch_touch(conn, "bob");
    sb_epoch_touch(conn, "ann");
    return APR_SUCCESS;
}

static apr_status_t touch_and_drop(void *baton, sb_conn_t *conn, apr_pool_t *pool)
{
    sb_epoch_touch(conn, "ann");
    return SB_DB_ROLLBACK;
}

/* C17: news of a change reach the database and this host's map after the commit, and only then */
START_TEST(test_touched_slots_are_bumped_by_a_commit_only)
{
    sb_epochs_t *mine, *theirs;
    sb_db_t *db;

    if (!store_open_migrated(_i)) {
        return;
    }
    char file[] = "/tmp/sb-epochs-XXXXXX";
    int fd = mkstemp(file);
    close(fd);
    ck_assert_int_eq(sb_epochs_prepare(file, (uid_t)-1, (gid_t)-1), APR_SUCCESS);
    ck_assert_int_eq(sb_epochs_open(&mine, file, store.pool), APR_SUCCESS);
    ck_assert_int_eq(sb_epochs_open(&theirs, file, store.pool), APR_SUCCESS);
    sb_db_options_t options = {.driver = store.driver,
                               .params = store.params,
                               .committed = sb_epochs_bump,
                               .baton = mine};
    ck_assert_int_eq(sb_db_create(&db, &store.result, &options, store.pool), SB_OK);

    int first = sb_epoch_slot(ann), second = sb_epoch_slot(bob);
    ck_assert_int_ne(first, second);
    ck_assert_int_eq(sb_db_transaction(db, 5000, touch_and_drop, NULL, NULL, store.pool),
                     SB_OK);
    ck_assert_uint_eq(sb_epochs_get(theirs, first), 0);
    ck_assert_int_eq(sb_db_transaction(db, 5000, touch_some, NULL, NULL, store.pool),
                     SB_OK);
    ck_assert_uint_eq(sb_epochs_get(theirs, first), 1);
    ck_assert_uint_eq(sb_epochs_get(theirs, second), 1);
    ck_assert_uint_eq(sb_epochs_get(theirs, first == 0 ? 1 : first - 1), 0);
    ck_assert_str_eq(store_admin_value("SELECT SUM(v) FROM epoch"), "2");
    unlink(file);
}
END_TEST

/* M8: every host must find the same slot */
START_TEST(test_the_slot_of_a_name_never_changes)
{
    static const struct {
        const char *user;
        int slot;
    } known[] = {{"", 961}, {"alice", 956}, {"J\xc3\xbcrgen", 593}};

    for (apr_size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        ck_assert_int_eq(sb_epoch_slot(known[i].user), known[i].slot);
    }
}
END_TEST

Suite *store_db_suite(void)
{
    Suite *suite = suite_create("store_db");
    TCase *tcase = tcase_create("db");

    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, store_setup, store_teardown);
    tcase_add_loop_test(tcase, test_a_statement_that_fails_half_way_leaves_nothing, 0,
                        SB_DIALECTS);
    tcase_add_loop_test(tcase, test_an_overlooked_failure_is_not_committed, 0,
                        SB_DIALECTS);
    tcase_add_loop_test(tcase, test_rolling_back_on_purpose_is_no_error_and_runs_once, 0,
                        SB_DIALECTS);
    tcase_add_loop_test(tcase, test_killed_connections_are_replaced_without_an_error, 0,
                        SB_DIALECTS);
    tcase_add_loop_test(tcase, test_an_exhausted_pool_answers_within_its_wait, 0,
                        SB_DIALECTS);
    tcase_add_loop_test(tcase, test_a_deadline_frees_the_thread_of_a_hung_backend, 0,
                        SB_DIALECTS);
    tcase_add_loop_test(tcase, test_a_server_that_is_down_fails_fast_after_the_first_try,
                        SB_DIALECT_PGSQL, SB_DIALECTS);
    tcase_add_loop_test(tcase, test_touched_slots_are_bumped_by_a_commit_only, 0,
                        SB_DIALECTS);
    tcase_add_test(tcase, test_the_slot_of_a_name_never_changes);
    suite_add_tcase(suite, tcase);
    return suite;
}
