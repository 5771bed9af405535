/* Licensed under the Apache License, Version 2.0; see LICENSE. */
/* What the tables say can be said again by the stored events alone. */
#include "service_fixture.h"
#include "unit.h"

#include "base/clock.h"
#include "service/links.h"
#include "service/rebuild.h"

#include <apr_strings.h>
#include <string.h>

#define ELSEWHERE "price_1Elsewhere000001"

/* Every table that is made of events. */
static const char *const tables[] = {"customer", "subscription", "subscription_item",
                                     "price",    "product",      "invoice",
                                     "payment",  "trial",        "account"};
enum { TABLES = sizeof(tables) / sizeof(*tables) };

/* subscription.updated_at is the time of writing; an event that was applied late is written again with the
 * time it arrived. Nothing else may differ. */
static void forget_what_may_differ(void)
{
    store_admin("UPDATE subscription SET updated_at = 0");
}

static const char *rows_of(const char *table)
{
    const char *sql = apr_psprintf(store.pool, "SELECT * FROM %s ORDER BY 1, 2", table);
    apr_array_header_t *texts = apr_array_make(store.pool, 64, sizeof(const char *));
    apr_dbd_results_t *results = NULL;
    apr_dbd_row_t *row = NULL;

    store_admin_value("SELECT 1"); /* connects */
    int rc =
        apr_dbd_select(store.admin_driver, store.pool, store.admin, &results, sql, 1);
    ck_assert_msg(!rc, "%s: %s", sql, apr_dbd_error(store.admin_driver, store.admin, rc));
    int columns = apr_dbd_num_cols(store.admin_driver, results);
    int n = apr_dbd_num_tuples(store.admin_driver, results);
    for (int i = 1; i <= n; i++) {
        ck_assert_int_eq(
            apr_dbd_get_row(store.admin_driver, store.pool, results, &row, i), 0);
        for (int k = 0; k < columns; k++) {
            const char *value = apr_dbd_get_entry(store.admin_driver, row, k);
            APR_ARRAY_PUSH(texts, const char *) =
                apr_pstrdup(store.pool, value ? value : "-");
            APR_ARRAY_PUSH(texts, const char *) = k + 1 < columns ? "|" : "\n";
        }
        row = NULL;
    }
    return apr_array_pstrcat(store.pool, texts, 0);
}

static void empty_the_tables(void)
{
    for (int i = 0; i < TABLES; i++) {
        store_admin(apr_psprintf(store.pool, "DELETE FROM %s", tables[i]));
    }
    store_admin("DELETE FROM job");
}

static const char *states(void)
{
    return rows_of("(SELECT id, state FROM event) AS e");
}

/* Rebuilds and compares row by row. */
static sb_rebuild_t assert_the_same_again(void)
{
    const char *before[TABLES], *ended = states();
    sb_rebuild_t rebuild = {.dry_run = false};

    forget_what_may_differ();
    for (int i = 0; i < TABLES; i++) {
        before[i] = rows_of(tables[i]);
    }
    empty_the_tables();
    store_admin_close();
    ck_assert_msg(sb_rebuild_run(&rebuild, &sv.result, sv.service, store.pool) == SB_OK,
                  "%s: %s", sv.result.code, store_log());
    forget_what_may_differ();
    for (int i = 0; i < TABLES; i++) {
        ck_assert_msg(strcmp(rows_of(tables[i]), before[i]) == 0,
                      "%s:\n%.1500s\nwas:\n%.1500s", tables[i], rows_of(tables[i]),
                      before[i]);
    }
    ck_assert_str_eq(states(), ended);
    store_admin_close();
    return rebuild;
}

static const char *deliver(const char *id, const char *type, int created,
                           const char *object)
{
    return service_deliver(service_event(id, type, created, object));
}

static const char *sub(const char *user, const char *status, const char *price)
{
    return service_subscription("sub_1", "cus_1", user, status, price);
}

/* Two statements of one second; the one that grants less comes first. */
static void deliver_a_tie(void)
{
    const char *type = "customer.subscription.updated", *first, *second;
    apr_int64_t began;

    do {
        began = sb_clock_now();
        first = service_event("evt_2", type, 0, sub("zoe", "unpaid", PRICE_PRO));
        second = service_event("evt_1", type, 0, sub("zoe", "active", PRICE_PRO));
    } while (sb_clock_now() != began);
    service_deliver(first);
    service_deliver(second);
}

static const char *invoice(const char *id, const char *status, int paid)
{
    return service_json(
        "{'id':'%s','object':'invoice','customer':'cus_1','status':'%s','livemode':false,"
        "'currency':'eur','amount_due':900,'amount_paid':%d,'created':1700000000,"
        "'attempt_count':1,'parent':{'type':'subscription_details',"
        "'subscription_details':{'subscription':'sub_1','metadata':{}}}}",
        id, status, paid);
}

