/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "unit.h"

#include "domain/subscription.h"

#include <string.h>

#define NOW 1793610000
#define DAY 86400

static sb_subscription_t sub_with(sb_subscription_status_e status)
{
    return (sb_subscription_t){
        .id = "sub_1",
        .customer = "cus_1",
        .status = status,
        .status_text = sb_subscription_status_word(status),
        .price = "price_1",
        .quantity = 1,
        .current_period_start = NOW - 10 * DAY,
        .current_period_end = NOW + 20 * DAY,
        .event_created = NOW,
        .source = SB_SOURCE_WEBHOOK,
    };
}

static bool opens(const sb_subscription_t *sub, apr_int64_t now, int grace_days)
{
    return sb_subscription_access(sub, now, grace_days).granted;
}

/* A16, B29: exactly trialing and active open; whatever Stripe may invent does not. */
START_TEST(test_only_known_good_statuses_open)
{
    static const struct {
        const char *word;
        bool opens;
        sb_reason_e reason;
    } rows[] = {
        {"trialing", true, SB_REASON_OK},
        {"active", true, SB_REASON_OK},
        {"past_due", false, SB_REASON_PAST_DUE},
        {"unpaid", false, SB_REASON_UNPAID},
        {"canceled", false, SB_REASON_ENDED},
        {"incomplete", false, SB_REASON_INCOMPLETE},
        {"incomplete_expired", false, SB_REASON_INCOMPLETE},
        {"paused", false, SB_REASON_PAUSED},
        {"brand_new", false, SB_REASON_UNKNOWN_STATUS},
        {"ACTIVE", false, SB_REASON_UNKNOWN_STATUS},
        {"active ", false, SB_REASON_UNKNOWN_STATUS},
        {"unknown", false, SB_REASON_UNKNOWN_STATUS},
        {"", false, SB_REASON_UNKNOWN_STATUS},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        sb_subscription_t sub = sub_with(sb_subscription_status(rows[i].word));
        sb_access_t access = sb_subscription_access(&sub, NOW, 0);
        ck_assert_msg(access.granted == rows[i].opens, "%s", rows[i].word);
        ck_assert_int_eq(access.reason, rows[i].reason);
    }
    ck_assert_int_eq(sb_subscription_status(NULL), SB_STATUS_UNKNOWN);
    sb_subscription_t odd = sub_with((sb_subscription_status_e)99);
    ck_assert(!opens(&odd, NOW, 0));
}
END_TEST

/* A50: cancel at period end keeps what was paid for. */
START_TEST(test_a_cancelled_subscriber_keeps_access_until_period_end)
{
    sb_subscription_t sub = sub_with(SB_STATUS_ACTIVE);

    sub.cancel_at_period_end = true;
    ck_assert(opens(&sub, sub.current_period_end - 1, 0));
    ck_assert(!opens(&sub, sub.current_period_end, 0));
    ck_assert_int_eq(sb_subscription_access(&sub, NOW, 0).boundary,
                     sub.current_period_end);
    ck_assert_int_eq(sb_subscription_ends_at(&sub), sub.current_period_end);

    sub.cancel_at_period_end = false;
    sub.cancel_at = NOW + DAY;
    ck_assert(opens(&sub, NOW + DAY - 1, 0));
    ck_assert(!opens(&sub, NOW + DAY, 0));
    ck_assert_int_eq(sb_subscription_access(&sub, NOW + DAY, 0).reason, SB_REASON_ENDED);
    ck_assert_int_eq(sb_subscription_access(&sub, NOW, 0).boundary, NOW + DAY);

    /* cancel_at names the date even when both are set. */
    sub.cancel_at_period_end = true;
    ck_assert_int_eq(sb_subscription_ends_at(&sub), NOW + DAY);
}
END_TEST

