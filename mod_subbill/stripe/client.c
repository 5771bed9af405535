/* Licensed under the Apache License, Version 2.0; see LICENSE. */
/* One call is a bounded loop of tries on one borrowed handle: send, judge, pause, send
 * again with the same Idempotency-Key, until there is an answer worth having, the tries
 * are used up, or the time is. A 401 moves to the next key without costing a try: keys
 * are rotated by listing the new one beside the old one (A21), and the index that
 * worked last is where the next call starts.
 *
 * The circuit breaker hears one report per call. Only silence, 5xx and rubbish count
 * against Stripe; a refusal is an answer. A 5xx that Stripe replays for an old idempotency
 * key tells nothing about now: it is neither tried again nor counted. */
#include "stripe/client.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "base/log.h"
#include "stripe/answer.h"
#include "stripe/breaker.h"

#include <apr_general.h>
#include <apr_strings.h>
#include <string.h>

#define RETRIES             2
#define TOTAL_MS            10000
#define BREAKER_CALLS       5
#define BREAKER_OPEN_MS     15000
#define PAUSE_FIRST_MS      500
#define PAUSE_MAX_MS        5000
#define RATE_PAUSE_MS       1000 /* after a 429 that names no time */
#define RETRY_AFTER_WORTH_S 2    /* a thread waits this long, not longer */
#define TRY_LEAST_MS        1000 /* less time left than this: not worth another try */
#define SLEEP_SLICE_MS      200  /* how soon a pause notices that httpd stops */

struct sb_stripe_t {
    sb_http_t *http;
    const char *api;
    const char **keys;
    int keys_n;
    int key; /* index of the one in use; atomic */
    int retries;
    int total_ms;
    sb_breaker_t *breaker;
    void (*sleep)(void *baton, apr_interval_time_t pause);
    void *sleep_baton;
};

typedef struct call_t {
    sb_stripe_t *stripe;
    const char *method;
    const char *path;
    const char *url;
    const char *body; /* NULL: none */
    const char *idempotency_key;
    apr_time_t deadline; /* monotonic */
    int retries;
    apr_pool_t *pool;
    bool failing; /* a try was left without an answer or got a 5xx that is not a replay */
    sb_http_failure_e failure; /* of the last try */
    sb_http_response_t response;
} call_t;

static void sleep_watching(void *baton, apr_interval_time_t pause)
{
    const sb_stripe_t *stripe = baton;

    while (pause > 0 && !sb_http_stopping(stripe->http)) {
        apr_interval_time_t slice = apr_time_from_msec(SLEEP_SLICE_MS);
        slice = pause < slice ? pause : slice;
        apr_sleep(slice);
        pause -= slice;
    }
}

apr_status_t sb_stripe_create(sb_stripe_t **stripe, const sb_stripe_options_t *options,
                              apr_pool_t *pool)
{
    sb_stripe_t *created = apr_pcalloc(pool, sizeof(*created));
    char *api = apr_pstrdup(pool, options->api ? options->api : SB_STRIPE_API);

    if (options->keys_n < 1 || sb_http_base_check(api)) {
        return APR_EINVAL;
    }
    if (api[strlen(api) - 1] == '/') {
        api[strlen(api) - 1] = '\0';
    }
    *created = (sb_stripe_t){
        .http = options->http,
        .api = api,
        .keys = apr_pcalloc(pool, (apr_size_t)options->keys_n * sizeof(char *)),
        .keys_n = options->keys_n,
        .retries = options->retries > 0    ? options->retries
                   : options->retries == 0 ? RETRIES
                                           : 0,
        .total_ms = options->total_ms ? options->total_ms : TOTAL_MS,
        .sleep = options->sleep ? options->sleep : sleep_watching,
        .sleep_baton = options->sleep ? options->sleep_baton : created,
    };
    for (int i = 0; i < options->keys_n; i++) {
        created->keys[i] = apr_pstrdup(pool, options->keys[i]);
    }
    *stripe = created;
    return sb_breaker_create(
        &created->breaker,
        options->breaker_calls ? options->breaker_calls : BREAKER_CALLS,
        apr_time_from_msec(options->breaker_open_ms ? options->breaker_open_ms
                                                    : BREAKER_OPEN_MS),
        pool);
}

const char *sb_stripe_path(sb_result_t *result, const char *prefix, const char *id,
                           apr_pool_t *pool)
{
    if (!sb_stripe_id_valid(id)) {
        sb_result_set(result, SB_INVALID, "bad_id", "This is not an id of Stripe's.",
                      NULL);
        return NULL;
    }
    return apr_pstrcat(pool, prefix, id, NULL);
}

