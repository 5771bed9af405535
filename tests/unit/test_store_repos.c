/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include <apr_strings.h>
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "store/accounts.h"
#include "store/checkouts.h"
#include "store/conn.h"
#include "store/customers.h"
#include "store/events.h"
#include "store/invoices.h"
#include "store/payments.h"
#include "store/prices.h"
#include "store/snapshots.h"
#include "store/subscriptions.h"
#include "store/trials.h"
#include "store_fixture.h"
#include "unit.h"

/* A test's body runs as one piece of work, with the connection at hand. */
typedef apr_status_t (*body_fn)(sb_conn_t *conn, apr_pool_t *pool);

static sb_conn_t *current; /* for what the driver said */

static apr_status_t call(void *baton, sb_conn_t *conn, apr_pool_t *pool)
{
    current = conn;
    return (*(body_fn *)baton)(conn, pool);
}

static void in_transaction(int dialect, body_fn body)
{
    if (!store_open_migrated(dialect)) {
        return;
    }
    sb_status_e status =
        sb_db_transaction(store_db(0, 0), 20000, call, &body, &store.result, store.pool);
    ck_assert_msg(status == SB_OK, "%s: %s", store.result.code, store_log());
}

static void ok(apr_status_t rv)
{
    ck_assert_msg(!rv, "%s: %s", current->failed_in, current->message);
}

/* Pairs that some collation, normalisation or trimming takes for the same name. */
static const char *const colliding[][2] = {
    {"victim", "VICTIM"},
    {"victim", "Victim"},
    {"victim", "victim "},
    {"victim", "victim  "},
    {"victim", " victim"},
    {"victim", "victim\t"},
    {"victim", "v\xc3\xad"
               "ctim"},
    {"victim", "v\xc4\xb1"
               "ctim"},              /* dotless i */
    {"victim", "\xef\xbd\x96ictim"}, /* full width v */
    {"victim", "vi\xcc\x81"
               "ctim"}, /* combining acute */
    {"v\xc3\xad"
     "ctim",
     "vi\xcc\x81"
     "ctim"},                    /* composed and decomposed */
    {"victim", "\xd0\xb2ictim"}, /* Cyrillic */
    {"victim", "vict\xd1\x96m"},
    {"victim", "victim\xc2\xa0"},     /* no-break space */
    {"victim", "victim\xe2\x80\x8b"}, /* zero width space */
    {"victim", "\xe2\x80\x8ev"
               "ictim"},          /* left-to-right mark */
    {"victim", "vic\xc2\xadtim"}, /* soft hyphen */
    {"stra\xc3\x9f"
     "e",
     "strasse"},
    {"STRASSE", "stra\xc3\x9f"
                "e"},
    {"\xc3\xa5ngstrom", "\xe2\x84\xabngstrom"}, /* letter and Angstrom sign */
    {"\xc3\xa6on", "aeon"},
    {"\xc5\x93uvre", "oeuvre"},
    {"\xce\xa3", "\xcf\x83"}, /* Greek sigma */
    {"\xcf\x83", "\xcf\x82"}, /* and its final form */
    {"\xc4\xb0stanbul", "istanbul"},
    {"kelvin", "\xe2\x84\xaa"
               "elvin"}, /* Kelvin sign */
    {"ann@example.org", "ann@EXAMPLE.org"},
    {"ann+x@example.org", "ann@example.org"},
    {"1", "01"},
    {"1", "1.0"},
    {"1e1", "10"},
    {"0", ""},
    {"a%", "a_"},
    {"a%b", "axb"},
    {"a\\b", "a\\\\b"},
    {"null", "NULL"},
    {"\xf0\x9f\x98\x80",
     "\xf0\x9f\x98\x81"},             /* two faces: equal in old utf8mb4 collations */
    {"\xe3\x81\x8b", "\xe3\x82\xab"}, /* hiragana and katakana */
    {"\xef\xac\x81t", "fit"},         /* ligature */
    {"\xe2\x91\xa0", "1"},            /* circled one */
};
enum { COLLIDING = sizeof(colliding) / sizeof(colliding[0]) };

