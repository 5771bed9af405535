/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include <apr_strings.h>
#include <check.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "sb_statements.h"
#include "store/accounts.h"
#include "store/customers.h"
#include "store/subscriptions.h"
#include "store_fixture.h"
#include "unit.h"

static char ann[] = "ann";
static char bob[] = "bob";

static apr_status_t make_account(void *baton, sb_conn_t *conn, apr_pool_t *pool)
{
    return sb_account_ensure(conn, baton, NULL, 1, pool);
}

typedef struct {
    sb_db_t *db;
    int n;
    apr_pool_t *pool;
    pthread_t thread;
    sb_status_e status;
} hand_t;

static apr_status_t add_one(void *baton, sb_conn_t *conn, apr_pool_t *pool)
{
    sb_epoch_touch(conn, "ann");
    return APR_SUCCESS;
}

static void *count_up(void *data)
{
    hand_t *hand = data;

    for (int i = 0; i < hand->n; i++) {
        if (sb_db_transaction(hand->db, 10000, add_one, NULL, NULL, hand->pool)) {
            hand->status = SB_UNAVAILABLE;
        }
    }
    return NULL;
}

/* F08: many writers of one row take turns; none fails, none is lost */
START_TEST(test_eight_writers_of_one_row_all_succeed)
{
    enum { WRITERS = 8, EACH = 25 };
    hand_t hands[WRITERS];

    if (!store_open_migrated(_i)) {
        return;
    }
    sb_db_t *db = store_db(4, 5000);
    for (int i = 0; i < WRITERS; i++) {
        hands[i] = (hand_t){.db = db, .n = EACH};
        apr_pool_create_unmanaged_ex(&hands[i].pool, NULL, NULL);
        ck_assert_int_eq(pthread_create(&hands[i].thread, NULL, count_up, &hands[i]), 0);
    }
    for (int i = 0; i < WRITERS; i++) {
        pthread_join(hands[i].thread, NULL);
        ck_assert_int_eq(hands[i].status, SB_OK);
        apr_pool_destroy(hands[i].pool);
    }
    ck_assert_str_eq(store_admin_value("SELECT MAX(v) FROM epoch"),
                     apr_itoa(store.pool, WRITERS * EACH));
    ck_assert_int_le(sb_db_stats(db).connected, 4);
}
END_TEST

typedef struct {
    const char *first, *second;
    pthread_barrier_t *both;
    bool met;
} crossing_t;

static apr_status_t lock_two(void *baton, sb_conn_t *conn, apr_pool_t *pool)
{
    crossing_t *crossing = baton;
    const sb_row_name_t *rows;
    int n;
    apr_status_t rv = sb_sql_account_lock(&rows, &n, conn, crossing->first, pool);

    if (!crossing->met) {
        crossing->met = true;
        pthread_barrier_wait(crossing->both);
    }
    return rv ? rv : sb_sql_account_lock(&rows, &n, conn, crossing->second, pool);
}

typedef struct {
    sb_db_t *db;
    crossing_t crossing;
    apr_pool_t *pool;
    sb_status_e status;
} walker_t;

static void *walk(void *data)
{
    walker_t *walker = data;

    walker->status = sb_db_transaction(walker->db, 10000, lock_two, &walker->crossing,
                                       NULL, walker->pool);
    return NULL;
}

/* F08 */
START_TEST(test_a_deadlock_is_repeated_and_both_succeed)
{
    pthread_barrier_t both;
    walker_t walkers[2];
    pthread_t threads[2];

    if (_i == SB_DIALECT_SQLITE3 || !store_open_migrated(_i)) {
        return; /* SQLite has one writer */
    }
    sb_db_t *db = store_db(0, 0);
    ck_assert_int_eq(sb_db_transaction(db, 5000, make_account, ann, NULL, store.pool),
                     SB_OK);
    ck_assert_int_eq(sb_db_transaction(db, 5000, make_account, bob, NULL, store.pool),
                     SB_OK);
    pthread_barrier_init(&both, NULL, 2);
    for (int i = 0; i < 2; i++) {
        walkers[i] = (walker_t){.db = db,
                                .crossing = {.first = i ? "ann" : "bob",
                                             .second = i ? "bob" : "ann",
                                             .both = &both}};
        apr_pool_create_unmanaged_ex(&walkers[i].pool, NULL, NULL);
        ck_assert_int_eq(pthread_create(&threads[i], NULL, walk, &walkers[i]), 0);
    }
    for (int i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
        ck_assert_int_eq(walkers[i].status, SB_OK);
        apr_pool_destroy(walkers[i].pool);
    }
    pthread_barrier_destroy(&both);
}
END_TEST

typedef struct {
    sb_db_t *db;
    const char *id;
    apr_int64_t told; /* when Stripe said so */
    apr_pool_t *pool;
    sb_status_e status;
} telling_t;

static apr_status_t tell(void *baton, sb_conn_t *conn, apr_pool_t *pool)
{
    const telling_t *telling = baton;
    sb_subscription_t sub = {.id = telling->id,
                             .customer = "cus_1",
                             .status = SB_STATUS_ACTIVE,
                             .event_created = telling->told};
    sb_subscription_t *stored;
    apr_status_t rv = sb_subscription_lock(&stored, conn, sub.id, false, pool);

    usleep(100000); /* the other one looks, too */
    if (rv || (stored && stored->event_created > sub.event_created)) {
        return rv;
    }
    return sb_subscription_save(conn, &sub, 1, pool);
}

static void *run_telling(void *data)
{
    telling_t *telling = data;

    telling->status =
        sb_db_transaction(telling->db, 20000, tell, telling, NULL, telling->pool);
    return NULL;
}

