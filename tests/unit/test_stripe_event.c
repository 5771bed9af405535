/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "unit.h"

#include "base/json.h"
#include "domain/stripe_event.h"

#include <apr_strings.h>
#include <stdlib.h>
#include <string.h>

static sb_result_t result;

static const char catalogue_text[] =
    "{\"currency\":\"eur\",\"plans\":["
    "{\"plan\":\"basic\",\"name\":\"Basic\",\"rank\":10,\"prices\":[{\"interval\":"
    "\"month\","
    "\"amount\":900,\"lookup_key\":\"basic_monthly\"}]},"
    "{\"plan\":\"pro\",\"name\":\"Pro\",\"rank\":20,\"prices\":[{\"interval\":\"month\","
    "\"amount\":2900,\"lookup_key\":\"pro_monthly\"}]}]}";

static const sb_catalog_t *catalogue(void)
{
    sb_catalog_t *catalog;

    ck_assert_int_eq(sb_catalog_parse(&catalog, &result, catalogue_text,
                                      sizeof(catalogue_text) - 1, sb_unit_pool),
                     SB_OK);
    return catalog;
}

/* A subscription whose members are the given ones (later ones win over the defaults). */
static json_t *subscription_json(const char *members)
{
    json_t *json = sb_unit_json(
        "{'object':'subscription','id':'sub_1','customer':'cus_1','status':'active',"
        "'livemode':false,'currency':'eur','created':1699261200,'cancel_at_period_end':"
        "false,"
        "'items':{'object':'list','data':[{'id':'si_1','object':'subscription_item',"
        "'quantity':1,'price':{'id':'price_1','object':'price','currency':'eur',"
        "'unit_amount':900,'product':'prod_1','lookup_key':'basic_monthly',"
        "'recurring':{'interval':'month','interval_count':1}}}]}}");
    json_t *more = sb_unit_json(apr_pstrcat(sb_unit_pool, "{", members, "}", NULL));

    json_object_update(json, more);
    json_decref(more);
    return json;
}

static sb_status_e subscription_read(sb_subscription_t *sub, const char *members)
{
    json_t *json = subscription_json(members);
    sb_status_e status = sb_event_subscription(sub, &result, json, sb_unit_pool);

    json_decref(json);
    return status;
}

/* B23: the period stands at the top before basil and in the items since. */
START_TEST(test_the_period_is_found_in_every_version)
{
    sb_subscription_t sub;

    ck_assert_int_eq(subscription_read(&sub, "'current_period_start':1700470800,"
                                             "'current_period_end':1703062800"),
                     SB_OK);
    ck_assert_int_eq(sub.current_period_start, 1700470800);
    ck_assert_int_eq(sub.current_period_end, 1703062800);

    ck_assert_int_eq(
        subscription_read(&sub, "'items':{'data':["
                                "{'id':'si_1','price':{'id':'price_1','object':'price'},"
                                "'current_period_start':100,'current_period_end':200},"
                                "{'id':'si_2','price':{'id':'price_2','object':'price'},"
                                "'current_period_start':150,'current_period_end':900}]}"),
        SB_OK);
    ck_assert_int_eq(sub.items_n, 2);
    ck_assert_int_eq(sub.current_period_start, 150);
    ck_assert_int_eq(sub.current_period_end, 900);
    ck_assert_int_eq(sub.items[0].period_end, 200);
}
END_TEST

/* B23 */
START_TEST(test_expandable_fields_may_be_ids_or_objects)
{
    sb_subscription_t sub;

    ck_assert_int_eq(
        subscription_read(&sub, "'customer':{'id':'cus_9','object':'customer'},"
                                "'latest_invoice':{'id':'in_9','object':'invoice'},"
                                "'items':{'data':[{'id':'si_1','price':{'id':'price_1',"
                                "'object':'price','product':{'id':'prod_9',"
                                "'metadata':{'subbill_plan':'pro'}}}}]}"),
        SB_OK);
    ck_assert_str_eq(sub.customer, "cus_9");
    ck_assert_str_eq(sub.latest_invoice, "in_9");
    ck_assert_str_eq(sub.product, "prod_9");
    ck_assert_str_eq(sub.items[0].metadata_plan, "pro");
    ck_assert_ptr_null(sub.user);
}
END_TEST

