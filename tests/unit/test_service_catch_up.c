/* Licensed under the Apache License, Version 2.0; see LICENSE. */
/* Webhooks that were missed are read from Stripe's list of events. */
#include "service_fixture.h"
#include "unit.h"

#include "base/clock.h"
#include "service/catch_up.h"

#include <apr_strings.h>
#include <string.h>

#define GONE                                                                             \
    "{'error':{'type':'invalid_request_error','code':'resource_missing',"                \
    "'param':'ending_before','message':'No such event'}}"

enum { MINUTE = 60, DAY = 86400 };

/* The event "evt_NAME" about "sub_NAME" of the user NAME, created so many seconds from now. */
static const char *event(const char *name, int created)
{
    const char *object = service_subscription(apr_pstrcat(store.pool, "sub_", name, NULL),
                                              apr_pstrcat(store.pool, "cus_", name, NULL),
                                              name, "active", PRICE_BASIC);

    return service_event(apr_pstrcat(store.pool, "evt_", name, NULL),
                         "customer.subscription.updated", created, object);
}

static const char *about(const char *id, const char *status, int created)
{
    return service_event(
        id, "customer.subscription.updated", created,
        service_subscription("sub_1", "cus_1", "zoe", status, PRICE_BASIC));
}

static void tend(bool after_start)
{
    ck_assert_msg(sb_catch_up_tend(&sv.result, sv.service, after_start, store.pool) ==
                      SB_OK,
                  "%s", sv.result.code);
}

/* Wishes as after a start, and works until nothing is due. */
static void catch_up(void)
{
    tend(true);
    service_steps(0);
}

static bool asked(int i, const char *text)
{
    return strstr(scripted_server_request(sv.server, i), text) != NULL;
}

static apr_int64_t events(const char *where)
{
    return store_admin_count(apr_pstrcat(store.pool, "event WHERE ", where, NULL));
}

static const char *status(void)
{
    return store_admin_value("SELECT status FROM subscription WHERE id='sub_1'");
}

static const char *cursor(void)
{
    return store_admin_value("SELECT value FROM progress WHERE name='events'");
}

static void cursor_is(const char *id, int created)
{
    store_admin(apr_psprintf(store.pool,
                             "INSERT INTO progress (name, livemode, value, reached_at) "
                             "VALUES ('events', 0, '%s', %" APR_INT64_T_FMT ")",
                             id, sb_clock_now() + created));
}

static int jobs(void)
{
    return (int)store_admin_count("job");
}

static void due_now(void)
{
    store_admin("UPDATE job SET run_at = 0");
    store_admin("UPDATE limiter SET tat = 0");
}

static int logged_at(const char *text)
{
    const char *at = strstr(store_log(), text);

    ck_assert_msg(at != NULL, "%s is not in the log", text);
    return (int)(at - store_log());
}

/* F36: the outage took three events; Stripe lists the newest first. */
START_TEST(test_missed_events_are_applied_from_the_oldest_on)
{
    if (!service_on(_i)) {
        return;
    }
    const scripted_answer_t script[] = {
        service_page(false, 3, event("cid", -10), event("bob", -20), event("ann", -900))};

    service_with(script, 1);
    catch_up();
    ck_assert_int_eq(events("source='events' AND state='done'"), 3);
    ck_assert_str_eq(service_gate("bob", "basic"), "ok");
    ck_assert_int_lt(logged_at("evt_ann"), logged_at("evt_bob"));
    ck_assert_int_lt(logged_at("evt_bob"), logged_at("evt_cid"));
    ck_assert(asked(0, "GET /v1/events?"));
    ck_assert(asked(0, "created"));
    ck_assert_str_eq(cursor(), "evt_ann");
    ck_assert_int_eq(jobs(), 0);
}
END_TEST

/* T03, C27: what arrived is not applied a second time, and stays what it was. */
START_TEST(test_what_a_webhook_had_brought_is_a_duplicate)
{
    if (!service_on(_i)) {
        return;
    }
    const char *heard = event("bob", -20);
    const scripted_answer_t script[] = {service_page(false, 2, event("cid", -10), heard),
                                        service_page(false, 2, event("cid", -10), heard)};

    service_with(script, 2);
    ck_assert_str_eq(service_deliver(heard), "done");
    catch_up();
    catch_up();
    ck_assert_int_eq(scripted_server_requests(sv.server), 2);
    ck_assert_int_eq(events("id='evt_bob' AND source='webhook' AND attempts=1"), 1);
    ck_assert_int_eq(events("id='evt_cid' AND source='events' AND attempts=1"), 1);
    ck_assert_int_eq(events("1=1"), 2);
}
END_TEST

