/* Licensed under the Apache License, Version 2.0; see LICENSE. */
/* What is stored, held against everything that Stripe lists. */
#include "service_fixture.h"
#include "unit.h"

#include "service/sync.h"

#include <apr_strings.h>
#include <string.h>

#define MISSING                                                                          \
    "{'error':{'type':'invalid_request_error','code':'resource_missing','message':'No'}" \
    "}"
#define PRICE                                                                            \
    "{'id':'" PRICE_BASIC "','object':'price','livemode':false,'active':%s,"             \
    "'currency':'eur','unit_amount':%d,'product':'prod_X','created':1700000000,"         \
    "'recurring':{'interval':'month','interval_count':1}}"
#define PRODUCT                                                                          \
    "{'id':'prod_X','object':'product','livemode':false,'active':%s,'name':'%s',"        \
    "'created':1700000000,'metadata':{}}"
#define INVOICE                                                                          \
    "{'id':'in_1','object':'invoice','livemode':false,'customer':'cus_1','status':'%s'," \
    "'currency':'eur','amount_due':900,'amount_paid':%d,'amount_remaining':0,"           \
    "'total':900,'created':1700000000,'attempt_count':1,'period_start':1,"               \
    "'period_end':2,'billing_reason':'subscription_cycle'}"

static const char *told; /* "type id field stored>told repaired\n" … */
static sb_sync_t sync_;

static void note(void *baton, const sb_sync_difference_t *d)
{
    told = apr_psprintf(store.pool, "%s%s %s %s %s>%s%s\n", told, d->type, d->id,
                        d->field, d->stored ? d->stored : "-", d->told ? d->told : "-",
                        d->repaired ? " repaired" : "");
}

static sb_status_e run(const char *type, bool dry_run)
{
    const char *types[] = {type};

    told = "";
    sb_result_clear(&sv.result);
    sync_ = (sb_sync_t){.types = types, .n = 1, .dry_run = dry_run, .report = note};
    return sb_sync_run(&sync_, &sv.result, sv.service, store.pool);
}

static void run_ok(const char *type)
{
    sb_status_e status = run(type, false);

    ck_assert_msg(status == SB_OK, "%s: %s", sv.result.code, store_log());
}

static bool asked(int i, const char *text)
{
    return strstr(scripted_server_request(sv.server, i), text) != NULL;
}

/* Made at this time, the same whenever it is written. */
static const char *made(const char *id, const char *status, int created)
{
    return service_json(
        "{'id':'%s','object':'subscription','customer':'cus_1','status':'%s',"
        "'livemode':false,'created':%d,'cancel_at_period_end':false,"
        "'metadata':{'subbill_user':'zoe'},'currency':'eur','items':{'object':'list',"
        "'data':[{'id':'si_%s','object':'subscription_item','quantity':1,"
        "'current_period_start':1700000000,'current_period_end':4000000000,"
        "'price':{'id':'" PRICE_BASIC "','object':'price','currency':'eur',"
        "'unit_amount':900,'product':'prod_X','livemode':false,'active':true,"
        "'recurring':{'interval':'month','interval_count':1}}}]}}",
        id, status, created, id);
}

static const char *sub(const char *id, const char *status)
{
    return made(id, status, 1700000000);
}

static void webhook(const char *id, int created, const char *object)
{
    const char *state = service_deliver(
        service_event(id, "customer.subscription.updated", created, object));

    ck_assert_str_eq(state, "done");
}

static const char *value(const char *what, const char *id)
{
    return store_admin_value(
        apr_psprintf(store.pool, "SELECT %s FROM subscription WHERE id='%s'", what, id));
}

static apr_int64_t events(void)
{
    return store_admin_count("event WHERE source='sync'");
}

static scripted_answer_t answer(const char *object)
{
    return service_answer(200, object);
}