/* B23: objects of 2020 and before carry a plan, sometimes without items. */
START_TEST(test_legacy_plans_are_prices)
{
    sb_subscription_t sub;

    ck_assert_int_eq(
        subscription_read(
            &sub, "'items':{'data':[{'id':'si_1','plan':{'id':'gold-monthly',"
                  "'object':'plan','amount':500,'currency':'usd','interval':'year',"
                  "'interval_count':2,'product':'prod_1'},'quantity':3}]}"),
        SB_OK);
    ck_assert_str_eq(sub.price, "gold-monthly");
    ck_assert_str_eq(sub.interval, "year");
    ck_assert_int_eq(sub.interval_count, 2);
    ck_assert_int_eq(sub.amount, 500);
    ck_assert_int_eq(sub.quantity, 3);

    ck_assert_int_eq(
        subscription_read(&sub, "'items':null,'plan':{'id':'plan_X','object':'plan',"
                                "'amount':500,'interval':'month'},'quantity':2"),
        SB_OK);
    ck_assert_str_eq(sub.price, "plan_X");
    ck_assert_int_eq(sub.quantity, 2);
    ck_assert_ptr_null(sub.items[0].id);

    ck_assert_int_eq(subscription_read(&sub, "'items':null"), SB_OK);
    ck_assert_ptr_null(sub.price);
    ck_assert(!sb_subscription_map(&sub, catalogue(), NULL, NULL));
}
END_TEST

/* T30: amounts that have no whole number are said so, impossible ones refused. */
START_TEST(test_integers_are_checked)
{
    static const char *const bad[] = {
        "'current_period_end':-1",
        "'current_period_end':'1703062800'",
        "'current_period_end':1703062800.5",
        "'current_period_end':9223372036854775807",
        "'trial_end':253402300800",
        "'cancel_at':-5",
        "'created':true",
        "'items':{'data':[{'id':'si_1','quantity':-1,'price':{'id':'p','object':'price'}}"
        "]}",
        "'items':{'data':[{'id':'si_1','quantity':2147483648,'price':{'id':'p','object':'"
        "price'}}]}",
        "'items':{'data':[{'id':'si_1','price':{'id':'p','object':'price','unit_amount':-"
        "1}}]}",
        "'items':{'data':[{'id':'si_1','price':{'id':'p','object':'price','unit_amount':'"
        "9'}}]}",
        "'items':{'data':[{'id':'si_1','price':{'id':'p','object':'price',"
        "'unit_amount':1000000000000000}}]}",
        "'items':{'data':[{'id':'si_1','price':{'id':'p','object':'price',"
        "'recurring':{'interval':'month','interval_count':0}}}]}",
    };
    sb_subscription_t sub;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        ck_assert_msg(subscription_read(&sub, bad[i]) == SB_INVALID, "%s", bad[i]);
        ck_assert_str_eq(result.code, "bad_object");
        ck_assert_ptr_nonnull(result.message);
    }
    ck_assert_int_eq(subscription_read(&sub,
                                       "'items':{'data':[{'id':'si_1','price':{'id':'p',"
                                       "'object':'price','unit_amount':null,"
                                       "'unit_amount_decimal':'0.5'}}]}"),
                     SB_OK);
    ck_assert_int_eq(sub.amount, -1);
    ck_assert_int_eq(subscription_read(&sub,
                                       "'items':{'data':[{'id':'si_1','price':{'id':'p',"
                                       "'object':'price','unit_amount':5,"
                                       "'billing_scheme':'tiered'}}]}"),
                     SB_OK);
    ck_assert_int_eq(sub.amount, -1);
}
END_TEST

/* T39, T29: what becomes a path or a key has the letters of an id. */
START_TEST(test_ids_are_checked)
{
    static const char *const bad[] = {
        "'id':null",
        "'id':''",
        "'id':5",
        "'id':'sub-1'",
        "'id':'sub_1/../x'",
        "'id':'sub_1 '",
        "'id':'süb'",
        "'customer':'cus_1;DROP'",
        "'customer':7",
        "'customer':{'id':''}",
        "'customer':['cus_1']",
        "'latest_invoice':'in/1'",
        "'status':null",
        "'status':3",
        "'object':'invoice'",
        "'object':null",
        "'items':{'data':['si_1']}",
        "'items':{'data':[{'id':'si_1'}]}",
        "'items':{'data':[{'id':'si_1','price':'a'},{'id':'si_1','price':'b'}]}",
        "'items':{'data':[{'id':'si_1','price':{'id':'a b','object':'price'}}]}",
        "'items':{'data':[{'id':'si_1','price':{'id':'a','object':'coupon'}}]}",
        "'metadata':{'subbill_user':5}",
    };
    sb_subscription_t sub;
    char id[300];

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        ck_assert_msg(subscription_read(&sub, bad[i]) == SB_INVALID, "%s", bad[i]);
        ck_assert_str_eq(result.code, "bad_object");
    }
    memset(id, 'a', sizeof(id));
    id[255] = '\0';
    ck_assert(sb_stripe_id_valid(id));
    id[255] = 'a';
    id[256] = '\0';
    ck_assert(!sb_stripe_id_valid(id));
    ck_assert(!sb_stripe_id_valid(NULL) && !sb_stripe_id_valid(""));
    ck_assert_int_eq(subscription_read(&sub, "'customer':null"), SB_OK);
    ck_assert_ptr_null(sub.customer);
}
END_TEST

