/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "unit.h"

#include "base/json.h"
#include "domain/catalog.h"
#include "domain/currency.h"

#include <apr_strings.h>
#include <string.h>

static sb_result_t result;

static sb_catalog_t *parse(const char *text)
{
    sb_catalog_t *catalog;

    sb_catalog_parse(&catalog, &result, text, strlen(text), sb_unit_pool);
    return catalog;
}

/* Text with ' for ", so that the tables below stay readable. */
static const char *quoted(const char *text)
{
    char *copy = apr_pstrdup(sb_unit_pool, text);

    for (char *p = copy; *p; p++) {
        if (*p == '\'') {
            *p = '"';
        }
    }
    return copy;
}

static sb_catalog_t *parse_good(const char *text)
{
    sb_catalog_t *catalog = parse(quoted(text));

    ck_assert_msg(catalog != NULL, "%s (%s)", result.message,
                  result.hint ? result.hint : "");
    ck_assert_int_eq(result.status, SB_OK);
    return catalog;
}

#define PRICE                                                                            \
    "'prices':[{'interval':'month','currency':'eur','amount':299,'lookup_key':'k'}]"

/* A plan around the given members. */
static const char *one_plan(const char *members)
{
    return apr_pstrcat(sb_unit_pool, "{'plans':[{'plan':'basic','name':'Basic',", members,
                       "}]}", NULL);
}

/* One price around the given members. */
static const char *one_price(const char *members)
{
    return one_plan(apr_pstrcat(sb_unit_pool, "'prices':[{", members, "}]", NULL));
}

/* M1: the demo's own catalogue and what the pages and gates ask of it. */
START_TEST(test_the_demo_catalogue_is_read_completely)
{
    apr_size_t length;
    const char *text = sb_unit_file("conf/examples/demo/catalog.json", &length);
    sb_catalog_t *catalog;

    ck_assert_ptr_nonnull(text);
    ck_assert_msg(sb_catalog_parse(&catalog, &result, text, length, sb_unit_pool) ==
                      SB_OK,
                  "%s", result.message);
    ck_assert_int_eq(catalog->plans_n, 4);
    ck_assert(catalog->checkout.promotion_codes);
    ck_assert_str_eq(catalog->checkout.billing_address_collection, "auto");
    ck_assert_str_eq(catalog->default_price->lookup_key, "basic_monthly");

    const sb_catalog_plan_t *pro = sb_catalog_plan(catalog, "pro");
    ck_assert_str_eq(sb_catalog_text(&pro->name, "de"), "Profi");
    ck_assert_str_eq(sb_catalog_text(&pro->name, "de-AT"), "Profi");
    ck_assert_str_eq(sb_catalog_text(&pro->name, "DE"), "Profi");
    ck_assert_str_eq(sb_catalog_text(&pro->name, "fr"), "Pro");
    ck_assert_str_eq(sb_catalog_text(&pro->name, NULL), "Pro");
    ck_assert_int_eq(pro->features_n, 3);
    ck_assert_str_eq(pro->entitlements[0], "downloads");
    ck_assert_ptr_nonnull(strstr(pro->entitlements_text, "downloads"));
    ck_assert_str_eq(catalog->plans[0].entitlements_text, "");
    ck_assert_str_eq(pro->prices[1].currency, "eur");
    ck_assert_int_eq(pro->prices[1].amount, 9990);
    ck_assert(sb_catalog_required_mask(catalog, pro) == 0xc);
    ck_assert_ptr_eq(sb_catalog_default_plan(catalog, "membership"), &catalog->plans[0]);
    ck_assert_ptr_null(sb_catalog_default_plan(catalog, "other"));
    ck_assert_ptr_eq(sb_catalog_price_of(pro, "year", "eur"), &pro->prices[1]);
    ck_assert_ptr_eq(sb_catalog_price_of(pro, NULL, NULL), &pro->prices[0]);
    ck_assert_ptr_null(sb_catalog_price_of(pro, "week", NULL));
    ck_assert_ptr_null(sb_catalog_price_of(pro, NULL, "usd"));
    ck_assert_ptr_eq(sb_catalog_price_by_plan_id(catalog, 4), &pro->prices[1]);
    ck_assert_ptr_null(sb_catalog_price_by_plan_id(catalog, 0));
    ck_assert_str_eq(sb_catalog_plan(catalog, "enterprise")->contact,
                     "mailto:sales@example.com");
    ck_assert_ptr_null(sb_catalog_plan(catalog, "PRO"));
    ck_assert_ptr_null(sb_catalog_plan(catalog, NULL));
    ck_assert_ptr_null(sb_catalog_plan_at(catalog, 4));
}
END_TEST