static apr_status_t each_name_is_its_own(sb_conn_t *conn, apr_pool_t *pool)
{
    for (int i = 0; i < COLLIDING; i++) {
        sb_subscription_t sub = {.id = apr_psprintf(pool, "sub_%d", i),
                                 .customer = apr_psprintf(pool, "cus_%d", i),
                                 .status = SB_STATUS_ACTIVE,
                                 .plan = "pro"};
        const char *payer = apr_psprintf(pool, "%s#%d", colliding[i][0], i);
        const char *other = apr_psprintf(pool, "%s#%d", colliding[i][1], i);
        /* as they are, and with a common tail so that pairs do not meet each other */
        for (int tail = 0; tail < 2; tail++) {
            sb_snapshot_rows_t snapshot;
            sb_account_t *account;
            const char *a = tail ? payer : colliding[i][0];
            const char *b = tail ? other : colliding[i][1];
            ok(sb_account_get(&account, conn, b, pool));
            if (account && !tail) {
                continue; /* an earlier pair brought this very name */
            }
            ok(sb_account_ensure(conn, a, NULL, 1, pool));
            ok(sb_account_get(&account, conn, a, pool));
            ck_assert_str_eq(account->user, a);
            ok(sb_account_get(&account, conn, b, pool));
            ck_assert_msg(!account, "'%s' and '%s' are one account", a, b);
            sub.user = a;
            ok(sb_subscription_save(conn, &sub, 1, pool));
            ok(sb_snapshot_read(&snapshot, conn, a, false, pool));
            ck_assert_int_ge(snapshot.n, 1);
            ok(sb_snapshot_read(&snapshot, conn, b, false, pool));
            ck_assert_msg(!snapshot.account_known && !snapshot.n,
                          "'%s' has what '%s' paid", b, a);
        }
    }
    return APR_SUCCESS;
}

/* T22, M8: equal means equal bytes, on every database */
START_TEST(test_names_that_only_look_equal_are_different_users)
{
    ck_assert_int_ge(COLLIDING, 30);
    in_transaction(_i, each_name_is_its_own);
}
END_TEST

static const char *const nasty[] = {
    "'",
    "''",
    "\"",
    "`",
    "\\",
    "\\'",
    "%",
    "%s",
    "%d%n%lld",
    "%%",
    "100% sure",
    "_",
    ";",
    "--",
    "/*",
    "$1",
    "?",
    ":user",
    "x' OR '1'='1",
    "x'; DROP TABLE account; --",
    "\") UNION SELECT 1 --",
    "\n",
    "a\r\nb",
    "\xf0\x9f\x92\xb3 \xe2\x82\xac",
    "\xe4\xb8\xad\xe6\x96\x87",
    "J\xc3\xbcrgen O'Brien \"the %s\"",
};

static apr_status_t all_text_comes_back(sb_conn_t *conn, apr_pool_t *pool)
{
    char longest[191];

    for (apr_size_t i = 0; i < sizeof(nasty) / sizeof(nasty[0]); i++) {
        sb_account_t *account;
        sb_product_t *read;
        sb_product_t product = {.id = apr_psprintf(pool, "prod_%d", (int)i),
                                .name = nasty[i]};
        ok(sb_account_ensure(conn, nasty[i], nasty[i], 1, pool));
        ok(sb_account_get(&account, conn, nasty[i], pool));
        ck_assert_ptr_nonnull(account);
        ck_assert_str_eq(account->user, nasty[i]);
        ck_assert_str_eq(account->email, nasty[i]);
        ok(sb_product_save(conn, &product, pool));
        ok(sb_product_get(&read, conn, product.id, false, pool));
        ck_assert_str_eq(read->name, nasty[i]);
    }
    memset(longest, 'x', 190);
    longest[190] = '\0';
    sb_account_t *account;
    ok(sb_account_ensure(conn, longest, NULL, 1, pool));
    ok(sb_account_get(&account, conn, longest, pool));
    ck_assert_str_eq(account->user, longest);
    return APR_SUCCESS;
}

/* T29: a parameter is a value and nothing else; per cent signs mean nothing to the driver */
START_TEST(test_quotes_percent_signs_and_any_script_come_back_unchanged)
{
    in_transaction(_i, all_text_comes_back);
}
END_TEST

