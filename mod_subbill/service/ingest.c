/* Licensed under the Apache License, Version 2.0; see LICENSE. */
/* From bytes to rows. Verified before a byte is parsed; then one transaction stores the event and
 * applies it, so that an acknowledged event can be neither lost nor applied twice: the unique event
 * id decides, whoever comes second finds it finished. What cannot be applied, by its contents or by
 * the tables' rules, is rolled back and then stored as failed in a transaction of its own: Stripe
 * would only repeat it, an operator can mend the cause. Database trouble is answered as such and
 * nothing stays: Stripe comes back.
 *
 * Stripe is never asked here. Two different statements of one second, and events that only name their object,
 * leave a job in the same transaction: the worker asks, and what Stripe says then comes in through
 * this door as well. So does what failed, again and again until it can be applied. */
#include "service/ingest.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "service/apply.h"
#include "service/jobs.h"
#include "service/refresh.h"

#include <apr_strings.h>
#include <string.h>

typedef struct ingest_t {
    sb_service_t *service;
    const sb_event_t *event;
    const char *source;
    const char *body;
    apr_int64_t now;
    int arrival;        /* microseconds into that second */
    sb_apply_fn apply;  /* NULL: ignored for the reason below */
    const char *reason; /* of ignoring */

    bool kept; /* it is stored since an earlier time and tried again */

    sb_apply_t done; /* what became of it */
    bool duplicate;
} ingest_t;

enum {
    RETRY_SECONDS = 60,  /* after the first failure; the worker's own pace from then on */
    RECEIVED_LEASE = 300 /* seconds until an event without its job counts as stuck */
};

static sb_event_row_t row_of(const ingest_t *work, sb_event_state_e state,
                             const char *reason)
{
    return (sb_event_row_t){
        .id = work->event->id,
        .type = work->event->type,
        .livemode = work->event->livemode,
        .api_version = work->event->api_version,
        .account = work->event->account,
        .object_id = work->event->object_id,
        .created_at = work->event->created,
        .received_at = work->now,
        .arrival = work->arrival,
        .state = state,
        .reason = reason,
        .attempts = 1,
        .source = work->source,
    };
}

const char *sb_ingest_foreign(const sb_service_t *service, const sb_event_t *event)
{
    if (event->livemode != service->settings->live) {
        return "livemode_mismatch";
    }
    if (event->account) {
        return "foreign_account";
    }
    if (event->thin) {
        return sb_refresh_thin(event);
    }
    return sb_apply_find(event->type) ? NULL : "unhandled_type";
}

/* --- the transaction ------------------------------------------------------------------------ */

/* One statement of two that Stripe alone can put in order: the worker reads the object. */
static apr_status_t wish_fetch(const ingest_t *work, sb_conn_t *conn, apr_pool_t *pool)
{
    return sb_job_enqueue(conn, SB_JOB_FETCH, work->done.fetch, work->event->livemode,
                          sb_refresh_cause(work->event, pool), 0, pool);
}

/* What is tried again has its job already. */
static apr_status_t wish_retry(const ingest_t *work, sb_conn_t *conn, int delay,
                               apr_pool_t *pool)
{
    return work->kept ? APR_SUCCESS
                      : sb_job_enqueue(conn, SB_JOB_EVENT, work->event->id,
                                       work->service->settings->live, NULL, delay, pool);
}

/* The event names its object only: it waits, durable, for the worker to read it. */
static apr_status_t store_thin(ingest_t *work, sb_conn_t *conn, apr_pool_t *pool)
{
    sb_event_row_t row = row_of(work, SB_EVENT_RECEIVED, NULL);
    sb_event_state_e stored = SB_EVENT_RECEIVED;
    bool inserted = false;

    row.lease_until = work->now + RECEIVED_LEASE;
    apr_status_t rv = sb_event_insert(&inserted, &stored, conn, &row, work->body, pool);
    work->duplicate = !inserted && stored != SB_EVENT_FAILED;
    if (rv != APR_SUCCESS || work->duplicate) {
        return rv;
    }
    return wish_retry(work, conn, 0, pool);
}

