/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include <apr_strings.h>
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "store/accounts.h"
#include "store/checkouts.h"
#include "store/customers.h"
#include "store/events.h"
#include "store/goods.h"
#include "store/invoices.h"
#include "store/payments.h"
#include "store/prices.h"
#include "store/snapshots.h"
#include "store/subscriptions.h"
#include "store/trials.h"
#include "store_fixture.h"
#include "unit.h"

static apr_status_t bindings(sb_conn_t *conn, apr_pool_t *pool)
{
    sb_subscription_t early = {.id = "sub_early",
                               .customer = "cus_a",
                               .status = SB_STATUS_ACTIVE,
                               .plan = "pro"};
    sb_snapshot_rows_t snapshot;
    sb_customer_t *customer;
    sb_bind_e outcome;

    /* the subscription's event came before anybody knew whose it is */
    store_ok(sb_subscription_save(conn, &early, 1, pool));
    store_ok(sb_customer_bind(&outcome, conn, "cus_a", false, "ann", "checkout", "ann", 2,
                              pool));
    ck_assert_int_eq(outcome, SB_BIND_OK);
    store_ok(sb_snapshot_read(&snapshot, conn, "ann", false, pool));
    ck_assert_int_eq(snapshot.n, 1);
    store_ok(sb_customer_bind(&outcome, conn, "cus_a", false, "ann", "webhook", "stripe",
                              3, pool));
    ck_assert_int_eq(outcome, SB_BIND_OK);

    store_ok(sb_customer_bind(&outcome, conn, "cus_a", false, "eve", "webhook", "stripe",
                              3, pool));
    ck_assert_int_eq(outcome, SB_BIND_OTHER_USER);
    store_ok(sb_customer_bind(&outcome, conn, "cus_b", false, "ann", "webhook", "stripe",
                              3, pool));
    ck_assert_int_eq(outcome, SB_BIND_OTHER_CUSTOMER);
    store_ok(sb_customer_by_id(&customer, conn, "cus_b", false, pool));
    ck_assert_ptr_null(customer->user);
    store_ok(sb_customer_bind(&outcome, conn, "cus_live", true, "ann", "checkout", "ann",
                              3, pool));
    ck_assert_int_eq(outcome, SB_BIND_OK);

    store_ok(sb_customer_mark_deleted(conn, "cus_a", false, 4, pool));
    store_ok(sb_customer_by_user(&customer, conn, "ann", false, pool));
    ck_assert_ptr_null(customer);
    store_ok(sb_customer_by_id(&customer, conn, "cus_a", false, pool));
    ck_assert_int_eq(customer->deleted_at, 4);
    ck_assert_str_eq(customer->user, "ann");
    store_ok(sb_customer_bind(&outcome, conn, "cus_b", false, "ann", "checkout", "ann", 5,
                              pool));
    ck_assert_int_eq(outcome, SB_BIND_OK);
    store_ok(sb_customer_by_user(&customer, conn, "ann", false, pool));
    ck_assert_str_eq(customer->id, "cus_b");

    store_ok(sb_customer_rebind(conn, "cus_a", false, "bob", "root", 6, pool));
    store_ok(sb_snapshot_read(&snapshot, conn, "ann", false, pool));
    ck_assert(snapshot.account_known);
    ck_assert_int_eq(snapshot.n, 0);
    store_ok(sb_snapshot_read(&snapshot, conn, "bob", false, pool));
    ck_assert_int_eq(snapshot.n, 1);
    ck_assert_str_eq(snapshot.rows[0].plan, "pro");
    ck_assert_int_eq(snapshot.rows[0].standing.status, SB_STATUS_ACTIVE);
    store_ok(sb_customer_rebind(conn, "cus_b", false, "bob", "root", 7, pool));
    store_ok(sb_customer_by_user(&customer, conn, "bob", false, pool));
    ck_assert_str_eq(customer->id, "cus_b");
    store_ok(sb_customer_by_id(&customer, conn, "cus_a", false, pool));
    ck_assert_ptr_null(customer->user);
    return APR_SUCCESS;
}

/* T08, B10, C28: a bound customer is never rebound silently; an operator may, and it is written down */
START_TEST(test_a_customer_belongs_to_one_user_until_an_operator_says_otherwise)
{
    store_in_transaction(_i, bindings);
    if (store.admin) {
        ck_assert_int_eq(store_admin_count("link_audit"), 8);
    }
}
END_TEST