/* F35: what differs is told field by field, repaired, and the same the second time. */
START_TEST(test_drift_is_told_and_repaired_once)
{
    if (!service_on(_i)) {
        return;
    }
    const char *now = sub("sub_1", "past_due");
    const scripted_answer_t script[] = {service_page(false, 1, now), answer(now),
                                        service_page(false, 1, now)};

    service_with(script, 3);
    webhook("evt_1", -60, sub("sub_1", "active"));
    run_ok("subscriptions");
    ck_assert_str_eq(told, "subscriptions sub_1 status active>past_due repaired\n");
    ck_assert_int_eq(sync_.seen, 1);
    ck_assert_int_eq(sync_.differing, 1);
    ck_assert_int_eq(sync_.repaired, 1);
    ck_assert_str_eq(value("status", "sub_1"), "past_due");
    ck_assert_str_eq(value("source", "sub_1"), "sync");
    ck_assert_str_eq(service_gate("zoe", "basic"), "past_due");
    ck_assert(asked(0, "status=all"));
    run_ok("subscriptions");
    ck_assert_str_eq(told, "");
    ck_assert_int_eq(sync_.differing, 0);
    ck_assert_int_eq(events(), 1);
}
END_TEST

/* F35: tried dry, everything is told and nothing is changed. */
START_TEST(test_a_dry_run_changes_nothing)
{
    if (!service_on(_i)) {
        return;
    }
    const scripted_answer_t script[] = {
        service_page(false, 2, sub("sub_2", "active"), sub("sub_1", "unpaid")),
        service_answer(404, MISSING), answer(sub("sub_1", "unpaid"))};

    service_with(script, 3);
    webhook("evt_1", -60, sub("sub_1", "active"));
    webhook("evt_2", -60, sub("sub_3", "active"));
    ck_assert_int_eq(run("subscriptions", true), SB_OK);
    ck_assert_str_eq(told, "subscriptions sub_3 missing_at_stripe active>-\n"
                           "subscriptions sub_2 missing_here ->active\n"
                           "subscriptions sub_1 status active>unpaid\n");
    ck_assert_int_eq(sync_.repaired, 0);
    ck_assert_int_eq(store_admin_count("subscription WHERE status='active'"), 2);
    ck_assert_int_eq(events(), 0);
    ck_assert_int_eq(store_admin_count("job"), 0);
}
END_TEST

/* F35: an empty database gets everything, with the user that the metadata names. */
START_TEST(test_what_is_missing_here_is_let_in)
{
    if (!service_on(_i)) {
        return;
    }
    const scripted_answer_t script[] = {
        service_page(false, 2, sub("sub_2", "active"), sub("sub_1", "canceled")),
        service_page(false, 2, sub("sub_2", "active"), sub("sub_1", "canceled"))};

    service_with(script, 2);
    run_ok("subscriptions");
    ck_assert_str_eq(told, "subscriptions sub_2 missing_here ->active repaired\n"
                           "subscriptions sub_1 missing_here ->canceled repaired\n");
    ck_assert_str_eq(service_gate("zoe", "basic"), "ok");
    run_ok("subscriptions");
    ck_assert_str_eq(told, "");
    /* What Stripe says from now on is newer. */
    webhook("evt_1", 0, sub("sub_2", "unpaid"));
    ck_assert_str_eq(value("status", "sub_2"), "unpaid");
}
END_TEST

/* F18: the page was on its way while a webhook told something newer. */
START_TEST(test_a_page_never_overwrites_what_a_webhook_told_meanwhile)
{
    if (!service_on(_i)) {
        return;
    }
    const scripted_answer_t script[] = {service_page(false, 1, sub("sub_1", "active")),
                                        answer(sub("sub_1", "past_due"))};

    service_with(script, 2);
    webhook("evt_1", -60, sub("sub_1", "active"));
    webhook("evt_2", -10, sub("sub_1", "past_due"));
    run_ok("subscriptions");
    ck_assert_str_eq(told, "");
    ck_assert_str_eq(value("status", "sub_1"), "past_due");
    ck_assert_int_eq(events(), 0);
}
END_TEST

/* The same while the single object was on its way: it is dated as what was stored before it was asked for. */
START_TEST(test_an_object_never_overwrites_what_a_webhook_told_meanwhile)
{
    if (!service_on(_i)) {
        return;
    }
    json_error_t error;
    sb_drift_t drift;
    bool applied = true;

    service_with(NULL, 0);
    json_t *object = json_loads(sub("sub_1", "unpaid"), 0, &error);
    webhook("evt_1", -60, sub("sub_1", "active"));
    ck_assert_int_eq(sb_drift_find(&drift, &sv.result, sv.service, "subscriptions",
                                   object, store.pool),
                     SB_OK);
    ck_assert_int_eq(drift.differences->nelts, 1);
    webhook("evt_2", -10, sub("sub_1", "past_due"));
    ck_assert_int_eq(
        sb_drift_repair(&applied, &sv.result, sv.service, &drift, object, store.pool),
        SB_OK);
    json_decref(object);
    ck_assert(!applied);
    ck_assert_str_eq(value("status", "sub_1"), "past_due");
}
END_TEST