/* A16: a status that Stripe invents later is kept and grants nothing. */
START_TEST(test_an_unknown_status_is_kept_and_grants_nothing)
{
    sb_subscription_t sub;

    ck_assert_int_eq(subscription_read(&sub, "'status':'hibernating'"), SB_OK);
    ck_assert_str_eq(sub.status_text, "hibernating");
    ck_assert_int_eq(sub.status, SB_STATUS_UNKNOWN);
    ck_assert(!sb_subscription_access(&sub, 1, 100).granted);
}
END_TEST

static const char *remembers_pro(void *baton, const char *price)
{
    return strcmp(price, baton) == 0 ? "pro" : NULL;
}

/* T07: the highest plan among the items counts; none of something is nothing. */
START_TEST(test_a_subscription_maps_to_its_highest_plan)
{
    static const char two[] =
        "'items':{'data':[{'id':'si_1','quantity':1,'price':{'id':'price_1','object':'"
        "price',"
        "'unit_amount':900,'lookup_key':'basic_monthly'}},{'id':'si_2','quantity':%d,"
        "'price':{'id':'price_2','object':'price','unit_amount':2900,'lookup_key':'pro_"
        "monthly'}}]}";
    sb_subscription_t sub;

    ck_assert_int_eq(subscription_read(&sub, apr_psprintf(sb_unit_pool, two, 2)), SB_OK);
    ck_assert_ptr_null(sub.plan);
    ck_assert(sb_subscription_map(&sub, catalogue(), NULL, NULL));
    ck_assert_str_eq(sub.plan, "pro");
    ck_assert_str_eq(sub.price, "price_2");
    ck_assert_int_eq(sub.amount, 2900);
    ck_assert_int_eq(sub.quantity, 2);

    ck_assert_int_eq(subscription_read(&sub, apr_psprintf(sb_unit_pool, two, 0)), SB_OK);
    ck_assert(sb_subscription_map(&sub, catalogue(), NULL, NULL));
    ck_assert_str_eq(sub.plan, "basic");

    /* What was bought first says nothing about what is paid now. */
    ck_assert_int_eq(subscription_read(&sub,
                                       "'metadata':{'subbill_plan':'pro'},"
                                       "'items':{'data':[{'id':'si_1','price':{'id':"
                                       "'price_cheap','object':'price'}}]}"),
                     SB_OK);
    ck_assert_str_eq(sub.metadata_plan, "pro");
    ck_assert(!sb_subscription_map(&sub, catalogue(), NULL, NULL));
    ck_assert_ptr_null(sub.plan);
    ck_assert(
        sb_subscription_map(&sub, catalogue(), remembers_pro, (void *)"price_cheap"));
    ck_assert_str_eq(sub.plan, "pro");
}
END_TEST