/* F18, A16: two events of a subscription nobody knew yet cannot overtake each other */
START_TEST(test_two_first_events_of_one_subscription_end_with_the_newer_one)
{
    if (!store_open_migrated(_i)) {
        return;
    }
    sb_db_t *db = store_db(0, 10000);
    for (int round = 0; round < 4; round++) {
        telling_t tellings[2];
        pthread_t threads[2];
        const char *id = apr_psprintf(store.pool, "sub_%d", round);
        for (int i = 0; i < 2; i++) {
            tellings[i] =
                (telling_t){.db = db, .id = id, .told = 100 + (i ^ (round & 1))};
            apr_pool_create_unmanaged_ex(&tellings[i].pool, NULL, NULL);
            ck_assert_int_eq(pthread_create(&threads[i], NULL, run_telling, &tellings[i]),
                             0);
            usleep(20000);
        }
        for (int i = 0; i < 2; i++) {
            pthread_join(threads[i], NULL);
            ck_assert_int_eq(tellings[i].status, SB_OK);
            apr_pool_destroy(tellings[i].pool);
        }
    }
    ck_assert_str_eq(store_admin_value("SELECT MIN(event_created) FROM subscription"),
                     "101");
}
END_TEST

typedef struct {
    sb_db_t *db;
    const char *user;
    apr_pool_t *pool;
    sb_bind_e outcome;
    sb_status_e status;
} claim_t;

static apr_status_t claim_customer(void *baton, sb_conn_t *conn, apr_pool_t *pool)
{
    claim_t *claim = baton;

    return sb_customer_bind(&claim->outcome, conn, "cus_wanted", false, claim->user,
                            "checkout", claim->user, 1, pool);
}

static void *run_claim(void *data)
{
    claim_t *claim = data;

    claim->status =
        sb_db_transaction(claim->db, 20000, claim_customer, claim, NULL, claim->pool);
    return NULL;
}

/* T08: of many users who claim one customer at the same moment exactly one gets it */
START_TEST(test_one_customer_claimed_by_many_at_once_goes_to_one)
{
    enum { CLAIMS = 8 };
    claim_t claims[CLAIMS];
    pthread_t threads[CLAIMS];
    int bound = 0;

    if (!store_open_migrated(_i)) {
        return;
    }
    sb_db_t *db = store_db(CLAIMS, 10000);
    for (int i = 0; i < CLAIMS; i++) {
        claims[i] = (claim_t){.db = db, .user = apr_psprintf(store.pool, "user%d", i)};
        apr_pool_create_unmanaged_ex(&claims[i].pool, NULL, NULL);
        ck_assert_int_eq(pthread_create(&threads[i], NULL, run_claim, &claims[i]), 0);
    }
    const char *winner = NULL;
    for (int i = 0; i < CLAIMS; i++) {
        pthread_join(threads[i], NULL);
        ck_assert_int_eq(claims[i].status, SB_OK);
        if (claims[i].outcome == SB_BIND_OK) {
            bound++;
            winner = claims[i].user;
        }
        apr_pool_destroy(claims[i].pool);
    }
    ck_assert_int_eq(bound, 1);
    ck_assert_str_eq(store_admin_value("SELECT user_name FROM customer"), winner);
}
END_TEST

static apr_status_t look_twice(void *baton, sb_conn_t *conn, apr_pool_t *pool)
{
    sb_account_t *before, *after = NULL;
    int *changed = baton;
    apr_status_t rv = sb_account_get(&before, conn, ann, pool);

    store_admin("UPDATE account SET created_at = created_at + 1");
    if (!rv) {
        rv = sb_account_get(&after, conn, ann, pool);
    }
    if (!rv) {
        *changed += before->created_at != after->created_at;
    }
    return rv;
}

/* F06: what is read together belongs together, and the connection is as it was afterwards */
START_TEST(test_the_selects_of_a_snapshot_see_one_moment)
{
    int changed = 0;

    if (!store_open_migrated(_i)) {
        return;
    }
    sb_db_t *db = store_db(1, 1000);
    ck_assert_int_eq(
        sb_db_transaction(db, 5000, make_account, ann, &store.result, store.pool), SB_OK);
    for (int round = 0; round < 3; round++) {
        ck_assert_msg(sb_db_snapshot(db, 5000, look_twice, &changed, &store.result,
                                     store.pool) == SB_OK,
                      "%s", store_log());
        ck_assert_int_eq(
            sb_db_transaction(db, 5000, make_account, bob, &store.result, store.pool),
            SB_OK);
    }
    ck_assert_int_eq(changed, 0);
    ck_assert_int_eq(
        sb_db_read(db, 5000, look_twice, &changed, &store.result, store.pool), SB_OK);
    ck_assert_int_eq(changed, 1);
    ck_assert_int_eq(sb_db_stats(db).connected, 1);
}
END_TEST

Suite *store_races_suite(void)
{
    Suite *suite = suite_create("store_races");
    TCase *tcase = tcase_create("races");

    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, store_setup, store_teardown);
    tcase_add_loop_test(tcase, test_eight_writers_of_one_row_all_succeed, 0, SB_DIALECTS);
    tcase_add_loop_test(tcase, test_a_deadlock_is_repeated_and_both_succeed, 0,
                        SB_DIALECTS);
    tcase_add_loop_test(tcase, test_one_customer_claimed_by_many_at_once_goes_to_one, 0,
                        SB_DIALECTS);
    tcase_add_loop_test(tcase,
                        test_two_first_events_of_one_subscription_end_with_the_newer_one,
                        0, SB_DIALECTS);
    tcase_add_loop_test(tcase, test_the_selects_of_a_snapshot_see_one_moment, 0,
                        SB_DIALECTS);
    suite_add_tcase(suite, tcase);
    return suite;
}