/* It went back and forth: what was repaired once drifted again. */
START_TEST(test_the_same_object_seen_again_after_another_statement_is_no_duplicate)
{
    if (!service_on(_i)) {
        return;
    }
    const char *now = sub("sub_1", "past_due");
    const scripted_answer_t script[] = {service_page(false, 1, now), answer(now),
                                        service_page(false, 1, now), answer(now)};

    service_with(script, 4);
    webhook("evt_1", -60, sub("sub_1", "active"));
    run_ok("subscriptions");
    webhook("evt_2", -30, sub("sub_1", "active"));
    run_ok("subscriptions");
    ck_assert_str_eq(told, "subscriptions sub_1 status active>past_due repaired\n");
    ck_assert_int_eq(events(), 2);
}
END_TEST

/* --- missing at Stripe ----------------------------------------------------------------------------- */

/* What Stripe no longer knows is over, when it is the right account. */
START_TEST(test_what_stripe_no_longer_knows_ends)
{
    if (!service_on(_i)) {
        return;
    }
    const scripted_answer_t script[] = {
        service_page(false, 0), service_answer(404, MISSING),
        answer(service_json(PRICE, "true", 900)), service_page(false, 0)};

    service_with(script, 4);
    webhook("evt_1", -60, sub("sub_1", "active"));
    run_ok("subscriptions");
    ck_assert_str_eq(told, "subscriptions sub_1 missing_at_stripe active>- repaired\n");
    ck_assert(asked(1, "GET /v1/subscriptions/sub_1"));
    ck_assert(asked(2, "GET /v1/prices/" PRICE_BASIC));
    ck_assert_str_eq(value("status", "sub_1"), "canceled");
    ck_assert_str_eq(value("plan", "sub_1"), "basic");
    ck_assert_int_eq(
        store_admin_count("event WHERE source='sync' AND object_id='sub_1' AND "
                          "type='customer.subscription.deleted' AND state='done'"),
        1);
    ck_assert_str_ne(service_gate("zoe", "basic"), "ok");
    run_ok("subscriptions");
    ck_assert_str_eq(told, "");
}
END_TEST

/* The key of another account sees nothing of ours, and must not end what people pay for. */
START_TEST(test_another_accounts_key_ends_nothing)
{
    if (!service_on(_i)) {
        return;
    }
    const scripted_answer_t script[] = {service_page(false, 0),
                                        service_answer(404, MISSING)};

    service_with(script, 2);
    webhook("evt_1", -60, sub("sub_1", "active"));
    webhook("evt_2", -60, sub("sub_2", "trialing"));
    run_ok("subscriptions");
    ck_assert_int_eq(sync_.differing, 2);
    ck_assert_int_eq(sync_.repaired, 0);
    ck_assert_str_eq(value("status", "sub_1"), "active");
    ck_assert_str_eq(value("status", "sub_2"), "trialing");
    ck_assert_ptr_nonnull(strstr(store_log(), "SB445"));
}
END_TEST

/* Those on a test clock are in no list. */
START_TEST(test_what_is_not_listed_but_known_is_compared)
{
    if (!service_on(_i)) {
        return;
    }
    const scripted_answer_t script[] = {
        service_page(false, 1, sub("sub_2", "active")), answer(sub("sub_1", "unpaid")),
        service_page(false, 1, sub("sub_2", "active")), answer(sub("sub_1", "unpaid"))};

    service_with(script, 4);
    webhook("evt_1", -60, sub("sub_1", "active"));
    webhook("evt_2", -60, sub("sub_2", "active"));
    run_ok("subscriptions");
    ck_assert_str_eq(told, "subscriptions sub_1 status active>unpaid repaired\n");
    run_ok("subscriptions");
    ck_assert_str_eq(told, "");
    ck_assert_int_eq(scripted_server_requests(sv.server), 4);
}
END_TEST

