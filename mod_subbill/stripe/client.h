/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_STRIPE_CLIENT_H
#define SB_STRIPE_CLIENT_H

#include "base/form.h"
#include "base/json.h"
#include "base/result.h"
#include "domain/stripe_event.h"
#include "net/http.h"

#include <apr_pools.h>
#include <apr_time.h>
#include <stdbool.h>

/* The pinned version of Stripe's API: every shape this module reads and every parameter
 * it writes is of this version, whatever the account's default. */
#define SB_STRIPE_VERSION "2026-10-28.endive"
#define SB_STRIPE_API     "https://api.stripe.com"

typedef struct sb_stripe_t sb_stripe_t;

typedef struct sb_stripe_options_t {
    sb_http_t *http;         /* must outlive the client */
    const char *api;         /* base address; NULL: SB_STRIPE_API */
    const char *const *keys; /* secret or restricted keys of one mode, values; copied */
    int keys_n;
    int retries;         /* tries after the first; 0: 2, negative: none */
    int total_ms;        /* a whole call with its retries and pauses; 0: 10000 */
    int breaker_calls;   /* failed calls in a row that open the circuit; 0: 5 */
    int breaker_open_ms; /* how long it stays open; 0: 15000 */
    /* Replaces the pauses between tries (tests); NULL: sleep. */
    void (*sleep)(void *baton, apr_interval_time_t pause);
    void *sleep_baton;
} sb_stripe_options_t;

/* No connection is made. Errors: APR_EINVAL without a key or with a base that
 * sb_http_base_check() refuses, and those of the mutex. The client lives in pool and
 * may be used by all threads. */
apr_status_t sb_stripe_create(sb_stripe_t **stripe, const sb_stripe_options_t *options,
                              apr_pool_t *pool);

/* The same client for a call whose caller cannot wait: no retries, total_ms for everything. It
 * shares connections, keys and circuit with stripe and lives in pool. */
sb_stripe_t *sb_stripe_hurried(const sb_stripe_t *stripe, int total_ms, apr_pool_t *pool);

/* One call of API v1. path starts with "/v1/" and holds checked ids only
 * (sb_stripe_id_valid()); params (may be NULL) are the body of a POST, else the query.
 * idempotency_key (POST only, at most 255 visible ASCII characters) stays the same over
 * all retries; NULL: a random one per call.
 *
 * Never call with a database connection or a lock in hand: this waits up to total_ms.
 *
 * SB_OK: *out is the answer, a JSON object. A failure that Stripe explained: *out is
 * its `error` object (type, code, param, message), for decisions, not for people. Else
 * *out is NULL. Whatever *out is, pool owns the reference: it lives as long as pool, do
 * not json_decref() it.
 *
 * Failures (the message is fit for buyers, Stripe's own words are in the log):
 *   SB_UNAVAILABLE  retry_after is set:
 *                   "stripe_unavailable" network, timeout, 5xx, open circuit;
 *                   "stripe_busy" all threads that may wait for Stripe do;
 *                   "rate_limit" or Stripe's code: 429
 *   SB_NOT_FOUND    "resource_missing", also when a parameter names something missing:
 *                   the error's param says which
 *   SB_INVALID      the card error's code; its message is Stripe's, written for the buyer
 *   SB_CONFLICT     "idempotency_error"; "idempotency_key_in_use" or Stripe's code: 409
 *   SB_UPSTREAM     "stripe_key_refused", "stripe_permission", "stripe_bad_answer" (not
 *                   JSON, wrong kind, too large), else Stripe's code or type
 *   SB_INTERNAL     "bad_call": the caller broke the rules above; nothing was sent
 * Source: docs.stripe.com/api/errors, /api/idempotent_requests. */
sb_status_e sb_stripe_call(json_t **out, sb_result_t *result, sb_stripe_t *stripe,
                           const char *method, const char *path, const sb_form_t *params,
                           const char *idempotency_key, apr_pool_t *pool);

/* As sb_stripe_call(), and the answer's `object` must be kind ("customer"), with an id
 * unless it is a "list"; else SB_UPSTREAM "stripe_bad_answer" and *out is NULL. */
sb_status_e sb_stripe_call_for(json_t **out, sb_result_t *result, sb_stripe_t *stripe,
                               const char *kind, const char *method, const char *path,
                               const sb_form_t *params, const char *idempotency_key,
                               apr_pool_t *pool);

/* After a failed call, its *out in hand: did Stripe answer for good? It keeps its answer to an
 * idempotency key for a day, a 500 too, so that the next try needs another key. False: no answer
 * came, or an earlier try is still running, and the same key must be used again (F17). */
bool sb_stripe_key_spent(sb_status_e status, const json_t *error);

/* Of those: has Stripe itself said no, so that nothing was done? A 500 leaves that open. */
bool sb_stripe_refused(sb_status_e status, const json_t *error);

/* "prefix" + id in pool, e.g. "/v1/customers/cus_1"; NULL and SB_INVALID "bad_id" in
 * result when the id is not valid (sb_stripe_id_valid(), T39). */
const char *sb_stripe_path(sb_result_t *result, const char *prefix, const char *id,
                           apr_pool_t *pool);

#endif