/* A1, A2, A6, A9: forms that real shops use. */
START_TEST(test_what_shops_write_is_taken)
{
    static const char *const good[] = {
        "'free':true",
        "'free':true,'default':true",
        "'early_access':true",
        "'early_access':true,'free':true,'default':true",
        "'free':true,"
        "'prices':[{'interval':'month','currency':'eur','amount':0,'lookup_key':'z'}]",
        "'contact':'mailto:sales@example.com'",
        "'contact':'https://example.com/contact'",
        "'contact':'/contact'",
        PRICE,
        PRICE ",'pause_collection':'closed'",
        PRICE ",'trial_days':730,'hidden':true,'rank':1000000",
        PRICE ",'trial_days':14,'trial_card':'none','pause':true,'seats':true",
        PRICE ",'change':{'upgrade':'period_end','downgrade':'now'},'seats':{'min':2}",
        PRICE ",'limits':{'projects':5,'storage':'5 GB','seats':null,'none':0}",
        PRICE
        ",'features':['One',{'en':'Two','pt-BR':'Dois'}],'entitlements':['a','b.c-d_e']",
        PRICE ",'product':'prod_TBunEYSruZadzC'",
        PRICE ",'product':{'test':'prod_a','live':'prod_b'}",
        PRICE ",'name':'Überblick – „alles“ 🙂'",
    };
    static const char *const prices[] = {
        "'interval':'month','currency':'eur','amount':299,'id':'price_"
        "1SFWy7GDxp57VS6VwVP8wQrT'",
        "'interval':'month','currency':'EUR','amount':299,'id':'price_"
        "1SFX37GDxp57VS6VE0ftgaSj'",
        "'interval':'year','currency':'jpy','amount':12000,'id':{'test':'price_a1','live'"
        ":'price_b1'}",
        "'interval':'year','currency':'jpy','amount':12000,'id':{'live':'price_b1'}",
        "'interval':'month','interval_count':36,'currency':'usd','amount':99999999,'"
        "lookup_key':'k'",
        "'interval':'day','interval_count':1095,'currency':'kwd','amount':1230,'lookup_"
        "key':'k'",
        "'interval':'week','currency':'isk','amount':50000,'lookup_key':'k','plan_id':"
        "2147483647",
        "'interval':'month','currency':'eur','amount':0,'id':'plan_ABC123'",
        "'interval':'month','currency':'eur','amount':1,'id':'price_1xXxABCDEFGH'",
    };

    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        const char *text = strstr(good[i], "'name'")
                               ? apr_pstrcat(sb_unit_pool, "{'plans':[{'plan':'x',",
                                             good[i], "}]}", NULL)
                               : one_plan(good[i]);
        parse_good(text);
    }
    for (size_t i = 0; i < sizeof(prices) / sizeof(prices[0]); i++) {
        parse_good(one_price(prices[i]));
    }
    sb_catalog_t *catalog = parse_good(one_plan("'early_access':true"));
    ck_assert(catalog->plans[0].free && catalog->plans[0].is_default);
}
END_TEST

typedef struct bad_t {
    const char *members;
    const char *path; /* how the message begins */
    const char *word; /* in message or hint */
} bad_t;

static void check_bad(const char *text, const char *path, const char *word)
{
    sb_catalog_t *catalog = parse(quoted(text));

    ck_assert_msg(catalog == NULL, "is taken: %s", text);
    ck_assert_int_eq(result.status, SB_INVALID);
    ck_assert_str_eq(result.code, "bad_catalog");
    ck_assert_msg(strncmp(result.message, path, strlen(path)) == 0,
                  "%s does not start with %s", result.message, path);
    ck_assert_msg(strstr(result.message, word) ||
                      (result.hint && strstr(result.hint, word)),
                  "\"%s\" is not in: %s (%s)", word, result.message,
                  result.hint ? result.hint : "no hint");
}

