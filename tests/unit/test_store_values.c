/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include <apr_strings.h>
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "store/accounts.h"
#include "store/events.h"
#include "store/prices.h"
#include "store/snapshots.h"
#include "store/subscriptions.h"
#include "store_fixture.h"
#include "unit.h"

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
            store_ok(sb_account_get(&account, conn, b, pool));
            if (account && !tail) {
                continue; /* an earlier pair brought this very name */
            }
            store_ok(sb_account_ensure(conn, a, NULL, 1, pool));
            store_ok(sb_account_get(&account, conn, a, pool));
            ck_assert_str_eq(account->user, a);
            store_ok(sb_account_get(&account, conn, b, pool));
            ck_assert_msg(!account, "'%s' and '%s' are one account", a, b);
            sub.user = a;
            store_ok(sb_subscription_save(conn, &sub, 1, pool));
            store_ok(sb_snapshot_read(&snapshot, conn, a, false, pool));
            ck_assert_int_ge(snapshot.n, 1);
            store_ok(sb_snapshot_read(&snapshot, conn, b, false, pool));
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
    store_in_transaction(_i, each_name_is_its_own);
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
        store_ok(sb_account_ensure(conn, nasty[i], nasty[i], 1, pool));
        store_ok(sb_account_get(&account, conn, nasty[i], pool));
        ck_assert_ptr_nonnull(account);
        ck_assert_str_eq(account->user, nasty[i]);
        ck_assert_str_eq(account->email, nasty[i]);
        store_ok(sb_product_save(conn, &product, pool));
        store_ok(sb_product_get(&read, conn, product.id, false, pool));
        ck_assert_str_eq(read->name, nasty[i]);
    }
    memset(longest, 'x', 190);
    longest[190] = '\0';
    sb_account_t *account;
    store_ok(sb_account_ensure(conn, longest, NULL, 1, pool));
    store_ok(sb_account_get(&account, conn, longest, pool));
    ck_assert_str_eq(account->user, longest);
    return APR_SUCCESS;
}

/* T29: a parameter is a value and nothing else; per cent signs mean nothing to the driver */
START_TEST(test_quotes_percent_signs_and_any_script_come_back_unchanged)
{
    store_in_transaction(_i, all_text_comes_back);
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

    store_ok(sb_account_ensure(conn, "ann", NULL, 1, pool));
    store_ok(sb_subscription_save(conn, &sub, 9, pool));
    store_ok(sb_subscription_get(&read, conn, "sub_1", true, pool));
    ck_assert_ptr_null(read);
    store_ok(sb_subscription_lock(&read, conn, "sub_1", false, pool));
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
    store_ok(sb_subscription_save(conn, &sub, 9, pool));
    sub = (sb_subscription_t){.id = "sub_2",
                              .customer = "cus_1",
                              .user = "ann",
                              .status = SB_STATUS_ACTIVE,
                              .created = 5000000000,
                              .items = &items[1],
                              .items_n = 1};
    store_ok(sb_subscription_save(conn, &sub, 9, pool));
    store_ok(sb_subscription_list(&list, &n, conn, "ann", false, pool));
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
    store_in_transaction(_i, extremes_and_nulls);
}
END_TEST

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
        store_ok(sb_event_insert(&inserted, NULL, conn, &event, NULL, pool));
    }
    store_ok(sb_event_list(&list, &n, conn, NULL, ROWS, pool));
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
    store_in_transaction(_i, shrinking_rows);
}
END_TEST

Suite *store_values_suite(void)
{
    Suite *suite = suite_create("store_values");
    TCase *tcase = tcase_create("values");

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
    tcase_add_loop_test(tcase, test_nothing_of_a_longer_row_remains_in_a_shorter_one, 0,
                        SB_DIALECTS);
    suite_add_tcase(suite, tcase);
    return suite;
}
