/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "service_fixture.h"
#include "unit.h"

#include "base/clock.h"
#include "service/pace.h"
#include "service/replay.h"

#include <apr_strings.h>
#include <string.h>

static const char *count(const char *where)
{
    return store_admin_value(
        apr_pstrcat(store.pool, "SELECT COUNT(*) FROM ", where, NULL));
}

static const char *unmapped_event(void)
{
    return service_event("evt_1", "customer.subscription.created", 0,
                         service_subscription("sub_1", "cus_1", "zoe", "active",
                                              "price_1Elsewhere000001"));
}

static const char *thin_event(const char *id, const char *type, const char *kind,
                              const char *object)
{
    return service_json("{'id':'%s','object':'v2.core.event','type':'%s','livemode':"
                        "false,'created':'2026-11-26T09:00:00.000Z','related_object':"
                        "{'id':'%s','type':'%s','url':'/v1/x'}}",
                        id, type, object, kind);
}

/* A16, F18: what failed is tried again by itself, and heals when its cause is gone. */
START_TEST(test_a_failed_event_is_tried_again_until_it_can_be_applied)
{
    if (!service_on(_i)) {
        return;
    }
    service_with(NULL, 0);
    ck_assert_str_eq(service_deliver(unmapped_event()), "failed");
    ck_assert_int_eq(service_work().retried, 0); /* in a minute */
    service_jobs_due();
    ck_assert_int_eq(service_work().retried, 1);
    ck_assert_str_eq(count("job WHERE kind='event' AND subject='evt_1'"), "1");
    store_admin("UPDATE price SET plan = 'basic' WHERE id = 'price_1Elsewhere000001'");
    service_jobs_due();
    ck_assert_int_eq(service_work().done, 1);
    ck_assert_str_eq(service_gate("zoe", "any"), "ok");
    ck_assert_str_eq(count("event WHERE id='evt_1' AND state='done'"), "1");
    ck_assert_str_eq(count("job"), "0");
}
END_TEST

/* A56: what cannot be helped stops after a day, stays to be seen, and can be replayed. */
START_TEST(test_a_hopeless_event_is_parked_with_its_error_and_can_be_replayed)
{
    enum { TRIES = 24 };

    if (!service_on(_i)) {
        return;
    }
    service_with(NULL, 0);
    service_deliver(unmapped_event());
    for (int i = 1; i < TRIES; i++) {
        service_jobs_due();
        ck_assert_int_eq(service_work().retried, 1);
    }
    service_jobs_due();
    ck_assert_int_eq(service_work().parked, 1);
    service_jobs_due();
    ck_assert_int_eq(service_work().retried, 0);
    ck_assert_str_eq(count("job WHERE state='parked' AND error LIKE 'unmapped_price%'"),
                     "1");
    ck_assert_ptr_nonnull(strstr(store_log(), "SB483"));

    store_admin("UPDATE price SET plan = 'basic' WHERE id = 'price_1Elsewhere000001'");
    store_admin_close();
    ck_assert_int_eq(
        sb_replay_event(&sv.outcome, &sv.result, sv.service, "evt_1", store.pool), SB_OK);
    ck_assert_str_eq(sv.outcome.state, "done");
    ck_assert_str_eq(service_gate("zoe", "any"), "ok");
    ck_assert_int_eq(
        sb_replay_event(&sv.outcome, &sv.result, sv.service, "evt_1", store.pool), SB_OK);
    ck_assert_str_eq(sv.outcome.state, "duplicate");
    ck_assert_int_eq(
        sb_replay_event(&sv.outcome, &sv.result, sv.service, "evt_no", store.pool),
        SB_NOT_FOUND);
}
END_TEST

/* B23: thin events are acknowledged, kept, and their object is read by the worker. */
START_TEST(test_a_thin_event_is_kept_and_its_object_read)
{
    const scripted_answer_t script[] = {
        service_answer(
            200, service_subscription("sub_1", "cus_1", "zoe", "active", PRICE_PRO)),
    };
    if (!service_on(_i)) {
        return;
    }
    service_with(script, 1);
    const char *event = thin_event("evt_test_1", "v1.customer.subscription.active",
                                   "subscription", "sub_1");
    ck_assert_str_eq(service_deliver(event), "received");
    ck_assert_str_eq(service_deliver(event), "duplicate");
    ck_assert_str_eq(count("event WHERE state='received'"), "1");
    ck_assert_str_eq(service_gate("zoe", "any"), "no_account");
    ck_assert_int_eq(service_work().done, 1);
    ck_assert_str_eq(service_gate("zoe", "pro"), "ok");
    ck_assert_str_eq(count("event WHERE id='evt_test_1' AND state='done'"), "1");
    ck_assert_str_eq(count("event WHERE source='fetch' AND state='done'"), "1");
    ck_assert_str_eq(service_deliver(event), "duplicate");
}
END_TEST