/* F18: it is Stripe's statement of then, not an object that was read now. */
START_TEST(test_a_missed_event_counts_by_its_own_time)
{
    if (!service_on(_i)) {
        return;
    }
    const scripted_answer_t script[] = {service_page(
        false, 2, about("evt_2", "past_due", -50), about("evt_1", "unpaid", -900))};

    service_with(script, 1);
    service_deliver(about("evt_3", "active", -30));
    catch_up();
    ck_assert_str_eq(status(), "active");
    ck_assert_int_eq(events("source='events' AND reason='superseded'"), 2);
}
END_TEST

/* The first time, or after a long outage: back to the oldest, then forward to the newest. */
START_TEST(test_a_long_list_is_walked_back_and_applied_forward)
{
    if (!service_on(_i)) {
        return;
    }
    const char *e[] = {event("a", -3600), event("b", -3000), event("c", -2000),
                       event("d", -1000), event("e", -100),  event("f", -10)};
    const scripted_answer_t script[] = {
        service_page(true, 2, e[5], e[4]),  service_page(true, 2, e[3], e[2]),
        service_page(false, 2, e[1], e[0]), service_page(true, 2, e[3], e[2]),
        service_page(false, 2, e[5], e[4]),
    };

    service_with(script, 5);
    catch_up();
    ck_assert_int_eq(scripted_server_requests(sv.server), 5);
    ck_assert(asked(1, "starting_after=evt_e"));
    ck_assert(asked(2, "starting_after=evt_c"));
    ck_assert(asked(3, "ending_before=evt_b"));
    ck_assert(asked(4, "ending_before=evt_d"));
    ck_assert_int_eq(events("source='events' AND state='done'"), 6);
    ck_assert_int_lt(logged_at("evt_a"), logged_at("evt_f"));
    ck_assert_str_eq(cursor(), "evt_d");
}
END_TEST

/* Some minutes are read again every time: an event may be listed late. */
START_TEST(test_reading_goes_on_some_minutes_before_where_it_ended)
{
    if (!service_on(_i)) {
        return;
    }
    const char *late = event("late", -200);
    const scripted_answer_t script[] = {
        service_page(false, 2, event("new", -20), event("old", -20 * MINUTE)),
        service_page(false, 2, event("new", -20), late)};

    service_with(script, 2);
    catch_up();
    catch_up();
    ck_assert(asked(1, "ending_before=evt_old"));
    ck_assert_int_eq(events("id='evt_late' AND state='done'"), 1);
    ck_assert_int_eq(events("1=1"), 3);
}
END_TEST

/* F36: three days later Stripe may have dropped the event that the cursor names. */
START_TEST(test_a_cursor_that_stripe_dropped_is_replaced_by_its_time)
{
    if (!service_on(_i)) {
        return;
    }
    const scripted_answer_t script[] = {service_answer(404, GONE),
                                        service_page(false, 1, event("ann", -DAY))};

    service_with(script, 2);
    cursor_is("evt_lost", -3 * DAY);
    catch_up();
    ck_assert(asked(0, "ending_before=evt_lost"));
    ck_assert(!asked(1, "ending_before"));
    const char *since = strstr(scripted_server_request(sv.server, 1), "gte");
    ck_assert_ptr_nonnull(since);
    since += strcspn(since, "=") + 1;
    ck_assert_int_le(apr_atoi64(since), sb_clock_now() - 3 * DAY);
    ck_assert_int_ge(apr_atoi64(since), sb_clock_now() - 3 * DAY - 10 * MINUTE);
    ck_assert_str_eq(cursor(), "evt_ann");
}
END_TEST

/* F36: 40 days are more than Stripe keeps. */
START_TEST(test_after_forty_days_everything_is_compared)
{
    if (!service_on(_i)) {
        return;
    }
    const scripted_answer_t script[] = {service_page(false, 0)};

    service_with(script, 1);
    cursor_is("evt_lost", -40 * DAY);
    service_deliver(event("ann", -10)); /* they come again; that was not all */
    tend(true);
    service_steps(1);
    ck_assert(!asked(0, "ending_before"));
    ck_assert_int_eq(store_admin_count("job WHERE kind='sync'"), 6);
    ck_assert_ptr_nonnull(strstr(store_log(), "SB440"));
}
END_TEST

