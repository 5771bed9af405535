/* Licensed under the Apache License, Version 2.0; see LICENSE. */
/* Features that Stripe keeps for a customer, and what paused collections, ends and items of their own open. */
#include "service_fixture.h"
#include "unit.h"

#include "base/clock.h"
#include "base/json.h"
#include "service/account.h"

#include <apr_strings.h>
#include <string.h>

static int told;

static const char *deliver(const char *type, int created, const char *object)
{
    return service_deliver(
        service_event(apr_psprintf(store.pool, "evt_%d", ++told), type, created, object));
}

static const char *summary(const char *keys, bool more)
{
    return service_json(
        "{'object':'entitlements.active_entitlement_summary','livemode':false,'customer':"
        "'cus_1','entitlements':{'object':'list','data':[%s],'has_more':%s}}",
        keys, more ? "true" : "false");
}

static const char *feature(const char *key)
{
    return apr_psprintf(store.pool,
                        "{'id':'ent_%s','object':'entitlements.active_entitlement',"
                        "'feature':'feat_%s','lookup_key':'%s'}",
                        key, key, key);
}

static const char *two(const char *a, const char *b)
{
    return apr_pstrcat(store.pool, feature(a), ",", feature(b), NULL);
}

#define SUMMARY "entitlements.active_entitlement_summary.updated"

/* The entitlements of GET subscription, one after the other. */
static const char *shown(void)
{
    sb_account_view_t *view;
    const char *text = "";
    json_t *key;
    size_t i;

    ck_assert_msg(sb_account_load(&view, &sv.result, sv.service, "zoe", 0, store.pool) ==
                      SB_OK,
                  "%s", store_log());
    json_t *json = sb_account_json(view, sv.service->catalog, store.pool);
    json_array_foreach(json_object_get(json, "entitlements"), i, key)
    {
        text =
            apr_pstrcat(store.pool, text, *text ? " " : "", json_string_value(key), NULL);
    }
    return text;
}

static void subscribe(void)
{
    deliver("customer.subscription.created", 0,
            service_subscription("sub_1", "cus_1", "zoe", "active", PRICE_BASIC));
}

/* F18, C27: the newest whole set is what counts; it is shown beside what the catalogue grants. */
START_TEST(test_the_newest_summary_is_the_whole_set)
{
    if (!service_on(_i)) {
        return;
    }
    service_with(NULL, 0);
    subscribe();
    ck_assert_str_eq(shown(), "read");
    deliver(SUMMARY, 5, summary(two("api_access", "support"), false));
    ck_assert_str_eq(shown(), "read api_access support");
    ck_assert_str_eq(deliver(SUMMARY, 3, summary(feature("older"), false)), "ignored");
    ck_assert_str_eq(sv.outcome.reason, "superseded");
    deliver(SUMMARY, 9, summary(feature("support"), false));
    ck_assert_str_eq(shown(), "read support");
    ck_assert_str_eq(
        service_count(
            "entitlement WHERE customer = 'cus_1' AND feature = 'feat_support'"),
        "1");
    deliver("customer.deleted", 20, service_json("{'id':'cus_1','object':'customer'}"));
    ck_assert_str_eq(shown(), "");
    deliver(SUMMARY, 30, summary(feature("revived"), false));
    ck_assert_str_eq(shown(), "");
}
END_TEST