/* T07, T39: of thin events too only what concerns us is read. */
START_TEST(test_a_thin_event_about_something_else_is_ignored)
{
    if (!service_on(_i)) {
        return;
    }
    service_with(NULL, 0);
    service_deliver(thin_event("evt_test_1", "v2.core.event_destination.ping",
                               "v2.core.event_destination", "ed_1"));
    ck_assert_str_eq(sv.outcome.state, "ignored");
    service_deliver(service_json(
        "{'id':'evt_test_2','object':'v2.core.event','type':'v1.customer.updated',"
        "'livemode':true,'created':'2026-11-26T09:00:00Z','related_object':{'id':"
        "'cus_1','type':'customer','url':'/v1/x'}}"));
    ck_assert_str_eq(sv.outcome.reason, "livemode_mismatch");
    ck_assert_str_eq(count("job"), "0");
}
END_TEST

/* F20: whoever was to go on with an event is gone, its job too. */
START_TEST(test_a_stuck_event_is_picked_up_after_its_lease)
{
    const scripted_answer_t script[] = {
        service_answer(
            200, service_subscription("sub_1", "cus_1", "zoe", "active", PRICE_PRO)),
    };
    if (!service_on(_i)) {
        return;
    }
    service_with(script, 1);
    service_deliver(thin_event("evt_test_1", "v1.customer.subscription.updated",
                               "subscription", "sub_1"));
    store_admin("DELETE FROM job");
    store_admin_close();
    ck_assert_int_eq(sb_replay_stuck(&sv.result, sv.service, store.pool), SB_OK);
    ck_assert_str_eq(count("job"), "0");
    store_admin("UPDATE event SET lease_until = 1");
    store_admin_close();
    ck_assert_int_eq(sb_replay_stuck(&sv.result, sv.service, store.pool), SB_OK);
    ck_assert_int_eq(service_work().done, 1);
    ck_assert_str_eq(service_gate("zoe", "pro"), "ok");
}
END_TEST

/* F20: a worker that was killed in the middle of a step leaves a job that the next one finishes. */
START_TEST(test_a_step_that_was_cut_off_is_done_by_the_next_worker)
{
    const scripted_answer_t script[] = {
        service_answer(
            200, service_subscription("sub_1", "cus_1", "zoe", "active", PRICE_PRO)),
    };
    if (!service_on(_i)) {
        return;
    }
    service_with(script, 1);
    service_deliver(thin_event("evt_test_1", "v1.customer.subscription.updated",
                               "subscription", "sub_1"));
    store_admin("UPDATE job SET holder = 'the dead one', attempts = 1, lease_until = "
                "4000000000");
    store_admin_close();
    ck_assert_int_eq(service_work().done, 0);
    service_jobs_due();
    ck_assert_int_eq(service_work().done, 1);
    ck_assert_str_eq(service_gate("zoe", "pro"), "ok");
}
END_TEST

/* Claims what is due and dies of it: nothing is said about what became of the step. */
static apr_status_t claim_and_die(void *baton, sb_conn_t *conn, apr_pool_t *pool)
{
    sb_job_t *jobs, *claimed = NULL;
    int n;
    apr_status_t rv = sb_job_due(&jobs, &n, conn, false, 1, pool);

    ck_assert_int_eq(n, 1);
    return rv ? rv : sb_job_claim(&claimed, conn, &jobs[0], SB_JOB_LEASE, pool);
}

/* F20: a job that kills whoever works on it is given up after as many tries as any other, and says so; it
 * would take a child of httpd with it every minute. */
START_TEST(test_a_job_that_kills_its_worker_each_time_is_parked)
{
    enum { TRIES = 6 };

    if (!service_on(_i)) {
        return;
    }
    service_with(NULL, 0);
    ck_assert_int_eq(sb_jobs_enqueue(&sv.result, sv.service, SB_JOB_FETCH, "sub_1",
                                     "{\"cause\":\"evt_1\",\"created\":1}", 0,
                                     store.pool),
                     SB_OK);
    for (int i = 0; i < TRIES; i++) {
        ck_assert_int_eq(sb_db_transaction(sv.service->db, SB_DEADLINE_PAGE,
                                           claim_and_die, NULL, &sv.result, store.pool),
                         SB_OK);
        ck_assert_int_eq(service_work().parked, 0); /* its lease is running */
        service_jobs_due();
    }
    ck_assert_int_eq(service_work().parked, 1);
    ck_assert_str_eq(count("job WHERE state='parked' AND error LIKE 'worker_died:%'"),
                     "1");
    ck_assert_ptr_nonnull(strstr(store_log(), "SB483"));
}
END_TEST