/* A16: a renewal invoice is a draft for about an hour. */
START_TEST(test_an_active_subscription_stays_open_past_its_period_end)
{
    sb_subscription_t sub = sub_with(SB_STATUS_ACTIVE);

    ck_assert(opens(&sub, sub.current_period_end + 30 * DAY, 0));
    ck_assert_int_eq(sb_subscription_access(&sub, NOW, 0).boundary, 0);

    sub.trial_end = NOW + DAY; /* it had one; what Stripe says now counts */
    ck_assert(opens(&sub, NOW + 2 * DAY, 0));
    ck_assert_int_eq(sb_subscription_access(&sub, NOW, 0).boundary, 0);
}
END_TEST

/* A trial opens until its last second, whatever is heard of it then. */
START_TEST(test_a_trial_closes_at_its_end)
{
    sb_subscription_t sub = sub_with(SB_STATUS_TRIALING);

    sub.trial_end = NOW + DAY;
    ck_assert_int_eq(sb_subscription_access(&sub, NOW, 0).boundary, NOW + DAY);
    ck_assert(opens(&sub, NOW + DAY - 1, 0));
    ck_assert(!opens(&sub, NOW + DAY, 0));
    ck_assert(!opens(&sub, NOW + DAY, 30)); /* grace is for renewals */
    ck_assert_int_eq(sb_subscription_access(&sub, NOW + DAY, 0).reason, SB_REASON_ENDED);

    sub.cancel_at = NOW + 60;
    ck_assert_int_eq(sb_subscription_access(&sub, NOW, 0).boundary, NOW + 60);

    sub.cancel_at = 0;
    sub.trial_end = 0; /* Stripe names no end */
    ck_assert(opens(&sub, NOW + 30 * DAY, 0));
}
END_TEST

/* A16: past_due is the site's own decision, and never for ever. */
START_TEST(test_past_due_opens_for_the_days_of_grace)
{
    sb_subscription_t sub = sub_with(SB_STATUS_PAST_DUE);

    sub.past_due_since = NOW;
    ck_assert(!opens(&sub, NOW, 0));
    ck_assert(!opens(&sub, NOW, -5));
    ck_assert(opens(&sub, NOW, 1));
    ck_assert(opens(&sub, NOW + 3 * DAY - 1, 3));
    ck_assert(!opens(&sub, NOW + 3 * DAY, 3));
    sb_access_t access = sb_subscription_access(&sub, NOW, 3);
    ck_assert(access.in_grace);
    ck_assert_int_eq(access.boundary, NOW + 3 * DAY);
    ck_assert(!opens(&sub, NOW + 20000 * (apr_int64_t)DAY, 2147483647));

    sub.cancel_at = NOW + DAY;
    ck_assert_int_eq(sb_subscription_access(&sub, NOW, 3).boundary, NOW + DAY);
    ck_assert_int_eq(sb_subscription_access(&sub, NOW + DAY, 3).reason, SB_REASON_ENDED);

    sub = sub_with(SB_STATUS_PAST_DUE);
    ck_assert(!opens(&sub, NOW, 30)); /* no start, no grace */
    sub.past_due_since = NOW + 100;   /* Stripe's clock runs ahead of ours */
    ck_assert(!opens(&sub, NOW, 0));
}
END_TEST

/* T30 */
START_TEST(test_extreme_times_do_not_overflow)
{
    sb_subscription_t sub = sub_with(SB_STATUS_PAST_DUE);

    sub.past_due_since = APR_INT64_MAX - 5;
    ck_assert(opens(&sub, NOW, 3650));
    sub = sub_with(SB_STATUS_ACTIVE);
    sub.cancel_at = APR_INT64_MAX;
    ck_assert(opens(&sub, APR_INT64_MIN, 0));
    ck_assert_int_eq(sb_subscription_days_remaining(&sub, APR_INT64_MIN), 0);
    ck_assert_int_eq(sb_subscription_days_remaining(&sub, 0), APR_INT32_MAX);
}
END_TEST