/* F18: the list in the event is short; the rest is listed page by page. */
START_TEST(test_a_long_list_is_fetched_to_its_end)
{
    const scripted_answer_t script[] = {
        service_answer(200, apr_psprintf(store.pool,
                                         "{'object':'list','data':[%s],'has_more':true}",
                                         two("a", "b"))),
        service_answer(200, apr_psprintf(store.pool,
                                         "{'object':'list','data':[%s],'has_more':false}",
                                         feature("c"))),
    };
    if (!service_on(_i)) {
        return;
    }
    service_with(script, 2);
    subscribe();
    deliver(SUMMARY, 5, summary(feature("a"), true));
    ck_assert_str_eq(shown(), "read");
    ck_assert_str_eq(
        service_count("job WHERE kind = 'entitlements' AND subject = 'cus_1'"), "1");
    ck_assert_int_eq(service_work().done, 1);
    ck_assert_str_eq(shown(), "read a b c");
    ck_assert_ptr_nonnull(strstr(scripted_server_request(sv.server, 0),
                                 "GET /v1/entitlements/active_entitlements?"));
    ck_assert_ptr_nonnull(
        strstr(scripted_server_request(sv.server, 0), "customer=cus_1"));
    ck_assert_ptr_nonnull(
        strstr(scripted_server_request(sv.server, 1), "starting_after=ent_b"));
    ck_assert_str_eq(service_count("event WHERE source = 'fetch' AND state = 'done'"),
                     "1");
}
END_TEST

/* F14, F20: a list that comes in too slowly is left before the lease runs out, and asked for again later. */
START_TEST(test_a_list_that_takes_too_long_is_left_before_the_lease_ends)
{
    const scripted_answer_t script[] = {
        service_answer(200, apr_psprintf(store.pool,
                                         "{'object':'list','data':[%s],'has_more':true}",
                                         feature("a"))),
        service_answer(200, apr_psprintf(store.pool,
                                         "{'object':'list','data':[%s],'has_more':false}",
                                         feature("b"))),
    };
    const sb_job_t job = {.kind = SB_JOB_ENTITLEMENTS,
                          .subject = "cus_1",
                          .payload = "{\"cause\":\"evt_1\",\"created\":5}"};

    if (!service_on(_i)) {
        return;
    }
    service_with(script, 2);
    subscribe();
    sb_step_t step = {.job = &job, .until = sb_clock_monotonic()};
    ck_assert_int_eq(sb_step_entitlements(&step, &sv.result, sv.service, store.pool),
                     SB_UPSTREAM);
    ck_assert_str_eq(sv.result.code, "step_overdue");
    ck_assert_int_eq(scripted_server_requests(sv.server), 1);
    ck_assert_str_eq(shown(), "read");
}
END_TEST

/* F18: what was asked for answers an old question when something newer was told meanwhile. */
START_TEST(test_a_list_that_comes_late_does_not_undo_a_newer_summary)
{
    const scripted_answer_t script[] = {
        service_answer(200, apr_psprintf(store.pool,
                                         "{'object':'list','data':[%s],'has_more':false}",
                                         feature("old"))),
    };
    if (!service_on(_i)) {
        return;
    }
    service_with(script, 1);
    subscribe();
    deliver(SUMMARY, 5, summary(feature("old"), true));
    deliver(SUMMARY, 8, summary(feature("new"), false));
    ck_assert_int_eq(service_work().done, 1);
    ck_assert_str_eq(shown(), "read new");
}
END_TEST

/* F18: two different sets of one second: Stripe is asked. */
START_TEST(test_two_summaries_of_one_second_are_settled_by_asking)
{
    const scripted_answer_t script[] = {
        service_answer(200, apr_psprintf(store.pool,
                                         "{'object':'list','data':[%s],'has_more':false}",
                                         feature("second"))),
    };
    const char *first, *second;
    apr_int64_t now;

    if (!service_on(_i)) {
        return;
    }
    service_with(script, 1);
    subscribe();
    do {
        now = sb_clock_now();
        first = service_event("evt_a", SUMMARY, 0, summary(feature("first"), false));
        second = service_event("evt_b", SUMMARY, 0, summary(feature("second"), false));
    } while (sb_clock_now() != now);
    service_deliver(first);
    service_deliver(second);
    ck_assert_str_eq(shown(), "read first");
    ck_assert_int_eq(service_work().done, 1);
    ck_assert_str_eq(shown(), "read second");
}
END_TEST

/* --- what a subscription opens -------------------------------------------------------------------- */