static apr_status_t extremes_and_nulls(sb_conn_t *conn, apr_pool_t *pool)
{
    static const sb_subscription_item_t items[] = {
        {.id = "si_1", .price = "price_1", .amount = INT64_MIN, .quantity = INT64_MAX},
        {.id = "si_2",
         .price = "price_2",
         .product = "prod_2",
         .currency = "jpy",
         .interval = "year",
         .interval_count = 2,
         .amount = -1,
         .quantity = 3,
         .period_start = 4,
         .period_end = 5},
    };
    sb_subscription_t sub = {.id = "sub_1",
                             .customer = "cus_1",
                             .user = "ann",
                             .status = SB_STATUS_UNKNOWN,
                             .status_text = "brand_new_word",
                             .amount = INT64_MAX,
                             .quantity = INT64_MIN,
                             .created = 4102444800, /* beyond 2038 */
                             .cancel_at_period_end = true,
                             .items = items,
                             .items_n = 2};
    sb_subscription_t *read, *list;
    int n;

    ok(sb_account_ensure(conn, "ann", NULL, 1, pool));
    ok(sb_subscription_save(conn, &sub, 9, pool));
    ok(sb_subscription_get(&read, conn, "sub_1", true, pool));
    ck_assert_ptr_null(read);
    ok(sb_subscription_lock(&read, conn, "sub_1", false, pool));
    ck_assert_int_eq(read->amount, INT64_MAX);
    ck_assert_int_eq(read->quantity, INT64_MIN);
    ck_assert_int_eq(read->created, 4102444800);
    ck_assert_int_eq(read->status, SB_STATUS_UNKNOWN);
    ck_assert_str_eq(read->status_text, "brand_new_word");
    ck_assert(read->cancel_at_period_end);
    ck_assert_ptr_null(read->plan);
    ck_assert_ptr_null(read->pause_collection);
    ck_assert_int_eq(read->items_n, 2);
    ck_assert_int_eq(read->items[0].amount, INT64_MIN);
    ck_assert_int_eq(read->items[0].quantity, INT64_MAX);
    ck_assert_ptr_null(read->items[0].product);
    ck_assert_str_eq(read->items[1].interval, "year");
    ck_assert_int_eq(read->items[1].amount, -1);

    sub.user = NULL; /* an event does not know whose it is */
    sub.plan = "pro";
    sub.pause_collection = "void";
    sub.items_n = 1;
    ok(sb_subscription_save(conn, &sub, 9, pool));
    sub = (sb_subscription_t){.id = "sub_2",
                              .customer = "cus_1",
                              .user = "ann",
                              .status = SB_STATUS_ACTIVE,
                              .created = 5000000000,
                              .items = &items[1],
                              .items_n = 1};
    ok(sb_subscription_save(conn, &sub, 9, pool));
    ok(sb_subscription_list(&list, &n, conn, "ann", false, pool));
    ck_assert_int_eq(n, 2);
    ck_assert_str_eq(list[0].id, "sub_2");
    ck_assert_int_eq(list[0].items_n, 1);
    ck_assert_str_eq(list[0].items[0].id, "si_2");
    ck_assert_str_eq(list[1].user, "ann");
    ck_assert_str_eq(list[1].plan, "pro");
    ck_assert_str_eq(list[1].pause_collection, "void");
    ck_assert_int_eq(list[1].items_n, 1);
    ck_assert_str_eq(list[1].items[0].id, "si_1");
    return APR_SUCCESS;
}