/* B23: where an invoice keeps its subscription, its payment and whether it is paid. */
START_TEST(test_invoices_of_every_version_give_the_same_facts)
{
    static const char *const shapes[] = {
        "{'object':'invoice','id':'in_1','customer':'cus_1','subscription':'sub_1','paid'"
        ":true,"
        "'status':'paid','payment_intent':'pi_1','amount_due':900,'amount_paid':900,'"
        "currency':'eur',"
        "'subscription_details':{'metadata':{'subbill_user':'zoe'}},'attempt_count':1,"
        "'status_transitions':{'paid_at':1700000000}}",
        "{'object':'invoice','id':'in_1','customer':{'id':'cus_1'},'status':'paid','"
        "parent':{'type':"
        "'subscription_details','subscription_details':{'subscription':'sub_1','metadata'"
        ":"
        "{'subbill_user':'zoe'}}},'payments':{'data':[{'payment':{'type':'payment_intent'"
        ","
        "'payment_intent':'pi_1'}}]},'amount_due':900,'amount_paid':900,'currency':'eur',"
        "'attempt_count':1,'status_transitions':{'paid_at':1700000000}}",
    };

    for (size_t i = 0; i < 2; i++) {
        json_t *json = sb_unit_json(shapes[i]);
        sb_invoice_facts_t facts;
        ck_assert_int_eq(sb_event_invoice(&facts, &result, json, sb_unit_pool), SB_OK);
        ck_assert_str_eq(facts.subscription, "sub_1");
        ck_assert_str_eq(facts.customer, "cus_1");
        ck_assert_str_eq(facts.payment_intent, "pi_1");
        ck_assert_str_eq(facts.metadata_user, "zoe");
        ck_assert(facts.paid);
        ck_assert_int_eq(facts.amount_paid, 900);
        ck_assert_int_eq(facts.paid_at, 1700000000);
        json_decref(json);
    }
}
END_TEST

/* T30 */
START_TEST(test_odd_invoices_are_read_or_refused)
{
    static const struct {
        const char *text;
        sb_status_e status;
    } rows[] = {
        {"{'object':'invoice'}", SB_OK}, /* upcoming: no id */
        {"{'object':'invoice','id':'in_1','total':-500,'amount_due':0}", SB_OK},
        {"{'object':'invoice','id':'in_1','total':1000000000000000}", SB_INVALID},
        {"{'object':'invoice','id':'in_1','total':'500'}", SB_INVALID},
        {"{'object':'invoice','id':'in_1','attempt_count':-1}", SB_INVALID},
        {"{'object':'invoice','id':'in_1','next_payment_attempt':-1}", SB_INVALID},
        {"{'object':'invoice','id':'in 1'}", SB_INVALID},
        {"{'object':'charge','id':'in_1'}", SB_INVALID},
        {"{'id':'in_1'}", SB_INVALID},
        {"[]", SB_INVALID},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        json_t *json = sb_unit_json(rows[i].text);
        sb_invoice_facts_t facts;
        ck_assert_msg(sb_event_invoice(&facts, &result, json, sb_unit_pool) ==
                          rows[i].status,
                      "%s", rows[i].text);
        json_decref(json);
    }
}
END_TEST

/* T07, T08 */
START_TEST(test_checkout_sessions_give_facts_and_claims)
{
    json_t *json = sb_unit_json(
        "{'object':'checkout.session','id':'cs_test_1','mode':'subscription','status':'"
        "complete',"
        "'payment_status':'no_payment_required','customer':'cus_1','subscription':{'id':'"
        "sub_1'},"
        "'client_reference_id':'zoe','metadata':{'subbill_user':'zoe','subbill_checkout':"
        "'c0ffee'},"
        "'currency':'eur','amount_total':0,'customer_email':null,"
        "'customer_details':{'email':'z@example.com'},'expires_at':1700000000}");
    sb_checkout_facts_t facts;

    ck_assert_int_eq(sb_event_checkout_session(&facts, &result, json, sb_unit_pool),
                     SB_OK);
    ck_assert_str_eq(facts.mode, "subscription");
    ck_assert_str_eq(facts.payment_status, "no_payment_required");
    ck_assert_str_eq(facts.subscription, "sub_1");
    ck_assert_str_eq(facts.metadata_checkout, "c0ffee");
    ck_assert_str_eq(facts.email, "z@example.com");
    json_object_set_new(json, "amount_total", json_integer(-1));
    ck_assert_int_eq(sb_event_checkout_session(&facts, &result, json, sb_unit_pool),
                     SB_INVALID);
    json_decref(json);
}
END_TEST

