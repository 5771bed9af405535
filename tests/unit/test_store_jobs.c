/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "store/jobs.h"
#include "store/limiter.h"
#include "store/progress.h"
#include "store_fixture.h"
#include "unit.h"

#include <apr_strings.h>
#include <pthread.h>
#include <string.h>

enum { LEASE = 60 };

static sb_job_t *due_job(sb_conn_t *conn, apr_pool_t *pool)
{
    sb_job_t *jobs;
    int n;

    store_ok(sb_job_due(&jobs, &n, conn, false, 8, pool));
    return n ? jobs : NULL;
}

static sb_job_t *claim(sb_conn_t *conn, apr_pool_t *pool)
{
    sb_job_t *claimed = NULL, *job = due_job(conn, pool);

    ck_assert_ptr_nonnull(job);
    store_ok(sb_job_claim(&claimed, conn, job, LEASE, pool));
    ck_assert_ptr_nonnull(claimed);
    return claimed;
}

static apr_status_t one_life(sb_conn_t *conn, apr_pool_t *pool)
{
    bool held;

    store_ok(sb_job_enqueue(conn, "fetch", "sub_1", false, "{\"a\":1}", 0, pool));
    ck_assert_ptr_null(due_job(conn, pool) ? NULL : "nothing is due");
    sb_job_t *job = claim(conn, pool);
    ck_assert_str_eq(job->kind, "fetch");
    ck_assert_str_eq(job->subject, "sub_1");
    ck_assert_str_eq(job->payload, "{\"a\":1}");
    ck_assert_int_eq(job->attempts, 1);
    ck_assert_int_ge(job->lease_until, job->run_at + LEASE);
    ck_assert_ptr_null(due_job(conn, pool)); /* nobody else's while the lease lasts */

    store_ok(sb_job_retry(&held, conn, job, 0, 1, "b", "stripe: away", pool));
    ck_assert(held);
    job = claim(conn, pool);
    ck_assert_int_eq(job->attempts, 2);
    ck_assert_str_eq(job->payload, "b");
    ck_assert_str_eq(job->error, "stripe: away");

    store_ok(sb_job_park(&held, conn, job, "no use", pool));
    ck_assert(held);
    ck_assert_ptr_null(due_job(conn, pool));
    store_ok(sb_job_get(&job, conn, "fetch", "sub_1", false, pool));
    ck_assert_int_eq(job->state, SB_JOB_PARKED);

    /* A new wish wakes it, with a clean slate. */
    store_ok(sb_job_enqueue(conn, "fetch", "sub_1", false, NULL, 0, pool));
    job = claim(conn, pool);
    ck_assert_int_eq(job->attempts, 1);
    ck_assert_ptr_null(job->payload);
    store_ok(sb_job_finish(&held, conn, job, pool));
    ck_assert(held);
    store_ok(sb_job_get(&job, conn, "fetch", "sub_1", false, pool));
    ck_assert_ptr_null(job);
    return APR_SUCCESS;
}

/* F20 */
START_TEST(test_a_job_is_claimed_retried_parked_woken_and_finished)
{
    store_in_transaction(_i, one_life);
}
END_TEST

static apr_status_t two_wishes(sb_conn_t *conn, apr_pool_t *pool)
{
    sb_job_t *jobs;
    bool held;
    int n;

    store_ok(sb_job_enqueue(conn, "fetch", "sub_1", false, "late", 3600, pool));
    ck_assert_ptr_null(due_job(conn, pool));
    store_ok(sb_job_enqueue(conn, "fetch", "sub_1", false, "now", 0, pool));
    store_ok(sb_job_enqueue(conn, "fetch", "sub_1", true, NULL, 0, pool));
    store_ok(sb_job_enqueue(conn, "other", "sub_1", false, NULL, 3600, pool));
    store_ok(sb_job_list(&jobs, &n, conn, false, 10, pool));
    ck_assert_int_eq(n, 2); /* the live one is another mode's */
    ck_assert_str_eq(jobs[0].payload, "now");

    /* Wished for again while somebody works on it: his end is not the end. */
    sb_job_t *job = claim(conn, pool);
    store_ok(sb_job_enqueue(conn, "fetch", "sub_1", false, "again", 0, pool));
    store_ok(sb_job_finish(&held, conn, job, pool));
    ck_assert(held);
    job = claim(conn, pool);
    ck_assert_str_eq(job->payload, "again");
    store_ok(sb_job_enqueue(conn, "fetch", "sub_1", false, "third", 0, pool));
    store_ok(sb_job_park(&held, conn, job, "no use", pool));
    ck_assert_str_eq(claim(conn, pool)->payload, "third");
    return APR_SUCCESS;
}

START_TEST(test_a_second_wish_for_the_same_thing_joins_the_first)
{
    store_in_transaction(_i, two_wishes);
}
END_TEST

static apr_status_t steal(sb_conn_t *conn, apr_pool_t *pool)
{
    sb_job_t *mine, *stolen;
    bool held;

    store_ok(sb_job_enqueue(conn, "fetch", "sub_1", false, NULL, 0, pool));
    mine = claim(conn, pool);
    /* The lease runs out while we are stopped: somebody else claims it. */
    sb_job_t expired = *mine;
    store_ok(sb_job_retry(&held, conn, &expired, 0, 1, NULL, NULL, pool));
    stolen = claim(conn, pool);
    ck_assert_str_ne(stolen->holder, mine->holder);
    store_ok(sb_job_finish(&held, conn, mine, pool));
    ck_assert(!held);
    store_ok(sb_job_park(&held, conn, mine, "x", pool));
    ck_assert(!held);
    store_ok(sb_job_retry(&held, conn, mine, 0, 1, NULL, NULL, pool));
    ck_assert(!held);
    store_ok(sb_job_finish(&held, conn, stolen, pool));
    ck_assert(held);
    return APR_SUCCESS;
}