/* F15: a 429 slows every background call down and loses none. */
START_TEST(test_a_rate_limit_slows_the_worker_down_and_loses_nothing)
{
    scripted_answer_t refusal = {
        .bytes = scripted_json(429, "Connection: close\r\nRetry-After: 120\r\n",
                               "{\"error\":{\"type\":\"invalid_request_error\","
                               "\"code\":\"rate_limit\",\"message\":\"slow\"}}",
                               store.pool),
        .cut = 1};
    const scripted_answer_t script[] = {
        refusal,
        service_answer(
            200, service_subscription("sub_1", "cus_1", "zoe", "active", PRICE_PRO)),
    };
    if (!service_on(_i)) {
        return;
    }
    service_with(script, 2);
    sv.service->stripe = sb_stripe_hurried(sv.service->stripe, 2000, store.pool);
    service_deliver(thin_event("evt_test_1", "v1.customer.subscription.updated",
                               "subscription", "sub_1"));
    ck_assert_int_eq(service_work().retried, 1);
    ck_assert_ptr_nonnull(strstr(store_log(), "SB480"));
    ck_assert_int_eq(sb_pace_take(&sv.result, sv.service, store.pool), SB_UNAVAILABLE);
    ck_assert_str_eq(sv.result.code, "rate_limited");
    service_jobs_due();
    ck_assert_int_eq(service_work().retried, 1); /* its turn has not come */
    ck_assert_int_eq(scripted_server_requests(sv.server), 1);
    store_admin("UPDATE limiter SET tat = 0");
    service_jobs_due();
    ck_assert_int_eq(service_work().done, 1);
    ck_assert_str_eq(service_gate("zoe", "pro"), "ok");
}
END_TEST

/* F15, F16: a proxy's page in place of an answer, or Stripe busy with the object, is no fault of the job. */
START_TEST(test_rubbish_from_stripe_and_a_busy_object_park_nobody)
{
    enum { ILLS = 8 };
    scripted_answer_t script[ILLS + 1];

    if (!service_on(_i)) {
        return;
    }
    for (int i = 0; i < ILLS; i++) { /* in turn, or the circuit would open */
        bool busy = i % 2;
        script[i] = (scripted_answer_t){
            .bytes =
                scripted_json(busy ? 409 : 200, "Connection: close\r\n",
                              busy ? "{\"error\":{\"type\":\"invalid_request_error\","
                                     "\"code\":\"lock_timeout\",\"message\":\"busy\"}}"
                                   : "<!doctype html><title>Bad gateway</title>",
                              store.pool),
            .cut = 1};
    }
    script[ILLS] = service_answer(
        200, service_subscription("sub_1", "cus_1", "zoe", "active", PRICE_PRO));
    service_with(script, ILLS + 1);
    sv.service->stripe = sb_stripe_hurried(sv.service->stripe, 2000, store.pool);
    ck_assert_int_eq(sb_jobs_enqueue(&sv.result, sv.service, SB_JOB_FETCH, "sub_1",
                                     "{\"cause\":\"evt_1\",\"created\":1}", 0,
                                     store.pool),
                     SB_OK);
    for (int i = 0; i < ILLS; i++) {
        sb_jobs_run_t run = service_work();
        ck_assert_int_eq(run.parked, 0);
        ck_assert_int_eq(run.retried, 1);
        service_jobs_due();
    }
    ck_assert_int_eq(service_work().done, 1);
    ck_assert_str_eq(service_gate("zoe", "pro"), "ok");
}
END_TEST

/* B23, F13: a thin event that met an outage is tried again in seconds, not in the minutes of an event
 * that waits for a price to be known. */
START_TEST(test_a_thin_event_waits_no_longer_than_the_outage)
{
    const scripted_answer_t script[] = {
        {.bytes = scripted_json(503, "Connection: close\r\n", "{}", store.pool),
         .cut = 1}};

    if (!service_on(_i)) {
        return;
    }
    service_with(script, 1);
    sv.service->stripe = sb_stripe_hurried(sv.service->stripe, 2000, store.pool);
    service_deliver(thin_event("evt_test_1", "v1.customer.subscription.updated",
                               "subscription", "sub_1"));
    ck_assert_int_eq(service_work().retried, 1);
    ck_assert_str_eq(
        count(apr_psprintf(store.pool, "job WHERE run_at <= %" APR_INT64_T_FMT,
                           sb_clock_now() + 30)),
        "1");
}
END_TEST

