/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include <apr_strings.h>
#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "store/accounts.h"
#include "store_fixture.h"
#include "unit.h"

static char ann[] = "ann";

static apr_status_t read_account(void *baton, sb_conn_t *conn, apr_pool_t *pool)
{
    sb_account_t *account;

    return sb_account_get(&account, conn, baton, pool);
}

static apr_status_t make_account(void *baton, sb_conn_t *conn, apr_pool_t *pool)
{
    return sb_account_ensure(conn, baton, NULL, 1, pool);
}

/* Where an account is looked for and whether it was found. */
static apr_status_t find_account(void *baton, sb_conn_t *conn, apr_pool_t *pool)
{
    sb_account_t *account = NULL;
    apr_status_t rv = sb_account_get(&account, conn, ann, pool);

    *(bool *)baton = account != NULL;
    return rv;
}

static apr_int64_t ms_since(apr_time_t start)
{
    return (sb_clock_monotonic() - start) / 1000;
}

static sb_status_e reading(sb_db_t *db)
{
    return sb_db_read(db, 1000, read_account, ann, &store.result, store.pool);
}

static sb_status_e writing(sb_db_t *db, int deadline_ms)
{
    return sb_db_transaction(db, deadline_ms, make_account, ann, &store.result,
                             store.pool);
}

/* Another process runs SQL, says so, and keeps what it locked until it is killed. */
static pid_t holder(const char *sql)
{
    int ready[2];
    char byte;

    ck_assert_int_eq(pipe(ready), 0);
    pid_t pid = fork();
    if (!pid) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        store.admin = NULL;
        store_admin("PRAGMA locking_mode = EXCLUSIVE");
        store_admin(sql);
        if (write(ready[1], "x", 1) == 1) {
            pause();
        }
        _exit(0);
    }
    ck_assert_int_eq(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    close(ready[1]);
    return pid;
}