static apr_status_t end_event(const ingest_t *work, sb_conn_t *conn, bool inserted,
                              apr_pool_t *pool)
{
    const char *id = work->event->id;

    switch (work->done.verdict) {
    case SB_APPLY_FAILED:
        return SB_DB_ROLLBACK;
    case SB_APPLY_REFUSED: {
        apr_status_t rv =
            sb_event_mark(conn, id, SB_EVENT_FAILED, work->done.reason, pool);
        return rv != APR_SUCCESS ? rv : wish_retry(work, conn, RETRY_SECONDS, pool);
    }
    case SB_APPLY_IGNORED:
        return inserted && !work->apply
                   ? APR_SUCCESS
                   : sb_event_mark(conn, id, SB_EVENT_IGNORED, work->done.reason, pool);
    case SB_APPLY_DONE:
        break;
    }
    return inserted ? APR_SUCCESS : sb_event_mark(conn, id, SB_EVENT_DONE, NULL, pool);
}

static apr_status_t store_and_apply(void *baton, sb_conn_t *conn, apr_pool_t *pool)
{
    ingest_t *work = baton;
    sb_event_row_t row =
        row_of(work, work->apply ? SB_EVENT_DONE : SB_EVENT_IGNORED, work->reason);
    sb_event_state_e stored = SB_EVENT_RECEIVED;
    bool inserted = false;

    work->duplicate = false;
    work->done = (sb_apply_t){
        .service = work->service,
        .conn = conn,
        .pool = pool,
        .event = work->event,
        .source = work->source,
        .now = work->now,
        .verdict = work->apply ? SB_APPLY_DONE : SB_APPLY_IGNORED,
        .reason = work->reason,
    };
    if (work->event->thin && !work->reason) {
        work->done.verdict = SB_APPLY_DONE;
        return store_thin(work, conn, pool);
    }
    apr_status_t rv = sb_event_insert(&inserted, &stored, conn, &row, work->body, pool);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (!inserted && (stored == SB_EVENT_DONE || stored == SB_EVENT_IGNORED)) {
        work->duplicate = true;
        return SB_DB_ROLLBACK;
    }
    if (work->apply) {
        rv = work->apply(&work->done);
    }
    if (rv == APR_SUCCESS && work->done.fetch && work->done.verdict != SB_APPLY_FAILED) {
        rv = wish_fetch(work, conn, pool);
    }
    return rv != APR_SUCCESS ? rv : end_event(work, conn, inserted, pool);
}

/* The second, short transaction: the event stays, visible, with the reason. */
static apr_status_t store_failed(void *baton, sb_conn_t *conn, apr_pool_t *pool)
{
    ingest_t *work = baton;
    sb_event_row_t row = row_of(work, SB_EVENT_FAILED, work->done.reason);
    sb_event_state_e stored = SB_EVENT_FAILED;
    bool inserted = false;
    apr_status_t rv = sb_event_insert(&inserted, &stored, conn, &row, work->body, pool);

    if (rv != APR_SUCCESS || stored == SB_EVENT_DONE || stored == SB_EVENT_IGNORED) {
        return rv;
    }
    if (!inserted) {
        rv = sb_event_mark(conn, row.id, SB_EVENT_FAILED, work->done.reason, pool);
    }
    return rv != APR_SUCCESS ? rv : wish_retry(work, conn, RETRY_SECONDS, pool);
}

/* A refusal may come of two events that arrived together, hence the second try. */
static sb_status_e store(sb_result_t *result, ingest_t *work, apr_pool_t *pool)
{
    sb_db_t *db = work->service->db;
    sb_status_e status = SB_OK;

    for (int tries = 0; tries < 2; tries++) {
        sb_result_clear(result);
        status = sb_db_transaction(db, SB_DEADLINE_INGEST, store_and_apply, work, result,
                                   pool);
        if (status == SB_OK || strcmp(result->code, "database_refused") != 0) {
            break;
        }
    }
    bool refused = status != SB_OK && strcmp(result->code, "database_refused") == 0;
    if (refused) {
        work->duplicate = false;
        work->done.fetch = NULL;
        sb_apply_end(&work->done, SB_APPLY_FAILED, "database_refused", NULL);
    }
    if (status != SB_OK && !refused) {
        return status;
    }
    if (!work->duplicate && work->done.verdict == SB_APPLY_FAILED) {
        sb_result_clear(result);
        status =
            sb_db_transaction(db, SB_DEADLINE_INGEST, store_failed, work, result, pool);
    }
    return status;
}

