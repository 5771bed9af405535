/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "service_fixture.h"

#include "base/clock.h"
#include "base/crypto.h"

#include <apr_strings.h>
#include <check.h>
#include <stdarg.h>
#include <string.h>

service_fixture_t sv;

static const char catalog_text[] =
    "{'currency':'eur','default_price':'" PRICE_BASIC "','plans':["
    "{'plan':'free','name':'Free','group':'m','rank':0,'free':true,'default':true},"
    "{'plan':'basic','name':{'en':'Basic','de':'Basis'},'group':'m','rank':10,"
    " 'trial_days':14,'product':'prod_TBasic0001','entitlements':['read'],"
    " 'limits':{'projects':3,'storage':'5 GB','seats':null},"
    " 'prices':[{'interval':'month','amount':900,'id':'" PRICE_BASIC "',"
    "            'lookup_key':'basic_monthly','plan_id':1},"
    "           {'interval':'year','amount':9000,'lookup_key':'basic_yearly'}]},"
    "{'plan':'pro','name':'Pro','group':'m','rank':20,'entitlements':['read','write'],"
    " 'prices':[{'interval':'month','amount':2900,'id':'" PRICE_PRO "','plan_id':4}]},"
    "{'plan':'big','name':'Big','group':'m','rank':30,'contact':'mailto:a@example.com'}"
    "]}";

void service_setup(void)
{
    store_setup();
    sv = (service_fixture_t){.outcome = {.secret = -1}};
    sv.secrets = apr_array_make(store.pool, 1, sizeof(const char *));
    APR_ARRAY_PUSH(sv.secrets, const char *) = SERVICE_SECRET;
}

bool service_on(int dialect)
{
    return store_open_migrated(dialect);
}

void service_teardown(void)
{
    if (sv.server) {
        scripted_server_stop(sv.server);
    }
    store_teardown();
}

const char *service_json(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    char *text = apr_pvsprintf(store.pool, format, args);
    va_end(args);
    for (char *c = text; *c; c++) {
        *c = *c == '\'' ? '"' : *c;
    }
    return text;
}

scripted_answer_t service_answer(int status, const char *json)
{
    return (scripted_answer_t){.bytes =
                                   scripted_json(status, "Connection: close\r\n",
                                                 service_json("%s", json), store.pool),
                               .cut = 1};
}

scripted_answer_t service_slower(void)
{
    const char *headers = "Connection: close\r\nStripe-Should-Retry: false\r\n"
                          "Retry-After: 1\r\n";
    const char *body = service_json(
        "{'error':{'type':'invalid_request_error','message':'Too many requests'}}");

    return (scripted_answer_t){.bytes = scripted_json(429, headers, body, store.pool),
                               .cut = 1};
}

scripted_answer_t service_silence(void)
{
    return (scripted_answer_t){.bytes = NULL, .cut = 1};
}

void service_catalog(const char *text)
{
    sb_catalog_t *catalog;

    text = service_json("%s", text);
    ck_assert_msg(
        sb_catalog_parse(&catalog, &sv.result, text, strlen(text), store.pool) == SB_OK,
        "%s", sv.result.message);
    sv.service->catalog = catalog;
}

void service_with(const scripted_answer_t *script, int n)
{
    sb_settings_t *settings = sb_settings_create(store.pool);
    bool open = store.driver || service_on(SB_DIALECT_SQLITE3);
    apr_array_header_t *keys = apr_array_make(store.pool, 1, sizeof(const char *));
    const char *text = service_json("%s", catalog_text);
    sb_catalog_t *catalog;

    ck_assert(open);
    settings->database_driver = store.driver;
    settings->base_url = "https://shop.example";
    APR_ARRAY_PUSH(settings->return_urls, const char *) = "https://app.example";
    if (n) {
        sv.server = scripted_server_start(script, n);
        settings->stripe_api = scripted_server_url(sv.server);
        APR_ARRAY_PUSH(keys, const char *) = "sk_test_canaryService";
    }
    ck_assert_msg(
        sb_catalog_parse(&catalog, &sv.result, text, strlen(text), store.pool) == SB_OK,
        "%s", sv.result.message);
    const sb_service_options_t options = {.settings = settings,
                                          .catalog = catalog,
                                          .database_params = store.params,
                                          .stripe_keys = keys};
    ck_assert_int_eq(sb_service_create(&sv.service, &sv.result, &options, store.pool),
                     SB_OK);
}