/* F20, F36: whoever is killed between two pages, or in the middle of one, leaves nothing unread. */
START_TEST(test_a_killed_reader_is_continued)
{
    if (!service_on(_i)) {
        return;
    }
    const char *e[] = {event("a", -3600), event("b", -3000), event("c", -2000),
                       event("d", -1000)};
    const scripted_answer_t first[] = {service_page(true, 2, e[1], e[0])};
    const scripted_answer_t then[] = {service_page(true, 2, e[1], e[0]),
                                      service_page(false, 2, e[3], e[2])};

    service_with(first, 1);
    cursor_is("evt_0", -2 * 3600);
    tend(true);
    service_steps(1);
    ck_assert_str_eq(cursor(), "evt_b");
    scripted_server_stop(sv.server);
    /* Killed after evt_a, before anything said so: the step begins again. */
    store_admin("UPDATE progress SET value='evt_0'");
    store_admin("UPDATE job SET payload=NULL");
    store_admin("DELETE FROM event_body WHERE event_id='evt_b'");
    store_admin("DELETE FROM event WHERE id='evt_b'");
    store_admin("DELETE FROM subscription WHERE id='sub_b'");
    service_with(then, 2);
    service_steps(0);
    ck_assert(asked(0, "ending_before=evt_0"));
    ck_assert(asked(1, "ending_before=evt_b"));
    ck_assert_int_eq(events("state='done' AND attempts=1"), 4);
    ck_assert_str_eq(cursor(), "evt_d");
    ck_assert_int_eq(jobs(), 0);
}
END_TEST

/* F36: Stripe asks for patience in the middle. */
START_TEST(test_a_429_between_two_pages_loses_nothing)
{
    if (!service_on(_i)) {
        return;
    }
    const scripted_answer_t script[] = {service_page(true, 1, event("ann", -900)),
                                        service_slower(),
                                        service_page(false, 1, event("bob", -800))};

    service_with(script, 3);
    cursor_is("evt_0", -3600);
    catch_up();
    ck_assert_int_eq(events("1=1"), 1);
    ck_assert_int_eq(jobs(), 1);
    due_now();
    service_steps(0);
    ck_assert(asked(2, "ending_before=evt_ann"));
    ck_assert_int_eq(events("state='done'"), 2);
    ck_assert_int_eq(jobs(), 0);
}
END_TEST

/* F16 */
START_TEST(test_garbage_instead_of_a_list_changes_nothing)
{
    const char *const answers[] = {
        "<html>",
        "{'object':'list','has_more':false}",
        "{'object':'list','has_more':true,'data':[]}",
        "{'object':'list','has_more':'no','data':[]}",
        "{'object':'list','has_more':false,'data':[{'object':'event'}]}",
        "{'object':'list','has_more':false,'data':[{'object':'charge','id':'ch_1'}]}",
        "{'object':'event','id':'evt_1'}"};
    const scripted_answer_t script[] = {service_answer(200, answers[_i])};

    service_with(script, 1);
    catch_up();
    ck_assert_int_eq(events("1=1"), 0);
    ck_assert_str_eq(cursor(), "");
    ck_assert_int_eq(
        store_admin_count("job WHERE attempts=0 AND error LIKE 'stripe_bad_answer%'"), 1);
}
END_TEST

/* One page too large, or of an odd shape, is asked for again in smaller pieces. */
START_TEST(test_an_unreadable_page_is_asked_for_once_more_and_shorter)
{
    const scripted_answer_t script[] = {service_answer(200, "<html>"),
                                        service_page(false, 1, event("ann", -900))};

    service_with(script, 2);
    catch_up();
    ck_assert(asked(0, "limit=25"));
    ck_assert(asked(1, "limit=3"));
    ck_assert_int_eq(events("state='done'"), 1);
}
END_TEST

/* An account may have other business than ours, and much of it. */
START_TEST(test_events_that_would_change_nothing_are_not_kept)
{
    const char *other = service_event("evt_other", "test_helpers.test_clock.ready", -900,
                                      "{'id':'clock_1','object':'test_clock'}");
    const scripted_answer_t script[] = {service_page(false, 2, event("bob", -10), other)};

    service_with(script, 1);
    catch_up();
    ck_assert_int_eq(events("state='done'"), 1);
    ck_assert_int_eq(events("1=1"), 1);
    ck_assert_str_eq(cursor(), "evt_other");
}
END_TEST

START_TEST(test_an_entry_that_is_no_event_keeps_nothing_from_coming_in)
{
    const char *odd = "{'id':'evt_odd','object':'event','type':'price.updated',"
                      "'created':'soon','livemode':false,'data':{'object':{}}}";
    const scripted_answer_t script[] = {
        service_page(false, 3, event("bob", -10), odd, event("ann", -900))};

    service_with(script, 1);
    catch_up();
    ck_assert_int_eq(events("state='done'"), 2);
    ck_assert_ptr_nonnull(strstr(store_log(), "SB441: event evt_odd"));
    ck_assert_int_eq(jobs(), 0);
}
END_TEST