/* F18: a life with disorder, a failed payment, an end, and strangers in between */
START_TEST(test_a_life_is_the_same_after_a_rebuild)
{
    if (!service_on(_i)) {
        return;
    }
    service_with(NULL, 0);
    deliver("evt_9", "invoice.paid", -50, invoice("in_1", "paid", 900));
    deliver("evt_8", "customer.subscription.updated", -40,
            sub("zoe", "active", PRICE_BASIC));
    deliver("evt_7", "customer.subscription.created", -50,
            sub("zoe", "incomplete", PRICE_BASIC));
    deliver("evt_6", "invoice.payment_failed", -30, invoice("in_2", "open", 0));
    deliver("evt_5", "customer.subscription.updated", -30,
            sub("zoe", "past_due", PRICE_BASIC));
    deliver("evt_4", "customer.subscription.updated", -20,
            sub("zoe", "active", PRICE_PRO));
    deliver("evt_3", "customer.subscription.deleted", -10,
            sub("zoe", "canceled", PRICE_PRO));
    deliver("evt_2", "customer.created", -60,
            service_json("{'id':'cus_2','object':'customer','livemode':false,"
                         "'metadata':{'subbill_user':'max'}}"));
    deliver("evt_1", "product.updated", -60,
            service_json("{'id':'prod_X','object':'product','name':'X','active':true,"
                         "'livemode':false,'metadata':{}}"));
    deliver("evt_0", "customer.deleted", 0,
            service_json("{'id':'cus_2','object':'customer','deleted':true}"));
    sb_rebuild_t rebuild = assert_the_same_again();
    ck_assert_int_eq(rebuild.events, 10);
    ck_assert_int_eq(rebuild.applied, 10);
    ck_assert_int_eq(rebuild.changed, 0);
    ck_assert_str_eq(service_gate("zoe", "any"), "ended");
}
END_TEST

/* F18: two statements of one second, which the answer of Stripe has put in order; nobody asks again */
START_TEST(test_a_tie_that_stripe_has_settled_needs_no_second_question)
{
    const scripted_answer_t script[] = {service_answer(
        200, service_subscription("sub_1", "cus_1", "zoe", "active", PRICE_PRO))};

    if (!service_on(_i)) {
        return;
    }
    service_with(script, 1);
    deliver_a_tie();
    ck_assert_int_eq(service_work().done, 1);
    ck_assert_str_eq(service_gate("zoe", "pro"), "ok");
    assert_the_same_again();
    ck_assert_str_eq(service_gate("zoe", "pro"), "ok");
    ck_assert_int_eq(store_admin_count("job"), 0);
}
END_TEST

/* F18: and one that is still open stays open, with its job */
START_TEST(test_what_waits_for_stripe_still_waits_after_a_rebuild)
{
    if (!service_on(_i)) {
        return;
    }
    service_with(NULL, 0);
    deliver_a_tie();
    service_deliver(
        service_json("{'id':'evt_test_1','object':'v2.core.event',"
                     "'type':'v1.customer.subscription.updated','livemode':false,"
                     "'created':'2026-11-26T09:00:00.000Z','related_object':"
                     "{'id':'sub_2','type':'subscription','url':'/v1/x'}}"));
    assert_the_same_again();
    ck_assert_str_eq(service_gate("zoe", "pro"), "unpaid");
    ck_assert_int_eq(store_admin_count("job WHERE kind = 'fetch' AND subject = 'sub_1'"),
                     1);
    ck_assert_int_eq(
        store_admin_count("job WHERE kind = 'event' AND subject = 'evt_test_1'"), 1);
    ck_assert_int_eq(store_admin_count("job"), 2);
}
END_TEST

/* T08: what an operator said about a customer, and what was refused before and done after */
START_TEST(test_an_operators_word_is_kept_and_repeated)
{
    sb_link_request_t request = {.user = "zoe",
                                 .customer = "cus_1",
                                 .who = "root",
                                 .offline = true,
                                 .force = true};
    sb_link_t link;

    if (!service_on(_i)) {
        return;
    }
    service_with(NULL, 0);
    deliver("evt_1", "customer.subscription.created", -9,
            sub("max", "active", PRICE_BASIC));
    ck_assert_str_eq(deliver("evt_2", "customer.subscription.updated", -5,
                             sub("zoe", "active", PRICE_PRO)),
                     "failed");
    ck_assert_int_eq(sb_link_set(&link, &sv.result, sv.service, &request, store.pool),
                     SB_OK);
    service_jobs_due();
    ck_assert_int_eq(service_work().done, 1);
    ck_assert_str_eq(service_gate("zoe", "pro"), "ok");
    sb_rebuild_t rebuild = assert_the_same_again();
    ck_assert_str_eq(service_gate("zoe", "pro"), "ok");
    ck_assert_int_eq(rebuild.changed, 0);
}
END_TEST