static apr_status_t events(sb_conn_t *conn, apr_pool_t *pool)
{
    sb_event_row_t event = {.id = "evt_1",
                            .type = "invoice.paid",
                            .created_at = 100,
                            .received_at = 101,
                            .state = SB_EVENT_RECEIVED,
                            .source = "webhook"};
    sb_event_state_e stored, wanted = SB_EVENT_FAILED;
    sb_event_row_t *read, *list;
    const char *body;
    bool inserted;
    int n;

    /* larger than a piece, with characters of several bytes across the cuts */
    char *large = apr_palloc(pool, 300001);
    for (int i = 0; i < 300000; i += 3) {
        memcpy(large + i, i % 9 ? "abc" : "\xe2\x82\xac", 3);
    }
    large[300000] = '\0';

    store_ok(sb_event_insert(&inserted, &stored, conn, &event, large, pool));
    ck_assert(inserted);
    store_ok(sb_event_mark(conn, "evt_1", SB_EVENT_DONE, NULL, pool));
    store_ok(sb_event_insert(&inserted, &stored, conn, &event, "{}", pool));
    ck_assert(!inserted);
    ck_assert_int_eq(stored, SB_EVENT_DONE);
    store_ok(sb_event_body(&body, conn, "evt_1", pool));
    ck_assert_str_eq(body, large);
    store_ok(sb_event_body(&body, conn, "evt_0", pool));
    ck_assert_ptr_null(body);

    event.id = "evt_2";
    event.received_at = 102;
    event.state = SB_EVENT_FAILED;
    event.reason = apr_psprintf(pool, "%0499d\xe2\x82\xac and more", 0);
    store_ok(sb_event_insert(&inserted, NULL, conn, &event, NULL, pool));
    ck_assert(inserted);
    store_ok(sb_event_get(&read, conn, "evt_2", pool));
    ck_assert_uint_eq(strlen(read->reason), 499);
    ck_assert_ptr_null(read->api_version);
    store_ok(sb_event_get(&read, conn, "evt_1", pool));
    ck_assert_int_eq(read->state, SB_EVENT_DONE);
    ck_assert_int_eq(read->attempts, 1);
    ck_assert_ptr_null(read->reason);

    store_ok(sb_event_list(&list, &n, conn, NULL, 10, pool));
    ck_assert_int_eq(n, 2);
    ck_assert_str_eq(list[0].id, "evt_2");
    store_ok(sb_event_list(&list, &n, conn, NULL, 1, pool));
    ck_assert_int_eq(n, 1);
    store_ok(sb_event_list(&list, &n, conn, &wanted, 10, pool));
    ck_assert_int_eq(n, 1);
    ck_assert_str_eq(list[0].id, "evt_2");
    return APR_SUCCESS;
}

/* T03, B18, B32: an event is stored once, with its body, and can be listed by state */
START_TEST(test_an_event_is_stored_once_and_keeps_its_body_and_state)
{
    store_in_transaction(_i, events);
}
END_TEST

static void tell(sb_conn_t *conn, const sb_payment_t *told, apr_pool_t *pool)
{
    sb_payment_t *stored, payment = {.id = NULL};

    store_ok(sb_payment_lock(&stored, conn, told->id, told->livemode, pool));
    if (stored) {
        payment = *stored;
    }
    sb_payment_tell(&payment, told, SB_VOICE_INVOICE);
    store_ok(sb_payment_save(conn, &payment, pool));
}

