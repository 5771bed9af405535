/* Licensed under the Apache License, Version 2.0; see LICENSE. */
/* One table turns HTTP status, error type and error code into our results; the first
 * row that fits wins. A 404 without Stripe's own word for it comes from somewhere else
 * (a wrong base address, a proxy) and must not pass for "this customer is gone", which
 * would make a second one. */
#include "stripe/answer.h"

#include <apr_strings.h>
#include <limits.h>
#include <string.h>

#define RETRY_AFTER_DEFAULT 10   /* seconds, when Stripe names none */
#define RETRY_AFTER_MAX     3600 /* seconds */

/* What keys are made of, and the stars with which Stripe hides their middle. */
#define TOKEN "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_*"

#define SERVICE_DOWN "The payment service cannot be reached at the moment."
#define SERVICE_ODD  "The payment service did not accept the request."
#define TRY_LATER    "Please try again in a few seconds."
#define TELL_ADMIN   "The site's error log says why."

typedef struct rule_t {
    int low; /* HTTP status from … to */
    int high;
    const char *type; /* error.type; NULL: any */
    const char *word; /* error.code; NULL: any */
    sb_status_e status;
    const char *code; /* NULL: Stripe's code, else fallback, else its type */
    const char *fallback;
    const char *message; /* NULL: Stripe's, which it writes for the buyer */
    const char *hint;
} rule_t;

static const rule_t rules[] = {
    {.low = 400,
     .high = 404,
     .word = "resource_missing",
     .status = SB_NOT_FOUND,
     .code = "resource_missing",
     .message = "The payment service does not know what was asked for."},
    {.low = 400,
     .high = 499,
     .type = "card_error",
     .status = SB_INVALID,
     .fallback = "card_declined"},
    {.low = 409,
     .high = 409,
     .status = SB_CONFLICT,
     .fallback = "idempotency_key_in_use",
     .message = "The same request is still being worked on.",
     .hint = TRY_LATER},
    {.low = 400,
     .high = 499,
     .type = "idempotency_error",
     .status = SB_CONFLICT,
     .code = "idempotency_error",
     .message = "The same purchase was started twice with different details.",
     .hint = "Please start again."},
    {.low = 401,
     .high = 401,
     .status = SB_UPSTREAM,
     .code = "stripe_key_refused",
     .message = SERVICE_ODD,
     .hint = TELL_ADMIN},
    {.low = 403,
     .high = 403,
     .status = SB_UPSTREAM,
     .code = "stripe_permission",
     .message = SERVICE_ODD,
     .hint = TELL_ADMIN},
    {.low = 404,
     .high = 404,
     .status = SB_UPSTREAM,
     .code = "stripe_bad_answer",
     .message = SERVICE_ODD,
     .hint = TELL_ADMIN},
    {.low = 429,
     .high = 429,
     .status = SB_UNAVAILABLE,
     .fallback = "rate_limit",
     .message = "The payment service has too much to do at the moment.",
     .hint = TRY_LATER},
    {.low = 500,
     .high = 599,
     .status = SB_UNAVAILABLE,
     .code = "stripe_unavailable",
     .message = SERVICE_DOWN,
     .hint = TRY_LATER},
    {.low = 400,
     .high = 499,
     .status = SB_UPSTREAM,
     .message = SERVICE_ODD,
     .hint = TELL_ADMIN},
    {.low = INT_MIN,
     .high =
         INT_MAX, /* 1xx, 3xx and numbers that mean nothing; nothing passes this row */
     .status = SB_UPSTREAM,
     .code = "stripe_bad_answer",
     .message = SERVICE_ODD,
     .hint = TELL_ADMIN},
};

static bool fits(const rule_t *rule, int status, const char *type, const char *word)
{
    return status >= rule->low && status <= rule->high &&
           (!rule->type || (type && strcmp(rule->type, type) == 0)) &&
           (!rule->word || (word && strcmp(rule->word, word) == 0));
}

static apr_status_t json_release(void *json)
{
    json_decref(json);
    return APR_SUCCESS;
}

static json_t *parse(const sb_http_response_t *response, apr_pool_t *pool)
{
    json_t *json = NULL;

    if (!sb_json_parse(&json, NULL, 0, response->body, response->length, SB_JSON_DEPTH)) {
        return NULL;
    }
    apr_pool_cleanup_register(pool, json, json_release, apr_pool_cleanup_null);
    return json;
}

static sb_status_e explain(sb_result_t *result, int status, const json_t *error)
{
    const char *type = sb_json_text(error, "type");
    const char *word = sb_json_text(error, "code");
    const char *message = sb_json_text(error, "message");
    const rule_t *rule = rules;

    while (!fits(rule, status, type, word)) {
        rule++;
    }
    return sb_result_set(result, rule->status,
                         rule->code       ? rule->code
                         : word           ? word
                         : rule->fallback ? rule->fallback
                         : type           ? type
                                          : "stripe_refused",
                         rule->message ? rule->message
                         : message     ? message
                                       : SERVICE_ODD,
                         rule->hint);
}