/* A10, E26: ids that were written to be replaced never reach Stripe. */
START_TEST(test_placeholder_ids_are_refused_with_the_way_to_the_real_one)
{
    static const char *const placeholders[] = {
        "price_XXX",      "price_xxx",  "price_XXXXXXXX",
        "price_...",      "price_1...", "price_premium_monthly",
        "price_1_2",      "price_",     "price_1XXXabc",
        "price_…",        "price_xX",   "plan_XXX",
        "plan_gold_month"};

    for (size_t i = 0; i < sizeof(placeholders) / sizeof(placeholders[0]); i++) {
        const char *members = apr_psprintf(
            sb_unit_pool, "'interval':'month','currency':'eur','amount':299,'id':'%s'",
            placeholders[i]);
        check_bad(one_price(members), "plans[0].prices[0].id: is a placeholder",
                  "Dashboard");
        ck_assert_ptr_nonnull(strstr(result.hint, "Copy the real id"));
    }
    check_bad(
        one_price("'interval':'month','currency':'eur','amount':299,"
                  "'id':{'test':'price_1SFWy7GDxp57VS6VwVP8wQrT','live':'price_XXX'}"),
        "plans[0].prices[0].id.live: is a placeholder", "Dashboard");
    check_bad(one_plan(PRICE ",'product':'prod_XXX'"),
              "plans[0].product: is a placeholder", "product ID");
}
END_TEST

#define EUR "'interval':'month','currency':'eur',"