static apr_status_t invoices(sb_conn_t *conn, apr_pool_t *pool)
{
    sb_invoice_t paid = {.id = "in_1",
                         .customer = "cus_1",
                         .user = "ann",
                         .status = "paid",
                         .currency = "eur",
                         .amount_due = 299,
                         .amount_paid = 299,
                         .hosted_url = "https://x.test/i",
                         .created_at = 50,
                         .event_created = 100};
    sb_invoice_t failed = paid;
    sb_invoice_t *list, *unpaid;
    sb_payment_t payment = {.id = "pi_1",
                            .kind = "invoice",
                            .status = "failed",
                            .currency = "eur",
                            .amount = 299};
    sb_payment_t *read;
    bool saved;
    int n;

    failed.status = "open";
    failed.attempt_count = 1;
    store_ok(sb_invoice_save(NULL, &saved, conn, &failed, pool));
    ck_assert(saved);
    store_ok(sb_invoice_unpaid(&unpaid, &n, conn, "ann", false, 12, pool));
    ck_assert_int_eq(n, 1);
    ck_assert_str_eq(unpaid->id, "in_1");
    paid.user = NULL;
    store_ok(sb_invoice_save(NULL, &saved, conn, &paid,
                             pool)); /* the same second: money wins */
    ck_assert(saved);
    store_ok(sb_invoice_save(NULL, &saved, conn, &failed, pool));
    ck_assert(!saved);
    failed.event_created = 99;
    store_ok(sb_invoice_save(NULL, &saved, conn, &failed, pool));
    ck_assert(!saved);
    store_ok(sb_invoice_unpaid(&unpaid, &n, conn, "ann", false, 12, pool));
    ck_assert_int_eq(n, 0);
    failed.id = "in_0";
    failed.status = "draft";
    store_ok(sb_invoice_save(NULL, NULL, conn, &failed, pool));
    store_ok(sb_invoice_list(&list, &n, conn, "ann", false, 10, pool));
    ck_assert_int_eq(n, 1);
    ck_assert_str_eq(list[0].status, "paid");
    ck_assert_str_eq(list[0].hosted_url, "https://x.test/i");
    ck_assert_ptr_null(list[0].number);

    tell(conn, &payment, pool);
    payment.status = "succeeded";
    payment.user = "ann";
    tell(conn, &payment, pool);
    payment.status = "failed";
    payment.user = "eve";
    payment.told_at = 9;
    tell(conn, &payment, pool);
    store_ok(sb_payment_get(&read, conn, "pi_1", false, pool));
    ck_assert_str_eq(read->status, "succeeded");
    ck_assert_str_eq(read->user, "ann");
    return APR_SUCCESS;
}

/* A15, A16: what Stripe said later stays, whatever order it arrives in */
START_TEST(test_an_older_telling_never_replaces_a_newer_invoice_or_payment)
{
    store_in_transaction(_i, invoices);
}
END_TEST

static apr_status_t checkouts(sb_conn_t *conn, apr_pool_t *pool)
{
    sb_checkout_t checkout = {.id = "chk_1",
                              .user = "ann",
                              .plan = "pro",
                              .price = "price_1",
                              .quantity = 1,
                              .mode = "subscription",
                              .success_url = "/ok",
                              .idempotency_key = "key",
                              .created_at = 100,
                              .expires_at = 1000};
    sb_checkout_t *read;
    bool changed;

    store_ok(sb_checkout_insert(conn, &checkout, pool));
    store_ok(sb_checkout_set_session(conn, "chk_1", "cs_1", "https://x.test/c", "cus_1",
                                     0, pool));
    store_ok(sb_checkout_by_session(&read, conn, "cs_1", pool));
    ck_assert_str_eq(read->url, "https://x.test/c");
    ck_assert_int_eq(read->expires_at, 1000);

    store_ok(sb_checkout_complete(&changed, conn, "chk_1", NULL, "sub_1", 300, pool));
    ck_assert(changed);
    store_ok(sb_checkout_complete(&changed, conn, "chk_1", NULL, "sub_2", 400, pool));
    ck_assert(!changed);
    store_ok(sb_checkout_close(conn, "chk_1", SB_CHECKOUT_EXPIRED, pool));
    store_ok(sb_checkout_by_session(&read, conn, "cs_1", pool));
    ck_assert_int_eq(read->state, SB_CHECKOUT_COMPLETE);
    ck_assert_str_eq(read->customer, "cus_1");
    ck_assert_str_eq(read->subscription, "sub_1");
    ck_assert_int_eq(read->completed_at, 300);
    ck_assert_ptr_null(read->cancel_url);
    store_ok(sb_checkout_by_id(&read, conn, "CHK_1", pool));
    ck_assert_ptr_null(read);
    return APR_SUCCESS;
}

/* C19, T11: a second click finds the same open session; completion happens once */
START_TEST(test_an_open_checkout_is_found_again_and_completes_once)
{
    store_in_transaction(_i, checkouts);
}
END_TEST