/* A39, B2 */
START_TEST(test_days_remaining_are_rounded_up)
{
    sb_subscription_t sub = sub_with(SB_STATUS_ACTIVE);

    ck_assert_int_eq(sb_subscription_days_remaining(&sub, NOW), 20);
    ck_assert_int_eq(sb_subscription_days_remaining(&sub, NOW + 1), 20);
    ck_assert_int_eq(sb_subscription_days_remaining(&sub, NOW - 1), 21);
    ck_assert_int_eq(sb_subscription_days_remaining(&sub, sub.current_period_end - 1), 1);
    ck_assert_int_eq(sb_subscription_days_remaining(&sub, sub.current_period_end), 0);
    sub.cancel_at = NOW + 2 * DAY;
    ck_assert_int_eq(sb_subscription_days_remaining(&sub, NOW), 2);
    sub.status = SB_STATUS_CANCELED;
    ck_assert_int_eq(sb_subscription_days_remaining(&sub, NOW), 0);
}
END_TEST

static sb_order_e order(const sb_subscription_t *stored,
                        const sb_subscription_t *incoming)
{
    return sb_subscription_order(stored, incoming, (sb_order_hints_t){.fetched = false});
}

/* F18: a later statement wins, an older one never does. */
START_TEST(test_a_projection_never_goes_back_in_time)
{
    sb_subscription_t stored = sub_with(SB_STATUS_ACTIVE), incoming = stored;

    ck_assert_int_eq(order(NULL, &incoming), SB_ORDER_APPLY);
    incoming.status = SB_STATUS_PAST_DUE;
    incoming.event_created = NOW - 1;
    ck_assert_int_eq(order(&stored, &incoming), SB_ORDER_IGNORE);
    ck_assert_int_eq(
        sb_subscription_order(&stored, &incoming, (sb_order_hints_t){.fetched = true}),
        SB_ORDER_IGNORE);
    incoming.event_created = NOW + 1;
    ck_assert_int_eq(order(&stored, &incoming), SB_ORDER_APPLY);
    ck_assert(
        sb_subscription_supersedes(&stored, &incoming, (sb_order_hints_t){.follows = 0}));
}
END_TEST

/* F18: deleted is terminal, whatever the clocks say. */
START_TEST(test_a_final_status_is_never_left)
{
    static const sb_subscription_status_e finals[] = {SB_STATUS_CANCELED,
                                                      SB_STATUS_INCOMPLETE_EXPIRED};

    for (int f = 0; f < 2; f++) {
        sb_subscription_t final = sub_with(finals[f]);
        for (int status = SB_STATUS_UNKNOWN; status <= SB_STATUS_CANCELED; status++) {
            sb_subscription_t other = sub_with((sb_subscription_status_e)status);
            other.event_created = NOW + 100;
            if (!sb_subscription_status_final(other.status)) {
                ck_assert_int_eq(order(&final, &other), SB_ORDER_IGNORE);
                /* And it arrives although it is said to be older. */
                ck_assert_int_eq(order(&other, &final), SB_ORDER_APPLY);
            }
        }
    }
}
END_TEST

/* F18 */
START_TEST(test_incomplete_is_never_entered_again)
{
    sb_subscription_t incomplete = sub_with(SB_STATUS_INCOMPLETE);
    sb_subscription_t active = sub_with(SB_STATUS_ACTIVE);

    ck_assert_int_eq(order(&active, &incomplete), SB_ORDER_IGNORE);
    ck_assert_int_eq(order(&incomplete, &active), SB_ORDER_APPLY);
    incomplete.event_created = NOW + 5;
    ck_assert_int_eq(order(&active, &incomplete), SB_ORDER_IGNORE);
    ck_assert_int_eq(order(&incomplete, &active), SB_ORDER_APPLY);
}
END_TEST

/* F18: in the same second what is proven decides; what is open is fetched, and until then less is
 * granted. */