/* A3: customers, prices and products, also deleted, archived and oddly named ones. */
START_TEST(test_customers_prices_and_products_are_read)
{
    json_t *json = sb_unit_json("{'object':'customer','id':'cus_1','deleted':true}");
    sb_customer_facts_t customer;
    sb_price_facts_t price;
    sb_product_facts_t product;

    ck_assert_int_eq(sb_event_customer(&customer, &result, json, sb_unit_pool), SB_OK);
    ck_assert(customer.deleted);
    json_decref(json);

    json = sb_unit_json(
        "{'object':'price','id':'price_1','active':false,'currency':'jpy',"
        "'unit_amount':12000,'type':'one_time','recurring':null,'product':'my-shirt.1',"
        "'metadata':{'subbill_plan':'pro'}}");
    ck_assert_int_eq(sb_event_price(&price, &result, json, sb_unit_pool), SB_OK);
    ck_assert(!price.active);
    ck_assert_ptr_null(price.interval);
    ck_assert_int_eq(price.amount, 12000);
    ck_assert_str_eq(price.product, "my-shirt.1");
    ck_assert_str_eq(price.metadata_plan, "pro");
    json_decref(json);

    json = sb_unit_json(
        "{'object':'product','id':'my-shirt.1','name':'Shirt','active':true}");
    ck_assert_int_eq(sb_event_product(&product, &result, json, sb_unit_pool), SB_OK);
    ck_assert_str_eq(product.name, "Shirt");
    json_decref(json);
}
END_TEST

static sb_status_e event_read(sb_event_t *event, const char *text)
{
    json_t *json = sb_unit_json(text);
    sb_status_e status = sb_event_parse(event, &result, json, sb_unit_pool);

    json_decref(json); /* only numbers are looked at afterwards */
    return status;
}

#define HEAD "'id':'evt_1','object':'event','type':'x.y','created':5,'livemode':false"

/* T05, T07: what is JSON and signed is not yet an event. */
START_TEST(test_what_is_no_event_is_refused)
{
    static const char *const bad[] = {
        "{}",
        "[]",
        "{'id':'cus_1','object':'customer'}",
        "{'object':'event','type':'x.y','created':5,'livemode':false,'data':{'object':{}}"
        "}",
        "{'id':'evt-1','object':'event','type':'x.y','created':5,'livemode':false,'data':"
        "{'object':{}}}",
        "{'id':5,'object':'event','type':'x.y','created':5,'livemode':false,'data':{'"
        "object':{}}}",
        "{'id':'evt_1','object':'event','created':5,'livemode':false,'data':{'object':{}}"
        "}",
        "{'id':'evt_1','object':'event','type':'x "
        "y','created':5,'livemode':false,'data':{'object':{}}}",
        "{'id':'evt_1','object':'event','type':'','created':5,'livemode':false,'data':{'"
        "object':{}}}",
        "{'id':'evt_1','object':'event','type':'x.y','livemode':false,'data':{'object':{}"
        "}}",
        "{'id':'evt_1','object':'event','type':'x.y','created':'5','livemode':false,'"
        "data':{'object':{}}}",
        "{'id':'evt_1','object':'event','type':'x.y','created':-5,'livemode':false,'data'"
        ":{'object':{}}}",
        "{'id':'evt_1','object':'event','type':'x.y','created':9223372036854775807,'"
        "livemode':false,"
        "'data':{'object':{}}}",
        "{'id':'evt_1','object':'event','type':'x.y','created':5,'data':{'object':{}}}",
        "{'id':'evt_1','object':'event','type':'x.y','created':5,'livemode':'false','"
        "data':{'object':{}}}",
        "{" HEAD "}",
        "{" HEAD ",'data':{}}",
        "{" HEAD ",'data':{'object':[]}}",
        "{" HEAD ",'data':{'object':'cus_1'}}",
        "{" HEAD ",'account':'a b','data':{'object':{}}}",
        "{'id':'evt_1','object':'v2.core.event','type':'x.y','created':5,'livemode':"
        "false}",
        "{'id':'evt_1','object':'v2.core.event','type':'x.y','created':'yesterday','"
        "livemode':false}",
    };
    sb_event_t event;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        ck_assert_msg(event_read(&event, bad[i]) == SB_INVALID, "%s", bad[i]);
        ck_assert_str_eq(result.code, "not_an_event");
    }
    ck_assert_int_eq(event_read(&event, "{" HEAD ",'data':{'object':{}}}"), SB_OK);
    ck_assert(!event.thin);
}
END_TEST