static apr_status_t trials_and_prices(sb_conn_t *conn, apr_pool_t *pool)
{
    sb_trial_t trial = {.user = "ann", .used_at = 5, .plan = "pro", .source = "webhook"};
    sb_price_t price = {.id = "price_1",
                        .product = "prod_1",
                        .plan = "pro",
                        .currency = "eur",
                        .amount = 299,
                        .interval = "month",
                        .interval_count = 1,
                        .active = true,
                        .updated_at = 1};
    sb_trial_t *had;
    sb_price_t *read;
    bool marked;

    store_ok(sb_trial_get(&had, conn, "ann", false, pool));
    ck_assert_ptr_null(had);
    store_ok(sb_trial_mark(&marked, conn, &trial, pool));
    ck_assert(marked);
    trial.used_at = 9;
    store_ok(sb_trial_mark(&marked, conn, &trial, pool));
    ck_assert(!marked);
    store_ok(sb_trial_get(&had, conn, "ann", false, pool));
    ck_assert_int_eq(had->used_at, 5);
    store_ok(sb_trial_get(&had, conn, "ann", true, pool));
    ck_assert_ptr_null(had);

    store_ok(sb_price_save(conn, &price, pool));
    price.plan = NULL; /* archived, and out of the catalogue */
    price.active = false;
    store_ok(sb_price_save(conn, &price, pool));
    store_ok(sb_price_get(&read, conn, "price_1", false, pool));
    ck_assert_str_eq(read->plan, "pro");
    ck_assert(!read->active);
    ck_assert_int_eq(read->amount, 299);
    ck_assert_ptr_null(read->lookup_key);
    return APR_SUCCESS;
}

/* B9: a trial is had once; A10: an archived price still says its plan */
START_TEST(test_a_trial_is_marked_once_and_a_price_keeps_its_plan)
{
    store_in_transaction(_i, trials_and_prices);
}
END_TEST

static apr_status_t snapshot_once(void *baton, sb_conn_t *conn, apr_pool_t *pool)
{
    return sb_snapshot_read(baton, conn, "ann", false, pool);
}

static apr_status_t three_subscriptions(void *baton, sb_conn_t *conn, apr_pool_t *pool)
{
    apr_status_t rv = sb_account_ensure(conn, "ann", NULL, 1, pool);

    for (int i = 0; i < 3 && !rv; i++) {
        sb_subscription_t sub = {.id = apr_psprintf(pool, "sub_%d", i),
                                 .user = "ann",
                                 .customer = "cus_1",
                                 .status = SB_STATUS_PAST_DUE,
                                 .past_due_since = 70 + i,
                                 .cancel_at = 80,
                                 .created = i};
        rv = sb_subscription_save(conn, &sub, 1, pool);
    }
    return rv;
}

/* M7: what the gate asks on a miss is one query */
START_TEST(test_a_snapshot_is_one_query)
{
    sb_snapshot_rows_t snapshot;

    if (!store_open_migrated(_i)) {
        return;
    }
    sb_db_t *db = store_db(0, 0);
    ck_assert_int_eq(sb_db_read(db, 10000, snapshot_once, &snapshot, NULL, store.pool),
                     SB_OK);
    ck_assert(!snapshot.account_known);
    ck_assert_int_eq(sb_db_transaction(db, 10000, three_subscriptions, NULL,
                                       &store.result, store.pool),
                     SB_OK);
    apr_uint64_t before = sb_db_stats(db).queries;
    ck_assert_int_eq(sb_db_read(db, 10000, snapshot_once, &snapshot, NULL, store.pool),
                     SB_OK);
    ck_assert_uint_eq(sb_db_stats(db).queries - before, 1);
    ck_assert_int_eq(snapshot.n, 3);
    ck_assert_str_eq(snapshot.rows[0].id, "sub_2");
    ck_assert_int_eq(snapshot.rows[0].standing.past_due_since, 72);
    ck_assert_int_eq(snapshot.rows[0].standing.cancel_at, 80);
    ck_assert_int_eq(snapshot.rows[0].standing.status, SB_STATUS_PAST_DUE);
    ck_assert_ptr_null(snapshot.rows[0].plan);
}
END_TEST