START_TEST(test_ties_grant_less_until_the_object_is_fetched)
{
    sb_subscription_t active = sub_with(SB_STATUS_ACTIVE);
    sb_subscription_t unpaid = sub_with(SB_STATUS_UNPAID);

    ck_assert_int_eq(order(&active, &unpaid), SB_ORDER_APPLY_AND_FETCH);
    ck_assert_int_eq(order(&unpaid, &active), SB_ORDER_IGNORE_AND_FETCH);
    ck_assert_int_eq(
        sb_subscription_order(&unpaid, &active, (sb_order_hints_t){.fetched = true}),
        SB_ORDER_APPLY);
    ck_assert_int_eq(
        sb_subscription_order(&unpaid, &active, (sb_order_hints_t){.follows = true}),
        SB_ORDER_APPLY);
    ck_assert_int_eq(sb_subscription_order(&active, &unpaid,
                                           (sb_order_hints_t){.created_event = true}),
                     SB_ORDER_IGNORE);
    ck_assert_int_eq(order(&active, &active), SB_ORDER_IGNORE);

    sb_subscription_t ending = active;
    ending.cancel_at_period_end = true;
    ck_assert_int_eq(order(&active, &ending), SB_ORDER_APPLY_AND_FETCH);
    ck_assert_int_eq(order(&ending, &active), SB_ORDER_IGNORE_AND_FETCH);
}
END_TEST

static void permute(sb_subscription_t *events[], int n, int at, int *count)
{
    if (at == n) {
        const sb_subscription_t *stored = NULL;
        const char *last = "";
        for (int i = 0; i < n; i++) {
            sb_order_hints_t hints = {.created_event =
                                          strcmp(events[i]->event_id, "created") == 0};
            if (sb_subscription_supersedes(stored, events[i], hints)) {
                stored = events[i];
                last = stored->event_id;
            }
        }
        ck_assert_str_eq(last, "deleted");
        (*count)++;
        return;
    }
    for (int i = at; i < n; i++) {
        sb_subscription_t *swapped = events[at];
        events[at] = events[i];
        events[i] = swapped;
        permute(events, n, at + 1, count);
        events[i] = events[at];
        events[at] = swapped;
    }
}

/* F18: all orders of a life of seven events end the same. */
START_TEST(test_every_order_of_a_life_ends_in_the_same_state)
{
    static const struct {
        const char *name;
        sb_subscription_status_e status;
    } life[] = {
        {"created", SB_STATUS_INCOMPLETE}, {"paid", SB_STATUS_ACTIVE},
        {"failed", SB_STATUS_PAST_DUE},    {"recovered", SB_STATUS_ACTIVE},
        {"paused", SB_STATUS_PAUSED},      {"resumed", SB_STATUS_ACTIVE},
        {"deleted", SB_STATUS_CANCELED},
    };
    sb_subscription_t subs[7];
    sb_subscription_t *events[7];
    int count = 0;

    for (int i = 0; i < 7; i++) {
        subs[i] = sub_with(life[i].status);
        subs[i].event_id = life[i].name;
        subs[i].event_created = NOW + 10 * i;
        events[i] = &subs[i];
    }
    permute(events, 7, 0, &count);
    ck_assert_int_eq(count, 5040);
}
END_TEST

/* A16: the grace counts from the first failure, not from the last. */
START_TEST(test_the_start_of_past_due_is_kept)
{
    sb_subscription_t stored = sub_with(SB_STATUS_ACTIVE);
    sb_subscription_t incoming = sub_with(SB_STATUS_PAST_DUE);

    stored.user = "zoe";
    incoming.event_created = NOW + 5;
    sb_subscription_inherit(&incoming, &stored, NOW + 5);
    ck_assert_int_eq(incoming.past_due_since, NOW + 5);
    ck_assert_str_eq(incoming.user, "zoe");

    sb_subscription_t later = sub_with(SB_STATUS_PAST_DUE);
    later.event_created = NOW + DAY;
    sb_subscription_inherit(&later, &incoming, NOW + DAY);
    ck_assert_int_eq(later.past_due_since, NOW + 5);

    sb_subscription_t recovered = sub_with(SB_STATUS_ACTIVE);
    sb_subscription_inherit(&recovered, &later, NOW + DAY);
    ck_assert_int_eq(recovered.past_due_since, 0);

    sb_subscription_t first = sub_with(SB_STATUS_PAST_DUE);
    sb_subscription_inherit(&first, NULL, NOW);
    ck_assert_int_eq(first.past_due_since, NOW);
    ck_assert_ptr_null(first.user);
}
END_TEST