int sb_stripe_answer_retry_after(const sb_http_response_t *response)
{
    const char *text = response->retry_after;
    apr_int64_t seconds = 0;

    if (!text || strlen(text) > 9 || strspn(text, "0123456789") != strlen(text)) {
        return 0;
    }
    seconds = apr_atoi64(text);
    return seconds > RETRY_AFTER_MAX ? RETRY_AFTER_MAX : (int)seconds;
}

sb_status_e sb_stripe_answer_read(json_t **out, sb_result_t *result,
                                  const sb_http_response_t *response, apr_pool_t *pool)
{
    json_t *json = parse(response, pool);
    bool good = response->status >= 200 && response->status <= 299;

    *out = NULL;
    if (good && json_is_object(json)) {
        *out = json;
        return SB_OK;
    }
    json_t *error = good ? NULL : sb_json_get(json, "error");
    if (json_is_object(error)) {
        *out = error;
    }
    sb_status_e status = explain(result, response->status, *out);
    if (result && status == SB_UNAVAILABLE) {
        int seconds = sb_stripe_answer_retry_after(response);
        result->retry_after = seconds ? seconds : RETRY_AFTER_DEFAULT;
    }
    return status;
}

sb_status_e sb_stripe_answer_missing(sb_result_t *result, sb_http_failure_e failure)
{
    sb_status_e status;

    switch (failure) {
    case SB_HTTP_BUSY:
        status =
            sb_result_set(result, SB_UNAVAILABLE, "stripe_busy",
                          "Too many purchases are under way at the moment.", TRY_LATER);
        break;
    case SB_HTTP_BAD_REQUEST:
        return sb_result_set(result, SB_INTERNAL, "bad_call",
                             "The payment service could not be asked.", TELL_ADMIN);
    case SB_HTTP_TOO_LARGE:
        return sb_result_set(result, SB_UPSTREAM, "stripe_bad_answer", SERVICE_ODD,
                             TELL_ADMIN);
    default:
        status = sb_result_set(result, SB_UNAVAILABLE, "stripe_unavailable", SERVICE_DOWN,
                               TRY_LATER);
        break;
    }
    if (result) {
        result->retry_after = RETRY_AFTER_DEFAULT;
    }
    return status;
}

bool sb_stripe_answer_may_retry(sb_http_failure_e failure,
                                const sb_http_response_t *response)
{
    if (failure != SB_HTTP_DONE) {
        return failure == SB_HTTP_UNREACHABLE || failure == SB_HTTP_TIMEOUT;
    }
    if (response->status < 400) {
        return false;
    }
    if (response->should_retry) {
        return strcmp(response->should_retry, "true") == 0;
    }
    return response->status == 409 || response->status == 429 || response->status >= 500;
}

/* Length of the key or secret that starts at text, 0 when none does. */
static apr_size_t secret_length(const char *text)
{
    static const char *const prefixes[] = {"sk_", "rk_", "whsec_"};

    for (apr_size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
        if (strncmp(text, prefixes[i], strlen(prefixes[i])) == 0) {
            return strspn(text, TOKEN);
        }
    }
    return 0;
}

/* text with every key or secret replaced by "[secret]", in one pass: a megabyte may hold a quarter of a
 * million of them. */
static const char *blackened(const char *text, apr_pool_t *pool)
{
    static const char black[] = "[secret]";
    char *clean = apr_palloc(pool, 3 * strlen(text) + 1); /* "sk_" becomes 8 bytes */
    char *to = clean;

    for (const char *at = text; *at;) {
        apr_size_t length = at == text || !strchr(TOKEN, at[-1]) ? secret_length(at) : 0;
        if (length == 0) {
            *to++ = *at++;
            continue;
        }
        memcpy(to, black, sizeof(black) - 1);
        to += sizeof(black) - 1;
        at += length;
    }
    *to = '\0';
    return clean;
}

const char *sb_stripe_answer_words(const json_t *error, apr_pool_t *pool)
{
    const char *type = sb_json_text(error, "type");
    const char *code = sb_json_text(error, "code");
    const char *param = sb_json_text(error, "param");
    const char *message = sb_json_text(error, "message");

    if (!json_is_object(error)) {
        return "no explanation that could be read";
    }
    return blackened(apr_pstrcat(pool, type ? type : "error", code ? " " : "",
                                 code ? code : "", param ? " (" : "", param ? param : "",
                                 param ? ")" : "", ": ", message ? message : "", NULL),
                     pool);
}