/* T30, A62: 64 bits and NULL survive the way to the database and back */
START_TEST(test_extreme_numbers_and_missing_texts_survive_the_round_trip)
{
    in_transaction(_i, extremes_and_nulls);
}
END_TEST

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
    ok(sb_subscription_save(conn, &early, 1, pool));
    ok(sb_customer_bind(&outcome, conn, "cus_a", false, "ann", "checkout", "ann", 2,
                        pool));
    ck_assert_int_eq(outcome, SB_BIND_OK);
    ok(sb_snapshot_read(&snapshot, conn, "ann", false, pool));
    ck_assert_int_eq(snapshot.n, 1);
    ok(sb_customer_bind(&outcome, conn, "cus_a", false, "ann", "webhook", "stripe", 3,
                        pool));
    ck_assert_int_eq(outcome, SB_BIND_OK);

    ok(sb_customer_bind(&outcome, conn, "cus_a", false, "eve", "webhook", "stripe", 3,
                        pool));
    ck_assert_int_eq(outcome, SB_BIND_OTHER_USER);
    ok(sb_customer_bind(&outcome, conn, "cus_b", false, "ann", "webhook", "stripe", 3,
                        pool));
    ck_assert_int_eq(outcome, SB_BIND_OTHER_CUSTOMER);
    ok(sb_customer_by_id(&customer, conn, "cus_b", false, pool));
    ck_assert_ptr_null(customer);
    ok(sb_customer_bind(&outcome, conn, "cus_live", true, "ann", "checkout", "ann", 3,
                        pool));
    ck_assert_int_eq(outcome, SB_BIND_OK);

    ok(sb_customer_mark_deleted(conn, "cus_a", false, 4, pool));
    ok(sb_customer_by_user(&customer, conn, "ann", false, pool));
    ck_assert_ptr_null(customer);
    ok(sb_customer_by_id(&customer, conn, "cus_a", false, pool));
    ck_assert_int_eq(customer->deleted_at, 4);
    ck_assert_str_eq(customer->user, "ann");
    ok(sb_customer_bind(&outcome, conn, "cus_b", false, "ann", "checkout", "ann", 5,
                        pool));
    ck_assert_int_eq(outcome, SB_BIND_OK);
    ok(sb_customer_by_user(&customer, conn, "ann", false, pool));
    ck_assert_str_eq(customer->id, "cus_b");

    ok(sb_customer_rebind(conn, "cus_a", false, "bob", "root", 6, pool));
    ok(sb_snapshot_read(&snapshot, conn, "ann", false, pool));
    ck_assert(snapshot.account_known);
    ck_assert_int_eq(snapshot.n, 0);
    ok(sb_snapshot_read(&snapshot, conn, "bob", false, pool));
    ck_assert_int_eq(snapshot.n, 1);
    ck_assert_str_eq(snapshot.rows[0].plan, "pro");
    ck_assert_int_eq(snapshot.rows[0].standing.status, SB_STATUS_ACTIVE);
    ok(sb_customer_rebind(conn, "cus_b", false, "bob", "root", 7, pool));
    ok(sb_customer_by_user(&customer, conn, "bob", false, pool));
    ck_assert_str_eq(customer->id, "cus_b");
    ok(sb_customer_by_id(&customer, conn, "cus_a", false, pool));
    ck_assert_ptr_null(customer->user);
    return APR_SUCCESS;
}

/* T08, B10, C28: a bound customer is never rebound silently; an operator may, and it is written down */
START_TEST(test_a_customer_belongs_to_one_user_until_an_operator_says_otherwise)
{
    in_transaction(_i, bindings);
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

    ok(sb_event_insert(&inserted, &stored, conn, &event, large, pool));
    ck_assert(inserted);
    ok(sb_event_mark(conn, "evt_1", SB_EVENT_DONE, NULL, pool));
    ok(sb_event_insert(&inserted, &stored, conn, &event, "{}", pool));
    ck_assert(!inserted);
    ck_assert_int_eq(stored, SB_EVENT_DONE);
    ok(sb_event_body(&body, conn, "evt_1", pool));
    ck_assert_str_eq(body, large);
    ok(sb_event_body(&body, conn, "evt_0", pool));
    ck_assert_ptr_null(body);

    event.id = "evt_2";
    event.received_at = 102;
    event.state = SB_EVENT_FAILED;
    event.reason = apr_psprintf(pool, "%0499d\xe2\x82\xac and more", 0);
    ok(sb_event_insert(&inserted, NULL, conn, &event, NULL, pool));
    ck_assert(inserted);
    ok(sb_event_get(&read, conn, "evt_2", pool));
    ck_assert_uint_eq(strlen(read->reason), 499);
    ck_assert_ptr_null(read->api_version);
    ok(sb_event_get(&read, conn, "evt_1", pool));
    ck_assert_int_eq(read->state, SB_EVENT_DONE);
    ck_assert_int_eq(read->attempts, 1);
    ck_assert_ptr_null(read->reason);

    ok(sb_event_list(&list, &n, conn, NULL, 10, pool));
    ck_assert_int_eq(n, 2);
    ck_assert_str_eq(list[0].id, "evt_2");
    ok(sb_event_list(&list, &n, conn, NULL, 1, pool));
    ck_assert_int_eq(n, 1);
    ok(sb_event_list(&list, &n, conn, &wanted, 10, pool));
    ck_assert_int_eq(n, 1);
    ck_assert_str_eq(list[0].id, "evt_2");
    return APR_SUCCESS;
}

