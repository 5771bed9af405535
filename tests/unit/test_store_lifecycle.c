/* Licensed under the Apache License, Version 2.0; see LICENSE. */
/* What users asked for, what is planned, and free plans, on every database. */
#include "store/accounts.h"
#include "store/actions.h"
#include "store/memberships.h"
#include "store/planned.h"
#include "store/subscriptions.h"
#include "store_fixture.h"
#include "unit.h"

static sb_action_row_t row(const char *id, const char *kind, apr_int64_t number)
{
    return (sb_action_row_t){.id = id,
                             .user = "ann",
                             .subscription = "sub_1",
                             .kind = kind,
                             .wish = "",
                             .number = number,
                             .created_at = 100};
}

static apr_status_t actions(sb_conn_t *conn, apr_pool_t *pool)
{
    sb_action_row_t first = row("act_b", "cancel", 0), second = row("act_a", "resume", 1);
    sb_action_row_t *last;
    apr_int64_t n;

    store_ok(sb_action_last(&last, conn, "sub_1", false, pool));
    ck_assert_ptr_null(last);
    store_ok(sb_action_insert(conn, &first, pool));
    store_ok(sb_action_insert(conn, &first, pool));
    store_ok(sb_action_count(&n, conn, "sub_1", false, pool));
    ck_assert_int_eq(n, 0);
    store_ok(sb_action_last(&last, conn, "sub_1", false, pool));
    ck_assert_str_eq(last->state, SB_ACTION_OPEN);
    ck_assert_str_eq(last->user, "ann");

    store_ok(sb_action_finish(conn, "act_b", SB_ACTION_DONE, NULL, 101, pool));
    store_ok(sb_action_finish(conn, "act_b", SB_ACTION_FAILED, "late", 102, pool));
    store_ok(sb_action_insert(conn, &first, pool));
    store_ok(sb_action_last(&last, conn, "sub_1", false, pool));
    ck_assert_str_eq(last->state, SB_ACTION_DONE);
    ck_assert_int_eq(last->ended_at, 101);
    ck_assert_ptr_null(last->code);
    store_ok(sb_action_count(&n, conn, "sub_1", false, pool));
    ck_assert_int_eq(n, 1);
    store_ok(sb_action_count(&n, conn, "sub_1", true, pool));
    ck_assert_int_eq(n, 0);

    store_ok(sb_action_insert(conn, &second, pool));
    store_ok(sb_action_last(&last, conn, "sub_1", false, pool));
    ck_assert_str_eq(last->id, "act_a");
    return APR_SUCCESS;
}

/* F17: the intent comes first, once; of one second the later one is the last */
START_TEST(test_an_action_is_written_down_once_and_ends_once)
{
    store_in_transaction(_i, actions);
}
END_TEST

static const sb_planned_t *planned_now(int *n, sb_conn_t *conn, apr_pool_t *pool)
{
    sb_planned_t *list;

    store_ok(sb_planned_list(&list, n, conn, "ann", false, pool));
    return list;
}

static apr_status_t planned(sb_conn_t *conn, apr_pool_t *pool)
{
    const sb_subscription_t sub = {.id = "sub_1",
                                   .user = "ann",
                                   .customer = "cus_1",
                                   .status = SB_STATUS_ACTIVE,
                                   .status_text = "active",
                                   .source = SB_SOURCE_WEBHOOK};
    sb_planned_t wish = {.subscription = "sub_1",
                         .schedule = "sub_sched_1",
                         .plan = "basic",
                         .price = "price_1",
                         .quantity = 2,
                         .effective_at = 900,
                         .told_at = 50};
    const sb_planned_t *now;
    int n;

    store_ok(sb_account_ensure(conn, "ann", NULL, 1, pool));
    store_ok(sb_subscription_save(conn, &sub, 1, pool));
    planned_now(&n, conn, pool);
    ck_assert_int_eq(n, 0);
    store_ok(sb_planned_save(conn, &wish, pool));
    wish.price = "price_2";
    wish.plan = NULL;
    wish.told_at = 60;
    store_ok(sb_planned_save(conn, &wish, pool));
    wish.price = "price_3";
    wish.quantity = 9;
    wish.told_at = 55; /* older: came late */
    store_ok(sb_planned_save(conn, &wish, pool));
    now = planned_now(&n, conn, pool);
    ck_assert_int_eq(n, 1);
    ck_assert_str_eq(now->price, "price_2");
    ck_assert_ptr_null(now->plan);
    ck_assert_int_eq(now->quantity, 2);
    ck_assert_int_eq(now->effective_at, 900);
    ck_assert_str_eq(now->schedule, "sub_sched_1");

    store_ok(sb_planned_end(conn, "sub_sched_1", false, pool));
    wish.told_at = 70; /* about a schedule that is over: tells nothing */
    store_ok(sb_planned_save(conn, &wish, pool));
    planned_now(&n, conn, pool);
    ck_assert_int_eq(n, 0);

    wish.schedule = "sub_sched_2";
    wish.told_at = 80;
    store_ok(sb_planned_save(conn, &wish, pool));
    now = planned_now(&n, conn, pool);
    ck_assert_int_eq(n, 1);
    ck_assert_str_eq(now->schedule, "sub_sched_2");
    ck_assert_str_eq(now->price, "price_3");
    ck_assert_int_eq(now->quantity, 9);
    return APR_SUCCESS;
}

/* A49: newer statements win, and a schedule that ended stays ended */
START_TEST(test_a_planned_change_never_goes_back_in_time)
{
    store_in_transaction(_i, planned);
}
END_TEST

static apr_status_t memberships(sb_conn_t *conn, apr_pool_t *pool)
{
    sb_membership_t *list;
    int n;

    store_ok(sb_membership_list(&list, &n, conn, "ann", pool));
    ck_assert_int_eq(n, 0);
    store_ok(sb_membership_add(conn, "ann", "free", 5, pool));
    store_ok(sb_membership_add(conn, "ann", "founder", 7, pool));
    store_ok(sb_membership_add(conn, "ann", "free", 9, pool));
    store_ok(sb_membership_list(&list, &n, conn, "ann", pool));
    ck_assert_int_eq(n, 2);
    ck_assert_str_eq(list[0].plan, "free");
    ck_assert_int_eq(list[0].since, 5);
    ck_assert_str_eq(list[1].plan, "founder");
    return APR_SUCCESS;
}

/* A9: since the first sight */
START_TEST(test_a_membership_keeps_its_first_day)
{
    store_in_transaction(_i, memberships);
}
END_TEST

Suite *store_lifecycle_suite(void)
{
    Suite *suite = suite_create("store_lifecycle");
    TCase *tcase = tcase_create("lifecycle");

    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, store_setup, store_teardown);
    tcase_add_loop_test(tcase, test_an_action_is_written_down_once_and_ends_once, 0,
                        SB_DIALECTS);
    tcase_add_loop_test(tcase, test_a_planned_change_never_goes_back_in_time, 0,
                        SB_DIALECTS);
    tcase_add_loop_test(tcase, test_a_membership_keeps_its_first_day, 0, SB_DIALECTS);
    suite_add_tcase(suite, tcase);
    return suite;
}