sb_stripe_t *sb_stripe_hurried(const sb_stripe_t *stripe, int total_ms, apr_pool_t *pool)
{
    sb_stripe_t *copy = apr_pmemdup(pool, stripe, sizeof(*stripe));

    copy->key = __atomic_load_n(&stripe->key, __ATOMIC_RELAXED);
    copy->retries = 0;
    copy->total_ms = total_ms;
    return copy;
}

static bool path_valid(const char *path)
{
    static const char allowed[] =
        "/_abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

    return strncmp(path, "/v1/", 4) == 0 && strspn(path, allowed) == strlen(path);
}

static bool idempotency_key_valid(const char *key)
{
    apr_size_t length = strlen(key);

    for (apr_size_t i = 0; i < length; i++) {
        if (key[i] <= ' ' || key[i] > '~') {
            return false;
        }
    }
    return length > 0 && length <= 255;
}

/* Fills call from the arguments; false when they break the rules. */
static bool call_prepare(call_t *call, const sb_form_t *params,
                         const char *idempotency_key)
{
    bool post = strcmp(call->method, "POST") == 0;
    const char *encoded = params ? sb_form_encode(params, call->pool) : "";

    if (!path_valid(call->path)) {
        return false;
    }
    call->url = apr_pstrcat(call->pool, call->stripe->api, call->path,
                            !post && *encoded ? "?" : "", post ? "" : encoded, NULL);
    if (!post) {
        return !idempotency_key &&
               (strcmp(call->method, "GET") == 0 || strcmp(call->method, "DELETE") == 0);
    }
    call->body = encoded;
    call->idempotency_key =
        idempotency_key ? idempotency_key : sb_random_hex(16, call->pool);
    return call->idempotency_key && idempotency_key_valid(call->idempotency_key);
}

static int left_ms(const call_t *call)
{
    apr_interval_time_t left = call->deadline - sb_clock_monotonic();

    return left > 0 ? (int)apr_time_as_msec(left) : 0;
}

/* One request and one answer, logged. */
static void call_try(call_t *call, sb_http_handle_t *handle, int key)
{
    sb_stripe_t *stripe = call->stripe;
    sb_http_header_t headers[] = {
        {"Authorization", apr_pstrcat(call->pool, "Bearer ", stripe->keys[key], NULL)},
        {"Stripe-Version", SB_STRIPE_VERSION},
        {"Accept", "application/json"},
        {"Idempotency-Key", call->idempotency_key}};
    sb_http_request_t request = {.method = call->method,
                                 .url = call->url,
                                 .headers = headers,
                                 .headers_n = call->idempotency_key ? 4 : 3,
                                 .body = call->body,
                                 .length = call->body ? strlen(call->body) : 0,
                                 .timeout_ms = left_ms(call) + 1};
    apr_time_t start = sb_clock_monotonic();

    call->failure = sb_http_send(&call->response, handle, &request, call->pool);
    int took = (int)apr_time_as_msec(sb_clock_monotonic() - start);
    if (call->failure == SB_HTTP_DONE) {
        const sb_http_response_t *response = &call->response;
        sb_log(SB_LOG_INFO, 0, "SB301", "stripe %s %s %d %s in %d ms%s", call->method,
               call->path, response->status,
               response->request_id ? response->request_id : "without request id", took,
               response->idempotent_replayed ? " (replayed)" : "");
    }
    else {
        sb_log(SB_LOG_INFO, 0, "SB302", "stripe %s %s: no answer after %d ms: %s",
               call->method, call->path, took, call->response.detail);
    }
}

/* The next key after a 401, or -1 when this call has tried all. */
static int next_key(call_t *call, int key, int refused)
{
    sb_stripe_t *stripe = call->stripe;
    int next = (key + 1) % stripe->keys_n;

    sb_log(SB_LOG_ERROR, 0, "SB303",
           "Stripe refuses key number %d of the %d that SubbillStripeKey lists "
           "(request %s); %s",
           key + 1, stripe->keys_n,
           call->response.request_id ? call->response.request_id : "unknown",
           refused < stripe->keys_n ? "the next one is tried"
                                    : "there is no other; nothing can be sold");
    __atomic_store_n(&stripe->key, next, __ATOMIC_RELAXED);
    return refused < stripe->keys_n ? next : -1;
}

/* A random part of pause, between half of it and all of it, so that threads that failed
 * together do not come back together. */
static apr_interval_time_t jittered(int pause_ms)
{
    unsigned int random = 0;

    if (apr_generate_random_bytes((unsigned char *)&random, sizeof(random)) !=
        APR_SUCCESS) {
        random = 0;
    }
    return apr_time_from_msec(pause_ms / 2 +
                              (int)(random % (unsigned int)(pause_ms / 2 + 1)));
}