START_TEST(test_an_empty_list_is_an_end)
{
    const scripted_answer_t script[] = {service_page(false, 0)};

    if (!service_on(_i)) {
        return;
    }
    service_with(script, 1);
    catch_up();
    ck_assert_int_eq(jobs(), 0);
    ck_assert_int_eq(store_admin_count("progress WHERE name='events_looked'"), 1);
    ck_assert_str_eq(cursor(), "");
}
END_TEST

/* What is of the other mode is kept as that and changes nothing. */
START_TEST(test_missed_events_of_the_other_mode_are_ignored)
{
    char *live = apr_pstrdup(store.pool, event("ann", -900));
    char *flag = strstr(live, "\"livemode\":false,\"api_version\"");

    ck_assert_ptr_nonnull(flag);
    memcpy(flag, "\"livemode\":true ,", strlen("\"livemode\":true ,"));
    const scripted_answer_t script[] = {service_page(false, 1, live)};
    service_with(script, 1);
    catch_up();
    ck_assert_int_eq(events("state='ignored' AND reason='livemode_mismatch'"), 1);
    ck_assert_int_eq(store_admin_count("subscription"), 0);
}
END_TEST

/* --- when ------------------------------------------------------------------------------------------- */

static const char *version(void)
{
    return store_admin_value("SELECT version FROM job WHERE kind='catch_up'");
}

START_TEST(test_every_start_wishes_for_it_once)
{
    const scripted_answer_t script[] = {service_page(false, 0)};

    if (!service_on(_i)) {
        return;
    }
    service_with(script, 1);
    tend(true);
    const char *wished = version();
    tend(true);
    tend(false);
    ck_assert_int_eq(jobs(), 1);
    ck_assert_str_eq(version(), wished);
    /* Somebody works on it: another wish would make it run twice. */
    store_admin("UPDATE job SET holder='x', lease_until=9999999999");
    tend(true);
    ck_assert_str_eq(version(), wished);
}
END_TEST

START_TEST(test_silence_wishes_for_it_and_a_delivery_ends_the_silence)
{
    const scripted_answer_t script[] = {service_page(false, 0)};

    if (!service_on(_i)) {
        return;
    }
    service_with(script, 1);
    service_deliver(event("ann", -10));
    store_admin(apr_psprintf(store.pool,
                             "INSERT INTO progress (name, livemode, value, reached_at) "
                             "VALUES ('events_looked', 0, '', %" APR_INT64_T_FMT ")",
                             sb_clock_now() - 7200));
    tend(false);
    ck_assert_int_eq(jobs(), 0);
    store_admin("UPDATE event SET received_at = received_at - 3500");
    tend(false);
    ck_assert_int_eq(jobs(), 0);
    store_admin("UPDATE event SET received_at = received_at - 200");
    tend(false);
    ck_assert_int_eq(jobs(), 1);
    service_steps(0);
    /* Nothing was missed, and nothing will be for an hour. */
    tend(false);
    ck_assert_int_eq(jobs(), 0);
    store_admin("UPDATE progress SET reached_at = reached_at - 3700");
    tend(false);
    ck_assert_int_eq(jobs(), 1);
}
END_TEST

/* Some deliveries come, others do not, and no httpd ever said that it started. */
START_TEST(test_the_list_is_read_by_cron_alone_too)
{
    const scripted_answer_t script[] = {service_page(false, 0)};

    if (!service_on(_i)) {
        return;
    }
    service_with(script, 1);
    service_deliver(event("ann", -10));
    tend(false);
    ck_assert_int_eq(jobs(), 1);
}
END_TEST

/* Some deliveries come, others do not. */
START_TEST(test_the_list_is_read_once_a_day_whatever_comes)
{
    const scripted_answer_t script[] = {service_page(false, 0)};

    if (!service_on(_i)) {
        return;
    }
    service_with(script, 1);
    catch_up();
    store_admin("UPDATE progress SET reached_at = reached_at - 86000");
    service_deliver(event("ann", -10));
    tend(false);
    ck_assert_int_eq(jobs(), 0);
    store_admin("UPDATE progress SET reached_at = reached_at - 500");
    tend(false);
    ck_assert_int_eq(jobs(), 1);
}
END_TEST

/* What was read from the list is no delivery. */
START_TEST(test_only_webhooks_count_as_deliveries)
{
    const scripted_answer_t script[] = {service_page(false, 1, event("ann", -10)),
                                        service_page(false, 0)};

    service_with(script, 2);
    catch_up();
    store_admin("UPDATE progress SET reached_at = reached_at - 3700");
    tend(false);
    ck_assert_int_eq(jobs(), 1);
}
END_TEST