static apr_status_t keep_goods(void *baton, sb_conn_t *conn, apr_pool_t *pool)
{
    const sb_purchase_t book = {.sku = "book", .owned = true, .changed_at = 7};
    const sb_purchase_t gone = {.sku = "gone", .owned = true, .changed_at = 8};
    const sb_purchase_t back = {.sku = "gone", .owned = false, .changed_at = 9};
    const sb_balance_t pages = {.meter = "pages", .units = 40, .changed_at = 7};
    const sb_balance_t fewer = {.meter = "pages", .units = 39, .changed_at = 8};
    apr_status_t rv = sb_purchase_put(conn, "ann", &book, false, pool);

    rv = rv ? rv : sb_purchase_put(conn, "ann", &gone, false, pool);
    rv = rv ? rv : sb_purchase_put(conn, "ann", &back, false, pool);
    rv = rv ? rv : sb_balance_put(conn, "ann", &pages, false, pool);
    return rv ? rv : sb_balance_put(conn, "ann", &fewer, false, pool);
}

typedef struct {
    const char *user, *key;
    bool livemode;
    bool owned;
    apr_int64_t units;
} goods_t;

static apr_status_t read_goods(void *baton, sb_conn_t *conn, apr_pool_t *pool)
{
    goods_t *goods = baton;
    apr_status_t rv = sb_purchase_owned(&goods->owned, conn, goods->user, goods->key,
                                        goods->livemode, pool);

    return rv ? rv
              : sb_balance_units(&goods->units, conn, goods->user, goods->key,
                                 goods->livemode, pool);
}

static goods_t goods_of(sb_db_t *db, const char *user, const char *key, bool livemode)
{
    goods_t goods = {.user = user, .key = key, .livemode = livemode};

    ck_assert_int_eq(sb_db_read(db, 10000, read_goods, &goods, NULL, store.pool), SB_OK);
    return goods;
}

/* B30: by user, key and mode, byte for byte; the last word counts */
START_TEST(test_goods_are_kept_for_their_user_and_their_mode)
{
    if (!store_open_migrated(_i)) {
        return;
    }
    sb_db_t *db = store_db(0, 0);
    ck_assert_int_eq(
        sb_db_transaction(db, 10000, keep_goods, NULL, &store.result, store.pool), SB_OK);
    ck_assert(goods_of(db, "ann", "book", false).owned);
    ck_assert(!goods_of(db, "ann", "gone", false).owned);
    ck_assert(!goods_of(db, "ann", "book", true).owned);
    ck_assert(!goods_of(db, "ann", "Book", false).owned);
    ck_assert(!goods_of(db, "ann", "book ", false).owned);
    ck_assert(!goods_of(db, "Ann", "book", false).owned);
    ck_assert_int_eq(goods_of(db, "ann", "pages", false).units, 39);
    ck_assert_int_eq(goods_of(db, "ann", "Pages", false).units, 0);
    ck_assert_int_eq(goods_of(db, "ann", "pages", true).units, 0);
    ck_assert_int_eq(goods_of(db, "bob", "pages", false).units, 0);
}
END_TEST

Suite *store_repos_suite(void)
{
    Suite *suite = suite_create("store_repos");
    TCase *tcase = tcase_create("repositories");

    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, store_setup, store_teardown);
    tcase_add_loop_test(
        tcase, test_a_customer_belongs_to_one_user_until_an_operator_says_otherwise, 0,
        SB_DIALECTS);
    tcase_add_loop_test(tcase, test_an_event_is_stored_once_and_keeps_its_body_and_state,
                        0, SB_DIALECTS);
    tcase_add_loop_test(tcase,
                        test_an_older_telling_never_replaces_a_newer_invoice_or_payment,
                        0, SB_DIALECTS);
    tcase_add_loop_test(tcase, test_an_open_checkout_is_found_again_and_completes_once, 0,
                        SB_DIALECTS);
    tcase_add_loop_test(tcase, test_a_trial_is_marked_once_and_a_price_keeps_its_plan, 0,
                        SB_DIALECTS);
    tcase_add_loop_test(tcase, test_a_snapshot_is_one_query, 0, SB_DIALECTS);
    tcase_add_loop_test(tcase, test_goods_are_kept_for_their_user_and_their_mode, 0,
                        SB_DIALECTS);
    suite_add_tcase(suite, tcase);
    return suite;
}
