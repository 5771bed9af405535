/* Licensed under the Apache License, Version 2.0; see LICENSE. */
/* Which plan a subscription opens when the catalogue was wrong, or when it has several items. */
#include "service_fixture.h"
#include "unit.h"

#include "service/account.h"
#include "service/checkout.h"

#include <apr_strings.h>
#include <string.h>

#define PRICE_NEW "price_1SbGoldMonthEUR00000001"

static const char *const mended[] = {
    "'prices':[{'interval':'month','amount':900,'lookup_key':'gold_monthly'}]",
    "'product':'prod_Gold','prices':[{'interval':'month','amount':900,'id':"
    "'price_1SbGoldOther0000000001'}]",
    "'prices':[{'interval':'month','amount':900,'id':'price_1SbGoldOther0000000001'}]",
};

static const char *const told[] = {
    "'lookup_key':'gold_monthly','product':'prod_Y','metadata':{}",
    "'lookup_key':null,'product':'prod_Gold','metadata':{}",
    "'lookup_key':null,'product':'prod_Y','metadata':{'subbill_plan':'gold'}",
};

static const char *price(const char *id, const char *members)
{
    return service_json("{'id':'%s','object':'price','currency':'eur','unit_amount':900,"
                        "'livemode':false,'active':true,%s,"
                        "'recurring':{'interval':'month','interval_count':1}}",
                        id, members);
}

static const char *item(const char *id, const char *of)
{
    return service_json("{'id':'%s','object':'subscription_item','quantity':1,"
                        "'current_period_start':1,'current_period_end':4102444800,"
                        "'price':%s}",
                        id, of);
}

static const char *subscription(const char *items)
{
    return service_json("{'id':'sub_1','object':'subscription','customer':'cus_1',"
                        "'status':'active','livemode':false,'created':1,"
                        "'cancel_at_period_end':false,'currency':'eur','metadata':"
                        "{'subbill_user':'zoe'},'items':{'object':'list','data':[%s]}}",
                        items);
}

static bool told_active(void)
{
    sb_account_view_t *view;

    ck_assert_int_eq(sb_account_load(&view, &sv.result, sv.service, "zoe", 0, store.pool),
                     SB_OK);
    return sb_json_bool(sb_account_json(view, sv.service->catalog, store.pool), "active",
                        false);
}

static const char *bought_again(const char *plan)
{
    const sb_checkout_request_t request = {.user = "zoe",
                                           .plan = plan,
                                           .trial_days = -1,
                                           .return_page =
                                               "https://shop.example/subbill/return"};
    sb_checkout_answer_t answer;

    ck_assert_int_ne(
        sb_checkout_start(&answer, &sv.result, sv.service, &request, store.pool), SB_OK);
    return sv.result.code;
}

static void heals(int how)
{
    service_with(NULL, 0);
    ck_assert_str_eq(service_deliver(service_event(
                         "evt_1", "customer.subscription.created", 0,
                         subscription(item("si_1", price(PRICE_NEW, told[how]))))),
                     "failed");
    ck_assert_str_eq(service_gate("zoe", "any"), "unmapped_price");
    service_catalog(apr_psprintf(store.pool,
                                 "{'currency':'eur','plans':[{'plan':'gold','name':'G',"
                                 "'rank':1,%s}]}",
                                 mended[how]));
    ck_assert_str_eq(service_gate("zoe", "gold"), "ok");
    ck_assert(told_active());
    ck_assert_str_eq(bought_again("gold"), "already_subscribed");
}

/* B36, F09: known by lookup key, product or metadata only; the reload alone opens the door. */
START_TEST(test_a_mended_catalogue_opens_what_was_bought_before)
{
    heals(_i);
}
END_TEST

START_TEST(test_a_mended_catalogue_opens_on_a_server)
{
    if (service_on(_i)) {
        heals(0);
    }
}
END_TEST

/* A subscription with a plan and an add-on of another group. */
static void opens_both(void)
{
    const char *items = apr_pstrcat(
        store.pool, item("si_1", price(PRICE_BASIC, told[0])), ",",
        item("si_2", price(PRICE_NEW, told[0])), ",",
        item("si_3", price("price_1SbSetupFee000000001", "'product':'prod_Z'")), NULL);

    service_with(NULL, 0);
    service_catalog("{'currency':'eur','plans':["
                    "{'plan':'basic','name':'B','group':'m','rank':1,'prices':["
                    "{'interval':'month','amount':900,'id':'" PRICE_BASIC "'}]},"
                    "{'plan':'gold','name':'G','group':'extras','rank':1,'prices':["
                    "{'interval':'month','amount':900,'lookup_key':'gold_monthly'}]},"
                    "{'plan':'silver','name':'S','group':'other','rank':1,'prices':["
                    "{'interval':'month','amount':900,'lookup_key':'silver'}]}]}");
    ck_assert_str_eq(
        service_deliver(service_event("evt_1", "customer.subscription.created", 0,
                                      subscription(items))),
        "done");
    ck_assert_str_eq(service_gate("zoe", "basic"), "ok");
    ck_assert_str_eq(service_gate("zoe", "gold"), "ok");
    ck_assert_str_eq(service_gate("zoe", "silver"), "no_subscription");
    ck_assert_str_eq(bought_again("gold"), "already_subscribed");
    ck_assert_str_eq(bought_again("basic"), "already_subscribed");
}

START_TEST(test_every_item_opens_what_it_stands_for)
{
    opens_both();
}
END_TEST

START_TEST(test_every_item_opens_on_a_server)
{
    if (service_on(_i)) {
        opens_both();
    }
}
END_TEST

Suite *service_access_suite(void)
{
    Suite *suite = suite_create("service_access");
    TCase *tcase = tcase_create("access");

    tcase_add_checked_fixture(tcase, service_setup, service_teardown);
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, test_a_mended_catalogue_opens_what_was_bought_before, 0,
                        3);
    tcase_add_loop_test(tcase, test_a_mended_catalogue_opens_on_a_server,
                        SB_DIALECT_PGSQL, SB_DIALECT_MYSQL + 1);
    tcase_add_test(tcase, test_every_item_opens_what_it_stands_for);
    tcase_add_loop_test(tcase, test_every_item_opens_on_a_server, SB_DIALECT_PGSQL,
                        SB_DIALECT_MYSQL + 1);
    suite_add_tcase(suite, tcase);
    return suite;
}