/* F13: however long Stripe was away, a job keeps all the attempts that are its own. */
START_TEST(test_an_outage_costs_no_attempt)
{
    if (!service_on(_i)) {
        return;
    }
    service_with(NULL, 0);
    ck_assert_int_eq(sb_jobs_enqueue(&sv.result, sv.service, SB_JOB_FETCH, "sub_1",
                                     "{\"cause\":\"evt_1\",\"created\":5}", 0,
                                     store.pool),
                     SB_OK);
    for (int i = 0; i < 8; i++) {
        service_jobs_due();
        ck_assert_int_eq(service_work().retried, 1);
    }
    store_admin("UPDATE job SET payload = NULL"); /* now it fails by itself */
    service_jobs_due();
    ck_assert_int_eq(service_work().retried, 1);
    ck_assert_str_eq(store_admin_value("SELECT attempts FROM job"), "1");
}
END_TEST

/* F34: what a newer version has wished for waits until one comes that knows it. */
START_TEST(test_a_job_of_a_kind_from_the_future_waits)
{
    if (!service_on(_i)) {
        return;
    }
    service_with(NULL, 0);
    ck_assert_int_eq(
        sb_jobs_enqueue(&sv.result, sv.service, "teleport", "x", NULL, 0, store.pool),
        SB_OK);
    ck_assert_int_eq(service_work().retried, 1);
    ck_assert_str_eq(count("job WHERE state = 'waiting' AND attempts = 0"), "1");
}
END_TEST

START_TEST(test_the_waits_between_tries_double_to_an_hour)
{
    for (int i = 0; i < 100; i++) {
        ck_assert_int_ge(sb_jobs_backoff(1), 1);
        ck_assert_int_le(sb_jobs_backoff(1), 3);
        ck_assert_int_ge(sb_jobs_backoff(5), 24);
        ck_assert_int_le(sb_jobs_backoff(5), 40);
        ck_assert_int_ge(sb_jobs_backoff(1000000), 2700);
        ck_assert_int_le(sb_jobs_backoff(1000000), 4500);
    }
}
END_TEST

Suite *service_jobs_suite(void)
{
    Suite *suite = suite_create("service_jobs");
    TCase *tcase = tcase_create("service_jobs");

    tcase_add_checked_fixture(tcase, service_setup, service_teardown);
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, test_a_failed_event_is_tried_again_until_it_can_be_applied,
                        0, SB_DIALECTS);
    tcase_add_loop_test(
        tcase, test_a_hopeless_event_is_parked_with_its_error_and_can_be_replayed, 0,
        SB_DIALECTS);
    tcase_add_loop_test(tcase, test_a_thin_event_is_kept_and_its_object_read, 0,
                        SB_DIALECTS);
    tcase_add_loop_test(tcase, test_a_thin_event_about_something_else_is_ignored, 0,
                        SB_DIALECTS);
    tcase_add_loop_test(tcase, test_a_stuck_event_is_picked_up_after_its_lease, 0,
                        SB_DIALECTS);
    tcase_add_loop_test(tcase, test_a_step_that_was_cut_off_is_done_by_the_next_worker, 0,
                        SB_DIALECTS);
    tcase_add_loop_test(tcase, test_a_job_that_kills_its_worker_each_time_is_parked, 0,
                        SB_DIALECTS);
    tcase_add_loop_test(tcase, test_a_rate_limit_slows_the_worker_down_and_loses_nothing,
                        0, SB_DIALECTS);
    tcase_add_loop_test(tcase, test_rubbish_from_stripe_and_a_busy_object_park_nobody, 0,
                        SB_DIALECTS);
    tcase_add_loop_test(tcase, test_a_thin_event_waits_no_longer_than_the_outage, 0,
                        SB_DIALECTS);
    tcase_add_loop_test(tcase, test_an_outage_costs_no_attempt, 0, SB_DIALECTS);
    tcase_add_loop_test(tcase, test_a_job_of_a_kind_from_the_future_waits, 0,
                        SB_DIALECTS);
    tcase_add_test(tcase, test_the_waits_between_tries_double_to_an_hour);
    suite_add_tcase(suite, tcase);
    return suite;
}