static void release(pid_t pid)
{
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

/* F09, M6: a file that another process keeps to itself holds up a gate for at most 250 ms */
START_TEST(test_a_locked_file_holds_up_a_read_for_a_quarter_second_at_most)
{
    ck_assert(store_open_migrated(SB_DIALECT_SQLITE3));
    store_admin(
        "PRAGMA journal_mode = DELETE"); /* where a lock keeps readers out as well */
    store_admin_close();
    sb_db_t *db = store_db(0, 0);
    ck_assert_int_eq(reading(db), SB_OK);
    pid_t other = holder("BEGIN EXCLUSIVE");
    apr_int64_t best = APR_INT64_MAX; /* on a machine that is busy with other things */
    for (int i = 0; i < 4; i++) {
        apr_time_t start = sb_clock_monotonic();
        ck_assert_int_eq(reading(i % 2 ? store_db(0, 0) : db), SB_UNAVAILABLE);
        ck_assert_str_eq(store.result.code, "database_busy");
        best = ms_since(start) < best ? ms_since(start) : best;
        ck_assert_int_lt(ms_since(start), 500 * store_slowness());
    }
    ck_assert_int_lt(best, 250 * store_slowness());
    release(other);
    ck_assert_int_eq(reading(db), SB_OK);
}
END_TEST

/* F09: a writer waits as long as its deadline allows; readers of a WAL file notice nothing */
START_TEST(test_a_backup_that_holds_the_write_lock_delays_writers_only)
{
    ck_assert(store_open_migrated(SB_DIALECT_SQLITE3));
    store_admin_close();
    sb_db_t *db = store_db(0, 0);
    ck_assert_int_eq(reading(db), SB_OK);
    store_admin("BEGIN IMMEDIATE");
    ck_assert_int_eq(reading(db), SB_OK);
    apr_time_t start = sb_clock_monotonic();
    ck_assert_int_eq(writing(db, 600), SB_UNAVAILABLE);
    ck_assert_str_eq(store.result.code, "database_busy");
    ck_assert_int_ge(ms_since(start), 450);
    ck_assert_int_lt(ms_since(start), 900 * store_slowness());
    store_admin("ROLLBACK");
    ck_assert_int_eq(writing(db, 600), SB_OK);
}
END_TEST

/* F11, M6: a restored backup is used from the next request on */
START_TEST(test_a_replaced_file_is_opened_again)
{
    bool found;

    ck_assert(store_open_migrated(SB_DIALECT_SQLITE3));
    const char *copy = apr_pstrcat(store.pool, store.params, ".backup", NULL);
    store_admin(apr_psprintf(store.pool, "VACUUM INTO '%s'", copy));
    store_admin_close();
    sb_db_t *db = store_db(0, 0);
    ck_assert_int_eq(writing(db, 1000), SB_OK);
    ck_assert_int_eq(sb_db_read(db, 1000, find_account, &found, NULL, store.pool), SB_OK);
    ck_assert(found);
    ck_assert_int_eq(unlink(apr_pstrcat(store.pool, store.params, "-wal", NULL)), 0);
    ck_assert_int_eq(unlink(apr_pstrcat(store.pool, store.params, "-shm", NULL)), 0);
    ck_assert_int_eq(rename(copy, store.params), 0);
    ck_assert_int_eq(
        sb_db_read(db, 1000, find_account, &found, &store.result, store.pool), SB_OK);
    ck_assert(!found);
    ck_assert_int_eq(writing(db, 1000), SB_OK);
    ck_assert_str_eq(store_admin_value("PRAGMA integrity_check"), "ok");
}
END_TEST

/* F11: fails closed while it is away, and goes on when it is back */
START_TEST(test_a_file_that_is_moved_away_is_missed_and_found_again)
{
    ck_assert(store_open_migrated(SB_DIALECT_SQLITE3));
    store_admin_close();
    sb_db_t *db = store_db(0, 0);
    const char *away = apr_pstrcat(store.pool, store.params, ".away", NULL);
    ck_assert_int_eq(reading(db), SB_OK);
    ck_assert_int_eq(rename(store.params, away), 0);
    ck_assert_int_eq(reading(db), SB_UNAVAILABLE);
    ck_assert_str_eq(store.result.code, "schema_missing");
    ck_assert_int_eq(access(store.params, F_OK), -1);
    ck_assert_int_eq(rename(away, store.params), 0);
    usleep(1100000);
    ck_assert_int_eq(reading(db), SB_OK);
}
END_TEST

/* F11: what was written is not lost with the journal's name */
START_TEST(test_a_removed_journal_is_noticed)
{
    bool found = false;

    ck_assert(store_open_migrated(SB_DIALECT_SQLITE3));
    store_admin_close();
    sb_db_t *db = store_db(0, 0);
    ck_assert_int_eq(writing(db, 1000), SB_OK);
    apr_uint64_t connected = sb_db_stats(db).connected;
    ck_assert_int_eq(unlink(apr_pstrcat(store.pool, store.params, "-wal", NULL)), 0);
    ck_assert_int_eq(
        sb_db_read(db, 1000, find_account, &found, &store.result, store.pool), SB_OK);
    ck_assert(found);
    ck_assert_int_eq(writing(db, 1000), SB_OK);
    ck_assert_uint_gt(sb_db_stats(db).connected, connected);
    ck_assert_str_eq(store_admin_value("PRAGMA integrity_check"), "ok");
}
END_TEST

/* F11: a file that may not be written refuses changes and still answers questions */
START_TEST(test_a_read_only_file_refuses_changes_without_a_crash)
{
    if (geteuid() != 0) {
        return;
    }
    ck_assert(store_open_migrated(SB_DIALECT_SQLITE3));
    store_admin("PRAGMA journal_mode = DELETE");
    store_admin_close();
    ck_assert_int_eq(chmod(store.folder, 0755), 0);
    ck_assert_int_eq(chmod(store.params, 0644), 0);
    sb_db_t *db = store_db(0, 0);
    ck_assert_int_eq(seteuid(65534), 0);
    sb_status_e read_status = reading(db);
    sb_status_e write_status = writing(db, 1000);
    const char *code = store.result.code;
    ck_assert_int_eq(seteuid(0), 0);
    ck_assert_int_eq(read_status, SB_OK);
    ck_assert_int_eq(write_status, SB_UNAVAILABLE);
    ck_assert_str_eq(code, "database_unavailable");
    ck_assert_int_eq(chmod(store.params, 0600), 0);
    ck_assert_int_eq(seteuid(65534), 0);
    read_status = reading(store_db(0, 0));
    ck_assert_int_eq(seteuid(0), 0);
    ck_assert_int_eq(read_status, SB_UNAVAILABLE);
}
END_TEST

/* F12: damage is refused aloud and never crashes */
START_TEST(test_a_damaged_file_is_refused_aloud)
{
    struct stat file;

    store_log_afresh();
    ck_assert(store_open_migrated(SB_DIALECT_SQLITE3));
    store_admin("PRAGMA journal_mode = DELETE");
    store_admin_close();
    ck_assert_int_eq(stat(store.params, &file), 0);
    ck_assert_int_eq(truncate(store.params, file.st_size / 2), 0);
    sb_status_e status = writing(store_db(0, 0), 1000);
    ck_assert_int_ne(status, SB_OK);
    ck_assert_ptr_nonnull(strstr(store_log(), "malformed"));

    int fd = open(store.params, O_RDWR);
    ck_assert_int_ge(fd, 0);
    for (off_t at = 0; at < 4096; at += 64) {
        ck_assert_int_eq(pwrite(fd, "\xde\xad\xbe\xef", 4, at), 4);
    }
    close(fd);
    usleep(1100000); /* one line per second and cause is logged */
    ck_assert_int_eq(reading(store_db(0, 0)), SB_UNAVAILABLE);
    ck_assert_str_eq(store.result.code, "database_unavailable");
    ck_assert_msg(strstr(store_log(), "not a database") != NULL, "%s", store_log());
}
END_TEST

/* F12 */
START_TEST(test_random_damage_anywhere_never_crashes)
{
    struct stat file;

    ck_assert(store_open_migrated(SB_DIALECT_SQLITE3));
    store_admin("PRAGMA journal_mode = DELETE");
    store_admin_close();
    ck_assert_int_eq(stat(store.params, &file), 0);
    srandom(12);
    for (int i = 0; i < 40; i++) {
        int fd = open(store.params, O_RDWR);
        off_t at = random() % (file.st_size - 16);
        char before[16], damage[16];
        ck_assert_int_eq(pread(fd, before, sizeof(before), at), sizeof(before));
        for (int k = 0; k < 16; k++) {
            damage[k] = (char)random();
        }
        ck_assert_int_eq(pwrite(fd, damage, sizeof(damage), at), sizeof(damage));
        apr_pool_t *pool = store.pool;
        apr_pool_create(&store.pool, pool);
        sb_db_t *db = store_db(0, 0);
        reading(db);
        writing(db, 1000);
        apr_pool_destroy(store.pool);
        store.pool = pool;
        ck_assert_int_eq(pwrite(fd, before, sizeof(before), at), sizeof(before));
        close(fd);
    }
}
END_TEST

Suite *store_sqlite_suite(void)
{
    Suite *suite = suite_create("store_sqlite");
    TCase *tcase = tcase_create("sqlite");

    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, store_setup, store_teardown);
    tcase_add_test(tcase,
                   test_a_locked_file_holds_up_a_read_for_a_quarter_second_at_most);
    tcase_add_test(tcase, test_a_backup_that_holds_the_write_lock_delays_writers_only);
    tcase_add_test(tcase, test_a_replaced_file_is_opened_again);
    tcase_add_test(tcase, test_a_file_that_is_moved_away_is_missed_and_found_again);
    tcase_add_test(tcase, test_a_removed_journal_is_noticed);
    tcase_add_test(tcase, test_a_read_only_file_refuses_changes_without_a_crash);
    tcase_add_test(tcase, test_a_damaged_file_is_refused_aloud);
    tcase_add_test(tcase, test_random_damage_anywhere_never_crashes);
    suite_add_tcase(suite, tcase);
    return suite;
}