/* T07: nobody can say over the webhook what only an operator may */
START_TEST(test_an_event_of_our_own_types_from_outside_stays_ignored)
{
    if (!service_on(_i)) {
        return;
    }
    service_with(NULL, 0);
    deliver("evt_1", "customer.subscription.created", -9,
            sub("max", "active", PRICE_BASIC));
    ck_assert_str_eq(
        deliver("evt_2", "subbill.customer.moved", 0,
                service_json("{'id':'cus_1','object':'customer','user':'zoe'}")),
        "ignored");
    assert_the_same_again();
    ck_assert_str_eq(service_gate("max", "any"), "ok");
    ck_assert_str_eq(service_gate("zoe", "any"), "no_account");
}
END_TEST

/* A16: a price that the catalogue has learnt meanwhile opens; the event is done now */
START_TEST(test_a_rebuild_goes_by_the_catalogue_of_today)
{
    sb_rebuild_t rebuild = {.dry_run = false};

    if (!service_on(_i)) {
        return;
    }
    service_with(NULL, 0);
    ck_assert_str_eq(deliver("evt_1", "customer.subscription.created", -9,
                             sub("zoe", "active", ELSEWHERE)),
                     "failed");
    ck_assert_str_eq(service_gate("zoe", "any"), "unmapped_price");
    service_catalog(
        "{'currency':'eur','plans':[{'plan':'basic','name':'Basic','group':"
        "'m','rank':10,'prices':[{'interval':'month','amount':900,'id':'" ELSEWHERE
        "'}]}]}");
    empty_the_tables();
    store_admin_close();
    ck_assert_int_eq(sb_rebuild_run(&rebuild, &sv.result, sv.service, store.pool), SB_OK);
    ck_assert_int_eq(rebuild.changed, 1);
    ck_assert_str_eq(service_gate("zoe", "any"), "ok");
    ck_assert_int_eq(store_admin_count("event WHERE state = 'done'"), 1);
    ck_assert_int_eq(store_admin_count("job"), 0);
}
END_TEST

/* F18: nothing is mixed with what is there */
START_TEST(test_tables_that_hold_rows_are_not_rebuilt)
{
    sb_rebuild_t rebuild = {.dry_run = false};

    if (!service_on(_i)) {
        return;
    }
    service_with(NULL, 0);
    deliver("evt_1", "customer.subscription.created", 0, sub("zoe", "active", PRICE_PRO));
    const char *before = rows_of("subscription");
    store_admin_close();
    ck_assert_int_eq(sb_rebuild_run(&rebuild, &sv.result, sv.service, store.pool),
                     SB_CONFLICT);
    ck_assert_str_eq(sv.result.code, "not_empty");
    ck_assert_str_eq(rows_of("subscription"), before);
}
END_TEST

/* F18: more events than are read at once, many of one second */
START_TEST(test_every_page_of_events_is_gone_through)
{
    enum { EVENTS = 450 };
    const char *const statuses[] = {"active", "past_due", "unpaid"};

    if (!service_on(_i)) {
        return;
    }
    service_with(NULL, 0);
    for (int i = 0; i < EVENTS; i++) {
        const char *id = apr_psprintf(store.pool, "evt_%d", (i * 7919) % 10007);
        const char *name = apr_psprintf(store.pool, "sub_%d", i % 20);
        const char *customer = apr_psprintf(store.pool, "cus_%d", i % 20);
        const char *user = apr_psprintf(store.pool, "user%d", i % 20);
        deliver(id, "customer.subscription.updated", i - EVENTS,
                service_subscription(name, customer, user, statuses[i % 3], PRICE_BASIC));
    }
    ck_assert_int_eq(assert_the_same_again().events, EVENTS);
}
END_TEST

Suite *service_rebuild_suite(void)
{
    Suite *suite = suite_create("service_rebuild");
    TCase *tcase = tcase_create("rebuild");

    tcase_set_timeout(tcase, 120);
    tcase_add_checked_fixture(tcase, service_setup, service_teardown);
    tcase_add_loop_test(tcase, test_a_life_is_the_same_after_a_rebuild, 0, SB_DIALECTS);
    tcase_add_loop_test(tcase,
                        test_a_tie_that_stripe_has_settled_needs_no_second_question, 0,
                        SB_DIALECTS);
    tcase_add_loop_test(tcase, test_what_waits_for_stripe_still_waits_after_a_rebuild, 0,
                        SB_DIALECTS);
    tcase_add_loop_test(tcase, test_an_operators_word_is_kept_and_repeated, 0,
                        SB_DIALECTS);
    tcase_add_loop_test(tcase, test_an_event_of_our_own_types_from_outside_stays_ignored,
                        0, SB_DIALECTS);
    tcase_add_loop_test(tcase, test_a_rebuild_goes_by_the_catalogue_of_today, 0,
                        SB_DIALECTS);
    tcase_add_loop_test(tcase, test_tables_that_hold_rows_are_not_rebuilt, 0,
                        SB_DIALECTS);
    tcase_add_loop_test(tcase, test_every_page_of_events_is_gone_through, 0, SB_DIALECTS);
    suite_add_tcase(suite, tcase);
    return suite;
}