/* F20, F32 */
START_TEST(test_who_lost_the_lease_can_neither_end_nor_change_the_job)
{
    store_in_transaction(_i, steal);
}
END_TEST

typedef struct grabber_t {
    sb_db_t *db;
    apr_pool_t *pool;
    pthread_t thread;
    int won;
} grabber_t;

static apr_status_t grab_one(void *baton, sb_conn_t *conn, apr_pool_t *pool)
{
    grabber_t *grabber = baton;
    sb_job_t *claimed = NULL, *jobs;
    int n;

    grabber->won = 0;
    apr_status_t rv = sb_job_due(&jobs, &n, conn, false, 1, pool);
    if (!rv && n) {
        rv = sb_job_claim(&claimed, conn, jobs, LEASE, pool);
    }
    grabber->won = claimed != NULL;
    return rv;
}

static void *grab(void *data)
{
    grabber_t *grabber = data;

    sb_db_transaction(grabber->db, 10000, grab_one, grabber, NULL, grabber->pool);
    return NULL;
}

static apr_status_t one_job(void *baton, sb_conn_t *conn, apr_pool_t *pool)
{
    return sb_job_enqueue(conn, "fetch", "sub_1", false, NULL, 0, pool);
}

/* F32 */
START_TEST(test_of_many_who_want_one_job_one_gets_it)
{
    enum { HANDS = 8 };
    grabber_t hands[HANDS];
    int won = 0;

    if (!store_open_migrated(_i)) {
        return;
    }
    sb_db_t *db = store_db(HANDS, 5000);
    ck_assert_int_eq(
        sb_db_transaction(db, 10000, one_job, NULL, &store.result, store.pool), SB_OK);
    for (int i = 0; i < HANDS; i++) {
        hands[i] = (grabber_t){.db = db};
        apr_pool_create_unmanaged_ex(&hands[i].pool, NULL, NULL);
        ck_assert_int_eq(pthread_create(&hands[i].thread, NULL, grab, &hands[i]), 0);
    }
    for (int i = 0; i < HANDS; i++) {
        pthread_join(hands[i].thread, NULL);
        won += hands[i].won;
        apr_pool_destroy(hands[i].pool);
    }
    ck_assert_int_eq(won, 1);
}
END_TEST

static apr_status_t take_calls(sb_conn_t *conn, apr_pool_t *pool)
{
    const sb_rate_t rate = {.interval_ms = 60000, .burst = 3};
    bool taken;

    for (int i = 0; i < 3; i++) {
        store_ok(sb_limiter_take(&taken, conn, false, rate, pool));
        ck_assert(taken);
    }
    store_ok(sb_limiter_take(&taken, conn, false, rate, pool));
    ck_assert(!taken);
    /* The other mode has a budget of its own, and a pause empties it. */
    store_ok(sb_limiter_take(&taken, conn, true, rate, pool));
    ck_assert(taken);
    store_ok(sb_limiter_pause(conn, true, rate, 60000, pool));
    store_ok(sb_limiter_take(&taken, conn, true, rate, pool));
    ck_assert(!taken);
    return APR_SUCCESS;
}

/* F15 */
START_TEST(test_calls_come_in_a_burst_and_then_at_the_rate)
{
    store_in_transaction(_i, take_calls);
}
END_TEST

static apr_status_t move_on(sb_conn_t *conn, apr_pool_t *pool)
{
    sb_progress_t progress;

    store_ok(sb_progress_get(&progress, conn, "events", false, pool));
    ck_assert_ptr_null(progress.value);
    ck_assert_int_eq(progress.reached_at, 0);
    store_ok(sb_progress_set(conn, "events", false, "evt_1", 100, pool));
    store_ok(sb_progress_set(conn, "events", false, "evt_2", 200, pool));
    store_ok(sb_progress_set(conn, "events", true, "evt_9", 900, pool));
    store_ok(sb_progress_get(&progress, conn, "events", false, pool));
    ck_assert_str_eq(progress.value, "evt_2");
    ck_assert_int_eq(progress.reached_at, 200);
    return APR_SUCCESS;
}

START_TEST(test_progress_is_kept_per_mode)
{
    store_in_transaction(_i, move_on);
}
END_TEST

Suite *store_jobs_suite(void)
{
    Suite *suite = suite_create("store_jobs");
    TCase *tcase = tcase_create("store_jobs");

    tcase_add_checked_fixture(tcase, store_setup, store_teardown);
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, test_a_job_is_claimed_retried_parked_woken_and_finished, 0,
                        SB_DIALECTS);
    tcase_add_loop_test(tcase, test_a_second_wish_for_the_same_thing_joins_the_first, 0,
                        SB_DIALECTS);
    tcase_add_loop_test(tcase, test_who_lost_the_lease_can_neither_end_nor_change_the_job,
                        0, SB_DIALECTS);
    tcase_add_loop_test(tcase, test_of_many_who_want_one_job_one_gets_it, 0, SB_DIALECTS);
    tcase_add_loop_test(tcase, test_calls_come_in_a_burst_and_then_at_the_rate, 0,
                        SB_DIALECTS);
    tcase_add_loop_test(tcase, test_progress_is_kept_per_mode, 0, SB_DIALECTS);
    suite_add_tcase(suite, tcase);
    return suite;
}