static apr_status_t shrinking_rows(sb_conn_t *conn, apr_pool_t *pool)
{
    enum { ROWS = 60 };
    sb_event_row_t *list;
    bool inserted;
    int n;

    for (int i = 0; i < ROWS; i++) {
        sb_event_row_t event = {.id = apr_psprintf(pool, "evt_%0*d", i + 1, 0),
                                .type = apr_psprintf(pool, "%0*d", 2 * i + 1, 0),
                                .received_at = i,
                                .api_version = i % 2 ? "" : NULL,
                                .created_at = i % 3 ? INT64_MIN : 7,
                                .source = "webhook"};
        ok(sb_event_insert(&inserted, NULL, conn, &event, NULL, pool));
    }
    ok(sb_event_list(&list, &n, conn, NULL, ROWS, pool));
    ck_assert_int_eq(n, ROWS);
    for (int k = 0; k < ROWS; k++) {
        int i = ROWS - 1 - k; /* newest first: each row is shorter than the one before */
        ck_assert_str_eq(list[k].id, apr_psprintf(pool, "evt_%0*d", i + 1, 0));
        ck_assert_str_eq(list[k].type, apr_psprintf(pool, "%0*d", 2 * i + 1, 0));
        ck_assert(list[k].created_at == (i % 3 ? INT64_MIN : 7));
        ck_assert(i % 2 ? list[k].api_version && !*list[k].api_version
                        : !list[k].api_version);
    }
    return APR_SUCCESS;
}

/* T22, A62: a driver that reuses its buffers leaves nothing of one row in the next */
START_TEST(test_nothing_of_a_longer_row_remains_in_a_shorter_one)
{
    in_transaction(_i, shrinking_rows);
}
END_TEST

/* T03, B18, B32: an event is stored once, with its body, and can be listed by state */
START_TEST(test_an_event_is_stored_once_and_keeps_its_body_and_state)
{
    in_transaction(_i, events);
}
END_TEST

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
    ok(sb_invoice_save(&saved, conn, &failed, pool));
    ck_assert(saved);
    ok(sb_invoice_unpaid(&unpaid, conn, "ann", false, pool));
    ck_assert_str_eq(unpaid->id, "in_1");
    paid.user = NULL;
    ok(sb_invoice_save(&saved, conn, &paid, pool)); /* the same second: money wins */
    ck_assert(saved);
    ok(sb_invoice_save(&saved, conn, &failed, pool));
    ck_assert(!saved);
    failed.event_created = 99;
    ok(sb_invoice_save(&saved, conn, &failed, pool));
    ck_assert(!saved);
    ok(sb_invoice_unpaid(&unpaid, conn, "ann", false, pool));
    ck_assert_ptr_null(unpaid);
    failed.id = "in_0";
    failed.status = "draft";
    ok(sb_invoice_save(NULL, conn, &failed, pool));
    ok(sb_invoice_list(&list, &n, conn, "ann", false, 10, pool));
    ck_assert_int_eq(n, 1);
    ck_assert_str_eq(list[0].status, "paid");
    ck_assert_str_eq(list[0].hosted_url, "https://x.test/i");
    ck_assert_ptr_null(list[0].number);

    ok(sb_payment_save(conn, &payment, pool));
    payment.status = "succeeded";
    payment.user = "ann";
    ok(sb_payment_save(conn, &payment, pool));
    payment.status = "failed";
    payment.user = "eve";
    ok(sb_payment_save(conn, &payment, pool));
    ok(sb_payment_get(&read, conn, "pi_1", false, pool));
    ck_assert_str_eq(read->status, "succeeded");
    ck_assert_str_eq(read->user, "ann");
    return APR_SUCCESS;
}

