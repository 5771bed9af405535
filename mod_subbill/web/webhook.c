/* Licensed under the Apache License, Version 2.0; see LICENSE. */
/* What Stripe tells us. The order is the defence: nothing is read that could not be believed, nothing is
 * parsed before its signature is good, nothing is acknowledged before it is durable. Every
 * answer is a short document that says what became of the event, because it is what an operator reads
 * in Stripe's Dashboard (A55); it never says more to somebody who cannot sign. */
#include "web/answer.h"
#include "web/body.h"
#include "web/handlers.h"
#include "web/problem.h"

#include "base/log.h"
#include "service/ingest.h"

#include <apr_strings.h>

/* The secrets of the address that was called; NULL: there is no such address. */
static const apr_array_header_t *secrets_of(const sb_exchange_t *x)
{
    const apr_array_header_t *endpoints = x->server->endpoints;
    const char *uuid = x->rest;
    apr_size_t length = strlen(uuid);

    if (!length) {
        return x->server->webhook_secrets;
    }
    length -= uuid[length - 1] == '/';
    for (int i = 0; endpoints && i < endpoints->nelts; i++) {
        const sb_endpoint_t *endpoint = &APR_ARRAY_IDX(endpoints, i, sb_endpoint_t);
        if (strlen(endpoint->uuid) == length &&
            strncasecmp(endpoint->uuid, uuid, length) == 0) {
            return endpoint->secrets;
        }
    }
    return NULL;
}

static int refuse(sb_exchange_t *x, int status, sb_status_e kind, const char *code,
                  const char *message)
{
    const sb_result_t result = {.status = kind, .code = code, .message = message};

    return sb_problem_send_as(x->r, status, &result);
}

/* Several headers of that name arrive here merged with ", ", which the verifier refuses. */
static const char *signature_of(const sb_exchange_t *x)
{
    return apr_table_get(x->r->headers_in, "Stripe-Signature");
}

/* Which check failed helps the operator and tells an attacker nothing new; the log has it already. */
static int bad_signature(sb_exchange_t *x, sb_result_t *result,
                         const sb_ingest_t *outcome)
{
    result->message = apr_psprintf(x->pool, "%s (%s)", result->message,
                                   sb_signature_word(outcome->signature));
    result->hint = "Is this endpoint's own signing secret configured, and is the "
                   "server's clock right?";
    return sb_problem_send(x->r, result);
}

int sb_webhook_run(sb_exchange_t *x)
{
    const apr_array_header_t *secrets = secrets_of(x);
    sb_ingest_t outcome = {.secret = -1};
    sb_result_t result;
    const char *body;
    apr_size_t length;

    if (*x->rest && !secrets) {
        return refuse(x, HTTP_NOT_FOUND, SB_NOT_FOUND, "not_found",
                      "There is no webhook endpoint at this address.");
    }
    if (!secrets || !secrets->nelts) {
        return refuse(x, HTTP_SERVICE_UNAVAILABLE, SB_UNAVAILABLE,
                      "webhook_not_configured",
                      "There is no signing secret for this address.");
    }
    /* The signature is over the bytes as Stripe made them, which it never compresses. */
    if (apr_table_get(x->r->headers_in, "Content-Encoding")) {
        return refuse(x, HTTP_UNSUPPORTED_MEDIA_TYPE, SB_INVALID,
                      "unsupported_media_type", "The body must not be compressed.");
    }
    int status = sb_body_read(&body, &length, x->r, SB_EVENT_BODY_MAX);
    if (status == HTTP_REQUEST_ENTITY_TOO_LARGE) {
        sb_log_limited(SB_LOG_WARNING, 0, "SB123",
                       "stripe webhook from %s refused: the body is larger than 512 KiB",
                       x->r->useragent_ip);
        return refuse(x, status, SB_TOO_LARGE, "payload_too_large",
                      "The body is larger than 512 KiB.");
    }
    if (status != OK) {
        return status < HTTP_BAD_REQUEST ? status
                                         : refuse(x, status, SB_INVALID, "bad_request",
                                                  "The body did not arrive whole.");
    }
    sb_result_clear(&result);
    sb_status_e done = sb_ingest_webhook(&outcome, &result, x->service, signature_of(x),
                                         body, length, secrets, x->pool);
    if (done == SB_INVALID && strcmp(result.code, "bad_signature") == 0) {
        return bad_signature(x, &result, &outcome);
    }
    if (done != SB_OK) {
        return sb_problem_send(x->r, &result);
    }
    json_t *answer =
        json_pack("{s:b, s:s?, s:s?, s:s?}", "received", 1, "event", outcome.event,
                  "type", outcome.type, "state", outcome.state);
    if (outcome.reason) {
        json_object_set_new(answer, "reason", json_string(outcome.reason));
    }
    return sb_exchange_json(x, HTTP_OK, answer);
}