/* A16, F18: a late statement about the same unpaid invoice moves the start back, no other does. */
START_TEST(test_a_late_statement_moves_the_start_of_past_due_back)
{
    sb_subscription_t stored = sub_with(SB_STATUS_PAST_DUE);
    sb_subscription_t late = sub_with(SB_STATUS_PAST_DUE);

    stored.past_due_since = NOW;
    stored.latest_invoice = late.latest_invoice = "in_2";
    ck_assert(!sb_subscription_backdate(NULL, &late, NOW - 5));
    ck_assert(!sb_subscription_backdate(&stored, &late, NOW));
    ck_assert(sb_subscription_backdate(&stored, &late, NOW - 5));
    ck_assert_int_eq(stored.past_due_since, NOW - 5);
    late.latest_invoice = "in_1";
    ck_assert(!sb_subscription_backdate(&stored, &late, NOW - DAY));
    late.latest_invoice = "in_2";
    late.status = SB_STATUS_ACTIVE;
    ck_assert(!sb_subscription_backdate(&stored, &late, NOW - DAY));
    sb_subscription_inherit(&stored, &(sb_subscription_t){.status = SB_STATUS_ACTIVE},
                            NOW);
    ck_assert_int_eq(stored.past_due_since, NOW);
}
END_TEST

/* A16: one vocabulary, each word in its class. */
START_TEST(test_every_reason_has_its_word_and_class)
{
    for (int i = 0; i < SB_REASON_COUNT; i++) {
        ck_assert_int_gt((int)strlen(sb_reason_word((sb_reason_e)i)), 1);
        for (int k = 0; k < i; k++) {
            ck_assert_str_ne(sb_reason_word((sb_reason_e)i),
                             sb_reason_word((sb_reason_e)k));
        }
        ck_assert_int_eq(sb_reason_status((sb_reason_e)i) == SB_OK, i == SB_REASON_OK);
    }
    ck_assert_str_eq(sb_reason_word((sb_reason_e)99), "unavailable");
    ck_assert_int_eq(sb_reason_status((sb_reason_e)-1), SB_UNAVAILABLE);
    ck_assert_int_eq(sb_reason_status(SB_REASON_NO_IDENTITY), SB_UNAUTHENTICATED);
    ck_assert_int_eq(sb_reason_status(SB_REASON_PLAN_TOO_LOW), SB_FORBIDDEN);
    ck_assert_int_eq(sb_reason_status(SB_REASON_PAST_DUE), SB_PAYMENT_REQUIRED);
}
END_TEST

Suite *subscription_suite(void)
{
    Suite *suite = suite_create("subscription");
    TCase *tcase = sb_unit_case("subscription");

    tcase_add_test(tcase, test_only_known_good_statuses_open);
    tcase_add_test(tcase, test_a_cancelled_subscriber_keeps_access_until_period_end);
    tcase_add_test(tcase, test_an_active_subscription_stays_open_past_its_period_end);
    tcase_add_test(tcase, test_a_trial_closes_at_its_end);
    tcase_add_test(tcase, test_past_due_opens_for_the_days_of_grace);
    tcase_add_test(tcase, test_extreme_times_do_not_overflow);
    tcase_add_test(tcase, test_days_remaining_are_rounded_up);
    tcase_add_test(tcase, test_a_projection_never_goes_back_in_time);
    tcase_add_test(tcase, test_a_final_status_is_never_left);
    tcase_add_test(tcase, test_incomplete_is_never_entered_again);
    tcase_add_test(tcase, test_ties_grant_less_until_the_object_is_fetched);
    tcase_add_test(tcase, test_every_order_of_a_life_ends_in_the_same_state);
    tcase_add_test(tcase, test_the_start_of_past_due_is_kept);
    tcase_add_test(tcase, test_a_late_statement_moves_the_start_of_past_due_back);
    tcase_add_test(tcase, test_every_reason_has_its_word_and_class);
    suite_add_tcase(suite, tcase);
    return suite;
}