/* On a page, only what was made in its time can be missing. */
START_TEST(test_a_page_tells_what_is_missing_in_its_own_time_only)
{
    if (!service_on(_i)) {
        return;
    }
    const char *a = made("sub_a", "active", 1700000000 - 100),
               *b = made("sub_b", "active", 1700000000 - 200);
    const char *c = made("sub_c", "active", 1700000000 - 300),
               *d = made("sub_d", "active", 1700000000 - 400);
    const scripted_answer_t script[] = {
        service_page(true, 1, a), service_page(true, 1, b), service_page(false, 1, d),
        service_answer(404, MISSING), answer(service_json(PRICE, "true", 900))};

    service_with(script, 5);
    webhook("evt_a", -50, a);
    webhook("evt_b", -50, b);
    webhook("evt_c", -50, c);
    webhook("evt_d", -50, d);
    run_ok("subscriptions");
    ck_assert_int_eq(scripted_server_requests(sv.server), 5);
    ck_assert_str_eq(value("status", "sub_c"), "canceled");
    ck_assert_int_eq(store_admin_count("subscription WHERE status='active'"), 3);
}
END_TEST

/* --- pages ------------------------------------------------------------------------------------------- */

/* F21: killed between two pages, and asked for patience on one of them. */
START_TEST(test_a_jobs_walk_goes_on_where_it_was)
{
    if (!service_on(_i)) {
        return;
    }
    const char *a = made("sub_a", "active", 1700000000 - 100),
               *b = made("sub_b", "active", 1700000000 - 200);
    const char *const types[] = {"subscriptions"};
    const scripted_answer_t first[] = {service_page(true, 1, a), service_slower()};
    const scripted_answer_t then[] = {service_page(false, 1, b)};

    service_with(first, 2);
    ck_assert_int_eq(sb_sync_start(&sv.result, sv.service, types, 1, store.pool), SB_OK);
    sb_jobs_run_t work = service_steps(0);
    ck_assert_int_eq(work.again, 1);
    ck_assert_int_eq(work.retried, 1);
    scripted_server_stop(sv.server);
    service_with(then, 1);
    store_admin("UPDATE job SET run_at = 0");
    store_admin("UPDATE limiter SET tat = 0");
    work = service_steps(0);
    ck_assert_msg(work.done == 1, "%s", store_log());
    ck_assert(asked(0, "starting_after=sub_a"));
    ck_assert_int_eq(store_admin_count("subscription WHERE status='active'"), 2);
    ck_assert_int_eq(store_admin_count("job"), 0);
    ck_assert_ptr_nonnull(strstr(store_log(), "SB444: sync subscriptions sub_b"));
}
END_TEST

START_TEST(test_a_call_waits_when_stripe_asks_for_it)
{
    const scripted_answer_t script[] = {
        service_page(true, 1, made("sub_a", "active", 1700000000 - 100)),
        service_slower(),
        service_page(false, 1, made("sub_b", "active", 1700000000 - 200))};

    service_with(script, 3);
    run_ok("subscriptions");
    ck_assert(asked(2, "starting_after=sub_a"));
    ck_assert_int_eq(sync_.repaired, 2);
    ck_assert_int_eq(store_admin_count("subscription"), 2);
}
END_TEST

START_TEST(test_garbage_ends_a_run_and_changes_nothing)
{
    const scripted_answer_t script[] = {service_answer(200, "{'object':'list'}")};

    service_with(script, 1);
    webhook("evt_1", -60, sub("sub_1", "active"));
    ck_assert_int_eq(run("subscriptions", false), SB_UPSTREAM);
    ck_assert_str_eq(sv.result.code, "stripe_bad_answer");
    ck_assert_str_eq(value("status", "sub_1"), "active");
    ck_assert_int_eq(events(), 0);
}
END_TEST

START_TEST(test_an_object_that_cannot_be_read_keeps_nothing_from_being_compared)
{
    const scripted_answer_t script[] = {
        service_page(false, 2, "{'id':'sub_odd','object':'subscription','created':9}",
                     sub("sub_1", "active"))};

    service_with(script, 1);
    run_ok("subscriptions");
    ck_assert_ptr_nonnull(strstr(told, "subscriptions sub_odd unreadable"));
    ck_assert_ptr_nonnull(
        strstr(told, "subscriptions sub_1 missing_here ->active repaired"));
}
END_TEST

START_TEST(test_objects_of_the_other_mode_are_ignored)
{
    const char *text = sub("sub_1", "active");
    const char *at = strstr(text, "\"livemode\":false");
    const scripted_answer_t script[] = {
        service_page(false, 1,
                     apr_psprintf(store.pool, "%.*s\"livemode\":true%s", (int)(at - text),
                                  text, at + strlen("\"livemode\":false")))};

    service_with(script, 1);
    run_ok("subscriptions");
    ck_assert_str_eq(told, "");
    ck_assert_int_eq(store_admin_count("subscription"), 0);
}
END_TEST