/* How long to wait before try number n + 1; -1: do not try again. */
static apr_interval_time_t pause_before_retry(const call_t *call, int n)
{
    int asked =
        call->failure == SB_HTTP_DONE ? sb_stripe_answer_retry_after(&call->response) : 0;
    int pause_ms = PAUSE_FIRST_MS << (n < 4 ? n : 4);

    if (n >= call->retries ||
        !sb_stripe_answer_may_retry(call->failure, &call->response) ||
        asked > RETRY_AFTER_WORTH_S) {
        return -1;
    }
    pause_ms = pause_ms < PAUSE_MAX_MS ? pause_ms : PAUSE_MAX_MS;
    if (call->response.status == 429 && pause_ms < 2 * RATE_PAUSE_MS) {
        pause_ms = 2 * RATE_PAUSE_MS;
    }
    apr_interval_time_t pause = jittered(pause_ms);
    if (pause < apr_time_from_sec(asked)) {
        pause = apr_time_from_sec(asked);
    }
    return apr_time_as_msec(pause) + TRY_LEAST_MS <= left_ms(call) ? pause : -1;
}

static bool replayed_failure(const call_t *call)
{
    return call->failure == SB_HTTP_DONE && call->response.status >= 500 &&
           call->response.idempotent_replayed;
}

static void call_run(call_t *call, sb_http_handle_t *handle)
{
    sb_stripe_t *stripe = call->stripe;
    int key = __atomic_load_n(&stripe->key, __ATOMIC_RELAXED);
    int refused = 0;
    int n = 0;

    for (;;) {
        call_try(call, handle, key);
        if (call->failure == SB_HTTP_DONE && call->response.status == 401) {
            key = next_key(call, key, ++refused);
            if (key < 0) {
                return;
            }
            continue;
        }
        if (replayed_failure(call)) {
            return;
        }
        call->failing |= call->failure != SB_HTTP_DONE || call->response.status >= 500;
        apr_interval_time_t pause = pause_before_retry(call, n++);
        if (pause < 0 || sb_http_stopping(stripe->http)) {
            return;
        }
        stripe->sleep(stripe->sleep_baton, pause);
    }
}

/* Failures that an administrator must act on are errors; what buyers and outages bring
 * about is not. */
static void log_failure(const call_t *call, const sb_result_t *result,
                        const json_t *error)
{
    const char *id = call->response.request_id ? call->response.request_id : "-";

    if (call->failure != SB_HTTP_DONE) {
        sb_log_limited(SB_LOG_WARNING, 0, "SB304", "stripe %s %s failed: %s",
                       call->method, call->path,
                       call->response.detail ? call->response.detail : "");
        return;
    }
    if (!error) {
        sb_log_limited(SB_LOG_WARNING, 0, "SB305",
                       "stripe %s %s: the answer %d (%s, %" APR_SIZE_T_FMT
                       " bytes, request %s) is not one of Stripe's; is SubbillStripeAPI "
                       "right, is a proxy in between?",
                       call->method, call->path, call->response.status,
                       call->response.content_type ? call->response.content_type
                                                   : "no type",
                       call->response.length, id);
        return;
    }
    bool expected = result->status == SB_NOT_FOUND || result->status == SB_INVALID;
    sb_log(expected                           ? SB_LOG_INFO
           : result->status == SB_UNAVAILABLE ? SB_LOG_WARNING
                                              : SB_LOG_ERROR,
           0, "SB306", "stripe %s %s %d %s: %s", call->method, call->path,
           call->response.status, id, sb_stripe_answer_words(error, call->pool));
}

static sb_breaker_outcome_e outcome_of(const call_t *call, const sb_result_t *result)
{
    switch (call->failure) {
    case SB_HTTP_BUSY:
    case SB_HTTP_STOPPING:
    case SB_HTTP_BAD_REQUEST:
        return SB_BREAKER_UNKNOWN;
    case SB_HTTP_DONE:
        break;
    default:
        return SB_BREAKER_FAILURE;
    }
    if (replayed_failure(call) && !call->failing) {
        return SB_BREAKER_UNKNOWN;
    }
    bool rubbish = result->code && strcmp(result->code, "stripe_bad_answer") == 0;
    return call->response.status >= 500 || rubbish ? SB_BREAKER_FAILURE
                                                   : SB_BREAKER_SUCCESS;
}