/* A15, A16: what Stripe said later stays, whatever order it arrives in */
START_TEST(test_an_older_telling_never_replaces_a_newer_invoice_or_payment)
{
    in_transaction(_i, invoices);
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

    ok(sb_checkout_insert(conn, &checkout, pool));
    ok(sb_checkout_reusable(&read, conn, "ann", false, "price_1", 1, "/ok", NULL, 50, 200,
                            pool));
    ck_assert_ptr_null(read); /* Stripe has not answered yet */
    ok(sb_checkout_set_session(conn, "chk_1", "cs_1", "https://x.test/c", "cus_1", 0,
                               pool));
    ok(sb_checkout_reusable(&read, conn, "ann", false, "price_1", 1, "/ok", NULL, 50, 200,
                            pool));
    ck_assert_str_eq(read->url, "https://x.test/c");
    ck_assert_int_eq(read->expires_at, 1000);
    ok(sb_checkout_reusable(&read, conn, "ann", false, "price_1", 1, "/no", NULL, 50, 200,
                            pool));
    ck_assert_ptr_null(read);
    ok(sb_checkout_reusable(&read, conn, "ann", false, "price_1", 2, "/ok", NULL, 50, 200,
                            pool));
    ck_assert_ptr_null(read);
    ok(sb_checkout_reusable(&read, conn, "bob", false, "price_1", 1, "/ok", NULL, 50, 200,
                            pool));
    ck_assert_ptr_null(read);
    ok(sb_checkout_reusable(&read, conn, "ann", false, "price_1", 1, "/ok", NULL, 50,
                            1000, pool));
    ck_assert_ptr_null(read);
    ok(sb_checkout_reusable(&read, conn, "ann", false, "price_1", 1, "/ok", NULL, 100,
                            200, pool));
    ck_assert_ptr_null(read);

    ok(sb_checkout_complete(&changed, conn, "chk_1", NULL, "sub_1", 300, pool));
    ck_assert(changed);
    ok(sb_checkout_complete(&changed, conn, "chk_1", NULL, "sub_2", 400, pool));
    ck_assert(!changed);
    ok(sb_checkout_close(conn, "chk_1", SB_CHECKOUT_EXPIRED, pool));
    ok(sb_checkout_by_session(&read, conn, "cs_1", pool));
    ck_assert_int_eq(read->state, SB_CHECKOUT_COMPLETE);
    ck_assert_str_eq(read->customer, "cus_1");
    ck_assert_str_eq(read->subscription, "sub_1");
    ck_assert_int_eq(read->completed_at, 300);
    ck_assert_ptr_null(read->cancel_url);
    ok(sb_checkout_by_id(&read, conn, "CHK_1", pool));
    ck_assert_ptr_null(read);
    return APR_SUCCESS;
}

/* C19, T11: a second click finds the same open session; completion happens once */
START_TEST(test_an_open_checkout_is_found_again_and_completes_once)
{
    in_transaction(_i, checkouts);
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

    ok(sb_trial_get(&had, conn, "ann", false, pool));
    ck_assert_ptr_null(had);
    ok(sb_trial_mark(&marked, conn, &trial, pool));
    ck_assert(marked);
    trial.used_at = 9;
    ok(sb_trial_mark(&marked, conn, &trial, pool));
    ck_assert(!marked);
    ok(sb_trial_get(&had, conn, "ann", false, pool));
    ck_assert_int_eq(had->used_at, 5);
    ok(sb_trial_get(&had, conn, "ann", true, pool));
    ck_assert_ptr_null(had);

    ok(sb_price_save(conn, &price, pool));
    price.plan = NULL; /* archived, and out of the catalogue */
    price.active = false;
    ok(sb_price_save(conn, &price, pool));
    ok(sb_price_get(&read, conn, "price_1", false, pool));
    ck_assert_str_eq(read->plan, "pro");
    ck_assert(!read->active);
    ck_assert_int_eq(read->amount, 299);
    ck_assert_ptr_null(read->lookup_key);
    return APR_SUCCESS;
}

/* B9: a trial is had once; A10: an archived price still says its plan */
START_TEST(test_a_trial_is_marked_once_and_a_price_keeps_its_plan)
{
    in_transaction(_i, trials_and_prices);
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

Suite *store_repos_suite(void)
{
    Suite *suite = suite_create("store_repos");
    TCase *tcase = tcase_create("repositories");

    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, store_setup, store_teardown);
    tcase_add_loop_test(tcase, test_names_that_only_look_equal_are_different_users, 0,
                        SB_DIALECTS);
    tcase_add_loop_test(tcase,
                        test_quotes_percent_signs_and_any_script_come_back_unchanged, 0,
                        SB_DIALECTS);
    tcase_add_loop_test(tcase,
                        test_extreme_numbers_and_missing_texts_survive_the_round_trip, 0,
                        SB_DIALECTS);
    tcase_add_loop_test(
        tcase, test_a_customer_belongs_to_one_user_until_an_operator_says_otherwise, 0,
        SB_DIALECTS);
    tcase_add_loop_test(tcase, test_nothing_of_a_longer_row_remains_in_a_shorter_one, 0,
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
    suite_add_tcase(suite, tcase);
    return suite;
}