START_TEST(test_an_empty_list_is_fine_and_an_unknown_one_is_none)
{
    const scripted_answer_t script[] = {service_page(false, 0)};

    service_with(script, 1);
    sync_ = (sb_sync_t){.report = note};
    ck_assert_int_eq(sb_sync_run(&sync_, &sv.result, sv.service, store.pool), SB_OK);
    ck_assert_int_eq(scripted_server_requests(sv.server), 5);
    ck_assert_int_eq(run("coupons", false), SB_INVALID);
    ck_assert_str_eq(sv.result.code, "unknown_type");
}
END_TEST

/* --- the other types ------------------------------------------------------------------------------------ */

static const char *customer(const char *id, const char *user)
{
    return service_json("{'id':'%s','object':'customer','livemode':false,'created':1,"
                        "'email':'a@example.com','metadata':{'subbill_user':'%s'}}",
                        id, user);
}

/* B36: a customer is bound by what this server wrote, and never moved. */
START_TEST(test_customers_get_the_user_they_name_and_are_never_moved)
{
    if (!service_on(_i)) {
        return;
    }
    const char *stranger = "{'id':'cus_9','object':'customer','livemode':false,"
                           "'created':1,'email':'b@example.com','metadata':{}}";
    const scripted_answer_t script[] = {
        service_page(false, 3, stranger, customer("cus_2", "ann"),
                     customer("cus_1", "max")),
        answer(customer("cus_1", "max")),
        service_page(false, 3, stranger, customer("cus_2", "ann"),
                     customer("cus_1", "zoe"))};

    service_with(script, 3);
    webhook("evt_1", -60, sub("sub_1", "active"));
    run_ok("customers");
    ck_assert_str_eq(told, "customers cus_2 missing_here ->ann repaired\n"
                           "customers cus_1 user zoe>max\n");
    ck_assert_int_eq(store_admin_count("customer WHERE id='cus_1' AND user_name='zoe'"),
                     1);
    ck_assert_int_eq(store_admin_count("customer WHERE id='cus_2' AND user_name='ann'"),
                     1);
    ck_assert_int_eq(store_admin_count("customer"), 2);
    run_ok("customers");
    ck_assert_str_eq(told, "");
}
END_TEST

START_TEST(test_prices_are_mirrored)
{
    if (!service_on(_i)) {
        return;
    }
    const char *was = service_json(PRICE, "true", 900);
    const char *now = service_json(PRICE, "false", 990);
    const scripted_answer_t script[] = {service_page(false, 1, was),
                                        service_page(false, 1, now), answer(now),
                                        service_page(false, 1, now)};

    service_with(script, 4);
    run_ok("prices");
    ck_assert_str_eq(told, "prices " PRICE_BASIC " missing_here ->prod_X repaired\n");
    run_ok("prices");
    ck_assert_str_eq(told, "prices " PRICE_BASIC " active true>false repaired\n"
                           "prices " PRICE_BASIC " amount 900>990 repaired\n");
    ck_assert_int_eq(
        store_admin_count("price WHERE active=0 AND amount=990 AND plan='basic'"), 1);
    run_ok("prices");
    ck_assert_str_eq(told, "");
}
END_TEST

/* T39: such an id enters no path; what was listed before the mirror was read is not believed either. */
START_TEST(test_an_id_of_the_shops_own_choice_is_looked_up_in_the_list)
{
    const char *was = service_json(PRODUCT, "true", "Gold");
    const char *ours = "{'id':'gold-2.0','object':'product','livemode':false,'active':"
                       "true,'name':'%s','created':1600000000,'metadata':{}}";
    const scripted_answer_t script[] = {
        service_page(false, 2, was, service_json(ours, "Old")),
        service_page(false, 2, was, service_json(ours, "Older")),
        service_page(false, 1, service_json(ours, "New"))};

    service_with(script, 3);
    run_ok("products");
    run_ok("products");
    ck_assert_str_eq(told, "products gold-2.0 name Old>New repaired\n");
    ck_assert(asked(2, "GET /v1/products?limit=25&starting_after=prod_X "));
    ck_assert_int_eq(store_admin_count("product WHERE name='New'"), 1);
}
END_TEST