/* --- telling -------------------------------------------------------------------------------- */

static void tell(sb_ingest_t *outcome, const ingest_t *work)
{
    static const char *const states[] = {
        [SB_APPLY_DONE] = "done",
        [SB_APPLY_IGNORED] = "ignored",
        [SB_APPLY_REFUSED] = "failed",
        [SB_APPLY_FAILED] = "failed",
    };
    const sb_event_t *event = work->event;

    outcome->event = event->id;
    outcome->type = event->type;
    outcome->state = work->duplicate                ? "duplicate"
                     : event->thin && !work->reason ? "received"
                                                    : states[work->done.verdict];
    outcome->reason = work->duplicate ? NULL : work->done.reason;
    if (!work->duplicate && work->done.verdict >= SB_APPLY_REFUSED) {
        /* Said once; what fails again is told by the worker when it gives up. */
        sb_log(work->kept ? SB_LOG_INFO : SB_LOG_ERROR, 0, "SB401",
               "event %s %s failed: %s%s%s; see `subbillctl events show %s`", event->id,
               event->type, outcome->reason, work->done.detail ? ": " : "",
               work->done.detail ? work->done.detail : "", event->id);
        return;
    }
    sb_log(SB_LOG_INFO, 0, "SB400", "event %s %s %s%s%s: %s%s%s", event->id, event->type,
           event->object_id ? "about " : "without object",
           event->object_id ? event->object_id : "",
           event->api_version ? apr_psprintf(work->done.pool, " (%s)", event->api_version)
                              : "",
           outcome->state, outcome->reason ? ", " : "",
           outcome->reason ? outcome->reason : "");
}

static sb_status_e run(sb_ingest_t *outcome, sb_result_t *result, ingest_t *work,
                       apr_pool_t *pool)
{
    sb_result_t trouble;

    sb_result_clear(&trouble);
    apr_time_t now = apr_time_now();
    work->now = apr_time_sec(now);
    work->arrival = (int)apr_time_usec(now);
    sb_status_e status = store(&trouble, work, pool);
    if (status != SB_OK) {
        if (result) {
            *result = trouble;
        }
        return status;
    }
    tell(outcome, work);
    return SB_OK;
}

/* --- ways in -------------------------------------------------------------------------------- */

sb_status_e sb_ingest_event(sb_ingest_t *outcome, sb_result_t *result,
                            sb_service_t *service, const char *source, const char *body,
                            apr_size_t length, apr_pool_t *pool)
{
    char error[200];
    sb_event_t event;
    json_t *json;

    if (length > SB_EVENT_BODY_MAX) {
        return sb_result_set(result, SB_TOO_LARGE, "payload_too_large",
                             "The event is larger than 512 KiB.", NULL);
    }
    if (!sb_json_parse(&json, error, sizeof(error), body, length, SB_JSON_DEPTH)) {
        return sb_result_setf(result, pool, SB_INVALID, "bad_json", NULL,
                              "The body is no JSON that can be read: %s.", error);
    }
    sb_service_own(json, pool);
    sb_status_e status = sb_event_parse(&event, result, json, pool);
    if (status != SB_OK) {
        return status;
    }
    ingest_t work = {
        .service = service,
        .event = &event,
        .source = source,
        .body = apr_pstrmemdup(pool, body, length),
        .reason = sb_ingest_foreign(service, &event),
    };
    work.apply = work.reason ? NULL : sb_apply_find(event.type);
    return run(outcome, result, &work, pool);
}