START_TEST(test_what_was_given_up_rests_before_it_is_tried_again)
{
    const scripted_answer_t script[] = {service_page(false, 0)};

    if (!service_on(_i)) {
        return;
    }
    service_with(script, 1);
    tend(true);
    store_admin(apr_psprintf(store.pool,
                             "UPDATE job SET state='parked', run_at=%" APR_INT64_T_FMT,
                             sb_clock_now() - MINUTE));
    tend(false);
    ck_assert_int_eq(store_admin_count("job WHERE state='parked'"), 1);
    tend(true);
    ck_assert_int_eq(store_admin_count("job WHERE state='waiting'"), 1);
    store_admin("UPDATE job SET state='parked', run_at=1");
    tend(false);
    ck_assert_int_eq(store_admin_count("job WHERE state='waiting'"), 1);
}
END_TEST

START_TEST(test_it_can_be_switched_off)
{
    const scripted_answer_t script[] = {service_page(false, 0)};

    service_with(script, 1);
    ((sb_settings_t *)sv.service->settings)->catch_up = 0;
    tend(true);
    tend(false);
    ck_assert_int_eq(jobs(), 0);
}
END_TEST

START_TEST(test_without_a_key_nothing_is_wished_for)
{
    service_with(NULL, 0);
    tend(true);
    ck_assert_int_eq(jobs(), 0);
}
END_TEST

Suite *service_catch_up_suite(void)
{
    Suite *suite = suite_create("service_catch_up");
    TCase *tcase = tcase_create("catch_up");

    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, service_setup, service_teardown);
    tcase_add_loop_test(tcase, test_missed_events_are_applied_from_the_oldest_on, 0,
                        SB_DIALECTS);
    tcase_add_loop_test(tcase, test_what_a_webhook_had_brought_is_a_duplicate, 0,
                        SB_DIALECTS);
    tcase_add_loop_test(tcase, test_a_missed_event_counts_by_its_own_time, 0,
                        SB_DIALECTS);
    tcase_add_loop_test(tcase, test_a_long_list_is_walked_back_and_applied_forward, 0,
                        SB_DIALECTS);
    tcase_add_loop_test(tcase, test_reading_goes_on_some_minutes_before_where_it_ended, 0,
                        SB_DIALECTS);
    tcase_add_loop_test(tcase, test_a_cursor_that_stripe_dropped_is_replaced_by_its_time,
                        0, SB_DIALECTS);
    tcase_add_loop_test(tcase, test_after_forty_days_everything_is_compared, 0,
                        SB_DIALECTS);
    tcase_add_loop_test(tcase, test_a_killed_reader_is_continued, 0, SB_DIALECTS);
    tcase_add_loop_test(tcase, test_a_429_between_two_pages_loses_nothing, 0,
                        SB_DIALECTS);
    tcase_add_loop_test(tcase, test_garbage_instead_of_a_list_changes_nothing, 0, 7);
    tcase_add_test(tcase, test_an_unreadable_page_is_asked_for_once_more_and_shorter);
    tcase_add_test(tcase, test_events_that_would_change_nothing_are_not_kept);
    tcase_add_test(tcase, test_an_entry_that_is_no_event_keeps_nothing_from_coming_in);
    tcase_add_loop_test(tcase, test_an_empty_list_is_an_end, 0, SB_DIALECTS);
    tcase_add_test(tcase, test_missed_events_of_the_other_mode_are_ignored);
    tcase_add_loop_test(tcase, test_every_start_wishes_for_it_once, 0, SB_DIALECTS);
    tcase_add_loop_test(tcase, test_silence_wishes_for_it_and_a_delivery_ends_the_silence,
                        0, SB_DIALECTS);
    tcase_add_loop_test(tcase, test_the_list_is_read_by_cron_alone_too, 0, SB_DIALECTS);
    tcase_add_loop_test(tcase, test_the_list_is_read_once_a_day_whatever_comes, 0,
                        SB_DIALECTS);
    tcase_add_test(tcase, test_only_webhooks_count_as_deliveries);
    tcase_add_loop_test(tcase, test_what_was_given_up_rests_before_it_is_tried_again, 0,
                        SB_DIALECTS);
    tcase_add_test(tcase, test_it_can_be_switched_off);
    tcase_add_test(tcase, test_without_a_key_nothing_is_wished_for);
    suite_add_tcase(suite, tcase);
    return suite;
}