START_TEST(test_products_are_mirrored)
{
    if (!service_on(_i)) {
        return;
    }
    const char *was = service_json(PRODUCT, "true", "Basic");
    const char *now = service_json(PRODUCT, "true", "Basis");
    const scripted_answer_t script[] = {service_page(false, 1, was),
                                        service_page(false, 1, now), answer(now),
                                        service_page(false, 1, now)};

    service_with(script, 4);
    run_ok("products");
    run_ok("products");
    ck_assert_str_eq(told, "products prod_X name Basic>Basis repaired\n");
    run_ok("products");
    ck_assert_str_eq(told, "");
}
END_TEST

/* A15: the payment is recorded too, once. */
START_TEST(test_invoices_are_mirrored)
{
    if (!service_on(_i)) {
        return;
    }
    const char *was = service_json(INVOICE, "open", 0);
    const char *now = service_json(INVOICE, "paid", 900);
    const scripted_answer_t script[] = {service_page(false, 1, was),
                                        service_page(false, 1, now), answer(now),
                                        service_page(false, 1, now)};

    service_with(script, 4);
    run_ok("invoices");
    run_ok("invoices");
    ck_assert_str_eq(told, "invoices in_1 status open>paid repaired\n"
                           "invoices in_1 amount_paid ->900 repaired\n");
    ck_assert_int_eq(store_admin_count("payment WHERE amount=900"), 1);
    run_ok("invoices");
    ck_assert_str_eq(told, "");
    ck_assert_int_eq(store_admin_count("payment"), 1);
}
END_TEST

Suite *service_sync_suite(void)
{
    Suite *suite = suite_create("service_sync");
    TCase *tcase = tcase_create("sync");

    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, service_setup, service_teardown);
    tcase_add_loop_test(tcase, test_drift_is_told_and_repaired_once, 0, SB_DIALECTS);
    tcase_add_loop_test(tcase, test_a_dry_run_changes_nothing, 0, SB_DIALECTS);
    tcase_add_loop_test(tcase, test_what_is_missing_here_is_let_in, 0, SB_DIALECTS);
    tcase_add_loop_test(tcase, test_a_page_never_overwrites_what_a_webhook_told_meanwhile,
                        0, SB_DIALECTS);
    tcase_add_loop_test(tcase,
                        test_an_object_never_overwrites_what_a_webhook_told_meanwhile, 0,
                        SB_DIALECTS);
    tcase_add_loop_test(
        tcase, test_the_same_object_seen_again_after_another_statement_is_no_duplicate, 0,
        SB_DIALECTS);
    tcase_add_loop_test(tcase, test_what_stripe_no_longer_knows_ends, 0, SB_DIALECTS);
    tcase_add_loop_test(tcase, test_another_accounts_key_ends_nothing, 0, SB_DIALECTS);
    tcase_add_loop_test(tcase, test_what_is_not_listed_but_known_is_compared, 0,
                        SB_DIALECTS);
    tcase_add_loop_test(tcase, test_a_page_tells_what_is_missing_in_its_own_time_only, 0,
                        SB_DIALECTS);
    tcase_add_loop_test(tcase, test_a_jobs_walk_goes_on_where_it_was, 0, SB_DIALECTS);
    tcase_add_test(tcase, test_a_call_waits_when_stripe_asks_for_it);
    tcase_add_test(tcase, test_garbage_ends_a_run_and_changes_nothing);
    tcase_add_test(tcase,
                   test_an_object_that_cannot_be_read_keeps_nothing_from_being_compared);
    tcase_add_test(tcase, test_objects_of_the_other_mode_are_ignored);
    tcase_add_test(tcase, test_an_empty_list_is_fine_and_an_unknown_one_is_none);
    tcase_add_loop_test(tcase, test_customers_get_the_user_they_name_and_are_never_moved,
                        0, SB_DIALECTS);
    tcase_add_loop_test(tcase, test_prices_are_mirrored, 0, SB_DIALECTS);
    tcase_add_test(tcase, test_an_id_of_the_shops_own_choice_is_looked_up_in_the_list);
    tcase_add_loop_test(tcase, test_products_are_mirrored, 0, SB_DIALECTS);
    tcase_add_loop_test(tcase, test_invoices_are_mirrored, 0, SB_DIALECTS);
    suite_add_tcase(suite, tcase);
    return suite;
}