static const char pausing[] = "{'currency':'eur','pause_collection':'%s','plans':["
                              "{'plan':'basic','name':'Basic','group':'m','rank':10%s,'"
                              "prices':[{'interval':'month',"
                              "'amount':900,'id':'" PRICE_BASIC "'}]}]}";

static const char *with(const char *members)
{
    const char *object =
        service_subscription("sub_1", "cus_1", "zoe", "active", PRICE_BASIC);

    return apr_pstrcat(store.pool, "{", service_json("%s", members), object + 1, NULL);
}

/* C23: whether a paused collection closes the door is the catalogue's choice, the plan's before its own. */
START_TEST(test_a_paused_collection_closes_where_the_catalogue_says_so)
{
    static const struct {
        const char *all, *plan, *gate;
    } cases[] = {
        {"open", "", "ok"},
        {"closed", "", "paused"},
        {"closed", ",'pause_collection':'open'", "ok"},
        {"open", ",'pause_collection':'closed'", "paused"},
    };

    if (!service_on(_i)) {
        return;
    }
    service_with(NULL, 0);
    deliver("customer.subscription.updated", 0,
            with("'pause_collection':{'behavior':'void','resumes_at':null},"));
    ck_assert_str_eq(service_gate("zoe", "basic"), "ok"); /* nothing said: open */
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        sb_account_view_t *view;
        service_catalog(apr_psprintf(store.pool, pausing, cases[i].all, cases[i].plan));
        ck_assert_str_eq(service_gate("zoe", "basic"), cases[i].gate);
        ck_assert_int_eq(
            sb_account_load(&view, &sv.result, sv.service, "zoe", 0, store.pool), SB_OK);
        ck_assert_str_eq(sb_reason_word(view->main->access.reason), cases[i].gate);
        ck_assert_int_eq(view->holding.paid != 0, strcmp(cases[i].gate, "ok") == 0);
    }
    deliver("customer.subscription.updated", 9, with("'pause_collection':null,"));
    ck_assert_str_eq(service_gate("zoe", "basic"), "ok");
}
END_TEST

/* A50: a bare date ends it as well as the end of the period does. */
START_TEST(test_a_bare_date_ends_a_subscription)
{
    apr_int64_t now = sb_clock_now();

    if (!service_on(_i)) {
        return;
    }
    service_with(NULL, 0);
    deliver(
        "customer.subscription.updated", 0,
        with(apr_psprintf(store.pool, "'cancel_at':%" APR_INT64_T_FMT ",", now + 900)));
    ck_assert_str_eq(service_gate("zoe", "any"), "ok");
    deliver("customer.subscription.updated", 1,
            with(apr_psprintf(store.pool, "'cancel_at':%" APR_INT64_T_FMT ",", now - 9)));
    ck_assert_str_eq(service_gate("zoe", "any"), "ended");
}
END_TEST

/* A48, A49: an upgrade that waits for its payment opens nothing before it is applied. */
START_TEST(test_a_pending_update_counts_when_it_is_applied)
{
    if (!service_on(_i)) {
        return;
    }
    service_with(NULL, 0);
    deliver("customer.subscription.updated", 0,
            with("'pending_update':{'expires_at':4000000000,'subscription_items':[{'id':"
                 "'si_sub_1','price':{'id':'" PRICE_PRO "','object':'price'}}]},"));
    ck_assert_str_eq(service_gate("zoe", "pro"), "plan_too_low");
    deliver("customer.subscription.pending_update_applied", 5,
            service_subscription("sub_1", "cus_1", "zoe", "active", PRICE_PRO));
    ck_assert_str_eq(service_gate("zoe", "pro"), "ok");
    deliver("customer.subscription.pending_update_expired", 9,
            service_subscription("sub_1", "cus_1", "zoe", "active", PRICE_BASIC));
    ck_assert_str_eq(service_gate("zoe", "pro"), "plan_too_low");
    ck_assert_str_eq(service_gate("zoe", "basic"), "ok");
}
END_TEST