static void report(sb_stripe_t *stripe, sb_breaker_verdict_e verdict,
                   sb_breaker_outcome_e outcome)
{
    switch (sb_breaker_report(stripe->breaker, verdict, outcome)) {
    case SB_BREAKER_OPENED:
        sb_log(
            SB_LOG_ERROR, 0, "SB307",
            "Stripe (%s) failed several times in a row; calls are refused at once until "
            "a probe succeeds",
            stripe->api);
        break;
    case SB_BREAKER_CLOSED:
        sb_log(SB_LOG_NOTICE, 0, "SB308", "Stripe (%s) answers again", stripe->api);
        break;
    case SB_BREAKER_SAME:
        break;
    }
}

/* A call whose circuit is closed, or the probe: borrows a handle, runs, judges. */
static sb_status_e call_judged(json_t **out, sb_result_t *result, call_t *call)
{
    sb_http_handle_t *handle = NULL;

    call->failure = sb_http_borrow(&handle, call->stripe->http);
    if (call->failure != SB_HTTP_DONE) {
        sb_log_limited(SB_LOG_WARNING, 0, "SB309", "stripe %s %s: not sent: %s",
                       call->method, call->path,
                       call->failure == SB_HTTP_BUSY
                           ? "all threads that may wait for Stripe are waiting"
                           : "the server is stopping");
        return sb_stripe_answer_missing(result, call->failure);
    }
    call_run(call, handle);
    sb_http_release(handle);
    if (call->failure == SB_HTTP_DONE) {
        sb_status_e status =
            sb_stripe_answer_read(out, result, &call->response, call->pool);
        if (status != SB_OK) {
            log_failure(call, result, *out);
        }
        return status;
    }
    sb_status_e status = sb_stripe_answer_missing(result, call->failure);
    log_failure(call, result, NULL);
    return status;
}

sb_status_e sb_stripe_call(json_t **out, sb_result_t *result, sb_stripe_t *stripe,
                           const char *method, const char *path, const sb_form_t *params,
                           const char *idempotency_key, apr_pool_t *pool)
{
    call_t call = {.stripe = stripe, .method = method, .path = path, .pool = pool};
    sb_result_t judged = {.status = SB_OK};
    int retry_after = 0;

    *out = NULL;
    call.deadline = sb_clock_monotonic() + apr_time_from_msec(stripe->total_ms);
    if (!call_prepare(&call, params, idempotency_key)) {
        sb_log(
            SB_LOG_ERROR, 0, "SB310",
            "a call of Stripe's API was not sent because its path, method or idempotency "
            "key is malformed");
        return sb_stripe_answer_missing(result, SB_HTTP_BAD_REQUEST);
    }
    sb_breaker_verdict_e verdict = sb_breaker_ask(stripe->breaker, &retry_after);
    if (verdict == SB_BREAKER_OPEN) {
        sb_status_e status = sb_stripe_answer_missing(result, SB_HTTP_UNREACHABLE);
        if (result) {
            result->retry_after = retry_after;
        }
        return status;
    }
    call.retries = verdict == SB_BREAKER_PROBE ? 0 : stripe->retries;
    sb_status_e status = call_judged(out, &judged, &call);
    report(stripe, verdict, outcome_of(&call, &judged));
    if (result && status != SB_OK) {
        *result = judged;
    }
    return status;
}

bool sb_stripe_key_spent(sb_status_e status, const json_t *error)
{
    const char *code = sb_json_text(error, "code");

    if (!error) {
        return status != SB_UNAVAILABLE;
    }
    return !code || (strcmp(code, "idempotency_key_in_use") != 0 &&
                     strcmp(code, "lock_timeout") != 0);
}

bool sb_stripe_refused(sb_status_e status, const json_t *error)
{
    return error && status != SB_UNAVAILABLE && sb_stripe_key_spent(status, error);
}

sb_status_e sb_stripe_call_for(json_t **out, sb_result_t *result, sb_stripe_t *stripe,
                               const char *kind, const char *method, const char *path,
                               const sb_form_t *params, const char *idempotency_key,
                               apr_pool_t *pool)
{
    sb_status_e status =
        sb_stripe_call(out, result, stripe, method, path, params, idempotency_key, pool);
    const char *object = status == SB_OK ? sb_json_text(*out, "object") : NULL;

    if (status != SB_OK) {
        return status;
    }
    bool list = strcmp(kind, "list") == 0;
    if (object && strcmp(object, kind) == 0 &&
        (list ? json_is_array(sb_json_get(*out, "data"))
              : sb_stripe_id_valid(sb_json_text(*out, "id")))) {
        return SB_OK;
    }
    *out = NULL;
    sb_log(SB_LOG_ERROR, 0, "SB311", "stripe %s %s: the answer is no %s but %s", method,
           path, kind, object ? object : "something without a kind");
    return sb_result_set(result, SB_UPSTREAM, "stripe_bad_answer",
                         "The payment service gave an answer that makes no sense.",
                         "The site's error log says why.");
}