const char *service_subscription(const char *id, const char *customer, const char *user,
                                 const char *status, const char *price)
{
    apr_int64_t now = sb_clock_now();
    const char *stamp = user ? apr_psprintf(store.pool, "'subbill_user':'%s'", user) : "";

    return service_json(
        "{'id':'%s','object':'subscription','customer':'%s','status':'%s','livemode':"
        "false,"
        "'created':%" APR_INT64_T_FMT ",'cancel_at_period_end':false,'metadata':{%s},"
        "'currency':'eur','items':{'object':'list','data':[{'id':'si_%s',"
        "'object':'subscription_item','quantity':1,'current_period_start':"
        "%" APR_INT64_T_FMT ",'current_period_end':%" APR_INT64_T_FMT
        ",'price':{'id':'%s','object':'price',"
        "'currency':'eur','unit_amount':900,'product':'prod_X','livemode':false,"
        "'active':true,'recurring':{'interval':'month','interval_count':1}}}]}}",
        id, customer, status, now - 100, stamp, id, now - 100, now + 2592000, price);
}

const char *service_event(const char *id, const char *type, int created,
                          const char *object)
{
    return service_json(
        "{'id':'%s','object':'event','type':'%s','created':%" APR_INT64_T_FMT
        ",'livemode':false,'api_version':'2026-10-28.endive',"
        "'data':{'object':%s}}",
        id, type, sb_clock_now() + created, object);
}

scripted_answer_t service_page(bool more, int n, ...)
{
    const char *objects = "";
    va_list args;

    va_start(args, n);
    for (int i = 0; i < n; i++) {
        objects = apr_pstrcat(store.pool, objects, i ? "," : "",
                              va_arg(args, const char *), NULL);
    }
    va_end(args);
    return service_answer(
        200, apr_psprintf(store.pool,
                          "{'object':'list','url':'/v1/x','has_more':%s,'data':[%s]}",
                          more ? "true" : "false", objects));
}

sb_jobs_run_t service_steps(int max)
{
    sb_jobs_run_t run = {.max = max};

    ck_assert_msg(sb_jobs_run(&run, &sv.result, sv.service, store.pool) == SB_OK, "%s",
                  sv.result.code);
    return run;
}

static const char *signature(const char *body)
{
    char digest[SB_HMAC_HEX_LENGTH + 1];
    const char *time = apr_psprintf(store.pool, "%" APR_INT64_T_FMT, sb_clock_now());
    const void *parts[] = {time, ".", body};
    const apr_size_t lengths[] = {strlen(time), 1, strlen(body)};

    ck_assert(sb_hmac_sha256_hex(digest, SERVICE_SECRET, strlen(SERVICE_SECRET), parts,
                                 lengths, 3));
    return apr_psprintf(store.pool, "t=%s,v1=%s", time, digest);
}

const char *service_deliver(const char *event)
{
    sb_status_e status =
        sb_ingest_webhook(&sv.outcome, &sv.result, sv.service, signature(event), event,
                          strlen(event), sv.secrets, store.pool);

    ck_assert_msg(status == SB_OK, "%s: %s", sv.result.code, store_log());
    return sv.outcome.state;
}

sb_jobs_run_t service_work(void)
{
    sb_jobs_run_t run = {.max = 0};

    ck_assert_msg(sb_jobs_run(&run, &sv.result, sv.service, store.pool) == SB_OK,
                  "%s: %s", sv.result.code, store_log());
    return run;
}

void service_jobs_due(void)
{
    store_admin("UPDATE job SET run_at = 0, lease_until = 0");
    store_admin_close();
}

const char *service_count(const char *where)
{
    const char *value =
        store_admin_value(apr_pstrcat(store.pool, "SELECT COUNT(*) FROM ", where, NULL));

    store_admin_close();
    return value;
}

const char *service_gate(const char *user, const char *plan)
{
    sb_requirement_t requirement;
    sb_snapshot_t *snapshot;

    ck_assert_int_eq(sb_requirement_parse(&requirement, &sv.result, sv.service->catalog,
                                          1, &plan, store.pool),
                     SB_OK);
    ck_assert_msg(sb_access_load(&snapshot, &sv.result, sv.service, user, 1000,
                                 store.pool) == SB_OK,
                  "%s", store_log());
    return sb_reason_word(sb_entitlement_decide(sv.service->catalog, snapshot,
                                                &requirement, sb_clock_now(), 0)
                              .reason);
}
