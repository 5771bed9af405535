/* Licensed under the Apache License, Version 2.0; see LICENSE. */
/* The rules of a change of plan: more or less, now or later, and how many seats. */
#include "domain/change.h"
#include "unit.h"

static const sb_catalog_plan_t basic = {.rank = 10, .downgrade = SB_MOMENT_PERIOD_END};
static const sb_catalog_plan_t pro = {.rank = 20, .downgrade = SB_MOMENT_PERIOD_END};
static const sb_catalog_plan_t eager = {
    .rank = 30, .upgrade = SB_MOMENT_PERIOD_END, .downgrade = SB_MOMENT_NOW};
static const sb_catalog_plan_t team = {.seats_min = 2, .seats_max = 9};

static sb_change_side_t side(const sb_catalog_plan_t *plan, const char *price,
                             const char *interval, int count, apr_int64_t amount,
                             apr_int64_t quantity)
{
    return (sb_change_side_t){.plan = plan,
                              .price = price,
                              .interval = interval,
                              .interval_count = count,
                              .amount = amount,
                              .quantity = quantity};
}

/* A48, A49 */
START_TEST(test_rank_comes_before_interval_before_seats_before_amount)
{
    const struct {
        sb_change_side_t from, to;
        sb_change_e change;
    } cases[] = {
        {side(&basic, "p1", "month", 1, 900, 1), side(&pro, "p2", "month", 1, 2900, 1),
         SB_CHANGE_UPGRADE},
        {side(&basic, "p1", "year", 1, 9000, 5), side(&pro, "p2", "month", 1, 100, 1),
         SB_CHANGE_UPGRADE},
        {side(&pro, "p2", "month", 1, 2900, 1), side(&basic, "p3", "year", 1, 9000, 9),
         SB_CHANGE_DOWNGRADE},
        {side(&basic, "p1", "month", 1, 900, 1), side(&basic, "p3", "year", 1, 9000, 1),
         SB_CHANGE_UPGRADE},
        {side(&basic, "p3", "year", 1, 9000, 1), side(&basic, "p1", "month", 1, 900, 9),
         SB_CHANGE_DOWNGRADE},
        {side(&basic, "p1", "month", 1, 900, 1), side(&basic, "p4", "month", 3, 900, 1),
         SB_CHANGE_UPGRADE},
        {side(&basic, "p1", "week", 1, 900, 1), side(&basic, "p4", "day", 8, 900, 1),
         SB_CHANGE_UPGRADE},
        {side(&basic, "p1", "month", 1, 900, 3), side(&basic, "p1", "month", 1, 900, 4),
         SB_CHANGE_UPGRADE},
        {side(&basic, "p1", "month", 1, 900, 3), side(&basic, "p5", "month", 1, 990, 2),
         SB_CHANGE_DOWNGRADE},
        {side(&basic, "p1", "month", 1, 900, 1), side(&basic, "p5", "month", 1, 990, 1),
         SB_CHANGE_UPGRADE},
        {side(&basic, "p5", "month", 1, 990, 1), side(&basic, "p1", "month", 1, 900, 1),
         SB_CHANGE_DOWNGRADE},
        {side(&basic, "p1", "month", 1, 900, 1), side(&basic, "p1", "month", 1, 900, 1),
         SB_CHANGE_NONE},
        {side(NULL, "old", "month", 1, 900, 1), side(&basic, "p1", "month", 1, 900, 1),
         SB_CHANGE_DOWNGRADE},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        ck_assert_msg(sb_change_compare(&cases[i].from, &cases[i].to) == cases[i].change,
                      "case %d", (int)i);
    }
    ck_assert_str_eq(sb_change_word(SB_CHANGE_UPGRADE), "upgrade");
    ck_assert_str_eq(sb_change_word(SB_CHANGE_DOWNGRADE), "downgrade");
    ck_assert_str_eq(sb_change_word(SB_CHANGE_NONE), "none");
}
END_TEST

/* A48, A49 */
START_TEST(test_the_plan_that_is_left_says_when)
{
    ck_assert_int_eq(sb_change_moment(&basic, SB_CHANGE_UPGRADE), SB_MOMENT_NOW);
    ck_assert_int_eq(sb_change_moment(&pro, SB_CHANGE_DOWNGRADE), SB_MOMENT_PERIOD_END);
    ck_assert_int_eq(sb_change_moment(&eager, SB_CHANGE_UPGRADE), SB_MOMENT_PERIOD_END);
    ck_assert_int_eq(sb_change_moment(&eager, SB_CHANGE_DOWNGRADE), SB_MOMENT_NOW);
    ck_assert_int_eq(sb_change_moment(NULL, SB_CHANGE_UPGRADE), SB_MOMENT_NOW);
    ck_assert_int_eq(sb_change_moment(NULL, SB_CHANGE_DOWNGRADE), SB_MOMENT_PERIOD_END);
}
END_TEST

/* A48, A49, E20 */
START_TEST(test_a_change_takes_effect_now_or_when_what_is_paid_for_ends)
{
    sb_subscription_t sub = {
        .status = SB_STATUS_ACTIVE, .current_period_end = 2000, .trial_end = 500};

    ck_assert_int_eq(sb_change_effective_at(SB_MOMENT_NOW, &sub, 1000), 1000);
    ck_assert_int_eq(sb_change_effective_at(SB_MOMENT_PERIOD_END, &sub, 1000), 2000);
    sub.status = SB_STATUS_TRIALING;
    sub.trial_end = 1500;
    ck_assert_int_eq(sb_change_effective_at(SB_MOMENT_PERIOD_END, &sub, 1000), 1500);
}
END_TEST

/* A48 */
START_TEST(test_seats_stay_within_the_plans_bounds)
{
    const struct {
        const sb_catalog_plan_t *from, *to;
        apr_int64_t wanted, current, quantity; /* quantity 0: not possible */
    } cases[] = {
        {&team, &team, 2, 5, 2},   {&team, &team, 9, 5, 9},   {&team, &team, 1, 5, 0},
        {&team, &team, 10, 5, 0},  {&team, &team, 0, 5, 5},   {&basic, &team, 0, 1, 2},
        {NULL, &team, 0, 40, 9},   {&team, &team, -1, 5, 0},  {&basic, &basic, 0, 1, 1},
        {&basic, &basic, 3, 3, 3}, {&basic, &basic, 0, 3, 3}, {&basic, &basic, 2, 1, 0},
        {&basic, &basic, 0, 0, 1}, {&team, &basic, 0, 5, 1},  {&team, &basic, 1, 5, 1},
        {&team, &basic, 5, 5, 0},  {NULL, &basic, 0, 3, 1},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        apr_int64_t quantity = -1;
        bool possible = sb_change_quantity(&quantity, cases[i].from, cases[i].to,
                                           cases[i].wanted, cases[i].current);
        ck_assert_msg(possible == (cases[i].quantity != 0), "case %d", (int)i);
        ck_assert_msg(!possible || quantity == cases[i].quantity, "case %d", (int)i);
    }
}
END_TEST

Suite *change_suite(void)
{
    Suite *suite = suite_create("change");
    TCase *tests = sb_unit_case("change");

    tcase_add_test(tests, test_rank_comes_before_interval_before_seats_before_amount);
    tcase_add_test(tests, test_the_plan_that_is_left_says_when);
    tcase_add_test(tests, test_a_change_takes_effect_now_or_when_what_is_paid_for_ends);
    tcase_add_test(tests, test_seats_stay_within_the_plans_bounds);
    suite_add_tcase(suite, tests);
    return suite;
}