sb_status_e sb_ingest_fact(sb_ingest_t *outcome, sb_result_t *result,
                           sb_service_t *service, const sb_event_t *event,
                           const char *source, apr_pool_t *pool)
{
    json_t *envelope = json_pack(
        "{s:s, s:s, s:s, s:s, s:I, s:I, s:s*, s:b, s:{s:O}}", "id", event->id, "object",
        "event", "type", event->type, "api_version", SB_STRIPE_VERSION, "created",
        (json_int_t)event->created, "seen", (json_int_t)event->seen, "seen_event",
        event->seen_event, "livemode", event->livemode, "data", "object", event->object);
    ingest_t work = {
        .service = service,
        .event = event,
        .source = source,
        .body = envelope ? sb_json_dump(sb_service_own(envelope, pool), pool) : NULL,
        .reason = sb_ingest_foreign(service, event),
    };

    if (!work.body) {
        return sb_result_set(result, SB_INTERNAL, "no_memory",
                             "The answer of the payment service cannot be kept.", NULL);
    }
    work.apply = work.reason ? NULL : sb_apply_find(event->type);
    *outcome = (sb_ingest_t){.secret = -1};
    return run(outcome, result, &work, pool);
}

sb_status_e sb_ingest_kept(sb_ingest_t *outcome, sb_result_t *result,
                           sb_service_t *service, const sb_event_t *event,
                           const char *source, const char *body, apr_pool_t *pool)
{
    ingest_t work = {
        .service = service,
        .event = event,
        .source = source,
        .body = body,
        .reason = sb_ingest_foreign(service, event),
        .kept = true,
    };

    work.apply = work.reason ? NULL : sb_apply_find(event->type);
    *outcome = (sb_ingest_t){.secret = -1};
    return run(outcome, result, &work, pool);
}

static const char *signature_sentence(sb_signature_outcome_e why)
{
    static const char *const sentences[] = {
        [SB_SIGNATURE_MISSING_HEADER] = "There is no Stripe-Signature header.",
        [SB_SIGNATURE_MALFORMED_HEADER] = "The Stripe-Signature header is malformed.",
        [SB_SIGNATURE_NO_TIMESTAMP] = "The Stripe-Signature header has no usable time.",
        [SB_SIGNATURE_TOO_OLD] = "The signature is too old.",
        [SB_SIGNATURE_IN_FUTURE] = "The signature is of the future; check the clocks.",
        [SB_SIGNATURE_NO_V1] = "The Stripe-Signature header holds no v1 signature.",
        [SB_SIGNATURE_NO_MATCH] = "No signing secret of this endpoint fits.",
    };

    return sentences[why];
}

sb_status_e sb_ingest_webhook(sb_ingest_t *outcome, sb_result_t *result,
                              sb_service_t *service, const char *signature_header,
                              const char *body, apr_size_t length,
                              const apr_array_header_t *secrets, apr_pool_t *pool)
{
    *outcome = (sb_ingest_t){.secret = -1};
    if (!secrets || secrets->nelts == 0) {
        return sb_result_set(result, SB_UNAVAILABLE, "webhook_not_configured",
                             "This webhook has no signing secret.",
                             "configure SubbillWebhookSecret");
    }
    if (!sb_signature_verify(&outcome->signature, &outcome->secret, signature_header,
                             body, length, (const char *const *)secrets->elts,
                             secrets->nelts, sb_clock_now(),
                             service->settings->webhook_tolerance)) {
        sb_log_limited(SB_LOG_WARNING, 0, "SB402",
                       "webhook refused: %s (%s); if Stripe sent it, compare "
                       "SubbillWebhookSecret with the endpoint's signing secret",
                       signature_sentence(outcome->signature),
                       sb_signature_word(outcome->signature));
        return sb_result_set(result, SB_INVALID, "bad_signature",
                             signature_sentence(outcome->signature), NULL);
    }
    return sb_ingest_event(outcome, result, service, SB_SOURCE_WEBHOOK, body, length,
                           pool);
}