/* A10: each message begins with the place and says what is meant. */
START_TEST(test_a_wrong_price_is_named_by_its_place)
{
    static const bad_t rows[] = {
        {EUR "'amount':2.99,'lookup_key':'k'",
         "plans[0].prices[0].amount: must be an integer in minor units, e.g. 299 for "
         "2.99",
         "2.99"},
        {EUR "'amount':'2.99','lookup_key':'k'",
         "plans[0].prices[0].amount: ", "found the text \"2.99\""},
        {EUR "'amount':-1,'lookup_key':'k'", "plans[0].prices[0].amount: ", "found -1"},
        {EUR "'amount':100000000,'lookup_key':'k'",
         "plans[0].prices[0].amount: ", "99999999"},
        {EUR "'amount':9223372036854775807,'lookup_key':'k'",
         "plans[0].prices[0].amount: ", "99999999"},
        {EUR "'amount':null,'lookup_key':'k'", "plans[0].prices[0].amount: ", "null"},
        {EUR "'lookup_key':'k'", "plans[0].prices[0].amount: is missing", "299"},
        {"'interval':'month','currency':'kwd','amount':1235,'lookup_key':'k'",
         "plans[0].prices[0].amount: must be a multiple of 10", "kwd"},
        {"'interval':'month','currency':'isk','amount':50,'lookup_key':'k'",
         "plans[0].prices[0].amount: must be a multiple of 100", "isk"},
        {EUR "'amount':299", "plans[0].prices[0]: needs an \"id\" or a \"lookup_key\"",
         "lookup_key"},
        {"'interval':'month','amount':299,'lookup_key':'k'",
         "plans[0].prices[0].currency: is missing", "at the top"},
        {"'interval':'month','currency':'euro','amount':1,'lookup_key':'k'",
         "plans[0].prices[0].currency: ", "ISO 4217"},
        {"'interval':'month','currency':'eru','amount':1,'lookup_key':'k'",
         "plans[0].prices[0].currency: ", "ISO 4217"},
        {"'interval':'month','currency':'€','amount':1,'lookup_key':'k'",
         "plans[0].prices[0].currency: ", "ISO 4217"},
        {"'interval':'month','currency':978,'amount':1,'lookup_key':'k'",
         "plans[0].prices[0].currency: ", "found 978"},
        {"'interval':'monthly','currency':'eur','amount':1,'lookup_key':'k'",
         "plans[0].prices[0].interval: ", "day, week, month, year"},
        {"'currency':'eur','amount':1,'lookup_key':'k'",
         "plans[0].prices[0].interval: is missing", "month"},
        {EUR "'interval_count':0,'amount':1,'lookup_key':'k'",
         "plans[0].prices[0].interval_count: ", "from 1 to 36"},
        {EUR "'interval_count':37,'amount':1,'lookup_key':'k'",
         "plans[0].prices[0].interval_count: ", "from 1 to 36"},
        {"'interval':'year','interval_count':4,'currency':'eur','amount':1,'lookup_key':'"
         "k'",
         "plans[0].prices[0].interval_count: ", "from 1 to 3"},
        {EUR "'amount':1,'lookup_key':''", "plans[0].prices[0].lookup_key: ", "empty"},
        {EUR "'amount':1,'lookup_key':'k','plan_id':0",
         "plans[0].prices[0].plan_id: ", "found 0"},
        {EUR "'amount':1,'lookup_key':'k','plan_id':2147483648",
         "plans[0].prices[0].plan_id: ", "2147483647"},
        {EUR "'amount':1,'lookup_key':'k','plan_id':'1'",
         "plans[0].prices[0].plan_id: ", "found the text"},
        {EUR "'amount':1,'id':'prod_TBunEYSruZadzC'",
         "plans[0].prices[0].id: ", "product's id"},
        {EUR "'amount':1,'id':'1SFWy7GDxp57VS6V'",
         "plans[0].prices[0].id: must be a price's id", "price_"},
        {EUR "'amount':1,'id':'price_1SF-7'",
         "plans[0].prices[0].id: must be a price's id", "price_"},
        {EUR "'amount':1,'id':'PRICE_1SF7'",
         "plans[0].prices[0].id: must be a price's id", "price_"},
        {EUR "'amount':1,'id':7", "plans[0].prices[0].id: must be a text", "found 7"},
        {EUR "'amount':1,'id':{}", "plans[0].prices[0].id: must hold", "live"},
        {EUR "'amount':1,'id':{'prod':'price_1'}",
         "plans[0].prices[0].id.prod: is not a key", "test, live"},
        {EUR "'ammount':1,'lookup_key':'k'", "plans[0].prices[0].ammount: is not a key",
         "Did you mean \"amount\""},
        {EUR "'lookupkey':'k','amount':1",
         "plans[0].prices[0].lookupkey: ", "Did you mean \"lookup_key\""},
        {EUR "'wholly_else':1",
         "plans[0].prices[0].wholly_else: ", "Known here: id, interval"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        check_bad(one_price(rows[i].members), rows[i].path, rows[i].word);
    }
}
END_TEST

/* A10, T27 */
START_TEST(test_a_wrong_plan_is_named_by_its_place)
{
    static const bad_t rows[] = {
        {"'rank':1", "plans[0]: the plan \"basic\" can neither be bought nor asked for",
         "\"prices\""},
        {"'prices':[]", "plans[0]: the plan", "\"contact\""},
        {"'prices':{}", "plans[0].prices: must be a list", "object"},
        {"'prices':[5]", "plans[0].prices[0]: must be an object", "found 5"},
        {PRICE ",'pause_collection':'shut'",
         "plans[0].pause_collection: ", "open, closed"},
        {"'free':'yes'", "plans[0].free: must be true or false",
         "found the text \"yes\""},
        {"'default':true," PRICE, "plans[0].default: only a free plan", "\"free\": true"},
        {"'free':true," PRICE, "plans[0].prices[0].amount: must be 0 in a free plan",
         "299"},
        {"'free':true,'trial_days':14", "plans[0].trial_days: makes no sense", "away"},
        {"'early_access':true," PRICE, "plans[0].prices: must not be given",
         "chargeable"},
        {"'early_access':true,'product':'prod_1'", "plans[0].product: must not be given",
         "chargeable"},
        {"'early_access':true,'free':false,'contact':'/x'", "plans[0].free: contradicts",
         "early_access"},
        {"'early_access':true,'default':false", "plans[0].default: contradicts",
         "early_access"},
        {PRICE ",'trial_days':731",
         "plans[0].trial_days: must be a number of days from 0 to 730", "731"},
        {PRICE ",'trial_days':-1", "plans[0].trial_days: ", "-1"},
        {PRICE ",'trial_card':'maybe'", "plans[0].trial_card: ", "maybe"},
        {PRICE ",'pause':'yes'", "plans[0].pause: ", "yes"},
        {PRICE ",'change':{'upgrade':'later'}", "plans[0].change.upgrade: ", "later"},
        {PRICE ",'change':{'sidegrade':'now'}", "plans[0].change", "sidegrade"},
        {PRICE ",'seats':{'min':5,'max':2}", "plans[0].seats.max: ", "2"},
        {PRICE ",'seats':0", "plans[0].seats", "0"},
        {PRICE ",'trial_days':14.5", "plans[0].trial_days: ", "14.5"},
        {PRICE ",'rank':-1", "plans[0].rank: ", "-1"},
        {PRICE ",'rank':'high'", "plans[0].rank: ", "high"},
        {PRICE ",'group':'My Group'", "plans[0].group: must be lower-case", "My Group"},
        {PRICE ",'group':''", "plans[0].group: must be lower-case", ""},
        {PRICE ",'contact':'javascript:alert(1)'", "plans[0].contact: must be an address",
         "mailto:"},
        {PRICE ",'contact':'//evil.example'", "plans[0].contact: must be an address",
         "mailto:"},
        {PRICE ",'contact':'sales@example.com'", "plans[0].contact: must be an address",
         "mailto:"},
        {PRICE ",'contact':'https:///x'", "plans[0].contact: must be an address",
         "mailto:"},
        {PRICE ",'features':'all'", "plans[0].features: must be a list", "all"},
        {PRICE ",'features':[1]", "plans[0].features[0]: must be a text", "found 1"},
        {PRICE ",'features':['ok',{'en':''}]",
         "plans[0].features[1].en: must not be empty", ""},
        {PRICE ",'features':[{}]", "plans[0].features[0]: must hold one", "languages"},
        {PRICE ",'features':[{'english':'x'}]",
         "plans[0].features[0].english: must be a language", "pt-BR"},
        {PRICE ",'limits':[]", "plans[0].limits: must be an object", "list"},
        {PRICE ",'limits':{'a':-1}", "plans[0].limits.a: ", "Unlimited is written null"},
        {PRICE ",'limits':{'a':1.5}", "plans[0].limits.a: ", "1.5"},
        {PRICE ",'limits':{'A':1}", "plans[0].limits.A: is no name for a limit", ""},
        {PRICE ",'entitlements':['a','a']", "plans[0].entitlements[1]: \"a\" is already",
         ""},
        {PRICE ",'entitlements':['A']", "plans[0].entitlements[0]: must be lower-case",
         "A"},
        {PRICE ",'product':'price_1SFWy7GDxp57VS6V'",
         "plans[0].product: must be a product's id", "prod_"},
        {PRICE ",'trialdays':14", "plans[0].trialdays: is not a key",
         "Did you mean \"trial_days\""},
        {PRICE ",'descripton':'x'",
         "plans[0].descripton: ", "Did you mean \"description\""},
        {PRICE ",'description':'a\\u0000b'", "line 1", "NUL"},
        {PRICE ",'description':'a\\nb'", "plans[0].description: contains a character",
         "Line breaks"},
        {PRICE ",'description':'a\\u202eb'", "plans[0].description: contains a character",
         "text-direction"},
        {PRICE ",'description':'a\\u2066b'", "plans[0].description: contains a character",
         "text-direction"},
        {PRICE ",'description':'a\\u0085b'", "plans[0].description: contains a character",
         "control"},
        {PRICE ",'description':'a\\u007fb'", "plans[0].description: contains a character",
         "control"},
        {PRICE ",'description':'a\\u001bb'", "plans[0].description: contains a character",
         "control"},
    };
    static const bad_t whole[] = {
        {"{'plans':[{'name':'x'}]}", "plans[0].plan: is missing", "basic"},
        {"{'plans':[{'plan':'x'}]}", "plans[0].name: is missing", "buyers"},
        {"{'plans':[{'plan':'any','name':'x'}]}", "plans[0].plan: must not be \"any\"",
         "SubbillGate"},
        {"{'plans':[{'plan':'off','name':'x'}]}", "plans[0].plan: must not be \"off\"",
         "SubbillGate"},
        {"{'plans':[{'plan':'Basic','name':'x'}]}", "plans[0].plan: must be lower-case",
         "Basic"},
        {"{'plans':[{'plan':'-a','name':'x'}]}", "plans[0].plan: must be lower-case",
         "-a"},
        {"{'plans':[{'plan':'entitlement:x','name':'x'}]}",
         "plans[0].plan: must be lower-case", "entitlement:x"},
        {"{'plans':[{'plan':'x','name':5}]}", "plans[0].name: must be a text", "found 5"},
        {"{'plans':[]}", "plans: must be a list of at least one plan", ""},
        {"{}", "plans: must be a list of at least one plan", ""},
        {"{'plans':{}}", "plans: must be a list", "object"},
        {"[]", "must be an object", "list"},
        {"{'plans':[],'plan':1}", "plan: is not a key", "Did you mean \"plans\""},
        {"{'curency':'eur','plans':[]}", "curency: is not a key",
         "Did you mean \"currency\""},
        {"{'version':2,'plans':[]}", "version: must be 1", "found 2"},
        {"{'currency':'xyz','plans':[]}", "currency: must be a currency", "xyz"},
        {"{'usage':'deep','plans':[]}", "usage: must be one of flat", "deep"},
        {"{'checkout':[],'plans':[]}", "checkout: must be an object", "list"},
        {"{'checkout':{'promotion_code':true},'plans':[]}",
         "checkout.promotion_code: ", "promotion_codes"},
        {"{'checkout':{'automatic_tax':1},'plans':[]}",
         "checkout.automatic_tax: must be true", "found 1"},
        {"{'checkout':{'billing_address_collection':'always'},'plans':[]}",
         "checkout.billing_address_collection: ", "auto, required"},
        {"{'checkout':{'consent':{'terms_of_service':true}},'plans':[]}",
         "checkout.consent.terms_of_service: ", "required, none"},
        {"{'checkout':{'consent':{'promotions':'required'}},'plans':[]}",
         "checkout.consent.promotions: ", "auto, none"},
        {"{'checkout':{'locale':'german'},'plans':[]}", "checkout.locale: ", "auto"},
        {"{'plans':[", "line 1", "ends too early"},
        {"", "the text is empty", ""},
        {"{'plans':[],'plans':[]}", "line 1", "twice"},
        {"[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]", "the text nests deeper than 16", ""},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        check_bad(one_plan(rows[i].members), rows[i].path, rows[i].word);
    }
    for (size_t i = 0; i < sizeof(whole) / sizeof(whole[0]); i++) {
        check_bad(whole[i].members, whole[i].path, whole[i].word);
    }
    const char *long_name =
        apr_psprintf(sb_unit_pool, "{'plans':[{'plan':'x','name':'%0121d'}]}", 0);
    check_bad(long_name, "plans[0].name: must be at most 120 bytes", "121");
    const char *long_key =
        apr_psprintf(sb_unit_pool, "{'plans':[{'plan':'%065d','name':'x'}]}", 0);
    check_bad(long_key, "plans[0].plan: must be lower-case", "64");
}
END_TEST

static const char *two_plans(const char *first, const char *second)
{
    return apr_psprintf(sb_unit_pool,
                        "{'currency':'eur','plans':[{'name':'A',%s},{'name':'B',%s}]}",
                        first, second);
}

#define P(more) "'prices':[{'interval':'month','amount':1," more "}]"

/* A10: what only shows between two values names both places. */
START_TEST(test_things_used_twice_are_named_with_both_places)
{
    static const struct {
        const char *first, *second, *path, *word;
    } rows[] = {
        {"'plan':'a','free':true", "'plan':'a','free':true,'rank':1",
         "plans[1].plan: ", "plans[0].plan"},
        {"'plan':'a','free':true", "'plan':'b','free':true",
         "plans[1].rank: ", "plans[0].rank"},
        {"'plan':'a','free':true,'default':true",
         "'plan':'b','free':true,'default':true,'rank':1",
         "plans[1].default: ", "plans[0].default"},
        {"'plan':'a','free':true,'default':true",
         "'plan':'b','early_access':true,'rank':1",
         "plans[1].early_access: ", "plans[0].default"},
        {"'plan':'a'," P("'id':'price_1'"), "'plan':'b','rank':1," P("'id':'price_1'"),
         "plans[1].prices[0].id: ", "plans[0].prices[0].id"},
        {"'plan':'a'," P("'id':{'test':'price_1','live':'price_2'}"),
         "'plan':'b','rank':1," P("'id':{'live':'price_2'}"),
         "plans[1].prices[0].id: ", "(live)"},
        {"'plan':'a'," P("'lookup_key':'k'"),
         "'plan':'b','rank':1," P("'lookup_key':'k'"),
         "plans[1].prices[0].lookup_key: ", "plans[0].prices[0]"},
        {"'plan':'a'," P("'id':'price_1','plan_id':1"),
         "'plan':'b','rank':1," P("'id':'price_2','plan_id':1"),
         "plans[1].prices[0].plan_id: ", "\"1\""},
        {"'plan':'a','product':'prod_1'," P("'id':'price_1'"),
         "'plan':'b','rank':1,'product':'prod_1'," P("'id':'price_2'"),
         "plans[1].product: ", "leave it out"},
        {"'plan':'a','free':true",
         "'plan':'b','rank':1,'prices':[{'interval':'month','amount':1,'id':'price_1'},{'"
         "interval':'month','amount':2,'id':'price_2'}]",
         "plans[1].prices[1]: ", "per interval and currency"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        check_bad(two_plans(rows[i].first, rows[i].second), rows[i].path, rows[i].word);
    }
    parse_good(two_plans("'plan':'a','free':true,'group':'x'",
                         "'plan':'b','free':true,'group':'y'"));
    parse_good(two_plans("'plan':'a'," P("'id':{'test':'price_1'}"),
                         "'plan':'b','rank':1," P("'id':{'live':'price_1'}")));
    parse_good(two_plans(
        "'plan':'a','free':true",
        "'plan':'b','rank':1,'prices':[{'interval':'month','amount':1,'id':'price_1'},"
        "{'interval':'month','amount':2,'id':'price_2','currency':'usd'},"
        "{'interval':'month','interval_count':3,'amount':2,'id':'price_3'}]"));
}
END_TEST

/* M1: 64 plans are the width of a bitmap. */
START_TEST(test_sixty_four_plans_fit_and_no_more)
{
    for (int n = 64; n <= 65; n++) {
        const char *plans = "";
        for (int i = 0; i < n; i++) {
            plans = apr_psprintf(sb_unit_pool,
                                 "%s%s{'plan':'p%d','name':'P','rank':%d,'free':true}",
                                 plans, i ? "," : "", i, i);
        }
        const char *text = apr_psprintf(sb_unit_pool, "{'plans':[%s]}", plans);
        if (n == 64) {
            sb_catalog_t *catalog = parse_good(text);
            ck_assert(sb_catalog_required_mask(catalog, &catalog->plans[63]) ==
                      (apr_uint64_t)1 << 63);
            ck_assert(sb_catalog_required_mask(catalog, &catalog->plans[0]) ==
                      ~(apr_uint64_t)0);
        }
        else {
            check_bad(text, "plans: must have at most 64", "65");
        }
    }
}
END_TEST

/* B11: what a checkout buys that names nothing. */
START_TEST(test_the_default_price_may_be_named_in_four_ways)
{
    static const char plans[] =
        "'currency':'eur','plans':[{'plan':'a','name':'A','prices':["
        "{'interval':'month','amount':1,'id':{'test':'price_t1','live':'price_l1'},'"
        "lookup_key':'k1'},"
        "{'interval':'year','amount':2,'id':'price_2'}]}]}";
    static const struct {
        const char *text;
        int position; /* -1: refused */
    } rows[] = {
        {"'price_t1'", 0},
        {"'price_l1'", 0},
        {"'price_2'", 1},
        {"'k1'", 0},
        {"{'test':'price_t1','live':'price_l1'}", 0},
        {"{'live':'price_l1'}", 0},
        {"{'plan':'a'}", 0},
        {"{'plan':'a','interval':'year'}", 1},
        {"{'plan':'a','interval':'month','currency':'eur'}", 0},
        {"{'test':'price_l1'}", -1},
        {"{'test':'price_t1','live':'price_2'}", -1},
        {"'price_3'", -1},
        {"'price_XXX'", -1},
        {"{'plan':'a','interval':'week'}", -1},
        {"{'plan':'b'}", -1},
        {"{'plan':'a','intervall':'year'}", -1},
        {"5", -1},
        {"null", -1},
        {"{}", -1},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *text =
            apr_psprintf(sb_unit_pool, "{'default_price':%s,%s", rows[i].text, plans);
        if (rows[i].position >= 0) {
            ck_assert_int_eq(parse_good(text)->default_price->position, rows[i].position);
        }
        else {
            check_bad(text, "default_price", "");
        }
    }
}
END_TEST

/* T07: a price maps to its plan by the nearest clue, in its own mode, else to nothing. */
START_TEST(test_a_price_maps_by_the_nearest_clue)
{
    sb_catalog_t *catalog = parse_good(
        "{'currency':'eur','plans':["
        "{'plan':'a','name':'A','product':'prod_A','prices':["
        "{'interval':'month','amount':1,'id':{'test':'price_t1','live':'price_l1'},'"
        "lookup_key':'ka'}]},"
        "{'plan':'b','name':'B','rank':1,'product':{'live':'prod_B'},'prices':["
        "{'interval':'month','amount':1,'id':'price_2','lookup_key':'kb'}]}]}");
    static const struct {
        sb_plan_clues_t clues;
        bool livemode;
        int plan;
    } rows[] = {
        {{.price = "price_t1"}, false, 0},
        {{.price = "price_t1"}, true, -1},
        {{.price = "price_l1"}, true, 0},
        {{.price = "price_2"}, true, 1},
        {{.price = "price_9"}, false, -1},
        {{.price = "price_9", .lookup_key = "kb"}, false, 1},
        {{.price = "price_t1", .lookup_key = "kb"}, false, 0},
        {{.price = "price_9", .remembered = "a"}, false, 0},
        {{.price = "price_9", .remembered = "gone", .product = "prod_A"}, false, 0},
        {{.price = "price_9", .remembered = "b", .product = "prod_A"}, false, 1},
        {{.price = "price_9", .product = "prod_B"}, false, -1},
        {{.price = "price_9", .product = "prod_B"}, true, 1},
        {{.price = "price_9", .metadata_plan = "b"}, false, 1},
        {{.price = "price_9", .product = "prod_A", .metadata_plan = "b"}, false, 0},
        {{.price = "price_9", .metadata_plan = "x"}, false, -1},
        {{.price = NULL}, false, -1},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        ck_assert_msg(sb_catalog_map(catalog, rows[i].livemode, &rows[i].clues) ==
                          rows[i].plan,
                      "row %d", (int)i);
    }
    ck_assert_str_eq(sb_catalog_price_id(&catalog->plans[0].prices[0], true), "price_l1");
    ck_assert_str_eq(sb_catalog_price_id(&catalog->plans[0].prices[0], false),
                     "price_t1");
}
END_TEST

/* A8 */
START_TEST(test_currencies_are_known_and_counted_as_stripe_counts)
{
    ck_assert(sb_currency_known("eur") && sb_currency_known("aed") &&
              sb_currency_known("zwg"));
    ck_assert(!sb_currency_known("EUR") && !sb_currency_known("eu") &&
              !sb_currency_known("xyz"));
    ck_assert(!sb_currency_known("d a") && !sb_currency_known("") &&
              !sb_currency_known("ed "));
    ck_assert(!sb_currency_known("eda")); /* across two codes */
    ck_assert_int_eq(sb_currency_step("eur"), 1);
    ck_assert_int_eq(sb_currency_step("jpy"), 1);
    ck_assert_int_eq(sb_currency_step("kwd"), 10);
    ck_assert_int_eq(sb_currency_step("ugx"), 100);
}
END_TEST

/* T43: a message about a hostile value is one harmless line. */
START_TEST(test_messages_do_not_repeat_control_bytes)
{
    const char *text =
        "{\"plans\":[{\"plan\":\"x\",\"name\":\"x\",\"\\u001b[2J\\r\\n\\u202e\":1}]}";

    ck_assert_ptr_null(parse(text));
    for (const char *p = result.message; *p; p++) {
        ck_assert_int_ge((unsigned char)*p, 0x20);
    }
    ck_assert_ptr_null(strstr(result.message, "\xe2\x80\xae"));
}
END_TEST

Suite *catalog_suite(void)
{
    Suite *suite = suite_create("catalog");
    TCase *tcase = sb_unit_case("catalog");

    tcase_add_test(tcase, test_the_demo_catalogue_is_read_completely);
    tcase_add_test(tcase, test_what_shops_write_is_taken);
    tcase_add_test(tcase, test_placeholder_ids_are_refused_with_the_way_to_the_real_one);
    tcase_add_test(tcase, test_a_wrong_price_is_named_by_its_place);
    tcase_add_test(tcase, test_a_wrong_plan_is_named_by_its_place);
    tcase_add_test(tcase, test_things_used_twice_are_named_with_both_places);
    tcase_add_test(tcase, test_sixty_four_plans_fit_and_no_more);
    tcase_add_test(tcase, test_the_default_price_may_be_named_in_four_ways);
    tcase_add_test(tcase, test_a_price_maps_by_the_nearest_clue);
    tcase_add_test(tcase, test_currencies_are_known_and_counted_as_stripe_counts);
    tcase_add_test(tcase, test_messages_do_not_repeat_control_bytes);
    suite_add_tcase(suite, tcase);
    return suite;
}