/* B23: thin events name their time in words. */
START_TEST(test_thin_events_are_told_apart)
{
    static const struct {
        const char *created;
        apr_int64_t time; /* -1: refused */
    } rows[] = {
        {"2026-11-26T09:00:00.000Z", 1795683600},
        {"2026-11-26T09:00:00Z", 1795683600},
        {"2026-11-26T10:00:00+01:00", 1795683600},
        {"2026-11-26T04:30:00.5-04:30", 1795683600},
        {"1970-01-01T00:00:00Z", 0},
        {"2024-02-29T00:00:00Z", 1709164800},
        {"2026-11-26", -1},
        {"2026-11-26 09:00:00Z", -1},
        {"2026-13-26T09:00:00Z", -1},
        {"2026-11-32T09:00:00Z", -1},
        {"2026-11-26T24:00:00Z", -1},
        {"2026-11-26T09:00:00", -1},
        {"2026-11-26T09:00:00.Z", -1},
        {"2026-11-26T09:00:00Zx", -1},
        {"1969-12-31T23:59:59Z", -1},
        {"1970-01-01T00:00:00+01:00", -1},
        {"", -1},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        sb_event_t event;
        sb_status_e status = event_read(
            &event,
            apr_psprintf(
                sb_unit_pool,
                "{'id':'evt_1','object':'v2.core.event','type':'v1.x','livemode':true,"
                "'created':'%s','related_object':{'id':'sub_1','type':'subscription'}}",
                rows[i].created));
        ck_assert_msg((status == SB_OK) == (rows[i].time >= 0), "%s", rows[i].created);
        if (status == SB_OK) {
            ck_assert_int_eq(event.created, rows[i].time);
            ck_assert(event.thin && event.livemode);
        }
    }
}
END_TEST

/* F18: previous_attributes that equal what is stored prove that an update came directly after. */
START_TEST(test_previous_attributes_prove_the_order)
{
    static const struct {
        const char *previous;
        bool follows;
    } rows[] = {
        {"{'status':'active'}", true},
        {"{'status':'trialing'}", false},
        {"{'status':'active','latest_invoice':'in_1'}", true},
        {"{'status':'active','latest_invoice':'in_2'}", false},
        {"{'latest_invoice':null}", false},
        {"{'cancel_at':null}", true},
        {"{'cancel_at':5}", false},
        {"{'cancel_at_period_end':false}", true},
        {"{'cancel_at_period_end':true}", false},
        {"{'current_period_end':200}", true},
        {"{'current_period_end':100}", false},
        {"{'metadata':{'a':'b'}}", false},
        {"{}", false},
        {"{'items':{'data':[{'price':{'id':'price_1'},'quantity':1}]}}", true},
        {"{'items':{'data':[{'price':{'id':'price_2'},'quantity':1}]}}", false},
        {"{'items':{'data':[{'price':{'id':'price_1'},'quantity':2}]}}", false},
        {"{'items':{'data':[]}}", false},
        {"{'items':{'data':[{'price':'price_1','current_period_end':7}]}}", false},
    };
    const sb_subscription_item_t item = {
        .price = "price_1", .quantity = 1, .period_end = 200};
    const sb_subscription_t stored = {.status_text = "active",
                                      .latest_invoice = "in_1",
                                      .current_period_end = 200,
                                      .items = &item,
                                      .items_n = 1};

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        json_t *previous = sb_unit_json(rows[i].previous);
        sb_event_t event = {.previous = previous};
        ck_assert_msg(sb_event_follows(&event, &stored) == rows[i].follows, "%s",
                      rows[i].previous);
        ck_assert(!sb_event_follows(&event, NULL));
        json_decref(previous);
    }
    sb_event_t created = {.previous = NULL};
    ck_assert(!sb_event_follows(&created, &stored));
}
END_TEST

Suite *stripe_event_suite(void)
{
    Suite *suite = suite_create("stripe_event");
    TCase *tcase = sb_unit_case("stripe_event");

    tcase_add_test(tcase, test_the_period_is_found_in_every_version);
    tcase_add_test(tcase, test_expandable_fields_may_be_ids_or_objects);
    tcase_add_test(tcase, test_legacy_plans_are_prices);
    tcase_add_test(tcase, test_integers_are_checked);
    tcase_add_test(tcase, test_ids_are_checked);
    tcase_add_test(tcase, test_an_unknown_status_is_kept_and_grants_nothing);
    tcase_add_test(tcase, test_a_subscription_maps_to_its_highest_plan);
    tcase_add_test(tcase, test_invoices_of_every_version_give_the_same_facts);
    tcase_add_test(tcase, test_odd_invoices_are_read_or_refused);
    tcase_add_test(tcase, test_checkout_sessions_give_facts_and_claims);
    tcase_add_test(tcase, test_customers_prices_and_products_are_read);
    tcase_add_test(tcase, test_what_is_no_event_is_refused);
    tcase_add_test(tcase, test_thin_events_are_told_apart);
    tcase_add_test(tcase, test_previous_attributes_prove_the_order);
    suite_add_tcase(suite, tcase);
    return suite;
}