static const char groups[] =
    "{'currency':'eur','plans':["
    "{'plan':'basic','name':'Basic','group':'m','rank':10,'prices':[{'interval':'month',"
    "'amount':900,'id':'" PRICE_BASIC "'}]},"
    "{'plan':'pro','name':'Pro','group':'n','rank':20,'prices':[{'interval':'year',"
    "'amount':2900,'id':'" PRICE_PRO "'}]}]}";

static const char *item(const char *id, const char *price, apr_int64_t end)
{
    return apr_psprintf(store.pool,
                        "{'id':'%s','object':'subscription_item','quantity':1,"
                        "'current_period_start':1,'current_period_end':%" APR_INT64_T_FMT
                        ",'price':{'id':'%s','object':'price','currency':'eur',"
                        "'unit_amount':900,'product':'prod_X','active':true,"
                        "'recurring':{'interval':'month','interval_count':1}}}",
                        id, end, price);
}

/* A50, B23: a month and a year in one subscription that ends: each opens until its own end. */
START_TEST(test_each_item_opens_until_its_own_end)
{
    apr_int64_t now = sb_clock_now();
    sb_account_view_t *view;

    if (!service_on(_i)) {
        return;
    }
    service_with(NULL, 0);
    service_catalog(groups);
    const char *items = apr_pstrcat(store.pool, item("si_1", PRICE_BASIC, now - 5), ",",
                                    item("si_2", PRICE_PRO, now + 90000), NULL);
    static const char object[] =
        "{'id':'sub_1','object':'subscription','customer':'cus_1','status':'active',"
        "'livemode':false,'created':1,'cancel_at_period_end':%s,'metadata':{'subbill_"
        "user':"
        "'zoe'},'currency':'eur','items':{'object':'list','data':[%s]}}";
    deliver("customer.subscription.updated", 0, service_json(object, "false", items));
    ck_assert_str_eq(service_gate("zoe", "basic"),
                     "ok"); /* it renews: the invoice is late */
    ck_assert_str_eq(service_gate("zoe", "pro"), "ok");
    deliver("customer.subscription.updated", 1, service_json(object, "true", items));
    ck_assert_str_eq(service_gate("zoe", "basic"), "ended");
    ck_assert_str_eq(service_gate("zoe", "pro"), "ok");
    ck_assert_int_eq(sb_account_load(&view, &sv.result, sv.service, "zoe", 0, store.pool),
                     SB_OK);
    ck_assert_int_eq(view->holding.paid, 2);
}
END_TEST

Suite *service_entitlements_suite(void)
{
    Suite *suite = suite_create("service_entitlements");
    TCase *tcase = tcase_create("entitlements");

    tcase_add_checked_fixture(tcase, service_setup, service_teardown);
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, test_the_newest_summary_is_the_whole_set, 0, SB_DIALECTS);
    tcase_add_loop_test(tcase, test_a_long_list_is_fetched_to_its_end, 0, SB_DIALECTS);
    tcase_add_loop_test(tcase,
                        test_a_list_that_takes_too_long_is_left_before_the_lease_ends, 0,
                        SB_DIALECTS);
    tcase_add_loop_test(tcase, test_a_list_that_comes_late_does_not_undo_a_newer_summary,
                        0, SB_DIALECTS);
    tcase_add_loop_test(tcase, test_two_summaries_of_one_second_are_settled_by_asking, 0,
                        SB_DIALECTS);
    tcase_add_loop_test(tcase,
                        test_a_paused_collection_closes_where_the_catalogue_says_so, 0,
                        SB_DIALECTS);
    tcase_add_loop_test(tcase, test_a_bare_date_ends_a_subscription, 0, SB_DIALECTS);
    tcase_add_loop_test(tcase, test_a_pending_update_counts_when_it_is_applied, 0,
                        SB_DIALECTS);
    tcase_add_loop_test(tcase, test_each_item_opens_until_its_own_end, 0, SB_DIALECTS);
    suite_add_tcase(suite, tcase);
    return suite;
}
